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

// The soak's promise holds with a picture at each layer: over a line with faults, in both modes, with pictures taken and not, and a pause now and then, the job's
// moves are executed exactly, once and in order, and each from where the one before has ended, with its filament: what is extruded, and where, is what a
// print over a good line extrudes.
func TestSoakWithShots(t *testing.T) {
	seeds, done, shots, aside, wanted := soakSeeds(t, 60), 0, 0, 0, 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := tower(20, 8, []string{"G90", []string{"M82", "M83"}[seed%2]}...)
				plain, _, _, outcome := soakShots(t, 0, text, Shots{}, printertest.Config{Baud: 115200})
				if outcome != "done" {
					t.Fatalf("over a good line the print is %s", outcome)
				}
				r := rand.New(rand.NewPCG(seed, 6))
				faults := soakFaults(r)
				faults.FlushDelay = 0 // nothing comes out of turn here: TestSoak has that
				cfg := printertest.Config{Firmware: soakFirmwares[r.IntN(bearOne)], AdvancedOK: r.IntN(2) == 0, Baud: 115200, Faults: faults, Seed: seed}
				mode := []ShotMode{ShotsStill, ShotsPark, ShotsPark}[r.IntN(3)]
				got, n, parked, outcome := soakShots(t, seed, text, Shots{Mode: mode}, cfg)
				shots += n
				if mode == ShotsPark {
					aside, wanted = aside+parked, wanted+n
				} else if parked > 0 {
					t.Errorf("%d shots were aside", parked)
				}
				if outcome == "done" {
					done++
					sameTrail(t, got, plain)
					if n < 17 { // a pause that comes into one drops it
						t.Errorf("%d shots of 20 layers", n)
					}
				}
				if t.Failed() {
					t.Logf("%+v", cfg)
				}
			})
		})
	}
	t.Logf("%d of %d prints were done, with %d shots; %d of %d were aside", done, seeds, shots, aside, wanted)
	if aside < wanted*9/10 {
		t.Errorf("only %d of %d shots were aside", aside, wanted)
	}
	if done < seeds*17/20 {
		t.Errorf("only %d of %d prints were done: the faults are too many to show anything", done, seeds)
	}
}

// soakShots prints text with people about, and returns the body at the end, how many shots there were and how many of them aside, and the outcome.
func soakShots(t *testing.T, seed uint64, text string, shots Shots, cfg printertest.Config) (body printertest.Body, n, parked int, outcome string) {
	cfg.KeepExecuted = true
	sim, err := printertest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, stop := run(t, sim, nil)
	defer stop()
	r, people := &rig{t, p, sim}, rand.New(rand.NewPCG(seed, 7))
	r.becomes(Idle)
	r.must(p.SetNozzle(t.Context(), 0, 200)) // and its report has come when the print begins
	time.Sleep(time.Minute)
	r.start(text, shots)
	end := func() *Snapshot {
		for paused := 0; ; {
			snap := await(t, p, func(s *Snapshot) bool {
				return s.LastJob != nil || s.State == Paused || s.Job != nil && s.Job.Shot != nil && s.Job.Shot.Still && s.Job.Shot.N > n
			})
			switch {
			case snap.LastJob != nil:
				return snap
			case snap.State == Paused:
				_, _ = p.Resume(t.Context(), "j1")
			default:
				if n++; snap.Job.Shot.N != n {
					t.Errorf("shot %d has number %d", n, snap.Job.Shot.N)
				}
				if near(sim.Body().True[0], Presets()[0].ParkXMM, 0.01) { // it stays where reports are too damaged to be sure
					parked++
				}
				switch people.IntN(4) {
				case 0:
				case 1:
					if paused++; paused < 3 {
						_, _ = p.Pause(t.Context(), "j1")
					}
				default:
					_, _ = p.ShotTaken(t.Context(), "j1", n)
				}
			}
		}
	}()
	time.Sleep(time.Minute)
	want := ownLines(commands(text))
	got := only(want, sim.Executed())
	if outcome = end.LastJob.Outcome; outcome != "done" {
		if end.Fault == nil || end.Fault.Code == "" {
			t.Errorf("got %+v without a named fault", end.LastJob)
		}
		want = want[:min(len(got), len(want))]
	}
	if !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%s: executed %d of %d, the first difference at %d", outcome, len(got), len(want), i)
	}
	return sim.Body(), n, parked, outcome
}
