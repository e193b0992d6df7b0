package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

var (
	// ErrWrongPassword is returned when a name and a password do not belong together. It does not say which of them is wrong.
	ErrWrongPassword = errors.New("this name and password do not belong together")
	// ErrNotProven is returned to somebody who is in, and could not show again who he is.
	ErrNotProven = errors.New("that is not right")
	// ErrSetUp is returned when the set-up link is of no use any more.
	ErrSetUp = errors.New("somebody owns this layerd already")
	// ErrNoPassword is returned to somebody who has none here.
	ErrNoPassword = errors.New("you have no password here")
)

// confirmedFor is how long somebody counts as just asked.
const confirmedFor = 10 * time.Minute

// OpenSetup makes a secret with which, once, the first owner can be made, for as long as SetupOpen says so. It is not kept.
func (g *Gate) OpenSetup() (secret string) {
	secret = rand.Text()
	sum := sha256.Sum256([]byte(secret))
	g.setup.Store(&sum)
	return secret
}

// SetupOpen reports whether nobody owns this layerd yet: no owner has a password, and the configuration names none.
func (g *Gate) SetupOpen(ctx context.Context) (bool, error) {
	if g.setup.Load() == nil || g.HasConfiguredOwner() {
		return false, nil
	}
	_, owned, err := g.cfg.Book.Accounts(ctx)
	return !owned && err == nil, err
}

// HasConfiguredOwner reports whether the configuration names an owner.
func (g *Gate) HasConfiguredOwner() bool {
	for _, role := range g.cfg.People {
		if role == Owner {
			return true
		}
	}
	return false
}

// Configured are the people whom the configuration names, by login name.
func (g *Gate) Configured() map[string]Role { return g.cfg.People }

// DefaultRole is that of people on the tailnet whom nobody names.
func (g *Gate) DefaultRole() Role { return g.cfg.DefaultRole() }

// CheckSetup is nil for who has the set-up link's secret, while it is open, and leaves it so. The error is ErrSetUp, ErrDenied for a wrong secret, or ErrTooMany.
func (g *Gate) CheckSetup(r *http.Request, secret string) error {
	from, sum := place(g.address(r)), sha256.Sum256([]byte(secret))
	open, err := g.SetupOpen(r.Context())
	want := g.setup.Load()
	switch {
	case err != nil:
		return err
	case !open || want == nil:
		return ErrSetUp
	case !g.wrong.mayTry(from, sum):
		return ErrTooMany
	case subtle.ConstantTimeCompare(want[:], sum[:]) != 1:
		g.wrong.add(from)
		return ErrDenied
	}
	return nil
}

// SetUp makes the first owner, and logs him in. The error is ErrSetUp, ErrDenied for a wrong secret, ErrTooMany, or as Hash's and Book's.
func (g *Gate) SetUp(r *http.Request, secret, name, password string) (Identity, *http.Cookie, error) {
	if err := g.CheckSetup(r, secret); err != nil {
		return Identity{}, nil, err
	}
	from := place(g.address(r))
	phc, err := g.Hash(r.Context(), password)
	if err != nil {
		return Identity{}, nil, err
	}
	account, err := g.cfg.Book.AddOwner(r.Context(), name, phc) // of two at the same moment, one
	if err != nil {
		if open, unknown := g.SetupOpen(r.Context()); !open && unknown == nil {
			err = ErrSetUp
		}
		return Identity{}, nil, err
	}
	g.setup.Store(nil)
	g.delays.succeed(from, counted(name))
	return g.begin(r, Login{Person: account.ID, Hash: account.Hash, Via: "password"})
}

// HasAccounts reports whether anybody has a password.
func (g *Gate) HasAccounts(ctx context.Context) (bool, error) {
	any, _, err := g.cfg.Book.Accounts(ctx)
	return any, err
}

// Login begins a session for who knows a name and its password. The error is ErrWrongPassword, a *Wait, ErrBusy, or Book's. It takes as long for a name
// that nobody has.
func (g *Gate) Login(r *http.Request, name, password string) (Identity, *http.Cookie, error) {
	account, err := g.prove(r.Context(), place(g.address(r)), name, password)
	if err != nil {
		return Identity{}, nil, err
	}
	who, cookie, err := g.begin(r, Login{Person: account.ID, Hash: account.Hash, Via: "password"})
	if errors.Is(err, ErrDenied) { // somebody has changed the password while we looked at it
		err = ErrWrongPassword
	}
	return who, cookie, err
}

// LoginByKey begins a session for who shows a key in the Authorization header. Who is in, and may do more than look, stays who he is when it is that of a link:
// to open what somebody has sent him must not take the stop button from him. The error is as Identify's.
func (g *Gate) LoginByKey(r *http.Request) (Identity, *http.Cookie, error) {
	secret, _ := bearer(r)
	who, err := g.byKey(r, secret)
	if err != nil {
		return Identity{}, nil, err
	}
	if who.Via == "demo" {
		return who, g.cookie(r, secret), nil // it ends with the process, as that key
	}
	key, err := g.cfg.Book.Key(r.Context(), secret)
	if err != nil {
		return Identity{}, nil, err
	}
	via := "key"
	if key.Link {
		via = "link"
		if cookie := g.cookieOf(r); cookie != "" {
			if who, err := g.bySession(r, cookie); err == nil && who.Role > key.Role {
				return who, g.cookie(r, cookie), nil
			}
		}
	}
	return g.begin(r, Login{Key: key.ID, Via: via})
}

