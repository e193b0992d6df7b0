package printertest

import "math"

// arc is a G2 or G3 under way: it goes into the planner chord by chord.
type arc struct {
	left           int
	cx, cy, radius float64
	angle, step    float64
	dz, de         float64
	to             position
}

// As Marlin 2.1 comes: MAX_ARC_SEGMENT_MM, MIN_CIRCLE_SEGMENTS.
const (
	chordMM      = 1.0
	circleChords = 72.0
)

func moveArc(f *firmware) bool {
	if f.stage == 0 {
		to := f.clip(f.target())
		if !f.arc.plan(&f.cur.params, f.planned, to, f.cur.code == 2) {
			f.say("G2/G3 bad parameters")
			return true
		}
		f.stage = 1
	}
	for f.arc.left > 0 {
		if f.planner.full() {
			return false
		}
		f.travel(f.arc.nextChord(f.planned))
	}
	return true
}

// plan prepares the chords of an arc; false when there is no such circle.
func (a *arc) plan(p *params, from, to position, clockwise bool) bool {
	i, hasI := p.float('I')
	j, hasJ := p.float('J')
	if r, ok := p.float('R'); ok {
		dx, dy := to[0]-from[0], to[1]-from[1]
		d := math.Hypot(dx, dy)
		if r == 0 || d < 1e-9 || d > 2*math.Abs(r) {
			return false
		}
		h := math.Sqrt(r*r - d*d/4)
		if clockwise != (r < 0) {
			h = -h
		}
		i, j = dx/2-h*dy/d, dy/2+h*dx/d
	} else if !hasI && !hasJ {
		return false
	}
	a.cx, a.cy, a.radius = from[0]+i, from[1]+j, math.Hypot(i, j)
	if a.radius < 1e-6 {
		return false
	}
	a.angle = math.Atan2(-j, -i)
	sweep := math.Atan2(to[1]-a.cy, to[0]-a.cx) - a.angle
	if clockwise && sweep >= -1e-9 {
		sweep -= 2 * math.Pi
	}
	if !clockwise && sweep <= 1e-9 {
		sweep += 2 * math.Pi
	}
	n := int(max(1, min(2000, math.Ceil(math.Abs(sweep)*max(a.radius/chordMM, circleChords/(2*math.Pi))))))
	a.left, a.step, a.to = n, sweep/float64(n), to
	a.dz, a.de = (to[axisZ]-from[axisZ])/float64(n), (to[axisE]-from[axisE])/float64(n)
	return true
}

func (a *arc) nextChord(from position) position {
	a.left--
	if a.left == 0 {
		return a.to
	}
	a.angle += a.step
	return position{a.cx + a.radius*math.Cos(a.angle), a.cy + a.radius*math.Sin(a.angle), from[axisZ] + a.dz, from[axisE] + a.de}
}
