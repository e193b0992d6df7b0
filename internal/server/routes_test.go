package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"layerd/camera"
	"layerd/internal/access"
)

// examples are one request for each route that succeeds with the right role. A websocket's route is asked without an upgrade.
var examples = map[string]struct {
	target, body string
	want         int
}{
	"GET /healthz":               {target: "/healthz", want: 200},
	"POST /v1/login":             {target: "/v1/login", want: 200},
	"POST /v1/logout":            {target: "/v1/logout", want: 204},
	"GET /v1/state":              {target: "/v1/state", want: 200},
	"GET /v1/live":               {target: "/v1/live", want: 400},
	"POST /v1/do":                {target: "/v1/do", body: `{"id":"1","do":"pause"}`, want: 200},
	"GET /v1/files":              {target: "/v1/files", want: 200},
	"GET /v1/files/*":            {target: "/v1/files/cube.gcode", want: 200},
	"PUT /v1/files/*":            {target: "/v1/files/new.gcode", body: "G28\n", want: 201},
	"DELETE /v1/files/*":         {target: "/v1/files/cube.gcode", want: 204},
	"GET /v1/thumbnails/*":       {target: "/v1/thumbnails/cube.gcode", want: 200},
	"GET /v1/card":               {target: "/v1/card", want: 200},
	"GET /v1/prints":             {target: "/v1/prints", want: 200},
	"GET /v1/logs/*":             {target: "/v1/logs/01jd8q0000", want: 200},
	"GET /v1/prints.csv":         {target: "/v1/prints.csv", want: 200},
	"GET /v1/totals":             {target: "/v1/totals", want: 200},
	"GET /v1/curves/*":           {target: "/v1/curves/01jd8q0000", want: 200},
	"GET /v1/pictures/*":         {target: "/v1/pictures/01jd8q0000", want: 200},
	"GET /v1/timelapses":         {target: "/v1/timelapses", want: 200},
	"GET /v1/shots/*":            {target: "/v1/shots/cube.gcode", want: 200},
	"GET /v1/timelapses/*":       {target: "/v1/timelapses/ready/video", want: 200},
	"DELETE /v1/timelapses/*":    {target: "/v1/timelapses/ready", want: 204},
	"POST /v1/timelapses/*":      {target: "/v1/timelapses/ready/render", want: 202},
	"GET /v1/temperatures":       {target: "/v1/temperatures", want: 200},
	"GET /v1/spools":             {target: "/v1/spools", want: 200},
	"GET /v1/queue":              {target: "/v1/queue", want: 200},
	"GET /v1/choices":            {target: "/v1/choices", want: 200},
	"GET /v1/mesh":               {target: "/v1/mesh", want: 200},
	"POST /v1/mesh":              {target: "/v1/mesh", want: 200},
	"POST /v1/mesh/probe":        {target: "/v1/mesh/probe", want: 200},
	"GET /v1/eeprom":             {target: "/v1/eeprom", want: 200},
	"GET /v1/eeprom/copies":      {target: "/v1/eeprom/copies", want: 200},
	"GET /v1/eeprom/copies/*":    {target: "/v1/eeprom/copies/1", want: 200},
	"DELETE /v1/eeprom/copies/*": {target: "/v1/eeprom/copies/1", want: 204},
	"GET /v1/profiles":           {target: "/v1/profiles", want: 200},
	"GET /v1/scripts":            {target: "/v1/scripts", want: 200},
	"GET /v1/buttons":            {target: "/v1/buttons", want: 200},
	"GET /v1/overlay":            {target: "/v1/overlay", want: 200},
	"GET /v1/neighbours":         {target: "/v1/neighbours", want: 200},
	"GET /v1/neighbours/*":       {target: "/v1/neighbours/voron", want: 200},
	"GET /v1/camera":             {target: "/v1/camera", want: 400},
	"GET /webcam/":               {target: "/webcam/?action=snapshot&cacheBuster=17", want: 200},
	"GET /webcam/*":              {target: "/webcam/0/?action=snapshot", want: 200},
	"GET /":                      {target: "/", want: 200},
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	for _, route := range append(routes[:len(routes):len(routes)], pageRoute) {
		name := route.method + " " + route.path
		example, ok := examples[name]
		if !ok {
			t.Errorf("%s: no example request; every route needs one", name)
			continue
		}
		for role := access.Nobody; role <= access.Owner; role++ {
			t.Run(name+" as "+role.String(), func(t *testing.T) {
				want, key := example.want, role.String()
				switch {
				case role == access.Nobody:
					key = ""
					if route.least > access.Nobody {
						want = 401
					}
				case role < route.least:
					want = 403
				}
				r := newRig(t)
				r.cameras.take(1)
				w := r.do(route.method, example.target, key, strings.NewReader(example.body))
				if w.Code != want {
					t.Fatalf("got %d %s, want %d", w.Code, w.Body, want)
				}
				if challenge := w.Header().Get("WWW-Authenticate"); (want == 401) != strings.HasPrefix(challenge, "Bearer") {
					t.Errorf("got WWW-Authenticate %q with status %d", challenge, want)
				}
				for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
					if got := w.Header().Get(header); got != want {
						t.Errorf("%s: got %q, want %q", header, got, want)
					}
				}
				if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") {
					t.Errorf("Content-Security-Policy: got %q", csp)
				}
			})
		}
	}
	if len(examples) != len(routes)+1 {
		t.Errorf("%d examples for %d routes and the page: one is left over", len(examples), len(routes))
	}
}

