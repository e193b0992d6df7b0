package printer

import (
	"cmp"
	"layerd/gcode"
	"math"
	"slices"
	"time"
)

// eta says how long the rest of a print takes: the file's own time (the survey's), corrected by what this print has shown.
//
//	a line of the job is accepted ─▶ landed: how far that is in the file's own time ─▶ where a layer begins, a leg ends ─▶ rate: how much longer legs take than the file says
//
// Legs are measured from layer to layer, because only there the file's time is known exactly. A change of speed (M220) counts at once. A leg that took far longer or shorter than most was a wait for heat or a person, and says nothing of the rest.
type eta struct {
	at     moved            // how far, in the file's own time
	layer  int              // that the print is in, as in jobPos
	end    int64            // of the file, what was accepted up to
	lines  float64          // seconds that the lines of this layer move, each by itself (gcode.Pace) …
	scale  [2]float64       // … which layers so far took in the file's own time, and by themselves
	clock  float64          // seconds of running, but for waits
	until  time.Duration    // of running that is in clock
	ahead  [planned]float64 // seconds that the newest lines move, each by itself: the printer has them in its planner yet
	factor float64          // of the file's own speed, by M220: 1 = as the file asks
	file   float64          // percent that the file itself has asked for …
	kept   float64          // … and had, when it kept what there was

	waits int // for heat and the like
	from  leg // where the one under way began: at, clock
	legs  []leg
	rate  moved // seconds that one of the file's own takes, at the file's own speed
}

// moved is a part of the file's own time, in seconds: at the speed that it asks for, and speeding up and slowing down. M220 changes only the first, and the machine's
// acceleration only the second.
type moved struct{ cruise, rest float64 }

func (m moved) sum() float64             { return m.cruise + m.rest }
func (m moved) minus(o moved) moved      { return moved{m.cruise - o.cruise, m.rest - o.rest} }
func (m moved) times(rate moved) float64 { return m.cruise*rate.cruise + m.rest*rate.rest }

// leg is a part of the print: how long it is by the file, how long it took, and at which factor.
type leg struct {
	file         moved
	took, factor float64
}

const (
	planned      = 16 // moves, as in most firmware
	fewWaits     = 3
	fewLayers    = 10   // so few say nothing of what lies between their beginnings, and bytes do
	legShare     = 0.01 // of the file's time that a leg has at least: there are never more than 1/legShare
	fading       = 0.97 // what a leg weighs against the one after it
	legBlur      = 0.03 // how far the time of a leg may be off by itself, of a usual leg …
	cruiseBlur   = 0.01 // … and how far the rates may be from 1
	restBlur     = 1.0
	explained    = 4.0  // times as long as believed a machine may take to speed up and slow down
	unusual      = 1.5  // times the median rate
	slowestTimes = 20.0 // what is more is no printing
)

func startETA() eta { return eta{layer: -1, factor: 1, file: 100, kept: 100, rate: moved{1, 1}} }

// landed takes in that the firmware has accepted a line of the job. ran is how long the print ran until now.
func (e *eta) landed(ran time.Duration, pos jobPos, v *gcode.Survey, speedPercent float64) {
	e.clock += (ran - e.until).Seconds()
	e.until = ran
	if factor := speedPercent / e.file; factor > 0 && math.Abs(factor-e.factor) > 1e-6 {
		e.factor, e.from = factor, leg{} // what is planned already runs as before
		e.rate = e.learn()
	}
	if pos.end <= e.end { // it is sent again: the print has been here before
		return
	}
	e.end = pos.end
	exact := len(v.Layers) < fewLayers
	if pos.layer != e.layer {
		if e.layer >= 0 && pos.layer == e.layer+1 {
			e.scale[0] += v.Layers[pos.layer].ElapsedS - v.Layers[e.layer].ElapsedS
			e.scale[1] += e.lines
		}
		exact = exact || pos.layer >= 0
		e.layer, e.lines = pos.layer, 0
	}
	e.at = e.place(pos, v)
	if exact && pos.layer >= 0 || len(v.Layers) == 0 && e.at.sum() > 0 {
		e.leg(leg{e.at, e.clock + e.lead(), e.factor}, v.TimeS)
	}
	if took := pos.took.Seconds(); took > 0 {
		e.lines += took
		copy(e.ahead[:], e.ahead[1:])
		e.ahead[planned-1] = took
		e.at = e.place(pos, v)
	}
}

// lead is how far the printer is behind what it has accepted, in seconds.
func (e *eta) lead() (s float64) {
	for _, took := range e.ahead {
		s += took
	}
	s *= e.ownScale()
	whole := e.at.sum()
	if s = min(s, whole); s <= 0 {
		return 0
	}
	return e.at.times(e.now()) * (s / whole)
}

// ownScale is what a second of the lines' own times is in the file's own time.
func (e *eta) ownScale() float64 {
	if e.scale[0] > 0 && e.scale[1] > 0 {
		return e.scale[0] / e.scale[1]
	}
	return 1
}

// asked takes in an M220 of the file itself. What it keeps and brings back may be a person's factor.
func (e *eta) asked(c gcode.Command) {
	if c.Has('B') {
		e.kept = e.file
	}
	if c.Has('R') {
		e.file = e.kept
	}
	if percent, ok := c.Float('S'); ok && percent > 0 {
		e.file = percent
	}
}

// skip leaves out how long the print ran since the last line: it stood, and is going on. The leg under way says nothing then.
func (e *eta) skip(ran time.Duration) { e.until, e.ahead, e.from = ran, [planned]float64{}, leg{} }

