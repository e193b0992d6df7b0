package printer

import (
	"errors"
	"layerd/gcode"
	"strings"
	"testing"
)

// Every line of a job is as short as the firmware needs it, or it is refused.
func TestFit(t *testing.T) {
	room := MaxCommand("marlin")
	long := "G2 X100.000000 Y100.000000 Z0.200000 I10.000000 J-10.000000 E0.500000 F1800.000000 S1.00"
	for _, c := range []struct{ dialect, line, want string }{
		{"marlin", "G1 X1.000", "G1 X1.000"},
		{"marlin", long, "G2 X100Y100Z.2I10J-10 E.5F1800S1"},
		{"reprapfirmware", long, long},
		{"klipper", strings.Repeat("A", 4096), strings.Repeat("A", 4096)},
		{"marlin", "SET_PIN " + strings.Repeat("A=1 ", 30), ""},
		{"marlin", "G1 " + strings.Repeat("Y1.5 ", 30), ""},
		{"marlin", "M117 " + strings.Repeat("x", 100), "M117 " + strings.Repeat("x", room-5)},
		{"marlin", "M118 " + strings.Repeat("ü", 100), "M118 " + strings.Repeat("ü", (room-5)/2)},
		{"marlin", "M0 " + strings.Repeat("x", 100), ""},
	} {
		s := newSession(Presets()[0], nil, nil)
		s.d = dialectNamed(t, c.dialect)
		got, err := s.fit([]byte(c.line))
		if string(got) != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, gcode.ErrLongLine) {
			t.Errorf("%s, %.20s…: got %q, %v, want %q", c.dialect, c.line, got, err, c.want)
		}
		if framed := gcode.AppendFrame(nil, 99999999, got); s.d.numbered && len(framed)-1 > s.d.maxLine {
			t.Errorf("%s, %.20s…: %d bytes go out, and the firmware takes %d", c.dialect, c.line, len(framed)-1, s.d.maxLine)
		}
	}
}

func TestFitDoesNotAllocate(t *testing.T) {
	s := newSession(Presets()[0], nil, nil)
	line := []byte("G1 X140.974 Y92.303 E.03291")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.fit(line); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a line that fits, want 0", n)
	}
}

func dialectNamed(t *testing.T, name string) dialect {
	t.Helper()
	for _, d := range dialects {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no dialect %s", name)
	return dialect{}
}
