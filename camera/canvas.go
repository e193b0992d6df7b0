package camera

import (
	"image"
	"math"
)

// rgb is a colour, 0 to 255 each; larger values are lights and end up white.
type rgb struct{ r, g, b float32 }

func (c rgb) times(f float32) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

func (c rgb) mix(d rgb, f float32) rgb {
	return rgb{c.r + (d.r-c.r)*f, c.g + (d.g-c.g)*f, c.b + (d.b-c.b)*f}
}

// point is a place on the canvas, in pixels from the top left corner of the first one.
type point struct{ x, y float32 }

// canvas is an opaque picture with the few things that the pretend camera draws. Everything is clipped to it, and places
// that are no numbers or far outside draw nothing.
type canvas struct {
	*image.RGBA
	w, h        int
	left, right [4]float32 // where the lines of a row begin and end, while a polygon is filled
}

func newCanvas(w, h int) *canvas {
	return &canvas{RGBA: image.NewRGBA(bounds(w, h)), w: w, h: h}
}

const far = 1 << 14 // pixels; what lies further out is not drawn

func (p point) sane() bool { return p.x > -far && p.x < far && p.y > -far && p.y < far }

// ink is a colour as it is mixed into pixels, 0 to 255 each. Integers: most of the time goes into this.
type ink struct{ r, g, b int32 }

func (c rgb) ink() ink { return ink{int32(byte8(c.r)), int32(byte8(c.g)), int32(byte8(c.b))} }

// opaque is the weight of ink that hides what was there.
const opaque = 256

// blend mixes ink into the pixel at byte i, which must be inside, with a weight from 0 to opaque.
func (c *canvas) blend(i int, k ink, weight int32) {
	p := c.Pix[i : i+3 : i+3]
	r, g, b := int32(p[0]), int32(p[1]), int32(p[2])
	p[0] = byte(r + (k.r-r)*weight>>8)
	p[1] = byte(g + (k.g-g)*weight>>8)
	p[2] = byte(b + (k.b-b)*weight>>8)
}

// span mixes ink into the pixels from to to, not included, of row y.
func (c *canvas) span(y, from, to int, k ink, weight int32) {
	if from >= to {
		return
	}
	row := c.Pix[y*c.Stride+from*4 : y*c.Stride+to*4]
	if weight >= opaque {
		r, g, b := byte(k.r), byte(k.g), byte(k.b)
		for ; len(row) >= 4; row = row[4:] {
			row[0], row[1], row[2] = r, g, b
		}
		return
	}
	for i := y*c.Stride + from*4; i < y*c.Stride+to*4; i += 4 {
		c.blend(i, k, weight)
	}
}

func byte8(v float32) byte {
	if v <= 0 {
		return 0
	}
	if v >= 255 {
		return 255
	}
	return byte(v)
}

// polygon fills a convex polygon with smooth edges. The colour runs from top at its highest point to bottom at its lowest.
func (c *canvas) polygon(pts []point, top, bottom rgb, alpha float32) {
	lo, hi := float32(far), float32(-far)
	for _, p := range pts {
		if !p.sane() {
			return
		}
		lo, hi = min(lo, p.y), max(hi, p.y)
	}
	const sub = 4 // lines within each row; across, coverage is exact
	for y := max(int(lo), 0); y < min(int(hi)+1, c.h); y++ {
		from, to := c.w, 0         // what is touched by any line
		fullFrom, fullTo := 0, c.w // what is covered by all of them
		for s := range sub {
			l, r, ok := crossing(pts, float32(y)+(float32(s)+0.5)/sub)
			l, r = max(l, 0), min(r, float32(c.w))
			if !ok || r <= l {
				fullTo = 0
				continue
			}
			c.left[s], c.right[s] = l, r
			from, to = min(from, int(l)), max(to, min(int(r)+1, c.w))
			fullFrom, fullTo = max(fullFrom, int(l)+1), min(fullTo, int(r))
		}
		if from >= to {
			continue
		}
		k := top.mix(bottom, min(max((float32(y)-lo)/max(hi-lo, 1), 0), 1)).ink()
		if fullFrom >= fullTo {
			fullFrom, fullTo = to, to
		}
		c.span(y, fullFrom, fullTo, k, int32(alpha*opaque))
		for x := from; x < to; x++ {
			if x == fullFrom {
				x = fullTo
				if x >= to {
					break
				}
			}
			cover := float32(0)
			for s := range sub {
				cover += max(0, min(c.right[s], float32(x+1))-max(c.left[s], float32(x)))
			}
			c.blend(y*c.Stride+x*4, k, int32(cover*(alpha*opaque/sub)))
		}
		c.left, c.right = [sub]float32{}, [sub]float32{}
	}
}

