package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// What flows here: a chip's label and a line's number → the line, held until layerd ends → driven on or off, and read back.
//
// A line that is taken is left as it stands: on when it was on. So a restart of layerd does not switch the printer. Between two owners, and after the last, a line
// is as its driver leaves it: Raspberry Pi's kernels keep driving it as it was (github.com/raspberrypi/linux, pull 6117 and 6150), mainline ones make
// it an input, and a relay falls to its rest.

// Chip is a GPIO chip of this machine.
type Chip struct {
	Name  string `json:"name"`  // "gpiochip0"
	Label string `json:"label"` // "pinctrl-bcm2711"
	Lines int    `json:"lines"`
}

// chips are those of this machine; kernel is them.
type chips interface {
	// list finds them. The error is about the first that could not be looked at; the rest are there beside it.
	list() ([]Chip, error)
	// take has a line of a chip, by its name, for us alone: driven as it stood, or with look only to be read, and not changed in any way.
	take(name string, line int, activeLow, look bool) (held, error)
}

// held is a line that is ours.
type held interface {
	set(on bool) error
	get() (on bool, err error)
	close() error
}

var errLook = errors.New("this line is only looked at")

var errNoChip = errors.New("this machine has no such GPIO chip")

// gpio is a switch on a line. The line is taken when it is first needed, and kept.
type gpio struct {
	way   Way
	chips chips
	look  bool // it is not to be switched, and may be anything: a line of the serial port, of the network
	line  held // nil = not yet
}

func (g *gpio) take() error {
	if g.line != nil {
		return nil
	}
	all, err := g.chips.list()
	i := slices.IndexFunc(all, func(c Chip) bool { return c.Label == g.way.Chip || c.Name == g.way.Chip })
	if i < 0 {
		return denied(cmp.Or(err, errNoChip))
	}
	if g.way.Line >= all[i].Lines {
		return fmt.Errorf("the chip %s has the lines 0 to %d", all[i].Name, all[i].Lines-1)
	}
	if g.line, err = g.chips.take(all[i].Name, g.way.Line, g.way.ActiveLow, g.look); err != nil {
		return denied(fmt.Errorf("take line %d of %s: %w", g.way.Line, all[i].Name, err))
	}
	return nil
}

// denied adds what to do where the kernel did not let us.
func denied(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; let layerd have it as docs/POWER.md says, and restart it", err)
	}
	return err
}

func (g *gpio) set(_ context.Context, on bool) error {
	if g.look {
		return errLook
	}
	if err := g.take(); err != nil {
		return err
	}
	return g.line.set(on)
}

func (g *gpio) get(context.Context) (State, string, error) {
	if err := g.take(); err != nil {
		return Unknown, "", err
	}
	on, err := g.line.get()
	if err != nil {
		return Unknown, "", err
	}
	return stateOf(on), "", nil
}

func (g *gpio) close() {
	if g.line != nil {
		_ = g.line.close() // the kernel takes it back in any case
		g.line = nil
	}
}
