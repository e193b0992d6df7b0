package gcode

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func TestAppendFrame(t *testing.T) {
	for _, c := range []struct {
		n    int64
		text string
		want string
	}{
		{0, "M110 N0", "N0 M110 N0*125\n"},
		{-1, "M110 N0", "N-1 M110 N0*81\n"},
		{1, "M105", "N1 M105*38\n"},
		{2, "G1 X2", "N2 G1 X2*96\n"},
		{5, "", "N5 *91\n"},
	} {
		if got := string(AppendFrame([]byte("before"), c.n, []byte(c.text))); got != "before"+c.want {
			t.Errorf("AppendFrame(%d, %q) = %q, want %q", c.n, c.text, got, "before"+c.want)
		}
	}
}

func TestParseFrame(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int64
		text string
		err  error
	}{
		{"N0 M110 N0*125\n", 0, "M110 N0", nil},
		{"N0 M110 N0*125\r\n", 0, "M110 N0", nil},
		{"N0 M110 N0*125", 0, "M110 N0", nil},
		{"  N1 M105*38", 1, "M105", nil},
		{"N1 M105*38  ", 1, "M105", nil},
		{"N1M105*6", 1, "M105", nil},
		{"N3 G92 E0*1", 3, "G92 E0", ErrChecksum},
		{"N1 M105*999", 1, "M105", ErrChecksum},
		{"N5 G92 E0", 5, "G92 E0", ErrNoChecksum},
		{"N5 M117 2*x", 5, "M117 2*x", ErrNoChecksum},
		{"N5 G92 E0*", 5, "G92 E0*", ErrNoChecksum},
		{"N5", 5, "", ErrNoChecksum},
		{"G92 E0*33", 0, "", ErrNoNumber},
		{"Nx G92 E0*33", 0, "", ErrNoNumber},
		{"N99999999999999999999 G28*1", 0, "", ErrNoNumber},
		{"n1 M105*6", 0, "", ErrNoNumber},
		{"", 0, "", ErrNoNumber},
		{"\n", 0, "", ErrNoNumber},
	} {
		n, text, err := ParseFrame([]byte(c.in))
		if n != c.n || string(text) != c.text || !errors.Is(err, c.err) {
			t.Errorf("ParseFrame(%q) = %d, %q, %v, want %d, %q, %v", c.in, n, text, err, c.n, c.text, c.err)
		}
	}
}

func TestFrameDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 128)
	text := []byte("G1 X140.974 Y92.303 E.03291")
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendFrame(buf[:0], 123456, text)
		if _, _, err := ParseFrame(buf); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestStripFrame(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"N12 G1 X5*33", "G1 X5"},
		{"N12 G1 X5 *33", "G1 X5"},
		{"N12G1X5*33", "G1X5"},
		{"N12 G1 X5", "G1 X5"},
		{"N-1 M110*15", "M110"},
		{"N5 M117 2*3*77", "M117 2*3"},
		{"N5 M117 2*x", "M117 2*x"},
		{"N5", ""},
		{"N5*12", ""},
		{"n7 G28", "G28"},
		{"G1 X5*33", "G1 X5*33"},
		{"N2O_PURGE", "N2O_PURGE"},
		{"NEXT_PART", "NEXT_PART"},
		{"N234 G1 X-5 *64 error", "G1 X-5 *64 error"},
	} {
		if got := string(stripFrame([]byte(c.in))); got != c.want {
			t.Errorf("stripFrame(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Framing and then parsing gives back any text without a line feed.
func FuzzFrame(f *testing.F) {
	for _, text := range []string{"", "G1 X5", " leading", "trailing ", "M117 5*3*7", "*33", "\r", "N5 G1*3", "12", "\x00\xff", "a\tb"} {
		f.Add(int64(12), []byte(text))
	}
	f.Add(int64(math.MinInt64), []byte("G28"))
	f.Add(int64(math.MaxInt64), []byte("G28"))
	f.Fuzz(func(t *testing.T, n int64, text []byte) {
		_, _, _ = ParseFrame(text) // must not panic, whatever it is
		text = bytes.ReplaceAll(text, []byte("\n"), nil)
		line := AppendFrame(nil, n, text)
		if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
			t.Fatalf("AppendFrame(%d, %q) = %q is not one line", n, text, line)
		}
		for _, line := range [][]byte{line, line[:len(line)-1], append(bytes.TrimSuffix(bytes.Clone(line), []byte("\n")), "\r\n"...)} {
			gotN, got, err := ParseFrame(line)
			if err != nil || gotN != n || !bytes.Equal(got, text) {
				t.Fatalf("ParseFrame(%q) = %d, %q, %v, want %d, %q", line, gotN, got, err, n, text)
			}
		}
		// One flipped bit is always found, or the line is no longer a frame.
		flipped := bytes.Clone(line)
		flipped[len(flipped)/2] ^= 1
		if gotN, got, err := ParseFrame(flipped); err == nil && gotN == n && bytes.Equal(got, text) {
			t.Fatalf("ParseFrame(%q) did not see the flipped bit", flipped)
		}
	})
}
