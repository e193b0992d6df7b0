package gcode

import (
	"bufio"
	"bytes"
	"math"
)

// A run flows through here: steps are added while they may lie on one arc. The circle that was found holds for further steps, or is found anew from
// all of them; when neither has led anywhere for a while (patience), the arc over those that were good is written, or else the first step as it was.

// step is a G1 that prints.
type step struct {
	from, to [3]micro
	e        micro // as its line says it
	push     micro // filament
	absolute bool  // e is
	feed     micro // when it changes here, per minute; 0 it does not
	speed    micro // what it goes at, per minute; 0 unknown
	tail     []byte
}

const (
	leastSteps = 3
	mostSteps  = 256 // in one arc, which bounds memory
	patience   = 8   // steps that are awaited behind the last good one: few pieces of a short arc are coarser than many of a long one
	maxRadius  = 1000
	maxSweep   = 350 * math.Pi / 180

	// How firmware makes an arc: as many equal pieces as whole millimetres go into it, which may be up to 2 mm long then (Marlin's MM_PER_ARC_SEGMENT
	// and Klipper's resolution are 1 as they come; newer Marlin makes finer ones). Marlin turns by a series for sine and cosine, which draws in by
	// a part of angle^4/24 at each piece, and reckons exactly each 25 pieces (N_ARC_CORRECTION).
	pieceMM    = 1
	correction = 25

	// At a corner firmware goes no faster than it may change its direction at once. Any that is set up as it came bears this much, in mm/s: Marlin's jerk is
	// 8 to 10, its junction deviation and Klipper's square_corner_velocity come to 7 and 9 at small angles.
	easyMMS = 5

	// Filament per mm may differ by a fiftieth from step to step, and by what rounding of places and of E makes of it in a short one.
	rateSlack  = 0.02
	placeSlack = 0.002
	pushSlack  = 0.00001
)

// run is the steps that wait, and what is written.
type run struct {
	out       *bufio.Writer
	tolerance float64 // mm
	fitted    ArcsFitted

	steps []step
	lines []byte // of steps, as they came
	ends  []int  // in lines, by step
	tail  []byte // of each step

	good  int    // steps that best is for; 0 none
	best  circle // of the first good steps
	now   circle // that is tried
	rate  interval
	climb interval // mm of Z per mm
	turn  float64  // of the steps that were tried, radians
	made  []byte
}

// interval is what a figure can be to suit all steps.
type interval struct{ least, most float64 }

func (i *interval) narrow(least, most float64) {
	i.least, i.most = max(i.least, least), min(i.most, most)
}

func (i *interval) holds(v float64) bool { return v >= i.least && v <= i.most }

// pass ends the run, and writes a line as it is.
func (r *run) pass(line []byte) {
	r.flush()
	r.out.Write(line) // the writer keeps its error for Flush
}

// flush writes all steps that wait.
func (r *run) flush() {
	for len(r.steps) > 0 {
		r.emit()
	}
}

// add takes one step more.
func (r *run) add(s step, line []byte) {
	if n := len(r.steps); n > 0 && (n == mostSteps || !r.follows(&r.steps[n-1], &s)) {
		r.flush()
	}
	if len(r.steps) == 0 {
		r.lines, r.ends = r.lines[:0], r.ends[:0]
		r.tail = append(r.tail[:0], s.tail...)
	}
	s.tail = nil
	r.steps = append(r.steps, s)
	r.lines = append(r.lines, line...)
	r.ends = append(r.ends, len(r.lines))
	r.try(len(r.steps))
	for len(r.steps) > r.good+patience {
		r.emit()
	}
}

// follows tells whether next can go on an arc with last: all is as before, and it turns by less than 45°, which is more than any arc within the
// greatest tolerance has between two of its moves.
func (r *run) follows(last, next *step) bool {
	if next.feed != 0 || !bytes.Equal(next.tail, r.tail) || next.absolute != last.absolute {
		return false
	}
	a, b := last.way(), next.way()
	return a.dot(b) > math.Abs(a.cross(b))
}

func (s *step) way() vector { return vector{(s.to[0] - s.from[0]).mm(), (s.to[1] - s.from[1]).mm()} }

// point is where step i leads to, seen from where the run begins.
func (r *run) point(i int) vector {
	from := &r.steps[0].from
	return vector{(r.steps[i].to[0] - from[0]).mm(), (r.steps[i].to[1] - from[1]).mm()}
}

