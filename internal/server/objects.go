package server

import (
	"context"
	"net/http"

	"layerd/gcode"
	"layerd/internal/access"
)

// serveObjects answers GET /v1/objects/PATH: what a file prints, with its place on the bed.
func (s *Server) serveObjects(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	survey, err := s.cfg.Files.Survey(r.Context(), path)
	if err != nil {
		return err
	}
	list := ObjectList{Objects: survey.Objects}
	if list.Objects == nil {
		list.Objects = []gcode.Object{}
	}
	s.writeJSON(w, http.StatusOK, list)
	return nil
}

// skipObject leaves out what is still to come of an object of the print under way, or prints it after all.
func skipObject(skip bool) runFunc {
	return func(s *Server, ctx context.Context, c *call) (uint64, error) {
		if c.Object == nil {
			return 0, badCommand("This command needs object.")
		}
		return s.cfg.Printer.SkipObject(ctx, c.Job, *c.Object, skip)
	}
}
