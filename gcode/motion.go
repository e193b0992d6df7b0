package gcode

import "math"

// motion follows the head through a file: where it is and what it extrudes. How long that takes is the planner's (planner.go), and Pace's.
//
// Positions are the file's own, in mm (G20's inches are converted; G92 renames the place where the head is). Whether E counts
// from its last place differs between firmwares: here it does under G91 as well as under M83, as in Klipper and Marlin 1.1.
// Marlin 2 forgets M83 at the next G90 and lets M82 overrule G91, but slicers and the end codes that people write mean the former.
type motion struct {
	at       [4]float64 // X Y Z E
	known    [3]bool    // the axis has been told its place since the start or the last G28
	inch     bool
	relative bool    // G91
	upright  bool    // G18, G19: arcs are in another plane than XY
	pushes   bool    // M83: E alone is relative
	volume   float64 // M200: mm of filament to a unit of E, which is a mm³ then; 0 where E is mm
	feed     float64
	factor   float64 // M220's
	sloped   bool    // the last change of Z was in an extruding move
	did      moved   // the last move

	low, high [3]float64 // bounds of what is extruded, since they were taken last
	extruded  bool
	all       reach // until then
	tool      int
	tools     [maxTools]extruder
}

// extruder counts what one tool has pushed beyond what it pulled back. The peak is what has come out.
type extruder struct{ net, peak float64 }

const (
	maxTools    = 16
	mmPerInch   = 25.4
	defaultFeed = 25.0 // mm/s, Marlin's before the first F (motion.cpp, feedrate_mm_s from 1500 mm/min)
	slowestFeed = 0.01 // mm/s; less is a mistake in the file
)

// moved is what a move does.
type moved struct {
	by       [4]float64 // mm, X Y Z E
	length   float64    // mm of the way, along the curve if it is one; of the filament when nothing else moves; 0 for no move at all
	speed    float64    // mm/s along the way, as asked for
	curve    arc
	extrudes bool
	toZ      float64
	sloped   bool // the head came to this height while extruding
}

func (m *motion) reset() {
	*m = motion{feed: defaultFeed, factor: 1}
}

func (m *motion) setTool(n int) {
	if n >= 0 && n < maxTools {
		m.tool = n
	}
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

// move follows G0 to G3. What it returns is good until the next one.
func (m *motion) move(g int, w *words) *moved {
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
	out := &m.did
	*out = moved{toZ: m.at[2], speed: m.feed * m.factor}
	for axis := range out.by {
		out.by[axis] = m.at[axis] - from[axis]
	}
	if m.volume > 0 {
		out.by[3] *= m.volume
	}
	d, push := &out.by, out.by[3]
	if push != 0 {
		m.push(push)
	}
	if g >= 2 {
		out.curve = m.arc(g == 2, w, from)
	}
	if out.curve.length > 0 {
		out.length = math.Sqrt(out.curve.length*out.curve.length + d[2]*d[2])
	} else {
		out.length = math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
	}
	if out.length == 0 {
		out.length = math.Abs(push) // F is that of the filament here, volumetric or not (Marlin: planner.cpp, esteps_float)
		return out
	}
	if d[2] != 0 {
		m.sloped = push >= 0 && w.has('E') // a vase may begin with E0.000
	}
	out.sloped = m.sloped
	if push > 0 {
		out.extrudes = true
		m.bound(&from, wasKnown, &out.curve)
	}
	return out
}

func (m *motion) push(by float64) {
	t := &m.tools[m.tool]
	t.net += by
	t.peak = max(t.peak, t.net)
}

// bound widens the bounds by a move from from to m.at. A start counts only on axes whose place was known.
func (m *motion) bound(from *[4]float64, wasKnown [3]bool, curve *arc) {
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

// takeBounds returns the bounds of what was extruded since the last time, and adds them to those of all.
func (m *motion) takeBounds() reach {
	b := reach{m.low, m.high, m.extruded}
	m.all.add(b)
	m.extruded = false
	return b
}

// other follows the commands that change how moves are meant.
func (m *motion) other(c Command, w *words) {
	if c.Letter == 'M' {
		m.setting(c.Number, w)
		return
	}
	switch c.Number {
	case 17, 18, 19:
		m.upright = c.Number != 17
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
	case 200:
		m.volumetric(w)
	case 220:
		if s, ok := w.get('S'); ok && s >= 1 && s <= 1e4 {
			m.factor = s / 100
		}
	}
}

// volumetric is M200: E counts mm³ of a filament of D mm, of 1.75 where only S1 is said; D0 and S0 end that.
func (m *motion) volumetric(w *words) {
	d, hasD := w.get('D')
	s, hasS := w.get('S')
	switch {
	case hasS && s == 0 || hasD && d == 0:
		m.volume = 0
	case hasD && d >= 0.5 && d <= 5:
		m.volume = 4 / (math.Pi * d * d)
	case hasS && m.volume == 0:
		m.volume = 4 / (math.Pi * usualDiameterMM * usualDiameterMM)
	}
}

const longestDwellS = 24 * 3600

// dwell is how long a G4 waits, in seconds.
func dwell(w *words) float64 {
	s, _ := w.get('S')
	ms, _ := w.get('P')
	return min(max(s, ms/1000, 0), longestDwellS)
}
