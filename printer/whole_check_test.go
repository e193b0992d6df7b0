package printer

import (
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// stops is a job that stands still at the end of each layer, and again at the beginning of the next: between the two there is a check, and nothing else.
func stops(layers int, first string) (text string, survey gcode.Survey) {
	var b strings.Builder
	fmt.Fprintf(&b, "G28\nM109 S200\nM106 S128\n%s\n", first)
	for l := range layers {
		if l > 0 {
			fmt.Fprintf(&b, "G4 S40\n")
		}
		survey.Layers = append(survey.Layers, gcode.Layer{ZMM: 0.3 + 0.2*float64(l), Offset: int64(b.Len())})
		fmt.Fprintf(&b, "G4 S50\nG1 Z%.3f\n", 0.3+0.2*float64(l))
		for i := range 6 {
			fmt.Fprintf(&b, "G1 X%.4f Y%.4f E%.5f F%d\n", 1.9+0.0123*float64(i+l), 2.2+0.0317*float64(i*l), 0.1*float64(6*l+i+1), 1200+100*i)
		}
	}
	return b.String(), survey
}

// After a check that finds nothing the machine is as it was, bit for bit: place, filament, feed rate, modes, limits, levelling, what G92 has laid over the
// axes, and all else.
func TestAfterACheckAllIsAsItWas(t *testing.T) {
	for seed := range uint64(few(40)) {
		r := rand.New(rand.NewPCG(seed, 3))
		cfg := printertest.Config{Firmware: []string{"marlin2", "marlin2", "marlin1", "prusa"}[r.IntN(4)], Baud: 250000, Speed: 1, Heat: 20, Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}}
		first := []string{"G90\nM82", "G90\nM83", "G91\nM83\nG90\nM82"}[r.IntN(3)]
		if cfg.Firmware == "marlin2" && r.IntN(2) == 0 {
			cfg.Leveling = "ubl"
			first += "\nM420 S1 Z7"
		}
		if cfg.Firmware == "marlin2" && r.IntN(2) == 0 {
			first = "G20\n" + first
		}
		if r.IntN(2) == 0 {
			first += "\nG1 X2.5 Y2.125 F1500\nG92 X1.3331 Y1.77"
		}
		if r.IntN(2) == 0 {
			first += "\nM211 S0"
		}
		first += []string{"", "\nM220 S120\nM221 S90", "\nM120\nM121\nM302 P1"}[r.IntN(3)]
		text, survey := stops(4, first)
		if r.IntN(4) == 0 { // Z is where homing has left it
			text = strings.ReplaceAll(text, "G1 Z", "M117 ")
		}
		whole(t, cfg, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			if cfg.Leveling != "" {
				r.must(r.p.Send(r.Context(), "G28", "G29"))
				time.Sleep(10 * time.Minute)
			}
			r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
			r.must(r.p.Start(r.Context(), JobInfo{ID: "j1", Size: int64(len(text)), Survey: survey, Watch: Watch{Mode: WatchPause, SharePercent: 100}}, io.NopCloser(strings.NewReader(text))))
			standing := func(line string, n int) printertest.MachineState {
				for len(only([]string{line}, r.sim.Executed())) < n {
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(20 * time.Second) // in the midst of it
				return r.sim.Body().State()
			}
			for n := 1; n < 4; n++ {
				before := standing("G4 S40", n)
				if n > 1 {
					r.must(r.p.CheckNow(r.Context(), "", CheckAsked))
				}
				after := standing("G4 S50", n+1)
				if ch := r.now().Job; ch.Checks != n || ch.Check.Verdict != CheckRight {
					t.Fatalf("seed %d, %s: %d checks, %+v", seed, cfg.Firmware, ch.Checks, ch.Check)
				}
				if before != after {
					t.Errorf("seed %d %q:\nbefore %+v\nafter  %+v", seed, first, before, after)
				}
			}
			await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		})
	}
}

