package server

import (
	"encoding/json"
	"mime"
	"net/http/httptest"
	"os"
	"path/filepath"
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
