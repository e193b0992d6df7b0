package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"layerd/internal/access"
)

// fromAddress is a connection that says where it comes from.
type fromAddress struct {
	net.Conn
	addr string
}

func (c fromAddress) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.addr))
}

// arrive has a connection enter, and returns its far end and the context of its requests.
func arrive(t *testing.T, c *crowd, addr string) (far net.Conn, ctx context.Context, near net.Conn) {
	t.Helper()
	far, conn := net.Pipe()
	t.Cleanup(func() { far.Close(); conn.Close() })
	near = fromAddress{conn, addr}
	return far, c.enter(t.Context(), near), near
}

// ended: a pipe whose other end was closed says so at once, one that is open lets us wait.
func ended(far net.Conn) bool {
	far.SetReadDeadline(time.Now())
	_, err := far.Read(make([]byte, 1))
	return err == io.EOF
}

func TestAFloodDrivesOutItself(t *testing.T) {
	c := newCrowd(8, 4)
	owner, ctx, _ := arrive(t, c, "192.168.1.7:1")
	proven(ctx, access.Owner)
	waiting, _, _ := arrive(t, c, "192.168.1.7:2") // of his, that has shown nothing yet
	other, _, _ := arrive(t, c, "192.168.1.8:1")
	var flood []net.Conn
	for range 20 { // one network, however many addresses
		far, _, _ := arrive(t, c, "[2001:db8::1:2]:9")
		flood = append(flood, far)
	}
	if ended(owner) || ended(waiting) || ended(other) {
		t.Error("somebody else had to go for the flood of one address")
	}
	for i, far := range flood {
		if got, want := ended(far), i < 16; got != want {
			t.Errorf("number %d of the flood: got ended %t, want %t", i, got, want)
		}
	}
	for i := range 100 { // and from everywhere
		arrive(t, c, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 9).String())
	}
	if ended(owner) || ended(waiting) {
		t.Error("the address with the owner's key had to go for strangers")
	}
	if !ended(other) {
		t.Error("a stranger stayed, who was there first")
	}
	if len(c.guests) != 8 {
		t.Errorf("got %d connections, want 8", len(c.guests))
	}
}

func TestWhoHasShownLessGoesFirst(t *testing.T) {
	c := newCrowd(3, 3)
	owner, ctx, _ := arrive(t, c, "10.0.0.1:1")
	proven(ctx, access.Owner)
	var viewers []net.Conn
	for range 2 {
		far, ctx, _ := arrive(t, c, "10.0.0.2:1")
		proven(ctx, access.Viewer)
		viewers = append(viewers, far)
	}
	late, _, _ := arrive(t, c, "10.0.0.1:2")
	if !ended(viewers[0]) || ended(viewers[1]) || ended(owner) || ended(late) {
		t.Error("want the older of the viewer's connections to go, and nobody else")
	}
}

func TestTheCrowdForgetsWhoLeft(t *testing.T) {
	c := newCrowd(8, 4)
	for _, how := range []http.ConnState{http.StateClosed, http.StateHijacked} {
		_, _, near := arrive(t, c, "10.0.0.1:1")
		c.changed(near, http.StateActive)
		if len(c.guests) != 1 {
			t.Fatalf("got %d connections, want 1", len(c.guests))
		}
		c.changed(near, how)
		c.changed(near, http.StateClosed)
		if len(c.guests) != 0 || len(c.count) != 0 {
			t.Errorf("after %v: got %d connections of %d addresses, want none", how, len(c.guests), len(c.count))
		}
	}
	for i := range 2 * knownMax {
		_, ctx, near := arrive(t, c, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i / 256), byte(i)}), 9).String())
		proven(ctx, access.Viewer)
		c.changed(near, http.StateClosed)
	}
	if len(c.known) != knownMax {
		t.Errorf("got %d addresses remembered, want %d", len(c.known), knownMax)
	}
}
