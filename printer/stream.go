package printer

import (
	"bytes"
	"layerd/gcode"
	"strings"
	"time"
)

// A line flows through a stream like this: send numbers it, keeps it in the history and puts it in flight; the firmware's
// ok lands it; a Resend takes it, and all that were sent after it, out of flight, to be sent again from the history.
// A stream has no goroutine, clock or port: the session feeds it.

// lane says where a line came from, and so who is told when it has landed.
type lane uint8

const (
	laneScript lane = iota // the procedure under way: handshake, park, resume, …
	laneTyped              // a person, or an API
	lanePoll               // our own question for temperatures
	laneJob
	laneCheck // where is the head, after a line was damaged
)

// evidence is what must be heard before an ok can be the answer to a line. An ok says little: firmware may say it twice, or say
// it for a line that it rejected. Only a question with an answer of its own tells for sure that all before it was received.
type evidence uint8

const (
	nothing  evidence = iota
	temps             // M105
	position          // M114
	name              // M115
)

// flight is one line that the firmware has been sent.
type flight struct {
	n        int64  // line number; -1 when it went without
	frame    []byte // what is written
	text     []byte // the command in it
	lane     lane
	script   int // laneScript: which procedure's
	needs    evidence
	heard    bool // what it needs was heard
	named    bool // an ok named it, or a later line, before what it needs was heard
	long     bool // it may run for minutes before its ok
	refused  bool // an error was heard while it was in flight
	custom   bool // of a script that a person wrote
	landed   bool // it was told to its lane already; a line that is sent again tells nothing twice
	pos      jobPos
	after    head // where it has led the head to, when it has landed
	before   undo // laneJob: what had been used when it landed
	doubtful int  // oks that were not taken for its answer
	sent     time.Time
}

const (
	historyLines = 1024 // kept for Resend; Prusa's crash recovery asks for far more than are in flight
	maxResends   = 10   // of the same line, then the cable is hopeless
	maxProbes    = 4    // unanswered questions in flight; more would fill the firmware's receive buffer
)

type stream struct {
	d       dialect
	next    int64                // number of the next new line
	resend  int64                // the history's line to send next; == next when there is none
	history [historyLines]flight // by number
	oldest  int64                // first number since the count was set; what is older was another conversation
	aloft   []int64              // numbers in flight, oldest first; -1 for the unnumbered ones, which stand in bare
	bare    []flight
	flow    flow
	several bool // its oks name their lines: so it is seen to bear several in flight
	native  bool // the port holds back what the board has no room for
	wire    wire
	ready   bool  // the next new line is prepared in the history
	check   check // what is to be found out before damaged lines are sent again
	extra   int   // oks since the damage that answer no line of ours
	unknown int   // of those, so many answered commands that the firmware did not know
	eatOK   bool  // the next line, if it is an ok, belongs to a Resend and answers no line
	asked   int64 // line of the last Resend, and how often it was asked for in a row
	times   int
	damaged bool          // the firmware has just said that a checksum was wrong
	lastN   int64         // its last good line, as it said in its last error; -1 = it did not
	certain bool          // asked is the line behind lastN: two lines of the firmware's say the same
	doubt   time.Time     // until then nothing is sent: asked, or lines behind it, may be on their way; zero = no doubt
	early   time.Time     // an ok came too soon: if no other has come until then, a question must tell; zero = none came
	haste   time.Duration // how soon it came
	latency time.Duration // from sending the last line that landed to its ok
	soon    time.Duration // an ok that comes sooner after its line is taken for an older one that was said twice
	newest  int64         // number that has landed
	guessed int           // lines that landed by oks which may have been another's, since the last that was sure
	sure    int64         // newest line that the firmware has answered as only that line is answered
	stats   LinkStats
	health  health
}

// reset begins to count at n, which M110 has told the firmware. Nothing may be in flight.
func (st *stream) reset(n int64) {
	st.next, st.resend, st.oldest = n+1, n+1, n+1
	st.aloft, st.bare = st.aloft[:0], st.bare[:0]
	st.eatOK, st.damaged, st.asked, st.times, st.doubt, st.early = false, false, -1, 0, time.Time{}, time.Time{}
	st.newest, st.sure, st.soon, st.haste, st.lastN, st.ready, st.check = n, n, 0, 0, -1, false, noCheck
}

// room reports whether another line of n bytes may be sent. Nothing goes behind a command that may take long: it could not be taken back.
func (st *stream) room(now time.Time, n int) bool {
	if !st.doubt.IsZero() || st.check != noCheck {
		return false
	}
	if len(st.aloft) == 0 {
		return true
	}
	if st.flow.allow == 0 {
		return false
	}
	for i := range st.aloft {
		f := st.at(i)
		if f.long {
			return false
		}
		if i >= st.flow.queue {
			n += len(f.frame)
		}
	}
	return (n <= st.flow.allow || len(st.aloft) < st.flow.queue) && st.wire.ready(now)
}

