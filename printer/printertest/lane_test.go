package printertest

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestLaneIsNeverFasterThanItsRate feeds a lane in random pieces at random times, and looks at random times: no stretch of
// bytes may pass faster than the rate, and while the lane is busy none may pass slower.
func TestLaneIsNeverFasterThanItsRate(t *testing.T) {
	for _, baud := range []int{9600, 115200, 250000} {
		r := rand.New(rand.NewPCG(1, uint64(baud)))
		l := lane{baud: baud}
		now, free := time.Duration(0), time.Duration(0)
		var due []time.Duration // the moment of each byte, worked out the slow way
		var buf [512]byte
		exact := new(schedule)
		for range 2000 {
			now += time.Duration(r.IntN(int(20 * time.Millisecond)))
			n := 1 + r.IntN(200)
			l.put(now, buf[:n])
			due = append(due, exact.next(now, n, baud)...)
			free = due[len(due)-1]
			look := now + time.Duration(r.IntN(int(5*time.Millisecond)))
			got, want := l.take(look, buf[:]), 0
			for want < len(due) && want < len(buf) && due[want] <= look {
				want++
			}
			if got != want {
				t.Fatalf("%d baud at %v: %d bytes have passed, want %d", baud, look, got, want)
			}
			due, now = due[got:], look
		}
		for l.pending() > 0 {
			l.take(free, buf[:])
			free += time.Millisecond
		}
	}
}

// schedule is the definition: a byte takes 10 bits, in exact fractions, from when it is there and the wire is free.
type schedule struct {
	from  time.Duration // beginning of the burst
	count int64
}

func (s *schedule) next(now time.Duration, n, baud int) []time.Duration {
	end := func(k int64) time.Duration {
		whole, rest := k*10/int64(baud), k*10%int64(baud)
		return s.from + time.Duration(whole)*time.Second + time.Duration((rest*int64(time.Second)+int64(baud)-1)/int64(baud))
	}
	if now > end(s.count) || s.count == 0 {
		s.from, s.count = now, 0
	}
	var due []time.Duration
	for range n {
		s.count++
		due = append(due, end(s.count))
	}
	return due
}

// TestLaneDoesNotDrift sends for a simulated week without a pause: the last byte comes at the exact time, to the nanosecond.
func TestLaneDoesNotDrift(t *testing.T) {
	const baud, perSecond = 250000, 25000
	l := lane{baud: baud}
	var buf [perSecond]byte
	for i := range 7 * 24 * 60 {
		l.put(time.Duration(i)*time.Second, buf[:])
		l.take(time.Duration(i)*time.Second+500*time.Millisecond, buf[:])
		if n := l.pending(); i > 0 && n != perSecond/2 {
			t.Fatalf("after %d s and a half %d bytes are under way, want %d", i, n, perSecond/2)
		}
		l.take(time.Duration(i+1)*time.Second-1, buf[:])
		if n := l.pending(); n != 1 {
			t.Fatalf("a nanosecond before %d s %d bytes are under way, want 1", i+1, n)
		}
		if at := l.nextAt(); at != time.Duration(i+1)*time.Second {
			t.Fatalf("the last byte of second %d comes at %v", i, at)
		}
		l.take(time.Duration(i+1)*time.Second, buf[:])
	}
}

func TestLaneBatches(t *testing.T) {
	const ms = time.Millisecond
	look := func(l *lane, at time.Duration) int { var buf [64]byte; return l.take(at, buf[:]) }

	in := lane{before: 4 * ms} // host → board: what is written within 4 ms of the first byte goes together
	in.put(0, make([]byte, 3))
	in.put(3*ms, make([]byte, 2))
	in.put(5*ms, make([]byte, 1))
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{4*ms - 1, 0}, {4 * ms, 5}, {9*ms - 1, 0}, {9 * ms, 1}} {
		if got := look(&in, c.at); got != c.want {
			t.Errorf("host to board at %v: %d bytes, want %d", c.at, got, c.want)
		}
	}

	back := lane{baud: 10000, after: 4 * ms} // a byte each ms; the first comes after 1 ms and opens a batch up to 5 ms
	back.put(0, make([]byte, 8))
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{5*ms - 1, 0}, {5 * ms, 5}, {10*ms - 1, 0}, {10 * ms, 3}} {
		if got := look(&back, c.at); got != c.want {
			t.Errorf("board to host at %v: %d bytes, want %d", c.at, got, c.want)
		}
	}
}

func TestLaneDiscards(t *testing.T) {
	l := lane{baud: 10000}
	l.put(0, []byte("abcdef"))
	var buf [8]byte
	l.release(2 * time.Millisecond)
	l.discard()
	if n := l.take(time.Second, buf[:]); string(buf[:n]) != "ab" {
		t.Errorf("after a discard %q came, want the two bytes that had passed", buf[:n])
	}
	l.put(time.Second, []byte("x"))
	if at := l.nextAt(); at != time.Second+time.Millisecond {
		t.Errorf("a byte after the discard comes at %v", at)
	}
}
