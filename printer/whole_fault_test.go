package printer

import (
	"context"
	"errors"
	"layerd/printer/printertest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// printing brings a job under way.
func (r *rig) printing() *paper {
	r.Helper()
	r.becomes(Idle)
	src := r.print("j1", square(1000, 200, true, "M83"), nil)
	await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 })
	return src
}

// What can happen to a printer in mid-print, the name that it gets, and how long that takes. Then a person dismisses it, and the next
// print works where the machine can work again.
func TestFaults(t *testing.T) {
	var marlins = []string{"marlin2", "marlin2-plain", "marlin1", "prusa"}
	for _, c := range []struct {
		name      string
		firmwares []string
		fault     printertest.Trigger
		want      FaultCode
		said      string
		within    time.Duration
		recovers  bool
	}{
		{"unplugged", []string{"klipper"}, printertest.Trigger{Kind: printertest.Unplug, For: 10 * time.Second}, FaultPortLost, "", time.Second, true},
		{"killed", marlins, printertest.Trigger{Kind: printertest.Kill}, FaultFirmware, "Thermal Runaway", time.Second, true},
		{"shut down", []string{"klipper"}, printertest.Trigger{Kind: printertest.Kill}, FaultFirmware, "not heating at expected rate", 2 * time.Second, true},
		{"decoupled", []string{"repetier"}, printertest.Trigger{Kind: printertest.Kill}, FaultFirmware, "decoupled", time.Second, true},
		{"heating fault", []string{"reprapfirmware"}, printertest.Trigger{Kind: printertest.Kill}, FaultFirmware, "Heating fault", time.Second, true},
		{"restarted", append(marlins, "repetier"), printertest.Trigger{Kind: printertest.BoardReset}, FaultBoardReset, "start", 4 * time.Second, true},
		{"restarted without a word", marlins, printertest.Trigger{Kind: printertest.BoardReset, Quiet: true}, FaultBoardReset, "Resend: 1", time.Minute, true},
		{"silent", append(marlins, "klipper", "repetier", "reprapfirmware"), printertest.Trigger{Kind: printertest.Silent}, FaultSilent, "", 2 * time.Minute, true},
		{"garbled", []string{"marlin2", "marlin1", "prusa"}, printertest.Trigger{Kind: printertest.Garble}, FaultGarbled, "", 3 * time.Minute, false},
	} {
		for _, firmware := range c.firmwares {
			t.Run(c.name+"/"+firmware, func(t *testing.T) {
				whole(t, printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 4, ResetOnOpen: true}, nil, func(r *rig) {
					src := r.printing()
					r.sim.Inject(c.fault)
					broke := time.Now()
					snap := await(t, r.p, func(s *Snapshot) bool { return s.State == Faulted && strings.Contains(s.Fault.Said, c.said) })
					if took := time.Since(broke); took > c.within {
						t.Errorf("it took %v", took)
					}
					f := snap.Fault
					if f.Code != c.want || f.JobID != "j1" || f.Message == "" || f.Next == "" || f.AtMS == 0 || !strings.Contains(f.Said, c.said) {
						t.Errorf("got fault %+v, want %s", f, c.want)
					}
					if snap.LastJob.Outcome != "failed" || snap.LastJob.Reason != f.Message || snap.LastJob.Line < 40 || snap.Job != nil {
						t.Errorf("got %+v", snap.LastJob)
					}
					if log := snap.LastJob.Log; len(log) != loggedLines || !strings.HasPrefix(log[loggedLines-1].Text, string(f.Code)) || log[0].Seq+loggedLines-1 != log[loggedLines-1].Seq {
						t.Errorf("its last lines are %+v", log)
					}
					from := len(r.sim.Executed())
					time.Sleep(9 * time.Minute) // in another, the nozzle would be switched off
					if got := r.now(); got.State != Faulted || *got.Fault != *f {
						t.Errorf("nine minutes later: %v, %+v, want it unchanged", got.State, got.Fault)
					}
					if got := handshakeOnly(r.sim.Executed()[from:]); len(got) > 20 { // the firmware's queue
						t.Errorf("nobody asked, and it executed %q", got)
					}
					if n := src.closed.Load(); n != 1 {
						t.Errorf("the file was closed %d times", n)
					}
					from = len(r.sim.Executed())
					r.must(r.p.Dismiss(r.Context()))
					if !c.recovers {
						await(r.T, r.p, func(s *Snapshot) bool { return s.State == Disconnected && s.Fault != nil })
						return
					}
					if snap := r.becomes(Idle); snap.Fault != nil || snap.Homed {
						t.Errorf("after dismissing it: %+v, homed %v", snap.Fault, snap.Homed)
					}
					if got := handshakeOnly(r.sim.Executed()[from:]); len(got) > 0 {
						t.Errorf("on its own it executed %q", got)
					}
					r.print("j2", square(20, 200, true, "M83"), nil)
					await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob.ID == "j2" && s.LastJob.Outcome == "done" })
				})
			})
		}
	}
}

