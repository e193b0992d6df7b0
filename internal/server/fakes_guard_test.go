package server

import (
	"context"
	"fmt"
	"sync"

	"layerd/internal/guard"
	"layerd/internal/latest"
	"layerd/printer"
)

// fakeGuard watches a print that is paused because of a shift.
type fakeGuard struct {
	states *latest.Value[*guard.State]

	mu    sync.Mutex // guards what follows
	done  []string
	order guard.Order
}

func newFakeGuard() *fakeGuard { return &fakeGuard{states: latest.New(goldenShift().Guard)} }

func (f *fakeGuard) note(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, what)
	return nil
}

func (f *fakeGuard) States() *latest.Value[*guard.State] { return f.states }
func (f *fakeGuard) Set(_ context.Context, s guard.Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	now, _ := f.states.Get()
	next := *now
	next.Settings = s
	f.states.Set(&next)
	return nil
}

func (f *fakeGuard) Arrange(_ context.Context, order guard.Order) (printer.Shots, printer.Watch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order = order
	mode := order.Mode
	if mode == "" {
		mode = printer.WatchPause
	}
	return order.Film, printer.Watch{Mode: mode}, nil
}
func (f *fakeGuard) SetUp(context.Context) error              { return f.note("set up") }
func (f *fakeGuard) Drill(context.Context) error              { return f.note("drill") }
func (f *fakeGuard) Cancel(context.Context) error             { return f.note("cancel") }
func (f *fakeGuard) Seen(_ context.Context, job string) error { return f.note("seen " + job) }
func (f *fakeGuard) FalseAlarm(_ context.Context, job string) error {
	if job == "other" {
		return fmt.Errorf("tell a false alarm: %w", guard.ErrNoAlarm)
	}
	return f.note("false alarm " + job)
}
