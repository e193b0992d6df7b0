package gcode

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func survey(t *testing.T, file string) Survey {
	t.Helper()
	s, err := SurveyFile(strings.NewReader(file))
	if err != nil {
		t.Fatalf("survey of %.60q: %v", file, err)
	}
	return s
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*max(1, math.Abs(want)) }

func TestSurveyCounts(t *testing.T) {
	s := survey(t, "; head\n\nM104 S200 ; warm\nM190 R60\nM109 S215\nM140 S0\nM104 S0\nG28\nG1 X10 Y10 Z0.2 F3000\nG1 X20 E1\nG2 X30 I5 E2\nG0 X0\nM73 P50 R3\nM117 this is the longest one\n@pause\n")
	if s.Lines != 15 || s.Commands != 12 || s.Moves != 4 || s.Extrudes != 2 || s.Odd != 0 || s.FirstOdd != 0 {
		t.Errorf("lines %d commands %d moves %d extrudes %d odd %d at %d, want 15 12 4 2 0 0", s.Lines, s.Commands, s.Moves, s.Extrudes, s.Odd, s.FirstOdd)
	}
	if s.MaxNozzleC != 215 || s.MaxNozzleLine != 5 || s.MaxBedC != 60 || s.MaxBedLine != 4 {
		t.Errorf("nozzle %v at %d, bed %v at %d, want 215 at 5, 60 at 4", s.MaxNozzleC, s.MaxNozzleLine, s.MaxBedC, s.MaxBedLine)
	}
	if s.LongestCommand != 21 || s.LongestLine != 9 || !s.HasM73 { // M117 may be cut
		t.Errorf("longest %d at %d, M73 %v, want 21 at 9, true", s.LongestCommand, s.LongestLine, s.HasM73)
	}
	if s.FirstOffset != 8 || s.LastOffset != s.Bytes-7 {
		t.Errorf("commands from %d to %d of %d, want from 8 to the last that is sent", s.FirstOffset, s.LastOffset, s.Bytes)
	}
}

// What is too long for a firmware is what cannot be shortened.
func TestSurveyLongestCommand(t *testing.T) {
	zeros := "G2 X100.000000 Y100.000000 I10.000000 J-10.000000 E0.500000 F1800.000000" // 72 bytes
	fits := "G1 X100.000000 Y100.000000 Z0.200000 E0.500000 F1800.00"
	macro := "SET_PIN PIN=lamp VALUE=0.500 " + strings.Repeat("A=1 ", 10) + "B=2"
	for _, c := range []struct {
		file string
		n    int
		line int64
	}{
		{"G28\n" + zeros + "\n", 27, 2},
		{zeros + "\n" + fits + "\n", len(fits), 2}, // short enough for everybody, so it counts as it stands
		{"G28\n" + macro + "\n" + zeros + "\n", len(macro), 2},
		{"G28\nM118 " + strings.Repeat("x", 200) + "\nM117 " + strings.Repeat("x", 200) + "\n", 3, 1},
		{"G28\nM0 " + strings.Repeat("x", 200) + "\n", 203, 2},
	} {
		if s := survey(t, c.file); s.LongestCommand != c.n || s.LongestLine != c.line {
			t.Errorf("%.40q…: longest %d in line %d, want %d in %d", c.file, s.LongestCommand, s.LongestLine, c.n, c.line)
		}
	}
}

func TestSurveyTargets(t *testing.T) {
	for _, c := range []struct {
		line        string
		nozzle, bed float64
	}{
		{"M104 S210 T1", 210, 0},
		{"M109 R220", 220, 0},
		{"M109 S180 R190", 190, 0},
		{"M140 S70", 0, 70},
		{"M190 R75.5", 0, 75.5},
		{"G10 P0 S205 R150", 205, 0},
		{"G10 S1", 0, 0},
		{"M104 S-5", 0, 0},
		{"M104", 0, 0},
		{"M106 S255", 0, 0},
	} {
		s := survey(t, c.line+"\n")
		if s.MaxNozzleC != c.nozzle || s.MaxBedC != c.bed {
			t.Errorf("%q: nozzle %v, bed %v, want %v, %v", c.line, s.MaxNozzleC, s.MaxBedC, c.nozzle, c.bed)
		}
	}
}

