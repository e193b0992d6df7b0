package gcode

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// towers is a plate of squares by layer, or one after the other; less leaves out lines of some from a layer on.
func towers(sizes []float64, layers []int, sequential bool, less func(object, layer int) bool) string {
	var b strings.Builder
	b.WriteString("M83\nG1 X0 Y0 Z0.2 F3000\n")
	layer := func(n int) {
		fmt.Fprintf(&b, ";LAYER_CHANGE\n;Z:%.1f\nG1 Z%.1f F600\n", 0.2*float64(n+1), 0.2*float64(n+1))
	}
	one := func(i, n int) {
		if n >= layers[i] || less != nil && less(i, n) {
			return
		}
		fmt.Fprintf(&b, "M486 S%d\n", i)
		x, size := float64(50*i), sizes[i]
		fmt.Fprintf(&b, "G0 X%g Y10 F9000\nG1 F1800\nG1 X%g E1\nG1 Y%g E1\nG1 X%g E1\nG1 Y10 E1\nM486 S-1\n", x, x+size, 10+size, x)
	}
	if sequential {
		for i := range sizes {
			for n := range layers[i] {
				layer(n)
				one(i, n)
			}
		}
		return b.String()
	}
	for n := range 100 {
		layer(n)
		for i := range sizes {
			one(i, n)
		}
	}
	return b.String()
}

// What is left of the time is that of a file without the lines.
func TestWithout(t *testing.T) {
	for _, c := range []struct {
		name       string
		sizes      []float64
		layers     []int
		sequential bool
		out        []int
		from       int // layer
		within     float64
	}{
		{"one after the other", []float64{40, 20, 30}, []int{50, 60, 70}, true, []int{1}, 0, 0.02},
		{"two of them", []float64{40, 20, 30}, []int{50, 60, 70}, true, []int{0, 1}, 0, 0.02},
		{"alike", []float64{30, 30, 30}, []int{100, 100, 100}, false, []int{2}, 40, 0.02},
		{"of other heights", []float64{30, 30, 30}, []int{100, 20, 60}, false, []int{0}, 10, 0.08}, // travels become shorter, which the print shows
		{"of other sizes and heights", []float64{40, 10, 25}, []int{100, 70, 60}, false, []int{2}, 30, 0.04},
		{"nothing", []float64{40, 10}, []int{100, 70}, false, nil, 0, 0},
	} {
		s := survey(t, towers(c.sizes, c.layers, c.sequential, nil))
		want := survey(t, towers(c.sizes, c.layers, c.sequential, func(object, layer int) bool {
			for _, o := range c.out {
				if o == object && layer >= c.from {
					return true
				}
			}
			return false
		}))
		out := []LeftOut{}
		for _, o := range c.out {
			out = append(out, LeftOut{Object: o, From: s.Layers[c.from].Offset})
		}
		got := s.Without(out)
		if off := got.TimeS/want.TimeS - 1; math.Abs(off) > c.within {
			t.Errorf("%s: %.1f s are left of %.1f, want %.1f: %.1f %% off", c.name, got.TimeS, s.TimeS, want.TimeS, 100*off)
		}
		for i, l := range got.Layers {
			if i > 0 && l.ElapsedS < got.Layers[i-1].ElapsedS-1e-9 || l.CruiseS > l.ElapsedS+1e-9 || l.ElapsedS > got.TimeS+1e-9 || i <= c.from && !c.sequential && l != s.Layers[i] {
				t.Fatalf("%s: layer %d of %d is %+v, was %+v", c.name, i, len(got.Layers), l, s.Layers[i])
			}
		}
	}
}

// The file's own pauses come sooner, too, and as far into their layers as before.
func TestPausesWithout(t *testing.T) {
	text := towers([]float64{40, 20}, []int{100, 100}, false, nil)
	at := func(text string) string { // in layer 61
		return strings.Replace(text, "\n;Z:12.2\nG1 Z12.2 F600\n", "\n;Z:12.2\nG1 Z12.2 F600\nM600\n", 1)
	}
	s := survey(t, at(text))
	got := s.Without([]LeftOut{{Object: 0, From: s.Layers[40].Offset}})
	want := survey(t, at(towers([]float64{40, 20}, []int{100, 100}, false, func(object, layer int) bool { return object == 0 && layer >= 40 })))
	if len(got.Pauses) != 1 || len(want.Pauses) != 1 || math.Abs(got.Pauses[0].ElapsedS/want.Pauses[0].ElapsedS-1) > 0.03 || s.Pauses[0].ElapsedS < 1.2*got.Pauses[0].ElapsedS {
		t.Errorf("it pauses at %+v, want %+v; with both at %+v", got.Pauses, want.Pauses, s.Pauses)
	}
}

// Whatever the file, time never runs backwards, and none is less than nothing.
func TestWithoutOfAnyFile(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		s, err := SurveyFile(bytes.NewReader(markedFile(r)))
		if err != nil {
			t.Fatal(err)
		}
		out := []LeftOut{{Object: -1}, {Object: 9e6}}
		for i := range s.Objects {
			if r.IntN(2) == 0 {
				out = append(out, LeftOut{Object: i, From: r.Int64N(s.Bytes + 1)})
			}
		}
		v := s.Without(out)
		last := 0.0
		for _, l := range append(v.Layers, Layer{ElapsedS: v.TimeS}) {
			if !(l.ElapsedS >= last-1e-9) || !(l.CruiseS >= -1e-9) {
				t.Fatalf("seed %d: %+v behind %v", seed, l, last)
			}
			last = l.ElapsedS
		}
		for i, p := range v.Pauses {
			if !(p.ElapsedS >= 0) || p.ElapsedS > v.TimeS+1e-9 || p.ElapsedS > s.Pauses[i].ElapsedS+1e-3 { // which is rounded
				t.Fatalf("seed %d: %+v of %v, was %+v", seed, p, v.TimeS, s.Pauses[i])
			}
		}
		if !(v.TimeS >= 0) || v.TimeS > s.TimeS || !(v.CruiseS >= 0) || v.CruiseS > v.TimeS+1e-9 {
			t.Fatalf("seed %d: %v of %v", seed, v.TimeS, s.TimeS)
		}
	}
}
