package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"layerd/printer"
)

const someSettings = "echo:; Steps per unit:\necho: M92 X80.00 Y80.00 Z400.00 E93.00\necho:; Z-Probe Offset:\necho:  M851 X-40.00 Y-10.00 Z-1.25 ; (mm)\necho:  M420 S0 Z0.00"

// marlin makes the fake printer one, with what it answers.
func (r *rig) marlin(answers map[string]string) {
	r.printer.change(func(s *printer.Snapshot) {
		s.Connection = printer.Connection{Dialect: "marlin", Firmware: "Marlin 2.1", Machine: "Ender-3"}
	})
	r.printer.answering(answers)
}

func TestTuneCommandsAreChecked(t *testing.T) {
	r := newRig(t)
	for text, want := range map[string]string{
		`{"do":"babystep"}`: "bad_command", `{"do":"babystep","by_mm":0}`: "bad_command", `{"do":"set_advance"}`: "bad_command", `{"do":"set_acceleration"}`: "bad_command",
		`{"do":"change_setting"}`: "bad_setting", `{"do":"change_setting","line":"G28"}`: "bad_setting", `{"do":"change_setting","line":"M92 X80\nG28"}`: "bad_setting",
		`{"do":"restore_settings"}`: "no_copy", `{"do":"restore_settings","copy":9}`: "no_copy",
	} {
		if _, a := r.command(t, "owner", text); a.Error == nil || a.Error.Code != want {
			t.Errorf("%s: got %+v, want %s", text, a.Error, want)
		}
	}
	for _, do := range []string{"save_babystep", "change_setting", "save_settings", "restore_settings"} {
		if code, a := r.command(t, "operator", `{"do":"`+do+`","line":"M92 X80"}`); code != http.StatusForbidden || a.Error.Code != "role_too_low" {
			t.Errorf("%s as an operator: %d, %+v", do, code, a.Error)
		}
	}
	if calls := r.printer.called(); len(calls) > 0 {
		t.Errorf("the printer was asked %q", calls)
	}
}

func TestEEPROMIsRead(t *testing.T) {
	r := newRig(t)
	r.marlin(map[string]string{"M503": someSettings})
	if w := r.do("GET", "/v1/eeprom", "operator", nil); w.Code != http.StatusForbidden {
		t.Errorf("an operator got %d", w.Code)
	}
	w := r.do("GET", "/v1/eeprom", "owner", nil)
	var got EEPROM
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	var lines []string
	for _, l := range got.Settings {
		lines = append(lines, fmt.Sprintf("%s|%s|%v|%v", l.Text, l.Name, l.Words, l.Changeable))
	}
	want := []string{"M92 X80.00 Y80.00 Z400.00 E93.00|Steps per mm|[{X 80} {Y 80} {Z 400} {E 93}]|true",
		"M851 X-40.00 Y-10.00 Z-1.25|Probe offset from the nozzle (mm)|[{X -40} {Y -10} {Z -1.25}]|true", "M420 S0 Z0.00|Bed leveling|[{S 0} {Z 0}]|false"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
	for said, code := range map[string]string{`echo:Unknown command: "M503"`: "refused", "": "refused", "Settings are in config.g": "refused"} {
		r.printer.answering(map[string]string{"M503": said})
		if w := r.do("GET", "/v1/eeprom", "owner", nil); errorCode(t, w.Body.Bytes()) != code {
			t.Errorf("%q: got %s", said, w.Body)
		}
	}
	for dialect, file := range map[string]string{"klipper": "printer.cfg", "reprapfirmware": "config.g"} {
		r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = dialect })
		if w := r.do("GET", "/v1/eeprom", "owner", nil); errorCode(t, w.Body.Bytes()) != "refused" || !strings.Contains(w.Body.String(), file) {
			t.Errorf("%s: %s", dialect, w.Body)
		}
	}
	r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = "prusa" })
	r.printer.failWith(fmt.Errorf("%w: the printer is printing", printer.ErrWrongState))
	if w := r.do("GET", "/v1/eeprom", "owner", nil); w.Code != http.StatusConflict || errorCode(t, w.Body.Bytes()) != "wrong_state" {
		t.Errorf("in mid-print: %d %s", w.Code, w.Body)
	}
}

