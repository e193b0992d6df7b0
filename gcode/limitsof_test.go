package gcode

import (
	"strings"
	"testing"
)

// marlin2 and prusa are what these firmwares answer to M503, as far as it concerns limits.
const (
	marlin2 = `echo:; Linear Units:
echo:  G21 ; (mm)
echo:; Max feedrates (units/s):
echo:  M203 X500.00 Y500.00 Z5.00 E25.00
echo:; Max Acceleration (units/s2):
echo:  M201 X500.00 Y500.00 Z100.00 E5000.00
echo:; Acceleration (units/s2) (P<print-accel> R<retract-accel> T<travel-accel>):
echo:  M204 P400.00 R1000.00 T600.00
echo:; Advanced (B<min_segment_time_us> S<min_feedrate> T<min_travel_feedrate> J<junc_dev>):
echo:  M205 B20000.00 S0.00 T0.00 J0.08`
	prusa = `echo:Maximum feedrates (mm/s):
echo:  M203 X200.00 Y200.00 Z12.00 E120.00
echo:Maximum feedrates - stealth (mm/s):
echo:  M203 X100.00 Y100.00 Z12.00 E120.00
echo:Maximum acceleration (mm/s2):
echo:  M201 X1250.00 Y1250.00 Z400.00 E4000.00
echo:Maximum acceleration - stealth (mm/s2):
echo:  M201 X960.00 Y960.00 Z400.00 E4000.00
echo:Acceleration: P=print, R=retract, T=travel
echo:  M204 P1250.00 R1250.00 T1250.00
echo:Advanced variables:
echo:  M205 S0.00 T0.00 X8.00 Y9.00 Z0.40 E4.50`
)

func TestLimitsOf(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   Limits
		told   bool
	}{
		"Marlin 2": {marlin2, Limits{By: LimitsPrinter, SpeedMMS: [4]float64{500, 500, 5, 25}, AccelMMS2: [4]float64{500, 500, 100, 5000}, PrintMMS2: 400, RetractMMS2: 1000, TravelMMS2: 600,
			JerkMMS: [4]float64{8, 8, 0.4, 5}, DeviationMM: 0.08, Queue: maxDepth}, true},
		"Prusa, not its quiet mode": {prusa, Limits{By: LimitsPrinter, SpeedMMS: [4]float64{200, 200, 12, 120}, AccelMMS2: [4]float64{1250, 1250, 400, 4000}, PrintMMS2: 1250, RetractMMS2: 1250, TravelMMS2: 1250,
			JerkMMS: [4]float64{8, 9, 0.4, 4.5}, Queue: maxDepth}, true},
		"faster than any": {"M203 X5000.00 Y300.00 Z5.00 E25.00\nM201 X500.00 Y500.00 Z100.00 E5000.00", Limits{By: LimitsPrinter, SpeedMMS: [4]float64{noSpeedMMS, 300, 5, 25}, AccelMMS2: [4]float64{500, 500, 100, 5000}, PrintMMS2: 1000, RetractMMS2: 1000, TravelMMS2: 1000,
			JerkMMS: [4]float64{8, 8, 0.4, 5}, Queue: maxDepth}, true},
		"half of it":    {"M203 X500 Y500", OurLimits(), false},
		"no settings":   {"echo:Unknown command: \"M503\"", OurLimits(), false},
		"out of bounds": {"M203 X0 Y-5\nM201 X1e99", OurLimits(), false},
	} {
		got, told := LimitsOf(ParseSettings(strings.Split(c.answer, "\n")))
		if told != c.told || told && got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v, %v", name, got, told, c.want, c.told)
		}
	}
}

// The printer's limits count where the file says none and its slicer neither: then, and only then, is a survey another on another printer.
func TestSurveyForAPrinter(t *testing.T) {
	printer, _ := LimitsOf(ParseSettings(strings.Split(marlin2, "\n")))
	other := printer
	other.AccelMMS2[0] = 100
	moves := "G28\nG1 X10 Y10 F6000\n" + strings.Repeat("G1 X20 E1\nG1 X10 E1\n", 100)
	for name, c := range map[string]struct{ text, by string }{
		"nothing said":       {moves, LimitsPrinter},
		"M204 of each line":  {strings.ReplaceAll(moves, "G1 X20", "M204 P300\nG1 X20"), LimitsPrinter},
		"Cura":               {";FLAVOR:Marlin\n;TARGET_MACHINE.NAME:Creality Ender-3\n;Generated with Cura_SteamEngine 5.1.0\n" + moves, LimitsPrinter},
		"M201":               {"M201 X900\n" + moves, LimitsFile},
		"the slicer's words": {moves + "; machine_max_acceleration_x = 900\n", LimitsConfig},
	} {
		v, err := SurveyFor(strings.NewReader(c.text), printer)
		if err != nil || v.Limits.By != c.by || !v.Suits(printer) || v.Suits(other) != (c.by != LimitsPrinter) {
			t.Errorf("%s: limits by %q, %v; suits its printer %v, another %v", name, v.Limits.By, err, v.Suits(printer), v.Suits(other))
		}
		slower, err := SurveyFor(strings.NewReader(c.text), other)
		if err != nil || (slower.TimeS > v.TimeS*1.1) != (c.by == LimitsPrinter) {
			t.Errorf("%s: takes %g s, on a slower printer %g s, %v", name, v.TimeS, slower.TimeS, err)
		}
		if usual, _ := SurveyFile(strings.NewReader(c.text)); usual.Suits(printer) != (c.by != LimitsPrinter) {
			t.Errorf("%s: a survey that knew no printer suits one: %v", name, usual.Suits(printer))
		}
	}
}
