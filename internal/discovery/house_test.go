package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// house is a network in memory: what goes to a group comes to every socket of that group, the sender's own among them, as a kernel does it.
type house struct {
	mu    sync.Mutex // guards what follows
	plugs []*plug
	sent  []sent
}

// sent is a packet that went over the network.
type sent struct {
	at time.Time
	packet
}

// machine is one in the house.
type machine struct {
	*house
	mu   sync.Mutex // guards lans and refuse
	lans []lan
	no   error // what Open says
}

type plug struct {
	house *house
	group group
	addr  netip.Addr
	in    chan packet
	gone  chan struct{}
}

func (m *machine) Links() ([]lan, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lans), nil
}

func (m *machine) has(no error, lans ...lan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lans, m.no = lans, no
}

func (m *machine) Open(l lan, g group) (conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.no != nil {
		return nil, m.no
	}
	p := &plug{m.house, g, l.addrs[0].Addr(), make(chan packet, 1000), make(chan struct{})}
	m.house.mu.Lock()
	defer m.house.mu.Unlock()
	m.house.plugs = append(m.house.plugs, p)
	return p, nil
}

func (p *plug) Read(b []byte) (int, netip.AddrPort, error) {
	select {
	case got := <-p.in:
		return copy(b, got.data), got.peer, nil
	case <-p.gone:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (p *plug) Write(b []byte, to netip.AddrPort) error {
	p.house.mu.Lock()
	p.house.sent = append(p.house.sent, sent{time.Now(), packet{place{p.addr.String(), p.group}, to, slices.Clone(b)}})
	p.house.mu.Unlock()
	if to == p.group.addr() {
		p.house.say(p.group, netip.AddrPortFrom(p.addr, p.group.addr().Port()), b)
	}
	return nil
}

func (p *plug) Close() error {
	p.house.mu.Lock()
	defer p.house.mu.Unlock()
	p.house.plugs = slices.DeleteFunc(p.house.plugs, func(o *plug) bool { return o == p })
	close(p.gone)
	return nil
}

// say has everybody hear a packet; what does not fit is lost.
func (h *house) say(g group, from netip.AddrPort, b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.plugs {
		if p.group == g {
			select {
			case p.in <- packet{peer: from, data: slices.Clone(b)}:
			default:
			}
		}
	}
}

// heard takes what was sent since the last time, once everybody has had so long.
func (h *house) heard(span time.Duration) []sent {
	time.Sleep(span) // of the bubble's time
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.sent
	h.sent = nil
	return all
}

// lanAt is a LAN by an address such as "192.168.1.5/24".
func lanAt(address string) lan {
	return lan{name: "eth0", index: 2, addrs: []netip.Prefix{netip.MustParsePrefix(address)}}
}

func testConfig(id string) Config {
	return Config{Host: "pi", Listen: netip.MustParseAddrPort("[::]:8080"), UUID: "0f8e-" + id, Version: "1.11.8"}
}

// moveIn runs a layerd on a LAN of the house until it is told to stop.
func (h *house) moveIn(t *testing.T, cfg Config, address string) (m *machine, stop func()) {
	t.Helper()
	m = &machine{house: h, lans: []lan{lanAt(address)}}
	r := New(cfg)
	r.network = m
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	return m, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// shown is what a packet says, for people: "probe layerd on pi._octoprint._tcp.local …", "tells PTR TXT SRV …", "NOTIFY upnp:rootdevice ssdp:alive".
func shown(t *testing.T, s sent) string {
	t.Helper()
	if s.group == ssdp {
		head := headers(s.data)
		return strings.TrimSpace(fmt.Sprintf("%s %s%s %s", strings.Fields(string(s.data))[0], head["NT"], head["ST"], head["NTS"]))
	}
	m, err := parse(s.data)
	if err != nil {
		t.Fatal(err)
	}
	if m.flags&isResponse == 0 {
		return fmt.Sprintf("probe %s with %s", text(m.questions[0].name), kinds(m.authority))
	}
	what := "tells "
	if slices.ContainsFunc(m.answers, func(r record) bool { return r.ttl == 0 }) {
		what = "takes back "
	}
	return what + kinds(m.answers) + " of " + text(m.answers[len(m.answers)-1].name)
}

func headers(data []byte) map[string]string {
	head := map[string]string{}
	for line := range strings.SplitSeq(string(data), "\r\n") {
		if key, value, ok := strings.Cut(line, ": "); ok {
			head[key] = value
		}
	}
	return head
}

func kinds(all []record) string {
	var names []string
	for _, r := range all {
		names = append(names, map[uint16]string{typeA: "A", typePTR: "PTR", typeTXT: "TXT", typeSRV: "SRV", typeNSEC: "NSEC"}[r.kind])
	}
	return strings.Join(names, " ")
}

func text(n name) string {
	var labels []string
	for ; len(n) > 1; n = n.rest() {
		labels = append(labels, string(n[1:1+int(n[0])]))
	}
	return strings.Join(labels, ".")
}

var errNoBuffers = errors.New("no buffer space available")
