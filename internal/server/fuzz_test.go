package server

import (
	"encoding/json"
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
