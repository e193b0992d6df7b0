package printertest

import (
	"os"
	"strings"
	"testing"
)

// tower is a wall of 10 mm along X at Y100, Z up to 5 in layers of 0.5, printed hot, with the head lifted at its end.
func tower(t *testing.T, cfg Config) chat {
	c := talking(t, cfg)
	for _, line := range []string{"G28", "M109 S200", "M83", "G1 X100 Y100 F6000"} {
		c.talk(line)
	}
	for range 10 {
		for _, line := range []string{"G91", "G1 Z0.5", "G90", "M83", "G1 X110 E1", "G1 X100 E1"} {
			c.talk(line)
		}
	}
	if n := c.collisions(); n != 0 {
		t.Fatalf("printing it collided %d times", n)
	}
	return c
}

func (c chat) collisions() int64 { return c.counters().Collisions }

func TestCollisions(t *testing.T) {
	for _, x := range []struct {
		name  string
		lines []string
		want  int64
	}{
		{"over it", []string{"G1 Z6", "G1 X105 Y50", "G1 Y150"}, 0},
		{"along its top", []string{"G1 X110 Y100"}, 0},
		{"beside it", []string{"G1 X90 Y100 Z6", "G1 Z1", "G1 Y150", "G1 X200"}, 0},
		{"through it", []string{"G1 X105 Y50 Z6", "G1 Z1", "G1 Y150"}, 1},
		{"through it, and back", []string{"G1 X105 Y50 Z6", "G1 Z1", "G1 Y150", "G1 Y50"}, 2},
		{"down on it", []string{"G1 X105", "G1 Z1"}, 1},
		{"homing down on it", []string{"G1 X105", "G28 Z"}, 1},
		{"homing across it", []string{"G1 X115 Z6", "G1 Z1", "G28 X"}, 1},
		{"homing all in mid-print", []string{"G1 X115 Y100 Z6", "G1 Z1", "G28"}, 1},
		{"the next print", []string{"G1 X115 Y100 Z6", "M104 S0", "M104 S200", "G28", "G1 X105 Y50 Z1", "G1 Y150"}, 0},
		{"babysteps", []string{"M290 Z-0.05", "G1 X110"}, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := tower(t, Config{})
			for _, line := range x.lines {
				c.talk(line)
			}
			if n := c.collisions(); n != x.want {
				t.Errorf("%d collisions, want %d", n, x.want)
			}
		})
	}
}

// The part stands where it was printed truly, and the head is truly elsewhere than the firmware believes.
func TestCollisionsAreTrue(t *testing.T) {
	c := tower(t, Config{})
	c.fw.trigger(Trigger{Kind: Shift, Axis: 'x', MM: 20})
	for _, line := range []string{"G1 X105 Y50 Z6", "G1 Z1", "G1 Y150"} {
		c.talk(line)
	}
	if n := c.collisions(); n != 0 {
		t.Errorf("%d collisions of a head that passes 20 mm beside it", n)
	}
	c.talk("G1 X85")
	c.talk("G1 Y50")
	if n := c.collisions(); n != 1 {
		t.Errorf("%d collisions, want one", n)
	}
}

func TestTheHeadsBoxCollides(t *testing.T) {
	head, err := ParseHead("40x30x3")
	if err != nil || head != (Head{WidthMM: 40, DepthMM: 30, ClearMM: 3}) {
		t.Fatalf("%+v, %v", head, err)
	}
	for _, bad := range []string{"", "40", "40x30", "40x30x", "40x30x3x2", "40x30x-1", "axbxc", "40x30xNaN", "2000x1x1"} {
		if h, err := ParseHead(bad); err == nil {
			t.Errorf("%q was taken as %+v", bad, h)
		}
	}
	c := tower(t, Config{Head: head})
	for _, x := range []struct {
		line string
		want int64
	}{{"G1 Z6", 0}, {"G1 X85", 0}, {"G1 Z2.5", 0}, {"G1 Z1.5", 1}, {"G1 Z6", 2}, {"G1 X70", 2}, {"G1 Z1", 2}, {"G1 Y130", 2}, {"G1 X125", 2}, {"G1 Y110", 3}} {
		c.talk(x.line)
		if n := c.collisions(); n != x.want {
			t.Errorf("after %s %d collisions, want %d", x.line, n, x.want)
		}
	}
	if _, err := New(Config{Head: Head{WidthMM: -1}}); err == nil {
		t.Error("a head of -1 mm was taken")
	}
}

// Memory is bounded whatever the bed's size, and its corners are in it.
func TestReliefIsBounded(t *testing.T) {
	c := talking(t, Config{WidthMM: 5000, DepthMM: 4000})
	for _, line := range []string{"G28", "M302 P1", "M211 S0", "G1 X5000 Y4000 E10", "G1 X5002 Y4002 E10", "G1 X-2 Y-2 E20"} {
		c.talk(line)
	}
	if n := len(c.fw.relief.top); n == 0 || n > cellsMax*cellsMax {
		t.Errorf("%d cells", n)
	}
}

// A real file is printed without touching what it has printed, with nothing lost: what is counted is no accident of cells. Printed once more where it$
// stands already it collides all the time.
func TestARealFileDoesNotCollide(t *testing.T) {
	content, err := os.ReadFile("../../testdata/small.gcode")
	if err != nil {
		t.Fatal(err)
	}
	print := func(c chat) {
		for line := range strings.Lines(string(content)) {
			line, _, _ = strings.Cut(line, ";")
			if line = strings.TrimSpace(line); line != "" {
				c.talk(line)
			}
		}
	}
	c := talking(t, Config{X: Switch{SigmaMM: 0.02}, Head: Head{WidthMM: 40, DepthMM: 40, ClearMM: 2}})
	print(c)
	b := c.body()
	if n := c.collisions(); n != 0 || b.Layers < 30 || len(b.Trail) == 0 {
		t.Errorf("%d collisions in %d layers", n, b.Layers)
	}
	// Not a word to the heater: so what stands there is still there.
	c.fw.nozzle.offs = c.fw.relief.heatings
	print(c)
	if n := c.collisions(); n < 1000 {
		t.Errorf("only %d collisions of a print in a print", n)
	}
}
