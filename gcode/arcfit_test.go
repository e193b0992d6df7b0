package gcode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func fitted(t testing.TB, file string, tolerance float64) (string, ArcsFitted) {
	t.Helper()
	var out bytes.Buffer
	got, err := FitArcs(&out, strings.NewReader(file), tolerance)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), got
}

// circleLines goes about (100, 100) from angle a to b in steps, and says so with tail at each line. It begins with a travel.
func circleLines(radius, a, step float64, steps int, tail string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "G1 X%.3f Y%.3f F6000\n", 100+radius*math.Cos(a), 100+radius*math.Sin(a))
	for n := 1; n <= steps; n++ {
		at := a + step*float64(n)
		fmt.Fprintf(&s, "G1 X%.3f Y%.3f E%.5f%s\n", 100+radius*math.Cos(at), 100+radius*math.Sin(at), 0.033*2*radius*math.Sin(math.Abs(step)/2), tail)
	}
	return s.String()
}

func TestFitArcsLines(t *testing.T) {
	quarter := circleLines(10, 0, math.Pi/20, 10, "")
	for _, c := range []struct{ name, file, want string }{
		{"relative", "M83\n" + quarter, "M83\nG1 X110.000 Y100.000 F6000\nG3 X100 Y110 I-10 J0 E.5178\n"},
		{"clockwise, and the comment stays", "M83\n" + circleLines(10, 0, -math.Pi/20, 10, " ; wall\r"), "M83\nG1 X110.000 Y100.000 F6000\nG2 X100 Y90 I-10 J0 E.5178 ; wall\r\n"},
		{"feed of the first", "M83\nG1 X110 Y100\n" + strings.Replace(quarter[strings.IndexByte(quarter, '\n')+1:], "\n", " F1200\n", 1), "M83\nG1 X110 Y100\nG3 X100 Y110 I-10 J0 E.5178 F1200\n"},
		{"absolute", "M82\nG92 E5\nG1 X110 Y100\nG1 X109.877 Y101.564 E5.05178\nG1 X109.511 Y103.090 E5.10356\nG1 X108.910 Y104.540 E5.15534\n", "M82\nG92 E5\nG1 X110 Y100\nG3 X108.91 Y104.54 I-9.991 J.002 E5.15534\n"},
	} {
		if got, _ := fitted(t, c.file, ArcTolerance); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// Fine steps stay where the coarse pieces that firmware makes of an arc would brake them. Those of a slow move, and those that are as coarse, become arcs.
func TestFitArcsIsNotSlower(t *testing.T) {
	for _, c := range []struct {
		radius, step, feed float64 // mm, rad, mm/s
		arcs               bool
	}{
		{5, 0.05, 150, false}, // its pieces would turn by 0.2
		{5, 0.05, 20, true},
		{5, 0.21, 150, true},
		{60, 0.005, 150, true},
		{60, 0.005, 600, false},
	} {
		file := "M83\n" + strings.Replace(circleLines(c.radius, 0, c.step, 20, ""), "F6000", fmt.Sprintf("F%v", 60*c.feed), 1)
		if got, fit := fitted(t, file, ArcTolerance); fit.Arcs > 0 != c.arcs {
			t.Errorf("%+v: %+v, %s", c, fit, got)
		}
		if got, fit := fitted(t, strings.Replace(file, fmt.Sprintf("F%v", 60*c.feed), "", 1), ArcTolerance); c.step < 0.2 && fit.Arcs > 0 {
			t.Errorf("%+v at a speed that nobody knows: %+v, %s", c, fit, got)
		}
	}
}

// Where a file says anything that an arc does not say, or does not say what an arc must know, it stays as it is.
func TestFitArcsLeaves(t *testing.T) {
	arc := circleLines(10, 0, 0.1, 40, "")
	lines := strings.SplitAfter(arc, "\n")
	three := func(between string) string { // between each two moves and their next
		var s strings.Builder
		for i, l := range lines {
			if i%2 == 0 {
				s.WriteString(between)
			}
			s.WriteString(l)
		}
		return s.String()
	}
	var feeds strings.Builder
	for i, l := range lines {
		feeds.WriteString(strings.Replace(l, "\n", fmt.Sprintf(" F%d\n", 1000+i), 1))
	}
	for name, file := range map[string]string{
		"E may be anything":                "G90\n" + arc,
		"E may be anything behind G90":     "M83\nG90\n" + arc,
		"relative moves":                   "M83\nG91\nM83\n" + arc,
		"inches":                           "M83\nG20\n" + arc,
		"inches, and back":                 "M83\nG20\nG21\n" + arc,
		"another plane":                    "M83\nG18\n" + arc,
		"a macro may set anything":         "M83\nSTART_PRINT\n" + arc,
		"a file that is called may too":    "M83\nM98 P\"a.g\"\n" + arc,
		"layer marks":                      "M83\n" + three(";LAYER_CHANGE\n"),
		"features":                         "M83\n" + three(";TYPE:Skin\n"),
		"objects":                          "M83\n" + three("M486 S1\n"),
		"Klipper's objects":                "M83\n" + three("EXCLUDE_OBJECT_START NAME=a\n"),
		"host commands":                    "M83\n" + three("@pause\n"),
		"fans":                             "M83\n" + three("M106 S200\n"),
		"a dwell":                          "M83\n" + three("G4 P10\n"),
		"tools":                            "M83\n" + three("T0\n"),
		"empty lines":                      "M83\n" + three("\n"),
		"feed":                             "M83\n" + feeds.String(),
		"line numbers":                     "M83\n" + strings.ReplaceAll(arc, "G1", "N1 G1"),
		"words that we do not know":        "M83\n" + strings.ReplaceAll(arc, "\n", " S1\n"),
		"finer than can be exact":          "M83\n" + strings.ReplaceAll(arc, " E", ".0000000 E"),
		"commands hidden behind a lone CR": "M83\n" + strings.ReplaceAll(arc, "\n", " ;\rM106\n"),
		"another CR":                       "M83\n" + strings.ReplaceAll(arc, "\n", "\r\r\n"),
		"wipes":                            "M83\n" + strings.ReplaceAll(arc, "E", "E-"),
		"travels":                          "M83\n" + strings.ReplaceAll(arc, "E", "F"),
		"nothing":                          "",
	} {
		if got, fit := fitted(t, file, ArcTolerance); got != file || fit != (ArcsFitted{}) {
			t.Errorf("%s: %+v, got\n%s", name, fit, got)
		}
	}
}

func TestFitArcsCircle(t *testing.T) {
	file := "M83\n" + circleLines(20, 1, 0.05, 126, "") // more than all of it
	got, fit := fitted(t, file, ArcTolerance)
	if n := strings.Count(got, "G3"); n != 2 || fit.Arcs != 2 || fit.Moves < 120 {
		t.Errorf("%+v: a circle became %d arcs:\n%s", fit, n, got)
	}
	if _, err := checkArcs([]byte(file), []byte(got), ArcTolerance); err != nil {
		t.Error(err)
	}
}

func TestFitArcsErrors(t *testing.T) {
	for _, tolerance := range []float64{0, -1, 0.2, math.NaN(), math.Inf(1)} {
		if _, err := FitArcs(io.Discard, strings.NewReader(""), tolerance); err == nil {
			t.Errorf("a tolerance of %v is taken", tolerance)
		}
	}
	broken := errors.New("broken")
	if _, err := FitArcs(io.Discard, iotest.ErrReader(broken), ArcTolerance); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if _, err := FitArcs(w, strings.NewReader("G28\n"), ArcTolerance); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// randomFile is made of arcs, lines and corners, as a slicer might, with feeds, comments and noise.
func randomFile(r *rand.Rand) string {
	var s strings.Builder
	relative := r.IntN(2) == 0
	if relative {
		s.WriteString("G90\nM83\n")
	} else {
		s.WriteString("G90\nM82\nG92 E0\n")
	}
	x, y, z, e, heading := 100.0, 100.0, 0.2, 0.0, 0.0
	fmt.Fprintf(&s, "G1 X%.3f Y%.3f Z%.3f F6000\n", x, y, z)
	for range 60 {
		turn := (r.Float64() - 0.5) * []float64{0, 0.05, 0.4, 1.5}[r.IntN(4)]
		long := 0.02 + r.Float64()*[]float64{0.1, 1, 5}[r.IntN(3)]
		noise := []float64{0, 0, 0.01, 0.1}[r.IntN(4)]
		rise := []float64{0, 0, 0.001, 0.05}[r.IntN(4)]
		rate := 0.02 + r.Float64()*0.05
		for range 1 + r.IntN(80) {
			heading += turn + noise*(r.Float64()-0.5)
			way := long * (1 + noise*(r.Float64()-0.5))
			x += way * math.Cos(heading)
			y += way * math.Sin(heading)
			z += rise
			push := rate * way * (1 + noise*(r.Float64()-0.5))
			if relative {
				e = push
			} else {
				e += push
			}
			fmt.Fprintf(&s, "G1 X%.3f Y%.3f", x, y)
			if rise > 0 {
				fmt.Fprintf(&s, " Z%.3f", z)
			}
			fmt.Fprintf(&s, " E%.5f", e)
			if r.IntN(40) == 0 {
				fmt.Fprintf(&s, " F%d", 1200+600*r.IntN(2))
			}
			s.WriteString([]string{"\n", "\n", "\n", " ; a\n"}[r.IntN(4)*r.IntN(2)*r.IntN(2)])
		}
		s.WriteString([]string{"", ";TYPE:Skin\n", "M106 S9\n", "G1 E-1 F2400\nG1 E1\n"}[r.IntN(4)])
		if !relative && r.IntN(3) == 0 {
			s.WriteString("G92 E0\n")
			e = 0
		}
		heading += r.Float64() * 6
	}
	return s.String()
}

func TestFitArcsOfRandomFiles(t *testing.T) {
	var arcs, moves int
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 8))
		file := randomFile(r)
		tolerance := MinArcTolerance + r.Float64()*(MaxArcTolerance-MinArcTolerance)
		got, fit := fitted(t, file, tolerance)
		c, err := checkArcs([]byte(file), []byte(got), tolerance)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if own, err := CheckArcs(strings.NewReader(file), strings.NewReader(got), tolerance); err != nil || own.Arcs != fit.Arcs || own.Moves != fit.Moves || math.Abs(own.DeviationMM-c.off) > 1e-4 {
			t.Errorf("seed %d: the daemon's checker says %+v, %v, and this one %+v", seed, own, err, c)
		}
		if int64(c.arcs) != fit.Arcs || int64(c.moves) != fit.Moves || c.off > fit.DeviationMM+1e-4 {
			t.Errorf("seed %d: it says %+v, the checker %+v", seed, fit, c)
		}
		arcs, moves = arcs+c.arcs, moves+c.moves
	}
	if arcs < 300 {
		t.Errorf("only %d arcs for %d moves were tried", arcs, moves)
	}
}

