// Command layerd streams G-code to a 3D printer, shows webcam and controls to a phone browser, and keeps the print safe.
//
//	flags → config → build → run → exit code
//
// Exit codes: 0 well, 1 it failed while running, 2 the command line or the configuration is wrong, 75 it asks to be started again.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"layerd/internal/renew"
)

// version is set by the Makefile.
var version = "development"

func main() {
	// Whoever reads our log may go away; the print goes on.
	signal.Ignore(syscall.SIGPIPE)
	limitMemory()
	stops := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		stops = append(stops, syscall.SIGHUP) // a terminal that is closed in mid-print must not leave the heaters on
	}
	ctx, stop := signal.NotifyContext(context.Background(), stops...)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a wrong command line.
type usageError struct{ error }

// run is main without the process: it returns the exit code when the command is done, or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "layerd: %v\n", err)
		return 2
	case errors.Is(err, renew.ErrAgain):
		return renew.AgainCode
	}
	fmt.Fprintf(stderr, "layerd: %v\n", err)
	return 1
}

// checkConfig prints what the configuration comes to.
func checkConfig(_ context.Context, a *invocation) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	for _, s := range cfg.Show() {
		fmt.Fprintln(a.stdout, s)
	}
	fmt.Fprintln(a.stdout, "The configuration is right.")
	return nil
}
