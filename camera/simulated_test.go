package camera

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// tower is the trail of a hexagonal vase with a twist beside a small box, up to height mm.
func tower(height float64, layer float64) []Segment {
	var trail []Segment
	line := func(x1, y1, x2, y2, z float64) {
		trail = append(trail, Segment{float32(x1), float32(y1), float32(x2), float32(y2), float32(z)})
	}
	for z := layer; z <= height; z += layer {
		for wall := range 3 {
			const corners = 72
			for i := range corners {
				at := func(i int) (float64, float64) {
					a := float64(i) * 2 * math.Pi / corners
					r := 26 + 4*math.Sin(6*a+z/9) + 5*math.Sin(z/16) - float64(wall)*0.5
					return 105 + r*math.Cos(a), 112 + r*math.Sin(a)
				}
				x1, y1 := at(i)
				x2, y2 := at(i + 1)
				line(x1, y1, x2, y2, z)
			}
		}
		if z < 18 {
			for wall := range 3 {
				a, b := 148+float64(wall)*0.5, 172-float64(wall)*0.5
				line(a, a-60, b, a-60, z)
				line(b, a-60, b, b-60, z)
				line(b, b-60, a, b-60, z)
				line(a, b-60, a, a-60, z)
			}
			for x := 149.0; x < 171; x += 0.5 {
				line(x, 89, x, 111, z)
			}
		}
	}
	return trail
}

func TestSimulatedSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trail := tower(10, 0.2)
		src := NewSimulated(func() Scene {
			return Scene{X: 100, Y: 110, Z: 10, NozzleC: 215, FanPercent: 100, Trail: trail, Clock: time.Now()}
		}, 0, 0, 0)
		c := running(t, nil, func(cfg *Config) { cfg.Simulated, cfg.Demo = func(Settings) Source { return src }, true })
		c.Look()
		first := frameOf(c)
		if first == nil || first.Width != simulatedW || first.Height != simulatedH {
			t.Fatalf("got %v, want a frame of 704x396", first)
		}
		decodeYCbCr(t, first.JPEG)
		time.Sleep(2*time.Second + time.Millisecond)
		last := frameOf(c)
		if last.Seq != 11 {
			t.Errorf("got frame %d after 2 s, want 11", last.Seq)
		}
		if bytes.Equal(first.JPEG, last.JPEG) {
			t.Error("two frames are the same")
		}
		if len(last.JPEG) > 80_000 {
			t.Errorf("got %d bytes, want a frame for a phone's link", len(last.JPEG))
		}
		if s := statusOf(c); s.Dropped != 0 || s.FPS != 5 {
			t.Errorf("got %+v", s)
		}
	})
}

// around is the mean colour of a few pixels.
func around(img image.Image, x, y int) (r, g, b int) {
	n := 0
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			cr, cg, cb, _ := img.At(x+dx, y+dy).RGBA()
			r, g, b, n = r+int(cr>>8), g+int(cg>>8), b+int(cb>>8), n+1
		}
	}
	return r / n, g / n, b / n
}

// pixelOf is where a place on the bed is seen in the stage's last picture.
func pixelOf(st *stage, s Scene, x, y, z float32) (int, int) {
	s = s.clean()
	p, _ := st.view.at(st.bedPlace(&s, x, y, z))
	return int(p.x), int(p.y)
}

func TestPictureShowsTheScene(t *testing.T) {
	st := newStage(640, 360)
	s := Scene{X: 20, Y: 110, Z: 30, NozzleC: 21, Trail: tower(16, 0.2), Clock: time.Unix(1e9, 0).UTC()}
	teal := func(r, g, b int) bool { return g > r+40 && b > r+30 }

	img := st.draw(s)
	x, y := pixelOf(st, s, 160, 88, 16) // the lid of the box
	if r, g, b := around(img, x, y); !teal(r, g, b) {
		t.Errorf("on the part: got %d %d %d, want teal", r, g, b)
	}
	s.Trail = s.Trail[:200] // a trail may begin anew at any time
	if r, g, b := around(st.draw(s), x, y); teal(r, g, b) {
		t.Errorf("after the trail began anew: got %d %d %d, want the bed", r, g, b)
	}

	s = Scene{X: 60, Y: 60, Z: 20, NozzleC: 21, Clock: s.Clock}
	cold := st.draw(s)
	x, y = pixelOf(st, s, 60, 60, 18)
	r1, _, b1 := around(cold, x, y)
	s.NozzleC = 240
	hot := st.draw(s)
	r2, _, b2 := around(hot, x, y)
	if r2-b2 < r1-b1+60 {
		t.Errorf("under the nozzle: red over blue is %d cold and %d at 240 °C, want it to glow", r1-b1, r2-b2)
	}

	// The bed slides under the nozzle: more Y brings it nearer to the camera.
	_, near := pixelOf(st, Scene{Y: 220}, 110, 0, 0)
	_, back := pixelOf(st, Scene{Y: 0}, 110, 0, 0)
	if near <= back {
		t.Errorf("the bed's front edge is at row %d for Y220 and %d for Y0, want lower in the picture", near, back)
	}

	// The clock.
	s.Clock = time.Unix(1e9, 0).UTC()
	a := pixelsOf(st.draw(s), image.Rect(0, 330, 220, 360))
	s.Clock = s.Clock.Add(3600 * time.Second)
	b := pixelsOf(st.draw(s), image.Rect(0, 330, 220, 360))
	changed := 0
	for i := range a {
		if d := a[i] - b[i]; d > 60 || d < -60 {
			changed++
		}
	}
	if changed < 10 {
		t.Errorf("an hour later %d pixels of the clock are others, want a digit's worth", changed)
	}
}

