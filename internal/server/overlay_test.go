package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/overlay"
)

func TestOverlaySettingsAreKept(t *testing.T) {
	r := newRig(t)
	if code, a := r.command(t, "owner", `{"do":"set_overlay","overlay":{"kind":"tailnet","tailnet":{"name":"Voron"}},"secret":"tskey-1"}`); code != http.StatusOK {
		t.Fatalf("got %d %+v", code, a.Error)
	}
	if got := r.overlay.settings; got.Kind != overlay.Tailnet || got.Tailnet.Name != "voron" || r.overlay.secrets[0] != "tskey-1" {
		t.Errorf("the network got %+v and %q", got, r.overlay.secrets)
	}
	kept, err := ReadOverlay(t.Context(), r.files)
	if err != nil || kept.Tailnet.Name != "voron" {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	if w := r.do("GET", "/v1/overlay", "owner", nil); strings.Contains(w.Body.String(), "tskey-1") {
		t.Errorf("the auth key is shown: %s", w.Body)
	}
	if code, a := r.command(t, "owner", `{"do":"set_overlay","overlay":{"kind":"tailnet","tailnet":{"control_url":"file:///"}}}`); code != http.StatusUnprocessableEntity || a.Error.Code != "bad_overlay" {
		t.Errorf("a wrong address: got %d %+v", code, a.Error)
	}
	if code, a := r.command(t, "operator", `{"do":"overlay_leave"}`); code != http.StatusForbidden {
		t.Errorf("an operator: got %d %+v", code, a.Error)
	}
}

func TestLeavingANetworkThatDoesNotHear(t *testing.T) {
	for _, c := range []struct {
		err  error
		code string
		kind overlay.Kind
	}{
		{fmt.Errorf("leave: %w (%w)", overlay.ErrNotTold, context.DeadlineExceeded), "not_told", overlay.None},
		{fmt.Errorf("leave: %w: %w", overlay.ErrDeaf, context.DeadlineExceeded), "deaf_overlay", overlay.Tailnet},
	} {
		r := newRig(t)
		r.overlay.settings, r.overlay.leaving = overlay.Settings{Kind: overlay.Tailnet}, c.err
		code, a := r.command(t, "owner", `{"do":"overlay_leave"}`)
		if code != http.StatusBadGateway || a.Error == nil || a.Error.Code != c.code || a.Error.Next == "" {
			t.Errorf("%s: got %d %+v", c.code, code, a.Error)
		}
		if now, _ := r.overlay.Settings(); now.Kind != c.kind {
			t.Errorf("%s: the network is %s now, want %s", c.code, now.Kind, c.kind)
		}
	}
}

func TestOverlayThatTheConfigurationHolds(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Locked = map[string]string{"overlay": "file", "tailnet.tags": "environment"} })
	r.overlay.settings = overlay.Settings{Kind: overlay.Tailnet, Tailnet: overlay.TailnetSettings{Tags: []string{"tag:printer"}}}
	for body, want := range map[string]int{
		`{"kind":"none","tailnet":{"tags":["tag:printer"]}}`:                 http.StatusConflict,
		`{"kind":"tailnet","tailnet":{}}`:                                    http.StatusConflict,
		`{"kind":"tailnet","tailnet":{"name":"mk4","tags":["tag:printer"]}}`: http.StatusOK,
	} {
		if code, a := r.command(t, "owner", `{"do":"set_overlay","overlay":`+body+`}`); code != want {
			t.Errorf("%s: got %d %+v, want %d", body, code, a.Error, want)
		}
	}
}

func TestOverlayIsShown(t *testing.T) {
	r := newRig(t)
	r.overlay.statuses.Set(overlay.Status{Kind: overlay.Tailnet, State: overlay.Login, LoginURL: "https://login.example.com/a/1"})
	var got OverlayAnswer
	if err := json.Unmarshal(r.do("GET", "/v1/overlay", "owner", nil).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	data, ok := strings.CutPrefix(got.LoginQR, "data:image/png;base64,")
	picture, err := base64.StdEncoding.DecodeString(data)
	if err != nil || !ok || got.URLQR != "" || got.Status.Health == nil || got.Settings.Tailnet.Tags == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	if code, err := png.Decode(bytes.NewReader(picture)); err != nil || code.Bounds().Dx() < 100 {
		t.Errorf("the QR code is no picture: %v", err)
	}
	r.overlay.statuses.Set(overlay.Status{Kind: overlay.Tailnet, State: overlay.Running, URLs: []string{"https://voron.example.ts.net/"}, Problem: "soon"})
	if s := r.compose().state.Overlay; s.State != overlay.Running || s.URL != "https://voron.example.ts.net/" || s.Problem != "soon" {
		t.Errorf("the pages see %+v", s)
	}
}

func TestNeighboursAreNotForEverybody(t *testing.T) {
	r := newRig(t)
	r.overlay.neighbours = []overlay.Neighbour{{Name: "voron"}}
	for role, want := range map[string]int{"": http.StatusUnauthorized, "viewer": http.StatusForbidden, "operator": http.StatusOK} {
		for _, path := range []string{"/v1/neighbours", "/v1/neighbours/voron"} {
			if w := r.do("GET", path, role, nil); w.Code != want {
				t.Errorf("%s of %q: got %d, want %d", path, role, w.Code, want)
			}
		}
	}
	if w := r.do("GET", "/v1/neighbours/mk4", "operator", nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one that is not there: got %d", w.Code)
	}
}
