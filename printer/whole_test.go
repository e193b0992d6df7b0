package printer

import (
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// rig is a whole Printer on a pretend one, in a bubble of its own time.
type rig struct {
	*testing.T
	p   *Printer
	sim *printertest.Sim
}

// whole runs test with a Printer on the pretend one that cfg describes. Both must have ended without leaving a goroutine.
func whole(t *testing.T, cfg printertest.Config, change func(*Config), test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.KeepExecuted = true
		sim, err := printertest.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		p, stop := run(t, sim, change)
		defer stop()
		test(&rig{t, p, sim})
	})
}

func (r *rig) now() *Snapshot { s, _ := r.p.Snapshots().Get(); return s }

// becomes waits for a state.
func (r *rig) becomes(want State) *Snapshot {
	r.Helper()
	return await(r.T, r.p, func(s *Snapshot) bool { return s.State == want })
}

// must fails the test if a command is refused.
func (r *rig) must(_ uint64, err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// paper is a job's file: it counts how often it is closed.
type paper struct {
	io.Reader
	closed atomic.Int32
}

func (p *paper) Close() error { p.closed.Add(1); return nil }

// print starts a job of text, of which only the first part is there until more is closed (nil: all is).
func (r *rig) print(id, text string, more <-chan struct{}) *paper {
	r.Helper()
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	src := &paper{Reader: strings.NewReader(text)}
	if more != nil {
		src.Reader = &gate{text: text, lines: batchLines, more: more}
	}
	if _, err := r.p.Start(r.Context(), JobInfo{ID: id, File: "a.gcode", Size: int64(len(text)), Survey: survey}, src); err != nil {
		r.Fatal(err)
	}
	return src
}

// gate lets the first lines of a text through, and the rest when more is closed.
type gate struct {
	text  string
	lines int
	more  <-chan struct{}
}

func (g *gate) Read(b []byte) (int, error) {
	if g.lines == 0 {
		<-g.more
	}
	if g.text == "" {
		return 0, io.EOF
	}
	n := len(g.text)
	if g.lines > 0 {
		n = strings.IndexByte(g.text, '\n') + 1
		g.lines--
	}
	n = copy(b, g.text[:n])
	g.text = g.text[n:]
	return n, nil
}

// square is a job of n moves around a square, after heating and homing. Lines that begin with mode set it up.
func square(n int, nozzleC float64, relE bool, mode ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "G28\nM140 S60\nM109 S%g\nM106 S128\n%s\nG92 E0\n", nozzleC, strings.Join(mode, "\n"))
	scale := 1.0
	if slices.Contains(mode, "G20") {
		scale = 1 / 25.4
	}
	for i := range n {
		e := float64(i+1) * 0.5 * scale
		if relE {
			e = 0.5 * scale
		}
		x, y := []float64{50, 80, 80, 50}[i%4], []float64{50, 50, 80, 80}[i%4]
		if i == 0 {
			fmt.Fprintf(&b, "G1 Z%.4f F%.2f\n", 0.3*scale, 600*scale)
		}
		fmt.Fprintf(&b, "G1 X%.4f Y%.4f E%.4f", x*scale, y*scale, e)
		if i == 0 {
			fmt.Fprintf(&b, " F%.2f", 3000*scale)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// A pause in mid-print lifts, retracts and parks; resume brings back place, filament, feed and modes, so that what is printed in the end is
// what is printed without a pause.
func TestPauseAndResume(t *testing.T) {
	for _, c := range []struct {
		name, firmware string
		relE           bool
		mode           []string
	}{
		{"absolute", "marlin2", false, []string{"G90", "M82"}},
		{"relative-e", "marlin2", true, []string{"G90", "M83"}},
		{"inches", "marlin2", false, []string{"G20", "G90", "M82"}},
		{"inches-relative-e", "marlin2", true, []string{"G20", "G90", "M83"}},
		{"polled", "marlin1", true, []string{"M83"}},
		{"prusa", "prusa", true, []string{"M83"}},
		{"repetier", "repetier", false, []string{"G90", "M82"}},
		{"reprapfirmware", "reprapfirmware", true, []string{"G90", "M83"}},
		{"klipper", "klipper", true, []string{"G90", "M83"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := square(2*batchLines, 200, c.relE, c.mode...)
			plain := printSquare(t, c.firmware, text, nil)
			paused := printSquare(t, c.firmware, text, func(r *rig) { pauseAndResume(r) })
			for i, axis := range "XYZE" {
				if !near(plain.Believed[i], paused.Believed[i], 0.006) {
					t.Errorf("%c ends at %.4f, without a pause at %.4f", axis, paused.Believed[i], plain.Believed[i])
				}
			}
			if !near(plain.ExtrudedMM, paused.ExtrudedMM, 0.011) {
				t.Errorf("%.4f mm of filament, without a pause %.4f", paused.ExtrudedMM, plain.ExtrudedMM)
			}
			if plain.FanPercent != paused.FanPercent || plain.NozzleTargetC != paused.NozzleTargetC || plain.BedTargetC != paused.BedTargetC {
				t.Errorf("got fan and targets of %+v, want those of %+v", paused, plain)
			}
		})
	}
}

// printSquare prints text, with an interruption when its first lines are done, and returns the body at the end.
func printSquare(t *testing.T, firmware, text string, interrupt func(*rig)) (body printertest.Body) {
	whole(t, printertest.Config{Firmware: firmware, Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		r.becomes(Idle)
		more := make(chan struct{})
		r.print("j1", text, more)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
		time.Sleep(time.Minute) // the planner has run empty
		if interrupt != nil {
			interrupt(r)
		}
		from := len(r.sim.Executed())
		close(more)
		done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		body = r.sim.Body()
		if done.LastJob.Outcome != "done" || done.LastJob.Percent != 100 {
			t.Fatalf("got %+v, fault %v", done.LastJob, done.Fault)
		}
		var want []string
		for _, l := range strings.Split(strings.TrimSpace(text), "\n")[batchLines:] {
			want = append(want, l)
		}
		if got := jobLines(r.sim.Executed()[from:]); !slices.Equal(got, want) {
			t.Errorf("after the gap it executed %d commands, want %d:\ngot  %.300q\nwant %.300q", len(got), len(want), got, want)
		}
		// The end is when the machine stands still, not when the last line is accepted.
		if time.Sleep(time.Minute); r.sim.Body().Believed != body.Believed {
			t.Errorf("it still moved when the print was called done: at %v, then at %v", body.Believed, r.sim.Body().Believed)
		}
	})
	return body
}

func pauseAndResume(r *rig) {
	before := r.sim.Body()
	asked := time.Now()
	r.must(r.p.Pause(r.Context(), "j1"))
	if got := r.now().State; got != Pausing {
		r.Errorf("the command was answered in state %v, want pausing", got)
	}
	snap := r.becomes(Paused)
	if took := time.Since(asked); took > 20*time.Second {
		r.Errorf("the pause took %v", took)
	}
	parked, profile := r.sim.Body(), Presets()[0]
	if !near(parked.True[0], profile.ParkXMM, 0.01) || !near(parked.True[1], profile.ParkYMM, 0.01) || !near(parked.True[2], before.True[2]+profile.LiftMM, 0.01) {
		r.Errorf("parked at %v, from %v", parked.True, before.True)
	}
	if !near(parked.ExtrudedMM, before.ExtrudedMM-profile.RetractMM, 0.001) {
		r.Errorf("%.3f mm of filament at the pause, %.3f before", parked.ExtrudedMM, before.ExtrudedMM)
	}
	if elapsed := snap.Job.ElapsedS; elapsed <= 0 {
		r.Errorf("got %g s elapsed", elapsed)
	} else if time.Sleep(time.Hour); r.now().Job.ElapsedS > elapsed+1 {
		r.Errorf("the clock of the print ran on in the pause: %g, then %g", elapsed, r.now().Job.ElapsedS)
	}
	r.must(r.p.Resume(r.Context(), "j1"))
	if got := r.now().State; got != Resuming {
		r.Errorf("the command was answered in state %v, want resuming", got)
	}
	r.becomes(Printing)
	time.Sleep(10 * time.Second)
	after := r.sim.Body()
	for i, axis := range "XYZE" {
		if !near(before.Believed[i], after.Believed[i], 0.006) {
			r.Errorf("%c is at %.4f after the pause, was at %.4f", axis, after.Believed[i], before.Believed[i])
		}
	}
	if !near(before.ExtrudedMM, after.ExtrudedMM, 0.001) || before.FanPercent != after.FanPercent {
		r.Errorf("after the pause %.4f mm of filament and fan %g, before %.4f and %g", after.ExtrudedMM, after.FanPercent, before.ExtrudedMM, before.FanPercent)
	}
}

// Heat that a person switched off in the pause comes back; a target that they changed stays.
func TestResumeReheats(t *testing.T) {
	for _, c := range []struct{ set, want float64 }{{0, 200}, {215, 215}} {
		whole(t, printertest.Config{Heat: 1, Speed: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			more := make(chan struct{})
			defer close(more)
			r.print("j1", square(200, 200, true, "M83"), more)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
			r.must(r.p.Pause(r.Context(), ""))
			r.becomes(Paused)
			r.must(r.p.SetNozzle(r.Context(), 0, c.set))
			time.Sleep(10 * time.Minute)
			r.must(r.p.Resume(r.Context(), ""))
			r.becomes(Printing)
			if b := r.sim.Body(); !near(b.NozzleC, c.want, 2) || b.BedTargetC != 60 {
				t.Errorf("set to %g in the pause: resumed at %.1f °C, want %g", c.set, b.NozzleC, c.want)
			}
		})
	}
}

// While the nozzle heats up a pause waits for that, and a cancel does not.
func TestPauseAndCancelWhileHeating(t *testing.T) {
	for _, firmware := range []string{"marlin2", "marlin2-plain"} {
		whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1}, nil, func(r *rig) {
			r.becomes(Idle)
			src := r.print("j1", square(300, 200, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Waiting == "heating" })
			r.must(r.p.Pause(r.Context(), "j1"))
			if time.Sleep(5 * time.Second); r.now().State != Pausing {
				t.Errorf("%s: got %v while the nozzle heats, want pausing", firmware, r.now().State)
			}
			r.becomes(Paused)
			if b := r.sim.Body(); !near(b.NozzleC, 200, 3) || !near(b.True[0], 5, 0.01) {
				t.Errorf("%s: paused at %.1f °C and %v", firmware, b.NozzleC, b.True)
			}
			r.must(r.p.Cancel(r.Context(), "j1"))
			r.becomes(Idle)
			time.Sleep(time.Minute) // it cools a little

			src2 := r.print("j2", square(300, 240, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Waiting == "heating" })
			asked := time.Now()
			r.must(r.p.Cancel(r.Context(), "j2"))
			r.becomes(Idle)
			if took := time.Since(asked); took > 30*time.Second || r.sim.Body().NozzleTargetC != 0 || r.sim.Body().NozzleC > 235 {
				t.Errorf("%s: the cancel took %v, nozzle at %.1f °C", firmware, took, r.sim.Body().NozzleC)
			}
			if src.closed.Load() != 1 || src2.closed.Load() != 1 {
				t.Errorf("%s: the files were closed %d and %d times", firmware, src.closed.Load(), src2.closed.Load())
			}
		})
	}
}

// From every state of a job a cancel ends in Idle: cold, parked, motors off, and the file closed once.
func TestCancel(t *testing.T) {
	type arrival struct {
		name string
		do   func(r *rig)
	}
	pause := func(r *rig) { r.must(r.p.Pause(r.Context(), "")) }
	at := func(line int64) func(*rig) {
		return func(r *rig) { await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= line }) }
	}
	for _, a := range []arrival{
		{"starting", func(*rig) {}},
		{"printing", at(40)},
		{"pausing", func(r *rig) { at(40)(r); pause(r) }},
		{"pausing, half parked", func(r *rig) {
			at(40)(r)
			pause(r)
			await(r.T, r.p, func(s *Snapshot) bool {
				return slices.ContainsFunc(r.sim.Executed(), func(l string) bool { return strings.HasPrefix(l, "G1 E-2") })
			})
		}},
		{"paused", func(r *rig) { at(40)(r); pause(r); r.becomes(Paused) }},
		{"resuming", func(r *rig) { at(40)(r); pause(r); r.becomes(Paused); r.must(r.p.Resume(r.Context(), "")) }},
		{"resuming, back at the print", func(r *rig) {
			at(40)(r)
			pause(r)
			z := r.becomes(Paused).Position.ZMM
			r.must(r.p.Resume(r.Context(), ""))
			for r.sim.Body().True[2] > z+1 {
				time.Sleep(10 * time.Millisecond)
			}
		}},
	} {
		for _, firmware := range []string{"marlin2", "marlin1", "repetier", "klipper", "reprapfirmware"} {
			t.Run(a.name+"/"+firmware, func(t *testing.T) {
				whole(t, printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 4}, nil, func(r *rig) {
					r.becomes(Idle)
					r.must(r.p.Home(r.Context(), ""))
					time.Sleep(time.Minute)
					src := r.print("j1", square(500, 200, true, "M83"), nil)
					a.do(r)
					r.must(r.p.Cancel(r.Context(), "j1"))
					if got := r.now().State; got != Cancelling {
						t.Errorf("the command was answered in state %v, want cancelling", got)
					}
					snap := r.becomes(Idle)
					b, profile := r.sim.Body(), Presets()[0]
					if b.NozzleTargetC != 0 || b.BedTargetC != 0 || b.FanPercent != 0 || b.Motors {
						t.Errorf("left with targets %g and %g, fan %g, motors %v", b.NozzleTargetC, b.BedTargetC, b.FanPercent, b.Motors)
					}
					if !near(b.True[0], profile.ParkXMM, 0.01) || !near(b.True[1], profile.ParkYMM, 0.01) {
						t.Errorf("parked at %v", b.True)
					}
					if snap.LastJob == nil || snap.LastJob.ID != "j1" || snap.LastJob.Outcome != "cancelled" || snap.Job != nil || snap.Homed {
						t.Errorf("got last job %+v, homed %v", snap.LastJob, snap.Homed)
					}
					if n := src.closed.Load(); n != 1 {
						t.Errorf("the file was closed %d times", n)
					}
					if _, err := r.p.Pause(r.Context(), "j1"); !errors.Is(err, ErrOtherJob) {
						t.Errorf("a tap that came too late: got %v, want %v", err, ErrOtherJob)
					}
				})
			})
		}
	}
}