// Whatever comes in, what comes out is the same lines with arcs in the place of G1 moves, however the reader hands it out.
func FuzzFitArcs(f *testing.F) {
	f.Add([]byte("M83\n" + circleLines(10, 0, 0.1, 40, "")))
	f.Add([]byte("M82\nG92 E0\n" + circleLines(30, 2, -0.02, 40, " ; a\r")))
	f.Add([]byte("G91\nG1X1Y2E3F4\n\r\n;\n(a)\nG92\nG1 X.\nM117 G1\nT1"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var whole, pieces bytes.Buffer
		fit, err := FitArcs(&whole, bytes.NewReader(file), ArcTolerance)
		if err != nil {
			t.Fatal(err)
		}
		again, err := FitArcs(&pieces, iotest.OneByteReader(bytes.NewReader(file)), ArcTolerance)
		if err != nil || again != fit || !bytes.Equal(whole.Bytes(), pieces.Bytes()) {
			t.Fatalf("read by bytes it is %+v, %v, not %+v", again, err, fit)
		}
		if lost := bytes.Count(file, []byte("\n")) - bytes.Count(whole.Bytes(), []byte("\n")); int64(lost) != fit.Moves-fit.Arcs {
			t.Fatalf("%d lines are gone where %+v", lost, fit)
		}
		if fit.Arcs == 0 && !bytes.Equal(whole.Bytes(), file) {
			t.Fatal("it changed, without an arc")
		}
		if fit.DeviationMM > ArcTolerance {
			t.Fatalf("%+v", fit)
		}
		if own, err := CheckArcs(bytes.NewReader(file), &whole, ArcTolerance); err == nil && (own.Arcs != fit.Arcs || own.Moves != fit.Moves) {
			t.Fatalf("the checker found %+v, not %+v", own, fit)
		}
	})
}

