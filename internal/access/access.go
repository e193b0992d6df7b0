// Package access answers who is asking and what they may do.
//
// A request ─▶ Gate.Identify: a key in the Authorization header, else the session of the cookie, else what the network says of the caller
// (caller.go) ─▶ Identity. A key or session is refused unread when its address has shown too many wrong ones (failures.go).
//
// A person ─▶ Login, SetUp (login.go): name and password, slowly when they were wrong before (delays.go), one hash at a time (password.go) ─▶ a
// session and its cookie. Dangerous things ask again: Confirm.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// Role is what somebody may do; a greater one includes the lesser.
type Role uint8

const (
	Nobody   Role = iota
	Viewer        // look
	Operator      // print, move, upload
	Owner         // settings, people, tokens, raw console
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

// Identity is somebody who has shown who he is.
type Identity struct {
	ID   string `json:"id"` // the person's or token's; stable over renames
	Name string `json:"name"`
	Role Role   `json:"role"`
	Via  string `json:"via"` // "bearer", "session", "tailnet", "demo", "ticket"

	From      string `json:"-"` // address, for the audit log
	Session   string `json:"-"` // ID of the session, "" without one
	Confirmed bool   `json:"-"` // he has just shown it again, or does so with each request
}

var (
	// ErrDenied is returned when nothing valid was shown.
	ErrDenied = errors.New("a key is needed")
	// ErrTooMany is returned, whatever was shown, to who was wrong too often. With a *Wait in its chain it says for how long.
	ErrTooMany = errors.New("too many wrong keys from this address, wait a minute")
	// ErrNotInvited is returned to somebody whom the network knows, and who may do nothing here. It is wrapped with who that is.
	ErrNotInvited = errors.New("nobody has invited you")
	// ErrUnsure is returned when the network that a request came by cannot say at the moment who is calling. It says nothing of him.
	ErrUnsure = errors.New("the network does not know who you are at the moment")
)

// maxSecret is longer than any secret that we give out, in bytes. What is longer still is wrong without a look-up.
const maxSecret = 256

// Config is what a Gate is made of.
type Config struct {
	Book        Book            // needed
	Demo        string          // when not "", a key of an owner that is valid until the process ends; nobody is set up then
	People      map[string]Role // of the tailnet, by login name in lower case, as the configuration says
	DefaultRole func() Role     // of others on the tailnet; nil = Nobody
	ViewSecret  []byte          // seals tickets for pictures, and makes passwords for Digest; who keeps it keeps them good over a restart. nil = they end with the process
	Proxies     []netip.Prefix  // whose X-Forwarded-For and X-Forwarded-Proto are believed
}

// Gate decides who a request comes from. All methods may be called from any goroutine.
type Gate struct {
	cfg    Config
	demo   hash
	wrong  *failures
	delays *delays
	hashes *hasher
	setup  atomic.Pointer[hash] // of the secret of the set-up link; nil when there is none, or it was used
}

type hash = [sha256.Size]byte

// NewGate returns a Gate. It starts nothing.
func NewGate(cfg Config) *Gate {
	if cfg.DefaultRole == nil {
		cfg.DefaultRole = func() Role { return Nobody }
	}
	if len(cfg.ViewSecret) == 0 {
		cfg.ViewSecret = make([]byte, sha256.Size)
		rand.Read(cfg.ViewSecret) // never fails
	}
	return &Gate{cfg: cfg, demo: sha256.Sum256([]byte(cfg.Demo)), wrong: newFailures(), delays: newDelays(), hashes: newHasher(usual)}
}

// Changed is closed when somebody may do something else than at the call, or can no longer come in: whoever holds a connection open looks again.
func (g *Gate) Changed() <-chan struct{} { return g.cfg.Book.Changed() }

// Identify returns who is asking. The error is ErrDenied when nothing valid was shown, ErrTooMany after many wrong keys, ErrNotInvited, ErrUnsure, or what
// Book could not do.
//
// A wrong key in the header is rescued neither by the cookie nor by the network: who says who he is means it. A cookie is sent by itself, so one
// that has ended is as good as none. No other header counts, whatever it is called.
func (g *Gate) Identify(r *http.Request) (Identity, error) {
	if secret, ok := bearer(r); ok {
		return g.byKey(r, secret)
	}
	denied := ErrDenied
	if secret := g.cookieOf(r); secret != "" {
		who, err := g.bySession(r, secret)
		if !errors.Is(err, ErrDenied) && !errors.Is(err, ErrTooMany) {
			return who, err
		}
		denied = err
	}
	switch caller, ok, err := callerOf(r.Context()); {
	case !ok:
		return Identity{}, denied
	case err != nil:
		return Identity{}, fmt.Errorf("%w: %w", ErrUnsure, err)
	case caller.Login == "":
		return Identity{}, denied
	default:
		who, err := g.byNetwork(r.Context(), caller)
		who.From = g.Source(r)
		return who, err
	}
}

func (g *Gate) byKey(r *http.Request, secret string) (Identity, error) {
	return g.counted(r, secret, func(ctx context.Context, key hash) (Identity, error) {
		if g.isDemo(key) {
			return demoOwner(), nil
		}
		k, err := g.cfg.Book.Key(ctx, secret)
		return Identity{ID: k.ID, Name: k.Name, Role: k.Role, Via: "bearer", Confirmed: true}, err
	})
}

func (g *Gate) bySession(r *http.Request, secret string) (Identity, error) {
	return g.counted(r, secret, func(ctx context.Context, key hash) (Identity, error) {
		if g.isDemo(key) {
			return demoOwner(), nil
		}
		s, err := g.cfg.Book.Session(ctx, secret)
		return Identity{ID: s.Of, Name: s.Name, Role: s.Role, Via: "session", Session: s.ID, Confirmed: time.Now().Before(s.Confirmed)}, err
	})
}

// byNetwork: the configuration is asked first, then the owner's list of people, then the network's own policy.
func (g *Gate) byNetwork(ctx context.Context, caller Caller) (Identity, error) {
	who := Identity{ID: "tailnet:" + caller.Login, Name: caller.Name, Via: "tailnet", Confirmed: true}
	if who.Name == "" {
		who.Name = caller.Login
	}
	var known bool
	if who.Role, known = g.cfg.People[strings.ToLower(caller.Login)]; !known {
		account, err := g.cfg.Book.AccountNamed(ctx, caller.Login)
		switch {
		case err == nil && account.Tailnet:
			g.cfg.Book.Seen(ctx, account)
			who.Role = account.Role
		case err != nil && !errors.Is(err, ErrDenied):
			return Identity{}, fmt.Errorf("look up person: %w", err)
		default:
			if who.Role = caller.Role; who.Role == Nobody && !caller.Guest {
				who.Role = g.cfg.DefaultRole()
			}
		}
	}
	if who.Role == Nobody {
		return Identity{}, fmt.Errorf("%w: the network says that you are %s", ErrNotInvited, caller.Login)
	}
	return who, nil
}

type againKey struct{}

// Again marks a request that was let in, for who looks at it again: whatever wrong keys its address shows meanwhile, the look-up says what its own may do now.
func Again(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), againKey{}, true))
}

