package register

import "math"

// side of a patch, pixels of the whole picture.
const side = 24

// patch is a piece of the picture that moves as one, and what it looked like when its template was taken.
type patch struct {
	x, y  float64       // its upper left corner in the calibration's picture
	move  [3][2]float64 // pixels per mm of X, Y, Z
	bend  [2]float64    // and per mm² of Z: what rises comes nearer, or goes
	shift [2]float64    // its template was taken this far from where all that is known would place it

	fine, half lens
	small      [36]float32 // a quarter of the size, mean 0, length 1; all zero when it has no texture there

	self  float64 // how like its template it is in another picture of the same: less than 1 by noise
	loose float64 // pixels², how far it strays from the others: learned from looks
	alike float64 // how like its template it was when it was looked for last; 0 = not seen
	stray float64 // pixels that it was found from where the fit has it
	lost  int     // looks in a row in which it was not seen
	tookZ float64 // where Z was when its template was taken
}

// lens is a template as it is compared at one size. Its slopes have no part of its brightness and its contrast left in them, so that a lamp changes nothing.
type lens struct {
	n      int       // inner side
	t      []float32 // brightness, mean 0
	sx, sy []float32
	tt     float64
	axis   [2]direction // the one in which it is seen best, and that across
}

// direction is one in which a patch can be seen to move; seen is the sum of squared slopes along it.
type direction struct{ x, y, seen float64 }

// take makes the template from side × side pixels.
func (p *patch) take(pix *[side * side]float32) {
	p.fine.make(pix[:], side)
	var half [side * side / 4]float32
	halve(half[:], pix[:], side)
	p.half.make(half[:], side/2)
	halve(p.small[:], half[:], side/2)
	mean, sum := float32(0), float32(0)
	for _, v := range p.small {
		mean += v / float32(len(p.small))
	}
	for i := range p.small {
		p.small[i] -= mean
		sum += p.small[i] * p.small[i]
	}
	scale := float32(0)
	if sum > 36 { // a step of brightness
		scale = 1 / float32(math.Sqrt(float64(sum)))
	}
	for i := range p.small {
		p.small[i] *= scale
	}
}

func halve(out, in []float32, w int) {
	for i := range out {
		x, y := i%(w/2)*2, i/(w/2)*2
		out[i] = (in[y*w+x] + in[y*w+x+1] + in[(y+1)*w+x] + in[(y+1)*w+x+1]) / 4
	}
}

func (l *lens) make(pix []float32, w int) {
	l.n = w - 2
	all := make([]float32, 3*l.n*l.n)
	l.t, l.sx, l.sy = all[:l.n*l.n], all[l.n*l.n:2*l.n*l.n], all[2*l.n*l.n:]
	for i := range l.t {
		at := (i/l.n+1)*w + i%l.n + 1
		l.t[i], l.sx[i], l.sy[i] = pix[at], (pix[at+1]-pix[at-1])/2, (pix[at+w]-pix[at-w])/2
	}
	for _, s := range [][]float32{l.t, l.sx, l.sy} {
		mean := 0.0
		for _, v := range s {
			mean += float64(v)
		}
		mean /= float64(len(s))
		for i := range s {
			s[i] -= float32(mean)
		}
	}
	l.tt = dot(l.t, l.t)
	for _, s := range [][]float32{l.sx, l.sy} {
		part := float32(dot(s, l.t) / max(l.tt, 1))
		for i := range s {
			s[i] -= part * l.t[i]
		}
	}
	xx, xy, yy := dot(l.sx, l.sx), dot(l.sx, l.sy), dot(l.sy, l.sy)
	sin, cos := math.Sincos(math.Atan2(2*xy, xx-yy) / 2)
	root := math.Hypot((xx-yy)/2, xy)
	l.axis = [2]direction{{cos, sin, (xx+yy)/2 + root}, {-sin, cos, max((xx+yy)/2-root, 0)}}
}

func dot(a, b []float32) float64 {
	sum := 0.0
	b = b[:len(a)]
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// match is how a patch is found at a place.
type match struct {
	alike float64    // correlation, -1 to 1
	off   [2]float64 // pixels along each direction of the lens, from the place looked at to where it is; only small ones are right
	noise float64    // squared, of one pixel, in the template's brightness
}

// see compares the picture at (x, y), the upper left corner of the template's inside, with the template. It reports false when that is not inside the picture, or
// there is nothing to see.
func (l *lens) see(p *plane, x, y float64) (m match, ok bool) {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	if !(x >= 0 && y >= 0 && x < float64(p.w) && y < float64(p.h)) || ix+l.n+1 > p.w || iy+l.n+1 > p.h || l.tt < 1 {
		return m, false
	}
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	about := p.pix[(iy+l.n/2)*p.w+ix+l.n/2] // sums of small numbers are more exact
	a, b, c, d := (1-fx)*(1-fy), fx*(1-fy), (1-fx)*fy, fx*fy
	var sum, square, with, bx, by float32
	for r := range l.n {
		up, down := p.pix[(iy+r)*p.w+ix:][:l.n+1], p.pix[(iy+r+1)*p.w+ix:][:l.n+1]
		t, sx, sy := l.t[r*l.n:][:l.n], l.sx[r*l.n:][:l.n], l.sy[r*l.n:][:l.n]
		u, v := up[0], down[0]
		for i := range t {
			u2, v2 := up[i+1], down[i+1]
			g := a*u + b*u2 + c*v + d*v2 - about
			u, v = u2, v2
			sum += g
			square += g * g
			with += g * t[i]
			bx += g * sx[i]
			by += g * sy[i]
		}
	}
	n := float64(l.n * l.n)
	spread := float64(square) - float64(sum)*float64(sum)/n
	if spread < n/4 || with <= 0 {
		return m, false
	}
	gain := float64(with) / l.tt
	m.alike = float64(with) / math.Sqrt(spread*l.tt)
	m.noise = max(spread/(gain*gain)-l.tt, 0) / n
	for k, e := range l.axis {
		if e.seen > 0 {
			m.off[k] = -(float64(bx)*e.x + float64(by)*e.y) / (gain * e.seen)
		}
	}
	return m, true
}