func TestSurveyFilament(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		want float64
	}{
		{"absolute", "G1 X1 E1\nG1 X2 E3\n", 3},
		{"relative", "M83\nG1 X1 E1\nG1 X2 E3\n", 4},
		{"G91 makes E relative", "G1 X1 E5\nG91\nG1 X1 E1\nG1 X1 E1\n", 7},
		{"G90 leaves M83 alone", "M83\nG90\nG1 X1 E2\nG1 X2 E2\n", 4},
		{"M82 ends it", "M83\nG1 X1 E2\nM82\nG1 X2 E3\n", 3},
		{"G92 renames", "G1 X1 E5\nG92 E0\nG1 X2 E5\n", 10},
		{"G92 alone renames all", "G1 X1 E5\nG92\nG1 X2 E5\n", 10},
		{"G92.1 is another command", "G1 X1 E5\nG92.1\nG1 X2 E6\n", 6},
		{"retractions do not count twice", "M83\nG1 X1 E10\nG1 E-2\nG1 E2\nG1 X2 E1\nG1 E-5\n", 11},
		{"inches", "G20\nG1 X1 E1\nG21\nG1 X1 E26.4\n", 26.4},
		{"two tools", "M83\nT0\nG1 X1 E5\nG1 E-1\nT1\nG1 X2 E3\n", 8},
		{"nonsense", "G1 X1 E1e\nG1 E99999999999999\nG1 X2 Enan\nG1 X2 E2\n", 2},
	} {
		if s := survey(t, c.file); !near(s.Filament(), c.want) {
			t.Errorf("%s: %v mm, want %v", c.name, s.Filament(), c.want)
		}
	}
}

func TestSurveyBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		want *[6]float64
	}{
		{"nothing extruded", "G28\nG1 X5 Y5 Z5\nG1 E5\n", nil},
		{"travel does not count", "G1 X-50 Y300 Z9\nG1 X10 Y10 Z0.2\nG1 X20 Y30 E1\nG1 X200 Z100\n", &[6]float64{10, 10, 0.2, 20, 30, 0.2}},
		{"a start that is not known", "G28\nG1 Z0.2\nG1 X20 Y30 E1\nG1 X25 E2\n", &[6]float64{20, 30, 0.2, 25, 30, 0.2}},
		{"priming on the spot", "G1 X0 Y0 Z50\nG1 E10\nG1 X10 Y10 Z1\nG1 X11 E11\n", &[6]float64{10, 10, 1, 11, 10, 1}},
		{"half circle", "G1 X0 Y0 Z1\nG2 X20 Y0 I10 J0 E1\n", &[6]float64{0, 0, 1, 20, 10, 1}},
		{"half circle the other way", "G1 X0 Y0 Z1\nG3 X20 Y0 I10 J0 E1\n", &[6]float64{0, -10, 1, 20, 0, 1}},
		{"full circle", "G1 X0 Y0 Z1\nG3 I10 E1\n", &[6]float64{0, -10, 1, 20, 10, 1}},
		{"quarter by radius", "G1 X0 Y0 Z1\nG2 X10 Y10 R10 E1\n", &[6]float64{0, 0, 1, 10, 10, 1}},
		{"three quarters by radius", "G1 X0 Y0 Z1\nG2 X10 Y10 R-10 E1\n", &[6]float64{-10, 0, 1, 10, 20, 1}},
		{"impossible radius", "G1 X0 Y0 Z1\nG2 X10 Y10 R1 E1\n", &[6]float64{0, 0, 1, 10, 10, 1}},
		{"relative", "G1 X10 Y10 Z1\nG91\nG1 X5 E1\n", &[6]float64{10, 10, 1, 15, 10, 1}},
		{"inches", "G20\nG1 X1 Y1 Z1\nG1 X2 E1\n", &[6]float64{25.4, 25.4, 25.4, 50.8, 25.4, 25.4}},
	} {
		s := survey(t, c.file)
		if (s.Extent == nil) != (c.want == nil) || (s.Extrudes > 0) != (c.want != nil) {
			t.Errorf("%s: bounds %v, %d extrudes, want %v", c.name, s.Extent, s.Extrudes, c.want)
			continue
		}
		for i := range 3 {
			if c.want != nil && (!near(s.Extent.Min[i], c.want[i]) || !near(s.Extent.Max[i], c.want[i+3])) {
				t.Errorf("%s: bounds %v, want %v", c.name, *s.Extent, *c.want)
				break
			}
		}
	}
}

