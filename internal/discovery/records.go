package discovery

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What we tell by DNS: for each kind of service a pointer to our instance of it, its port and its text, and the addresses of this machine.

const (
	longTTL  = 4500 // seconds, of what stays true when this machine has another address: RFC 6762, 10
	shortTTL = 120
)

// services are the kinds that we are one of.
func (c Config) services() [][]string {
	web := "_http"
	if c.TLS {
		web = "_https"
	}
	return [][]string{{"_octoprint", "_tcp", "local"}, {web, "_tcp", "local"}}
}

// txt is what OctoPrint says of itself. Home Assistant does nothing without uuid and path, Cura and PrusaSlicer show the version.
func (c Config) txt() string {
	var b strings.Builder
	for _, entry := range []string{"path=/", "version=" + c.Version, "uuid=" + c.UUID, "model=layerd", "vendor=layerd"} {
		entry = shorten(entry, 255)
		b.WriteByte(byte(len(entry)))
		b.WriteString(entry)
	}
	return b.String()
}

// records are all of ours on one LAN, by the n-th name. Those of the first service's instance come first of the unique ones: contested looks at them.
func (c Config) records(n int, l lan) []record {
	host := named(c.hostLabel(n), "local")
	port := string(binary.BigEndian.AppendUint16(make([]byte, 4), c.Listen.Port())) // behind priority and weight
	var all []record
	add := func(of name, kind uint16, unique bool, ttl uint32, data string) {
		all = append(all, record{of, of.key(), kind, classIN, unique, ttl, data})
	}
	for _, s := range c.services() {
		kind, instance := named(s...), named(append([]string{c.instance(n)}, s...)...)
		add(named("_services", "_dns-sd", "_udp", "local"), typePTR, false, longTTL, string(kind))
		add(kind, typePTR, false, longTTL, string(instance))
		add(instance, typeTXT, true, longTTL, c.txt())
		add(instance, typeSRV, true, shortTTL, port+string(host))
		add(instance, typeNSEC, true, shortTTL, nothingBut(instance, typeTXT, typeSRV))
	}
	for _, p := range l.addrs {
		add(host, typeA, true, shortTTL, string(p.Addr().AsSlice()))
	}
	add(host, typeNSEC, true, shortTTL, nothingBut(host, typeA))
	return all
}

// nothingBut says that a name of ours has no records of other kinds (RFC 6762, 6.1). Who asks for an IPv6 address need not wait for one then.
func nothingBut(of name, kinds ...int) string {
	bits := make([]byte, slices.Max(kinds)/8+1) // the first kind in the highest bit
	for _, k := range kinds {
		bits[k/8] |= 0x80 >> (k % 8)
	}
	return string(of) + string(append([]byte{0, byte(len(bits))}, bits...))
}

// alongside are the records that whoever gets some of ours wants to have next, so that he need not ask. PrusaSlicer does not ask.
func alongside(given, all []record) (more []record) {
	wanted := func(r record, of name) bool {
		return r.name == of && r.unique && !slices.Contains(given, r) && !slices.Contains(more, r)
	}
	add := func(of name) {
		for _, r := range all {
			if wanted(r, of) {
				more = append(more, r)
			}
		}
	}
	for _, r := range given {
		if r.kind == typePTR {
			add(name(r.data))
		}
	}
	for _, r := range append(slices.Clone(given), more...) {
		if r.kind == typeSRV {
			add(name(r.data[6:]))
		}
	}
	return more
}

// numbered is what stands around the number of a name, and nothing with the first.
func numbered(n int, before, after string) string {
	if n == 1 {
		return ""
	}
	return before + strconv.Itoa(n) + after
}

// shorten cuts text to so many bytes at most, and no letter in two.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
