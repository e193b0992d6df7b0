package printer

import (
	"errors"
	"fmt"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// shifted prints until a check has found a loss, on a machine whose homing lifts and switches the levelling off.
func shifted(t *testing.T, test func(r *rig, text string)) {
	faults, err := printertest.ParseFaults("lose@x:8:40")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(tower(12, 8, "M83"), "M109", "M420 S1 Z7\nM109", 1)
	cfg := printertest.Config{Baud: 115200, USBLatency: time.Millisecond, Speed: 1, Heat: 20, KeepExecuted: true, Homing: printertest.Homing{RaiseMM: 5}, Leveling: "bilinear", Faults: faults,
		Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}}
	whole(t, cfg, within, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.Send(r.Context(), "G28", "G29"))
		time.Sleep(10 * time.Minute)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		r.watched(text, Watch{Mode: WatchPause, SharePercent: 100})
		r.becomes(Paused)
		test(r, text)
	})
}

// since counts the lines executed behind the first n.
func (r *rig) since(n int, line string) (count int) {
	for _, l := range r.sim.Executed()[n:] {
		if strings.HasPrefix(l, line) {
			count++
		}
	}
	return count
}

// wellEnded holds that a print has gone on where it was.
func (r *rig) wellEnded(text string) {
	r.Helper()
	if snap := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Paused }); snap.LastJob == nil || snap.LastJob.Outcome != "done" {
		r.Fatalf("got %v %+v %+v", snap.State, snap.LastJob, snap.Pause)
	}
	time.Sleep(time.Minute)
	if want := ownLines(commands(text)); !slices.Equal(only(want, r.sim.Executed()), want) {
		r.Error("not every line once and in order")
	}
}

// A print of which X and Y were homed anew, and are not where they should be, goes on only when that is said: then where they are counts.
func TestRehomeThatFails(t *testing.T) {
	shifted(t, func(r *rig, text string) {
		from := len(r.sim.Executed())
		r.must(r.p.Rehome(r.Context(), ""))
		for r.since(from, "M211 S0") == 0 {
			time.Sleep(50 * time.Millisecond)
		}
		r.sim.Inject(printertest.Trigger{Kind: printertest.Lose, Axis: 'y', N: -8}) // on the way to the switches
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Job.Rehomed != nil && !s.Job.Rehomed.Running })
		if re := snap.Job.Rehomed; re.OK || !strings.Contains(re.Reason, "1.6 mm") || snap.State != Paused {
			t.Fatalf("got %+v", re)
		}
		if _, err := r.p.Resume(r.Context(), ""); !errors.Is(err, ErrRehome) || !strings.Contains(err.Error(), "1.6 mm") || r.now().State != Paused {
			t.Errorf("got %v", err)
		}
		r.must(r.p.ResumeAsItIs(r.Context(), ""))
		r.becomes(Printing)
		r.must(r.p.Pause(r.Context(), ""))
		r.becomes(Paused)
		if re := r.now().Job.Rehomed; re != nil {
			t.Errorf("another pause has %+v", re)
		}
		r.must(r.p.Resume(r.Context(), ""))
		r.wellEnded(text)
	})
}

// The connection is lost while X and Y are homed anew: the print stays, the soft limits are on again, and it goes on when it was homed once more.
func TestCableOutInRehome(t *testing.T) {
	for _, line := range []string{"M420", "G28", "M420 S1", "M211 S0", "M119"} {
		for _, long := range []time.Duration{time.Second, time.Minute} {
			t.Run(fmt.Sprint(line, " ", long), func(t *testing.T) {
				shifted(t, func(r *rig, text string) {
					before, from := r.sim.Body().State(), len(r.sim.Executed())
					r.must(r.p.Rehome(r.Context(), ""))
					for r.since(from, line) == 0 {
						time.Sleep(10 * time.Millisecond)
					}
					r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: long})
					r.becomes(Faulted)
					snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State != Faulted && s.State != Connecting || s.LastJob != nil })
					if snap.State != Paused || snap.Job.Rehomed == nil || snap.Job.Rehomed.OK || snap.Job.Rehomed.Running {
						t.Fatalf("got %v, %+v, %+v", snap.State, snap.Fault, snap.LastJob)
					}
					if _, err := r.p.Resume(r.Context(), ""); err == nil {
						t.Error("it was resumed")
					}
					time.Sleep(time.Minute)
					if !r.sim.Body().State().SoftLimits {
						t.Error("the soft limits are off")
					}
					r.must(r.p.Rehome(r.Context(), ""))
					snap = await(r.T, r.p, func(s *Snapshot) bool { return s.Job.Rehomed != nil && !s.Job.Rehomed.Running })
					after := r.sim.Body().State()
					if !snap.Job.Rehomed.OK || after.Leveling != before.Leveling || after.FadeMM != before.FadeMM || after.WorkspaceMM != before.WorkspaceMM || !after.SoftLimits {
						t.Fatalf("got %+v\nbefore %+v\nafter  %+v", snap.Job.Rehomed, before, after)
					}
					r.must(r.p.Resume(r.Context(), ""))
					r.wellEnded(text)
					if b := r.sim.Body(); !near(b.True[0], b.Believed[0], 0.001) || !near(b.True[2], b.Believed[2], 0.001) || r.sim.Counters().Collisions > 0 {
						t.Errorf("ends at %v, believed %v, %d collisions", b.True, b.Believed, r.sim.Counters().Collisions)
					}
				})
			})
		}
	}
}