// handshakeOnly leaves out what may be said without anybody asking.
func handshakeOnly(executed []string) []string {
	return slices.DeleteFunc(slices.Clone(executed), func(l string) bool {
		return slices.Contains([]string{"M110 N0", "M115", "M155 S1", "M876 P1", "M105", "M114", "FIRMWARE_RESTART", "STATUS"}, l)
	})
}

// A printer that is switched off and on while idle comes back by itself, and nothing but questions is sent.
func TestIdleTrouble(t *testing.T) {
	for _, c := range []struct {
		name    string
		trigger printertest.Trigger
		want    FaultCode // shown meanwhile; "" = it does not matter
	}{
		{"silent", printertest.Trigger{Kind: printertest.Silent}, FaultSilent},
		{"unplugged", printertest.Trigger{Kind: printertest.Unplug, For: time.Minute}, ""},
		{"reset", printertest.Trigger{Kind: printertest.BoardReset}, ""},
	} {
		for _, firmware := range printertest.Firmwares() {
			whole(t, printertest.Config{Firmware: firmware, ResetOnOpen: true, Baud: 115200}, nil, func(r *rig) {
				r.becomes(Idle)
				r.sim.Inject(c.trigger)
				if c.want != "" {
					snap := r.becomes(Disconnected)
					if snap.Fault == nil || snap.Fault.Code != c.want {
						t.Errorf("%s: %s: got %+v, want %s", firmware, c.name, snap.Fault, c.want)
					}
				} else {
					time.Sleep(30 * time.Second)
				}
				r.becomes(Idle)
				time.Sleep(5 * time.Minute)
				if s := r.now(); s.State != Idle || s.Fault != nil {
					t.Errorf("%s: %s: got %v, %+v", firmware, c.name, s.State, s.Fault)
				}
				if got := handshakeOnly(r.sim.Executed()); len(got) > 0 {
					t.Errorf("%s: %s: on its own it executed %q", firmware, c.name, got)
				}
			})
		}
	}
}

// An emergency stop is confirmed where the firmware sees it, whatever it is at.
func TestEmergencyStop(t *testing.T) {
	for _, c := range []struct {
		firmware, at string // what it is at
		confirmed    bool
	}{
		{"marlin2", "", true}, {"marlin2", "G28", true}, {"marlin2", "M109 S200", true}, {"marlin2-plain", "", true}, {"marlin1", "", true},
		{"prusa", "", true}, {"klipper", "", true}, {"klipper", "M109 S200", true}, {"repetier", "", true}, {"reprapfirmware", "", true},
		{"marlin2-plain", "full", false},
	} {
		t.Run(c.firmware+"/"+c.at, func(t *testing.T) {
			whole(t, printertest.Config{Firmware: c.firmware, Baud: 115200, Speed: 1, Heat: 1, ResetOnOpen: !c.confirmed, BufSize: 2}, nil, func(r *rig) {
				switch c.at {
				case "":
					r.printing()
				case "full": // the queue is, and nothing looks at what comes behind it
					r.becomes(Idle)
					r.must(r.p.Send(r.Context(), "G28"))
					time.Sleep(time.Second)
					r.must(r.p.Send(r.Context(), "M108"))
					time.Sleep(time.Second)
				default:
					r.becomes(Idle)
					r.must(r.p.Send(r.Context(), c.at))
					time.Sleep(time.Second)
				}
				hot := r.sim.Body()
				asked := time.Now()
				r.must(r.p.EmergencyStop(r.Context()))
				if s := r.now(); s.State != Halting || s.Halt.Confirmed || s.Halt.Unconfirmed || s.Job != nil {
					t.Errorf("the command was answered with %v, %+v", s.State, s.Halt)
				}
				if !c.confirmed {
					snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Halt != nil && s.Halt.Unconfirmed })
					if took := time.Since(asked); snap.State != Halting || took < 1990*time.Millisecond || took > 2100*time.Millisecond {
						t.Errorf("unconfirmed after %v, in state %v", took, snap.State)
					}
				}
				snap := r.becomes(Halted)
				if took := time.Since(asked); took > 2*time.Second && c.confirmed {
					t.Errorf("it took %v", took)
				}
				if !snap.Halt.Confirmed || snap.Halt.Said == "" {
					t.Errorf("got %+v", snap.Halt)
				}
				time.Sleep(time.Minute)
				if b := r.sim.Body(); b.NozzleTargetC != 0 || b.BedTargetC != 0 || hot.NozzleTargetC > 0 && b.NozzleC > hot.NozzleC {
					t.Errorf("a minute later the targets are %g and %g", b.NozzleTargetC, b.BedTargetC)
				}
				if _, err := r.p.SetNozzle(r.Context(), 0, 50); !errors.Is(err, ErrWrongState) {
					t.Errorf("heating: got %v, want %v", err, ErrWrongState)
				}
				r.must(r.p.SetNozzle(r.Context(), 0, 0)) // nobody may hear that, but it is never refused
				r.must(r.p.EmergencyStop(r.Context()))   // a second tap takes nothing back
				if time.Sleep(3 * time.Second); r.now().State != Halted || !r.now().Halt.Confirmed {
					t.Errorf("after a second tap: %v, %+v", r.now().State, r.now().Halt)
				}
			})
		})
	}
}

