package server

import (
	"context"
	"slices"
	"sync"

	"layerd/internal/spools"
	"layerd/internal/store"
)

// fakeShelf has spools in memory, and PLA of 8.1 m on tool 0.
type fakeShelf struct {
	mu      sync.Mutex // guards what follows
	list    spools.List
	saved   []store.SpoolEdit
	put     []store.ActiveSpool
	fail    error
	changed chan struct{}
}

func newFakeShelf() *fakeShelf {
	return &fakeShelf{changed: make(chan struct{}), list: spools.List{Source: store.OwnSpools, Active: []store.ActiveSpool{{Spool: 1, Name: "black"}},
		Spools: []store.Spool{{ID: 1, Name: "black", Material: "PLA", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, LeftMM: 8100}}}}
}

func (f *fakeShelf) ring() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeShelf) List(context.Context) (spools.List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list, f.fail
}
func (f *fakeShelf) Save(_ context.Context, e store.SpoolEdit) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		f.saved = append(f.saved, e)
		f.ring()
	}
	return 7, f.fail
}
func (f *fakeShelf) PutOn(_ context.Context, tool int, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		f.put = append(f.put, store.ActiveSpool{Tool: tool, Spool: id})
		f.ring()
	}
	return f.fail
}
func (f *fakeShelf) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// fakeQueue is a queue in memory.
type fakeQueue struct {
	mu      sync.Mutex // guards what follows
	entries []store.Entry
	changed chan struct{}
	fail    error
}

func newFakeQueue() *fakeQueue {
	return &fakeQueue{changed: make(chan struct{}), entries: []store.Entry{{ID: 1, File: "cube.gcode", Copies: 1, By: "the owner"}}}
}

func (f *fakeQueue) change(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	err := do()
	close(f.changed)
	f.changed = make(chan struct{})
	return err
}

func (f *fakeQueue) at(id int64) int {
	return slices.IndexFunc(f.entries, func(e store.Entry) bool { return e.ID == id })
}

func (f *fakeQueue) Queue(context.Context) ([]store.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.entries), f.fail
}
func (f *fakeQueue) QueueChanged() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}
func (f *fakeQueue) AddToQueue(_ context.Context, file string, copies int, by string) (e store.Entry, err error) {
	return e, f.change(func() error {
		e = store.Entry{ID: int64(len(f.entries) + 1), File: file, Copies: copies, By: by}
		f.entries = append(f.entries, e)
		return nil
	})
}
func (f *fakeQueue) MoveInQueue(_ context.Context, id, before int64) error {
	return f.change(func() error {
		at := f.at(id)
		if at < 0 {
			return store.ErrNoEntry
		}
		e := f.entries[at]
		f.entries = slices.Delete(f.entries, at, at+1)
		to := f.at(before)
		if to < 0 {
			to = len(f.entries)
		}
		f.entries = slices.Insert(f.entries, to, e)
		return nil
	})
}
func (f *fakeQueue) SetCopies(_ context.Context, id int64, copies int) error {
	return f.change(func() error {
		at := f.at(id)
		if at < 0 {
			return store.ErrNoEntry
		}
		f.entries[at].Copies = copies
		return nil
	})
}
func (f *fakeQueue) Unqueue(_ context.Context, id int64) error {
	return f.change(func() error {
		at := f.at(id)
		if at < 0 {
			return store.ErrNoEntry
		}
		f.entries = slices.Delete(f.entries, at, at+1)
		return nil
	})
}