func pixelsOf(img image.Image, r image.Rectangle) (list []int) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			_, g, _, _ := img.At(x, y).RGBA()
			list = append(list, int(g>>8))
		}
	}
	return list
}

func TestNoSceneIsTooOdd(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	f := float32(inf)
	odd := []Segment{{f, f, f, f, f}, {float32(nan), 0, 1, 1, 1}, {1e30, -1e30, 5, 5, 5}, {-500, -500, 3000, 3000, 2}, {3000, 0, -3000, 0, -900}, {5, 5, 5, 5, 3900}}
	endless := make([]Segment, 3*maxTrail) // one layer
	for i := range endless {
		endless[i] = Segment{float32(i % 200), 0, float32(i % 200), 200, 0.2}
	}
	for i, s := range []Scene{
		{},
		{WidthMM: nan, DepthMM: inf, HeightMM: -inf, X: nan, Y: inf, Z: -inf, NozzleC: nan, BedC: inf, FanPercent: -inf, Trail: odd},
		{WidthMM: 1, DepthMM: 1e9, HeightMM: 3, X: 1e300, Y: -1e300, Z: 1e9, Trail: odd},
		{WidthMM: 50, DepthMM: 2000, HeightMM: 2000, Y: 2000, Z: 2000, Trail: odd, Clock: time.Unix(1<<50, 0)},
		{Trail: endless}, {Trail: odd[:1]},
	} {
		for _, side := range [][2]int{{160, 90}, {321, 201}} {
			src := NewSimulated(func() Scene { return s }, 5, side[0], side[1])
			ctx, cancel := context.WithCancel(t.Context())
			err := src.Run(ctx, put(func(pic []byte, _ time.Time) {
				if _, _, _, err := complete(pic, 0); err != nil {
					t.Errorf("scene %d: %v", i, err)
				}
				cancel()
			}))
			if err != nil {
				t.Errorf("scene %d: %v", i, err)
			}
		}
	}
}

func TestThin(t *testing.T) {
	trail := tower(50, 0.1)
	kept, pitch := thin(nil, trail)
	if len(kept) > maxTrail || len(kept) < maxTrail/4 {
		t.Errorf("kept %d of %d, want a good part of %d", len(kept), len(trail), maxTrail)
	}
	var spiral []Segment // one wall that rises all the time
	for i := range 40_000 {
		at := func(i int) (x, y, z float32) {
			sin, cos := math.Sincos(float64(i) * 2 * math.Pi / 100)
			return float32(100 + 30*cos), float32(100 + 30*sin), float32(i) * 0.002
		}
		x1, y1, _ := at(i)
		x2, y2, z := at(i + 1)
		spiral = append(spiral, Segment{x1, y1, x2, y2, z})
	}
	for name, trail := range map[string][]Segment{"layers": trail, "spiral": spiral} {
		kept, pitch = thin(nil, trail)
		level := float32(0)
		for _, s := range kept {
			if s.Z > level+2*pitch+0.1 {
				t.Errorf("%s: nothing between %v and %v mm, lines fill %v", name, level, s.Z, pitch)
			}
			level = s.Z
		}
		if end := trail[len(trail)-1]; kept[len(kept)-1] != end {
			t.Errorf("%s: the newest line is gone", name)
		}
	}
}

// What is inside the part is left out, what is outside never.
func TestBuriedFilament(t *testing.T) {
	var trail []Segment
	for z := float32(0.2); z < 20; z += 0.2 {
		trail = append(trail, Segment{50, 50, 90, 50, z}, Segment{90, 50, 90, 90, z}, Segment{90, 90, 50, 90, z}, Segment{50, 90, 50, 50, z})
		for x := float32(50.5); x < 90; x += 0.5 {
			trail = append(trail, Segment{x, 50.5, x, 89.5, z})
		}
	}
	var h heights
	h.build(trail, 220, 220)
	var all, seen float64
	for i := range trail {
		g := &trail[i]
		long := func(s Segment) float64 { return math.Hypot(float64(s.X2-s.X1), float64(s.Y2-s.Y1)) }
		part := 0.0
		h.seen(g, func(s Segment) { part += long(s) })
		all, seen = all+long(*g), seen+part
		outside := g.X1 == 50 && g.X2 == 50 || g.X1 == 90 && g.X2 == 90 || g.Y1 == g.Y2
		if (outside || g.Z > 19.5) && math.Abs(part-long(*g)) > 0.01 {
			t.Fatalf("%+v: %v mm seen, want all of it", *g, part)
		}
	}
	if seen > all*0.3 {
		t.Errorf("%.0f of %.0f mm are drawn, want most of it left out", seen, all)
	}
}

func BenchmarkSimulated(b *testing.B) {
	for name, trail := range map[string][]Segment{"empty": nil, "17k": tower(16, 0.2), "60k": tower(50, 0.2)} {
		b.Run(name, func(b *testing.B) {
			st := newStage(simulatedW, simulatedH)
			s := Scene{X: 100, Y: 110, Z: 24, NozzleC: 215, BedC: 60, FanPercent: 100, Trail: trail}
			b.ReportAllocs()
			for b.Loop() {
				st.draw(s)
			}
		})
	}
	b.Run("encode", func(b *testing.B) {
		img := newStage(simulatedW, simulatedH).draw(Scene{X: 100, Y: 110, Z: 24, NozzleC: 215, Trail: tower(20, 0.2)})
		var out jpegBuffer
		for b.Loop() {
			out.Reset()
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: simulatedQuality}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(out.Len()), "B/frame")
	})
}
