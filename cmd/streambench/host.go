package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"layerd/gcode"
	"layerd/printer"
)

// What flows here: the file's lines, numbered → the port → ok → the next.
//
// This is the bare host to compare with, in two forms. "one line" is what nearly every host does: the next line goes out when the
// last one was answered. "crude" keeps a fixed number of bytes unanswered and counts oks, and so tells how much of the wire can be
// used at all on this machine with this pretend printer. It is a ruler and no streamer: a printer that really moves would be overrun.

// crudeBytes is how much the crude host keeps unanswered. A line rate of 115,200 with 8 ms each way has 184 bytes under way and
// 1 Mbaud with 1 ms has 200; to that come a line that is being answered and its ok.
const crudeBytes = 400

// host streams over one port.
type host struct {
	port    printer.Port
	replies chan []byte // closed when the port is
	lines   [][]byte    // framed; the i-th has number i+1
	most    int         // lines unanswered
	bytes   int         // bytes unanswered; 0 = any number

	next    int   // place of the line to send next
	flight  []int // sizes of the lines that are unanswered
	size    int   // their sum
	resends int
}

const (
	patience = 3 * time.Second       // how long an answer may take
	quietFor = 50 * time.Millisecond // longer than anything that is said before a Resend needs to be heard
)

// stream prints the file at path as a bare host.
func stream(port string, baud int, path string, most, bytes int) error {
	source, err := readSource(path)
	if err != nil {
		return err
	}
	tty, err := printer.OpenTTY(context.Background(), port, baud)
	if err != nil {
		return err
	}
	defer tty.Close()
	h := newHost(tty, source.commands, most, bytes)
	if err := h.greet(); err != nil {
		return err
	}
	return obey(func() (string, error) {
		err := h.print()
		return fmt.Sprintf("%d resends heard", h.resends), err
	})
}

// newHost begins to listen on the port, until that is closed.
func newHost(port printer.Port, commands []string, most, bytes int) *host {
	h := &host{port: port, replies: make(chan []byte, 64), most: most, bytes: bytes}
	for _, c := range commands {
		h.add(c)
	}
	h.add(question)
	go h.read()
	return h
}

// question ends the job: that it is answered tells that all lines before it were taken.
const question = "M105"

func (h *host) add(command string) {
	h.lines = append(h.lines, gcode.AppendFrame(nil, int64(len(h.lines)+1), []byte(command)))
}

// read cuts what comes into lines.
func (h *host) read() {
	defer close(h.replies)
	var rest []byte
	buf := make([]byte, 4096)
	for {
		n, err := h.port.Read(buf)
		if err != nil {
			return
		}
		rest = append(rest, buf[:n]...)
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			h.replies <- bytes.Clone(rest[:end])
			rest = rest[end+1:]
		}
	}
}

var errGone = errors.New("the port is gone")

// greet sets the firmware's line count to 0.
func (h *host) greet() error {
	if _, err := h.port.Write([]byte("\nN0 M110 N0*125\n")); err != nil {
		return err
	}
	for {
		select {
		case reply, ok := <-h.replies:
			if !ok {
				return errGone
			}
			if bytes.HasPrefix(reply, []byte("ok")) {
				return nil
			}
		case <-time.After(10 * time.Second):
			return errors.New("no answer to M110")
		}
	}
}

// print sends all lines. It ends when the last one was answered.
func (h *host) print() error {
	timer := time.NewTimer(patience)
	for h.next < len(h.lines) || len(h.flight) > 0 {
		if err := h.fill(); err != nil {
			return err
		}
		timer.Reset(patience)
		select {
		case reply, ok := <-h.replies:
			if !ok {
				return errGone
			}
			if err := h.hear(reply); err != nil {
				return err
			}
		case <-timer.C:
			// An ok was lost, or a line end was flipped: go on, after a line end. Whatever the firmware lacks it asks for.
			h.rewind(h.next)
			if h.next == len(h.lines) {
				h.add(question)
			}
			if _, err := h.port.Write([]byte{'\n'}); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill sends as much as may be unanswered, at least one line.
func (h *host) fill() error {
	var out []byte
	for h.next < len(h.lines) && len(h.flight) < h.most {
		line := h.lines[h.next]
		if len(h.flight) > 0 && h.bytes > 0 && h.size+len(line) > h.bytes {
			break
		}
		out = append(out, line...)
		h.flight, h.size = append(h.flight, len(line)), h.size+len(line)
		h.next++
	}
	if len(out) == 0 {
		return nil
	}
	_, err := h.port.Write(out)
	return err
}

func (h *host) hear(reply []byte) error {
	switch {
	case bytes.HasPrefix(reply, []byte("ok")):
		if len(h.flight) > 0 {
			h.size -= h.flight[0]
			h.flight = append(h.flight[:0], h.flight[1:]...)
		}
	case bytes.HasPrefix(reply, []byte("Resend")):
		n, err := strconv.Atoi(string(bytes.Trim(reply[len("Resend"):], ": \r")))
		if err != nil || n < 1 || n > len(h.lines) {
			return fmt.Errorf("the firmware said %q", reply)
		}
		h.resends++
		h.quiet()
		h.rewind(n - 1)
	}
	return nil
}

// quiet hears all that comes until nothing has come for a while: the ok behind a Resend answers no line, and each line that was under way
// when one was bad gets a Resend of its own.
func (h *host) quiet() {
	for {
		select {
		case _, ok := <-h.replies:
			if !ok {
				return
			}
		case <-time.After(quietFor):
			return
		}
	}
}

// rewind goes back to a line, with nothing unanswered.
func (h *host) rewind(to int) {
	h.next, h.flight, h.size = to, h.flight[:0], 0
}

// asHost is the bare host of that name.
func asHost(name, port string, baud int, file string) error {
	switch name {
	case "one-line":
		return stream(port, baud, file, 1, 0)
	case "crude":
		return stream(port, baud, file, 1<<20, crudeBytes)
	case "layerd":
		return asLayerd(port, baud, file)
	}
	return fmt.Errorf("there is no streamer %q", name)
}

// fileSize is a file's, in bytes.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
