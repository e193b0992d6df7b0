package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/latest"
	"layerd/internal/store"
	"layerd/printer"
)

// Guard is what the server asks of what watches for layer shifts; *guard.Guard is one.
type Guard interface {
	States() *latest.Value[*guard.State]
	Set(ctx context.Context, s guard.Settings) error
	Arrange(ctx context.Context, order guard.Order) (printer.Shots, printer.Watch, error)
	SetUp(ctx context.Context) error
	Drill(ctx context.Context, axis string) error
	Cancel(ctx context.Context) error
	FalseAlarm(ctx context.Context, job string) error
	Seen(ctx context.Context, job string) error
	BedPicture(ctx context.Context) (jpeg []byte, err error)
	ShowCorners(ctx context.Context, tapped [4][2]float64) error
	recordings
}

// alarms is what the store keeps of them.
type alarms interface {
	Alarms(ctx context.Context, id string) ([]store.Alarm, error)
	AlarmPicture(ctx context.Context, id int64, after bool) ([]byte, error)
}

// AlarmList is the answer of GET /v1/alarms/ID: the shifts that were found in that print, the first one first.
type AlarmList struct {
	Alarms []guard.Alarm `json:"alarms"`
}

// doGuard makes a command of what the guard does.
func doGuard(do func(g Guard, ctx context.Context, c *call) error) runFunc {
	return func(s *Server, ctx context.Context, c *call) (uint64, error) {
		if err := do(s.cfg.Guard, ctx, c); err != nil {
			return 0, err
		}
		return s.rev(), nil
	}
}

// doGuardSetup begins the set-up. The head will be moved low above the bed: somebody must have looked.
func (s *Server) doGuardSetup(ctx context.Context, c *call) (uint64, error) {
	if !c.Empty {
		return 0, badCommand("This command needs empty: somebody must have looked that nothing lies on the bed.")
	}
	return s.rev(), s.cfg.Guard.SetUp(ctx)
}

// doGuardDrill begins a fire drill of one axis. It homes the printer, so what holds for the set-up holds for it.
func (s *Server) doGuardDrill(ctx context.Context, c *call) (uint64, error) {
	if c.Axes != "x" && c.Axes != "y" {
		return 0, badCommand("axes must be x or y.")
	}
	if !c.Empty {
		return 0, badCommand("This command needs empty: the printer is homed, and somebody must have looked that nothing lies on the bed.")
	}
	return s.rev(), s.cfg.Guard.Drill(ctx, c.Axes)
}

// doGuardCorners says where the corners of the bed are in the set-up's picture.
func (s *Server) doGuardCorners(ctx context.Context, c *call) (uint64, error) {
	if len(c.Corners) != 4 {
		return 0, badCommand("This command needs corners: four of them.")
	}
	return s.rev(), s.cfg.Guard.ShowCorners(ctx, [4][2]float64(c.Corners))
}

// doSetGuard hands the settings to their owner first, as doSetCooling does.
func (s *Server) doSetGuard(ctx context.Context, c *call) (uint64, error) {
	if c.Guard == nil {
		return 0, badCommand("This command needs guard.")
	}
	if err := s.cfg.Guard.Set(ctx, *c.Guard); err != nil {
		return 0, err
	}
	if err := s.cfg.Files.SetSetting(ctx, "guard", *c.Guard); err != nil {
		return 0, fmt.Errorf("keep the settings of the guard: %w", err)
	}
	return s.rev(), nil
}

// printed opens what is printed once more, to be read beside the print: the file, or the copy of it with arcs. It fails when that is another one by now.
func (s *Server) printed(path, sha256 string, arcs bool) func(ctx context.Context) (io.ReadSeekCloser, error) {
	return func(ctx context.Context) (io.ReadSeekCloser, error) {
		var f *os.File
		var is string
		var err error
		if arcs {
			var made store.Fitted
			f, made, err = s.cfg.Files.OpenFitted(ctx, path)
			is = made.SHA256
		} else {
			var file store.File
			f, file, err = s.cfg.Files.OpenFile(ctx, path)
			is = file.SHA256
		}
		if err == nil && is != sha256 {
			f.Close()
			err = errOtherFile
		}
		if err != nil {
			return nil, fmt.Errorf("read what is printed: %w", err)
		}
		return f, nil
	}
}

// arrangeWatch says how a print is watched that is about to start. That it cannot be is no reason not to print, but that the guard itself moves the head is.
func (s *Server) arrangeWatch(ctx context.Context, order guard.Order) (printer.Shots, printer.Watch, error) {
	shots, watch, err := s.cfg.Guard.Arrange(ctx, order)
	if err != nil && !errors.Is(err, guard.ErrBusy) {
		s.log.Error("a print is not watched for layer shifts", "job", order.Job, "err", err)
		err = nil
	}
	return shots, watch, err
}

// serveAlarms answers GET /v1/alarms/ID.
func (s *Server) serveAlarms(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	kept, err := s.cfg.Files.Alarms(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	list := AlarmList{Alarms: []guard.Alarm{}}
	for _, k := range kept {
		a := guard.Alarm{Arrows: []guard.Arrow{}} // older ones have none
		if err := json.Unmarshal(k.About, &a); err != nil {
			return fmt.Errorf("read alarm %d: %w", k.ID, err)
		}
		a.ID = k.ID
		list.Alarms = append(list.Alarms, a)
	}
	return s.writePacked(w, r, list)
}

// serveEvidence answers GET /v1/guard/ID/before and /after, and GET /v1/guard/bed. The second picture may come later than the alarm, and a set-up be made again, so a browser asks whether it is still the same.
func (s *Server) serveEvidence(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	jpeg, err := s.evidence(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(jpeg)
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, no-cache")
	writeSized(w, int64(len(jpeg)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(jpeg))
	return nil
}

func (s *Server) evidence(ctx context.Context, path string) ([]byte, error) {
	if path == "bed" {
		return s.cfg.Guard.BedPicture(ctx)
	}
	number, which, _ := strings.Cut(path, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || which != "before" && which != "after" {
		return nil, errNoRoute
	}
	return s.cfg.Files.AlarmPicture(ctx, id, which == "after")
}
