package printer

import (
	"context"
	"errors"
	"fmt"
	"layerd/printer/printertest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a table with ports on it; at each there is a pretend printer, or nothing that opens.
type bench struct {
	mu     sync.Mutex // guards all below
	ports  []PortInfo
	sims   map[string]*printertest.Sim
	slow   time.Duration
	opened []string
	chosen []string
}

func (b *bench) open(ctx context.Context, path string, baud int) (Port, error) {
	b.mu.Lock()
	sim, slow := b.sims[path], b.slow
	b.opened = append(b.opened, fmt.Sprint(path, " ", baud))
	b.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
		}
	}
	if sim == nil {
		return nil, &Fault{Code: FaultPortMissing, Message: "There is no port " + path + ".", Next: "Plug it in."}
	}
	port := sim.Open()
	return port, port.SetBaud(baud)
}

func (b *bench) list() ([]PortInfo, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.ports), nil
}

func (b *bench) plug(t *testing.T, ctx context.Context, path, serial string, cfg printertest.Config) {
	t.Helper()
	sim, err := printertest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	go sim.Run(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ports = append(b.ports, PortInfo{Path: path, Name: path, Vendor: "1a86", Product: "7523", Serial: serial})
	b.sims[path] = sim
}

func (b *bench) choices() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.chosen)
}

func (b *bench) openings() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.opened)
}

// dialling runs test with a Printer that has a bench in front of it.
func dialling(t *testing.T, change func(*Config), test func(r *rig, ctx context.Context, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		b := &bench{sims: map[string]*printertest.Sim{}}
		spare, err := printertest.New(printertest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		p, stop := run(t, spare, func(c *Config) {
			c.Port, c.Baud, c.Open, c.List = "", 0, b.open, b.list
			c.OnChoice = func(id string) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.chosen = append(b.chosen, id)
			}
			if change != nil {
				change(c)
			}
		})
		defer stop()
		defer cancel()
		test(&rig{t, p, spare}, ctx, b)
	})
}

// The speed is found out, whichever it is.
func TestBaudDetection(t *testing.T) {
	for _, baud := range []int{115200, 250000, 57600, 9600} {
		for _, boots := range []bool{false, true} {
			whole(t, printertest.Config{Baud: baud, ResetOnOpen: boots}, func(c *Config) { c.Baud = 0 }, func(r *rig) {
				if snap := r.becomes(Idle); snap.Connection.Baud != baud || snap.Connection.Dialect != "marlin" {
					t.Errorf("got %+v, want %d baud", snap.Connection, baud)
				}
			})
		}
	}
}

// Nothing that is no printer is talked to for ever at one go, and the fault says what it looks like.
func TestNoPrinterThere(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  printertest.Config
		baud int
		want FaultCode
	}{
		{"wrong speed", printertest.Config{Baud: 250000}, 115200, FaultSilent},
		{"rubbish", printertest.Config{Faults: printertest.Faults{At: []printertest.Trigger{{Kind: printertest.Garble}}}}, 0, FaultSilent},
	} {
		whole(t, c.cfg, func(cfg *Config) { cfg.Baud = c.baud }, func(r *rig) {
			snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State == Disconnected && s.Fault != nil })
			if snap.Fault.Code != c.want && snap.Fault.Code != FaultGarbled || snap.Fault.Next == "" {
				t.Errorf("%s: got %+v", c.name, snap.Fault)
			}
		})
	}
}

// A configured port that is missing is waited for, and opened when it is there.
func TestConfiguredPortAppears(t *testing.T) {
	dialling(t, func(c *Config) { c.Port, c.Baud = "/dev/ttyX", 250000 }, func(r *rig, ctx context.Context, b *bench) {
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Fault != nil })
		if snap.State != Disconnected || snap.Fault.Code != FaultPortMissing || !snap.Connection.Locked || snap.Connection.Ask {
			t.Errorf("got %v, %+v, %+v", snap.State, snap.Fault, snap.Connection)
		}
		at := snap.Fault.AtMS
		time.Sleep(time.Hour)
		if s := r.now(); s.Fault.AtMS != at || s.Rev > snap.Rev+2 {
			t.Errorf("nothing has changed, and yet: fault at %d, then %d; revision %d, then %d", at, s.Fault.AtMS, snap.Rev, s.Rev)
		}
		r.must(r.p.Connect(r.Context(), "", 0)) // an impatient tap is no error
		b.plug(t, ctx, "/dev/ttyX", "A", printertest.Config{Baud: 250000})
		if s := r.becomes(Idle); s.Fault != nil || s.Connection.Port != "/dev/ttyX" || s.Connection.Baud != 250000 {
			t.Errorf("got %+v, %+v", s.Fault, s.Connection)
		}
	})
}

