package gcode

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Files as slicers and people make them, and what is to be asked of each. "" is nothing.
func TestDoubts(t *testing.T) {
	const hot, push, end = "M109 S210\n", "G92 X1 Y1 Z0.2 E0\nG1 X10 E1\n", "M104 S0\nM84\n"
	for name, c := range map[string]struct{ text, want string }{
		"good":                         {hot + push + end, ""},
		"nothing heats":                {"G28\n" + push + end, "Line 3 pushes filament, and nothing before it heats"},
		"the bed is no nozzle":         {"M190 S60\n" + push + end, "Line 3 pushes filament, and nothing before it heats"},
		"too late":                     {push + hot + push + end, "Line 2 pushes filament, and nothing before it heats"},
		"too cold":                     {"M109 S150\n" + push + end, "Line 3 pushes filament with the nozzle set to 150 °C, and below 170 °C"},
		"colder later":                 {hot + push + "M104 S120\nG1 X20 E2\nM104 S140\nG1 X30 E3\n" + end, "Line 5 pushes filament with the nozzle set to 120 °C"},
		"switched off":                 {hot + push + "M104 S0\n" + push + end, "Line 6 pushes filament, and line 4 has switched the nozzle off"},
		"two files in one":             {hot + push + end + push + "M84\n", "Line 7 pushes filament, and line 4 has"},
		"another tool is off":          {hot + "M104 T1 S0\n" + push + end, ""},
		"the other tool prints":        {"T1\nM109 T1 S210\nM104 T0 S0\n" + push + end, ""},
		"tools share a nozzle":         {hot + "T1\n" + push + end, ""},
		"not waited for":               {"M104 S210\n" + push + end, "Line 3 pushes filament, and nothing before it waits"},
		"M116 waits":                   {"G10 P0 S210 R180\nM116\n" + push + end, ""},
		"G10 retracts":                 {hot + "G10\nG11\n" + push + "G10 S1\n" + push + end, ""},
		"cold on purpose":              {"M302 P1\n" + push + "M84\n", ""},
		"a macro heats":                {"START_PRINT\n" + push + "END_PRINT\n", ""},
		"a macro is told":              {"START_PRINT BED_TEMP=60 EXTRUDER_TEMP=210\n" + push + "END_PRINT\n", ""},
		"a macro's other temperatures": {"START_PRINT BED_TEMP=60 FAN_TEMP=50\nM104 T1 S150\n" + push + "END_PRINT\n", ""},
		"Klipper by itself":            {"SET_HEATER_TEMPERATURE HEATER=extruder TARGET=210\nTEMPERATURE_WAIT SENSOR=extruder MINIMUM=208\n" + push + "TURN_OFF_HEATERS\n", ""},
		"a preset":                     {"M104 I0\n" + push + end, ""},
		"RepRapFirmware's macros":      {"M98 P\"start.g\"\n" + push + "M84\n", ""},
		"cut off":                      {hot + push + "G1 X20 E", "It ends in line 4 while it still prints"},
		"cut off in the travel":        {hot + push + "M107\nM204 S500\n;LAYER_CHANGE\nG1 E-2\nG0 X5", "It ends in line 8 while it still prints"},
		"cut off between objects":      {"START_PRINT\n" + push + "EXCLUDE_OBJECT_END NAME=a\nSET_VELOCITY_LIMIT ACCEL=500\n", "It ends in line 5 while"},
		"cut off within Orca's block":  {"; EXECUTABLE_BLOCK_START\n" + hot + push + "M104 S0\n", "It ends in line 5 while"},
		"Orca's block":                 {"; EXECUTABLE_BLOCK_START\n" + hot + push + end + "; EXECUTABLE_BLOCK_END\n", ""},
		"no end code, but settings":    {hot + push + "; filament used [mm] = 3\n; prusaslicer_config = begin\n", ""},
		"Cura without end code":        {hot + push + ";End of Gcode\n", ""},
		"done, by M73":                 {hot + push + "M73 P100 R0\n", ""},
		"some moves to try":            {"M302 P1\n" + push, ""},
		"volumetric":                   {hot + push + end + "; use_volumetric_e = 1\n", "Line 6 says that E counts mm³"},
		"Cura's volumetric":            {";FLAVOR:Marlin(Volumetric)\n" + hot + push + end, "Line 1 says that E counts mm³"},
		"volumetric, told by M200":     {"M200 D1.75\n" + hot + push + end + "; use_volumetric_e = 1\n", ""},
		"not volumetric":               {hot + push + end + "; use_volumetric_e = 0\n", ""},
	} {
		s, err := SurveyFile(strings.NewReader(c.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := strings.Join(s.Doubts(UsualMinExtrudeC), " "); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) || strings.Count(got, "Line ")+strings.Count(got, "It ends") > 1 {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestCheckLines(t *testing.T) {
	s, err := SurveyFile(strings.NewReader(";FLAVOR:Marlin\nG92 X50 Y50 Z1\nG1 X60 Y40 E1\nG1 X300 E2\nG1 X300 Y40 E3\nG0 Y-50\nG1 X10 E4\nG0 Y90\n; nozzle_diameter = 0.6\n; nozzle_diameter = 0.4\n"))
	if err != nil || s.ExtentLines == nil || *s.ExtentLines != (BoxLines{Min: [3]int64{7, 7, 3}, Max: [3]int64{4, 3, 3}}) || s.FlavourLine != 1 || s.NozzleLine != 9 {
		t.Errorf("got %+v of %+v, %v", s.ExtentLines, s.Checks, err)
	}
}

func TestTrustHeat(t *testing.T) {
	for _, c := range []struct{ before, after Checks }{
		{Checks{ColdLine: 3, UnwaitedLine: 4}, Checks{}},
		{Checks{ColdLine: 3, ColdC: 100}, Checks{ColdLine: 3, ColdC: 100}},
		{Checks{ColdLine: 3, OffLine: 2, CutLine: 9}, Checks{ColdLine: 3, OffLine: 2, CutLine: 9}},
	} {
		got := c.before
		if got.TrustHeat(); got != c.after {
			t.Errorf("%+v: got %+v, want %+v", c.before, got, c.after)
		}
	}
}

// No whole file of the corpus is doubted. Those that whoever published them has cut off are ("rest removed intentionally"), and so is one that heats nothing.
func TestCorpusDoubts(t *testing.T) {
	want := map[string]string{
		"public/thumb_cura_5.1.0.gcode": "It ends in line 98 ", "public/thumb_mks_sample.gcode": "It ends in line 64 ", "public/thumb_prusa_2.9.3.gcode": "It ends in line 296 ",
		"public/layer-detect.gcode": "Line 13 pushes filament, and nothing before it heats",
	}
	for _, name := range []string{
		"aw_ring_arcs.gcode", "cura_benchy.gcode.gz", "cura_cube20_rawcli.gcode", "cura_ringing_tower_crlf.gcode.gz", "ps_benchy_m73.gcode.gz", "ps_bpcase_verbose.gcode",
		"ps_cube20.gcode", "ps_plate_multi.gcode", "ps_vase_fast.gcode.gz", "ps_large2_benchy200.gcode.gz", "s3_calibrate.gcode", "public/PCB-milling-and-(comment).gcode", "public/arc_test.gcode",
		"public/gp_benchy_arcs.gcode", "public/gp_plant-sign.gcode", "public/gp_vase.gcode", "public/layer-detect.gcode", "public/mini_cube_ps2.8.1.gcode",
		"public/mini_cube_ps2.8.1_ref.gcode", "public/op_bp_case.gcode", "public/pause-restore-rel-e.gcode", "public/quick-test.gcode", "public/syntax_test_G-code.gcode",
		"public/thumb_cura_5.1.0.gcode", "public/thumb_mks_sample.gcode", "public/thumb_prusa_2.9.3.gcode",
	} {
		if long(name) {
			continue
		}
		s, err := SurveyFile(bytes.NewReader(corpusFile(t, name)))
		if got := fmt.Sprint(s.Doubts(UsualMinExtrudeC)); err != nil || (want[name] == "") != (got == "[]") || !strings.HasPrefix(got, "["+want[name]) {
			t.Errorf("%s: got %s, %v, want %q", name, got, err, want[name])
		}
	}
}

// Wherever a file of the corpus is cut within its print, that is seen.
func TestCorpusCut(t *testing.T) {
	for _, name := range []string{"cura_cube20_rawcli.gcode", "ps_cube20.gcode", "ps_plate_multi.gcode", "public/op_bp_case.gcode", "public/mini_cube_ps2.8.1.gcode", "s3_calibrate.gcode"} {
		data := corpusFile(t, name)
		for tenth := 3; tenth < 9; tenth++ {
			s, err := SurveyFile(bytes.NewReader(data[:len(data)*tenth/10]))
			if err != nil || s.CutLine != s.Lines {
				t.Errorf("%s cut at %d0 %%: line %d of %d, %v", name, tenth, s.CutLine, s.Lines, err)
			}
		}
	}
}
