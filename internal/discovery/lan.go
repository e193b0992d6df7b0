package discovery

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const maxLANs = 16

// lan is an interface to a local network, with its addresses there. Over IPv4 alone: every client speaks it, and an address of the link-local kind,
// which is often the only one of IPv6, is of no use to most of them.
type lan struct {
	name  string
	index int
	addrs []netip.Prefix
}

// key is another one when anything of the interface has changed: what was announced before is not true then.
func (l lan) key() string { return fmt.Sprint(l.index, l.name, l.addrs) }

// has reports whether somebody with this address is on the LAN.
func (l lan) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.addrs, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// Links lists the LANs of this machine.
func (kernel) Links() ([]lan, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var lans []lan
	for _, i := range all {
		if len(lans) == maxLANs || !isLAN(i, isTunnel(i.Name)) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		l := lan{name: i.Name, index: i.Index}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && isLocal(p) {
				l.addrs = append(l.addrs, p)
			}
		}
		if len(l.addrs) > 0 {
			lans = append(lans, l)
		}
	}
	return lans, nil
}

// isTunnel knows tun and tap devices, by which VPNs (Tailscale, OpenVPN, ZeroTier) and virtual machines are reached.
func isTunnel(name string) bool {
	_, err := os.Stat(filepath.Join("/sys/class/net", name, "tun_flags"))
	return err == nil
}

// isLAN reports whether an interface leads to a network that people in the house share. Tunnels, links to one other machine, and what
// joins containers and virtual machines on this machine do not.
func isLAN(i net.Interface, tunnel bool) bool {
	const needs = net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast
	if tunnel || i.Flags&needs != needs || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
		return false
	}
	// By name, since the kernel's kinds do not tell: the bridge of a router is one as docker0 is, and a container's eth0 is a veth.
	if id, of := strings.CutPrefix(i.Name, "br-"); of && len(id) == 12 {
		return false // a network of Docker's
	}
	return !slices.ContainsFunc([]string{"docker", "veth", "virbr", "vnet", "vmnet", "vboxnet", "lxc", "lxd", "podman", "cni", "flannel", "cali", "kube",
		"tailscale", "zt", "wg", "tun", "tap", "ppp", "wwan", "nebula", "utun"}, func(beginning string) bool { return strings.HasPrefix(i.Name, beginning) })
}

// isLocal reports an address that means something on this network only. Those that Tailscale and mobile networks give (100.64.0.0/10) are none.
func isLocal(p netip.Prefix) bool {
	a := p.Addr()
	return a.Is4() && (a.IsPrivate() || a.IsLinkLocalUnicast()) && p.Bits() >= 8 && p.Bits() <= 30
}

// serving are the LANs, and on each the addresses, that the page is served on.
func serving(lans []lan, listen netip.Addr) []lan {
	if !listen.IsValid() || listen.IsUnspecified() {
		return lans
	}
	for _, l := range lans {
		for _, p := range l.addrs {
			if p.Addr() == listen.Unmap() {
				l.addrs = []netip.Prefix{p}
				return []lan{l}
			}
		}
	}
	return nil
}
