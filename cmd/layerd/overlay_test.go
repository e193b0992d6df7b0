package main

import (
	"reflect"
	"testing"

	"layerd/internal/config"
	"layerd/internal/overlay"
)

func TestTheConfigurationCountsMoreThanWhatWasKept(t *testing.T) {
	kept := overlay.Settings{Kind: overlay.ZeroTier, Tailnet: overlay.TailnetSettings{Name: "kept", Tags: []string{"tag:kept"}}, ZeroTier: overlay.ZeroTierSettings{Network: "8056c2e21c000001"}}
	if got := configuredOverlay(kept, config.Config{}); !reflect.DeepEqual(got, kept) {
		t.Errorf("without a configuration: got %+v, want %+v", got, kept)
	}
	var cfg config.Config
	cfg.Overlay, cfg.Tailnet.Name, cfg.Tailnet.VendorLogs = "tailnet", "voron", true
	cfg.Locked = map[string]string{"overlay": "file", "tailnet.name": "environment", "tailnet.vendor_logs": "file"}
	want := kept
	want.Kind, want.Tailnet.Name, want.Tailnet.VendorLogs = overlay.Tailnet, "voron", true
	if got := configuredOverlay(kept, cfg); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