func TestEveryCommandWithEveryRole(t *testing.T) {
	bodies := map[string]string{
		"start": `"file":"cube.gcode"`, "start_card": `"file":"A.GCO"`, "jog": `"axes":"x","by_mm":1`, "extrude": `"by_mm":1`, "set_nozzle": `"target_c":200`, "set_bed": `"target_c":60`,
		"set_chamber": `"target_c":40`, "set_fan": `"percent":50`, "set_speed": `"percent":100`, "set_flow": `"percent":100`, "send": `"line":"M105"`, "answer": `"prompt":7,"button":0`,
		"set_camera": `"camera":{}`, "remove_camera": `"camera_id":0`, "set_control": `"camera_id":0,"name":"focus","value":5`,
		"lamp": `"on":true`, "set_lamp": `"on_lines":"M355 S1","off_lines":"M355 S0"`, "set_cooling": `"cooling":{"standing_nozzle_min":10,"standing_bed_min":120,"idle_min":30}`, "delete_file": `"file":"cube.gcode"`, "rename_file": `"file":"cube.gcode","to":"b.gcode"`, "make_folder": `"file":"a"`,
		"babystep": `"by_mm":0.05`, "set_advance": `"factor":0.08`, "set_acceleration": `"acceleration_mm_s2":800`, "change_setting": `"line":"M92 X81"`, "restore_settings": `"copy":1`,
		"save_spool": `"spool":{"name":"x","diameter_mm":1.75,"density_g_cm3":1.24,"weight_g":1000}`, "queue_add": `"file":"cube.gcode"`, "queue_move": `"entry":1`,
		"queue_copies": `"entry":1,"copies":2`, "queue_remove": `"entry":1`,
		"set_profile": `"profile":{"name":"x","width_mm":220,"depth_mm":220,"height_mm":250,"bed":"rectangle","origin":"corner","nozzles":1,"nozzle_mm":0.4,"max_nozzle_c":260,"max_bed_c":110,"travel_mm_s":100,"lift_mm_s":8,"extrude_mm_s":3}`,
	}
	bodies["set_overlay"] = `"overlay":{"kind":"none"}`
	bodies["set_timelapse"] = `"timelapse":{"mode":"time","every_s":10,"park":false,"camera":0,"fps":25,"budget_mb":500,"limit_mb":2000,"render_early":false,"keep_failed":true}`
	bodies["save_profile"], bodies["choose_profile"], bodies["delete_profile"] = bodies["set_profile"], `"name":"Other"`, `"name":"Other"`
	bodies["rename_profile"], bodies["set_scripts"], bodies["set_buttons"], bodies["press"] = `"name":"Other","to":"Third"`, `"scripts":{}`, `"groups":[]`, `"button":3`
	owners := map[string]bool{"send": true, "connect": true, "disconnect": true, "set_profile": true, "set_camera": true, "remove_camera": true, "set_control": true, "set_lamp": true, "set_cooling": true, "set_timelapse": true,
		"set_overlay": true, "overlay_login": true, "overlay_leave": true,
		"save_babystep": true, "change_setting": true, "save_settings": true, "restore_settings": true,
		"save_profile": true, "choose_profile": true, "rename_profile": true, "delete_profile": true, "set_scripts": true, "set_buttons": true}
	for _, c := range commands {
		for role := access.Viewer; role <= access.Owner; role++ {
			text := fmt.Sprintf(`{"id":"1","do":%q`, c.name)
			if more := bodies[c.name]; more != "" {
				text += "," + more
			}
			want := 200
			if role == access.Viewer || (role == access.Operator && owners[c.name]) {
				want = 403
			}
			if code, a := newRig(t).command(t, role.String(), text+"}"); code != want {
				t.Errorf("%s as %s: got %d %+v, want %d", c.name, role, code, a.Error, want)
			}
		}
	}
}

