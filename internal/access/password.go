package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

var (
	// ErrBusy is returned instead of making many wait for the hash of a password.
	ErrBusy = errors.New("many people are logging in at once")
	// ErrPassword is returned for a password that cannot be one, wrapped with why.
	ErrPassword = errors.New("this cannot be a password")
)

const (
	minPassword = 8   // characters
	maxPassword = 256 // bytes
	waiting     = 8   // who may wait for the hash of a password
	perPlace    = 4   // … and make it, from one place
	saltBytes   = 16
	keyBytes    = 32
)

// cost is what a hash takes: OWASP's choice for machines with little memory.
type cost struct {
	kib     uint32
	rounds  uint32
	threads uint8
}

var usual = cost{kib: 19 << 10, rounds: 2, threads: 1}

// hasher hashes passwords, one at a time: each takes 19 MiB, and a Pi that prints has no more to spare.
type hasher struct {
	cost cost
	slot chan struct{} // holds one token while a hash is made
	wait chan struct{} // … for each that waits
	runs atomic.Int64  // hashes made, for tests

	mu   sync.Mutex     // guards from
	from map[string]int // who waits, or hashes, by place
}

func newHasher(c cost) *hasher {
	return &hasher{cost: c, slot: make(chan struct{}, 1), wait: make(chan struct{}, waiting), from: map[string]int{}}
}

// turn waits until nobody else hashes; done ends the turn. ErrBusy, at once, when too many wait already, in all or at this place: who logs in again and again
// keeps out himself. place is "" for who has shown more than that.
func (h *hasher) turn(ctx context.Context, place string) (done func(), err error) {
	if !h.come(place) {
		return nil, ErrBusy
	}
	defer func() {
		if err != nil {
			h.leave(place)
		}
	}()
	select {
	case h.wait <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	defer func() { <-h.wait }()
	select {
	case h.slot <- struct{}{}:
		return func() { <-h.slot; h.leave(place) }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hasher) come(place string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if place != "" && h.from[place] >= perPlace {
		return false
	}
	h.from[place]++
	return true
}

func (h *hasher) leave(place string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.from[place]--; h.from[place] == 0 {
		delete(h.from, place)
	}
}

func (h *hasher) derive(password string, salt []byte, c cost, length int) []byte {
	h.runs.Add(1)
	// A phone and a Mac may write the same letter in two ways.
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.rounds, c.kib, c.threads, uint32(length))
}

// hash makes the PHC string of a password. It is for who has the turn.
func (h *hasher) hash(password string) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.kib, h.cost.rounds, h.cost.threads,
		b64.EncodeToString(salt), b64.EncodeToString(h.derive(password, salt, h.cost, keyBytes)))
}

// check reports whether a PHC string is that of a password, and whether it was made at another cost than is usual now. What is no such string is never
// right, and takes as long: how long it takes does not say who there is. It is for who has the turn.
func (h *hasher) check(phc, password string) (right, outdated bool) {
	c, salt, key, ok := parsePHC(phc)
	if !ok {
		c, salt, key = h.cost, make([]byte, saltBytes), make([]byte, keyBytes)
	}
	same := subtle.ConstantTimeCompare(h.derive(password, salt, c, len(key)), key) == 1
	return ok && same, c != h.cost
}

func parsePHC(phc string) (c cost, salt, key []byte, ok bool) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost{}, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.kib, &c.rounds, &c.threads); n != 3 || err != nil {
		return cost{}, nil, nil, false
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	ok = saltErr == nil && keyErr == nil && len(salt) >= 8 && len(key) >= 16 && len(key) <= 64 &&
		c.kib >= 8 && c.kib <= 256<<10 && c.rounds >= 1 && c.rounds <= 16 && c.threads >= 1 && c.threads <= 16
	return c, salt, key, ok
}

// Hash makes what is kept of a new password. It waits for its turn; the error is ErrPassword, ErrBusy or the context's.
func (g *Gate) Hash(ctx context.Context, password string) (string, error) {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "", fmt.Errorf("%w: it is not valid UTF-8", ErrPassword)
	case n < minPassword:
		return "", fmt.Errorf("%w: it needs %d characters, better more", ErrPassword, minPassword)
	case len(password) > maxPassword:
		return "", fmt.Errorf("%w: it may have %d bytes", ErrPassword, maxPassword)
	}
	done, err := g.hashes.turn(ctx, "")
	if err != nil {
		return "", err
	}
	defer done()
	return g.hashes.hash(password), nil
}
