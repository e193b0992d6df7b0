package main

import (
	"context"
	"fmt"

	"layerd/internal/power"
	"layerd/internal/server"
)

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

// machine is what can be done to the one that we run on.
func (d *parts) machine() power.Machine {
	return power.Machine{Dir: runtimeDir(), Units: power.EnabledUnits()}
}