// ps_vase_fast is what starves a printer at 115200 baud.
func TestCorpusArcs(t *testing.T) {
	for _, c := range []struct {
		name string
		most float64 // of the commands that may remain
	}{
		{"ps_vase_fast.gcode.gz", 0.92}, {"cura_benchy.gcode.gz", 0.62}, {"ps_benchy_m73.gcode.gz", 0.86}, {"ps_bpcase_verbose.gcode", 0.995}, {"ps_plate_multi.gcode", 0.67},
		{"s3_calibrate.gcode", 1}, {"cura_ringing_tower_crlf.gcode.gz", 1}, {"aw_ring_arcs.gcode", 1}, {"public/gp_vase.gcode", 1}, {"public/syntax_test_G-code.gcode", 1},
	} {
		if long(c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := corpusFile(t, c.name)
			var out bytes.Buffer
			fit, err := FitArcs(&out, bytes.NewReader(file), ArcTolerance)
			if err != nil {
				t.Fatal(err)
			}
			got, err := checkArcs(file, out.Bytes(), ArcTolerance)
			if err != nil {
				t.Fatal(err)
			}
			if own, err := CheckArcs(bytes.NewReader(file), bytes.NewReader(out.Bytes()), ArcTolerance); err != nil || own.Arcs != fit.Arcs || own.Moves != fit.Moves || math.Abs(own.DeviationMM-got.off) > 1e-4 {
				t.Errorf("the daemon's checker says %+v, %v", own, err)
			}
			before, _ := SurveyFile(bytes.NewReader(file))
			after, _ := SurveyFile(bytes.NewReader(out.Bytes()))
			left := float64(after.Commands) / float64(before.Commands)
			t.Logf("%d arcs of %d moves, %.4f mm off (%.4f), commands %d to %d (%.2f), %.0f s to %.0f s, layers %d to %d, wire %+v to %+v", got.arcs, got.moves, got.off, fit.DeviationMM,
				before.Commands, after.Commands, left, before.TimeS, after.TimeS, len(before.Layers), len(after.Layers), before.Wire, after.Wire)
			if left > c.most || math.Abs(after.Filament()-before.Filament()) > 1e-3 || len(after.Layers) != len(before.Layers) || after.Odd != before.Odd {
				t.Errorf("%v of the commands are left, filament %v, was %v, layers %d, were %d", left, after.Filament(), before.Filament(), len(after.Layers), len(before.Layers))
			}
			if after.TimeS > 1.01*before.TimeS {
				t.Errorf("it takes %v s, not %v", after.TimeS, before.TimeS)
			}
		})
	}
}

