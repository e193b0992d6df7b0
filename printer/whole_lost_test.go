package printer

import (
	"context"
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

// within lets a print go on by itself after ten seconds without its port.
func within(c *Config) { c.ResumeWithin = 10 * time.Second }

// The cable is out for a moment in mid-print, and the board goes on with what it has: so does the print when the cable is back, by itself
// or at a tap, and each line is executed once, in order.
func TestCableOutAndIn(t *testing.T) {
	for _, firmware := range []string{"marlin2", "marlin2-plain", "marlin1", "prusa"} {
		for _, out := range []time.Duration{200 * time.Millisecond, 5 * time.Second, 40 * time.Second} {
			t.Run(fmt.Sprint(firmware, "/", out), func(t *testing.T) {
				whole(t, printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 4, USBLatency: time.Millisecond, KeepExecuted: true}, within, func(r *rig) {
					text := square(200, 200, true, "M83")
					r.becomes(Idle)
					src := r.print("j1", text, nil)
					await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 })
					r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: out})
					broke := time.Now()
					snap := r.becomes(Faulted)
					if took := time.Since(broke); took > time.Second || snap.Fault.Code != FaultPortLost || snap.Lost == nil || snap.Job == nil || snap.Job.Line < 40 || snap.LastJob != nil {
						t.Errorf("after %v: %+v, lost %+v, job %+v", took, snap.Fault, snap.Lost, snap.Job)
					}
					if out > 10*time.Second {
						snap = r.becomes(Paused)
						if snap.Fault == nil || snap.Fault.Code != FaultPortLost || snap.Lost != nil {
							t.Errorf("got %+v, want it to wait for a person", snap.Fault)
						}
						time.Sleep(time.Minute)
						from := len(r.sim.Executed())
						time.Sleep(time.Minute)
						if got := handshakeOnly(r.sim.Executed()[from:]); len(got) > 0 {
							t.Errorf("nobody asked, and it executed %q", got)
						}
						r.must(r.p.Resume(r.Context(), "j1"))
					}
					if snap = r.becomes(Printing); snap.Fault != nil || snap.Lost != nil {
						t.Errorf("it goes on with %+v, %+v", snap.Fault, snap.Lost)
					}
					await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil && s.LastJob.Outcome == "done" })
					want := commands(text)
					if got := only(want, r.sim.Executed()); !slices.Equal(got, want) && out <= 10*time.Second {
						t.Errorf("executed %d lines of %d, or in another order", len(got), len(want))
					}
					moves := func(l string) bool { return !strings.HasPrefix(l, "G1 X") }
					if got, want := slices.DeleteFunc(r.sim.Executed(), moves), slices.DeleteFunc(want, moves); !slices.Equal(got, want) {
						t.Errorf("executed %d moves of %d, or in another order", len(got), len(want))
					}
					if n := src.closed.Load(); n != 1 {
						t.Errorf("the file was closed %d times", n)
					}
				})
			})
		}
	}
}

// commands lists a job's commands.
func commands(text string) []string {
	var out []string
	for scan := gcode.NewScanner(strings.NewReader(text)); scan.Scan(); {
		out = append(out, string(scan.Line().Text))
	}
	return out
}

