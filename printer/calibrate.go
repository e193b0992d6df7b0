package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"math"
	"slices"
	"time"
)

// A calibration measures the switches that X and Y home to, while nothing is printed:
//
//	M420, lift ─▶ G28 X Y ─▶ M211 ─▶ for each axis: open in front of it? ─▶ closed behind? ─▶ where it closes, ten times, and where it opens again
//	  ─▶ how far it can be run over without losing anything ─▶ G28 X Y ─▶ Switches
//
// A drill is a check while nothing is printed, with the head moved aside on purpose.

// Calibration is the switches being measured. It is immutable.
type Calibration struct {
	Running bool    `json:"running"`
	Percent float64 `json:"percent"`
	AtMS    int64   `json:"at_ms"` // when it ended; 0 while it runs
	Why     string  `json:"why"`   // it did not come to its end, for people; "" it did, or runs. What it found is Snapshot.Switches
}

// calib is a calibration or a drill under way, or how the last one ended.
type calib struct {
	script int          // that it is; 0 = none was
	drill  bool         // it is one
	stop   bool         // it is to end
	status *Calibration // replaced, never changed; nil before the first calibration
}

const (
	closings     = 10   // that are measured
	probeOverMM  = 0.8  // a switch is run over so far, to see whether anything is lost by it
	overStepMM   = 0.1  // in such steps
	lostMM       = 0.2  // it closes so far from where it did: something was
	measureMM    = 0.05 // step
	spreadMM     = 0.4 / 5
	leastSureMM  = 0.35 // a check is never said to see less
	hysteresisMM = 1.0  // a switch that opens later is none to rely on
	idleLiftMM   = 10.0
)

// probing reports whether the switches are asked while nothing is printed, or the print is paused.
func (s *session) probing() bool {
	return s.calib.script != 0 && s.script != nil && s.script.id == s.calib.script || s.rehoming()
}

// calibration is what people see of it: what was cut short by a fault has ended, too.
func (s *session) calibration() *Calibration {
	c := s.calib.status
	if c != nil && c.Running && !s.probing() {
		return &Calibration{Why: "it was interrupted"}
	}
	return c
}

// cannotVisit says why the switches cannot be visited while nothing is printed.
func (s *session) cannotVisit() error {
	switch {
	case s.state != Idle:
		if err := s.free(); err != nil {
			return err
		}
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	case s.probing():
		return s.free()
	case !s.allHomed():
		return ErrNotHomed
	case s.profile.Kinematics == "delta":
		return fmt.Errorf("%w: a delta's switches do not say where X and Y are", ErrCheck)
	case s.d.fatal:
		return fmt.Errorf("%w: with this firmware the head cannot go behind a switch", ErrCheck)
	case s.modal.tool != 0 && !s.modal.oneNozzle:
		return fmt.Errorf("%w: another tool than the first is in use", ErrCheck)
	}
	return nil
}

// visit plays a script around the switches while nothing is printed: from where the head is, lifted, and back there.
func (s *session) visit(now time.Time, b *prober, end func(time.Time), stages func(p *place) []stage) {
	p := &place{}
	s.calib.script, s.calib.stop = s.scripts+1, false
	begin := func(time.Time) []scriptLine {
		if p.at = s.seen.position; p.at == nil {
			b.failed = "the firmware does not say where the head is"
			return nil
		}
		p.liftedZ = math.Min(p.at.ZMM+idleLiftMM, math.Max(p.at.ZMM, s.profile.HeightMM))
		return lines(append(s.pullBack(p), word("G0 Z", p.liftedZ)+word(" F", gcode.FeedWord(s.profile.LiftMMS)))...)
	}
	back := func(time.Time) []scriptLine {
		if p.at == nil {
			return nil
		}
		p.parked = true
		return lines(append(append(s.headBack(p, s.pullFeed()), modesBack(p.modal)...), "M400", "M114")...)
	}
	s.play(now, end, slices.Concat([]stage{s.stop(),
		func(time.Time) []scriptLine { p.modal = s.modal.clone(); return lines("M114") }, begin}, stages(p), []stage{back})...)
}

// calibrate begins a calibration.
func (s *session) calibrate(now time.Time) {
	b := &prober{s: s, on: func() bool { return s.state == Idle && !s.calib.stop }, step: measureMM}
	h := &homer{s: s, b: b}
	s.calib.drill, s.calib.status = false, &Calibration{Running: true}
	got := [2]*measuredSwitch{{}, {}}
	s.visit(now, b, func(now time.Time) { s.calibrated(now, b, got) }, func(p *place) []stage {
		seat := func(time.Time) []scriptLine { return b.seats(got) }
		return slices.Concat(h.ask(3), b.askSteps(), h.home(p, false), []stage{seat},
			[]stage{b.measure(0, got[0]), b.clear(0), b.measure(1, got[1]), b.clear(1), b.limitsOn()}, h.home(p, true))
	})
}

