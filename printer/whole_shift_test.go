package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// slowLayers is a job whose layers take so many minutes: a fourth of the time a wall, then infill in lines to which the head travels. Only a line of infill has F601.
func slowLayers(marked bool, minutes ...float64) string {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nG90\nM83\n")
	for l, m := range minutes {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.2f F600\n", l, 0.3+0.2*float64(l))
		lines := int(m * 60 / 8) // 80 mm at 10 mm/s
		if marked {
			b.WriteString(";TYPE:External perimeter\n")
		}
		for i := range lines / 4 {
			fmt.Fprintf(&b, "G1 X%d Y%d E2 F600\n", []int{150, 150, 70, 70}[i%4], []int{70, 150, 150, 70}[i%4])
		}
		if marked {
			b.WriteString(";TYPE:Internal infill\n")
		}
		for i := range lines - lines/4 {
			fmt.Fprintf(&b, "G1 X75 Y%.1f F6000\nG1 X145 Y%.1f E2 F601\n", 75+0.5*float64(i%100), 75.2+0.5*float64(i%100))
		}
	}
	return b.String()
}

// However long layers take, no loss goes unseen for more than eight minutes where that can be: before a layer that would end too late there is a check, and in one that
// takes longer by itself there are checks in its infill, to which the head comes back exactly.
func TestChecksInLongLayers(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		worst time.Duration // between the ends of two checks
		most  float64       // per cent of the time
	}{
		"5.5 minutes":            {slowLayers(false, 1, 5.5, 5.5, 3, 5.5, 0.5, 5.5), 8*time.Minute + 5*time.Second, 3.1},
		"20 minutes":             {slowLayers(true, 12, 20, 20), 8*time.Minute + 5*time.Second, 1.7},
		"20 minutes, no feature": {slowLayers(false, 1, 20, 20), 22 * time.Minute, 0.8},
	} {
		t.Run(name, func(t *testing.T) {
			print := func(w Watch) (body printertest.Body) {
				whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, KeepExecuted: true, Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}}, nil, func(r *rig) {
					r.becomes(Idle)
					r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
					r.watched(c.text, w)
					last, worst, n := time.Time{}, time.Duration(0), 0
					for snap := r.checkedAfter(0); snap.LastJob == nil; snap = r.checkedAfter(n) {
						ch := snap.Job.Check
						if n = ch.N; ch.Verdict != CheckRight {
							t.Fatalf("got %+v", ch)
						}
						at := time.UnixMilli(ch.AtMS)
						if !last.IsZero() {
							worst = max(worst, at.Sub(last))
						}
						last = at
						if share := 100 * snap.Job.ChecksS / snap.Job.ElapsedS; n > 3 && share > c.most {
							t.Errorf("check %d: %.2f %% of the time", n, share)
						}
					}
					body = r.sim.Body()
					done, want := r.sim.Executed(), ownLines(commands(c.text))
					inside := r.leavesUnseen(done, commands(c.text))
					if w.Mode == WatchPause {
						t.Logf("%d checks, %d of them in a layer, at most %v apart", n, inside, worst)
						if n < 2 || worst > c.worst || (inside > 0) != strings.Contains(c.text, "TYPE:") {
							t.Errorf("%d checks, %d of them in a layer, at most %v apart", n, inside, worst)
						}
					}
					if !slices.Equal(only(want, done), want) || r.sim.Counters().Collisions > 0 {
						t.Errorf("not each line once and in order, or %d collisions", r.sim.Counters().Collisions)
					}
				})
				return body
			}
			plain, got := print(Watch{}), print(Watch{Mode: WatchPause})
			if sameTrail(t, got, plain); got.State() != plain.State() {
				t.Errorf("checked %+v\nplain   %+v", got.State(), plain.State())
			}
		})
	}
}

