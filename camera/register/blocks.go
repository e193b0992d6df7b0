package register

import (
	"cmp"
	"math"
	"slices"
)

// Which parts of the picture move with which axis? For each axis there are pictures with the head moved a little, and more:
//
//	corners are followed from picture to picture ─▶ those that moved agree on a field (how far what moves has moved, by its place in the picture)
//	─▶ each block is asked which explains it better: that it stood still, or that it moved with the field
//
// Edges are not followed: along themselves they could have gone anywhere. They are asked the question, which they can answer.

// block is a patch in the making.
type block struct {
	patch
	good  bool          // so far
	moved [3]bool       // by each axis
	clean float64       // how like itself it stayed while it moved, 0 to 1: less if something behind it did not
	pix   []byte        // its template
	went  [2]float64    // pixels, in the picture that is looked at
	wents [3][2]float64 // when moved by near, middle and far of the axis that is looked at
}

const stride = 16 // pixels between blocks

// leastSelf is how like itself a block must be in another picture of the same.
const leastSelf = 0.5

// blocksOf cuts a picture into blocks, and leaves out those in which there is nothing to see, or that look otherwise in another one of the same.
func blocksOf(pic, again *picture) (list []*block) {
	f := &pic.level[0]
	for y := 8; y+side+8 <= f.h; y += stride {
		for x := 8; x+side+8 <= f.w; x += stride {
			b := &block{patch: patch{x: float64(x), y: float64(y)}, good: true, clean: 1}
			var pix [side * side]float32
			b.pix = f.cut(x, y, &pix)
			if b.take(&pix); b.fine.axis[0].seen < 4*leastSeen {
				continue
			}
			if b.self = b.follow(again, 0, 0); b.self > leastSelf && math.Hypot(b.went[0], b.went[1]) < 0.4 {
				list = append(list, b)
			}
		}
	}
	return list
}

// cut copies a patch out of the picture, rounded to whole steps as it is kept.
func (p *plane) cut(x, y int, pix *[side * side]float32) []byte {
	b := make([]byte, side*side)
	for i := range b {
		b[i] = byte(p.pix[(y+i/side)*p.w+x+i%side] + 0.5)
		pix[i] = float32(b[i])
	}
	return b
}

// isCorner reports whether a block is seen to move in every direction.
func (b *block) isCorner() bool {
	e := &b.fine.axis
	return e[1].seen > 4*leastSeen && e[1].seen > e[0].seen/30
}

// follow looks for the block near where it would be after going (dx, dy), and sets went. It returns how like it is there; 0 = it is not there.
func (b *block) follow(pic *picture, dx, dy float64) float64 {
	const far = 5 // pixels from where it was expected
	var m match
	b.went = [2]float64{dx, dy}
	for level := 1; level >= 0; level-- {
		l, scale := &b.fine, float64(int(1)<<level)
		if level == 1 {
			l = &b.half
		}
		for range 4 {
			var ok bool
			if m, ok = l.see(&pic.level[level], (b.x+b.went[0])/scale+1, (b.y+b.went[1])/scale+1); !ok {
				return 0
			}
			most := 0.0
			for k, d := range l.axis {
				if d.seen < leastSeen/scale || d.seen < l.axis[0].seen/60 {
					continue
				}
				step := min(max(m.off[k], -1.5), 1.5) * scale
				b.went[0], b.went[1], most = b.went[0]+step*d.x, b.went[1]+step*d.y, max(most, math.Abs(step))
			}
			if most < 0.02 {
				break
			}
		}
	}
	if math.Hypot(b.went[0]-dx, b.went[1]-dy) > far {
		return 0
	}
	return min(m.alike, 1)
}

// search looks for the block everywhere within some 20 pixels.
func (b *block) search(pic *picture) (dx, dy float64) {
	const far = 10 // of the half picture
	best := 0.0
	for y := -far; y <= far; y++ {
		for x := -far; x <= far; x++ {
			m, ok := b.half.see(&pic.level[1], b.x/2+1+float64(x), b.y/2+1+float64(y))
			if alike := m.alike - 0.002*math.Hypot(float64(x), float64(y)); ok && alike > best {
				best, dx, dy = alike, float64(2*x), float64(2*y)
			}
		}
	}
	return dx, dy
}

