package server

import (
	"context"
	"fmt"
	"sync"

	"layerd/internal/guard"
	"layerd/internal/latest"
	"layerd/internal/store"
	"layerd/printer"
)

// fakeGuard watches a print that is paused because of a shift.
type fakeGuard struct {
	states *latest.Value[*guard.State]

	mu    sync.Mutex // guards what follows
	done  []string
	order guard.Order
	busy  bool         // it moves the head itself
	packs *guard.Guard // with what is recorded; a real one, which watches nothing
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
	if f.order = order; order.Job == "" || f.busy {
		return order.Film, printer.Watch{}, fmt.Errorf("arrange: %w", guard.ErrBusy)
	}
	mode := order.Mode
	if mode == "" {
		mode = printer.WatchPause
	}
	return order.Film, printer.Watch{Mode: mode}, nil
}
func (f *fakeGuard) SetUp(context.Context) error                { return f.note("set up") }
func (f *fakeGuard) Drill(_ context.Context, axis string) error { return f.note("drill " + axis) }
func (f *fakeGuard) BedPicture(context.Context) ([]byte, error) { return []byte("a bed"), nil }
func (f *fakeGuard) ShowCorners(_ context.Context, at [4][2]float64) error {
	if at[0] == at[1] {
		return fmt.Errorf("%w: two are one", guard.ErrCorners)
	}
	return f.note(fmt.Sprint("corners ", at))
}
func (f *fakeGuard) Cancel(context.Context) error             { return f.note("cancel") }
func (f *fakeGuard) Seen(_ context.Context, job string) error { return f.note("seen " + job) }
func (f *fakeGuard) FalseAlarm(_ context.Context, job string) error {
	if job == "other" {
		return fmt.Errorf("tell a false alarm: %w", guard.ErrNoAlarm)
	}
	return f.note("false alarm " + job)
}

func (f *fakeGuard) Recordings() ([]guard.Recording, error) {
	return []guard.Recording{{Job: "r1", AtMS: goldenMS, Looks: 40, Bytes: 12_000_000}, {Job: "gone", AtMS: goldenMS - 1000, Looks: 1, Bytes: 300_000}}, nil
}
func (f *fakeGuard) OpenRecording(job string) (*guard.Pack, error) {
	if f.packs == nil {
		return nil, guard.ErrNoRecording
	}
	return f.packs.OpenRecording(job)
}
func (f *fakeGuard) DeleteRecording(_ context.Context, job string) error {
	switch job {
	case "r1":
		return f.note("delete " + job)
	case "now":
		return fmt.Errorf("%w: this print is being recorded", guard.ErrBusy)
	}
	return guard.ErrNoRecording
}

// The files keep one alarm, 7 of the print "r1", whose second picture has not come yet.
func (f *fakeFiles) Alarms(_ context.Context, id string) ([]store.Alarm, error) {
	if id != "r1" {
		return nil, nil
	}
	return []store.Alarm{{ID: 7, Print: "r1", AtMS: goldenMS, About: []byte(`{"id":0,"layer":17,"sentence":"The head is 1.6 mm right of where it should be."}`)}}, nil
}

func (f *fakeFiles) AlarmPicture(_ context.Context, id int64, after bool) ([]byte, error) {
	if id != 7 || after {
		return nil, fmt.Errorf("read a picture of alarm %d: %w", id, store.ErrNotKept)
	}
	return []byte("a picture"), nil
}
