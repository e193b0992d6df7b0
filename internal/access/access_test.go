package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errDisk = errors.New("disk error")

// table is a Keys with one key of each role.
func table(_ context.Context, secret string) (id, name string, role Role, err error) {
	switch secret {
	case "ld_v":
		return "1", "Vera", Viewer, nil
	case "ld_o":
		return "2", "Otto", Operator, nil
	case "ld_w":
		return "3", "Wanda", Owner, nil
	case "ld_nobody":
		return "4", "Nils", Nobody, nil
	case "ld_broken":
		return "", "", Nobody, errDisk
	}
	return "", "", Nobody, fmt.Errorf("no such token: %w", ErrDenied)
}

func gateOf(keys keyTable, demo string) *Gate {
	return NewGate(Config{Book: newMemory(keys), Demo: demo})
}

func request(from, authorization, cookie string) *http.Request {
	r := httptest.NewRequest("GET", "/v1/state", nil)
	r.RemoteAddr = from
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: CookieName, Value: cookie})
	}
	return r
}

const lan = "192.168.1.7:51234"

func TestIdentify(t *testing.T) {
	m := newMemory(table)
	m.sessions["of vera"] = Session{ID: "s", Of: "1", Name: "Vera", Role: Viewer}
	g := NewGate(Config{Book: m, Demo: "demo-secret"})
	for _, c := range []struct {
		name, authorization, cookie string
		want                        Identity
		err                         error
	}{
		{"nothing", "", "", Identity{}, ErrDenied},
		{"bearer", "Bearer ld_w", "", Identity{ID: "3", Name: "Wanda", Role: Owner, Via: "bearer"}, nil},
		{"any case, spaces", "bEARER   ld_o ", "", Identity{ID: "2", Name: "Otto", Role: Operator, Via: "bearer"}, nil},
		{"a key in the cookie", "", "ld_v", Identity{}, ErrDenied},
		{"cookie", "", "of vera", Identity{ID: "1", Name: "Vera", Role: Viewer, Via: "session"}, nil},
		{"the header beats the cookie", "Bearer ld_v", "of vera", Identity{ID: "1", Name: "Vera", Role: Viewer, Via: "bearer"}, nil},
		{"a wrong header is not rescued", "Bearer wrong", "ld_w", Identity{}, ErrDenied},
		{"an empty header is not rescued", "Bearer", "ld_w", Identity{}, ErrDenied},
		{"nor one of spaces", "Bearer  ", "ld_w", Identity{}, ErrDenied},
		{"a proxy's own scheme", "Basic bGRfdzo=", "of vera", Identity{ID: "1", Name: "Vera", Role: Viewer, Via: "session"}, nil},
		{"a proxy's own scheme alone", "Basic bGRfdzo=", "", Identity{}, ErrDenied},
		{"no scheme", "ld_w", "", Identity{}, ErrDenied},
		{"wrong", "Bearer ld_x", "", Identity{}, ErrDenied},
		{"longer than any key", "Bearer " + strings.Repeat("x", 257), "", Identity{}, ErrDenied},
		{"of nobody", "Bearer ld_nobody", "", Identity{}, ErrDenied},
		{"the look-up fails", "Bearer ld_broken", "", Identity{}, errDisk},
		{"demo by header", "Bearer demo-secret", "", Identity{ID: "demo", Name: "demo", Role: Owner, Via: "demo"}, nil},
		{"demo by cookie", "", "demo-secret", Identity{ID: "demo", Name: "demo", Role: Owner, Via: "demo"}, nil},
		{"nearly the demo's", "Bearer demo-secre", "", Identity{}, ErrDenied},
	} {
		got, err := g.Identify(request(lan, c.authorization, c.cookie))
		if c.err == nil {
			c.want.From, c.want.Confirmed = "192.168.1.7", c.want.Via != "session"
			c.want.Session = map[bool]string{true: "s"}[c.want.Via == "session"]
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestNoDemoKeyUnlessAsked(t *testing.T) {
	g := gateOf(table, "")
	for _, authorization := range []string{"Bearer", "Bearer ", "Bearer demo"} {
		if who, err := g.Identify(request(lan, authorization, "")); !errors.Is(err, ErrDenied) {
			t.Errorf("%q: got %+v, %v, want ErrDenied", authorization, who, err)
		}
	}
}

func TestHeadersOfOthersAreNotTrusted(t *testing.T) {
	g := gateOf(table, "")
	r := request(lan, "", "")
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Remote-User", "Remote-User", "Tailscale-User-Login", "X-Api-Key"} {
		r.Header.Set(name, "127.0.0.1")
	}
	if who, err := g.Identify(r); !errors.Is(err, ErrDenied) {
		t.Errorf("got %+v, %v, want ErrDenied", who, err)
	}
}

func try(g *Gate, from, secret string) error {
	_, err := g.Identify(request(from, "Bearer "+secret, ""))
	return err
}

func TestTooManyWrongKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := 0
		g := gateOf(func(ctx context.Context, secret string) (string, string, Role, error) {
			lookups++
			return table(ctx, secret)
		}, "")
		if err := try(g, lan, "ld_o"); err != nil { // somebody at the same address, before
			t.Fatal(err)
		}
		for i := range maxFailures {
			r := request(lan, "Bearer wrong", "")
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i)) // does not make him another
			r.RemoteAddr = fmt.Sprintf("192.168.1.7:%d", 1000+i)         // nor does another port
			if _, err := g.Identify(r); !errors.Is(err, ErrDenied) {
				t.Fatalf("wrong key %d: got %v, want ErrDenied", i, err)
			}
			time.Sleep(time.Second)
		}
		before := lookups
		for _, secret := range []string{"wrong", "ld_w"} {
			if err := try(g, lan, secret); !errors.Is(err, ErrTooMany) {
				t.Errorf("%s: got %v, want ErrTooMany", secret, err)
			}
		}
		if lookups != before {
			t.Errorf("%d keys were looked up while the address had to wait", lookups-before)
		}
		if err := try(g, lan, "ld_o"); err != nil {
			t.Errorf("who was in already: got %v, want him to stay in", err)
		}
		if _, err := g.Identify(request(lan, "", "")); !errors.Is(err, ErrDenied) {
			t.Errorf("without a key: got %v, want ErrDenied", err)
		}
		if err := try(g, "192.168.1.8:1", "ld_v"); err != nil {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(penalty - 2*time.Second)
		if err := try(g, lan, "ld_w"); !errors.Is(err, ErrTooMany) {
			t.Errorf("before the minute is over: got %v, want ErrTooMany", err)
		}
		time.Sleep(2 * time.Second)
		if err := try(g, lan, "ld_w"); err != nil {
			t.Errorf("after a minute: %v", err)
		}
		if err := try(g, lan, "wrong"); !errors.Is(err, ErrDenied) {
			t.Errorf("a new count has begun: got %v, want ErrDenied", err)
		}
	})
}

func TestSlowMistakesAreForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gateOf(table, "")
		for i := range 10 * maxFailures {
			if err := try(g, lan, "wrong"); !errors.Is(err, ErrDenied) {
				t.Fatalf("wrong key %d: got %v, want ErrDenied", i, err)
			}
			time.Sleep(4 * time.Second) // 15 in a minute
		}
	})
}

func TestOnlyWrongKeysCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gateOf(table, "")
		for range 10 * maxFailures {
			g.Identify(request(lan, "", ""))
			try(g, lan, "ld_broken")
			try(g, lan, "ld_v")
		}
		if err := try(g, lan, "ld_w"); err != nil {
			t.Error(err)
		}
	})
}

func TestMemoryOfFailuresIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gateOf(func(_ context.Context, secret string) (string, string, Role, error) {
			if strings.HasPrefix(secret, "right") {
				return secret, secret, Viewer, nil
			}
			return "", "", Nobody, ErrDenied
		}, "")
		for range maxFailures {
			try(g, lan, "wrong")
		}
		for i := range 5 * maxSources {
			from := fmt.Sprintf("10.%d.%d.1:80", i/256, i%256)
			try(g, from, "wrong")
			try(g, from, fmt.Sprint("right", i))
			time.Sleep(time.Millisecond)
		}
		if n, m := len(g.wrong.sources), len(g.wrong.seen); n > maxSources || m > maxRight {
			t.Errorf("got %d addresses and %d keys, want at most %d and %d", n, m, maxSources, maxRight)
		}
		time.Sleep(2 * window)
		try(g, lan, "wrong")
		if n := len(g.wrong.sources); n != 1 {
			t.Errorf("after two minutes: got %d addresses, want the last alone", n)
		}
	})
}

func TestPlace(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.7:80":            "192.168.1.7",
		"[::ffff:192.168.1.7]:80":   "192.168.1.7",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:9":  "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":         "fe80::/64",
		"":                          "?",
		"@":                         "?",
	} {
		if got := place(connected(&http.Request{RemoteAddr: in})); got != want {
			t.Errorf("place of %q: got %s, want %s", in, got, want)
		}
	}
}

func TestRole(t *testing.T) {
	for r, name := range map[Role]string{Nobody: "nobody", Viewer: "viewer", Operator: "operator", Owner: "owner", 9: "Role(9)"} {
		if r.String() != name {
			t.Errorf("got %s, want %s", r, name)
		}
	}
	var who Identity
	if err := json.Unmarshal([]byte(`{"id":"1","role":"operator"}`), &who); err != nil || who.Role != Operator {
		t.Errorf("got %+v, %v", who, err)
	}
	if b, err := json.Marshal(Identity{ID: "1", Name: "a", Role: Owner, Via: "session"}); err != nil || string(b) != `{"id":"1","name":"a","role":"owner","via":"session"}` {
		t.Errorf("got %s, %v", b, err)
	}
	for _, bad := range []string{"", "nobody", "Owner", "admin"} {
		if r, err := ParseRole(bad); err == nil || r != Nobody || !strings.Contains(err.Error(), "viewer, operator and owner") {
			t.Errorf("%q: got %v, %v, want an error that says what is allowed", bad, r, err)
		}
	}
}

// Who was let in is looked at again whatever is shown at his address: neither can he keep what he lost by showing wrong keys there, nor can others take
// what he has.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revoked := false
		g := gateOf(func(ctx context.Context, secret string) (string, string, Role, error) {
			if revoked && secret == "ld_o" {
				return "", "", Nobody, ErrDenied
			}
			return table(ctx, secret)
		}, "")
		for range maxFailures {
			try(g, lan, "wrong")
		}
		in := Again(request(lan, "Bearer ld_o", ""))
		if who, err := g.Identify(in); err != nil || who.Role != Operator {
			t.Errorf("got %+v, %v, want him still in", who, err)
		}
		revoked = true
		g.wrong.seen = map[hash]struct{}{} // as 256 other keys have been right since
		if who, err := g.Identify(in); !errors.Is(err, ErrDenied) {
			t.Errorf("got %+v, %v, want ErrDenied", who, err)
		}
		if err := try(g, lan, "ld_w"); !errors.Is(err, ErrTooMany) {
			t.Errorf("who comes anew: got %v, want ErrTooMany", err)
		}
	})
}
