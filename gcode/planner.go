package gcode

import "math"

// planner says how long a firmware takes for the moves of a file. It plans as Marlin does: a move speeds up, cruises and slows down (a trapezoid); at each
// corner it is as fast as jerk or junction deviation allow; and what is queued must always be able to stop behind its last move, so
// a queue of few short moves is slow. Sources: Marlin's planner.cpp (_populate_block, calculate_trapezoid_for_block, recalculate), whose
// classic jerk slicers use too when they estimate.
//
// A move comes by add, lies in the ring until the ring is full, and leaves it as the oldest: only then its time is known for good.
// Speeds are kept squared, for that is what changes evenly along a way: v² = u² + 2as.
type planner struct {
	limits  Limits
	depth   int // moves that are queued at most
	ring    [maxDepth]planned
	first   int
	count   int
	seconds float64 // of all moves that have left the ring
	cruise  float64 // of that, at the speed that was asked for

	of    origin           // of the moves that come now
	ofs   [maxDepth]origin // of those in the ring
	left  uint32           // the last command all of whose moves have left
	spent *spending        // seconds by slot

	entry    float64    // mm²/s², what the last one that left ended with
	begun    float64    // its root, in mm/s
	wasUnit  [4]float64 // the newest one's direction
	wasSpeed float64    // its mm/s along the way; 0 at rest
	wasSafe  float64    // mm/s at which it may stop at once
}

// planned is a move in the ring.
type planned struct {
	length  float64 // mm
	speed   float64 // mm/s, the root of nominal
	accel   float64 // mm/s²
	nominal float64 // mm²/s², the speed that it was asked for, within the limits
	most    float64 // mm²/s², the fastest at its beginning
	entry   float64 // mm²/s², as planned so far
}

// origin is where a move comes from: the number of its command, and what its time is booked under.
type origin struct{ command, slot uint32 }

// maxDepth is how many moves a ring holds at most, a power of two.
const maxDepth = 64

// stopped is the square of what counts as standing still, in mm²/s² (Marlin: MINIMUM_PLANNER_SPEED, 0.05 mm/s).
const stopped = 0.05 * 0.05

func (p *planner) reset(l Limits) {
	*p = planner{limits: l, depth: min(max(l.Queue, 2), maxDepth), spent: new(spending)}
	p.begin(stopped)
}

// move plans what the motion says.
func (p *planner) move(m *moved) {
	switch {
	case m.length == 0:
	case m.curve.length == 0:
		p.add(&m.by, m.length, m.speed)
	default:
		p.turn(m)
	}
}

// limited is the direction of a move by d mm, and how fast and with what acceleration the limits let it go.
func (l *Limits) limited(d *[4]float64, length, speed float64) (unit [4]float64, _, accel float64) {
	inverse := 1 / length
	accel = l.TravelMMS2
	if d[3] != 0 {
		accel = l.PrintMMS2
		if d[0] == 0 && d[1] == 0 && d[2] == 0 {
			accel = l.RetractMMS2
		}
	}
	for i := range unit {
		if d[i] == 0 {
			continue
		}
		unit[i] = d[i] * inverse
		u := math.Abs(unit[i])
		if speed*u > l.SpeedMMS[i] {
			speed = l.SpeedMMS[i] / u
		}
		if accel*u > l.AccelMMS2[i] {
			accel = l.AccelMMS2[i] / u
		}
	}
	return unit, speed, accel
}

// add plans a move by d mm (X Y Z E) at speed mm/s along its way of length mm; E alone has its own length.
func (p *planner) add(d *[4]float64, length, speed float64) {
	unit, speed, accel := p.limits.limited(d, length, speed)
	if p.count == p.depth {
		p.leave()
	}
	at := (p.first + p.count) & (maxDepth - 1)
	p.ofs[at] = p.of
	b := &p.ring[at]
	*b = planned{length: length, speed: speed, accel: accel, nominal: speed * speed}
	b.most = p.corner(&unit, speed, accel)
	b.entry = min(b.most, stopped+2*accel*length)
	if p.count++; p.wasSpeed == 0 {
		p.begin(b.entry) // from rest, at once with what jerk allows
	}
	p.wasUnit, p.wasSpeed = unit, speed
	p.replan()
}

// replan lets the moves in front end as fast as the newest allows, backwards until one is not changed by that.
func (p *planner) replan() {
	next := p.ring[(p.first+p.count-1)&(maxDepth-1)].entry
	for i := p.count - 2; i > 0; i-- {
		b := &p.ring[(p.first+i)&(maxDepth-1)]
		entry := min(b.most, next+2*b.accel*b.length)
		if entry == b.entry {
			return
		}
		b.entry, next = entry, entry
	}
}

// leave takes the oldest move out. What it can reach by its end is what the next one begins with.
func (p *planner) leave() {
	b := &p.ring[p.first]
	exit := float64(stopped)
	if p.count > 1 {
		next := &p.ring[(p.first+1)&(maxDepth-1)]
		exit = min(next.entry, p.entry+2*b.accel*b.length)
	}
	entry, begun := p.entry, p.begun
	p.begin(exit)
	took, cruise := b.time(entry, exit, begun, p.begun)
	p.seconds += took
	p.cruise += cruise
	of := p.ofs[p.first&(maxDepth-1)]
	p.spent[of.slot%slots] += took
	if p.count == 1 || p.ofs[(p.first+1)&(maxDepth-1)].command != of.command { // an arc is several moves
		p.left = of.command
	}
	p.first = (p.first + 1) & (maxDepth - 1)
	p.count--
}