// A board that lost its place while the port was away must not move. The print is kept as interrupted, with where it was.
func TestCableOutAndBoardRestarted(t *testing.T) {
	for name, c := range map[string]struct {
		cfg     printertest.Config
		trigger printertest.Trigger
		fault   FaultCode
	}{
		"power":       {printertest.Config{}, printertest.Trigger{Kind: printertest.PowerLoss, For: 2 * time.Second}, FaultBoardReset},
		"opening":     {printertest.Config{ResetOnOpen: true}, printertest.Trigger{Kind: printertest.Unplug, For: 2 * time.Second}, FaultBoardReset},
		"given up":    {printertest.Config{}, printertest.Trigger{Kind: printertest.Unplug}, FaultPortLost},
		"no answer":   {printertest.Config{}, printertest.Trigger{Kind: printertest.Unplug, For: 2 * time.Second}, FaultSilent},
		"no numbers":  {printertest.Config{Firmware: "klipper"}, printertest.Trigger{Kind: printertest.Unplug, For: 2 * time.Second}, FaultPortLost},
		"no port yet": {printertest.Config{}, printertest.Trigger{Kind: printertest.Unplug, For: 8 * time.Hour}, FaultPortLost},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Baud, c.cfg.Speed, c.cfg.Heat, c.cfg.KeepExecuted = 115200, 1, 4, true
			whole(t, c.cfg, within, func(r *rig) {
				src := r.printing()
				r.sim.Inject(c.trigger)
				r.becomes(Faulted)
				if c.fault == FaultSilent {
					r.sim.Inject(printertest.Trigger{Kind: printertest.Silent})
				}
				time.Sleep(10 * time.Second) // what the board has is executed
				from := len(r.sim.Executed())
				time.Sleep(time.Minute)
				snap := r.now()
				if snap.State != Faulted || snap.Fault.Code != c.fault || snap.Fault.JobID != "j1" || snap.Fault.Next == "" {
					t.Errorf("got %v, %+v", snap.State, snap.Fault)
				}
				if got := handshakeOnly(r.sim.Executed()[from:]); len(got) > 0 {
					t.Errorf("nobody asked, and it executed %q", got)
				}
				if c.fault == FaultPortLost && c.cfg.Firmware == "" {
					if snap.Lost == nil || snap.LastJob != nil {
						t.Errorf("it no longer waits: %+v", snap.LastJob)
					}
					r.must(r.p.Dismiss(r.Context()))
					snap = await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
				}
				outcome := "interrupted"
				if c.cfg.Firmware == "klipper" {
					outcome = "failed"
				}
				if j := snap.LastJob; snap.Lost != nil || snap.Job != nil || j == nil || j.Outcome != outcome || j.Line < 40 || j.Reason == "" || len(j.Log) == 0 {
					t.Errorf("got %+v, lost %+v", j, snap.Lost)
				}
				if synctest.Wait(); src.closed.Load() != 1 {
					t.Errorf("the file was closed %d times", src.closed.Load())
				}
			})
		})
	}
}

// The port is found again by what is plugged in, not by its name, and another printer that comes meanwhile is left alone.
func TestCableInUnderAnotherName(t *testing.T) {
	dialling(t, within, func(r *rig, ctx context.Context, b *bench) {
		b.plug(t, ctx, "/dev/ttyUSB0", "A", printertest.Config{Speed: 1, Heat: 4, KeepExecuted: true})
		r.becomes(Idle)
		text := square(100, 200, true, "M83")
		r.print("j1", text, nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 })
		sim := b.sims["/dev/ttyUSB0"]
		b.mu.Lock()
		b.ports, b.sims = nil, map[string]*printertest.Sim{}
		b.mu.Unlock()
		sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
		r.becomes(Faulted)
		b.plug(t, ctx, "/dev/ttyUSB0", "B", printertest.Config{KeepExecuted: true})
		time.Sleep(2 * time.Second)
		b.mu.Lock()
		b.ports = append(b.ports, PortInfo{Path: "/dev/ttyUSB1", Vendor: "1a86", Product: "7523", Serial: "A"})
		b.sims["/dev/ttyUSB1"] = sim
		b.mu.Unlock()
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if snap.LastJob.Outcome != "done" || snap.Connection.Port != "/dev/ttyUSB1" {
			t.Errorf("got %+v on %s", snap.LastJob, snap.Connection.Port)
		}
		if want := commands(text); !slices.Equal(only(want, sim.Executed()), want) {
			t.Errorf("executed %d lines of %d, or in another order", len(only(want, sim.Executed())), len(want))
		}
		if got := b.sims["/dev/ttyUSB0"].Executed(); len(got) > 0 {
			t.Errorf("the other printer executed %q", got)
		}
	})
}

