package gcode

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Arcs that are planned in three moves take as long as in all their pieces, whichever the rule for corners, and so does what comes before and behind.
func TestArcsInFewMoves(t *testing.T) {
	for name, change := range map[string]func(*Limits){
		"jerk": func(*Limits) {}, "a vector's": func(l *Limits) { l.VectorJerk = true }, "junction deviation": func(l *Limits) { l.DeviationMM = 0.02 },
		"few in the queue": func(l *Limits) { l.Queue = 15 }, "unlike axes": func(l *Limits) { l.SpeedMMS[1], l.AccelMMS2[0] = 60, 700 },
		"slow filament": func(l *Limits) { l.SpeedMMS[3], l.AccelMMS2[3] = 2, 30 },
	} {
		limits := OurLimits()
		change(&limits)
		var few, all planner
		few.reset(limits)
		all.reset(limits)
		random := rand.New(rand.NewPCG(1, 2))
		moves, pieces := 0, 0
		for range 3000 {
			m := moved{by: [4]float64{3 * random.Float64(), 3 * random.Float64(), 0, 0.1}, speed: 10 + 200*random.Float64()}
			m.length = math.Hypot(m.by[0], m.by[1])
			if random.IntN(2) == 0 {
				c := arc{radius: 0.2 + 60*random.Float64()*random.Float64(), begin: 6 * random.Float64(), sweep: 12*random.Float64() - 6}
				c.length = c.radius * math.Abs(c.sweep)
				m.curve, m.by[2], m.by[3] = c, c.length*float64(random.IntN(2))/50, c.length/30
				m.length = math.Hypot(c.length, m.by[2])
			}
			few.move(&m)
			pieces += allPieces(&all, &m)
			moves++
		}
		few.wait(0)
		all.wait(0)
		if math.Abs(few.seconds-all.seconds) > 1e-5*all.seconds || math.Abs(few.cruise-all.cruise) > 1e-4*all.cruise {
			t.Errorf("%s: %v s, cruising %v s, want %v s, %v s as %d pieces of %d moves take", name, few.seconds, few.cruise, all.seconds, all.cruise, pieces, moves)
		}
	}
}

// allPieces plans a move with each piece of an arc by itself.
func allPieces(p *planner, m *moved) int {
	c := &m.curve
	if c.length == 0 {
		p.move(m)
		return 1
	}
	n := int(c.pieces())
	chord := 2 * c.radius * math.Sin(math.Abs(c.sweep)/float64(2*n))
	for i := range n {
		toward := c.begin + c.sweep*(float64(i)+0.5)/float64(n) + math.Copysign(math.Pi/2, c.sweep)
		piece := [4]float64{chord * math.Cos(toward), chord * math.Sin(toward), m.by[2] / float64(n), m.by[3] / float64(n)}
		p.add(&piece, m.length/float64(n), m.speed)
	}
	return n
}
