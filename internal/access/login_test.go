package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// cheap makes hashes in no time.
var cheap = cost{kib: 8, rounds: 1, threads: 1}

// people has Anna, an owner, and Bob, an operator whom the tailnet knows. Anna's password is "correct horse".
func people(t testing.TB, change ...func(*Config)) (*Gate, *memory) {
	h := newHasher(cheap)
	m := newMemory(table, Account{ID: "a", Name: "Anna", Role: Owner, Hash: h.hash("correct horse")}, Account{ID: "b", Name: "bob@example.com", Role: Operator, Tailnet: true})
	cfg := Config{Book: m}
	for _, f := range change {
		f(&cfg)
	}
	g := NewGate(cfg)
	g.hashes = newHasher(cheap)
	return g, m
}

func login(g *Gate, from, name, password string) error {
	_, _, err := g.Login(request(from, "", ""), name, password)
	return err
}

func with(c *http.Cookie) *http.Request { return request(lan, "", c.Value) }

func TestLogin(t *testing.T) {
	g, m := people(t)
	old, cookie, err := g.Login(request(lan, "", "given by somebody else"), " anna ", "correct horse")
	if err != nil || old.ID != "a" || old.Role != Owner || old.Via != "session" || old.Confirmed {
		t.Fatalf("got %+v, %v", old, err)
	}
	if cookie.Name != CookieName || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.Path != "/" || cookie.Value == "given by somebody else" {
		t.Errorf("got the cookie %v", cookie)
	}
	if who, err := g.Identify(with(cookie)); err != nil || who.ID != "a" || who.Session != old.Session {
		t.Errorf("by the cookie: got %+v, %v", who, err)
	}
	if _, _, err := g.Login(with(cookie), "Anna", "correct horse"); err != nil {
		t.Fatal(err)
	}
	if who, err := g.Identify(with(cookie)); !errors.Is(err, ErrDenied) {
		t.Errorf("the session that was sent with another login: got %+v, %v, want it ended", who, err)
	}
	if m.begun[0].Old != "given by somebody else" || m.begun[0].From != "192.168.1.7" {
		t.Errorf("the book was told %+v", m.begun[0])
	}
	for _, c := range []struct{ name, password string }{{"Anna", "wrong horse"}, {"Anna", ""}, {"nobody", "correct horse"}, {"", ""}, {"bob@example.com", ""}, {strings.Repeat("x", 300), "y"}} {
		if err := login(g, "192.168.1."+fmt.Sprint(len(c.name)+10)+":1", c.name, c.password); !errors.Is(err, ErrWrongPassword) && !errors.Is(err, ErrTooMany) {
			t.Errorf("%.20q with %q: got %v", c.name, c.password, err)
		}
	}
}

func TestSameWorkForEveryName(t *testing.T) {
	for _, name := range []string{"Anna", "nobody", "bob@example.com"} {
		g, _ := people(t)
		if err := login(g, lan, name, "wrong horse"); !errors.Is(err, ErrWrongPassword) || g.hashes.runs.Load() != 1 {
			t.Errorf("%s: got %v after %d hashes, want one", name, err, g.hashes.runs.Load())
		}
	}
}

func TestDelaysGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := people(t)
		want := time.Second
		for i := range 14 {
			if err := login(g, lan, "Anna", "wrong"); !errors.Is(err, ErrWrongPassword) {
				t.Fatalf("try %d: got %v", i, err)
			}
			runs := g.hashes.runs.Load()
			var wait *Wait
			if err := login(g, lan, "Anna", "correct horse"); !errors.As(err, &wait) || !errors.Is(err, ErrTooMany) || wait.For != want {
				t.Fatalf("after %d wrong tries: got %v, want to wait %v", i+1, err, want)
			}
			if g.hashes.runs.Load() != runs {
				t.Fatal("the password was looked at all the same")
			}
			time.Sleep(want)
			want = min(2*want, 5*time.Minute)
		}
		if err := login(g, lan, "Anna", "correct horse"); err != nil {
			t.Fatalf("after the time: got %v", err)
		}
		login(g, lan, "Anna", "wrong")
		if err := login(g, lan, "Anna", "correct horse"); err == nil || err.(*Wait).For != time.Second {
			t.Errorf("a success forgets what was wrong: got %v, want one second", err)
		}
	})
}

func TestNobodyIsLockedOutByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := people(t)
		_, cookie, err := g.Login(request(lan, "", ""), "Anna", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		me, err := g.Identify(with(cookie))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 { // from everywhere
			login(g, fmt.Sprintf("10.0.%d.1:80", i), "anna", "guess")
		}
		if err := login(g, "172.16.0.1:80", "Anna", "correct horse"); !errors.Is(err, ErrTooMany) {
			t.Errorf("at a new address: got %v, want to wait", err)
		}
		if err := login(g, lan, "Anna", "correct horse"); err != nil {
			t.Errorf("where she has been before: got %v", err)
		}
		if err := g.Confirm(with(cookie), me, "correct horse", ""); err != nil {
			t.Errorf("in her session: got %v", err)
		}
		if err := g.Confirm(with(cookie), me, "wrong", ""); !errors.Is(err, ErrNotProven) {
			t.Errorf("got %v, want ErrNotProven", err)
		}
		if err := g.Confirm(with(cookie), me, "correct horse", ""); !errors.Is(err, ErrTooMany) {
			t.Errorf("right behind it: got %v, want to wait: a stolen session must not guess", err)
		}
		// A viewer who logs in between his guesses does not get rid of what he guessed.
		login(g, "10.9.9.9:1", "anna", "guess")
		if err := login(g, "10.9.9.9:1", "anna", "guess"); !errors.Is(err, ErrTooMany) {
			t.Errorf("got %v, want ErrTooMany", err)
		}
	})
}

func TestMemoryOfDelaysIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDelays()
		for range 8 {
			d.add("10.0.0.1", "anna")
			time.Sleep(longest)
		}
		d.add("10.0.0.1", "anna")
		for i := range 5 * maxTries {
			d.add(fmt.Sprint("p", i), fmt.Sprint("n", i))
			d.succeed(fmt.Sprint("q", i), fmt.Sprint("m", i))
		}
		if n, m := len(d.tries), len(d.right); n > maxTries || m > maxPairs {
			t.Errorf("got %d and %d, want at most %d and %d", n, m, maxTries, maxPairs)
		}
		if d.check("elsewhere", "anna") == nil {
			t.Error("who has to wait longest was forgotten first")
		}
		time.Sleep(longest + forgetAfter + time.Second)
		d.add("10.0.0.1", "anna")
		var wait *Wait
		if err := d.check("10.0.0.1", "anna"); !errors.As(err, &wait) || wait.For != firstDelay {
			t.Errorf("an hour later: got %v, want %v", err, firstDelay)
		}
	})
}

// Two hundred logins at once: at most one hash runs, few wait, and the others are told at once.
func TestOneHashAtATime(t *testing.T) {
	g, _ := people(t)
	done, err := g.hashes.turn(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	results := make(chan error, 200)
	for i := range 200 {
		all.Go(func() { results <- login(g, fmt.Sprintf("10.0.%d.1:80", i), fmt.Sprint("name", i), "wrong") })
	}
	busy := 0
	for range 200 - waiting {
		if err := <-results; errors.Is(err, ErrBusy) {
			busy++
		}
	}
	if busy != 200-waiting || g.hashes.runs.Load() != 0 {
		t.Errorf("%d were told that it is busy, and %d hashes ran beside the one that holds the turn; want %d and 0", busy, g.hashes.runs.Load(), 200-waiting)
	}
	done()
	all.Wait()
	if n := g.hashes.runs.Load(); n != waiting {
		t.Errorf("%d hashes were made, want %d", n, waiting)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	done, _ = g.hashes.turn(t.Context(), "")
	defer done()
	if _, err := g.hashes.turn(gone, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: got %v", err)
	}
}

// One address that logs in again and again leaves the turn to others, and so does somebody who shows again and again who he is.
func TestOnePlaceDoesNotTakeEveryTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, m := people(t)
		done, err := g.hashes.turn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 3*waiting)
		for range cap(results) {
			go func() { results <- login(g, "10.0.0.1:80", "Eva", "wrong") }()
		}
		synctest.Wait()
		if n := len(results); n != cap(results)-perPlace {
			t.Errorf("%d of %d were sent away, want all but %d", n, cap(results), perPlace)
		}
		owner := make(chan error)
		go func() { owner <- login(g, lan, "Anna", "correct horse") }()
		synctest.Wait()
		done()
		if err := <-owner; err != nil {
			t.Errorf("somebody elsewhere: got %v", err)
		}
		synctest.Wait()
		if len(g.hashes.from) != 0 {
			t.Errorf("%v wait still", g.hashes.from)
		}

		// Whoever has a password cannot make the place forgotten where its owner has been.
		for i := range 3 * maxPairs {
			me := Identity{ID: "a", Session: fmt.Sprint(i)}
			if err := g.Confirm(request(lan, "", ""), me, "correct horse", ""); err != nil {
				t.Fatal(err)
			}
		}
		if len(g.delays.right) != 1 || len(m.begun) != 1 {
			t.Errorf("%d places are known after %d logins, want one", len(g.delays.right), len(m.begun))
		}
	})
}

