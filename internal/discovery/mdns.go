package discovery

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// link is this layerd on one LAN.
//
// By multicast DNS (RFC 6762): three probes ask whether anybody has our names; then they are ours, are announced three times, and given to who asks.
type link struct {
	lan
	cfg Config
	on  [2]bool // by group: there is a socket

	records []record
	step    int       // of steps that is next; all of them done = settled
	stepAt  time.Time // when
	answers map[int]time.Time
	told    map[int]time.Time // when each record was last told to all
	alone   bucket            // answers to one

	nextNotify time.Time // SSDP
	replies    []reply
}

// steps are the times from each probe and announcement to the one after.
var steps = [...]time.Duration{250 * time.Millisecond, 250 * time.Millisecond, 250 * time.Millisecond, time.Second, 2 * time.Second, 0}

const (
	probes      = 3
	again       = time.Second            // between two answers to all with one record
	defendAgain = 250 * time.Millisecond // the same, to who is about to take our name
	legacyTTL   = 10                     // seconds, to who does not follow what changes
	eachSecond  = 10                     // answers to one on this LAN
	burst       = 20
)

// begin asks for the n-th name.
func (l *link) begin(n int, now time.Time, delay time.Duration) {
	l.records, l.step = l.cfg.records(n, l.lan), 0
	l.stepAt = now.Add(delay + between(0, 250*time.Millisecond))
	l.answers, l.told = map[int]time.Time{}, map[int]time.Time{}
}

// probing reports whether the names are not ours yet.
func (l *link) probing() bool { return l.step <= probes }

// hearQuery takes what somebody asks.
func (l *link) hearQuery(now time.Time, from netip.AddrPort, m message) {
	if l.probing() {
		if l.step > 0 && l.outranked(m) {
			l.step, l.stepAt = 0, now.Add(time.Second)
		}
		return
	}
	defending := len(m.authority) > 0
	alone := !defending
	var wanted []int
	for _, q := range m.questions {
		for _, i := range l.answersTo(q) {
			if r := l.records[i]; !m.knows(r) && !slices.Contains(wanted, i) {
				wanted = append(wanted, i)
				alone = alone && q.alone && now.Sub(l.told[i]) < time.Duration(r.ttl)*time.Second/4
			}
		}
	}
	switch legacy := from.Port() != mdns.addr().Port(); {
	case len(wanted) == 0:
	case legacy || alone:
		l.answerOne(now, from, m, wanted, legacy)
	default:
		at := now
		if slices.ContainsFunc(wanted, func(i int) bool { return !l.records[i].unique }) && !defending {
			at = now.Add(between(20*time.Millisecond, 120*time.Millisecond)) // others may have something to say by the same name
		}
		for _, i := range wanted {
			l.tell(at, i, defending)
		}
	}
}

// answersTo are the records that answer a question: those that it asks for, else the one that says that there are none.
func (l *link) answersTo(q question) (found []int) {
	if q.class != classIN && q.class != classAny {
		return nil
	}
	none := -1
	for i, r := range l.records {
		switch {
		case q.key != r.key:
		case q.kind == r.kind || q.kind == typeAny && r.kind != typeNSEC:
			found = append(found, i)
		case r.kind == typeNSEC:
			none = i
		}
	}
	if len(found) == 0 && none >= 0 {
		return []int{none}
	}
	return found
}

// knows reports whether who asks has the record already, and not from long ago.
func (m message) knows(r record) bool {
	return slices.ContainsFunc(m.answers, func(k record) bool { return k.same(r) && k.ttl >= r.ttl/2 })
}

// tell has a record told to all at a time, or a little after that, if they were told it just before.
func (l *link) tell(at time.Time, i int, defending bool) {
	pause := again
	if defending {
		pause = defendAgain
	}
	if told, before := l.told[i]; before && told.Add(pause).After(at) {
		at = told.Add(pause)
	}
	if planned, is := l.answers[i]; !is || at.Before(planned) {
		l.answers[i] = at
	}
}

// answerOne answers who wants to be answered alone, or cannot hear otherwise because his port is another (a legacy querier: RFC 6762, 6.7).
// There are only so many of these answers, whoever asks: a sender's address can be forged.
func (l *link) answerOne(now time.Time, to netip.AddrPort, m message, wanted []int, legacy bool) {
	var given []record
	for _, i := range wanted {
		given = append(given, l.records[i])
	}
	if !l.alone.take(now, eachSecond, burst) {
		return
	}
	a := message{flags: isResponse | authoritative, answers: given, more: alongside(given, l.records)}
	if legacy {
		a.id = m.id
		for _, q := range m.questions[:min(len(m.questions), 4)] {
			q.alone = false
			a.questions = append(a.questions, q)
		}
		for _, section := range [][]record{a.answers, a.more} {
			for i := range section {
				section[i].unique, section[i].ttl = false, min(section[i].ttl, legacyTTL)
			}
		}
	}
	l.replies = append(l.replies, reply{now, mdns, to, a.bytes()})
}

