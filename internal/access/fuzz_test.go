package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// FuzzShown: whatever stands in the two headers, nobody gets in with what is no key.
func FuzzShown(f *testing.F) {
	f.Add("Bearer ld_w", "")
	f.Add("bearer\tld_x", CookieName+`="ld_y"; `+CookieName+"=")
	f.Add("Basic eDp5", "\xff=\x00;;=")
	f.Fuzz(func(t *testing.T, authorization, cookie string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = http.Header{"Authorization": {authorization}, "Cookie": {cookie}}
		asked := ""
		g := gateOf(func(_ context.Context, secret string) (string, string, Role, error) {
			asked = secret
			return "", "", Nobody, ErrDenied
		}, "")
		if who, err := g.Identify(r); err == nil {
			t.Fatalf("got in as %+v", who)
		}
		if len(asked) > maxSecret {
			t.Errorf("a key of %d bytes was looked up", len(asked))
		}
	})
}

// FuzzSource: whatever a proxy of ours passes on, a request comes from an address, or from nowhere.
func FuzzSource(f *testing.F) {
	f.Add("192.168.1.7:80", "10.0.0.1")
	f.Add("[fe80::1%eth0]:80", "::1, fe80::1%eth0, ,")
	f.Add("10.0.0.2:80", "1.2.3.4, 10.0.0.3")
	g := NewGate(Config{Book: newMemory(table), Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	f.Fuzz(func(t *testing.T, addr, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		r.Header.Set("X-Forwarded-For", forwarded)
		if got := g.Source(r); got != "?" && !netip.MustParseAddr(got).IsValid() {
			t.Errorf("got %q", got)
		}
		if got := place(g.address(r)); got == "" || len(got) > 64 {
			t.Errorf("counted as %q", got)
		}
	})
}
