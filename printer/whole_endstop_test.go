package printer

import (
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// usualSwitches are those of the pretend printer, as a calibration would find them.
func usualSwitches(machine string, limits bool) Switches {
	one := Switch{Usable: true, SpreadMM: 0.01, OvertravelMM: 0.8, ThresholdMM: 0.35}
	if limits {
		one.LimitsMM = &[2]float64{0, 220}
	}
	return Switches{X: one, Y: one, MadeMS: 1, Machine: machine}
}

// watched begins a job with a watch.
func (r *rig) watched(text string, w Watch) {
	r.Helper()
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	r.must(r.p.Start(r.Context(), JobInfo{ID: "j1", File: "a.gcode", Size: int64(len(text)), Survey: survey, Watch: w}, io.NopCloser(strings.NewReader(text))))
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
						t.Log(snap.Job.Check.TookS)
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

var _ = rand.Int
