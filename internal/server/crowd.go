package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"layerd/internal/access"
)

// What flows here: a connection that was accepted ─▶ crowd.enter ─▶ its requests, the first with a valid key of which proves it ─▶ leave.
//
// Each connection costs a goroutine and its buffers, from its first byte on and before anybody has said who he is, so there are only so many. When there
// is one too many it is not the newcomer who goes, since that may be the owner on his way to Pause, but the oldest of those who have shown least: of
// the newcomer's own address when that has too many, else of all, and strangers before addresses that have shown a valid key lately. A flood thus drives
// out itself. Websockets leave the crowd: they are counted by slots.

const (
	crowdMax  = 512 // connections of one listener
	sourceMax = 256 // of one address; behind a proxy everybody has its address
	knownMax  = 256 // addresses that have shown a valid key, the latest
)

// crowd is the connections of one listener.
type crowd struct {
	max, perSource int

	mu     sync.Mutex // guards guests and what is in them
	guests map[net.Conn]*guest
	count  map[netip.Prefix]int       // by source
	known  map[netip.Prefix]time.Time // sources that have shown a valid key, and when last
}

// guest is one connection.
type guest struct {
	in     *crowd
	conn   net.Conn
	source netip.Prefix
	shown  access.Role // the greatest role that it has shown a key of
	since  time.Time
}

func newCrowd(max, perSource int) *crowd {
	return &crowd{max: max, perSource: perSource, guests: map[net.Conn]*guest{}, count: map[netip.Prefix]int{}, known: map[netip.Prefix]time.Time{}}
}

type guestKey struct{}

// enter is for http.Server.ConnContext, which is called before anything of the connection is read.
func (c *crowd) enter(ctx context.Context, conn net.Conn) context.Context {
	g := &guest{in: c, conn: conn, source: sourceOf(conn), since: time.Now()}
	c.mu.Lock()
	victim := c.tooMany(g.source)
	if victim != nil {
		c.remove(victim)
	}
	c.guests[conn] = g
	c.count[g.source]++
	c.mu.Unlock()
	if victim != nil {
		wire(victim.conn).Close() // what it was doing ends with an error
	}
	return context.WithValue(ctx, guestKey{}, g)
}

// tooMany returns who has to go for one more from source, nil when there is room. The lock is held.
func (c *crowd) tooMany(source netip.Prefix) (victim *guest) {
	crowded := c.count[source] >= c.perSource
	if !crowded && len(c.guests) < c.max {
		return nil
	}
	for _, g := range c.guests {
		if crowded && g.source != source {
			continue
		}
		if victim == nil || c.before(g, victim) {
			victim = g
		}
	}
	return victim
}

// before reports whether a goes before b. The lock is held.
func (c *crowd) before(a, b *guest) bool {
	_, aKnown := c.known[a.source]
	_, bKnown := c.known[b.source]
	switch {
	case a.shown != b.shown:
		return a.shown < b.shown
	case aKnown != bKnown:
		return bKnown
	}
	return a.since.Before(b.since)
}

// changed is for http.Server.ConnState.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.guests[conn]; g != nil {
		c.remove(g)
	}
}

// remove forgets a guest. The lock is held.
func (c *crowd) remove(g *guest) {
	delete(c.guests, g.conn)
	if c.count[g.source]--; c.count[g.source] == 0 {
		delete(c.count, g.source)
	}
}

// proven notes that the connection of a request has shown a valid key.
func proven(ctx context.Context, role access.Role) {
	g, _ := ctx.Value(guestKey{}).(*guest)
	if g == nil {
		return // a test without a listener
	}
	g.in.mu.Lock()
	defer g.in.mu.Unlock()
	g.shown = max(g.shown, role)
	g.in.greet(g.source)
}

// greet remembers a source that has shown a valid key. The lock is held.
func (c *crowd) greet(source netip.Prefix) {
	if _, known := c.known[source]; !known && len(c.known) >= knownMax {
		oldest := source
		for s, at := range c.known {
			if oldest == source || at.Before(c.known[oldest]) {
				oldest = s
			}
		}
		delete(c.known, oldest)
	}
	c.known[source] = time.Now()
}

// sourceOf is the part of an address that is counted: of IPv6 the network, since anybody has 2^64 addresses in his own.
func sourceOf(conn net.Conn) netip.Prefix {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{} // a socket without addresses: all count as one
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	source, _ := ip.Prefix(bits) // fails only for impossible lengths
	return source
}

// wire is the connection beneath TLS, whose Close would wait to say goodbye.
func wire(conn net.Conn) net.Conn {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = inner.NetConn()
	}
}
