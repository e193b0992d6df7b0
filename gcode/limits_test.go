package gcode

import (
	"io"
	"math"
	"strings"
	"testing"
)

// However a file comes, its time is the same: read from a disk, where its end is looked at first, or once and then again with what it said late.
func TestLimitsHoweverAFileComes(t *testing.T) {
	moves := "G28\n" + strings.Repeat("G1 X100 F9000\nG1 X0\nG1 Z20\nG1 Z0\n", 50)
	const config = "; machine_max_acceleration_x = 500\n; machine_max_acceleration_z = 50\n; machine_max_feedrate_z = 5\n"
	const all = "M201 X700 Y700 Z70 E900\nM203 X200 Y200 Z7 E30\nM204 P700 R700 T700\n"
	for _, c := range []struct {
		name, file string
		late       bool // something is learned by a second look
		by         string
		accelX     float64
		accelZ     float64
	}{
		{"nothing said", moves, false, LimitsOurs, 1000, 200},
		{"at the end", moves + config, true, LimitsConfig, 500, 50},
		{"at the beginning", config + moves, false, LimitsConfig, 500, 50},
		{"a little by commands", "M201 X700\n" + moves + config, true, LimitsFile, 700, 50},
		{"a little by commands, at the beginning", "M201 X700\n" + config + moves, false, LimitsFile, 700, 50},
		{"all by commands, but jerk", all + moves + config, true, LimitsFile, 700, 70},
		{"all by commands", all + "M205 X9 Y9 Z.3 E4\n" + moves + config, false, LimitsFile, 700, 70},
		{"all by commands, with junction deviation", all + "M205 J.02\n" + moves + config, false, LimitsFile, 700, 70},
		{"far from the end", moves + config + strings.Repeat("; "+strings.Repeat("x", 98)+"\n", 2000), true, LimitsConfig, 500, 50},
		{"with lone CRs", strings.ReplaceAll(moves+config+strings.Repeat("; "+strings.Repeat("x", 98)+"\n", 2000), "\n", "\r"), true, LimitsConfig, 500, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			piped, err := SurveyFile(io.MultiReader(strings.NewReader(c.file)))
			limits, late := piped.Late()
			if err != nil || late != c.late {
				t.Fatalf("late %v, %v, want %v", late, err, c.late)
			}
			if late {
				if piped, err = SurveyWith(strings.NewReader(c.file), limits); err != nil || piped.LimitsLate {
					t.Fatalf("the second time: late %v, %v", piped.LimitsLate, err)
				}
			}
			read := survey(t, c.file)
			if limits, late := read.Late(); late { // it was not near the end
				if read, err = SurveyWith(strings.NewReader(c.file), limits); err != nil {
					t.Fatal(err)
				}
			}
			if read.TimeS != piped.TimeS || read.Limits != piped.Limits {
				t.Errorf("from a disk %.2f s by %+v\nelse %.2f s by %+v", read.TimeS, read.Limits, piped.TimeS, piped.Limits)
			}
			if l := piped.Limits; l.By != c.by || l.AccelMMS2[0] != c.accelX || l.AccelMMS2[2] != c.accelZ {
				t.Errorf("by %s, X %g, Z %g mm/s², want %s, %g, %g", l.By, l.AccelMMS2[0], l.AccelMMS2[2], c.by, c.accelX, c.accelZ)
			}
		})
	}
}

// RepRapFirmware's M203 counts in mm/min, and nothing in the line says so but how much it is.
func TestSpeedLimitsByFirmware(t *testing.T) {
	for file, want := range map[string][4]float64{
		"M203 X200 Y200 Z12 E60\n":                             {200, 200, 12, 60},
		"M203 X12000 Y9000 Z720 E3600\n":                       {200, 150, 12, 60},
		"M203 X12000\nM203 Z720\n":                             {200, 500, 12, 80},
		"M566 X600 Y600 Z24 E300\nM203 X1200 Y1200 Z60 E600\n": {20, 20, 1, 10},
	} {
		if got := survey(t, file+"G1 X1 E1\n").Limits; got.SpeedMMS != want || got.By != LimitsFile {
			t.Errorf("%q: %v by %s, want %v", file, got.SpeedMMS, got.By, want)
		}
	}
}

// Klipper goes round a square corner at a speed that does not change with the acceleration.
func TestSquareCorners(t *testing.T) {
	const slow = 0.05
	for file, a := range map[string]float64{
		"SET_VELOCITY_LIMIT ACCEL=1000 SQUARE_CORNER_VELOCITY=9\n":                               1000,
		"SET_VELOCITY_LIMIT ACCEL=500 SQUARE_CORNER_VELOCITY=9\nSET_VELOCITY_LIMIT ACCEL=1000\n": 1000,
		"SET_VELOCITY_LIMIT SQUARE_CORNER_VELOCITY=9\nM204 S250\n":                               250,
	} {
		want := 2 * ramp(100, slow, 100, 9, a)
		if got := survey(t, file+"G1 X100 F6000\nG1 Y100\n").TimeS; math.Abs(got-want) > 1e-3*want {
			t.Errorf("%q: %v s, want %v", file, got, want)
		}
	}
}
