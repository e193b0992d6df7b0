package printer

import (
	"bytes"
	"layerd/gcode"
	"math/rand/v2"
	"testing"
)

// FuzzSkip leaves objects out of any text: what is put in stays few lines for each that calls for it, none of it is too long for a firmware or has what is no number, and
// none of it extrudes while it moves.
func FuzzSkip(f *testing.F) {
	for seed := range uint64(6) {
		f.Add([]byte(plate(rand.New(rand.NewPCG(seed, 3)))), uint8(seed))
	}
	f.Add([]byte("G1 X1 Y1 Z1\nM486 S0\nG1 X1e300 E9e99\nT15\nT-1\nG92\nG28\nM486 S1\nG1 X2 E5\nG10 P1\nG5 X1 E9"), uint8(1))
	f.Fuzz(func(t *testing.T, file []byte, skip uint8) {
		var marks gcode.ObjectMarks
		k := skipper{profile: Presets()[0], g90SetsE: skip&0x80 != 0, knows: "\x00ME"[(skip>>5)%3]}
		scan := gcode.NewScanner(bytes.NewReader(file))
		scan.OnComment(func(c []byte, number, offset int64) { marks.Comment(c, number, offset) })
		check := func(lines []jobLine) {
			for _, l := range lines {
				if len(l.text) > marlinLine || bytes.ContainsAny(l.text, "\n;*") || bytes.Contains(l.text, []byte("NaN")) || bytes.Contains(l.text, []byte("Inf")) {
					t.Fatalf("it puts in %q", l.text)
				}
				if c := gcode.ParseCommand(l.text); c.Letter == 'G' && c.Number < 2 && c.Has('E') && (c.Has('X') || c.Has('Y') || c.Has('Z')) {
					t.Fatalf("it extrudes on its way: %q", l.text)
				}
			}
		}
		for scan.Scan() {
			l := scan.Line()
			marks.Command(gcode.ParseCommand(l.Text), l.Number, l.Offset)
			k.objects = marks.Objects
			k.asked[1+skip%3] = true
			instead, asIs := k.judge(jobLine{bytes.Clone(l.Text), jobPos{line: l.Number, end: l.End, object: marks.Current()}})
			if asIs && len(instead) > 0 || len(instead) > 20+gcode.MaxObjects {
				t.Fatalf("%q: as it is %v, %d instead", l.Text, asIs, len(instead))
			}
			if len(instead) > 0 {
				check(instead[:len(instead)-1])
			}
		}
		check(k.finish())
		if k.behind || k.finish() != nil {
			t.Fatal("it is still behind at the end")
		}
	})
}
