package gcode

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// walls reads all of a file, so many bytes at a time at most.
func wallsOf(t *testing.T, text string, most int64) (layers [][]Wall) {
	t.Helper()
	s := survey(t, text)
	o, err := NewOutlines(&s)
	if err != nil {
		t.Fatal(err)
	}
	for range len(s.Layers) {
		_, from := o.Next()
		if err := o.Read(strings.NewReader(text[from:]), len(s.Layers), most, func(layer int, walls []Wall) {
			if layers = append(layers, walls); layer != len(layers) {
				t.Errorf("layer %d comes after %d others", layer, len(layers)-1)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(layers) != len(s.Layers) {
		t.Fatalf("got %d layers of %d", len(layers), len(s.Layers))
	}
	return layers
}

// A file as slicers write them: walls of two objects, one with a hole and a piece that hangs over; what is not an outer wall; arcs; a place that has another name.
func plate(layers int) string {
	var b strings.Builder
	b.WriteString("G28\nM83\nG1 Z5 F600\nG92 X0 Y0\nG1 X10 Y10\n")
	for l := range layers {
		fmt.Fprintf(&b, ";LAYER_CHANGE\nG1 Z%.2f\n", 0.2*float64(l+1))
		b.WriteString("; printing object a id:0 copy 0\n;TYPE:Perimeter\nG1 X21 Y21\nG1 X39 E1\nG1 Y39 E1\nG1 X21 E1\nG1 Y21 E1\n;TYPE:External perimeter\nG1 X20 Y20\nG1 X40 E1\n;TYPE:Overhang perimeter\nG1 Y40 E1\n;TYPE:External perimeter\nG1 X20 E1\nG1 Y20.2 E1\nG1 E-1\nG1 X30 Y25\nG3 X30 Y25 I0 J5 E2\n;TYPE:Internal infill\nG1 X22 Y22\nG1 X38 Y38 E1\nG1 X22 Y22 E1\n; stop printing object a id:0 copy 0\n")
		b.WriteString("; printing object b id:1 copy 0\n;TYPE:External perimeter\nG1 X60 Y60\nG1 X70 E1\nG1 X65 Y70 E1\nG1 X60 Y60 E1\nG1 X80 Y80\nG1 X99 E1\nG1 Y99 E1\n; stop printing object b id:1 copy 0\n;TYPE:Overhang perimeter\nG1 X1 Y1\nG1 X9 E1\nG1 X5 Y9 E1\nG1 X1 Y1 E1\n")
	}
	return b.String()
}

func TestOutlines(t *testing.T) {
	layers := wallsOf(t, plate(3), 1<<40)
	for i, walls := range layers {
		if len(walls) != 3 {
			t.Fatalf("layer %d: got %d walls, want a's two and b's: %v", i+1, len(walls), walls)
		}
		a, hole, b := walls[0], walls[1], walls[2]
		if want := [][2]float64{{20, 20}, {40, 20}, {40, 40}, {20, 40}}; a.Object != 0 || math.Abs(a.ZMM-0.2*float64(i+1)) > 1e-9 || !reflect.DeepEqual(a.Points[:4], want) || len(a.Points) > 5 {
			t.Errorf("layer %d: got %v", i+1, a)
		}
		if hole.Object != 0 || len(hole.Points) < 12 {
			t.Errorf("layer %d: a hole of %v", i+1, hole)
		}
		for _, p := range hole.Points {
			if d := math.Hypot(p[0]-30, p[1]-30); math.Abs(d-5) > 0.01 {
				t.Errorf("layer %d: %v is %v from the middle of the hole", i+1, p, d)
			}
		}
		if b.Object != 1 || len(b.Points) != 3 && len(b.Points) != 4 || b.Points[0] != [2]float64{60, 60} {
			t.Errorf("layer %d: got %v", i+1, b)
		}
	}
	if got := wallsOf(t, plate(3), 1); !reflect.DeepEqual(got, layers) {
		t.Errorf("read layer by layer: got %v, want %v", got, layers)
	}
	s := survey(t, plate(3))
	o, _ := NewOutlines(&s)
	for _, upTo := range []int{1, 1, 0, 2} {
		_, from := o.Next()
		if err := o.Read(strings.NewReader(plate(3)[from:]), upTo, 1<<40, func(int, []Wall) {}); err != nil {
			t.Fatal(err)
		}
	}
	if next, _ := o.Next(); next != 3 {
		t.Errorf("after two layers %d is next", next)
	}
}

// A vase is one line from the bottom to the top: each turn is a layer's wall.
func TestOutlineOfAVase(t *testing.T) {
	var b strings.Builder
	b.WriteString("G28\nM83\nG1 X130 Y100 Z0.2\n;TYPE:External perimeter\n")
	for i := range 40 * 5 {
		if i%40 == 0 {
			b.WriteString(";LAYER_CHANGE\n")
		}
		a := 2 * math.Pi * float64(i+1) / 40
		fmt.Fprintf(&b, "G1 X%.3f Y%.3f Z%.3f E0.1\n", 100+30*math.Cos(a), 100+30*math.Sin(a), 0.2+0.005*float64(i+1))
	}
	for i, walls := range wallsOf(t, b.String(), 1<<40) {
		if len(walls) != 1 || len(walls[0].Points) < 39 || math.Abs(walls[0].ZMM-0.4-0.2*float64(i)) > 0.01 {
			t.Errorf("turn %d: got %v", i+1, walls)
		}
	}
}

// A layer of any size takes so many points, and its walls keep their shape.
func TestOutlinesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("G28\nM83\n;LAYER:0\nG1 Z0.2\n;TYPE:WALL-OUTER\n")
	for k := range 30 {
		x := float64(10 + 6*k)
		fmt.Fprintf(&b, "G0 X%.3f Y100\n", x+2.5)
		for i := range 2000 {
			a := 2 * math.Pi * float64(i+1) / 2000
			fmt.Fprintf(&b, "G1 X%.4f Y%.4f E0.01\n", x+2.5*math.Cos(a), 100+60*math.Sin(a))
		}
	}
	points := 0
	walls := wallsOf(t, b.String(), 1<<40)[0]
	for _, w := range walls {
		points += len(w.Points)
	}
	if len(walls) != 30 || points > maxWallPoints || points < maxWallPoints/8 {
		t.Errorf("got %d walls, %d points", len(walls), points)
	}
}

func TestFilesWithoutOutlines(t *testing.T) {
	for name, text := range map[string]string{
		"nothing is marked":  "G28\nM83\n;LAYER:0\nG1 Z0.2\nG1 X10 E1\nG1 Y10 E1\n",
		"no outer walls":     "G28\nM83\n;LAYER:0\n;TYPE:FILL\nG1 Z0.2\nG1 X10 E1\nG1 Y10 E1\n",
		"there are no moves": "G28\n",
	} {
		s := survey(t, text)
		if _, err := NewOutlines(&s); err != ErrNoWalls {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzOutlines(f *testing.F) {
	f.Add(plate(2), int64(100))
	f.Add(";LAYER:0\n;TYPE:WALL-OUTER\nG2 X1 Y1 I1e9 E1\nG92\nG91\nG1 X1e9 Y1 E1\nM486 S1\n", int64(1))
	f.Fuzz(func(t *testing.T, text string, most int64) {
		s, err := SurveyFile(strings.NewReader(text))
		if err != nil {
			return
		}
		o, err := NewOutlines(&s)
		if err != nil {
			return
		}
		for range len(s.Layers) + 1 {
			next, from := o.Next()
			err := o.Read(strings.NewReader(text[min(from, int64(len(text))):]), len(s.Layers), most, func(_ int, walls []Wall) {
				points := 0
				for _, w := range walls {
					if points += len(w.Points); len(w.Points) < 3 {
						t.Errorf("a wall of %v", w)
					}
				}
				if points > maxWallPoints {
					t.Errorf("%d points", points)
				}
			})
			if now, _ := o.Next(); err == nil && now == next && next <= len(s.Layers) {
				t.Fatal("it reads nothing")
			}
			if err != nil {
				return
			}
		}
	})
}
