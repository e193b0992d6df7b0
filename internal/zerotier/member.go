// Package zerotier makes this machine a member of a ZeroTier network, by asking the zerotier-one that is installed beside layerd.
//
//	settings ─▶ Member.Run ─▶ look (member.go) ─▶ service (service.go) ─▶ answers.go ─▶ words.go ─▶ overlay.Status
//
// ZeroTier gives the machine a network device, so the page is reached as on a LAN: layerd's own listener serves it, and callers log in.
// What the service says is hostile: bounded, checked and cleaned.
package zerotier

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"layerd/internal/overlay"
)

// How long until the service is asked again: while people wait for something to happen, and otherwise.
const (
	soon  = time.Second
	later = 10 * time.Second
)

// Config is what a Member is made of.
type Config struct {
	Settings  overlay.ZeroTierSettings
	URL       string         // of the service, on a loopback address; "" = at 127.0.0.1, and the port in zerotier-one.port beside the token, else 9993
	TokenFile string         // "" = $CREDENTIALS_DIRECTORY/zt-token when it is there, else /var/lib/zerotier-one/authtoken.secret
	Page      netip.AddrPort // where the page is served; at all addresses when that is unspecified
	TLS       bool           // the page is served with it there
	Report    func(overlay.Status)
	Log       *slog.Logger // nil = nothing is logged
}

// Member is this machine's membership in one network. It is an overlay.Network.
type Member struct {
	id      string
	service *service
	page    netip.AddrPort
	scheme  string
	report  func(overlay.Status)
	log     *slog.Logger

	asking chan struct{} // holds one token while somebody asks the service, so that nobody joins between the steps of leaving
	left   bool          // by Leave: it is not joined again; guarded by asking
	poke   chan struct{} // holds one token when it should be looked at once
}

// New returns a Member; Run starts it. The error is for settings that cannot be meant, and wraps overlay.ErrSettings when it is the network's number.
func New(cfg Config) (*Member, error) {
	if err := (overlay.Settings{Kind: overlay.ZeroTier, ZeroTier: cfg.Settings}).Validate(); err != nil {
		return nil, err
	}
	if !cfg.Page.IsValid() || cfg.Page.Port() == 0 {
		return nil, fmt.Errorf("there is no page at %s", cfg.Page)
	}
	s, err := newService(cfg.URL, cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	m := &Member{id: cfg.Settings.Network, service: s, page: cfg.Page, scheme: "http", report: cfg.Report, log: cfg.Log,
		asking: make(chan struct{}, 1), poke: make(chan struct{}, 1)}
	if cfg.TLS {
		m.scheme = "https"
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.report == nil {
		m.report = func(overlay.Status) {}
	}
	return m, nil
}

// Run joins the network and reports how it stands until ctx ends. The machine stays in the network then: it may use it for other things too.
// It returns nil.
func (m *Member) Run(ctx context.Context) error {
	var told overlay.Status
	silent := time.Time{} // since when the controller has been
	for ctx.Err() == nil {
		s, waits := m.look(ctx, silent)
		if ctx.Err() != nil {
			break
		}
		if !waits {
			silent = time.Time{}
		} else if silent.IsZero() {
			silent = time.Now()
		}
		if !reflect.DeepEqual(s, told) {
			if s.State != told.State || s.Problem != told.Problem {
				m.log.Info("zerotier", "network", m.id, "state", s.State, "problem", s.Problem)
			}
			m.report(s)
			told = s
		}
		select {
		case <-time.After(pause(s.State)):
		case <-m.poke:
		case <-ctx.Done():
		}
	}
	return nil
}

// pause is how long a state is left alone.
func pause(s overlay.State) time.Duration {
	switch s {
	case overlay.Starting, overlay.Login, overlay.Approval:
		return soon
	}
	return later
}

// look asks the service how things stand, and joins the network when this machine is not in it. waits says that the controller has not answered.
func (m *Member) look(ctx context.Context, silent time.Time) (s overlay.Status, waits bool) {
	if !m.begin(ctx) {
		return overlay.Status{}, false
	}
	defer m.end()
	if m.left {
		return overlay.Status{Kind: overlay.ZeroTier, State: overlay.Off, Problem: "This machine has left the network.", Next: "Save the network's settings again to join it anew."}, false
	}
	me, n, err := m.membership(ctx)
	if err != nil {
		m.log.Debug("ask ZeroTier", "err", err)
		return failure(err), false
	}
	var paths []overlay.Path
	if n.Status == ok {
		body, err := m.service.ask(ctx, http.MethodGet, "/peer", "")
		if err == nil {
			paths, err = parsePaths(body, m.id)
		}
		if err != nil { // a nicety that is missing
			m.log.Debug("ask ZeroTier for its peers", "err", err)
		}
	}
	waits = n.Status == requesting && me.Online
	var waited time.Duration
	if waits && !silent.IsZero() {
		waited = time.Since(silent)
	}
	return m.words(me, n, paths, waited), waits
}

// ours is what ZeroTier may do with this machine for our network: give it addresses there. Not its default route or its DNS, and no
// addresses that belong to others on the internet.
const ours = `{"allowManaged":true,"allowGlobal":false,"allowDefault":false,"allowDNS":false}`

// membership is this node and the network, which it joins when it has to. A network that the machine is already in stays as its owner has set it up.
func (m *Member) membership(ctx context.Context) (me node, n network, err error) {
	body, err := m.service.ask(ctx, http.MethodGet, "/status", "")
	if err != nil {
		return node{}, network{}, missing(err)
	}
	if me, err = parseNode(body); err != nil {
		return node{}, network{}, err
	}
	body, err = m.service.ask(ctx, http.MethodGet, "/network/"+m.id, "")
	if err == errNotMember {
		m.log.Info("join a ZeroTier network", "network", m.id)
		body, err = m.service.ask(ctx, http.MethodPost, "/network/"+m.id, ours)
	}
	if err != nil {
		return node{}, network{}, missing(err)
	}
	n, err = parseNetwork(body, m.id)
	return me, n, err
}

// missing is a 404 to what every ZeroTier has.
func missing(err error) error {
	if err == errNotMember {
		return fmt.Errorf("%w: status 404", errNonsense)
	}
	return err
}

// Login returns overlay.ErrNotHere: who wants a login shows its link by itself, and there are no keys.
func (m *Member) Login(context.Context, string) error { return overlay.ErrNotHere }

// Leave takes this machine out of the network, also when it was in it before layerd asked. It waits for the service as long as ctx lets it.
// Run goes on, and does not join again; another Member does.
func (m *Member) Leave(ctx context.Context) error {
	if !m.begin(ctx) {
		return ctx.Err()
	}
	defer m.end()
	if _, err := m.service.ask(ctx, http.MethodDelete, "/network/"+m.id, ""); err != nil && err != errNotMember {
		return fmt.Errorf("leave ZeroTier network %s: %w: %w", m.id, overlay.ErrDeaf, err)
	}
	m.left = true
	select {
	case m.poke <- struct{}{}:
	default:
	}
	return nil
}

// Neighbours returns overlay.ErrNotHere: members do not say what they are.
func (m *Member) Neighbours(context.Context) ([]overlay.Neighbour, error) {
	return nil, overlay.ErrNotHere
}

// NeighbourPicture returns overlay.ErrNotHere.
func (m *Member) NeighbourPicture(context.Context, string) ([]byte, error) {
	return nil, overlay.ErrNotHere
}

// begin takes the right to ask the service; end gives it back. It is false when ctx ended first.
func (m *Member) begin(ctx context.Context) bool {
	select {
	case m.asking <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (m *Member) end() { <-m.asking }
