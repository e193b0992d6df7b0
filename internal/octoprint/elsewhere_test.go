package octoprint

import (
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
)

// Pages of other sites, and of apps that are browsers inside, may use a key that somebody has given them, and hear the answers. A cookie is of no use to them.
func TestPagesOfOtherSites(t *testing.T) {
	r := newRig(t, 50)
	from := func(change ...string) func(*http.Request) {
		return func(q *http.Request) {
			q.Header.Set("Origin", "https://slicer.example")
			q.Header.Set("Sec-Fetch-Site", "cross-site")
			for i := 0; i < len(change); i += 2 {
				q.Header.Set(change[i], change[i+1])
			}
		}
	}
	heard := func(a reply, want string) {
		t.Helper()
		if got := a.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: got Access-Control-Allow-Origin %q, want %q", a.what, got, want)
		}
		if a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: a cookie may come along", a.what)
		}
	}

	a := r.send(access.Nobody, "OPTIONS", "/api/files/local", "", nil, from("Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-api-key")).is(204)
	heard(a, "*")
	if methods, headers := a.header.Get("Access-Control-Allow-Methods"), a.header.Get("Access-Control-Allow-Headers"); !strings.Contains(methods, "POST") || !strings.Contains(headers, "X-Api-Key") || strings.Contains(headers, "Cookie") {
		t.Errorf("got %q, %q", methods, headers)
	}
	body, kind := formWith(part(1), "path=", "file=kiri.gcode")
	heard(r.send(access.Operator, "POST", "/api/files/local", kind, body, from()).is(201), "*")
	heard(r.send(access.Viewer, "GET", "/api/version", "", nil, from()).is(200), "*")
	heard(r.send(access.Nobody, "GET", "/api/version?apikey="+r.keys[access.Viewer], "", nil, from()).is(200), "*")
	heard(r.send(access.Viewer, "POST", "/api/job", "application/json", strings.NewReader(`{"command":"pause"}`), from()).is(403), "*")

	const session = access.CookieName + "=anything"
	for _, c := range []struct{ method, path string }{{"GET", "/api/version"}, {"GET", "/api/settings"}, {"GET", "/api/login"}, {"POST", "/api/login"}, {"POST", "/api/job"}, {"GET", "/nothing"}} {
		heard(r.send(access.Nobody, c.method, c.path, "application/json", strings.NewReader(`{"passive":true}`), from("Cookie", session)), "")
	}
	// Our own API, and what does not exist, answer no such question.
	for _, path := range []string{"/v1/do", "/v1/state", "/v1/tokens", "/webcam/", "/", "/nothing"} {
		heard(r.send(access.Nobody, "OPTIONS", path, "", nil, from("Access-Control-Request-Method", "POST")), "")
		heard(r.send(access.Owner, "GET", path, "", nil, from()), "")
	}
	heard(r.send(access.Nobody, "OPTIONS", "/api/job", "", nil, from()).is(405), "")
}
