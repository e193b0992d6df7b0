package store

import (
	"io"
	"testing"

	"layerd/gcode"
)

// What the printer tells of its limits changes the time of files that say nothing of them, of uploads and of those that were there before; and only of those.
func TestTheMachinesLimits(t *testing.T) {
	s := open1(t)
	const plain, own = "G28\nG1 X100 F6000\nG1 X200 E1\nG1 X100 E1\n", "M201 X900\nG28\nG1 X100 F6000\nG1 X200 E1\nG1 X100 E1\n"
	put(t, s, "before.gcode", plain)
	put(t, s, "own.gcode", own)
	survey := func(path string) gcode.Survey {
		t.Helper()
		v, err := s.Survey(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	usual, ofFile := survey("before.gcode"), survey("own.gcode")
	slow := gcode.OurLimits()
	slow.By, slow.AccelMMS2 = gcode.LimitsPrinter, [4]float64{50, 50, 50, 50}
	s.SetMachine(slow)
	put(t, s, "after.gcode", plain+";\n")
	for _, path := range []string{"before.gcode", "after.gcode"} {
		if v := survey(path); v.Limits.By != gcode.LimitsPrinter || v.TimeS < 2*usual.TimeS {
			t.Errorf("%s: takes %g s with limits by %q; on the usual machine %g s", path, v.TimeS, v.Limits.By, usual.TimeS)
		}
	}
	if v := survey("own.gcode"); v.TimeS != ofFile.TimeS || v.Limits.By != gcode.LimitsFile {
		t.Errorf("a file with limits of its own takes %g s now, and took %g", v.TimeS, ofFile.TimeS)
	}
	reads := 0
	s.survey = func(io.Reader, gcode.Limits) (gcode.Survey, error) { reads++; return gcode.Survey{}, nil }
	if survey("before.gcode"); reads != 0 {
		t.Error("it was read a second time for the same printer")
	}
}
