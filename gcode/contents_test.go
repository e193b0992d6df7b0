package gcode

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// checkContents knows what must hold of any file.
func checkContents(t *testing.T, s *Survey) {
	t.Helper()
	c := &s.Contents
	if c.Tools == nil || c.Features == nil || c.Objects == nil || c.Pauses == nil || c.Words == nil || c.Wire.Stretches == nil || c.NozzleMM == nil || c.FilamentG == nil || s.FilamentMM == nil || s.FilamentTypes == nil {
		t.Fatalf("a list is nil: %+v", c)
	}
	if len(c.Objects) > MaxObjects || len(c.Pauses) > MaxPauses || len(c.Words) > MaxWords || len(c.Features) > countFeatures || len(c.NozzleMM) > maxTools || len(c.FilamentColours) > maxTools || len(c.FilamentG) != len(s.FilamentMM) {
		t.Fatalf("a list is too long, or too short: %+v", c)
	}
	feature, object, mm := 0.0, 0.0, 0.0
	for _, f := range c.Features {
		feature, mm = feature+f.TimeS, mm+f.FilamentMM
	}
	if slack := 0.1 + 1e-6*s.TimeS; len(c.Features) > 0 && (math.Abs(feature-s.TimeS) > slack && s.TimeS < maxSeconds || math.Abs(mm-s.Filament()) > 0.1+1e-6*s.Filament()) {
		t.Fatalf("features take %v s and %v mm, of %v and %v", feature, mm, s.TimeS, s.Filament())
	}
	for _, o := range c.Objects {
		object += o.TimeS
		if o.Name != strings.ToValidUTF8(o.Name, "") || len(o.Name) > maxObjectName || o.FilamentMM < 0 || o.Extent != nil && (s.Extent == nil || o.Extent.Min[0] < s.Extent.Min[0] || o.Extent.Max[2] > s.Extent.Max[2]) {
			t.Fatalf("impossible %+v of %v", o, s.Extent)
		}
	}
	if object > s.TimeS+0.1+1e-6*s.TimeS && s.TimeS < maxSeconds {
		t.Fatalf("objects take %v s of %v", object, s.TimeS)
	}
	for _, p := range c.Pauses {
		if p.ElapsedS < 0 || p.ElapsedS > s.TimeS+0.001 || p.Layer >= len(s.Layers) || p.Line < 1 || p.Line > s.Lines {
			t.Fatalf("impossible %+v", p)
		}
	}
	for _, w := range c.Words {
		if w.Line < 1 || w.Line > s.Lines || w.Count < 1 || w.Count > s.Commands || w.Word == "" {
			t.Fatalf("impossible %+v", w)
		}
	}
	for i, st := range c.Wire.Stretches {
		if st.LongestS > st.TotalS || st.Line < 0 || st.Line > s.Lines || i > 0 && st.TotalS > c.Wire.Stretches[i-1].TotalS {
			t.Fatalf("impossible %+v", c.Wire)
		}
	}
	if c.Wire.PeakLine < 0 || c.Wire.PeakLine > s.Lines || c.Wire.MeanLinesS < 0 || c.Arcs > s.Moves {
		t.Fatalf("impossible %+v", c.Wire)
	}
}

