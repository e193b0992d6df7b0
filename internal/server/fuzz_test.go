package server

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCommand: whatever arrives is answered with one line of JSON, and only a command that is in the table reaches anybody.
func FuzzCommand(f *testing.F) {
	files, err := filepath.Glob("testdata/wire/command_*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`{"id":7,"do":"jog","axes":"x","by_mm":-0}`)
	f.Add(`{"do":"\u0000\ud800"}`)
	f.Add(`{"beat":1e400,"console":{"on":true}}`)
	r := newRig(f)
	names := map[string]bool{}
	for _, c := range commands {
		names[c.name] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := len(r.printer.called())
		w := r.do("POST", "/v1/do", "owner", strings.NewReader(text))
		var a Answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || !utf8.Valid(w.Body.Bytes()) {
			t.Fatalf("got %q, want JSON: %v", w.Body, err)
		}
		if w.Code >= 500 {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if (w.Code == 200) == (a.Error != nil) {
			t.Errorf("got %d with %+v", w.Code, a)
		}
		if called := r.printer.called(); len(called) > before {
			if name, _, _ := strings.Cut(called[len(called)-1], " "); !names[name] && name != "idle" { // idle: a setting
				t.Errorf("the printer was asked %q", called[len(called)-1])
			}
		}
		var m FromPage
		if err := decode([]byte(text), &m); err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", m, err)
		}
		var back FromPage
		if err := decode(again, &back); err != nil {
			t.Errorf("%s was written and cannot be read: %v", again, err)
		}
	})
}

