package printer

import (
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// tower is a job of layers, each a few moves that stand nowhere else in it, after heating and homing. The file pulls back before each layer but the first, as slicers do. Lines of
// mode set it up.
func tower(layers, moves int, mode ...string) string {
	scale, relE := 1.0, slices.Contains(mode, "M83")
	if slices.Contains(mode, "G20") {
		scale = 1 / 25.4
	}
	var b strings.Builder
	fmt.Fprintf(&b, "G28\nM109 S200\nM106 S128\n%s\nG92 E0\nG1 F%.2f\n", strings.Join(mode, "\n"), 3000*scale)
	e, n := 0.0, 0
	push := func(form string, by float64, args ...any) {
		if e += by; relE {
			e = by
		}
		fmt.Fprintf(&b, form+" E%.4f\n", append(args, e*scale)...)
	}
	for l := range layers {
		if l > 0 {
			push("G1", -0.7)
		}
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.4f\n", l, (0.3+0.2*float64(l))*scale)
		if l > 0 {
			push("G1", 0.7)
		}
		for i := range moves {
			n++
			x, y := []float64{50, 80, 80, 50}[i%4], []float64{50, 50, 80, 80}[i%4]
			push("G1 X%.4f Y%.4f", 0.5, (x+float64(n)*0.01)*scale, y*scale)
		}
	}
	return b.String()
}

// ownLines are the moves of a job, which are nobody else's.
func ownLines(job []string) []string {
	return slices.DeleteFunc(slices.Clone(job), func(l string) bool { return !strings.HasPrefix(l, "G1 ") || strings.HasPrefix(l, "G1 F") })
}

// start begins a job with shots.
func (r *rig) start(text string, shots Shots) {
	r.Helper()
	r.begin(text, JobInfo{Shots: shots})
}

// begin begins the job j1, with what else info says of it.
func (r *rig) begin(text string, info JobInfo) {
	r.Helper()
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	info.ID, info.File, info.Size, info.Survey = "j1", "a.gcode", int64(len(text)), survey
	r.must(r.p.Start(r.Context(), info, io.NopCloser(strings.NewReader(text))))
}

// interrupted holds what a job has come to that something came into: it ended as it should, cold where it did not go on, and else every line of want was executed
// once and in order, and what stands on the bed is what is there when nothing comes into it.
func (r *rig) interrupted(done bool, want []string, plain func(printertest.Body) printertest.Body) {
	r.Helper()
	end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
	if (end.LastJob.Outcome == "done") != done {
		r.Fatalf("got %+v, fault %v", end.LastJob, end.Fault)
	}
	time.Sleep(time.Minute) // the moves end
	b := r.sim.Body()
	if !done {
		if b.NozzleTargetC != 0 || b.BedTargetC != 0 {
			r.Errorf("left with targets of %g and %g °C", b.NozzleTargetC, b.BedTargetC)
		}
		return
	}
	if got := only(want, r.sim.Executed()); !slices.Equal(got, want) {
		r.Errorf("executed %d lines of %d, or in another order", len(got), len(want))
	}
	sameTrail(r.T, b, plain(b))
}

// stands waits for the next shot after n.
func (r *rig) stands(n int) *Snapshot {
	r.Helper()
	return await(r.T, r.p, func(s *Snapshot) bool {
		return s.LastJob != nil || s.Job != nil && s.Job.Shot != nil && s.Job.Shot.Still && s.Job.Shot.N > n
	})
}

// photographed prints text and takes each picture, and returns how many, and the body at the end.
func photographed(t *testing.T, firmware, text string, shots Shots) (n int, body printertest.Body) {
	whole(t, printertest.Config{Firmware: firmware, Baud: 250000, Speed: 1, Heat: 20}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		profile, want := Presets()[0], ownLines(commands(text))
		r.becomes(Idle)
		r.start(text, shots)
		for {
			snap := r.stands(n)
			if snap.LastJob != nil {
				break
			}
			n++
			shot, before := *snap.Job.Shot, r.sim.Body()
			if shot.N != n || shot.Layer != n || snap.State != Printing || snap.Job.Layer != n {
				t.Errorf("shot %d is %+v, in %v, layer %d", n, shot, snap.State, snap.Job.Layer)
			}
			time.Sleep(200 * time.Millisecond)
			at := r.sim.Body()
			if at.Believed != before.Believed || at.FanPercent != before.FanPercent {
				t.Errorf("shot %d: it moved from %v to %v while it was said to stand", n, before.Believed, at.Believed)
			}
			z := 0.3 + 0.2*float64(n-1)
			parked := near(at.True[0], profile.ParkXMM, 0.01) && near(at.True[1], profile.ParkYMM, 0.01) && near(at.True[2], z+shotLiftMM, 0.01)
			if parked != (shots.Mode == ShotsPark) || !parked && !near(at.True[2], z, 0.01) {
				t.Errorf("shot %d was at %v", n, at.True)
			}
			r.must(r.p.ShotTaken(r.Context(), "j1", n))
		}
		body = r.sim.Body()
		if o := r.now().LastJob; o.Outcome != "done" || o.StarvedS != 0 {
			t.Errorf("got %+v", o)
		}
		if got := only(want, r.sim.Executed()); !slices.Equal(got, want) {
			t.Errorf("executed %d lines of %d, or in another order", len(got), len(want))
		}
	})
	return n, body
}

