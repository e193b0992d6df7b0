package gcode

import (
	"slices"
	"strings"
	"testing"
)

// Where the head can leave a layer, as slicers write them: before the line that ends in "!".
func TestInside(t *testing.T) {
	for name, text := range map[string]string{
		"PrusaSlicer": `;TYPE:External perimeter
G1 X1 Y1 F9000
G1 E.8 F2100
G1 X2 Y1 E.1
G1 X2 Y2 E.1
G1 E-.8 F2100
G1 Z.6 F9000
G1 X5 Y5
G1 Z.4
G1 E.8 F2100
;TYPE:Internal infill
;WIDTH:0.45
G1 F3600
G1 X9 Y5 E.2!
G1 X9 Y6 E.02
G1 X5 Y6 F9000
G1 X5 Y9 E.2!
;TYPE:Top solid infill
G1 X1 Y1 F9000
G1 X2 Y1 E.1`,
		"Cura": `;TYPE:WALL-INNER
G0 X1 Y1
G1 X2 Y1 E1
;TYPE:FILL
G0 X5 Y5
G1 F1500 E0.5
G1 X9 Y5 E2!
;TYPE:SKIN
G0 X1 Y1
G1 X9 Y1 E3
;TYPE:SUPPORT
G1 X1 Y3 E4
G0 X5 Y5
G3 X9 Y5 I2 J0 E5!`,
		"none": `G0 X5 Y5
G1 X9 Y5 E2`,
		"another filament": `;TYPE:Wipe tower
G1 X1 Y1
G1 X9 Y1 E1!
G1 E-15
G1 X9 Y2
T1
G4 S0
G1 X1 Y2 E9
G1 X1 Y3
G1 X9 Y3 E1!
G1 X9 Y4
M600
G1 X1 Y4 E1`,
		"wipe": `;TYPE:Internal infill
G1 X9 Y5 E.2
G1 X8 Y5 E-.4
G92 E0
M204 P500
G1 X1 Y1
G1 X2 Y1 E.1!`,
	} {
		var want, got []int64
		scan := NewScanner(strings.NewReader(strings.ReplaceAll(text, "!", "")))
		for n, l := range strings.Split(text, "\n") {
			if strings.HasSuffix(l, "!") {
				want = append(want, int64(n+1))
			}
		}
		var in Inside
		scan.OnComment(func(c []byte, _, _ int64) { in.Comment(c) })
		for scan.Scan() {
			if l := scan.Line(); in.Before(ParseCommand(l.Text)) {
				got = append(got, l.Number)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: before lines %v, want %v", name, got, want)
		}
	}
}
