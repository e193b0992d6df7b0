package gcode

import (
	"bytes"
	"strings"
	"testing"
)

func TestAppendMeatPack(t *testing.T) {
	for _, c := range []struct {
		line     string
		noSpaces bool
		want     []byte
	}{
		{"G1 X2\n", false, []byte{0x1d, 0xeb, 0xc2}},
		{"G1 X2", false, []byte{0x1d, 0xeb, 0xc2}},                                              // the line end is given
		{"G28\n", false, []byte{0x2d, 0xc8}},                                                    // an even number of characters
		{"G4\n", false, []byte{0x4d, 0xcc}},                                                     // an odd one: half a byte is left
		{"M105\n", false, []byte{0x1f, 'M', 0x50, 0xcc}},                                        // the first as it is
		{"1Y\n", false, []byte{0xf1, 'Y', 0xcc}},                                                // the second
		{"MY", false, []byte{0xff, 'M', 'Y', 0xcc}},                                             // both
		{"E", false, []byte{0xcf, 'E'}},                                                         // E as it is
		{"E E", true, []byte{0xfb, ' ', 0xcb}},                                                  // or in half a byte, and then the space as it is
		{"", false, []byte{0xcc}},                                                               // a line end alone
		{"M117 \xff\xff\xfa", false, []byte{0x1f, 'M', 0x71, 0xfb, '?', 0xff, '?', 0xfa, 0xcc}}, // text commands nobody
		// As the author of the Rust crate meatpack shows it of a file of PrusaSlicer's, but for pairs of equals.
		{"M73 P0 R3\n", true, []byte{127, 77, 243, 32, 15, 80, 255, 32, 82, 195}},
		{"M204 P4000 R1200 T4000\n", true, []byte{47, 77, 64, 255, 32, 80, 4, 0x0f, 0x30, 255, 32, 82, 33, 0x0f, 0x30, 255, 32, 84, 4, 0x0f, 0x30, 0xcc}},
	} {
		if got := AppendMeatPack([]byte("before"), []byte(c.line), c.noSpaces); string(got) != "before"+string(c.want) {
			t.Errorf("%q, no spaces %v: got %x, want %x", c.line, c.noSpaces, got[len("before"):], c.want)
		}
	}
}

// TestMeatPackSaves: on what a print is made of it is worth something, and the worst line does not double.
func TestMeatPackSaves(t *testing.T) {
	frame := AppendFrame(nil, 123456, []byte("G1 X101.234 Y99.871 E0.03215"))
	tight := AppendFrame(nil, 123456, AppendWithoutSpaces(nil, []byte("G1 X101.234 Y99.871 E0.03215")))
	spaced, unspaced := AppendMeatPack(nil, frame, false), AppendMeatPack(nil, tight, true)
	if len(spaced) > len(frame)*6/10+1 || len(unspaced) > len(spaced)-2 {
		t.Errorf("%d bytes became %d, and %d without spaces", len(frame), len(spaced), len(unspaced))
	}
	worst := bytes.Repeat([]byte("Y"), 100)
	if got := AppendMeatPack(nil, worst, false); len(got) != 151 {
		t.Errorf("100 bytes that do not pack became %d, want 151", len(got))
	}
}

func TestAppendWithoutSpaces(t *testing.T) {
	for text, want := range map[string]string{
		"G1 X1.5 Y-2 E.3":  "G1X1.5Y-2E.3",
		"G0  X1":           "G0X1",
		"G1":               "G1",
		"G28 X Y":          "G28 X Y",
		"G1X1 Y2":          "G1X1 Y2",
		"M117 G1 X2":       "M117 G1 X2",
		"M104 S200":        "M104 S200",
		"SET_PIN P=1 V=2":  "SET_PIN P=1 V=2",
		"G29 T":            "G29 T",
		"g1 x1":            "g1 x1",
		"":                 "",
		"G2 X1 Y2 I3 J4 ":  "G2X1Y2I3J4",
		"G92.1 X1":         "G92.1 X1",
		"G4 P500":          "G4P500",
		"G92 E0":           "G92 E0",
		"G5 X1 Y2 P\t3 Q4": "G5X1Y2P\t3Q4",
	} {
		if got := string(AppendWithoutSpaces(nil, []byte(text))); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestMeatPackAllocatesNothing(t *testing.T) {
	line, dst := []byte("N12 G1 X101.234 Y99.871 E0.03215*12\n"), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = AppendMeatPack(dst[:0], line, true) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

// FuzzAppendMeatPack unpacks by the half-byte table of the protocol what was packed. Firmware's own way of unpacking, and what it does with
// damaged bytes, is printertest's.
func FuzzAppendMeatPack(f *testing.F) {
	f.Add("N1 G1 X1 Y2 E3*44", false)
	f.Add("M117 Größe E E", true)
	f.Add("\xff\xff\xfb", true)
	f.Fuzz(func(t *testing.T, text string, noSpaces bool) {
		text = strings.ReplaceAll(text, "\n", "")
		packed := AppendMeatPack(nil, []byte(text), noSpaces)
		if len(packed) > len(text)+len(text)/2+1 {
			t.Errorf("%d bytes became %d", len(text), len(packed))
		}
		if bytes.Contains(packed, []byte{meatSignal, meatSignal}) {
			t.Errorf("%q became a command: %x", text, packed)
		}
		table := "0123456789. \nGX"
		if noSpaces {
			table = "0123456789.E\nGX"
		}
		var got []byte
		for i := 0; i < len(packed); {
			low, high := packed[i]&15, packed[i]>>4
			i++
			for _, half := range []byte{low, high} {
				if half != meatAsItIs {
					got = append(got, table[half])
					if half == meatLineEnd {
						break
					}
					continue
				}
				got = append(got, packed[i])
				i++
			}
		}
		if want := strings.ReplaceAll(text, "\xff", "?") + "\n"; string(got) != want {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}