// counted looks a secret up, unless its address has shown too many wrong ones.
func (g *Gate) counted(r *http.Request, secret string, look func(ctx context.Context, key hash) (Identity, error)) (Identity, error) {
	from, key := place(g.address(r)), sha256.Sum256([]byte(secret))
	if r.Context().Value(againKey{}) == nil && !g.wrong.mayTry(from, key) {
		return Identity{}, ErrTooMany
	}
	who, err := Identity{}, ErrDenied
	if secret != "" && len(secret) <= maxSecret {
		who, err = look(r.Context(), key)
	}
	if err == nil && who.Role == Nobody {
		err = ErrDenied
	}
	switch {
	case err == nil:
		g.wrong.right(key)
		who.From = g.Source(r)
		return who, nil
	case errors.Is(err, ErrStale): // the secret itself was right
		return Identity{}, err
	case errors.Is(err, ErrDenied):
		g.wrong.add(from)
		return Identity{}, err
	}
	return Identity{}, fmt.Errorf("look up key: %w", err)
}

// isDemo compares hashes, of equal length and in constant time: how long it takes says nothing of the key.
func (g *Gate) isDemo(key hash) bool {
	same := subtle.ConstantTimeCompare(g.demo[:], key[:])
	return g.cfg.Demo != "" && same == 1
}

func demoOwner() Identity {
	return Identity{ID: "demo", Name: "demo", Role: Owner, Via: "demo", Confirmed: true}
}

// bearer is the key in the Authorization header. A header of another scheme, which a proxy in front may ask for, is not for us.
func bearer(r *http.Request) (secret string, ok bool) {
	for _, header := range r.Header.Values("Authorization") {
		scheme, rest, _ := strings.Cut(header, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}
