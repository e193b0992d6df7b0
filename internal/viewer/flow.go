// Package viewer decides what one person who looks at a camera gets next, and how much of it may be on its way.
//
//	newest frame ─▶ Ladder: which size, and whether now ─▶ Flow: how many bytes now ─▶ websocket ─▶ phone
//	                  ▲                                      ▲                                        │
//	                  └── painted ◀──────────────────────────┴── bytes that have arrived ◀────────────┘
//
// Flow and Ladder are plain values: the caller gives them the time, and they wait for nothing. Smaller makes the smaller pictures, once for
// all who look at them, and only while somebody does.
package viewer

import "time"

// Flow keeps what is on its way to one viewer so short that nothing else on the same link waits for it. The kernel, a relay and the
// mobile network would take seconds of pictures; a tap on Pause comes back behind all of them.
//
// The viewer says how many bytes have arrived, message by message. From that come the shortest time there and back (base) and what the link
// carries (rate), and what may be on its way is what the link holds by itself, rate × base, and little more, so that it is never
// empty: rate × standing. BBR finds its window in the same way (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016); here it works
// above TCP, because the other end of a tailnet's relay has no congestion control of ours.
type Flow struct {
	sent, got int64
	sentAll   []mark // of messages that have not arrived, the oldest first
	from      mark   // from which on arrivals measure the link

	base    lowest // time there and back when nothing waits
	recent  [4]time.Duration
	recents int
	rate    float64   // bytes a second that the link carries
	rateAt  time.Time // when it was last reached
	found   bool      // the link was seen to be full: rate is what it carries, and not only what was tried
	window  float64   // bytes
	doneAt  time.Time // when the link will have taken what was sent, at this rate
	fullAt  time.Time // when the link was last seen to be full
}

// mark is one message on its way.
type mark struct {
	begin int64 // Flow.sent before it
	end   int64 // and behind it
	at    time.Time
	got   int64     // what had arrived when it was sent
	gotAt time.Time // and when
}

const (
	standing    = 30 * time.Millisecond // what waits in the link's queue
	leastWindow = 8 << 10               // bytes
	mostWindow  = 1 << 20
	leastChunk  = 1200 // bytes: a packet of the Internet
	mostChunk   = 48 << 10
	probe       = 1.12             // how much faster than it was seen the link is always taken to be, so that a better one is noticed
	startup     = 2.0              // how much faster than it was seen the link may be, until it was found out
	rateGood    = 10 * time.Second // a rate that was not reached for so long is forgotten
	sureFor     = 5 * time.Second
	leastOver   = 2 * time.Millisecond // a shorter time measures the clock
	oddTime     = 20 * time.Second     // a viewer that slept for so long tells nothing of its link
)

// Room is how many bytes of those that wait may be sent now, in one message. With 0, wait is when to ask again; 0 = when more has arrived.
func (f *Flow) Room(now time.Time) (bytes int, wait time.Duration) {
	if f.window == 0 {
		f.window = leastWindow
	}
	free := f.window - float64(f.sent-f.got)
	chunk := min(max(f.window/8, leastChunk), mostChunk)
	if free < chunk && f.sent > f.got {
		return 0, 0
	}
	if ready := f.doneAt.Add(-standing); ready.After(now) { // a burst stands in the link, however long that is
		return 0, ready.Sub(now)
	}
	return int(chunk), 0
}

// Sent notes that a message of n bytes was written.
func (f *Flow) Sent(n int, now time.Time) {
	if f.sent == f.got { // nothing was on its way. When this is here, so long as the way is, the link begins to be measured
		f.from = mark{got: f.sent + int64(n), gotAt: now.Add(f.Base())}
	}
	begin := f.sent
	f.sent += int64(n)
	if f.doneAt.Before(now) {
		f.doneAt = now
	}
	if f.rate > 0 {
		f.doneAt = f.doneAt.Add(time.Duration(float64(n) / (f.rate * f.gain()) * float64(time.Second)))
	}
	f.sentAll = append(f.sentAll, mark{begin, f.sent, now, f.from.got, f.from.gotAt})
}

