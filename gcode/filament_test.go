package gcode

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestFilamentTypes(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"; filament_type = PLA\n", []string{"PLA"}},
		{"; filament_type = PLA;PETG\n", []string{"PLA", "PETG"}},
		{"; filament_type = \"PA-CF\";\n", []string{"PA-CF", ""}},
		{"; filament_type = PLA\n; filament_type = ABS\n", []string{"PLA"}},
		{";Filament type: PETG\n", []string{"PETG"}},
		{"; filament_type_hint = PLA\n", nil},
		{"; output_filename_format = {filament_type[0]}\n", nil},
		{"; filament_type\n", nil},
		{"; filament_type =\n", []string{""}},
		{"; filament_type = " + strings.Repeat("x", 300) + "\n", []string{strings.Repeat("x", maxMaterial)}},
		{"; filament_type = " + strings.Repeat("A;", 90) + "\n", slices.Repeat([]string{"A"}, maxTools)},
		{"; filament_type = P\x1bLA\n", []string{"P\uFFFDLA"}},
	} {
		s, err := SurveyFile(strings.NewReader("G28\n" + c.text + "G1 X1 E1\n"))
		if err != nil || !slices.Equal(s.FilamentTypes, c.want) {
			t.Errorf("%.60q: got %q, %v, want %q", c.text, s.FilamentTypes, err, c.want)
		}
	}
}

func TestFilamentByTool(t *testing.T) {
	s, err := SurveyFile(strings.NewReader("M83\nT1\nG1 X1 E5\nG1 E-2\nT3\nG1 X2 E7\n"))
	if got := fmt.Sprint(s.FilamentMM); err != nil || got != "[0 5 0 7]" || s.Filament() != 12 {
		t.Errorf("got %s of %v, %v", got, s.Filament(), err)
	}
}

// With M200 a firmware takes E for mm³.
func TestFilamentByVolume(t *testing.T) {
	const mm3 = 4 / (math.Pi * 1.75 * 1.75) // mm of a filament of 1.75 mm
	for file, want := range map[string]float64{
		"M82\nM200 D1.75\nG1 X1 E24\nG92 E0\nG1 X2 E24\n": 48 * mm3,
		"M83\nM200 S1\nG1 X1 E24\nM200 S0\nG1 X2 E24\n":   24*mm3 + 24,
		"M83\nM200 D2.85\nM200 D0\nG1 X1 E24\n":           24,
		"M83\nM200 D99\nG1 X1 E24\n":                      24,
		"M83\nM200 D2.85\nM200 S1\nG1 X1 E24\n":           24 * mm3 * 1.75 * 1.75 / 2.85 / 2.85,
	} {
		s := survey(t, file)
		if got := s.Filament(); math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v mm, want %v", file, got, want)
		}
	}
	if got := survey(t, "M83\nM200 D1.75\nG1 E240 F60\n").TimeS; math.Abs(got-240*mm3) > 0.1 { // a mm a second
		t.Errorf("%v s, want %v", got, 240*mm3)
	}
}
