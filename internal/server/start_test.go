package server

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/store"
	"layerd/printer"
)

func mustIdentify(t *testing.T, r *rig, role string) access.Identity {
	t.Helper()
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	me, ok := r.gate.keys[role]
	if !ok {
		t.Fatalf("no key of %s", role)
	}
	return me
}

func extent(b ...float64) *gcode.Box {
	return &gcode.Box{Min: [3]float64(b[:3]), Max: [3]float64(b[3:])}
}

func TestFileChecks(t *testing.T) {
	profile := printer.Presets()[0] // 220 × 220 × 250, 260 °C, 110 °C
	for name, c := range map[string]struct {
		change  func(*gcode.Survey)
		profile func(*printer.Profile)
		dialect string
		code    string
		words   []string // of the refusal or the warnings
	}{
		"a good file":        {},
		"limits are allowed": {change: func(s *gcode.Survey) { s.MaxNozzleC, s.MaxBedC = 260, 110 }},
		"nozzle too hot":     {change: func(s *gcode.Survey) { s.MaxNozzleC, s.MaxNozzleLine = 261, 17 }, code: "too_hot", words: []string{"Line 17", "nozzle", "261", "260"}},
		"bed too hot":        {change: func(s *gcode.Survey) { s.MaxBedC, s.MaxBedLine = 115.5, 4 }, code: "too_hot", words: []string{"Line 4", "bed", "115.5", "110"}},
		"long line":          {change: func(s *gcode.Survey) { s.LongestCommand, s.LongestLine = 131, 1234 }, dialect: "marlin", code: "line_too_long", words: []string{"Line 1234 is 131 bytes long after shortening; this printer's firmware takes 81."}},
		"not quite long":     {change: func(s *gcode.Survey) { s.LongestCommand = 81 }, dialect: "marlin"},
		"long for nobody":    {change: func(s *gcode.Survey) { s.LongestCommand = 82 }, dialect: "unknown", code: "line_too_long"},
		"long for klipper":   {change: func(s *gcode.Survey) { s.LongestCommand = 2000 }, dialect: "klipper"},
		"long for reprap":    {change: func(s *gcode.Survey) { s.LongestCommand = 186 }, dialect: "reprapfirmware"},
		"pushes nothing":     {change: func(s *gcode.Survey) { s.Extrudes = 0 }, code: "warning", words: []string{"no filament"}},
		"odd lines":          {change: func(s *gcode.Survey) { s.Odd, s.FirstOdd = 3, 12 }, code: "warning", words: []string{"3 lines", "line 12"}},
		"no heated bed":      {change: func(s *gcode.Survey) { s.MaxBedC = 60 }, profile: func(p *printer.Profile) { p.HeatedBed = false }, code: "warning", words: []string{"no heated bed"}},
		"too wide":           {change: func(s *gcode.Survey) { s.Extent = extent(0, 0, 0, 221, 220, 250) }, code: "warning", words: []string{"X 221.0"}},
		"too high and low":   {change: func(s *gcode.Survey) { s.Extent = extent(0, -9, 0, 1, 1, 260) }, code: "warning", words: []string{"Y -9.0", "Z 260.0"}},
		"priming line":       {change: func(s *gcode.Survey) { s.Extent = extent(0, -3, 0.2, 220, 220, 250) }},
		"around the centre":  {change: func(s *gcode.Survey) { s.Extent = extent(-100, -100, 0, 100, 100, 10) }, profile: func(p *printer.Profile) { p.Origin = "center" }},
		"off the centre":     {change: func(s *gcode.Survey) { s.Extent = extent(-100, -100, 0, 115, 100, 10) }, profile: func(p *printer.Profile) { p.Origin = "center" }, code: "warning", words: []string{"X 115.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			survey := gcode.Survey{Commands: 5, Extrudes: 1}
			snap := &printer.Snapshot{Profile: profile, Connection: printer.Connection{Dialect: c.dialect}}
			if c.change != nil {
				c.change(&survey)
			}
			if c.profile != nil {
				c.profile(&snap.Profile)
			}
			warnings, err := checkFile(&survey, snap, false)
			if err == nil && len(warnings) > 0 {
				err = &refusal{code: "warning", warnings: warnings}
			}
			var got Error
			if err != nil {
				got, _ = explain(err)
			}
			if got.Code != c.code {
				t.Fatalf("got %+v, want code %q", got, c.code)
			}
			text := got.Message + strings.Join(got.Warnings, " ")
			for _, word := range c.words {
				if !strings.Contains(text, word) {
					t.Errorf("got %q, want %q in it", text, word)
				}
			}
		})
	}
}

func TestAnywayOverridesWarningsOnly(t *testing.T) {
	r := newRig(t)
	set := func(s gcode.Survey) { r.files.mu.Lock(); r.files.surveys["cube.gcode"] = s; r.files.mu.Unlock() }
	set(gcode.Survey{Commands: 1, MaxNozzleC: 500, MaxNozzleLine: 2})
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode","anyway":true}`); code != 422 || a.Error.Code != "too_hot" {
		t.Errorf("too hot, anyway: got %d %+v, want too_hot", code, a.Error)
	}
	set(gcode.Survey{Commands: 1})
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`); code != 409 || a.Error.Code != "warning" || len(a.Error.Warnings) != 1 {
		t.Errorf("a warning: got %d %+v", code, a.Error)
	}
	if len(r.files.rows) != 0 {
		t.Errorf("refused starts are in the history: %v", r.files.rows)
	}
	code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode","anyway":true}`)
	if row := r.files.rows[a.Job]; code != 200 || row.File != "cube.gcode" || row.By != "the owner" || row.SHA256 == "" || row.Outcome != "" {
		t.Errorf("a warning, anyway: got %d %+v and row %+v, want it started", code, a, row)
	}
}

