package printer

import (
	"context"
	"errors"
	"io"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// off waits until the body's heater has no target, and returns how long that took since from.
func (r *rig) off(from time.Time, target func(printertest.Body) float64) time.Duration {
	r.Helper()
	for end := from.Add(24 * time.Hour); target(r.sim.Body()) > 0; time.Sleep(time.Second) {
		if time.Now().After(end) {
			r.Fatal("it was never switched off")
		}
	}
	return time.Since(from)
}

func nozzleTarget(b printertest.Body) float64 { return b.NozzleTargetC }
func bedTarget(b printertest.Body) float64    { return b.BedTargetC }

// about reports whether a time is what was meant, or a little more.
func about(got, want time.Duration) bool {
	return got >= want-2*time.Second && got <= want+35*time.Second
}

// Of a print that stands still the nozzle is switched off after ten minutes and the bed after two hours; Resume heats both again and goes on exactly.
func TestPausedCools(t *testing.T) {
	all := []string{"marlin2", "marlin1", "prusa", "repetier", "reprapfirmware", "klipper", "teacup"}
	for _, firmware := range all[:few(len(all))] {
		whole(t, printertest.Config{Firmware: firmware, Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			text := square(2*batchLines, 200, true, "M83")
			more := make(chan struct{})
			r.print("j1", text, more)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
			time.Sleep(time.Minute)
			r.must(r.p.Pause(r.Context(), ""))
			r.becomes(Paused)
			paused := time.Now()
			time.Sleep(3 * time.Second)
			if k := r.now().Keeper; !k.Heated || k.NozzleOffMS-paused.UnixMilli() != 10*60_000 || k.BedOffMS-paused.UnixMilli() != 120*60_000 || k.NozzleCooledMS != 0 {
				t.Errorf("%s: paused, it says %+v", firmware, k)
			}
			if took := r.off(paused, nozzleTarget); !about(took, 10*time.Minute) {
				t.Errorf("%s: the nozzle went off after %v", firmware, took)
			}
			if r.sim.Body().BedTargetC != 60 {
				t.Errorf("%s: the bed went off with it", firmware)
			}
			if took := r.off(paused, bedTarget); !about(took, 2*time.Hour) {
				t.Errorf("%s: the bed went off after %v", firmware, took)
			}
			time.Sleep(5 * time.Second)
			if k := r.now().Keeper; k.Heated || k.NozzleOffMS != 0 || k.BedOffMS != 0 || k.NozzleCooledMS == 0 || k.BedCooledMS == 0 {
				t.Errorf("%s: cold, it says %+v", firmware, k)
			}
			time.Sleep(time.Hour)
			from := len(r.sim.Executed())
			r.must(r.p.Resume(r.Context(), ""))
			r.becomes(Printing)
			if b := r.sim.Body(); b.NozzleC < 195 || b.BedC < 57 {
				t.Errorf("%s: it went on at %.0f and %.0f °C", firmware, b.NozzleC, b.BedC)
			}
			close(more)
			if end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); end.LastJob.Outcome != "done" {
				t.Errorf("%s: got %+v", firmware, end.LastJob)
			}
			rest := commands(text)[batchLines:]
			if got := only(rest, r.sim.Executed()[from:]); !slices.Equal(got[max(0, len(got)-len(rest)):], rest) {
				t.Errorf("%s: the rest was not executed as it stands in the file", firmware)
			}
		})
	}
}