// A single candidate is tried; of several a person chooses one, which is known again wherever it is plugged in.
func TestChoice(t *testing.T) {
	dialling(t, nil, func(r *rig, ctx context.Context, b *bench) {
		await(r.T, r.p, func(s *Snapshot) bool { return s.Fault != nil && s.Fault.Code == FaultPortMissing && !s.Connection.Ask })
		b.plug(t, ctx, "/dev/ttyA", "A", printertest.Config{Baud: 115200})
		r.becomes(Idle)
		r.must(r.p.Disconnect(r.Context()))
		if time.Sleep(time.Hour); r.now().State != Disconnected || r.now().Fault != nil {
			t.Errorf("disconnected by hand: got %v, %+v", r.now().State, r.now().Fault)
		}
		b.plug(t, ctx, "/dev/ttyB", "B", printertest.Config{Baud: 115200})
		before := len(b.openings())
		r.must(r.p.Connect(r.Context(), "", 0))
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Connection.Ask })
		if len(snap.Connection.Ports) != 2 || snap.Fault == nil || snap.Fault.Next == "" {
			t.Errorf("got %+v, %+v", snap.Connection.Ports, snap.Fault)
		}
		if time.Sleep(time.Minute); len(b.openings()) != before {
			t.Errorf("without being asked it opened %q", b.openings()[before:])
		}
		r.must(r.p.Connect(r.Context(), "/dev/ttyB", 0))
		if s := r.becomes(Idle); s.Connection.Port != "/dev/ttyB" || s.Connection.Ask {
			t.Errorf("got %+v", s.Connection)
		}
		if got := b.choices(); !slices.Equal(got, []string{"1a86:7523:B"}) {
			t.Errorf("remembered %q", got)
		}
		// It is pulled out, and comes back under another name.
		b.mu.Lock()
		sim := b.sims["/dev/ttyB"]
		delete(b.sims, "/dev/ttyB")
		b.ports = b.ports[:1]
		b.mu.Unlock()
		sim.Inject(printertest.Trigger{Kind: printertest.Unplug})
		r.becomes(Disconnected)
		time.Sleep(time.Minute)
		b.plug(t, ctx, "/dev/ttyC", "B", printertest.Config{Baud: 115200})
		if s := r.becomes(Idle); s.Connection.Port != "/dev/ttyC" {
			t.Errorf("got %+v, want the same printer under its new name", s.Connection)
		}
	})
	dialling(t, func(c *Config) { c.Remember = "1a86:7523:B" }, func(r *rig, ctx context.Context, b *bench) {
		r.must(r.p.Disconnect(r.Context()))
		b.plug(t, ctx, "/dev/ttyA", "A", printertest.Config{})
		b.plug(t, ctx, "/dev/ttyB", "B", printertest.Config{})
		r.must(r.p.Connect(r.Context(), "", 0))
		if s := r.becomes(Idle); s.Connection.Port != "/dev/ttyB" {
			t.Errorf("got %+v, want the one that was chosen before", s.Connection)
		}
	})
}

// A port that was closed by hand is opened again as it was, when it is back: nobody has chosen anything.
func TestRedial(t *testing.T) {
	dialling(t, nil, func(r *rig, ctx context.Context, b *bench) {
		b.plug(t, ctx, "/dev/ttyA", "A", printertest.Config{Baud: 115200})
		r.becomes(Idle)
		opened := len(b.openings())
		r.must(r.p.Redial(r.Context()))
		if time.Sleep(time.Minute); r.now().State != Idle || len(b.openings()) != opened {
			t.Errorf("while it is open: got %v, openings %q", r.now().State, b.openings())
		}
		r.must(r.p.Disconnect(r.Context()))
		b.mu.Lock()
		sim, ports := b.sims["/dev/ttyA"], b.ports
		delete(b.sims, "/dev/ttyA")
		b.ports = nil
		b.mu.Unlock()
		r.must(r.p.Redial(r.Context()))
		if time.Sleep(time.Minute); r.now().State != Disconnected {
			t.Errorf("without a port: got %v", r.now().State)
		}
		b.mu.Lock()
		b.sims["/dev/ttyA"], b.ports = sim, ports
		b.mu.Unlock()
		r.becomes(Idle)
		if got := b.choices(); len(got) > 0 {
			t.Errorf("remembered %q", got)
		}
	})
}

// What a person asks for while a port is being opened counts, and the port that is no longer wanted is closed.
func TestConnectWhileOpening(t *testing.T) {
	dialling(t, nil, func(r *rig, ctx context.Context, b *bench) {
		b.plug(t, ctx, "/dev/ttyA", "A", printertest.Config{})
		b.plug(t, ctx, "/dev/ttyB", "B", printertest.Config{})
		b.mu.Lock()
		b.slow = 10 * time.Second
		b.mu.Unlock()
		r.must(r.p.Connect(r.Context(), "/dev/ttyA", 0))
		time.Sleep(time.Second)
		r.must(r.p.Connect(r.Context(), "/dev/ttyB", 0))
		if s := r.becomes(Idle); s.Connection.Port != "/dev/ttyB" {
			t.Errorf("got %+v, want what was asked for last", s.Connection)
		}
		r.must(r.p.Connect(r.Context(), "/dev/ttyA", 0))
		time.Sleep(time.Second)
		r.must(r.p.Disconnect(r.Context()))
		if time.Sleep(time.Hour); r.now().State != Disconnected || r.now().Fault != nil {
			t.Errorf("got %v, %+v", r.now().State, r.now().Fault)
		}
	})
}

