package access

import (
	"context"
	"net/http"
	"net/http/httptest"
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
		g := NewGate(KeysFunc(func(_ context.Context, secret string) (string, string, Role, error) {
			asked = secret
			return "", "", Nobody, ErrDenied
		}), "")
		if who, err := g.Identify(r); err == nil {
			t.Fatalf("got in as %+v", who)
		}
		if len(asked) > maxSecret {
			t.Errorf("a key of %d bytes was looked up", len(asked))
		}
	})
}

// FuzzSource: an address is counted under a name that is no longer than an address.
func FuzzSource(f *testing.F) {
	f.Add("192.168.1.7:80")
	f.Add("[fe80::1%eth0]:80")
	f.Fuzz(func(t *testing.T, addr string) {
		if got := source(addr); got == "" || len(got) > 64 {
			t.Errorf("got %q", got)
		}
	})
}
