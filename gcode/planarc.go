package gcode

import "math"

const (
	circlePieces = 72  // of a whole turn, at least
	maxArcPieces = 256 // bounds what one line costs
)

// pieces is in how many pieces firmware plans an arc: Marlin since 2.0.9.2 (MAX_ARC_SEGMENT_MM 1, MIN_CIRCLE_SEGMENTS 72). Older Marlin, and Klipper as it comes,
// know only the former: there a small arc that is gone round fast takes longer than is said here.
func (c *arc) pieces() float64 {
	return min(math.Ceil(max(c.length, circlePieces*math.Abs(c.sweep)/(2*math.Pi), 1)), maxArcPieces)
}

// turn plans an arc as firmware does it, in pieces (Marlin: MAX_ARC_SEGMENT_MM 1). Where none of the corners between them slows anything, all
// pieces but the first and the last are planned as one, which takes as long.
func (p *planner) turn(m *moved) {
	c := &m.curve
	n := c.pieces()
	piece := [4]float64{2: m.by[2] / n, 3: m.by[3] / n}
	chord, turn := 2*c.radius*math.Sin(math.Abs(c.sweep)/(2*n)), c.sweep/n
	// The direction of a chord is that of the tangent at its middle, and each is turned against the last one by the same angle.
	sin, cos := math.Sincos(c.begin + turn/2 + math.Copysign(math.Pi/2, turn))
	piece[0], piece[1] = chord*cos, chord*sin
	sin, cos = math.Sincos(turn)
	length := m.length / n
	p.add(&piece, length, m.speed)
	rotate(&piece, sin, cos)
	left := int(n) - 1
	if inner := left - 1; inner > 1 && p.gentle(&piece, length, m.speed, turn) {
		one := piece
		for i := range one {
			one[i] *= float64(inner)
		}
		p.add(&one, length*float64(inner), m.speed)
		lastSin, lastCos := math.Sincos(turn * float64(inner-1))
		rotate(&p.wasUnit, lastSin, lastCos)
		rotate(&piece, lastSin, lastCos)
		rotate(&piece, sin, cos)
		left = 1
	}
	for range left {
		p.add(&piece, length, m.speed)
		rotate(&piece, sin, cos)
	}
}

// rotate turns X and Y.
func rotate(d *[4]float64, sin, cos float64) { d[0], d[1] = d[0]*cos-d[1]*sin, d[0]*sin+d[1]*cos }

// gentle tells that pieces of an arc go as fast and speed up as quickly in whatever direction, that the corner between two of them, of turn radians,
// slows nothing, and that half of a full queue of them is enough to stop in: then it does not matter that there are many.
func (p *planner) gentle(piece *[4]float64, length, speed, turn float64) bool {
	l := &p.limits
	u, v, a := l.limited(piece, length, speed)
	if v > min(l.SpeedMMS[0], l.SpeedMMS[1]) || a > min(l.AccelMMS2[0], l.AccelMMS2[1]) || v*v > a*length*float64(p.depth) {
		return false
	}
	change := 2 * v * math.Sin(math.Abs(turn)/2)
	switch {
	case l.DeviationMM > 0: // as in deviation
		half := math.Sqrt((1 + (u[0]*u[0]+u[1]*u[1])*math.Cos(turn) + u[2]*u[2]) / 2)
		return v*v*(1-half) <= a*l.DeviationMM*half
	case l.VectorJerk:
		return change <= l.JerkMMS[0]
	}
	return change <= min(l.JerkMMS[0], l.JerkMMS[1])
}
