package gcode

import "testing"

func TestParseCommand(t *testing.T) {
	for _, c := range []struct {
		in          string
		letter      byte
		number, sub int
		args        string
	}{
		{"G28", 'G', 28, 0, ""},
		{"g1x5", 'G', 1, 0, "x5"},
		{"G1 X5 Y-.2", 'G', 1, 0, "X5 Y-.2"},
		{"G29.1 X", 'G', 29, 1, "X"},
		{"G1. X2", 'G', 1, 0, "X2"},
		{"G 28 Z", 'G', 28, 0, "Z"},
		{"  M105  ", 'M', 105, 0, ""},
		{"M117 Hello (you)", 'M', 117, 0, "Hello (you)"},
		{"M600X", 'M', 600, 0, "X"},
		{"T0", 'T', 0, 0, ""},
		{"X14.392 Y3", 'X', 14, 392, "Y3"},
		{"T0_OFFSET A=1", 0, 0, 0, "T0_OFFSET A=1"},
		{"START_PRINT BED=60", 0, 0, 0, "START_PRINT BED=60"},
		{"@pause", 0, 0, 0, "@pause"},
		{"M", 0, 0, 0, "M"},
		{"T?", 0, 0, 0, "T?"},
		{"M1234567890", 0, 0, 0, "M1234567890"},
		{"G1,5", 0, 0, 0, "G1,5"},
		{"", 0, 0, 0, ""},
	} {
		got := ParseCommand([]byte(c.in))
		// Space behind the last argument is nobody's.
		if got.Letter != c.letter || got.Number != c.number || got.Sub != c.sub || string(trimSpaces(got.Args)) != c.args {
			t.Errorf("ParseCommand(%q) = %q %d.%d %q, want %q %d.%d %q", c.in, got.Letter, got.Number, got.Sub, got.Args, c.letter, c.number, c.sub, c.args)
		}
	}
}

func TestCommandParameters(t *testing.T) {
	for _, c := range []struct {
		in     string
		letter byte
		want   float64
		ok     bool
		has    bool
	}{
		{"G1 X12.5 Y3", 'X', 12.5, true, true},
		{"G1X1Y2E-.8", 'E', -0.8, true, true},
		{"M104 S 200", 'S', 200, true, true},
		{"M104 s200", 'S', 200, true, true},
		{"G28 X Y5", 'X', 0, false, true},
		{"G28 X Y5", 'Y', 5, true, true},
		{"G28 X", 'Z', 0, false, false},
		{"G1 X1E5", 'E', 5, true, true},
		{"G1 X1E5", 'X', 1, true, true},
		{"G1 X5 X6", 'X', 5, true, true},
		{`M23 "S5.gco" S7`, 'S', 7, true, true},
		{`M23 "S5.gco`, 'S', 5, true, true},
		{"G1 Xnan", 'X', 0, false, true},
		{"G1 X" + string(make([]byte, 3)), 'X', 0, false, true},
	} {
		cmd := ParseCommand([]byte(c.in))
		if v, ok := cmd.Float(c.letter); v != c.want || ok != c.ok {
			t.Errorf("%q Float(%c) = %v, %v, want %v, %v", c.in, c.letter, v, ok, c.want, c.ok)
		}
		if got := cmd.Has(c.letter); got != c.has {
			t.Errorf("%q Has(%c) = %v, want %v", c.in, c.letter, got, c.has)
		}
		var w words
		w.read(cmd.Args)
		if v, ok := w.get(c.letter); v != c.want || ok != c.ok || w.has(c.letter) != c.has {
			t.Errorf("%q in one pass: %c = %v, %v, %v, want %v, %v, %v", c.in, c.letter, v, ok, w.has(c.letter), c.want, c.ok, c.has)
		}
	}
}

func TestCommandDoesNotAllocate(t *testing.T) {
	line := []byte("G1 X140.974 Y92.303 E.03291 F1800")
	var v float64
	if n := testing.AllocsPerRun(100, func() {
		c := ParseCommand(line)
		v, _ = c.Float('F')
	}); n != 0 || v != 1800 {
		t.Errorf("%v allocations, F%v, want 0 and F1800", n, v)
	}
}
