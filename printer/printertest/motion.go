package printertest

import (
	"strings"
	"time"
)

// motion is where the head is: where the firmware plans to be, where its step counters say it is, and where it really is.
// Coordinates are the firmware's native ones; offset is what G92 laid over them.
type motion struct {
	planner planner
	size    [3]float64 // of the bed and height, mm

	planned position // at the end of what is queued
	stepped position // of the last finished block
	offset  [3]float64
	homed   [3]bool
	real    [3]float64 // where the motors truly are, on the bed's scale: the carriage is there as far as the frame lets it, see push
	stops   [3]stop
	frame   [3][2]float64 // how far the carriage gets
	soft    [3][2]float64 // and how far the firmware lets it while soft endstops are on
	losses
	relief relief
	motors bool

	feed                float64 // mm/s of the last F
	relative, relativeE bool
	inches              bool
	speedPart, flowPart float64 // M220, M221
	coldC               float64 // below it nothing is extruded
	coldOK              bool
	softLimits          bool
	extruded            float64 // mm of filament, net
	homing              homing
	trail               trail
	layerZ              float64
	layers              int
	watchStops          bool       // M120: a switch stops any move
	hit                 int        // axis of the switch that did, -1 none
	behind              [3]float64 // by so much the step counters are short of stepped since one did
	counted             [3]float64 // and by so much homing has set them back, for counters that it does not
	homeOffset          [3]float64 // M206
	leveled             bool       // M420
	fade                float64    // height of it
	arc                 arc
	baby                float64 // mm of babysteps in Z that are in force
}

// restart is what a reset does to the firmware's idea; the body stays where it is.
func (m *motion) restart(f *firmware) {
	room := f.Planner
	if m.planner.done == nil {
		m.planner = newPlanner(f.opt.speed, room, func(b *block, part float64) { m.move(b, part) })
		m.planner.ahead = f.PlannerAhead
	} else {
		old := m.planner
		m.planner = newPlanner(f.opt.speed, room, old.done)
		m.planner.ahead, m.planner.blocks, m.planner.underruns = f.PlannerAhead, old.blocks, old.underruns
	}
	m.planned, m.stepped, m.offset, m.homed = position{}, position{}, [3]float64{}, [3]bool{}
	m.motors, m.feed, m.relative, m.relativeE, m.inches = false, 1500.0/60, false, false, false
	m.speedPart, m.flowPart, m.coldC, m.coldOK, m.softLimits = 1, 1, 170, false, true
	m.watchStops, m.hit, m.baby = false, -1, 0
	m.behind, m.counted, m.homeOffset, m.leveled, m.fade = [3]float64{}, [3]float64{}, [3]float64{}, false, 0
}

// freeze stops all motion where it is at now; plan, counters and body keep what was done.
func (m *motion) freeze(now time.Duration) {
	if m.planner.count > 0 {
		m.planner.stop(now)
		m.planned = m.counters(m.stepped)
		m.stepped, m.behind = m.planned, [3]float64{}
	}
	if h := &m.homing; h.on {
		m.slide(h.axis, h.at(now))
		h.on = false
	}
	m.arc.left = 0
}

// move takes the done part of a block into counters and body.
func (m *motion) move(b *block, part float64) {
	from := m.place()
	if m.watchStops {
		part = m.untilStop(b, part)
	}
	for i := range b.to {
		d := (b.to[i] - b.from[i]) * part
		m.stepped[i] = b.from[i] + d
		if part == 1 {
			m.stepped[i] = b.to[i]
		}
		if i < 3 && d != 0 {
			m.reach(i, m.real[i]+d)
		}
	}
	m.motors = true
	to := m.place()
	e := (b.to[axisE] - b.from[axisE]) * part
	m.extruded += e * m.flowPart
	m.relief.pass(from, to)
	if e > 0 && (from[0] != to[0] || from[1] != to[1]) {
		m.relief.lay(from, to)
		m.trail.add(Segment{From: from, To: to})
		if z := to[2]; z > m.layerZ+0.02 || z < m.layerZ-0.5 {
			m.layerZ = z
			m.layers++
			m.creeps()
		}
	}
}

