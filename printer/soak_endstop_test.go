package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// soakChecked counts what checks have found, over all seeds.
type soakChecked struct {
	prints, done, unusable, checks, losses, found, exact, falsely, skipped, unsure, hits, rehomed, again int
	tookS                                                                                                float64
}

// Over lines with faults, on machines whose switches are noisy, late and bouncing, and whose homing does all that Marlin's can do, motors lose steps, belts skip
// teeth, pulleys creep, and what was lost comes back. What is lost is found at the next check, and nothing is found where nothing was lost; each line of the
// job is executed once and in order; the head touches nothing; and after a check all is as it was.
func TestSoakChecks(t *testing.T) {
	seeds, sum := soakSeeds(t, 40), soakChecked{}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soakChecks(t, seed, &sum) })
		})
	}
	t.Logf("%d prints, %d done, on %d the switches were no use; %d checks of %.1f s on average, %d skipped, %d unsure; %d losses of 0.8 mm and more, %d found, %d of them to 0.15 mm; %d found where nothing was lost; %d times homed anew, %d of them well; %d collisions",
		sum.prints, sum.done, sum.unusable, sum.checks, sum.tookS/math.Max(float64(sum.checks), 1), sum.skipped, sum.unsure, sum.losses, sum.found, sum.exact, sum.falsely, sum.rehomed, sum.again, sum.hits)
	if sum.falsely > 0 || sum.hits > 0 || float64(sum.found) < 0.99*float64(sum.losses) {
		t.Error("too little, or too much")
	}
	if sum.losses < seeds || sum.checks < 5*seeds || sum.done < seeds*17/20 {
		t.Error("this shows nothing")
	}
}

// soakSwitch is a switch that can be used, more or less.
func soakSwitch(r *rand.Rand, size float64) printertest.Switch {
	s := printertest.Switch{Max: r.IntN(3) == 0, SigmaMM: 0.07 * r.Float64() * r.Float64(), HysteresisMM: 0.5 * r.Float64(), OvertravelMM: 0.9 + 2*r.Float64()}
	if r.IntN(2) == 0 {
		s.BounceMM = 0.05 * r.Float64()
	}
	switch r.IntN(4) {
	case 0:
		s.AtMM = -8 * r.Float64()
		if s.Max {
			s.AtMM = size - s.AtMM
		}
		s.AtMM = math.Round(s.AtMM)
	}
	return s
}

