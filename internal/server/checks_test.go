package server

import (
	"strings"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

// What a file says of the machine that it is for, and what it asks of the link, against a printer of 0.4 mm. "" is no warning.
func TestOtherMachine(t *testing.T) {
	for name, c := range map[string]struct {
		survey  gcode.Survey
		dialect string
		want    string
	}{
		"the same nozzle":          {gcode.Survey{Contents: gcode.Contents{NozzleMM: []float64{0.4}}}, "marlin", ""},
		"another nozzle":           {gcode.Survey{Contents: gcode.Contents{NozzleMM: []float64{0.6}}, Checks: gcode.Checks{NozzleLine: 12}}, "marlin", "sliced for a nozzle of 0.6 mm (line 12), and this printer's profile says 0.4 mm"},
		"of a tool that is unused": {gcode.Survey{Contents: gcode.Contents{NozzleMM: []float64{0.4, 0.6}, Tools: []int{0}}}, "marlin", ""},
		"of a tool that is used":   {gcode.Survey{Contents: gcode.Contents{NozzleMM: []float64{0.4, 0.6}, Tools: []int{1}}}, "marlin", "0.6 mm"},
		"marlin2 on Marlin":        {gcode.Survey{Contents: gcode.Contents{Flavour: "marlin2"}}, "marlin", ""},
		"marlin on Klipper":        {gcode.Survey{Contents: gcode.Contents{Flavour: "marlin"}}, "klipper", ""},
		"marlin on RepRapFirmware": {gcode.Survey{Contents: gcode.Contents{Flavour: "marlin"}, Checks: gcode.Checks{FlavourLine: 7}}, "reprapfirmware", `the firmware "marlin" (line 7), and this printer runs RepRapFirmware`},
		"Klipper on Marlin":        {gcode.Survey{Contents: gcode.Contents{Flavour: "klipper"}, Checks: gcode.Checks{FlavourLine: 9}}, "marlin", `"klipper" (line 9), and this printer runs Marlin`},
		"a mill":                   {gcode.Survey{Contents: gcode.Contents{Flavour: "mach3"}}, "prusa", "this printer runs Prusa's firmware"},
		"reprap may be anything":   {gcode.Survey{Contents: gcode.Contents{Flavour: "reprap"}}, "repetier", ""},
		"nobody knows the printer": {gcode.Survey{Contents: gcode.Contents{Flavour: "klipper", Words: []gcode.Word{{Word: "START_PRINT"}}}}, "unknown", ""},
		"macros on Marlin":         {gcode.Survey{Contents: gcode.Contents{Words: []gcode.Word{{Word: "G28", Line: 1}, {Word: "START_PRINT", Line: 3}}}}, "marlin", "Marlin does not know START_PRINT (line 3), and skips that."},
		"macros on Klipper":        {gcode.Survey{Contents: gcode.Contents{Words: []gcode.Word{{Word: "START_PRINT", Line: 3}, {Word: "M9999"}}}}, "klipper", ""},
		"macros on Repetier":       {gcode.Survey{Contents: gcode.Contents{Words: []gcode.Word{{Word: "M9999"}, {Word: "_A", Line: 3}}}}, "repetier", "Repetier does not know _A (line 3)"},
		"many":                     {gcode.Survey{Contents: gcode.Contents{Words: []gcode.Word{{Word: "A_B"}, {Word: "A_C"}, {Word: "A_D"}, {Word: "M9999", Line: 4}, {Word: "A_E"}, {Word: "A_F"}}}}, "marlin", "M9999 (line 4) and 2 more, and skips"},
		"marks and an end":         {gcode.Survey{Contents: gcode.Contents{Words: []gcode.Word{{Word: "EXCLUDE_OBJECT_START"}, {Word: "M2"}, {Word: "M486"}}}}, "marlin", ""},
		"pushed cold":              {gcode.Survey{Checks: gcode.Checks{ColdLine: 5, ColdC: 160}}, "marlin", "Line 5 pushes filament with the nozzle set to 160 °C, and below 170 °C"},
		"cut off":                  {gcode.Survey{Checks: gcode.Checks{CutLine: 500}}, "marlin", "It ends in line 500 while"},
		"outside":                  {gcode.Survey{Extent: extent(-9, 0, 0, 221, 220, 250), Checks: gcode.Checks{ExtentLines: &gcode.BoxLines{Min: [3]int64{31}, Max: [3]int64{44}}}}, "", "Line 44 prints at X 221.0 mm, outside"},
	} {
		snap := &printer.Snapshot{Profile: printer.Presets()[0], Connection: printer.Connection{Dialect: c.dialect}}
		c.survey.Extrudes = 1
		warnings, err := checkFile(&c.survey, snap, false)
		got := strings.Join(warnings, " ")
		if err != nil || (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestDensityChecks(t *testing.T) {
	dense := gcode.Survey{Contents: gcode.Contents{Wire: gcode.Wire{Stretches: []gcode.Stretch{{LinesS: 200, LongestS: 60, Line: 10}, {LinesS: 400, LongestS: 4, Line: 77}, {LinesS: 750, LongestS: 0.5, Line: 80}}}}}
	for name, c := range map[string]struct {
		baud             int
		carried, percent float64
		want             string
	}{
		"slow":             {115200, 0, 3, "From about line 77 on it asks for more than 400 lines a second for 4 s, and 115200 baud carry 300."},
		"fast":             {250000, 0, 3, ""},
		"its own USB":      {115200, 0, -1, ""},
		"nothing is known": {0, 0, 0, ""},
		"it was too slow":  {115200, 180, 3, "From about line 10 on it asks for more than 200 lines a second for 60 s, and this link has carried 180."},
	} {
		snap := &printer.Snapshot{Connection: printer.Connection{Baud: c.baud}, Health: printer.Health{CarriedLinesPerS: c.carried, WirePercent: c.percent}}
		if got := strings.Join(tooDense(&dense, snap), " "); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestHeatedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		targetC float64
		script  string
		want    bool
	}{
		"cold":              {0, "", false},
		"by a person":       {200, "", true},
		"not quite":         {120, "", false},
		"by the script":     {0, "G28 ; home\nM109 S210\n", true},
		"by a name":         {0, "M104 S{nozzle_c}", true},
		"only the bed":      {0, "M190 S60", false},
		"it is off":         {0, "M104 S0", false},
		"in a comment only": {0, "; M104 S200", false},
		"by a macro":        {0, "SAVE_GCODE_STATE\nSTART_PRINT BED=60", true},
		"Klipper's own":     {0, "SET_HEATER_TEMPERATURE HEATER=extruder TARGET={nozzle_c}", true},
		"no macro heats":    {0, "SET_FAN_SPEED FAN=x SPEED=1", false},
		"and off again":     {0, "M104 S200\nM104 S0", false},
		"a probe's warmth":  {0, "M109 S150", false},
	} {
		snap := &printer.Snapshot{Profile: printer.Presets()[0], Nozzles: []printer.Heater{{TargetC: c.targetC}}}
		if got := heatedBefore(snap, printer.Scripts{printer.OnStarted: c.script}); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Every one of the new doubts may be overridden, all at once; a nozzle that is hot already needs no heating by the file.
func TestStartWithDoubts(t *testing.T) {
	r := newRig(t)
	set := func(s gcode.Survey) { r.files.mu.Lock(); r.files.surveys["cube.gcode"] = s; r.files.mu.Unlock() }
	unheated := gcode.Survey{Commands: 9, Extrudes: 1, Checks: gcode.Checks{ColdLine: 3}}
	doubtful := unheated
	doubtful.NozzleMM, doubtful.NozzleLine, doubtful.CutLine, doubtful.VolumetricLine = []float64{0.8}, 2, 9, 1
	cold := func(targetC float64) {
		r.printer.change(func(s *printer.Snapshot) { s.Nozzles = []printer.Heater{{ActualC: targetC, TargetC: targetC}} })
	}
	cold(0)
	set(doubtful)
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode"}`); code != 409 || a.Error.Code != "warning" || len(a.Error.Warnings) != 4 {
		t.Errorf("got %d %+v, want four warnings", code, a.Error)
	}
	set(unheated)
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode"}`); code != 409 || len(a.Error.Warnings) != 1 || !strings.HasPrefix(a.Error.Warnings[0], "Line 3 pushes filament, and nothing before it heats") {
		t.Errorf("unheated: got %d %+v", code, a.Error)
	}
	cold(200)
	set(doubtful)
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode"}`); code != 409 || len(a.Error.Warnings) != 3 {
		t.Errorf("hot already: got %d %+v, want three warnings", code, a.Error)
	}
	cold(0)
	code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`)
	if code != 200 || r.files.rows[a.Job].File != "cube.gcode" {
		t.Errorf("anyway: got %d %+v, want it started", code, a)
	}
	if kept := r.printer.started.Survey.ColdLine; kept != 3 {
		t.Errorf("the printer was given a survey with cold line %d, want 3", kept)
	}
}
