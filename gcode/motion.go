package gcode

import "math"

// motion follows the head through a file: where it is, how long that takes and what it extrudes.
//
// Positions are the file's own, in mm (G20's inches are converted; G92 renames the place where the head is). Whether E counts
// from its last place differs between firmwares: here it does under G91 as well as under M83, as in Klipper and Marlin 1.1.
// Marlin 2 forgets M83 at the next G90 and lets M82 overrule G91, but slicers and the end codes that people write mean the former.
//
// The time of a move is its length by its feed rate, plus what is lost at the corner where it begins: v/a seconds for a turn
// right round or a start from rest, less for a lesser angle (the share is (1-cos)/2), where v is what the feed rate and the move's length
// allow at acceleration a. The a is M204's, at first defaultAcceleration. G4 counts in full; heating, homing and probing count nothing.
type motion struct {
	at       [4]float64 // X Y Z E
	known    [3]bool    // the axis has been told its place since the start or the last G28
	inch     bool
	relative bool // G91
	pushes   bool // M83: E alone is relative
	feed     float64
	factor   float64    // M220's
	accel    float64    // mm/s²
	toward   [3]float64 // direction of the last move, zero at rest
	sloped   bool       // the last change of Z was in an extruding move
	seconds  float64

	low, high [3]float64 // bounds of what is extruded
	extruded  bool
	tool      int
	tools     [maxTools]extruder
}

// extruder counts what one tool has pushed beyond what it pulled back. The peak is what has come out.
type extruder struct{ net, peak float64 }

const (
	maxTools            = 16
	mmPerInch           = 25.4
	defaultFeed         = 25.0   // mm/s, Marlin's before the first F (motion.cpp, feedrate_mm_s from 1500 mm/min)
	defaultAcceleration = 1000.0 // mm/s², between a bed-slinger's 500 and a fast machine's 3000
	slowestFeed         = 0.01   // mm/s; less is a mistake in the file
	longestDwellS       = 24 * 3600
)

// moved is what a layer detector needs to know of an extruding move.
type moved struct {
	extrudes bool
	toZ      float64
	sloped   bool    // the head came to this height while extruding
	beganS   float64 // seconds when the move began
}

func (m *motion) reset() {
	*m = motion{feed: defaultFeed, factor: 1, accel: defaultAcceleration}
}

func (m *motion) setTool(n int) {
	if n >= 0 && n < maxTools {
		m.tool = n
	}
}

// filament is what all tools have pushed out, in mm.
func (m *motion) filament() float64 {
	sum := 0.0
	for _, t := range m.tools {
		sum += t.peak
	}
	return sum
}

// byTool is what each tool has pushed out, in mm.
func (m *motion) byTool() (mm []float64) {
	for tool, t := range m.tools {
		if t.peak > 0 {
			mm = append(mm, make([]float64, tool+1-len(mm))...)
			mm[tool] = t.peak
		}
	}
	return mm
}

// length reads a word that is a length, in mm. A value that no machine can mean is taken as absent.
func (m *motion) length(w *words, letter byte) (float64, bool) {
	v, ok := w.get(letter)
	if !ok {
		return 0, false
	}
	if m.inch {
		v *= mmPerInch
	}
	return v, v >= -maxCoordinate && v <= maxCoordinate
}

// move follows G0 to G3.
func (m *motion) move(g int, w *words) moved {
	if f, ok := m.length(w, 'F'); ok && f > 0 {
		m.feed = max(MMPerSecond(f), slowestFeed)
	}
	from, wasKnown := m.at, m.known
	for axis, letter := range [4]byte{'X', 'Y', 'Z', 'E'} {
		v, ok := m.length(w, letter)
		if !ok {
			continue
		}
		relative := m.relative || axis == 3 && m.pushes
		if relative {
			v += m.at[axis]
		} else if axis < 3 {
			m.known[axis] = true
		}
		m.at[axis] = min(max(v, -maxCoordinate), maxCoordinate)
	}
	out := moved{toZ: m.at[2], beganS: m.seconds}
	d := [3]float64{m.at[0] - from[0], m.at[1] - from[1], m.at[2] - from[2]}
	push := m.at[3] - from[3]
	if push != 0 {
		m.push(push)
	}
	var curve arc
	if g >= 2 {
		curve = m.arc(g == 2, w, from)
	}
	length := curve.length
	if length > 0 {
		length = math.Hypot(length, d[2])
	} else {
		length = math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
	}
	if length == 0 {
		m.rest(math.Abs(push))
		return out
	}
	m.spend(length, d)
	if d[2] != 0 {
		m.sloped = push >= 0 && w.has('E') // a vase may begin with E0.000
	}
	out.sloped = m.sloped
	if push > 0 {
		out.extrudes = true
		m.bound(from, wasKnown, curve)
	}
	return out
}

