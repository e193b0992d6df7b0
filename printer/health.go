package printer

import (
	"layerd/gcode"
	"math"
	"strings"
	"time"
)

// health judges the link by what the session knows anyway. It has no goroutine, clock or port, and never allocates.
//
//	wrote ─▶ heard ─▶ landed ─▶ flow: the level of motion in the printer ─▶ a stretch of 16 lines ─▶ decide: what was short, and why
//
// Starved time is what a print takes longer because its lines come too late. The file says how long each line moves (gcode.Pace). The
// level is how much of that the printer still has to do: lines fill it, time drains it, and what time drains beyond it is short. Firmware
// that says how many places its planner has free (P of ADVANCED_OK) tells the level itself: its newest moves are what it still has.
//
// A machine that is slower than its file is late too, with a full planner. So short time counts only
//   - where P is said: if the planner was less than half full a moment ago. It need not be empty: Marlin crawls below half (SLOWDOWN, planner.cpp)
//   - elsewhere: if the answers came promptly. A full planner holds them back
//
// Whose fault it is:
//   - the host's, as far as the job's next line was not read from its file
//   - the printer's, if its answers came late though its planner was not full, and no line was damaged or lost
//   - the file's, if its lines do not fit on the wire in the time in which it wants them done: no host can send them in time
//   - the wire's else: the way there and back, lines sent again, oks lost
//
// Where motion stops on purpose (heating, homing, M400, a pause) a stretch ends. The next begins with the first move; behind a shot, which stands still in each
// layer, it is not judged.
type health struct {
	perByte time.Duration // on the wire; 0 = no speed is known
	unpaced bool          // it has no speed: native USB, which only pretends
	swift   int           // stretches in a row that say so
	used    time.Duration // of the wire, since the use was last worked out
	usedAt  time.Time
	percent float64 // that use

	idle  time.Time     // since then a line could be sent, and the job has none; zero = not so
	alone bool          // a single line was in flight when the last reply came …
	reply time.Duration // … which took so long on the wire
	quick time.Duration // what a line that moves nothing takes besides the wire, usually; 0 = not known
	room  int           // P of the last ok, -1 = not said
	most  int           // the greatest P that was heard twice: all places of the planner
	more  int           // the last that was greater

	last  time.Time         // when the job's line before was accepted; zero = the printer stands still on purpose
	level time.Duration     // motion that it has been given and has not done
	ahead time.Duration     // dialect.ahead
	moves uint              // since it stood still
	sums  [64]time.Duration // of their motion, up to each of the newest
	thin  int               // so many stretches yet count as thin: below half Marlin crawls until it is fuller, and then runs until it is thin
	fill  bool              // … for a shot: the stretch after it fills the planner again, which is nobody's fault
	now   stretch

	starved                                         [causes]time.Duration
	slow                                            stretch // sum of the stretches in which the link was too slow
	lines, again, checksum, gaps, missing, overruns int64
	tally                                           *tally    // for as long as layerd runs; nil in tests
	trouble                                         time.Time // of the last line error; zero = a line that was sent after it was accepted
}

// stretch is some lines of the job in a row. It is as long as a planner: fewer lines cannot starve it.
type stretch struct {
	lines    int
	took     time.Duration // until they were accepted
	motion   time.Duration // that the file asks for
	least    time.Duration // what they need on the wire, each once
	wire     time.Duration // all that was sent meanwhile, and the replies that we waited for
	host     time.Duration // we had nothing to send
	short    time.Duration // motion that was not there in time
	told     bool          // P was said
	thin     bool          // the planner was less than half full
	filling  bool          // a planner that a shot has emptied
	spare    time.Duration // the oldest move in the planner, which may be nearly done
	troubled bool          // a line error was said
	asked    bool          // an ok was missing for so long that we asked
}

const (
	stretchLines = 16
	thinFor      = 2                      // stretches
	fillTime     = 200 * time.Millisecond // that a planner takes to fill at the beginning is nobody's fault
	holdsMoves   = stretchLines + 4       // a planner's and a command queue's, where the firmware does not say
	usedEvery    = 2 * time.Second
	longestMove  = 24 * time.Hour // what is more is a mistake in the file
)

// cause is what starved the printer.
type cause uint8

const (
	byWire cause = iota
	byFile
	byHost
	byPrinter
	causes
)

var causeNames = [causes]string{"wire", "file", "host", "printer"}

// begin counts from here, for a job. baud is the port's, ahead the dialect's. What is known of the firmware stays.
func (h *health) begin(baud int, ahead time.Duration) {
	*h = health{tally: h.tally, unpaced: h.unpaced, quick: h.quick, most: h.most, more: h.more, room: -1, ahead: ahead}
	if baud > 0 && !h.unpaced {
		h.perByte = 10 * time.Second / time.Duration(baud) // with start and stop bit
	}
}