// The ring as ArcWelder made it, taken apart into moves of half a millimetre and fitted again, has about as many arcs.
func TestCorpusArcsBesideArcWelder(t *testing.T) {
	var apart bytes.Buffer
	var h headAt
	theirs := 0
	for line := range strings.Lines(string(corpusFile(t, "aw_ring_arcs.gcode"))) {
		m, code, ok := readMove(line, "G2", "G3")
		from := h.at
		h.line(line)
		if !ok {
			apart.WriteString(line)
			continue
		}
		theirs++
		// Its pieces are those of an arc that is twice as big.
		way, _, _ := asFirmware(point3{}, point3{2 * (h.at[0] - from[0]), 2 * (h.at[1] - from[1])}, 2*m.word['I'], 2*m.word['J'], code == "G2")
		for n, p := range way[1:] {
			fmt.Fprintf(&apart, "G1 X%.3f Y%.3f E%.6f", from[0]+p[0]/2, from[1]+p[1]/2, m.word['E']/float64(len(way)-1))
			if f, ok := m.word['F']; ok && n == 0 {
				fmt.Fprintf(&apart, " F%v", f)
			}
			apart.WriteString("\n")
		}
	}
	var out bytes.Buffer
	fit, err := FitArcs(&out, bytes.NewReader(apart.Bytes()), ArcTolerance)
	if err != nil {
		t.Fatal(err)
	}
	got, err := checkArcs(apart.Bytes(), out.Bytes(), ArcTolerance)
	t.Logf("%d arcs of theirs; %d of ours for %d moves, %.4f mm off; %d bytes are %d", theirs, got.arcs, got.moves, got.off, apart.Len(), out.Len())
	if err != nil || theirs == 0 || fit.Moves < 70000 || fit.Arcs > int64(theirs)*11/10 {
		t.Errorf("%d arcs of %d moves where ArcWelder makes %d arcs, %v", fit.Arcs, fit.Moves, theirs, err)
	}
}

func BenchmarkCheckArcs(b *testing.B) {
	file := corpusFile(b, "cura_benchy.gcode.gz")
	var out bytes.Buffer
	if _, err := FitArcs(&out, bytes.NewReader(file), ArcTolerance); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := CheckArcs(bytes.NewReader(file), bytes.NewReader(out.Bytes()), ArcTolerance); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFitArcs(b *testing.B) {
	for _, name := range []string{"ps_vase_fast.gcode.gz", "ps_benchy_m73.gcode.gz"} {
		file := corpusFile(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				if _, err := FitArcs(io.Discard, bytes.NewReader(file), ArcTolerance); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