// emit writes the arc of the good steps, or the first step, and looks what the others are good for.
func (r *run) emit() {
	n := max(1, r.good)
	if r.good == 0 {
		r.out.Write(r.lines[:r.ends[0]])
	} else {
		r.now = r.best
		if r.find(n) && r.now.off < r.best.off { // what the first few steps told is rough
			r.best = r.now
		}
		r.out.Write(r.arcLine())
		r.fitted.Arcs++
		r.fitted.Moves += int64(n)
		r.fitted.DeviationMM = max(r.fitted.DeviationMM, r.best.off)
	}
	gone := r.ends[n-1]
	r.lines = append(r.lines[:0], r.lines[gone:]...)
	r.steps = append(r.steps[:0], r.steps[n:]...)
	r.ends = append(r.ends[:0], r.ends[n:]...)
	for i := range r.ends {
		r.ends[i] -= gone
	}
	r.good = 0
	for i := range r.steps {
		r.try(i + 1)
	}
}

func (r *run) arcLine() []byte {
	first, last := &r.steps[0], &r.steps[r.good-1]
	b := append(r.made[:0], "G3"...)
	if r.best.clockwise {
		b[1] = '2'
	}
	word := func(letter byte, v micro) { b = appendMicro(append(b, ' ', letter), v) }
	word('X', last.to[0])
	word('Y', last.to[1])
	if last.to[2] != first.from[2] {
		word('Z', last.to[2])
	}
	word('I', r.best.i)
	word('J', r.best.j)
	e := last.e
	if !last.absolute {
		e = 0
		for i := range r.steps[:r.good] {
			e += r.steps[i].e
		}
	}
	word('E', e)
	if first.feed != 0 {
		word('F', first.feed)
	}
	r.made = append(b, r.tail...)
	return r.made
}

// try looks whether the first n steps are an arc.
func (r *run) try(n int) {
	if n == 1 {
		r.now = circle{}
		r.rate, r.climb, r.turn = interval{0, math.Inf(1)}, interval{math.Inf(-1), math.Inf(1)}, 0
	} else {
		a, b := r.steps[n-2].way(), r.steps[n-1].way()
		r.turn += math.Atan2(a.cross(b), a.dot(b))
	}
	s := &r.steps[n-1]
	way := math.Hypot(s.way().x, s.way().y)
	least := (s.push.mm() - pushSlack) / (way*(1+rateSlack) + placeSlack)
	most := math.Inf(1)
	if w := way*(1-rateSlack) - placeSlack; w > 0 {
		most = (s.push.mm() + pushSlack) / w
	}
	r.rate.narrow(least, most)
	c := &r.now
	c.way += way
	c.push += s.push
	rise := (s.to[2] - r.steps[0].from[2]).mm()
	r.climb.narrow((rise-r.tolerance/10)/c.way, (rise+r.tolerance/10)/c.way)
	if n < leastSteps || !r.rate.holds(c.push.mm()/c.way) || !r.climb.holds(rise/c.way) {
		return
	}
	if r.surelySlower(n) {
		return
	}
	end := r.point(n - 1)
	if c.steps == n-1 && c.follow(r.point(n-2), end) && r.suits(end) || r.find(n) {
		r.best, r.good = *c, n
	}
}

// find looks for the circle of the first n steps anew.
func (r *run) find(n int) bool {
	c := &r.now
	end := r.point(n - 1)
	if !c.through(r, n, end) {
		c.steps = 0
		return false
	}
	from := vector{}
	for i := range n {
		to := r.point(i)
		if !c.follow(from, to) {
			c.steps = 0
			return false
		}
		from = to
	}
	return r.suits(end)
}

// surelySlower tells, without looking for a circle, that suits would find the pieces of any too coarse.
func (r *run) surelySlower(n int) bool {
	const slack = 0.8 // the steps turn by a little less than the arc, and rounding turns them too
	pieces := max(1, r.now.way*(1+rateSlack))
	return pieces < float64(n) && (r.steps[0].speed == 0 || slack*math.Abs(r.turn)*r.steps[0].speed.mm()/60 > easyMMS*pieces)
}