// untilStop is how much of the block is done when a switch stops it.
func (m *motion) untilStop(b *block, part float64) float64 {
	for i := range m.stops {
		s, d := &m.stops[i], b.to[i]-b.from[i]
		switch {
		case d*s.way <= 0 || s.Kind != Mechanical && s.Kind != StuckClosed:
		case s.closed || s.Kind == StuckClosed:
			part, m.hit = 0, i
		case s.pressed(m.real[i]+d*part) >= 0:
			part, m.hit = max(0, min(part, (s.closesAt-m.real[i])/d)), i
		}
	}
	return part
}

// checkStops ends all motion when a switch has stopped a move, and says where the step counters were then. The firmware takes the moves
// that were dropped for done, and so is wrong about where it is until the axis is homed.
func (f *firmware) checkStops() {
	if f.hit < 0 {
		return
	}
	f.sayf("echo:endstops hit:  %c:%.2f", 'X'+f.hit, zeroed(f.counters(f.stepped)[f.hit]))
	done, behind := f.planned, f.behind
	f.watchStops = false // while the rest is dropped
	f.planner.stop(f.now)
	for i := range behind {
		behind[i] += done[i] - f.stepped[i]
	}
	f.arc.left = 0
	f.planned, f.stepped, f.behind, f.hit, f.watchStops = done, done, behind, -1, true
}

// counters is what the step counters say when the moves have come to a place.
func (m *motion) counters(at position) position {
	for i := range m.behind {
		at[i] -= m.behind[i]
	}
	return at
}

func axisOf(c byte) int {
	switch c {
	case 'x', 'X':
		return axisX
	case 'y', 'Y':
		return axisY
	case 'z', 'Z':
		return axisZ
	}
	return -1
}

// logical is the planned position as the host knows it.
func (m *motion) logical() position {
	p := m.planned
	for i := range m.offset {
		p[i] += m.offset[i]
	}
	return p
}

// target reads the destination of a move from the command under way, in native coordinates.
func (f *firmware) target() position {
	p, to := &f.cur.params, f.planned
	unit := 1.0
	if f.inches {
		unit = 25.4
	}
	for i, letter := range [3]byte{'X', 'Y', 'Z'} {
		if v, ok := p.float(letter); ok {
			if f.relative {
				to[i] += v * unit
			} else {
				to[i] = v*unit - f.offset[i]
			}
		}
		to[i] = max(-limit, min(limit, to[i]))
	}
	if v, ok := p.float('E'); ok {
		if f.relativeE {
			to[axisE] += v * unit
		} else {
			to[axisE] = v * unit
		}
		to[axisE] = max(-limit, min(limit, to[axisE]))
	}
	if v, ok := p.float('F'); ok && v > 0 {
		f.feed = v * unit / 60
	}
	return to
}

// travel queues one straight piece. There must be room in the planner.
func (f *firmware) travel(to position) {
	from := f.planned
	if to[axisE] != from[axisE] && !f.coldOK && f.nozzle.reading(f.now) < f.coldC {
		if f.ColdError != "" {
			f.say(f.ColdError)
			return
		}
		f.say("echo: cold extrusion prevented")
		from[axisE] = to[axisE]
	}
	f.planned = to
	f.planner.push(f.now, from, to, f.feed*f.speedPart)
}

// moveLine is G0 and G1: the ok is withheld until the planner has room.
func moveLine(f *firmware) bool {
	if f.planner.full() {
		return false
	}
	to := f.target()
	switch {
	case f.MustHome && !f.homedFor(&f.cur.params):
		f.sayMove(f.HomeError, to)
	case f.RangeError != "" && !f.inRange(to):
		f.sayMove(f.RangeError, to)
	default:
		f.travel(f.clip(to))
	}
	return true
}

// sayMove says an error about a move; its form may have places for the destination.
func (f *firmware) sayMove(form string, to position) {
	if !strings.Contains(form, "%") {
		f.say(form)
		return
	}
	f.sayf(form, to[0], to[1], to[2], to[3])
}

func (f *firmware) inRange(to position) bool { return f.clip(to) == to }

func (f *firmware) homedFor(p *params) bool {
	for i, letter := range [3]byte{'X', 'Y', 'Z'} {
		if p.has(letter) && !f.homed[i] {
			return false
		}
	}
	return true
}
