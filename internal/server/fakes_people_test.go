package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"layerd/internal/access"
	"layerd/internal/store"
)

// fakeGate knows keys by role: "viewer", "operator" and "owner", and more that a test adds. In a cookie they are sessions, which have not been confirmed.
type fakeGate struct {
	mu        sync.Mutex // guards what follows
	keys      map[string]access.Identity
	confirmed map[string]bool // sessions, by their key
	changed   chan struct{}
	fail      error // of each Identify; nil = none
}

// errHang has Identify wait for as long as it may.
var errHang = errors.New("the disk does not answer")

func newFakeGate() *fakeGate {
	g := &fakeGate{keys: map[string]access.Identity{}, confirmed: map[string]bool{}, changed: make(chan struct{})}
	for role := access.Viewer; role <= access.Owner; role++ {
		g.set(role.String(), role)
	}
	return g
}

// set changes what a key may do, without a word to anybody.
func (g *fakeGate) set(secret string, role access.Role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.keys, secret)
	if role > access.Nobody {
		g.keys[secret] = access.Identity{ID: "id-" + secret, Name: "the " + secret, Role: role}
	}
}

// tell says that something has changed.
func (g *fakeGate) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *fakeGate) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

func (g *fakeGate) Identify(r *http.Request) (access.Identity, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail == errHang {
		<-r.Context().Done()
	}
	if g.fail != nil {
		return access.Identity{}, g.fail
	}
	if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if me, ok := g.keys[secret]; ok {
			me.Via, me.Confirmed = "bearer", true
			return me, nil
		}
	} else if c, err := r.Cookie(access.CookieName); err == nil {
		if me, ok := g.keys[c.Value]; ok {
			me.Via, me.Session, me.Confirmed = "session", "s-"+c.Value, g.confirmed[c.Value]
			return me, nil
		}
	}
	return access.Identity{}, fmt.Errorf("identify: %w", access.ErrDenied)
}

// IdentifyViewer takes a secret for a ticket.
func (g *fakeGate) IdentifyViewer(r *http.Request) (access.Identity, error) {
	me, err := g.Identify(r)
	if ticket := r.URL.Query().Get("view"); err != nil && ticket != "" {
		g.mu.Lock()
		defer g.mu.Unlock()
		if me, ok := g.keys[ticket]; ok {
			me.Via, me.Role = "ticket", access.Viewer
			return me, nil
		}
	}
	return me, err
}

func (g *fakeGate) DigestChallenge(stale bool) string { return fmt.Sprintf("Digest stale=%v", stale) }
func (g *fakeGate) DigestPassword(id string) string   { return "digest of " + id }

// IdentifyDigest: the user's name is the key.
func (g *fakeGate) IdentifyDigest(r *http.Request) (access.Identity, error) {
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	with := r.Clone(r.Context())
	with.Header.Set("Authorization", "Bearer "+key)
	return g.Identify(with)
}
func (g *fakeGate) ViewTicket(me access.Identity) string { return strings.TrimPrefix(me.ID, "id-") }

func (g *fakeGate) confirm(secret string, is bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.confirmed[secret] = is
}

func (g *fakeGate) Source(r *http.Request) string                                { return r.RemoteAddr }
func (g *fakeGate) Secure(r *http.Request) bool                                  { return r.TLS != nil }
func (g *fakeGate) SetupOpen(context.Context) (bool, error)                      { return false, nil }
func (g *fakeGate) HasAccounts(context.Context) (bool, error)                    { return true, nil }
func (g *fakeGate) Configured() map[string]access.Role                           { return nil }
func (g *fakeGate) HasConfiguredOwner() bool                                     { return false }
func (g *fakeGate) DefaultRole() access.Role                                     { return access.Viewer }
func (g *fakeGate) Hash(_ context.Context, p string) (string, error)             { return "hash of " + p, nil }
func (g *fakeGate) Confirm(*http.Request, access.Identity, string, string) error { return nil }
func (g *fakeGate) SetPassword(*http.Request, access.Identity, string, string) error {
	return nil
}

func (g *fakeGate) CheckSetup(*http.Request, string) error { return access.ErrSetUp }

func (g *fakeGate) SetUp(*http.Request, string, string, string) (access.Identity, *http.Cookie, error) {
	return access.Identity{}, nil, access.ErrSetUp
}

// Login lets in whoever has a role's name for a password.
func (g *fakeGate) Login(r *http.Request, name, password string) (access.Identity, *http.Cookie, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	me, ok := g.keys[password]
	if !ok {
		return me, nil, access.ErrWrongPassword
	}
	return me, &http.Cookie{Name: access.CookieName, Value: password}, nil
}

func (g *fakeGate) LoginByKey(r *http.Request) (access.Identity, *http.Cookie, error) {
	me, err := g.Identify(r)
	return me, &http.Cookie{Name: access.CookieName, Value: bearer(r), HttpOnly: true, Secure: g.Secure(r)}, err
}

func (g *fakeGate) Logout(r *http.Request) (access.Identity, []*http.Cookie, error) {
	me, err := g.Identify(r)
	if errors.Is(err, access.ErrDenied) {
		err = nil
	}
	return me, []*http.Cookie{{Name: access.CookieName, MaxAge: -1}}, err
}

// fakePeople has one of everything, under the ID "1", and forgets what it is told, but for the audit log.
type fakePeople struct {
	mu    sync.Mutex // guards deeds
	deeds []store.Deed
	made  []store.Token // keys that there are, besides the first
	fail  error         // of Audit and CreateToken
}

func (p *fakePeople) People(context.Context) ([]store.Person, error) {
	return []store.Person{{ID: "1", Name: "Anna", Role: "owner"}}, nil
}
func (p *fakePeople) Person(_ context.Context, id string) (store.Person, error) {
	if id != "1" {
		return store.Person{}, store.ErrPerson
	}
	return store.Person{ID: "1", Name: "Anna", Role: "owner"}, nil
}
func (p *fakePeople) AddPerson(_ context.Context, a store.Person) (store.Person, error) {
	return a, nil
}
func (p *fakePeople) ChangePerson(ctx context.Context, id string, _ store.PersonChange, _ string, _ bool) (store.Person, error) {
	return p.Person(ctx, id)
}
func (p *fakePeople) DeletePerson(context.Context, string, bool) error { return nil }
func (p *fakePeople) Tokens(context.Context) ([]store.Token, error) {
	return []store.Token{{ID: "1", Name: "laptop", Role: "operator"}}, nil
}
func (p *fakePeople) CreateToken(_ context.Context, t store.Token) (string, store.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return "", store.Token{}, p.fail
	}
	t.ID = "made"
	p.made = append(p.made, t)
	return "ld_secret", t, nil
}
func (p *fakePeople) DeleteToken(_ context.Context, id string, _ bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = slices.DeleteFunc(p.made, func(t store.Token) bool { return t.ID == id })
	return nil
}
func (p *fakePeople) keys() []store.Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.made)
}
func (p *fakePeople) Sessions(_ context.Context, of string) ([]store.Session, error) {
	return []store.Session{{ID: "1", Name: of, Role: "viewer"}}, nil // whoever asks has it
}
func (p *fakePeople) DeleteSession(context.Context, string) error { return nil }
func (p *fakePeople) TellPeople()                                 {}

func (p *fakePeople) Audit(_ context.Context, deeds []store.Deed) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.deeds = append(p.deeds, deeds...)
	}
	return p.fail
}

func (p *fakePeople) Deeds(context.Context, int64, int) ([]store.Deed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]store.Deed{}, p.deeds...), nil
}
