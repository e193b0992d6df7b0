// Package prusalink lets clients of PrusaLink's HTTP API, version 1, work with layerd: PrusaSlicer, Home Assistant, PrusaLinkPy.
//
//	client ─▶ server (who, what role; a key, or HTTP Digest) ─▶ a handler here ─▶ server's verbs ─▶ an answer in PrusaLink's shape
//
// It translates and holds no state. What PrusaLink shares with OctoPrint, such as /api/version and the older /api/job, package octoprint answers.
// The shapes are those of PrusaLink's own description (prusa3d/Prusa-Link-Web, spec/openapi.yaml).
package prusalink

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
)

// API is PrusaLink's, on top of a Server.
type API struct{ s *server.Server }

// New returns the API, for Server.Mount.
func New(s *server.Server) *API { return &API{s: s} }

// Routes are all that is answered.
func (a *API) Routes() []server.Route {
	return slices.Concat([]server.Route{
		{Method: "GET", Path: "/api/v1/status", Least: access.Viewer, Serve: a.status},
		{Method: "GET", Path: "/api/v1/info", Least: access.Viewer, Serve: a.info},
		{Method: "GET", Path: "/api/v1/storage", Least: access.Viewer, Serve: a.storage},
		{Method: "GET", Path: "/api/v1/transfer", Least: access.Viewer, Serve: nothing},
		{Method: "GET", Path: "/api/v1/update/*", Least: access.Viewer, Serve: nothing},
		{Method: "GET", Path: "/api/v1/cameras", Least: access.Viewer, Serve: a.cameras},
		{Method: "GET", Path: "/api/v1/cameras/*", Least: access.Viewer, Serve: a.snapshot},
		{Method: "POST", Path: "/api/v1/cameras/*", Least: access.Viewer, Serve: a.snapshot},

		{Method: "GET", Path: "/api/v1/job", Least: access.Viewer, Serve: a.job},
		{Method: "PUT", Path: "/api/v1/job/*", Least: access.Operator, Serve: a.steer}, // Do notes it
		{Method: "DELETE", Path: "/api/v1/job/*", Least: access.Operator, Serve: a.stop},
	}, a.fileRoutes())
}

// nothing says that there is none of what was asked for: no transfer, no update.
func nothing(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Error is the body of an answer that failed.
type Error struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Fail answers in JSON when that is asked for, else in the sentence that a slicer shows. Who is not known is asked for a Digest.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	e, status := a.s.Explain(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", a.s.Config().Gate.DigestChallenge(errors.Is(err, access.ErrStale)))
	}
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		a.s.WriteJSON(w, status, Error{Code: e.Code, Title: e.Message, Text: e.Next})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, strings.TrimSpace(e.Message+" "+e.Next)) // the client is gone when this fails
}

// yes reads a boolean of a structured header (RFC 8941): ?1. Some clients write true or 1.
func yes(r *http.Request, name string) bool {
	switch strings.ToLower(strings.TrimSpace(r.Header.Get(name))) {
	case "?1", "1", "true":
		return true
	}
	return false
}
