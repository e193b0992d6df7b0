package server

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"layerd/internal/guard"
	"layerd/printer"
)

func TestGuardCommands(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		role, text, code string
		status           int
	}{
		{"viewer", `{"do":"guard_setup","empty":true}`, "role_too_low", 403},
		{"operator", `{"do":"guard_setup"}`, "bad_command", 400},
		{"operator", `{"do":"guard_setup","empty":true}`, "", 200},
		{"operator", `{"do":"guard_drill"}`, "bad_command", 400},
		{"operator", `{"do":"guard_drill","axes":"x"}`, "bad_command", 400},
		{"operator", `{"do":"guard_drill","axes":"x","empty":true}`, "", 200},
		{"operator", `{"do":"guard_cancel"}`, "", 200},
		{"operator", `{"do":"guard_corners","corners":[[1,9],[9,9],[7,4],[3,4]]}`, "role_too_low", 403},
		{"owner", `{"do":"guard_corners","corners":[[1,9],[9,9],[7,4]]}`, "bad_command", 400},
		{"owner", `{"do":"guard_corners","corners":[[1,9],[1,9],[7,4],[3,4]]}`, "bad_corners", 422},
		{"owner", `{"do":"guard_corners","corners":[[1,9],[9,9],[7,4],[3,4]]}`, "", 200},
		{"operator", `{"do":"guard_seen","job":"r1"}`, "", 200},
		{"operator", `{"do":"false_alarm","job":"r1"}`, "", 200},
		{"operator", `{"do":"false_alarm","job":"other"}`, "no_alarm", 409},
		{"operator", `{"do":"set_guard","guard":{"mode":"tell","share_percent":1,"record_mb":500}}`, "role_too_low", 403},
		{"owner", `{"do":"set_guard"}`, "bad_command", 400},
		{"owner", `{"do":"set_guard","guard":{"mode":"resume","share_percent":1,"record_mb":500}}`, "bad_guard", 422},
		{"owner", `{"do":"set_guard","guard":{"mode":"tell","share_percent":0,"record_mb":500}}`, "bad_guard", 422},
		{"owner", `{"do":"set_guard","guard":{"mode":"tell","share_percent":2.5,"record_mb":1}}`, "bad_guard", 422},
		{"owner", `{"do":"set_guard","guard":{"mode":"tell","share_percent":2.5,"record_mb":500}}`, "", 200},
	} {
		status, a := r.command(t, c.role, c.text)
		code := ""
		if a.Error != nil {
			code = a.Error.Code
		}
		if status != c.status || code != c.code {
			t.Errorf("%s as %s: got %d %q, want %d %q", c.text, c.role, status, code, c.status, c.code)
		}
	}
	if want := []string{"set up", "drill x", "cancel", "corners [[1 9] [9 9] [7 4] [3 4]]", "seen r1", "false alarm r1"}; !reflect.DeepEqual(r.guard.done, want) {
		t.Errorf("the guard was told %q, want %q", r.guard.done, want)
	}
	if state, _ := r.guard.states.Get(); state.Settings.SharePercent != 2.5 {
		t.Errorf("its settings: %+v", state.Settings)
	}
	if kept := r.files.settings["guard"]; !reflect.DeepEqual(kept, guard.Settings{Mode: printer.WatchTell, SharePercent: 2.5, RecordMB: 500}) {
		t.Errorf("kept: %+v", kept)
	}
}

func TestEvidence(t *testing.T) {
	r := newRig(t)
	if w := r.do("GET", "/v1/alarms/r1", "viewer", nil); w.Code != 200 || !strings.Contains(w.Body.String(), `"id":7,`) || !strings.Contains(w.Body.String(), `"arrows":[]`) || !strings.Contains(w.Body.String(), "1.6 mm right") {
		t.Errorf("the alarms of a print: got %d %s", w.Code, w.Body)
	}
	if w := r.do("GET", "/v1/alarms/r2", "viewer", nil); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"alarms":[]}` {
		t.Errorf("a print without: got %d %s", w.Code, w.Body)
	}
	w := r.do("GET", "/v1/guard/7/before", "viewer", nil)
	if w.Code != 200 || w.Body.String() != "a picture" || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("a picture: got %d %q %v", w.Code, w.Body, w.Header())
	}
	if w := r.do("GET", "/v1/guard/bed", "viewer", nil); w.Code != 200 || w.Body.String() != "a bed" || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("the picture of the bed: got %d %q %v", w.Code, w.Body, w.Header())
	}
	tag := w.Header().Get("ETag")
	if w := r.do("GET", "/v1/guard/7/before", "viewer", nil, func(q *http.Request) { q.Header.Set("If-None-Match", tag) }); w.Code != 304 {
		t.Errorf("the same again: got %d", w.Code)
	}
	for path, code := range map[string]string{"7/after": "not_kept", "8/before": "not_kept", "7/between": "no_route", "7": "no_route", "x/before": "no_route", "../before": "no_route"} {
		if w := r.do("GET", "/v1/guard/"+path, "viewer", nil); w.Code != 404 || errorCode(t, w.Body.Bytes()) != code {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, w.Body, code)
		}
	}
	if w := r.do("GET", "/v1/guard/7/before", "", nil); w.Code != 401 {
		t.Errorf("without a key: got %d", w.Code)
	}
}

func TestAPrintIsWatched(t *testing.T) {
	r := newRig(t)
	status, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true,"watch":"nonsense"}`)
	if status != 422 || a.Error.Code != "bad_guard" {
		t.Errorf("nonsense: got %d %+v", status, a.Error)
	}
	r.guard.busy = true
	if status, a = r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`); status != 409 || a.Error.Code != "guard_busy" {
		t.Errorf("while the guard moves the head: got %d %+v", status, a.Error)
	}
	r.guard.busy = false
	status, a = r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true,"watch":"tell"}`)
	if status != 200 {
		t.Fatalf("got %d %+v", status, a.Error)
	}
	if r.guard.order.Job != a.Job || r.guard.order.Mode != printer.WatchTell || r.guard.order.Survey == nil {
		t.Errorf("the guard was asked %+v", r.guard.order)
	}
	file, err := r.guard.order.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if text, err := io.ReadAll(file); err != nil || len(text) == 0 {
		t.Errorf("the print's file: got %q, %v", text, err)
	}
	if got := r.printer.started.Watch; got.Mode != printer.WatchTell {
		t.Errorf("the printer was given %+v", got)
	}
}
