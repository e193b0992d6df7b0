package discovery

import (
	"net"
	"net/netip"
	"reflect"
	"testing"
)

func TestIsLAN(t *testing.T) {
	const up = net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast
	for _, c := range []struct {
		name   string
		flags  net.Flags
		tunnel bool
		want   bool
	}{
		{"eth0", up, false, true},
		{"enp3s0", up, false, true},
		{"wlan0", up, false, true},
		{"wlp2s0", up, false, true},
		{"br0", up, false, true},
		{"br-lan", up, false, true},
		{"bond0", up, false, true},
		{"eth0.10", up, false, true},
		{"usb0", up, false, true},
		{"lo", net.FlagUp | net.FlagRunning | net.FlagLoopback, false, false},
		{"eth0", up &^ net.FlagUp, false, false},
		{"wlan0", up &^ net.FlagRunning, false, false},
		{"eth0", up &^ net.FlagMulticast, false, false},
		{"tailscale0", net.FlagUp | net.FlagRunning | net.FlagPointToPoint | net.FlagMulticast, true, false},
		{"tailscale0", up, false, false},
		{"ztabcdef12", up, true, false},
		{"myvpn", up, true, false},
		{"wg0", net.FlagUp | net.FlagRunning, false, false},
		{"ppp0", net.FlagUp | net.FlagRunning | net.FlagPointToPoint | net.FlagMulticast, false, false},
		{"docker0", up, false, false},
		{"br-0123456789ab", up, false, false},
		{"veth12ab", up, false, false},
		{"virbr0", up, false, false},
		{"wwan0", up, false, false},
	} {
		if got := isLAN(net.Interface{Name: c.name, Flags: c.flags}, c.tunnel); got != c.want {
			t.Errorf("%s, %v, tunnel %v: got %v", c.name, c.flags, c.tunnel, got)
		}
	}
}

func TestIsLocal(t *testing.T) {
	for text, want := range map[string]bool{
		"192.168.1.5/24": true, "10.1.2.3/8": true, "172.16.0.9/12": true, "169.254.7.7/16": true,
		"100.101.102.103/32": false, "100.64.0.1/10": false, "8.8.8.8/24": false, "127.0.0.1/8": false, "10.0.0.1/32": false, "10.0.0.1/31": false,
		"fe80::1/64": false, "fd00::1/64": false, "2001:db8::1/64": false,
	} {
		if got := isLocal(netip.MustParsePrefix(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// TestServing: only where the page is, layerd is announced.
func TestServing(t *testing.T) {
	two := lan{name: "eth0", index: 2, addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("10.0.0.5/8")}}
	other := lan{name: "wlan0", index: 3, addrs: []netip.Prefix{netip.MustParsePrefix("192.168.2.5/24")}}
	one := two
	one.addrs = two.addrs[1:]
	for listen, want := range map[string][]lan{
		"0.0.0.0": {two, other}, "::": {two, other}, "192.168.2.5": {other}, "10.0.0.5": {one}, "::ffff:10.0.0.5": {one}, "192.168.3.1": nil, "fd00::1": nil,
	} {
		if got := serving([]lan{two, other}, netip.MustParseAddr(listen)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", listen, got, want)
		}
	}
}