// With a picture at each layer the print is what it is without: the same paths in the same places, the same filament, and the same at its end.
func TestShotsChangeNothing(t *testing.T) {
	for _, c := range []struct {
		firmware string
		mode     []string
	}{
		{"marlin2", []string{"G90", "M82"}}, {"marlin2", []string{"G90", "M83"}}, {"marlin2", []string{"G20", "G90", "M82"}}, {"marlin2", []string{"G20", "G90", "M83"}},
		{"marlin1", []string{"M83"}}, {"prusa", []string{"M83"}}, {"repetier", []string{"G90", "M82"}}, {"reprapfirmware", []string{"G90", "M83"}},
		{"smoothie", []string{"G90", "M83"}}, {"klipper", []string{"G90", "M82"}}, {"klipper", []string{"G90", "M83"}},
	} {
		t.Run(fmt.Sprint(c.firmware, c.mode), func(t *testing.T) {
			text := tower(6, 12, c.mode...)
			_, plain := photographed(t, c.firmware, text, Shots{})
			for _, mode := range []ShotMode{ShotsStill, ShotsPark} {
				n, got := photographed(t, c.firmware, text, Shots{Mode: mode})
				if n != 5 {
					t.Errorf("%s: %d shots of 6 layers, want 5", mode, n)
				}
				if sameTrail(t, got, plain); len(got.Trail) != 6*12 || got.FanPercent != plain.FanPercent || got.NozzleTargetC != 200 {
					t.Errorf("%s: %d extrusions, fan %g, target %g", mode, len(got.Trail), got.FanPercent, got.NozzleTargetC)
				}
			}
		})
	}
}

// The print waits for a picture 1.5 s at most, whoever answers or does not; and who answers late, or another shot, changes nothing.
func TestShotWaitsForNobody(t *testing.T) {
	for _, mode := range []ShotMode{ShotsStill, ShotsPark} {
		whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 20}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			r.start(tower(6, 12, "M83"), Shots{Mode: mode})
			over := func(n int) time.Duration {
				from := time.Now()
				snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Job.Shot.N == n && !s.Job.Shot.Still })
				if snap.State != Printing {
					t.Errorf("got %v after shot %d", snap.State, n)
				}
				return time.Since(from)
			}
			r.stands(0)
			r.must(r.p.ShotTaken(r.Context(), "j1", 2))
			r.must(r.p.ShotTaken(r.Context(), "j0", 1))
			r.must(r.p.ShotTaken(r.Context(), "", 1))
			if got := over(1); got != shotHold {
				t.Errorf("%s: it stood for %v, want %v", mode, got, shotHold)
			}
			r.must(r.p.ShotTaken(r.Context(), "j1", 1)) // late
			r.stands(1)
			r.must(r.p.ShotTaken(r.Context(), "j1", 1)) // later
			time.Sleep(300 * time.Millisecond)
			if !r.now().Job.Shot.Still {
				t.Errorf("%s: a picture of before ended the shot", mode)
			}
			r.must(r.p.ShotTaken(r.Context(), "j1", 2))
			if got := over(2); got != 0 {
				t.Errorf("%s: it stood for %v after the picture", mode, got)
			}
			r.stands(2)
			r.must(r.p.SetShots(r.Context(), "j1", Shots{})) // no more of them
			if got := over(3); got != 0 {
				t.Errorf("%s: it stood for %v after it was switched off", mode, got)
			}
			end := r.stands(3)
			if end.LastJob == nil || end.LastJob.Outcome != "done" || end.LastJob.StarvedS != 0 {
				t.Errorf("%s: got %+v, want no shot any more", mode, end.Job)
			}
			r.must(r.p.ShotTaken(r.Context(), "j1", 3)) // when all is over
		})
	}
}

