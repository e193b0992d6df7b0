package printer

import (
	"context"
	"errors"
	"layerd/printer/printertest"
	"slices"
	"testing"
	"time"
)

// A query gets the lines that its command makes the firmware say, and no others, in mid-print too.
func TestQuery(t *testing.T) {
	for _, firmware := range []string{"marlin2", "marlin2-plain", "marlin1", "prusa", "klipper"} {
		whole(t, printertest.Config{Firmware: firmware, AdvancedOK: firmware == "marlin2", Baud: 115200, Speed: 1, Heat: 4}, nil, func(r *rig) {
			r.becomes(Idle)
			idle, err := r.p.Query(r.Context(), "M119")
			if err != nil || len(idle) == 0 {
				t.Fatalf("%s: got %q, %v", firmware, idle, err)
			}
			r.print("j1", square(100, 200, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 40 })
			printing, err := r.p.Query(r.Context(), "m119")
			if err != nil || len(printing) != len(idle) {
				t.Errorf("%s, printing: got %q, %v, want such as %q", firmware, printing, err, idle)
			}
			if _, err := r.p.Query(r.Context(), "G28"); !errors.Is(err, ErrBadCommand) {
				t.Errorf("%s: got %v for what would break the print", firmware, err)
			}
		})
	}
}

// Queries take turns, and none waits for an answer that cannot come.
func TestQueriesTakeTurnsAndEnd(t *testing.T) {
	whole(t, printertest.Config{Firmware: "marlin2", Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		answers := make(chan []string, 3)
		for range 3 {
			go func() {
				lines, err := r.p.Query(r.Context(), "M119")
				if err != nil {
					t.Error(err)
				}
				answers <- lines
			}()
		}
		first := <-answers
		for range 2 {
			if got := <-answers; !slices.Equal(got, first) {
				t.Errorf("got %q, then %q", first, got)
			}
		}
		soon, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if _, err := r.p.Query(soon, "G4 S20"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a slow command: got %v", err)
		}
		if got, err := r.p.Query(r.Context(), "M119"); err != nil || !slices.Equal(got, first) {
			t.Errorf("behind it: got %q, %v", got, err)
		}
		go func() {
			time.Sleep(2 * time.Second)
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug})
		}()
		if _, err := r.p.Query(r.Context(), "G4 S60"); !errors.Is(err, ErrWrongState) {
			t.Errorf("a cable pulled meanwhile: got %v", err)
		}
	})
}

// A query whose asker has gone, and whose print then lost its port: its answer is for nobody, and holds nobody up.
func TestQueryOfALostPrint(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Baud: 115200}, func(c *Config) { c.ResumeWithin = 10 * time.Second }, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", "G28\nG4 S12\n"+square(20, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 1 })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		_, err := r.p.Query(ctx, "M503")
		cancel()
		if err == nil {
			t.Fatal("it was answered at once")
		}
		r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: 2 * time.Second})
		r.becomes(Faulted)
		time.Sleep(5 * time.Minute)
		ctx, cancel = context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		if _, err := r.p.EmergencyStop(ctx); err != nil {
			t.Errorf("the owner does not listen: %v", err)
		}
	})
}
