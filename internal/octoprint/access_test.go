package octoprint

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"layerd/internal/access"
	"layerd/internal/store"
)

func TestWhoAsks(t *testing.T) {
	r := newRig(t, 50)
	r.get("/api/version").is(200).has(map[string]any{"api": "0.1", "server": "1.11.8", "text": "OctoPrint 1.11.8 (layerd test)"})
	r.get("//api/version").is(200)
	r.get("/api/version/").is(200)
	r.get("/api/server").has(map[string]any{"version": "1.11.8", "safemode": nil})
	key := r.keys[access.Owner]
	for _, way := range []func(*http.Request){
		func(q *http.Request) { q.Header.Set("X-Api-Key", key) }, func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+key) }, func(q *http.Request) { q.URL.RawQuery = "apikey=" + key },
	} {
		r.send(access.Nobody, "GET", "/api/version", "", nil, way).is(200)
	}
	wrong := func(q *http.Request) { q.Header.Set("X-Api-Key", "nonsense") }
	first := []string{"/api/version", "/api/printer", "/api/job"}
	for _, path := range []string{"/api/version", "/api/server", "/api/job", "/api/printer", "/api/files", "/api/settings", "/api/connection", "/api/timelapse"} {
		if a := r.send(access.Nobody, "GET", path, "", nil); slices.Contains(first, path) {
			a.refused(401) // clients of PrusaLink wait for it
			if how := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(how, `Digest realm="`) || strings.Contains(how, "stale") {
				t.Errorf("%s: got %q, want a Digest to be asked for", path, how)
			}
		} else {
			a.refused(403)
		}
		r.send(access.Nobody, "GET", path, "", nil, wrong).refused(403)
		r.send(access.Nobody, "GET", path, "", nil, func(q *http.Request) { q.Header.Set("Authorization", `Digest username="x"`) }).refused(401)
	}

	passive := r.post("/api/login", `{"passive":true}`).is(200).has(map[string]any{"name": "owner", "active": true, "user": true, "admin": true, "groups.0": "admins", "session": key, "apikey": key, "_is_external_client": false, "_login_mechanism": "apikey", "needs.group.0": "admins"})
	if passive.header.Get("Set-Cookie") != "" {
		t.Error("a key made a session")
	}
	r.send(access.Viewer, "POST", "/api/login", "application/json", strings.NewReader(`{"passive":true}`)).is(200).has(map[string]any{"admin": false, "groups.0": "readonly"})
	r.send(access.Nobody, "POST", "/api/login", "application/json", strings.NewReader(`{"passive":true}`)).refused(400)
	r.send(access.Nobody, "POST", "/api/login", "application/json", strings.NewReader(`{"passive":true}`), wrong).refused(403)
	r.post("/api/login", `{}`).refused(400)
	r.post("/api/login", `{"user":5,"pass":"x"}`).refused(400)

	r.get("/api/currentuser").has(map[string]any{"name": "owner", "groups.0": "admins", "permissions.0": "ADMIN"})
	r.send(access.Nobody, "GET", "/api/currentuser", "", nil).is(200).has(map[string]any{"name": nil, "groups.0": "guests", "permissions.0": "(missing)"})
	r.send(access.Nobody, "GET", "/api/currentuser", "", nil, wrong).is(200).has(map[string]any{"name": nil})
}

