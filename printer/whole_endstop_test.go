package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// usualSwitches are those of the pretend printer, as a calibration would find them.
func usualSwitches(machine string, limits bool) Switches {
	one := Switch{Usable: true, SpreadMM: 0.01, OvertravelMM: 0.8, ThresholdMM: 0.35, StepsPerMM: 80}
	if limits {
		one.LimitsMM = &[2]float64{0, 220}
	}
	return Switches{X: one, Y: one, MadeMS: 1, Machine: machine}
}

// watched begins a job with a watch.
func (r *rig) watched(text string, w Watch) {
	r.Helper()
	r.begin(text, JobInfo{Watch: w})
}

// checked waits for the next check after n, or the job's end or pause.
func (r *rig) checkedAfter(n int) *Snapshot {
	r.Helper()
	return await(r.T, r.p, func(s *Snapshot) bool {
		return s.LastJob != nil || s.State == Paused || s.Job != nil && s.Job.Checks > n
	})
}

// A print with a check at each layer change is what it is without.
func TestChecksChangeNothing(t *testing.T) {
	for _, c := range []struct {
		firmware string
		limits   bool
		mode     []string
	}{
		{"marlin2", true, []string{"G90", "M82"}}, {"marlin2", true, []string{"G90", "M83"}}, {"marlin2", true, []string{"G20", "G90", "M83"}},
		{"marlin1", true, []string{"M83"}}, {"prusa", true, []string{"M83"}},
	} {
		t.Run(fmt.Sprint(c.firmware, c.mode), func(t *testing.T) {
			text := tower(6, 12, c.mode...)
			print := func(w Watch) (n int, body printertest.Body) {
				whole(t, printertest.Config{Firmware: c.firmware, Baud: 250000, Speed: 1, Heat: 20, Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
					r.becomes(Idle)
					r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), c.limits)))
					r.watched(text, w)
					for {
						snap := r.checkedAfter(n)
						if snap.LastJob != nil {
							break
						}
						n++
						if ch := snap.Job.Check; ch.Verdict != CheckRight || ch.N != n || ch.Layer < n {
							t.Errorf("check %d: %+v", n, ch)
						}
						r.must(r.p.CheckNow(r.Context(), "", CheckAsked))
					}
					body = r.sim.Body()
					if o := r.now().LastJob; o.Outcome != "done" || o.StarvedS != 0 || r.sim.Counters().Collisions != 0 {
						t.Errorf("got %+v, %d collisions", o, r.sim.Counters().Collisions)
					}
					if got, want := only(ownLines(commands(text)), r.sim.Executed()), ownLines(commands(text)); !slices.Equal(got, want) {
						t.Errorf("executed %d lines of %d, or in another order", len(got), len(want))
					}
				})
				return n, body
			}
			_, plain := print(Watch{})
			n, got := print(Watch{Mode: WatchPause, SharePercent: 100})
			sameTrail(t, got, plain)
			if n < 4 {
				t.Errorf("%d checks", n)
			}
		})
	}
}

func (r *rig) machine() string {
	var m string
	r.must(r.p.ask(r.Context(), func(o *owner, _ time.Time) error { m = o.session.machine(); return nil }))
	return m
}

// What a calibration finds of switches of all kinds.
func TestCalibrate(t *testing.T) {
	for _, c := range []struct {
		firmware, x string
		usable      bool
	}{
		{"marlin2", "min", true}, {"marlin2", "min,at=-5", true}, {"marlin2", "max,sigma=0.03,hysteresis=0.2", true}, {"marlin2", "max,at=225", true}, {"marlin2", "min,sigma=0.02,bounce=0.05", true},
		{"marlin2", "min,stuck-open", false}, {"marlin2", "min,stuck-closed", false}, {"marlin2", "min,none", false}, {"marlin2", "min,sensorless", false},
		{"marlin2", "min,overtravel=0.2", false}, {"marlin2", "min,sigma=0.3", false}, {"marlin2", "min,overtravel=1", true},
		{"marlin1", "min", true}, {"prusa", "min", true}, {"repetier", "min", true}, {"reprapfirmware", "min", false}, {"smoothie", "min", false}, {"teacup", "min", false}, {"sprinter", "min", false}, {"malyan", "min", true}, {"anet-a8", "min", true}, {"klipper", "min", false},
	} {
		t.Run(c.firmware+" "+c.x, func(t *testing.T) {
			x, err := printertest.ParseSwitch(c.x)
			if err != nil {
				t.Fatal(err)
			}
			whole(t, printertest.Config{Firmware: c.firmware, Baud: 250000, Speed: 1, X: x, Leveling: ""}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
				r.becomes(Idle)
				r.must(r.p.Send(r.Context(), "G28", "G1 X50 Y60 Z20 F6000"))
				time.Sleep(time.Minute)
				if _, err := r.p.CalibrateSwitches(r.Context()); err != nil {
					t.Log(err)
					if c.usable {
						t.Error(err)
					}
					return
				}
				begun := time.Now()
				snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Calibration != nil && !s.Calibration.Running })
				t.Logf("%.0f s, %+v, X %+v, Y %+v", time.Since(begun).Seconds(), snap.Calibration, snap.Switches.X, snap.Switches.Y)
				if told := c.firmware == "marlin2" || c.firmware == "marlin1" || c.firmware == "prusa"; c.usable && told && (snap.Switches.X.StepsPerMM != 80 || snap.Switches.Y.StepsPerMM != 80) {
					t.Errorf("told %g steps to a mm", snap.Switches.X.StepsPerMM)
				}
				if snap.Switches.X.Usable != c.usable {
					t.Errorf("usable %v", snap.Switches.X.Usable)
				}
				if b := r.sim.Body(); snap.Switches.Y.Usable && (!near(b.True[1], b.Believed[1], 0.1) || !near(b.True[2], 20, 0.01)) {
					t.Errorf("left at %v, believed %v", b.True, b.Believed)
				}
			})
		})
	}
}