// contested reports whether nobody else may have other records of this name and kind.
func (r record) contested() bool { return r.unique && r.kind != typeNSEC }

// outranked reports whether somebody else asks for our names at the same moment, and is to have them: RFC 6762, 8.2. One name decides, the first
// of ours that he asks for, so that two layerds do not each win one.
func (l *link) outranked(m message) bool {
	for _, r := range l.records {
		if !r.contested() {
			continue
		}
		by := func(all []record) (texts []string) {
			for _, a := range all {
				if a.key == r.key && a.kind != typeNSEC {
					texts = append(texts, string([]byte{byte(a.class >> 8), byte(a.class), byte(a.kind >> 8), byte(a.kind)})+a.data)
				}
			}
			slices.Sort(texts)
			return texts
		}
		if theirs := by(m.authority); len(theirs) > 0 {
			return slices.CompareFunc(by(l.records), theirs, cmp.Compare[string]) < 0
		}
	}
	return false
}

// hearResponse takes what somebody tells, and reports whether he has a name that we have, or want to have.
func (l *link) hearResponse(now time.Time, m message, isOwn func(netip.Addr) bool) (conflict bool) {
	if l.step == 0 {
		return false // we have not asked
	}
	for _, theirs := range slices.Concat(m.answers, m.more) {
		same, contested := false, false
		for i, r := range l.records {
			if r.same(theirs) {
				same = true
				if theirs.ttl < r.ttl/2 && !l.probing() {
					l.tell(now, i, false) // others should not forget it
				}
			}
			contested = contested || r.contested() && r.kind == theirs.kind && r.class == theirs.class && r.key == theirs.key
		}
		a, isA := netip.AddrFromSlice([]byte(theirs.data))
		if contested && !same && theirs.ttl > 0 && !(theirs.kind == typeA && isA && isOwn(a)) {
			return true
		}
	}
	return false
}

// dueDNS are the packets of multicast DNS whose time has come.
func (l *link) dueDNS(now time.Time) (out []packet) {
	if !l.on[mdns] {
		return nil
	}
	if l.step < len(steps) && !now.Before(l.stepAt) {
		if l.step < probes {
			out = append(out, l.toAll(l.probe()))
		} else {
			for i := range l.records {
				l.answers[i] = now
			}
		}
		l.stepAt = now.Add(steps[l.step])
		l.step++
	}
	var given []record
	for i, r := range l.records { // in their order
		if at, is := l.answers[i]; is && !now.Before(at) {
			given = append(given, r)
			delete(l.answers, i)
			l.told[i] = now
		}
	}
	if len(given) > 0 {
		out = append(out, l.toAll(message{flags: isResponse | authoritative, answers: given, more: alongside(given, l.records)}))
	}
	return append(out, l.dueReplies(now, mdns)...)
}

// probe asks whether anybody has our names. The answers are for all to hear: what is sent to us alone might come to Avahi, on the same port.
func (l *link) probe() (m message) {
	for _, r := range l.records {
		if !r.contested() {
			continue
		}
		if q := (question{name: r.name, key: r.key, kind: typeAny, class: classIN}); !slices.Contains(m.questions, q) {
			m.questions = append(m.questions, q)
		}
		r.unique = false // the bit means something else here
		m.authority = append(m.authority, r)
	}
	return m
}

// goodbyeDNS takes back what was told, but that there are services of our kinds: there may be others.
func (l *link) goodbyeDNS() []packet {
	if !l.on[mdns] || l.step <= probes {
		return nil
	}
	var gone []record
	for _, r := range l.records {
		if r.name != l.records[0].name {
			r.ttl = 0
			gone = append(gone, r)
		}
	}
	return []packet{l.toAll(message{flags: isResponse | authoritative, answers: gone})}
}

func (l *link) toAll(m message) packet {
	return packet{place{l.key(), mdns}, mdns.addr(), m.bytes()}
}

// times are those at which something is due.
func (l *link) times() (all []time.Time) {
	if l.on[mdns] && l.step < len(steps) {
		all = append(all, l.stepAt)
	}
	if l.on[ssdp] {
		all = append(all, l.nextNotify)
	}
	for _, at := range l.answers {
		all = append(all, at)
	}
	for _, r := range l.replies {
		all = append(all, r.at)
	}
	return all
}
