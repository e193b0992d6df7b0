package printertest

import "time"

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
	if f.deaf {
		return
	}
	if f.FullWords != "" && f.overrunning && f.queued < len(f.queue) {
		f.rx.flush()
		f.overrunning = false
		f.say(f.FullWords)
	}
	for f.queued < len(f.queue) {
		c, ok := byte(0), f.rx.n > 0
		if f.opt.meatPack {
			c, ok = f.unpacked()
		} else if ok {
			c = f.rx.pop()
		}
		if !ok {
			return
		}
		if f.LineTimeout > 0 {
			f.lineAt = f.now + f.LineTimeout
		}
		if c != '\n' && c != '\r' {
			if f.assemble(c); f.flushDue {
				return
			}
			continue
		}
		f.lineState, f.lineAt = lineNormal, never
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
	if f.DropsHigh && c >= 0x80 {
		return
	}
	if c == '\b' { // backspace is taken at its word
		f.line = f.line[:max(0, len(f.line)-1)]
		return
	}
	f.line = append(f.line, c)
	switch {
	case len(f.line) < f.MaxLine-1:
	case f.LongAsks:
		f.lineError("", 0)
	default:
		f.lineState = lineComment
	}
}

// dropLine gives up a line that does not go on.
func (f *firmware) dropLine() {
	f.lineAt = never
	switch {
	case len(f.line) == 0:
		return
	case f.queued == len(f.queue): // nobody looks
		f.lineAt = f.now + f.LineTimeout
		return
	}
	f.line, f.lineState = f.line[:0], lineNormal
	if f.TimeoutWords != "" {
		f.say(f.TimeoutWords)
		return
	}
	f.lineError("", 0)
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
