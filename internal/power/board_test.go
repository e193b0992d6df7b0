package power

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/latest"
	"layerd/printer"
)

func is(got, want error) bool {
	return got == nil && want == nil || want != nil && errors.Is(got, want)
}

// machine is a printer that writes down what it is asked.
type machine struct {
	snaps  *printer.Snapshots
	closes time.Duration // how long it takes to hang up, once that can be seen
	mu     sync.Mutex    // guards what follows
	asked  []string
}

func newMachine() *machine {
	return &machine{snaps: latest.New(&printer.Snapshot{Rev: 1, State: printer.Idle, Nozzles: []printer.Heater{{ActualC: 20}}})}
}

func (m *machine) say(what string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, what)
	return 1, nil
}

func (m *machine) said() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

func (m *machine) change(f func(*printer.Snapshot)) {
	old, _ := m.snaps.Get()
	snap := *old
	snap.Rev, snap.TempsAtMS = snap.Rev+1, time.Now().UnixMilli()
	f(&snap)
	m.snaps.Set(&snap)
}

func (m *machine) Snapshots() *printer.Snapshots { return m.snaps }
func (m *machine) Press(_ context.Context, b printer.Button, _ float64) (uint64, error) {
	return m.say(b.Label + ": " + b.Lines)
}
func (m *machine) Disconnect(context.Context) (uint64, error) {
	m.change(func(s *printer.Snapshot) { s.State = printer.Disconnected })
	time.Sleep(m.closes)
	return m.say("disconnect")
}
func (m *machine) Redial(context.Context) (uint64, error) { return m.say("redial") }

// socket is a plug in memory.
type socket struct {
	mu      sync.Mutex // guards what follows
	on      bool
	gone    bool          // it does not answer
	answers time.Duration // how long that takes
	asked   int
	log     []string
}

func (s *socket) set(_ context.Context, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return errors.New("gone")
	}
	s.on, s.log = on, append(s.log, string(stateOf(on)))
	return nil
}

func (s *socket) get(context.Context) (State, string, error) {
	s.mu.Lock()
	answers := s.answers
	s.mu.Unlock()
	time.Sleep(answers)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.gone {
		return Unknown, "", errors.New("gone")
	}
	return stateOf(s.on), "", nil
}

func (s *socket) close() {}

func (s *socket) change(f func(*socket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *socket) lit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on
}

func (s *socket) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

var aPlug = Way{Kind: Shelly, Address: "http://plug"}

// running has a Board with a plug in memory, in fake time.
func running(t *testing.T, rules Settings, watched func() bool, test func(t *testing.T, b *Board, m *machine, s *socket)) {
	synctest.Test(t, func(t *testing.T) {
		m, s := newMachine(), &socket{}
		rules.Power, rules.CoolC = aPlug, 50
		b := New(Config{Printer: m, Power: rules, Watched: watched})
		b.power.reach = s
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		synctest.Wait()
		test(t, b, m, s)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
}

func shown(b *Board) Status { s, _ := b.Statuses().Get(); return s }

func TestThePlugIsAskedWhileSomebodyLooks(t *testing.T) {
	looks := false
	var mu sync.Mutex
	running(t, Settings{}, func() bool { mu.Lock(); defer mu.Unlock(); return looks }, func(t *testing.T, b *Board, m *machine, s *socket) {
		if got := shown(b).Power; got.State != Off || s.times() != 1 {
			t.Errorf("at first: got %+v after %d questions, want off after one", got, s.times())
		}
		time.Sleep(time.Hour)
		if s.times() != 1 {
			t.Errorf("nobody looks: it was asked %d times", s.times())
		}
		mu.Lock()
		looks = true
		mu.Unlock()
		s.change(func(s *socket) { s.on = true })
		time.Sleep(5*time.Second + time.Millisecond)
		if got := shown(b).Power.State; got != On {
			t.Errorf("somebody looks: got %s", got)
		}
		s.change(func(s *socket) { s.gone = true })
		before := s.times()
		time.Sleep(5 * time.Minute)
		if got := shown(b).Power; got.State != Unknown || got.Problem != "gone" || s.times()-before != 10 {
			t.Errorf("it is gone: got %+v after %d questions in five minutes, want 10", got, s.times()-before)
		}
	})
}

func TestThePlugIsAskedWhileAPrintRuns(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		m.change(printing("a"))
		before := s.times()
		time.Sleep(10*time.Minute + time.Millisecond)
		if n := s.times() - before; n < 19 || n > 21 {
			t.Errorf("it was asked %d times in ten minutes, want about 20", n)
		}
	})
}

