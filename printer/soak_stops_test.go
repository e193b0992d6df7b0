package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Over a line with faults, with pictures and without, a print that pauses by itself stands where it should: all before that layer was executed, once and in
// order, and nothing of it. Each pause that was set is made.
func TestSoakWithStops(t *testing.T) {
	seeds, done, made := soakSeeds(t, 60), 0, 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, outcome := soakStops(t, seed)
				if made += n; outcome == "done" {
					done++
				}
			})
		})
	}
	t.Logf("%d of %d prints were done, with %d pauses", done, seeds, made)
	if done < seeds*17/20 || made < 3*done {
		t.Errorf("only %d of %d prints were done, with %d pauses: that shows little", done, seeds, made)
	}
}

func soakStops(t *testing.T, seed uint64) (made int, outcome string) {
	people := rand.New(rand.NewPCG(seed, 8))
	text := tower(20, 8, "G90", []string{"M82", "M83"}[seed%2])
	faults := soakFaults(people)
	faults.FlushDelay = 0 // nothing comes out of turn here: TestSoak has that
	sim, err := printertest.New(printertest.Config{Firmware: soakFirmwares[people.IntN(bearOne)], AdvancedOK: people.IntN(2) == 0, Baud: 115200, Faults: faults, Seed: seed, KeepExecuted: true})
	if err != nil {
		t.Fatal(err)
	}
	p, stop := run(t, sim, nil)
	defer stop()
	r := &rig{t, p, sim}
	r.becomes(Idle)
	r.must(p.SetNozzle(t.Context(), 0, 200))
	time.Sleep(time.Minute)
	set := map[int]bool{}
	var stops []StopAt
	for range 4 {
		layer := 1 + people.IntN(20)
		stops, set[layer] = append(stops, StopAt{Layer: layer}), true
	}
	r.startStops(text, Shots{Mode: []ShotMode{ShotsOff, ShotsStill, ShotsPark}[people.IntN(3)]}, stops...)
	moves := ownLines(commands(text))
	for {
		snap := await(t, p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Paused })
		if snap.LastJob != nil {
			if outcome = snap.LastJob.Outcome; outcome == "done" && len(set) > 0 {
				t.Errorf("it never paused before %v", set)
			}
			break
		}
		if snap.Pause.By == "stop" {
			made++
			if got, want := only(moves, sim.Executed()), before(text, snap.Pause.Layer); !set[snap.Pause.Layer] || !slices.Equal(got, want) {
				t.Errorf("before layer %d it executed %d moves, want %d", snap.Pause.Layer, len(got), len(want))
			}
			delete(set, snap.Pause.Layer)
			if people.IntN(2) == 0 && snap.Pause.Layer < 20 {
				r.must(p.SetStop(t.Context(), "j1", StopAt{ThisLayer: true}))
				set[snap.Pause.Layer+1] = true
			}
		} else if snap.Fault == nil {
			t.Errorf("it paused for %+v", snap.Pause)
		}
		_, _ = p.Resume(t.Context(), "j1")
	}
	time.Sleep(time.Minute)
	got := only(moves, sim.Executed())
	if outcome != "done" {
		moves = moves[:min(len(got), len(moves))]
	}
	if !slices.Equal(got, moves) {
		t.Errorf("%s: executed %d moves of %d, or in another order", outcome, len(got), len(moves))
	}
	return made, outcome
}
