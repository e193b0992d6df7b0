package main

import (
	"context"
	"fmt"
	"path/filepath"

	"layerd/internal/config"
	"layerd/internal/overlay"
	"layerd/internal/server"
	"layerd/internal/tailnet"
	"layerd/internal/zerotier"
)

// away makes the switch between the networks by which phones come from elsewhere.
func (d *parts) away(ctx context.Context) (*overlay.Switch, error) {
	kept, err := server.ReadOverlay(ctx, d.store)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return overlay.NewSwitch(configuredOverlay(kept, d.cfg), d.cfg.Tailnet.AuthKey, map[overlay.Kind]overlay.Make{overlay.Tailnet: d.tailnet, overlay.ZeroTier: d.zerotier}, d.log), nil
}

// tailnet makes layerd a node of a tailnet, which serves the page there too.
func (d *parts) tailnet(s overlay.Settings, secret string, report func(overlay.Status)) (overlay.Network, error) {
	return tailnet.New(tailnet.Config{Dir: filepath.Join(d.cfg.Data, "tailnet"), Settings: s.Tailnet, AuthKey: secret, Serve: d.server.Serve, Self: d.neighbour, Report: report, Log: d.log,
		Picture: func() []byte {
			jpeg, _ := d.newestPicture()
			return jpeg
		}})
}

// zerotier drives the zerotier-one beside layerd; the page is already served on addresses of this machine.
func (d *parts) zerotier(s overlay.Settings, _ string, report func(overlay.Status)) (overlay.Network, error) {
	return zerotier.New(zerotier.Config{Settings: s.ZeroTier, TokenFile: d.cfg.ZeroTier.TokenFile, Page: d.page, TLS: d.cfg.TLS.Cert != "", Report: report, Log: d.log})
}

// neighbour is what other layerds of the same network are told of this one.
func (d *parts) neighbour() overlay.Neighbour {
	n := overlay.Neighbour{Percent: -1, LeftS: -1}
	snap, _ := d.printer.Snapshots().Get()
	if snap == nil {
		return n
	}
	n.State = snap.State.String()
	if snap.Job != nil {
		n.Job, n.Percent, n.LeftS = snap.Job.Name, snap.Job.Percent, snap.Job.LeftS
	}
	jpeg, _ := d.newestPicture()
	n.Picture = jpeg != nil
	return n
}

// names are the full names that the network in use knows this machine by.
func (d *parts) names() []string {
	status, _ := d.overlay.Statuses().Get()
	if status.Name == "" {
		return nil
	}
	return []string{status.Name}
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