func soakChecks(t *testing.T, seed uint64, sum *soakChecked) {
	r := rand.New(rand.NewPCG(seed, 9))
	cfg := printertest.Config{Firmware: []string{"marlin2", "marlin2", "marlin1", "prusa"}[r.IntN(4)], Baud: 115200, AdvancedOK: r.IntN(2) == 0, Seed: seed, KeepExecuted: true, Speed: 1, Heat: 20,
		X: soakSwitch(r, 220), Y: soakSwitch(r, 220), CoreXY: r.IntN(4) == 0, Head: printertest.Head{WidthMM: 50, DepthMM: 40, ClearMM: 4},
		Homing: printertest.Homing{RaiseMM: []float64{0, 5, 15}[r.IntN(3)], NoR: r.IntN(2) == 0, KeepsLeveling: r.IntN(2) == 0, YFirst: r.IntN(2) == 0, Together: r.IntN(2) == 0, ZSafe: r.IntN(2) == 0}}
	if cfg.Firmware == "marlin2" {
		cfg.Leveling = []string{"", "bilinear", "ubl"}[r.IntN(3)]
	}
	if r.IntN(2) == 0 {
		cfg.Faults = soakFaults(r)
		cfg.Faults.FlushDelay, cfg.Faults.Stall = 0, 0
		cfg.Faults.FlipBack, cfg.Faults.DropBack = cfg.Faults.FlipBack/4, cfg.Faults.DropBack/4
	}
	sim, err := printertest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, stop := run(t, sim, nil)
	defer stop()
	g := &rig{t, p, sim}
	defer func() {
		if t.Failed() {
			t.Logf("%+v", cfg)
		}
	}()
	g.becomes(Idle)
	g.must(p.Send(t.Context(), "G28"))
	time.Sleep(time.Minute)
	if cfg.Leveling != "" {
		g.must(p.Send(t.Context(), "G29"))
		time.Sleep(5 * time.Minute)
	}
	if _, err := p.CalibrateSwitches(t.Context()); err != nil {
		return // its answers were too damaged to know it
	}
	snap := await(t, p, func(s *Snapshot) bool { return s.Calibration != nil && !s.Calibration.Running || s.State == Faulted })
	if !snap.Switches.X.Usable || !snap.Switches.Y.Usable {
		if cfg.X.SigmaMM < 0.04 && cfg.Y.SigmaMM < 0.04 && cfg.Faults.FlipBack == 0 && cfg.Faults.DropBack == 0 {
			t.Errorf("not usable: %+v %+v", snap.Calibration, snap.Switches)
		}
		sum.unusable++
		return
	}
	sum.prints++
	mode := [][]string{{"G90", "M82"}, {"G90", "M83"}, {"G20", "G90", "M83"}}[r.IntN(3)]
	if mode[0] == "G20" && cfg.Firmware == "marlin1" {
		mode = mode[1:] // which it does not know
	}
	if r.IntN(4) == 0 {
		mode = append([]string{"G1 X10 Y20 F6000", "G92 X3 Y31"}, mode...)
	}
	if cfg.Leveling != "" && r.IntN(2) == 0 {
		mode = append([]string{"M420 S1 Z7"}, mode...)
	}
	text := tower(14, 8, mode...)
	g.watched(text, Watch{Mode: []WatchMode{WatchTell, WatchPause}[r.IntN(2)], SharePercent: 100})
	from, lost := sim.Counters().Collisions, false
	var taken [2]float64 // losses with which the print was resumed as it is
	for n := 0; ; {
		snap := await(t, p, func(s *Snapshot) bool {
			return s.LastJob != nil || s.State == Paused || s.State == Faulted || s.Job != nil && s.Job.Check != nil && s.Job.Checks > n && s.State != Pausing
		})
		if snap.State == Paused {
			if snap.Pause.By == "shift" {
				n = soakRehome(t, r, g, sum, &taken)
				lost = true
			}
			resume := p.Resume
			if r.IntN(2) == 0 {
				resume = p.ResumeAsItIs
			}
			if _, err := resume(t.Context(), ""); err != nil && g.now().State == Paused { // it was homed anew, and not all is as it was
				_, _ = p.Cancel(t.Context(), "")
			}
			await(t, p, func(s *Snapshot) bool { return s.State != Paused })
			continue
		}
		if snap.LastJob != nil || snap.Job == nil {
			break
		}
		c := snap.Job.Check
		if n = snap.Job.Checks; c.Verdict == CheckSkipped {
			continue
		}
		if c.Why == CheckRehomed {
			continue
		}
		x, y := soakOff(sim, taken)
		sum.checks, sum.tookS = sum.checks+1, sum.tookS+c.TookS
		switch worst := math.Max(math.Abs(x), math.Abs(y)); {
		case c.Verdict == CheckUnsure && worst < 0.7:
			sum.unsure++
		case worst >= 0.7:
			sum.losses++
			if c.Verdict == CheckLost {
				if sum.found++; math.Abs(c.X.OffMM-x) < 0.15+3*cfg.X.SigmaMM && math.Abs(c.Y.OffMM-y) < 0.15+3*cfg.Y.SigmaMM {
					sum.exact++
				}
			} else {
				t.Errorf("%+v, and it is off by %.2f %.2f", c, x, y)
			}
		case worst < 0.2 && c.Verdict == CheckLost:
			sum.falsely++
			t.Errorf("%+v, and it is off by %.2f %.2f", c, x, y)
		}
		soakLose(r, sim, &lost)
		_, _ = p.CheckNow(t.Context(), "", CheckAsked)
	}
	end := g.now()
	if end.LastJob != nil && end.LastJob.Outcome == "done" {
		sum.done++
		time.Sleep(time.Minute)
		if want := ownLines(commands(text)); !slices.Equal(only(want, sim.Executed()), want) {
			t.Error("not each line once and in order")
		}
		if b := sim.Body().State(); !b.SoftLimits || b.Inches != slices.Contains(mode, "G20") {
			t.Errorf("left %+v", b)
		}
	} else if end.Fault == nil && end.LastJob == nil {
		t.Errorf("got %v", end.State)
	}
	if !lost { // what is truly lost runs into what is printed
		sum.hits += int(sim.Counters().Collisions - from)
	}
}