// Without a print heat goes off after half an hour, whoever wanted it, and each time that somebody wants it, it begins anew.
func TestIdleCools(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.KeepWarm(r.Context()); !errors.Is(err, ErrWrongState) {
			t.Errorf("nothing is warm: got %v", err)
		}
		r.must(r.p.SetNozzle(r.Context(), 0, 150))
		begun := time.Now()
		time.Sleep(10 * time.Minute)
		r.must(r.p.SetBed(r.Context(), 60))
		if took := r.off(begun, nozzleTarget); !about(took, 30*time.Minute) {
			t.Errorf("the nozzle went off after %v", took)
		}
		if took := r.off(begun, bedTarget); !about(took, 40*time.Minute) {
			t.Errorf("the bed went off after %v", took)
		}

		r.must(r.p.SetNozzle(r.Context(), 0, 150))
		begun = time.Now()
		for _, again := range []func(){
			func() { r.must(r.p.SetNozzle(r.Context(), 0, 150)) }, // the same target, but somebody is there
			func() { r.must(r.p.KeepWarm(r.Context())) },
			func() { panel(r, "M104 S160") },
		} {
			time.Sleep(20 * time.Minute)
			again()
		}
		if took := r.off(begun, nozzleTarget); !about(took, 90*time.Minute) {
			t.Errorf("with three people who want it the nozzle went off after %v", took)
		}
		r.must(r.p.SetCooling(r.Context(), Cooling{StandingNozzleMin: 1, StandingBedMin: 1, IdleMin: 5}))
		panel(r, "M140 S50")
		begun = time.Now()
		time.Sleep(3 * time.Second)
		if !r.now().Keeper.Elsewhere {
			t.Error("it does not say that somebody else has heated the bed")
		}
		if took := r.off(begun, bedTarget); !about(took, 5*time.Minute) {
			t.Errorf("set to five minutes the bed went off after %v", took)
		}
		for _, bad := range []Cooling{{}, {StandingNozzleMin: 10, StandingBedMin: 10}, {StandingNozzleMin: 10, StandingBedMin: 1441, IdleMin: 1}} {
			if _, err := r.p.SetCooling(r.Context(), bad); !errors.Is(err, ErrLimit) {
				t.Errorf("%+v: got %v", bad, err)
			}
		}
	})
}

// panel is somebody at the printer: another end of its line says it.
func panel(r *rig, line string) {
	r.Helper()
	port := r.sim.Open()
	defer port.Close()
	if _, err := port.Write([]byte(line + "\n")); err != nil {
		r.Fatal(err)
	}
	time.Sleep(time.Second)
}

// A daemon that starts and finds a hot printer owns its heat: after half an hour, and where a print of it was interrupted, as in a pause.
func TestFoundHotCools(t *testing.T) {
	for _, c := range []struct {
		last        *JobOutcome
		nozzle, bed time.Duration
	}{
		{nil, 30 * time.Minute, 30 * time.Minute},
		{&JobOutcome{ID: "j0", Outcome: "done"}, 30 * time.Minute, 30 * time.Minute},
		{&JobOutcome{ID: "j0", Outcome: "interrupted"}, 10 * time.Minute, 2 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := printertest.New(printertest.Config{Speed: 1, Heat: 1, KeepExecuted: true})
			if err != nil {
				t.Fatal(err)
			}
			p, stop := run(t, sim, func(cfg *Config) { cfg.LastJob = c.last })
			r := &rig{t, p, sim}
			panel(r, "M104 S200")
			panel(r, "M140 S60")
			r.becomes(Idle)
			found := time.Now()
			if got := [2]time.Duration{r.off(found, nozzleTarget), r.off(found, bedTarget)}; !about(got[0], c.nozzle) || !about(got[1], c.bed) {
				t.Errorf("after %+v they went off after %v, want %v and %v", c.last, got, c.nozzle, c.bed)
			}
			for _, l := range handshakeOnly(sim.Executed()) {
				if !slices.Contains([]string{"M104 S200", "M140 S60", "M104 S0", "M140 S0"}, l) {
					t.Errorf("on its own it said %q", l)
				}
			}
			stop()
		})
	}
}

// A firmware that holds the print itself, and waits for a person, would obey only when the print goes on: it is left alone, and cools by itself.
func TestHeldIsLeftAlone(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", "M109 S200\nG28\nM600\nG1 X5\n", nil)
		r.becomes(Paused)
		time.Sleep(3 * time.Hour)
		if got := r.sim.Executed(); slices.Contains(got, "M104 S0") || r.now().Keeper.NozzleOffMS != 0 {
			t.Errorf("got %q, %+v", got, r.now().Keeper)
		}
	})
}