// What is lost is found, measured, and the print pauses beside itself; homed anew it goes on where it was, with all that homing changes brought back.
func TestLostAndRehomed(t *testing.T) {
	for _, c := range []struct {
		firmware, fault string
		homing          printertest.Homing
		leveling        string
		first           string
		x               float64
		steps, teeth    int
	}{
		{"marlin2", "lose@x:8:40", printertest.Homing{}, "", "", 1.6, 8, 0},
		{"marlin2", "lose@x:-4:40", printertest.Homing{RaiseMM: 15}, "bilinear", "", -0.8, -4, 0},
		{"marlin2", "tooth@x:-1:40", printertest.Homing{RaiseMM: 15, NoR: true, Together: true}, "bilinear", "G92 X10 Y20\nG92 X0 Y0\n", -2, 0, -1},
		{"marlin2", "shift@x:-5.5:40", printertest.Homing{RaiseMM: 5, YFirst: true, ZSafe: true}, "ubl", "", -5.5, -28, 0},
		{"marlin2", "shift@x:17:40", printertest.Homing{RaiseMM: 5, KeepsLeveling: true}, "ubl", "", 17, 0, 0},
		{"marlin1", "lose@x:4:40", printertest.Homing{RaiseMM: 15}, "", "", 0.8, 4, 0},
		{"prusa", "lose@x:-12:40", printertest.Homing{}, "", "", -2.4, -12, 0},
	} {
		t.Run(c.firmware+" "+c.fault, func(t *testing.T) {
			faults, err := printertest.ParseFaults(c.fault)
			if err != nil {
				t.Fatal(err)
			}
			text := tower(12, 8, "M83")
			text = strings.Replace(text, "G28\n", "G28\n"+c.first, 1)
			if c.leveling != "" {
				text = strings.Replace(text, "M109", "M420 S1 Z7\nM109", 1)
			}
			cfg := printertest.Config{Firmware: c.firmware, Baud: 250000, Speed: 1, Heat: 20, KeepExecuted: true, Homing: c.homing, Leveling: c.leveling, Faults: faults,
				Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}}
			whole(t, cfg, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
				r.becomes(Idle)
				if c.leveling != "" {
					r.must(r.p.Send(r.Context(), "G28", "G29"))
					time.Sleep(10 * time.Minute)
				}
				r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
				r.watched(text, Watch{Mode: WatchPause, SharePercent: 100})
				snap := r.becomes(Paused)
				ch := snap.Job.Check
				if snap.Pause.By != "shift" || snap.Pause.Shift != ch || ch.Verdict != CheckLost || !near(ch.X.OffMM, c.x, 0.11) || ch.X.Steps != c.steps || ch.X.Teeth != c.teeth || ch.Y.OffMM != 0 {
					t.Fatalf("got %+v %+v, state before", snap.Pause, ch)
				}
				b := r.sim.Body()
				if !near(b.Believed[0]-0, 5, 60) || b.NozzleTargetC != 200 {
					t.Errorf("parked at %v", b.True)
				}
				before := b.State()
				r.must(r.p.Rehome(r.Context(), "j1"))
				for _, refused := range []error{errorOf(r.p.Resume(r.Context(), "j1")), errorOf(r.p.Jog(r.Context(), 'x', 5))} {
					if refused == nil {
						t.Error("it was allowed while X and Y are homed")
					}
				}
				r.must(r.p.Rehome(r.Context(), "j1")) // it is under way
				snap = await(r.T, r.p, func(s *Snapshot) bool { return s.Job.Rehomed != nil && !s.Job.Rehomed.Running })
				if re := snap.Job.Rehomed; !re.OK || snap.State != Paused || snap.Job.Check.Verdict != CheckRight || snap.Job.Check.Why != CheckRehomed {
					t.Fatalf("got %+v %+v", re, snap.Job.Check)
				}
				after := r.sim.Body().State()
				if after.Leveling != before.Leveling || after.FadeMM != before.FadeMM || after.WorkspaceMM != before.WorkspaceMM || after.SoftLimits != before.SoftLimits {
					t.Errorf("after: %+v\nbefore: %+v", after, before)
				}
				r.must(r.p.Resume(r.Context(), "j1"))
				snap = await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Paused })
				if snap.LastJob == nil || snap.LastJob.Outcome != "done" || r.sim.Counters().Collisions != 0 {
					t.Fatalf("got %v %+v, %d collisions", snap.State, snap.Job, r.sim.Counters().Collisions)
				}
				time.Sleep(time.Minute)
				if want := ownLines(commands(text)); !slices.Equal(only(want, r.sim.Executed()), want) {
					t.Error("not every line once and in order")
				}
				if b := r.sim.Body(); !near(b.True[0], b.Believed[0], 0.001) || !near(b.True[2], b.Believed[2], 0.001) {
					t.Errorf("ends at %v, believed %v", b.True, b.Believed)
				}
			})
		})
	}
}
