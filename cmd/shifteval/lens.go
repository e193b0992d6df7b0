package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
)

// What flows here: a rendering ─▶ the light that falls on the lens, by how bright each lamp is ─▶ lens ─▶ sensor ─▶ JPEG.

// rendering is what POV-Ray made: the light of each lamp, as the square root of it.
type rendering struct {
	w, h int
	lamp [3][]byte
}

func readRendering(r io.Reader) (*rendering, error) {
	img, err := png.Decode(r)
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	out := &rendering{w: b.Dx(), h: b.Dy()}
	for k := range out.lamp {
		out.lamp[k] = make([]byte, out.w*out.h)
	}
	for y := range out.h {
		for x := range out.w {
			red, green, blue, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			i := y*out.w + x
			out.lamp[0][i], out.lamp[1][i], out.lamp[2][i] = byte(red>>8), byte(green>>8), byte(blue>>8)
		}
	}
	return out, nil
}

// optics is what a camera always does.
type optics struct {
	bend    float64 // barrel distortion at the left edge, share of half the width
	blur    float64 // standard deviation of a point's picture, pixels
	noise   float64 // of a middle grey, steps of 255
	quality int     // of the JPEG
	kept    *kept   // nil = nothing is
}

// moment is what a camera sees only now.
type moment struct {
	lamps   [3]float64 // ceiling, printer, window
	bright  float64    // how bright the automatic exposure makes the mean, 0 to 1
	tint    float64    // of the white balance, -1 to 1
	nudge   [4]float64 // pixels: right, down, turned (at the edge), zoomed (at the edge)
	shadow  float64    // where a person's shadow is, share of the width; 0 = nowhere
	person  float64    // what share of the width, from the left, a person covers
	torn    bool       // the lower half is of something else
	shaken  float64    // pixels to the right while the shutter was open
	grained float64    // times the usual noise
}

// usual is a moment at which nothing is the matter.
func usual() moment { return moment{lamps: [3]float64{0.6, 0.5, 0.4}, bright: 0.38, grained: 1} }

// margin is how much larger than the picture a rendering is, for lenses bend and cameras get nudged.
const margin = 1.1

// light mixes the lamps.
func (m *moment) light(r *rendering) []float32 {
	var of [3][256]float32
	for k := range of {
		for v := range 256 {
			of[k][v] = float32(m.lamps[k]) * float32(v*v) / (255 * 255)
		}
	}
	out := make([]float32, r.w*r.h)
	for y := range r.h {
		for x := range r.w {
			i := y*r.w + x
			a, b := of[0][r.lamp[0][i]], of[2][r.lamp[2][i]]
			if m.shadow != 0 { // slanted, with a soft edge, before ceiling lamp and window
				d := (float64(x)/float64(r.w) - m.shadow + 0.2*float64(y)/float64(r.h)) / 0.18
				keep := float32(1 - 0.6*math.Exp(-d*d*d*d))
				a, b = a*keep, b*keep
			}
			out[i] = a + b + of[1][r.lamp[1][i]]
		}
	}
	return out
}

