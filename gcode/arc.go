package gcode

import "math"

// arc is the way of a G2 or G3 in the XY plane: its length in mm and its bounds. Length 0 stands for a straight line.
type arc struct {
	length    float64
	low, high [2]float64
	radius    float64
	begin     float64 // angle of its beginning, seen from its centre, in radians
	sweep     float64 // radians, counterclockwise
}

// samePlace is how near ends are, in mm, that are one: sums of relative moves are not exact (Marlin: G2_G3.cpp, NEAR).
const samePlace = 1e-6

// roundedRadius is how much of half the chord an R has at least (RepRapFirmware: GCodes2.cpp).
const roundedRadius = 0.98

// arc measures the arc from from to m.at, given by its centre (I, J) or its radius (R). One that makes no sense is a straight line, and so is one in
// another plane than XY: where it leads to is right then.
func (m *motion) arc(clockwise bool, w *words, from [4]float64) arc {
	if m.upright {
		return arc{}
	}
	dx, dy := m.at[0]-from[0], m.at[1]-from[1]
	i, _ := m.length(w, 'I')
	j, _ := m.length(w, 'J')
	if r, ok := m.length(w, 'R'); ok { // beside which I and J do not count
		// The centre is beside the middle of the chord, or in it where R is a little too short, as the rounded one of a half circle may be. A negative R
		// asks for the longer way round.
		chord := math.Hypot(dx, dy)
		if chord == 0 || math.Abs(r) < roundedRadius*chord/2 {
			return arc{}
		}
		h := max(r*r-chord*chord/4, 0)
		side := math.Sqrt(h) / chord
		if clockwise == (r > 0) {
			side = -side
		}
		i, j = dx/2-dy*side, dy/2+dx*side
	}
	radius := math.Sqrt(i*i + j*j)
	if !(radius > 0 && radius <= maxCoordinate) {
		return arc{}
	}
	cx, cy := from[0]+i, from[1]+j
	begin := math.Atan2(-j, -i)
	end := math.Atan2(m.at[1]-cy, m.at[0]-cx)
	start := begin
	if clockwise {
		begin, end = end, begin
	}
	sweep := end - begin // both are within half a turn of 0
	if sweep <= 0 {
		sweep += 2 * math.Pi
	}
	if math.Abs(dx) < samePlace && math.Abs(dy) < samePlace {
		sweep = 2 * math.Pi
	}
	a := arc{
		length: radius * sweep, radius: radius, begin: start, sweep: sweep,
		low:  [2]float64{min(from[0], m.at[0]), min(from[1], m.at[1])},
		high: [2]float64{max(from[0], m.at[0]), max(from[1], m.at[1])},
	}
	if clockwise {
		a.sweep = -sweep
	}
	// From begin the arc goes counterclockwise; see which of the four outermost points of the circle it passes.
	for quarter := range 4 {
		past := float64(quarter)*math.Pi/2 - begin
		if past < 0 {
			past += 2 * math.Pi
		} else if past >= 2*math.Pi {
			past -= 2 * math.Pi
		}
		if past > sweep {
			continue
		}
		x, y := cx+radius*[4]float64{1, 0, -1, 0}[quarter], cy+radius*[4]float64{0, 1, 0, -1}[quarter]
		a.low = [2]float64{min(a.low[0], x), min(a.low[1], y)}
		a.high = [2]float64{max(a.high[0], x), max(a.high[1], y)}
	}
	return a
}