// Where a check cannot be made it is not, and says why; and nothing that it is told makes it move.
func TestUncheckable(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		sw     func(*Switches)
		edit   func(text string) string
		layers func(*gcode.Survey)
		want   string
	}{
		"never measured":   {sw: func(s *Switches) { *s = Switches{} }, want: "not been measured"},
		"another machine":  {sw: func(s *Switches) { s.Machine = "marlin Ender" }, want: "another machine"},
		"no use":           {sw: func(s *Switches) { s.X, s.Y = Switch{Why: "it was never seen closed"}, Switch{Why: "neither"} }, want: "never seen closed"},
		"delta":            {change: func(c *Config) { c.Profile.Kinematics = "delta" }, want: "delta"},
		"sequential":       {layers: func(s *gcode.Survey) { s.Layers[0].ZMM = 20 }, want: "one after the other"},
		"not homed":        {edit: func(t string) string { return strings.Replace(t, "G28\n", "M84\n", 1) }, want: "homed"},
		"cold":             {edit: func(t string) string { return strings.Replace(t, "M109 S200\n", "M302 P1\n", 1) }, want: "cold"},
		"another tool":     {edit: func(t string) string { return strings.Replace(t, ";LAYER:1\n", "T1\nM104 S200\n;LAYER:1\n", 1) }, want: "another tool"},
		"limits are other": {sw: func(s *Switches) { s.X.LimitsMM = &[2]float64{0, 300} }, want: "limits are others"},
		"G92 and no M211":  {sw: func(s *Switches) { s.X.LimitsMM, s.Y.LimitsMM = nil, nil }, edit: func(t string) string { return strings.Replace(t, "G28\n", "G28\nG92 X7\n", 1) }, want: "other names"},
	} {
		t.Run(name, func(t *testing.T) {
			text := tower(4, 8, "M83")
			if c.edit != nil {
				text = c.edit(text)
			}
			whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, c.change, func(r *rig) {
				r.becomes(Idle)
				sw := usualSwitches(r.machine(), true)
				if c.sw != nil {
					c.sw(&sw)
				}
				r.must(r.p.SetSwitches(r.Context(), sw))
				survey, err := gcode.SurveyFile(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if c.layers != nil {
					c.layers(&survey)
				}
				r.must(r.p.Start(r.Context(), JobInfo{ID: "j1", Survey: survey, Watch: Watch{Mode: WatchPause, SharePercent: 100}}, io.NopCloser(strings.NewReader(text))))
				snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Check != nil || s.LastJob != nil })
				if snap.Job == nil || snap.Job.Check.Verdict != CheckSkipped || !strings.Contains(snap.Job.Check.Reason, c.want) || snap.Job.Checks != 0 {
					t.Errorf("got %+v", snap.Job.Check)
				}
				if end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); end.LastJob.Outcome != "done" {
					t.Errorf("got %+v", end.LastJob)
				}
				for _, l := range r.sim.Executed() {
					if l == "M211 S0" || l == "M119" {
						t.Errorf("executed %s", l)
					}
				}
			})
		})
	}
}

// Whatever comes into a check, at each of its lines: the print goes on where it was, or ends as it would without one, with the soft limits on.
func TestInterruptedChecks(t *testing.T) {
	text := tower(4, 8, "G90", "M82")
	want := ownLines(commands(text))
	var plain printertest.Body
	for _, c := range []struct {
		name string
		do   func(r *rig)
		done bool
	}{
		{"nothing", func(*rig) {}, true},
		{"pause", func(r *rig) {
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			time.Sleep(time.Minute)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"another witness", func(r *rig) {
			r.must(r.p.PauseShift(r.Context(), "j1", "the camera sees it"))
			if snap := r.becomes(Paused); snap.Pause.By != "shift" || snap.Pause.Message != "the camera sees it" {
				r.Errorf("got %+v", snap.Pause)
			}
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"the firmware's pause", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Runout}) // M600 comes in between
			r.becomes(Paused)
			time.Sleep(time.Minute)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"typed", func(r *rig) { r.must(r.p.Send(r.Context(), "M221 S100", "M117 hello", "M119")) }, true},
		{"cable out and in", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
			r.becomes(Faulted)
		}, true},
		{"cable out for long", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Minute})
			r.becomes(Paused)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"cancel", func(r *rig) { r.must(r.p.Cancel(r.Context(), "j1")); r.becomes(Idle) }, false},
		{"shutdown", func(r *rig) {
			if err := r.p.Shutdown(r.Context()); err != nil {
				r.Error(err)
			}
		}, false},
	} {
		for at := 0; at < 120; at += (1 + at/8) * 4 / few(4) {
			t.Run(fmt.Sprint(c.name, "/", at), func(t *testing.T) {
				whole(t, printertest.Config{Baud: 115200, USBLatency: time.Millisecond, Speed: 1, Heat: 20}, within, func(r *rig) {
					r.becomes(Idle)
					r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
					r.must(r.p.Send(r.Context(), "G28"))
					time.Sleep(time.Minute)
					r.watched(text, Watch{Mode: WatchPause})
					r.must(r.p.CheckNow(r.Context(), "j1", CheckAsked))
					for !shotAt(r.sim.Executed(), at) {
						time.Sleep(time.Millisecond)
					}
					c.do(r)
					r.interrupted(c.done, want, func(b printertest.Body) printertest.Body {
						if c.name == "nothing" {
							plain = b
						}
						return plain
					})
					if !r.sim.Body().State().SoftLimits || r.sim.Counters().Collisions > 0 {
						t.Errorf("soft limits %v, %d collisions", r.sim.Body().State().SoftLimits, r.sim.Counters().Collisions)
					}
				})
			})
		}
	}
}

