package camera

import "math"

// The printed part is its filament, line by line in the order of printing. Lower layers were printed first and what is
// higher or nearer covers what is behind it, so painting in that order needs no depth buffer. Most lines of a solid part
// are buried: a map of how high each spot of the bed is built finds them, and they are not painted.

// heights is how the part stands on each spot of the bed.
type heights struct {
	cell   float32 // side of a spot, mm
	nx, ny int
	spots  []column
	inside []column // what a spot and its eight neighbours have in common: whoever is in there is not seen
}

// column is filament on top of filament, without a gap: the uppermost such stretch of a spot.
type column struct{ foot, top float32 }

const (
	mapSide = 128  // spots along the longer side of the bed
	buried  = 0.65 // mm under the top of all columns around
	gap     = 2    // mm between two lines that are not one column; layers may be left out of a trail
)

// build measures a trail on a bed of this size, mm.
func (m *heights) build(trail []Segment, width, depth float64) {
	m.cell = float32(max(2, max(width, depth)/mapSide))
	m.nx, m.ny = int(float32(width)/m.cell)+3, int(float32(depth)/m.cell)+3
	if n := m.nx * m.ny; cap(m.spots) < n {
		m.spots, m.inside = make([]column, n), make([]column, n)
	} else {
		m.spots, m.inside = m.spots[:n], m.inside[:n]
	}
	clear(m.spots)
	clear(m.inside)
	for i := range trail {
		s := &trail[i]
		m.along(s, func(at int) bool { m.spots[at].add(s.Z); return true })
	}
	for y := 1; y < m.ny-1; y++ {
		for x := 1; x < m.nx-1; x++ {
			in := m.spots[y*m.nx+x]
			for row := (y - 1) * m.nx; row <= (y+1)*m.nx; row += m.nx {
				for _, c := range m.spots[row+x-1 : row+x+2] {
					in = column{max(in.foot, c.foot), min(in.top, c.top)}
				}
			}
			m.inside[y*m.nx+x] = in
		}
	}
}

func (c *column) add(z float32) {
	if z > c.top+gap {
		c.foot = z
	}
	c.top = max(c.top, z)
}

// spot is where x and y, mm, are in the map; places beside the bed are at its rim.
func (m *heights) spot(x, y float32) int {
	ix := min(max(int(x/m.cell)+1, 0), m.nx-1)
	iy := min(max(int(y/m.cell)+1, 0), m.ny-1)
	return iy*m.nx + ix
}

// along visits the spots of a segment until visit says stop.
func (m *heights) along(s *Segment, visit func(at int) bool) {
	dx, dy := s.X2-s.X1, s.Y2-s.Y1
	n := int(max(abs(dx), abs(dy))/m.cell) + 1
	for i := range min(n, 2*mapSide) + 1 {
		f := float32(i) / float32(n)
		if !visit(m.spot(s.X1+dx*f, s.Y1+dy*f)) {
			return
		}
	}
}

// seen calls draw with the parts of a segment that are not inside the printed part.
func (m *heights) seen(s *Segment, draw func(part Segment)) {
	dx, dy := s.X2-s.X1, s.Y2-s.Y1
	n := int(max(abs(dx), abs(dy))/m.cell) + 1
	i, from := 0, -1 // from is where the part begins that is seen, -1 = none
	m.along(s, func(at int) bool {
		in := m.inside[at]
		hidden := in.foot <= s.Z && in.top >= s.Z+buried
		if !hidden && from < 0 {
			from = max(i-1, 0)
		} else if hidden && from >= 0 {
			draw(s.cut(float32(from)/float32(n), float32(i)/float32(n)))
			from = -1
		}
		i++
		return true
	})
	if from >= 0 {
		draw(s.cut(float32(from)/float32(n), 1))
	}
}

// cut is the segment between two fractions of its length.
func (s *Segment) cut(from, to float32) Segment {
	dx, dy := s.X2-s.X1, s.Y2-s.Y1
	return Segment{s.X1 + dx*from, s.Y1 + dy*from, s.X1 + dx*to, s.Y1 + dy*to, s.Z}
}

// drawable tells whether a segment can be worked with at all.
func (s *Segment) drawable() bool {
	const most = 4000 // mm
	for _, v := range [...]float32{s.X1, s.Y1, s.X2, s.Y2, s.Z} {
		if !(v > -most && v < most) {
			return false
		}
	}
	return true
}

var (
	plastic = rgb{30, 176, 160}
	molten  = rgb{255, 150, 60}
	topSide = lit(plastic, vec{0, 0, 1})
)

const (
	fresh  = 24   // segments that still glow a little
	finest = 0.33 // mm between layers that are drawn
	tiny   = 1.2  // mm; shorter lines are joined
	drift  = 0.04 // mm; a smaller rise is that of a spiral, not another layer
)

