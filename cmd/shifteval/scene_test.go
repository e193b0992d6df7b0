package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

const someLayers = `;TYPE:External perimeter
G92 E0
M82
G1 Z0.2 F600
G1 X50 Y50
G1 X100 Y50 E1
G1 X100 Y100 E2
;TYPE:Internal infill
G1 X60 Y60
G1 X90 Y90 E3
;TYPE:External perimeter
G1 Z0.4
G1 X50 Y50
G1 X100 Y50 E4
G2 X100 Y60 I0 J5 E5
G1 Z0.6
G1 X50 Y50 E4
G1 X100 Y50 E5
`

func TestLayersOf(t *testing.T) {
	layers, err := layersOf(strings.NewReader(someLayers))
	if err != nil || len(layers) != 3 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	if l := layers[0]; l.top != 0.2 || len(l.paths) != 2 || !l.paths[0].outer || l.paths[1].outer || len(l.paths[0].points) != 3 {
		t.Errorf("first layer: %+v", l)
	}
	arc := layers[1].paths[0].points
	for _, p := range arc[1:] {
		if math.Abs(math.Hypot(p.x-100, p.y-55)-5) > 1e-6 {
			t.Errorf("%v is not on the arc", p)
		}
	}
	if len(arc) < 10 || len(layers[2].paths) != 1 {
		t.Errorf("%d points of an arc; moves that pull back are no plastic: %+v", len(arc), layers[2])
	}
}

func TestThinned(t *testing.T) {
	var circle []point
	for i := range 200 {
		a := float64(i) * math.Pi / 100
		circle = append(circle, point{20 * math.Cos(a), 20 * math.Sin(a)})
	}
	got := thinned(circle, thinBy)
	if len(got) > 60 || len(got) < 15 || got[0] != circle[0] || got[len(got)-1] != circle[len(circle)-1] {
		t.Fatalf("%d points are left", len(got))
	}
	for i := range got[1:] { // a chord's middle is nearest to the centre
		if d := 20 - math.Hypot((got[i].x+got[i+1].x)/2, (got[i].y+got[i+1].y)/2); d > 1.5*thinBy {
			t.Errorf("a chord is %.2f mm off", d)
		}
	}
}

// What is lost moves the head, or the bed, and what is printed from then on; nothing else.
func TestTextOfLosses(t *testing.T) {
	layers, err := layersOf(strings.NewReader(someLayers))
	if err != nil {
		t.Fatal(err)
	}
	for _, core := range []bool{false, true} {
		s := &theScenes()[0]
		s.CoreXY, s.W, s.H = core, 640, 360
		good := state{printed: 3, pose: [3]float64{5, 210, 1.6}}
		bad := good
		bad.lost, bad.from = [2]float64{0.8, -1.6}, 2
		was, is := strings.Split(s.text(layers, good), "\n"), strings.Split(s.text(layers, bad), "\n")
		if len(was) != len(is) {
			t.Fatalf("%d lines became %d", len(was), len(is))
		}
		var moved []string
		for i := range was {
			if was[i] != is[i] {
				moved = append(moved, strings.Fields(is[i])[0])
			}
		}
		head, bed := "translate <5.8000,110.0000,1.6000>", "translate <0.0000,-98.4000,0.0000>"
		if core {
			head, bed = "translate <5.8000,208.4000,0.0000>", "translate <0.0000,0.0000,-1.6000>"
		}
		text := strings.Join(is, "\n")
		if !strings.Contains(text, head) || !strings.Contains(text, bed) {
			t.Errorf("CoreXY %v: neither %q nor %q, or one of them is missing; changed are %v", core, head, bed, moved)
		}
		if strings.Count(text, "<50.80,48.") != 6 || strings.Count(text, "<50.00,5") == 0 || strings.Count(fmt.Sprint(moved), "mesh2") != 1 {
			t.Errorf("CoreXY %v: what is printed is not displaced: changed are %v", core, moved)
		}
	}
}

// All scenes are different, and the halves share nothing.
func TestScenes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range theScenes() {
		for _, what := range []string{s.Model, s.Name, fmt.Sprint(s.Eye), fmt.Sprint(s.Seed)} {
			if seen[what] {
				t.Errorf("%q twice", what)
			}
			seen[what] = true
		}
	}
}
