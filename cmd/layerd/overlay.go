package main

import (
	"context"
	"fmt"

	"layerd/internal/config"
	"layerd/internal/overlay"
	"layerd/internal/server"
)

// away makes the switch between the networks by which phones come from elsewhere.
func (d *parts) away(ctx context.Context) (*overlay.Switch, error) {
	kept, err := server.ReadOverlay(ctx, d.store)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	s := configuredOverlay(kept, d.cfg)
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return overlay.NewSwitch(s, d.cfg.Tailnet.AuthKey, map[overlay.Kind]overlay.Make{}, d.log), nil
}

// configuredOverlay is what was kept, with what the configuration says.
func configuredOverlay(s overlay.Settings, cfg config.Config) overlay.Settings {
	for key, set := range map[string]func(){
		"overlay":              func() { s.Kind = overlay.Kind(cfg.Overlay) },
		"tailnet.name":         func() { s.Tailnet.Name = cfg.Tailnet.Name },
		"tailnet.control_url":  func() { s.Tailnet.ControlURL = cfg.Tailnet.ControlURL },
		"tailnet.tags":         func() { s.Tailnet.Tags = cfg.Tailnet.Tags },
		"tailnet.vendor_logs":  func() { s.Tailnet.VendorLogs = cfg.Tailnet.VendorLogs },
		"tailnet.default_role": func() { s.Tailnet.DefaultRole = cfg.Tailnet.DefaultRole },
		"zerotier.network":     func() { s.ZeroTier.Network = cfg.ZeroTier.Network },
	} {
		if cfg.Locked[key] != "" {
			set()
		}
	}
	return s.Tidy()
}