// A switch that does not close any more cannot be told from one that is far off, so the head is driven against the frame: the print does not go on from there by
// itself, not even where people are only told.
func TestDrivenAgainstTheFrame(t *testing.T) {
	for _, mode := range []WatchMode{WatchTell, WatchPause} {
		whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, X: printertest.Switch{Kind: printertest.Sensorless, Scatter: 1}}, nil, func(r *rig) {
			r.becomes(Idle)
			r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true))) // as they were when it still closed
			r.watched(tower(12, 8, "M83"), Watch{Mode: mode, SharePercent: 100})
			snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State == Paused || s.LastJob != nil })
			if snap.State != Paused || snap.Pause.By != "shift" || snap.Job.Check.Verdict != CheckUnsure || !strings.Contains(snap.Pause.Message, "against the frame") {
				t.Fatalf("%s: got %v %+v", mode, snap.State, snap.LastJob)
			}
			if b := r.sim.Body(); near(b.True[0], b.Believed[0], 1) || !b.State().SoftLimits {
				t.Errorf("this shows nothing: at %v, believed at %v", b.True, b.Believed)
			}
			r.must(r.p.Cancel(r.Context(), ""))
			r.becomes(Idle)
		})
	}
}

// On its way to the switches, which leads beside what is printed, the head is as high as when it parks: there may be clips.
func TestChecksClearTheClips(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		r.watched(tower(4, 8, "M83"), Watch{Mode: WatchPause, SharePercent: 100})
		r.checkedAfter(0)
		done := r.sim.Executed()
		for i, l := range done {
			if l == "M211 S0" {
				done = done[:i]
				break
			}
		}
		lift, across := -1, -1
		for i, l := range done {
			switch c := gcode.ParseCommand([]byte(l)); {
			case c.Is('G', 0) && c.Has('X'):
				across = i
			case c.Is('G', 0) && c.Has('Z'):
				lift = i
				if z, _ := c.Float('Z'); z < Presets()[0].LiftMM {
					t.Errorf("travels at %g mm", z)
				}
			}
		}
		if lift < 0 || across < lift {
			t.Errorf("lifts in line %d, travels in line %d", lift, across)
		}
	})
}

// X and Y are not homed anew where one of them could not be checked then: it would be said to be right.
func TestRehomeChecksBoth(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, Y: printertest.Switch{Kind: printertest.Sensorless}}, nil, func(r *rig) {
		r.becomes(Idle)
		sw := usualSwitches(r.machine(), true)
		sw.Y = Switch{Why: "it was never seen closed"}
		r.must(r.p.SetSwitches(r.Context(), sw))
		r.watched(tower(12, 8, "M83"), Watch{Mode: WatchPause, SharePercent: 100})
		if snap := r.checkedAfter(0); snap.Job.Check.Verdict != CheckRight {
			t.Fatalf("got %+v", snap.Job.Check)
		}
		r.must(r.p.Pause(r.Context(), ""))
		r.becomes(Paused)
		if _, err := r.p.Rehome(r.Context(), ""); !errors.Is(err, ErrCheck) || !strings.Contains(err.Error(), "never seen closed") {
			t.Errorf("got %v", err)
		}
		r.must(r.p.Cancel(r.Context(), ""))
		r.becomes(Idle)
	})
}

