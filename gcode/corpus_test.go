package gcode

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const corpusDir = "../../shared/corpus"

// long reports whether a file of the corpus is left out with -short, which the race detector comes with: those with the most lines are compressed.
func long(name string) bool { return testing.Short() && strings.HasSuffix(name, ".gz") }

// corpusFile reads a real file of the corpus beside the project, which is not part of it; without the corpus it skips.
func corpusFile(t testing.TB, name string) []byte {
	t.Helper()
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("the corpus of real files is absent: %v", err)
	}
	f, err := os.Open(filepath.Join(corpusDir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The figures are those of the corpus's MANIFEST, which were counted without this package.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		name            string
		lines, commands int64
		slicer          string
		seconds         float64 // 0: the slicer says none
		layers          int
		filamentM       float64
		m73             bool
		heightMM        float64
	}{
		{"aw_ring_arcs.gcode", 32866, 27193, "PrusaSlicer 2.5.0", 6344, 110, 5.71, false, 0.2},
		{"cura_benchy.gcode.gz", 122509, 118828, "Cura 4.13.0", 7316, 240, 3.99, false, 0.2},
		{"cura_cube20_rawcli.gcode", 5811, 5093, "CuraEngine 4.13.0", 0, 100, 1.37, false, 0.2},
		{"cura_ringing_tower_crlf.gcode.gz", 104155, 101694, "Cura 4.13.0", 26188, 300, 18.12, false, 0.2},
		{"ps_benchy_m73.gcode.gz", 150841, 122399, "PrusaSlicer 2.5.0", 7049, 240, 4.41, true, 0.2},
		{"ps_bpcase_verbose.gcode", 24060, 21446, "PrusaSlicer 2.5.0", 4045, 36, 3.84, false, 0.2},
		{"ps_cube20.gcode", 8739, 6541, "PrusaSlicer 2.5.0", 2282, 100, 1.46, false, 0.2},
		{"ps_large2_benchy200.gcode.gz", 1906231, 1826269, "PrusaSlicer 2.5.0", 77501, 1199, 26.34, false, 0.08},
		{"ps_plate_multi.gcode", 26885, 23557, "PrusaSlicer 2.5.0", 1090, 65, 0.73, false, 0.2},
		{"ps_vase_fast.gcode.gz", 265344, 262293, "PrusaSlicer 2.5.0", 2130, 300, 3.45, false, 0.2},
		{"s3_calibrate.gcode", 25203, 25015, "Slic3r 1.3.0", 0, 22, 5.17, false, 0.3},
	} {
		if long(c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			file := corpusFile(t, c.name)
			s, err := SurveyFile(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if s.Lines != c.lines || s.Commands != c.commands || s.Bytes != int64(len(file)) || s.Odd != 0 {
				t.Errorf("%d lines, %d commands, %d bytes, %d odd, want %d, %d, %d, 0", s.Lines, s.Commands, s.Bytes, s.Odd, c.lines, c.commands, len(file))
			}
			if s.Slicer != c.slicer || s.HasM73 != c.m73 || s.LayerHeightMM != c.heightMM {
				t.Errorf("slicer %q, M73 %v, layer height %v, want %q, %v, %v", s.Slicer, s.HasM73, s.LayerHeightMM, c.slicer, c.m73, c.heightMM)
			}
			if len(s.Layers) != c.layers {
				t.Errorf("%d layers, want %d", len(s.Layers), c.layers)
			}
			if off := math.Abs(s.Filament()/1000/c.filamentM - 1); off > 0.011 { // 1 %, and the figure's own rounding
				t.Errorf("%.3f m of filament, want %v", s.Filament()/1000, c.filamentM)
			}
			if s.SlicerTimeS != c.seconds {
				t.Errorf("%v s by the slicer, want %v", s.SlicerTimeS, c.seconds)
			}
			if off := s.TimeS/c.seconds - 1; c.seconds > 0 && math.Abs(off) > 0.05 {
				t.Errorf("our own estimate is %.0f s where the slicer's is %v: %+.1f %%", s.TimeS, c.seconds, 100*off)
			}
			longest, at := longestCommand(file)
			if s.LongestCommand != longest || s.LongestLine != at {
				t.Errorf("longest command %d bytes in line %d, want %d in %d", s.LongestCommand, s.LongestLine, longest, at)
			}
			if s.MaxNozzleC < 200 || s.MaxNozzleC > 215 || s.Extent == nil || s.Extent.Max[0] > 228 || s.Extent.Max[1] > 228 {
				t.Errorf("nozzle %v °C, bounds %v", s.MaxNozzleC, s.Extent)
			}
			checkFollowing(t, &s)
		})
	}
}