// What is broken in the machine ends in a named fault, with heaters off, in a print and without one; firmware that does not watch its heaters itself
// leaves that to us.
func TestBrokenHeat(t *testing.T) {
	nozzle := func(how printertest.Broken) printertest.Trigger {
		return printertest.Trigger{Kind: printertest.Heat, How: how}
	}
	bed := func(how printertest.Broken) printertest.Trigger {
		return printertest.Trigger{Kind: printertest.Heat, How: how, Bed: true}
	}
	printing := func(r *rig) {
		r.print("j1", square(5000, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 40 && s.Bed.ActualC > 58 })
	}
	heatingUp := func(r *rig) {
		r.print("j1", square(300, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Nozzles[0].ActualC > 80 })
	}
	bedHeatingUp := func(r *rig) {
		r.print("j1", "M190 S90\nG28\nG1 X5\n", nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Bed.ActualC > 40 })
	}
	idle := func(*rig) {}
	for _, c := range []struct {
		name   string
		before func(*rig)
		what   printertest.Trigger
		want   FaultCode
		within time.Duration
	}{
		{"cartridge breaks in a print", printing, nozzle(printertest.Open), FaultCooling, 2 * time.Minute},
		{"cartridge breaks on the way", heatingUp, nozzle(printertest.Open), FaultHeating, 2 * time.Minute},
		{"hotend runs away in a print", printing, nozzle(printertest.Shorted), FaultRunaway, time.Minute},
		{"hotend runs away while it is off", idle, nozzle(printertest.Shorted), FaultRunaway, time.Minute},
		{"sensor slips out on the way", heatingUp, nozzle(printertest.Frozen), FaultHeating, 2 * time.Minute},
		{"sensor breaks in a print", printing, nozzle(printertest.Dead), FaultSensor, 15 * time.Second},
		{"bed breaks in a print", printing, bed(printertest.Open), FaultCooling, 10 * time.Minute},
		{"bed breaks on the way", bedHeatingUp, bed(printertest.Open), FaultHeating, 6 * time.Minute},
		{"bed runs away while it is off", idle, bed(printertest.Shorted), FaultRunaway, 5 * time.Minute},
		{"bed's sensor breaks", printing, bed(printertest.Dead), FaultSensor, 15 * time.Second},
	} {
		for _, firmware := range []string{"marlin2", "marlin2-plain", "marlin1", "teacup"} { // Klipper and Prusa's watch for themselves
			t.Run(c.name+"/"+firmware, func(t *testing.T) {
				whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1, Protection: "0", ResetOnOpen: true}, nil, func(r *rig) {
					r.becomes(Idle)
					c.before(r)
					r.sim.Inject(c.what)
					broke := time.Now()
					snap := r.becomes(Faulted)
					if took := time.Since(broke); took > c.within {
						t.Errorf("it was noticed after %v", took)
					}
					if f := snap.Fault; f.Code != c.want || f.Message == "" || f.Next == "" {
						t.Errorf("got %+v, want %s", f, c.want)
					}
					time.Sleep(4 * againAfter)
					if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
						t.Errorf("%d and %d °C are still wanted", int(b.NozzleTargetC), int(b.BedTargetC))
					}
					if _, err := r.p.SetNozzle(r.Context(), 0, 200); !errors.Is(err, ErrWrongState) {
						t.Errorf("heating it again: got %v", err)
					}
				})
			})
		}
	}
}

// Honest heat is left in peace: targets up and down, slow ones, a cold bed in a hot room, and a control's constants being found out.
func TestHonestHeat(t *testing.T) {
	for _, firmware := range []string{"marlin2", "marlin1", "klipper", "teacup"} {
		whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1, Protection: "0"}, nil, func(r *rig) {
			r.becomes(Idle)
			for _, line := range []string{"M104 S240", "M140 S100", "M104 S190", "M104 S0", "M140 S60", "M109 S215", "M109 R150", "M104 S260", "M104 S50", "M190 R40", "M140 S0"} {
				r.must(r.p.Send(r.Context(), line))
				for range 20 {
					if time.Sleep(15 * time.Second); r.now().State != Idle {
						t.Fatalf("%s: %s: %v", firmware, line, r.now().Fault)
					}
				}
			}
		})
	}
}

