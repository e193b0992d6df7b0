// Package octoprint lets clients of OctoPrint's HTTP API work with layerd unmodified: slicers, phone apps, Home Assistant.
//
//	client ─▶ server (who, what role) ─▶ a handler here ─▶ server's verbs (Do, Put, State, …) ─▶ an answer in the shape of OctoPrint 1.11
//
// It translates and holds no state: what it answers is composed from the state that our own page shows, and what it is asked becomes a
// command of ours. docs/OCTOPRINT.md says what differs from the original, and why.
package octoprint

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
)

// API is OctoPrint's, on top of a Server.
type API struct {
	UUID string // of this layerd, lasting; clients that discover printers tell them apart by it. "" = it has none

	// Description is what tells clients that have found us by SSDP, at the host that they reached us by, who we are. nil = there is none.
	Description func(host string) []byte

	s     *server.Server
	known atomic.Pointer[known] // of the file that clients ask for; see shapes.go

	listing   atomic.Pointer[listing] // of the revision that was asked for last
	strangers strangers
	sessions  sessions
}

// New returns the API, for Server.Mount.
func New(s *server.Server) *API { return &API{s: s} }

// Routes are all that is answered, file by file.
func (a *API) Routes() []server.Route {
	return slices.Concat(a.generalRoutes(), a.accessRoutes(), a.connectionRoutes(), a.fileRoutes(), a.jobRoutes(), a.printerRoutes(), a.commandRoutes(),
		a.profileRoutes(), a.settingsRoutes(), a.timelapseRoutes(), a.systemRoutes(), a.pluginRoutes(), a.psuRoutes(), a.appRoutes(), a.pushRoutes())
}

// Rest is what is left of OctoPrint's addresses, for Server.Mount after everything else that lives below them: there is nothing, said in its form.
func (a *API) Rest() server.API { return rest{a} }

type rest struct{ *API }

func (r rest) Routes() (all []server.Route) {
	known := r.API.Routes()
	nothing := func(_ http.ResponseWriter, q *http.Request, _ access.Identity) error {
		path := "/" + strings.Join(strings.FieldsFunc(q.URL.Path, func(c rune) bool { return c == '/' }), "/")
		for _, route := range known {
			if route.Path == path {
				return refuse(http.StatusMethodNotAllowed, "This address is not asked in this way.")
			}
		}
		if q.Method == http.MethodPost && strings.HasPrefix(path, "/api/plugin/") {
			return refuse(http.StatusBadRequest, "There is no such plugin.")
		}
		return errNothing
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		for _, path := range []string{"/api", "/api/*", "/plugin/*", "/downloads/*"} {
			all = append(all, server.Route{Method: method, Path: path, Least: access.Nobody, Serve: nothing})
		}
	}
	return all
}

// refusal is an error in OctoPrint's words, with its status.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// Unwrap is the same as an error of ours: the audit log knows those.
func (r *refusal) Unwrap() error {
	code := "bad_command"
	switch r.status {
	case http.StatusNotFound:
		code = "no_route"
	case http.StatusMethodNotAllowed:
		code = "method"
	case http.StatusConflict:
		code = "wrong_state"
	case http.StatusUnsupportedMediaType:
		code = "not_gcode"
	}
	return server.Refuse(code, r.text)
}

func refuse(status int, text string) error { return &refusal{status, text} }

var (
	errNothing        = refuse(http.StatusNotFound, "There is nothing here.")
	errNotOperational = refuse(http.StatusConflict, "Printer is not operational")
)

// Fail answers as OctoPrint does: {"error": "…"}. Who may not, or is not known, gets 403: clients take it as the wish for another key. Clients of
// PrusaLink wait for 401 before they show their Digest: they get it for what they ask first, as long as nothing has been shown.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	text, status := a.explain(err)
	if errors.Is(err, access.ErrDenied) && (access.ShowsDigest(r) || asksFirst(r) && !shows(r)) {
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", a.s.Config().Gate.DigestChallenge(errors.Is(err, access.ErrStale)))
	}
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	a.s.WriteJSON(w, status, map[string]string{"error": text})
}

// asksFirst reports whether a request is one that clients of PrusaLink begin with. PrusaSlicer logs in anew for an upload, which it first sends empty.
func asksFirst(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet:
		return slices.Contains([]string{"/api/version", "/api/printer", "/api/job"}, r.URL.Path)
	case http.MethodPost:
		return r.URL.Path == "/api/files/local"
	}
	return false
}

// explain says an error in OctoPrint's words where it has some, else in ours, with the status that its clients expect.
func (a *API) explain(err error) (text string, status int) {
	var said *refusal
	if errors.As(err, &said) {
		return said.text, said.status
	}
	e, status := a.s.Explain(err)
	if text = e.Message; e.Next != "" {
		text += " " + e.Next
	}
	switch {
	case e.Code == "not_connected":
		return errNotOperational.Error(), http.StatusConflict
	case errors.Is(err, store.ErrEnding) || e.Code == "not_gcode":
		return text, http.StatusUnsupportedMediaType
	case status == http.StatusUnauthorized:
		return text, http.StatusForbidden
	case status == http.StatusUnprocessableEntity:
		return text, http.StatusBadRequest
	case status == http.StatusBadGateway: // the printer's own trouble
		return text, http.StatusConflict
	}
	return text, status
}

// done is the answer to what was done, and about which there is nothing to say.
func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) say(w http.ResponseWriter, v any) error {
	a.s.WriteJSON(w, http.StatusOK, v)
	return nil
}

// sayNew is say for what is asked for again and again, and is long: who shows the ETag of part, which is what matters in v, hears that it is as it was.
func (a *API) sayNew(w http.ResponseWriter, r *http.Request, v, part any) error {
	text, err := json.Marshal(part)
	if err != nil {
		return err
	}
	tag := fmt.Sprintf("\"%x\"", sha256.Sum256(text))
	w.Header().Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) && !queried(r, "force") {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return a.say(w, v)
}
