package printertest

import (
	"bytes"
	"math"
	"time"
)

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

// A lane carries bytes one way between host and board:
//
//	put → (batch ahead of the wire) → line rate → (batch behind the wire) → take
//
// It is pure: times are durations since the simulation began, and when each byte arrives is computed, not waited for,
// so a late caller makes nothing drift. Batches are how a USB adapter delays: the first byte opens one, and everything
// that joined it becomes available together when the latency has passed.
type lane struct {
	baud   int           // bits per second, ten to a byte; 0 = no line rate
	before time.Duration // latency ahead of the wire (host → board)
	after  time.Duration // latency behind the wire (board → host)

	buf      []byte // accepted and not yet taken; the oldest at head
	head     int
	released int     // of those, the first so many have arrived
	bursts   []burst // when the others pass the wire; the oldest at first
	first    int
	batchEnd time.Duration // of the newest batch ahead of the wire
}

// A burst is bytes that follow each other on the wire without a pause.
type burst struct {
	from time.Duration // when its first byte began
	gone int64         // bytes of it that were released
	left int           // bytes of it that were not
}

// wireTime is what n bytes need on the wire, rounded up to the next nanosecond. n stays below 2×baud (see pass), so
// nothing overflows and nothing adds up.
func wireTime(n int64, baud int) time.Duration {
	if baud <= 0 {
		return 0
	}
	b := int64(baud)
	return time.Duration((n*10*int64(time.Second) + b - 1) / b)
}

// arrival is when the k-th (from 1) unreleased byte of the burst has passed the wire.
func (b *burst) arrival(k int, baud int) time.Duration {
	n, from := b.gone+int64(k), b.from
	if baud > 0 {
		tens := n / int64(baud) // each baud bytes are exactly ten seconds
		n, from = n%int64(baud), from+time.Duration(tens)*10*time.Second
	}
	return from + wireTime(n, baud)
}

// pass notes that n bytes of the burst were released.
func (b *burst) pass(n int, baud int) {
	b.gone, b.left = b.gone+int64(n), b.left-n
	if baud > 0 {
		tens := b.gone / int64(baud)
		b.gone, b.from = b.gone%int64(baud), b.from+time.Duration(tens)*10*time.Second
	}
}

// arrived is how many of the burst's unreleased bytes have passed the wire at now.
func (b *burst) arrived(now time.Duration, baud int) int {
	if baud <= 0 {
		if b.from <= now {
			return b.left
		}
		return 0
	}
	if now >= b.arrival(b.left, baud) {
		return b.left
	}
	low, high := 0, b.left // arrival(low) ≤ now < arrival(high)
	for high-low > 1 {
		if mid := (low + high) / 2; b.arrival(mid, baud) <= now {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// pending is how many bytes were accepted and not yet taken.
func (l *lane) pending() int { return len(l.buf) - l.head }

// queued is how many of them have not passed the wire.
func (l *lane) queued() int { return l.pending() - l.released }

// put accepts p at now.
func (l *lane) put(now time.Duration, p []byte) {
	if len(p) == 0 {
		return
	}
	l.buf, l.head = appendQueue(l.buf, l.head, p...)
	ready := now
	if l.before > 0 {
		if now >= l.batchEnd {
			l.batchEnd = now + l.before
		}
		ready = l.batchEnd
	}
	if n := len(l.bursts); n > l.first {
		if last := &l.bursts[n-1]; ready <= last.arrival(last.left, l.baud) {
			last.left += len(p)
			return
		}
	}
	l.bursts, l.first = appendQueue(l.bursts, l.first, burst{from: ready, left: len(p)})
}

// appendQueue appends to a queue that begins at head, reusing the room in front of it.
func appendQueue[T any](q []T, head int, more ...T) ([]T, int) {
	if head == len(q) {
		q, head = q[:0], 0
	} else if head >= 512 && head > len(q)/2 {
		q, head = q[:copy(q, q[head:])], 0
	}
	return append(q, more...), head
}

// release lets through what has arrived at now.
func (l *lane) release(now time.Duration) {
	for l.first < len(l.bursts) {
		limit := now
		if l.after > 0 {
			if limit = l.bursts[l.first].arrival(1, l.baud) + l.after; limit > now {
				return
			}
		}
		for l.first < len(l.bursts) {
			b := &l.bursts[l.first]
			n := b.arrived(limit, l.baud)
			b.pass(n, l.baud)
			l.released += n
			if b.left > 0 {
				break
			}
			l.first++
		}
		if l.after == 0 {
			return
		}
	}
}

// take moves what has arrived at now into dst and returns how much that was.
func (l *lane) take(now time.Duration, dst []byte) int {
	l.release(now)
	n := copy(dst, l.buf[l.head:l.head+l.released])
	l.head, l.released = l.head+n, l.released-n
	return n
}

// nextAt is when the next byte that has not arrived will be there; never when there is none.
func (l *lane) nextAt() time.Duration {
	if l.first == len(l.bursts) {
		return never
	}
	return l.bursts[l.first].arrival(1, l.baud) + l.after
}

// nextUseful is when it is worth looking again at what has arrived: at the next line end, or after a millisecond's worth of bytes,
// which is as often as USB delivers.
func (l *lane) nextUseful() time.Duration {
	w := l.waiting()
	if l.after > 0 || l.baud <= 0 || len(w) == 0 {
		return l.nextAt()
	}
	k, most := bytes.IndexByte(w, '\n')+1, 1+l.baud/10000
	if k == 0 || k > most {
		k = min(len(w), most)
	}
	return l.wireAt(k)
}

// wireAt is when the k-th (from 1) byte that has not arrived passes the wire.
func (l *lane) wireAt(k int) time.Duration {
	for i := l.first; i < len(l.bursts); i++ {
		if k <= l.bursts[i].left {
			return l.bursts[i].arrival(k, l.baud)
		}
		k -= l.bursts[i].left
	}
	return never
}

// waiting is the bytes that have not arrived, valid until the next call.
func (l *lane) waiting() []byte { return l.buf[l.head+l.released:] }

// discard throws away what has not passed the wire.
func (l *lane) discard() {
	l.buf = l.buf[:l.head+l.released]
	l.bursts, l.first, l.batchEnd = l.bursts[:0], 0, 0
}

// drop throws away everything.
func (l *lane) drop() {
	l.buf, l.head, l.released = l.buf[:0], 0, 0
	l.bursts, l.first, l.batchEnd = l.bursts[:0], 0, 0
}
