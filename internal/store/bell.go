package store

import "sync"

// bell tells any number of listeners that something has changed. The zero value works.
type bell struct {
	mu   sync.Mutex // guards rung
	rung chan struct{}
}

// heard is closed when the bell has rung since the call.
func (b *bell) heard() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
