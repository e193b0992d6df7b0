package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"layerd/internal/power"
	"layerd/internal/server"
)

// errRestart ends layerd so that systemd starts it again: the unit does so after failures.
var errRestart = errors.New("a person has asked for a restart of layerd")

// switches makes what switches the printer's power and the lamp.
func (d *parts) switches(ctx context.Context, lamp power.Way) (*power.Board, error) {
	settings, err := server.ReadPower(ctx, d.store)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	if err := lamp.Validate(); err != nil {
		d.log.Error("there is no lamp any more", "err", err)
		lamp = power.Way{}
	}
	return power.New(power.Config{Printer: d.printer, Power: settings, Lamp: lamp, Log: d.log,
		Watched: func() bool { return d.server.Watched() },
		Alarm: func() bool {
			now, _ := d.guard.States().Get()
			return now != nil && now.Alarm != nil && now.Alarm.Label == ""
		}}), nil
}

// machine is what can be done to the one that we run on. Only systemd would start layerd again.
func (d *parts) machine() power.Machine {
	m := power.Machine{Dir: os.Getenv("RUNTIME_DIRECTORY"), Units: power.EnabledUnits()}
	if m.Dir != "" && os.Getenv("INVOCATION_ID") != "" {
		m.Restart = func() { d.fail(errRestart) }
	}
	return m
}