func TestHash(t *testing.T) {
	g, m := people(t)
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 257), "abcdefgh\xff"} {
		if _, err := g.Hash(t.Context(), bad); !errors.Is(err, ErrPassword) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	usually := newHasher(usual)
	phc := usually.hash("päßwort1")
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", phc)
	}
	for password, want := range map[string]bool{"päßwort1": true, "pa\u0308ßwort1": true, "passwort": false, "": false} {
		if right, outdated := usually.check(phc, password); right != want || outdated {
			t.Errorf("%q: got %v, %v", password, right, outdated)
		}
	}
	for _, bad := range []string{"", "$", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA"} {
		if right, _ := g.hashes.check(bad, ""); right {
			t.Errorf("%q is a hash of nothing", bad)
		}
	}
	// At another cost a login makes the hash anew.
	before := m.accounts[0].Hash
	g.hashes.cost.rounds++
	if err := login(g, lan, "Anna", "correct horse"); err != nil {
		t.Fatal(err)
	}
	after := m.accounts[0].Hash
	if after == before || !strings.Contains(after, "t=2,") {
		t.Errorf("got %s, want it made anew", after)
	}
	if err := login(g, lan, "Anna", "correct horse"); err != nil || m.accounts[0].Hash != after {
		t.Errorf("again: got %v and %s", err, m.accounts[0].Hash)
	}
}

func TestConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := people(t)
		_, cookie, err := g.Login(request(lan, "", ""), "Anna", "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		me := func() Identity {
			who, err := g.Identify(with(cookie))
			if err != nil {
				t.Fatal(err)
			}
			return who
		}
		if me().Confirmed {
			t.Error("a login alone confirms nothing")
		}
		for key, want := range map[string]error{"ld_o": ErrNotProven, "wrong": ErrNotProven, "ld_w": nil} {
			if err := g.Confirm(with(cookie), me(), "", key); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", key, err, want)
			}
		}
		if !me().Confirmed {
			t.Error("it is not confirmed")
		}
		time.Sleep(10 * time.Minute)
		if me().Confirmed {
			t.Error("it is still confirmed after ten minutes")
		}
		if err := g.Confirm(with(cookie), me(), "correct horse", ""); err != nil || !me().Confirmed {
			t.Errorf("by password: got %v", err)
		}
		byKey, cookie, err := g.LoginByKey(request(lan, "Bearer ld_w", ""))
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Confirm(with(cookie), byKey, "correct horse", ""); !errors.Is(err, ErrNoPassword) {
			t.Errorf("who came by a key: got %v, want ErrNoPassword", err)
		}
	})
}

