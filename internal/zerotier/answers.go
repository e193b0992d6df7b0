package zerotier

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"layerd/internal/overlay"
)

// Bounds on what is taken from an answer. A network assigns a handful of addresses; peers are as many as there are machines.
const (
	maxAddresses = 16
	maxPaths     = 32
	maxText      = 64 // characters of a name or a status
	maxURL       = 2048
	maxExpiryMS  = 1 << 50 // the year 37,000 or so: what is later is no time
)

var nodeAddress = regexp.MustCompile(`^[0-9a-f]{10}$`)

// node is what /status says of this machine.
type node struct {
	Address     string `json:"address"` // 10 hexadecimal digits
	Online      bool   `json:"online"`  // it reaches one of ZeroTier's roots
	TCPFallback bool   `json:"tcpFallbackActive"`
	Version     string `json:"version"`
}

// network is what /network/ID says. Before the controller has answered, most of it is empty.
type network struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Status    string   `json:"status"`
	PortError int      `json:"portError"` // of the virtual network device
	Assigned  []string `json:"assignedAddresses"`
	Managed   *bool    `json:"allowManaged"`      // ZeroTier may set addresses
	LoginURL  string   `json:"authenticationURL"` // of networks with a login of their own
	ExpiresMS int64    `json:"authenticationExpiryTime"`

	addresses []netip.Addr // IPv4 first
}

func parseNode(body []byte) (node, error) {
	var n node
	if err := json.Unmarshal(body, &n); err != nil {
		return node{}, fmt.Errorf("%w: %w", errNonsense, err)
	}
	if !nodeAddress.MatchString(n.Address) {
		return node{}, fmt.Errorf("%w: %.20q is no node's address", errNonsense, n.Address)
	}
	n.Version = clean(n.Version)
	return n, nil
}

// parseNetwork reads the network that was asked for. {} is one that the service has only begun to join.
func parseNetwork(body []byte, id string) (network, error) {
	var n network
	if err := json.Unmarshal(body, &n); err != nil {
		return network{}, fmt.Errorf("%w: %w", errNonsense, err)
	}
	if n.ID == "" && n.Status == "" {
		return network{ID: id, Status: requesting}, nil
	}
	if n.ID != id {
		return network{}, fmt.Errorf("%w: %.20q is not the network that was asked for", errNonsense, n.ID)
	}
	n.Name, n.Status = clean(n.Name), clean(n.Status)
	for _, text := range n.Assigned {
		if len(n.addresses) == maxAddresses {
			break
		}
		p, err := netip.ParsePrefix(text)
		a := p.Addr().Unmap()
		if err == nil && a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !slices.Contains(n.addresses, a) {
			n.addresses = append(n.addresses, a)
		}
	}
	slices.SortFunc(n.addresses, netip.Addr.Compare) // shorter ones are less
	n.Assigned = nil
	if u, err := url.Parse(n.LoginURL); err != nil || len(n.LoginURL) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		n.LoginURL = ""
	} else {
		n.LoginURL = u.String()
	}
	if n.ExpiresMS < 0 || n.ExpiresMS > maxExpiryMS {
		n.ExpiresMS = 0
	}
	return n, nil
}

// parsePaths reads the ways to other members' machines: "leaves", in ZeroTier's words. The network's controller is one too, but has not come
// to see a printer; it is the first ten digits of the network's number.
func parsePaths(body []byte, networkID string) ([]overlay.Path, error) {
	var peers []struct {
		Address  string `json:"address"`
		Role     string `json:"role"`
		Major    *int   `json:"versionMajor"` // -1 until it was heard
		Tunneled bool   `json:"tunneled"`     // everything goes through the TCP relay
		Paths    []struct {
			Active  bool `json:"active"`
			Expired bool `json:"expired"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(body, &peers); err != nil {
		return nil, fmt.Errorf("%w: %w", errNonsense, err)
	}
	var paths []overlay.Path
	for _, p := range peers {
		direct := false
		for _, way := range p.Paths {
			direct = direct || way.Active && !way.Expired
		}
		heard := direct || p.Major != nil && *p.Major >= 0
		if p.Role == "LEAF" && heard && nodeAddress.MatchString(p.Address) && !strings.HasPrefix(networkID, p.Address) {
			paths = append(paths, overlay.Path{Peer: p.Address, Direct: direct && !p.Tunneled})
		}
	}
	// In a fixed order, so that nothing seems to have changed when nothing has.
	slices.SortFunc(paths, func(a, b overlay.Path) int { return strings.Compare(a.Peer, b.Peer) })
	paths = slices.CompactFunc(paths, func(a, b overlay.Path) bool { return a.Peer == b.Peer })
	return paths[:min(len(paths), maxPaths)], nil
}

// clean returns a text that may be shown: short, and without characters that steer a terminal or turn the direction of writing.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, s)
	n := 0
	for i := range s {
		if n++; n > maxText {
			s = s[:i]
			break
		}
	}
	return strings.TrimSpace(s)
}
