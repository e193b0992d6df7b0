package printer

import (
	"errors"
	"layerd/gcode"
	"layerd/printer/printertest"
	"strings"
	"testing"
	"time"
)

// A babystep in mid-print moves the nozzle and nothing that the job believes; its sum outlasts a pause, and the job's lines are executed as ever.
func TestBabystepWhilePrinting(t *testing.T) {
	for _, c := range []struct{ firmware, leveling string }{{"marlin2", ""}, {"marlin2", "bilinear"}, {"reprapfirmware", ""}, {"klipper", ""}} {
		text := square(2*batchLines, 200, true, "M83")
		printSquare := func(r *rig) {
			before := r.sim.Body()
			for _, by := range []float64{0.05, -0.01, -0.08} {
				r.must(r.p.Babystep(r.Context(), by))
			}
			await(r.T, r.p, func(s *Snapshot) bool { return s.Tuning.BabystepMM == -0.04 })
			if b := r.sim.Body(); !near(b.True[2], before.True[2]-0.04, 1e-6) || b.Believed != before.Believed || !near(b.BabystepMM, -0.04, 1e-9) {
				t.Errorf("%s: from %v, %v to %v, %v", c.firmware, before.True, before.Believed, b.True, b.Believed)
			}
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			r.must(r.p.Babystep(r.Context(), 0.02))
			await(r.T, r.p, func(s *Snapshot) bool { return s.Tuning.BabystepMM == -0.02 })
			r.must(r.p.Resume(r.Context(), "j1"))
			r.becomes(Printing)
			time.Sleep(10 * time.Second)
			if b := r.sim.Body(); r.now().Tuning.BabystepMM != -0.02 || !near(b.True[2], before.True[2]-0.02, 0.006) {
				t.Errorf("%s: after the pause %+v, head at %v, before at %v", c.firmware, r.now().Tuning, b.True, before.True)
			}
		}
		whole(t, printertest.Config{Firmware: c.firmware, Leveling: c.leveling, Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			more := make(chan struct{})
			r.print("j1", text, more)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
			time.Sleep(time.Minute)
			printSquare(r)
			from := len(r.sim.Executed())
			close(more)
			done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
			if got, want := len(jobLines(r.sim.Executed()[from:])), len(strings.Split(strings.TrimSpace(text), "\n"))-batchLines; done.LastJob.Outcome != "done" || got != want {
				t.Errorf("%s: %+v, %d lines executed, want %d", c.firmware, done.LastJob, got, want)
			}
		})
	}
}

// The sum is bounded, with those that are still on their way.
func TestBabystepsAreBoundedInSum(t *testing.T) {
	whole(t, printertest.Config{Firmware: "marlin2", Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.Babystep(r.Context(), 0.05); !errors.Is(err, ErrNotHomed) {
			t.Errorf("before homing: %v", err)
		}
		r.must(r.p.Home(r.Context(), ""))
		await(r.T, r.p, func(s *Snapshot) bool { return s.Homed })
		var err error
		steps := 0
		for ; err == nil && steps < 30; steps++ {
			_, err = r.p.Babystep(r.Context(), 0.2)
		}
		if !errors.Is(err, ErrLimit) || steps != 11 {
			t.Errorf("after %d steps of 0.2 mm: %v", steps, err)
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.Tuning.BabystepMM == 2 })
	})
}

// What was found in a print is kept with the probe's offset, once, and outlasts a restart of the board; not while it prints.
func TestSaveBabystep(t *testing.T) {
	whole(t, printertest.Config{Firmware: "marlin2", Leveling: "bilinear", Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.SaveBabystep(r.Context()); !errors.Is(err, ErrWrongState) {
			t.Errorf("with nothing to keep: %v", err)
		}
		r.print("j1", square(100, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 20 })
		r.must(r.p.Babystep(r.Context(), -0.05))
		if _, err := r.p.SaveBabystep(r.Context()); !errors.Is(err, ErrWrongState) || !strings.Contains(err.Error(), "end of the print") {
			t.Errorf("in mid-print: %v", err)
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil && s.State == Idle })
		if now := r.now().Tuning; now.BabystepMM != -0.05 || now.UnsavedMM != -0.05 {
			t.Fatalf("after the print: %+v", now)
		}
		r.must(r.p.SaveBabystep(r.Context()))
		if b, now := r.sim.Body(), r.now().Tuning; !near(b.ProbeZMM, -1.3, 1e-9) || now.UnsavedMM != 0 || now.BabystepMM != -0.05 {
			t.Errorf("the offset is %g, tuning %+v", b.ProbeZMM, now)
		}
		if _, err := r.p.SaveBabystep(r.Context()); !errors.Is(err, ErrWrongState) {
			t.Errorf("twice: %v", err)
		}
		r.must(r.p.Home(r.Context(), "z"))
		await(r.T, r.p, func(s *Snapshot) bool { return s.Tuning.BabystepMM == 0 && s.Tuning.UnsavedMM == 0 })
	})
	for firmware, want := range map[string]string{"marlin2": "no Z probe", "klipper": "Z_OFFSET_APPLY_PROBE", "reprapfirmware": "config.g"} {
		whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			r.must(r.p.Home(r.Context(), ""))
			await(r.T, r.p, func(s *Snapshot) bool { return s.Homed })
			r.must(r.p.Babystep(r.Context(), 0.05))
			await(r.T, r.p, func(s *Snapshot) bool { return s.Tuning.UnsavedMM == 0.05 })
			if _, err := r.p.SaveBabystep(r.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v", firmware, err)
			}
		})
	}
}

