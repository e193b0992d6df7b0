package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// layered writes a plate of two objects by layer; before is said in each layer behind its height, and around what is said of each object.
func layered(before string, around func(object int, lines string) string) string {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nG90\nM83\nG1 X5 Y5 Z0.2 F3000\nG1 E-1 F2400\n")
	for layer := range 8 {
		fmt.Fprintf(&b, ";LAYER_CHANGE\nG1 Z%.1f F600\n%s", 0.2*float64(layer+1), before)
		for object := range 2 {
			x := 20 + 60*object
			fmt.Fprintf(&b, "; printing object %c id:%d copy 0\n%s; stop printing object %c id:%d copy 0\n", 'A'+object, object,
				around(object, fmt.Sprintf("G1 X%d Y30 F9000\nG1 E1 F2400\nG1 F1500\nG1 X%d E2\nG1 Y50 E1\nG1 X%d Y30 E1.5\nG1 X%d E-0.6 F3000\nG1 E-0.4 F2400\n", x, x+20, x, x+5)), 'A'+object, object)
		}
	}
	return b.String()
}

// What nobody knows, a macro for a camera in each layer for instance, leaves the head where the file takes it to be: an object can be skipped all the same.
func TestSkipBesideWhatNobodyKnows(t *testing.T) {
	plain := func(_ int, lines string) string { return lines }
	for _, camera := range []string{"M240\n", "TIMELAPSE_TAKE_FRAME\n", "M991 S0 P1\n"} {
		file := layered(camera, plain)
		for _, at := range []int64{0, 40} {
			skip := map[int]int64{1: at}
			all, sent, _ := skipping(t, []byte(file), skip)
			same(t, all, sent, skip)
			if got := strings.Count(strings.Join(texts(sent), "\n"), strings.TrimSpace(camera)); got != 8 {
				t.Errorf("%q is sent %d times", camera, got)
			}
		}
	}
	file := strings.Replace(layered("", plain), "; printing object B", "G28 X\n; printing object B", 1) // it has homed, and the file has not said where it goes from there
	all, sent, _ := skipping(t, []byte(file), map[int]int64{1: 0})
	if home := slices.Index(texts(all), "G28 X"); texts(sent)[home+1] != texts(all)[home+1] {
		t.Errorf("behind it goes %q", texts(sent)[home+1])
	}
}

// At the machine: where it puts filament of the others, and how much, is what it puts there without skipping; through a pause at a layer, damaged lines and a cable that comes out.
func TestSkipAtTheMachine(t *testing.T) {
	pushed := func(mm float64) string { return fmt.Sprintf("G92 E0\nG1 E%.2f F2400\n", mm) }
	for name, file := range map[string]string{
		"relative": layered("M240\n", func(_ int, lines string) string { return lines }),
		"absolute": strings.NewReplacer("M83", "M82").Replace(layered("", func(_ int, lines string) string {
			var b strings.Builder
			for line := range strings.Lines(lines) { // each begins at E0
				if strings.Contains(line, " E") {
					b.WriteString("G92 E0\n")
				}
				b.WriteString(line)
			}
			return b.String()
		})),
		"hops": layered("", func(_ int, lines string) string {
			hop := func(mm float64) string { return fmt.Sprintf("G91\nG1 Z%g F600\nG90\nM83\n", mm) }
			return hop(0.6) + strings.Replace(lines, "F9000\n", "F9000\n"+hop(-0.6), 1)
		}),
	} {
		if name == "absolute" {
			file = strings.ReplaceAll(file, "G1 E-1 F2400\n", pushed(-1))
		}
		prints := func(cfg printertest.Config, skip bool) (trail []printertest.Segment, pushedMM float64) {
			whole(t, cfg, within, func(r *rig) {
				r.becomes(Idle)
				r.startStops(file, Shots{}, StopAt{Layer: 4})
				if skip {
					r.must(r.p.SkipObject(r.Context(), "j1", 1, true))
				}
				await(r.T, r.p, func(s *Snapshot) bool { return s.State == Paused || s.LastJob != nil })
				r.must(r.p.Resume(r.Context(), "j1"))
				if skip {
					await(r.T, r.p, func(s *Snapshot) bool { return s.Job == nil || s.Job.Layer > 5 && s.State == Printing })
					r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
				}
				if end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); end.LastJob.Outcome != "done" {
					t.Fatalf("it ended as %+v", end.LastJob)
				}
				body := r.sim.Body()
				trail, pushedMM = body.Trail, body.ExtrudedMM
			})
			return trail, pushedMM
		}
		cfg := printertest.Config{Baud: 115200, Speed: 1, Heat: 10, USBLatency: time.Millisecond}
		all, allMM := prints(cfg, false)
		cfg.Faults = printertest.Faults{Flip: 0.0005, LostOK: 0.002}
		less, lessMM := prints(cfg, true)
		want := slices.DeleteFunc(all, func(s printertest.Segment) bool { return max(s.From[0], s.To[0]) > 60 })
		if len(want) != 3*8 || len(less) != len(want) || math.Abs(allMM-lessMM-8*4.5) > 0.05 {
			t.Fatalf("%s: %d lines of %d, %g mm of filament; without skipping %g", name, len(less), len(want), lessMM, allMM)
		}
		for i := range less {
			for axis := range 3 {
				if math.Abs(less[i].From[axis]-want[i].From[axis]) > 0.011 || math.Abs(less[i].To[axis]-want[i].To[axis]) > 0.011 {
					t.Fatalf("%s: line %d is %v, want %v", name, i, less[i], want[i])
				}
			}
		}
	}
}