// soakOff is how far the head stands off, besides what was taken for right.
func soakOff(sim *printertest.Sim, taken [2]float64) (x, y float64) {
	b := sim.Body()
	return b.True[0] - b.Believed[0] - taken[0], b.True[1] - b.Believed[1] - taken[1]
}

// soakRehome is what a person does whose print has paused because it lost its place, now and then: home X and Y anew. It returns how many checks there were.
func soakRehome(t *testing.T, r *rand.Rand, g *rig, sum *soakChecked, taken *[2]float64) int {
	c := g.now().Job.Check
	x, y := soakOff(g.sim, *taken)
	if c.Verdict == CheckLost {
		sum.checks, sum.losses = sum.checks+1, sum.losses+1
		if math.Max(math.Abs(x), math.Abs(y)) < 0.2 {
			sum.falsely++
			t.Errorf("%+v, and it is off by %.2f %.2f", c, x, y)
		} else if sum.found++; math.Abs(c.X.OffMM-x) < 0.3 && math.Abs(c.Y.OffMM-y) < 0.3 {
			sum.exact++
		}
	}
	if r.IntN(4) == 0 && c.Verdict == CheckLost {
		if c.X.OffMM != 0 {
			taken[0] += x
		}
		if c.Y.OffMM != 0 {
			taken[1] += y
		}
		return g.now().Job.Checks
	}
	*taken = [2]float64{}
	before := g.sim.Body().State()
	if _, err := g.p.Rehome(t.Context(), ""); err != nil {
		t.Error(err)
		return g.now().Job.Checks
	}
	snap := await(t, g.p, func(s *Snapshot) bool { return s.Job == nil || s.Job.Rehomed != nil && !s.Job.Rehomed.Running })
	if sum.rehomed++; snap.Job == nil {
		return 0
	}
	if snap.Job.Rehomed.OK {
		sum.again++
		b := g.sim.Body()
		after := b.State()
		if !near(b.True[0], b.Believed[0], 0.3) || !near(b.True[1], b.Believed[1], 0.3) || !near(b.True[2], b.Believed[2], 0.001) {
			t.Errorf("homed anew it is at %v, and is believed at %v", b.True, b.Believed)
		}
		for i := range 2 {
			if !near(before.WorkspaceMM[i], after.WorkspaceMM[i], 0.011) {
				t.Errorf("the axes are called otherwise: %v, before %v", after.WorkspaceMM, before.WorkspaceMM)
			}
		}
		if after.Leveling != before.Leveling || after.FadeMM != before.FadeMM || after.SoftLimits != before.SoftLimits {
			t.Errorf("homed anew: %+v, before %+v", after, before)
		}
	} else {
		t.Logf("not homed anew: %s", snap.Job.Rehomed.Reason)
	}
	return snap.Job.Checks
}

// soakLose lets something be lost now and then.
func soakLose(r *rand.Rand, sim *printertest.Sim, lost *bool) {
	axis, sign := "xy"[r.IntN(2)], []int{1, -1}[r.IntN(2)]
	t := printertest.Trigger{Axis: axis}
	switch r.IntN(12) {
	case 0, 1:
		t.Kind, t.N = printertest.Lose, 4*sign*(1+r.IntN(6))
	case 2:
		t.Kind, t.N = printertest.Tooth, sign*(1+r.IntN(3))
	case 3:
		t.Kind, t.MM = printertest.Creep, float64(sign)*0.05
	case 4, 5:
		t.Kind = printertest.Revert
	default:
		return
	}
	*lost = true
	sim.Inject(t)
}
