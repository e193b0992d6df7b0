// Command layerd streams G-code to a 3D printer, shows webcam and controls to a phone browser, and keeps the print safe.
//
//	flags → config → build → run → exit code
//
// Exit codes: 0 well, 1 it failed while running, 2 the command line or the configuration is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"layerd/internal/config"
)

// version is set by the Makefile.
var version = "development"

const usage = `layerd prints, watches and lets you leave the house.

Usage:
  layerd [flags]                                  run the daemon
  layerd check-config [flags]                     say whether the configuration is right, and what it comes to
  layerd token create --name NAME --role ROLE     make a key; it is printed alone on the last line
                                                  ROLE is viewer (look), operator (print) or owner (everything)
                                                  Who has forgotten a password gets in with one of an owner
  layerd record --to FOLDER [--from CAMERA] [--every TIME] [--frames NUMBER]
                                                  write a camera's pictures into a folder; a daemon must not have it
  layerd survey [--json] FILE                     say what a file tells: slicer, layers, time, filament, warnings; - is standard input.
                                                  FILE is G-code, or binary G-code, gzip, zip, UFP or sliced 3MF
  layerd fit-arcs [--arc-tolerance MM] FILE OUT   write FILE with runs of moves made arcs to the new file OUT
  layerd version                                  print the version

Flags, before or after the command:
`

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
	}
	fmt.Fprintf(stderr, "layerd: %v\n", err)
	return 1
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := pflag.NewFlagSet("layerd", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	config.Flags(flags)
	var wrong demoFaults
	wrong.flags(flags)
	var key newKey
	key.flags(flags)
	var pictures recording
	pictures.flags(flags)
	var file surveying
	file.flags(flags)
	var arcs fitting
	arcs.flags(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, usage+flags.FlagUsages())
		return nil
	case err != nil:
		return usageError{fmt.Errorf("%w; see layerd --help", err)}
	}
	what := strings.Join(flags.Args(), " ")
	for _, f := range keyFlags {
		if what != "token create" && flags.Changed(f) {
			return usageError{fmt.Errorf("--%s belongs to layerd token create", f)}
		}
	}
	for _, f := range []string{"from", "to", "every", "frames"} {
		if what != "record" && flags.Changed(f) {
			return usageError{fmt.Errorf("--%s belongs to layerd record", f)}
		}
	}
	if flags.Changed("json") && flags.Arg(0) != "survey" {
		return usageError{errors.New("--json belongs to layerd survey")}
	}
	if flags.Changed("arc-tolerance") && flags.Arg(0) != "fit-arcs" {
		return usageError{errors.New("--arc-tolerance belongs to layerd fit-arcs")}
	}
	if flags.Arg(0) == "fit-arcs" {
		if flags.NArg() != 3 {
			return usageError{errors.New("fit-arcs needs one FILE and a name for the new one; see layerd --help")}
		}
		return arcs.fitArcs(ctx, flags.Arg(1), flags.Arg(2), stdout)
	}
	if flags.Arg(0) == "survey" {
		if flags.NArg() != 2 {
			return usageError{errors.New("survey needs one FILE; see layerd --help")}
		}
		return file.survey(ctx, flags.Arg(1), stdout)
	}
	switch what {
	case "version":
		fmt.Fprintln(stdout, version)
		return nil
	case "record":
		return pictures.record(ctx, stdout, stderr)
	case "", "check-config", "token create":
	default:
		return usageError{fmt.Errorf("there is no command %q; see layerd --help", what)}
	}
	cfg, err := config.Load(flags)
	if err != nil {
		return usageError{fmt.Errorf("the configuration is wrong:\n%w", err)}
	}
	switch what {
	case "check-config":
		return checkConfig(cfg, stdout)
	case "token create":
		return key.create(ctx, cfg, stdout)
	}
	demo, err := wrong.parse(cfg)
	if err != nil {
		return err
	}
	return serve(ctx, cfg, demo, stdout, stderr)
}

// checkConfig prints what the configuration comes to.
func checkConfig(cfg config.Config, out io.Writer) error {
	for _, s := range cfg.Show() {
		fmt.Fprintln(out, s)
	}
	fmt.Fprintln(out, "The configuration is right.")
	return nil
}
