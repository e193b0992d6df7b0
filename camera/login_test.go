package camera

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The examples of RFC 2617, 3.5 and RFC 7616, 3.9.1; the last is what RFC 2069 made of the first, calculated by md5sum.
func TestDigest(t *testing.T) {
	for name, c := range map[string]struct {
		user, password, challenge, cnonce, want string
	}{
		"RFC 2617": {"Mufasa", "Circle Of Life",
			`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`, "0a4f113b",
			`Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"`},
		"RFC 7616, MD5": {"Mufasa", "Circle of Life",
			`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
			`Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", response="8ca523f5e9506fed4657c9700eebdbec", algorithm=MD5`},
		"RFC 7616, SHA-256": {"Mufasa", "Circle of Life",
			`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
			`Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", algorithm=SHA-256`},
		"without qop": {"Mufasa", "Circle Of Life", `digest realm="testrealm@host.com",nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093`, "",
			`Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="670fd8c2df070c60b045671b8b24ff02"`},
	} {
		l := newLogin(url.UserPassword(c.user, c.password))
		if !l.challenged(http.Header{"Www-Authenticate": {c.challenge}}) {
			t.Fatalf("%s: not understood", name)
		}
		l.count = 1
		if got := l.digest("GET", "/dir/index.html", c.cnonce); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestLoginChooses(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    string // the beginning of the answer, "" = there is none
	}{
		{nil, "Basic dTpw"},
		{[]string{`Basic realm="cam"`}, "Basic dTpw"},
		{[]string{`Basic realm="cam", Digest realm="cam", nonce="1", qop="auth"`}, "Digest "},
		{[]string{`Basic realm="cam"`, `Digest nonce="1"`}, "Digest "},
		{[]string{`Digest nonce="1", algorithm=SHA-512-256, Digest nonce="2", algorithm=SHA-256, qop=auth`}, `Digest username="u", realm="", nonce="2"`},
		{[]string{`Digest nonce="1", qop="auth-int", Basic`}, "Basic dTpw"},
		{[]string{`Digest nonce="1", qop="auth-int"`}, ""},
		{[]string{"Negotiate", "NTLM TlRMTVNTUAAB==, =,"}, ""},
		{[]string{`Digest realm="a \"b\", Basic \\", nonce="1`}, `Digest username="u", realm="a \"b\", Basic \\", nonce="1"`},
	} {
		l := newLogin(url.UserPassword("u", "p"))
		if l.answer("GET", "/") != "" {
			t.Error("the password was told unasked")
		}
		got := ""
		if l.challenged(http.Header{"Www-Authenticate": c.headers}) {
			got = l.answer("GET", "/")
		}
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: got %q, want %q…", c.headers, got, c.want)
		}
	}
	if newLogin(nil).challenged(http.Header{"Www-Authenticate": {"Basic"}}) {
		t.Error("without a name there is nothing to answer")
	}
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Digest realm="a\"", nonce=b, qop="auth", Basic realm="x"`)
	f.Add(`=, "`)
	f.Fuzz(func(t *testing.T, header string) {
		l := newLogin(url.UserPassword(`u"\`, "p"))
		if l.challenged(http.Header{"Www-Authenticate": {header}}) && l.answer("GET", "/") == "" {
			t.Error("understood, and no answer")
		}
	})
}
