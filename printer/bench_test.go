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
func benched(b *testing.B, note func(dir, text string)) *session {
	b.Helper()
	now := time.Unix(1e9, 0)
	s := newSession(Presets()[0], nil, note)
	s.opened(now, Connection{Port: "/dev/bench"}, []int{115200})
	s.write(now)
	for _, l := range []string{"ok", "FIRMWARE_NAME:Marlin 2.1", "Cap:AUTOREPORT_TEMP:1", "ok", "ok", "ok T:21.0 /0.0 B:20.0 /0.0", "X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0", "ok"} {
		s.hear(now, gcode.ParseReply([]byte(l)))
		s.write(now)
	}
	j := &job{info: JobInfo{ID: "b", Size: 1e6}, batches: make(chan batch)}
	for i := range batchLines {
		j.now.lines = append(j.now.lines, jobLine{fmt.Appendf(nil, "G1 X%d.%03d Y%d.5 E%d.12345", i, i, i, i), jobPos{int64(i), int64(i * 30), -1}})
	}
	s.start(now, j)
	s.write(now)
	s.hear(now, gcode.ParseReply([]byte("ok T:21.0 /0.0 B:20.0 /0.0")))
	if s.state != Printing {
		b.Fatal(s.state)
	}
	return s
}

// From the firmware's ok to the next line's bytes, one line at a time.
func BenchmarkTurn(b *testing.B) {
	console := newConsole()
	for name, note := range map[string]func(dir, text string){
		"session": func(string, string) {},
		"console": func(dir, text string) { console.add(time.Time{}, dir, text) },
	} {
		b.Run(name, func(b *testing.B) {
			s := benched(b, note)
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
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := benched(b, func(string, string) {})
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