func TestUnknownPathsAreNotThePage(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/nothing", "/v1", "/v1/", "/v1/states", "/v1/files/", "/index.htm", "/assets/", "/assets/none.js", "/assets/.hidden", "//v1/state", "/webcam", "/api/version"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			for _, role := range []string{"", "owner"} {
				if w := r.do(method, target, role, nil, func(q *http.Request) { q.URL.Path = target }); w.Code != 404 || errorCode(t, w.Body.Bytes()) != "no_route" {
					t.Errorf("%s %s as %q: got %d %s, want 404", method, target, role, w.Code, w.Body)
				}
			}
		}
	}
}

func TestWrongMethod(t *testing.T) {
	r := newRig(t)
	for target, allow := range map[string]string{"/v1/state": "GET", "/v1/do": "POST", "/v1/files/a.gcode": "GET, PUT, DELETE", "/": "GET", "/healthz": "GET"} {
		w := r.do("PATCH", target, "owner", nil)
		if w.Code != 405 || w.Header().Get("Allow") != allow || errorCode(t, w.Body.Bytes()) != "method" {
			t.Errorf("PATCH %s: got %d, Allow %q, %s, want 405 and %q", target, w.Code, w.Header().Get("Allow"), w.Body, allow)
		}
	}
	if w := r.do("HEAD", "/v1/state", "viewer", nil); w.Code != 200 {
		t.Errorf("HEAD /v1/state: got %d, want 200", w.Code)
	}
}

// watchedBody fails the test when anybody reads it.
type watchedBody struct{ t *testing.T }

func (b watchedBody) Read([]byte) (int, error) {
	b.t.Error("the body was read before the key was checked")
	return 0, io.EOF
}

func TestBodyIsNotReadWithoutAKey(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"PUT /v1/files/a.gcode", "POST /v1/do"} {
		method, path, _ := strings.Cut(target, " ")
		for role, want := range map[string]int{"": 401, "wrong": 401, "viewer": 403} {
			if w := r.do(method, path, role, watchedBody{t}); w.Code != want || w.Header().Get("Connection") != "close" {
				t.Errorf("%s as %q: got %d, Connection %q, want %d and close", target, role, w.Code, w.Header().Get("Connection"), want)
			}
		}
	}
}

// A client that waits for leave to send its body gets the refusal instead, at once.
func TestBodyIsNotAskedForWithoutAKey(t *testing.T) {
	host := newRig(t).listen(t)
	for name, c := range map[string]struct{ key, path, want string }{
		"wrong key":   {"wrong", "new.gcode", "401"},
		"name taken":  {"operator", "cube.gcode?overwrite=0", "409"},
		"bad name":    {"operator", "a/../../b.gcode", "400"},
		"all is well": {"operator", "new.gcode", "100"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "PUT /v1/files/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n", c.path, c.key)
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(line, "HTTP/1.1 "+c.want) {
				t.Errorf("got %q, want status %s", line, c.want)
			}
		})
	}
}