func TestSetPassword(t *testing.T) {
	g, _ := people(t)
	_, here, _ := g.Login(request(lan, "", ""), "Anna", "correct horse")
	_, there, _ := g.Login(request(lan, "", ""), "Anna", "correct horse")
	me, err := g.Identify(with(here))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SetPassword(with(here), me, "wrong horse", "battery staple"); !errors.Is(err, ErrNotProven) {
		t.Fatalf("without the old one: got %v", err)
	}
	g.delays = newDelays() // time goes by
	if err := g.SetPassword(with(here), me, "correct horse", "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("too short: got %v", err)
	}
	if err := g.SetPassword(with(here), me, "correct horse", "battery staple"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Identify(with(here)); err != nil {
		t.Errorf("the session that changed it: got %v", err)
	}
	if _, err := g.Identify(with(there)); !errors.Is(err, ErrDenied) {
		t.Errorf("another session: got %v, want ErrDenied", err)
	}
	if err := login(g, lan, "Anna", "battery staple"); err != nil {
		t.Errorf("the new one: got %v", err)
	}
}

func TestSetUp(t *testing.T) {
	empty := func() (*Gate, *memory) {
		g, m := people(t)
		m.accounts = m.accounts[1:]
		return g, m
	}
	g, _ := empty()
	if open, err := g.SetupOpen(t.Context()); open || err != nil {
		t.Errorf("before there is a link: got %v, %v", open, err)
	}
	secret := g.OpenSetup()
	if open, _ := g.SetupOpen(t.Context()); !open {
		t.Fatal("it is not open")
	}
	for _, wrong := range []string{"", secret[1:], strings.ToLower(secret)} {
		if _, _, err := g.SetUp(request(lan, "", ""), wrong, "Eva", "correct horse"); !errors.Is(err, ErrDenied) {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
	if _, _, err := g.SetUp(request(lan, "", ""), secret, "Eva", "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("a short password: got %v, and the link is still good", err)
	}
	var all sync.WaitGroup
	results := make(chan error, 5)
	for i := range 5 {
		all.Go(func() {
			_, _, err := g.SetUp(request(lan, "", ""), secret, fmt.Sprint("Eva", i), "correct horse")
			results <- err
		})
	}
	all.Wait()
	well := 0
	for range 5 {
		if err := <-results; err == nil {
			well++
		} else if !errors.Is(err, ErrSetUp) {
			t.Errorf("got %v, want ErrSetUp", err)
		}
	}
	if well != 1 {
		t.Errorf("the link made %d owners, want one", well)
	}
	for i := range 10 {
		login(g, lan, fmt.Sprint("somebody", i), "guess") // at the same address
	}
	if err := login(g, lan, g.cfg.Book.(*memory).accounts[1].Name, "correct horse"); err != nil {
		t.Errorf("the owner, where he set it up: got %v", err)
	}

	owned, _ := people(t)
	if _, _, err := owned.SetUp(request(lan, "", ""), owned.OpenSetup(), "Eva", "correct horse"); !errors.Is(err, ErrSetUp) {
		t.Errorf("with an owner: got %v", err)
	}
	named, m := people(t, func(c *Config) { c.People = map[string]Role{"eva@example.com": Owner} })
	m.accounts = nil
	if _, _, err := named.SetUp(request(lan, "", ""), named.OpenSetup(), "Eva", "correct horse"); !errors.Is(err, ErrSetUp) {
		t.Errorf("with one in the configuration: got %v", err)
	}
}

// introduced is a connection of a network that knows its caller.
type introduced struct {
	net.Conn
	caller Caller
	err    error
}

func (c introduced) Caller(context.Context) (Caller, error) { return c.caller, c.err }

func TestTailnet(t *testing.T) {
	g, m := people(t, func(c *Config) {
		c.People = map[string]Role{"alice@example.com": Owner, "carl@example.com": Viewer}
	})
	standard := Nobody
	g.cfg.DefaultRole = func() Role { return standard }
	ask := func(c introduced, authorization, cookie string) (Identity, error) {
		r := request("100.64.0.9:1", authorization, cookie)
		return g.Identify(r.WithContext(WithConn(r.Context(), c)))
	}
	for _, c := range []struct {
		name                  string
		caller                Caller
		standard              Role
		authorization, cookie string
		want                  Role
		err                   error
	}{
		{"configured", Caller{Login: "alice@example.com", Role: Viewer}, Nobody, "", "", Owner, nil},
		{"the configuration beats the network", Caller{Login: "carl@example.com", Role: Owner}, Nobody, "", "", Viewer, nil},
		{"on the list", Caller{Login: "bob@example.com"}, Nobody, "", "", Operator, nil},
		{"a name with a password is not the tailnet's", Caller{Login: "anna"}, Nobody, "", "", Nobody, ErrNotInvited},
		{"by grant", Caller{Login: "dora@example.com", Role: Operator}, Nobody, "", "", Operator, nil},
		{"by default", Caller{Login: "eve@example.com"}, Viewer, "", "", Viewer, nil},
		{"not for guests", Caller{Login: "gus@example.org", Guest: true}, Viewer, "", "", Nobody, ErrNotInvited},
		{"a guest by grant", Caller{Login: "gus@example.org", Guest: true, Role: Viewer}, Nobody, "", "", Viewer, nil},
		{"nobody", Caller{Login: "eve@example.com"}, Nobody, "", "", Nobody, ErrNotInvited},
		{"a tagged device", Caller{Device: "nas", Role: Owner}, Owner, "", "", Nobody, ErrDenied},
		{"a tagged device with a key", Caller{Device: "nas"}, Nobody, "Bearer ld_o", "", Operator, nil},
		{"a wrong key is not rescued", Caller{Login: "alice@example.com"}, Nobody, "Bearer wrong", "", Nobody, ErrDenied},
		{"a session that has ended is", Caller{Login: "alice@example.com"}, Nobody, "", "ended", Owner, nil},
	} {
		standard = c.standard
		who, err := ask(introduced{caller: c.caller}, c.authorization, c.cookie)
		if who.Role != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %+v, %v, want %v, %v", c.name, who, err, c.want, c.err)
		}
		if c.authorization == "" && err == nil && (who.Via != "tailnet" || who.ID != "tailnet:"+c.caller.Login || !who.Confirmed) {
			t.Errorf("%s: got %+v", c.name, who)
		}
	}
	if _, err := ask(introduced{err: errDisk}, "", ""); !errors.Is(err, ErrUnsure) || errors.Is(err, ErrDenied) {
		t.Errorf("a network that does not know: got %v, want ErrUnsure", err)
	}
	if _, err := ask(introduced{caller: Caller{Login: "eve@example.com"}}, "", ""); err == nil || !strings.Contains(err.Error(), "eve@example.com") {
		t.Errorf("got %v, want it to say who was seen", err)
	}
	if len(m.seen) != 1 || m.seen[0] != "bob@example.com" {
		t.Errorf("seen are %q", m.seen)
	}
}

func TestProxies(t *testing.T) {
	g, _ := people(t, func(c *Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("::1/128")}
	})
	for _, c := range []struct{ from, forwarded, want string }{
		{"192.168.1.7:80", "1.2.3.4", "192.168.1.7"},
		{"10.0.0.1:80", "1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:80", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:80", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"},
		{"10.0.0.1:80", "1.2.3.4, rubbish", "10.0.0.1"},
		{"10.0.0.1:80", "", "10.0.0.1"},
		{"[::1]:80", "::ffff:1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:80", "10.0.0.3", "10.0.0.3"},
		{"nonsense", "1.2.3.4", "?"},
	} {
		r := request(c.from, "", "")
		r.Header.Set("X-Forwarded-For", c.forwarded)
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := g.Source(r); got != c.want {
			t.Errorf("%s for %q: got %s, want %s", c.from, c.forwarded, got, c.want)
		}
		trusted := strings.HasPrefix(c.from, "10.0.0.") || strings.HasPrefix(c.from, "[::1]")
		if cookie := g.cookie(r, "x"); cookie.Secure != trusted || (cookie.Name == SecureCookieName) != trusted {
			t.Errorf("%s: got the cookie %v", c.from, cookie)
		}
	}
}

// racing is a Book in which something happens just before a session begins or a password is changed.
type racing struct {
	*memory
	before func()
}

func (b racing) Begin(ctx context.Context, l Login) (string, Session, error) {
	b.before()
	return b.memory.Begin(ctx, l)
}

func (b racing) SetPassword(ctx context.Context, account, old, hash, except string) error {
	b.before()
	return b.memory.SetPassword(ctx, account, old, hash, except)
}

// Who knew the former password gets nothing by being quick: neither a session that outlives the change, nor the last word.
func TestAnotherPasswordMeanwhile(t *testing.T) {
	g, m := people(t)
	_, cookie, err := g.Login(request(lan, "", ""), "Anna", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	me, err := g.Identify(with(cookie))
	if err != nil {
		t.Fatal(err)
	}
	other := g.hashes.hash("battery staple")
	g.cfg.Book = racing{m, func() {
		a, _ := m.Account(t.Context(), "a")
		m.SetPassword(t.Context(), "a", a.Hash, other, me.Session)
	}}
	if _, _, err := g.Login(request(lan, "", ""), "Anna", "correct horse"); !errors.Is(err, ErrWrongPassword) || len(m.sessions) != 1 {
		t.Errorf("login: got %v and %d sessions, want ErrWrongPassword and the one there was", err, len(m.sessions))
	}
	m.accounts[0].Hash = g.hashes.hash("correct horse")
	if err := g.SetPassword(with(cookie), me, "correct horse", "the thief's own"); !errors.Is(err, ErrNotProven) || m.accounts[0].Hash != other {
		t.Errorf("change: got %v, want ErrNotProven and the other password left", err)
	}
}
