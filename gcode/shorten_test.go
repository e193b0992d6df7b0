package gcode

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestAppendShort(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"G1 X10.000 Y+0.500 Z-0.250 E1.23000 F1800.000", "G1 X10Y.5Z-.25 E1.23F1800"},
		{"G2  X007.10   Y0.0 I-0.0 J+.5  E00.00100", "G2 X7.1Y0I-0J.5 E.001"},
		{"G5 I1.0 J2.0 P-3.50 Q4.0 X5.0 Y0.60", "G5I1J2P-3.5Q4 X5Y.6"},
		{"G1 Y0 X5 E1", "G1Y0 X5 E1"}, // "0X5" and "5E1" are numbers to strtod
		{"G92 X Y Z E0", "G92 X Y Z E0"},
		{"M205 S0.00 T0 B20000 X10. Y10 J0.010", "M205S0T0B20000 X10Y10J.01"},
		{"M201 X9000 Y9000 Z500 E10000", "M201 X9000Y9000Z500 E10000"},
		{"  G1 Z5  ", "G1Z5"},
		{"G01 Z05", "G01Z5"}, // to Klipper G01 is not G1
		{"G1 Z0.1234567890123450", "G1Z0.1234567890123450"},
		{"G1 Z1 Z2", "G1Z1Z2"},

		// What is left alone.
		{"G1 X1.0E5", "G1 X1.0E5"},
		{"G1X1.0", "G1X1.0"},
		{"G1 X1.0 Y{var.y}", "G1 X1.0 Y{var.y}"},
		{"G1 X 1.0 Y2.0", "G1 X 1.0 Y2.0"},
		{"g1 x1.0", "g1 x1.0"},
		{"G1 x1.0", "G1 x1.0"},
		{"G 1 X1.0", "G 1 X1.0"},
		{"G5.1 X1.0", "G5.1 X1.0"},
		{"G53 G1 X1.0", "G53 G1 X1.0"},
		{"G1 X1.0 M106 S255.0", "G1 X1.0 M106 S255.0"},
		{"G1 X1.0 T1", "G1 X1.0 T1"},
		{"G1 X1.0*33", "G1 X1.0*33"},
		{"G1\tX1.0", "G1\tX1.0"},
		{"M92 E420.0:420.0", "M92 E420.0:420.0"},
		{"G1 X--1.0", "G1 X--1.0"},
		{"G28 X0.0 Y0.0", "G28 X0.0 Y0.0"},
		{"M117 X1.0  Y+2.0", "M117 X1.0  Y+2.0"},
		{"M118 A1 P0  X1.0", "M118 A1 P0  X1.0"},
		{"M23 A1.0 B2.0", "M23 A1.0 B2.0"},
		{"M486 A1.0  B2", "M486 A1.0  B2"},
		{"M550 P1.0  X2", "M550 P1.0  X2"},
		{"M587 S1.0  P0001", "M587 S1.0  P0001"},
		{"M0 S1.0  X1.0", "M0 S1.0  X1.0"},
		{"T0 X1.0", "T0 X1.0"},
		{"SET_VELOCITY_LIMIT VELOCITY=100.0  ACCEL=1", "SET_VELOCITY_LIMIT VELOCITY=100.0  ACCEL=1"},
		{"X1.0  Y2.0", "X1.0  Y2.0"},
		{"", ""},
		{"G1", "G1"},
	} {
		if got := string(AppendShort([]byte("before"), []byte(c.in))); got != "before"+c.want {
			t.Errorf("AppendShort(%q) = %q, want %q", c.in, got, "before"+c.want)
		}
	}
}

func TestAppendShortDoesNotAllocate(t *testing.T) {
	line, buf := []byte("G1 X140.974 Y92.3000 E.03291 F1800.000"), make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { buf = AppendShort(buf[:0], line) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// Lines as slicers and people write them, with more zeros, signs and spaces than anybody needs.
func TestAppendShortMeansTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"G0", "G1", "G01", "G2", "G3", "G5", "G92", "M201", "M205", "M73", "M900", "M907"}
	saved := 0
	for range 20000 {
		line := names[r.IntN(len(names))]
		for range r.IntN(12) {
			line += strings.Repeat(" ", r.IntN(3)) + string("XYZEFIJPQRSTUVW"[r.IntN(15)])
			if r.IntN(10) > 0 {
				line += []string{"", "", "-", "+"}[r.IntN(4)] + strings.Repeat("0", r.IntN(3)) + strconv.FormatFloat(r.Float64()*300, 'f', r.IntN(6), 64)
			}
			if r.IntN(4) == 0 && strings.Contains(line, ".") {
				line += strings.Repeat("0", r.IntN(3))
			}
		}
		saved += len(line) - len(checkShort(t, []byte(line)))
	}
	if saved < 20000 {
		t.Errorf("only %d bytes were saved: the lines show nothing", saved)
	}
}

func FuzzAppendShort(f *testing.F) {
	for _, text := range []string{"G1 X10.000 Y+0.500 E1", "G2 X1 Y2 I-0.0 J0 E+0", "M201 X9000 Y9000 Z500 E10000", "M117 X1.0", "G92 X Y E0.0", "G1 Y0 X5",
		"G5 I1 J2 P3 Q4 X5 Y6.", "G1 X1.0E5", "G1 X 5", "G1 X99999999999999999999.50", "G1 Y0.00000000000000010", "M205 T0 S-.0", "G1 X5 X06", "G1.0 X1", "G1 \xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkShort(t, text) })
}

// checkShort shortens text. The short line must say the same: the same command with the same parameters in the same order, which are exactly
// the same numbers. It is never longer, and short already.
func checkShort(t *testing.T, text []byte) []byte {
	before := bytes.Clone(text)
	short := AppendShort(nil, text)
	if !bytes.Equal(text, before) {
		t.Fatalf("%q became %q", before, text)
	}
	if len(short) > len(text) {
		t.Fatalf("%q became longer: %q", text, short)
	}
	if again := AppendShort(nil, short); !bytes.Equal(again, short) {
		t.Fatalf("%q → %q → %q", text, short, again)
	}
	a, b := ParseCommand(text), ParseCommand(short)
	if a.Letter != b.Letter || a.Number != b.Number || a.Sub != b.Sub {
		t.Fatalf("%q became another command: %q", text, short)
	}
	for i, j := 0, 0; ; {
		var v, w word
		v, i = nextWord(a.Args, i)
		w, j = nextWord(b.Args, j)
		if v != w {
			t.Fatalf("%q → %q: %+v became %+v", text, short, v, w)
		}
		if v.letter == 0 {
			break
		}
	}
	if (ForPeople(a) || a.Letter == 0 || bytes.ContainsAny(text, "\"=:{(;*")) && !bytes.Equal(short, text) {
		t.Fatalf("text for people, a macro, or a line that is not only numbers was touched: %q → %q", text, short)
	}
	return short
}
