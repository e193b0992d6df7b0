package main

import (
	"context"
	"embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: a case and a streamer → a printer switched on, the file printed, the printer switched off → a row.

// bench is one run of the benchmark.
type bench struct {
	options
	self        string // our own program
	dir         string // of what is made on the way
	dense, fast source
	others      []streamer
	rows        []row
	ways        []*way
}

// drivers have other people's programs print a file.
//
//go:embed peers/octoprint.py peers/printcore.py
var drivers embed.FS

// prepare reads what is streamed, and finds who streams.
func (b *bench) prepare() error {
	if _, err := os.Stat(b.printsim()); err != nil {
		return fmt.Errorf("%w; `make bench-stream` builds it", err)
	}
	for _, f := range []struct {
		name string
		to   *source
	}{{b.file, &b.dense}, {b.fastFile, &b.fast}} {
		s, said, err := openSource(b.corpus, f.name)
		if err != nil {
			return err
		}
		if *f.to = s; said != "" {
			b.say("%s", said)
		}
	}
	if b.peers == "" {
		return nil
	}
	for _, name := range []string{"octoprint", "printcore"} {
		text, err := drivers.ReadFile("peers/" + name + ".py")
		if err != nil {
			return err
		}
		script := filepath.Join(b.dir, "drive_"+name+".py") // not the name of the module that it imports
		if err := os.WriteFile(script, text, 0o600); err != nil {
			return err
		}
		b.others = append(b.others, streamer{name, []string{filepath.Join(b.peers, "bin", "python"), script}})
	}
	return nil
}

func (b *bench) printsim() string { return filepath.Join(b.bin, "printsim") }
func (b *bench) layerd() string   { return filepath.Join(b.bin, "layerd") }

// say tells how far the benchmark is; the table alone goes to standard output.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// own is a streamer of ours.
func (b *bench) own(name string) streamer { return streamer{name, []string{b.self, "--as", name}} }

// measures reports whether a streamer of ours was asked for.
func (b *bench) measures(name string) bool { return slices.Contains(b.streamers, name) }

// all runs all cases that were asked for.
func (b *bench) all(ctx context.Context) error {
	for _, c := range wireCases {
		if b.only.MatchString(c.name) {
			b.wireCase(ctx, c)
		}
	}
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, name string) error
	}{{turnAround, b.turnAround}, {realMotion, b.realMotion}, {underLoad, b.underLoad}, {withClients, b.clients}} {
		if b.peers == "" && b.only.MatchString(c.name) {
			if err := c.run(ctx, c.name); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return ctx.Err()
}

// task is one run to be measured.
type task struct {
	of       string // the case
	streamer streamer
	settings settings
	load     workload
	limit    time.Duration // for the printing
	ours     bool
}

// measure has t's streamer print.
func (b *bench) measure(ctx context.Context, t task) row {
	return b.measureWith(ctx, t, func(ctx context.Context, r *row, dir string) error { return b.fill(ctx, r, t, dir) })
}

// measureWith runs t by way of fill. What goes wrong stands in the row: the others are measured all the same.
func (b *bench) measureWith(ctx context.Context, t task, fill func(ctx context.Context, r *row, dir string) error) row {
	r := row{of: t.of, streamer: t.streamer.name, baud: t.settings.baud, ours: t.ours}
	b.calm(ctx)
	b.say("%s: %s, %d lines", t.of, t.streamer.name, len(t.load.cut))
	before := usageNow()
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = fill(ctx, &r, dir)
	}
	if err != nil {
		r.failed = err.Error()
	}
	r.others = usageNow().others(before) // all that we started has ended
	b.say("  %s", r.summary())
	return r
}

// fill prints and fills the row.
func (b *bench) fill(ctx context.Context, r *row, t task, dir string) error {
	file := filepath.Join(dir, "job.gcode")
	if err := os.WriteFile(file, t.load.bytes(), 0o600); err != nil {
		return err
	}
	m, err := switchOn(b.printsim(), dir, t.settings)
	if err != nil {
		return err
	}
	defer m.kill()
	if r.cost, err = t.streamer.run(ctx, m.link, t.settings.hostBaud(), file, t.limit, m.begin); err != nil {
		return err
	}
	var record []benchrun.Executed
	if r.counters, record, err = m.switchOff(); err != nil {
		return err
	}
	r.measure = judge(record, t.load)
	return nil
}

// summary is the row in one line, for whoever watches.
func (r row) summary() string {
	if r.failed != "" {
		return "failed: " + r.failed
	}
	s := fmt.Sprintf("%.1f s, %.0f lines/s, %d resends, p50 %s, p99.9 %s, %s", r.seconds(), r.linesPerSecond(), r.resends, short(r.p50), short(r.p999), r.faults())
	if r.baud > 0 {
		s = percent(r.wire(r.baud)) + " of the wire, " + s
	}
	return s
}

// oneInFlight is how long a line takes at least if the next is sent when it was answered: there and back, and both on the wire.
func (s settings) oneInFlight(lineBytes float64) time.Duration {
	const okBytes = 17
	t := 2 * s.latency
	if s.baud > 0 {
		t += time.Duration((lineBytes + okBytes) * 10 / float64(s.baud) * float64(time.Second))
	}
	return t
}

// linesFor is how many lines of the source are needed to measure for span. A streamer that waits for each answer gets fewer of them: a
// rate is a rate. slack is what such a streamer takes for itself with each line; 0 = this one does not wait.
func linesFor(s source, set settings, span, slack time.Duration) int {
	sample := s.take(len(s.commands)/4, 2000)
	each := float64(sample.wireBytes()) / float64(len(sample.cut))
	perLine := each * 10 / float64(set.baud) * float64(time.Second)
	if slack > 0 {
		perLine = float64(set.oneInFlight(each) + slack)
	}
	return int(math.Ceil(float64(span) / perLine))
}
