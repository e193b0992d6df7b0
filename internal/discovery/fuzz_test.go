package discovery

import (
	"bytes"
	"encoding/xml"
	"net/netip"
	"testing"
	"time"
)

// FuzzHear: whatever anybody says, a layerd that has told everything answers with whole packets of its own making, few and short, to the group or
// to who spoke, and only if he is on the LAN.
func FuzzHear(f *testing.F) {
	l := lanAt("192.168.1.5/24")
	mine := testConfig("1").records(1, l)
	f.Add(false, uint16(5353), []byte{192, 168, 1, 9}, query(question{name: mine[1].name, kind: typePTR, class: classIN}))
	f.Add(false, uint16(4000), []byte{192, 168, 1, 9}, query(question{name: mine[2].name, kind: typeAny, class: classAny}))
	f.Add(false, uint16(5353), []byte{192, 168, 1, 66}, message{flags: isResponse, answers: testConfig("2").records(1, l)}.bytes())
	f.Add(false, uint16(5353), []byte{8, 8, 8, 8}, (&link{records: mine}).probe().bytes())
	f.Add(true, uint16(4000), []byte{192, 168, 1, 9}, []byte("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\nMX: 3\r\n\r\n"))
	f.Fuzz(func(t *testing.T, search bool, port uint16, ip, data []byte) {
		addr, ok := netip.AddrFromSlice(ip)
		if !ok {
			return
		}
		s, l, now := settled(testConfig("1"))
		g := mdns
		if search {
			g = ssdp
		}
		from := netip.AddrPortFrom(addr, port)
		s.hear(now, packet{place{l.key(), g}, from, data})
		count := 0
		for range 60 { // six seconds
			for _, p := range s.due(now) {
				count++
				if p.peer != p.group.addr() && (p.peer != from || !l.has(addr)) {
					t.Errorf("an answer to %s, who is not on the LAN or has not spoken", p.peer)
				}
				if len(p.data) > 1400 {
					t.Errorf("%d bytes go out", len(p.data))
				}
				if _, err := parse(p.data); p.group == mdns && err != nil {
					t.Errorf("a message that cannot be read: %v", err)
				}
				if p.group == ssdp && !bytes.HasSuffix(p.data, []byte("\r\n\r\n")) {
					t.Errorf("got %q", p.data)
				}
			}
			now = now.Add(100 * time.Millisecond)
		}
		if count > 16 { // a conflict makes it ask and announce again, and NOTIFY may be due
			t.Errorf("%d packets after one", count)
		}
	})
}

// FuzzDescription: whatever host somebody says that he has asked, the document is one, and its address leads to a host.
func FuzzDescription(f *testing.F) {
	f.Add("192.168.1.5:8080")
	f.Add(`"><script>alert(1)</script>`)
	f.Add("a\r\nX: y")
	f.Fuzz(func(t *testing.T, host string) {
		var got struct {
			Address string `xml:"device>presentationURL"`
		}
		if err := xml.Unmarshal(testConfig("1").Description(host), &got); err != nil {
			t.Fatal(err)
		}
		if got.Address != "http://"+host+"/" && got.Address != "http://layerd-pi.local:8080/" {
			t.Errorf("got %q", got.Address)
		}
	})
}