// FuzzRequest: whatever path, query and headers come, the answer is one that no browser runs, never a failure of ours, and without a key nothing but
// the open routes.
func FuzzRequest(f *testing.F) {
	for _, example := range examples {
		path, query, _ := strings.Cut(example.target, "?")
		f.Add("GET", path, query, "Bearer viewer", "")
	}
	f.Add("GET", "/v1/audit", "before=-1&limit=501", "Bearer owner", "")
	f.Add("GET", "/v1/audit", "before=9223372036854775808&limit=+1&limit=1", "Bearer owner", "")
	f.Add("GET", "/v1/sessions", "all=1", "Bearer owner", "")
	f.Add("PUT", "/v1/files/../\x00.gcode", "overwrite=0", "Bearer operator", "layerd_key=owner")
	f.Add("GET", "/webcam/99999999999999999999/", "action=stream&id=-1", "bearer  ", `layerd_key="owner"; layerd_key=`)
	f.Add("GET", "/v1/prints", "limit=1e9&before_ms=-9223372036854775808", "Basic eDp5", "")
	f.Add("GET", "/v1/timelapses/ready/frames/-1", "a=%zz;b", "", "\xff=;;")
	r := newRig(f)
	f.Fuzz(func(t *testing.T, method, path, query, authorization, cookie string) {
		q := httptest.NewRequest("GET", "/", strings.NewReader("G28\n"))
		q.Method, q.URL.Path, q.URL.RawQuery = method, path, query
		q.Header["Authorization"], q.Header["Cookie"] = []string{authorization}, []string{cookie}
		if q.URL.Query().Get("action") == "stream" {
			return // it has no end
		}
		_, err := r.gate.Identify(q)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code == 500 {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		route, noRoute := r.match(q)
		if err != nil && (noRoute != nil || route.least > 0) && w.Code < 400 {
			t.Errorf("without a key: got %d %s", w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); strings.Contains(kind, "html") && route.path != pageRoute.path {
			t.Errorf("got %s", kind)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Error("a browser may guess the type")
		}
	})
}

// FuzzAttachment: no name breaks out of its header, or is taken for another.
func FuzzAttachment(f *testing.F) {
	f.Add("a.gcode")
	f.Add("\"; filename=x.html\r\nSet-Cookie: a=b")
	f.Add("ü\u202e\x00.gcode")
	f.Fuzz(func(t *testing.T, name string) {
		v := attachment(name)
		kind, params, err := mime.ParseMediaType(v)
		if err != nil || kind != "attachment" || strings.ContainsAny(v, "\r\n\x00") {
			t.Fatalf("%q: got %q, %v", name, v, err)
		}
		if got, named := params["filename"]; named && utf8.ValidString(name) && got != name {
			t.Errorf("got the name %q, want %q", got, name)
		}
	})
}

// FuzzForm: whatever is sent in a form's place, and whatever name the page is asked for by, the answer is data and no failure of ours; nobody is let in but
// with a password, and no password comes back.
func FuzzForm(f *testing.F) {
	forms := []string{"POST /v1/login", "POST /v1/setup", "POST /v1/confirm", "POST /v1/password", "POST /v1/people", "PUT /v1/people/*", "POST /v1/tokens"}
	for i, form := range forms {
		f.Add(byte(i), examples[form].body, "printer.local:8080")
	}
	f.Add(byte(0), `{"name":"a","password":"owner","password":"x","PASSWORD":"y"}`, "x")
	f.Add(byte(4), `{"name":"`+"\u202e\x1b[2J"+`","role":"owner","password":"longer than that"}`, "<script>")
	f.Add(byte(6), `{"name":"<b>","role":"viewer","link":true,"expires_ms":-9223372036854775808}`, strings.Repeat("x", 255))
	r := newRig(f)
	f.Fuzz(func(t *testing.T, which byte, body, host string) {
		method, path, _ := strings.Cut(forms[int(which)%len(forms)], " ")
		role := "owner"
		if strings.HasSuffix(path, "login") || strings.HasSuffix(path, "setup") {
			role = ""
		}
		w := r.do(method, strings.ReplaceAll(path, "*", "1"), role, strings.NewReader(body), func(q *http.Request) { q.Host = host })
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		inert(t, w.Result(), w.Body.String())
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("got %q, want JSON", w.Body)
		}
		var c Credentials
		err := decode([]byte(body), &c)
		if r.gate.keys[c.Password].Role == 0 && w.Header().Get("Set-Cookie") != "" || err != nil && w.Code == 200 && path == "/v1/login" {
			t.Errorf("somebody was let in: %d %s", w.Code, w.Body)
		}
		for _, secret := range []string{c.Password, c.Old, c.New, c.Key, c.Secret} {
			if len(secret) > 20 && secret != c.Name && strings.Contains(w.Body.String(), secret) {
				t.Errorf("%q comes back in %s", secret, w.Body)
			}
		}
	})
}

// FuzzHeaders: whatever stands in the headers that choose a part or a kind of an answer, it is no failure, no longer than the whole, and no other kind.
func FuzzHeaders(f *testing.F) {
	targets := []string{"/v1/files/cube.gcode", "/v1/thumbnails/cube.gcode", "/v1/timelapses/ready/video", "/v1/pictures/01jd8q0000", "/assets/app-1234.js", "/v1/state", "/v1/temperatures", "/v1/live", "/webcam/?action=snapshot"}
	f.Add(byte(0), "bytes=4-5", `"x"`, "gzip", "http://example.com")
	f.Add(byte(2), "bytes=0-0,-1,1-,9223372036854775807-", "Thu, 01 Jan 1970 00:00:00 GMT", "gzip;q=0", "null")
	f.Add(byte(4), "bytes="+strings.Repeat("0-,", 500), "*", "identity", "http://")
	r := newRig(f)
	kinds := map[string]string{}
	for _, target := range targets {
		kinds[target] = r.do("GET", target, "operator", nil).Header().Get("Content-Type")
	}
	f.Fuzz(func(t *testing.T, which byte, ranges, match, accept, origin string) {
		target := targets[int(which)%len(targets)]
		w := r.do("GET", target, "operator", nil, func(q *http.Request) {
			for name, value := range map[string]string{"Range": ranges, "If-Range": match, "If-Match": match, "If-None-Match": match, "If-Modified-Since": match, "If-Unmodified-Since": match,
				"Accept-Encoding": accept, "Origin": origin, "Upgrade": accept, "Connection": "Upgrade", "Sec-Websocket-Key": match, "Sec-Websocket-Version": "13", "Sec-Websocket-Extensions": ranges} {
				q.Header[name] = []string{value}
			}
		})
		if w.Code >= 500 && w.Code != 503 { // 503: there is no picture
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != kinds[target] && w.Code < 300 && !strings.HasPrefix(got, "multipart/byteranges; boundary=") {
			t.Errorf("%s: got the type %q, want %q", target, got, kinds[target])
		}
		if w.Body.Len() > 20_000 { // the longest is 5,500
			t.Errorf("%s: got %d bytes", target, w.Body.Len())
		}
	})
}

// FuzzOrigin: of what browsers send as their page's origin, only our own opens a websocket.
func FuzzOrigin(f *testing.F) {
	f.Add("http://printer:8080", "printer:8080")
	f.Add("https://printer.evil.example", "printer")
	f.Add("http://printer@evil.example", "printer")
	f.Add("null", "")
	f.Add("//printer", "printer")
	asBrowsersDo := regexp.MustCompile(`^[a-z][a-z0-9+.-]*://([^/?#@\\\x00-\x20\x7f]+)$`) // RFC 6454: a scheme, a host, a port
	f.Fuzz(func(t *testing.T, origin, host string) {
		q := httptest.NewRequest("GET", "/v1/live", nil)
		q.Host = host
		q.Header["Origin"] = []string{origin}
		parts := asBrowsersDo.FindStringSubmatch(origin)
		if sameOrigin(q) && (parts == nil || !strings.EqualFold(parts[1], host)) {
			t.Errorf("%q may act at %q", origin, host)
		}
	})
}