// People log in by name and password as on our own page, and are slowed down as there.
func TestLogIn(t *testing.T) {
	r := newRig(t, 50)
	hash, err := r.server.Config().Gate.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.AddPerson(t.Context(), store.Person{Name: "Otto", Role: "operator", Hash: hash}); err != nil {
		t.Fatal(err)
	}
	login := func(body string) reply {
		return r.send(access.Nobody, "POST", "/api/login", "application/json", strings.NewReader(body))
	}
	in := login(`{"user":"Otto","pass":"correct horse","remember":true}`).is(200).has(map[string]any{"name": "Otto", "groups.0": "users", "session": "", "apikey": nil, "_login_mechanism": "password"})
	cookies := (&http.Response{Header: in.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != access.CookieName || !cookies[0].HttpOnly {
		t.Fatalf("cookies: got %v", cookies)
	}
	with := func(q *http.Request) { q.AddCookie(cookies[0]) }
	r.send(access.Nobody, "GET", "/api/job", "", nil, with).is(200)
	r.send(access.Nobody, "POST", "/api/login", "application/json", strings.NewReader(`{"passive":true}`), with).is(200).has(map[string]any{"name": "Otto", "session": "", "_login_mechanism": "session"})
	foreign := func(q *http.Request) { q.Header.Set("Origin", "http://evil.example") }
	r.send(access.Nobody, "POST", "/api/job", "application/json", strings.NewReader(`{"command":"cancel"}`), with, foreign).refused(403)
	// Anybody can write a key into an address: one that nobody has looked at excuses no page of another site.
	for _, path := range []string{"/api/login?apikey=x", "/api/logout?apikey=x", "/plugin/appkeys/request?apikey=x", "/api/login?apikey=" + r.keys[access.Viewer]} {
		a := r.send(access.Nobody, "POST", path, "text/plain", strings.NewReader(`{"user":"Otto","pass":"correct horse","app":"Cura"}`), with, foreign).refused(403)
		if len(a.header["Set-Cookie"]) != 0 {
			t.Errorf("%s: another site has set a cookie", path)
		}
	}
	r.send(access.Nobody, "POST", "/api/logout", "application/json", strings.NewReader(`{}`), with).is(200).has(map[string]any{"name": nil, "user": false, "groups.0": "guests"})
	r.send(access.Nobody, "GET", "/api/job", "", nil, with).refused(403)

	slowed := false
	for range 12 {
		if a := login(`{"user":"Otto","pass":"wrong"}`); a.status == 429 {
			slowed = true
			break
		} else {
			a.refused(403)
		}
	}
	if !slowed {
		t.Error("nobody slows down who guesses")
	}
}

func TestAccessLists(t *testing.T) {
	r := newRig(t, 50)
	if _, err := r.store.AddPerson(t.Context(), store.Person{Name: "Vera", Role: "viewer", Tailnet: true}); err != nil {
		t.Fatal(err)
	}
	r.get("/api/access/permissions").has(map[string]any{"permissions.0.key": "ADMIN", "permissions.0.dangerous": true, "permissions.1.key": "STATUS", "permissions.1.default_groups.2": "readonly"})
	r.get("/api/access/groups").has(map[string]any{"groups.0.key": "admins", "groups.1.key": "users", "groups.1.default": true, "groups.2.key": "readonly", "groups.3.key": "guests"})
	r.get("/api/access/groups/readonly").has(map[string]any{"key": "readonly", "permissions.0": "STATUS"})
	r.get("/api/access/groups/none").refused(404)
	r.get("/api/access/users").has(map[string]any{"users.0.name": "Vera", "users.0.apikey": nil, "users.1": "(missing)"})
	r.get("/api/access/users/Vera").has(map[string]any{"name": "Vera"})
	r.get("/api/access/users/owner").has(map[string]any{"name": "owner"})
	r.get("/api/access/users/none").refused(404)
	r.get("/api/users").is(200).has(map[string]any{"users.0.name": "Vera"})
}

// The addresses of pictures in the settings open them without a key, for as long as the key is good.
func TestPicturesByTicket(t *testing.T) {
	r := newRig(t, 50)
	ask := func(address string) int {
		t.Helper()
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, r.url+"/webcam/?action=snapshot") {
			t.Fatalf("got the address %q, %v", address, err)
		}
		return r.send(access.Nobody, "GET", u.RequestURI(), "", nil).status
	}
	frames := r.server.Config().Cameras.Frames(0)
	if _, _, err := frames.Next(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	address := r.send(access.Viewer, "GET", "/api/settings", "", nil).is(200).at("webcam.snapshotUrl").(string)
	for status := ask(address); status != 200; status = ask(address) {
		if status != 503 { // the camera has only just begun
			t.Fatalf("got %d, want 200", status)
		}
	}
	ticket := address[strings.Index(address, "view="):]
	for _, path := range []string{"/api/version?", "/v1/state?", "/api/files?", "/downloads/files/local/a?"} {
		if a := r.send(access.Nobody, "GET", path+ticket, "", nil); a.status != 403 && a.status != 401 {
			t.Errorf("%s: got %d, want it refused", path, a.status)
		}
	}
	stream := address[:strings.Index(address, "action=")] + "action=stream&" + ticket
	q, err := http.NewRequestWithContext(t.Context(), "GET", stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(q)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("stream: got %v, %v", response, err)
	}
	defer response.Body.Close()
	tokens, err := r.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if token.Role == "viewer" {
			if err := r.store.DeleteToken(t.Context(), token.ID, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil && t.Context().Err() != nil { // it ends, with the key
		t.Error(err)
	}
	if status := ask(address); status != 401 {
		t.Errorf("after the key was taken back: got %d, want 401", status)
	}
}

// Every route with every role: what is less than it needs is refused before anything is done, by 403 and one text.
func TestEveryRouteWithEveryRole(t *testing.T) {
	r := newRig(t, 50)
	api := New(r.server)
	bodies := map[string]string{"POST /api/files/local": "form", "POST /api/login": `{"passive":true}`}
	open := []string{"POST /api/login", "POST /api/logout", "GET /api/currentuser", "GET /plugin/discovery/discovery.xml", "GET /plugin/appkeys/probe", "POST /plugin/appkeys/request", "GET /plugin/appkeys/request/*"}
	for _, route := range append(api.Routes(), api.Rest().Routes()...) {
		name := route.Method + " " + route.Path
		if strings.HasPrefix(route.Path, "/sockjs") {
			continue // its clients show their key later, and its own tests say how
		}
		changes := route.Method != "GET"
		if changes && route.Least < access.Operator && route.Path != "/api/files/test" && !contains(open, name) && !isRest(route.Path) {
			t.Errorf("%s changes something, and a viewer may ask for it", name)
		}
		if route.Least == access.Nobody && !contains(open, name) && !isRest(route.Path) {
			t.Errorf("%s is open to all", name)
		}
		target := strings.Replace(route.Path, "*", "none", 1)
		for role := access.Nobody; role <= access.Owner; role++ {
			body := bodies[name]
			if body == "" {
				body = `{"command":"none"}`
			}
			a := r.send(role, route.Method, target, "application/json", strings.NewReader(body))
			a.what = name + " as " + role.String()
			switch {
			case role == access.Nobody && contains([]string{"GET /api/version", "GET /api/printer", "GET /api/job", "POST /api/files/local"}, name):
				a.refused(401)
			case role < route.Least:
				a.refused(403)
			case a.status == 403 && name != "POST /api/util/test":
				t.Errorf("%s: got 403 %s", a.what, a.body)
			case a.status >= 500 || a.status == 401:
				t.Errorf("%s: got %d %s", a.what, a.status, a.body)
			}
			if a.status >= 400 {
				a.refused(a.status)
			}
		}
	}
}

// What is refused is one that the audit log knows, and no fault of layerd's.
func TestRefusalsAreKnown(t *testing.T) {
	g := newStage(t)
	for want, err := range map[string]error{"bad_command": errForm, "wrong_state": fmt.Errorf("upload: %w", errNoCardWrites), "no_route": errNothing, "not_gcode": refuse(http.StatusUnsupportedMediaType, "no")} {
		if e, _ := g.Explain(err); e.Code != want {
			t.Errorf("%v: got %q, want %q", err, e.Code, want)
		}
	}
}

func isRest(path string) bool {
	return path == "/api" || path == "/api/*" || path == "/plugin/*" || path == "/downloads/*"
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
