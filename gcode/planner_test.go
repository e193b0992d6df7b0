package gcode

import (
	"math"
	"testing"
)

// ramp is how long a move of length mm takes that begins with from, ends with to and would like to go at v, in mm/s: straight from the
// laws of motion.
func ramp(length, from, v, to, a float64) float64 {
	up, down := (v*v-from*from)/(2*a), (v*v-to*to)/(2*a)
	if up+down > length {
		v = math.Sqrt(a*length + (from*from+to*to)/2)
		return (v-from)/a + (v-to)/a
	}
	return (v-from)/a + (v-to)/a + (length-up-down)/v
}

func TestPlanner(t *testing.T) {
	const (
		head  = "M201 X1000 Y1000 Z100 E10000\nM203 X500 Y500 Z10 E60\nM204 P1000 R2000 T1000\nM205 X10 Y10 Z0.4 E5\n"
		a     = 1000.0
		slow  = 0.05 // what counts as standing still
		right = 10.0 // round a right corner each axis changes by all its speed, which may be the jerk's
	)
	for _, c := range []struct {
		name string
		file string
		want float64
	}{
		{"from rest at the jerk's speed", head + "G1 X100 F6000\n", ramp(100, 10, 100, slow, a)},
		{"straight on is one move", head + "G1 X100 F6000\nG1 X200\n", ramp(200, 10, 100, slow, a)},
		{"faster in the middle", head + "G1 X100 F3000\nG1 X200 F6000\n", ramp(100, 10, 50, 50, a) + ramp(100, 50, 100, slow, a)},
		{"a right angle", head + "G1 X100 F6000\nG1 Y100\n", ramp(100, 10, 100, right, a) + ramp(100, right, 100, slow, a)},
		{"and back", head + "G1 X100 F6000\nG1 X0\n", ramp(100, 10, 100, 10, a) + ramp(100, 10, 100, slow, a)},
		{"too short to reach the speed", head + "G1 X1 F6000\n", ramp(1, 10, 100, slow, a)},
		{"the file's acceleration", head + "M204 P500 T250\nG1 X100 F6000\nG4\nG1 X0 E1\n", ramp(100, 10, 100, slow, 250) + ramp(100, 10, 100, slow, 500)},
		{"one for all", head + "M204 S500\nG1 X100 F6000\n", ramp(100, 10, 100, slow, 500)},
		{"what an axis can bear", head + "G1 Z10 F6000\n", ramp(10, 0.4, 10, slow, 100)},
		{"two axes share a way", head + "G1 X30 Y40 F60000\n", ramp(50, 12.5, 625, slow, a)},
		{"speed factor", head + "M220 S200\nG1 X100 F3000\n", ramp(100, 10, 100, slow, a)},
		{"the filament alone", head + "G1 E10 F6000\n", ramp(10, 5, 60, slow, 2000)},
		{"half a circle", head + "G2 X20 Y0 I10 J0 F60\n", ramp(10*math.Pi, 1, 1, slow, 1e9)},
		{"nothing moves", head + "G1 X0 F300\n", 0},
		{"waits", head + "G4 S2\nG4 P500\n", 2.5},
		{"a wait for ever", "G4 S1000000\n", longestDwellS},
		{"junction deviation round a corner", head + "M205 J0.02\nG1 X100 F6000\nG1 Y100\n",
			2 * ramp(100, slow, 100, math.Sqrt(1000*0.02*math.Sqrt(0.5)/(1-math.Sqrt(0.5))), a)},
		{"a vector's jerk", "; Generated with Cura_SteamEngine 4\n" + head + "G1 X100 F6000\nG1 Y100\n",
			ramp(100, 5, 100, 100*10/math.Hypot(100, 100), a) + ramp(100, 100*10/math.Hypot(100, 100), 100, slow, a)},
		{"no speed at all", head + "G1 X1 F0\nG1 X2 F-5\n", ramp(2, 10, defaultFeed, slow, a)},
	} {
		if got := survey(t, c.file).TimeS; math.Abs(got-c.want) > 1e-3*c.want+1e-6 {
			t.Errorf("%s: %v s, want %v", c.name, got, c.want)
		}
	}
}