// Before the power goes the port is closed, so that nothing is called lost; with the power it is opened.
func TestPowerAndPort(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		s.change(func(s *socket) { s.on = true })
		if err := b.Power(t.Context(), false, false); err != nil || s.lit() {
			t.Errorf("off: got %v, %v", err, s.lit())
		}
		if got := m.said(); !slices.Equal(got, []string{"disconnect"}) {
			t.Errorf("off: the printer was asked %q", got)
		}
		if err := b.Power(t.Context(), true, false); err != nil || !s.lit() || shown(b).Power.State != On {
			t.Errorf("on: got %v, %+v", err, shown(b))
		}
		if got := m.said(); !slices.Equal(got, []string{"disconnect", "redial"}) {
			t.Errorf("on: the printer was asked %q", got)
		}
		m.change(printing("a"))
		if err := b.Power(t.Context(), false, true); !errors.Is(err, ErrPrinting) || !s.lit() {
			t.Errorf("in mid-print: got %v, %v", err, s.lit())
		}
		m.change(func(s *printer.Snapshot) { s.State, s.Job = printer.Idle, nil })
		if err := b.Power(t.Context(), false, false); !errors.Is(err, ErrHot) || !s.lit() {
			t.Errorf("hot: got %v, %v", err, s.lit())
		}
		s.change(func(s *socket) { s.gone = true })
		if err := b.Power(t.Context(), false, true); err == nil {
			t.Error("a plug that is gone: got no error")
		}
		if got := m.said(); !slices.Equal(got[2:], []string{"disconnect", "redial"}) {
			t.Errorf("what could not be switched off is connected again: the printer was asked %q", got[2:])
		}
	})
}

// Once the port is closed the printer is seen to be gone, and the plug, which still says "on", is not asked for that before it is off.
func TestThePlugIsNotAskedBetween(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		m.closes = time.Second
		s.change(func(s *socket) { s.on, s.answers = true, 2*time.Second })
		if err := b.Power(t.Context(), false, false); err != nil || s.lit() {
			t.Errorf("off: got %v, %v", err, s.lit())
		}
		synctest.Wait()
		if got := m.said(); !slices.Equal(got, []string{"disconnect"}) {
			t.Errorf("the printer was asked %q", got)
		}
	})
}

func TestWhatIsSwitchedOnByHandIsConnected(t *testing.T) {
	running(t, Settings{}, func() bool { return true }, func(t *testing.T, b *Board, m *machine, s *socket) {
		if err := b.Power(t.Context(), false, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.change(func(s *socket) { s.on = true })
		time.Sleep(time.Minute)
		if got := m.said(); !slices.Equal(got, []string{"disconnect", "redial"}) {
			t.Errorf("the printer was asked %q", got)
		}
	})
}

func TestThePowerGoesOffByItself(t *testing.T) {
	running(t, Settings{AfterPrint: true}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		s.change(func(s *socket) { s.on = true })
		m.change(printing("a"))
		synctest.Wait()
		m.change(ended("done"))
		synctest.Wait()
		m.change(heat(200, 0))
		time.Sleep(10 * time.Minute)
		if got := shown(b); got.Phase != Cooling || got.OffMS != 0 {
			t.Fatalf("got %+v, want it cooling", got)
		}
		m.change(heat(45, 0))
		synctest.Wait()
		if got := shown(b); got.Phase != Counting || got.OffMS != time.Now().Add(time.Minute).UnixMilli() {
			t.Fatalf("got %+v, want it counting", got)
		}
		time.Sleep(59 * time.Second)
		if !s.lit() {
			t.Fatal("it went off too early")
		}
		time.Sleep(2 * time.Second)
		if got := shown(b); s.lit() || got.Phase != Not || got.Power.State != Off {
			t.Errorf("got %v, %+v, want it off", s.lit(), got)
		}
		if got := m.said(); !slices.Equal(got, []string{"disconnect"}) {
			t.Errorf("the printer was asked %q", got)
		}
	})
}

// What its owner calls cool is cool, when the power goes off by itself.
func TestCoolIsWhatItsOwnerSays(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		if err := b.Set(t.Context(), Settings{Power: aPlug, AfterPrint: true, CoolC: 80}); err != nil {
			t.Fatal(err)
		}
		s.change(func(s *socket) { s.on = true })
		m.change(printing("a"))
		time.Sleep(time.Minute) // the plug is asked
		m.change(ended("done"))
		synctest.Wait()
		m.change(heat(75, 0))
		time.Sleep(61 * time.Second)
		if got := shown(b); s.lit() || got.Why != "" {
			t.Errorf("it is on: %v, %+v", s.lit(), got)
		}
	})
}

