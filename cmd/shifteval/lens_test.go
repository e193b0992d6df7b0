package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"layerd/camera/register"
)

// dots is a rendering with something to see everywhere.
func dots(w, h int) *rendering {
	r := &rendering{w: w, h: h}
	dice := rand.New(rand.NewPCG(1, 1))
	for k := range r.lamp {
		r.lamp[k] = bytes.Repeat([]byte{90}, w*h)
	}
	for range 400 {
		x, y, side, v := dice.IntN(w-20), dice.IntN(h-20), 4+dice.IntN(12), byte(30+dice.IntN(200))
		for dy := range side {
			for dx := range side {
				for k := range r.lamp {
					r.lamp[k][(y+dy)*w+x+dx] = v
				}
			}
		}
	}
	return r
}

func shot(t *testing.T, o optics, r *rendering, m moment) *register.Luma {
	t.Helper()
	l := &register.Luma{}
	if err := register.Decode(o.shoot(r, m, rand.New(rand.NewPCG(2, 2))), l); err != nil {
		t.Fatal(err)
	}
	return l
}

func mean(l *register.Luma) (sum float64) {
	for _, v := range l.Pix {
		sum += float64(v) / float64(len(l.Pix))
	}
	return sum
}

var plain = optics{blur: 0.3, quality: 90}

func TestShoot(t *testing.T) {
	r := dots(352, 198)
	m := usual()
	l := shot(t, plain, r, m)
	if l.W != 320 || l.H != 180 {
		t.Fatalf("got %d × %d", l.W, l.H)
	}
	// The exposure sets how bright it is, whatever the lamps.
	dim := m
	for k := range dim.lamps {
		dim.lamps[k] /= 10
	}
	if a, b := mean(l), mean(shot(t, plain, r, dim)); math.Abs(a-b) > 2 || math.Abs(a-255*math.Pow(m.bright, 2/2.2)) > 25 {
		t.Errorf("mean %.0f, with a tenth of the light %.0f", a, b)
	}
	// A picture is where the camera points.
	m.nudge = [4]float64{5, 0, 0, 0}
	moved, off, still := shot(t, plain, r, m), 0.0, 0.0
	for y := 20; y < 160; y++ {
		for x := 20; x < 300; x++ {
			off += math.Abs(float64(moved.Pix[y*320+x]) - float64(l.Pix[y*320+x-5]))
			still += math.Abs(float64(moved.Pix[y*320+x]) - float64(l.Pix[y*320+x]))
		}
	}
	if off > still/4 {
		t.Errorf("moved by 5 pixels it differs by %.0f from itself moved, and by %.0f from itself", off, still)
	}
}

// Blur keeps the light, and noise is as much as is said.
func TestBlurAndNoise(t *testing.T) {
	pix := make([]float32, 40*30)
	pix[15*40+20] = 1
	out, sum, spread := blurred(pix, 40, 30, 1, 0), 0.0, 0.0
	for i, v := range out {
		sum += float64(v)
		spread += float64(v) * math.Pow(float64(i%40-20), 2)
	}
	if math.Abs(sum-1) > 1e-4 || math.Abs(math.Sqrt(spread)-1) > 0.12 {
		t.Errorf("a point has become %.4f, with a deviation of %.2f pixels", sum, math.Sqrt(spread))
	}
	flat := &rendering{w: 352, h: 198}
	for k := range flat.lamp {
		flat.lamp[k] = bytes.Repeat([]byte{128}, 352*198)
	}
	l := shot(t, optics{blur: 0.3, noise: 6, quality: 100}, flat, usual())
	m, square := mean(l), 0.0
	for _, v := range l.Pix {
		square += (float64(v) - m) * (float64(v) - m) / float64(len(l.Pix))
	}
	if got := math.Sqrt(square); got < 4 || got > 7 {
		t.Errorf("noise of 6 is %.1f", got)
	}
}

// Both baselines say nothing of the same picture, and phase correlation tells how far another is.
func TestBaselines(t *testing.T) {
	r := dots(704, 396)
	l, m := shot(t, plain, r, usual()), usual()
	m.nudge = [4]float64{10, 0, 0, 0}
	moved := shot(t, plain, r, m)
	same := smaller(l).against(smaller(l))
	if same[byDifference] > 1e-9 || same[byPhase] > 1e-9 {
		t.Errorf("the same picture: %v", same)
	}
	if got := smaller(moved).against(smaller(l)); math.Abs(got[byPhase]-4) > 0.4 || got[byDifference] < 0.1 {
		t.Errorf("10 pixels of 640 to the right are 4 of 256: got %.2f; difference %.3f", got[byPhase], got[byDifference])
	}
}