// Tapping again and again does not put off the warning.
func TestEmergencyStopHammered(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Faults: printertest.Faults{}}, nil, func(r *rig) {
		r.becomes(Idle)
		r.sim.Inject(printertest.Trigger{Kind: printertest.Silent})
		for range 10 {
			r.must(r.p.EmergencyStop(r.Context()))
			time.Sleep(time.Second)
		}
		if s := r.now(); s.State != Halting || !s.Halt.Unconfirmed {
			t.Errorf("got %v, %+v", s.State, s.Halt)
		}
		r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug})
		if time.Sleep(time.Second); r.now().State != Halting || !r.now().Halt.Unconfirmed {
			t.Errorf("unplugged: got %v, want the warning to stay", r.now().State)
		}
		if _, err := r.p.EmergencyStop(r.Context()); !errors.Is(err, ErrNotConnected) {
			t.Errorf("got %v, want %v", err, ErrNotConnected)
		}
		r.must(r.p.Dismiss(r.Context()))
		if s := r.now(); s.State != Disconnected || s.Halt != nil {
			t.Errorf("dismissed: got %v, %+v", s.State, s.Halt)
		}
	})
}

// Without a port nothing is accepted that could never be sent, though the fault is still shown.
func TestFaultedWithoutPort(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200}, nil, func(r *rig) {
		r.printing()
		r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug})
		r.becomes(Faulted)
		if _, err := r.p.SetNozzle(r.Context(), 0, 0); !errors.Is(err, ErrNotConnected) {
			t.Errorf("got %v, want %v", err, ErrNotConnected)
		}
		r.must(r.p.Connect(r.Context(), "", 0))
		if s := r.now(); s.State != Disconnected {
			t.Errorf("got %v, want a new try", s.State)
		}
	})
}

// wedge is a port that at some line takes no more bytes: a Write hangs until it is discarded, and then for ever again.
type wedge struct {
	instant
	left    atomic.Int32 // writes until it hangs
	discard chan struct{}
}

func (w *wedge) Write(b []byte) (int, error) {
	if w.left.Add(-1) >= 0 {
		return w.instant.Write(b)
	}
	<-w.discard
	return 0, os.ErrDeadlineExceeded
}

func (w *wedge) Discard() error {
	select {
	case w.discard <- struct{}{}:
	default:
	}
	return nil
}

// A device that takes nothing more is found out, without the owner spinning or hanging, and its port can be closed.
func TestBlockedWrite(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *rig)
	}{
		{"left alone", func(r *rig) {
			if snap := r.becomes(Faulted); snap.Fault.Code != FaultSilent || snap.LastJob.Outcome != "failed" {
				t.Errorf("got %+v", snap.Fault)
			}
			r.must(r.p.Dismiss(r.Context()))
			r.becomes(Disconnected)
		}},
		{"stopped", func(r *rig) {
			asked := time.Now()
			r.must(r.p.EmergencyStop(r.Context()))
			snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Halt != nil && s.Halt.Unconfirmed })
			if took := time.Since(asked); snap.State != Halting || took < 1990*time.Millisecond {
				t.Errorf("got %v after %v, want the port to be used for two seconds", snap.State, took)
			}
		}},
		{"ended", func(r *rig) {}},
	} {
		synctest.Test(t, func(t *testing.T) {
			spare, err := printertest.New(printertest.Config{})
			if err != nil {
				t.Fatal(err)
			}
			p, stop := run(t, spare, func(cfg *Config) {
				cfg.Open = func(context.Context, string, int) (Port, error) {
					w := &wedge{instant: instant{replies: make(chan []byte, 8), closed: make(chan struct{})}, discard: make(chan struct{})}
					w.left.Store(30)
					return w, nil
				}
			})
			defer stop()
			r := &rig{t, p, spare}
			r.becomes(Idle)
			r.print("j1", square(1000, 200, true, "M83"), nil)
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line > 20 })
			time.Sleep(time.Second)
			c.do(r)
		})
	}
}

// Shutdown ends the print as interrupted, cold and parked.
func TestShutdown(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		if err := r.p.Shutdown(r.Context()); err != nil {
			t.Errorf("without a job: %v", err)
		}
		r.print("j1", square(500, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 })
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
		defer cancel()
		if err := r.p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if s, b := r.now(), r.sim.Body(); s.LastJob == nil || s.LastJob.Outcome != "interrupted" || b.NozzleTargetC != 0 || b.Motors {
			t.Errorf("got %+v, nozzle %g, motors %v", s.LastJob, b.NozzleTargetC, b.Motors)
		}
	})
}

// When there is no time left for that, heaters off at least leaves the port before it is closed.
func TestShutdownInAHurry(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", square(500, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 40 })
		ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
		defer cancel()
		if err := r.p.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := r.p.Shutdown(r.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(r.sim.Executed(), "\n"); strings.Count(got, "M104 S0") < 2 || strings.Count(got, "M140 S0") < 2 {
			t.Errorf("heaters off was not sent twice: by the cancel, and ahead of it")
		}
	})
}
