// Package latest shares the newest value of something live between one writer and any number of readers.
//
// It is a slot, not a queue: a reader that was away finds the newest value and never the ones it missed,
// and a slow reader can therefore neither hold up the writer nor grow a backlog.
package latest

import (
	"context"
	"sync"
)

// Value is the newest T. Use New; all methods may be called from any goroutine. The T that is set is shared by all
// readers, so nobody may change it afterwards.
type Value[T any] struct {
	mu      sync.Mutex // guards the three fields below
	value   T
	seq     uint64
	changed chan struct{} // closed by Set when somebody waits; nil when nobody does
}

// New returns a Value that holds v with sequence number 1.
func New[T any](v T) *Value[T] { return &Value[T]{value: v, seq: 1} }

// Set replaces the value, wakes all waiting readers and returns the value's sequence number. It never blocks.
func (l *Value[T]) Set(v T) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.value = v
	l.seq++
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return l.seq
}

// Get returns the newest value and its sequence number.
func (l *Value[T]) Get() (T, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value, l.seq
}

// Next waits until there is a value newer than the one numbered after, and returns it with its number. With after 0 it
// returns at once. It ends with ctx's error when ctx ends first.
func (l *Value[T]) Next(ctx context.Context, after uint64) (T, uint64, error) {
	for {
		l.mu.Lock()
		if l.seq > after {
			v, seq := l.value, l.seq
			l.mu.Unlock()
			return v, seq, nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, 0, ctx.Err()
		}
	}
}

// Each delivers the newest value, and while ctx lasts, newer ones; then it closes the channel. One that waited for the reader may be out of date,
// and the newest follows it. It is for a loop that waits for other things too.
func (l *Value[T]) Each(ctx context.Context) <-chan T {
	values := make(chan T)
	go func() {
		defer close(values)
		for seq := uint64(0); ; {
			v, n, err := l.Next(ctx, seq)
			if err != nil {
				return
			}
			seq = n
			select {
			case values <- v:
			case <-ctx.Done():
				return
			}
		}
	}()
	return values
}
