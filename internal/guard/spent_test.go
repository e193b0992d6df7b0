package guard_test

import (
	"strings"
	"testing"

	"layerd/internal/guard"
	"layerd/printer"
	"layerd/printer/printertest"
)

// The camera was wrong, and may not ask again for two hours. What is lost then is found all the same, by the next check that is due.
func TestALossAfterTheCameraWasWrong(t *testing.T) {
	watch(t, printertest.Config{}, nil, func(w *world) {
		if s := w.setUp(); s.Setup.Step != "done" {
			t.Fatalf("set-up: %+v", s.Setup)
		}
		w.films()
		w.print(tower(60), printer.Shots{Mode: printer.ShotsPark})
		w.sees("some looks", func(s *guard.State) bool {
			n := 0
			for _, l := range s.Layers {
				if l.XMM != nil {
					n++
				}
			}
			return s.Job == "j1" && n >= 4
		})
		w.mu.Lock()
		w.beside = 2
		w.mu.Unlock()
		s := w.sees("that the camera was wrong", func(s *guard.State) bool { return s.Notice != "" || s.Alarm != nil })
		if s.Alarm != nil || !strings.Contains(s.Notice, "the endstops say that the head is right") {
			t.Fatalf("got %+v, %q", s.Alarm, s.Notice)
		}
		asked := w.until("the check", func(s *printer.Snapshot) bool {
			return s.Job != nil && s.Job.Check != nil && s.Job.Check.Why == printer.CheckSuspicion
		})
		if asked.Job.Check.Verdict != printer.CheckRight {
			t.Fatalf("got %+v", asked.Job.Check)
		}
		faults, err := printertest.ParseFaults("lose@x:8:1")
		if err != nil {
			t.Fatal(err)
		}
		w.sim.Inject(faults.At...)
		paused := w.until("the pause", func(s *printer.Snapshot) bool { return s.State == printer.Paused || s.LastJob != nil })
		if paused.Pause == nil || paused.Pause.By != "shift" || paused.Job.Check.Why != printer.CheckDue || paused.Job.Check.Verdict != printer.CheckLost {
			t.Errorf("got %+v, %+v, %+v", paused.Pause, paused.Job, paused.LastJob)
		}
	})
}
