package printer

import (
	"bytes"
	"compress/gzip"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// use counts what the lines of text use, as a firmware in which G90 sets E's mode takes them.
func use(text io.Reader, g90SetsE bool) *spent {
	m, s := freshModal(Presets()[0]), &spent{}
	for scan := gcode.NewScanner(text); scan.Scan(); {
		m.apply(scan.Line().Text, g90SetsE)
		s.push(scan.Line().Text, &m)
	}
	return s
}

func TestFilamentOfLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		g90SetsE   bool
		want       []float64
	}{
		{"nothing", "G28\nG1 X10 F3000\nM104 S200", true, []float64{}},
		{"absolute", "M82\nG92 E0\nG1 X1 E2\nG1 X2 E5", true, []float64{5}},
		{"relative", "M83\nG1 X1 E2\nG1 X2 E3", true, []float64{5}},
		{"a retraction and its return count once", "M83\nG1 E5\nG1 E-2\nG1 E2\nG1 E1", true, []float64{6}},
		{"what is pulled back in the end was used all the same", "M83\nG1 E5\nG1 E-4", true, []float64{5}},
		{"G92 moves nothing", "M82\nG92 E0\nG1 E5\nG92 E100\nG1 E101\nG92\nG1 E1", true, []float64{7}},
		{"G92.1 is something else", "M82\nG92 E0\nG1 E5\nG92.1 E100\nG1 E6", true, []float64{6}},
		{"inches", "G20\nM83\nG1 E1", true, []float64{25.4}},
		{"inches, absolute", "G20\nM82\nG92 E1\nG1 E2", true, []float64{25.4}},
		{"M221", "M83\nM221 S50\nG1 E10\nM221 S200\nG1 E10", true, []float64{25}},
		{"two tools", "M83\nG1 E5\nT1\nG1 E7\nT0\nG1 E1", true, []float64{6, 7}},
		{"only the third", "M83\nT2\nG1 E7", true, []float64{0, 0, 7}},
		{"G91 counts for E", "M82\nG92 E5\nG91\nG1 E1\nG1 E1\nG90\nG1 E8", false, []float64{3}},
		{"G90 undoes M83 where it does", "M83\nG90\nG92 E0\nG1 E5\nG1 E6", true, []float64{6}},
		{"G90 leaves M83 where it does", "M83\nG90\nG92 E0\nG1 E5\nG1 E6", false, []float64{11}},
		{"arcs", "M83\nG2 X1 Y1 I5 E2\nG3 X1 Y1 I5 E2\nG5 X1 E1", true, []float64{5}},
		{"no such length", "M83\nG1 E5\nG1 E99999999999\nG1 E-99999999999", true, []float64{5}},
		{"lower case", "m83\ng1 e5", true, []float64{5}},
	} {
		got, sum := use(strings.NewReader(c.text), c.g90SetsE).byTool()
		if want := math.Round(total(c.want)*100) / 100; !slices.Equal(got, c.want) || sum != want {
			t.Errorf("%s: got %v, %v in all, want %v", c.name, got, sum, c.want)
		}
	}
}

func total(mm []float64) (sum float64) {
	for _, v := range mm {
		sum += v
	}
	return sum
}

// What slicers say that a file takes: PrusaSlicer in mm, Cura in m. They leave out the line with which the start code primes the nozzle.
var figure = regexp.MustCompile(`(?m)^; ?[Ff]ilament used(?: \[mm\] =|:| =) ?([0-9.]+)(mm|m|)`)

// The length that a print counts is the slicer's own figure within 2 %, on real files.
func TestFilamentOfRealFiles(t *testing.T) {
	const corpus = "../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("the corpus of real files is absent: %v", err)
	}
	files, err := filepath.Glob(corpus + "/*.gcode*")
	if err != nil {
		t.Fatal(err)
	}
	more, _ := filepath.Glob(corpus + "/public/*.gcode")
	judged := 0
	for _, name := range append(files, more...) {
		if strings.HasSuffix(name, ".gz") && testing.Short() { // the long ones
			continue
		}
		data := readAll(t, name)
		found := figure.FindSubmatch(data)
		if found == nil || strings.Contains(name, "thumb_") { // only its beginning
			continue
		}
		said, _ := strconv.ParseFloat(string(found[1]), 64)
		if string(found[2]) == "m" {
			said *= 1000
		}
		if said == 0 {
			continue // a placeholder
		}
		judged++
		_, got := use(bytes.NewReader(data), true).byTool()
		const primeMM = 32 // what start codes of the corpus draw beside the model
		if off := got - said; off < -0.02*said || off > 0.02*said+primeMM {
			t.Errorf("%s: counted %.1f mm, the slicer says %.1f", filepath.Base(name), got, said)
		}
		if survey, err := gcode.SurveyFile(bytes.NewReader(data)); err == nil && !bytes.Contains(data, []byte("M221 S9")) && math.Abs(survey.Filament()-got) > 0.02*said {
			t.Errorf("%s: counted %.1f mm, the survey says %.1f", filepath.Base(name), got, survey.Filament())
		}
	}
	if judged < 10 {
		t.Errorf("only %d files say what they take", judged)
	}
}

