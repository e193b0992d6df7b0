package printer

import (
	"layerd/gcode"
	"math"
)

// modal is what the lines accepted so far have set in the firmware: what a line to come depends on, and what a pause must bring back.
type modal struct {
	head         head
	relXYZ, relE bool    // G91, M83
	inches       bool    // G20
	feed         float64 // last F word, units per minute; 0 = none yet
	tool         int
	oneNozzle    bool // the tools share it, and its target stands under tool 0
	fanPercent   float64
	speedPercent float64
	flowPercent  float64
	nozzleC      map[int]float64 // targets, by tool
	bedC         float64
	chamberC     float64
	leftMin      float64 // M73 R: minutes left, as the slicer put it into the file; -1 = never
	tuned        tuned
	laid         laid
}

// laid is what the lines accepted so far have laid over the axes: their place as it is called, less what it would be after homing.
type laid struct {
	mm       [3]float64
	unsure   [3]bool // G92 was said where nobody knew what the place was called before
	settings bool    // M206 or the like has changed what home is called
}

// apply follows one command, before the head's place does.
func (l *laid) apply(c gcode.Command, m *modal) {
	switch {
	case c.Is('G', 28):
		all := !c.Has('X') && !c.Has('Y') && !c.Has('Z')
		for i := range l.mm {
			if all || c.Has(headAxes[i]) {
				l.mm[i], l.unsure[i] = 0, false
			}
		}
	case c.Is('G', 92):
		if c.Sub != 0 || len(c.Args) == 0 {
			l.unsure = [3]bool{true, true, true}
		}
		for i := range l.mm {
			if v, ok := c.Float(headAxes[i]); ok {
				if m.inches {
					v *= 25.4
				}
				l.mm[i] += v - m.head.mm[i]
				l.unsure[i] = l.unsure[i] || !m.head.known[i] || !(math.Abs(l.mm[i]) < 1e4)
			}
		}
	case c.Is('M', 206), c.Is('M', 428), c.Is('M', 501), c.Is('M', 502), c.Letter == 'G' && c.Number >= 53 && c.Number <= 59:
		l.settings = l.settings || len(c.Args) > 0 || !c.Is('M', 206)
	}
}

// freshModal is what a board has set when it has just booted.
func freshModal(p Profile) modal {
	return modal{oneNozzle: p.shares(), speedPercent: 100, flowPercent: 100, nozzleC: map[int]float64{}, leftMin: -1}
}

// apply follows one line that was accepted. g90SetsE: see dialect.
func (m *modal) apply(text []byte, g90SetsE bool) {
	c := gcode.ParseCommand(text)
	m.laid.apply(c, m)
	m.head.apply(c, m)
	switch c.Letter {
	case 'G':
		switch c.Number {
		case 0, 1, 2, 3:
			if f, ok := c.Float('F'); ok && f > 0 {
				m.feed = f
			}
		case 20, 21:
			m.inches = c.Number == 20
		case 90, 91:
			m.relXYZ = c.Number == 91
			if g90SetsE {
				m.relE = m.relXYZ
			}
		}
	case 'T':
		if c.Number >= 0 && c.Number < maxTools {
			m.tool = c.Number
		}
	case 'M':
		m.applyM(c)
	}
}

// heater is the number of the heater of a tool's nozzle.
func (m *modal) heater(tool int) int {
	if m.oneNozzle {
		return 0
	}
	return tool
}

const (
	maxTools   = 16
	maxLeftMin = 10 * 366 * 24 * 60 // what is more is not believed
)

func (m *modal) applyM(c gcode.Command) {
	target := func() (float64, bool) {
		if v, ok := c.Float('S'); ok {
			return v, true
		}
		return c.Float('R')
	}
	percent := func(v *float64) {
		if s, ok := c.Float('S'); ok && s > 0 {
			*v = s
		}
	}
	switch c.Number {
	case 73:
		if r, ok := c.Float('R'); ok && r >= 0 && r < maxLeftMin {
			m.leftMin = r
		}
	case 82, 83:
		m.relE = c.Number == 83
	case 104, 109:
		tool := m.tool
		if t, ok := c.Float('T'); ok {
			tool = int(t)
		}
		if v, ok := target(); ok && tool >= 0 && tool < maxTools {
			m.nozzleC[m.heater(tool)] = v
		}
	case 140, 190:
		if v, ok := target(); ok {
			m.bedC = v
		}
	case 141, 191:
		if v, ok := target(); ok {
			m.chamberC = v
		}
	case 106:
		if p, ok := c.Float('P'); ok && p != 0 {
			return // another fan
		}
		m.fanPercent = 100
		if s, ok := c.Float('S'); ok {
			m.fanPercent = min(max(s, 0), 255) / 2.55
		}
	case 107:
		m.fanPercent = 0
	case 220:
		percent(&m.speedPercent)
	case 221:
		percent(&m.flowPercent)
	}
}

// hottestC is the highest target of a nozzle.
func (m *modal) hottestC() (c float64) {
	for _, one := range m.nozzleC {
		c = max(c, one)
	}
	return c
}

// heated takes over the targets that now are set to something, unless they were so when the pause began: then its script has set them, or nobody.
func (m *modal) heated(now, left *modal) {
	for t, c := range now.nozzleC {
		if c > 0 && c != left.nozzleC[t] {
			m.nozzleC[t] = c
		}
	}
	if now.bedC > 0 && now.bedC != left.bedC {
		m.bedC = now.bedC
	}
	if now.chamberC > 0 && now.chamberC != left.chamberC {
		m.chamberC = now.chamberC
	}
}

// clone is a copy that further lines do not change.
func (m modal) clone() modal {
	targets := m.nozzleC
	m.nozzleC = make(map[int]float64, len(targets))
	for t, c := range targets {
		m.nozzleC[t] = c
	}
	return m
}
