package printer

import (
	"context"
	"errors"
	"layerd/printer/printertest"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// After connecting, with any firmware, nothing is executed that moves or heats, and temperatures stay fresh by themselves.
func TestConnectAsksOnly(t *testing.T) {
	dialects := map[string]string{"marlin2": "marlin", "marlin2-plain": "marlin", "marlin1": "marlin", "prusa": "prusa", "repetier": "repetier",
		"reprapfirmware": "reprapfirmware", "klipper": "klipper", "repetier-forced": "repetier", "anet-a8": "repetier",
		"reprapfirmware2": "reprapfirmware", "smoothie": "smoothie", "malyan": "malyan", "teacup": "teacup", "sprinter": "unknown"}
	for _, firmware := range printertest.Firmwares() {
		for _, boots := range []bool{false, true} {
			whole(t, printertest.Config{Firmware: firmware, Baud: 115200, ResetOnOpen: boots}, nil, func(r *rig) {
				begun := time.Now()
				snap := r.becomes(Idle)
				if took := time.Since(begun); took > time.Second && !boots || took > 6*time.Second {
					t.Errorf("%s: connecting took %v", firmware, took)
				}
				late := firmware == "teacup" && boots // an ok in its first words lands M115 before the answer comes
				if snap.Connection.Dialect != dialects[firmware] && !late || snap.Connection.Firmware == "" || snap.Position == nil || len(snap.Nozzles) != 1 && dialects[firmware] != "repetier" {
					t.Errorf("%s: got %+v, position %v, nozzles %v", firmware, snap.Connection, snap.Position, snap.Nozzles)
				}
				for range 10 {
					time.Sleep(10 * time.Second)
					if s := r.now(); s.AtMS-s.TempsAtMS > 3000 || len(s.Nozzles) != 1 || s.Bed == nil || s.Nozzles[0].ActualC < 20 {
						t.Fatalf("%s: temperatures %v, %v are %d ms old", firmware, s.Nozzles, s.Bed, s.AtMS-s.TempsAtMS)
					}
				}
				if got := handshakeOnly(r.sim.Executed()); len(got) > 0 {
					t.Errorf("%s: nobody asked, and it executed %q", firmware, got)
				}
			})
		}
	}
}

// What people type goes between the job's lines, in its order, and the job does not notice.
func TestTypedInMidPrint(t *testing.T) {
	for _, firmware := range printertest.Firmwares() {
		whole(t, printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 4}, nil, func(r *rig) {
			text := square(200, 200, true, "M83")
			r.becomes(Idle)
			r.print("j1", text, nil)
			var typed []string
			for i, line := int64(0), ""; i < 5; i++ {
				await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 20+20*i })
				line = []string{"M220 S90", "M106 S200", "M221 S95", "M104 S205", "M220 S110"}[i]
				r.must(r.p.Send(r.Context(), line))
				typed = append(typed, line)
			}
			if _, err := r.p.Send(r.Context(), "M220 S80", "G28"); !errors.Is(err, ErrBadCommand) {
				t.Errorf("%s: got %v, want all refused", firmware, err)
			}
			await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
			var got, jobs []string
			for _, l := range jobLines(r.sim.Executed()) {
				if slices.Contains(typed, l) {
					got = append(got, l)
				} else {
					jobs = append(jobs, l)
				}
			}
			if want := strings.Split(strings.TrimSpace(text), "\n"); !slices.Equal(jobs, want) || !slices.Equal(got, typed) {
				t.Errorf("%s: executed %d job lines of %d, and of what was typed %q, want %q", firmware, len(jobs), len(want), got, typed)
			}
		})
	}
}

// Jogs to places add up to the last place, though no report has come between them, and go nowhere while nobody knows where the head is.
func TestJogTo(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 4}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.JogTo(r.Context(), 'x', 10); !errors.Is(err, ErrNotHomed) {
			t.Errorf("before homing: got %v", err)
		}
		r.must(r.p.Home(r.Context(), ""))
		await(t, r.p, func(s *Snapshot) bool { return s.Homed && s.Position != nil })
		from := len(r.sim.Executed())
		for _, to := range []float64{50, 20, 20, 1000} {
			r.must(r.p.JogTo(r.Context(), 'x', to))
		}
		r.must(r.p.JogTo(r.Context(), 'z', 5))
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			if _, err := r.p.JogTo(r.Context(), 'y', bad); !errors.Is(err, ErrLimit) {
				t.Errorf("to %v: got %v", bad, err)
			}
		}
		await(t, r.p, func(s *Snapshot) bool { return s.Position.XMM == s.Profile.WidthMM && s.Position.ZMM == 5 })
		var got []string
		for _, line := range r.sim.Executed()[from:] {
			if strings.HasPrefix(line, "G0") {
				got = append(got, line)
			}
		}
		if want := []string{"G0 X50 F6000", "G0 X20 F6000", "G0 X220 F6000", "G0 Z5 F480"}; !slices.Equal(got, want) {
			t.Errorf("executed %q, want %q", got, want)
		}
	})
}

