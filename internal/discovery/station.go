package discovery

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// station is this layerd on all its LANs. They share one name: when somebody on one of them has it, we take the next everywhere.
type station struct {
	cfg       Config
	number    int // of the name
	links     map[string]*link
	conflicts int // over names, in a row
	contested time.Time
}

const (
	patience  = 10 // conflicts in a row before we are slow: somebody may have every name
	slowly    = time.Minute
	calm      = 10 * time.Minute // without a conflict ends the row
	maxNumber = 99
)

func newStation(cfg Config) station {
	return station{cfg: cfg, number: 1, links: map[string]*link{}}
}

// join begins with a group on a LAN.
func (s *station) join(now time.Time, l lan, g group) {
	on := s.links[l.key()]
	if on == nil {
		on = &link{lan: l, cfg: s.cfg}
		s.links[l.key()] = on
	}
	on.on[g] = true
	if g == mdns {
		on.begin(s.number, now, 0)
	} else {
		on.nextNotify = now
	}
}

// leave ends with it, without a word: there is no way any more.
func (s *station) leave(at place) {
	if on := s.links[at.lan]; on != nil {
		on.on[at.group] = false
		if !on.on[mdns] && !on.on[ssdp] {
			delete(s.links, at.lan)
		}
	}
}

// hear takes what came. Who is not on the LAN is not listened to.
func (s *station) hear(now time.Time, p packet) {
	on := s.links[p.lan]
	if on == nil || !on.has(p.peer.Addr()) || p.peer.Port() == 0 {
		return
	}
	if p.group == ssdp {
		on.hearSearch(now, p.peer, p.data)
		return
	}
	m, _ := parse(p.data) // what could be read of it counts
	switch {
	case m.flags&otherThanUs != 0:
	case m.flags&isResponse == 0:
		on.hearQuery(now, p.peer, m)
	case p.peer.Port() == mdns.addr().Port() && on.hearResponse(now, m, s.isOwn):
		s.conflict(now, on)
	}
}

// isOwn reports an address of this machine: on two LANs that are one it hears itself.
func (s *station) isOwn(a netip.Addr) bool {
	for _, on := range s.links {
		if slices.ContainsFunc(on.addrs, func(p netip.Prefix) bool { return p.Addr() == a }) {
			return true
		}
	}
	return false
}

// conflict: somebody else has our name. Before it was ours we take the next; when it was, we ask whether he means it.
func (s *station) conflict(now time.Time, on *link) {
	if now.Sub(s.contested) > calm {
		s.conflicts = 0
	}
	s.conflicts++
	s.contested = now
	if on.probing() {
		s.number = s.number%maxNumber + 1
		s.cfg.Log.Info("another program on the network has this name", "next", s.cfg.instance(s.number))
	}
	var delay time.Duration
	if s.conflicts > patience {
		delay = slowly
	}
	for _, on := range s.links {
		if on.on[mdns] {
			on.begin(s.number, now, delay)
		}
	}
}

// due are the packets whose time has come.
func (s *station) due(now time.Time) (out []packet) {
	for _, on := range s.links {
		out = append(out, on.dueDNS(now)...)
		out = append(out, on.dueSSDP(now)...)
	}
	return out
}

// next is when due shall be asked again, if nothing comes before.
func (s *station) next() time.Time {
	next := time.Now().Add(time.Hour)
	for _, on := range s.links {
		for _, t := range on.times() {
			if t.Before(next) {
				next = t
			}
		}
	}
	return next
}

// goodbye are the last packets.
func (s *station) goodbye() (out []packet) {
	for _, on := range s.links {
		out = append(out, on.goodbyeDNS()...)
		out = append(out, on.goodbyeSSDP()...)
	}
	return out
}

// between is a random time, so that not everybody speaks at once.
func between(least, most time.Duration) time.Duration {
	return least + rand.N(most-least+1)
}
