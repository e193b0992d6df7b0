package server

import (
	"context"
	"fmt"
	"net/http"

	"layerd/internal/access"
	"layerd/printer"
)

// Where a print pauses by itself flows through here: set_stop, remove_stop → the printer; the heights of a file's layers → a page that lets a person choose.

func (s *Server) doSetStop(ctx context.Context, c *call) (uint64, error) {
	if c.Stop == nil {
		return 0, badCommand("This command needs stop.")
	}
	return s.cfg.Printer.SetStop(ctx, c.Job, *c.Stop)
}

func (s *Server) doRemoveStop(ctx context.Context, c *call) (uint64, error) {
	if c.Stop == nil || c.Stop.Layer < 1 {
		return 0, badCommand("This command needs stop with a layer.")
	}
	return s.cfg.Printer.RemoveStop(ctx, c.Job, c.Stop.Layer)
}

// where is a stop's place, for the audit.
func where(at printer.StopAt) string {
	switch {
	case at.ThisLayer:
		return "at the end of the layer"
	case at.ZMM != 0:
		return fmt.Sprintf("at %g mm", at.ZMM)
	}
	return fmt.Sprintf("before layer %d", at.Layer)
}

// serveHeights answers GET /v1/heights/PATH.
func (s *Server) serveHeights(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	survey, err := s.cfg.Files.Survey(r.Context(), path)
	if err != nil {
		return err
	}
	heights := Heights{ZMM: make([]float64, len(survey.Layers))}
	for i, l := range survey.Layers {
		heights.ZMM[i] = l.ZMM
	}
	return s.writePacked(w, r, heights)
}