// measuredSwitch is what is found out about a switch.
type measuredSwitch struct {
	homeMM float64
	at     []float64
	opens  []float64
	overMM float64
	why    string
}

// seats finds out from where homing has ended which switch it is that each axis homes to.
func (b *prober) seats(got [2]*measuredSwitch) []scriptLine {
	at := b.s.seen.position
	if b.over() || at == nil {
		return nil
	}
	minX, maxX, minY, maxY := b.s.profile.area()
	middle := [2]float64{(minX + maxX) / 2, (minY + maxY) / 2}
	for axis, home := range []float64{at.XMM, at.YMM} {
		got[axis].homeMM = home
		b.sw[axis] = Switch{Usable: true, AtMM: home, Max: home > middle[axis], ThresholdMM: leastSureMM, StepsPerMM: b.steps[axis]}
		if l := b.limits.axis[axis]; l != [2]float64{} {
			b.sw[axis].LimitsMM = &l
		}
	}
	x, y := b.seat(at)
	return lines(append([]string{word("G0 X", x) + word(" Y", y) + word(" F", gcode.FeedWord(b.s.profile.TravelMMS)), "M400"}, b.limitsOff()...)...)
}

// measure finds out all about the switch of an axis.
func (b *prober) measure(axis int, m *measuredSwitch) stage {
	return func(time.Time) []scriptLine {
		if b.over() {
			return nil
		}
		way, home := b.way(axis), b.sw[axis].AtMM
		end := home
		if l := b.sw[axis].LimitsMM; l != nil { // homing may have backed off from it
			end = map[bool]float64{true: math.Max(home, l[1]), false: math.Min(home, l[0])}[b.sw[axis].Max]
		}
		b.look(axis, home-way*probeOffMM, func(closed bool) {
			if closed {
				m.why = "it is closed where it should be open"
				return
			}
			b.meets(axis, home-way*2, end+way*probeOverMM, m)
		})
		return nil
	}
}

// meets goes to the switch by small steps, and not far behind where it should close.
func (b *prober) meets(axis int, to, end float64, m *measuredSwitch) {
	b.look(axis, to, func(closed bool) {
		switch next := to + b.way(axis)*2*overStepMM; {
		case closed:
			b.repeats(axis, to, m)
		case (end-next)*b.way(axis) < -1e-9:
			m.why = "it was never seen closed: there is no switch, or the motor's driver stands in for one"
		default:
			b.meets(axis, next, end, m)
		}
	})
}

// repeats measures where it closes, and where it opens again.
func (b *prober) repeats(axis int, near float64, m *measuredSwitch) {
	b.s.calib.progress((float64(axis) + float64(len(m.at))/(closings+2)) / 2)
	b.closing(axis, near, func(at float64) {
		m.at = append(m.at, at)
		b.opening(axis, at, at, func(open float64) {
			m.opens = append(m.opens, open)
			if len(m.at) < closings {
				b.repeats(axis, near, m)
			} else {
				b.runOver(axis, overStepMM, m)
			}
		})
	})
}

// opening goes back from where it has closed until it is open.
func (b *prober) opening(axis int, closed, to float64, then func(open float64)) {
	way := b.way(axis)
	if math.Abs(closed-to) > hysteresisMM {
		b.unsure(axis, "stays closed for too long")
		return
	}
	b.look(axis, to-way*b.step/2, func(on bool) {
		if on {
			b.opening(axis, closed, to-way*b.step, then)
			return
		}
		then(to)
	})
}

// runOver goes behind where it closes, step by step, and then sees whether it still closes there.
func (b *prober) runOver(axis int, by float64, m *measuredSwitch) {
	at, way := mean(m.at), b.way(axis)
	b.look(axis, at+way*by, func(closed bool) {
		switch {
		case !closed && by > 3*overStepMM:
			m.why = "it opens again when it is run over, as it does where it has too little way behind it and the motor loses steps"
		case by < probeOverMM-1e-9:
			b.runOver(axis, by+overStepMM, m)
		default:
			b.look(axis, at-way*2, func(bool) {
				b.closing(axis, at, func(again float64) {
					if math.Abs(again-at) > lostMM {
						m.why = "it has too little way behind it: the motor loses steps there"
						return
					}
					m.overMM = probeOverMM
				})
			})
		}
	})
}

// calibrated takes in what was found.
func (s *session) calibrated(now time.Time, b *prober, got [2]*measuredSwitch) {
	status := &Calibration{Percent: 100, AtMS: now.UnixMilli(), Why: b.failed}
	if s.calib.stop {
		status.Why = "it was stopped"
	}
	s.calib.status = status
	if status.Why != "" {
		status.Percent = 0
		return
	}
	out := [2]Switch{}
	for axis, m := range got {
		out[axis] = m.judged(b.sw[axis], b.why[axis])
	}
	s.switches = Switches{X: out[0], Y: out[1], MadeMS: now.UnixMilli(), Machine: s.machine()}
}

