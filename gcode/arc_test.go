package gcode

import (
	"math"
	"strings"
	"testing"
)

// How long moves are by hand: half circles, whole ones, and what is none.
func TestArcLengths(t *testing.T) {
	for _, c := range []struct {
		name, file string
		length     float64
		low, high  [2]float64
	}{
		{"a quarter", "G1 X10 Y0\nG3 X0 Y10 I-10 J0", 5 * math.Pi, [2]float64{0, 0}, [2]float64{10, 10}},
		{"the same by R", "G1 X10 Y0\nG3 X0 Y10 R10", 5 * math.Pi, [2]float64{0, 0}, [2]float64{10, 10}},
		{"the longer way", "G1 X10 Y0\nG3 X0 Y10 R-10", 15 * math.Pi, [2]float64{0, 0}, [2]float64{20, 20}},
		{"the other way", "G1 X10 Y0\nG2 X0 Y10 R10", 5 * math.Pi, [2]float64{0, 0}, [2]float64{10, 10}},
		{"a half by R", "G1 X0 Y0\nG2 X20 R10", 10 * math.Pi, [2]float64{0, 0}, [2]float64{20, 10}},
		{"whose R was rounded down", "G1 X0 Y0\nG2 X20.001 R10", 10.0005 * math.Pi, [2]float64{0, 0}, [2]float64{20.001, 10.0005}},
		{"that is nonsense", "G1 X0 Y0\nG2 X20 R9", 20, [2]float64{0, 0}, [2]float64{20, 0}},
		{"beside I and J", "G1 X0 Y0\nG2 X20 R10 I3 J4", 10 * math.Pi, [2]float64{0, 0}, [2]float64{20, 10}},
		{"with a centre beyond all", "G1 X0 Y0\nG2 X20 I" + strings.Repeat("9", 200), 20, [2]float64{0, 0}, [2]float64{20, 0}},
		{"a whole one", "G1 X0 Y0\nG2 I5", 10 * math.Pi, [2]float64{0, -5}, [2]float64{10, 5}},
		{"whose end is a sum", "G1 X0 Y0\nG91\nG1 X.1\nG1 X.2\nG90\nG3 X.3 Y0 I5", 10 * math.Pi, [2]float64{0.3, -5}, [2]float64{10.3, 5}},
		{"the same the other way", "G1 X0 Y0\nG91\nG1 X.1\nG1 X.2\nG90\nG2 X.3 Y0 I5", 10 * math.Pi, [2]float64{0.3, -5}, [2]float64{10.3, 5}},
		{"in another plane", "G1 X0 Y0\nG18\nG2 X10 Z0 I5 K0", 10, [2]float64{0, 0}, [2]float64{10, 0}},
		{"in XY again", "G1 X0 Y0\nG19\nG17\nG2 X10 I5", 5 * math.Pi, [2]float64{0, 0}, [2]float64{10, 5}},
		{"a helix", "G1 X0 Y0\nG2 Z30 I5", math.Hypot(10*math.Pi, 30), [2]float64{0, -5}, [2]float64{10, 5}},
		{"in inches", "G1 X0 Y0\nG20\nG2 I1", 2 * math.Pi * 25.4, [2]float64{0, -25.4}, [2]float64{50.8, 25.4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := survey(t, "G90\nM83\n"+c.file+" F60 E1\n")
			m := lastMove(c.file)
			if math.Abs(m.length-c.length) > 1e-6 {
				t.Errorf("%.6f mm, want %.6f", m.length, c.length)
			}
			for i := range 2 {
				if math.Abs(s.Extent.Min[i]-c.low[i]) > 1e-6 || math.Abs(s.Extent.Max[i]-c.high[i]) > 1e-6 {
					t.Errorf("axis %d from %.4f to %.4f, want %.4f to %.4f", i, s.Extent.Min[i], s.Extent.Max[i], c.low[i], c.high[i])
				}
			}
		})
	}
}

// lastMove follows a file to its end.
func lastMove(file string) (last moved) {
	var m motion
	var w words
	m.reset()
	for line := range strings.Lines(file) {
		c := ParseCommand([]byte(strings.TrimSpace(line)))
		if w.read(c.Args); c.Number <= 3 {
			last = *m.move(c.Number, &w)
		} else {
			m.other(c, &w)
		}
	}
	return last
}