// What the first homing of a pause could not bring back the second one knows of; and until it has, the print does not go on.
func TestHomedAnewTwice(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	s.job, s.state = openJob(JobInfo{}, io.NopCloser(strings.NewReader(""))), Paused
	defer s.job.close()
	s.seen.homed = [3]bool{true, true, true}
	s.paused = &place{parked: true, at: &Position{}, why: PauseInfo{By: "person"}}
	limits := softLimits{on: true, axis: [2][2]float64{{3, 223}, {0, 220}}}
	s.modal.laid.mm[0] = 3
	first := &homer{s: s, b: &prober{s: s, limits: limits, shift: [2]float64{3, 0}}, levels: true, fade: " Z7", moved: true}
	first.remember(s.paused)
	first.b.failed = "the levelling could not be switched on again"
	s.rehomed(time.Now(), first, &EndstopCheck{}, &EndstopCheck{})
	if err := s.resume(time.Now(), true); !errors.Is(err, ErrWrongState) || !strings.Contains(err.Error(), "levelling") || s.state != Paused {
		t.Errorf("resumed: %v", err)
	}
	s.modal.laid = laid{} // as homing has left it
	second := &homer{s: s, b: &prober{s: s}, moved: true}
	second.remember(s.paused)
	if !second.levels || second.fade != " Z7" || *second.laid != [2]float64{3, 0} || second.b.shift != [2]float64{3, 0} || second.b.limits != limits {
		t.Errorf("got %+v %+v", second, second.b)
	}
	s.rehomed(time.Now(), second, &EndstopCheck{Verdict: CheckRight}, &EndstopCheck{Verdict: CheckRight})
	if err := s.resume(time.Now(), false); err != nil {
		t.Error(err)
	}
}

// A board keeps its power when the cable comes out while its switches are measured, and has its soft limits off: they are on again as soon as it is back.
func TestLimitsAreOnAgain(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, USBLatency: time.Millisecond, Speed: 1}, within, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.Send(r.Context(), "G28", "G1 X50 Y60 Z20 F6000"))
		time.Sleep(time.Minute)
		r.must(r.p.CalibrateSwitches(r.Context()))
		for r.sim.Body().State().SoftLimits {
			time.Sleep(10 * time.Millisecond)
		}
		r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
		await(r.T, r.p, func(s *Snapshot) bool { return s.State != Idle })
		r.becomes(Idle)
		time.Sleep(time.Minute)
		if snap := r.now(); !r.sim.Body().State().SoftLimits || snap.Calibration != nil && snap.Calibration.Running {
			t.Errorf("soft limits %v, %+v", r.sim.Body().State().SoftLimits, snap.Calibration)
		}
	})
}

// When layerd ends while switches are measured, the machine is first left as it was.
func TestShutdownInACalibration(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.Send(r.Context(), "G28", "G1 X50 Y60 Z20 F6000"))
		time.Sleep(time.Minute)
		r.must(r.p.CalibrateSwitches(r.Context()))
		for r.sim.Body().State().SoftLimits {
			time.Sleep(10 * time.Millisecond)
		}
		if err := r.p.Shutdown(r.Context()); err != nil {
			t.Error(err)
		}
		if snap := r.now(); !r.sim.Body().State().SoftLimits || snap.Calibration.Running {
			t.Errorf("soft limits %v, %+v", r.sim.Body().State().SoftLimits, snap.Calibration)
		}
	})
}

// A pause that comes while the head is driven against the frame says so.
func TestPausedAgainstTheFrame(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, X: printertest.Switch{Kind: printertest.Sensorless, Scatter: 1}}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		r.watched(tower(12, 8, "M83"), Watch{Mode: WatchTell, SharePercent: 100})
		for b := r.sim.Body(); b.State().SoftLimits || b.True[0]-b.Believed[0] < 4; b = r.sim.Body() {
			time.Sleep(50 * time.Millisecond)
		}
		r.must(r.p.Pause(r.Context(), "j1"))
		if snap := r.becomes(Paused); snap.Pause.By != "shift" || !strings.Contains(snap.Pause.Message, "against the frame") {
			t.Errorf("got %+v", snap.Pause)
		}
		r.must(r.p.Cancel(r.Context(), ""))
		r.becomes(Idle)
	})
}
