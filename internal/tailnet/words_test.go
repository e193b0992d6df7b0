package tailnet

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tailscale.com/health"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
	"tailscale.com/tsconst"
	"tailscale.com/types/key"
	"tailscale.com/types/views"

	"layerd/internal/access"
	"layerd/internal/overlay"
)

var today = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// node is a view of a node in this state.
func node(state string, change ...func(*view)) view {
	v := view{status: &ipnstate.Status{
		BackendState: state, HaveNodeKey: true, TailscaleIPs: []netip.Addr{netip.MustParseAddr("100.64.0.1")},
		Self: &ipnstate.PeerStatus{DNSName: "Voron.tail-scale.ts.net."},
	}}
	for _, c := range change {
		c(&v)
	}
	return v
}

func ends(at time.Time) func(*view) { return func(v *view) { v.status.Self.KeyExpiry = &at } }

func fresh(v *view) { v.status.HaveNodeKey, v.status.TailscaleIPs = false, nil }

func troubled(err error) func(*view) { return func(v *view) { v.trouble = err } }

func warned(code health.WarnableCode, text string) func(*view) {
	return func(v *view) {
		v.warnings = map[health.WarnableCode]health.UnhealthyState{code: {WarnableCode: code, Text: text, Severity: health.SeverityMedium}}
	}
}