// suits tells whether the circle that is tried does for the steps that it has followed: it is near enough, and not slower. Its corners, as firmware makes
// them, may turn by more than those of the steps only where that is easy at this speed; else a file of fine steps would be braked by coarse ones.
func (r *run) suits(end vector) bool {
	angle, near := r.now.suits(end, r.tolerance)
	if !near {
		return false
	}
	speed := r.steps[0].speed.mm() / 60
	return angle <= r.now.sweep/float64(r.now.steps) || speed > 0 && angle*speed <= easyMMS
}

type vector struct{ x, y float64 }

func (a vector) sub(b vector) vector    { return vector{a.x - b.x, a.y - b.y} }
func (a vector) dot(b vector) float64   { return a.x*b.x + a.y*b.y }
func (a vector) cross(b vector) float64 { return a.x*b.y - a.y*b.x }

// circle is one that is tried on the beginning of a run. The moves that it has followed lie between two radii about its centre, in one direction.
type circle struct {
	i, j      micro  // centre, seen from where the run begins, as it is written
	centre    vector // the same
	radius    float64
	clockwise bool
	low, high float64 // radii of the moves
	sweep     float64 // radians
	steps     int     // that were followed; 0 it is none
	off       float64 // by suits
	way       float64 // length of the moves of the run, mm
	push      micro
}

// through places the centre so that the circle goes through the ends of the run, and otherwise by least squares through the first n steps.
func (c *circle) through(r *run, n int, end vector) bool {
	chord := end.dot(end)
	if chord == 0 {
		return false
	}
	mid := vector{end.x / 2, end.y / 2}
	across := vector{-end.y, end.x}
	// A point p is on the circle about mid + h·across when p'·p' - chord/4 = 2h (p'·across), p' being p - mid.
	var ab, bb float64
	for i := range n - 1 {
		p := r.point(i).sub(mid)
		a, b := p.dot(p)-chord/4, p.dot(across)
		ab += a * b
		bb += b * b
	}
	if bb == 0 {
		return false
	}
	h := ab / (2 * bb)
	centre := vector{mid.x + h*across.x, mid.y + h*across.y}
	if !(math.Abs(centre.x) < maxRadius && math.Abs(centre.y) < maxRadius) {
		return false
	}
	// Written with three places, which are far below any step of a motor; what that does to the arc is part of what is checked.
	i, j := math.Round(centre.x*1e3), math.Round(centre.y*1e3)
	c.i, c.j, c.centre = micro(i)*1e3, micro(j)*1e3, vector{i / 1e3, j / 1e3}
	c.radius = math.Hypot(c.centre.x, c.centre.y)
	c.low, c.high, c.sweep, c.steps = c.radius, c.radius, 0, 0
	c.clockwise = c.centre.cross(r.point(0)) > 0
	return c.radius > 0 && c.radius <= maxRadius
}

// follow takes one move more; false when it does not go on about the centre.
func (c *circle) follow(from, to vector) bool {
	a, b := from.sub(c.centre), to.sub(c.centre)
	turn, along := a.cross(b), a.dot(b)
	if c.clockwise {
		turn = -turn
	}
	if turn <= 0 || along <= 0 {
		return false
	}
	c.sweep += math.Atan2(turn, along)
	away := math.Hypot(b.x, b.y)
	c.high = max(c.high, away)
	c.low = min(c.low, away)
	way := to.sub(from)
	if a.dot(way) < 0 && b.dot(way) > 0 { // nearest to the centre in between
		c.low = min(c.low, turn/math.Hypot(way.x, way.y))
	}
	c.steps++
	return true
}

// suits tells whether the arc to end is within tolerance of the moves that were followed, and by how much firmware turns from piece to piece. Both they and what firmware makes of the arc go about the
// centre in one direction, each between two radii; so neither is farther from the other than the outermost radius of both is from the innermost.
func (c *circle) suits(end vector, tolerance float64) (angle float64, near bool) {
	pieces := max(1, math.Floor(c.radius*c.sweep/pieceMM))
	angle = c.sweep / pieces
	if c.sweep > maxSweep || angle > 1 || math.Abs(c.radius*c.sweep/c.way-1) > rateSlack {
		return angle, false
	}
	last := end.sub(c.centre)
	away := math.Hypot(last.x, last.y)
	drawnIn := c.radius * (1 - min(pieces, correction)*math.Pow(angle, 4)/24)
	inner := min(c.low, min(drawnIn, away)*math.Cos(angle/2))
	outer := max(c.high, away)
	c.off = outer - inner
	return angle, c.off <= tolerance
}
