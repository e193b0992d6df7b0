package printertest

import (
	"math"
	"time"
)

// axes of a position: X, Y, Z in mm of the firmware's own coordinates, and E in mm of filament.
const (
	axisX = iota
	axisY
	axisZ
	axisE
	axisCount
)

type position [axisCount]float64

// A block is one straight move in the planner.
type block struct {
	from, to position
	length   float64 // mm; of filament when nothing else moves
	nominal  float64 // mm/s
	accel    float64 // mm/s²
	junction float64 // highest speed at its start, mm/s
	entry    float64 // planned speed at its start
	unit     position

	// Set when it starts:
	exit     float64
	start    time.Duration
	duration time.Duration
	ramp     [3]float64 // seconds of speeding up, at the peak, and of slowing down
	peak     float64
}

// blockRing is how many blocks a planner holds at most (the firmware's limit is lower; Klipper's is a time).
const blockRing = 1024

// A planner queues blocks and runs them in time, with trapezoids and look-ahead: whatever is queued must be able to
// stop at the end of the last block, so few short blocks mean a low speed.
type planner struct {
	scale float64       // how many times faster than real; 0 = blocks are done the moment they come
	size  int           // blocks that fit
	ahead time.Duration // Klipper: room is a time of queued motion instead; 0 = only size counts

	blocks  []block // ring, allocated at first use
	first   int
	count   int
	running bool
	hold    time.Duration // before it nothing starts, unless there is company for the first block
	queued  time.Duration // Klipper: nominal time of what is queued
	fresh   block         // the one being pushed

	// Settings, in mm, mm/s and mm/s².
	maxSpeed, maxAccel      position
	printAccel, travelAccel float64
	retractAccel            float64
	deviation               float64 // junction deviation
	minSegment              time.Duration
	lastUnit                position
	lastNominal             float64
	hasLast                 bool
	drained                 time.Duration // when it last ran empty; never = not since the last deliberate stop
	underruns               int64
	done                    func(b *block, part float64) // takes the finished (part of a) block into the body
}

const minSpeed = 0.05 // mm/s: what a stop counts as

func newPlanner(scale float64, size int, done func(*block, float64)) planner {
	return planner{scale: scale, size: size, done: done, drained: never,
		maxSpeed: position{300, 300, 5, 25}, maxAccel: position{3000, 3000, 100, 10000},
		printAccel: 3000, travelAccel: 3000, retractAccel: 3000, deviation: 0.013, minSegment: 20 * time.Millisecond}
}

func (p *planner) at(i int) *block { return &p.blocks[(p.first+i)%blockRing] }

// full reports whether the next block has to wait.
func (p *planner) full() bool {
	if p.ahead > 0 && p.queued > p.ahead {
		return true
	}
	return p.count >= p.size
}

// free is the P of an ok.
func (p *planner) free() int { return p.size - p.count }

// push queues a move at now; there must be room. speed is in mm/s along the path.
func (p *planner) push(now time.Duration, from, to position, speed float64) {
	b := &p.fresh
	*b = block{from: from, to: to}
	var d position
	for i := range d {
		d[i] = to[i] - from[i]
	}
	b.length = math.Sqrt(d[axisX]*d[axisX] + d[axisY]*d[axisY] + d[axisZ]*d[axisZ])
	if b.length < 1e-6 {
		b.length = math.Abs(d[axisE])
	}
	if b.length < 1e-6 {
		return
	}
	if p.scale <= 0 {
		p.done(b, 1)
		return
	}
	if p.blocks == nil {
		p.blocks = make([]block, blockRing)
	}
	p.shape(b, &d, speed)
	p.enqueue(now, b)
}

// shape works out the block's speeds by itself, without its neighbours.
func (p *planner) shape(b *block, d *position, speed float64) {
	inverse := 1 / b.length
	b.accel = p.travelAccel
	if d[axisE] != 0 {
		b.accel = p.printAccel
		if d[axisX] == 0 && d[axisY] == 0 && d[axisZ] == 0 {
			b.accel = p.retractAccel
		}
	}
	b.nominal = max(speed, minSpeed)
	if n := p.count; p.minSegment > 0 && n >= 2 && n < p.size/2 { // Marlin's SLOWDOWN
		least := p.minSegment.Seconds()
		if t := b.length / b.nominal; t < least {
			b.nominal = b.length / (t + 2*(least-t)/float64(n))
		}
	}
	for i := range d {
		b.unit[i] = d[i] * inverse
		if u := math.Abs(b.unit[i]); u > 1e-9 {
			b.nominal = min(b.nominal, p.maxSpeed[i]/u)
			b.accel = min(b.accel, p.maxAccel[i]/u)
		}
	}
	b.nominal, b.accel = max(b.nominal, minSpeed), max(b.accel, 1)
	b.junction = minSpeed
	if p.hasLast {
		b.junction = max(minSpeed, p.cornerSpeed(b))
	}
	p.lastUnit, p.lastNominal, p.hasLast = b.unit, b.nominal, true
}

