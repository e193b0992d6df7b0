package main

import (
	"math"
	"math/cmplx"

	"layerd/camera/register"
)

// The baselines: what others would do with the same pictures. Each gives one number for two pictures that follow each other. How large it may be they are told by the very
// prints by which they are judged: it is as large as it never was where nothing was lost. Nothing of the kind is done for what is measured.

const (
	smallW = 256
	smallH = 128
)

// small is a picture made small enough for a transform.
type small struct{ pix []complex128 }

func smaller(l *register.Luma) *small {
	s := &small{make([]complex128, smallW*smallH)}
	sum, square := 0.0, 0.0
	for y := range smallH {
		for x := range smallW {
			total, n := 0.0, 0.0
			for py := y * l.H / smallH; py < (y+1)*l.H/smallH; py++ {
				for px := x * l.W / smallW; px < (x+1)*l.W/smallW; px++ {
					total, n = total+float64(l.Pix[py*l.W+px]), n+1
				}
			}
			v := total / max(n, 1)
			s.pix[y*smallW+x] = complex(v, 0)
			sum, square = sum+v, square+v*v
		}
	}
	const n = smallW * smallH
	mean := sum / n
	spread := max(math.Sqrt(square/n-mean*mean), 1e-3)
	for i := range s.pix { // brightness and contrast shall not matter
		s.pix[i] = (s.pix[i] - complex(mean, 0)) / complex(spread, 0)
	}
	return s
}

func (s *small) against(before *small) (stats [baselines]float64) {
	sum := 0.0
	for i, v := range s.pix {
		sum += math.Abs(real(v - before.pix[i]))
	}
	stats[byDifference] = sum / float64(len(s.pix))
	stats[byPhase] = phase(s, before)
	return stats
}

// phase is how far one whole picture is from the other, pixels, by phase correlation.
func phase(a, b *small) float64 {
	fa, fb := windowed(a), windowed(b)
	transform(fa, false)
	transform(fb, false)
	for i := range fa {
		p := fa[i] * cmplx.Conj(fb[i])
		if n := cmplx.Abs(p); n > 1e-9 {
			p /= complex(n, 0)
		}
		fa[i] = p
	}
	transform(fa, true)
	best := 0
	for i, v := range fa {
		if real(v) > real(fa[best]) {
			best = i
		}
	}
	at := func(x, y int) float64 { return real(fa[(y+smallH)%smallH*smallW+(x+smallW)%smallW]) }
	x, y := best%smallW, best/smallW
	dx := float64((x+smallW/2)%smallW-smallW/2) + peak(at(x-1, y), at(x, y), at(x+1, y))
	dy := float64((y+smallH/2)%smallH-smallH/2) + peak(at(x, y-1), at(x, y), at(x, y+1))
	return math.Hypot(dx, dy)
}

// peak is where a parabola through three points is highest.
func peak(a, b, c float64) float64 {
	if d := a - 2*b + c; d < 0 {
		return min(max((a-c)/(2*d), -0.5), 0.5)
	}
	return 0
}

func windowed(s *small) []complex128 {
	out := make([]complex128, len(s.pix))
	for i, v := range s.pix {
		x, y := float64(i%smallW)/smallW, float64(i/smallW)/smallH
		out[i] = v * complex((0.5-0.5*math.Cos(2*math.Pi*x))*(0.5-0.5*math.Cos(2*math.Pi*y)), 0)
	}
	return out
}

// transform is Fourier's, of both directions.
func transform(pix []complex128, back bool) {
	for y := range smallH {
		fourier(pix[y*smallW:][:smallW], back)
	}
	column := make([]complex128, smallH)
	for x := range smallW {
		for y := range column {
			column[y] = pix[y*smallW+x]
		}
		fourier(column, back)
		for y, v := range column {
			pix[y*smallW+x] = v
		}
	}
}

// fourier is Cooley's and Tukey's, of a power of two.
func fourier(a []complex128, back bool) {
	n := len(a)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		if j ^= bit; i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for length := 2; length <= n; length *= 2 {
		angle := -2 * math.Pi / float64(length)
		if back {
			angle = -angle
		}
		turn := cmplx.Rect(1, angle)
		for i := 0; i < n; i += length {
			w := complex(1, 0)
			for k := i; k < i+length/2; k++ {
				u, v := a[k], a[k+length/2]*w
				a[k], a[k+length/2] = u+v, u-v
				w *= turn
			}
		}
	}
}
