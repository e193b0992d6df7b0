package camera

import (
	"image"
	"math"
	"time"
)

// What happens between the scene and the JPEG: the lens darkens the corners, the lamp flickers, the sensor adds noise, and colours become
// brightness and two differences at half the resolution, which is what the encoder wants and would take twice as long to make.

// A lamp at the mains flickers at twice their 50 Hz, which are never quite that. The sensor reads row after row, so there are bright and dark bands
// across the picture; they creep, because the time from one picture to the next is no whole number of flickers. Whoever compares pictures meets
// this with real cameras, too.
const (
	flickerHz    = 100.13
	flickerDepth = 0.025       // of the light, up and down
	readout      = 1.0 / 36    // seconds from the first row to the last
	flickerAgain = 100_000_000 // µs, after which a whole number of flickers has passed
)

// film is the pretend camera's sensor.
type film struct {
	*image.YCbCr
	lens   []uint8 // how much light reaches each 2x2 pixels, 255 = all
	grain  []int16 // noise
	random uint32
}

func newFilm(w, h int) *film {
	f := &film{YCbCr: image.NewYCbCr(bounds(w, h), image.YCbCrSubsampleRatio420), grain: newGrain(w)}
	f.lens = make([]uint8, len(f.Cb))
	for i := range f.lens {
		x, y := i%f.CStride, i/f.CStride
		fx, fy := 1-4*float64(x)/float64(w), 1-4*float64(y)/float64(h)
		d := fx*fx*0.8 + fy*fy*0.55
		f.lens[i] = uint8(255 * (1 - 0.26*d*d))
	}
	return f
}

// lampAt is how bright the lamp is when a row is read, in 256ths; row goes from 0 to 1.
func lampAt(began time.Time, row float64) int32 {
	t := float64(began.UnixMicro()%flickerAgain)/1e6 + row*readout
	return int32(math.Round(256 * (1 + flickerDepth*math.Sin(2*math.Pi*flickerHz*t))))
}

// expose takes a picture of the canvas, which has the film's size; both sides are even. The conversion is that of JFIF.
func (f *film) expose(c *canvas, began time.Time) {
	for y := 0; y < c.h; y += 2 {
		lamp := lampAt(began, float64(y)/float64(c.h))
		f.random = f.random*1664525 + 1013904223
		grain := f.grain[f.random>>(32-grainBits):][:c.w]
		upper, lower := c.Pix[y*c.Stride:][:c.w*4], c.Pix[(y+1)*c.Stride:][:c.w*4]
		outU, outL := f.Y[y*f.YStride:][:c.w], f.Y[(y+1)*f.YStride:][:c.w]
		cb, cr, lens := f.Cb[y/2*f.CStride:][:c.w/2], f.Cr[y/2*f.CStride:][:c.w/2], f.lens[y/2*f.CStride:][:c.w/2]
		for i, l := range lens {
			u, d := upper[i*8:i*8+8:i*8+8], lower[i*8:i*8+8:i*8+8]
			light, n1, n2 := int32(l)*lamp>>8, int32(grain[i*2]), int32(grain[i*2+1])
			outU[i*2] = bright(u[0], u[1], u[2], light, n1)
			outU[i*2+1] = bright(u[4], u[5], u[6], light, n2)
			outL[i*2] = bright(d[0], d[1], d[2], light, -n2)
			outL[i*2+1] = bright(d[4], d[5], d[6], light, n1^n2)
			r := int32(u[0]) + int32(u[4]) + int32(d[0]) + int32(d[4])
			g := int32(u[1]) + int32(u[5]) + int32(d[1]) + int32(d[5])
			b := int32(u[2]) + int32(u[6]) + int32(d[2]) + int32(d[6])
			cb[i] = byte(min(max(128+((-43*r-85*g+128*b)*light>>18), 0), 255))
			cr[i] = byte(min(max(128+((128*r-107*g-21*b)*light>>18), 0), 255))
		}
	}
}

// bright is the brightness of a colour in this much light, with noise in 256ths.
func bright(r, g, b byte, light, noise int32) byte {
	y := (77*int32(r) + 150*int32(g) + 29*int32(b)) >> 8
	return byte(min(max((y*light+noise)>>8, 0), 255))
}

// grainBits is how many bits choose where in the strip of noise a row begins.
const grainBits = 12

// newGrain makes a strip of noise for rows of w pixels, in 256ths of a step of brightness.
func newGrain(w int) []int16 {
	grain := make([]int16, w+1<<grainBits)
	seed := uint32(1)
	for i := range grain {
		sum := int32(0)
		for range 3 { // of several, small values are more frequent
			seed = seed*1664525 + 1013904223
			sum += int32(seed>>22) - 512
		}
		grain[i] = int16(sum / 2)
	}
	return grain
}
