package discovery

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// settled is a layerd on one LAN that has told everything, and the time at which it has.
func settled(cfg Config) (*station, lan, time.Time) {
	s, l, now := newStation(cfg), lanAt("192.168.1.5/24"), time.Unix(1e9, 0)
	s.join(now, l, mdns)
	s.join(now, l, ssdp)
	for range 100 {
		now = now.Add(100 * time.Millisecond)
		s.due(now)
	}
	return &s, l, now
}

// answers are the packets in the three seconds after one came, without those that would have come anyway.
func answers(s *station, l lan, now time.Time, g group, from string, data []byte) (all []packet) {
	s.hear(now, packet{place{l.key(), g}, netip.MustParseAddrPort(from), data})
	for i := range 31 {
		for _, p := range s.due(now.Add(time.Duration(i) * 100 * time.Millisecond)) {
			if g == mdns && p.group == mdns || p.peer != p.group.addr() {
				all = append(all, p)
			}
		}
	}
	return all
}

func TestAnswers(t *testing.T) {
	const group, client = "224.0.0.251:5353", "192.168.1.9:5353"
	ask := func(kind uint16, labels ...string) question {
		return question{name: named(labels...), kind: kind, class: classIN}
	}
	alone := func(q question) question { q.alone = true; return q }
	octoprint := ask(typePTR, "_octoprint", "_tcp", "local")
	instance := []string{"layerd on pi", "_octoprint", "_tcp", "local"}
	told := testConfig("1").records(1, lanAt("192.168.1.5/24"))
	pointer, old := told[1], told[1]
	old.ttl = longTTL/2 - 1
	for _, c := range []struct {
		name string
		from string
		m    message
		want string // "to whom: answers, and more"; "" for none
	}{
		{"our kind", client, message{questions: []question{octoprint}}, group + ": PTR, TXT SRV NSEC A NSEC"},
		{"in capitals", client, message{questions: []question{ask(typePTR, "_OCTOPRINT", "_TCP", "Local")}}, group + ": PTR, TXT SRV NSEC A NSEC"},
		{"the web", client, message{questions: []question{ask(typePTR, "_http", "_tcp", "local")}}, group + ": PTR, TXT SRV NSEC A NSEC"},
		{"both", client, message{questions: []question{octoprint, ask(typePTR, "_http", "_tcp", "local")}}, group + ": PTR PTR, TXT SRV NSEC TXT SRV NSEC A NSEC"},
		{"all kinds", client, message{questions: []question{ask(typePTR, "_services", "_dns-sd", "_udp", "local")}}, group + ": PTR PTR, "},
		{"the port", client, message{questions: []question{ask(typeSRV, instance...)}}, group + ": SRV, A NSEC"},
		{"anything by a name", client, message{questions: []question{ask(typeAny, instance...)}}, group + ": TXT SRV, A NSEC"},
		{"the address", client, message{questions: []question{ask(typeA, "layerd-pi", "local")}}, group + ": A, "},
		{"an address that we have not", client, message{questions: []question{ask(28, "layerd-pi", "local")}}, group + ": NSEC, "},
		{"of any class", client, message{questions: []question{{name: named("layerd-pi", "local"), kind: typeA, class: classAny}}}, group + ": A, "},
		{"of another class", client, message{questions: []question{{name: named("layerd-pi", "local"), kind: typeA, class: 3}}}, ""},
		{"another kind", client, message{questions: []question{ask(typePTR, "_ipp", "_tcp", "local")}}, ""},
		{"a machine of our name elsewhere", client, message{questions: []question{ask(typeA, "layerd-pi", "lan")}}, ""},
		{"the root", client, message{questions: []question{ask(typeAny)}}, ""},
		{"what is known", client, message{questions: []question{octoprint}, answers: []record{pointer}}, ""},
		{"what was known long ago", client, message{questions: []question{octoprint}, answers: []record{old}}, group + ": PTR, TXT SRV NSEC A NSEC"},
		{"alone, soon after all were told", client, message{questions: []question{alone(octoprint)}}, client + ": PTR, TXT SRV NSEC A NSEC"},
		{"alone and not alone", client, message{questions: []question{alone(octoprint), ask(typeA, "layerd-pi", "local")}}, group + ": PTR A, TXT SRV NSEC NSEC"},
		{"by an old program", "192.168.1.9:4000", message{questions: []question{octoprint}}, "192.168.1.9:4000: PTR, TXT SRV NSEC A NSEC"},
		{"beside a name with a '.' in a label", client, message{questions: []question{ask(typeAny, "HP LaserJet 2.1", "_ipp", "_tcp", "local"), octoprint}}, group + ": PTR, TXT SRV NSEC A NSEC"},
		{"who wants our name", client, message{questions: []question{alone(ask(typeAny, "layerd-pi", "local"))}, authority: []record{{name: named("layerd-pi", "local"), key: named("layerd-pi", "local"), kind: typeA, class: classIN, data: "\xc0\xa8\x01\x09"}}}, group + ": A, "},
		{"another opcode", client, message{flags: 0x2800, questions: []question{octoprint}}, ""},
		{"from beyond the LAN", "192.168.2.9:5353", message{questions: []question{octoprint}}, ""},
		{"from the world", "8.8.8.8:4000", message{questions: []question{octoprint}}, ""},
		{"from no port", "192.168.1.9:0", message{questions: []question{octoprint}}, ""},
		{"nothing", client, message{}, ""},
	} {
		s, l, now := settled(testConfig("1"))
		c.m.id = 77
		var got []string
		for _, p := range answers(s, l, now, mdns, c.from, c.m.bytes()) {
			m, err := parse(p.data)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.peer.String()+": "+kinds(m.answers)+", "+kinds(m.more))
			legacy := p.peer.Port() == 4000
			if legacy != (m.id == 77) || legacy != (len(m.questions) == 1) || m.flags != isResponse|authoritative {
				t.Errorf("%s: got ID %d, %d questions, flags %x", c.name, m.id, len(m.questions), m.flags)
			}
			for _, r := range append(m.answers, m.more...) {
				if legacy && (r.ttl > legacyTTL || r.unique) || !legacy && r.unique != (r.kind != typePTR) {
					t.Errorf("%s: got %+v", c.name, r)
				}
			}
			if len(p.data) > 1400 {
				t.Errorf("%s: %d bytes", c.name, len(p.data))
			}
		}
		if joined := strings.Join(got, " "); joined != c.want {
			t.Errorf("%s: got %q, want %q", c.name, joined, c.want)
		}
	}
}

