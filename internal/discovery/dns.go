package discovery

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Messages of DNS, as far as multicast DNS needs them. golang.org/x/net/dns/dnsmessage will not do: it refuses a message in which any name has a '.'
// in a label, as "HP LaserJet 2.1" has, and one such printer in a house would make us deaf to what is asked together with it.

// name is a name as it stands in a message, without compression: labels, each after its length, and a 0.
type name string

// named makes a name of labels, each of at most 63 bytes.
func named(labels ...string) name {
	var b strings.Builder
	for _, l := range labels {
		b.WriteByte(byte(len(l)))
		b.WriteString(l)
	}
	return name(b.String() + "\x00")
}

// key is the same for names that differ in capitals only. Lengths of labels are below 'A', so they stay.
func (n name) key() name {
	b := []byte(n)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return name(b)
}

// rest is the name without its first label; that of the root is "".
func (n name) rest() name { return n[1+int(n[0]):] }

const (
	typeA    = 1
	typePTR  = 12
	typeTXT  = 16
	typeSRV  = 33
	typeNSEC = 47
	typeAny  = 255

	classIN  = 1
	classAny = 255
	topBit   = 0x8000 // of a class: answer me alone, or: forget what else you have by this name and type

	isResponse    = 0x8000
	authoritative = 0x0400
	otherThanUs   = 0x780f // opcode and response code, which are 0 in multicast DNS
)

type question struct {
	name, key   name
	kind, class uint16
	alone       bool // answer me alone
}

type record struct {
	name, key   name
	kind, class uint16
	unique      bool   // ours alone, not one of several by this name and type
	ttl         uint32 // seconds
	data        string // names in it are not compressed
}

// same reports whether two records say the same.
func (r record) same(o record) bool {
	return r.kind == o.kind && r.class == o.class && r.data == o.data && r.key == o.key
}

type message struct {
	id        uint16
	flags     uint16
	questions []question
	answers   []record
	authority []record
	more      []record
}

const (
	maxEntries = 256 // in a message, of which the rest is not read
	maxHops    = 128 // from one part of a name to the next
)

var (
	errShort = errors.New("message ends too soon")
	errLong  = errors.New("message has too many entries")
)

// parse reads a message. Where it cannot be read any further, what stands before that is returned beside the error.
func parse(b []byte) (m message, err error) {
	if len(b) < 12 {
		return m, errShort
	}
	word := func(i int) uint16 { return binary.BigEndian.Uint16(b[i:]) }
	m.id, m.flags = word(0), word(2)
	at := 12
	for n := range word(4) {
		if n == maxEntries {
			return m, errLong
		}
		var q question
		if q.name, at, err = readName(b, at); err != nil {
			return m, err
		}
		if at+4 > len(b) {
			return m, errShort
		}
		q.key = q.name.key()
		q.kind, q.class, q.alone = word(at), word(at+2)&^topBit, word(at+2)&topBit != 0
		at += 4
		m.questions = append(m.questions, q)
	}
	for i, into := range []*[]record{&m.answers, &m.authority, &m.more} {
		for range word(6 + 2*i) {
			if len(m.questions)+len(m.answers)+len(m.authority)+len(m.more) >= maxEntries {
				return m, errLong
			}
			var r record
			if r, at, err = readRecord(b, at); err != nil {
				return m, err
			}
			*into = append(*into, r)
		}
	}
	return m, nil
}

func readRecord(b []byte, at int) (r record, next int, err error) {
	if r.name, at, err = readName(b, at); err != nil {
		return r, at, err
	}
	if at+10 > len(b) {
		return r, at, errShort
	}
	r.key = r.name.key()
	r.kind, r.class = binary.BigEndian.Uint16(b[at:]), binary.BigEndian.Uint16(b[at+2:])
	r.class, r.unique = r.class&^topBit, r.class&topBit != 0
	r.ttl = binary.BigEndian.Uint32(b[at+4:])
	next = at + 10 + int(binary.BigEndian.Uint16(b[at+8:]))
	at += 10
	if next > len(b) {
		return r, at, errShort
	}
	head := map[uint16]int{typePTR: 0, typeNSEC: 0, typeSRV: 6}
	before, hasName := head[r.kind]
	if !hasName {
		r.data = string(b[at:next])
		return r, next, nil
	}
	if at+before > next {
		return r, at, errShort
	}
	n, end, err := readName(b[:next], at+before)
	switch {
	case err != nil:
		return r, at, err
	case end != next && r.kind != typeNSEC:
		return r, at, errors.New("something stands behind a name")
	}
	r.data = string(b[at:at+before]) + string(n) + string(b[end:next])
	return r, next, nil
}

// readName reads the name at a place, which may go on somewhere before. It always comes to an end, since it only ever goes back, and soon: a name
// has less than maxHops labels.
func readName(b []byte, at int) (n name, next int, err error) {
	var out []byte
	for limit, hops := at, 0; ; {
		if at >= len(b) {
			return "", at, errShort
		}
		length := int(b[at])
		switch {
		case length >= 0xc0:
			if at+2 > len(b) {
				return "", at, errShort
			}
			if next == 0 {
				next = at + 2
			}
			at = length&0x3f<<8 | int(b[at+1])
			if hops++; at >= limit || hops == maxHops {
				return "", at, errors.New("name goes on ahead of itself, or too often")
			}
			limit = at
			continue
		case length > 63:
			return "", at, errors.New("label of an unknown kind")
		case at+1+length > len(b):
			return "", at, errShort
		case len(out)+1+length > 255:
			return "", at, errors.New("name is too long")
		}
		out = append(out, b[at:at+1+length]...)
		at += 1 + length
		if length == 0 {
			break
		}
	}
	if next == 0 {
		next = at
	}
	return name(out), next, nil
}

// bytes writes the message. Names are compressed where every reader understands it: as owners, and in pointers.
func (m message) bytes() []byte {
	b := make([]byte, 12, 512)
	for i, v := range []int{int(m.id), int(m.flags), len(m.questions), len(m.answers), len(m.authority), len(m.more)} {
		binary.BigEndian.PutUint16(b[2*i:], uint16(v))
	}
	seen := map[name]int{}
	for _, q := range m.questions {
		b = appendName(b, q.name, seen)
		b = binary.BigEndian.AppendUint16(b, q.kind)
		b = binary.BigEndian.AppendUint16(b, withBit(q.class, q.alone))
	}
	for _, section := range [][]record{m.answers, m.authority, m.more} {
		for _, r := range section {
			b = appendName(b, r.name, seen)
			b = binary.BigEndian.AppendUint16(b, r.kind)
			b = binary.BigEndian.AppendUint16(b, withBit(r.class, r.unique))
			b = binary.BigEndian.AppendUint32(b, r.ttl)
			b = append(b, 0, 0)
			data := len(b)
			if r.kind == typePTR {
				b = appendName(b, name(r.data), seen)
			} else {
				b = append(b, r.data...)
			}
			binary.BigEndian.PutUint16(b[data-2:], uint16(len(b)-data))
		}
	}
	return b
}

func withBit(class uint16, set bool) uint16 {
	if set {
		class |= topBit
	}
	return class
}

func appendName(b []byte, n name, seen map[name]int) []byte {
	for ; len(n) > 1; n = n.rest() {
		if at, ok := seen[n]; ok {
			return binary.BigEndian.AppendUint16(b, 0xc000|uint16(at))
		}
		if len(b) < 0x4000 {
			seen[n] = len(b)
		}
		b = append(b, n[:1+int(n[0])]...)
	}
	return append(b, 0)
}
