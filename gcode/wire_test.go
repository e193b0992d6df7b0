package gcode

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// Ten seconds of 10 lines a second, five of 100, then ten of 10 again: the speed is even, so the planner has nothing to lose but in between.
func TestWire(t *testing.T) {
	var b strings.Builder
	b.WriteString("M204 S100000\nM201 X100000 Y100000\nM205 X1000 Y1000\nG1 X0 F6000\n") // 100 mm/s
	x := 0.0
	for _, part := range []struct {
		lines int
		mm    float64
	}{{100, 10}, {500, 1}, {100, 10}} {
		for range part.lines {
			x += part.mm
			fmt.Fprintf(&b, "G1 X%g\n", x)
		}
	}
	s := survey(t, b.String())
	w := s.Wire
	if math.Abs(s.TimeS-25) > 0.2 || math.Abs(w.MeanLinesS-28) > 0.5 || math.Abs(w.PeakLinesS-100) > 1 || math.Abs(float64(w.PeakLine)-104) > 100 || math.Abs(w.PeakAtS-10) > 1.2 {
		t.Errorf("%v s, wire %+v, want 25 s, a mean of 28, and 100 from line 104 at 10 s", s.TimeS, w)
	}
	for _, c := range []struct {
		link, longest float64
		above         bool
	}{{20, 5, true}, {60, 5, true}, {75, 5, true}, {101, 0, false}, {500, 0, false}} {
		got, above := w.Above(c.link)
		if above != c.above || math.Abs(got.LongestS-c.longest) > 1.2 || above && (math.Abs(float64(got.Line)-104) > 20 || got.TotalS < got.LongestS) {
			t.Errorf("above %v lines a second: %+v, %v, want %v s from line 104, %v", c.link, got, above, c.longest, c.above)
		}
	}
}

// Waiting in between neither adds to a second nor divides it, and what comes in no time at all is a number still.
func TestWireOdds(t *testing.T) {
	if w := survey(t, strings.Repeat("G4 S10\nG1 X1\nG1 X0\n", 50)).Wire; w.PeakLinesS > 5 || len(w.Stretches) != 0 {
		t.Errorf("mostly waiting: %+v", w)
	}
	if w := survey(t, strings.Repeat("M105\n", 10000)).Wire; w.PeakLinesS != 0 || w.MeanLinesS != 0 {
		t.Errorf("nothing moves: %+v", w)
	}
	many := "M204 S100000\nM201 X100000\nM203 X10000\nM205 X1000\nG1 X0 F60000\n"
	if w := survey(t, many+strings.Repeat("G1 X0.01\nG1 X0\n", 50000)).Wire; w.PeakLinesS < 1000 || len(w.Stretches) != len(rates()) {
		t.Errorf("very dense: %+v", w)
	}
}
