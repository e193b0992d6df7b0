package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
)

// parrot is an API that says who asked for what.
type parrot struct{ s *Server }

func (p parrot) Routes() []Route {
	say := func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
		io.WriteString(w, me.Name+" asks for "+r.PathValue("path")+".")
		return nil
	}
	return []Route{
		{Method: "GET", Path: "/api/open", Least: access.Nobody, Serve: say},
		{Method: "GET", Path: "/api/files/*", Least: access.Viewer, Serve: say},
		{Method: "POST", Path: "/api/files/here", Least: access.Operator, Serve: say},
		{Method: "POST", Path: "/api/files/*", Least: access.Operator, Serve: say},
		{Method: "GET", Path: "/v1/state", Least: access.Nobody, Serve: say}, // ours goes before
	}
}

func (p parrot) Fail(w http.ResponseWriter, _ *http.Request, err error) {
	e, status := p.s.Explain(err)
	w.WriteHeader(status)
	io.WriteString(w, "sorry: "+e.Code)
}

func TestForeignAPIs(t *testing.T) {
	for _, c := range []struct {
		method, target, key, query, want string
		status                           int
	}{
		{"GET", "/api/open", "", "", " asks for .", 200},
		{"GET", "//api//open/", "", "", " asks for .", 200},
		{"GET", "/api/files/a/b.gcode", "", "", "sorry: key_needed", 401},
		{"GET", "/api/files/a/b.gcode", "viewer", "", "viewer asks for a/b.gcode", 200},
		{"GET", "/api/files/a%2Fb.gcode", "viewer", "", "viewer asks for a/b.gcode", 200},
		{"GET", "/api/files/a/b.gcode", "", "?apikey=viewer", "viewer asks for a/b.gcode", 200},
		{"GET", "/api/files/a/b.gcode", "nonsense", "?apikey=viewer", "viewer asks for a/b.gcode", 200}, // the address goes first
		{"GET", "/api/files/a", "nonsense", "", "sorry: key_needed", 401},
		{"POST", "/api/files/a", "viewer", "", "sorry: role_too_low", 403},
		{"POST", "//api/files//a/", "operator", "", "operator asks for a", 200},
		{"POST", "/api/files/here", "operator", "", "operator asks for .", 200}, // what another route would call the rest is nothing to this one
		{"DELETE", "/api/files/a", "owner", "", "sorry: method", 405},
		{"GET", "/v1/state", "owner", "", `"code":"key_needed"`, 401}, // X-Api-Key means nothing to our own API
		{"GET", "/api", "owner", "", `"code":"no_route"`, 404},
		{"GET", "//", "owner", "", `"code":"no_route"`, 404},
	} {
		r := newRig(t)
		r.Mount(parrot{r.Server})
		w := r.do(c.method, c.target+c.query, "", nil, func(q *http.Request) {
			if c.key != "" {
				q.Header.Set("X-Api-Key", c.key)
			}
		})
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s%s with %q: got %d %q, want %d %q", c.method, c.target, c.query, c.key, w.Code, w.Body, c.status, c.want)
		}
	}
}

// Another site can make a browser send its cookie, but no key.
func TestForeignAPIsAndOtherSites(t *testing.T) {
	for _, key := range []bool{false, true} {
		r := newRig(t)
		r.Mount(parrot{r.Server})
		w := r.do("POST", "/api/files/a", "", nil, func(q *http.Request) {
			q.Header.Set("Origin", "http://evil.example")
			if key {
				q.Header.Set("X-Api-Key", "operator")
			} else {
				q.AddCookie(&http.Cookie{Name: access.CookieName, Value: "operator"})
			}
		})
		if want := map[bool]int{false: 403, true: 200}[key]; w.Code != want {
			t.Errorf("with a key %v: got %d %s, want %d", key, w.Code, w.Body, want)
		}
	}
}

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{"a.gcode": "a.gcode", "/a//b.gcode": "a/b.gcode", `a\b.gcode`: "a/b.gcode", "../../a": "a", "a/../../b": "b", "a\x00b": "", "": "", "/": ""} {
		got, err := CleanName(name)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSelected(t *testing.T) {
	r := newRig(t)
	if got := r.Selected(); got != "" {
		t.Errorf("got %q, want none", got)
	}
	r.Select("a.gcode")
	if got := r.Selected(); got != "a.gcode" {
		t.Errorf("got %q, want the one that was selected", got)
	}
	if _, a := r.command(t, "operator", `{"id":"1","do":"start","file":"cube.gcode"}`); a.Error != nil {
		t.Fatal(a.Error)
	}
	if got := r.Selected(); got != "cube.gcode" {
		t.Errorf("got %q, want the one that was started since", got)
	}
}