// TestNotYetOurs: while it asks whether a name is free, it does not answer for it.
func TestNotYetOurs(t *testing.T) {
	s, l, now := newStation(testConfig("1")), lanAt("192.168.1.5/24"), time.Unix(1e9, 0)
	s.join(now, l, mdns)
	data := query(question{name: named("layerd-pi", "local"), kind: typeA, class: classIN})
	var probes []time.Time
	for range 200 {
		now = now.Add(10 * time.Millisecond)
		s.hear(now, packet{place{l.key(), mdns}, netip.MustParseAddrPort("192.168.1.9:5353"), data})
		for _, p := range s.due(now) {
			if m, _ := parse(p.data); m.flags == 0 {
				probes = append(probes, now)
				continue
			}
			if len(probes) != 3 || now.Sub(probes[2]) < 250*time.Millisecond {
				t.Fatalf("it spoke at %v, after probes at %v", now, probes)
			}
			return
		}
	}
	t.Error("it has never spoken")
}

// TestOutranked: of two who ask for a name at once the same one is to have it by both's reckoning: by one name, the first that both ask for.
func TestOutranked(t *testing.T) {
	at := lanAt("192.168.1.5/24")
	by := func(cfg Config, l lan) *link { return &link{records: cfg.records(1, l)} }
	one, two := by(testConfig("1"), at), by(testConfig("2"), at)
	oneElsewhere, other := by(testConfig("1"), lanAt("192.168.1.6/24")), testConfig("0")
	other.Host = "Pi" // the same name of DNS, with a smaller UUID
	hostOnly := func(l *link) message {
		m := l.probe()
		m.authority = m.authority[len(m.authority)-1:]
		return m
	}
	for name, c := range map[string]struct {
		l    *link
		m    message
		want bool
	}{
		"theirs is later":      {one, two.probe(), true},
		"theirs is earlier":    {two, one.probe(), false},
		"in other capitals":    {one, by(other, at).probe(), false},
		"our own":              {one, one.probe(), false},
		"our own, other LAN":   {one, oneElsewhere.probe(), false},
		"a later address":      {one, hostOnly(oneElsewhere), true},
		"an earlier address":   {oneElsewhere, hostOnly(one), false},
		"no names of ours":     {one, message{authority: []record{{name: named("x"), key: named("x")}}}, false},
		"nothing but a denial": {one, message{authority: one.records[4:5]}, false},
	} {
		if got := c.l.outranked(c.m); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestText is what Home Assistant, Cura and PrusaSlicer read.
func TestText(t *testing.T) {
	var got []string
	for txt := testConfig("1").txt(); txt != ""; txt = txt[1+txt[0]:] {
		got = append(got, txt[1:1+txt[0]])
	}
	if want := []string{"path=/", "version=1.11.8", "uuid=0f8e-1", "model=layerd", "vendor=layerd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	secure := testConfig("1")
	secure.TLS = true
	if got := secure.services()[1][0]; got != "_https" {
		t.Errorf("over TLS: got %s", got)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ä", 60)
	for _, c := range []struct {
		host           string
		n              int
		instance, name string
	}{
		{"pi", 1, "layerd on pi", "layerd-pi"},
		{"pi", 2, "layerd on pi (2)", "layerd-pi-2"},
		{"pi.lan", 1, "layerd on pi", "layerd-pi"},
		{"Küche_1", 1, "layerd on Küche_1", "layerd-K-che-1"},
		{"a\xff", 1, "layerd on a", "layerd-a-"},
		{long, 99, "layerd on " + strings.Repeat("ä", 24) + " (99)", "layerd-" + strings.Repeat("-", 53) + "-99"},
		{"", 1, "layerd on this machine", "layerd-this-machine"},
	} {
		cfg := Config{Host: c.host}
		if i, h := cfg.instance(c.n), cfg.hostLabel(c.n); i != c.instance || h != c.name || len(i) > 63 || len(h) > 63 {
			t.Errorf("%q, %d: got %q (%d bytes) and %q (%d), want %q and %q", c.host, c.n, i, len(i), h, len(h), c.instance, c.name)
		}
	}
}

func TestSearches(t *testing.T) {
	search := func(st string) string {
		return "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + st + "\r\n\r\n"
	}
	for _, c := range []struct {
		name, data string
		want       []string // ST of the answers
	}{
		{"everything", search("ssdp:all"), []string{"upnp:rootdevice", "uuid:0f8e-1", "urn:schemas-upnp-org:device:basic:1"}},
		{"root devices", search("upnp:rootdevice"), []string{"upnp:rootdevice"}},
		{"us", search("uuid:0f8e-1"), []string{"uuid:0f8e-1"}},
		{"as the standard writes it", search("urn:schemas-upnp-org:device:Basic:1"), []string{"urn:schemas-upnp-org:device:Basic:1"}},
		{"others", search("uuid:0f8e-2"), nil},
		{"media servers", search("urn:schemas-upnp-org:device:MediaServer:1"), nil},
		{"in other capitals and lines", "M-SEARCH * HTTP/1.1\nman:\"ssdp:discover\"\nst:upnp:rootdevice\n\n", []string{"upnp:rootdevice"}},
		{"a long wait", strings.Replace(search("upnp:rootdevice"), "MX: 1", "MX: 99999999999999999999", 1), []string{"upnp:rootdevice"}},
		{"a wait that is none", strings.Replace(search("upnp:rootdevice"), "MX: 1", "MX: -5", 1), []string{"upnp:rootdevice"}},
		{"without MAN", "M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n", nil},
		{"an announcement", "NOTIFY * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n", nil},
		{"an answer", "HTTP/1.1 200 OK\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n", nil},
		{"after too much", "M-SEARCH * HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 1000) + "MAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n", nil},
		{"nothing", "", nil},
	} {
		s, l, now := settled(testConfig("1"))
		var got []string
		for _, p := range answers(s, l, now, ssdp, "192.168.1.9:4000", []byte(c.data)) {
			head := headers(p.data)
			got = append(got, head["ST"])
			if head["LOCATION"] != "http://192.168.1.5:8080/plugin/discovery/discovery.xml" || !strings.HasPrefix(head["USN"], "uuid:0f8e-1") || head["CACHE-CONTROL"] != "max-age=60" || p.peer.String() != "192.168.1.9:4000" {
				t.Errorf("%s: got %q to %s", c.name, p.data, p.peer)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDescription(t *testing.T) {
	for _, c := range []struct{ host, address string }{
		{"192.168.1.5:8080", "http://192.168.1.5:8080/"},
		{"[fd00::5]:8080", "http://[fd00::5]:8080/"},
		{"pi.local", "http://pi.local/"},
		{"", "http://layerd-pi.local:8080/"},
		{"a/b", "http://layerd-pi.local:8080/"},
		{`x"><script>`, "http://layerd-pi.local:8080/"},
		{strings.Repeat("a", 256), "http://layerd-pi.local:8080/"},
	} {
		var got struct {
			XMLName xml.Name
			Device  struct {
				DeviceType      string `xml:"deviceType"`
				FriendlyName    string `xml:"friendlyName"`
				Manufacturer    string `xml:"manufacturer"`
				UDN             string `xml:"UDN"`
				PresentationURL string `xml:"presentationURL"`
			} `xml:"device"`
		}
		if err := xml.Unmarshal(testConfig("1").Description(c.host), &got); err != nil {
			t.Fatal(err)
		}
		d := got.Device
		if got.XMLName.Space != "urn:schemas-upnp-org:device-1-0" || d.DeviceType != "urn:schemas-upnp-org:device:Basic:1" || d.FriendlyName != "layerd on pi" || d.Manufacturer != "The OctoPrint Project" ||
			d.UDN != "uuid:0f8e-1" || d.PresentationURL != c.address {
			t.Errorf("%q: got %+v", c.host, got)
		}
	}
	hostile := testConfig("1")
	hostile.Host = `<b>&"'` + "\x01"
	if got := string(hostile.Description("pi")); strings.Contains(got, "<b>") || !strings.Contains(got, "layerd on &lt;b&gt;&amp;") {
		t.Errorf("got %s", got)
	}
}

// TestForgotten: who takes back what is ours, as another layerd on this machine does when it ends, has us tell it again.
func TestForgotten(t *testing.T) {
	s, l, now := settled(testConfig("1"))
	told := s.links[l.key()].records
	gone := told[len(told)-2]
	gone.ttl = 0
	var got []string
	for _, p := range answers(s, l, now, mdns, "192.168.1.5:5353", message{flags: isResponse, answers: []record{gone}}.bytes()) {
		m, _ := parse(p.data)
		got = append(got, fmt.Sprint(p.peer, " ", kinds(m.answers), " ", m.answers[0].ttl))
	}
	if want := []string{"224.0.0.251:5353 A 120"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