func TestCookieCannotBeUsedByOtherSites(t *testing.T) {
	r := newRig(t)
	cookie := func(q *http.Request) { q.AddCookie(&http.Cookie{Name: access.CookieName, Value: "owner"}) }
	header := func(name, value string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		change []func(*http.Request)
		want   int
	}{
		"our page":                     {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "same-origin")}, 200},
		"another site":                 {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "cross-site")}, 403},
		"another port":                 {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "same-site")}, 403},
		"old browser, our page":        {[]func(*http.Request){cookie, header("Origin", "http://example.com")}, 200},
		"old browser, other":           {[]func(*http.Request){cookie, header("Origin", "http://evil.example")}, 403},
		"another site with a password": {[]func(*http.Request){cookie, header("Origin", "http://evil.example"), header("Authorization", "Basic eDp5")}, -1},
		"form without an origin":       {[]func(*http.Request){cookie, header("Origin", "null")}, 403},
	} {
		w := r.do("POST", "/v1/do", "", strings.NewReader(`{"do":"pause"}`), c.change...)
		if w.Code != c.want && (c.want > 0 || w.Code < 400) { // -1: any refusal
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
		}
	}
	if n := len(r.printer.called()); n != 2 {
		t.Errorf("the printer was asked %d times, want 2", n)
	}
}

func TestLoginAndLogout(t *testing.T) {
	r := newRig(t)
	w := r.do("POST", "/v1/login", "operator", nil)
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 {
		t.Fatalf("got %d with cookies %v, want 200 and one", w.Code, cookies)
	}
	c := cookies[0]
	if c.Name != access.CookieName || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.MaxAge != 400*86400 || c.Path != "/" {
		t.Errorf("got cookie %v, want a strict one for 400 days that scripts cannot read", c)
	}
	safe := r.do("POST", "/v1/login", "operator", nil, func(q *http.Request) { q.TLS = &tls.ConnectionState{} }).Result().Cookies()
	if len(safe) != 1 || !safe[0].Secure {
		t.Errorf("over HTTPS: got %v, want a cookie that stays there", safe)
	}
	forged := r.do("POST", "/v1/login", "operator", nil, func(q *http.Request) { q.Header.Set("X-Forwarded-Proto", "https") }).Result().Cookies()
	if len(forged) != 1 || forged[0].Secure {
		t.Errorf("with a forged header: got %v, want it not believed", forged)
	}
	state := r.do("GET", "/v1/state", "", nil, func(q *http.Request) { q.AddCookie(c) })
	if state.Code != 200 || !strings.Contains(state.Body.String(), `"via":"cookie"`) {
		t.Errorf("with the cookie: got %d %s, want the state", state.Code, state.Body)
	}
	if w := r.do("POST", "/v1/login", "", nil, func(q *http.Request) { q.AddCookie(c) }); w.Code != 401 {
		t.Errorf("login with a cookie alone: got %d, want 401", w.Code)
	}
	out := r.do("POST", "/v1/logout", "", nil).Result().Cookies()
	if len(out) != 1 || out[0].MaxAge != -1 || out[0].Value != "" {
		t.Errorf("logout: got cookies %v, want one that deletes", out)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Cameras = panicCameras{c.Cameras} })
	if w := r.do("GET", "/v1/choices", "owner", nil); w.Code != 500 || errorCode(t, w.Body.Bytes()) != "internal" || strings.Contains(w.Body.String(), "wires") {
		t.Errorf("got %d %s, want 500 that tells nothing", w.Code, w.Body)
	}
	if code, a := r.command(t, "owner", `{"id":"1","do":"set_camera","camera":{}}`); code != 500 || a.Error.Code != "internal" {
		t.Errorf("a command: got %d %+v, want 500", code, a)
	}
}

type panicCameras struct{ Cameras }

func (panicCameras) Devices() []camera.Device { panic("crossed wires") }
func (panicCameras) Setups() []camera.Setup   { panic(errors.New("crossed wires")) }
