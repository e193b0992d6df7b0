package printertest

import (
	"math"
	"time"
)

// dwell is G4: the moves end first, then it waits. Like motion, waiting runs at the simulation's speed.
func dwell(f *firmware) bool {
	if f.stage == 0 {
		if !f.synced() {
			return false
		}
		s := f.cur.params.or('S', 0) + f.cur.params.or('P', 0)/1000
		f.stage, f.begun = 1, f.now+f.motionTime(s)
	}
	return f.until(f.begun)
}

// motionTime is how long s seconds of motion take in the simulation.
func (f *firmware) motionTime(s float64) time.Duration {
	if f.opt.speed <= 0 {
		return 0
	}
	return seconds(s / f.opt.speed)
}

// setPosition is G92: a new name for the place where the head is. E is simply overwritten.
func setPosition(f *firmware) bool {
	p, unit := &f.cur.params, 1.0
	if f.inches {
		unit = 25.4
	}
	for i, letter := range [3]byte{'X', 'Y', 'Z'} {
		if v, ok := p.float(letter); ok {
			f.offset[i] = v*unit - f.planned[i]
		}
	}
	if v, ok := p.float('E'); ok {
		f.planned[axisE] = v * unit
	}
	if f.G92Reports {
		f.sayPosition()
	}
	return true
}

// steps per mm, for the Count of a position report.
var stepsPerMM = [3]float64{80, 80, 400}

// sayPosition reports where the firmware will be when all moves are done, and where its step counters are.
func (f *firmware) sayPosition() {
	l, n := f.logical(), f.steppedAt(f.now)
	for i := range l {
		l[i] = zeroed(l[i])
	}
	if f.PositionForm != "" {
		f.sayf(f.PositionForm, l[0], l[1], l[2], l[3])
		return
	}
	count := func(i int) int64 { return int64(math.Round(n[i] * stepsPerMM[i])) }
	f.sayf("X:%.2f Y:%.2f Z:%.2f E:%.2f Count X:%d Y:%d Z:%d", l[0], l[1], l[2], l[3], count(0), count(1), count(2))
}

// zeroed keeps "-0.00" out of reports.
func zeroed(v float64) float64 {
	if math.Abs(v) < 0.0005 {
		return 0
	}
	return v
}

// steppedAt is where the step counters are at now.
func (m *motion) steppedAt(now time.Duration) position {
	at := m.stepped
	if m.planner.running {
		b := m.planner.at(0)
		part := b.part(now)
		for i := range at {
			at[i] = b.from[i] + (b.to[i]-b.from[i])*part
		}
	}
	return m.counters(at)
}

// realAt is where the head truly is at now.
func (m *motion) realAt(now time.Duration) [3]float64 {
	at := m.place()
	if m.homing.on {
		at[m.homing.axis] = m.homing.at(now)
	} else if m.planner.running {
		b := m.planner.at(0)
		part := b.part(now)
		for i := range at {
			at[i] = m.inFrame(i, m.real[i]+(b.to[i]-b.from[i])*part)
		}
	}
	return at
}

func whereIsIt(f *firmware) bool {
	f.sayPosition()
	if f.cur.params.has('D') && f.PositionForm == "" {
		n := f.steppedAt(f.now)
		l := f.logical()
		f.say("")
		f.sayf("Logical: X:%7.3f Y:%7.3f Z:%7.3f", l[0], l[1], l[2])
		f.sayf("Raw:     X:%7.3f Y:%7.3f Z:%7.3f", f.planned[0], f.planned[1], f.planned[2])
		f.sayf("Stepper: X:%.0f Y:%.0f Z:%.0f", n[0]*stepsPerMM[0], n[1]*stepsPerMM[1], n[2]*stepsPerMM[2])
		f.sayf("FromStp: X:%7.3f Y:%7.3f Z:%7.3f", n[0], n[1], n[2])
		f.sayf("Diff:    X:%7.3f Y:%7.3f Z:%7.3f", f.planned[0]-n[0], f.planned[1]-n[1], f.planned[2]-n[2])
	}
	return true
}

func motorsOff(f *firmware) bool {
	if !f.synced() {
		return false
	}
	f.motors, f.homed = false, [3]bool{}
	return true
}

func setMaxAccel(f *firmware) bool { return f.setLimits(&f.planner.maxAccel) }
func setMaxSpeed(f *firmware) bool { return f.setLimits(&f.planner.maxSpeed) }

func (f *firmware) setLimits(to *position) bool {
	for i, letter := range [4]byte{'X', 'Y', 'Z', 'E'} {
		to[i] = max(0.01, f.cur.params.or(letter, to[i]))
	}
	return true
}

func setAccel(f *firmware) bool {
	p, l := &f.cur.params, &f.planner
	if p.seen == 0 && f.Babysteps != babyKlipper {
		f.sayAcceleration()
		return true
	}
	if v, ok := p.float('S'); ok {
		l.printAccel, l.travelAccel = max(1, v), max(1, v)
	}
	l.printAccel, l.travelAccel = max(1, p.or('P', l.printAccel)), max(1, p.or('T', l.travelAccel))
	l.retractAccel = max(1, p.or('R', l.retractAccel))
	return true
}

func setAdvanced(f *firmware) bool {
	l := &f.planner
	l.deviation = max(0.001, min(1, f.cur.params.or('J', l.deviation)))
	if v, ok := f.cur.params.float('B'); ok {
		l.minSegment = seconds(v / 1e6)
	}
	return true
}

func speedFactor(f *firmware) bool {
	if v, ok := f.cur.params.float('S'); ok {
		f.speedPart = max(0.01, min(10, v/100))
		return true
	}
	if f.FactorReports {
		f.sayf("FR:%.0f%%", f.speedPart*100)
	}
	return true
}

func flowFactor(f *firmware) bool {
	if v, ok := f.cur.params.float('S'); ok {
		f.flowPart = max(0.01, min(10, v/100))
		return true
	}
	if f.FactorReports {
		f.sayf("echo:E0 Flow: %.0f%%", f.flowPart*100)
	}
	return true
}

func coldExtrusion(f *firmware) bool {
	p := &f.cur.params
	if !p.has('P') && !p.has('S') {
		word := "disabled"
		if f.coldOK {
			word = "enabled"
		}
		f.sayf("echo:Cold extrudes are %s (min temp %.0fC)", word, f.coldC)
		return true
	}
	f.coldC = p.or('S', f.coldC)
	f.coldOK = f.coldC == 0
	if v, ok := p.float('P'); ok {
		f.coldOK = v != 0
	}
	return true
}

func selectTool(f *firmware) bool {
	if f.cur.code != 0 {
		f.sayf(f.NoToolForm, f.cur.code)
	}
	return true
}
