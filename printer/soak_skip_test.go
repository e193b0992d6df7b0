package printer

import (
	"bytes"
	"fmt"
	"layerd/printer/printertest"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Over a line with faults and a cable that comes out, with pauses of people and at layers, objects are skipped in mid-print, and some are printed after all: what the
// printer executes is every stroke of the others, once, in order, at its speed and with its filament, and of what is skipped the beginning.
func TestSoakWithSkipping(t *testing.T) {
	seeds, done, gone := soakSeeds(t, 60), 0, 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, outcome := soakSkip(t, seed)
				if gone += n; outcome == "done" {
					done++
				}
			})
		})
	}
	t.Logf("%d of %d prints were done, with %d strokes left out", done, seeds, gone)
	if done < seeds*17/20 || gone < 10*done {
		t.Errorf("only %d of %d prints were done, with %d strokes left out: that shows little", done, seeds, gone)
	}
}

// soakPlate is a plate without what the pretend firmware does not do.
func soakPlate(r *rand.Rand) string {
	for {
		if text := plate(r); !bytes.Contains([]byte(text), []byte("G10\n")) {
			return text
		}
	}
}

func soakSkip(t *testing.T, seed uint64) (gone int, outcome string) {
	people := rand.New(rand.NewPCG(seed, 11))
	text := soakPlate(people)
	faults := soakFaults(people)
	faults.FlushDelay = 0 // nothing comes out of turn here: TestSoak has that
	sim, err := printertest.New(printertest.Config{Firmware: "marlin2", Baud: 115200, Faults: faults, Seed: seed, KeepExecuted: true, Speed: 1, Heat: 10, USBLatency: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	p, stop := run(t, sim, func(c *Config) { c.ResumeWithin = 30 * time.Second })
	defer stop()
	r := &rig{t, p, sim}
	if s := await(t, p, func(s *Snapshot) bool { return s.State == Idle || s.State == Faulted }); s.State != Idle {
		return 0, "failed" // a line without a number was damaged into a stop, before there was a print
	}
	r.print("j1", text, nil)
	for range people.IntN(3) {
		_, _ = p.SetStop(t.Context(), "j1", StopAt{Layer: 2 + people.IntN(5)}) // a plate without layers has none
	}
	lines := int64(bytes.Count([]byte(text), []byte("\n")))
	skip, pause, cable := people.Int64N(lines*2/3), people.Int64N(lines), people.Int64N(2*lines)
	object, kept, second := people.IntN(3), people.IntN(3), people.IntN(2) == 0
	skipped := map[int]bool{}
	ask := func(object int, skip bool) {
		if _, err := p.SkipObject(t.Context(), "j1", object, skip); err == nil {
			skipped[object] = skip
		} else if !skip && skipped[object] { // then lines of it are missing, as the status says soon
			await(t, p, func(s *Snapshot) bool { return s.Job == nil || slices.Contains(s.Job.LeftOut, object) })
		}
	}
	for {
		snap := await(t, p, func(s *Snapshot) bool {
			return s.LastJob != nil || s.State == Paused || s.Job != nil && s.Job.Line >= min(skip, pause, cable)
		})
		if snap.LastJob != nil {
			outcome = snap.LastJob.Outcome
			break
		}
		switch at := snap.Job.Line; {
		case at >= skip:
			skip = 2 * lines
			ask(kept, true)
			ask(kept, false)
			ask(object, true)
			if second {
				ask((object+1)%3, true)
			}
		case at >= pause && snap.State == Printing:
			pause = 2 * lines
			_, _ = p.Pause(t.Context(), "j1")
		case at >= cable && snap.State == Printing:
			cable = 2 * lines
			sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
		case snap.State == Paused:
			time.Sleep(time.Duration(people.IntN(5)) * time.Second)
			_, _ = p.Resume(t.Context(), "j1")
			time.Sleep(100 * time.Millisecond)
		default:
			time.Sleep(100 * time.Millisecond)
		}
	}
	return leftOut(t, text, sim.Executed(), skipped, outcome), outcome
}

// reportedMM is how exactly a firmware says where the head is, which a pause goes back to.
const reportedMM = 0.0061

// leftOut compares what was executed with a file, and returns how many strokes of what is skipped are not there.
func leftOut(t *testing.T, text string, executed []string, skipped map[int]bool, outcome string) (gone int) {
	all, _, _ := skipping(t, []byte(text), nil)
	strokes := func(lines []string) []stroke {
		s, _ := machine(slices.DeleteFunc(lines, func(l string) bool { return l == "" }))
		return slices.DeleteFunc(s, func(s stroke) bool { return s.push <= 0 || s.from == s.to })
	}
	got, over := strokes(executed), map[int]bool{}
	for _, w := range strokes(texts(all)) {
		object := all[w.line].pos.object - 1
		there := len(got) > 0 && distance(got[0], stroke{from: w.from, to: w.to, push: w.push, held: got[0].held}) < reportedMM && got[0].way == w.way && got[0].tool == w.tool && math.Abs(got[0].feed-w.feed) < 0.01
		switch {
		case there && !over[object]:
			got = got[1:]
		case skipped[object]:
			over[object] = true
			gone++
		case len(got) == 0 && outcome != "done":
			return gone
		default:
			t.Fatalf("%d strokes before the end it prints %+v, want %+v (line %d %s) of object %d, skipped are %v", len(got), got[:min(1, len(got))], w, all[w.line].pos.line, all[w.line].text, object, skipped)
		}
	}
	if len(got) > 0 {
		t.Fatalf("it prints %d strokes too many, the first is %+v", len(got), got[0])
	}
	return gone
}
