package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"testing"
	"testing/synctest"
)

// A print of hours takes seconds where the clock jumps whenever all wait. Only package testing has such a clock, and only for a test, so all of this
// program is one.

// asTest runs the program as a test, which is all that can be done with testing.Main: it ends the process.
func asTest(program func(t *testing.T)) {
	testing.Init()
	if err := flag.CommandLine.Parse(nil); err != nil { // the arguments are the program's own
		os.Exit(2)
	}
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "gcodebench", F: program}}, nil, nil)
}

// inFakeTime runs something whose clock jumps.
func (b *bench) inFakeTime(run func(ctx context.Context) error) (err error) {
	synctest.Test(b.t, func(t *testing.T) { err = run(t.Context()) })
	if b.t.Failed() {
		err = errors.Join(err, errors.New("something went wrong in fake time"))
	}
	return err
}
