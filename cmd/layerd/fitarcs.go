package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"layerd/gcode"
)

// fitting is the command line of layerd fit-arcs: a file ─▶ package unpack ─▶ gcode.FitArcs ─▶ a new file, which is printed as any other. So places
// in the file, its survey and where a print goes on after a fault are those of what is sent.
type fitting struct{ toleranceMM float64 }

func (f *fitting) flags(flags *pflag.FlagSet) {
	flags.Float64Var(&f.toleranceMM, "arc-tolerance", gcode.ArcTolerance, "how far an arc may be from the moves it stands for, in mm")
}

// fitArcs writes the file that is named with arcs to a new one. It blocks until that is done, or ctx ends; then, and after an error, there is no new file.
func (f *fitting) fitArcs(ctx context.Context, a *invocation) error {
	name, to, out := a.operands[0], a.operands[1], a.stdout
	in, err := os.Open(name)
	if err != nil {
		return err // it names the file
	}
	defer in.Close()
	temporary, err := os.CreateTemp(filepath.Dir(to), ".layerd-arcs-")
	if err != nil {
		return fmt.Errorf("fit arcs: %w", err)
	}
	defer os.Remove(temporary.Name()) // by then it is there by its other name
	defer temporary.Close()
	before, err := surveyOf(in)
	if err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	var fitted gcode.ArcsFitted
	if err == nil {
		_, err = readText(in, func(text io.Reader) error {
			fitted, err = gcode.FitArcs(temporary, untilDone{ctx, text}, f.toleranceMM)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("fit arcs of %s: %w", name, err)
	}
	if _, err := temporary.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("fit arcs of %s: %w", name, err)
	}
	after, err := surveyOf(temporary)
	if err != nil {
		return fmt.Errorf("look at the arcs of %s: %w", name, err)
	}
	if err := errors.Join(temporary.Chmod(0o644), temporary.Sync()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	if err := os.Link(temporary.Name(), to); err != nil { // fails where there is one, unlike Rename
		return fmt.Errorf("fit arcs of %s: %w", name, err)
	}
	return f.say(out, fitted, &before, &after)
}

func (f *fitting) say(out io.Writer, fitted gcode.ArcsFitted, before, after *surveyed) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d moves became %d arcs, at most %.3f mm off\n", fitted.Moves, fitted.Arcs, fitted.DeviationMM)
	fmt.Fprintf(&b, "commands  %d, were %d\n", after.Commands, before.Commands)
	fmt.Fprintf(&b, "bytes     %d, were %d\n", after.Bytes, before.Bytes)
	fmt.Fprintf(&b, "The firmware must know arcs: Marlin says Cap:ARCS:1 to M115, Klipper needs [gcode_arcs].\n")
	_, err := out.Write(b.Bytes())
	return err
}

// untilDone is a reader that fails when its context has ended.
type untilDone struct {
	ctx  context.Context
	from io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.from.Read(b)
}
