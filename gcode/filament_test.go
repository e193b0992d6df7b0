package gcode

import (
	"fmt"
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