// Before anything is changed or saved a copy is kept; without one nothing is sent.
func TestSettingsAreChangedSavedAndRestored(t *testing.T) {
	r := newRig(t)
	r.files.copies = nil
	r.marlin(map[string]string{"M503": someSettings})
	for _, text := range []string{`{"do":"change_setting","line":"m92 e95"}`, `{"do":"save_settings"}`, `{"do":"restore_settings","copy":1}`} {
		if code, a := r.command(t, "owner", text); code != 200 {
			t.Fatalf("%s: %d %+v", text, code, a.Error)
		}
	}
	want := []string{"idle M503", "idle M92 E95", "idle M503", "idle M500", "idle M503",
		"idle M92 X80.00 Y80.00 Z400.00 E93.00", "idle M851 X-40.00 Y-10.00 Z-1.25", "idle M500"}
	if got := r.printer.called(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	w := r.do("GET", "/v1/eeprom/copies", "owner", nil)
	var list CopyList
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Copies) != 3 || list.Copies[2].Why != "before M92 E95" || list.Copies[2].Firmware != "Marlin 2.1" {
		t.Fatalf("got %s", w.Body)
	}
	w = r.do("GET", "/v1/eeprom/copies/1", "owner", nil)
	if body := w.Body.String(); w.Code != 200 || !strings.HasSuffix(body, someSettings+"\n") || !strings.Contains(body, "Ender-3 Marlin 2.1") || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("got %d %s %q", w.Code, body, w.Header())
	}
	if w := r.do("DELETE", "/v1/eeprom/copies/1", "owner", nil); w.Code != http.StatusNoContent {
		t.Errorf("delete: %d", w.Code)
	}
	for _, path := range []string{"1", "-1", "x", "../1", "99999999999999999999"} {
		if w := r.do("GET", "/v1/eeprom/copies/"+path, "owner", nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
	if w := r.do("GET", "/v1/eeprom/copies", "operator", nil); w.Code != http.StatusForbidden {
		t.Errorf("an operator got %d", w.Code)
	}
}

func TestSettingThatThePrinterRefuses(t *testing.T) {
	r := newRig(t)
	r.marlin(map[string]string{"M503": someSettings, "M851 Z-25": "?Z out of range (-20 to 20)", "M666 X1": `echo:Unknown command: "M666 X1"`})
	for _, line := range []string{"M851 Z-25", "M666 X1"} {
		if _, a := r.command(t, "owner", `{"do":"change_setting","line":"`+line+`"}`); a.Error == nil || a.Error.Code != "refused" || !strings.Contains(a.Error.Message, line) {
			t.Errorf("%s: got %+v", line, a.Error)
		}
	}
	r.printer.answering(nil) // it tells nothing, so no copy can be kept
	if _, a := r.command(t, "owner", `{"do":"change_setting","line":"M92 X81"}`); a.Error == nil || a.Error.Code != "refused" {
		t.Errorf("without a copy: %+v", a.Error)
	}
	if calls := r.printer.called(); slices.Contains(calls, "idle M92 X81") {
		t.Errorf("without a copy it was sent: %q", calls)
	}
}

const someMesh = "Bilinear Leveling Grid:\n      0      1\n 0 +0.040 =====\n 1 +0.100 -0.200\n"

func getMesh(t *testing.T, body []byte) (a MeshAnswer) {
	t.Helper()
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return a
}

func TestMeshIsReadAndKept(t *testing.T) {
	r := newRig(t)
	r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = "" })
	if w := r.do("GET", "/v1/mesh", "viewer", nil); w.Code != 200 || getMesh(t, w.Body.Bytes()) != (MeshAnswer{}) {
		t.Errorf("before: %d %s", w.Code, w.Body)
	}
	if w := r.do("POST", "/v1/mesh", "operator", nil); errorCode(t, w.Body.Bytes()) != "not_connected" {
		t.Errorf("not connected: %s", w.Body)
	}
	r.marlin(map[string]string{"M420 V": someMesh})
	if w := r.do("POST", "/v1/mesh", "viewer", nil); w.Code != http.StatusForbidden {
		t.Errorf("a viewer got %d", w.Code)
	}
	w := r.do("POST", "/v1/mesh", "operator", nil)
	read := getMesh(t, w.Body.Bytes())
	m := read.Mesh
	if w.Code != 200 || m == nil || m.Form != "bilinear" || len(m.Rows) != 2 || *m.Rows[0][0] != 0.04 || m.Rows[0][1] != nil || *m.Rows[1][1] != -0.2 ||
		m.LowMM != -0.2 || m.HighMM != 0.1 || m.MeanMM != -0.02 || m.AtMS == 0 || !read.CanProbe {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	calls := len(r.printer.called())
	w = r.do("GET", "/v1/mesh", "viewer", nil)
	if kept := getMesh(t, w.Body.Bytes()); kept.Mesh == nil || kept.Mesh.AtMS != m.AtMS || len(r.printer.called()) != calls {
		t.Errorf("kept: %s, calls %q", w.Body, r.printer.called())
	}
	r.printer.answering(map[string]string{"M420 V": "echo:Invalid mesh."})
	if w := r.do("POST", "/v1/mesh", "operator", nil); errorCode(t, w.Body.Bytes()) != "no_mesh" || !strings.Contains(w.Body.String(), "Invalid mesh") {
		t.Errorf("without a mesh: %s", w.Body)
	}
	r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = "repetier" })
	if w := r.do("POST", "/v1/mesh", "operator", nil); errorCode(t, w.Body.Bytes()) != "refused" {
		t.Errorf("repetier: %s", w.Body)
	}
}