// thin appends to kept what of a trail is worth drawing, and returns the height, mm, that each line has to fill. Layers
// are left out, whole, where they are closer than a pixel or the trail is very long; of a spiral, which has no layers, as
// much height as is kept. The newest layer always stays.
func thin(kept, trail []Segment) ([]Segment, float32) {
	newest := len(trail) - 1
	for newest > 0 && trail[newest-1].Z == trail[newest].Z {
		newest--
	}
	for pitch := float32(finest); ; pitch *= 1.5 {
		kept = kept[:0]
		level, on, since := float32(-1), true, float32(-1) // since: where this on, or in a spiral off, began
		for i := range trail {
			s := &trail[i]
			if !s.drawable() {
				continue
			}
			switch rise := s.Z - level; {
			case rise == 0:
			case rise < 0 || rise > drift: // another layer, or another object
				if on = s.Z >= since+pitch || rise < 0; on {
					since = s.Z
				}
			case s.Z >= since+pitch:
				on, since = !on, s.Z
			}
			level = s.Z
			if !on && i < newest {
				continue
			}
			if n := len(kept) - 1; n >= 0 && len(trail)-i > fresh && kept[n].continues(s) {
				kept[n].X2, kept[n].Y2 = s.X2, s.Y2
				continue
			}
			kept = append(kept, *s)
		}
		if len(kept) <= maxTrail {
			return kept, pitch
		}
		if pitch > 100 { // one endless layer
			return kept[len(kept)-maxTrail:], pitch
		}
	}
}

// continues tells whether next goes on where s ends, and both may be one: curves come as hundreds of tiny lines.
func (s *Segment) continues(next *Segment) bool {
	if s.Z != next.Z || s.X2 != next.X1 || s.Y2 != next.Y1 {
		return false
	}
	ax, ay, bx, by := s.X2-s.X1, s.Y2-s.Y1, next.X2-next.X1, next.Y2-next.Y1
	a, b, both := ax*ax+ay*ay, bx*bx+by*by, ax*bx+ay*by
	return a < tiny*tiny && b < tiny*tiny && both > 0 && both*both > 0.5*a*b // less than 45° of turn
}

// part draws the trail.
func (st *stage) part(s *Scene) {
	trail, pitch := thin(st.trail[:0], s.Trail)
	st.trail = trail
	if len(trail) == 0 {
		return
	}
	st.built.build(trail, s.WidthMM, s.DepthMM)
	st.groundShadow(s, trail)
	var level, below float32
	layer := uint32(0)
	for i := range trail {
		g := &trail[i]
		if g.Z > level+drift {
			below, level, layer = level, g.Z, layer+1
		} else if g.Z < level { // the next object of several
			below, level, layer = max(g.Z-pitch, 0), g.Z, layer+1
		}
		look := strand{
			thick: min(max(level-below, pitch), 3),
			side:  st.wall(g),
			tone:  0.95 + 0.1*float32(layer*2654435761>>24)/255,
		}
		if left := len(trail) - i; left <= fresh && s.NozzleC > 150 {
			look.hot = 0.75 * float32(fresh-left+1) / fresh
		}
		if g.Z < 3 {
			look.tone *= 0.8 + 0.2*g.Z/3 // less light gets down there
		}
		st.built.seen(g, func(part Segment) { st.filament(s, &part, look) })
	}
}

// strand is how a piece of filament looks.
type strand struct {
	thick float32 // mm; it fills the gap to the layer below, also when layers are left out
	side  rgb     // its colour, seen from the side
	tone  float32 // no two layers are quite the same
	hot   float32 // 0 to 1
}

// filament draws one piece.
func (st *stage) filament(s *Scene, g *Segment, look strand) {
	p, scale := st.view.at(st.bedPlace(s, g.X1, g.Y1, g.Z-look.thick/2))
	q, _ := st.view.at(st.bedPlace(s, g.X2, g.Y2, g.Z-look.thick/2))
	col := look.side
	if mid := st.built.spot((g.X1+g.X2)/2, (g.Y1+g.Y2)/2); g.Z >= st.built.spots[mid].top-0.05 {
		col = topSide.mix(col, 0.25)
	}
	col = col.times(look.tone).mix(molten, look.hot)
	scale *= float32(st.scale)
	st.line(p, q, max(0.5*scale, look.thick*0.97*scale, 1.05), col, 1)
}

// wall is the colour of filament seen from the side: its outside is square to its direction.
func (st *stage) wall(g *Segment) rgb {
	dx, dy := float64(g.X2-g.X1), float64(g.Y2-g.Y1)
	n := vec{dy, -dx, 0}
	if n.dot(n) < 1e-9 {
		n = vec{0, -1, 0}
	}
	n = n.times(1 / math.Sqrt(n.dot(n)))
	if n.dot(st.view.forward) > 0 {
		n = n.times(-1)
	}
	n.z = 0.25 // a strand is round
	c := lit(plastic, n)
	shine := float32(max(n.dot(lamp), 0))
	shine *= shine
	shine *= shine
	return rgb{c.r + 60*shine, c.g + 55*shine, c.b + 45*shine}
}

// groundShadow darkens the bed under and beside the part, away from the lamp.
func (st *stage) groundShadow(s *Scene, trail []Segment) {
	x1, y1, x2, y2, z := float32(1e9), float32(1e9), float32(-1e9), float32(-1e9), float32(0)
	for i := range trail {
		g := &trail[i]
		x1, x2 = min(x1, g.X1, g.X2), max(x2, g.X1, g.X2)
		y1, y2 = min(y1, g.Y1, g.Y2), max(y2, g.Y1, g.Y2)
		z = max(z, g.Z)
	}
	away := min(z*0.35, 30)
	mid, scale := st.view.at(st.bedPlace(s, (x1+x2)/2+away, (y1+y2)/2+away*0.4, 0))
	scale *= float32(st.scale)
	st.shade(mid, ((x2-x1)*0.62+6+away)*scale, ((y2-y1)*0.34+4+away*0.4)*scale, 0.55)
}
