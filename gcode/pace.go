package gcode

import "time"

// Pace follows the commands of a file, one after another, and says how long the motion of each takes. It is the survey's own estimate
// (motion.go) line by line: what the file asks for, by lengths, feed rates, corners and the acceleration that it sets. A machine that cannot
// follow takes longer. Heating, homing and probing count nothing. M220, which a person may overrule at any time, is left to the caller.
type Pace struct {
	motion motion
	words  words
}

// NewPace returns a Pace at the beginning of a file.
func NewPace() *Pace {
	p := &Pace{}
	p.motion.reset()
	return p
}

// Took follows a command and returns the time of its motion, never negative; 0 for what moves nothing. It does not allocate.
func (p *Pace) Took(c Command) time.Duration {
	began := p.motion.seconds
	switch {
	case c.Letter == 'T':
		p.motion.setTool(c.Number)
	case c.Letter == 'G' && c.Number < 4:
		p.words.read(c.Args)
		p.motion.move(c.Number, &p.words)
	case c.Letter == 'G' || c.Letter == 'M' && c.Number != 220:
		p.words.read(c.Args)
		p.motion.other(c, &p.words)
	}
	return time.Duration(min(max(p.motion.seconds-began, 0), maxSeconds) * float64(time.Second))
}
