package printer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"layerd/gcode"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// benched is a session in mid-print whose job never ends, and its job's lines.
func benched(b testing.TB, tell func(dir string, text []byte)) *session {
	b.Helper()
	now := time.Unix(1e9, 0)
	s := newSession(Presets()[0], nil, tell)
	s.opened(now, Connection{Port: "/dev/bench"}, []int{115200})
	s.write(now)
	for _, l := range []string{"ok", "FIRMWARE_NAME:Marlin 2.1", "Cap:AUTOREPORT_TEMP:1", "ok", "ok", "ok T:21.0 /0.0 B:20.0 /0.0", "X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0", "ok"} {
		s.hear(now, gcode.ParseReply([]byte(l)))
		s.write(now)
	}
	j := &job{info: JobInfo{ID: "b", Size: 1e6}, batches: make(chan batch)}
	for i := range batchLines {
		j.now.lines = append(j.now.lines, jobLine{fmt.Appendf(nil, "G1 X%d.%03d Y%d.5 E%d.12345", i, i, i, i), jobPos{int64(i), int64(i * 30), -1, 0, time.Millisecond, false}})
	}
	s.flow.bar() // one line at a time
	s.start(now, j)
	s.write(now)
	s.hear(now, gcode.ParseReply([]byte("ok T:21.0 /0.0 B:20.0 /0.0")))
	if s.state != Printing {
		b.Fatal(s.state)
	}
	return s
}

// turner is an owner in mid-print, between a reader and a writer that are not there.
func turner(b testing.TB) *owner {
	o := &owner{Printer: New(Config{Profile: Presets()[0]})}
	o.session = benched(b, func(dir string, text []byte) { o.console.note(time.Unix(1e9, 0), dir, text) })
	o.line = &line{in: make(chan []byte, linesAhead), out: make(chan piece, 1), done: make(chan error, 1)}
	o.seen.tempsAt = time.Now().Add(time.Hour) // nobody asks for any meanwhile
	o.act(time.Now())
	for range max(historyLines, consoleLines) { // until each place of the rings has had a line
		o.turn([]byte("ok"))
	}
	return o
}

// turn is all that the owner does from the firmware's line to the next, and it says what the writer got.
func (o *owner) turn(heard []byte) []byte {
	if o.job.at == batchLines {
		o.job.at = 0
	}
	var wrote []byte
	if o.writing {
		wrote = (<-o.line.out).bytes
		o.wrote(nil)
	}
	o.take(heard, true)
	return wrote
}

// From the firmware's ok to the next line's bytes, with a window of one line: by the session alone, and with all that the owner does about it.
func BenchmarkTurn(b *testing.B) {
	b.Run("session", func(b *testing.B) {
		s := benched(b, func(string, []byte) {})
		now, ok := time.Unix(1e9, 0), []byte("ok")
		b.ReportAllocs()
		for b.Loop() {
			if s.job.at == batchLines {
				s.job.at = 0
			}
			if s.write(now) == nil {
				b.Fatal("it wrote nothing")
			}
			s.hear(now, gcode.ParseReply(ok))
			s.tick(now)
		}
	})
	b.Run("owner", func(b *testing.B) {
		o, ok := turner(b), []byte("ok\r")
		b.ReportAllocs()
		for b.Loop() {
			if o.turn(ok) == nil {
				b.Fatal("it wrote nothing")
			}
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	s := benched(b, func(string, []byte) {})
	b.ReportAllocs()
	for b.Loop() {
		s.snapshot(time.Unix(1e9, 0))
	}
}

// instant is a port with a firmware that takes no time and knows ok only.
type instant struct {
	replies chan []byte
	rest    []byte
	closed  chan struct{}
}

func (p *instant) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		select {
		case p.rest = <-p.replies:
		case <-p.closed:
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

var instantOK = []byte("ok\n")

func (p *instant) Write(b []byte) (int, error) {
	reply := instantOK
	switch {
	case bytes.Contains(b, []byte("M105")):
		reply = []byte("ok T:21.0 /0.0 B:20.0 /0.0\n")
	case bytes.Contains(b, []byte("M114")):
		reply = []byte("X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0\nok\n")
	case bytes.Contains(b, []byte("M115")):
		reply = []byte("FIRMWARE_NAME:Marlin 2.1\nCap:AUTOREPORT_TEMP:1\nok\n")
	}
	p.replies <- reply
	return len(b), nil
}

func (p *instant) Close() error                 { close(p.closed); return nil }
func (p *instant) SetBaud(int) error            { return nil }
func (p *instant) Discard() error               { return nil }
func (p *instant) Reset() (tried bool, _ error) { return false, nil }

// A whole print through all goroutines, from the file to the port and back.
func BenchmarkPrinter(b *testing.B) {
	const n = 20000
	text := strings.Repeat("G1 X10.123 Y20.456 E1.23456\n", n)
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	p := New(Config{Port: "/dev/bench", Baud: 115200, Profile: Presets()[0], Log: slog.New(slog.DiscardHandler),
		Open: func(context.Context, string, int) (Port, error) {
			return &instant{replies: make(chan []byte, 8), closed: make(chan struct{})}, nil
		}})
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	wait := func(satisfies func(*Snapshot) bool) {
		for seq := uint64(0); ; {
			snap, at, err := p.Snapshots().Next(ctx, seq)
			if err != nil || snap.State == Faulted {
				b.Fatal(err, snap)
			}
			if seq = at; satisfies(snap) {
				return
			}
		}
	}
	wait(func(s *Snapshot) bool { return s.State == Idle })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		id := fmt.Sprint(i)
		if _, err := p.Start(ctx, JobInfo{ID: id, Size: int64(len(text)), Survey: survey}, io.NopCloser(strings.NewReader(text))); err != nil {
			b.Fatal(err)
		}
		wait(func(s *Snapshot) bool { return s.LastJob != nil && s.LastJob.ID == id && s.State == Idle })
	}
	b.ReportMetric(float64(i)*n/b.Elapsed().Seconds(), "lines/s")
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

func parsed(format string, args ...any) gcode.Reply {
	return gcode.ParseReply(fmt.Appendf(nil, format, args...))
}
