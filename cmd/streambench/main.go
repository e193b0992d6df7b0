// Command streambench measures how well a printer's line is used: by layerd, by bare hosts, and by other programs.
//
//	streambench --corpus ../shared/corpus          the table, on standard output
//	streambench --peers .cache/bench-peers         with OctoPrint and Printrun beside them
//	streambench --pi --peers .cache/bench-peers    start, memory and processor time of layerd and OctoPrint, with people who look at them
//
// Every streamer prints the same cut of a slicer's file to printsim, a process of its own on a pseudo-terminal, whose clock measures all of
// them. docs/PERFORMANCE.md says how to read the table. It is a benchmark and no test: a goal that is missed is only marked, but lines that
// were lost or doubled by a streamer of ours, or a print of its that failed, make the exit code 1.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() { benchrun.Main("streambench", run) }

// options are the command line's.
type options struct {
	corpus, file, fastFile, bin, peers string
	streamers                          []string
	only                               *regexp.Regexp
	span, forCalm                      time.Duration
	rounds                             int
	onPi                               bool
	packages                           string
}

func run(ctx context.Context, args []string) error {
	var o options
	flags := pflag.NewFlagSet("streambench", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&o.corpus, "corpus", "../shared/corpus", "`DIR` with slicers' files")
	flags.StringVar(&o.file, "file", "cura_benchy.gcode.gz", "`NAME` of the file in it that is streamed")
	flags.StringVar(&o.fastFile, "fast-file", "ps_vase_fast.gcode.gz", "`NAME` of the file that is streamed to a printer that really moves")
	flags.StringVar(&o.bin, "bin", "", "`DIR` of printsim and layerd; default: where streambench is")
	flags.StringVar(&o.peers, "peers", "", "`DIR` of the Python environment with OctoPrint and Printrun; default: without them")
	flags.StringSliceVar(&o.streamers, "streamers", []string{"layerd", "one-line", "crude"}, "`NAMES` of the streamers of ours that are measured")
	only := flags.String("only", "", "`PATTERN` of the cases that are run; default: all")
	flags.DurationVar(&o.span, "span", 20*time.Second, "how long a case takes whoever uses all of the wire")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each has its turn where they take turns")
	flags.BoolVar(&o.onPi, "pi", false, "measure what counts on a Pi, and nothing else")
	flags.DurationVar(&o.forCalm, "calm", 0, "wait so long, at most, before each run for others to leave the processors alone")
	flags.StringVar(&o.packages, "packages", "", "with --pi: `PATTERN` of Debian packages whose size is told")
	as := flags.String("as", "", "print --file to --port as this `STREAMER`; the bench starts itself so")
	port := flags.String("port", "", "with --as: the printer's `PORT`")
	baud := flags.Int("baud", 115200, "with --as: its speed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *as != "" {
		return asHost(*as, *port, *baud, o.file)
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	if o.span < time.Second || o.span > time.Hour {
		return fmt.Errorf("--span %v: want a second to an hour", o.span)
	}
	if o.rounds < 1 || o.rounds > 100 {
		return fmt.Errorf("--rounds %d: want 1 to 100", o.rounds)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if o.bin == "" {
		o.bin = filepath.Dir(self)
	}
	dir, err := os.MkdirTemp("", "streambench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, self: self, dir: dir}
	if err := b.prepare(); err != nil {
		return err
	}
	if o.onPi {
		fmt.Printf("%s, load %s; %s, a quarter into it\n\n", machineSays(), loadSays(), b.dense.name)
		err = b.pi(ctx)
	} else {
		err = b.all(ctx)
		fmt.Printf("%s; %s, a quarter into it; span %v\n\n%s%s", machineSays(), b.dense.name, o.span, table(b.rows), b.waysTable())
	}
	if all := wrong(b.rows); err == nil && len(all) > 0 {
		err = fmt.Errorf("not every job came through as it should: %s", strings.Join(all, "; "))
	}
	return err
}
