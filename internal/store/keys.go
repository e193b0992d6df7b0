package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// keys are the tokens whose secrets have been shown since people changed last. Programs show theirs with every request, twenty of them every second, and
// neither the database nor its card is to be asked each time. The zero value works.
type keys struct {
	mu    sync.Mutex      // guards the rest
	until <-chan struct{} // the bell that makes all of them worthless
	of    map[[sha256.Size]byte]*shownKey
}

type shownKey struct {
	Token
	minute atomic.Int64 // of the last use that was noted, Unix ms
}

// get is nil for a key that has not been shown since until was hung up.
func (k *keys) get(until <-chan struct{}, hash [sha256.Size]byte) *shownKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until != until {
		k.until, k.of = until, map[[sha256.Size]byte]*shownKey{}
	}
	return k.of[hash]
}

// keep returns the key that is kept under hash: that of whoever was quicker, else t's.
func (k *keys) keep(until <-chan struct{}, hash [sha256.Size]byte, t Token) *shownKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until == until && k.of[hash] != nil {
		return k.of[hash]
	}
	key := &shownKey{Token: t}
	key.minute.Store(t.UsedMS)
	if k.until == until { // else people have changed since t was read
		k.of[hash] = key
	}
	return key
}

// TokenBySecret returns the token that a secret belongs to, or ErrNoToken, also when its time is over; and notes that it was used, to the minute, by
// whoever comes first in that. How long the search takes says nothing of the secret: it goes by the hash, which nobody can steer.
func (s *Store) TokenBySecret(ctx context.Context, secret string) (Token, error) {
	hash, until := sha256.Sum256([]byte(secret)), s.people.heard() // before looking, so that no change falls between
	key := s.keys.get(until, hash)
	if key == nil {
		t, err := scanToken(s.db.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = ?`, hash[:]).Scan)
		if err != nil {
			return Token{}, fmt.Errorf("look up key: %w", err)
		}
		key = s.keys.keep(until, hash, t)
	}
	t, now := key.Token, time.Now()
	if t.ExpiresMS != 0 && t.ExpiresMS <= now.UnixMilli() {
		return Token{}, fmt.Errorf("look up key: %w", ErrNoToken)
	}
	minute := now.Truncate(time.Minute).UnixMilli()
	if t.UsedMS = key.minute.Swap(minute); t.UsedMS != minute {
		s.used(ctx, "tokens", t.ID, &t.UsedMS)
	}
	return t, nil
}
