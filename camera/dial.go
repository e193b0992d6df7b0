package camera

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Where a camera's address may lead. A name is asked for anew with each connection, and what it means may have changed since a person wrote it down, so
// it is looked at when the connection is made, at the address itself: nothing comes between. Cameras are on this machine (ustreamer) and on the LAN; they
// are not where machines are told secrets about themselves.

// special are addresses of what tells a machine about itself, beside those that are link-local: in clouds with keys in it, on tailnets of the node.
var special = [...]netip.Prefix{
	netip.MustParsePrefix("100.100.100.0/24"), // Tailscale's own services, and Alibaba's metadata; no node has such an address
	netip.MustParsePrefix("192.0.0.192/32"),   // Oracle's
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's
	netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("fd20:ce::254/128"),
}

// notHere is an address to which we do not connect.
type notHere struct{ address netip.Addr }

func (e *notHere) Error() string { return fmt.Sprintf("%s is no address of a camera", e.address) }

// dialCamera connects to a camera's host and port. nil is the machine's own resolver. The error is a *notHere for an address that no camera has.
func dialCamera(names *net.Resolver) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		d := net.Dialer{Timeout: dialWithin, Resolver: names, Control: func(_, to string, _ syscall.RawConn) error { return mayLead(host, to) }}
		return d.DialContext(ctx, network, address)
	}
}

// mayLead says whether a camera's host may be at an address, which has a port behind it.
func mayLead(host, to string) error {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap().WithZone("")
	here := ip.IsLoopback() || ip.IsUnspecified()
	if ip.IsLinkLocalUnicast() || here && !nearby(host) || slices.ContainsFunc(special[:], func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return &notHere{ip} // also where a name of the internet leads to this machine, which is a trick
	}
	return nil
}