// What the firmware has by itself is asked for when somebody wants to see it.
func TestReadTuning(t *testing.T) {
	for _, c := range []struct {
		firmware string
		advance  float64 // -1 = not known
		accel    float64
		has      bool // pressure advance, afterwards
	}{{"marlin2", 0, 3000, true}, {"marlin1", -1, 3000, false}, {"prusa", 0, 0, true}, {"klipper", 0, 0, true}, {"repetier", -1, 0, false}} {
		whole(t, printertest.Config{Firmware: c.firmware, Speed: 1, Heat: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			r.must(r.p.ReadTuning(r.Context()))
			time.Sleep(time.Second)
			now := r.now().Tuning
			k := -1.0
			if now.PressureAdvance != nil {
				k = *now.PressureAdvance
			}
			if k != c.advance || now.AccelerationMMS2 != c.accel || now.HasAdvance != c.has {
				t.Errorf("%s: got %+v, advance %g", c.firmware, now, k)
			}
			if c.firmware != "marlin2" {
				return
			}
			r.must(r.p.SetPressureAdvance(r.Context(), 0, 0.08))
			r.must(r.p.SetAcceleration(r.Context(), 700))
			await(r.T, r.p, func(s *Snapshot) bool {
				return s.Tuning.AccelerationMMS2 == 700 && s.Tuning.PressureAdvance != nil && *s.Tuning.PressureAdvance == 0.08
			})
			asked := len(r.sim.Executed())
			r.must(r.p.ReadTuning(r.Context()))
			for _, l := range r.sim.Executed()[asked:] {
				if l == "M900" || l == "M204" {
					t.Errorf("%s was asked for again", l)
				}
			}
		})
	}
}

// Each firmware that has a mesh tells it, in answers that are understood; measuring one waits for homing, and for the end of a print.
func TestMeshCommands(t *testing.T) {
	for firmware, points := range map[string]int{"marlin2": 5, "klipper": 5, "prusa": 7} {
		whole(t, printertest.Config{Firmware: firmware, Leveling: "bilinear", Speed: 1, Heat: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			read, probe := MeshCommands(r.now().Connection.Dialect)
			if _, err := r.p.QueryHomed(r.Context(), probe[0]); !errors.Is(err, ErrNotHomed) {
				t.Errorf("%s, not homed: %v", firmware, err)
			}
			r.must(r.p.Home(r.Context(), ""))
			await(r.T, r.p, func(s *Snapshot) bool { return s.Homed })
			asked := time.Now()
			if _, err := r.p.QueryHomed(r.Context(), probe[0]); err != nil || time.Since(asked) < 10*time.Second {
				t.Errorf("%s: %v after %v", firmware, err, time.Since(asked))
			}
			said, err := r.p.Query(r.Context(), read[0])
			if err != nil {
				t.Fatal(err)
			}
			mesh, err := gcode.ParseMesh(said)
			if err != nil || len(mesh.Rows) != points || mesh.Rows[0][0] != 0.04 || mesh.Rows[points-1][points-1] != 0.13 {
				t.Errorf("%s: %v, %v", firmware, mesh, err)
			}
			r.print("j1", square(100, 200, true, "M83"), nil)
			if _, err := r.p.QueryHomed(r.Context(), probe[0]); !errors.Is(err, ErrWrongState) {
				t.Errorf("%s, printing: %v", firmware, err)
			}
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 20 })
			if said, err := r.p.Query(r.Context(), read[0]); err != nil || len(said) < points {
				t.Errorf("%s, asked in mid-print: %q, %v", firmware, said, err)
			}
			if _, err := r.p.QueryIdle(r.Context(), "M503"); !errors.Is(err, ErrWrongState) {
				t.Errorf("%s, printing: %v", firmware, err)
			}
		})
	}
	if read, probe := MeshCommands("repetier"); read != nil || probe != nil {
		t.Errorf("repetier: %v, %v", read, probe)
	}
}

// On a bad cable each babystep is done once, and the sum that is shown is the one that is in force.
func TestBabystepsOnABadCable(t *testing.T) {
	done := 0
	for seed := range uint64(6) {
		cfg := printertest.Config{Firmware: "marlin2", AdvancedOK: seed%2 == 0, Baud: 115200, Speed: 1, Heat: 4, Seed: seed,
			Faults: printertest.Faults{Flip: 5e-4, LostOK: 0.01, DoubleOK: 0.01}}
		whole(t, cfg, nil, func(r *rig) {
			r.becomes(Idle)
			r.print("j1", square(600, 200, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 20 })
			asked := 0.0
			for i := range 40 {
				by := []float64{0.05, -0.01, 0.02, -0.05}[i%4]
				if _, err := r.p.Babystep(r.Context(), by); err != nil {
					t.Fatalf("seed %d: step %d: %v", seed, i, err)
				}
				asked = round(asked + by)
				time.Sleep(time.Second)
			}
			end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Faulted || s.Fault != nil })
			if end.Fault != nil { // a named fault is an answer too, and then nobody claims a sum
				return
			}
			if done++; r.now().Link.Resends == 0 {
				t.Errorf("seed %d: the cable was not bad", seed)
			}
			if b := r.sim.Body(); !near(b.BabystepMM, asked, 1e-9) || end.Tuning.BabystepMM != asked {
				t.Errorf("seed %d: asked for %g, in force %g, shown %g", seed, asked, b.BabystepMM, end.Tuning.BabystepMM)
			}
		})
	}
	if done < 4 {
		t.Errorf("%d of 6 prints came to their end", done)
	}
}
