package printer

import "time"

// flow says how much may be on its way to the firmware. It is a congestion control, counted in bytes:
//
//	one line at a time  until the firmware has shown that several are right
//	growing             by growBytes each time that calm lines in a row were answered without trouble
//	full                ceiling reached
//	after trouble       half as much, and twice as many lines until it grows again
//
// Beside that, the port is never given more than keeps the wire busy for a moment, since what is on its way when a line is damaged has to be
// sent again, and can do harm (check).
//
// What has no answer yet is on the wire, in the firmware's receive ring, or in its command queue. The queue is filled first and holds the
// oldest lines, so what the ring may have to hold are the unanswered bytes without the oldest lines that fit into the queue. (Marlin
// fills its queue also while a move waits for room in the planner: MarlinCore.cpp, manage_inactivity calls get_available_commands.)
type flow struct {
	ring    int  // bytes of the firmware's receive ring
	queue   int  // lines that its command queue is known to hold; 0 = nothing is known
	allow   int  // bytes that the ring may have to hold; 0 = one line at a time
	calm    int  // lines to be answered in peace before it grows
	quiet   int  // lines that were, since the last change
	single  bool // whatever happens: a line was executed out of turn here (see check), or the dialect bears no more
	shrinks int64
	told    [mostQueue + 1]uint8 // how often oks have told of so many free places: a flipped bit can say 7 for 3
}

const (
	// ringBytes is the receive ring that is assumed: Marlin's on 8-bit boards (MarlinSerial.h), where it is smallest.
	ringBytes = 128
	// ringSpare stays free, so that an M112 always fits; and one place of a ring is never used.
	ringSpare = len("\nM112\n\n") + 1

	growBytes = 24
	calmLeast = 4
	calmMost  = 256
	calmAgain = 1000 // lines in peace with all that is allowed, after which older trouble counts half
	mostQueue = 64   // what firmware says is believed up to here
	toldTimes = 3
	queueUsed = 8 // lines of the queue are made use of: where the wire is the limit more would only lie on it
)

func newFlow() flow { return flow{ring: ringBytes, calm: calmLeast} }

func (fl *flow) ceiling() int { return fl.ring - 1 - ringSpare }

// answered notes that a line was answered in peace. evidence: the firmware has shown that it bears several at once.
func (fl *flow) answered(evidence bool) {
	fl.quiet++
	switch {
	case !evidence || fl.single:
	case fl.allow < fl.ceiling() && fl.quiet >= fl.calm:
		fl.allow, fl.quiet = min(fl.allow+growBytes, fl.ceiling()), 0
	case fl.quiet >= calmAgain:
		fl.calm, fl.quiet = max(fl.calm/2, calmLeast), 0
	}
}

// trouble notes that a line or an answer was lost on the way.
func (fl *flow) trouble() {
	fl.allow /= 2
	fl.calm = min(2*fl.calm, calmMost)
	fl.quiet = 0
	fl.shrinks++
}

// bar allows one line at a time from now on.
func (fl *flow) bar() { fl.single, fl.allow = true, 0 }

// places notes how many places in the command queue an ok says to be free, while its own line still counts (queue.cpp, ok_to_send).
func (fl *flow) places(n int) {
	if n < 0 || n > mostQueue || fl.told[n] == toldTimes {
		return
	}
	if fl.told[n]++; fl.told[n] == toldTimes {
		fl.queue = max(fl.queue, min(n+1, queueUsed))
	}
}

// state is the word for people.
func (fl *flow) state() string {
	switch {
	case fl.allow == 0:
		return "one line"
	case fl.allow == fl.ceiling():
		return "full"
	}
	return "growing"
}

// wire is the line's clock: when it will have sent what the port was given.
type wire struct {
	baud  int       // 0 = unknown, and then nothing is held back
	free  time.Time // when the wire will be
	until time.Time // when there is room again; zero when that is not what is waited for
}

const (
	paceAhead = 8 * time.Millisecond    // the most that the port is given ahead: more than the system lets us sleep too long
	paceLeast = 2500 * time.Microsecond // and the least: a USB adapter takes a millisecond each way
	paceSlow  = 95                      // per cent: boards divide their clocks, and a line can be a few per cent faster than its name
)

// time is how long bytes take.
func (w *wire) time(bytes int) time.Duration {
	if w.baud <= 0 {
		return 0
	}
	return time.Duration(bytes) * 10 * time.Second / time.Duration(w.baud)
}

// wrote notes that bytes were given to the port.
func (w *wire) wrote(now time.Time, bytes int) {
	if w.free.Before(now) {
		w.free = now
	}
	w.free = w.free.Add(w.time(bytes) * paceSlow / 100)
}

// answered notes that only so many bytes have no answer yet: no more can be on the wire.
func (w *wire) answered(now time.Time, bytes int) {
	if latest := now.Add(w.time(bytes)); latest.Before(w.free) {
		w.free = latest
	}
}

// ahead is how much the port is given ahead: no more than the firmware's ring has room for, should its main loop not read for a moment just
// then. What a full ring loses can leave a line whose checksum is right: one in 256 is.
func (w *wire) ahead() time.Duration {
	return min(max(w.time(ringBytes-1-ringSpare), paceLeast), paceAhead)
}

// ready reports whether the port may be given more.
func (w *wire) ready(now time.Time) bool {
	if ahead := w.free.Add(-w.ahead()); now.Before(ahead) {
		w.until = ahead
		return false
	}
	return true
}
