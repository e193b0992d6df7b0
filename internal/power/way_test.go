package power

import (
	"errors"
	"testing"
)

func TestWaysThatMakeNoSense(t *testing.T) {
	for _, c := range []struct {
		way  Way
		well bool
	}{
		{Way{}, true},
		{Way{OnLines: "M80", OffLines: "M81"}, true}, // of an older layerd
		{Way{Kind: Lines, OnLines: "M80"}, false},
		{Way{Kind: GPIO, Chip: "pinctrl-bcm2711", Line: 17}, true},
		{Way{Kind: GPIO, Line: 17}, false},
		{Way{Kind: GPIO, Chip: "gpiochip0", Line: -1}, false},
		{Way{Kind: Tasmota, Address: "192.168.1.7"}, true},
		{Way{Kind: Tasmota, Address: "https://plug.local/"}, true},
		{Way{Kind: Tasmota, Address: "http://plug/cm?cmnd=Reset"}, false},
		{Way{Kind: Tasmota, Address: "http://plug/path"}, false},
		{Way{Kind: Shelly, Address: "http://me:secret@plug"}, false},
		{Way{Kind: Shelly2, Address: "file:///etc/passwd"}, false},
		{Way{Kind: Shelly2, Address: "gopher://plug"}, false},
		{Way{Kind: Shelly2, Address: ""}, false},
		{Way{Kind: Shelly2, Address: "http://plug", Channel: 99}, false},
		{Way{Kind: Web, OnURL: "http://a/on", OffURL: "http://a/off"}, true},
		{Way{Kind: Web, OnURL: "http://a/on"}, false},
		{Way{Kind: Web, OnURL: "http://a/on", OffURL: "http://a/off", StateURL: "http://a/"}, false},
		{Way{Kind: Web, OnURL: "http://a/on", OffURL: "javascript:1"}, false},
		{Way{Kind: Web, OnURL: "http://a/on\r\nHost: b", OffURL: "http://a/off"}, false},
		{Way{Kind: "relay"}, false},
	} {
		if err := c.way.Tidy().Validate(); (err == nil) != c.well || err != nil && !errors.Is(err, ErrSetup) {
			t.Errorf("%+v: got %v, want it right: %v", c.way, err, c.well)
		}
	}
}

func TestAPasswordStaysWhereItWasSent(t *testing.T) {
	old := Way{Kind: Shelly, Address: "http://plug", User: "me", Password: "secret"}
	for _, c := range []struct {
		next Way
		want string
	}{
		{Way{Kind: Shelly, Address: "http://plug", User: "me"}, "secret"},
		{Way{Kind: Shelly, Address: "http://plug", User: "me", Channel: 1}, "secret"},
		{Way{Kind: Shelly, Address: "http://plug", User: "me", Password: "new"}, "new"},
		{Way{Kind: Shelly, Address: "http://other", User: "me"}, ""},
		{Way{Kind: Shelly, Address: "http://plug", User: "you"}, ""},
		{Way{Kind: Tasmota, Address: "http://plug", User: "me"}, ""},
	} {
		if got := c.next.WithSecretOf(old).Password; got != c.want {
			t.Errorf("%+v: got %q, want %q", c.next, got, c.want)
		}
	}
	if shown, has := old.Shown(); shown.Password != "" || !has || old.Password == "" {
		t.Errorf("got %+v, %v", shown, has)
	}
}
