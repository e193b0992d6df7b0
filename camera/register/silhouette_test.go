package register_test

import (
	"math"
	"testing"
	"testing/synctest"

	"layerd/camera"
	"layerd/camera/register"
)

// lookingAt is a pinhole camera like the pretend one, of a bed 220 mm wide that is at y.
func lookingAt(y float64, w, h int) func(x, y, z float64) [2]float64 {
	const yaw, pitch, dist, wide = -0.24, 0.42, 430, 345
	sinY, cosY, sinP, cosP := math.Sin(yaw), math.Cos(yaw), math.Sin(pitch), math.Cos(pitch)
	right, up, forward := [3]float64{cosY, sinY, 0}, [3]float64{-sinY * sinP, cosY * sinP, cosP}, [3]float64{-sinY * cosP, cosY * cosP, -sinP}
	return func(bx, by, bz float64) [2]float64 {
		d := [3]float64{bx - 110 - 4, by - y + 20, bz - 24}
		dot := func(a [3]float64) float64 { return a[0]*d[0] + a[1]*d[1] + a[2]*d[2] }
		scale := float64(w) * dist / wide / (dot(forward) + dist)
		return [2]float64{float64(w)/2 + dot(right)*scale, float64(h)/2 - dot(up)*scale}
	}
}

func projectionOf(t *testing.T, y float64, w, h int) *register.Projection {
	see := lookingAt(y, w, h)
	bed := [4][2]float64{{10, 60}, {210, 60}, {210, 200}, {10, 200}}
	var seen [4][2]float64
	for i, c := range bed {
		seen[i] = see(c[0], c[1], 0)
		seen[i][0], seen[i][1] = math.Round(seen[i][0]), math.Round(seen[i][1]) // as it was tapped
	}
	p, err := register.NewProjection(seen, bed, w, h)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProjection(t *testing.T) {
	p, see := projectionOf(t, 210, 704, 396), lookingAt(210, 704, 396)
	for _, at := range [][3]float64{{110, 110, 0}, {10, 200, 0}, {60, 100, 20}, {150, 150, 60}} {
		x, y := p.See(at[0], at[1], at[2])
		if want := see(at[0], at[1], at[2]); math.Hypot(x-want[0], y-want[1]) > 2+at[2]*0.05 {
			t.Errorf("%v is seen at %.1f %.1f, want %.1f", at, x, y, want)
		}
	}
	for _, c := range [][4][2]float64{{}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}, {{0, 0}, {10, 0}, {20, 0}, {30, 0}}, {{math.NaN()}}, {{0, 0}, {200, 0}, {200, 140}, {0, 140}}} {
		if _, err := register.NewProjection(c, [4][2]float64{{0, 0}, {200, 0}, {200, 140}, {0, 140}}, 704, 396); err == nil {
			t.Errorf("%v was taken for a bed", c)
		}
	}
}

// A picture as the sensor has it is not upright where the camera is not, and it is what is looked at.
func TestProjectionOfATurnedPicture(t *testing.T) {
	const w, h = 704, 396
	see, bed := lookingAt(210, w, h), [4][2]float64{{10, 60}, {210, 60}, {210, 200}, {10, 200}}
	for name, c := range map[string]struct {
		w, h  int
		place func(p [2]float64) [2]float64
	}{
		"upright":     {w, h, func(p [2]float64) [2]float64 { return p }},
		"upside down": {w, h, func(p [2]float64) [2]float64 { return [2]float64{w - p[0], h - p[1]} }},
		"on its side": {h, w, func(p [2]float64) [2]float64 { return [2]float64{h - p[1], p[0]} }},
		"the other":   {h, w, func(p [2]float64) [2]float64 { return [2]float64{p[1], w - p[0]} }},
		"mirrored":    {w, h, func(p [2]float64) [2]float64 { return [2]float64{w - p[0], p[1]} }},
		"both":        {w, h, func(p [2]float64) [2]float64 { return [2]float64{p[0], h - p[1]} }},
	} {
		var seen [4][2]float64
		for i, b := range bed {
			seen[i] = c.place(see(b[0], b[1], 0))
		}
		p, err := register.NewProjection(seen, bed, c.w, c.h)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, z := range []float64{0, 20, 60} {
			x, y := p.See(150, 150, z)
			if want := c.place(see(150, 150, z)); math.Hypot(x-want[0], y-want[1]) > 0.5 {
				t.Errorf("%s, %v mm high: seen at %.1f %.1f, want %.1f", name, z, x, y, want)
			}
		}
	}
}

