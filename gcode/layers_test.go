package gcode

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSurveyLayers(t *testing.T) {
	const bottom, upper = "G1 Z0.2\nG1 X1 E1\nG1 X2 E2\n", "G1 Z0.4\nG1 X3 E3\nG1 X4 E4\n"
	for _, c := range []struct {
		name string
		file string
		want []float64 // Z of each layer
	}{
		{"PrusaSlicer", ";LAYER_CHANGE\n;Z:0.2\n;BEFORE_LAYER_CHANGE\n" + bottom + ";LAYER_CHANGE\n;AFTER_LAYER_CHANGE\n" + upper, []float64{0.2, 0.4}},
		{"Cura", ";LAYER_COUNT:2\n;LAYER:0\n" + bottom + ";LAYER:1\n" + upper, []float64{0.2, 0.4}},
		{"Cura's raft", ";LAYER:-2\n" + bottom + ";LAYER:-1\n" + upper + ";LAYER:0\n", []float64{0.2, 0.4, 0}},
		{"Simplify3D", "; layer 1, Z = 0.2\n" + bottom + "; layer 2, Z = 0.4\n" + upper + "; layer end\n", []float64{0.2, 0.4}},
		{"Bambu Studio", "; CHANGE_LAYER\n; Z_HEIGHT: 0.2\n" + bottom + "; CHANGE_LAYER\n" + upper, []float64{0.2, 0.4}},
		{"only BEFORE_LAYER_CHANGE", ";BEFORE_LAYER_CHANGE 0 @ 0.2mm\n" + bottom + ";BEFORE_LAYER_CHANGE 1 @ 0.4mm\n" + upper, []float64{0.2, 0.4}},
		{"KISSlicer", "; BEGIN_LAYER_OBJECT z=0.20\n" + bottom + "; BEGIN_LAYER_OBJECT z=0.40\n" + upper, []float64{0.2, 0.4}},
		{"a better mark comes late", "; layer 1\nG28\n;LAYER:0\n" + bottom + "; layer 2\n;LAYER:1\n" + upper, []float64{0.2, 0.4}},
		{"marks win over heights", "G1 Z5\nG1 X9 E0.5\n;LAYER:0\n" + bottom + upper, []float64{0.2}},
		{"no layer marks", "; layer_height = 0.2\n; layer one\n;LAYERS\n" + bottom, []float64{0.2}},
		{"by height", "G1 Z5\n" + bottom + upper, []float64{0.2, 0.4}},
		{"travel at another height is no layer", bottom + "G1 Z0.9\nG1 X9\nG1 Z0.2\nG1 X1 E3\n" + "G1 Z0.4\nG1 X3 E4\n", []float64{0.2, 0.4}},
		{"nearly the same height", bottom + "G1 Z0.21\nG1 X5 E3\n", []float64{0.2}},
		{"sequential", bottom + upper + "G1 Z9\nG1 X99\n" + "G92 E0\n" + bottom + upper, []float64{0.2, 0.4, 0.2, 0.4}},
		{"one after the other, PrusaSlicer", ";LAYER_CHANGE\n" + bottom + ";LAYER_CHANGE\n" + upper + "G1 Z9\nG1 X99\nG92 E0\n;LAYER_CHANGE\n" + bottom + ";LAYER_CHANGE\n" + upper, []float64{0.2, 0.4, 0.2, 0.4}},
		{"one after the other, Cura", ";LAYER_COUNT:2\n;LAYER:0\n" + bottom + ";LAYER:1\n" + upper + "G1 Z9\nG92 E0\n;LAYER_COUNT:2\n;LAYER:0\n" + bottom + ";LAYER:1\n" + upper, []float64{0.2, 0.4, 0.2, 0.4}},
		{"Z-hops with a retraction", "M83\n" + "G1 Z0.2\nG1 X1 E1\nG1 E-1\nG1 Z0.6\nG1 X9\nG1 Z0.2\nG1 E1\nG1 X2 E1\nG1 Z0.4\nG1 X3 E1\nG1 X4 Z0.8 E-.5\nG1 X9\nG1 Z0.4\nG1 E.5\nG1 X8 E1\n", []float64{0.2, 0.4}},
		{"supports of their own height", ";LAYER_CHANGE\n;TYPE:Support material\n" + bottom + ";LAYER_CHANGE\n;TYPE:Support material\nG1 Z0.3\nG1 X5 E3\n;LAYER_CHANGE\n" + upper, []float64{0.2, 0.3, 0.4}},
		{"none", "G28\nG1 X1\n", []float64{}},
	} {
		s := survey(t, c.file)
		got := []float64{}
		for i, l := range s.Layers {
			got = append(got, l.ZMM)
			if i > 0 && (l.Offset <= s.Layers[i-1].Offset || l.Line <= s.Layers[i-1].Line || l.ElapsedS < s.Layers[i-1].ElapsedS) {
				t.Errorf("%s: layer %d %+v after %+v", c.name, i, l, s.Layers[i-1])
			}
			if begin := c.file[l.Offset]; begin != ';' && begin != 'G' {
				t.Errorf("%s: layer %d begins in mid-line", c.name, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: heights %v, want %v", c.name, got, c.want)
		}
	}
}

// spiral is a vase without layer comments: a flat bottom, then turns that rise by 0.2 mm each in steps of a micrometre or so.
func spiral(turns int) string {
	var b strings.Builder
	b.WriteString("M83\nG1 Z0.3 F3000\nG1 X60 Y50 E1\nG1 X40 E1\nG1 Z0.5\nG1 X60 E1\nG1 X40 E1\n")
	const steps = 400
	for i := range turns * steps {
		at := 2 * math.Pi * float64(i) / steps
		fmt.Fprintf(&b, "G1 X%.3f Y%.3f Z%.3f E.02\n", 50+20*math.Cos(at), 50+20*math.Sin(at), 0.5+0.2*float64(i)/steps)
	}
	return b.String()
}

func TestSurveySpiral(t *testing.T) {
	s := survey(t, spiral(100))
	if n := len(s.Layers); n < 99 || n > 103 {
		t.Errorf("%d layers, want the 2 of the bottom and about one for each of 100 turns", n)
	}
	if s.LayerHeightMM < 0.199 || s.LayerHeightMM > 0.202 {
		t.Errorf("layer height %v, want 0.2", s.LayerHeightMM)
	}
}

func TestSurveyBoundsItsLayers(t *testing.T) {
	var b strings.Builder
	for i := range MaxLayers + 100 {
		fmt.Fprintf(&b, ";LAYER:%d\n", i)
	}
	b.WriteString("G28\n")
	if s := survey(t, b.String()); len(s.Layers) != MaxLayers {
		t.Errorf("%d marked layers, want %d", len(s.Layers), MaxLayers)
	}
	b.Reset()
	b.WriteString("M83\n")
	for i := range MaxLayers + 100 {
		fmt.Fprintf(&b, "G1 Z%d\nG1 X%d E1\n", i, i%2)
	}
	if s := survey(t, b.String()); len(s.Layers) != MaxLayers {
		t.Errorf("%d layers by height, want %d", len(s.Layers), MaxLayers)
	}
}

func TestLayerHeight(t *testing.T) {
	for _, c := range []struct {
		file string
		want float64
	}{
		{";Layer height: 0.12\nG28\n", 0.12},
		{"; layer_height = 0.28\nG28\n", 0.28},
		{";   layerHeight,0.1\nG28\n", 0.1},
		{"; layer_height = nonsense\nG28\n", 0},
		{"; layer_height = 99\nG28\n", 0},
		{"M83\nG1 Z0.3\nG1 X1 E1\nG1 Z0.5\nG1 X2 E1\nG1 Z0.7\nG1 X3 E1\n", 0.2},
	} {
		if s := survey(t, c.file); !near(s.LayerHeightMM, c.want) {
			t.Errorf("%.40q: %v, want %v", c.file, s.LayerHeightMM, c.want)
		}
	}
}

// What lies in the planner is reckoned to stop behind its last move. A quick move behind a slow one ends that sooner, and still no layer begins before the
// one below it.
func TestLayersBeginOneAfterAnother(t *testing.T) {
	s := survey(t, "M201 X10000\nM204 P50 T10000\nM205 X1\n;LAYER_CHANGE\nG1 X100 E1 F6000\n;LAYER_CHANGE\nG1 X100.4\n;LAYER_CHANGE\nG1 X200 E2\n")
	for i := 1; i < len(s.Layers); i++ {
		if s.Layers[i].ElapsedS < s.Layers[i-1].ElapsedS || s.Layers[i].CruiseS < s.Layers[i-1].CruiseS {
			t.Errorf("layer %d begins at %v s, the one below at %v s", i, s.Layers[i].ElapsedS, s.Layers[i-1].ElapsedS)
		}
	}
}

func TestNoTimeIsForEver(t *testing.T) {
	s := &surveyor{scan: NewScanner(strings.NewReader(""))}
	s.plan.reset(OurLimits())
	s.heater.seconds, s.plan.seconds = 1e12, 1e12
	if s.finish(); s.out.HeatS != maxSeconds || s.out.TimeS != maxSeconds {
		t.Errorf("heating %v s, motion %v s, want %v at most", s.out.HeatS, s.out.TimeS, maxSeconds)
	}
}
