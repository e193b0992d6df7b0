package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"layerd/printer"
	"layerd/printer/printertest"
)

// What flows here: a print in layers of some length ─▶ something is lost in it, of some kind ─▶ when the checks have found it.

// layering is how long the layers of a print take. Only in some the slicer says what is printed.
type layering struct {
	name   string
	layerS float64
	marked bool
}

func theLayerings() []layering {
	return []layering{{"layers of 32 s", 32, false}, {"layers of 5 min", 300, false}, {"layers of 14 min, with infill", 840, true}}
}

// tower is a job of squares above each other, as a vase is; in the longest layers a fourth of the time, and then lines of infill to which the head travels.
func (l layering) tower(hours float64) string {
	const moveS = 80 / 10.0 // 80 mm at 10 mm/s
	var b strings.Builder
	b.WriteString("G28\nM190 S60\nM109 S200\nG90\nM83\nG92 E0\n")
	moves := int(l.layerS / moveS)
	walls := moves
	if l.marked {
		walls = moves / 4
	}
	for n := range max(int(hours*3600/l.layerS), 2) {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 E-0.7 F1800\nG1 Z%.2f F600\nG1 E0.7 F1800\n", n, 0.2+0.05*float64(n))
		if l.marked {
			b.WriteString(";TYPE:WALL-OUTER\n")
		}
		for i := range walls {
			fmt.Fprintf(&b, "G1 X%d Y%d E2 F600\n", []int{70, 150, 150, 70}[(i+1)%4], []int{70, 70, 150, 150}[(i+1)%4])
		}
		if l.marked {
			b.WriteString(";TYPE:FILL\n")
		}
		for i := range moves - walls {
			fmt.Fprintf(&b, "G0 X72 Y%.1f F6000\nG1 X148 Y%.1f E2 F600\n", 72+0.7*float64(i%100), 72.3+0.7*float64(i%100))
		}
	}
	return b.String()
}

// Kinds of loss.
const (
	lostSteps   = "4, 8 or 12 full steps: 0.8 to 2.4 mm"
	lostTooth   = "a tooth: 2 mm"
	lostMotor   = "a motor of CoreXY: 0.8 to 1.6 mm in both axes"
	lostLittle  = "a motor of CoreXY: 0.4 mm in both axes"
	lostSlowly  = "a pulley that creeps by 0.05 mm a layer: from 0.8 mm on"
	lostBriefly = "0.8 to 2.4 mm that come back after 1 to 6 min"
)

// counts reports whether a kind is one of those to which the goal applies: at once, for good, and 0.8 mm or more.
func counts(kind string) bool { return kind == lostSteps || kind == lostTooth || kind == lostMotor }

// stolen is what came of a loss.
type stolen struct {
	mechanism string
	kind      string
	layering  string
	what      string // exactly, for people
	suspected bool   // another witness has seen it two layers later
	refused   bool   // the set-up did not use the switches, which is as it should be with poor ones
	found     bool
	missed    bool          // lostBriefly: a check came before it was back, and did not find it
	after     time.Duration // until the check began that found it; lostSlowly: since it was 0.8 mm, negative before
	layers    int           // and layers after it was asked for
	wrongMM   float64       // what was told was so far off, in the worse axis
	took      time.Duration // the check that found it
	ended     string        // how it came out
}

// theft is what is to be lost.
type theft struct {
	kind  string
	fault printertest.Trigger
}

// draw chooses one.
func (m *mechanism) draw(dice *rand.Rand) theft {
	sign := 1 - 2*dice.IntN(2)
	t := printertest.Trigger{Kind: printertest.Lose, Axis: "xy"[dice.IntN(2)], N: sign * 4 * (1 + dice.IntN(3))}
	kind := lostSteps
	switch n := dice.IntN(10); {
	case n < 2:
		kind, t.Kind, t.N = lostTooth, printertest.Tooth, sign
	case n == 2 && !m.coreXY: // where the motors are not both axes', so that it is known when it is 0.8 mm
		kind, t.Kind, t.MM = lostSlowly, printertest.Creep, 0.05*float64(sign)
	case n == 3:
		kind = lostBriefly
	}
	if m.coreXY && (kind == lostSteps || kind == lostTooth) { // half of what a motor loses is in each axis
		if kind = lostMotor; t.Kind == printertest.Lose {
			if t.N = sign * 4 * (1 + dice.IntN(4)); t.N == 4 || t.N == -4 {
				kind = lostLittle
			}
		}
	}
	return theft{kind, t}
}

