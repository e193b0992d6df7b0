package server

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Two uploads of ten pieces each, each piece 10 ms of work.
func TestUploadsLeaveThePrintItsProcessor(t *testing.T) {
	for _, printing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			turn, began := make(slots, 1), time.Now()
			var working, most atomic.Int32
			var all sync.WaitGroup
			for range 2 {
				all.Go(func() {
					b := &politeBody{r: strings.NewReader(strings.Repeat("x", 100)), printing: func() bool { return printing }, turn: turn, max: 10}
					defer b.Done()
					piece, got := make([]byte, 10), 0
					for {
						n, err := b.Read(piece)
						if got += n; err == io.EOF {
							break
						}
						most.Store(max(most.Load(), working.Add(1)))
						time.Sleep(10 * time.Millisecond)
						working.Add(-1)
					}
					if got != 100 {
						t.Errorf("got %d bytes, want 100", got)
					}
				})
			}
			all.Wait()
			took, want := time.Since(began), 100*time.Millisecond // both at once
			if printing {
				want = 20 * politeShare * 10 * time.Millisecond
			}
			if took != want {
				t.Errorf("printing %v: it took %v, want %v", printing, took, want)
			}
			if printing && most.Load() != 1 {
				t.Errorf("%d were worked on at a time, want one", most.Load())
			}
			if len(turn) != 0 {
				t.Error("the turn was not given back")
			}
		})
	}
}

// Who has sent all of a file is in nobody's way: what comes behind it in a form may be long in coming.
func TestTheTurnEndsWithTheFile(t *testing.T) {
	turn := make(slots, 1)
	b := &politeBody{r: strings.NewReader("file"), printing: func() bool { return true }, turn: turn, max: 10}
	if _, err := io.ReadAll(b); err != nil || len(turn) != 0 {
		t.Errorf("got %v, and %d have the turn", err, len(turn))
	}
	b.Rest() // it is read once more
	if b.Done(); len(turn) != 0 {
		t.Error("the turn was kept")
	}
}

// One piece that unpacks to ten times the work is no more of it at a time, and a print's own time is not taken for it.
func TestUnpackingLeavesThePrintItsProcessor(t *testing.T) {
	for _, printing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			turn, began := make(slots, 1), time.Now()
			b := &politeBody{r: strings.NewReader("packed"), printing: func() bool { return printing }, turn: turn, max: 10}
			io.ReadAll(b)
			for range 10 {
				b.Rest()
				if printing != (len(turn) == 1) {
					t.Errorf("printing %v: %d have the turn", printing, len(turn))
				}
				time.Sleep(10 * time.Millisecond)
			}
			b.Done()
			took, want := time.Since(began), 100*time.Millisecond
			if printing {
				want *= politeShare
			}
			if took != want || len(turn) != 0 {
				t.Errorf("printing %v: it took %v, want %v; %d turns were kept", printing, took, want, len(turn))
			}
		})
	}
}
