package register

import (
	"errors"
	"math"
)

// Projection says where a place above the bed is seen. It is for pictures of one size, of a parked printer.
type Projection struct {
	at   [3][4]float64 // times (x, y, z, 1) is the place times its distance
	w, h int
}

var errCorners = errors.New("the four corners do not look like those of a bed")

// NewProjection finds the camera from where the bed's corners are seen, pixels of a picture of w × h, and where they are on the bed, mm, both in the same order round.
// The lens is taken to look straight through the picture's middle, as that of a camera does whose picture was not cut.
func NewProjection(seen, bed [4][2]float64, w, h int) (*Projection, error) {
	if w < minSide || h < minSide {
		return nil, errCorners
	}
	var px [4][2]float64
	for i, c := range seen {
		if !within(1e5, c[0], c[1], bed[i][0], bed[i][1]) {
			return nil, errCorners
		}
		px[i] = [2]float64{c[0] - float64(w)/2, c[1] - float64(h)/2}
	}
	m, ok := homography(bed, px)
	if !ok {
		return nil, errCorners
	}
	// Its first two columns are K·r1 and K·r2, with r1 and r2 of one length and at right angles, and K = diag(f, f, 1).
	a := m[0][0]*m[0][1] + m[1][0]*m[1][1]
	b := m[2][0] * m[2][1]
	c := m[0][0]*m[0][0] + m[1][0]*m[1][0] - m[0][1]*m[0][1] - m[1][1]*m[1][1]
	d := m[2][0]*m[2][0] - m[2][1]*m[2][1]
	// f² = -a/b = -c/d; both, by least squares.
	f2 := -(a*b + c*d) / (b*b + d*d)
	if least := float64(w*w) / 16; !(f2 > least) || f2 > 400*float64(w*w) {
		return nil, errCorners // seen from straight above, nothing tells how far: a view from the side does
	}
	f := math.Sqrt(f2)
	r1, r2 := [3]float64{m[0][0] / f, m[1][0] / f, m[2][0]}, [3]float64{m[0][1] / f, m[1][1] / f, m[2][1]}
	scale := math.Sqrt(norm(r1) * norm(r2))
	r3 := cross(r1, r2)
	p := &Projection{w: w, h: h}
	for i, k := range [3]float64{f, f, 1} {
		p.at[i] = [4]float64{m[i][0], m[i][1], k * r3[i] / scale, m[i][2]}
	}
	// The homography's sign is free; bed and camera are so that the bed is before the camera.
	if x, y := middleOf(bed); p.at[2][0]*x+p.at[2][1]*y+p.at[2][3] < 0 {
		for i := range p.at {
			for _, j := range [3]int{0, 1, 3} {
				p.at[i][j] = -p.at[i][j]
			}
		}
	}
	// A picture may be of a camera that hangs on its side or upside down, or be mirrored, so up in it says nothing. But the camera looks at the bed from above: by Cramer's rule its height has the other sign than this.
	if ab := cross(p.column(0), p.column(1)); ab[0]*p.at[0][3]+ab[1]*p.at[1][3]+ab[2]*p.at[2][3] > 0 {
		for i := range p.at {
			p.at[i][2] = -p.at[i][2]
		}
	}
	return p, nil
}

func middleOf(c [4][2]float64) (x, y float64) {
	return (c[0][0] + c[1][0] + c[2][0] + c[3][0]) / 4, (c[0][1] + c[1][1] + c[2][1] + c[3][1]) / 4
}

func (p *Projection) column(j int) [3]float64 {
	return [3]float64{p.at[0][j], p.at[1][j], p.at[2][j]}
}

func norm(a [3]float64) float64 { return math.Sqrt(a[0]*a[0] + a[1]*a[1] + a[2]*a[2]) }

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// See is where a place, mm, is seen, in pixels; not a number when it is behind the camera.
func (p *Projection) See(x, y, z float64) (px, py float64) {
	var v [3]float64
	for i, r := range p.at {
		v[i] = r[0]*x + r[1]*y + r[2]*z + r[3]
	}
	if !(v[2] > 0) {
		return math.NaN(), math.NaN()
	}
	return v[0]/v[2] + float64(p.w)/2, v[1]/v[2] + float64(p.h)/2
}

// homography is the 3 × 3 matrix that takes four places to four others.
func homography(from, to [4][2]float64) (m [3][3]float64, ok bool) {
	var a [8][9]float64
	for i, f := range from {
		x, y, u, v := f[0], f[1], to[i][0], to[i][1]
		a[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		a[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 {
		best := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[best][c]) {
				best = r
			}
		}
		a[c], a[best] = a[best], a[c]
		if math.Abs(a[c][c]) < 1e-9 {
			return m, false
		}
		for r := range 8 {
			if f := a[r][c] / a[c][c]; r != c {
				for k := c; k < 9; k++ {
					a[r][k] -= f * a[c][k]
				}
			}
		}
	}
	for i := range 8 {
		m[i/3][i%3] = a[i][8] / a[i][i]
	}
	m[2][2] = 1
	return m, true
}
