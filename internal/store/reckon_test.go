package store

import (
	"strings"
	"testing"

	"layerd/gcode"
)

// What a file says late of the machine's limits is reckoned with, wherever behind the moves it says so, and although it sets some itself.
func TestLimitsThatComeLate(t *testing.T) {
	ctx := t.Context()
	const moves, config = "M201 Y700\nG28\nG1 X100 F6000\nG1 X0\n", "; machine_max_acceleration_x = 123\n"
	for name, file := range map[string]string{
		"end.gcode": moves + config,
		"far.gcode": moves + config + strings.Repeat("; and much that has nothing to do with it\n", 5000),
	} {
		s := open1(t)
		if _, err := s.Put(ctx, name, strings.NewReader(file), -1, false); err != nil {
			t.Fatal(err)
		}
		survey, err := s.Survey(ctx, name)
		if l := survey.Limits; err != nil || survey.LimitsLate || l.By != gcode.LimitsFile || l.AccelMMS2[0] != 123 || l.AccelMMS2[1] != 700 {
			t.Errorf("%s: late %v, %+v, %v", name, survey.LimitsLate, l, err)
		}
	}
}
