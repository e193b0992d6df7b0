// Package access answers who is asking and what they may do.
//
// A request shows a key: ─▶ Gate.Identify takes it from the Authorization header, else from the cookie ─▶ refuses it unread
// when its address has shown too many wrong ones ─▶ compares it with the demo's key, else asks Keys ─▶ Identity.
package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Role is what somebody may do; a greater one includes the lesser.
type Role uint8

const (
	Nobody   Role = iota
	Viewer        // look
	Operator      // print, move, upload
	Owner         // settings, tokens, raw console
)

var roleNames = [...]string{"nobody", "viewer", "operator", "owner"}

func (r Role) String() string {
	if int(r) >= len(roleNames) {
		return fmt.Sprintf("Role(%d)", uint8(r))
	}
	return roleNames[r]
}

func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *Role) UnmarshalText(b []byte) (err error) { *r, err = ParseRole(string(b)); return err }

// ParseRole reads viewer, operator or owner.
func ParseRole(s string) (Role, error) {
	for i, name := range roleNames {
		if i > 0 && name == s {
			return Role(i), nil
		}
	}
	return Nobody, fmt.Errorf("unknown role %q, allowed are viewer, operator and owner", s)
}

// Identity is somebody who has shown a valid key.
type Identity struct {
	ID   string `json:"id"` // the token's; stable over renames
	Name string `json:"name"`
	Role Role   `json:"role"`
	Via  string `json:"via"` // "bearer", "cookie", "demo"
}

var (
	// ErrDenied is returned when no valid key was shown.
	ErrDenied = errors.New("a key is needed")
	// ErrTooMany is returned, whatever the key, to an address that has shown too many wrong ones.
	ErrTooMany = errors.New("too many wrong keys from this address, wait a minute")
)

// CookieName is the cookie that carries the token of a browser.
const CookieName = "layerd_key"

// maxSecret is longer than any key that we give out, in bytes. What is longer still is wrong without a look-up.
const maxSecret = 256

// Keys looks up tokens by their secret.
type Keys interface {
	Lookup(ctx context.Context, secret string) (id, name string, role Role, err error) // ErrDenied when there is none
}

// KeysFunc makes a function a Keys.
type KeysFunc func(ctx context.Context, secret string) (id, name string, role Role, err error)

func (f KeysFunc) Lookup(ctx context.Context, secret string) (id, name string, role Role, err error) {
	return f(ctx, secret)
}

// Gate decides who a request comes from: the Authorization: Bearer header first, else the cookie.
type Gate struct {
	keys    Keys
	demo    hash // of the demo's key
	hasDemo bool
	wrong   *failures
}

type hash = [sha256.Size]byte

// NewGate returns a Gate; demoSecret, when not "", is a further key of an owner that is valid until the process ends.
func NewGate(keys Keys, demoSecret string) *Gate {
	return &Gate{keys: keys, demo: sha256.Sum256([]byte(demoSecret)), hasDemo: demoSecret != "", wrong: newFailures()}
}

// Identify returns who is asking. The error is ErrDenied without a valid key, ErrTooMany after many wrong ones, or what Keys could not do.
//
// Only the connection's own address counts, never a header such as X-Forwarded-For, which anybody can write. A wrong key in the
// header is not rescued by the cookie: who says who he is means it.
func (g *Gate) Identify(r *http.Request) (Identity, error) {
	secret, via, ok := shown(r)
	if !ok {
		return Identity{}, ErrDenied
	}
	from, key := source(r.RemoteAddr), sha256.Sum256([]byte(secret))
	if !g.wrong.mayTry(from, key) {
		return Identity{}, ErrTooMany
	}
	who, err := g.lookUp(r.Context(), secret, key, via)
	switch {
	case err == nil:
		g.wrong.right(key)
	case errors.Is(err, ErrDenied):
		g.wrong.add(from)
	}
	return who, err
}

func (g *Gate) lookUp(ctx context.Context, secret string, key hash, via string) (Identity, error) {
	if secret == "" || len(secret) > maxSecret {
		return Identity{}, ErrDenied
	}
	// Of equal length, being hashes, and compared in constant time: how long it takes says nothing of the key.
	if same := subtle.ConstantTimeCompare(g.demo[:], key[:]); g.hasDemo && same == 1 {
		return Identity{ID: "demo", Name: "demo", Role: Owner, Via: "demo"}, nil
	}
	id, name, role, err := g.keys.Lookup(ctx, secret)
	if err != nil {
		return Identity{}, fmt.Errorf("look up key: %w", err)
	}
	if role == Nobody {
		return Identity{}, ErrDenied
	}
	return Identity{ID: id, Name: name, Role: role, Via: via}, nil
}

// shown returns the key that a request shows, and where. An Authorization header of another scheme, which a proxy in front
// may ask for, is not for us.
func shown(r *http.Request) (secret, via string, ok bool) {
	for _, header := range r.Header.Values("Authorization") {
		scheme, rest, _ := strings.Cut(header, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(rest), "bearer", true
		}
	}
	if cookie, err := r.Cookie(CookieName); err == nil {
		return cookie.Value, "cookie", true
	}
	return "", "", false
}
