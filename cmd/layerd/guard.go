package main

import (
	"context"
	"fmt"
	"path/filepath"

	"layerd/internal/guard"
	"layerd/internal/store"
)

// watcher makes what watches prints for layer shifts, with what its set-up has found before.
func (d *parts) watcher(ctx context.Context) (*guard.Guard, error) {
	settings, kept := guard.UsualSettings(), guard.Kept{}
	if _, err := d.store.Setting(ctx, "guard", &settings); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	if err := settings.Validate(); err != nil {
		d.log.Error("prints are watched as in a new installation", "err", err)
		settings = guard.UsualSettings()
	}
	if _, err := d.store.Setting(ctx, "guard_found", &kept); err != nil {
		d.log.Error("what the guard's set-up has found is of no use any more", "err", err)
		kept = guard.Kept{}
	}
	return guard.New(guard.Config{Printer: d.printer, Settings: settings, Kept: kept, Dir: filepath.Join(d.cfg.Data, "shifts"), Free: d.store.Free, Log: d.log,
		Camera: func(id int) guard.Camera {
			if chosen := d.cameras.Camera(id); chosen != nil {
				return chosen
			}
			return nil
		},
		Keep: func(ctx context.Context, k guard.Kept) error { return d.store.SetSetting(ctx, "guard_found", k) },
		KeepEvidence: func(ctx context.Context, e guard.Evidence) (int64, error) {
			about, err := e.About()
			if err != nil {
				return 0, err
			}
			return d.store.KeepAlarm(ctx, store.Alarm{ID: e.Alarm.ID, Print: e.Alarm.Job, AtMS: e.Alarm.AtMS, About: about, Before: e.Before, After: e.After})
		}}), nil
}
