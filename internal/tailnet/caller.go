package tailnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/client/tailscale/apitype"
	"tailscale.com/tailcfg"

	"layerd/internal/access"
)

// CapAccess is the capability by which a tailnet's policy says who may do what here. Its values are objects with a role: viewer,
// operator or owner. Of several the greatest counts, and what is not valid counts for nothing:
//
//	"grants": [{"src": ["alice@example.com"], "dst": ["tag:printer"], "ip": ["tcp:80", "tcp:443"], "app": {"layerd.org/cap/access": [{"role": "operator"}]}}]
const CapAccess = "layerd.org/cap/access"

// knownFor is how long an answer about a caller holds.
const knownFor = time.Minute

// introducing makes the connections of a listener know their caller.
type introducing struct {
	net.Listener
	local *local.Client
}

func (i introducing) Accept() (net.Conn, error) {
	c, err := i.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, local: i.local}, nil
}

// conn implements access.Introducer.
type conn struct {
	net.Conn
	local *local.Client

	mu    sync.Mutex // guards the two below
	who   access.Caller
	until time.Time // they hold
}

var _ access.Introducer = (*conn)(nil)

// Caller asks the node whose key the packets are signed with. Who is no person of the tailnet has no Login.
func (c *conn) Caller(ctx context.Context) (access.Caller, error) {
	c.mu.Lock()
	who, until := c.who, c.until
	c.mu.Unlock()
	if time.Now().Before(until) {
		return who, nil
	}
	answer, err := whoIs(ctx, c.local, c.RemoteAddr())
	if err != nil {
		return access.Caller{}, err
	}
	who = callerOf(answer)
	c.mu.Lock()
	c.who, c.until = who, time.Now().Add(knownFor)
	c.mu.Unlock()
	return who, nil
}

// whoIs returns nil for an address that is no node's own: from behind a subnet router, or from outside.
func whoIs(ctx context.Context, client *local.Client, from net.Addr) (*apitype.WhoIsResponse, error) {
	at, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return nil, nil
	}
	ctx, end := context.WithTimeout(ctx, callTime)
	defer end()
	who, err := client.WhoIs(ctx, at.String())
	if errors.Is(err, local.ErrPeerNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask the tailnet who calls: %w", err)
	}
	own := func(p netip.Prefix) bool { return p.IsSingleIP() && p.Addr() == at.Addr().Unmap() }
	if who.Node == nil || !slices.ContainsFunc(who.Node.Addresses, own) {
		return nil, nil
	}
	return who, nil
}

// callerOf is the person at the other end. A tagged device belongs to nobody, whoever set it up; the tailnet calls all of
// them by one name.
func callerOf(who *apitype.WhoIsResponse) access.Caller {
	if who == nil || who.Node == nil {
		return access.Caller{}
	}
	name, _, _ := strings.Cut(dnsName(who.Node.Name), ".")
	c := access.Caller{Device: name}
	if who.Node.IsTagged() || who.UserProfile == nil {
		return c
	}
	c.Login = loginName(who.UserProfile.LoginName)
	c.Guest = shared(who.Node)
	c.Name = clean(who.UserProfile.DisplayName, maxText)
	c.Role = granted(who.CapMap)
	return c
}

// shared reports whether a node is of another tailnet, whose person this machine was shared with, or who shared it with ours.
func shared(n *tailcfg.Node) bool {
	return n.Hostinfo.Valid() && n.Hostinfo.ShareeNode() || !n.Sharer.IsZero()
}

// loginName is in lower case. A name with signs that cannot be seen, or letters that only look like others until they are small, could pass for somebody else's; who
// has one is nobody.
func loginName(s string) string {
	small := strings.ToLower(s)
	if clean(s, maxText) != s || len(small) != len(s) {
		return ""
	}
	return small
}

// granted is the greatest role that the tailnet's policy gives.
func granted(caps tailcfg.PeerCapMap) (greatest access.Role) {
	for _, value := range caps[CapAccess] {
		var grant struct {
			Role string `json:"role"`
		}
		if json.Unmarshal([]byte(value), &grant) != nil {
			continue
		}
		if role, err := access.ParseRole(grant.Role); err == nil {
			greatest = max(greatest, role)
		}
	}
	return greatest
}