func readAll(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// A pause retracts and primes, and the person in it unloads, loads and purges: none of it is the print's.
func TestFilamentOfAPrint(t *testing.T) {
	for _, c := range []struct {
		name, firmware string
		relE           bool
		mode           []string
		wantMM         float64
	}{
		{"absolute", "marlin2", false, []string{"G90", "M82"}, 128},
		{"relative", "marlin2", true, []string{"G90", "M83"}, 128},
		{"inches", "marlin2", false, []string{"G20", "G90", "M82"}, 128},
		{"half flow", "marlin2", true, []string{"M221 S50", "M83"}, 64},
		{"klipper", "klipper", true, []string{"G90", "M83"}, 128},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := square(2*batchLines, 200, c.relE, c.mode...)
			whole(t, printertest.Config{Firmware: c.firmware, Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
				r.becomes(Idle)
				more := make(chan struct{})
				r.print("j1", text, more)
				await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
				before := r.now().Job.FilamentMM
				if before < 20 || before > c.wantMM {
					r.Errorf("half way it has used %g mm", before)
				}
				r.must(r.p.Pause(r.Context(), "j1"))
				r.becomes(Paused)
				for _, by := range []float64{-100, -100, 50, 50, 50, 20} {
					r.must(r.p.ExtrudeAt(r.Context(), by, 10))
					time.Sleep(time.Minute)
				}
				r.must(r.p.Resume(r.Context(), "j1"))
				r.becomes(Printing)
				synctest.Wait()
				if got := r.now().Job.FilamentMM; got != before {
					r.Errorf("after the pause it has used %g mm, before %g", got, before)
				}
				close(more)
				done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }).LastJob
				if !near(done.FilamentMM, c.wantMM, 0.05) || len(done.ToolsMM) != 1 || done.ToolsMM[0] != done.FilamentMM || done.Outcome != "done" {
					r.Errorf("got %+v, want %g mm", done, c.wantMM)
				}
			})
		})
	}
}

// Lines that go again, oks that were lost or said twice, and what was executed out of turn: each line of the file counts once.
func TestFilamentOverABadCable(t *testing.T) {
	var resends int64
	for seed := range uint64(12) {
		cfg := printertest.Config{Baud: 250000, Speed: 40, AdvancedOK: seed%2 == 0, Seed: seed,
			Faults: printertest.Faults{Flip: 3e-4, Drop: 3e-4, LostOK: 0.01, DoubleOK: 0.01, DupResend: 0.2}}
		whole(t, cfg, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			relE := seed%3 == 0
			r.print("j1", square(4*batchLines, 200, relE, map[bool]string{true: "M83", false: "M82"}[relE]), nil)
			end, _ := watched(t, r.p)
			resends += end.Link.Resends
			if end.LastJob.Outcome == "done" && !near(end.LastJob.FilamentMM, 256, 0.05) {
				r.Errorf("seed %d: %g mm, want 256", seed, end.LastJob.FilamentMM)
			}
		})
	}
	if resends < 10 {
		t.Errorf("only %d lines went again: that shows nothing", resends)
	}
}

// A line that was taken for accepted by an ok said twice, and is taken back because it was not, has used nothing until it goes again.
func TestFilamentOfLinesThatAreTakenBack(t *testing.T) {
	for _, mode := range []string{"M82", "M83"} {
		now := time.Unix(1e9, 0)
		s := newSession(Presets()[0], nil, func(string, []byte) {})
		s.d, s.state, s.job, s.run = marlin, Printing, &job{}, startRun(now)
		accepted := func(texts ...string) {
			for i, text := range texts {
				s.stream.send(now, []byte(text), laneJob, nothing, jobPos{line: int64(i)})
				s.stream.landThrough(now, 0, func(f *flight) { s.landed(now, f) })
			}
		}
		used := func(want float64) {
			t.Helper()
			if _, got := s.run.spent.byTool(); got != want {
				t.Errorf("%s: got %g mm, want %g", mode, got, want)
			}
		}
		accepted(mode, "G92 E0", "G1 E5", "G92 E0")
		from := s.stream.next
		accepted("G1 E7", "G1 E9")
		used(map[string]float64{"M82": 5 + 9, "M83": 5 + 7 + 9}[mode])
		s.takeBack(from)
		used(5)
		accepted("G1 E7", "G1 E9")
		used(map[string]float64{"M82": 5 + 9, "M83": 5 + 7 + 9}[mode])
	}
}