func TestWords(t *testing.T) {
	link := func(s string) func(*view) { return func(v *view) { v.status.AuthURL = s } }
	browse := func(v *view) { v.browse = "https://login.example.com/a/1" }
	for _, c := range []struct {
		name          string
		v             view
		state         overlay.State
		problem, next string // parts of them; "" = none at all
	}{
		{"nothing known", view{}, overlay.Starting, "", ""},
		{"starting", node("Starting"), overlay.Starting, "", ""},
		{"running", node("Running"), overlay.Running, "", ""},
		{"running for long yet", node("Running", ends(today.AddDate(0, 0, 15))), overlay.Running, "", ""},
		{"its key ends soon", node("Running", ends(today.AddDate(0, 0, 9))), overlay.Running, "ends on Thursday, 10 December 2026", "Log in again before then"},
		{"the control server went", node("Running", warned(tsconst.HealthWarnableNotInMapPoll, "Out of sync")), overlay.Running, "stays connected", "by itself"},
		{"trouble that is over", node("Running", troubled(errClock)), overlay.Running, "", ""},
		{"to be approved", node("NeedsMachineAuth"), overlay.Approval, "approved", "administers"},
		{"first login", node("NeedsLogin", fresh, browse), overlay.Login, "", ""},
		{"first login by status", node("NeedsLogin", fresh, link("https://login.example.com/a/1")), overlay.Login, "", ""},
		{"a link that is none", node("NeedsLogin", fresh, link("javascript:alert(1)")), overlay.Starting, "", ""},
		{"its key has ended", node("NeedsLogin", browse), overlay.Login, "ended or was revoked", "keeps its name"},
		{"its key has ended, no link yet", node("NeedsLogin", ends(today.Add(-time.Hour))), overlay.Starting, "ended or was revoked", "log in again"},
		{"key refused", node("NeedsLogin", fresh, browse, func(v *view) { v.refused = "invalid key: expired" }), overlay.Login, "refused: invalid key: expired.", "new key"},
		{"we are refused", node("NeedsLogin", func(v *view) { v.fault = "user was deleted" }), overlay.Failed, "user was deleted.", "Log in again"},
		{"logs wanted", node("Stopped", func(v *view) { v.fault = "tailnet requires logging to be enabled. Remove --no-logs" }), overlay.Failed, "send their logs", "Turn on"},
		{"no network", node("NoState", troubled(errNoNetwork)), overlay.Failed, "no network", "Connect it"},
		{"unset clock", node("NoState", troubled(sort(errors.New("x"), time.Unix(0, 0)))), overlay.Failed, "no certificate: it says 1 January 1970", "time server"},
		{"wrong clock", node("NoState", troubled(sort(early, today))), overlay.Failed, "no certificate: it says 1 December 2026", "time server"},
		{"an old certificate", node("NoState", troubled(sort(late, today))), overlay.Failed, "has expired", "address"},
		{"a stranger's certificate", node("NoState", troubled(sort(stranger, today))), overlay.Failed, "not to be trusted", "address"},
		{"another name's", node("NoState", troubled(sort(fmt.Errorf("get: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "hs"}), today))), overlay.Failed, "not to be trusted", "address"},
		{"no answer", node("Starting", troubled(sort(errors.New("connection refused"), today))), overlay.Failed, "does not answer: connection refused.", "by itself"},
	} {
		s := c.v.describe(today)
		if s.State != c.state || !strings.Contains(s.Problem, c.problem) || (s.Problem == "") != (c.problem == "") ||
			!strings.Contains(s.Next, c.next) || (s.Next == "") != (c.next == "") {
			t.Errorf("%s: got %s, %q, %q", c.name, s.State, s.Problem, s.Next)
		}
		if (s.LoginURL != "") != (s.State == overlay.Login) {
			t.Errorf("%s: got the link %q", c.name, s.LoginURL)
		}
		if s.State == overlay.Running && (len(s.URLs) != 2 || s.URLs[0] != "http://voron.tail-scale.ts.net/" || s.URLs[1] != "http://100.64.0.1/") {
			t.Errorf("%s: got %v", c.name, s.URLs)
		}
	}
}

var (
	early    = outside(today.AddDate(0, 0, 1))
	late     = outside(today.AddDate(0, 0, -9))
	stranger = fmt.Errorf("get: %w", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
)

// outside is what a certificate is refused with that is valid for a week from then.
func outside(from time.Time) error {
	return fmt.Errorf("get: %w", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotBefore: from, NotAfter: from.AddDate(0, 0, 7)}}})
}

func TestWhatElseIsShown(t *testing.T) {
	v := node("Running", warned(tsconst.HealthWarnableNoUDP4Bind, "bind\x1b[31m failed\u202e\n"+strings.Repeat("x", 9999)), func(v *view) {
		v.https, v.noCert = true, "the authority is away"
		v.status.Peer = map[key.NodePublic]*ipnstate.PeerStatus{
			key.NewNode().Public(): {DNSName: "b.x.ts.net.", Active: true, CurAddr: "192.0.2.1:1"},
			key.NewNode().Public(): {DNSName: "a.x.ts.net.", Active: true, Relay: "fra"},
			key.NewNode().Public(): {DNSName: "c.x.ts.net."},
		}
	})
	s := v.describe(today)
	if len(s.URLs) != 1 || s.URLs[0] != "https://voron.tail-scale.ts.net/" {
		t.Errorf("got %v", s.URLs)
	}
	if len(s.Health) != 2 || !strings.Contains(s.Health[0], "the authority is away.") || !strings.HasPrefix(s.Health[1], "bind[31m failed x") || len([]rune(s.Health[1])) != maxText {
		t.Errorf("got %q", s.Health)
	}
	if len(s.Paths) != 2 || s.Paths[0] != (overlay.Path{Peer: "a", Relay: "fra"}) || s.Paths[1] != (overlay.Path{Peer: "b", Direct: true}) {
		t.Errorf("got %+v", s.Paths)
	}
	v = node("Running", warned(tsconst.HealthWarnableWarmingUp, "wait"), func(v *view) { v.status.Self.DNSName = `x"><script>.` })
	if s := v.describe(today); s.Name != "" || len(s.Health) != 0 || s.URLs[0] != "http://100.64.0.1/" {
		t.Errorf("got %+v", s)
	}
}

func TestWebLink(t *testing.T) {
	for in, ok := range map[string]bool{
		"https://login.tailscale.com/a/1": true, "http://hs.example.com:8080/register/x": true, "": false, "ftp://x/": false, "/a/1": false,
		"https://user:pw@x/": false, "https:///a": false, "javascript://x/%0aalert(1)": false, "https://x/" + strings.Repeat("a", 600): false, "https://x/\n": false,
	} {
		if got := webLink(in); (got == in && in != "") != ok || (!ok && got != "") {
			t.Errorf("%q: got %q, want ok = %v", in, got, ok)
		}
	}
}

func TestKin(t *testing.T) {
	tags := func(t ...string) owner { return owner{tags: t, user: 1} }
	for _, c := range []struct {
		a, b owner
		want bool
	}{
		{owner{user: 1}, owner{user: 1}, true},
		{owner{user: 1}, owner{user: 2}, false},
		{owner{}, owner{}, false},
		{owner{user: 1}, tags("tag:a"), false}, // a tag's user is who set it up, or all tagged ones
		{tags("tag:a"), tags("tag:b"), false},
		{tags("tag:a", "tag:b"), tags("tag:b"), true},
	} {
		if kin(c.a, c.b) != c.want || kin(c.b, c.a) != c.want {
			t.Errorf("%+v and %+v: want kin = %v", c.a, c.b, c.want)
		}
	}
	some := views.SliceOf([]string{"tag:a"})
	if o := ownerOf(&ipnstate.PeerStatus{Tags: &some}); !kin(o, tags("tag:a")) {
		t.Errorf("got %+v", o)
	}
}

func TestTold(t *testing.T) {
	p := &ipnstate.PeerStatus{DNSName: "two.x.ts.net."}
	got, ok := told([]byte(`{"name":"evil","url":"javascript:1","state":"a\u202eb","percent":1e99,"left_s":-7,"online":false,"https":true,"picture":true,"checked_ms":5}`), p, today)
	want := overlay.Neighbour{Name: "two", URL: "https://two.x.ts.net/", Online: true, State: "ab", Percent: -1, LeftS: -1, Picture: true, CheckedMS: today.UnixMilli()}
	if !ok || got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, ok := told([]byte(`[]`), p, today); ok {
		t.Error("took nonsense for a neighbour")
	}
}

func TestLoginNames(t *testing.T) {
	for in, want := range map[string]string{
		"Alice@Example.com": "alice@example.com", "jörg@example.de": "jörg@example.de", "": "", "alice\u200b@example.com": "", " alice@example.com": "",
		"ali\u202ece@example.com": "", "alice@wor\u212ashop.com": "", strings.Repeat("a", 999): "",
	} {
		if got := loginName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestGranted(t *testing.T) {
	for in, want := range map[tailcfg.RawMessage]access.Role{
		`{"role":"viewer"}`: access.Viewer, `{"role":"owner"}`: access.Owner, `{"role":"nobody"}`: access.Nobody, `{"role":["owner"]}`: access.Nobody, `{`: access.Nobody, `"owner"`: access.Nobody,
	} {
		if got := granted(tailcfg.PeerCapMap{CapAccess: {in}}); got != want {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
	if got := granted(tailcfg.PeerCapMap{"example.com/cap/other": {`{"role":"owner"}`}}); got != access.Nobody {
		t.Errorf("another capability: got %v", got)
	}
}

func TestAnyNetwork(t *testing.T) {
	for _, c := range []struct {
		addrs []string
		want  bool
	}{
		{[]string{"127.0.0.1/8", "::1/128"}, false}, {[]string{"169.254.7.7/16", "fe80::1/64"}, false}, {[]string{"127.0.0.1/8", "192.0.2.2/24"}, true}, {[]string{"fd00::2/64"}, true}, {nil, false},
	} {
		var addrs []net.Addr
		for _, a := range c.addrs {
			ip, network, err := net.ParseCIDR(a)
			if err != nil {
				t.Fatal(err)
			}
			addrs = append(addrs, &net.IPNet{IP: ip, Mask: network.Mask})
		}
		if got := anyNetwork(addrs); got != c.want {
			t.Errorf("%v: got %v", c.addrs, got)
		}
	}
}

func FuzzTold(f *testing.F) {
	f.Add([]byte(`{"state":"printing","percent":4}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		one, ok := told(body, &ipnstate.PeerStatus{DNSName: "two.x.ts.net."}, today)
		if ok && (one.Name != "two" || len([]rune(one.State)) > 40 || len([]rune(one.Job)) > maxText || one.Percent > 100) {
			t.Errorf("got %+v", one)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00b\u202ec", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 1 + limit&0xff
		got := clean(s, limit)
		if len([]rune(got)) > limit || strings.ContainsAny(got, "\x00\x1b\n\r\u202e\u2066") || clean(got, limit) != got {
			t.Errorf("%q: got %q", s, got)
		}
	})
}

// FuzzGranted: whatever a policy grants, it is one of our roles, and what is granted beside something takes nothing from it.
func FuzzGranted(f *testing.F) {
	f.Add(`{"role":"operator"}`, `{"role":"owner","Role":"viewer"}`)
	f.Add(`{"role":null}`, `["owner"]`)
	f.Fuzz(func(t *testing.T, one, other string) {
		got := granted(tailcfg.PeerCapMap{CapAccess: {tailcfg.RawMessage(one), tailcfg.RawMessage(other)}})
		if said := json.Valid([]byte(one)) || json.Valid([]byte(other)); got > access.Owner || got > access.Nobody && !said {
			t.Errorf("got %v from %q and %q", got, one, other)
		}
		if alone := granted(tailcfg.PeerCapMap{CapAccess: {tailcfg.RawMessage(one)}}); alone > got {
			t.Errorf("got %v, and %v of a part of it", got, alone)
		}
	})
}
