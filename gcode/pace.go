package gcode

import (
	"math"
	"time"
)

// Pace follows the commands of a file, one after another, and says how long the motion of each takes: what the file asks for, by lengths, feed
// rates, corners and the acceleration that it sets, for one move by itself. (A survey's time looks ahead: planner.go.) A machine that cannot
// follow takes longer. Heating, homing and probing count nothing. M220, which a person may overrule at any time, is left to the caller.
//
// The time of a move is its length by its feed rate, plus what is lost at the corner where it begins: v/a seconds for a turn
// right round or a start from rest, less for a lesser angle (the share is (1-cos)/2), where v is what the feed rate and the move's length
// allow at acceleration a. The a is M204's, at first defaultAcceleration. G4 counts in full.
type Pace struct {
	motion motion
	words  words
	accel  float64    // mm/s²
	toward [3]float64 // direction of the last move, zero at rest
}

const defaultAcceleration = 1000.0 // mm/s², between a bed-slinger's 500 and a fast machine's 3000

// NewPace returns a Pace at the beginning of a file.
func NewPace() *Pace {
	p := &Pace{accel: defaultAcceleration}
	p.motion.reset()
	return p
}

// Took follows a command and returns the time of its motion, never negative; 0 for what moves nothing. It does not allocate.
func (p *Pace) Took(c Command) time.Duration {
	seconds := 0.0
	switch {
	case c.Letter == 'T':
		p.motion.setTool(c.Number)
	case c.Letter == 'G' && c.Number < 4:
		p.words.read(c.Args)
		seconds = p.move(p.motion.move(c.Number, &p.words))
	case c.Letter == 'G' || c.Letter == 'M' && c.Number != 220:
		p.words.read(c.Args)
		seconds = p.other(c)
	}
	return time.Duration(min(max(seconds, 0), maxSeconds) * float64(time.Second))
}

func (p *Pace) move(m *moved) float64 {
	if m.length == 0 {
		return 0
	}
	seconds, v := m.length/m.speed, m.speed
	toward := [3]float64{m.by[0] / m.length, m.by[1] / m.length, m.by[2] / m.length}
	if toward == ([3]float64{}) && m.curve.length == 0 { // the filament alone
		p.toward = toward
		return seconds
	}
	turn := 1.0
	if p.toward != ([3]float64{}) {
		turn = (1 - toward[0]*p.toward[0] - toward[1]*p.toward[1] - toward[2]*p.toward[2]) / 2
	}
	if v*v > p.accel*m.length {
		v = math.Sqrt(p.accel * m.length)
	}
	p.toward = toward
	return seconds + turn*v/p.accel
}

func (p *Pace) other(c Command) float64 {
	switch {
	case c.Is('G', 4):
		p.toward = [3]float64{}
		return dwell(&p.words)
	case c.Is('G', 28):
		p.toward = [3]float64{}
	case c.Is('M', 204):
		a, ok := p.words.get('P')
		if !ok {
			a, ok = p.words.get('S')
		}
		if ok && a >= 10 && a <= mostLimit {
			p.accel = a
		}
	}
	p.motion.other(c, &p.words)
	return 0
}