// The soak's promise with cables that come out, in the middle of lines too, over a line with faults.
func TestSoakCables(t *testing.T) {
	var sum soakSum
	for seed := range uint64(soakSeeds(t, 40)) {
		if !t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soakCables(t, seed, &sum) })
		}) {
			t.FailNow()
		}
	}
	t.Logf("%d lines executed once and in order, %d prints done, %d stopped %v; %d pauses, cables out %d times", sum.lines, sum.done, sum.faulted, sum.codes, sum.held, sum.out)
	if sum.done < sum.faulted {
		t.Error("most prints were not done")
	}
}

func soakCables(t *testing.T, seed uint64, sum *soakSum) {
	r := rand.New(rand.NewPCG(seed, 4))
	faults := printertest.Faults{Flip: 3e-4 * r.Float64(), LostOK: 0.01 * r.Float64()}
	for range r.IntN(4) {
		faults.At = append(faults.At, printertest.Trigger{Kind: printertest.Unplug, Line: 20 + r.Int64N(300), For: time.Duration(50+r.IntN(15000)) * time.Millisecond})
	}
	sum.out += len(faults.At)
	sim, err := printertest.New(printertest.Config{Firmware: soakFirmwares[r.IntN(bearOne)], AdvancedOK: r.IntN(2) == 0, Baud: 115200,
		USBLatency: time.Duration(r.IntN(5)) * time.Millisecond, TxBuffer: []int{-1, 0, 1}[r.IntN(3)], Faults: faults, Seed: seed, KeepExecuted: true})
	if err != nil {
		t.Fatal(err)
	}
	text, want := soakJob(r, 300)
	p, stop := run(t, sim, within)
	defer stop()
	await(t, p, func(s *Snapshot) bool { return s.State == Idle })
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), JobInfo{ID: "soak", Size: int64(len(text)), Survey: survey}, io.NopCloser(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	snap, held := watched(t, p)
	time.Sleep(time.Minute)
	sum.count(t, snap, held)
	got := onceOnly(only(want, sim.Executed()), 6*held)
	sum.lines += int64(len(got))
	if snap.LastJob.Outcome != "done" {
		want = want[:min(len(got), len(want))]
	}
	if !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		told := slices.ContainsFunc(snap.LastJob.Log, func(e Entry) bool { return strings.HasPrefix(e.Text, string(FaultOutOfTurn)) })
		if told && i >= len(got)-6 { // and the cable came out in that pause
			return
		}
		t.Errorf("%+v, %s: executed %d of %d, the first difference at %d", faults, snap.LastJob.Outcome, len(got), len(want), i)
	}
}

// A cable that is out for a moment while the printer heats: it talks all the time, but answers only when it is warm.
func TestCableOutWhileHeating(t *testing.T) {
	for _, job := range []string{"M190 S80\n", "M109 S200\n"} {
		for _, firmware := range []string{"marlin2", "marlin1", "prusa"} {
			t.Run(firmware+" "+job[:4], func(t *testing.T) {
				whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 1, Baud: 115200}, within, func(r *rig) {
					r.becomes(Idle)
					r.print("j1", job+square(20, 200, true, "M83"), nil)
					await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Waiting == "heating" })
					r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: 2 * time.Second})
					r.becomes(Faulted)
					time.Sleep(8 * time.Minute)
					if s := r.now(); s.Job == nil && (s.LastJob == nil || s.LastJob.Outcome != "done") {
						t.Errorf("the print is gone: %v, %v, %+v", s.State, s.Fault, s.LastJob)
					}
				})
			})
		}
	}
}

// What is set while the cable is out counts when it is back, and a cable that was out for long is not taken for a layerd that stood still.
func TestSetWhileTheCableIsOut(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 4, Baud: 115200}, func(c *Config) { c.ResumeWithin = 5 * time.Minute }, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", square(2000, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 && s.Bed != nil && s.Bed.ActualC > 59 })
		r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: 90 * time.Second})
		r.becomes(Faulted)
		r.must(r.p.SetCooling(r.Context(), Cooling{1, 1, 1}))
		r.becomes(Printing)
		time.Sleep(20 * time.Second)
		if s := r.now(); s.State != Printing || s.Keeper.Cooling != (Cooling{1, 1, 1}) {
			t.Errorf("%v, %v, cooling %+v", s.State, s.Fault, s.Keeper.Cooling)
		}
	})
}
