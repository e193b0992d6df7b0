package gcode

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	p := NewPace()
	for _, c := range []struct {
		line string
		want time.Duration
	}{
		{"G21", 0}, {"G90", 0}, {"M83", 0}, {"M204 S1000", 0},
		{"G1 X100 Y0 F6000", 1100 * time.Millisecond}, // 100 mm at 100 mm/s, and 100/1000 s from rest
		{"G1 X200", time.Second},                      // straight on
		{"G1 X200.1", time.Millisecond},
		{"G1 X200.2 F12000", 500 * time.Microsecond},
		{"M220 S50", 0}, {"G1 X200.4", time.Millisecond}, // the factor is the caller's
		{"G4 P250", 250 * time.Millisecond},
		{"M106 S255", 0}, {"G92 E0", 0}, {"T1", 0}, {"G28", 0}, {"M109 S200", 0}, {"EXCLUDE_OBJECT NAME=a", 0},
		{"G1 E2 F600", 200 * time.Millisecond},
		{"G1", 0},
		{"G1 X99999999999 F1", 0}, // no place that a machine has
	} {
		if got := p.Took(ParseCommand([]byte(c.line))); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("%s: got %v, want %v", c.line, got, c.want)
		}
	}
}

// What a Pace says of short lines, one by one, is near to what the planner says of them all.
func TestPaceIsNearThePlanner(t *testing.T) {
	var b strings.Builder
	b.WriteString("G28\nM201 X800 Y800\nM204 S800\nM205 X8 Y8\n")
	for i := range 2000 {
		x, y := 100+40*math.Cos(float64(i)*0.05), 100+40*math.Sin(float64(i)*0.05)
		fmt.Fprintf(&b, "G1 X%.3f Y%.3f F%d\n", x, y, 1200+i%7*600)
	}
	survey := survey(t, b.String())
	var sum time.Duration
	p := NewPace()
	for line := range strings.Lines(b.String()) {
		sum += p.Took(ParseCommand([]byte(strings.TrimSpace(line))))
	}
	if got := sum.Seconds() / survey.TimeS; got < 0.8 || got > 1.05 {
		t.Errorf("got %v, the planner %g s", sum, survey.TimeS)
	}
}

func BenchmarkPace(b *testing.B) {
	p, c := NewPace(), [2]Command{ParseCommand([]byte("G1 X110.123 Y95.456 E0.01234")), ParseCommand([]byte("G1 X110.223 Y95.656 E0.01234"))}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Took(c[i&1])
	}
}
