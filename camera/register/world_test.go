package register_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"layerd/camera/register"
)

// world is a printer drawn with nothing of the pretend camera's: flat textures that slide over each other. Places are in pixels of the picture.
type world struct {
	rng                         *rand.Rand
	w, h                        int
	coreXY                      bool
	room, bed, head, part, hand texture
	px                          float64 // pixels per mm of X; Y looks shorter

	// What may be changed from picture to picture:
	lost         [2]float64
	gain, offset float64
	slope        float64 // of the light, from left to right
	lamp         float64 // which one is on; by 0 there are no shadows
	noise        float64
	quality      int
	nudge        [4]float64 // right, down, turned (pixels at the edge), zoomed
	slide        float64    // the camera has moved to the side: what is near has by so many pixels, what is far by less
	covered      float64    // of the bed's height, by the print
	handAt       float64    // a hand from the right covers so much of the width
	cable, fan   float64    // where a cable on the head swings to, pixels; how far the fan has turned
	flex         float64    // mm of the bed in Y
	blur         int
	partSeed     float64 // what the print looks like changes by it
}

// texture is twice as fine as the picture, smooth, and repeats itself.
type texture []float32

const textureSide = 512

//go:norace
func newTexture(rng *rand.Rand, contrast float64) texture {
	t := make(texture, textureSide*textureSide)
	for i := range t {
		t[i] = 110
	}
	for range 260 { // boxes of any brightness
		x, y, w, h, v := rng.IntN(textureSide), rng.IntN(textureSide), 8+rng.IntN(70), 8+rng.IntN(70), float32(110+contrast*(rng.Float64()*2-1))
		for dy := range h {
			for dx := range w {
				t[(y+dy)%textureSide*textureSide+(x+dx)%textureSide] = v
			}
		}
	}
	for range 3 { // the lens
		for _, step := range []int{1, textureSide} {
			old := append(texture(nil), t...)
			for i := range t {
				a, b := old[(i+step)%len(t)], old[(i-step+len(t))%len(t)]
				t[i] = (a + 2*old[i] + b) / 4
			}
		}
	}
	return t
}

//go:norace
func (t texture) at(x, y float64) float64 {
	x, y = x*2+textureSide*16, y*2+textureSide*16
	ix, iy := int(x), int(y)
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	r0, r1 := iy%textureSide*textureSide, (iy+1)%textureSide*textureSide
	c0, c1 := ix%textureSide, (ix+1)%textureSide
	return float64((t[r0+c0]*(1-fx)+t[r0+c1]*fx)*(1-fy) + (t[r1+c0]*(1-fx)+t[r1+c1]*fx)*fy)
}

func newWorld(seed uint64, contrast float64) *world {
	rng := rand.New(rand.NewPCG(seed, 9))
	w := &world{rng: rng, w: 480, h: 272, px: 1.2 + rng.Float64(), gain: 1, quality: 75, noise: 3}
	for _, t := range []*texture{&w.room, &w.bed, &w.head, &w.part, &w.hand} {
		*t = newTexture(rng, contrast)
	}
	return w
}

// edge is how much of a pixel lies inside, d pixels from the edge.
func edge(d float64) float64 { return min(max(d+0.5, 0), 1) }

func box(x, y, x0, y0, x1, y1 float64) float64 {
	return edge(x-x0) * edge(x1-x) * edge(y-y0) * edge(y1-y)
}

// shade is what shadows leave of a lamp's light. By the next lamp they fall elsewhere, twice so many pixels.
//
//go:norace
func (w *world) shade(x, y, far, depth float64) float64 {
	if w.lamp == 0 {
		return 1
	}
	return 1 - depth*min(max((w.hand.at(x/2+far*w.lamp, y/2+far*w.lamp)-90)/40, 0), 1)
}