// longestCommand finds the longest command in the simplest way. The files have no parentheses or quotes in commands.
func longestCommand(file []byte) (n int, line int64) {
	number := int64(0)
	for l := range bytes.Lines(file) {
		number++
		l, _, _ = bytes.Cut(l, []byte(";"))
		if l = bytes.TrimSpace(l); len(l) > n {
			n, line = len(l), number
		}
	}
	return n, line
}

// checkFollowing walks through the file as a print does.
func checkFollowing(t *testing.T, s *Survey) {
	t.Helper()
	before, layer := 0.0, -1
	for at := int64(0); at <= s.Bytes; at += s.Bytes/5000 + 1 {
		now := s.ElapsedAt(at)
		if now < before {
			t.Fatalf("time runs back at %d: %v after %v", at, now, before)
		}
		i := s.LayerAt(at)
		if i < layer || i >= 0 && s.Layers[i].Offset > at {
			t.Fatalf("layer %d after %d at %d", i, layer, at)
		}
		before, layer = now, i
	}
	if end := s.ElapsedAt(s.Bytes); end != s.TimeS || layer != len(s.Layers)-1 {
		t.Errorf("the end is %v s in layer %d, want %v in %d", end, layer, s.TimeS, len(s.Layers)-1)
	}
}

// Layers must also be found when nobody marks them.
func TestCorpusLayersWithoutComments(t *testing.T) {
	for _, c := range []struct {
		name        string
		least, most int
	}{
		{"ps_vase_fast.gcode.gz", 298, 304}, // a spiral, with a purge line of its own height before
		{"cura_benchy.gcode.gz", 240, 241},
		{"ps_benchy_m73.gcode.gz", 240, 242},
		{"ps_plate_multi.gcode", 65, 67},
		{"aw_ring_arcs.gcode", 110, 112},
	} {
		if long(c.name) {
			continue
		}
		var plain bytes.Buffer
		for l := range bytes.Lines(corpusFile(t, c.name)) {
			if l[0] != ';' {
				plain.Write(l)
			}
		}
		s, err := SurveyFile(&plain)
		if err != nil || len(s.Layers) < c.least || len(s.Layers) > c.most {
			t.Errorf("%s: %d layers, %v, want %d to %d", c.name, len(s.Layers), err, c.least, c.most)
		}
	}
}

func TestCorpusPublic(t *testing.T) {
	for _, c := range []struct {
		name       string
		err        error
		slicer     string
		layers     int
		thumbnails int
		arcs       bool
	}{
		{"PCB-milling-and-(comment).gcode", nil, "", 0, 0, false},
		{"arc_test.gcode", nil, "", 0, 0, false},
		{"gp_benchy_arcs.gcode", nil, "Slic3r 1.33.3-prusa3d", 240, 0, true},
		{"gp_plant-sign.gcode", nil, "PrusaSlicer 2.7.4", 13, 2, true},
		{"gp_vase.gcode", nil, "PrusaSlicer 2.7.4", 334, 0, false},
		{"layer-detect.gcode", nil, "", 4, 0, false}, // 0.200 and 0.203 are the same layer
		{"mini_cube_ps2.8.1.bgcode", ErrBinary, "", 0, 0, false},
		{"mini_cube_ps2.8.1.gcode", nil, "PrusaSlicer 2.8.1", 31, 2, true}, // QOI
		{"mini_cube_ps2.8.1_ref.gcode", nil, "PrusaSlicer 2.8.1", 31, 2, true},
		{"op_bp_case.gcode", nil, "", 70, 0, false},
		{"pause-restore-rel-e.gcode", nil, "", 0, 0, false},
		{"quick-test.gcode", nil, "", 0, 0, false},
		{"syntax_test_G-code.gcode", nil, "", 0, 0, false},
		{"thumb_cura_5.1.0.gcode", nil, "Cura 5.10.2", 1, 1, false},
		{"thumb_mks_sample.gcode", nil, "Cura 4.8.0", 1, 0, false},
		{"thumb_prusa_2.9.3.gcode", nil, "PrusaSlicer 2.9.3", 1, 4, false}, // two PNG, a JPEG and a QOI
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := SurveyFile(bytes.NewReader(corpusFile(t, "public/"+c.name)))
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if s.Slicer != c.slicer || len(s.Layers) != c.layers || len(s.Thumbnails) != c.thumbnails || s.Odd != 0 {
				t.Errorf("slicer %q, %d layers, %d thumbnails, %d odd, want %q, %d, %d, 0", s.Slicer, len(s.Layers), len(s.Thumbnails), s.Odd, c.slicer, c.layers, c.thumbnails)
			}
			if c.arcs && s.Extrudes == 0 {
				t.Error("nothing extrudes")
			}
			if c.err == nil {
				checkFollowing(t, &s)
			}
		})
	}
}
