package server

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// Timelapses is what the server asks of the recorder; *timelapse.Recorder is one. An ID that it does not list is ErrNotFound: none becomes a path.
type Timelapses interface {
	List() *latest.Value[*timelapse.List]
	Set(ctx context.Context, s timelapse.Settings) error
	Choose(ctx context.Context, job string, c timelapse.Choice) error
	Delete(ctx context.Context, id string) error
	Render(ctx context.Context, id string) error
	Frame(id string, n int) (timelapse.Frame, error)
	Poster(id string) ([]byte, error)
	Open(id string) (*timelapse.Film, error)
}

// serveTimelapses answers GET /v1/timelapses.
func (s *Server) serveTimelapses(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	list, _ := s.cfg.Timelapses.List().Get()
	return s.writePacked(w, r, TimelapseList{list})
}

// serveTimelapse answers GET /v1/timelapses/ID/video, /poster and /frames/N.
func (s *Server) serveTimelapse(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id, what, _ := strings.Cut(r.PathValue("path"), "/")
	what, number, framed := strings.Cut(what, "/")
	switch {
	case what == "video" && !framed:
		return s.serveVideo(w, r, id)
	case what == "poster" && !framed:
		return s.servePoster(w, r, id)
	case what == "frames" && framed:
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return badCommand("The number of a frame begins with 0.")
		}
		return s.serveFrame(w, id, n)
	}
	return errNoRoute
}

// serveFrame answers with the frame numbered n, or the nearest one before it. A number never means another frame, so a browser may keep it; the
// headers say which it is, when it was taken and of which layer.
func (s *Server) serveFrame(w http.ResponseWriter, id string, n int) error {
	f, err := s.cfg.Timelapses.Frame(id, n)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if f.N == n {
		h.Set("Cache-Control", "private, max-age=604800, immutable")
	}
	h.Set("Frame", strconv.Itoa(f.N))
	h.Set("Frame-Layer", strconv.Itoa(f.Layer))
	h.Set("Frame-Taken-Ms", strconv.FormatInt(f.Time.UnixMilli(), 10))
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(f.JPEG)))
	writeSized(w, int64(len(f.JPEG)))
	w.Write(f.JPEG) // the client is gone when this fails
	return nil
}

func (s *Server) servePoster(w http.ResponseWriter, r *http.Request, id string) error {
	jpeg, err := s.cfg.Timelapses.Poster(id)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	list, _ := s.cfg.Timelapses.List().Get()
	if it, _ := list.Item(id); it.EndedMS > 0 { // the newest frame, before
		h.Set("Cache-Control", "private, max-age=86400")
	}
	writeSized(w, int64(len(jpeg)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(jpeg))
	return nil
}

// serveVideo answers with the film, or any part of it: phones ask for parts. With ?download it is to be saved.
func (s *Server) serveVideo(w http.ResponseWriter, r *http.Request, id string) error {
	film, err := s.cfg.Timelapses.Open(id)
	if err != nil {
		return err
	}
	defer film.Close()
	list, _ := s.cfg.Timelapses.List().Get()
	it, _ := list.Item(id)
	h := w.Header()
	h.Set("Content-Type", film.Type)
	h.Set("Cache-Control", "private, no-cache") // it may be rendered again
	if _, save := r.URL.Query()["download"]; save {
		name := it.Name
		if cut := strings.TrimSuffix(strings.TrimSuffix(name, ".gcode"), ".gco"); cut != "" {
			name = cut
		}
		h.Set("Content-Disposition", attachment(name+film.Suffix))
	}
	writeSized(w, it.Bytes)
	http.ServeContent(w, r, "", film.Changed, film)
	return nil
}

func (s *Server) serveDeleteTimelapse(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id := r.PathValue("path")
	if err := s.cfg.Timelapses.Delete(r.Context(), id); err != nil {
		return err
	}
	s.log.Info("timelapse deleted", "id", id, "who", me.Name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// serveRenderTimelapse answers POST /v1/timelapses/ID/render: the video is made when its turn comes.
func (s *Server) serveRenderTimelapse(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id, ok := strings.CutSuffix(r.PathValue("path"), "/render")
	if !ok {
		return errNoRoute
	}
	if err := s.cfg.Timelapses.Render(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// doSetTimelapse hands the settings to their owner first, as doSetCooling does.
func (s *Server) doSetTimelapse(ctx context.Context, c *call) (uint64, error) {
	if c.Timelapse == nil {
		return 0, badCommand("This command needs timelapse.")
	}
	if err := s.cfg.Timelapses.Set(ctx, *c.Timelapse); err != nil {
		return 0, err
	}
	if err := s.cfg.Files.SetSetting(ctx, "timelapse", *c.Timelapse); err != nil {
		return 0, fmt.Errorf("keep the settings of timelapses: %w", err)
	}
	return s.rev(), nil
}

// chooseTimelapse says how a print is recorded that is about to start, and tells the recorder. No film is a reason not to print.
func (s *Server) chooseTimelapse(ctx context.Context, job string, c *timelapse.Choice) printer.Shots {
	if c == nil {
		list, _ := s.cfg.Timelapses.List().Get()
		c = &list.Settings.Choice
	}
	if err := s.cfg.Timelapses.Choose(ctx, job, *c); err != nil {
		s.log.Error("a print is not recorded as was chosen", "job", job, "err", err)
		return printer.Shots{}
	}
	all, _ := s.cfg.Cameras.Status().Get()
	if !slices.ContainsFunc(all, func(c camera.Status) bool { return c.Device != "" }) {
		return printer.Shots{} // it would stand still for nothing; one that has failed may come back
	}
	return shotsOf(*c)
}

// shotsOf is what the printer does for a recording.
func shotsOf(c timelapse.Choice) printer.Shots {
	switch {
	case c.Mode != timelapse.ByLayer:
		return printer.Shots{}
	case c.Park:
		return printer.Shots{Mode: printer.ShotsPark}
	}
	return printer.Shots{Mode: printer.ShotsStill}
}

// serveShots answers GET /v1/shots/PATH: how much longer a file prints when it is recorded by layer.
func (s *Server) serveShots(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	survey, err := s.cfg.Files.Survey(r.Context(), path)
	if err != nil {
		return err
	}
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if snap == nil {
		return printer.ErrNotConnected
	}
	takes := func(mode printer.ShotMode) float64 {
		return math.Round(printer.ShotsTime(snap.Profile, printer.Shots{Mode: mode}, survey).Seconds())
	}
	s.writeJSON(w, http.StatusOK, ShotsTime{StillS: takes(printer.ShotsStill), ParkS: takes(printer.ShotsPark)})
	return nil
}

// timelapseState is what the State shows of them.
func (s *Server) timelapseState() (rev uint64, now TimelapseState) {
	list, _ := s.cfg.Timelapses.List().Get()
	now.Problem = list.Problem
	if it, ok := list.Item(list.Recording); ok && list.Recording != "" {
		now.ID, now.Frames, now.LastN, now.Step = it.ID, it.Frames, it.LastN, it.Step
	}
	return s.firstRev + list.Rev, now
}
