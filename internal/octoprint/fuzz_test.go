package octoprint

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"layerd/internal/server"
)

// Wherever a form says that its file is to be, that is in the store.
func FuzzTarget(f *testing.F) {
	f.Add("x.gcode", "a", "")
	f.Add("..\\..\\x.gcode", "/a/../..", "")
	f.Add("x.gcode", "", "../y.gcode")
	f.Fuzz(func(t *testing.T, name, path, other string) {
		at, err := target(&server.Form{Fields: map[string]string{"path": path, "filename": other}}, name)
		if err == nil && (at == "" || at[0] == '/' || strings.Contains("/"+at+"/", "/../") || strings.ContainsAny(at, "\x00\\")) {
			t.Errorf("%q became %q", name, at)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"command":"jog","x":1,"absolute":true}`, `{"command":"target","targets":{"tool0":1e309}}`, `{"command":null}`, `[]`, `{"user":"a","pass":"b"}`, `{"a":{"b":[1]}}`, `{"command":"home","axes":"xyz"}`, "{\"command\":\"\xff\"}"} {
		f.Add("application/json", seed)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/api/job", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		command, in, err := readCommand(httptest.NewRecorder(), r, map[string][]string{"jog": {"x"}, "target": {"targets"}, "home": nil})
		var said *refusal
		switch {
		case err != nil && (!errors.As(err, &said) || said.status < 400 || said.status >= 500):
			t.Errorf("got %v", err)
		case err == nil && command != "jog" && command != "target" && command != "home":
			t.Errorf("got the command %q", command)
		case err == nil && command == "jog" && !in.has("x"):
			t.Error("got a jog without x")
		}
		for key := range in {
			if v, err := in.number(key); err == nil && v != v {
				t.Errorf("%s is no number", key)
			}
			in.text(key)
			in.is(key)
		}
	})
}