// wrote takes in that a line of n bytes was handed to the port. again: it had been sent before.
func (h *health) wrote(now time.Time, n int, again bool) {
	h.tally.wrote(again)
	h.lines++
	if again {
		h.again++
	}
	if !h.idle.IsZero() {
		h.now.host += now.Sub(h.idle)
		h.idle = time.Time{}
	}
	if since := now.Sub(h.usedAt); since >= usedEvery {
		h.percent = min(100, 100*float64(h.used)/float64(since))
		h.used, h.usedAt = 0, now
	}
	wire := time.Duration(n) * h.perByte
	h.used += wire
	h.now.wire += wire
}

// unread takes in that a line could be sent, and the job's next is not read from its file.
func (h *health) unread(now time.Time) {
	if h.idle.IsZero() {
		h.idle = now
	}
}

// asked takes in that no ok came for so long that we asked for it.
func (h *health) asked() { h.now.asked = true }

// heard takes in a reply, before it lands anything. inFlight is how many lines were when it came.
func (h *health) heard(now time.Time, r gcode.Reply, inFlight int) {
	h.alone, h.reply = inFlight == 1, 0
	if inFlight <= 1 { // else our next line was on the wire at the same time
		h.reply = time.Duration(len(r.Text)+1) * h.perByte
		h.now.wire += h.reply
	}
	switch {
	case r.Kind == gcode.OK:
		h.room = r.Planner
		if h.room > h.most { // heard once it may be noise: replies have no checksum
			h.most, h.more = max(h.most, min(h.room, h.more)), h.room
		}
	case r.Kind == gcode.Resend:
		h.trouble, h.now.troubled = now, true
	case r.Kind == gcode.Error:
		h.lineError(now, string(r.Text), inFlight)
	case r.Kind == gcode.Busy, r.Waiting:
		h.still()
	}
}

// lineError counts what the firmware says against a line. A line that is gone while several were in flight may have found the receive
// buffer full. Only the first of such errors in a row tells: Marlin then throws away what it has received, and misses that next.
func (h *health) lineError(now time.Time, text string, inFlight int) {
	gone := true
	switch lower := strings.ToLower(text); {
	case strings.Contains(lower, "no checksum"), strings.Contains(lower, "with checksum"), strings.Contains(lower, "missing checksum"):
		h.missing++
	case strings.Contains(lower, "checksum"):
		h.checksum++
		gone = false
	case strings.Contains(lower, "line number is not"), strings.Contains(lower, "expected line"):
		h.gaps++
	default:
		return
	}
	h.tally.heard(0, 0, 0, 1)
	if gone && inFlight > 1 && h.trouble.IsZero() {
		h.overruns++
	}
	h.trouble, h.now.troubled = now, true
}

// landed takes in that the firmware has accepted a line. speedPercent is M220's, which the file's times do not know.
func (h *health) landed(now time.Time, f *flight, speedPercent float64) {
	if !h.trouble.IsZero() && !f.sent.Before(h.trouble) {
		h.trouble = time.Time{}
	}
	if h.now.asked && f.lane == lanePoll && now.Sub(f.sent) < time.Second {
		h.now.troubled = true // it was not busy: an ok was lost
	}
	wire := time.Duration(len(f.frame)) * h.perByte
	if h.alone && f.pos.took == 0 && !f.long && f.lane != laneTyped && (f.needs == nothing || f.needs == temps) {
		h.answered(now.Sub(f.sent) - wire - h.reply)
	}
	if f.long || f.lane == laneScript {
		h.still()
	}
	if !f.long {
		h.tally.landed(now.Sub(f.sent))
	}
	if f.long || f.lane != laneJob {
		return
	}
	motion := min(f.pos.took, longestMove)
	if speedPercent != 100 {
		motion = time.Duration(min(float64(motion)*100/speedPercent, float64(longestMove)))
	}
	if h.last.IsZero() && motion == 0 {
		return // nothing moves yet
	}
	h.flow(now, motion)
	h.now.lines++
	h.now.motion += motion
	h.now.least += wire
	if h.now.lines >= stretchLines && (h.room >= 0 || !h.now.told) {
		h.decide()
	}
}

// answered learns how long the way there and back takes, from lines that no planner can hold back. It forgets slow ones soon.
func (h *health) answered(in time.Duration) {
	in = max(in, 1)
	switch {
	case h.perByte == 0 && !h.unpaced:
	case h.quick == 0:
		h.quick = in
	case in < h.quick:
		h.quick -= (h.quick - in) / 2
	default:
		h.quick += (in - h.quick) / 8
	}
}

// flow takes the time since the line before off the level, and puts the line's motion on it.
func (h *health) flow(now time.Time, motion time.Duration) {
	if h.last.IsZero() {
		h.now, h.last, h.fill = stretch{filling: h.fill}, now, false
	}
	dt := now.Sub(h.last)
	h.last = now
	h.now.took += dt
	h.level -= dt
	if motion > 0 {
		h.moves++
		h.sums[h.moves%uint(len(h.sums))] = h.sums[(h.moves-1)%uint(len(h.sums))] + motion
	}
	if h.room < 0 {
		h.now.short += max(0, -h.level)
		h.level = min(max(0, h.level)+motion, max(h.newest(holdsMoves), h.ahead))
		return
	}
	n := h.most - h.room
	level := h.newest(n)
	h.now.short += level - (h.level + motion) // what should have been done meanwhile and was not
	h.level, h.now.told, h.now.spare = level, true, level-h.newest(n-1)
	if 2*n < h.most {
		h.now.thin = true
	}
}

