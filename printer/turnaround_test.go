package printer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"layerd/gcode"
	"log/slog"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// From an ok to the next line as the firmware sees it: the pretend printer on a pseudo-terminal, in a process of its own, instantly done with all,
// and one line in flight. What it shows holds for this machine and what else it does: a loop of one read and one write on a thread of its own gets
// a median of 30 to 140 µs on the same two cores, by how deep they sleep.
func BenchmarkTurnaround(b *testing.B) {
	program := filepath.Join(b.TempDir(), "printsim")
	if out, err := exec.Command("go", "build", "-o", program, "layerd/cmd/printsim").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	link := filepath.Join(b.TempDir(), "printer")
	sim := exec.Command(program, "--link", link, "--speed", "0", "--heat", "0")
	pipe, err := sim.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		b.Fatal(err)
	}
	defer sim.Process.Kill()
	said := bufio.NewReader(pipe)
	if _, err := said.ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	const n = 20000
	text := strings.Repeat("G1 X10.123 Y20.456 E1.23456\n", n)
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	p := New(Config{Port: link, Baud: 115200, Profile: Presets()[0], Log: slog.New(slog.DiscardHandler), Open: OpenTTY})
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	wait := func(satisfies func(*Snapshot) bool) {
		for seq := uint64(0); ; {
			snap, at, err := p.Snapshots().Next(ctx, seq)
			if err != nil || snap.State == Faulted {
				b.Fatal(err, snap.Fault)
			}
			if seq = at; satisfies(snap) {
				return
			}
		}
	}
	wait(func(s *Snapshot) bool { return s.State == Idle })
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
	sim.Process.Signal(syscall.SIGTERM)
	counters, _ := io.ReadAll(said)
	_ = sim.Wait()
	for _, q := range []string{"p50", "p99", "p99.9", "max"} {
		m := regexp.MustCompile(regexp.QuoteMeta(q) + ` (\S+)`).FindSubmatch(counters)
		if m == nil {
			b.Fatalf("no %s in\n%s", q, counters)
		}
		d, err := time.ParseDuration(string(m[1]))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(d.Nanoseconds())/1000, q+"-µs")
	}
}
