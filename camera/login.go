package camera

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A name and a password for a camera on the network. They are shown to nobody who has not asked: the first request goes without, the camera's
// challenge says how they are wanted, and those after it bring them along.

// login answers challenges. Not for several goroutines.
type login struct {
	user, password string
	asked          *challenge // the newest; nil before the first
	count          uint32     // how often it was answered
}

// challenge is one way to log in that a server offers (RFC 9110, 11.6.1).
type challenge struct {
	scheme string // lower case
	params map[string]string
}

func newLogin(u *url.Userinfo) *login {
	password, _ := u.Password()
	return &login{user: u.Username(), password: password}
}

// challenged keeps what an answer with the status 401 wants; false when we cannot give it.
func (l *login) challenged(h http.Header) bool {
	if l.user == "" {
		return false
	}
	offers := parseChallenges(h.Values("WWW-Authenticate"))
	if i := slices.IndexFunc(offers, challenge.answerable); i >= 0 { // the first is what the server likes best
		l.asked, l.count = &offers[i], 0
		return true
	}
	if len(offers) > 0 && !slices.ContainsFunc(offers, func(c challenge) bool { return c.scheme == "basic" }) {
		return false
	}
	l.asked = &challenge{scheme: "basic"} // cameras that forget to say what they want mean this
	return true
}

// answer is the header that the newest challenge asks for, "" before the first.
func (l *login) answer(method, uri string) string {
	switch {
	case l.asked == nil:
		return ""
	case l.asked.scheme == "digest":
		l.count++
		return l.digest(method, uri, rand.Text())
	}
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(l.user, l.password)
	return r.Header.Get("Authorization")
}

// algorithm is the hash of a digest, nil for one that we do not have.
func (c challenge) algorithm() func() hash.Hash {
	switch strings.ToUpper(c.params["algorithm"]) {
	case "", "MD5":
		return md5.New
	case "SHA-256":
		return sha256.New
	}
	return nil
}

// qop tells whether the quality of protection "auth" is offered; without any it is a digest of RFC 2069.
func (c challenge) qop() (auth, none bool) {
	for q := range strings.SplitSeq(c.params["qop"], ",") {
		auth = auth || strings.EqualFold(strings.TrimSpace(q), "auth")
	}
	return auth, c.params["qop"] == ""
}

func (c challenge) answerable() bool {
	auth, none := c.qop()
	return c.scheme == "digest" && c.algorithm() != nil && (auth || none)
}

// digest is the answer of RFC 7616, 3.4.
func (l *login) digest(method, uri, cnonce string) string {
	p := l.asked.params
	sum := func(parts ...string) string {
		h := l.asked.algorithm()()
		h.Write([]byte(strings.Join(parts, ":")))
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	who, what := sum(l.user, p["realm"], l.password), sum(method, uri)
	out := fmt.Sprintf("Digest username=%s, realm=%s, nonce=%s, uri=%s", quoted(l.user), quoted(p["realm"]), quoted(p["nonce"]), quoted(uri))
	if auth, _ := l.asked.qop(); auth {
		nc := fmt.Sprintf("%08x", l.count)
		out += fmt.Sprintf(`, qop=auth, nc=%s, cnonce=%s, response="%s"`, nc, quoted(cnonce), sum(who, p["nonce"], nc, cnonce, "auth", what))
	} else {
		out += fmt.Sprintf(`, response="%s"`, sum(who, p["nonce"], what))
	}
	if a := p["algorithm"]; a != "" {
		out += ", algorithm=" + strings.ToUpper(a)
	}
	if opaque, ok := p["opaque"]; ok {
		out += ", opaque=" + quoted(opaque)
	}
	return out
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// parseChallenges reads headers WWW-Authenticate, each of which may hold several challenges. It stops at what it does not understand.
func parseChallenges(headers []string) (list []challenge) {
	const space, comma = " \t", " \t,"
	for _, s := range headers {
		first := len(list)
		for s = strings.TrimLeft(s, comma); s != ""; s = strings.TrimLeft(s, comma) {
			n := strings.IndexAny(s, "=,\" \t")
			if n < 0 {
				n = len(s)
			}
			word := strings.ToLower(s[:n])
			s = strings.TrimLeft(s[n:], space)
			value, isParam := strings.CutPrefix(s, "=")
			switch {
			case word == "" || isParam && len(list) == first:
				s = ""
			case isParam:
				list[len(list)-1].params[word], s = parseValue(strings.TrimLeft(value, space))
			default:
				list = append(list, challenge{word, map[string]string{}})
			}
		}
	}
	return list
}

// parseValue reads a token or a quoted string, and returns what is behind it.
func parseValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		n := strings.IndexAny(s, ", \t")
		if n < 0 {
			n = len(s)
		}
		return s[:n], s[n:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