// field says how far what moves with an axis has moved, by its place: one affine map for each direction.
type field [2][3]float64

func (f *field) at(x, y float64) (dx, dy float64) {
	return f[0][0] + f[0][1]*x + f[0][2]*y, f[1][0] + f[1][1]*x + f[1][2]*y
}

const leastMoves = 1.2 // pixels in a picture for which the axis was moved a good way

// fieldOf finds what most of the blocks that went somewhere agree on. There must be a few.
func fieldOf(went []*block) (f field, ok bool) {
	var best []*block
	for _, b := range went {
		near := agreeing(went, func(*block) (float64, float64) { return b.went[0], b.went[1] }, 0.3)
		if len(near) > len(best) {
			best = near
		}
	}
	if len(best) < 4 {
		return f, false
	}
	for range 5 {
		f = affine(best)
		best = agreeing(went, func(o *block) (float64, float64) { return f.at(o.x, o.y) }, 0.15)
		if len(best) < 4 {
			return f, false
		}
	}
	return f, true
}

// agreeing are those blocks that went where they should, but for this share of the way and a pixel's half.
func agreeing(list []*block, should func(*block) (float64, float64), share float64) (near []*block) {
	for _, o := range list {
		x, y := should(o)
		if math.Hypot(o.went[0]-x, o.went[1]-y) < 0.5+share*math.Hypot(x, y) {
			near = append(near, o)
		}
	}
	return near
}

// affine fits a field by least squares; with few blocks, or such as lie side by side, it is nearly the same everywhere.
func affine(list []*block) (f field) {
	n := float64(len(list))
	var mx, my, wx, wy float64
	for _, b := range list {
		mx, my, wx, wy = mx+b.x/n, my+b.y/n, wx+b.went[0]/n, wy+b.went[1]/n
	}
	const stiff = 20 * 40 * 40 // as if twenty blocks 40 pixels away had said that there is no slope
	xx, xy, yy := float64(stiff), 0.0, float64(stiff)
	var b [2][2]float64
	for _, o := range list {
		x, y := o.x-mx, o.y-my
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
		for k, w := range [2]float64{o.went[0] - wx, o.went[1] - wy} {
			b[k][0] += x * w
			b[k][1] += y * w
		}
	}
	det := xx*yy - xy*xy
	for k, mean := range [2]float64{wx, wy} {
		f[k][1], f[k][2] = (b[k][0]*yy-b[k][1]*xy)/det, (b[k][1]*xx-b[k][0]*xy)/det
		f[k][0] = mean - f[k][1]*mx - f[k][2]*my
	}
	return f
}

// jog is a picture for which one axis was moved.
type jog struct {
	mm  float64
	pic *picture
}

// learn finds out which of the blocks move with an axis, and how far. jogs are from the nearest to the farthest, two or three.
func learn(list []*block, axis int, jogs []jog) (ok bool) {
	near, middle := jogs[0], jogs[1]
	ratio := middle.mm / near.mm
	var went []*block
	for _, b := range list {
		if !b.good || !b.isCorner() {
			continue
		}
		dx, dy := b.search(near.pic)
		if b.follow(near.pic, dx, dy) < 0.85*b.self || b.follow(middle.pic, b.went[0]*ratio, b.went[1]*ratio) < 0.8*b.self {
			continue
		}
		if math.Hypot(b.went[0], b.went[1]) > leastMoves {
			went = append(went, b)
		}
	}
	f, ok := fieldOf(went)
	for _, b := range list {
		if b.good {
			b.ask(&f, ok, axis, jogs)
		}
	}
	return ok
}