// Reports that are damaged on their way, one in twenty, make nobody believe in heat that is not there, nor begin the keeper's time anew.
func TestDamagedReports(t *testing.T) {
	for seed := range uint64(4) {
		whole(t, printertest.Config{Speed: 1, Heat: 1, Seed: seed, Faults: printertest.Faults{FlipBack: 5e-4, DropBack: 5e-4}}, nil, func(r *rig) {
			r.becomes(Idle)
			for range 3 {
				r.must(r.p.SetNozzle(r.Context(), 0, 220))
				begun := time.Now()
				time.Sleep(5 * time.Second)
				if took := r.off(begun, nozzleTarget); took < 30*time.Minute-10*time.Second || took > 31*time.Minute {
					t.Errorf("seed %d: the nozzle went off after %v; %v", seed, took, r.now().Fault)
				}
				time.Sleep(10 * time.Minute)
				if s := r.now(); s.State != Idle {
					t.Fatalf("seed %d: %v, %v", seed, s.State, s.Fault)
				}
			}
		})
	}
}

// Whether the firmware watches its heaters by itself is said, by it or by what is known of it.
func TestProtectionIsSaid(t *testing.T) {
	for _, c := range []struct{ firmware, says, want string }{
		{"marlin2", "", "on"}, {"marlin2", "0", "off"}, {"marlin2", "none", "unknown"}, {"klipper", "", "on"}, {"teacup", "", "unknown"}, {"prusa", "none", "on"},
	} {
		whole(t, printertest.Config{Firmware: c.firmware, Protection: c.says}, nil, func(r *rig) {
			if got := r.becomes(Idle).Keeper.Protection; got != c.want {
				t.Errorf("%s that says %q: got %q, want %q", c.firmware, c.says, got, c.want)
			}
		})
	}
}

// A line that asks for more heat than the profile allows, in a file that was changed since it was looked through, holds the print before it; who may has it
// done all the same, once.
func TestLimitInMidPrint(t *testing.T) {
	text := square(batchLines, 200, true, "M83") + "M104 S255\nG1 X60 Y60\n"
	for _, over := range []bool{false, true} {
		whole(t, printertest.Config{Speed: 1, Heat: 4}, nil, func(r *rig) {
			r.becomes(Idle)
			profile := Presets()[0]
			profile.MaxNozzleC = 250
			r.must(r.p.SetProfile(r.Context(), profile))
			if _, err := r.p.Start(r.Context(), JobInfo{ID: "j1", Size: int64(len(text)), OverLimits: over}, io.NopCloser(strings.NewReader(text))); err != nil {
				t.Fatal(err)
			}
			snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State == Paused || s.LastJob != nil })
			if over {
				if snap.LastJob == nil || snap.LastJob.Outcome != "done" || !slices.Contains(r.sim.Executed(), "M104 S255") {
					t.Errorf("allowed: got %v, %+v", snap.State, snap.LastJob)
				}
				return
			}
			for range 2 { // Resume comes to the same line
				if snap.Fault == nil || snap.Fault.Code != FaultLimit || !strings.Contains(snap.Fault.Message, "Line 136") {
					t.Fatalf("got %v, %+v", snap.State, snap.Fault)
				}
				r.must(r.p.Resume(r.Context(), ""))
				snap = r.becomes(Paused)
			}
			if slices.Contains(r.sim.Executed(), "M104 S255") {
				t.Error("it was sent all the same")
			}
		})
	}
}

// When layerd is stopped it leaves nothing hot behind, print or no print.
func TestShutdownCools(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetNozzle(r.Context(), 0, 200))
		r.must(r.p.SetBed(r.Context(), 60))
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
		defer cancel()
		if err := r.p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
			t.Errorf("it left %g and %g °C behind", b.NozzleTargetC, b.BedTargetC)
		}
	})
}

