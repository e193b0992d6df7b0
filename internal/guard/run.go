package guard

import (
	"context"

	"layerd/printer"
)

// Printer is what is watched; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
	ShotTaken(ctx context.Context, job string, n int) (rev uint64, err error)
	SetShots(ctx context.Context, job string, s printer.Shots) (rev uint64, err error)
}

type both struct{ printer Printer }
type work struct{}

func (work) stop() {}

// owner is what the goroutine in Run owns.
type owner struct {
	*Guard
	settings Settings
	work     work
}

func newOwner(g *Guard) *owner { return &owner{Guard: g, settings: g.cfg.Settings} }

func (o *owner) state() *State {
	return &State{Mode: printer.WatchOff, Settings: o.settings, Layers: []Layer{}, Endstops: Witness{Status: WitnessUnset}, Camera: Witness{Status: WitnessUnset}, Firmware: Witness{Status: WitnessUnset}}
}
func (o *owner) set(ctx context.Context, s Settings) error {
	o.settings = s
	o.states.Set(o.state())
	return nil
}
func (o *owner) arrange(order Order) (printer.Shots, printer.Watch) {
	return order.Film, printer.Watch{Mode: printer.WatchOff}
}
func (o *owner) beginSetup() error                                { return ErrBusy }
func (o *owner) beginDrill() error                                { return ErrNotSetUp }
func (o *owner) falseAlarm(ctx context.Context, job string) error { return ErrNoAlarm }
func (o *owner) seen(job string) error                            { return ErrNoAlarm }

// Run watches until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	defer close(g.stopped)
	o := newOwner(g)
	for {
		select {
		case q := <-g.requests:
			q.done <- q.do(o)
		case <-ctx.Done():
			return nil
		}
	}
}
