package printer

import (
	"context"
	"errors"
	"layerd/printer/printertest"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// cube is a card with a print that heats, homes and moves for some minutes, and others beside it.
func cube() []printertest.CardFile {
	return []printertest.CardFile{
		{Path: "CUBE20~1.GCO", Long: "Cube 20 mm.gcode", Text: "M140 S60\nM109 S200\nG28\nG1 Z1 F600\nG91\n" + strings.Repeat("G1 X20 E1 F1200\nG1 X-20 E1\n", 100) + "M104 S0\nM140 S0\nM84\n",
			Date: time.Date(2024, 11, 22, 12, 33, 56, 0, time.UTC)},
		{Path: "/TOYS/SHORT.GCO", Long: "Short.gcode", Text: "M104 S50\n"},
		{Path: "A;M112.GCO", Long: "M112 \x1b[2J\u202e.gcode", Text: "M104 S250\n"},
	}
}

var cardFirmwares = []string{"marlin2", "marlin2-plain", "marlin1", "prusa"}

func cardRig(firmware string) printertest.Config {
	return printertest.Config{Firmware: firmware, AdvancedOK: firmware == "marlin2", Speed: 1, Heat: 4, Card: cube()}
}

func hasCard(s *Snapshot) bool { return s.State == Idle && s.Card != nil && s.Card.Present }

// A print that was started at the panel is seen within ten seconds; what only an idle printer may do is refused; pause, resume and its end are
// seen as the firmware does them.
func TestCardPrintFromThePanel(t *testing.T) {
	for _, firmware := range cardFirmwares {
		t.Run(firmware, func(t *testing.T) {
			whole(t, cardRig(firmware), nil, func(r *rig) {
				await(t, r.p, hasCard)
				time.Sleep(time.Minute)
				r.sim.Panel("print", "CUBE20~1.GCO")
				began := time.Now()
				s := await(t, r.p, func(s *Snapshot) bool { return s.Card.Printing })
				if took := time.Since(began); took > 10*time.Second || s.State != Printing || s.Job != nil || s.Card.ID == "" || s.Homed {
					t.Fatalf("after %v: state %v, job %v, card %+v", took, s.State, s.Job, s.Card)
				}
				r.refusesOnCard()
				r.must(r.p.SetFan(r.Context(), 50))
				r.must(r.p.Send(r.Context(), "M105"))
				s = await(t, r.p, func(s *Snapshot) bool {
					return s.Card.Bytes > 200 && (s.Card.Name != "" || firmware == "marlin1" || firmware == "prusa")
				})
				if s.Card.File == "" || s.Card.Name != "" && s.Card.Name != "Cube 20 mm.gcode" || s.Card.Percent <= 0 || s.Card.Size != int64(len(cube()[0].Text)) {
					t.Errorf("got %+v", s.Card)
				}
				if _, err := r.p.Pause(r.Context(), "card-0"); !errors.Is(err, ErrOtherJob) {
					t.Errorf("a late tap: got %v", err)
				}
				r.must(r.p.Pause(r.Context(), s.Card.ID))
				r.becomes(Pausing)
				r.becomes(Paused)
				time.Sleep(time.Minute)
				if s = r.now(); s.State != Paused || !s.Card.Paused || s.Job != nil {
					t.Fatalf("paused for a minute: state %v, card %+v", s.State, s.Card)
				}
				still := r.sim.Body().Believed
				time.Sleep(time.Minute)
				if now := r.sim.Body(); now.Believed != still || now.NozzleTargetC != 200 {
					t.Errorf("it moved from %v to %v, or cooled to %g", still, now.Believed, now.NozzleTargetC)
				}
				r.refusesOnCard()
				r.must(r.p.Resume(r.Context(), ""))
				r.becomes(Printing)
				s = await(t, r.p, func(s *Snapshot) bool { return s.State == Idle })
				if l := s.LastJob; l == nil || l.Outcome != "done" || !l.Card || l.Percent != 100 || s.Card.Printing || l.ElapsedS < 30 {
					t.Errorf("at the end: %+v", l)
				}
				r.must(r.p.Home(r.Context(), ""))
			})
		})
	}
}

// refusesOnCard asks for all that would disturb a print from the card.
func (r *rig) refusesOnCard() {
	r.Helper()
	ctx := r.Context()
	for name, do := range map[string]func() error{
		"jog":        func() error { _, err := r.p.Jog(ctx, 'x', 1); return err },
		"home":       func() error { _, err := r.p.Home(ctx, ""); return err },
		"extrude":    func() error { _, err := r.p.Extrude(ctx, 1); return err },
		"motors off": func() error { _, err := r.p.MotorsOff(ctx); return err },
		"disconnect": func() error { _, err := r.p.Disconnect(ctx); return err },
		"start": func() error {
			_, err := r.p.Start(ctx, JobInfo{ID: "j"}, &paper{Reader: strings.NewReader("G1 X1")})
			return err
		},
		"start_card": func() error { _, _, err := r.p.StartCard(ctx, "CUBE20~1.GCO"); return err },
	} {
		if err := do(); !errors.Is(err, ErrWrongState) || !strings.Contains(err.Error(), "printing from its card") {
			r.Errorf("%s: got %v", name, err)
		}
	}
	for _, line := range []string{"G28", "G1 X1", "M84", "M23 A.GCO", "M24", "M26 S5"} {
		if _, err := r.p.Send(ctx, line); !errors.Is(err, ErrBadCommand) {
			r.Errorf("%s: got %v", line, err)
		}
	}
}

// Stop ends a print from the card whatever the firmware knows, printing or paused or still heating, and leaves nothing hot.
func TestCardPrintStopped(t *testing.T) {
	for _, firmware := range cardFirmwares {
		for _, when := range []string{"heating", "printing", "paused"} {
			t.Run(firmware+" "+when, func(t *testing.T) {
				whole(t, cardRig(firmware), nil, func(r *rig) {
					await(t, r.p, hasCard)
					r.sim.Panel("print", "CUBE20~1.GCO")
					await(t, r.p, func(s *Snapshot) bool { return s.Card.Printing && (when == "heating" || s.Card.Bytes > 300) })
					if when == "paused" {
						r.must(r.p.Pause(r.Context(), ""))
						r.becomes(Paused)
					}
					r.must(r.p.Cancel(r.Context(), r.now().Card.ID))
					r.becomes(Cancelling)
					s := r.becomes(Idle)
					if l := s.LastJob; l == nil || l.Outcome != "cancelled" || !l.Card {
						t.Errorf("got %+v, notice %q", l, s.Notice)
					}
					time.Sleep(time.Minute)
					body := r.sim.Body()
					if s = r.now(); s.State != Idle || body.NozzleTargetC != 0 || body.BedTargetC != 0 || body.Motors {
						t.Errorf("a minute later: %v, %+v, prompt %+v", s.State, body, s.Prompt)
					}
				})
			})
		}
	}
}

// Pause, resume and stop at the panel are followed.
func TestCardPrintAtThePanel(t *testing.T) {
	for _, firmware := range cardFirmwares {
		t.Run(firmware, func(t *testing.T) {
			whole(t, cardRig(firmware), nil, func(r *rig) {
				await(t, r.p, hasCard)
				r.sim.Panel("print", "CUBE20~1.GCO")
				await(t, r.p, func(s *Snapshot) bool { return s.Card.Printing && s.Card.Bytes > 200 })
				began := time.Now()
				r.sim.Panel("pause", "")
				r.becomes(Paused)
				time.Sleep(20 * time.Second)
				r.sim.Panel("resume", "")
				r.becomes(Printing)
				r.sim.Panel("stop", "")
				s := r.becomes(Idle)
				if took := time.Since(began); took > 45*time.Second {
					t.Errorf("it took %v", took)
				}
				want := map[string]string{"marlin2": "cancelled"}[firmware]
				if want == "" {
					want = "interrupted" // nobody said why
				}
				if l := s.LastJob; l.Outcome != want || !l.Card {
					t.Errorf("got %+v, want %s", l, want)
				}
			})
		})
	}
}

// A layerd that ends in the middle of a print from the card leaves it alone, and the one that comes after sees it and touches nothing.
func TestCardPrintAndARestart(t *testing.T) {
	for _, firmware := range cardFirmwares {
		t.Run(firmware, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := cardRig(firmware)
				cfg.KeepExecuted = true
				sim, err := printertest.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				printer, off := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- sim.Run(printer) }()
				p, stop := hostOn(t, sim)
				await(t, p, hasCard)
				sim.Panel("print", "CUBE20~1.GCO")
				await(t, p, func(s *Snapshot) bool { return s.Card.Printing && s.Card.Bytes > 200 })
				soon, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := p.Shutdown(soon); err != nil {
					t.Errorf("Shutdown: got %v", err)
				}
				stop()
				before := len(sim.Executed())
				time.Sleep(5 * time.Second)
				p, stop = hostOn(t, sim)
				s := await(t, p, func(s *Snapshot) bool { return s.Card != nil && s.Card.Printing })
				if s.State != Printing || s.Job != nil {
					t.Errorf("got %v, job %v", s.State, s.Job)
				}
				s = await(t, p, func(s *Snapshot) bool { return s.State == Idle && s.LastJob != nil })
				if s.LastJob.Outcome != "done" {
					t.Errorf("got %+v", s.LastJob)
				}
				stop()
				file := strings.Split(cube()[0].Text, "\n")
				for _, line := range sim.Executed()[before:] {
					asked := slices.ContainsFunc([]string{"M27", "M105", "M114", "M115", "M155", "M876", "M110"}, func(q string) bool { return strings.HasPrefix(line, q) })
					if !asked && !slices.Contains(file, line) {
						t.Errorf("it said %q", line)
					}
				}
				off()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// One that starts while the print heats cannot be answered before it is hot. It waits, and does not fill the printer's buffer meanwhile.
func TestRestartWhileTheCardPrintHeats(t *testing.T) {
	for _, firmware := range cardFirmwares {
		t.Run(firmware, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := cardRig(firmware)
				cfg.Baud, cfg.TxBuffer, cfg.Heat = 115200, -1, 1
				sim, err := printertest.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				printer, off := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- sim.Run(printer) }()
				p, stop := hostOn(t, sim)
				await(t, p, hasCard)
				sim.Panel("print", "CUBE20~1.GCO")
				await(t, p, func(s *Snapshot) bool { return s.Card.Printing })
				stop()
				time.Sleep(5 * time.Second)
				p, stop = hostOn(t, sim)
				s := await(t, p, func(s *Snapshot) bool { return s.Fault != nil || s.Card != nil && s.Card.Printing })
				if s.Fault != nil || s.State != Printing || sim.Counters().Overruns > 0 {
					t.Errorf("got %v, fault %v, %d bytes found the buffer full", s.State, s.Fault, sim.Counters().Overruns)
				}
				stop()
				off()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// hostOn starts a Printer on a pretend one that goes on when it ends.
func hostOn(t *testing.T, sim *printertest.Sim) (p *Printer, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	p = New(Config{Port: "/dev/pretend", Baud: 115200, Profile: Presets()[0], Log: slog.New(slog.DiscardHandler),
		Open: func(_ context.Context, _ string, baud int) (Port, error) {
			port := sim.Open()
			return port, port.SetBaud(baud)
		}})
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	return p, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// The files of the card are listed with their long names, and one is started; what cannot be is refused with the reason.
func TestCardListedAndStarted(t *testing.T) {
	for _, firmware := range cardFirmwares {
		t.Run(firmware, func(t *testing.T) {
			whole(t, cardRig(firmware), nil, func(r *rig) {
				await(t, r.p, hasCard)
				list, err := r.p.ListCard(r.Context())
				if err != nil || len(list.Files) != 3 || list.ListedMS == 0 {
					t.Fatalf("got %+v, %v", list, err)
				}
				long := firmware == "marlin2" || firmware == "marlin2-plain" || firmware == "prusa"
				if f := list.Files[0]; f.Path != "CUBE20~1.GCO" || f.Bytes != int64(len(cube()[0].Text)) || long && (f.Name != "Cube 20 mm.gcode" || f.Changed(time.UTC).Year() != 2024) {
					t.Errorf("got %+v", f)
				}
				for path, want := range map[string]error{"A;M112.GCO": ErrCardFile, "NONE.GCO": ErrCardFile, "CUBE20~1.GCO\nM112": ErrCardFile, "": ErrCardFile} {
					if _, _, err := r.p.StartCard(r.Context(), path); !errors.Is(err, want) {
						t.Errorf("%q: got %v", path, err)
					}
				}
				id, rev, err := r.p.StartCard(r.Context(), "CUBE20~1.GCO")
				if err != nil || rev == 0 {
					t.Fatal(err)
				}
				s := r.now()
				if s.Card.ID != id || !s.Card.Printing || long && s.Card.Name != "Cube 20 mm.gcode" || s.State != Starting && s.State != Printing {
					t.Errorf("got %v, %+v", s.State, s.Card)
				}
				if again, err := r.p.ListCard(r.Context()); err != nil || len(again.Files) != 3 || again.ListedMS != list.ListedMS {
					t.Errorf("listed in mid-print: got %+v, %v", again, err)
				}
				await(t, r.p, func(s *Snapshot) bool { return s.State == Printing && s.Card.Bytes > 300 })
				s = r.becomes(Idle)
				if s.LastJob.ID != id || s.LastJob.Outcome != "done" {
					t.Errorf("got %+v", s.LastJob)
				}
				if id, _, err := r.p.StartCard(r.Context(), "/TOYS/SHORT.GCO"); err != nil || id == s.LastJob.ID {
					t.Errorf("the short one: got %q, %v", id, err)
				}
				if s = r.becomes(Idle); s.LastJob.Outcome != "done" {
					t.Errorf("the short one: got %+v", s.LastJob)
				}
				if slices.Contains(r.sim.Executed(), "M112.GCO") || r.sim.Body().Halted {
					t.Error("a file's name was executed")
				}
			})
		})
	}
}

// Without a card, or a reader, it is said so, and the printer is not asked for ever.
func TestNoCard(t *testing.T) {
	for _, firmware := range cardFirmwares {
		cfg := cardRig(firmware)
		cfg.CardOut = true
		whole(t, cfg, nil, func(r *rig) {
			await(t, r.p, func(s *Snapshot) bool { return s.Card != nil })
			if list, err := r.p.ListCard(r.Context()); !errors.Is(err, ErrNoCard) && len(list.Files) > 0 {
				t.Errorf("%s, no card in: got %+v, %v", firmware, list, err)
			}
			if r.now().Card.Present {
				t.Errorf("%s: got %+v", firmware, r.now().Card)
			}
			r.sim.Panel("insert", "")
			await(t, r.p, hasCard)
			if list, err := r.p.ListCard(r.Context()); err != nil || len(list.Files) != 3 {
				t.Errorf("%s, put in: got %+v, %v", firmware, list, err)
			}
		})
	}
	for _, firmware := range []string{"marlin2", "marlin1", "prusa", "klipper", "repetier", "reprapfirmware", "smoothie"} {
		whole(t, printertest.Config{Firmware: firmware}, nil, func(r *rig) {
			r.becomes(Idle)
			time.Sleep(10 * time.Minute)
			if _, err := r.p.ListCard(r.Context()); !errors.Is(err, ErrNoCard) || r.now().Card != nil {
				t.Errorf("%s: got %v, %+v", firmware, err, r.now().Card)
			}
			asked := 0
			for _, line := range r.sim.Executed() {
				if strings.HasPrefix(line, "M27") {
					asked++
				}
			}
			if asked > 1 {
				t.Errorf("%s was asked %d times", firmware, asked)
			}
		})
	}
}

// A card that is taken out ends the print, and so does a board that restarts; a cable that is pulled does not.
func TestCardPrintCutShort(t *testing.T) {
	for _, firmware := range cardFirmwares {
		start := func(r *rig) string {
			await(t, r.p, hasCard)
			r.sim.Panel("print", "CUBE20~1.GCO")
			return await(t, r.p, func(s *Snapshot) bool { return s.Card.Printing && s.Card.Bytes > 200 }).Card.ID
		}
		whole(t, cardRig(firmware), nil, func(r *rig) {
			id := start(r)
			r.sim.Panel("eject", "")
			if firmware == "marlin1" { // it keeps the file open and the heaters on, and cannot be told from a pause
				r.becomes(Paused)
				r.must(r.p.Cancel(r.Context(), id))
			}
			s := r.becomes(Idle)
			if l := s.LastJob; l.ID != id || l.Outcome == "done" {
				t.Errorf("%s, ejected: got %+v", firmware, l)
			}
			if (firmware == "marlin2" || firmware == "prusa") && s.Card.Present {
				t.Errorf("%s, ejected: got %+v", firmware, s.Card)
			}
		})
		whole(t, cardRig(firmware), nil, func(r *rig) {
			id := start(r)
			r.sim.Inject(printertest.Trigger{Kind: printertest.BoardReset})
			s := await(t, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
			if l := s.LastJob; l.ID != id || l.Outcome != "failed" || !strings.Contains(l.Reason, "restarted") {
				t.Errorf("%s, restarted: got %+v", firmware, l)
			}
			await(t, r.p, hasCard)
		})
		whole(t, cardRig(firmware), nil, func(r *rig) {
			id := start(r)
			r.must(r.p.EmergencyStop(r.Context()))
			if l := r.now().LastJob; l == nil || l.ID != id || l.Outcome != "failed" {
				t.Errorf("%s, emergency stop: got %+v", firmware, l)
			}
		})
		whole(t, cardRig(firmware), nil, func(r *rig) {
			id := start(r)
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: 10 * time.Second})
			r.becomes(Disconnected)
			s := await(t, r.p, func(s *Snapshot) bool { return s.Card != nil && s.Card.Printing })
			if s.Card.ID != id || s.LastJob != nil {
				t.Errorf("%s, plugged in again: got %+v, %+v", firmware, s.Card, s.LastJob)
			}
			if s = r.becomes(Idle); s.LastJob.ID != id || s.LastJob.Outcome != "done" {
				t.Errorf("%s: got %+v", firmware, s.LastJob)
			}
		})
		whole(t, cardRig(firmware), nil, func(r *rig) {
			id := start(r)
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Hour})
			r.becomes(Disconnected)
			s := await(t, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
			if l := s.LastJob; l.ID != id || l.Outcome != "interrupted" || !strings.Contains(l.Reason, "not seen") {
				t.Errorf("%s, over in the meantime: got %+v", firmware, l)
			}
		})
	}
}

// Over a line with faults a print from the card is seen, paused, resumed and its end noticed all the same, and nothing is said that it did not bear.
func TestCardPrintOverABadLine(t *testing.T) {
	for _, firmware := range cardFirmwares {
		for seed := range uint64(5) {
			cfg := cardRig(firmware)
			cfg.Baud, cfg.Seed, cfg.TxBuffer = 115200, seed, -1
			cfg.Faults = printertest.Faults{Flip: 1e-3, Drop: 5e-4, FlipBack: 1e-3, DropBack: 5e-4, LostOK: 0.02, DoubleOK: 0.02}
			whole(t, cfg, nil, func(r *rig) {
				await(t, r.p, func(s *Snapshot) bool { return s.State == Idle && s.Card != nil })
				before := len(r.sim.Executed())
				r.sim.Panel("print", "CUBE20~1.GCO")
				await(t, r.p, func(s *Snapshot) bool { return s.Card != nil && s.Card.Printing && s.Card.Bytes > 200 })
				if _, err := r.p.Pause(r.Context(), ""); err == nil {
					await(t, r.p, func(s *Snapshot) bool { return s.State != Pausing })
				}
				time.Sleep(30 * time.Second)
				if r.now().State == Paused {
					_, _ = r.p.Resume(r.Context(), "")
				}
				await(t, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Faulted })
				file := strings.Split(cube()[0].Text, "\n")
				for _, line := range r.sim.Executed()[before:] {
					asked := slices.ContainsFunc([]string{"M27", "M24", "M25", "M105", "M114", "M115", "M155", "M876", "M110", "M999"}, func(q string) bool { return strings.HasPrefix(line, q) })
					if c := line + " "; !asked && !slices.Contains(file, line) && strings.ContainsAny(c[:1], "GMT") {
						t.Errorf("%s, seed %d: it executed %q", firmware, seed, line)
					}
				}
				if s := r.now(); s.State != Idle || s.LastJob.Outcome != "done" && s.LastJob.Outcome != "interrupted" {
					t.Errorf("%s, seed %d: got %v, %+v, %v", firmware, seed, s.State, s.LastJob, s.Fault)
				}
			})
		}
	}
}