func TestSurveyEstimate(t *testing.T) {
	for _, c := range []struct {
		comment string
		want    float64 // 0: our own
	}{
		{"; estimated printing time (normal mode) = 1d 2h 3m 4s", 26*3600 + 184},
		{"; estimated printing time (normal mode) = 38m 2s", 2282},
		{"; estimated printing time (silent mode) = 38m 2s", 0},
		{"; estimated first layer printing time (normal mode) = 46s", 0},
		{"; estimated printing time = 1h 5m", 3900},
		{"; model printing time: 1h 2m 3s; total estimated time: 1h 10m 2s", 4202},
		{"; total estimated time: 9m 30s", 570},
		{";TIME:7316", 7316},
		{";TIME:7316.25", 7316.25},
		{";TIME:6666", 0},
		{";TIME_ELAPSED:55.2", 0},
		{";PRINT.TIME:1234", 1234},
		{";Print Time: 3676", 3676},
		{";Print time: #P_TIME#", 0},
		{";   Build time: 1 hour 20 minutes", 4800},
		{";   Build Time: 2 hours 1 minute", 7260},
		{"; Estimated Build Time:   71.5 minutes", 4290},
		{"; estimated printing time (normal mode) = nan", 0},
		{"; estimated printing time (normal mode) = 99999999999d", 0},
		{";TIME:-5", 0},
		{";TIME:1 2 3", 0},
		{"M73 P0 R117", 117 * 60},
		{"M73 P50 R10", 0},
		{"M73 P0 R0", 0},
		{"M73 P0 R1\n;TIME:7316", 7316},
	} {
		s := survey(t, "G1 X10 F600\n"+c.comment+"\n")
		by, want := "slicer", c.want
		if want == 0 {
			by, want = "moves", s.TimeS
		}
		if got, gotBy := s.Estimate(); !near(got, want) || gotBy != by || s.SlicerTimeS != c.want || s.TimeS == 0 {
			t.Errorf("%q: %v s by %s, want %v by %s", c.comment, got, gotBy, want, by)
		}
	}
}

func TestSurveySlicer(t *testing.T) {
	for _, c := range []struct{ comment, want string }{
		{"; generated by PrusaSlicer 2.5.0 on 2026-11-22 at 14:59:50 UTC", "PrusaSlicer 2.5.0"},
		{"; generated by PrusaSlicer 2.7.4+MacOS-x64 on 2024-05-26 at 02:00:16 UTC", "PrusaSlicer 2.7.4"},
		{"; generated by SuperSlicer 2.5.59 on 2023-01-01", "SuperSlicer 2.5.59"},
		{"; generated by OrcaSlicer 2.1.1 on 2024-08-01 at 10:00:00", "OrcaSlicer 2.1.1"},
		{"; BambuStudio 01.08.04.51", "BambuStudio 01.08.04.51"},
		{"; generated by Slic3r 1.3.0 on 2026-11-22 at 15:03:59", "Slic3r 1.3.0"},
		{"; generated by Slic3r on 2026-11-22", "Slic3r"},
		{";Generated with Cura_SteamEngine 4.13.0", "Cura 4.13.0"},
		{";TIME:6666\n;Generated with Cura_SteamEngine 4.13.0", "CuraEngine 4.13.0"},
		{"; G-Code generated by Simplify3D(R) Version 4.1.2", "Simplify3D 4.1.2"},
		{";Sliced by ideaMaker 4.0.1.4802, 2020-05-01 10:00:00", "ideaMaker 4.0.1.4802"},
		{"; KISSlicer - FREE", "KISSlicer"},
		{"; Generated by Kiri:Moto 2.3.1", "Kiri:Moto 2.3.1"},
		{"; generated by <script>\u202e 1", "<script>\ufffd 1"},
		{"; generated by " + strings.Repeat("x", 500), strings.Repeat("x", maxSlicerName)},
		{"; Cura profile of mine", ""},
		{"; sliced on a Monday", ""},
		{"; Postprocessed by [ArcWelder](https://github.com)\n; generated by PrusaSlicer 2.5.0 on 2026", "PrusaSlicer 2.5.0"},
	} {
		if s := survey(t, c.comment+"\nG28\n"); s.Slicer != c.want {
			t.Errorf("%q: %q, want %q", c.comment, s.Slicer, c.want)
		}
	}
}

func TestElapsedAt(t *testing.T) {
	s := Survey{
		FirstOffset: 100, LastOffset: 1000, TimeS: 90, Bytes: 1500,
		Layers: []Layer{{Offset: 200, ElapsedS: 10}, {Offset: 300, ElapsedS: 60}},
	}
	for _, c := range []struct {
		offset int64
		want   float64
		layer  int
	}{
		{-5, 0, -1}, {0, 0, -1}, {100, 0, -1}, {150, 5, -1}, {199, 9.9, -1}, {200, 10, 0}, {250, 35, 0}, {300, 60, 1},
		{650, 75, 1}, {1000, 90, 1}, {1200, 90, 1}, {math.MaxInt64, 90, 1},
	} {
		if got := s.ElapsedAt(c.offset); !near(got, c.want) {
			t.Errorf("ElapsedAt(%d) = %v, want %v", c.offset, got, c.want)
		}
		if got := s.LayerAt(c.offset); got != c.layer {
			t.Errorf("LayerAt(%d) = %d, want %d", c.offset, got, c.layer)
		}
	}
	if got := (&Survey{}).ElapsedAt(5); got != 0 {
		t.Errorf("of an empty survey: %v, want 0", got)
	}
}