// Shots keep their distance in time, and begin where they are wanted in mid-print.
func TestShotsKeepTheirDistance(t *testing.T) {
	whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 20}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.SetShots(r.Context(), "", Shots{}); !errors.Is(err, ErrWrongState) {
			t.Errorf("without a print: got %v", err)
		}
		r.start(tower(30, 12, "M83"), Shots{})
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 3 })
		for _, wrong := range []Shots{{Mode: "sideways"}, {Mode: ShotsPark, EveryS: -1}, {Mode: ShotsPark, EveryS: 90000}} {
			if _, err := r.p.SetShots(r.Context(), "j1", wrong); !errors.Is(err, ErrLimit) {
				t.Errorf("%+v: got %v", wrong, err)
			}
		}
		if _, err := r.p.SetShots(r.Context(), "j0", Shots{}); !errors.Is(err, ErrOtherJob) {
			t.Errorf("another job: got %v", err)
		}
		r.must(r.p.SetShots(r.Context(), "j1", Shots{Mode: ShotsStill, EveryS: 20}))
		var at []int64
		for {
			snap := r.stands(len(at))
			if snap.LastJob != nil {
				break
			}
			shot := snap.Job.Shot
			if at = append(at, shot.AtMS); len(at) == 1 && shot.Layer > 4 || len(at) > 1 && shot.AtMS-at[len(at)-2] < 20000 {
				t.Errorf("shot %+v after those at %d", shot, at)
			}
			r.must(r.p.ShotTaken(r.Context(), "j1", shot.N))
		}
		if len(at) < 4 || len(at) > 12 {
			t.Errorf("%d shots of 27 layers", len(at))
		}
	})
}

// Whatever comes into a shot, at each of its lines: the print goes on where it was, or ends as it would without a shot.
func TestInterruptedShots(t *testing.T) {
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
			if got := r.now(); got.State != Pausing && got.State != Paused || got.Job.Shot != nil && got.Job.Shot.Still {
				r.Errorf("the pause was answered in %v, shot %+v", got.State, got.Job.Shot)
			}
			r.becomes(Paused)
			if b := r.sim.Body(); !near(b.True[0], 5, 0.01) || !near(b.True[2], 0.3+Presets()[0].LiftMM, 0.01) {
				r.Errorf("paused at %v", b.True)
			}
			time.Sleep(time.Minute)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"the firmware's wish", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Runout, Host: true})
			r.becomes(Paused)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"the firmware's pause", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Runout}) // M600 comes in between
			if snap := r.becomes(Paused); !snap.Pause.Held || snap.Job.Shot != nil && snap.Job.Shot.Still {
				r.Errorf("got pause %+v, shot %+v", snap.Pause, snap.Job.Shot)
			}
			time.Sleep(time.Minute)
			r.must(r.p.Resume(r.Context(), "j1"))
		}, true},
		{"typed", func(r *rig) { r.must(r.p.Send(r.Context(), "M221 S100", "M117 hello", "M290 Z0")) }, true},
		{"cable out and in", func(r *rig) {
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
			r.becomes(Faulted)
			if shot := r.now().Job.Shot; shot != nil && shot.Still {
				r.Errorf("lost, and still %+v", shot)
			}
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
		{"emergency stop", func(r *rig) { r.must(r.p.EmergencyStop(r.Context())); r.becomes(Halted) }, false},
	} {
		for at := 0; at < 15; at += 4 / few(4) {
			t.Run(fmt.Sprint(c.name, "/", at), func(t *testing.T) {
				whole(t, printertest.Config{Baud: 115200, USBLatency: time.Millisecond, Speed: 1, Heat: 20}, within, func(r *rig) {
					r.becomes(Idle)
					r.start(text, Shots{Mode: ShotsPark})
					await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 1 })
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
				})
			})
		}
	}
}

// shotAt reports whether so many lines were executed since the first shot began.
func shotAt(executed []string, lines int) bool {
	i := slices.Index(executed, "M400")
	return i >= 0 && len(executed) > i+lines
}

// sameTrail compares what two prints have extruded, and where.
func sameTrail(t *testing.T, got, want printertest.Body) {
	t.Helper()
	if len(got.Trail) != len(want.Trail) {
		t.Errorf("%d extrusions, want %d", len(got.Trail), len(want.Trail))
		return
	}
	for i, s := range got.Trail {
		for axis := range 3 {
			if !near(s.From[axis], want.Trail[i].From[axis], 0.002) || !near(s.To[axis], want.Trail[i].To[axis], 0.002) {
				t.Errorf("extrusion %d is %v, want %v", i, s, want.Trail[i])
				return
			}
		}
	}
	if !near(got.ExtrudedMM, want.ExtrudedMM, 0.001) || !near(got.Believed[3], want.Believed[3], 0.001) {
		t.Errorf("%.4f mm of filament, E %.4f; want %.4f and %.4f", got.ExtrudedMM, got.Believed[3], want.ExtrudedMM, want.Believed[3])
	}
}
