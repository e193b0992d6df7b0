package server

import (
	"errors"
	"net/http"
	"net/url"

	"layerd/internal/access"
)

// Pages of other sites, and pages in files, as in apps that are browsers inside: what they ask for with a key in hand they may see, since whoever has the key
// could ask himself. What a browser adds by itself, a cookie or the place in a network, opens nothing to them: "*" is what browsers take for that.

// preflight answers a browser that asks, before it sends a request for a page of another site, whether it may; it shows no key yet. False when r is no
// such question about a path of another program's API, which is what err says.
func preflight(w http.ResponseWriter, r *http.Request, route mounted, err error) bool {
	var no *refusal
	if r.Method != http.MethodOptions || route.api == nil || r.Header.Get("Access-Control-Request-Method") == "" || !errors.As(err, &no) || no.allow == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", no.allow)
	h.Set("Access-Control-Allow-Headers", "Authorization, X-Api-Key, Content-Type, Cache-Control, Pragma, Expires, If-None-Match, If-Modified-Since, X-Requested-With, X-OctoPrint-Api-Version, Overwrite, Print-After-Upload, Create-Folder")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// letSee lets a page of another site see the answer, also as a picture that it shows.
func letSee(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Location")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// ofApp reports whether a program asks, or the page of an app, such as one in a file. No web site has an Origin of that kind, nor can it do without one where
// it may not read what it asks for; "null" any of them can have.
func ofApp(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	return origin == "" || err == nil && u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https"
}

// byTicket reports whether who asks has shown what the address of a picture carries, and nothing else.
func byTicket(me access.Identity) bool { return me.Via == "ticket" }
