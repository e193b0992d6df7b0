package discovery

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inside is set in the process that has a network of its own.
const inside = "LAYERD_TEST_INSIDE"

// aLAN makes a LAN, and beside it an interface with an address such as tailnets have.
const aLAN = `ip link set lo up && ip link add eth0 type veth peer name eth1 && ip addr add 192.168.9.5/24 dev eth0 && ip addr add 100.100.1.1/24 dev eth1 &&
	ip link set eth0 up && ip link set eth1 up && ip route add default dev eth0`

// TestKernel has a layerd announce itself with real sockets, in a network that is there for this test alone.
func TestKernel(t *testing.T) {
	if os.Getenv(inside) != "" {
		onTheKernel(t)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own := func(script string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", script, program)
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		return cmd
	}
	if out, err := own(aLAN).CombinedOutput(); err != nil {
		t.Logf("no network can be made here (%v, %s): only the parts without sockets are tested", err, out)
		return
	}
	if out, err := own(aLAN + ` && exec "$0" -test.run '^TestKernel$' -test.v -test.timeout 60s`).CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func onTheKernel(t *testing.T) {
	lans, err := kernel{}.Links()
	if err != nil || len(lans) != 1 || lans[0].name != "eth0" || !lans[0].has(netip.MustParseAddr("192.168.9.77")) {
		t.Fatalf("got %+v, %v, want eth0 alone", lans, err)
	}
	avahi := likeAvahi(t)
	listener, err := kernel{}.Open(lans[0], mdns)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := testConfig("1")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- New(cfg).Run(ctx) }()
	await := func(what string, is func(message) bool) {
		t.Helper()
		for b := make([]byte, maxPacket); ; {
			n, from, err := listener.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if m, _ := parse(b[:n]); is(m) {
				if from.String() != "192.168.9.5:5353" {
					t.Errorf("%s came from %s", what, from)
				}
				return
			}
		}
	}
	isAnswer := func(m message) bool { return m.flags&isResponse != 0 && len(m.answers) > 0 && m.answers[0].ttl > 0 }
	await("a probe", func(m message) bool { return m.flags == 0 && len(m.authority) > 0 })
	await("an announcement", isAnswer)

	for _, c := range []struct {
		group          group
		question, says string
		from           string
	}{
		{mdns, string(query(question{name: named("_octoprint", "_tcp", "local"), kind: typePTR, class: classIN})), "layerd on pi", "192.168.9.5:5353"},
		{ssdp, "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 0\r\nST: upnp:rootdevice\r\n\r\n", "http://192.168.9.5:8080/", "192.168.9.5:1900"},
	} {
		client, err := net.ListenPacket("udp4", "192.168.9.5:0")
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.WriteTo([]byte(c.question), net.UDPAddrFromAddrPort(c.group.addr())); err != nil {
			t.Fatal(err)
		}
		client.SetReadDeadline(time.Now().Add(30 * time.Second))
		b := make([]byte, maxPacket)
		n, from, err := client.ReadFrom(b)
		if err != nil || !strings.Contains(string(b[:n]), c.says) || from.String() != c.from {
			t.Errorf("asked at %s: got %q from %s, %v", c.group.addr(), b[:n], from, err)
		}
	}
	leavesToAvahi(t, avahi)
	stop()
	await("goodbye", func(m message) bool { return len(m.answers) > 0 && m.answers[0].ttl == 0 })
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// leavesToAvahi: what is sent to Avahi alone comes to Avahi, although layerd has the port too.
func leavesToAvahi(t *testing.T, avahi net.PacketConn) {
	t.Helper()
	client, err := net.Dial("udp4", "192.168.9.5:5353")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Write([]byte("for Avahi")); err != nil {
		t.Fatal(err)
	}
	avahi.SetReadDeadline(time.Now().Add(30 * time.Second))
	for b := make([]byte, maxPacket); ; {
		n, _, err := avahi.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:n]) == "for Avahi" {
			return
		}
	}
}

// likeAvahi has the port of multicast DNS on all addresses, as Avahi has.
func likeAvahi(t *testing.T) net.PacketConn {
	t.Helper()
	shared := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		control := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
		if err == nil {
			err = control
		}
		return err
	}}
	c, err := shared.ListenPacket(t.Context(), "udp4", "0.0.0.0:5353")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
