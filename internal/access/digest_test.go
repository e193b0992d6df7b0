package access

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// digest answers a challenge as RFC 7616 says, for the user of the scheme's example.
func digest(g *Gate, challenge, user, password, method, uri, qop string) string {
	c := parseDigest(strings.TrimPrefix(challenge, "Digest "))
	ha1, ha2 := md5Hex(user+":"+c["realm"]+":"+password), md5Hex(method+":"+uri)
	if qop == "" {
		return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`, user, c["realm"], c["nonce"], uri, md5Hex(ha1+":"+c["nonce"]+":"+ha2))
	}
	return fmt.Sprintf(`Digest username="%s",realm="%s",nonce="%s",uri="%s",cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",nc=00000001,qop=%s,response="%s",algorithm=MD5`,
		user, c["realm"], c["nonce"], uri, qop, md5Hex(ha1+":"+c["nonce"]+":00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:"+qop+":"+ha2))
}

// The example of RFC 7616, section 3.9.1: what clients compute is what we expect.
func TestDigestOfTheStandard(t *testing.T) {
	ha1 := md5Hex("Mufasa:http-auth@example.org:Circle of Life")
	got := md5Hex(ha1 + ":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:" + md5Hex("GET:/dir/index.html"))
	if got != "8ca523f5e9506fed4657c9700eebdbec" {
		t.Errorf("got %s", got)
	}
}

func TestDigest(t *testing.T) {
	m := newMemory(table)
	m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Operator}}
	g := NewGate(Config{Book: m, ViewSecret: []byte("kept")})
	password, now := g.DigestPassword("3"), g.DigestChallenge(false)
	if len(password) != 24 || password == g.DigestPassword("4") || password != NewGate(Config{Book: m, ViewSecret: []byte("kept")}).DigestPassword("3") {
		t.Errorf("the password %q is not of the key alone", password)
	}
	wanda := Identity{ID: "3", Name: "Wanda", Role: Operator, Via: "bearer", From: "192.168.1.7", Confirmed: true}
	right := digest(g, now, "3", password, "GET", "/api/version?a=b", "auth")
	for name, c := range map[string]struct {
		header string
		want   Identity
		err    error
	}{
		"right":                    {right, wanda, nil},
		"as before there was qop":  {digest(g, now, "3", password, "GET", "/api/version?a=b", ""), wanda, nil},
		"a wrong password":         {digest(g, now, "3", "x", "GET", "/api/version?a=b", "auth"), Identity{}, ErrDenied},
		"the password of another":  {digest(g, now, "3", g.DigestPassword("4"), "GET", "/api/version?a=b", "auth"), Identity{}, ErrDenied},
		"nobody's":                 {digest(g, now, "4", g.DigestPassword("4"), "GET", "/api/version?a=b", "auth"), Identity{}, ErrDenied},
		"for another address":      {digest(g, now, "3", password, "GET", "/api/job", "auth"), Identity{}, ErrDenied},
		"for another method":       {digest(g, now, "3", password, "PUT", "/api/version?a=b", "auth"), Identity{}, ErrDenied},
		"of another realm":         {strings.Replace(right, `realm="layerd"`, `realm="other"`, 1), Identity{}, ErrDenied},
		"by another algorithm":     {strings.Replace(right, "MD5", "SHA-256", 1), Identity{}, ErrDenied},
		"the key as the password":  {digest(g, now, "3", "ld_w", "GET", "/api/version?a=b", "auth"), Identity{}, ErrDenied},
		"a nonce of another":       {digest(g, NewGate(Config{Book: m}).DigestChallenge(false), "3", password, "GET", "/api/version?a=b", "auth"), Identity{}, ErrStale},
		"a nonce of nobody":        {digest(g, `Digest realm="layerd", nonce="AAAA"`, "3", password, "GET", "/api/version?a=b", "auth"), Identity{}, ErrStale},
		"nothing":                  {"Digest", Identity{}, ErrDenied},
		"damaged":                  {`Digest username="3`, Identity{}, ErrDenied},
		"the user's name as a key": {"Digest ld_w", Identity{}, ErrDenied},
	} {
		r := request(lan, c.header, "")
		r.Method, r.RequestURI = "GET", "/api/version?a=b"
		got, err := g.IdentifyDigest(r)
		if got != c.want || !errors.Is(err, c.err) || errors.Is(err, ErrStale) != (c.err == ErrStale) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", name, got, err, c.want, c.err)
		}
		if _, err := g.Identify(r); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: where keys are asked for: got %v", name, err)
		}
	}
}

func TestDigestsGetOldAndAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(table)
		m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Operator}}
		g := NewGate(Config{Book: m})
		try := func(header string) error {
			r := request(lan, header, "")
			r.Method, r.RequestURI = http.MethodGet, "/"
			_, err := g.IdentifyDigest(r)
			return err
		}
		first := digest(g, g.DigestChallenge(false), "3", g.DigestPassword("3"), "GET", "/", "auth")
		time.Sleep(digestGood - time.Second)
		if err := try(first); err != nil {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Second)
		if err := try(first); !errors.Is(err, ErrStale) {
			t.Errorf("got %v, want it to be too old", err)
		}
		for i := range maxFailures {
			try(digest(g, g.DigestChallenge(true), "3", fmt.Sprint(i), "GET", "/", "auth"))
		}
		if err := try(digest(g, g.DigestChallenge(false), "3", "next", "GET", "/", "auth")); !errors.Is(err, ErrTooMany) {
			t.Errorf("got %v, want it to wait", err)
		}
	})
}

// A Digest is another text each time. Who shows the same password is known again all the same, and takes one place among those who are.
func TestDigestsAreKnownAgain(t *testing.T) {
	m := newMemory(table)
	m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Operator}}
	g := NewGate(Config{Book: m})
	if _, err := g.Identify(request(lan, "Bearer ld_w", "")); err != nil {
		t.Fatal(err)
	}
	show := func(uri, password string) error {
		r := request(lan, digest(g, g.DigestChallenge(false), "3", password, "GET", uri, "auth"), "")
		r.Method, r.RequestURI = http.MethodGet, uri
		_, err := g.IdentifyDigest(r)
		return err
	}
	for i := range 2 * maxRight {
		if err := show(fmt.Sprintf("/%d", i), g.DigestPassword("3")); err != nil {
			t.Fatal(err)
		}
	}
	for range maxFailures {
		show("/", "wrong")
	}
	if err := show("/new", g.DigestPassword("3")); err != nil {
		t.Errorf("a Digest of a password that was right before: got %v", err)
	}
	if _, err := g.Identify(request(lan, "Bearer ld_w", "")); err != nil {
		t.Errorf("a key that was right before: got %v", err)
	}
	if err := show("/", "wrong"); !errors.Is(err, ErrTooMany) {
		t.Errorf("one that is wrong: got %v", err)
	}
}

// A right password with an old nonce is no wrong key: many clients behind one proxy may have their nonces of one hour.
func TestOldNoncesAreNotCounted(t *testing.T) {
	m := newMemory(table)
	m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Operator}}
	g := NewGate(Config{Book: m})
	for _, challenge := range append(slices.Repeat([]string{`Digest realm="layerd", nonce="AAAA"`}, maxFailures), g.DigestChallenge(false)) {
		r := request(lan, digest(g, challenge, "3", g.DigestPassword("3"), "GET", "/", "auth"), "")
		r.Method, r.RequestURI = http.MethodGet, "/"
		if _, err := g.IdentifyDigest(r); err != nil && !errors.Is(err, ErrStale) {
			t.Fatalf("got %v", err)
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add(`username="a\"b", realm=layerd, nonce="x" ,uri="/",response=1`)
	f.Add(`a="`)
	f.Add(`=,=`)
	f.Add("\xe6=")
	m := newMemory(table)
	g := NewGate(Config{Book: m})
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseDigest(text) {
			if len(value) > len(text) {
				t.Errorf("%q of %q is longer than all", name, text)
			}
		}
		r := request(lan, "", "")
		r.Header.Set("Authorization", "Digest "+text)
		if _, err := g.IdentifyDigest(r); err == nil {
			t.Errorf("%q lets somebody in", text)
		}
	})
}