// Each line of these pushes 1 mm, so that filament counts lines.
func TestFeatures(t *testing.T) {
	const line = "G1 X%d E1 F600\n"
	for _, c := range []struct{ comment, want string }{
		{";TYPE:External perimeter", "outer_wall"}, {";TYPE:Perimeter", "inner_wall"}, {";TYPE:Overhang perimeter", "overhang_wall"},
		{";TYPE:Internal infill", "infill"}, {";TYPE:Solid infill", "solid_infill"}, {";TYPE:Top solid infill", "top_surface"}, {";TYPE:Bridge infill", "bridge"},
		{";TYPE:Gap fill", "gap_fill"}, {";TYPE:Skirt/Brim", "skirt"}, {";TYPE:Support material", "support"}, {";TYPE:Support material interface", "support_interface"},
		{";TYPE:Wipe tower", "wipe_tower"}, {";TYPE:Custom", "custom"}, {";TYPE:Ironing", "ironing"}, {";TYPE:Thin wall", "thin_wall"}, {";TYPE:Internal perimeter", "inner_wall"},
		{";TYPE:Outer wall", "outer_wall"}, {"; FEATURE: Inner wall", "inner_wall"}, {"; FEATURE: Internal solid infill", "solid_infill"}, {"; FEATURE: Bottom surface", "bottom_surface"},
		{"; FEATURE: Sparse infill", "infill"}, {"; FEATURE: Prime tower", "wipe_tower"}, {"; FEATURE: Overhang wall", "overhang_wall"},
		{";TYPE:WALL-OUTER", "outer_wall"}, {";TYPE:WALL-INNER", "inner_wall"}, {";TYPE:FILL", "infill"}, {";TYPE:SKIN", "solid_infill"}, {";TYPE:SUPPORT-INTERFACE", "support_interface"},
		{";TYPE:SOLID-FILL", "solid_infill"}, {";TYPE:GAP-FILL", "gap_fill"}, {";TYPE:RAFT", "raft"}, {";TYPE:PRIME-TOWER", "wipe_tower"},
		{"; feature outer perimeter", "outer_wall"}, {"; feature solid layer", "solid_infill"}, {"; feature prime pillar", "wipe_tower"}, {"; feature dense support", "support_interface"},
		{"; 'Perimeter Path', 0.8 [feed mm/s], 20.0 [head mm/s]", "outer_wall"}, {"; 'Stacked Sparse Infill Path', 1.0 [feed mm/s], 9.1 [head mm/s]", "infill"}, {"; 'Crown', 0.1 [feed mm/s], 9.1 [head mm/s]", "top_surface"},
		{";TYPE:Something new", "other"}, {";TYPE:\x1b[31m", "other"},
	} {
		s := survey(t, "M83\n"+fmt.Sprintf(line, 1)+c.comment+"\n"+fmt.Sprintf(line, 20)+fmt.Sprintf(line, 40)+"; 'Wipe (and De-string)', 0.0 [feed mm/s], 9.1 [head mm/s]\n"+fmt.Sprintf(line, 60))
		if len(s.Features) != 2 || s.Features[0].Name != c.want || s.Features[0].FilamentMM != 3 || s.Features[1].Name != "unmarked" || s.Features[1].FilamentMM != 1 {
			t.Errorf("%q: got %+v, want 3 mm of %s, 1 mm before it", c.comment, s.Features, c.want)
		}
		if sum := s.Features[0].TimeS + s.Features[1].TimeS; math.Abs(sum-s.TimeS) > 0.002 {
			t.Errorf("%q: features take %v s of %v", c.comment, sum, s.TimeS)
		}
	}
	for _, prose := range []string{"; type: nothing", "; features are many", "; 'quoted' words", ";TYPE:" + strings.Repeat("x", 50)} {
		if s := survey(t, prose+"\nG1 X5\n"); prose[1:6] != " type" && len(s.Features) != 0 {
			t.Errorf("%q: got %+v, want none", prose, s.Features)
		}
	}
}

