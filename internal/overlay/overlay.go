// Package overlay lets phones reach layerd from elsewhere: over a network that lies on top of others, with no port forwarded.
//
//	settings ─▶ Switch ─▶ the network that they name (tailnet, zerotier) ─▶ Status ─▶ latest.Value ─▶ page
//
// A network that fails is shown, tried again, and never delays the daemon or a print.
package overlay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"layerd/internal/latest"
)

// Kind names a network.
type Kind string

const (
	None     Kind = "none"
	Tailnet  Kind = "tailnet"
	ZeroTier Kind = "zerotier"
)

// Settings say which network is used, and how. The page shows and keeps them; no secret is in them.
type Settings struct {
	Kind     Kind             `json:"kind"`
	Tailnet  TailnetSettings  `json:"tailnet"`
	ZeroTier ZeroTierSettings `json:"zerotier"`
}

// TailnetSettings are for a node of our own on a Tailscale or Headscale network.
type TailnetSettings struct {
	Name        string   `json:"name"`         // that is asked for; the control server may add a number. "" = layerd
	ControlURL  string   `json:"control_url"`  // "" = Tailscale's own
	Tags        []string `json:"tags"`         // such as "tag:printer"; nil = the node belongs to who enrols it
	VendorLogs  bool     `json:"vendor_logs"`  // Tailscale gets the node's logs
	DefaultRole string   `json:"default_role"` // of the tailnet's people that nobody has named: "viewer" or "nobody". "" = viewer
}

// ZeroTierSettings are for the zerotier-one that is installed beside layerd.
type ZeroTierSettings struct {
	Network string `json:"network"` // 16 hexadecimal digits
}

// ErrSettings is wrapped by errors that say what is wrong with settings.
var ErrSettings = errors.New("settings of the overlay network")

var (
	hostName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	tagName   = regexp.MustCompile(`^tag:[a-zA-Z][a-zA-Z0-9-]{0,49}$`)
	networkID = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

const maxTags = 10

// Validate returns an error for people that wraps ErrSettings.
func (s Settings) Validate() error {
	t := s.Tailnet
	u, err := url.Parse(t.ControlURL)
	switch {
	case !slices.Contains([]Kind{None, Tailnet, ZeroTier}, s.Kind):
		return fmt.Errorf("%w: the kind is none, tailnet or zerotier", ErrSettings)
	case t.Name != "" && !hostName.MatchString(t.Name):
		return fmt.Errorf("%w: the name has letters a to z, digits and '-', at most 63", ErrSettings)
	case t.ControlURL != "" && (err != nil || len(t.ControlURL) > 256 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != ""):
		return fmt.Errorf("%w: the control server is an address such as https://headscale.example.com", ErrSettings)
	case len(t.Tags) > maxTags || slices.ContainsFunc(t.Tags, func(tag string) bool { return !tagName.MatchString(tag) }):
		return fmt.Errorf("%w: tags look like tag:printer, at most %d", ErrSettings, maxTags)
	case !slices.Contains([]string{"", "viewer", "nobody"}, t.DefaultRole):
		return fmt.Errorf("%w: people of the tailnet that nobody has named are viewer or nobody", ErrSettings)
	case (s.Kind == ZeroTier || s.ZeroTier.Network != "") && !networkID.MatchString(s.ZeroTier.Network):
		return fmt.Errorf("%w: a ZeroTier network has 16 hexadecimal digits", ErrSettings)
	}
	return nil
}

// Tidy returns s as it is kept: with lower-case names, and without spaces that came along when something was pasted.
func (s Settings) Tidy() Settings {
	s.Tailnet.Name = strings.ToLower(strings.TrimSpace(s.Tailnet.Name))
	s.Tailnet.ControlURL = strings.TrimRightFunc(strings.TrimSpace(s.Tailnet.ControlURL), func(r rune) bool { return r == '/' || unicode.IsSpace(r) })
	s.ZeroTier.Network = strings.ToLower(strings.TrimSpace(s.ZeroTier.Network))
	if s.Kind == "" {
		s.Kind = None
	}
	return s
}

// State is where the way from elsewhere stands.
type State string

const (
	Off      State = "off"
	Starting State = "starting" // it connects
	Login    State = "login"    // somebody has to open LoginURL
	Approval State = "approval" // somebody has to let this machine in, at the network's own page
	Running  State = "running"  // phones can reach layerd
	Failed   State = "failed"   // Problem says why; it is tried again by itself
)

// Status is what people see of the network. It is immutable.
type Status struct {
	Kind      Kind     `json:"kind"`
	State     State    `json:"state"`
	Name      string   `json:"name"`       // full name of this machine there; "" unknown
	URLs      []string `json:"urls"`       // of the page, the best first
	Addresses []string `json:"addresses"`  // of this machine there
	Network   string   `json:"network"`    // the network's own name; "" unknown
	LoginURL  string   `json:"login_url"`  // in the state login
	ExpiresMS int64    `json:"expires_ms"` // when somebody has to log in again, Unix ms; 0 = never or unknown
	Problem   string   `json:"problem"`    // what is wrong, a sentence; "" nothing. Also possible while Running: what will go wrong
	Next      string   `json:"next"`       // what to do about it; "" nothing
	Health    []string `json:"health"`     // warnings in the network's own words
	Paths     []Path   `json:"paths"`      // to who has been here lately
}

// Path is how packets go to another machine.
type Path struct {
	Peer   string `json:"peer"`
	Direct bool   `json:"direct"`
	Relay  string `json:"relay"` // where the relay stands, when not direct; "" unknown
}

// Network is a network that is used; *tailnet.Node and *zerotier.Member are.
type Network interface {
	// Run joins and serves until ctx ends, whatever fails meanwhile: it tries again. The error is for what trying again cannot mend.
	Run(ctx context.Context) error
	// Login makes the network show a new LoginURL, where it has such a thing. secret, when not "", enrols without one; it is forgotten after.
	Login(ctx context.Context, secret string) error
	// Leave takes this machine out of the network for good. Run goes on and can join anew.
	Leave(ctx context.Context) error
	// Neighbours are other layerds there, asked now. It waits for them as long as ctx lets it.
	Neighbours(ctx context.Context) ([]Neighbour, error)
	// NeighbourPicture is the newest picture of another layerd's first camera, a JPEG of at most 1 MiB. name is of Neighbours.
	NeighbourPicture(ctx context.Context, name string) ([]byte, error)
}

// Neighbour is another layerd on the network, as it tells of itself.
type Neighbour struct {
	Name      string  `json:"name"` // on the network, short
	URL       string  `json:"url"`  // of its page
	Online    bool    `json:"online"`
	State     string  `json:"state"`      // of its printer; "" when it did not answer
	Job       string  `json:"job"`        // file that is printed; "" none
	Percent   float64 `json:"percent"`    // of the job; -1 unknown
	LeftS     float64 `json:"left_s"`     // seconds left; -1 unknown
	Picture   bool    `json:"picture"`    // it has one
	CheckedMS int64   `json:"checked_ms"` // when it told this, Unix ms
}

// ErrNotTold is wrapped when this machine has left, and the network did not hear of it.
var ErrNotTold = errors.New("this machine has left, but the network was not told")

// ErrDeaf is wrapped when a network could not be asked, and nothing has changed.
var ErrDeaf = errors.New("the network does not answer")

// ErrNotHere is returned for what this network does not have.
var ErrNotHere = errors.New("this network has no such thing")

// Statuses are published whenever something changed.
type Statuses = latest.Value[Status]