// Once the port is closed nobody tells that the nozzle is still hot.
func TestAPrinterThatWasHotAndIsGone(t *testing.T) {
	gone := func(s *printer.Snapshot) { s.State, s.Nozzles, s.Bed, s.TempsAtMS = printer.Disconnected, nil, nil, 0 }
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		s.change(func(s *socket) { s.on = true })
		for _, c := range []struct {
			nozzle float64
			later  time.Duration
			anyway bool
			want   error
		}{{210, time.Minute, false, ErrHot}, {210, time.Minute, true, nil}, {210, 10 * time.Minute, false, nil}, {49, time.Minute, false, nil}} {
			m.change(func(s *printer.Snapshot) { s.State = printer.Idle; heat(c.nozzle, 0)(s) })
			synctest.Wait()
			m.change(gone)
			time.Sleep(c.later)
			if err := b.Power(t.Context(), false, c.anyway); !is(err, c.want) || s.lit() != (c.want != nil) {
				t.Errorf("%+v: got %v, on %v", c, err, s.lit())
			}
			if err := b.Power(t.Context(), true, false); err != nil {
				t.Error(err)
			}
		}
	})
}

// Two addresses without a third: nothing makes it unknown again.
func TestASwitchThatTellsNothingStandsAsItWasTold(t *testing.T) {
	running(t, Settings{}, func() bool { return true }, func(t *testing.T, b *Board, m *machine, s *socket) {
		if err := b.Set(t.Context(), Settings{Power: Way{Kind: Web, OnURL: "http://a/on", OffURL: "http://a/off"}, CoolC: 50}); err != nil {
			t.Fatal(err)
		}
		b.power.reach = s
		for _, on := range []bool{true, false, true} {
			err := b.Power(t.Context(), on, false)
			time.Sleep(5 * time.Minute)
			if got := shown(b).Power; err != nil || s.lit() != on || got.State != stateOf(on) {
				t.Errorf("on %v: got %v, %+v", on, err, got)
			}
		}
		if s.times() > 1 { // as the plug of before
			t.Errorf("it was asked %d times", s.times())
		}
	})
}

func TestAnEmergencyStopTakesThePowerWhereThatIsWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		running(t, Settings{CutOnStop: wanted}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
			for name, stop := range map[string]func(){
				"command": b.Stopped,
				"snapshot": func() {
					m.change(func(s *printer.Snapshot) { s.State, s.Halt = printer.Halting, &printer.Halt{AskedMS: 7} })
				},
			} {
				s.change(func(s *socket) { s.on = true })
				m.change(printing("a"))
				stop()
				synctest.Wait()
				if s.lit() == wanted {
					t.Errorf("%s, wanted %v: the plug is on: %v", name, wanted, s.lit())
				}
			}
		})
	}
}

func TestTheLampGoesThroughThePrinterToo(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		if err := b.Lamp(t.Context(), true); !errors.Is(err, ErrNone) {
			t.Errorf("without a lamp: got %v", err)
		}
		if err := b.SetLamp(t.Context(), Way{OnLines: "M355 S1", OffLines: "M355 S0"}); err != nil {
			t.Fatal(err)
		}
		if got := shown(b).Lamp; got.State != Unknown || got.Kind != Lines {
			t.Errorf("got %+v", got)
		}
		if err := b.Lamp(t.Context(), true); err != nil || shown(b).Lamp.State != On {
			t.Errorf("got %v, %+v", err, shown(b).Lamp)
		}
		if got := m.said(); !slices.Equal(got, []string{"Lamp on: M355 S1"}) {
			t.Errorf("the printer was asked %q", got)
		}
	})
}

func TestPowerThroughThePrinterLeavesThePortOpen(t *testing.T) {
	running(t, Settings{}, nil, func(t *testing.T, b *Board, m *machine, s *socket) {
		if err := b.Set(t.Context(), Settings{Power: Way{Kind: Lines, OnLines: "M80", OffLines: "M81"}, CoolC: 50}); err != nil {
			t.Fatal(err)
		}
		for _, on := range []bool{false, true} {
			if err := b.Power(t.Context(), on, false); err != nil || shown(b).Power.State != stateOf(on) {
				t.Errorf("got %v, %+v", err, shown(b).Power)
			}
		}
		if got := m.said(); !slices.Equal(got, []string{"Power off: M81", "Power on: M80"}) {
			t.Errorf("the printer was asked %q", got)
		}
	})
}
