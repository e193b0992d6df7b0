package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Token is a key that a person or program shows. The secret itself is not kept, only its SHA-256.
type Token struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	Link      bool   `json:"link"` // it was made to be opened as a link, and only looks
	CreatedMS int64  `json:"created_ms"`
	UsedMS    int64  `json:"used_ms"`    // to the minute; 0 never
	ExpiresMS int64  `json:"expires_ms"` // 0 never
}

const (
	secretPrefix = "ld_" // so that people and scanners of leaked keys know what it is
	maxName      = 64    // characters
	maxLink      = 90 * day
	maxExpiry    = 10 * 365 * day
	keepExpired  = 30 * day // a token is still listed for so long, so that people see why it does nothing
	day          = 24 * time.Hour
)

// CreateToken makes a token from its Name, Role, Link and ExpiresMS, and returns its secret, which cannot be read again. The role is viewer, operator
// or owner, of a link viewer; name has 1 to 64 characters, of which those that nobody can see are dropped. ErrExpiry: it would end in the past, or a
// link not within 90 days.
func (s *Store) CreateToken(ctx context.Context, t Token) (secret string, made Token, err error) {
	now := time.Now()
	if err = checkRole(t.Role); err == nil {
		t.Name, err = cleanName(t.Name)
	}
	switch ends := time.UnixMilli(t.ExpiresMS); {
	case err != nil:
	case t.Link && t.Role != "viewer":
		err = fmt.Errorf("a link only looks: its role is viewer")
	case t.ExpiresMS != 0 && !ends.After(now):
		err = fmt.Errorf("%w: it is over already", ErrExpiry)
	case t.Link && (t.ExpiresMS == 0 || ends.After(now.Add(maxLink))):
		err = fmt.Errorf("%w: a link ends within 90 days", ErrExpiry)
	case t.ExpiresMS != 0 && ends.After(now.Add(maxExpiry)):
		err = fmt.Errorf("%w: it is more than ten years from now", ErrExpiry)
	}
	if err != nil {
		return "", Token{}, fmt.Errorf("create key: %w", err)
	}
	secret = newSecret()
	t.ID, t.CreatedMS, t.UsedMS = newID(), now.UnixMilli(), 0
	_, err = s.db.ExecContext(ctx, `INSERT INTO tokens (id, name, role, hash, created_ms, used_ms, expires_ms, link) VALUES (?,?,?,?,?,0,?,?)`,
		t.ID, t.Name, t.Role, hashSecret(secret), t.CreatedMS, t.ExpiresMS, t.Link)
	if err != nil {
		return "", Token{}, fmt.Errorf("create key: %w", noSpace(err))
	}
	return secret, t, nil
}

// newSecret has 256 random bits.
func newSecret() string {
	var random [32]byte
	rand.Read(random[:]) // never fails
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

func checkRole(role string) error {
	switch role {
	case "viewer", "operator", "owner":
		return nil
	}
	return fmt.Errorf("%w: %.20q is none, allowed are viewer, operator and owner", ErrRole, role)
}

func cleanName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", fmt.Errorf("%w: it is not valid UTF-8", ErrName)
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, name))
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		return "", fmt.Errorf("%w: it needs 1 to %d characters", ErrName, maxName)
	}
	return name, nil
}

// hashSecret is what is kept of a secret. One round is enough: there are 256 random bits in it.
func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

const tokenColumns = `id, name, role, created_ms, max(used_ms, coalesce((SELECT max(s.used_ms) / 60000 * 60000 FROM sessions s WHERE s.token = tokens.id), 0)), expires_ms, link`

func scanToken(scan func(...any) error) (t Token, err error) {
	err = scan(&t.ID, &t.Name, &t.Role, &t.CreatedMS, &t.UsedMS, &t.ExpiresMS, &t.Link)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoToken
	}
	return t, err
}

// Token returns the token of an ID, or ErrNoToken, also when its time is over.
func (s *Store) Token(ctx context.Context, id string) (Token, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE id = ? AND (expires_ms = 0 OR expires_ms > ?)`, id, time.Now().UnixMilli()).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, ErrNoToken
	}
	if err != nil {
		return Token{}, fmt.Errorf("look up key: %w", err)
	}
	return t, nil
}

// Tokens returns all tokens, the oldest first; those that have expired too, for 30 days.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	s.writeSeen(ctx)
	rows, err := s.db.QueryContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE expires_ms = 0 OR expires_ms > ? ORDER BY created_ms, id`,
		time.Now().Add(-keepExpired).UnixMilli())
	return collect("keys", rows, err, scanToken)
}

// DeleteToken takes a token back, and its sessions, at once. ErrNoToken when there is none of this ID; ErrLastOwner as for ChangePerson.
func (s *Store) DeleteToken(ctx context.Context, id string, elsewhere bool) error {
	err := s.changePeople(ctx, func(tx *sql.Tx) error {
		t, err := scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE id = ?`, id).Scan)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE id = ?`, id); err != nil {
			return err
		}
		if t.Role != "owner" || t.ExpiresMS > 0 || elsewhere {
			return nil
		}
		return ownerLeft(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	return nil
}
