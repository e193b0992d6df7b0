package camera

import (
	"image"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// brightness of the rows of a picture, each the mean of a strip at the left, where nothing moves.
func rows(img image.Image) []float64 {
	y := img.(*image.YCbCr)
	list := make([]float64, y.Rect.Dy())
	for i := range list {
		for _, v := range y.Y[i*y.YStride:][:y.Rect.Dx()/8] {
			list[i] += float64(v) / float64(y.Rect.Dx()/8)
		}
	}
	return list
}

// How the brightness of rows differs between two moments is how the lamp's does.
func TestLampFlickers(t *testing.T) {
	st := newStage(simulatedW, simulatedH)
	at := time.Unix(1e9, 0).UTC()
	s := Scene{X: 150, Y: 110, Z: 20, Clock: at}
	base := rows(st.draw(s))
	deepest := 0.0
	for frame := range 8 { // five pictures a second
		s.Clock = at.Add(time.Duration(frame) * 200 * time.Millisecond)
		now := rows(st.draw(s))
		var both, seen, meant float64 // products over the rows without the clock in the corner
		for i := range now[:simulatedH*9/10] {
			row := float64(i&^1) / simulatedH
			want := (float64(lampAt(s.Clock, row))/float64(lampAt(at, row)) - 1) * base[i]
			got := now[i] - base[i]
			both, seen, meant = both+got*want, seen+got*got, meant+want*want
			deepest = max(deepest, math.Abs(got)/base[i])
		}
		if alike := both / math.Sqrt(seen*meant); frame > 1 && alike < 0.8 {
			t.Errorf("frame %d: the rows' brightness and the lamp's are alike to %.2f, want nearly 1", frame, alike)
		}
	}
	if deepest < 0.015 || deepest > 0.1 {
		t.Errorf("the deepest difference is %.3f of the light, want some hundredths", deepest)
	}
}

// shift is by how many pixels what is around x, y in the picture a has to be moved to be found again in b.
func shift(a, b *image.YCbCr, x, y int) (dx, dy int) {
	const halfW, halfH, far = 40, 8, 40
	best := math.Inf(1)
	for my := -far; my <= far; my++ {
		for mx := -far; mx <= far; mx++ {
			if !image.Rect(x+mx-halfW, y+my-halfH, x+mx+halfW+1, y+my+halfH+1).In(b.Rect) {
				continue
			}
			var sum, n, offset float64
			for py := -halfH; py <= halfH; py++ {
				for px := -halfW; px <= halfW; px++ {
					d := float64(b.Y[b.YOffset(x+px+mx, y+py+my)]) - float64(a.Y[a.YOffset(x+px, y+py)])
					sum, offset, n = sum+d*d, offset+d, n+1
				}
			}
			if v := sum/n - (offset/n)*(offset/n); v < best { // how bright it is does not count
				best, dx, dy = v, mx, my
			}
		}
	}
	return dx, dy
}

// The bed is pushed to and fro under the head; the printer's frame stands.
func TestBedMovesWithY(t *testing.T) {
	draw := func(y float64) (*stage, Scene, *image.YCbCr) {
		st := newStage(simulatedW, simulatedH)
		s := Scene{X: 160, Y: y, Z: 40, Clock: time.Unix(1e9, 0).UTC()}
		return st, s, st.draw(s).(*image.YCbCr)
	}
	st, s, before := draw(100)
	_, moved, after := draw(115)
	x1, y1 := pixelOf(st, s, 220, 0, -4)
	x2, y2 := pixelOf(st, moved, 220, 0, -4)
	if far := math.Hypot(float64(x2-x1), float64(y2-y1)); far < 8 {
		t.Fatalf("the bed's corner goes from %d,%d to %d,%d: too little to see", x1, y1, x2, y2)
	}
	if dx, dy := shift(before, after, x1, y1); math.Abs(float64(dy-(y2-y1))) > 4 || math.Abs(float64(dx-(x2-x1))) > 4 {
		t.Errorf("the bed's front corner has moved by %d,%d pixels, want %d,%d", dx, dy, x2-x1, y2-y1)
	}
	for name, at := range map[string]vec{"gantry": {post - 20, postY - 9, 40 + railUp}, "control box": {boxLeft + 20, boxFront, bench + 30}} {
		p, _ := st.view.at(at)
		if !image.Pt(int(p.x), int(p.y)).In(before.Rect.Inset(41)) {
			t.Fatalf("the %s is at %v, not in the picture", name, p)
		}
		if dx, dy := shift(before, after, int(p.x), int(p.y)); dx != 0 || dy != 0 {
			t.Errorf("the %s has moved by %d,%d pixels", name, dx, dy)
		}
	}
}

func TestSimulatedIsSlowWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := NewSimulated(func() Scene { return Scene{Clock: time.Now()} }, 5, 160, 90)
		c := running(t, nil, func(cfg *Config) { cfg.Simulated, cfg.Demo = func(Settings) Source { return src }, true })
		for _, look := range []bool{false, true, false} {
			done := func() {}
			if look {
				done = c.Look()
			}
			had := frameOf(c)
			time.Sleep(10 * time.Second)
			n := frameOf(c).Seq - had.Seq
			if want := uint32(10); !look && n != want || look && n < 45 {
				t.Errorf("looked at %v: got %d pictures in ten seconds", look, n)
			}
			done()
		}
	})
}
