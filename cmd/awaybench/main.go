// Command awaybench measures what the way from elsewhere costs: layerd's memory and start with the tailnet off and on, and a file and taps on Pause
// over the LAN and through the tailnet, directly and by its relay, side by side.
//
//	awaybench              two tables on standard output; needs no network and ends by itself
//
// The tailnet is cmd/tailnetsim: a control server, a relay and a phone in a process of its own, on loopback. layerd runs its pretend printer and camera.
// docs/PERFORMANCE.md says how to read it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() { benchrun.Main("awaybench", run) }

func run(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("awaybench", pflag.ContinueOnError)
	taps := flags.Int("taps", 8, "on Pause, each way")
	files := flags.Int("files", 8, "downloads of 25 MB, each way")
	starts := flags.Int("starts", 5, "of layerd, each way")
	if err := flags.Parse(args); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &bench{bin: filepath.Dir(self), taps: *taps, files: *files}
	if b.net, err = joinNet(ctx, b.bin, false); err != nil {
		return err
	}
	defer b.net.End()
	relayed := *b
	if relayed.net, err = joinNet(ctx, b.bin, true); err != nil {
		return err
	}
	defer relayed.net.End()
	fmt.Printf("%-10s %12s %12s\n", "tailnet", "first answer", "memory, idle")
	for _, on := range []bool{false, true} {
		if err := b.idle(ctx, on, *starts); err != nil {
			return err
		}
	}
	fmt.Printf("\n%-10s %-10s %10s %12s\n", "GOMEMLIMIT", "way", "MB/s", "peak memory")
	for _, limit := range []string{"off", "64MiB", "96MiB", ""} {
		if err := b.joined(ctx, limit, b.load); err != nil {
			return err
		}
	}
	if err := relayed.joined(ctx, "", relayed.load); err != nil {
		return err
	}
	fmt.Printf("\n%-10s %6s %8s %8s\n", "Pause by", "taps", "p50", "max")
	if err := b.joined(ctx, "", b.tap); err != nil {
		return err
	}
	return relayed.joined(ctx, "", relayed.tap)
}

// joined runs layerd on the tailnet, printing, and measures it.
func (b *bench) joined(ctx context.Context, limit string, measure func(ctx context.Context, d *daemon, limit string) error) error {
	d, err := b.net.start(ctx, b.bin, true, limit)
	if err != nil {
		return err
	}
	defer d.end()
	if err := d.join(ctx); err != nil {
		return err
	}
	if err := d.print(ctx); err != nil {
		return err
	}
	return measure(ctx, d, limit)
}

// bench is what all measurements have in common.
type bench struct {
	bin         string
	net         *net
	taps, files int
}

// idle measures a few starts, and the memory ten seconds after the last.
func (b *bench) idle(ctx context.Context, on bool, starts int) error {
	var took []time.Duration
	for i := range starts {
		d, err := b.net.start(ctx, b.bin, on, "")
		if err != nil {
			return err
		}
		took = append(took, d.answered)
		if i == starts-1 {
			if on {
				err = d.join(ctx)
			}
			if err == nil {
				err = rest(ctx, 10*time.Second)
			}
			kib, memErr := benchrun.PeakKiB(d.cmd.Process.Pid)
			if err = errors.Join(err, memErr); err == nil {
				fmt.Printf("%-10s %9.0f ms %9.1f MB\n", map[bool]string{false: "off", true: "on"}[on], ms(percentile(took, 0.5)), float64(kib)/1024)
			}
		}
		d.end()
		if err != nil {
			return err
		}
	}
	return nil
}

// ways are those to measure: by the relay the LAN is no other.
func (b *bench) ways(d *daemon) []*client {
	if b.net.relayed {
		return []*client{d.away}
	}
	return []*client{d.lan, d.away}
}

// load fetches files by both ways, the tailnet's last: memory is a peak.
func (b *bench) load(ctx context.Context, d *daemon, limit string) error {
	if limit == "" {
		limit = "layerd's"
	}
	for _, c := range b.ways(d) {
		rate, err := c.fetch(ctx, b.files)
		if err != nil {
			return fmt.Errorf("files by %s: %w", c.way, err)
		}
		if c == d.away {
			if err := d.asMeant(ctx); err != nil {
				return err
			}
		}
		kib, err := benchrun.PeakKiB(d.cmd.Process.Pid)
		if err != nil {
			return err
		}
		fmt.Printf("%-10s %-10s %10.1f %9.1f MB\n", limit, c.way, rate, float64(kib)/1024)
	}
	return nil
}

// tap taps by both ways in turn.
func (b *bench) tap(ctx context.Context, d *daemon, _ string) error {
	took := map[string][]time.Duration{}
	ways := b.ways(d)
	for range b.taps {
		for _, c := range ways {
			one, err := c.tap(ctx)
			if err != nil {
				return fmt.Errorf("a tap by %s: %w", c.way, err)
			}
			took[c.way] = append(took[c.way], one)
		}
	}
	for _, c := range ways {
		fmt.Printf("%-10s %6d %5.0f ms %5.0f ms\n", c.way, b.taps, ms(percentile(took[c.way], 0.5)), ms(slices.Max(took[c.way])))
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