// leavesUnseen holds that the job goes on after each check with a new layer or a line of infill, and counts the latter.
func (r *rig) leavesUnseen(done, own []string) (inside int) {
	r.Helper()
	for i, l := range done {
		if l != "M211 S1" {
			continue
		}
		next := slices.IndexFunc(done[i:], func(l string) bool {
			return slices.Contains(own, l) && strings.HasPrefix(l, "G1 ") && strings.Contains(l, "F6")
		})
		switch {
		case next >= 0 && strings.HasSuffix(done[i+next], "F601"):
			inside++
		case next >= 0 && !strings.HasPrefix(done[i+next], "G1 Z"):
			r.Errorf("after a check comes %s", done[i+next])
		}
	}
	return inside
}

// A check that is asked for does not wait for the end of a long layer.
func TestAskedInALongLayer(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, KeepExecuted: true}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		text := slowLayers(true, 1, 20, 1)
		r.watched(text, Watch{Mode: WatchPause})
		r.checkedAfter(0)
		time.Sleep(6 * time.Minute) // behind the wall
		asked := time.Now()
		r.must(r.p.CheckNow(r.Context(), "", CheckSuspicion))
		snap := r.checkedAfter(1)
		if c := snap.Job.Check; c.Verdict != CheckRight || c.Why != CheckSuspicion || c.Layer != 1 || time.Since(asked) > 3*time.Minute {
			t.Errorf("after %v: %+v", time.Since(asked), c)
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if r.leavesUnseen(r.sim.Executed(), commands(text)) == 0 {
			t.Error("it was not in the layer")
		}
	})
}

// One that could not be made within a long layer does not end the checks of that layer.
func TestTriedAgainInALongLayer(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		at := strings.SplitAfter(slowLayers(true, 1, 40, 1), ";TYPE:Internal infill\n")
		lines := strings.SplitAfter(at[2], "\n")
		at[2] = "T1\nM104 S200\n" + strings.Join(slices.Insert(lines, 120, "T0\n"), "") // for eight minutes
		r.watched(strings.Join(at, ""), Watch{Mode: WatchPause})
		r.checkedAfter(0)
		if snap := r.checkedAfter(1); snap.LastJob != nil || snap.Job.Check.Verdict != CheckRight || snap.Job.Check.Layer != 1 {
			t.Errorf("got %+v", snap.Job)
		}
	})
}

// What is lost before the first check, towards the switch and just as much as that looks ahead of it, is found by it, wherever the switch closes this time.
func TestLostBeforeTheFirstCheck(t *testing.T) {
	faults, err := printertest.ParseFaults("lose@x:4:16")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(24) {
		sw, known := printertest.Switch{Max: true, SigmaMM: 0.03, HysteresisMM: 0.1}, usualSwitches("", true)
		known.X.Max, known.Y.Max, known.X.AtMM, known.Y.AtMM = true, true, 220, 220
		whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20, Seed: seed, X: sw, Y: sw, Faults: faults}, nil, func(r *rig) {
			r.becomes(Idle)
			known.Machine = r.machine()
			r.must(r.p.SetSwitches(r.Context(), known))
			r.watched(tower(4, 8, "M83"), Watch{Mode: WatchPause, SharePercent: 100})
			snap := r.checkedAfter(0)
			if snap.Job == nil || snap.Job.Check.N != 1 || snap.Job.Check.Verdict != CheckLost || !near(snap.Job.Check.X.OffMM, 0.8, 0.2) {
				t.Errorf("seed %d: got %+v", seed, snap.Job)
			}
			r.becomes(Paused)
			r.must(r.p.Cancel(r.Context(), ""))
			r.becomes(Idle)
		})
	}
}

