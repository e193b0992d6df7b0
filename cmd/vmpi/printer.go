package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"layerd/printer/printertest"
)

// board is the pretend printer at the Pi's USB socket. It has power of its own, so it goes on when the cable is pulled or the Pi dies.
//
//	printertest.Port ◀─▶ connection to qemu's socket, which is the cable: in there /dev/ttyUSB0 comes and goes with it
type board struct {
	sim   *printertest.Sim
	cable net.Conn // nil: pulled
	port  *printertest.Port
}

// switchOnBoard starts a printer that moves so many times faster than real.
func switchOnBoard(ctx context.Context, speed float64) (*board, error) {
	sim, err := printertest.New(printertest.Config{Baud: 115200, TxBuffer: -1, Speed: speed, Heat: 100, KeepExecuted: true})
	if err != nil {
		return nil, err
	}
	go sim.Run(ctx) // without a Record it cannot fail
	return &board{sim: sim}, nil
}

// plugIn plugs the cable into the machine.
func (b *board) plugIn(m *machine) error {
	cable, err := net.Dial("unix", m.usb())
	if err != nil {
		return fmt.Errorf("plug in: %w", err)
	}
	b.cable, b.port = cable, b.sim.Open()
	if err := b.port.SetBaud(115200); err != nil {
		return fmt.Errorf("plug in: %w", err)
	}
	go io.Copy(b.port, cable) // both end when either side is gone
	go io.Copy(cable, b.port)
	return nil
}

// pull pulls it for so long, and plugs it in again. What was on its way is lost, from anywhere in a line on.
func (b *board) pull(m *machine, out time.Duration) error {
	b.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: out})
	b.unplug()
	for !b.sim.Body().Plugged {
		time.Sleep(10 * time.Millisecond)
	}
	return b.plugIn(m)
}

// unplug lets go of a machine without power, or of one whose work is done.
func (b *board) unplug() {
	b.cable.Close()
	b.port.Close()
}

// asks are the commands that only ask, or wait, and move and heat nothing.
var asks = []string{"M105", "M110", "M114", "M115", "M118", "M155", "M400", "M876"}

// executed is what the board has done since the mark, besides asking.
func (b *board) executed(mark int) []string {
	return slices.DeleteFunc(b.sim.Executed()[mark:], func(c string) bool {
		word, _, _ := strings.Cut(c, " ")
		return slices.Contains(asks, word)
	})
}

// mark is where executed begins that comes from now on.
func (b *board) mark() int { return len(b.sim.Executed()) }

// commandsOf are the commands of a file, ';' begins a comment.
func commandsOf(content []byte) (all []string) {
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, ";")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// onceInOrder is an error unless exactly what was wanted was executed; of a print that was broken off its beginning, with nothing behind it.
func onceInOrder(got, want []string, brokenOff bool) error {
	if brokenOff {
		want = want[:min(len(got), len(want))]
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Errorf("%d commands were executed, want %d; the first that differs is number %d: got %q, want %q", len(got), len(want), i+1,
				got[min(i, len(got)):min(i+4, len(got))], want[min(i, len(want)):min(i+4, len(want))])
		}
	}
	return nil
}