// Stop while a firmware that M108 does not reach waits for a temperature: what it waits for is said, and the heaters go off as soon as it listens; the
// emergency stop does not wait.
func TestCancelSaysWhatItWaitsFor(t *testing.T) {
	for _, hurry := range []bool{false, true} {
		whole(t, printertest.Config{Firmware: "klipper", Speed: 1, Heat: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			r.print("j1", square(300, 240, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Nozzles[0].ActualC > 60 })
			r.must(r.p.Cancel(r.Context(), ""))
			time.Sleep(5 * time.Second)
			if s := r.now(); s.State != Cancelling || s.Waiting != "heating" {
				t.Errorf("got %v, waiting %q", s.State, s.Waiting)
			}
			if hurry {
				r.must(r.p.EmergencyStop(r.Context()))
				r.becomes(Halted)
				r.must(r.p.SetNozzle(r.Context(), 0, 0)) // cooling is allowed whatever the state
				return
			}
			r.becomes(Idle)
			if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
				t.Errorf("it ended with %g and %g °C", b.NozzleTargetC, b.BedTargetC)
			}
		})
	}
}

// Who disconnects a hot printer leaves no heat behind that nobody looks after.
func TestDisconnectCools(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetNozzle(r.Context(), 0, 200))
		r.must(r.p.SetBed(r.Context(), 60))
		time.Sleep(time.Minute)
		r.must(r.p.Disconnect(r.Context()))
		r.becomes(Disconnected)
		time.Sleep(5 * time.Second)
		if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
			t.Errorf("%g and %g °C are still wanted", b.NozzleTargetC, b.BedTargetC)
		}
	})
}

// After a fault, and while a print is stopped, nothing can be typed that heats, and after a fault nothing that moves.
func TestTypedAfterAFault(t *testing.T) {
	s := newSession(Presets()[0], nil, nil)
	s.fault = &Fault{Code: FaultFile}
	for _, c := range []struct {
		state State
		line  string
		ok    bool
	}{
		{Faulted, "M104 S200", false}, {Faulted, "M140 S60", false}, {Faulted, "M109 S0 R180", false}, {Faulted, "G28", false}, {Faulted, "G1 X10", false},
		{Faulted, "M999", false}, {Faulted, "M104 S0", true}, {Faulted, "M140 S0", true}, {Faulted, "M106 S0", true}, {Faulted, "M106 S255", false},
		{Faulted, "M105", true}, {Faulted, "M119", true}, {Faulted, "M108", true}, {Faulted, "M117 hello", true},
		{Cancelling, "M104 S200", false}, {Cancelling, "M104 S0", true},
		{Idle, "M105 M104 S250", false}, {Idle, "M104 S0 S400", false}, {Idle, `M104 "S400"`, false}, {Idle, "G53 G0 X5", true}, {Idle, "M117 M104 S400", true},
		{Printing, "M220 S0", false}, {Printing, "M220 S120", true}, {Printing, "M300 P9999999", false}, {Printing, "M290 Z-1.9", false}, {Printing, "M290 Z0.05", true},
		{Printing, "M204 P0", false}, {Printing, "M204 P500", true}, {Printing, "SET_GCODE_OFFSET X=50 MOVE=1", false}, {Printing, "SET_GCODE_OFFSET Z=-10", false},
		{Printing, "SET_GCODE_OFFSET Z_ADJUST=-0.05 MOVE=1", true}, {Printing, "SET_GCODE_OFFSET Z_ADJUST=nan", false}, {Printing, "SET_GCODE_OFFSET", true},
	} {
		s.state = c.state
		if _, err := s.typedLine(c.line); (err == nil) != c.ok {
			t.Errorf("%v: %q: %v", c.state, c.line, err)
		}
	}
}