// begin begins a session and ends the one whose cookie was sent along: nobody can be made to log in to a session that somebody else knows.
func (g *Gate) begin(r *http.Request, l Login) (Identity, *http.Cookie, error) {
	l.Agent, l.From, l.Old = r.UserAgent(), g.Source(r), g.cookieOf(r)
	secret, s, err := g.cfg.Book.Begin(r.Context(), l)
	if err != nil {
		return Identity{}, nil, err
	}
	g.wrong.right(sha256.Sum256([]byte(secret)))
	return Identity{ID: s.Of, Name: s.Name, Role: s.Role, Via: "session", Session: s.ID, From: l.From}, g.cookie(r, secret), nil
}

// Logout ends the session whose cookie was sent, if any, and returns cookies that delete it, and what older versions have left.
func (g *Gate) Logout(r *http.Request) (Identity, []*http.Cookie, error) {
	gone := []*http.Cookie{g.cookie(r, ""), {Name: "layerd_key", Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: g.Secure(r), MaxAge: -1}}
	secret := g.cookieOf(r)
	if secret == "" {
		return Identity{}, gone, nil
	}
	who, err := g.bySession(r, secret)
	if err == nil && who.Session != "" {
		err = g.cfg.Book.End(r.Context(), who.Session)
	}
	if errors.Is(err, ErrDenied) || errors.Is(err, ErrTooMany) {
		err = nil // it had ended
	}
	return who, gone, err
}

// Confirm asks somebody who is in to show again who he is: with his password, or a key that may do at least as much. For ten minutes he counts as
// just asked. The error is ErrNotProven, ErrNoPassword, a *Wait, ErrTooMany, ErrBusy, or Book's.
func (g *Gate) Confirm(r *http.Request, me Identity, password, key string) error {
	if me.Session == "" {
		return nil // each of his requests shows it
	}
	if key != "" {
		who, err := g.byKey(r, key)
		if errors.Is(err, ErrDenied) || err == nil && who.Role < me.Role {
			return ErrNotProven
		}
		if err != nil {
			return err
		}
	} else if _, err := g.proveAgain(r.Context(), me, password); err != nil {
		return err
	}
	return g.cfg.Book.Confirm(r.Context(), me.Session, time.Now().Add(confirmedFor))
}

// SetPassword changes the password of who is in and knows the old one. All of his other sessions end. The error is as those of Confirm and Hash.
func (g *Gate) SetPassword(r *http.Request, me Identity, old, password string) error {
	account, err := g.proveAgain(r.Context(), me, old)
	if err != nil {
		return err
	}
	phc, err := g.Hash(r.Context(), password)
	if err != nil {
		return err
	}
	err = g.cfg.Book.SetPassword(r.Context(), account.ID, account.Hash, phc, me.Session)
	if errors.Is(err, ErrDenied) { // somebody else was faster
		err = ErrNotProven
	}
	return err
}

// proveAgain is prove for somebody who is in. Only what he gets wrong himself makes him wait.
func (g *Gate) proveAgain(ctx context.Context, me Identity, password string) (Account, error) {
	account, err := g.cfg.Book.Account(ctx, me.ID)
	if me.Session == "" || errors.Is(err, ErrDenied) || err == nil && account.Hash == "" {
		return Account{}, ErrNoPassword
	}
	if err != nil {
		return Account{}, err
	}
	account, err = g.prove(ctx, inSession(me.Session), account.Name, password)
	if errors.Is(err, ErrWrongPassword) {
		err = ErrNotProven
	}
	return account, err
}

// prove returns the account that a name and a password open.
func (g *Gate) prove(ctx context.Context, place, name, password string) (Account, error) {
	as := counted(name)
	if err := g.delays.check(place, as); err != nil {
		return Account{}, err
	}
	done, err := g.hashes.turn(ctx, place)
	if err != nil {
		return Account{}, err
	}
	defer done()
	if err := g.delays.check(place, as); err != nil { // whoever had the turn before may have been wrong
		return Account{}, err
	}
	account, err := g.cfg.Book.AccountNamed(ctx, name)
	if err != nil && !errors.Is(err, ErrDenied) {
		return Account{}, fmt.Errorf("look up person: %w", err)
	}
	right, outdated := g.hashes.check(account.Hash, password)
	if !right {
		g.delays.add(place, as)
		return Account{}, ErrWrongPassword
	}
	g.delays.succeed(place, as)
	if outdated {
		phc := g.hashes.hash(password)
		if err := g.cfg.Book.SetHash(ctx, account.ID, account.Hash, phc); err != nil {
			return Account{}, fmt.Errorf("keep the password's new hash: %w", err)
		}
		account.Hash = phc
	}
	return account, nil
}

// counted is an account's name as wrong tries are counted under it. One that is too long is nobody's, and all such count as one.
func counted(name string) string {
	if name = strings.ToLower(strings.TrimSpace(name)); len(name) > maxPassword {
		return ""
	}
	return name
}