// judged says whether a switch can be relied on.
func (m *measuredSwitch) judged(sw Switch, unsure string) Switch {
	sw.Usable, sw.Why, sw.ThresholdMM = false, m.why, 0
	if sw.Why == "" {
		sw.Why = unsure
	}
	if len(m.at) < closings || len(m.opens) < closings {
		return sw
	}
	spread, gap := 0.0, 0.0
	sw.AtMM = mean(m.at)
	for i, at := range m.at {
		spread += (at - sw.AtMM) * (at - sw.AtMM) / (closings - 1)
		gap += math.Abs(at-m.opens[i]) / closings
	}
	sw.AtMM, sw.SpreadMM, sw.HysteresisMM = round(sw.AtMM), round(math.Sqrt(spread)), round(gap)
	sw.OvertravelMM = m.overMM
	switch {
	case sw.Why != "":
	case sw.SpreadMM > spreadMM:
		sw.Why = fmt.Sprintf("it closes now here and now there, by ±%.2f mm", sw.SpreadMM)
	case m.overMM == 0:
		sw.Why = "nobody knows how far it can be run over"
	default:
		sw.Usable, sw.ThresholdMM = true, math.Max(leastSureMM, round(5*sw.SpreadMM))
	}
	return sw
}

func mean(of []float64) (m float64) {
	for _, v := range of {
		m += v / float64(len(of))
	}
	return m
}

func (c *calib) progress(part float64) {
	if c.status != nil && c.status.Running {
		c.status = &Calibration{Running: true, Percent: percent(part)}
	}
}

// drill begins a fire drill.
func (s *session) drill(now time.Time, axis int, mm float64) {
	b := s.newProber(func() bool { return s.state == Idle && !s.calib.stop })
	b.aside[axis] = mm
	s.calib.drill = true
	s.visit(now, b, func(now time.Time) {
		c := b.result(CheckDrill, now.Sub(b.begun))
		c.AtMS = now.UnixMilli()
		s.drilled = c
	}, func(p *place) []stage {
		return slices.Concat([]stage{b.askLimits(3), b.sit(p)}, b.checkBoth())
	})
}

// sit is the stage that goes to the switches at the height of p.
func (b *prober) sit(p *place) stage {
	return func(time.Time) []scriptLine {
		if b.over() {
			return nil
		}
		from := p.at
		if at := b.s.seen.position; at != nil { // homing, or the check before, has left it there
			from = at
		}
		return lines(append(b.approach(from, p.liftedZ), b.limitsOff()...)...)
	}
}

// CalibrateSwitches measures the switches that X and Y home to, which takes about a minute: it homes X and Y, and goes to each switch some dozen times. The
// printer must be idle and homed, with nothing in the head's way. It returns when that has begun; see Snapshot.Calibration and then Snapshot.Switches. Nothing
// else can be moved or started meanwhile.
func (p *Printer) CalibrateSwitches(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if err := o.cannotVisit(); err != nil {
			return err
		}
		if l := &o.modal.laid; l.mm[0] != 0 || l.mm[1] != 0 || l.unsure[0] || l.unsure[1] {
			return fmt.Errorf("%w: the axes are called otherwise than after homing (G92); home first", ErrCheck)
		}
		o.calibrate(now)
		return nil
	})
}

// StopCalibration ends it, or a drill, as soon as the machine can be left as it was. It is no error when there is none.
func (p *Printer) StopCalibration(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { o.calib.stop = true; return nil })
}

// SetSwitches gives the printer what a calibration has found, as the store has kept it. A machine that it is not of does not use it, with a reason in Switch.Why.
func (p *Printer) SetSwitches(ctx context.Context, s Switches) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		o.switches, o.base, o.met = s, [2]*float64{}, [2]*float64{}
		return nil
	})
}

// Drill is a fire drill while nothing is printed: the switches are asked as in a print, with axis ('x' or 'y') moved aside by mm, at most 4, without telling the
// check. What is found is Snapshot.Drilled. The printer must be idle and homed, and CalibrateSwitches have found that axis' switch usable.
func (p *Printer) Drill(ctx context.Context, axis byte, mm float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if err := o.cannotVisit(); err != nil {
			return err
		}
		if axis |= 0x20; axis != 'x' && axis != 'y' {
			return fmt.Errorf("%w: axes are x and y", ErrBadCommand)
		}
		if err := between("a drill by", mm, -4, 4, " mm"); err != nil {
			return err
		}
		sw := o.known()
		switch reason := o.cannotProbe(); {
		case reason != "":
			return fmt.Errorf("%w: %s", ErrCheck, reason)
		case !map[byte]Switch{'x': sw.X, 'y': sw.Y}[axis].Usable:
			return fmt.Errorf("%w: that axis' switch cannot be used: %s", ErrCheck, map[byte]Switch{'x': sw.X, 'y': sw.Y}[axis].Why)
		}
		o.drill(now, int(axis-'x'), mm)
		return nil
	})
}