// During a print nobody can take the port away, or start another.
func TestRefusedInMidPrint(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 4}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.Disconnect(r.Context()))
		if _, err := r.p.Start(r.Context(), JobInfo{ID: "j0"}, nil); !errors.Is(err, ErrNotConnected) {
			t.Errorf("without a printer: got %v", err)
		}
		r.must(r.p.Connect(r.Context(), "", 0))
		r.printing()
		for name, do := range map[string]func() (uint64, error){
			"start":      func() (uint64, error) { return r.p.Start(r.Context(), JobInfo{ID: "j2"}, nil) },
			"connect":    func() (uint64, error) { return r.p.Connect(r.Context(), "", 0) },
			"disconnect": func() (uint64, error) { return r.p.Disconnect(r.Context()) },
			"motors off": func() (uint64, error) { return r.p.MotorsOff(r.Context()) },
			"home":       func() (uint64, error) { return r.p.Home(r.Context(), "") },
			"jog":        func() (uint64, error) { return r.p.Jog(r.Context(), 'x', 1) },
			"resume":     func() (uint64, error) { return r.p.Resume(r.Context(), "j1") },
		} {
			if _, err := do(); !errors.Is(err, ErrWrongState) {
				t.Errorf("%s: got %v, want %v", name, err, ErrWrongState)
			}
		}
		for name, do := range map[string]func(context.Context, string) (uint64, error){"pause": r.p.Pause, "resume": r.p.Resume, "cancel": r.p.Cancel} {
			if _, err := do(r.Context(), "j0"); !errors.Is(err, ErrOtherJob) {
				t.Errorf("%s of another job: got %v, want %v", name, err, ErrOtherJob)
			}
		}
		if s := r.now(); s.State != Printing || s.Job.ID != "j1" {
			t.Errorf("got %v, %+v", s.State, s.Job)
		}
	})
}

func TestPortsToChooseFrom(t *testing.T) {
	usb, fixed := PortInfo{Path: "/dev/ttyUSB0", Vendor: "1a86"}, PortInfo{Path: "/dev/printer", Name: "/dev/printer"}
	broken := errors.New("no /sys")
	for _, c := range []struct {
		name  string
		cfg   Config
		ports []PortInfo
		err   error
	}{
		{"found", Config{List: func() ([]PortInfo, error) { return []PortInfo{usb}, nil }}, []PortInfo{usb}, nil},
		{"configured and found", Config{Port: usb.Path, List: func() ([]PortInfo, error) { return []PortInfo{usb}, nil }}, []PortInfo{usb}, nil},
		{"configured", Config{Port: fixed.Path, List: func() ([]PortInfo, error) { return []PortInfo{usb}, nil }}, []PortInfo{fixed, usb}, nil},
		{"configured, and no list", Config{Port: fixed.Path}, []PortInfo{fixed}, nil},
		{"configured, and a list that fails", Config{Port: fixed.Path, List: func() ([]PortInfo, error) { return nil, broken }}, []PortInfo{fixed}, broken},
	} {
		if got, err := c.cfg.Ports(); !slices.Equal(got, c.ports) || err != c.err {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.name, got, err, c.ports, c.err)
		}
	}
}

// Run ends with its context in every state, and leaves nothing running (else the bubble complains).
func TestRunEnds(t *testing.T) {
	for name, get := range map[string]func(r *rig){
		"at once":    func(*rig) {},
		"connecting": func(r *rig) { r.becomes(Connecting) },
		"idle":       func(r *rig) { r.becomes(Idle) },
		"printing":   func(r *rig) { r.printing() },
		"paused":     func(r *rig) { r.printing(); r.must(r.p.Pause(r.Context(), "")); r.becomes(Paused) },
		"cancelling": func(r *rig) { r.printing(); r.must(r.p.Cancel(r.Context(), "")) },
		"halting":    func(r *rig) { r.printing(); r.must(r.p.EmergencyStop(r.Context())) },
		"faulted": func(r *rig) {
			r.printing()
			r.sim.Inject(printertest.Trigger{Kind: printertest.BoardReset})
			r.becomes(Faulted)
		},
		"disconnected": func(r *rig) { r.becomes(Idle); r.must(r.p.Disconnect(r.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, err := printertest.New(printertest.Config{Speed: 1, Heat: 4, Baud: 115200})
				if err != nil {
					t.Fatal(err)
				}
				p, stop := run(t, sim, nil)
				get(&rig{t, p, sim})
				stop()
				if _, err := p.Pause(t.Context(), ""); !errors.Is(err, ErrNotConnected) {
					t.Errorf("after the end: got %v, want %v", err, ErrNotConnected)
				}
			})
		})
	}
}
