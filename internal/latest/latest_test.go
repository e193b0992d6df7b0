package latest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
)

func TestSlowReaderSkipsToTheNewest(t *testing.T) {
	v := New(0)
	_, seq, err := v.Next(t.Context(), 0)
	if err != nil || seq != 1 {
		t.Fatalf("first Next: got seq %d, %v, want 1, nil", seq, err)
	}
	for i := 1; i <= 10; i++ {
		v.Set(i)
	}
	got, seq, err := v.Next(t.Context(), seq)
	if got != 10 || seq != 11 || err != nil {
		t.Errorf("after ten sets: got %d seq %d, %v, want 10 seq 11, nil", got, seq, err)
	}
}

func TestNextWaitsAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New("old")
		got := make(chan string)
		for range 3 {
			go func() {
				s, _, _ := v.Next(t.Context(), 1)
				got <- s
			}()
		}
		synctest.Wait() // all three are waiting
		v.Set("new")
		for range 3 {
			if s := <-got; s != "new" {
				t.Errorf("got %q, want %q", s, "new")
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { _, _, err := v.Next(ctx, 2); ended <- err }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != context.Canceled {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func TestEachEndsWithTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(0)
		ctx, cancel := context.WithCancel(t.Context())
		values := v.Each(ctx)
		if got := <-values; got != 0 {
			t.Errorf("first: got %d, want 0", got)
		}
		for i := 1; i <= 100; i++ {
			v.Set(i)
		}
		last, n := 0, 0
		for ; last != 100; n++ {
			last = <-values
		}
		if n > 2 {
			t.Errorf("it got %d values to see the newest, want one or two", n)
		}
		synctest.Wait()
		cancel()
		if got, ok := <-values; ok {
			t.Errorf("after its end: got %d", got)
		}
	})
}

// BenchmarkFanOut50 measures one Set that is seen by 50 waiting readers.
func BenchmarkFanOut50(b *testing.B) {
	v := New(uint64(0))
	ctx, cancel := context.WithCancel(b.Context())
	var readers, round sync.WaitGroup
	for range 50 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for seq := uint64(1); ; {
				_, next, err := v.Next(ctx, seq)
				if err != nil {
					return
				}
				for ; seq < next; seq++ {
					round.Done()
				}
			}
		}()
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		round.Add(50)
		v.Set(uint64(i))
		round.Wait()
	}
	cancel()
	readers.Wait()
}
