package printer

import (
	"errors"
	"fmt"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// A pause in the file is a pause as by a tap, however the file says it and whatever the firmware would make of it. The line is not sent, and
// what is printed in the end is what the file says.
func TestPauseInFile(t *testing.T) {
	for _, firmware := range printertest.Firmwares() {
		if firmware == "teacup" || firmware == "sprinter" {
			continue // without M400 nobody can tell when the moves are done
		}
		for line, want := range map[string]PauseInfo{
			"M0 Insert the nut":             {By: "file", Message: "Insert the nut"},
			"M1":                            {By: "file"},
			"M117 Place magnets\nM601":      {By: "file", Message: "Place magnets"},
			"M25":                           {By: "file"},
			"M226":                          {By: "file"},
			"@pause Look \u0007at \u202eit": {By: "file", Message: "Look at it"},
		} {
			if firmware != "marlin2" && line != "M1" {
				continue
			}
			whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 4}, nil, func(r *rig) {
				r.becomes(Idle)
				text := square(20, 200, true, "M83")
				text += line + "\nG1 X70 Y60 E0.5\n"
				r.print("j1", text, nil)
				snap := r.becomes(Paused)
				if got := snap.Pause; got == nil || *got != want || snap.Job.Line != int64(strings.Count(text, "\n")-1) {
					t.Errorf("%s: %q: got %+v at line %d", firmware, line, got, snap.Job.Line)
				}
				if p := r.sim.Body().True; !near(p[0], snap.Profile.ParkXMM, 0.01) {
					t.Errorf("%s: %q: the head is at %v", firmware, line, p)
				}
				if time.Sleep(20 * time.Minute); r.now().State != Paused {
					t.Fatalf("%s: %q: got %v, %v", firmware, line, r.now().State, r.now().Fault)
				}
				r.must(r.p.Resume(r.Context(), "j1"))
				done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
				if b := r.sim.Body(); done.LastJob.Outcome != "done" || done.Pause != nil || !near(b.True[0], 70, 0.01) || !near(b.ExtrudedMM, 21*0.5, 0.02) {
					t.Errorf("%s: %q: got %+v, the head at %v, %.3f mm of filament", firmware, line, done.LastJob, b.True, b.ExtrudedMM)
				}
				last := line[strings.LastIndex(line, "\n")+1:]
				if slices.Contains(r.sim.Executed(), last) {
					t.Errorf("%s: it executed %q", firmware, last)
				}
			})
		}
	}
}

// A firmware that does not know M600 has the filament changed by hand: heat stays, filament can be moved, and the print goes on.
func TestFilamentByHand(t *testing.T) {
	for _, firmware := range []string{"marlin2-plain", "marlin1", "prusa", "repetier", "reprapfirmware", "klipper"} {
		whole(t, printertest.Config{Firmware: firmware, Speed: 1, Heat: 4}, nil, func(r *rig) {
			r.becomes(Idle)
			r.print("j1", square(20, 200, true, "M83")+"M600\nG1 X70 Y60 E0.5\n", nil)
			snap := r.becomes(Paused)
			if got := snap.Pause; got == nil || *got != (PauseInfo{By: "file", Filament: true}) {
				t.Errorf("%s: got %+v", firmware, got)
			}
			for _, by := range []float64{-100, 80, 30} {
				r.must(r.p.Extrude(r.Context(), by))
			}
			time.Sleep(3 * time.Minute)
			if b := r.sim.Body(); !near(b.ExtrudedMM, 20*0.5-snap.Profile.RetractMM+10, 0.02) || b.NozzleC < 190 {
				t.Errorf("%s: %.3f mm of filament, the nozzle at %.1f", firmware, b.ExtrudedMM, b.NozzleC)
			}
			r.must(r.p.Resume(r.Context(), "j1"))
			if done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); done.LastJob.Outcome != "done" || !near(r.sim.Body().True[0], 70, 0.01) {
				t.Errorf("%s: got %+v, the head at %v", firmware, done.LastJob, r.sim.Body().True)
			}
		})
	}
}

// A firmware that changes filament by itself is waited for as long as it takes.
func TestFilamentByFirmware(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 4}, nil, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", square(20, 200, true, "M83")+"M600\nG1 X70 Y60 E0.5\n", nil)
		snap := r.becomes(Paused)
		if got := snap.Pause; got == nil || *got != (PauseInfo{By: "file", Filament: true, Held: true}) {
			t.Errorf("got %+v", got)
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.Prompt != nil })
		if _, err := r.p.Extrude(r.Context(), 10); !errors.Is(err, ErrWrongState) {
			t.Errorf("extrude: got %v", err)
		}
		if time.Sleep(time.Hour); r.now().State != Paused || slices.Contains(r.sim.Executed(), "G1 X70 Y60 E0.5") {
			t.Errorf("got %v, %v", r.now().State, r.now().Fault)
		}
	})
}