// cornerSpeed is the junction deviation rule: the speed at which a circle of that deviation rounds the corner.
func (p *planner) cornerSpeed(b *block) float64 {
	cos := 0.0 // of the angle between the reversed last and this direction
	for i := range b.unit {
		cos -= p.lastUnit[i] * b.unit[i]
	}
	top := min(b.nominal, p.lastNominal)
	if cos > 0.999999 { // full reversal
		return minSpeed
	}
	if cos < -0.999999 { // straight on
		return top
	}
	half := math.Sqrt(0.5 * (1 - cos))
	return min(top, math.Sqrt(b.accel*p.deviation*half/(1-half)))
}

func (p *planner) enqueue(now time.Duration, b *block) {
	if p.count == 0 {
		// Marlin waits up to 100 ms for company for the first block, so that it need not stop behind it at once.
		p.hold = now + p.scaled(0.1)
		if p.drained != never && now-p.drained < 500*time.Millisecond {
			p.underruns++
		}
		p.drained = never
	}
	*p.at(p.count) = *b
	p.count++
	p.queued += p.scaled(b.length / b.nominal)
	p.replan()
	if !p.running && (p.count >= 3 || p.hold <= now) {
		p.begin(now)
	}
}

func (p *planner) scaled(s float64) time.Duration { return seconds(s / p.scale) }

// replan works out the entry speeds of all blocks that have not started: backwards what they must be to stop in time,
// forwards what can be reached.
func (p *planner) replan() {
	low := 0
	if p.running {
		low = 1 // the running block's exit, which is the next one's entry, is decided
		if p.count > 1 {
			p.at(1).entry = p.at(0).exit
		}
	} else if p.count > 0 {
		p.at(0).entry = minSpeed
	}
	exit := minSpeed
	for i := p.count - 1; i > low; i-- {
		b := p.at(i)
		entry := min(b.junction, math.Sqrt(exit*exit+2*b.accel*b.length))
		if b.entry == entry && i < p.count-1 {
			break // nothing changes in front of it
		}
		b.entry, exit = entry, entry
	}
	for i := low; i+1 < p.count; i++ {
		b, next := p.at(i), p.at(i+1)
		next.entry = min(next.entry, math.Sqrt(b.entry*b.entry+2*b.accel*b.length))
	}
}

// begin starts the oldest block at now.
func (p *planner) begin(now time.Duration) {
	b := p.at(0)
	b.exit = minSpeed
	if p.count > 1 {
		b.exit = p.at(1).entry
	}
	b.trapezoid()
	b.start, b.duration = now, p.scaled(b.ramp[0]+b.ramp[1]+b.ramp[2])
	p.running = true
}

// trapezoid fits speeding up, cruising and slowing down into the block's length.
func (b *block) trapezoid() {
	up := (b.nominal*b.nominal - b.entry*b.entry) / (2 * b.accel)
	down := (b.nominal*b.nominal - b.exit*b.exit) / (2 * b.accel)
	b.peak = b.nominal
	cruise := b.length - up - down
	if cruise < 0 {
		b.peak = math.Sqrt(max(0, (2*b.accel*b.length+b.entry*b.entry+b.exit*b.exit)/2))
		b.peak = max(b.peak, b.entry, b.exit, minSpeed)
		cruise = 0
	}
	b.ramp = [3]float64{(b.peak - b.entry) / b.accel, cruise / b.peak, (b.peak - b.exit) / b.accel}
}

// part is how much of the block's length is done at now, 0 to 1.
func (b *block) part(now time.Duration) float64 {
	if now <= b.start || b.duration <= 0 {
		return 0
	}
	total := b.ramp[0] + b.ramp[1] + b.ramp[2]
	t := float64(now-b.start) / float64(b.duration) * total
	if t >= total {
		return 1
	}
	s := 0.0
	if r := min(t, b.ramp[0]); r > 0 {
		s += b.entry*r + b.accel*r*r/2
	}
	if r := min(t-b.ramp[0], b.ramp[1]); r > 0 {
		s += b.peak * r
	}
	if r := t - b.ramp[0] - b.ramp[1]; r > 0 {
		s += b.peak*r - b.accel*r*r/2
	}
	return max(0, min(1, s/b.length))
}

// next is when the planner wants to be called again.
func (p *planner) next() time.Duration {
	switch {
	case p.running:
		return p.at(0).start + p.at(0).duration
	case p.count > 0:
		return p.hold
	}
	return never
}

// advance finishes and starts blocks up to now.
func (p *planner) advance(now time.Duration) {
	for p.next() <= now {
		if !p.running {
			p.begin(p.hold)
			continue
		}
		b := p.at(0)
		end := b.start + b.duration
		p.done(b, 1)
		p.queued = max(0, p.queued-p.scaled(b.length/b.nominal))
		p.first, p.count, p.running = (p.first+1)%blockRing, p.count-1, false
		if p.count > 0 {
			p.begin(end)
			continue
		}
		p.drained, p.hasLast, p.queued = end, false, 0
	}
}

// settle tells the planner that running empty was wanted.
func (p *planner) settle() { p.drained = never }

// stop throws away all blocks; the running one is finished as far as it got.
func (p *planner) stop(now time.Duration) {
	if p.running {
		p.done(p.at(0), p.at(0).part(now))
	}
	p.count, p.running, p.hasLast, p.queued = 0, false, false, 0
	p.drained = never
}
