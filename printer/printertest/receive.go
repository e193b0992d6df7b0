package printertest

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// ring is the serial receive buffer. One place stays free, as in firmware, where head = tail means empty.
type ring struct {
	buf  []byte
	tail int
	n    int
	ends int // line ends in it
}

func newRing(size int) ring { return ring{buf: make([]byte, max(size, 4)-1)} }

func (r *ring) full() bool { return r.n == len(r.buf) }

func (r *ring) push(c byte) {
	i := r.tail + r.n
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	r.buf[i] = c
	r.n++
	if c == '\n' {
		r.ends++
	}
}

func (r *ring) pop() byte {
	c := r.buf[r.tail]
	if r.tail++; r.tail == len(r.buf) {
		r.tail = 0
	}
	r.n--
	if c == '\n' {
		r.ends--
	}
	return c
}

func (r *ring) flush() { r.n, r.ends = 0, 0 }

// receive is the serial interrupt: a byte has arrived. It reports whether the byte found a place. The emergency parser
// sees it even when the ring is full (unverified on hardware). The main loop does not run in here.
func (f *firmware) receive(c byte) bool {
	f.count.BytesIn++
	if f.bootAt != never || f.killed {
		f.count.Ignored++
		return true
	}
	if c == '\n' && !f.meat.on {
		f.gap.arrived(f.now)
	}
	if f.opt.emergency {
		f.emergency(c)
		if f.killed {
			return true
		}
	}
	if f.rx.full() {
		f.count.Overruns++
		if !f.overrunning {
			f.count.OverrunEvents++
		}
		f.overrunning = true
		return false
	}
	f.overrunning = false
	f.rx.push(c)
	return true
}

// lineState is how the bytes of a line are taken.
type lineState uint8

const (
	lineNormal  lineState = iota
	lineComment           // after ';', or beyond the longest line: bytes are ignored up to the end
	lineEscape            // after '\': the next byte is taken as it is
)

// readCommands moves lines from the ring into the command queue while there is room.
func (f *firmware) readCommands() {
	for f.queued < len(f.queue) {
		c, ok := f.read()
		if !ok {
			return
		}
		if c != '\n' && c != '\r' {
			f.assemble(c)
			continue
		}
		f.lineState = lineNormal
		if len(f.line) == 0 {
			if f.EmptyOK && c == '\n' {
				f.okNow(nil)
			}
			continue // in most firmware there is no ok for an empty line or a comment
		}
		f.count.Lines++
		if f.meat.on {
			f.gap.arrived(f.now) // nobody knows earlier
		}
		line := f.line
		f.line = f.line[:0]
		f.acceptLine(line)
		f.lineFaults()
		if !f.free() {
			return
		}
	}
}

func (f *firmware) assemble(c byte) {
	switch f.lineState {
	case lineComment:
		return
	case lineEscape:
		f.lineState = lineNormal
	default:
		if c == '\\' {
			f.lineState = lineEscape
			return
		}
		if c == ';' {
			f.lineState = lineComment
			return
		}
	}
	if c == '\b' { // backspace is taken at its word
		f.line = f.line[:max(0, len(f.line)-1)]
		return
	}
	f.line = append(f.line, c)
	if len(f.line) >= f.MaxLine-1 {
		f.lineState = lineComment
	}
}

// lineFaults draws the faults that come with a received line.
func (f *firmware) lineFaults() {
	for _, t := range f.opt.faults.At {
		if t.Line == f.count.Lines {
			f.trigger(t)
		}
	}
	if f.dice.stall() && !f.killed && f.bootAt == never {
		f.trigger(Trigger{Kind: Stall, For: f.opt.faults.StallFor})
	}
}

var numberReset = []byte("M110")

// acceptLine checks number and checksum of a received line and queues it. Both are checked now, while M110 takes effect
// only when it is executed; the number of a numbered M110 counts in both places (queue.cpp, get_serial_commands).
func (f *firmware) acceptLine(line []byte) {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i] // strings end at a NUL
	}
	line = bytes.TrimLeft(line, " ")
	if f.Checks && len(line) > 0 && line[0] == 'N' {
		if !f.checkLine(line) {
			return
		}
	} else if f.StarError != "" && bytes.IndexByte(line, '*') >= 0 {
		f.lineError(f.StarError, 0)
		return
	}
	if f.early(line) {
		return
	}
	if f.active {
		f.outOfBand(line)
	}
	if i := bytes.Index(line, numberReset); f.OKEarly && i >= 0 && line[0] != 'N' {
		if j := bytes.IndexByte(line[i:], 'N'); j >= 0 {
			f.accepted(integer(line[i+j+1:]))
		}
	}
	i := f.oldest + f.queued
	if i >= len(f.queue) {
		i -= len(f.queue)
	}
	f.queue[i] = append(f.queue[i][:0], line...)
	f.queued++
	f.idleAt = never
	if f.OKEarly {
		f.okEarly(line)
	}
}

