package printer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// From the line that was heard to the bytes of the next, with what the console keeps of both.
func TestATurnAllocatesNothing(t *testing.T) {
	for _, heard := range []string{"ok", "ok P15 B3", "ok\r"} {
		o, text := turner(t), []byte(heard)
		o.turn(text)
		if n := testing.AllocsPerRun(1000, func() {
			if o.turn(text) == nil {
				t.Fatal("it wrote nothing")
			}
		}); n > 0 {
			t.Errorf("%q: got %v allocations, want none", heard, n)
		}
	}
}

// A reader of the console that holds it must not keep the port waiting, and sees the answer before the line that it let go.
func TestTheConsoleComesAfterThePort(t *testing.T) {
	o := turner(t)
	o.turn([]byte("ok"))
	last := o.console.last
	<-o.line.out
	o.wrote(nil)
	o.console.mu.Lock()
	taken := make(chan struct{})
	go func() { o.take([]byte("ok P15 B3"), true); close(taken) }()
	wrote := (<-o.line.out).bytes
	o.console.mu.Unlock()
	<-taken
	got, err := o.console.Since(t.Context(), last, 10)
	if err != nil || len(got) != 2 || got[0].Dir != "in" || got[0].Text != "ok P15 B3" || got[1].Dir != "out" || !bytes.Contains(wrote, []byte(got[1].Text)) {
		t.Errorf("wrote %q and told %+v, %v", wrote, got, err)
	}
}

// Lines that may go at once go in one write, and are thrown away as one when something urgent must go first.
func TestSeveralLinesAreOneWrite(t *testing.T) {
	o := turner(t)
	o.flow = newFlow()
	o.flow.allow = o.flow.ceiling()
	for o.writing { // until the window is full
		<-o.line.out
		o.wrote(nil)
		o.act(time.Now())
	}
	for _, m := range append([]int64(nil), o.aloft...) {
		o.hear(time.Now(), parsed("ok N%d P15 B3", m))
	}
	o.act(time.Now())
	wrote := (<-o.line.out).bytes
	if n := bytes.Count(wrote, []byte("\n")); n < 3 || bytes.Count(wrote, []byte("*")) != n || len(o.aloft) != n {
		t.Errorf("wrote %q with %d in flight, want three lines or more", wrote, len(o.aloft))
	}
	o.wrote(nil)
	o.line.port, o.line.urgent = &instant{}, make(chan []byte, 4)
	for _, m := range append([]int64(nil), o.aloft...) {
		o.hear(time.Now(), parsed("ok N%d P15 B3", m))
	}
	o.act(time.Now())
	o.line.writeNow([]byte("\nM112\n"))
	if n := len(o.line.out); n != 0 || string(<-o.line.urgent) != "\nM112\n" || <-o.line.done != nil {
		t.Errorf("%d writes are left before the urgent one", n)
	}
	o.wrote(nil)
	if !o.line.gather(make([]byte, 10)) || o.line.gather(make([]byte, gatherMax)) {
		t.Errorf("gathered %d bytes, want to be stopped at %d", len(o.line.buf), gatherMax)
	}
}

// A firmware that talks without end gets a bounded part of the owner's time, and no line of it is lost on the way.
func TestNoLineIsLostWhenManyCome(t *testing.T) {
	o := turner(t)
	last := o.console.last
	for i := range linesAhead {
		o.line.in <- fmt.Appendf(nil, "echo:%d", i+1)
	}
	o.take([]byte("echo:0"), true)
	if n := len(o.line.in); n != 1 {
		t.Fatalf("%d lines are left to be taken, want 1", n)
	}
	o.take(<-o.line.in, true)
	got, err := o.console.Since(t.Context(), last, 2*linesAhead)
	if err != nil || len(got) != linesAhead+1 {
		t.Fatalf("got %d lines, %v, want %d", len(got), err, linesAhead+1)
	}
	for i, e := range got {
		if e.Text != fmt.Sprint("echo:", i) {
			t.Fatalf("line %d is %q", i, e.Text)
		}
	}
}

// talker is a port that says many lines at once, in pieces of all lengths, and then ends.
type talker struct {
	instant
	text string
	n    int
}

func (p *talker) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	p.n = p.n%97 + 1
	n := copy(b[:min(len(b), p.n)], p.text)
	p.text = p.text[n:]
	return n, nil
}

// What was heard stays as it is until the next is taken, however much the reader has read meanwhile.
func TestALineStaysUntilTheNextIsTaken(t *testing.T) {
	want := func(i int) string { return fmt.Sprintf("%d_%s", i, strings.Repeat("x", i%200)) }
	var text strings.Builder
	const lines = 20 * linesAhead
	for i := range lines {
		text.WriteString(want(i) + []string{"\n", "\r\n", "\n\n", " \r\r\n"}[i%4])
	}
	l := openLine(&talker{instant: instant{closed: make(chan struct{})}, text: text.String()})
	var held []byte
	for i := range lines {
		if i > 0 && string(bytes.TrimRight(held, " \r")) != want(i-1) {
			t.Fatalf("line %d became %q", i-1, held)
		}
		if i%linesAhead == 0 {
			for len(l.in) < min(linesAhead, lines-i) {
				time.Sleep(time.Millisecond) // until the reader has gone as far as it can
			}
		}
		held = <-l.heard()
		if string(bytes.TrimRight(held, " \r")) != want(i) {
			t.Fatalf("line %d is %q", i, held)
		}
	}
	if _, ok := <-l.heard(); ok {
		t.Error("it heard more than was said")
	}
	<-l.shut()
}

// The owner adds while others read: each entry is whole, and none comes twice.
func TestTheConsoleIsReadWhileItIsWritten(t *testing.T) {
	c := newConsole()
	const n = 5 * consoleLines
	text := func(seq uint64) string { return strings.Repeat(fmt.Sprint(seq, " "), int(seq%50)+1) }
	var readers sync.WaitGroup
	for max := range 4 {
		readers.Go(func() {
			for seq := uint64(0); seq < n; {
				entries, err := c.Since(t.Context(), seq, 1+max*150)
				if err != nil || len(entries) == 0 || len(entries) > 1+max*150 {
					t.Errorf("after %d: got %d entries, %v", seq, len(entries), err)
					return
				}
				for _, e := range entries {
					if e.Seq <= seq || e.Text != text(e.Seq) || e.AtMS != int64(e.Seq) || e.Dir != "out" {
						t.Errorf("after %d: got %+v", seq, e)
						return
					}
					seq = e.Seq
				}
			}
		})
	}
	for seq := uint64(1); seq <= n; seq++ {
		c.note(time.UnixMilli(int64(seq)), "out", []byte(text(seq)))
		if seq%3 == 0 || seq == n {
			c.tell()
		}
	}
	readers.Wait()
}