// kernel weighs a pixel's neighbours.
func kernel(sigma, along float64) (k []float32) {
	r := int(2.5*sigma+along/2) + 1
	sum := float32(0)
	for i := -r; i <= r; i++ {
		v := 0.0
		for s := -2.0; s <= 2; s++ {
			d := (float64(i) - s/4*along) / max(sigma, 0.2)
			v += math.Exp(-d * d / 2)
		}
		k, sum = append(k, float32(v)), sum+float32(v)
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// blurred is a picture through a lens that is not quite sharp.
func blurred(pix []float32, w, h int, sigma, along float64) []float32 {
	across, down := kernel(sigma, along), kernel(sigma, 0)
	r := len(across) / 2
	line, mid := make([]float32, w+2*r), make([]float32, w*h)
	for y := range h {
		copy(line[r:], pix[y*w:][:w])
		for i := range r {
			line[i], line[r+w+i] = pix[y*w], pix[y*w+w-1]
		}
		for j, f := range across {
			add(mid[y*w:][:w], line[j:], f)
		}
	}
	out := make([]float32, w*h)
	r = len(down) / 2
	for y := range h {
		for j, f := range down {
			add(out[y*w:][:w], mid[min(max(y+j-r, 0), h-1)*w:], f)
		}
	}
	return out
}

func add(to, from []float32, f float32) {
	from = from[:len(to)]
	for i := range to {
		to[i] += f * from[i]
	}
}

// tones is how grey some light is in a JPEG, by the light's root, of which full is 1.
type tones [1024]float32

func newTones() *tones {
	var t tones
	for i := range t {
		v := float64(i) / float64(len(t)-1) * 1.5
		t[i] = float32(255 * math.Pow(v, 2/2.2))
	}
	return &t
}

func (t *tones) of(light float32) float32 {
	root := float32(math.Sqrt(float64(max(light, 0)))) / 1.5 * float32(len(t)-1)
	i := min(int(root), len(t)-2)
	return t[i] + (t[i+1]-t[i])*min(root-float32(i), 1)
}

// seenAs is what the lens makes of a rendering's light in some moment, before the camera chooses how long to expose it.
type seenAs struct {
	w, h int
	lit  []float32
	sum  float64 // of the light's roots
}

// through is the way through the lens.
func (o *optics) through(r *rendering, m *moment) *seenAs {
	s := &seenAs{w: int(math.Round(float64(r.w) / margin)), h: int(math.Round(float64(r.h) / margin))}
	light := blurred(m.light(r), r.w, r.h, o.blur, m.shaken)
	half := float64(s.w) / 2
	s.lit = make([]float32, s.w*s.h)
	for y := range s.h {
		cy := (float64(y) - float64(s.h)/2) / half
		for x := range s.w {
			cx := (float64(x) - half) / half
			scale := 1 + o.bend*(cx*cx+cy*cy-0.6) - m.nudge[3]/half
			sx := float64(r.w)/2 + half*cx*scale - m.nudge[0] + m.nudge[2]*cy
			sy := float64(r.h)/2 + half*cy*scale - m.nudge[1] - m.nudge[2]*cx
			v := sample(light, r.w, r.h, sx, sy)
			if m.person > 0 && m.person-float64(x)/float64(s.w)+0.06*math.Sin(float64(y)/40) > 0 {
				v = float32(0.05 + 0.04*math.Sin(float64(y)/7)*math.Sin(float64(x)/11)) // in a checked shirt
			}
			s.lit[y*s.w+x] = v
			if x%4 == 0 && y%4 == 0 {
				s.sum += 16 * math.Sqrt(max(float64(v), 0))
			}
		}
	}
	return s
}

// shoot makes the JPEG.
func (o *optics) shoot(r *rendering, m moment, dice *rand.Rand) []byte {
	s := o.kept.get(r, &m, func() *seenAs { return o.through(r, &m) })
	w, h, lit := s.w, s.h, s.lit
	gain := m.bright * float64(w*h) / max(s.sum, 1)
	gain *= gain
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	grain, tone := float32(o.noise*m.grained), newTones()
	for i, v := range lit {
		if m.torn && i > w*h/2 {
			v = lit[(i*7)%len(lit)]
		}
		v *= float32(gain)
		// Shot noise is as the root of the light; as grey is a root of light too, it is much the same on all of it, and what the sensor adds shows in the dark.
		g := tone.of(v) + grain*(0.7+0.5/(1+12*max(v, 0)))*float32(dice.NormFloat64())
		img.Y[(i/w)*img.YStride+i%w] = byte(min(max(g+0.5, 0), 255))
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = byte(128-9*m.tint+float64(grain)*0.5*dice.NormFloat64()), byte(128+12*m.tint+float64(grain)*0.5*dice.NormFloat64())
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: o.quality}); err != nil {
		panic(err) // of a picture of this size there is none
	}
	return out.Bytes()
}

// sample reads between pixels, by Catmull and Rom's cubic, which keeps edges.
func sample(pix []float32, w, h int, x, y float64) float32 {
	ix, iy := min(max(int(x), 1), w-3), min(max(int(y), 1), h-3)
	kx, ky := cubic(float32(x-float64(ix))), cubic(float32(y-float64(iy)))
	sum := float32(0)
	for j, f := range ky {
		row := pix[(iy+j-1)*w+ix-1:][:4]
		sum += f * (kx[0]*row[0] + kx[1]*row[1] + kx[2]*row[2] + kx[3]*row[3])
	}
	return sum
}

func cubic(t float32) [4]float32 {
	t = min(max(t, 0), 1)
	return [4]float32{t * (-0.5 + t*(1-0.5*t)), 1 + t*t*(1.5*t-2.5), t * (0.5 + t*(2-1.5*t)), t * t * (0.5*t - 0.5)}
}
