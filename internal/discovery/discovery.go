// Package discovery lets programs on the same network find layerd as they find OctoPrint: by multicast DNS (Home Assistant, Cura, PrusaSlicer,
// phones) and by SSDP.
//
//	lan.go: which interfaces are LANs ─▶ socket.go: two sockets on each ─▶ Run ─▶ station ─▶ link: mdns.go, ssdp.go
//
// Run only carries packets; station and link are plain values that are told the time and what came, and say what goes out and when they want to be
// asked again. dns.go reads and writes DNS messages, records.go says which records are ours.
//
// Packets may come from anybody on the network. They are bounded and read at a bounded pace; what is answered goes to the group of the link,
// or, at a bounded pace, to a sender whose address is on the link. Nothing goes anywhere else.
package discovery

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Config is what others are told. It is not changed after New.
type Config struct {
	Host    string         // name of this machine; what cannot stand in a name of DNS is replaced
	Listen  netip.AddrPort // where the page is served; an unspecified address means on all of them
	TLS     bool           // by HTTPS
	UUID    string         // of this installation, for ever the same: clients know it again by that
	Version string         // of the OctoPrint whose API is spoken
	Log     *slog.Logger   // nil = nothing is logged
}

const (
	lookEvery = 5 * time.Second // at which interfaces there are
	maxPacket = 9000            // bytes; RFC 6762, 17
	pace      = 100             // packets a second that are read of one socket, and twice as many at once; the kernel throws away what is more
)

// Responder answers on every LAN that this machine is on. Use New.
type Responder struct {
	cfg     Config
	network network
	station station
	open    map[place]conn
	failed  map[place]bool // and it has been logged
	packets chan packet
	readers sync.WaitGroup
}

// network is how LANs are reached: the kernel's, or one in a test.
type network interface {
	// Links lists the LANs that there are now.
	Links() ([]lan, error)
	// Open opens a socket for what is sent to a group on a LAN.
	Open(l lan, g group) (conn, error)
}

// conn is one socket. Close ends a Read.
type conn interface {
	Read(b []byte) (n int, from netip.AddrPort, err error)
	Write(b []byte, to netip.AddrPort) error
	Close() error
}

// group is a protocol, by where its packets go.
type group int

const (
	mdns group = iota
	ssdp
)

func (g group) addr() netip.AddrPort {
	if g == mdns {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), 5353)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 1900)
}

// place is a socket's: a group on a LAN.
type place struct {
	lan   string // lan.key
	group group
}

// packet is one that came, or one that goes. Peer is who sent it, or who shall get it.
type packet struct {
	place
	peer netip.AddrPort
	data []byte
}

// New makes a Responder that does nothing before Run.
func New(cfg Config) *Responder {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Responder{cfg: cfg, network: kernel{}, station: newStation(cfg), open: map[place]conn{}, failed: map[place]bool{}, packets: make(chan packet)}
}

// Run announces layerd until ctx ends, and then says goodbye. It never fails: what goes wrong on a network is logged, and tried again. It blocks.
func (r *Responder) Run(ctx context.Context) error {
	if r.cfg.Listen.Addr().IsLoopback() {
		<-ctx.Done() // nobody else could come
		return nil
	}
	until, stop := context.WithCancel(ctx)
	look, wake := time.NewTicker(lookEvery), time.NewTimer(0)
	defer look.Stop()
	defer wake.Stop()
	r.follow(until)
	for {
		r.send(r.station.due(time.Now()))
		wake.Reset(time.Until(r.station.next()))
		select {
		case <-ctx.Done():
			r.send(r.station.goodbye())
			stop()
			for at := range r.open {
				r.close(at)
			}
			r.readers.Wait()
			return nil
		case <-look.C:
			r.follow(until)
		case p := <-r.packets:
			r.station.hear(time.Now(), p)
		case <-wake.C:
		}
	}
}

// follow opens sockets on the LANs that have come, and closes those of LANs that have gone.
func (r *Responder) follow(ctx context.Context) {
	lans, err := r.network.Links()
	if err != nil {
		r.cfg.Log.Debug("which networks there are could not be read", "err", err)
		return
	}
	now := time.Now()
	there := map[place]bool{}
	for _, l := range serving(lans, r.cfg.Listen.Addr()) {
		for _, g := range []group{mdns, ssdp} {
			at := place{l.key(), g}
			there[at] = true
			if r.open[at] != nil {
				continue
			}
			c, err := r.network.Open(l, g)
			if err != nil {
				if !r.failed[at] {
					r.cfg.Log.Warn("layerd is not announced on a network", "interface", l.name, "to", g.addr().String(), "err", err)
				}
				r.failed[at] = true
				continue
			}
			delete(r.failed, at)
			r.open[at] = c
			r.readers.Go(func() { r.read(ctx, c, at) })
			r.station.join(now, l, g)
			r.cfg.Log.Debug("layerd is announced on a network", "interface", l.name, "to", g.addr().String())
		}
	}
	for at := range r.open {
		if !there[at] {
			r.close(at)
		}
	}
	for at := range r.failed {
		if !there[at] {
			delete(r.failed, at)
		}
	}
}

func (r *Responder) close(at place) {
	r.open[at].Close()
	delete(r.open, at)
	r.station.leave(at)
}

// read passes packets on until the socket is closed. A flood costs no more than pace: while this waits, the kernel throws packets away.
func (r *Responder) read(ctx context.Context, c conn, at place) {
	buf := make([]byte, maxPacket)
	var budget bucket
	for {
		n, from, err := c.Read(buf)
		if err != nil {
			return
		}
		for !budget.take(time.Now(), pace, 2*pace) {
			if !wait(ctx, time.Second/pace) {
				return
			}
		}
		select {
		case r.packets <- packet{at, from, append([]byte(nil), buf[:n]...)}:
		case <-ctx.Done():
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *Responder) send(packets []packet) {
	for _, p := range packets {
		if c := r.open[p.place]; c != nil {
			if err := c.Write(p.data, p.peer); err != nil {
				r.cfg.Log.Debug("a packet could not be sent", "to", p.peer.String(), "err", err)
			}
		}
	}
}

// bucket holds so many packets that may still go.
type bucket struct {
	spent float64
	at    time.Time
}

// take reports whether another packet may go, when so many may each second, and at most a burst at once.
func (b *bucket) take(now time.Time, each, burst float64) bool {
	b.spent = max(0, b.spent-each*now.Sub(b.at).Seconds())
	b.at = now
	if b.spent+1 > burst {
		return false
	}
	b.spent++
	return true
}

// Name is what people are shown: "layerd on HOST".
func (c Config) Name() string { return c.instance(1) }

// instance is the n-th name that is tried. It must fit into a label of DNS, 63 bytes, and a '.' in it would end the label for many programs.
func (c Config) instance(n int) string {
	name := "layerd on " + strings.ToValidUTF8(c.host("this machine"), "")
	return shorten(name, 63-len(numbered(n, " (", ")"))) + numbered(n, " (", ")")
}

// hostLabel is the n-th name of this machine that is tried. It is not the machine's own name, which is Avahi's or systemd-resolved's to announce:
// two that announce different addresses by one name make them look for another.
func (c Config) hostLabel(n int) string {
	host := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, c.host("this-machine"))
	return shorten("layerd-"+host, 63-len(numbered(n, "-", ""))) + numbered(n, "-", "")
}

// host is the first label of this machine's name, or what is said instead.
func (c Config) host(instead string) string {
	if host, _, _ := strings.Cut(c.Host, "."); host != "" {
		return host
	}
	return instead
}
