package printer

import (
	"context"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Stop, pressed at any moment of a print over a line with faults, in the midst of pausing and resuming too, ends cold: in Idle, or with a named
// fault and heaters off all the same.
func TestSoakStops(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(soakSeeds(t, 100)) {
		if !t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soakStop(t, seed, ends) })
		}) {
			t.FailNow()
		}
	}
	t.Logf("ended %v", ends)
	if ends["cancelled"] < ends["failed"] {
		t.Error("most prints were not cancelled: the faults are too many to show anything")
	}
}

func soakStop(t *testing.T, seed uint64, ends map[string]int) {
	r := rand.New(rand.NewPCG(seed, 5))
	faults := soakFaults(r)
	faults.Stall, faults.FlushDelay = 0, min(faults.FlushDelay, 8*time.Millisecond)
	if faults.DoubleOK > 0 && r.IntN(2) == 0 {
		faults.DoubleOK, faults.Drop = 0.2, 2e-3
	}
	baud := []int{115200, 250000}[r.IntN(2)]
	cfg := printertest.Config{Firmware: soakFirmwares[r.IntN(len(soakFirmwares))], AdvancedOK: r.IntN(2) == 0, Baud: baud, Speed: 1, Heat: 20,
		USBLatency: time.Duration(r.IntN(9)) * time.Millisecond, TxBuffer: []int{-1, 0, 1}[r.IntN(3)], Faults: faults, Seed: seed, KeepExecuted: true}
	sim, err := printertest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	text := square(400, 200, true, "M83")
	p, stop := run(t, sim, func(c *Config) {
		if c.Baud = baud; seed%2 == 1 {
			c.Scripts = soakScripts
		}
	})
	defer stop()
	await(t, p, func(s *Snapshot) bool { return s.State == Idle })
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), JobInfo{ID: "soak", Size: int64(len(text)), Survey: survey}, io.NopCloser(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	at := int64(r.IntN(200))
	over := func(s *Snapshot) bool { return s.LastJob != nil }
	await(t, p, func(s *Snapshot) bool { return over(s) || s.State == Paused || s.Job != nil && s.Job.Line >= at })
	if r.IntN(2) == 0 {
		_, _ = p.Pause(t.Context(), "") // refused when it is paused already
		if r.IntN(2) == 0 {
			await(t, p, func(s *Snapshot) bool { return over(s) || s.State == Paused })
			_, _ = p.Resume(t.Context(), "") // refused when a fault has ended it
		}
	}
	time.Sleep(time.Duration(r.Int64N(int64(4 * time.Second))))
	_, refused := p.Cancel(t.Context(), "soak")
	if hurry := r.IntN(3) == 0; hurry && refused == nil {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+r.IntN(100))*time.Millisecond)
		_ = p.Shutdown(ctx) // out of time, it says heaters off ahead of everything
		cancel()
	}
	end := await(t, p, over)
	ends[end.LastJob.Outcome]++
	if refused == nil && end.LastJob.Outcome == "done" {
		t.Errorf("it was done after Stop was accepted")
	}
	await(t, p, func(s *Snapshot) bool { return s.State == Idle || s.State == Faulted })
	time.Sleep(time.Minute)
	if b := sim.Body(); refused == nil && end.LastJob.Outcome == "cancelled" && (b.NozzleTargetC != 0 || b.BedTargetC != 0) {
		t.Errorf("%s, faults %+v: Stop at line %d left targets of %g and %g °C", cfg.Firmware, faults, at, b.NozzleTargetC, b.BedTargetC)
		entries, _ := p.console.Since(t.Context(), 0, consoleLines)
		for _, e := range entries[max(0, len(entries)-100):] {
			t.Logf("%d %s %s", e.AtMS, e.Dir, e.Text)
		}
	}
}
