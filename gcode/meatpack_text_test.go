package gcode

import (
	"bytes"
	"strings"
	"testing"
)

func TestMeatUnpacker(t *testing.T) {
	for _, c := range []struct{ name, packed, want string }{
		{"nothing is packed at the start", "G1 X2\n\xcc", "G1 X2\n\xcc"},
		{"a line", MeatPackOn + "\x1d\xeb\xc2", "G1 X2\n"},
		{"half a byte behind a line end is nothing", MeatPackOn + "\x1f\x4d\x50\xcc\x1d\xc2", "M105\nG12\n"},
		{"the second character as it is", MeatPackOn + "\xf1Y\xcc", "1Y\n"},
		{"both as they are", MeatPackOn + "\xffMY\xcc", "MY\n"},
		{"comments as they are", MeatPackOn + MeatPackNoSpaces + MeatPackOff + "; two words\n" + MeatPackOn + "\x1d\x1e\xcc", "; two words\nG1 X1\n"},
		{"E for the space", MeatPackOn + MeatPackNoSpaces + "\x1d\x1b\xcc", "G1 E1\n"},
		{"and the space again", MeatPackOn + MeatPackNoSpaces + MeatPackSpaces + "\x1d\x1b\xcc", "G1 1\n"},
		{"reset", MeatPackOn + "\xff" + MeatPackReset + "G28\n", "G28\n"},
		{"a question, and a command nobody knows", MeatPackOn + MeatPackQuery + "\xff\xff\x01\x1d\xcc", "G1\n"},
		{"more signals than two", MeatPackOn + "\xff\xff\xff\xff\xfaG1\n", "G1\n"},
		{"a signal at the end", MeatPackOn + "\x1d\xcc\xff", "G1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole, pieces MeatUnpacker
			if got := string(whole.AppendText([]byte("before "), []byte(c.packed))); got != "before "+c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var got []byte
			for i := range c.packed {
				got = pieces.AppendText(got, []byte(c.packed[i:i+1]))
			}
			if string(got) != c.want {
				t.Errorf("byte by byte: got %q, want %q", got, c.want)
			}
		})
	}
}

// Spaces that a packer left out are put back, and no others are made.
func TestMeatUnpackerPutsSpacesBack(t *testing.T) {
	for line, want := range map[string]string{
		"G1X1.5Y-2E.3F1800": "G1 X1.5 Y-2 E.3 F1800",
		"G28XY":             "G28 X Y",
		"G4S1":              "G4 S1",
		"G92.1E0":           "G92.1 E0",
		"G1x1y2":            "G1 x1 y2",
		"G1 X1 Y2":          "G1 X1 Y2",
		"G29 AUTO":          "G29 AUTO",
		"G1X1;two words":    "G1 X1;two words",
		"M104 S200":         "M104 S200",
		"M486AShape-Box":    "M486AShape-Box",
		"GET_POSITION":      "GET_POSITION",
		"T0":                "T0",
		"":                  "",
	} {
		var u MeatUnpacker
		packed := AppendMeatPack([]byte(MeatPackOn+MeatPackNoSpaces), []byte(line), true)
		if got := string(u.AppendText(nil, packed)); got != want+"\n" {
			t.Errorf("%q came back as %q", line, got)
		}
	}
}

func FuzzMeatUnpacker(f *testing.F) {
	f.Add([]byte(MeatPackOn+"\x1d\xeb\xc2\xffMY\xcc"), 2)
	f.Add([]byte("; text\n"+MeatPackOn+MeatPackNoSpaces+"\xff\xff\xff\xfa"), 3)
	f.Fuzz(func(t *testing.T, packed []byte, cut int) {
		var whole, halves MeatUnpacker
		text := whole.AppendText(nil, packed)
		if len(text) > 5*len(packed) {
			t.Errorf("%d bytes became %d", len(packed), len(text))
		}
		cut = max(0, min(cut, len(packed)))
		if got := halves.AppendText(halves.AppendText(nil, packed[:cut]), packed[cut:]); !bytes.Equal(got, text) {
			t.Errorf("in two pieces: %q, in one: %q", got, text)
		}
	})
}

// FuzzMeatPackBack packs a line and unpacks it.
func FuzzMeatPackBack(f *testing.F) {
	f.Add("G1 X101.234 Y99.871 E0.03215", false)
	f.Add("M117 Größe E E", true)
	f.Fuzz(func(t *testing.T, line string, noSpaces bool) {
		line = strings.NewReplacer("\n", "", "\xff", "?").Replace(line)
		mode := MeatPackOn
		if noSpaces {
			mode += MeatPackNoSpaces
		}
		var u MeatUnpacker
		got := string(u.AppendText(nil, AppendMeatPack([]byte(mode), []byte(line), noSpaces)))
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(line, " ", "")+"\n" || line != "" && line[0] != 'G' && got != line+"\n" {
			t.Errorf("%q came back as %q", line, got)
		}
	})
}

func BenchmarkMeatUnpacker(b *testing.B) {
	file := benchFile()
	packed := []byte(MeatPackOn + MeatPackNoSpaces)
	for line := range bytes.Lines(file) {
		packed = AppendMeatPack(packed, AppendWithoutSpaces(nil, bytes.TrimSuffix(line, []byte{'\n'})), true)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	out := make([]byte, 0, 2*len(file))
	for b.Loop() {
		var u MeatUnpacker
		out = u.AppendText(out[:0], packed)
	}
}