// Each firmware is measured in its own way, and only when it is idle and homed.
func TestMeshIsMeasured(t *testing.T) {
	ubl := "Bed Topography Report:\n 1 | +0.1 +0.2\n 0 | +0.3 +0.4\nMesh is valid"
	for _, c := range []struct {
		dialect string
		answers map[string]string
		want    []string
		code    string // "" = it works
	}{
		{"marlin", map[string]string{"M420 V": someMesh, "G29": someMesh}, []string{"query M420 V", "homed G29", "query M420 V"}, ""},
		{"marlin", map[string]string{"M420 V": ubl}, []string{"query M420 V", "homed G29 P1", "homed G29 P3", "query M420 V"}, ""},
		{"marlin", map[string]string{"M420 V": "Measured points:\n 0 1\n 0 +0.1 +0.2\n 1 +0.3 +0.4"}, []string{"query M420 V"}, "refused"},
		{"marlin", map[string]string{"M420 V": "echo:Invalid mesh.", "G29": "echo:Home XYZ First"}, []string{"query M420 V", "homed G29"}, "refused"},
		{"marlin", map[string]string{"M420 V": "echo:Invalid mesh.", "G29": "done"}, []string{"query M420 V", "homed G29", "query M420 V"}, "no_mesh"},
		{"prusa", map[string]string{"G81": "Num X,Y: 2,2\nMeasured points:\n 0.1 0.2\n 0.3 0.4"}, []string{"query G81", "homed G80", "query G81"}, ""},
		{"prusa", map[string]string{"G81": `echo:Unknown command: "G81"`, "M420 V": ubl}, []string{"query G81", "query M420 V", "homed G29 P1", "homed G29 P3", "query G81", "query M420 V"}, ""},
		{"repetier", nil, nil, "refused"},
	} {
		r := newRig(t)
		r.marlin(c.answers)
		r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = c.dialect })
		w := r.do("POST", "/v1/mesh/probe", "operator", nil)
		code := ""
		if w.Code != 200 {
			code = errorCode(t, w.Body.Bytes())
		}
		if got := r.printer.called(); code != c.code || !slices.Equal(got, c.want) {
			t.Errorf("%s %q: got %q and %q, want %q and %q", c.dialect, c.answers, code, got, c.code, c.want)
		}
	}
	r := newRig(t)
	r.marlin(map[string]string{"M420 V": someMesh})
	r.printer.failWith(errors.Join(printer.ErrNotHomed))
	if w := r.do("POST", "/v1/mesh/probe", "operator", nil); errorCode(t, w.Body.Bytes()) != "not_homed" {
		t.Errorf("not homed: %s", w.Body)
	}
}

// While one asks, others are told so, and the page that shows the last mesh is not held up.
func TestOneAsksAtATime(t *testing.T) {
	r := newRig(t)
	r.marlin(map[string]string{"M420 V": someMesh, "M503": someSettings})
	release := r.printer.holdUp("query")
	done := make(chan int)
	go func() { done <- r.do("POST", "/v1/mesh", "operator", nil).Code }()
	for len(r.asking) == 0 {
		runtime.Gosched()
	}
	if w := r.do("GET", "/v1/mesh", "viewer", nil); !getMesh(t, w.Body.Bytes()).Busy {
		t.Errorf("got %s", w.Body)
	}
	if w := r.do("GET", "/v1/eeprom", "owner", nil); errorCode(t, w.Body.Bytes()) != "crowded" {
		t.Errorf("got %s", w.Body)
	}
	release()
	if code := <-done; code != 200 {
		t.Errorf("got %d", code)
	}
}
