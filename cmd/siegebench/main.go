// Command siegebench measures a print under siege: layerd and a pretend printer, as they were built, and beside them somebody who means ill.
//
//	siegebench             a table on standard output; everything happens on the loopback, and ends by itself
//
// Each attack has a layerd, a printer and a print of its own. It begins before the print, and goes on until the owner has tapped Pause and Resume many
// times, each time over a new connection, and over his live socket. The attackers have other addresses of the loopback than the owner, but the same
// processors. docs/PERFORMANCE.md says how to read it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() { benchrun.Main("siegebench", run) }

func run(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("siegebench", pflag.ContinueOnError)
	bin := flags.String("bin", "", "`DIR` of layerd and printsim; default: where siegebench is")
	span := flags.Duration("span", 15*time.Second, "how long each print is watched before the taps")
	taps := flags.Int("taps", 20, "on Pause, each way")
	only := flags.String("only", "", "`PATTERN` of the attacks to run; the calm is always there")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	if *bin == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		*bin = filepath.Dir(self)
	}
	fmt.Printf("%-46s %8s %9s %8s %7s %9s %15s %15s  %s\n", "attack", "lines/s", "longest", "starved", "exact", "RSS peak", "Pause by HTTP", "by live socket", "what became of it")
	var failed error
	for i, a := range attacks {
		if i > 0 && !wanted.MatchString(a.name) {
			continue
		}
		r, err := besiege(ctx, *bin, a, *span, *taps, jobLines)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		fmt.Printf("%-46s %8.0f %6.0f ms %8d %7s %6.1f MB %5.0f / %4.0f ms %5.0f / %4.0f ms  %s\n", a.name, r.linesPerS, ms(r.longest), r.starved, r.exact, float64(r.peakKiB)/1024,
			ms(percentile(r.http, 0.5)), ms(percentile(r.http, 0.95)), ms(percentile(r.live, 0.5)), ms(percentile(r.live, 0.95)), r.told)
		if r.exact != "yes" {
			failed = fmt.Errorf("%s: the print was not exact: %s", a.name, r.exact)
		}
	}
	return failed
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile is that of values, 0 of none.
func percentile(values []time.Duration, part float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// result is what one siege has shown.
type result struct {
	linesPerS  float64
	longest    time.Duration // without a line of the job, while nobody tapped
	starved    int           // how often that was longer than starvedAfter
	exact      string        // "yes", or the first thing that was wrong
	peakKiB    int64         // of layerd's memory
	http, live []time.Duration
	told       string // by the attacker
}

// jobLines is how long the job is: longer than what is printed in the time.
const jobLines = 400_000

// besiege is one print with one attack.
func besiege(ctx context.Context, bin string, a attack, span time.Duration, taps, lines int) (r result, err error) {
	ctx, end := context.WithTimeout(ctx, span+3*time.Minute)
	defer end()
	s, err := newStage(ctx, bin)
	if err != nil {
		return r, err
	}
	defer s.close()
	attacker := newAttacker(ctx, s, a)
	defer attacker.stop()
	job, err := s.start(lines)
	if err != nil {
		return r, err
	}
	select {
	case <-time.After(span):
	case <-ctx.Done():
		return r, ctx.Err()
	}
	if r.http, r.live, err = s.taps(job, taps); err != nil {
		return r, err
	}
	r.told = attacker.stop()
	if r.peakKiB, err = benchrun.PeakKiB(s.layerd.Process.Pid); err != nil {
		return r, err
	}
	record, err := s.end()
	if err != nil {
		return r, err
	}
	r.judge(record, s.lines, span)
	return r, nil
}

// starvedAfter is how long a planner of 16 short moves lasts, as in streambench.
const starvedAfter = 100 * time.Millisecond

// judge compares what the printer has executed with the file. The print was not waited for, so its end is not there.
func (r *result) judge(record []benchrun.Executed, lines []string, span time.Duration) {
	var done []benchrun.Executed
	for _, e := range record {
		if strings.HasPrefix(e.Command, "G1 X") && strings.Contains(e.Command, " E") { // nothing but the job says so
			done = append(done, e)
		}
	}
	r.exact = "yes"
	if len(done) == 0 || len(done) >= len(lines) {
		r.exact = fmt.Sprintf("%d of %d lines", len(done), len(lines))
		return
	}
	watched := 0
	for i, e := range done {
		if e.Command != lines[i] {
			r.exact = fmt.Sprintf("line %d: got %q, want %q", i+1, e.Command, lines[i])
			return
		}
		if i == 0 || e.At-done[0].At > span {
			continue
		}
		watched++
		gap := e.At - done[i-1].At
		r.longest = max(r.longest, gap)
		if gap > starvedAfter {
			r.starved++
		}
	}
	r.linesPerS = float64(watched) / span.Seconds()
}