// waited takes in that the line that comes next has waited for heat or the like. A file that does so again and again does so in the rest of it, too.
func (e *eta) waited(ran time.Duration) {
	if e.layer >= 0 {
		e.waits++
	}
	if e.waits <= fewWaits {
		e.skip(ran)
	}
}

// place is how far a line is, in the file's own time. Within a layer it goes by the lines' own times: by bytes, the long moves of an infill would count little.
func (e *eta) place(pos jobPos, v *gcode.Survey) moved {
	from, to := edge(v, pos.layer), edge(v, pos.layer+1)
	at := v.ElapsedAt(pos.end)
	if len(v.Layers) >= fewLayers && pos.end < v.LastOffset {
		at = from.sum() + e.lines*e.ownScale()
	}
	whole := to.minus(from)
	if whole.sum() <= 0 {
		return from
	}
	part := min(max((at-from.sum())/whole.sum(), 0), 1)
	return moved{from.cruise + part*whole.cruise, from.rest + part*whole.rest}
}

// edge is where a layer begins, in the file's own time: layer -1 with the file, and the one behind the last with its end.
func edge(v *gcode.Survey, layer int) moved {
	switch {
	case layer < 0:
		return moved{}
	case layer >= len(v.Layers):
		return moved{v.CruiseS, v.TimeS - v.CruiseS}
	}
	l := &v.Layers[layer]
	return moved{l.CruiseS, l.ElapsedS - l.CruiseS}
}

// leg ends the leg under way here, when it is long enough, and begins the next.
func (e *eta) leg(here leg, fileS float64) {
	file, took := here.file.minus(e.from.file), here.took-e.from.took
	switch whole := file.sum(); {
	case e.from == leg{}: // the first
		e.from = here
	case whole < legShare*fileS || whole <= 0:
	default:
		e.from = here
		e.legs = append(e.legs, leg{file, max(took, 0), here.factor})
		if most := int(2 / legShare); len(e.legs) > most { // a print that goes back again and again
			e.legs = slices.Delete(e.legs, 0, len(e.legs)-most)
		}
		e.rate = e.learn()
	}
}

// asked is how long a leg is by the file, at the factor at which it was printed.
func (l *leg) asked() moved { return moved{l.file.cruise / l.factor, l.file.rest} }

// learn is the rate by what was seen so far. Machines keep the speed that a file asks for, and differ in how they accelerate: so of two rates that fit the legs as well
// the one is taken whose first part is near 1. The longer it prints the less that counts. Where no acceleration explains what is seen, the speed itself is another, and both
// are near what the legs are as a whole.
func (e *eta) learn() moved {
	usual := e.usual()
	var cc, cr, rr, ct, rt, took, weights float64
	var asked moved
	weight := 1.0
	for _, l := range slices.Backward(e.legs) {
		a := l.asked()
		if r := l.took / a.sum(); r > unusual*usual || unusual*r < usual {
			continue
		}
		cc, cr, rr = cc+weight*a.cruise*a.cruise, cr+weight*a.cruise*a.rest, rr+weight*a.rest*a.rest
		ct, rt = ct+weight*a.cruise*l.took, rt+weight*a.rest*l.took
		took, weights = took+weight*l.took, weights+weight
		asked = moved{asked.cruise + weight*a.cruise, asked.rest + weight*a.rest}
		weight *= fading
	}
	if !(took > 0) {
		return moved{1, 1}
	}
	blur := legBlur * took / weights
	cruise, rest := blur*blur/(cruiseBlur*cruiseBlur), blur*blur/(restBlur*restBlur)
	near := 1.0
	if alone := took - asked.cruise; alone < asked.rest/explained || alone > asked.rest*explained {
		near = took / asked.sum()
	}
	cc, rr, ct, rt = cc+cruise, rr+rest, ct+cruise*near, rt+rest*near
	det := cc*rr - cr*cr
	if !(det > 0) {
		return moved{1, 1}
	}
	bound := func(r float64) float64 { return min(max(r, 1/slowestTimes), slowestTimes) }
	return moved{bound((ct*rr - rt*cr) / det), bound((rt*cc - ct*cr) / det)}
}

// usual is the median rate of the legs.
func (e *eta) usual() float64 {
	rates := make([]leg, 0, len(e.legs))
	half := 0.0
	for _, l := range e.legs {
		rates = append(rates, leg{file: l.file, took: l.took / l.asked().sum()})
		half += l.file.sum() / 2
	}
	slices.SortFunc(rates, func(a, b leg) int { return cmp.Compare(a.took, b.took) })
	for _, l := range rates {
		if half -= l.file.sum(); half <= 0 {
			return l.took
		}
	}
	return 1
}

// now is how many seconds a second of the file's own time takes at the speed of this moment.
func (e *eta) now() moved { return moved{e.rate.cruise / e.factor, e.rate.rest} }

// left is how long the rest takes, in seconds: what the file moves, and before its first layer what is left of warming up and homing. -1 = unknown.
func (e *eta) left(ran time.Duration, v *gcode.Survey) float64 {
	if !(v.TimeS > 0) {
		return -1
	}
	heat := 0.0
	if e.layer < 0 && len(e.legs) == 0 {
		heat = max(0, v.HeatS-max(0, ran.Seconds()-e.at.times(e.now())))
	}
	behind := max(0, e.lead()-(ran-e.until).Seconds())
	return max(0, edge(v, len(v.Layers)).minus(e.at).times(e.now())) + behind + heat
}
