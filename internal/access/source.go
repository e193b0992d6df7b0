package access

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Where a request comes from. Anybody can write a header, so those of proxies count only when the connection itself comes from a proxy that the
// configuration names.

// Source is the address that a request comes from, for people; "?" when there is none.
func (g *Gate) Source(r *http.Request) string {
	if ip := g.address(r); ip.IsValid() {
		return ip.String()
	}
	return "?"
}

// Secure reports whether the request came encrypted, as far as its sender can tell.
func (g *Gate) Secure(r *http.Request) bool {
	return r.TLS != nil || g.isProxy(connected(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// address is the connection's, or what the nearest of our proxies says: the right-most of X-Forwarded-For that is not a proxy of ours, since what
// stands left of it may have been written by anybody.
func (g *Gate) address(r *http.Request) netip.Addr {
	at := connected(r)
	if !g.isProxy(at) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		ip, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if at = ip.Unmap().WithZone(""); !g.isProxy(at) {
			break
		}
	}
	return at
}

func connected(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a test, or a socket without addresses
	}
	return at.Addr().Unmap().WithZone("")
}

func (g *Gate) isProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(g.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// place is the part of an address that is counted: of IPv6 the network, since anybody has 2^64 addresses in his own.
func place(ip netip.Addr) string {
	switch {
	case !ip.IsValid():
		return "?" // all count as one
	case ip.Is6():
		network, _ := ip.Prefix(64) // fails only for impossible lengths
		return network.String()
	}
	return ip.String()
}

// The cookie that carries a session. Over TLS its name begins with __Host-, which browsers take from nobody else: neither from another port of this
// machine, nor from plain HTTP.
const (
	CookieName       = "layerd_session"
	SecureCookieName = "__Host-" + CookieName
	cookieAge        = 365 * 24 * time.Hour // the session may end long before
)

func (g *Gate) cookieName(r *http.Request) string {
	if g.Secure(r) {
		return SecureCookieName
	}
	return CookieName
}

// cookieOf is the secret in the cookie of a request, "" when there is none.
func (g *Gate) cookieOf(r *http.Request) string {
	if c, err := r.Cookie(g.cookieName(r)); err == nil {
		return c.Value
	}
	return ""
}

// cookie carries a secret; "" deletes the cookie.
func (g *Gate) cookie(r *http.Request, secret string) *http.Cookie {
	c := &http.Cookie{Name: g.cookieName(r), Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: g.Secure(r), MaxAge: int(cookieAge / time.Second)}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}