// underWay is how many bytes have no answer yet.
func (st *stream) underWay() (n int) {
	for i := range st.aloft {
		n += len(st.at(i).frame)
	}
	return n
}

// rewound reports whether there are lines to send again.
func (st *stream) rewound() bool { return st.resend < st.next }

// again sends the oldest of these.
func (st *stream) again(now time.Time) []byte {
	f := st.oldestRewound()
	f.heard, f.named, f.refused, f.doubtful = false, false, false, 0
	st.resend++
	return st.fly(now, f)
}

func (st *stream) oldestRewound() *flight { return &st.history[st.resend%historyLines] }

// fly puts a line in flight.
func (st *stream) fly(now time.Time, f *flight) []byte {
	st.aloft = append(st.aloft, f.n)
	st.health.wrote(now, len(f.frame), !f.sent.IsZero())
	f.sent = now
	st.wire.wrote(now, len(f.frame))
	st.stats.Sent++
	return f.frame
}

// send puts a new line in flight and returns its bytes, valid until it has landed. There must be nothing rewound.
func (st *stream) send(now time.Time, text []byte, l lane, needs evidence, pos jobPos) []byte {
	st.frame(text, l, needs, pos)
	return st.commit(now)
}

// frame makes text the next new line, without sending it: number and checksum are ready before there is room. Firmware that does not count
// gets the text alone.
func (st *stream) frame(text []byte, l lane, needs evidence, pos jobPos) {
	f := st.prepared()
	frame, from := append(f.frame[:0], text...), 0
	if st.d.numbered {
		frame = gcode.AppendFrame(f.frame[:0], st.next, text)
		from = bytes.IndexByte(frame, ' ') + 1
	} else {
		frame = append(frame, '\n')
	}
	*f = flight{n: st.next, frame: frame, text: frame[from : from+len(text)], lane: l, needs: needs, pos: pos, long: takesLong(text)}
	st.ready = false
}

// prepared is the place of the next new line.
func (st *stream) prepared() *flight { return &st.history[st.next%historyLines] }

// frameLen is how long the next new line is with text in it, or a little less.
func frameLen(text []byte) int { return len("N1234567 *123\n") + len(text) }

// commit sends the line that was framed last.
func (st *stream) commit(now time.Time) []byte {
	f := st.prepared()
	st.next++
	st.resend, st.ready = st.next, false
	return st.fly(now, f)
}

// sendBare puts a line in flight without number and checksum: what comes before the count is agreed, or must not depend on it.
func (st *stream) sendBare(now time.Time, text []byte, l lane, needs evidence, pos jobPos) []byte {
	frame := append(append(make([]byte, 0, len(text)+1), text...), '\n')
	st.bare = append(st.bare, flight{n: -1, frame: frame, text: frame[:len(text)], lane: l, needs: needs, pos: pos, long: takesLong(text)})
	return st.fly(now, &st.bare[len(st.bare)-1])
}

// at returns the i-th oldest line in flight. Unnumbered lines are kept in the order in which they went.
func (st *stream) at(i int) *flight {
	if n := st.aloft[i]; n >= 0 {
		return &st.history[n%historyLines]
	}
	bare := 0
	for _, n := range st.aloft[:i] {
		if n < 0 {
			bare++
		}
	}
	return &st.bare[bare]
}

// hear takes a reply in. Lines that landed are given to land, oldest first, each once in its life.
// The Fault is what makes going on impossible.
func (st *stream) hear(now time.Time, r gcode.Reply, land func(*flight)) *Fault {
	eat := st.eatOK
	st.eatOK = false // Marlin says Resend and its ok in one breath (queue.cpp, flush_and_request_resend)
	switch r.Kind {
	case gcode.OK:
		if !eat || (r.HasLine && st.find(r.Line) >= 0) {
			st.ok(now, r, land)
		}
	case gcode.Resend:
		return st.requested(now, r)
	case gcode.Error:
		st.damaged, st.lastN = strings.Contains(strings.ToLower(string(r.Text)), "checksum"), r.LastLine
	case gcode.Unknown, gcode.Echo:
		if bytes.Contains(r.Text, unknownCommand) {
			st.unknown++
			st.soon = 0 // its ok comes as soon as it likes
		}
	}
	if r.Position != nil {
		st.witness(now, position, land)
	}
	if r.Firmware != "" {
		st.witness(now, name, land)
	}
	return nil
}

var unknownCommand = []byte("Unknown command")