// steal prints for some time and has something lost on the way.
func (m *mechanism) steal(ctx context.Context, seed uint64, l layering, suspected bool) (out stolen, err error) {
	dice := rand.New(rand.NewPCG(seed, 8))
	t := m.draw(dice)
	for suspected && !counts(t.kind) || t.kind == lostSlowly && l.layerS > 60 { // 16 layers must not take hours
		t = m.draw(dice)
	}
	out = stolen{mechanism: m.name, kind: t.kind, layering: l.name, suspected: suspected, what: fmt.Sprintf("%c, %s", t.fault.Axis, t.kind)}
	err = m.rig(ctx, seed, func(ctx context.Context, r *machine) error {
		sw, err := r.setUp(ctx)
		if out.refused = !sw.X.Usable || !sw.Y.Usable; err != nil || out.refused {
			return err
		}
		if err := r.print(ctx, l.tower(1.2)); err != nil {
			return err
		}
		if _, err := r.becomes(ctx, func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Layer > 0 }); err != nil {
			return err
		}
		time.Sleep(time.Duration(dice.Int64N(int64(25 * time.Minute))))
		before, _ := r.p.Snapshots().Get()
		was := r.sim.Body()
		r.sim.Inject(t.fault)
		at, layer := time.Now(), 0
		switch {
		case suspected:
			s, err := r.becomes(ctx, func(n *printer.Snapshot) bool { return over(n) || n.Job.Layer >= before.Job.Layer+2 })
			if err != nil {
				return err
			}
			if !over(s) {
				layer = s.Job.Layer
				if _, err := r.p.CheckNow(ctx, "", printer.CheckSuspicion); err != nil {
					return err
				}
			}
		case t.kind == lostBriefly:
			time.Sleep(time.Minute + time.Duration(dice.Int64N(int64(5*time.Minute))))
			if s, _ := r.p.Snapshots().Get(); s.State == printer.Printing && s.Job != nil {
				out.missed = s.Job.Checks > before.Job.Checks && begun(s.Job.Check).After(at)
				r.sim.Inject(printertest.Trigger{Kind: printertest.Revert, Axis: t.fault.Axis})
			}
		case t.kind == lostSlowly:
			at = at.Add(time.Duration(16*l.layerS) * time.Second)
		}
		return out.wait(ctx, r, at, layer, was)
	})
	return out, err
}

// begun is when a check did.
func begun(c *printer.EndstopCheck) time.Time {
	return time.UnixMilli(c.AtMS).Add(-time.Duration(c.TookS * float64(time.Second)))
}

// off is how far an axis is beside where the firmware believes it to be.
func off(b printertest.Body, axis int) float64 { return b.True[axis] - b.Believed[axis] }

// wait waits for the print to pause, or to end.
func (out *stolen) wait(ctx context.Context, r *machine, at time.Time, layer int, was printertest.Body) error {
	var last *printer.EndstopCheck
	s, err := r.becomes(ctx, func(s *printer.Snapshot) bool {
		if s.Job != nil {
			last = s.Job.Check
		}
		return over(s)
	})
	if err != nil {
		return err
	}
	if out.found = s.State == printer.Paused && s.Job.Check != nil && s.Job.Check.Verdict == printer.CheckLost; !out.found {
		out.ended = s.State.String()
		if last != nil {
			out.ended += fmt.Sprintf(", the last check, number %d, said %s %s %+v %+v", last.N, last.Verdict, last.Reason, last.X, last.Y)
		}
		return nil
	}
	out.missed, out.after = false, begun(s.Job.Check).Sub(at)
	out.ended = fmt.Sprintf("by check %d at layer %d, which said X %+v Y %+v", s.Job.Check.N, s.Job.Check.Layer, s.Job.Check.X, s.Job.Check.Y)
	if layer > 0 {
		out.layers = s.Job.Layer - layer
	}
	out.took = time.Duration(s.Job.Check.TookS * float64(time.Second))
	body := r.sim.Body()
	for axis, f := range [2]printer.AxisFinding{s.Job.Check.X, s.Job.Check.Y} {
		out.wrongMM = math.Max(out.wrongMM, math.Abs(f.OffMM-off(body, axis)+off(was, axis))) // homing is never quite right
	}
	return nil
}