// newest is the motion of the newest n moves.
func (h *health) newest(n int) time.Duration {
	back := min(uint(max(n, 0)), h.moves, uint(len(h.sums)-1))
	return h.sums[h.moves%uint(len(h.sums))] - h.sums[(h.moves-back)%uint(len(h.sums))]
}

// still takes in that the printer does something else than move.
func (h *health) still() {
	h.decide()
	h.last, h.level, h.moves, h.sums[0], h.thin = time.Time{}, 0, 0, 0, 0
}

// decide says what the stretch was short of and why, and begins the next.
func (h *health) decide() {
	st := h.now
	h.now, h.thin = stretch{}, max(h.thin-1, 0)
	if st.thin {
		h.thin = thinFor
	}
	if st.lines >= stretchLines {
		h.gauge(&st)
	}
	if st.filling { // how thin it was says nothing either
		h.thin = 0
		return
	}
	if st.told {
		st.short -= st.spare
		if h.thin == 0 {
			return
		}
	}
	host := min(st.host, max(0, st.short))
	h.starve(byHost, host)
	if st.short -= host; st.short <= 0 {
		return
	}
	st.took -= st.host
	held := st.took-st.wire-time.Duration(st.lines)*h.quick > st.took/4 // the answers were, by the printer
	c := byWire
	switch {
	case held && !st.told && !st.troubled:
		return // as far as anybody can tell its planner was full
	case held && !st.troubled && !st.asked && h.quick > 0:
		c = byPrinter
	case h.perByte > 0 && st.least > st.motion:
		c = byFile
	}
	h.starve(c, st.short)
	if c != byPrinter && st.short > st.took/8 {
		h.slow.lines += st.lines
		h.slow.took += st.took
		h.slow.motion += st.motion
	}
}

// starve notes short time. A planner that fills at the beginning is short by the wire for a moment, which is nobody's fault.
func (h *health) starve(c cause, short time.Duration) {
	before := h.starved[c]
	h.starved[c] += short
	if c == byWire && h.starved[c] < fillTime {
		return
	}
	if c == byWire && before < fillTime {
		before = 0
	}
	h.tally.short(c, h.starved[c]-before)
}

// gauge finds out that the wire has not the speed that it is said to have: lines came through that it would still be busy with.
func (h *health) gauge(st *stretch) {
	switch {
	case h.perByte == 0 || 10*st.least < 11*st.took:
		h.swift = 0
		return
	case st.least > 4*st.took:
		h.swift = 3
	default:
		h.swift++
	}
	if h.swift >= 3 {
		h.unpaced, h.perByte, h.quick = true, 0, 0
	}
}

// status is what people see of it.
func (h *health) status(now time.Time) Health {
	out := Health{LinesAgain: h.again, ChecksumErrors: h.checksum, GapErrors: h.gaps, MissingErrors: h.missing, Overruns: h.overruns, WirePercent: -1}
	if h.lines > 0 {
		out.ResendPercent = tenths(100 * float64(h.again) / float64(h.lines))
	}
	if h.perByte > 0 {
		out.WirePercent = math.Round(h.percent)
		if now.Sub(h.usedAt) > 2*usedEvery {
			out.WirePercent = 0
		}
	}
	starved := h.starved
	if !h.idle.IsZero() && !h.last.IsZero() { // at this moment
		starved[byHost] += max(0, now.Sub(h.last)-h.level)
	}
	if starved[byWire] < fillTime {
		starved[byWire] = 0
	}
	var sum, most time.Duration
	for c, d := range starved {
		if sum += d; d > most {
			most, out.StarvedBy = d, causeNames[c]
		}
	}
	if out.StarvedS = tenths(sum.Seconds()); out.StarvedS > 0 {
		out.AskedLinesPerS, out.CarriedLinesPerS = rate(h.slow.lines, h.slow.motion), rate(h.slow.lines, h.slow.took)
	} else {
		out.StarvedBy = ""
	}
	return out
}

// end puts what the history keeps into a job's outcome.
func (h *health) end(now time.Time, o *JobOutcome) {
	h.still()
	h.idle = time.Time{}
	v := h.status(now)
	o.LinesAgain, o.ResendPercent, o.StarvedS, o.StarvedBy = v.LinesAgain, v.ResendPercent, v.StarvedS, v.StarvedBy
}

// rate is lines in a second, 0 when there is no time to tell. A hostile file asks for any number.
func rate(lines int, in time.Duration) float64 {
	if in <= 0 {
		return 0
	}
	return math.Round(min(float64(lines)/in.Seconds(), 99999))
}

func tenths(v float64) float64 { return math.Round(v*10) / 10 }