// The owner may start a file beyond the temperature limits, for that one print; nobody else may, and warnings still count.
func TestOverLimits(t *testing.T) {
	r := newRig(t)
	set := func(s gcode.Survey) { r.files.mu.Lock(); r.files.surveys["cube.gcode"] = s; r.files.mu.Unlock() }
	hot := gcode.Survey{Commands: 1, Extrudes: 1, MaxNozzleC: 300, MaxNozzleLine: 12, MaxChamberC: 80, MaxChamberLine: 13}
	set(hot)
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","over_limits":true}`); code != 403 || a.Error.Code != "role_too_low" {
		t.Errorf("an operator: got %d %+v", code, a.Error)
	}
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`); code != 422 || !strings.Contains(a.Error.Message, "Line 12 heats the nozzle to 300 °C") {
		t.Errorf("without it: got %d %+v", code, a.Error)
	}
	hot.Extrudes = 0
	set(hot)
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode","over_limits":true}`); code != 409 || a.Error.Code != "warning" {
		t.Errorf("a warning besides: got %d %+v", code, a.Error)
	}
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode","over_limits":true,"anyway":true}`); code != 200 || !r.printer.started.OverLimits {
		t.Errorf("both allowed: got %d %+v, job %+v", code, a.Error, r.printer.started)
	}
	hot = gcode.Survey{Commands: 1, Extrudes: 1, MaxChamberC: 80, MaxChamberLine: 13}
	if _, err := checkFile(&hot, &printer.Snapshot{Profile: printer.Presets()[0]}, false); err == nil || !strings.Contains(err.Error(), "Line 13 heats the chamber") {
		t.Errorf("the chamber: got %v", err)
	}
}

// What a careful person would ask of the printer and the Pi is asked before a start.
func TestMachineWarnings(t *testing.T) {
	for _, c := range []struct {
		elsewhere bool
		free      int64
		want      string
	}{{false, 1e9, ""}, {false, -1, ""}, {true, 1e9, "heated already"}, {false, 12_000_000, "Only 12 MB"}} {
		snap := &printer.Snapshot{Keeper: printer.Keeper{Elsewhere: c.elsewhere}}
		got := strings.Join(checkMachine(snap, c.free), " ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestStartNeedsAnIdlePrinter(t *testing.T) {
	for state := printer.Disconnected; state <= printer.Faulted; state++ {
		r := newRig(t)
		r.printer.change(func(s *printer.Snapshot) {
			s.State = state
			if state == printer.Faulted {
				s.Fault = &printer.Fault{Code: printer.FaultSilent, Message: "It says nothing.", Next: "Look."}
			}
		})
		want := map[printer.State]string{printer.Idle: "", printer.Disconnected: "not_connected", printer.Connecting: "not_connected", printer.Faulted: "silent"}
		code, known := want[state]
		if !known {
			code = "wrong_state"
		}
		_, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`)
		got := ""
		if a.Error != nil {
			got = a.Error.Code
		}
		if got != code {
			t.Errorf("%s: got %q, want %q", state, got, code)
		}
	}
}

func TestStartThatFailsLeavesNothingOpen(t *testing.T) {
	r := newRig(t)
	r.printer.failWith(printer.ErrNotConnected)
	code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`)
	if code != 409 || a.Error.Code != "not_connected" || a.Job != "" {
		t.Fatalf("got %d %+v", code, a)
	}
	for _, row := range r.files.rows {
		if row.Outcome != "failed" {
			t.Errorf("got row %+v, want it ended", row)
		}
	}
	if len(r.files.rows) != 1 {
		t.Errorf("got %d rows, want 1", len(r.files.rows))
	}
	r.printer.failWith(nil)
	r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`)
	if _, err := r.printer.src.(*os.File).Stat(); err != nil {
		t.Errorf("the printer got a file that is closed: %v", err)
	}
	r.printer.src.Close()
}

// changingFiles is replaced by another file after it was opened.
type changingFiles struct{ *fakeFiles }

func (f changingFiles) Begin(ctx context.Context, p store.Print) error {
	f.add("cube.gcode", "G28\nG1 X2 E2 ; another\n")
	return f.fakeFiles.Begin(ctx, p)
}

func TestStartOfAFileThatChanges(t *testing.T) {
	r := newRig(t)
	r.cfg.History = changingFiles{r.files}
	if code, a := r.command(t, "owner", `{"do":"start","file":"cube.gcode"}`); code != 409 || a.Error.Code != "in_use" {
		t.Errorf("got %d %+v, want in_use", code, a.Error)
	}
	if got := r.printer.called(); len(got) != 0 {
		t.Errorf("the printer was asked %q", got)
	}
}

func TestJobIDs(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var ids []string
	last := ""
	for i := range 1000 {
		last = newJobID(now.Add(time.Duration(i%7)*time.Millisecond), last)
		ids = append(ids, last)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Error("IDs are not all different and in order")
	}
	for _, id := range ids {
		if len(id) != 10 {
			t.Fatalf("got %q, want ten characters", id)
		}
	}
	if later := newJobID(now.Add(time.Hour), ""); later <= ids[0] {
		t.Errorf("an hour later: got %q, want it after %q", later, ids[0])
	}
	if back := newJobID(now.Add(-time.Hour), last); back <= last {
		t.Errorf("with the clock set back: got %q, want it after %q", back, last)
	}
	if early, late := newJobID(time.Time{}, ""), newJobID(now.AddDate(60, 0, 0), ""); len(early) != 10 || len(late) != 10 || early >= late {
		t.Errorf("at the ends of time: got %q and %q", early, late)
	}
}
