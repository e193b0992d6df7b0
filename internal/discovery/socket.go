package discovery

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// kernel is the network of this machine.
type kernel struct{}

// socket is bound to the group's address and not to all addresses. So it shares the port with Avahi or systemd-resolved without taking any packet that
// was sent to them alone, and hears nothing that came from beyond a router.
type socket struct{ *net.UDPConn }

// Open opens a socket for what is sent to a group on this LAN, and for no other LAN's.
func (kernel) Open(l lan, g group) (conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), l.name)
	defer file.Close() // FilePacketConn has its own
	if err := set(fd, l, g); err != nil {
		return nil, err
	}
	c, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	return socket{c.(*net.UDPConn)}, nil
}

func set(fd int, l lan, g group) error {
	hops := 1 // no router passes it on
	if g == mdns {
		hops = 255 // as RFC 6762, 11 wants it; no router passes on this group
	}
	for option, value := range map[int]int{unix.SO_REUSEADDR: 1, unix.SO_REUSEPORT: 1} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, value); err != nil {
			return fmt.Errorf("share the port: %w", err)
		}
	}
	// Without IP_MULTICAST_ALL it hears what this socket has joined, not what any program on this machine has.
	for option, value := range map[int]int{unix.IP_MULTICAST_TTL: hops, unix.IP_MULTICAST_ALL: 0, unix.IP_TTL: max(hops, 64)} {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, option, value); err != nil {
			return fmt.Errorf("set up a socket: %w", err)
		}
	}
	to := g.addr()
	here := &unix.IPMreqn{Multiaddr: to.Addr().As4(), Ifindex: int32(l.index)}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return fmt.Errorf("bind to %s: %w", to, err)
	}
	if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, here); err != nil {
		return fmt.Errorf("join %s: %w", to, err)
	}
	if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Address: l.addrs[0].Addr().As4(), Ifindex: int32(l.index)}); err != nil {
		return fmt.Errorf("send on %s: %w", l.name, err)
	}
	return nil
}

func (s socket) Read(b []byte) (int, netip.AddrPort, error) {
	n, from, err := s.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

func (s socket) Write(b []byte, to netip.AddrPort) error {
	_, err := s.WriteToUDPAddrPort(b, to)
	return err
}
