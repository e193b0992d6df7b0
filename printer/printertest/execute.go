package printertest

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A handler executes the command under way, f.cur. It returns false when it has to wait and is then called again at the
// next event, at the latest at f.wake; f.stage says how far it had come.
type handler func(f *firmware) bool

// command is a line taken apart as firmware takes it apart.
type command struct {
	line   []byte // as it was queued
	number []byte // "N12" of it, nil for none
	text   []byte // without number and checksum; what Record gets
	letter byte
	code   int
	args   []byte // behind the code
	params params
	handle handler
	quiet  bool // ok was said
	onOK   bool // its answer stands on the ok line
	card   bool // it was read from the card
}

// begin takes the oldest command from the queue, or what the firmware itself put ahead of it.
func (f *firmware) begin() {
	f.active, f.stage, f.begun = true, 0, f.now
	if f.busyEvery > 0 {
		f.busyAt = f.now + f.busyEvery
	}
	c := &f.cur
	if f.inserted = f.injected != ""; f.inserted {
		c.split([]byte(f.injected))
		f.injected = ""
	} else {
		c.split(f.queue[f.oldest])
		c.card = f.fromCard[f.oldest]
		if c.quiet = c.card; c.card && string(c.text) == "M1001" {
			c.handle = cardDone
			return
		}
	}
	c.handle = f.handlers.find(c)
	c.onOK = f.handlers.onOK(c) && !c.card
	switch {
	case f.HaltWord != "" && f.refuses():
		c.handle = nothing
		return
	case c.handle == nil:
		f.count.Unknown++
		c.handle = unknown
		return
	case f.refuses():
		c.handle = nothing
		return
	}
	c.params.parse(c.args)
	switch move := c.letter == 'G' && c.code <= 1; {
	case c.card:
	case move && f.OKEarlyMoves:
		c.quiet = true
	case move && f.OKMoves && c.code == 1:
		f.sayOK()
		c.quiet = true
	}
	if f.inserted {
		return
	}
	f.count.Executed++
	if c.number == nil && f.Checks && !f.StarChecked && bytes.IndexByte(c.line, '*') >= 0 {
		f.count.Tails++
	}
	if f.opt.record {
		f.recorded = strconv.AppendInt(f.recorded, f.now.Microseconds(), 10)
		f.recorded = append(f.recorded, '\t')
		f.recorded = append(f.recorded, c.text...)
		f.recorded = append(f.recorded, '\n')
	}
	if f.opt.keep {
		f.executed = append(f.executed, string(c.text))
		f.executedN = append(f.executedN, c.lineNumber())
	}
}

// finish answers the command and gives its place in the queue free.
func (f *firmware) finish() {
	if !f.cur.quiet && !f.OKEarly && !f.inserted {
		f.sayOK()
	}
	f.active, f.paused, f.busyAt = false, false, never
	if f.inserted {
		return
	}
	f.fromCard[f.oldest] = false
	if f.oldest++; f.oldest == len(f.queue) {
		f.oldest = 0
	}
	f.queued--
	if f.queued == 0 {
		f.idleAt = f.idleFrom()
	}
}

// split reads number, command word and arguments. Bytes behind the first '*' are the checksum's.
func (c *command) split(line []byte) {
	*c = command{line: line}
	rest := line
	if len(rest) > 1 && rest[0] == 'N' && (rest[1] == '-' || isDigit(rest[1])) {
		n := 2
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		c.number = rest[:n]
		rest = bytes.TrimLeft(rest[n:], " ")
	}
	if i := bytes.IndexByte(rest, '*'); i >= 0 {
		rest = rest[:i]
	}
	c.text = bytes.TrimRight(rest, " ")
	c.word()
}

// lineNumber is the number of the line, -1 for none.
func (c *command) lineNumber() int64 {
	if c.number == nil {
		return -1
	}
	return integer(c.number[1:])
}

// word reads the command word of c.text.
func (c *command) word() {
	rest := c.text
	if len(rest) == 0 {
		return
	}
	i := 1
	for i < len(rest) && rest[i] == ' ' {
		i++
	}
	if i == len(rest) || !isDigit(rest[i]) {
		return
	}
	code := 0
	for i < len(rest) && isDigit(rest[i]) {
		code = min(code*10+int(rest[i]-'0'), 99999)
		i++
	}
	if i+1 < len(rest) && rest[i] == '.' && isDigit(rest[i+1]) {
		for i++; i < len(rest) && isDigit(rest[i]); i++ {
			code = 99999 // no subcode is known here
		}
	}
	c.letter, c.code = rest[0], code
	c.args = bytes.TrimLeft(rest[i:], " ")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// sayOK answers the command under way. With ADVANCED_OK it says the line's number, the planner's free places and the
// queue's, in which the command itself still counts.
func (f *firmware) sayOK() {
	var text [48]byte
	b := text[:0]
	if f.opt.advancedOK {
		b = f.appendRoom(f.appendNumber(b, f.cur.number))
	} else if f.OKNumber && f.cur.number != nil {
		b = append(append(b, ' '), f.cur.number[1:]...)
	}
	f.answer(b)
}

// appendNumber appends a line's number, or the last one of all where the firmware does that for a line without.
func (f *firmware) appendNumber(b, number []byte) []byte {
	switch {
	case f.OKLastN:
		return strconv.AppendInt(append(b, " N"...), f.lastN, 10)
	case number != nil:
		return append(append(b, ' '), number...)
	}
	return b
}

func (f *firmware) appendRoom(b []byte) []byte {
	b = strconv.AppendInt(append(b, " P"...), int64(f.planner.free()), 10)
	return strconv.AppendInt(append(b, " B"...), int64(len(f.queue)-f.queued), 10)
}

// answer sends "ok" with a tail for the command under way; this is where oks get lost or doubled.
func (f *firmware) answer(tail []byte) {
	f.count.OKs++
	f.gap.answered(f.now, f.waits())
	switch {
	case f.dice.lostOK():
		f.count.LostOKs++
		return
	case f.dice.doubleOK():
		f.count.DoubledOKs++
		f.okNow(tail)
	}
	f.okNow(tail)
}

// okNow sends an "ok" that no fault touches.
func (f *firmware) okNow(tail []byte) {
	f.out = append(f.out, "ok"...)
	f.out = append(f.out, tail...)
	f.out = append(f.out, f.LineEnd...)
}

// unknown is the handler of what the firmware does not know.
func unknown(f *firmware) bool {
	c := &f.cur
	switch {
	case f.UnknownForm == "":
	case !strings.Contains(f.UnknownForm, "%"):
		f.say(f.UnknownForm)
	case strings.Contains(f.UnknownForm, "%c"):
		f.sayf(f.UnknownForm, max(c.letter, 'G'), c.code)
	default:
		f.sayf(f.UnknownForm, c.text)
	}
	return true
}

// synced reports whether all moves are done, and notes that running empty was wanted.
func (f *firmware) synced() bool {
	if f.planner.count > 0 {
		return false
	}
	f.planner.settle()
	return true
}

// until makes the handler wait up to t and reports whether t has come.
func (f *firmware) until(t time.Duration) bool {
	if f.now >= t {
		return true
	}
	f.wake = t
	return false
}