// ask decides whether the block stood still or moved with the field of the second jog. One that can have done neither is given up: it may have been hidden, or be two
// things in one.
func (b *block) ask(f *field, moves bool, axis int, jogs []jog) {
	still := 1.0
	for _, j := range jogs {
		alike := b.follow(j.pic, 0, 0)
		if math.Hypot(b.went[0], b.went[1]) > 0.4 {
			alike = 0
		}
		still = min(still, alike)
	}
	fx, fy := f.at(b.x, b.y)
	moved := 0.0
	if moves {
		moved = 1
		for i, j := range jogs[:2] {
			share := j.mm / jogs[1].mm
			alike := b.follow(j.pic, fx*share, fy*share)
			b.wents[i] = b.went
			if math.Hypot(b.went[0]-fx*share, b.went[1]-fy*share) > 1+0.15*share*math.Hypot(fx, fy) {
				alike = 0
			}
			moved = min(moved, alike)
		}
	}
	enough, clearly := 0.8*b.self, 0.02
	e := b.fine.axis[0]
	showsIt := math.Abs(e.x*fx+e.y*fy) > leastMoves || b.isCorner()
	switch {
	case moved > enough && moved > still+clearly && showsIt:
		b.moved[axis], b.clean = true, min(b.clean, moved/b.self)
		b.rate(f, axis, jogs)
	case still > enough && (still > moved+clearly || !showsIt || !moves):
	default:
		b.good = false
	}
}

// rate sets how far the block moves per millimetre: as it was seen to in the directions in which it is seen, else as the field says.
func (b *block) rate(f *field, axis int, jogs []jog) {
	mm := jogs[1].mm
	fx, fy := f.at(b.x, b.y)
	rate := b.settled(b.wents[1], fx, fy)
	b.move[axis] = [2]float64{rate[0] / mm, rate[1] / mm}
	if len(jogs) < 3 {
		return
	}
	far := jogs[2]
	share := far.mm / mm
	if b.follow(far.pic, rate[0]*share, rate[1]*share) < 0.75*b.self {
		return
	}
	end := b.settled(b.went, rate[0]*share, rate[1]*share)
	for k := range end {
		// rate = move·mm + bend·mm², end = move·far + bend·far²
		bend := (end[k]/far.mm - rate[k]/mm) / (far.mm - mm)
		b.bend[k], b.move[axis][k] = bend, rate[k]/mm-bend*mm
	}
}

// settled takes of a measured way what lies along directions in which the block is seen, and the rest of what was expected.
func (b *block) settled(went [2]float64, dx, dy float64) [2]float64 {
	out := [2]float64{dx, dy}
	for _, d := range b.fine.axis {
		if d.seen < 2*leastSeen || d.seen < b.fine.axis[0].seen/30 {
			continue
		}
		more := (went[0]-dx)*d.x + (went[1]-dy)*d.y
		out[0], out[1] = out[0]+more*d.x, out[1]+more*d.y
	}
	return out
}

// choose keeps the blocks that show most, of each kind as many as of the others while there are any. Those that stand still are spread over the picture: they tell how
// the camera turned.
func choose(list []*block, w, h int) (chosen []*block) {
	const still, moving, perCell = 66, 124, 3
	kinds, cells := map[[3]bool][]*block{}, map[[2]int]int{}
	slices.SortStableFunc(list, func(a, b *block) int { return cmp.Compare(b.shows(), a.shows()) })
	for _, b := range list {
		cell := [2]int{int(b.x) * 10 / w, int(b.y) * 6 / h}
		switch {
		case !b.good:
		case b.moved != [3]bool{}:
			kinds[b.moved] = append(kinds[b.moved], b)
		case cells[cell] < perCell && len(chosen) < still:
			cells[cell]++
			chosen = append(chosen, b)
		}
	}
	most := len(chosen) + moving
	for round := 0; len(kinds) > 0 && len(chosen)+len(kinds) <= most; round++ {
		for kind, of := range kinds {
			if round == len(of) {
				delete(kinds, kind)
				continue
			}
			chosen = append(chosen, of[round])
		}
	}
	slices.SortFunc(chosen, func(a, b *block) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	return chosen
}

// shows is how much the block tells of what it moves with; of one that stands still, how much it tells of the camera.
func (b *block) shows() (sum float64) {
	for _, d := range b.fine.axis {
		for k, m := range b.move {
			if along := m[0]*d.x + m[1]*d.y; k < 2 || b.moved == [3]bool{false, false, true} {
				sum += along * along * min(d.seen, 1e5)
			}
		}
		if b.still() {
			sum += min(d.seen, 1e5)
		}
	}
	return sum * math.Pow(b.clean, 8)
}
