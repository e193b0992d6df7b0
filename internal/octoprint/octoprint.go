// Package octoprint lets clients of OctoPrint's HTTP API work with layerd unmodified: slicers, phone apps, Home Assistant.
//
//	client ─▶ server (who, what role) ─▶ a handler here ─▶ server's verbs (Do, Put, State, …) ─▶ an answer in the shape of OctoPrint 1.11
//
// It translates and holds no state: what it answers is composed from the state that our own page shows, and what it is asked becomes a
// command of ours. docs/OCTOPRINT.md says what differs from the original, and why.
package octoprint

import (
	"net/http"
	"slices"
	"sync/atomic"

	"layerd/internal/access"
	"layerd/internal/server"
)

// API is OctoPrint's, on top of a Server.
type API struct {
	s     *server.Server
	known atomic.Pointer[known] // of the file that clients ask for; see shapes.go
}

// New returns the API, for Server.Mount.
func New(s *server.Server) *API { return &API{s: s} }

// Routes are all that is answered, file by file.
func (a *API) Routes() []server.Route {
	return slices.Concat(a.generalRoutes(), a.appRoutes())
}

// generalRoutes say who we are.
func (a *API) generalRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/version", Least: access.Viewer, Serve: a.version},
	}
}

// Fail answers as OctoPrint does: {"error": "…"}. Who may not, or is not known, gets 403: clients take it as the wish for another key.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	e, status := a.s.Explain(err)
	if status == http.StatusUnauthorized {
		status = http.StatusForbidden
	}
	text := e.Message
	if e.Next != "" {
		text += " " + e.Next
	}
	a.s.WriteJSON(w, status, map[string]string{"error": text})
}

// Version is the answer to /api/version. Slicers look whether Text begins with "OctoPrint"; what comes after is ours.
type Version struct {
	API    string `json:"api"`
	Server string `json:"server"`
	Text   string `json:"text"`
}

// emulated is the version of OctoPrint whose API this is.
const emulated = "1.11.8"

func (a *API) version(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	a.s.WriteJSON(w, http.StatusOK, Version{API: "0.1", Server: emulated, Text: "OctoPrint " + emulated + " (layerd " + a.s.Config().Version + ")"})
	return nil
}