// Total is how many bytes were sent so far.
func (f *Flow) Total() int64 { return f.sent }

// Got notes that total bytes have arrived so far. It reports false for a number that cannot be.
func (f *Flow) Got(total int64, now time.Time) bool {
	if total < f.got || total > f.sent {
		return false
	}
	var last *mark
	for len(f.sentAll) > 0 && f.sentAll[0].end <= total {
		last, f.sentAll = &f.sentAll[0], f.sentAll[1:]
	}
	f.got = total
	if f.got == f.sent { // whatever was thought of the link, it has taken all
		f.doneAt = now
	}
	if total >= f.from.got {
		f.from = mark{got: total, gotAt: now}
	}
	if last == nil {
		return true
	}
	took := now.Sub(last.at)
	if took > oddTime {
		return true
	}
	f.base.note(took, now)
	f.recent[f.recents%len(f.recent)] = took
	f.recents++
	over := max(now.Sub(last.gotAt), f.Base()/4, leastOver)
	apart := float64(max(total-last.got, 0)) / over.Seconds()
	alone := float64(last.end-last.begin) / max(took, leastOver).Seconds() // it carries that at least: all that is seen of one on which next to nothing was tried
	f.learn(max(apart, alone), now)
	return true
}

// learn takes what the link has just carried.
func (f *Flow) learn(seen float64, now time.Time) {
	limit := (f.Base() + standing).Seconds()
	switch queue := f.Queue(); {
	case seen >= f.rate:
		f.rate, f.rateAt = seen, now
	case queue > standing*3/2: // it carries less than it did, or others have their part of it
		f.rate = max(seen, f.rate*0.95)
		f.rateAt = now
	case now.Sub(f.rateAt) > rateGood && f.busy():
		f.rate = max(seen, f.rate*0.8)
		f.rateAt = now
	}
	if f.Queue() > standing/2 {
		f.found, f.fullAt = true, now
	}
	f.window = min(max(f.rate*limit*f.gain(), leastWindow), mostWindow)
}

// gain is how much more is tried than the link was seen to carry.
func (f *Flow) gain() float64 {
	if !f.found {
		return startup
	}
	return probe
}

// busy tells whether the window, and not a lack of pictures, has held messages back.
func (f *Flow) busy() bool { return float64(f.sent-f.got) > f.window/2 }

// Base is the shortest time there and back of the last minute; 0 before anything arrived.
func (f *Flow) Base() time.Duration { return f.base.value() }

// Queue is how long messages now wait in the link beyond that: of the last few the luckiest, because one lost packet holds up all behind it.
func (f *Flow) Queue() time.Duration {
	if f.recents == 0 {
		return 0
	}
	least := f.recent[0]
	for _, d := range f.recent[:min(f.recents, len(f.recent))] {
		least = min(least, d)
	}
	return max(least-f.Base(), 0)
}

// Rate is how many bytes a second the link carries, as far as it was tried; 0 before anything arrived.
func (f *Flow) Rate() float64 { return f.rate }

// Sure tells whether the link was full lately: messages stood in it. Else it may carry more than Rate.
func (f *Flow) Sure(now time.Time) bool { return !f.fullAt.IsZero() && now.Sub(f.fullAt) < sureFor }

// lowest is the lowest value of the last half to whole minute.
type lowest struct {
	now, before time.Duration
	since       time.Time
}

const lowestOver = 30 * time.Second

func (l *lowest) note(d time.Duration, now time.Time) {
	if l.since.IsZero() || now.Sub(l.since) > lowestOver {
		l.before, l.now, l.since = l.now, d, now
	}
	l.now = min(l.now, d)
}

func (l *lowest) value() time.Duration {
	if l.before > 0 {
		return min(l.now, l.before)
	}
	return l.now
}
