package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
)

// A print of hours takes a second where the clock jumps whenever all wait. Only package testing has such a clock, and only for a test, so all of this program is one.

// asTest runs the program as a test, which is all that can be done with testing.Main: it ends the process.
func asTest(program func(t *testing.T)) {
	testing.Init()
	if err := flag.CommandLine.Parse(nil); err != nil { // the arguments are the program's own
		os.Exit(2)
	}
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "shifteval", F: program}}, nil, nil)
}

// inFakeTime runs something whose clock jumps. Several may run at once, each with a clock of its own.
func inFakeTime(t *testing.T, name string, run func(ctx context.Context) error) (err error) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { err = run(t.Context()) })
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
