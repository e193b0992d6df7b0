package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/store"
	"layerd/internal/thermo"
)

// What is kept of prints besides their rows, and the temperatures of now: asked for when a page shows them, never pushed.

// Temperatures is what the server asks of the recorder of temperatures; *thermo.Recorder is one.
type Temperatures interface {
	Since(sinceMS int64) thermo.Recent
	Curve(id string) (store.Curve, bool)
}

// serveTemperatures answers GET /v1/temperatures?since_ms= with the last half hour, as far as it is newer than that.
func (s *Server) serveTemperatures(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	var since int64
	if v := r.URL.Query().Get("since_ms"); v != "" {
		var err error
		if since, err = strconv.ParseInt(v, 10, 64); err != nil || since < 0 {
			return badCommand("since_ms must be a time in Unix milliseconds.")
		}
	}
	return s.writePacked(w, r, s.cfg.Temperatures.Since(since))
}

// serveCurve answers GET /v1/curves/ID with the temperatures of a print, also of the one under way.
func (s *Server) serveCurve(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id := r.PathValue("path")
	curve, running := s.cfg.Temperatures.Curve(id)
	if !running {
		var err error
		if curve, err = s.cfg.Files.Curve(r.Context(), id); err != nil {
			return err
		}
	}
	return s.writePacked(w, r, curve)
}

// servePicture answers GET /v1/pictures/ID with the last picture of a print. It is written once, with the print's end.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	jpeg, err := s.cfg.Files.Picture(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(jpeg)
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, max-age=86400")
	writeSized(w, int64(len(jpeg)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(jpeg))
	return nil
}

// serveTotals answers GET /v1/totals: what was printed in each month of the printer's own time zone.
func (s *Server) serveTotals(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	months, err := s.cfg.Files.Totals(r.Context(), s.cfg.Zone)
	if err != nil {
		return err
	}
	if months == nil {
		months = []store.Month{}
	}
	s.writeJSON(w, http.StatusOK, Totals{Months: months})
	return nil
}

// writePacked is writeJSON for answers of some size that shrink to a fifth: in gzip for who takes it.
func (s *Server) writePacked(w http.ResponseWriter, r *http.Request, v any) error {
	w.Header().Set("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		s.writeJSON(w, http.StatusOK, v)
		return nil
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if err := json.NewEncoder(z).Encode(v); err != nil {
		return fmt.Errorf("write an answer as JSON: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack an answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	writeSized(w, int64(out.Len()))
	w.Write(out.Bytes()) // the client is gone when this fails
	return nil
}