// okEarly answers a line as soon as it is in the queue.
func (f *firmware) okEarly(line []byte) {
	var c command
	c.split(line)
	tail := []byte(nil)
	if c.number != nil && f.OKNumber {
		tail = append([]byte{' '}, c.number[1:]...)
	}
	f.answer(tail)
}

// checkLine reports whether a numbered line is to be taken. If not, the host has been told so, or not, as firmware does.
func (f *firmware) checkLine(line []byte) bool {
	at := line[1:]
	reset := bytes.Contains(line, numberReset)
	if reset {
		if i := bytes.IndexByte(line[min(4, len(line)):], 'N'); i >= 0 {
			at = line[min(4, len(line))+i+1:]
		}
	}
	n := integer(at)
	if n != f.lastN+1 && !reset {
		switch {
		case f.Duplicates == dropLastTwo && (n == f.lastN || n == f.lastN-1):
			f.count.Duplicates++
		case f.skipLeft > 0:
			f.skipLeft--
			f.count.Duplicates++
			f.sayf("skip %d", n)
			f.okNow(nil)
		default:
			f.lineError(f.NumberError, n)
		}
		return false
	}
	star := bytes.LastIndexByte(line, '*')
	if star < 0 {
		if f.MissingError == "" {
			f.accepted(n)
			return true
		}
		f.lineError(f.MissingError, n)
		return false
	}
	var sum byte
	for _, c := range line[:star] {
		sum ^= c
	}
	if integer(line[star+1:]) != int64(sum) {
		f.lineError(f.ChecksumError, n)
		return false
	}
	f.accepted(n)
	return true
}

// accepted notes the number of a good line.
func (f *firmware) accepted(n int64) { f.lastN, f.skipLeft, f.resendAt = n, 0, never }

// lineError says what is wrong with a line, empties the receive ring, lines in flight included, and asks for the line after the last
// good one. The ring is emptied when the error has been said: what arrives meanwhile is lost as well, up to the middle of a line
// (queue.cpp, gcode_line_error). What arrives after that is read as a line, wherever in a line it begins: mostly that is an unknown command,
// which is answered by an ok of its own; but when the flush ended exactly behind a number the rest is a good command, and Marlin looks at no
// checksum where there is no number.
func (f *firmware) lineError(words string, n int64) {
	if words != "" {
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		f.say(strings.NewReplacer("{last}", number(f.lastN), "{got}", number(n), "{want}", number(f.lastN+1)).Replace(words))
	}
	if d := f.dice.flushDelay(); d > 0 {
		f.busy(f.now + d)
	}
	if f.flushDue = true; f.free() {
		f.endLineError()
	}
}

// endLineError is its second half. The ok behind the Resend answers no line; in Marlin 2.1 it never carries N, P or B (observed).
func (f *firmware) endLineError() {
	f.flushDue = false
	f.drain()
	f.line, f.lineState = f.line[:0], lineNormal
	f.askResend()
	if f.dice.dupResend() {
		f.askResend()
	}
}

func (f *firmware) askResend() {
	f.count.Resends++
	f.skipLeft = f.SkipWindow
	if f.ResendAgain > 0 {
		f.resendAt = f.now + f.ResendAgain
	}
	f.sayf(f.ResendForm, f.lastN+1)
	if f.ResendQuiet {
		return
	}
	if f.ResendAdvanced && f.opt.advancedOK {
		f.okNow(f.appendRoom(nil))
		return
	}
	f.okNow(nil)
}

// early handles what a firmware without emergency parser looks for in a line as it is received: bare M108, M112 and
// M410. It reports whether the line needs no queueing any more.
func (f *firmware) early(line []byte) bool {
	if f.opt.emergency || !f.Early || len(line) < 4 || line[0] != 'M' {
		return false
	}
	switch string(line[1:4]) {
	case "108":
		f.heatGo, f.userGo = true, true
	case "112":
		f.kill(f.KillWords)
		return true
	case "410":
		f.quickStop()
	}
	return false
}

// quickStop drops all moves at once; nothing else runs until the planner is clean again, a second later (observed).
func (f *firmware) quickStop() {
	f.motion.freeze(f.now)
	f.cleaning = f.now + time.Second
}