// Drawing is one goroutine's work, and the race detector would make it the longest.
//
//go:norace
func (w *world) picture(t testing.TB, at register.Pose) *register.Luma {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w.w, w.h))
	X, Y, Z := at.XMM+w.lost[0], at.YMM+w.lost[1], at.ZMM
	hx, hy := X*w.px+Y*0, -Z*w.px*0.9 // what the head is moved by
	bx, by := Y*w.px*0.12, Y*w.px*0.55
	if w.coreXY {
		hx, hy = X*w.px-Y*w.px*0.15, -Y*w.px*0.5
		bx, by = 0, Z*w.px*0.9
	}
	by += w.flex * w.px * 0.55
	r := float64(w.w) / 2
	turn, zoom := w.nudge[2]/r, w.nudge[3]/r
	for py := range w.h {
		for px := range w.w {
			cx, cy := float64(px)-r, float64(py)-float64(w.h)/2
			x := float64(px) - w.nudge[0] + cy*turn - cx*zoom
			y := float64(py) - w.nudge[1] - cx*turn - cy*zoom
			v := w.room.at(x+w.slide*0.2, y) * w.shade(x, y, 90, 0.3)
			if frame := box(x, y, 0, 130, 480, 272); w.slide != 0 && frame > 0 {
				v = v*(1-frame) + frame*w.room.at(x+w.slide*0.9, y)
			}
			x += w.slide
			if a := box(x-bx, y-by, 90, 150, 390, 215); a > 0 {
				b := w.bed.at(x-bx, y-by)
				if w.covered > 0 {
					c := box(x-bx, y-by, 180, 190-w.covered, 300, 195)
					b = b*(1-c) + c*w.part.at(x-bx, y-by+w.partSeed)
				}
				v = v*(1-a) + a*b*w.shade(x-bx, y-by, 3, 0.6)
			}
			if a := box(x-hx, y-hy, 120, 50, 185, 125); a > 0 {
				b := w.head.at(x-hx, y-hy) * w.shade(x-hx, y-hy, 3, 0.6)
				if c := box(x-hx, y-hy, 135, 60, 160, 85); w.fan != 0 && c > 0 {
					b = b*(1-c) + c*w.head.at(x-hx+w.fan*31, y-hy+w.fan*57)
				}
				v = v*(1-a) + a*b
			}
			if a := box(x-hx-w.cable, y-hy, 150, 10, 172, 56); w.cable != 0 && a > 0 {
				v = v*(1-a) + a*w.hand.at(x-hx-w.cable, y-hy)
			}
			if a := edge(float64(px) - float64(w.w)*(1-w.handAt)); w.handAt > 0 && a > 0 {
				v = v*(1-a) + a*w.hand.at(float64(px)+w.handAt*200, float64(py))
			}
			v = (v*w.gain+w.offset)*(1+w.slope*cx/r) + w.noise*w.rng.NormFloat64()
			img.Pix[py*img.Stride+px] = byte(min(max(v+0.5, 0), 255))
		}
	}
	for _, step := range []int{1, w.w} {
		sharp := append([]byte(nil), img.Pix...)
		for i := range sharp[2*w.blur*step:] {
			sum := 0
			for k := range 2 * w.blur {
				sum += int(sharp[i+k*step])
			}
			if w.blur > 0 {
				img.Pix[i+w.blur*step] = byte(sum / (2 * w.blur))
			}
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: w.quality}); err != nil {
		t.Fatal(err)
	}
	l := &register.Luma{}
	if err := register.Decode(out.Bytes(), l); err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) pictures(t testing.TB, at register.Pose, n int) (list []*register.Luma) {
	for range n {
		list = append(list, w.picture(t, at))
	}
	return list
}

var park = register.Pose{XMM: 5, YMM: 20, ZMM: 4}

func (w *world) calibrate(t testing.TB) (*register.Calibration, error) {
	t.Helper()
	c := register.NewCalibrator(park, register.Limits{Max: register.Pose{XMM: 220, YMM: 220, ZMM: 250}})
	for at, more := c.Next(); more; at, more = c.Next() {
		if err := c.Add(at, w.pictures(t, at, 2)); err != nil {
			t.Fatal(err)
		}
	}
	return c.Result()
}

// calibrated is for worlds whose view is a good one.
func (w *world) calibrated(t testing.TB) *register.Calibration {
	t.Helper()
	cal, err := w.calibrate(t)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// copy is the same world with chances of its own.
func (w *world) copy(seed uint64) *world {
	c := *w
	c.rng = rand.New(rand.NewPCG(seed, 10))
	return &c
}

func height(layer int) register.Pose {
	at := park
	at.ZMM = 1.2 + 0.2*float64(layer)
	return at
}

// longer is the first number with -short, which the race detector comes with: with it a look takes a tenth of a second, and there are no goroutines here.
func longer(t testing.TB, short, whole int) int {
	t.Helper()
	if testing.Short() {
		return short
	}
	return whole
}