// Taps that come quickly one after the other are carried out in the order of the taps: a resume does not overtake a jog, whose second half
// would then move the head in the middle of the print.
func TestJogThenResume(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 4}, nil, func(r *rig) {
		r.printing()
		r.must(r.p.Pause(r.Context(), ""))
		r.becomes(Paused)
		from := len(r.sim.Executed())
		r.must(r.p.Jog(r.Context(), 'x', 10))
		r.must(r.p.Extrude(r.Context(), 5))
		r.must(r.p.Resume(r.Context(), ""))
		r.becomes(Printing)
		got := slices.DeleteFunc(r.sim.Executed()[from:], func(l string) bool { return l == "M105" })
		want := []string{"G90", "G0 X15 F6000", "M83", "M114", "M83", "G1 E5 F180", "M114", "M140 S60", "M104 S200", "M190 S60", "M109 S200", "G90", "M83"}
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("executed %q\nwant     %q …", got, want)
		}
		if i := slices.Index(got, "G90"); !slices.Contains(got[i:], "G0 Z0.3 F480") {
			t.Errorf("it did not go back: %q", got)
		}
	})
}

// The revision that a command is answered with is that of a snapshot that shows its effect.
func TestRevisions(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 4, Baud: 115200}, nil, func(r *rig) {
		r.printing()
		rev, err := r.p.Pause(r.Context(), "j1")
		if s := r.now(); err != nil || s.Rev < rev || s.State != Pausing {
			t.Errorf("pause: got revision %d, %v; the snapshot is %d, %v", rev, err, s.Rev, s.State)
		}
		r.becomes(Paused)
		if _, err = r.p.SetProfile(r.Context(), Presets()[2]); !errors.Is(err, ErrWrongState) {
			t.Errorf("a profile in the middle of a print: got %v", err)
		}
		r.must(r.p.Cancel(r.Context(), "j1"))
		r.becomes(Idle)
		rev, err = r.p.SetProfile(r.Context(), Presets()[2])
		if s := r.now(); err != nil || s.Rev < rev || s.Profile.Name != Presets()[2].Name {
			t.Errorf("profile: got revision %d, %v; the snapshot is %d, %v", rev, err, s.Rev, s.Profile.Name)
		}
		if _, err := r.p.SetProfile(r.Context(), Profile{}); !errors.Is(err, ErrLimit) {
			t.Errorf("an empty profile: got %v", err)
		}
	})
}

// A flood: a device that talks without end, in text or in rubbish, keeps neither commands nor time from being served, and makes no flood of
// snapshots.
func TestFlood(t *testing.T) {
	for _, line := range []string{"T:200.0 /200.0 B:60.0 /60.0\n", "hello world\n", "\x80\xf8\xfe\x00\xe6\n", "ok\n", "Resend: 1\n", "start\n", "echo:busy: processing\n", "Error:x\n",
		"X:1 Y:1 Z:1 E:1\n", "\n", "ok N7 P15 B3\n", "!! what\n"} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := printertest.New(printertest.Config{})
			if err != nil {
				t.Fatal(err)
			}
			f := &flood{text: []byte(strings.Repeat(line, 1000)), ended: make(chan struct{})}
			p, stop := run(t, sim, func(c *Config) {
				c.Open = func(context.Context, string, int) (Port, error) { f.ended = make(chan struct{}); return f, nil }
			})
			defer stop()
			time.Sleep(200 * time.Millisecond)
			first, _ := p.Snapshots().Get()
			for i := range 4 {
				time.Sleep(100 * time.Millisecond)
				asked := time.Now()
				_, err := p.Send(t.Context(), "M105")
				if took := time.Since(asked); took > 50*time.Millisecond || err != nil && !errors.Is(err, ErrNotConnected) && !errors.Is(err, ErrBusyQueue) {
					t.Errorf("%.20q: command %d was answered after %v with %v", line, i, took, err)
				}
			}
			last, _ := p.Snapshots().Get()
			if made := last.Rev - first.Rev; line != "start\n" && made > 12 { // one each 100 ms, one a command, and a few states
				t.Errorf("%.20q: %d snapshots in 0.4 s", line, made)
			}
			if _, err := p.Disconnect(t.Context()); err != nil {
				t.Errorf("%.20q: %v", line, err)
			}
		})
	}
}

// flood is a port that delivers 1000 lines each 10 ms.
type flood struct {
	text  []byte
	at    int
	ended chan struct{}
}

func (f *flood) Read(b []byte) (int, error) {
	if f.at == 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-f.ended:
			return 0, errors.New("closed")
		}
	}
	n := copy(b, f.text[f.at:])
	f.at = (f.at + n) % len(f.text)
	return n, nil
}

func (f *flood) Write(b []byte) (int, error)  { return len(b), nil }
func (f *flood) Close() error                 { close(f.ended); return nil }
func (f *flood) SetBaud(int) error            { return nil }
func (f *flood) Discard() error               { return nil }
func (f *flood) Reset() (tried bool, _ error) { return false, nil }
