package gcode

import (
	"fmt"
	"strings"
	"testing"
)

// placesOf follows a file and says, for each line that is no move, where the head is and how much filament has gone by then.
func placesOf(file string) (places []string) {
	var h headAt
	for line := range strings.Lines(file) {
		h.line(line)
		if _, _, ok := readMove(line, "G0", "G1", "G2", "G3"); !ok {
			places = append(places, fmt.Sprintf("%.3f at %.6f: %s", h.at, h.e, line))
		}
	}
	return places
}

// Whoever skips an object follows its marks line by line: each stays where it was, on the way and in the file, whatever becomes of the curves between.
func TestFitArcsKeepsMarks(t *testing.T) {
	circle := strings.SplitAfter(circleLines(10, 0, 0.15, 60, ""), "\n")
	marks := []string{"M486 S0\n", "EXCLUDE_OBJECT_START NAME=a\nG90\nM83\n", "; printing object a id:0 copy 0\n", ";MESH:a.stl\n", "; stop printing object a\n", "EXCLUDE_OBJECT_END NAME=a\nG90\nM83\n",
		"M486 S-1\n", ";TYPE:Inner wall\n", "M73 P10 R5\n", ";LAYER_CHANGE\n", "M600\nM83\n"}
	var b strings.Builder
	b.WriteString("G90\nM83\n")
	for i := range 300 {
		b.WriteString(circle[1+i%60])
		if i%7 == 6 {
			b.WriteString(marks[i/7%len(marks)])
		}
		if i%60 == 59 {
			b.WriteString(circle[0])
		}
	}
	got, fit := fitted(t, b.String(), ArcTolerance)
	want, have := placesOf(b.String()), placesOf(got)
	if fit.Arcs < 20 || len(want) != len(have) {
		t.Fatalf("%+v, %d lines that are no moves, were %d", fit, len(have), len(want))
	}
	for i := range want {
		if want[i] != have[i] {
			t.Errorf("was %s is %s", want[i], have[i])
		}
	}
}