// A fault that is none of the heat's leaves it on for a while, and then it goes off: in the midst of a wait, and where the firmware must be asked.
func TestFaultedIsAskedAndCooled(t *testing.T) {
	for _, firmware := range []string{"teacup", "marlin1", "marlin2-plain", "marlin2", "repetier", "prusa"} {
		t.Run(firmware, func(t *testing.T) {
			whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1}, nil, func(r *rig) {
				r.becomes(Idle)
				r.print("j1", "M109 S200\nG28\nG1 X5\n", nil)
				await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && len(s.Nozzles) > 0 && s.Nozzles[0].ActualC > 60 })
				r.must(r.p.ask(r.Context(), func(o *owner, now time.Time) error {
					o.fail(now, &Fault{Code: FaultFile, Message: "for the test"})
					return nil
				}))
				time.Sleep(30 * time.Minute)
				if b := r.sim.Body(); b.NozzleTargetC > 0 {
					t.Errorf("half an hour after the fault it still has %g; %v %+v", b.NozzleTargetC, r.now().State, r.now().Keeper)
				}
			})
		})
	}
}

// A cable that comes loose now and then does not keep a forgotten printer hot.
func TestLooseCableCools(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1, Baud: 115200}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetNozzle(r.Context(), 0, 200))
		for range 4 {
			time.Sleep(20 * time.Minute)
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
			time.Sleep(5 * time.Second)
		}
		if b := r.sim.Body(); b.NozzleTargetC > 0 {
			t.Errorf("%v, still %g", r.now().State, b.NozzleTargetC)
		}
	})
}

// What somebody sets in a pause counts when the print goes on, though it was switched off meanwhile.
func TestHeatOfThePauseIsBroughtBack(t *testing.T) {
	whole(t, printertest.Config{Heat: 1, Speed: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		more := make(chan struct{})
		defer close(more)
		r.print("j1", square(200, 200, true, "M83"), more)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
		r.must(r.p.Pause(r.Context(), ""))
		r.becomes(Paused)
		r.must(r.p.SetNozzle(r.Context(), 0, 230))
		time.Sleep(20 * time.Minute)
		if b := r.sim.Body(); b.NozzleTargetC != 0 {
			t.Fatal("it was not cooled")
		}
		r.must(r.p.Resume(r.Context(), ""))
		r.becomes(Printing)
		if b := r.sim.Body(); !near(b.NozzleC, 230, 2) {
			t.Errorf("goes on with %.1f °C", b.NozzleC)
		}
	})
}

// Heaters off does not wait behind what somebody has typed.
func TestShutdownBehindAFullQueue(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetBed(r.Context(), 60))
		time.Sleep(time.Minute)
		r.must(r.p.Send(r.Context(), "M109 S200"))
		time.Sleep(10 * time.Second)
		r.must(r.p.Send(r.Context(), slices.Repeat([]string{"G4 P10"}, maxTyped-1)...))
		ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
		defer cancel()
		_ = r.p.Shutdown(ctx) // the wait may outlast it
		time.Sleep(time.Second)
		if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 {
			t.Errorf("left %g and %g", b.NozzleTargetC, b.BedTargetC)
		}
	})
}

// A firmware that obeys at once is not stopped with M112 as well, whether it reports its targets or not.
func TestObeyedIsNotForced(t *testing.T) {
	for _, firmware := range []string{"marlin2", "marlin2-plain", "marlin1", "teacup", "prusa", "klipper"} {
		t.Run(firmware, func(t *testing.T) {
			whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1, Protection: "0", ResetOnOpen: true}, nil, func(r *rig) {
				r.becomes(Idle)
				r.must(r.p.SetNozzle(r.Context(), 0, 200))
				time.Sleep(3 * time.Minute)
				r.sim.Inject(printertest.Trigger{Kind: printertest.Heat, How: printertest.Open})
				r.becomes(Faulted)
				time.Sleep(10 * time.Minute)
				entries, _ := r.p.Console().Since(r.Context(), 0, 2048)
				if slices.ContainsFunc(entries, func(e Entry) bool { return e.Dir == "out" && e.Text == "M112" }) || r.sim.Body().NozzleTargetC != 0 {
					t.Errorf("target %g; %v", r.sim.Body().NozzleTargetC, entries[max(0, len(entries)-20):])
				}
			})
		})
	}
}
