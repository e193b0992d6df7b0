package register

import "math"

// reach of the coarse search, pixels of the quarter picture: 28 of the whole one.
const reach = 7

const span = 2*reach + 1

// surface is how alike a patch is to the quarter picture around a place.
type surface struct {
	alike  [span * span]float32
	dx, dy float64 // the place, from the middle of the surface
}

// votes are the surfaces of all patches. It is used again from look to look.
type votes struct{ of []surface }

// vote moves s to where the patches are, within the search's reach: first the camera, by what stands still, then the axes, by what moves. Each patch alone could be
// mistaken; all together are not.
func (vs *votes) vote(s *state, patches []*patch, pic *picture) {
	vs.of = vs.of[:0]
	v := view{pic.level[0].w, pic.level[0].h}
	for _, p := range patches {
		var f surface
		x, y := s.place(p, v)
		f.fill(&pic.level[2], p, x/4, y/4)
		vs.of = append(vs.of, f)
	}
	best, bx, by := -1.0, 0, 0
	for dy := -reach; dy <= reach; dy++ {
		for dx := -reach; dx <= reach; dx++ {
			sum := nearer(dx, dy)
			for i, p := range patches {
				if p.still() {
					sum += vs.of[i].at(float64(dx), float64(dy))
				}
			}
			if sum > best {
				best, bx, by = sum, dx, dy
			}
		}
	}
	s.v[camX] += 4 * float64(bx)
	s.v[camY] += 4 * float64(by)
	step := vs.steps(patches)
	best = -1
	var lost [2]float64
	for dy := -reach; dy <= reach; dy++ {
		for dx := -reach; dx <= reach; dx++ {
			mx, my := float64(dx)*step[0], float64(dy)*step[1]
			if step[0] == 0 && dx != 0 || step[1] == 0 && dy != 0 {
				continue
			}
			sum := nearer(dx, dy)
			for i, p := range patches {
				if !p.still() {
					sum += vs.of[i].at(float64(bx)+(p.move[0][0]*mx+p.move[1][0]*my)/4, float64(by)+(p.move[0][1]*mx+p.move[1][1]*my)/4)
				}
			}
			if sum > best {
				best, lost = sum, [2]float64{mx, my}
			}
		}
	}
	s.v[lostX] += lost[0]
	s.v[lostY] += lost[1]
}

// nearer prefers the nearer of two that look the same, as the lines of a grid do.
func nearer(dx, dy int) float64 { return -0.05 * float64(dx*dx+dy*dy) / reach }

// steps is how many mm of X and Y move the patches by two thirds of a pixel of the quarter picture; 0 = none is moved.
func (vs *votes) steps(patches []*patch) (step [2]float64) {
	for k := range step {
		n, sum := 0.0, 0.0
		for _, p := range patches {
			if m := math.Hypot(p.move[k][0], p.move[k][1]); m > 0 {
				n, sum = n+1, sum+m
			}
		}
		if n > 0 {
			step[k] = 4 * n / sum
		}
	}
	return step
}

// still reports whether no axis moves the patch.
func (p *patch) still() bool { return p.move == [3][2]float64{} }

// fill compares the patch's small template with all places around (x, y).
func (f *surface) fill(q *plane, p *patch, x, y float64) {
	mx, my := math.Round(x), math.Round(y)
	f.dx, f.dy = x-mx, y-my
	for i := range f.alike {
		px, py := int(mx)+i%span-reach, int(my)+i/span-reach
		if px < 0 || py < 0 || px+6 > q.w || py+6 > q.h {
			continue
		}
		var sum, square, with float32
		for r := range 6 {
			line, t := q.pix[(py+r)*q.w+px:][:6], p.small[r*6:][:6]
			for j, g := range line {
				sum += g
				square += g * g
				with += g * t[j]
			}
		}
		if spread := square - sum*sum/36; spread > 36 && with > 0 {
			f.alike[i] = with / float32(math.Sqrt(float64(spread)))
		}
	}
}

// at is how alike it is when moved by this much, between pixels too.
func (f *surface) at(dx, dy float64) float64 {
	x, y := dx+f.dx+reach, dy+f.dy+reach
	ix, iy := int(x), int(y)
	if x < 0 || y < 0 || ix >= span-1 || iy >= span-1 {
		return 0
	}
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	a := f.alike[iy*span+ix:]
	return float64((a[0]*(1-fx)+a[1]*fx)*(1-fy) + (a[span]*(1-fx)+a[span+1]*fx)*fy)
}

// peak is where, in pixels of the whole picture from the place that was searched around, the patch is most alike, if it clearly is there.
func (f *surface) peak() (dx, dy float64, clear bool) {
	best := 0
	for i, a := range f.alike {
		if a > f.alike[best] {
			best = i
		}
	}
	return 4 * (float64(best%span-reach) - f.dx), 4 * (float64(best/span-reach) - f.dy), f.alike[best] > 0.92
}
