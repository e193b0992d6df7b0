package printer

import (
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The soak's promise holds with people about: they pause and resume, and type in between, over the same bad line.
func TestSoakWithPeople(t *testing.T) {
	seeds, done := soakSeeds(t, 30), 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if soakWithPeople(t, seed, nil) {
					done++
				}
			})
		})
	}
	t.Logf("%d of %d prints were done", done, seeds)
	if done < seeds*17/20 {
		t.Errorf("only %d of %d prints were done: the faults are too many to show anything", done, seeds)
	}
}

// The same with scripts for every moment. Few seeds: in thousands a damaged line whose one byte of checksum is right by chance is sure to come.
func TestSoakWithScripts(t *testing.T) {
	for seed := range uint64(few(20)) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soakWithPeople(t, seed, soakScripts) })
		})
	}
}

// soakScripts are a few lines for each moment, which the job has not.
var soakScripts = Scripts{OnConnected: "M117 hello", OnStarted: "M117 begin\nG91\nG4 P10", OnPaused: "G91\nG1 X3.21 F3000\nM104 S150\nM117 at {x_mm}",
	OnResumed: "G1 X77.7 F3000\nM106 S13", OnCancelled: "G1 X7.77 F3000\nM117 {percent}\nG4 S1", OnDone: "G91\nM117 over"}

func soakWithPeople(t *testing.T, seed uint64, scripts Scripts) (done bool) {
	r := rand.New(rand.NewPCG(seed, 3))
	faults := soakFaults(r)
	faults.FlushDelay = 0 // nothing comes out of turn here: TestSoak has that
	firmware := soakFirmwares[r.IntN(bearOne)]
	sim, err := printertest.New(printertest.Config{Firmware: firmware, AdvancedOK: r.IntN(2) == 0, Baud: 115200, Faults: faults, Seed: seed, KeepExecuted: true})
	if err != nil {
		t.Fatal(err)
	}
	p, stop := run(t, sim, func(c *Config) { c.Scripts = scripts })
	defer stop()
	await(t, p, func(s *Snapshot) bool { return s.State == Idle })
	text, want := soakJob(r, 300)
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Home(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), JobInfo{ID: "j", Size: int64(len(text)), Survey: survey}, io.NopCloser(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	var typed []string
	for i := 0; ; i++ {
		snap := await(t, p, func(s *Snapshot) bool { return s.Job == nil || s.State == Printing || s.State == Paused })
		if snap.Job == nil {
			break
		}
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		switch r.IntN(3) { // refusals because of what happened meanwhile are right
		case 0:
			line := fmt.Sprintf("M220 S%d.%d", 50+seed%100, i)
			if _, err := p.Send(t.Context(), line); err == nil {
				typed = append(typed, line)
			}
		default:
			if snap.State == Paused {
				_, _ = p.Resume(t.Context(), "j")
			} else if i < 12 {
				_, _ = p.Pause(t.Context(), "j")
			}
		}
	}
	snap := await(t, p, func(s *Snapshot) bool { return s.LastJob != nil })
	time.Sleep(time.Minute)
	known := map[string]bool{}
	for _, l := range append(slices.Clone(want), typed...) {
		known[l] = true
	}
	var got, said []string
	for _, l := range sim.Executed() {
		switch {
		case known[l] && strings.HasPrefix(l, "M220"):
			said = append(said, l)
		case known[l]:
			got = append(got, l)
		}
	}
	if done = snap.LastJob.Outcome == "done"; !done {
		if snap.Fault == nil {
			t.Errorf("%s: got %+v without a fault", firmware, snap.LastJob)
		}
		want = want[:min(len(got), len(want))]
		typed = slices.DeleteFunc(typed, func(l string) bool { return !slices.Contains(said, l) }) // a fault drops what waits
	}
	if !slices.Equal(got, want) || !slices.Equal(said, typed) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%s, %s: executed %d of %d, the first difference at %d; of what was typed %d of %d", firmware, snap.LastJob.Outcome, len(got), len(want), i, len(said), len(typed))
	}
	return done
}