// witness notes that the answer to a question in flight was heard. Firmware that says its oks early answers after them.
func (st *stream) witness(now time.Time, e evidence, land func(*flight)) {
	for i := range st.aloft {
		f := st.at(i)
		if f.needs == e && !f.heard {
			f.heard = true
			st.landNamed(now, land)
			return
		}
		if e == position && saysPosition(f.text) {
			return // it was that one's
		}
	}
}

// saysPosition reports whether Marlin answers a command with a position that nobody asked for.
func saysPosition(text []byte) bool {
	c := gcode.ParseCommand(text)
	return c.Is('G', 28) || c.Is('G', 92)
}

func (st *stream) find(n int64) int {
	for i, m := range st.aloft {
		if m == n {
			return i
		}
	}
	return -1
}

// ok lands the line that an ok answers, and all before it.
func (st *stream) ok(now time.Time, r gcode.Reply, land func(*flight)) {
	if len(st.aloft) == 0 {
		st.extra++
		return
	}
	if r.Queue >= 0 {
		st.flow.places(r.Queue)
	}
	last := 0
	switch {
	case r.HasLine && st.d.numbered && st.aloft[0] >= 0: // (the hello's number is not one of the stream's)
		// ADVANCED_OK names the line, so oks that were lost before it no longer matter.
		if last = st.find(r.Line); last < 0 {
			return // an older line's, said twice
		}
		if st.several = st.several || !st.d.early; last > 0 && !st.d.early {
			st.flow.trouble() // an ok was lost
		}
		if st.d.early {
			for i := range last + 1 {
				f := st.at(i)
				f.named = true
				f.doubtful++
			}
			st.landNamed(now, land)
			return
		}
	case len(r.Temps) > 0:
		for i := range st.aloft {
			if st.at(i).needs == temps { // only a question for temperatures is answered like that
				last = i
				break
			}
		}
	default:
		for i := range st.aloft {
			if st.at(i).heard { // its answer came just before this ok, so all before it were received
				last = i
			}
		}
	}
	f := st.at(last)
	if st.check != noCheck && f.n >= st.asked { // that one was not received
		st.extra++
		return
	}
	if took := now.Sub(f.sent); f.needs == nothing && !r.HasLine && took < st.soon {
		st.haste, st.early = took, now.Add(doubtFor+min(2*st.latency, maxDoubt))
		return
	}
	if len(r.Temps) > 0 && f.needs == temps || r.Position != nil && f.needs == position || r.Firmware != "" && f.needs == name {
		f.heard = true
	}
	if !st.answered(f) {
		f.doubtful++ // somebody else's ok
		st.extra++
		f.named = r.HasLine && f.n == r.Line
		return
	}
	st.landThrough(now, last, land)
}

// answered reports whether what a line needs besides its ok was heard. A firmware that never says it is believed in the end.
func (st *stream) answered(f *flight) bool {
	return f.needs == nothing || f.heard || f.needs == temps && !st.d.temps || f.doubtful > 2
}

// landNamed lands the oldest lines as far as oks have named them and their answers were heard.
func (st *stream) landNamed(now time.Time, land func(*flight)) {
	for len(st.aloft) > 0 && st.at(0).named && st.answered(st.at(0)) {
		st.landThrough(now, 0, land)
	}
}

// tooQuick says how much quicker than the answer to a question an ok must be to be doubted. The shortest line and its ok take a fifth of the
// time on the wire. An ok said twice would keep a line too many in flight for the rest of the print; and when such a line is thrown away
// halfway, because the one before it was damaged, its end may be a command without number, which no checksum protects.
const tooQuick = 8

func (st *stream) landThrough(now time.Time, last int, land func(*flight)) {
	if st.haste > 0 && last > 0 { // no other came before the answer to a later line: it was no older one's
		st.soon = min(st.soon, st.haste/2)
	}
	st.haste, st.early = 0, time.Time{}
	st.guessed++
	if st.several {
		st.guessed = 0
	}
	if f := st.at(last); f.needs != nothing && f.heard {
		st.guessed = 0
		st.sure = max(st.sure, f.n)
		if soon := now.Sub(f.sent) / tooQuick; soon < st.soon || st.soon == 0 {
			st.soon = soon
		}
	}
	for range last + 1 {
		f := st.at(0)
		bare := st.aloft[0] < 0
		st.aloft = append(st.aloft[:0], st.aloft[1:]...)
		if f.n >= st.asked {
			st.asked, st.times, st.doubt = -1, 0, time.Time{}
		}
		st.latency = now.Sub(f.sent)
		if f.lane == laneJob {
			st.flow.answered(st.several || st.native || st.d.several)
		}
		if !f.landed {
			f.landed, st.newest = true, max(st.newest, f.n)
			land(f)
		}
		if bare {
			st.bare = append(st.bare[:0], st.bare[1:]...)
		}
	}
	st.wire.answered(now, st.underWay())
}