// prism is a print, layer by layer: its outlines, and its lines when the layers from some one on lie elsewhere.
func prism(layers, lostFrom int, lost [2]float64) (outlines []register.Outline, trail []camera.Segment) {
	for i := range layers {
		o := register.Outline{ZMM: 0.3 * float64(i+1)}
		for k := range 24 {
			a := float64(k) * math.Pi / 12
			r := 22 + 5*math.Cos(3*a+o.ZMM/12)
			o.Points = append(o.Points, [2]float64{110 + r*math.Cos(a), 120 + r*math.Sin(a)})
		}
		var dx, dy float64
		if i >= lostFrom {
			dx, dy = lost[0], lost[1]
		}
		for k, p := range o.Points {
			q := o.Points[(k+1)%len(o.Points)]
			trail = append(trail, camera.Segment{X1: float32(p[0] + dx), Y1: float32(p[1] + dy), X2: float32(q[0] + dx), Y2: float32(q[1] + dy), Z: float32(o.ZMM)})
		}
		outlines = append(outlines, o)
	}
	return outlines, trail
}

// The newest layers lie elsewhere than the file says: found within a few layers, and nothing before. The picture is of the pretend camera, the bed's corners as a finger taps them.
func TestSilhouette(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPretend(t, 1248, 702)
		s := register.NewSilhouette(projectionOf(t, 210, 1248, 702))
		at := register.Pose{XMM: 210, YMM: 210}
		const first, lostFrom, last = 55, 80, 90
		var a register.Aside
		for layers := first; layers <= last; layers++ {
			outlines, trail := prism(layers, lostFrom, [2]float64{1.6, 0})
			p.scene.Trail, at.ZMM = trail, 0.3*float64(layers)+1
			a = s.Look(layers, p.pictures(at, 1), outlines[max(layers-50, 0):layers-8], outlines[layers-8:], 0, 0)
			if layers <= lostFrom && a.Step.Sure > 0 {
				t.Errorf("layer %d, nothing is wrong: %+v", layers, a)
			}
			if layers > first+16 && !a.Sees {
				t.Errorf("layer %d is not seen: %+v", layers, a)
			}
		}
		if a.Step.Axis != "x" || a.Step.Sure < 2 || a.Step.MM < 0.6 || a.Step.MM > 2 {
			t.Errorf("1.6 mm lost ten layers ago: %+v", a)
		}
	})
}

func TestOddOutlines(t *testing.T) {
	s := register.NewSilhouette(projectionOf(t, 210, 704, 396))
	pic := &register.Luma{W: 704, H: 396, Pix: make([]byte, 704*396)}
	nan, inf := math.NaN(), math.Inf(1)
	odd := []register.Outline{
		{}, {ZMM: nan, Points: [][2]float64{{1, 2}}}, {Points: [][2]float64{{inf, 0}, {nan, 3}}}, {Points: [][2]float64{{1e6, -1e6}, {-1e6, 1e6}, {5, 5}}},
		{ZMM: 1e9, Points: [][2]float64{{1, 1}, {200, 1}, {200, 200}}}, {Points: [][2]float64{{100, 100}, {100, 100}, {100, 100}}}, {Points: make([][2]float64, 300_000)},
	}
	for i := range odd {
		if a := s.Look(1, []*register.Luma{pic}, odd[:i], odd[i:], 0, 0); a.Sees || a.Step.Sure > 0 {
			t.Errorf("%d: %+v", i, a)
		}
	}
	if a := s.Look(1, nil, nil, nil, 0, 0); a.Sees {
		t.Errorf("no picture: %+v", a)
	}
}

// BenchmarkSilhouette is what the second opinion costs at a look, of a plate with twelve parts of 150 points each.
func BenchmarkSilhouette(b *testing.B) {
	see := lookingAt(210, 704, 396)
	bed := [4][2]float64{{10, 60}, {210, 60}, {210, 200}, {10, 200}}
	var seen [4][2]float64
	for i, c := range bed {
		seen[i] = see(c[0], c[1], 0)
	}
	p, err := register.NewProjection(seen, bed, 704, 396)
	if err != nil {
		b.Fatal(err)
	}
	var outlines []register.Outline
	for layer := range 60 {
		for part := range 12 {
			o := register.Outline{ZMM: 0.2 * float64(layer+1)}
			for k := range 150 {
				a := float64(k) * math.Pi / 75
				o.Points = append(o.Points, [2]float64{30 + 45*float64(part%4) + 15*math.Cos(a), 70 + 45*float64(part/4) + 15*math.Sin(a)})
			}
			outlines = append(outlines, o)
		}
	}
	pic := &register.Luma{W: 704, H: 396, Pix: make([]byte, 704*396)}
	for i := range pic.Pix {
		pic.Pix[i] = byte(i * i >> 7)
	}
	s := register.NewSilhouette(p)
	b.ReportAllocs()
	for b.Loop() {
		s.Look(1, []*register.Luma{pic, pic, pic}, outlines[:600], outlines[600:], 0, 0)
	}
}