func TestPauses(t *testing.T) {
	const layers = ";LAYER_CHANGE\nG1 Z0.2 F600\nG1 X10 E1\n;LAYER_CHANGE\nG1 Z0.4\nG1 X0 E1\n"
	for _, c := range []struct {
		file, kind, text string
		line             int64
	}{
		{"M0\n", PausePlain, "M0", 8}, {"M1 S3\n", PausePlain, "M1 S3", 8}, {"M25 ; pause\n", PausePlain, "M25", 8}, {"M226\n", PausePlain, "M226", 8}, {"M601\n", PausePlain, "M601", 8},
		{"M600 X0\n", PauseFilament, "M600 X0", 8}, {"PAUSE\n", PausePlain, "PAUSE", 8}, {"@pause\n", PausePlain, "@pause", 8}, {"M400 U1\n", PausePlain, "M400 U1", 8},
		{";COLOR_CHANGE,T0,#FF8000\nM600\n", PauseFilament, "M600", 9}, {";PAUSE_PRINT\nM117 Insert a magnet\nM601\n", PausePlain, "M601", 10},
		{";COLOR_CHANGE,T1,#FF8000\nM601\n", PauseFilament, "M601", 9}, {";COLOR_CHANGE,T0,#FF8000\n", PauseFilament, "COLOR_CHANGE,T0,#FF8000", 8}, {"; PAUSE_PRINTING\n", PausePlain, "PAUSE_PRINTING", 8},
		{"M400\n", "", "", 0}, {"PAUSE_RESUME_SETUP\n", "", "", 0}, {"M117 M600\n", "", "", 0},
	} {
		s := survey(t, "M83\n"+layers+c.file+"G1 X50 E1\n")
		if c.kind == "" {
			if len(s.Pauses) != 0 {
				t.Errorf("%q: got %+v, want none", c.file, s.Pauses)
			}
			continue
		}
		if len(s.Pauses) != 1 {
			t.Errorf("%q: got %+v, want one", c.file, s.Pauses)
			continue
		}
		if p := s.Pauses[0]; p.Kind != c.kind || p.Text != c.text || p.Line != c.line || p.Layer != 1 || p.ZMM != 0.4 || p.ElapsedS <= s.Layers[1].ElapsedS || p.ElapsedS >= s.TimeS {
			t.Errorf("%q: got %+v, want %s %q in line %d", c.file, p, c.kind, c.text, c.line)
		}
	}
	if s := survey(t, strings.Repeat("M600\n", 200)); len(s.Pauses) != MaxPauses {
		t.Errorf("%d pauses, want %d", len(s.Pauses), MaxPauses)
	}
}

func TestToolsArcsTemperatures(t *testing.T) {
	s := survey(t, "M104 S170\nM109 S215\nM190 S65\nT1\nM83\n;LAYER_CHANGE\nG1 X1 E1\nT0\nG1 X2 E1\nT0\nT1\n;LAYER_CHANGE\nM104 S205\nM140 S60\nG2 X5 I2 E1\nG3 X7 I1\nM104 S190\nM104 S0\nM140 S0\n")
	if fmt.Sprint(s.Tools) != "[0 1]" || s.ToolChanges != 2 || s.Arcs != 2 {
		t.Errorf("tools %v, %d changes, %d arcs, want [0 1], 2, 2", s.Tools, s.ToolChanges, s.Arcs)
	}
	if s.FirstNozzleC != 215 || s.NozzleC != 205 || s.FirstBedC != 65 || s.BedC != 60 {
		t.Errorf("nozzle %v then %v, bed %v then %v, want 215, 205, 65, 60", s.FirstNozzleC, s.NozzleC, s.FirstBedC, s.BedC)
	}
	if s := survey(t, "M104 S200\nG1 X1 E1\n"); s.FirstNozzleC != 200 || s.NozzleC != 200 || s.BedC != 0 {
		t.Errorf("nozzle %v then %v, bed %v, want 200, 200, 0", s.FirstNozzleC, s.NozzleC, s.BedC)
	}
}

func TestWords(t *testing.T) {
	s := survey(t, "M104 S200\nSTART_PRINT BED=60\nG28\nM862.1 P0.4\nG29\nG1 X5\nM104 S0\nm862.1 P0.6\nM5000 S1\nX10 Y5\nprose is no word\n")
	var got []string
	for _, w := range s.Words {
		got = append(got, fmt.Sprintf("%s×%d@%d", w.Word, w.Count, w.Line))
	}
	if want := "M104×2@1 START_PRINT×1@2 G28×1@3 M862.1×1@4 G29×1@5 m862.1×1@8 M5000×1@9"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
	for word, want := range map[string]bool{"G0": true, "G1": true, "G29": true, "G38.2": true, "G29.1": false, "M862.1": false, "M862": true, "M115": true, "M486": true, "M900": true, "M191": true,
		"T0": true, "START_PRINT": false, "M601": false, "M572": false, "G10": true, "G13": false, "": false, "M": false, "M-1": false, "M7219": true} {
		if MarlinKnows(word) != want {
			t.Errorf("MarlinKnows(%q) = %v, want %v", word, !want, want)
		}
	}
	var b strings.Builder
	for i := range 900 {
		fmt.Fprintf(&b, "M%d\nMACRO_%d\n", i, i)
	}
	if s := survey(t, b.String()); len(s.Words) != MaxWords {
		t.Errorf("%d words, want %d", len(s.Words), MaxWords)
	}
}
