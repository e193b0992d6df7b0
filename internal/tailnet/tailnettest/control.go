// Package tailnettest is a whole tailnet in one process, on loopback: a pretend control server, a relay, and nodes that play
// phones. It is for tests and for trying things; nothing of it goes outside.
package tailnettest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/derp/derpserver"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/net/netns"
	"tailscale.com/net/stunserver"
	"tailscale.com/tailcfg"
	"tailscale.com/tsnet"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/key"
)

// Domain is the tailnet's: a node of the name voron is voron.Domain.
const Domain = "tail-scale.ts.net"

// Control is a pretend control server, with a relay. Each node belongs to a person of its own, user-N@fake-control.example.net,
// unless it is tagged. Opening a login link logs in.
type Control struct {
	URL  string
	Fake *testcontrol.Server // to be changed before the first node joins, or by its methods

	addr  string
	close []func()

	mu      sync.Mutex // guards all below
	srv     *http.Server
	conns   map[net.Conn]struct{}
	stopped bool
}

// Isolate keeps the nodes of this process from the network and from Tailscale's own servers. It is the process's; to be called
// before the first node.
func Isolate() {
	envknob.Setenv("TS_PANIC_IF_HIT_MAIN_CONTROL", "true")
	envknob.Setenv("TS_ASSUME_NETWORK_UP_FOR_TEST", "true")
	envknob.Setenv("TS_DEBUG_ACME_DIRECTORY_URL", "http://127.0.0.1:1/") // where nobody signs certificates
	envknob.SetNoLogsNoSupport()
	netns.SetEnabled(false)
}

// New starts a control server at a loopback port. Close ends it.
func New() (*Control, error) {
	c := &Control{conns: map[net.Conn]struct{}{}}
	derps, err := c.relay()
	if err != nil {
		c.Close()
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("pretend control server: %w", err)
	}
	c.addr = listener.Addr().String()
	c.URL = "http://" + c.addr
	c.Fake = &testcontrol.Server{
		Logf: func(string, ...any) {}, DERPMap: derps, MagicDNSDomain: Domain, AllOnline: true, ExplicitBaseURL: c.URL, TagOwners: map[string][]string{},
	}
	c.serve(listener)
	return c, nil
}

// relay starts a DERP and a STUN server.
func (c *Control) relay() (*tailcfg.DERPMap, error) {
	d := derpserver.New(key.NewNode(), func(string, ...any) {})
	web := httptest.NewUnstartedServer(derpserver.Handler(d))
	web.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	web.StartTLS()
	ctx, end := context.WithCancel(context.Background())
	c.close = append(c.close, func() { end(); web.CloseClientConnections(); web.Close(); d.Close() })
	stun := stunserver.New(ctx)
	if err := stun.Listen("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("pretend relay: %w", err)
	}
	go stun.Serve()
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: {RegionID: 1, RegionCode: "test", RegionName: "Testville", Nodes: []*tailcfg.DERPNode{{
		Name: "t1", RegionID: 1, HostName: "127.0.0.1", IPv4: "127.0.0.1", IPv6: "none", STUNTestIP: "127.0.0.1", InsecureForTests: true,
		STUNPort: stun.LocalAddr().(*net.UDPAddr).Port, DERPPort: web.Listener.Addr().(*net.TCPAddr).Port,
	}}}}}, nil
}

func (c *Control) serve(listener net.Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.srv = &http.Server{Handler: http.HandlerFunc(c.answer), ConnState: c.note}
	go c.srv.Serve(listener)
}

// answer adds the login page to what a control server does.
func (c *Control) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/auth/"):
		if c.Approve(r.URL.Path) != nil {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, "This machine is in the tailnet now.")
	case r.URL.Path == "/key", r.URL.Path == "/ts2021", strings.HasPrefix(r.URL.Path, "/machine/"):
		c.Fake.ServeHTTP(w, r)
	default: // which the fake takes for a reason to panic
		http.NotFound(w, r)
	}
}

// note keeps the connections: nodes take theirs over from http.Server, which then no longer closes them.
func (c *Control) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopped:
		conn.Close()
	case state == http.StateNew:
		c.conns[conn] = struct{}{}
	case state == http.StateClosed:
		delete(c.conns, conn)
	}
}

// Down makes the control server unreachable. The relay stays.
func (c *Control) Down() {
	c.mu.Lock()
	srv := c.srv
	c.stopped = true
	for conn := range c.conns {
		conn.Close()
	}
	clear(c.conns)
	c.mu.Unlock()
	if srv != nil {
		srv.Close()
	}
}

// Up brings it back after Down.
func (c *Control) Up() error {
	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("pretend control server: %w", err)
	}
	c.mu.Lock()
	c.stopped = false
	c.mu.Unlock()
	c.serve(listener)
	return nil
}

// Close ends everything.
func (c *Control) Close() {
	c.Down()
	for _, f := range c.close {
		f()
	}
}

// WithCertificates makes the tailnet one whose nodes may have certificates, though nobody signs them: a node's are where it keeps them,
// or it has none. It is to be called before the first node joins.
func (c *Control) WithCertificates() { c.Fake.DNSConfig = &tailcfg.DNSConfig{Proxied: true} }

// Approve logs in whoever was shown this link, as opening it does.
func (c *Control) Approve(link string) error {
	for _, n := range c.Fake.AllNodes() { // the fake gives a new key the old one's end
		if !n.KeyExpiry.IsZero() && n.KeyExpiry.Before(time.Now()) {
			n.KeyExpiry = time.Time{}
			c.Fake.UpdateNode(n)
		}
	}
	if !c.Fake.CompleteAuth(link) {
		return errors.New("that is no login link of this control server")
	}
	return nil
}

// Expire says when the keys of the nodes of this name end; the zero time is never. A node whose key has ended has to log in again.
func (c *Control) Expire(name string, at time.Time) {
	for _, n := range c.Fake.AllNodes() {
		if first, _, _ := strings.Cut(n.Name, "."); first == name {
			n.KeyExpiry = at
			c.Fake.UpdateNode(n)
		}
	}
}

// Join returns a node that is running, and what it is called as a person. tags may be nil.
func (c *Control) Join(ctx context.Context, dir, name string, tags ...string) (*tsnet.Server, string, error) {
	quiet := func(string, ...any) {}
	node := &tsnet.Server{Dir: dir, Hostname: name, ControlURL: c.URL, AdvertiseTags: tags, Ephemeral: true, UserLogf: quiet}
	client, err := node.LocalClient() // starts it
	if err != nil {
		return nil, "", fmt.Errorf("join as %s: %w", name, err)
	}
	login, err := c.up(ctx, client)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("join as %s: %w", name, err), node.Close())
	}
	return node, login, nil
}

// up logs a node in and waits until it runs.
func (c *Control) up(ctx context.Context, client *local.Client) (login string, err error) {
	bus, err := client.WatchIPNBus(ctx, ipn.NotifyInitialState)
	if err != nil {
		return "", err
	}
	defer bus.Close()
	for {
		said, err := bus.Next()
		if err != nil {
			return "", err
		}
		if said.BrowseToURL != nil && *said.BrowseToURL != "" {
			if err := c.Approve(*said.BrowseToURL); err != nil {
				return "", err
			}
		}
		if said.State == nil || *said.State != ipn.Running {
			continue
		}
		status, err := client.Status(ctx)
		if err != nil {
			return "", err
		}
		return status.User[status.Self.UserID].LoginName, nil
	}
}