// What the firmware asks is answered once, and the answer does not wait for what asks.
func TestPromptAnswered(t *testing.T) {
	whole(t, printertest.Config{Speed: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		more := make(chan struct{})
		r.print("j1", square(200, 0, true, "M83"), more)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line == batchLines })
		r.must(r.p.ask(r.Context(), func(o *owner, _ time.Time) error { return o.queue("M0 click") }))
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State == Paused && s.Prompt != nil })
		if got := fmt.Sprint(snap.Prompt.Text, snap.Prompt.Buttons, *snap.Pause); got != "click[Continue] {firmware  false 0 true <nil>}" {
			t.Errorf("got %s", got)
		}
		r.must(r.p.Send(r.Context(), "M220 S90"))
		if time.Sleep(time.Hour); r.now().State != Paused || slices.Contains(r.sim.Executed(), "M220 S90") {
			t.Errorf("got %v, %v", r.now().State, r.now().Fault)
		}
		r.must(r.p.Answer(r.Context(), snap.Prompt.ID, 0))
		if got := r.now().Prompt; got != nil {
			t.Errorf("after the answer it still asks %+v", got)
		}
		if _, err := r.p.Answer(r.Context(), snap.Prompt.ID, 0); !errors.Is(err, ErrNoPrompt) {
			t.Errorf("a second answer: got %v", err)
		}
		r.becomes(Printing)
		close(more)
		if done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }); done.LastJob.Outcome != "done" || done.Notice != "" {
			t.Errorf("got %+v, notice %q", done.LastJob, done.Notice)
		}
		if got := r.sim.Executed(); !slices.Contains(got, "M220 S90") || !slices.Contains(got, "M876 S0") {
			t.Errorf("executed %q", got)
		}
	})
}

// Actions that the firmware asks for, here by M118 in the file, are done as a person would do them.
func TestActions(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 4}, nil, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", square(20, 200, true, "M83")+"M118 A1 action:notification Half way\nM118 A1 action:pause filament_runout 0\nG1 X70 E1\nM118 A1 action:cancel\nG1 X80 E1\nG4 S9\nG1 X90\nG1 X91\n", nil)
		snap := r.becomes(Paused)
		if got := snap.Pause; got == nil || *got != (PauseInfo{By: "runout", Filament: true}) || snap.Notice != "Half way" {
			t.Errorf("got %+v, notice %q", got, snap.Notice)
		}
		if b := r.sim.Body(); !near(b.True[0], snap.Profile.ParkXMM, 0.01) {
			t.Errorf("the head is at %v", b.True)
		}
		r.must(r.p.Resume(r.Context(), "j1"))
		done := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if done.LastJob.Outcome != "cancelled" || done.LastJob.Reason != "stopped at the printer" || r.sim.Body().NozzleTargetC != 0 {
			t.Errorf("got %+v, nozzle %+v", done.LastJob, r.sim.Body())
		}
		r.must(r.p.Send(r.Context(), "M118 A1 action:disconnect"))
		r.becomes(Disconnected)
		if time.Sleep(time.Hour); r.now().State != Disconnected || r.now().Fault != nil {
			t.Errorf("got %v, %v", r.now().State, r.now().Fault)
		}
		r.must(r.p.Connect(r.Context(), "", 0))
		r.becomes(Idle)
	})
}

// What a firmware says to people is bounded, and none of it can be anything but text.
func TestWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"  Insert the nut ", "Insert the nut"},
		{"a\uFFFDb\xff \u202ec\x1b[31md\te", "ab c[31md e"},
		{strings.Repeat("ü", 101), strings.Repeat("ü", 100) + "…"},
		{strings.Repeat("x", 199) + "ü", strings.Repeat("x", 199) + "…"},
	} {
		if got := words(c.text); got != c.want {
			t.Errorf("%.20q: got %q, want %q", c.text, got, c.want)
		}
	}
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	s.state = Idle
	now := time.Unix(1e9, 0)
	for range 3 {
		s.regardAction(now, "prompt_begin "+strings.Repeat("?", 5000))
		for range 1000 {
			s.regardAction(now, "prompt_button "+strings.Repeat("!", 5000))
			s.regardAction(now, "prompt_text "+strings.Repeat("!", 5000))
		}
		s.regardAction(now, "prompt_show")
	}
	p := s.prompt()
	if p == nil || len(p.Text) > maxWords+10 || len(p.Buttons) != 10 || len(p.Buttons[9]) > maxWords+10 || p.ID != now.UnixMilli()+2 {
		t.Errorf("got %+v", p)
	}
}
