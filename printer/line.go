package printer

import (
	"bytes"
	"errors"
	"layerd/gcode"
	"os"
	"sync/atomic"
	"time"
)

// line is an open port with its two goroutines: one splits what comes into lines, one writes what the port does not take at once. The owner waits
// for neither.
// A nil *line has channels that never deliver.
type line struct {
	port   Port
	eager  eager         // the same, or nil
	in     chan []byte   // each valid until the next is taken; closed when the port can no longer be read
	out    chan piece    // to the writer; the owner sends only when the last was written
	epoch  atomic.Int64  // grows with each writeNow: a piece of an earlier one is thrown away
	urgent chan []byte   // ahead of out
	hurry  atomic.Int32  // of urgent, not written yet
	done   chan error    // from the writer, one for each line of out
	end    chan struct{} // closed by shut
	quiet  chan struct{} // closed when the writer has ended
	gone   chan struct{} // closed when the reader has ended
	buf    []byte        // the lines that are being written, or gathered for that: the session's bytes are valid only until its next
}

// piece is what the writer has to write.
type piece struct {
	bytes []byte
	epoch int64
}

// rearmer is a port whose Discard lasts until it is told otherwise, so that a write that was about to begin cannot hang ahead of what is urgent.
type rearmer interface{ Rearm() }

// linesAhead is how many lines are kept for the owner; the reader waits then.
const linesAhead = 64

func openLine(port Port) *line {
	l := &line{port: port, in: make(chan []byte, linesAhead), out: make(chan piece, 1), urgent: make(chan []byte, 4), done: make(chan error, 1),
		end: make(chan struct{}), quiet: make(chan struct{}), gone: make(chan struct{})}
	l.eager, _ = port.(eager)
	go l.reads()
	go l.writes()
	return l
}

func (l *line) heard() <-chan []byte {
	if l == nil {
		return nil
	}
	return l.in
}

func (l *line) written() <-chan error {
	if l == nil {
		return nil
	}
	return l.done
}

// gatherMax is when no more is gathered into one write. Urgent bytes wait behind what the system has taken.
const gatherMax = 2048

// gather adds whole lines to what send writes, and reports whether there is room for more.
func (l *line) gather(b []byte) bool {
	l.buf = append(l.buf, b...)
	return len(l.buf) < gatherMax
}

// send writes what was gathered, in one piece, and reports whether that was anything. What the port does not take at once is the writer's:
// nothing may be gathered until it is done.
func (l *line) send() (said, writing bool) {
	rest := l.buf
	if len(rest) == 0 {
		return false, false
	}
	l.buf = l.buf[:0]
	if l.eager != nil && l.hurry.Load() == 0 {
		rest = rest[l.eager.TryWrite(rest):]
	}
	if len(rest) == 0 {
		return true, false
	}
	l.out <- piece{rest, l.epoch.Load()}
	return true, true
}

// setBaud changes the speed, and forgets what was heard at the old one.
func (l *line) setBaud(baud int) error {
	err := l.port.SetBaud(baud)
	for range len(l.in) {
		<-l.in
	}
	return err
}

// writeNow throws away what is not sent yet, by the writer (all of it) or by the system, which also ends a Write that hangs, and sends b next.
func (l *line) writeNow(b []byte) {
	l.epoch.Add(1)
	select {
	case <-l.out:
		l.done <- nil
	default:
	}
	_ = l.port.Discard() // the bytes are sent all the same if this fails, only later
	l.hurry.Add(1)
	select {
	case l.urgent <- b:
	default: // four are waiting already, and say the same
		l.hurry.Add(-1)
	}
}

func (l *line) writes() {
	defer close(l.quiet)
	for {
		l.writeUrgent()
		select {
		case <-l.end:
			l.writeUrgent() // heaters off may have come with the end
			return
		case b := <-l.urgent:
			l.writeFirst(b)
		case p := <-l.out:
			l.writeUrgent() // what came first goes first
			l.done <- l.write(p)
		}
	}
}

// write writes a piece, unless it was thrown away meanwhile, like what was sent before it.
func (l *line) write(p piece) error {
	if p.epoch != l.epoch.Load() {
		return nil
	}
	_, err := l.port.Write(p.bytes)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

func (l *line) writeUrgent() {
	for {
		select {
		case b := <-l.urgent:
			l.writeFirst(b)
		default:
			return
		}
	}
}

func (l *line) writeFirst(b []byte) {
	if r, ok := l.port.(rearmer); ok {
		r.Rearm()
	}
	_, _ = l.port.Write(b) // nobody waits for it; the reader learns that a port is gone
	l.hurry.Add(-1)
}

// reads splits lines at LF. What is longer than a reply can be is cut, so that a device that never ends a line costs nothing.
func (l *line) reads() {
	defer close(l.gone)
	defer close(l.in)
	buf := make([]byte, 4096)
	// Those that wait, the one that the owner looks at, and the one that is being read. They grow to the longest reply, and stay.
	var ring [linesAhead + 2][]byte
	at, part := 0, ring[0]
	for {
		n, err := l.port.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			end := bytes.IndexByte(rest, '\n')
			piece := rest
			if end >= 0 {
				piece = rest[:end]
			}
			part = append(part, piece[:min(len(piece), gcode.MaxReply-len(part))]...)
			if end < 0 {
				break
			}
			rest = rest[end+1:]
			if text := bytes.Trim(part, "\r\x00 "); len(text) > 0 {
				select {
				case l.in <- part:
				case <-l.end:
					return
				}
				ring[at] = part
				at = (at + 1) % len(ring)
				part = ring[at]
			}
			part = part[:0]
		}
		if err != nil {
			return
		}
	}
}

// shut closes the port without the owner waiting for it: the returned channel is closed when it is done. A Write that hangs is ended
// first, because Close with a writer inside could close another file's number.
func (l *line) shut() <-chan struct{} {
	close(l.end)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for waiting := true; waiting; {
			select {
			case <-l.quiet:
				waiting = false
			case <-time.After(20 * time.Millisecond):
				_ = l.port.Discard()
			}
		}
		_ = l.port.Close()
		<-l.gone
	}()
	return closed
}