func TestSurveyReadError(t *testing.T) {
	broken := errors.New("broken disk")
	for _, file := range []string{"", "G28\n", strings.Repeat("G1 X1\n", 500)} {
		s, err := SurveyFile(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)))
		if err != broken {
			t.Errorf("after %d bytes: %v, want %v", len(file), err, broken)
		}
		if len(file) > headSize && s.Commands != 500 {
			t.Errorf("%d commands before the error, want 500", s.Commands)
		}
	}
}

func FuzzSurvey(f *testing.F) {
	for _, seed := range []string{
		"; generated by PrusaSlicer 2.5.0 on 2026\nM83\n;LAYER_CHANGE\nG1 Z.2\nG1 X1 Y2 E3 F1200\nG2 X5 I3 J-1 E1\n; estimated printing time (normal mode) = 1h\n",
		";TIME:6666\n;LAYER:0\nG91\nG1 X1 E1\nG20\nG92\nG28 X\n", "; thumbnail begin 1x1 4\n; iVBO\n; thumbnail end\nG28\n",
		"G2 X1 Y1 R9999999\nG3 R-1 X1 E1\n", "M220 S.001\nM204 P0\nG1 F.0000001 X9999999 E9999999\n", "G1 X99999999999999999999\nT99\nG4 S99999999\n",
		"START A=1\nprose of mine\n@x\n", "M104 S1e300\nM190 R9\nM73 P0 R9999999999999\nG10 P1 S3\n", spiral(1)[:400],
		"START_PRINT BED_TEMP=nan EXTRUDER_TEMP=inf\nSET_VELOCITY_LIMIT ACCEL=9 SQUARE_CORNER_VELOCITY=9\nM566 X1\nG18\nG2 X1 I99 E1\nG17\nG3 X1 R.5 E2\n",
		"EXCLUDE_OBJECT_DEFINE NAME=a CENTER=1,2 POLYGON=[[1,2],[3,4]]\nEXCLUDE_OBJECT_START NAME=a\nG1 X1 E1\nEXCLUDE_OBJECT_END\nM486 S1 Ab\n", ";MESH:a/b\nG1 X1 E1\n; printing object c id:1 copy 2\nG1 X2 E2\nM486 S0\nG3 I5 E1\n",
		";TYPE:Perimeter\nG1 X1 E1\n;COLOR_CHANGE,T0,#FF0000\nM600\n; 'Loop Path', 1 [feed mm/s]\n; filament used [g] = 1,2\n; nozzle_diameter = 0.4,0.6\n;EXTRUDER_TRAIN.9.NOZZLE.DIAMETER:0.4\n;Material#99 Used: 1m\n;    Ext #1 = 5 mm (\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := SurveyFile(strings.NewReader(string(file)))
		if _, jsonErr := json.Marshal(s); jsonErr != nil {
			t.Fatalf("%v of %+v", jsonErr, s)
		}
		if err == nil && (s.Commands == 0 || s.Bytes != int64(len(file)) || s.Limits.By == "" || s.Layers == nil) {
			t.Fatalf("no error for %+v", s)
		}
		if s.TimeS < 0 || s.HeatS < 0 || s.SlicerTimeS < 0 || s.Filament() < 0 || s.Extrudes > s.Moves || s.Moves > s.Commands || s.Commands > s.Lines {
			t.Fatalf("impossible %+v", s)
		}
		if s.Extent != nil {
			for i := range 3 {
				if s.Extent.Min[i] > s.Extent.Max[i] {
					t.Fatalf("bounds %v", *s.Extent)
				}
			}
		}
		before := 0.0
		for at := int64(0); at <= int64(len(file)); at += 1 + int64(len(file))/200 {
			got := s.ElapsedAt(at)
			if got < before || got > s.TimeS {
				t.Fatalf("ElapsedAt(%d) = %v after %v, of %v", at, got, before, s.TimeS)
			}
			before = got
			if i := s.LayerAt(at); i >= len(s.Layers) || i >= 0 && s.Layers[i].Offset > at || i+1 < len(s.Layers) && s.Layers[i+1].Offset <= at {
				t.Fatalf("LayerAt(%d) = %d of %+v", at, i, s.Layers)
			}
		}
		if s.Layers != nil { // it was read at all
			checkContents(t, &s)
		}
		if len(s.Thumbnails) > maxThumbnails {
			t.Fatalf("%d thumbnails", len(s.Thumbnails))
		}
	})
}
