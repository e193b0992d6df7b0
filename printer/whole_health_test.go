package printer

import (
	"cmp"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math"
	"strings"
	"testing"
	"time"
)

// circle is a job of n short moves around a circle of 60 mm.
func circle(n int, segmentMM, mms float64) string {
	var b strings.Builder
	b.WriteString("G28\nG90\nM83\nM109 S200\nM106 S255\nM204 S3000\nG92 E0\nG1 X140 Y110 Z0.2 F6000\n")
	fmt.Fprintf(&b, "G1 F%.0f\n", mms*60)
	for i := range n {
		turn := segmentMM / 30 * float64(i+1)
		fmt.Fprintf(&b, "G1 X%.3f Y%.3f E%.5f\n", 110+30*math.Cos(turn), 110+30*math.Sin(turn), segmentMM*0.033)
	}
	return b.String()
}

// slowly is a file on a disk that takes a while for each piece.
type slowly struct {
	io.Reader
	wait time.Duration
}

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(s.wait)
	return s.Reader.Read(b[:min(len(b), 2000)])
}

func (slowly) Close() error { return nil }

// printed prints text on a pretend printer of the real machine's speed and returns the last snapshot and what the printer counted.
func printed(t *testing.T, cfg printertest.Config, text string, disk time.Duration) (snap *Snapshot, counted printertest.Counters) {
	t.Helper()
	cfg.Speed = 1
	whole(t, cfg, func(c *Config) { c.Baud = cmp.Or(cfg.Baud, c.Baud) }, func(r *rig) {
		r.becomes(Idle)
		survey, err := gcode.SurveyFile(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.p.Start(r.Context(), JobInfo{ID: "j1", Size: int64(len(text)), Survey: survey}, slowly{strings.NewReader(text), disk}); err != nil {
			t.Fatal(err)
		}
		snap = await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		counted = r.sim.Counters()
		h, o := snap.Health, snap.LastJob
		if o.Outcome != "done" || o.StarvedS != h.StarvedS || o.StarvedBy != h.StarvedBy || o.LinesAgain != h.LinesAgain || o.ResendPercent != h.ResendPercent {
			t.Errorf("got outcome %+v, health %+v", o, h)
		}
	})
	return snap, counted
}

// The printer starves by our estimate when and only when the pretend planner ran empty amid moves, and by whose fault it did.
func TestHealthAgreesWithThePrinter(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  printertest.Config
		text string
		disk time.Duration
		by   string
	}{
		{"fine", printertest.Config{Baud: 115200}, circle(1500, 1, 60), 0, ""},
		{"fine, 9600 baud", printertest.Config{Baud: 9600}, circle(300, 4, 60), 0, ""},
		{"fine, corners", printertest.Config{Baud: 115200}, square(200, 200, true, "M83"), 0, ""},
		{"fine, native USB", printertest.Config{}, circle(1500, 0.5, 100), 0, ""},
		{"fine, a slow adapter", printertest.Config{Baud: 115200, USBLatency: 8 * time.Millisecond}, circle(500, 2, 60), 0, ""},
		{"a machine that cannot follow", printertest.Config{}, circle(1500, 0.1, 150), 0, ""},
		{"dense", printertest.Config{Baud: 9600}, circle(500, 0.2, 60), 0, "file"},
		{"dense, somewhat", printertest.Config{Baud: 9600}, circle(500, 1, 60), 0, "file"},
		{"a slow disk", printertest.Config{Baud: 115200}, circle(1500, 0.5, 100), 600 * time.Millisecond, "host"},
		{"a noisy cable", printertest.Config{Baud: 115200, Faults: printertest.Faults{Flip: 2e-3}}, circle(1500, 0.5, 60), 0, "wire"},
	} {
		for _, said := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/P %v", c.name, said), func(t *testing.T) {
				c.cfg.AdvancedOK = said
				snap, counted := printed(t, c.cfg, c.text, c.disk)
				got := snap.Health
				if got.StarvedBy != c.by || (got.StarvedS > 0) != (c.by != "") || (counted.Underruns > 0) != (c.by != "") {
					t.Errorf("got %g s starved by %q, and the planner ran empty %d times; want %q", got.StarvedS, got.StarvedBy, counted.Underruns, c.by)
				}
				if c.by == "file" && got.AskedLinesPerS < 2*got.CarriedLinesPerS {
					t.Errorf("asked for %g lines/s and carried %g", got.AskedLinesPerS, got.CarriedLinesPerS)
				}
				if noisy := c.cfg.Faults.Flip > 0; noisy != (got.ResendPercent > 2 && got.ChecksumErrors > 0) || got.Overruns > 5 {
					t.Errorf("got %g %% resends, %d checksum errors, %d overruns", got.ResendPercent, got.ChecksumErrors, got.Overruns)
				}
			})
		}
	}
}

// Only a firmware that says P tells a slow board from a full planner.
func TestHealthOfASlowBoard(t *testing.T) {
	cfg := printertest.Config{Baud: 115200, Faults: printertest.Faults{Stall: 0.01, StallFor: 400 * time.Millisecond}, AdvancedOK: true}
	snap, counted := printed(t, cfg, circle(1500, 0.5, 60), 0)
	if got := snap.Health; got.StarvedBy != "printer" || got.StarvedS == 0 || counted.Underruns == 0 {
		t.Errorf("got %+v, and the planner ran empty %d times", got, counted.Underruns)
	}
	cfg.AdvancedOK = false
	snap, _ = printed(t, cfg, circle(1500, 0.5, 60), 0)
	if got := snap.Health; got.StarvedS != 0 {
		t.Errorf("without P: got %+v", got)
	}
}

// No firmware makes a fine print look starved.
func TestHealthOfAFinePrint(t *testing.T) {
	for _, firmware := range printertest.Firmwares() {
		text := square(200, 200, true, "M83")
		snap, counted := printed(t, printertest.Config{Firmware: firmware, Baud: 115200, Heat: 1}, text, 0)
		if got := snap.Health; got.StarvedS != 0 || got.LinesAgain != 0 || counted.Underruns != 0 {
			t.Errorf("%s: got %+v, and the planner ran empty %d times", firmware, got, counted.Underruns)
		}
	}
}

// Below half Marlin's planner makes moves slower, so that it does not run empty. Then starved time is what the print takes longer than
// over a line that has no speed.
func TestHealthIsTheTimeThatIsLost(t *testing.T) {
	for _, segmentMM := range []float64{0.1, 0.2} {
		text := circle(3000, segmentMM, 100)
		free, _ := printed(t, printertest.Config{}, text, 0)
		for _, cfg := range []printertest.Config{{Baud: 115200}, {Baud: 115200, AdvancedOK: true}, {Baud: 115200, USBLatency: time.Millisecond, AdvancedOK: true}} {
			snap, _ := printed(t, cfg, text, 0)
			lost, got := snap.LastJob.ElapsedS-free.LastJob.ElapsedS, snap.Health
			if got.StarvedBy != "file" || math.Abs(got.StarvedS-lost) > 0.2*lost || lost < 2 {
				t.Errorf("%g mm, %+v: got %g s starved by %q, want %g by the file", segmentMM, cfg, got.StarvedS, got.StarvedBy, lost)
			}
			if asked := 100 / segmentMM; math.Abs(got.AskedLinesPerS-asked) > asked/20 || got.CarriedLinesPerS > 320 || got.CarriedLinesPerS < 100 {
				t.Errorf("%g mm: asked for %g lines/s, carried %g", segmentMM, got.AskedLinesPerS, got.CarriedLinesPerS)
			}
		}
	}
}
