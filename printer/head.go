package printer

import (
	"layerd/gcode"
	"math"
)

// head is where the lines accepted so far lead the head to, as the firmware reports it (M114): in mm, in the job's coordinates. It says where
// the print is when the firmware cannot, and shows by comparison that something was executed that should not have been.
type head struct {
	mm    [4]float64 // X Y Z E
	known [4]bool
}

const headAxes = "XYZE"

// apply follows one command. What it does not know makes the place unknown until it is set again.
func (h *head) apply(c gcode.Command, m *modal) {
	switch c.Letter {
	case 'G':
		h.applyG(c, m)
	case 'M':
		if !staysPut(c.Number) {
			h.known = [4]bool{}
		}
	default: // a tool change, a macro
		h.known = [4]bool{}
	}
}

func (h *head) applyG(c gcode.Command, m *modal) {
	switch c.Number {
	case 0, 1, 2, 3, 5:
		h.move(c, m)
	case 4, 17, 20, 21, 90, 91:
	case 92:
		h.set(c, m)
	default:
		h.known = [4]bool{}
	}
}

func (h *head) move(c gcode.Command, m *modal) {
	for i := range h.mm {
		v, ok := c.Float(headAxes[i])
		if !ok {
			continue
		}
		if m.inches {
			v *= 25.4
		}
		if i < 3 && m.relXYZ || i == 3 && m.relE {
			h.mm[i] += v // and stays unknown if it was
			continue
		}
		h.mm[i], h.known[i] = v, true
	}
}

// set follows G92. Without words, or with a subcode, it does different things in different firmware.
func (h *head) set(c gcode.Command, m *modal) {
	if c.Sub != 0 || len(c.Args) == 0 {
		h.known = [4]bool{}
		return
	}
	for i := range h.mm {
		if v, ok := c.Float(headAxes[i]); ok {
			if m.inches {
				v *= 25.4
			}
			h.mm[i], h.known[i] = v, true
		}
	}
}

// staysPut reports whether an M command is known not to move the head or its coordinates.
func staysPut(m int) bool {
	switch {
	case m >= 72 && m <= 78, m >= 82 && m <= 84, m >= 104 && m <= 119, m >= 140 && m <= 155, m >= 190 && m <= 192, m >= 200 && m <= 205,
		m >= 220 && m <= 221, m >= 300 && m <= 304, m >= 900 && m <= 910:
		return true
	}
	switch m {
	case 17, 18, 20, 21, 27, 42, 80, 81, 85, 86, 92, 207, 208, 209, 211, 217, 250, 280, 281, 290, 310, 350, 355, 400, 412, 413, 486, 500, 503, 504, 569, 572, 575, 593, 914:
		return true
	}
	return false
}

// slackMM is how far off a reported place may be: it has two decimals, and firmware counts in 32-bit floats.
func slackMM(v float64) float64 { return 0.0151 + 1e-5*math.Abs(v) }

func (h *head) near(other *head) bool {
	for i, v := range h.mm {
		if h.known[i] && other.known[i] && math.Abs(v-other.mm[i]) > slackMM(v) {
			return false
		}
	}
	return true
}

// at reports whether a reported place is this one, as far as it is known.
func (h *head) at(p *Position) bool {
	is := head{mm: p.axes(), known: [4]bool{true, true, true, true}}
	return h.near(&is)
}

// learn takes a reported place over: of the axes that are not known, or of all.
func (h *head) learn(p *Position, all bool) {
	for i, v := range p.axes() {
		if all || !h.known[i] {
			h.mm[i], h.known[i] = v, true
		}
	}
}

// place is the head's, with what is not known taken from a report.
func (h head) place(p *Position) *Position {
	h.learn(p, false)
	return &Position{XMM: h.mm[0], YMM: h.mm[1], ZMM: h.mm[2], EMM: h.mm[3]}
}

func (p *Position) axes() [4]float64 { return [4]float64{p.XMM, p.YMM, p.ZMM, p.EMM} }