func (m *motion) push(by float64) {
	t := &m.tools[m.tool]
	t.net += by
	t.peak = max(t.peak, t.net)
}

// rest adds a move of the extruder alone.
func (m *motion) rest(push float64) {
	m.seconds += push / (m.feed * m.factor)
	m.toward = [3]float64{}
}

// spend adds a move of length mm in direction d.
func (m *motion) spend(length float64, d [3]float64) {
	v := m.feed * m.factor
	m.seconds += length / v
	toward := [3]float64{d[0] / length, d[1] / length, d[2] / length}
	cos := toward[0]*m.toward[0] + toward[1]*m.toward[1] + toward[2]*m.toward[2]
	turn := (1 - cos) / 2
	if m.toward == ([3]float64{}) {
		turn = 1
	}
	if v*v > m.accel*length {
		v = math.Sqrt(m.accel * length)
	}
	m.seconds += turn * v / m.accel
	m.toward = toward
}

// bound widens the bounds by a move from from to m.at. A start counts only on axes whose place was known.
func (m *motion) bound(from [4]float64, wasKnown [3]bool, curve arc) {
	if !m.extruded {
		m.extruded = true
		m.low = [3]float64{m.at[0], m.at[1], m.at[2]}
		m.high = m.low
	}
	for i := range 3 {
		m.low[i] = min(m.low[i], m.at[i])
		m.high[i] = max(m.high[i], m.at[i])
		if wasKnown[i] {
			m.low[i] = min(m.low[i], from[i])
			m.high[i] = max(m.high[i], from[i])
		}
	}
	if curve.length > 0 {
		for i := range 2 {
			m.low[i] = min(m.low[i], curve.low[i])
			m.high[i] = max(m.high[i], curve.high[i])
		}
	}
}

// other follows the commands that change how moves are meant, and G4.
func (m *motion) other(c Command, w *words) {
	if c.Letter == 'M' {
		m.setting(c.Number, w)
		return
	}
	switch c.Number {
	case 4:
		s, _ := w.get('S')
		ms, _ := w.get('P')
		m.seconds += min(max(s, ms/1000, 0), longestDwellS)
		m.toward = [3]float64{}
	case 20:
		m.inch = true
	case 21:
		m.inch = false
	case 28:
		all := !w.has('X') && !w.has('Y') && !w.has('Z')
		for axis, letter := range [3]byte{'X', 'Y', 'Z'} {
			if all || w.has(letter) {
				m.at[axis], m.known[axis] = 0, false
			}
		}
		m.toward = [3]float64{}
	case 90, 91:
		m.relative = c.Number == 91
	case 92:
		if c.Sub == 0 {
			m.rename(w)
		}
	}
}

// rename is G92: the axes it names are said to be at the given place; without any, all are at 0.
func (m *motion) rename(w *words) {
	if w.seen == 0 {
		m.at = [4]float64{}
		return
	}
	for axis, letter := range [4]byte{'X', 'Y', 'Z', 'E'} {
		if v, ok := m.length(w, letter); ok {
			m.at[axis] = v
			if axis < 3 {
				m.known[axis] = true
			}
		}
	}
}

func (m *motion) setting(number int, w *words) {
	switch number {
	case 82, 83:
		m.pushes = number == 83
	case 204:
		a, ok := w.get('P')
		if !ok {
			a, ok = w.get('S')
		}
		if ok && a >= 10 && a <= 1e6 {
			m.accel = a
		}
	case 220:
		if s, ok := w.get('S'); ok && s >= 1 && s <= 1e4 {
			m.factor = s / 100
		}
	}
}