// begin sets what the oldest move begins with, a speed squared.
func (p *planner) begin(entry float64) { p.entry, p.begun = entry, math.Sqrt(entry) }

// time is how long a move takes that begins and ends with the given speeds, squared and as they are, and how long of that it cruises: that part
// changes with the speed that is asked for, to the first order, and the rest does not.
func (b *planned) time(entry, exit, from, to float64) (took, cruise float64) {
	up, down := b.nominal-entry, b.nominal-exit
	way := (up + down) / (2 * b.accel)
	if way >= b.length { // it slows down before it has reached its speed
		peak := max(b.accel*b.length+(entry+exit)/2, entry, exit)
		return (2*math.Sqrt(peak) - from - to) / b.accel, 0
	}
	cruise = (b.length - way) / b.speed
	return (2*b.speed-from-to)/b.accel + cruise, cruise
}

// corner is the square of the fastest speed between the last move and the one in direction unit.
func (p *planner) corner(unit *[4]float64, speed, accel float64) float64 {
	l := &p.limits
	if l.DeviationMM > 0 {
		return p.deviation(unit, speed, accel)
	}
	if l.VectorJerk {
		return p.vector(unit, speed)
	}
	// Classic jerk: the speed of an axis may change by its jerk at once.
	safe := speed
	for i, u := range unit {
		if u = math.Abs(u); safe*u > l.JerkMMS[i] {
			safe = l.JerkMMS[i] / u
		}
	}
	was := p.wasSafe
	p.wasSafe = safe
	if p.wasSpeed == 0 {
		return max(safe*safe, stopped)
	}
	fast := min(p.wasSpeed, speed)
	factor := 1.0
	for i := range unit {
		v := p.wasUnit[i] * fast // before the corner
		w := unit[i] * fast      // behind it
		jerk := math.Abs(w - v)
		if v*w < 0 { // turned round, which costs no more than the greater of both (Marlin: planner.cpp, "coasting or reversing")
			jerk = max(math.Abs(v), math.Abs(w))
		}
		if jerk*factor > l.JerkMMS[i] {
			factor = l.JerkMMS[i] / jerk
		}
	}
	// Where both may stop at once nothing need be planned through.
	v := max(fast*factor, min(was, safe))
	return max(v*v, stopped)
}

// vector is the jerk of Marlin 1.0, with which CuraEngine still reckons (timeEstimate.cpp).
func (p *planner) vector(unit *[4]float64, speed float64) float64 {
	l := &p.limits
	safe := min(speed, l.JerkMMS[0]/2)
	for i := 2; i < 4; i++ {
		if math.Abs(unit[i])*speed > l.JerkMMS[i]/2 {
			safe = min(safe, l.JerkMMS[i]/2)
		}
	}
	if p.wasSpeed == 0 {
		return max(safe*safe, stopped)
	}
	change := func(i int) float64 { return math.Abs(unit[i]*speed - p.wasUnit[i]*p.wasSpeed) }
	factor := 1.0
	if x, y := change(0), change(1); x*x+y*y > l.JerkMMS[0]*l.JerkMMS[0] {
		factor = l.JerkMMS[0] / math.Sqrt(x*x+y*y)
	}
	for i := 2; i < 4; i++ {
		if c := change(i); c*factor > l.JerkMMS[i] {
			factor = l.JerkMMS[i] / c
		}
	}
	v := min(p.wasSpeed, speed*factor)
	return max(v*v, stopped)
}

// deviation is the rule of newer firmware: as fast as a circle may be gone round that leaves the corner by that much.
func (p *planner) deviation(unit *[4]float64, speed, accel float64) float64 {
	if p.wasSpeed == 0 {
		return stopped
	}
	cos := 0.0 // of the angle between the way back and the way on
	for i := range 3 {
		cos -= p.wasUnit[i] * unit[i]
	}
	fast := min(p.wasSpeed, speed)
	switch {
	case cos > 0.999999:
		return stopped
	case cos < -0.999999:
		return fast * fast
	}
	half := math.Sqrt((1 - cos) / 2)
	return max(stopped, min(fast*fast, accel*p.limits.DeviationMM*half/(1-half)))
}

// wait lets all moves end, as the firmware does before it waits for something, and adds what that takes, in seconds.
func (p *planner) wait(s float64) {
	for p.count > 0 {
		p.leave()
	}
	p.begin(stopped)
	p.wasSpeed, p.wasSafe = 0, 0
	p.seconds += s
	p.spent[p.of.slot%slots] += s
}

// soFar is the time of all moves, those that lie in the ring as they are planned now.
func (p *planner) soFar() (t, cruise float64) {
	t, cruise = p.seconds, p.cruise
	entry, from := p.entry, p.begun
	for i := range p.count {
		b := &p.ring[(p.first+i)&(maxDepth-1)]
		exit := float64(stopped)
		if i+1 < p.count {
			exit = min(p.ring[(p.first+i+1)&(maxDepth-1)].entry, entry+2*b.accel*b.length)
		}
		to := math.Sqrt(exit)
		took, cruises := b.time(entry, exit, from, to)
		t, cruise, entry, from = t+took, cruise+cruises, exit, to
	}
	return t, cruise
}
