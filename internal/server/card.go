package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/printer"
)

// What flows here: the printer's own memory card, listed by asking the printer, and a file of it started there. Its prints are paused, resumed and
// cancelled by the same commands as those of layerd's.

// cardTime is how long the printer may take to list its card: 115,200 baud carry some 200 names a second.
const cardTime = 30 * time.Second

// serveCard answers GET /v1/card.
func (s *Server) serveCard(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	ctx, cancel := context.WithTimeout(r.Context(), cardTime)
	defer cancel()
	list, err := s.cfg.Printer.ListCard(ctx)
	out := CardList{Present: err == nil, Files: []CardFile{}}
	if err != nil && !errors.Is(err, printer.ErrNoCard) {
		return err
	}
	if err == nil {
		out.ListedMS = list.ListedMS
		for _, f := range list.Files {
			file := CardFile{Path: f.Path, Name: f.Name, Bytes: f.Bytes, Fits: gcode.CardPathFits(f.Path)}
			if at := f.Changed(time.Local); !at.IsZero() {
				file.ModifiedMS = at.UnixMilli()
			}
			out.Files = append(out.Files, file)
		}
	}
	s.writeJSON(w, http.StatusOK, out)
	return nil
}

// doStartCard is the start_card command.
func (s *Server) doStartCard(ctx context.Context, c *call) (uint64, error) {
	if c.File == "" {
		return 0, badCommand("This command needs file.")
	}
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if err := ready(snap); err != nil {
		return 0, err
	}
	id, rev, err := s.cfg.Printer.StartCard(ctx, c.File)
	c.started = id
	if err == nil {
		s.selected.Store(nil) // when it has ended it is the last one, and so what is meant
	}
	return rev, err
}
