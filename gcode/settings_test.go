package gcode

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// describe is a setting in one line: note, command, words, and "!" when it can be changed.
func describe(s Setting) string {
	text := s.Text
	for _, w := range s.Words {
		text += fmt.Sprintf(" %c=%g", w.Letter, w.Value)
	}
	if s.Changeable {
		text += " !"
	}
	return s.Note + " | " + s.Command + " | " + text
}

func TestParseSettings(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"marlin 2", `echo:; Linear Units:
echo:  G21 ; (mm)
echo:; Steps per unit:
echo: M92 X80.00 Y80.00 Z400.00 E500.00
echo:; Auto Bed Leveling:
echo:  M420 S0 Z0.00 ; Leveling OFF
echo:; Z-Probe Offset:
echo:  M851 X-40.00 Y-10.00 Z-1.25 ; (mm)`, []string{
			"Linear Units: | G21 | G21",
			"Steps per unit: | M92 | M92 X80.00 Y80.00 Z400.00 E500.00 X=80 Y=80 Z=400 E=500 !",
			"Auto Bed Leveling: | M420 | M420 S0 Z0.00 S=0 Z=0",
			"Z-Probe Offset: | M851 | M851 X-40.00 Y-10.00 Z-1.25 X=-40 Y=-10 Z=-1.25 !"}},
		{"marlin 1 and prusa", `echo:Maximum feedrates - normal (mm/s):
echo:  M203 X200.00 Y200.00 Z12.00 E120.00
echo:Maximum feedrates - stealth (mm/s):
echo:  M203 X100.00 Y100.00 Z12.00 E120.00
echo:PID settings:
echo:   M301 P16.13 I1.16 D56.23
echo:Filament settings: Disabled
   M900 K0.05   E/D = 0.00`, []string{
			"Maximum feedrates - normal (mm/s): | M203 | M203 X200.00 Y200.00 Z12.00 E120.00 X=200 Y=200 Z=12 E=120 !",
			"Maximum feedrates - stealth (mm/s): | M203 | M203 X100.00 Y100.00 Z12.00 E120.00 X=100 Y=100 Z=12 E=120",
			"PID settings: | M301 | M301 P16.13 I1.16 D56.23 P=16.13 I=1.16 D=56.23 !",
			"Filament settings: Disabled | M900 | M900 K0.05   E/D = 0.00 K=0.05"}},
		{"without echo", "G21 ; Units in mm (mm)\nM92 X160.00\n\nHardcoded Default Settings Loaded", []string{
			" | G21 | G21", " | M92 | M92 X160.00 X=160 !", " |  | Hardcoded Default Settings Loaded"}},
	} {
		var got []string
		for _, s := range ParseSettings(strings.Split(c.text, "\n")) {
			got = append(got, describe(s))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if got := ParseSettings(make([]string, 5000)); len(got) != 0 {
		t.Errorf("empty lines: got %d", len(got))
	}
	if got := ParseSettings(strings.Split(strings.Repeat("M92 X80\n", 5000), "\n")); len(got) != maxSettings {
		t.Errorf("got %d settings, want %d at most", len(got), maxSettings)
	}
}

func TestCheckSetting(t *testing.T) {
	for text, want := range map[string]string{
		"M92 X80.5 Y80":                    "M92 X80.5 Y80",
		" m92  x80.50 ":                    "M92 X80.50",
		"M851 Z-1.23":                      "M851 Z-1.23",
		"M900 T1 K0.05":                    "M900 T1 K0.05",
		"M145 S0 H200 B60 F0":              "M145 S0 H200 B60 F0",
		"M301 P22.20 I1.08 D114":           "M301 P22.20 I1.08 D114",
		"M92":                              "",
		"M92 X":                            "",
		"M92 X80 X81":                      "",
		"M92 X0":                           "",
		"M92 X-80":                         "",
		"M92 X1e9":                         "",
		"M92 XNaN":                         "",
		"M92 X80 ; and G28":                "",
		"M92 X80\nG28":                     "",
		"M92 X80 G28":                      "",
		"M851 Z-31":                        "",
		"G28 X0":                           "",
		"M104 S200":                        "",
		"M500 S1":                          "",
		"M502 S1":                          "",
		"M900 K11":                         "",
		"":                                 "",
		"M92 X" + strings.Repeat("1", 100): "",
	} {
		got, err := CheckSetting(text)
		if got != want || (want == "") != errors.Is(err, ErrSetting) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

// What CheckSetting lets through is a command that it knows, with numbers within bounds, and nothing else.
func FuzzCheckSetting(f *testing.F) {
	for _, text := range []string{"M92 X80.5 Y80", "m851 z-1", "M900 T1 K.05", "M204 P500 R500 T500"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := CheckSetting(text)
		if err != nil {
			return
		}
		c := ParseCommand([]byte(line))
		allowed := settingBounds[fmt.Sprintf("%c%d", c.Letter, c.Number)]
		words := settingWords(c.Args)
		if allowed == nil || c.Sub != 0 || len(words) != len(strings.Fields(line))-1 {
			t.Fatalf("%q became %q: %d words", text, line, len(words))
		}
		for _, w := range words {
			if b, ok := allowed[w.Letter]; !ok || w.Value < b.low || w.Value > b.high {
				t.Fatalf("%q became %q: %c is %g", text, line, w.Letter, w.Value)
			}
		}
		if again, err := CheckSetting(line); again != line || err != nil {
			t.Fatalf("%q became %q and then %q, %v", text, line, again, err)
		}
	})
}