// crossing is where the line at height y enters and leaves a convex polygon.
func crossing(pts []point, y float32) (l, r float32, ok bool) {
	l, r = far, -far
	for i, p := range pts {
		q := pts[(i+1)%len(pts)]
		if (p.y <= y) == (q.y <= y) {
			continue
		}
		x := p.x + (q.x-p.x)*(y-p.y)/(q.y-p.y)
		l, r, ok = min(l, x), max(r, x), true
	}
	return l, r, ok
}

// line draws from p to q, thick pixels wide, with smooth sides. It steps along the longer direction and paints across it.
func (c *canvas) line(p, q point, thick float32, col rgb, alpha float32) {
	if !p.sane() || !q.sane() {
		return
	}
	dx, dy := q.x-p.x, q.y-p.y
	steep := abs(dy) > abs(dx)
	along, across, length, width := 4, c.Stride, c.w, c.h
	if steep {
		p, q = point{p.y, p.x}, point{q.y, q.x}
		along, across, length, width = c.Stride, 4, c.h, c.w
	}
	if p.x > q.x {
		p, q = q, p
	}
	slope := float32(0)
	if q.x-p.x > 1e-4 {
		slope = (q.y - p.y) / (q.x - p.x)
	}
	if thick < 1 {
		alpha, thick = alpha*max(thick, 0), 1
	}
	k := col.ink()
	weight := min(alpha, 1) * opaque
	half := int32(thick / 2 * float32(math.Sqrt(float64(1+slope*slope))) * one)
	for x := max(int(p.x), 0); x <= min(int(q.x), length-1); x++ {
		// How much of this step the line covers: all, but at its ends.
		part := min(q.x, float32(x+1)) - max(p.x, float32(x))
		if x == int(p.x) && x == int(q.x) {
			part = max(part, 0.35) // a dot shall not vanish
		}
		mid := int32((p.y + slope*(min(max(float32(x)+0.5, p.x), q.x)-p.x)) * one)
		c.across(x*along, across, width, mid-half, mid+half, k, int32(part*weight))
	}
}

// one pixel in the fixed-point numbers of across.
const one = 256

// across paints the pixels between lo and hi, in 256ths, of a row or column of n pixels that begins at byte at and goes on
// every step bytes.
func (c *canvas) across(at, step, n int, lo, hi int32, k ink, weight int32) {
	first, last := int(lo>>8), int(hi>>8)
	if first == last && first >= 0 && first < n {
		c.blend(at+first*step, k, (hi-lo)*weight>>8)
		return
	}
	if first >= 0 && first < n {
		c.blend(at+first*step, k, (one-lo&255)*weight>>8)
	}
	for y := max(first+1, 0); y < min(last, n); y++ {
		c.blend(at+y*step, k, weight)
	}
	if last >= 0 && last < n && last > first {
		c.blend(at+last*step, k, (hi&255)*weight>>8)
	}
}

func abs(v float32) float32 {
	if v < 0 {
		return -v
	}
	return v
}

// ellipse calls f for each pixel of an ellipse with its colour and its weight: 1 in the middle, 0 at the rim.
func (c *canvas) ellipse(at point, rx, ry float32, f func(p []uint8, weight float32)) {
	if !at.sane() || !(rx > 0.5) || !(ry > 0.5) || rx > far || ry > far {
		return
	}
	for y := max(int(at.y-ry), 0); y <= min(int(at.y+ry), c.h-1); y++ {
		dy := (float32(y) + 0.5 - at.y) / ry
		for x := max(int(at.x-rx), 0); x <= min(int(at.x+rx), c.w-1); x++ {
			dx := (float32(x) + 0.5 - at.x) / rx
			if weight := 1 - dx*dx - dy*dy; weight > 0 {
				f(c.Pix[y*c.Stride+x*4:][:3:3], weight)
			}
		}
	}
}

// glow adds light in an ellipse, strongest in the middle; with a negative colour it takes light away.
func (c *canvas) glow(at point, rx, ry float32, col rgb) {
	c.ellipse(at, rx, ry, func(p []uint8, weight float32) {
		weight *= weight
		p[0] = byte8(float32(p[0]) + col.r*weight)
		p[1] = byte8(float32(p[1]) + col.g*weight)
		p[2] = byte8(float32(p[2]) + col.b*weight)
	})
}

// shade multiplies what is in an ellipse: by 1-depth in the middle, softly to 1 at its rim.
func (c *canvas) shade(at point, rx, ry, depth float32) {
	c.ellipse(at, rx, ry, func(p []uint8, weight float32) {
		keep := 1 - depth*min(weight*1.6, 1)
		p[0], p[1], p[2] = byte(float32(p[0])*keep), byte(float32(p[1])*keep), byte(float32(p[2])*keep)
	})
}
