package zerotier

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"layerd/internal/overlay"
)

// FuzzAnswers: whatever the service says, what people see of it is short, clean and leads nowhere else.
func FuzzAnswers(f *testing.F) {
	node := `{"address":"a1b2c3d4e5","online":true,"tcpFallbackActive":true,"version":"1.14.2"}`
	f.Add([]byte(node), []byte(`{"id":"8056c2e21c000001","name":"n","status":"OK","assignedAddresses":["10.1.1.1/24","fe80::1%eth0/64","::ffff:10.1.1.2/120"]}`), []byte(`[{"address":"ffffffff01","role":"LEAF","versionMajor":1,"paths":[{"active":true}]}]`))
	f.Add([]byte(node), []byte(`{"id":"8056c2e21c000001","status":"AUTHENTICATION_REQUIRED","authenticationURL":"https://u:p@h/","authenticationExpiryTime":-1}`), []byte(`null`))
	f.Add([]byte(node), []byte(`{}`), []byte(`[null]`))
	f.Add([]byte(`null`), []byte("{\"id\":\"8056c2e21c000001\",\"status\":\"\\u202e\\u0000\",\"portError\":99}"), []byte(`[]`))
	m, err := New(Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, Page: everywhere})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status, network, peers []byte) {
		me, err := parseNode(status)
		if err != nil {
			me.Address = ""
		}
		n, err := parseNetwork(network, aNetwork)
		if err != nil {
			return
		}
		paths, err := parsePaths(peers, aNetwork)
		if err != nil {
			paths = nil
		}
		s := m.words(me, n, paths, time.Minute)
		for _, text := range append([]string{s.Name, s.Network, s.Problem, s.Next, s.LoginURL}, append(s.Health, s.URLs...)...) {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.C) }) || len(text) > 2*maxURL {
				t.Errorf("got %q, want it short and clean", text)
			}
		}
		if s.State == "" || s.ExpiresMS < 0 || len(s.Paths) > maxPaths || len(s.Addresses) > maxAddresses {
			t.Errorf("got %+v", s)
		}
		if s.LoginURL != "" && !strings.HasPrefix(s.LoginURL, "http://") && !strings.HasPrefix(s.LoginURL, "https://") {
			t.Errorf("got the link %q", s.LoginURL)
		}
		if s.State == overlay.Running && len(s.URLs) == 0 {
			t.Error("it runs, and is nowhere to be reached")
		}
		for _, a := range s.Addresses {
			if _, err := netip.ParseAddr(a); err != nil {
				t.Errorf("got the address %q", a)
			}
		}
	})
}
