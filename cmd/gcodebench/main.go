// Command gcodebench measures what layerd knows of a file before it is printed: how fast a survey is and how much memory it takes, beside other
// programs' analysis of the same file, and how well its time agrees with the slicers', with the motion of a pretend printer, and with the rest of a
// print that is under way.
//
//	gcodebench --corpus DIR            tables on standard output; about five minutes
//	gcodebench --peers DIR             an environment with OctoPrint and Moonraker in it; without, they are left out
//	gcodebench --only PATTERN          the parts whose names match: speed, unpack, memory, peers, slicers, motion, left,
//	                               elsewhere
//
// It is a benchmark and no test: a goal that is missed is marked, and that is all. docs/PERFORMANCE.md says how to read it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() {
	asTest(func(t *testing.T) {
		benchrun.Main("gcodebench", func(ctx context.Context, args []string) error { return run(ctx, t, args) })
	})
}

func run(ctx context.Context, t *testing.T, args []string) error {
	flags := pflag.NewFlagSet("gcodebench", pflag.ContinueOnError)
	corpus := flags.String("corpus", "../shared/corpus", "the slicers' files")
	peers := flags.String("peers", "", "the environment with the programs of others; \"\" = without them")
	only := flags.String("only", "", "the parts to run, a regular expression")
	if err := flags.Parse(args); err != nil {
		return err
	}
	which, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gcodebench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, t: t, layerd: filepath.Join(filepath.Dir(self), "layerd"), peers: *peers}
	if b.files, err = openCorpus(*corpus, dir); err != nil {
		return err
	}
	// Memory comes first: a child is begun as a copy of its parent, which is small only then.
	for _, part := range []struct {
		name string
		run  func() error
	}{{"memory", b.memory}, {"speed", b.speed}, {"unpack", b.unpack}, {"peers", b.besidePeers}, {"slicers", b.besideSlicers}, {"motion", b.besideMotion}, {"left", b.left}, {"elsewhere", b.leftElsewhere}} {
		if !which.MatchString(part.name) {
			continue
		}
		if err := errors.Join(part.run(), ctx.Err()); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// bench is what all parts have in common.
type bench struct {
	ctx    context.Context
	t      *testing.T // faketime.go
	layerd string     // the program
	peers  string     // the environment of others, "" = without them
	files  []file
}
