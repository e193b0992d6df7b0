package printer

import (
	"errors"
	"fmt"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// What may stand in a script, by event: "" means that it may, else a part of why not.
func TestScriptRules(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	all := Events()
	heat, noMove := "heat", []Event{OnConnected, OnFailed}
	for _, c := range []struct {
		line string
		in   []Event
		want string
	}{
		{"M117 Layer", all, ""},
		{"m117 lower case", all, ""},
		{"M300 S440 P200", all, ""},
		{"M355 S1 P255", all, ""},
		{"M42 P5 S255", all, ""},
		{"M104 S0", []Event{OnConnected, OnStarted, OnPaused, OnCancelled, OnDone, OnFailed}, ""},
		{"M107", all, ""},

		{"M112", all, "emergency stop"},
		{"M997", all, "replaces the firmware"},
		{"M502", all, "throws the settings away"},
		{"M110 N5", all, "line count"},
		{"M999", all, "line count"},
		{"M303 E0 S200", all, "heats by itself"},
		{"M302 P1", all, "protection"},
		{"M575 P0 B9600", all, "speed of the connection"},
		{"M24", all, "card"},
		{"M600", all, "waits for a person"},
		{"M0 S5", all, "waits for a person"},
		{"M810", all, "macro"},
		{"M98 P\"x.g\"", all, "macro"},
		{"M876 S0", all, "answers for a person"},
		{"PRINT_END", all, "only G, M and T"},
		{"N5 M112*33", all, "only G, M and T"},
		{"@pause", all, "only G, M and T"},
		{"G4 S11", all, "10 s at most"},
		{"G4 P10001", all, "10 s at most"},
		{"M300 P60000", all, "10 s at most"},
		{"M42 P5 S255 I1", all, "heater's pin"},
		{"M118 A1 ACTION:cancel", all, "tell layerd"},
		{"G10 P0 S250 R200", all, "some firmware heats"},
		{"M568 P0 S250", all, "how hot a tool is"},
		{"G76", all, "heats by itself"},
		{"M306 T", all, "heats by itself"},
		{"G1 X200 F1", all, "for ever"},
		{"G1 E300", all, "200 mm of filament"},
		{"G92 X0", all, "set E only"},
		{"G92", all, "set E only"},
		{"M104 I1", all, "cannot tell how hot"},
		{"M140 I2", all, "cannot tell how hot"},
		{"M104 S0 S250", all, "a letter twice"},
		{"M104 S0 \"S250\"", all, "a letter twice"},
		{"M290 Z1", []Event{OnCancelled, OnDone}, "the print stands on the bed"},
		{"M104 S400", []Event{OnStarted, OnPaused}, "400"},
		{"M109 R400", []Event{OnStarted}, "400"},
		{"M190 S200", []Event{OnStarted}, "200"},
		{"M117 {nobody}", all, "no value {nobody}"},
		{"M117 {layer", all, "belong around"},
		{"M117 layer}", all, "belong around"},
		{"M117 {", all, "belong around"},
		{"M11{layer} no", all, "another number"},
		{"M {layer}", all, "part of the command"},
		{"{layer}", all, "part of the command"},
		{"T{tool}", all, "part of the command"},
		{"M104 S1{bed_c}", all, "another number"},
		{"M104 S{bed_c}0", all, "another number"},
		{"M104 S{bed_c}.5", all, "another number"},
		{"M104 S-{bed_c}", all, "another number"},
		{"M104 S{bed_c}{bed_c}", all, "another number"},
		{"G1 X{x_mm}E5", all, "another number"},
		{"M106 P1 S" + strings.Repeat("1", 120), []Event{OnStarted, OnPaused}, "bytes"},

		{"G1 X5", []Event{OnConnected}, "could move or heat"},
		{"G1 X5", []Event{OnFailed}, "after a fault only"},
		{"G28", noMove, "G28"},
		{"G28", []Event{OnPaused, OnResumed}, "Resume cannot bring back"},
		{"M104 S200", append(noMove, OnCancelled, OnDone), heat},
		{"M104 R200", append(noMove, OnCancelled, OnDone), heat},
		{"M104", append(noMove, OnCancelled, OnDone), heat},
		{"M190 S0", []Event{OnCancelled, OnDone}, "waits for heat"},
		{"M106 S255", []Event{OnFailed}, "fans off"},
		{"M106", []Event{OnFailed}, "fans off"},
		{"M84", []Event{OnConnected, OnFailed}, "M84"},
		{"M84", []Event{OnPaused, OnResumed}, "Resume cannot bring back"},
		{"T0", []Event{OnConnected, OnPaused, OnResumed, OnCancelled, OnDone, OnFailed}, "T0"},
		{"M220 S50", []Event{OnPaused, OnResumed}, "Resume cannot bring back"},
		{"M220 S50", []Event{OnFailed}, "after a fault only"},
		{"M104 S0", []Event{OnResumed}, "brought the temperatures"},
		{"G28 Z", []Event{OnCancelled, OnDone}, "X and Y only"},
		{"G28 X Z", []Event{OnCancelled, OnDone}, "X and Y only"},
		{"G29", []Event{OnCancelled, OnDone}, "stands on the bed"},
		{"M125", []Event{OnDone}, "waits"},
		{"M206 X5", []Event{OnCancelled}, "stands on the bed"},
	} {
		for _, e := range c.in {
			_, problems := s.checkScripts(Scripts{e: "; first\n" + c.line})
			switch {
			case c.want != "" && (len(problems) == 0 || !strings.Contains(problems[0].Message, c.want) || problems[0].Line != 2 || problems[0].In != string(e)):
				t.Errorf("%s in %s: got %v, want %q in line 2", c.line, e, problems, c.want)
			case c.want == "" && len(problems) > 0:
				t.Errorf("%s in %s: got %v, want it to be kept", c.line, e, problems)
			}
		}
	}
	for e, text := range map[Event]string{
		OnConnected: "M117 Hi\nG21\nM155 S1\nM106 S100\nM420 S1\nM851 Z-1.2",
		OnStarted:   "M140 S60\nG28\nG29\nM109 S{nozzle_c}\nG1 X5 E3 F300\nT0\nG92 E0\nM220 S100\nM84",
		OnPaused:    "G91\nG1 Z2 E-1\nM106 S0\nM104 S150\nM140 S40\nM240\nM400",
		OnResumed:   "G1 E5 F300\nG4 S10\nM106 S255",
		OnCancelled: "G28 X Y\nG1 Y200\nG27\nM84\nM81\nM240",
		OnDone:      "G91\nG1 E-2\nG10\nG92 E0\nM18 X\nM107",
		OnFailed:    "M117 {percent}\nM104 S0\nM106 S0\nM150 R255",
	} {
		if _, problems := s.checkScripts(Scripts{e: text}); len(problems) > 0 {
			t.Errorf("%s: got %v, want all of it to be kept", e, problems)
		}
	}
}

func TestScriptsAreBounded(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	for _, c := range []struct {
		scripts Scripts
		line    int
		want    string
	}{
		{Scripts{OnStarted: strings.Repeat("M105\n;\n", 51)}, 101, "at most 50"},
		{Scripts{OnStarted: strings.Repeat("; \n", 5000)}, 0, "longer than"},
		{Scripts{OnStarted: "M117 \x01"}, 1, "no text"},
		{Scripts{OnStarted: "M117 \xff"}, 1, "no text"},
		{Scripts{"sleeping": "M105"}, 0, "no such moment"},
	} {
		_, problems := s.checkScripts(c.scripts)
		if len(problems) != 1 || problems[0].Line != c.line || !strings.Contains(problems.Error(), c.want) {
			t.Errorf("%.40q: got %v, want %q in line %d", c.scripts, problems, c.want, c.line)
		}
	}
	lines, problems := s.checkScripts(Scripts{OnStarted: " M105 ; why\r\n\n;only words {\n\tm117 a;b\n"})
	if want := []written{{1, "M105"}, {4, "m117 a"}}; len(problems) > 0 || !slices.Equal(lines[OnStarted], want) {
		t.Errorf("got %v, %v, want %v", lines, problems, want)
	}
}

// On a delta homing leads away from the print.
func TestDeltaMayHomeAtTheEnd(t *testing.T) {
	s := newSession(Presets()[len(Presets())-1], nil, func(string, []byte) {})
	if _, problems := s.checkScripts(Scripts{OnDone: "G28"}); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
}

// A profile with lower limits makes a line of a script that was kept before be left out when its time comes.
func TestScriptsAreCheckedAgain(t *testing.T) {
	var notes []string
	s := newSession(Presets()[0], nil, func(dir string, text []byte) {
		if dir == "note" {
			notes = append(notes, string(text))
		}
	})
	lines, problems := s.checkScripts(Scripts{OnStarted: "M104 S250\nM140 S60"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s.custom, s.profile.MaxNozzleC = lines, 240
	if got := s.customLine(time.Now(), OnStarted, lines[OnStarted][0]); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
	if got := s.customLine(time.Now(), OnStarted, lines[OnStarted][1]); len(got) != 1 || got[0].text != "M140 S60" {
		t.Errorf("got %v", got)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "line 1 is left out") || !strings.Contains(notes[0], "240") {
		t.Errorf("got %q", notes)
	}
}

func TestScriptValues(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	if _, err := s.valueNow(time.Now(), "x_mm"); err == nil || !strings.Contains(err.Error(), "nobody knows") {
		t.Errorf("a place that nobody has reported: got %v", err)
	}
	s.seen.position = &Position{XMM: -1.5, ZMM: 12}
	s.modal.apply([]byte("M104 S210"), true)
	s.job, s.run = &job{info: JobInfo{Size: 100, Survey: gcode.Survey{Layers: make([]gcode.Layer, 9)}}}, startRun(time.Now())
	s.run.at(jobPos{line: 5, end: 25, layer: 2})
	for text, want := range map[string]string{
		"M117 {layer}/{layers} {percent}%": "M117 3/9 25%",
		"G1 X{x_mm} Z{z_mm}":               "G1 X-1.5 Z12",
		"M104 S{nozzle_c} T{tool}":         "M104 S210 T0",
		"M117 {width_mm}x{depth_mm}":       "",
		"M117 nothing":                     "M117 nothing",
	} {
		got, err := fill(text, func(name string) (float64, error) { return s.valueNow(time.Now(), name) })
		if (err != nil) != (want == "") || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, v := range ScriptValues() {
		if n, err := s.valueNow(time.Now(), v.Name); err != nil || math.IsNaN(n) || v.About == "" {
			t.Errorf("%s: got %g, %v", v.Name, n, err)
		}
	}
}

// Whatever is written and whatever the numbers are: the command stays the one that was checked, and the line is one line.
func FuzzFill(f *testing.F) {
	for _, text := range []string{"M104 S{layer}", "M1{layer}", "G1 X{x_mm} Y{x_mm}", "{", "}{", "M{layer}12", "M117 {layer} of {layer}", "T {layer}", "MACRO A={layer}", "G1 X-{layer}E3"} {
		f.Add(text, 12.0)
	}
	f.Fuzz(func(t *testing.T, text string, number float64) {
		if math.IsNaN(number) || math.Abs(number) > 1e9 || strings.ContainsAny(text, "\n\r\"") {
			return
		}
		asked := 0
		got, err := fill(text, func(string) (float64, error) { asked++; return number, nil })
		if err != nil {
			return
		}
		if asked > 0 && strings.ContainsAny(got, "{}") {
			t.Fatalf("%q became %q", text, got)
		}
		if asked == 0 {
			return
		}
		before, after := gcode.ParseCommand([]byte(text[:strings.IndexByte(text, '{')])), gcode.ParseCommand([]byte(got))
		if before.Letter != after.Letter || before.Number != after.Number || before.Sub != after.Sub {
			t.Fatalf("%q became %q: another command", text, got)
		}
	})
}

// With scripts for every moment a pause still brings back all that it found.
func TestPauseAndResumeWithScripts(t *testing.T) {
	scripts := Scripts{
		OnConnected: "M117 Hello\nM220 S100",
		OnStarted:   "G28\nG91\nG1 X5 F3000\nG90\nG20",
		OnPaused:    "G91\nG1 X20 Y-20 F3000\nM106 S0\nM104 S120\nM82\nG20\nM117 {x_mm}",
		OnResumed:   "G1 E3 F300\nM106 S255\nG91\nG1 Z1",
		OnDone:      "M104 S0\nM140 S0",
	}
	for _, c := range []struct {
		firmware string
		relE     bool
		mode     []string
	}{{"marlin2", false, []string{"G90", "M82"}}, {"marlin2", true, []string{"G20", "G90", "M83"}}, {"prusa", true, []string{"M83"}}, {"klipper", true, []string{"G90", "M83"}}} {
		t.Run(c.firmware, func(t *testing.T) {
			text := square(2*batchLines, 200, c.relE, append([]string{"G21"}, c.mode...)...)
			plain := printScripted(t, c.firmware, text, nil, false)
			paused := printScripted(t, c.firmware, text, scripts, true)
			for i, axis := range "XYZ" {
				if !near(plain[i], paused[i], 0.006) {
					t.Errorf("%c ends at %.4f, without scripts and pause at %.4f", axis, paused[i], plain[i])
				}
			}
			if !near(plain[3]+3, paused[3], 0.02) { // the script has pushed 3 mm
				t.Errorf("%.4f mm of filament, without %.4f", paused[3], plain[3])
			}
		})
	}
}

// printScripted prints text, with a pause in the middle or without, and returns where the head ended and how much filament was pushed.
func printScripted(t *testing.T, firmware, text string, scripts Scripts, pause bool) (end [4]float64) {
	cfg := printertest.Config{Firmware: firmware, Baud: 250000, Speed: 1, Heat: 1}
	whole(t, cfg, func(c *Config) { c.Baud, c.Scripts = 250000, scripts }, func(r *rig) {
		r.becomes(Idle)
		more := make(chan struct{})
		r.print("j1", text, more)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
		time.Sleep(time.Minute)
		if pause {
			before := r.sim.Body()
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			if got := r.sim.Body(); got.NozzleTargetC != 120 || near(got.Believed[0], before.Believed[0], 1) {
				r.Errorf("the script of the pause did nothing: %+v", got)
			}
			r.must(r.p.Resume(r.Context(), "j1"))
			r.becomes(Printing)
			if got := r.sim.Body(); got.NozzleTargetC != before.NozzleTargetC || got.FanPercent != before.FanPercent {
				r.Errorf("got %g °C and a fan of %g %%, want %g and %g", got.NozzleTargetC, got.FanPercent, before.NozzleTargetC, before.FanPercent)
			}
		}
		close(more)
		done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if done.LastJob.Outcome != "done" {
			r.Fatalf("got %+v, fault %v", done.LastJob, done.Fault)
		}
		body := r.sim.Body()
		end = [4]float64{body.Believed[0], body.Believed[1], body.Believed[2], body.ExtrudedMM}
		if scripts != nil && body.NozzleTargetC != 0 {
			r.Errorf("after the script of the end the nozzle is set to %g °C", body.NozzleTargetC)
		}
	})
	return end
}

// Shutdown does not wait for scripts, whichever is under way.
func TestShutdownSkipsScripts(t *testing.T) {
	slow := Scripts{OnStarted: strings.Repeat("G4 S10\n", 20), OnCancelled: strings.Repeat("G4 S10\n", 20)}
	for _, cancel := range []bool{false, true} {
		whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud, c.Scripts = 250000, slow }, func(r *rig) {
			r.becomes(Idle)
			r.print("j1", "G28\nG1 X5\n", nil)
			r.becomes(Starting)
			if cancel {
				r.must(r.p.Cancel(r.Context(), "j1"))
				time.Sleep(15 * time.Second)
			}
			began := time.Now()
			if err := r.p.Shutdown(r.Context()); err != nil {
				r.Fatal(err)
			}
			if took := time.Since(began); took > 15*time.Second {
				r.Errorf("it took %v", took)
			}
			if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
				r.Errorf("still heated: %+v", b)
			}
		})
	}
}

func TestSetScripts(t *testing.T) {
	whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		r.becomes(Idle)
		var problems Problems
		_, err := r.p.SetScripts(r.Context(), Scripts{OnDone: "M117 x\nM112", OnConnected: "G28"})
		if !errors.As(err, &problems) || len(problems) != 2 || problems[0].In != "connected" || problems[1].Line != 2 {
			r.Fatalf("got %v", err)
		}
		r.must(r.p.SetScripts(r.Context(), Scripts{OnDone: "M117 over"}))
		r.print("j1", "M117 on\n", nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if got := fmt.Sprint(r.sim.Executed()); !strings.Contains(got, "M117 over") {
			r.Errorf("it executed %s", got)
		}
	})
}
