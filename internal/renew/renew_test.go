package renew

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/latest"
	"layerd/printer"
)

var (
	idle     = &printer.Snapshot{State: printer.Idle, Nozzles: []printer.Heater{{ActualC: 24}}}
	prints   = &printer.Snapshot{State: printer.Printing, Job: &printer.JobStatus{}, Keeper: printer.Keeper{Heated: true}}
	cools    = &printer.Snapshot{State: printer.Idle, Nozzles: []printer.Heater{{ActualC: 120}}}
	preheats = &printer.Snapshot{State: printer.Idle, Keeper: printer.Keeper{Heated: true}}
)

func TestWhatHurts(t *testing.T) {
	for name, c := range map[string]struct {
		s    *printer.Snapshot
		want string
	}{
		"idle and cold":          {idle, ""},
		"a print":                {prints, "a print is under way"},
		"a pause":                {&printer.Snapshot{State: printer.Paused, Job: &printer.JobStatus{}}, "a print is under way"},
		"a print from the card":  {&printer.Snapshot{State: printer.Printing, Card: &printer.CardStatus{}}, "a print is under way"},
		"waits for its cable":    {&printer.Snapshot{State: printer.Faulted, Job: &printer.JobStatus{}, Lost: &printer.LostPrint{}}, "a print is under way"},
		"a stop not confirmed":   {&printer.Snapshot{State: printer.Halting}, "a print is under way"},
		"preheats":               {preheats, "the printer is heated"},
		"cools":                  {cools, "the printer is hot"},
		"a hot bed":              {&printer.Snapshot{State: printer.Idle, Bed: &printer.Heater{ActualC: 60}}, "the printer is hot"},
		"was hot, and is gone":   {&printer.Snapshot{State: printer.Disconnected, Bed: &printer.Heater{ActualC: 60}}, ""},
		"a fault, and it is hot": {&printer.Snapshot{State: printer.Faulted, Nozzles: []printer.Heater{{ActualC: 250}}}, "the printer is hot"},
	} {
		if got := Hurts(c.s); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// rig is a Renewer at work.
type rig struct {
	*Renewer
	t     *testing.T
	snaps *printer.Snapshots
	end   chan error
	dir   string
	there atomic.Bool // a new program
	other atomic.Bool // something else is under way
}

func start(t *testing.T, again bool, s *printer.Snapshot) *rig {
	t.Helper()
	g := &rig{t: t, snaps: latest.New(s), end: make(chan error, 1), dir: t.TempDir()}
	g.Renewer = New(Config{Snapshots: g.snaps, Dir: g.dir, Again: again, Besides: g.besides, Replaced: func() bool { return g.there.Load() }, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { g.end <- g.Run(ctx) }()
	synctest.Wait()
	return g
}

func (g *rig) besides() string {
	if g.other.Load() {
		return "a file comes in"
	}
	return ""
}

func (g *rig) busy() string {
	b, err := os.ReadFile(filepath.Join(g.dir, "busy"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		g.t.Fatal(err)
	}
	return string(b)
}

func (g *rig) set(s *printer.Snapshot) {
	g.snaps.Set(s)
	synctest.Wait()
}

// runs reports whether it has not asked for a restart.
func (g *rig) runs() bool {
	select {
	case err := <-g.end:
		if !errors.Is(err, ErrAgain) {
			g.t.Fatalf("Run returned %v", err)
		}
		return false
	default:
		return true
	}
}

func TestANewVersionWaitsForTheEndOfThePrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, true, prints)
		if got := g.busy(); got != "a print is under way\n" {
			t.Fatalf("busy holds %q", got)
		}
		g.there.Store(true)
		time.Sleep(time.Hour)
		if waits, _ := g.Waits().Get(); !waits || !g.runs() {
			t.Fatalf("waits %v, runs %v in mid-print", waits, g.runs())
		}
		g.set(cools)
		time.Sleep(10 * time.Minute)
		if !g.runs() || g.busy() == "" {
			t.Fatal("it did not wait until the printer is cold")
		}
		g.set(idle)
		if g.busy() != "" {
			t.Error("busy is there, and nothing would hurt")
		}
		time.Sleep(30 * time.Second)
		if !g.runs() {
			t.Fatal("it did not look whether it stays calm")
		}
		g.set(preheats) // somebody begins the next
		time.Sleep(10 * time.Minute)
		if !g.runs() {
			t.Fatal("restarted while somebody heats")
		}
		g.set(idle)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if g.runs() {
			t.Fatal("it never restarted")
		}
	})
}

func TestANewVersionWaitsForWhatElseIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, true, idle)
		g.there.Store(true)
		g.other.Store(true)
		time.Sleep(time.Hour)
		if waits, _ := g.Waits().Get(); !waits || !g.runs() || g.busy() != "a file comes in\n" {
			t.Fatalf("waits %v, busy holds %q", waits, g.busy())
		}
		g.other.Store(false)
		time.Sleep(50 * time.Second)
		if !g.runs() || g.busy() != "" {
			t.Fatalf("it did not look whether it stays calm, or busy holds %q", g.busy())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if g.runs() {
			t.Fatal("it never restarted")
		}
	})
}

func TestNothingRestartsByItselfWithoutANewVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, true, idle)
		time.Sleep(24 * time.Hour)
		if !g.runs() {
			t.Fatal("it restarted")
		}
	})
}

func TestTheMarkOfOneThatWasKilledGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		mark := filepath.Join(dir, "busy")
		if err := os.WriteFile(mark, []byte("a print is under way\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := New(Config{Snapshots: latest.New(idle), Dir: dir, Replaced: func() bool { return false }, Log: slog.New(slog.DiscardHandler)})
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestNobodyWouldStartItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, false, idle)
		g.there.Store(true)
		time.Sleep(time.Hour)
		if waits, _ := g.Waits().Get(); waits || !g.runs() {
			t.Error("it offers a restart that would be its end")
		}
		if err := g.Restart(); !errors.Is(err, ErrNobody) {
			t.Errorf("Restart: %v", err)
		}
	})
}

func TestAPersonRestartsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, true, prints)
		if err := g.Restart(); !errors.Is(err, printer.ErrWrongState) {
			t.Errorf("in mid-print: %v", err)
		}
		synctest.Wait()
		if !g.runs() {
			t.Fatal("it ended a print")
		}
		g.set(cools)
		if err := g.Restart(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if g.runs() || g.busy() != "" {
			t.Error("it runs on, or is still called busy")
		}
	})
}

func TestItselfIsNotReplaced(t *testing.T) {
	replaced, err := Itself()
	if err != nil || replaced() {
		t.Errorf("replaced, %v", err)
	}
}