// A check that could not be made is tried again at the next layers, and then no more.
func TestChecksAreTriedAgain(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		r.must(r.p.Send(r.Context(), "G28"))
		time.Sleep(time.Minute)
		text := strings.Replace(tower(12, 8, "M83"), ";LAYER:1\n", "T1\nM104 S200\n;LAYER:1\n", 1)
		r.watched(strings.Replace(text, ";LAYER:4\n", "T0\n;LAYER:4\n", 1), Watch{Mode: WatchPause})
		r.must(r.p.CheckNow(r.Context(), "", CheckSuspicion))
		snap := r.checkedAfter(0)
		if snap.LastJob != nil || snap.Job.Check.Verdict != CheckRight || snap.Job.Check.Why != CheckSuspicion || snap.Job.Check.Layer < 4 || snap.Job.Check.Layer > 5 { // T0 may be on its way yet
			t.Fatalf("got %+v %+v", snap.Job.Check, snap.LastJob)
		}
		if snap = r.checkedAfter(1); snap.LastJob == nil {
			t.Errorf("another check: %+v", snap.Job.Check)
		}
	})
	ch, tries := checks{wanted: CheckAsked}, 0
	for ; ch.wanted != "" && tries < 100; tries++ {
		ch.wanted = ""
		ch.tryAgain(&EndstopCheck{Why: CheckAsked, Verdict: CheckSkipped})
	}
	if tries != maxAgain+1 {
		t.Errorf("tried %d times", tries)
	}
}

// In a pause because of a shift the nozzle is switched off after five minutes, or sooner where that was set; the bed stays warm, and Resume heats first.
func TestShiftedCools(t *testing.T) {
	for setting, want := range map[float64]time.Duration{10: 5 * time.Minute, 2: 2 * time.Minute} {
		whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
			r.becomes(Idle)
			cooling := UsualCooling()
			cooling.StandingNozzleMin = setting
			r.must(r.p.SetCooling(r.Context(), cooling))
			text := strings.Replace(tower(12, 40, "M83"), "M109", "M190 S60\nM109", 1)
			r.begin(text, JobInfo{})
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer > 2 })
			r.must(r.p.PauseShift(r.Context(), "", "it is seen"))
			r.becomes(Paused)
			paused := time.Now()
			time.Sleep(3 * time.Second)
			if k := r.now().Keeper; k.NozzleOffMS-paused.UnixMilli() != want.Milliseconds() || k.BedOffMS-paused.UnixMilli() != 120*60_000 {
				t.Errorf("%g: it says %+v", setting, k)
			}
			if took := r.off(paused, nozzleTarget); !about(took, want) || r.sim.Body().BedTargetC != 60 {
				t.Errorf("%g: the nozzle went off after %v, the bed's target is %g", setting, took, r.sim.Body().BedTargetC)
			}
			time.Sleep(20 * time.Minute)
			r.must(r.p.Resume(r.Context(), ""))
			r.becomes(Printing)
			if b := r.sim.Body(); b.NozzleC < 195 {
				t.Errorf("%g: it went on at %.0f °C", setting, b.NozzleC)
			}
			if end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); end.LastJob.Outcome != "done" {
				t.Errorf("got %+v", end.LastJob)
			}
		})
	}
}

// The last of the way to the switches is no faster than homing, so that a head which stands elsewhere meets the frame no faster.
func TestApproach(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	s.switches = usualSwitches("", true)
	s.switches.Y.Max, s.switches.Y.AtMM = true, 220
	for from, want := range map[[2]float64]string{
		{100, 100}: "G0 X25 Y195 F6000|G0 X5 Y215 F3000", // both from afar
		{20, 100}:  "G0 X20 Y195 F6000|G0 X5 Y215 F3000", // X is there already
		{1, 218}:   "G0 X5 Y215 F6000|G0 X5 Y215 F3000",  // away from both
	} {
		b := s.newProber(func() bool { return true })
		got := b.approach(&Position{XMM: from[0], YMM: from[1]}, 12)
		if text := strings.Join(got[1:3], "|"); text != want || got[0] != "G0 Z12 F480" || got[3] != "M400" {
			t.Errorf("from %v: %s", from, strings.Join(got, "|"))
		}
	}
	s.profile.TravelMMS = 30
	if got := s.newProber(nil).approach(&Position{XMM: 100, YMM: 100}, 12); !strings.HasSuffix(got[2], " F1800") {
		t.Errorf("a slow machine: %v", got)
	}
}
