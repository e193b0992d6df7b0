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
	CreatedMS int64  `json:"created_ms"`
	UsedMS    int64  `json:"used_ms"` // to the minute; 0 never
}

const (
	secretPrefix = "ld_" // so that people and scanners of leaked keys know what it is
	maxTokenName = 64    // characters
)

// CreateToken makes a token and returns its secret, which cannot be read again. role is viewer, operator or owner; name has 1 to 64
// characters, of which those that nobody can see are dropped.
func (s *Store) CreateToken(ctx context.Context, name, role string) (secret string, t Token, err error) {
	switch role {
	case "viewer", "operator", "owner":
	default:
		return "", Token{}, fmt.Errorf("create key: unknown role %q, allowed are viewer, operator and owner", role)
	}
	name, err = cleanName(name)
	if err != nil {
		return "", Token{}, fmt.Errorf("create key: %w", err)
	}
	var random [32]byte
	rand.Read(random[:]) // never fails
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	t = Token{ID: newID(), Name: name, Role: role, CreatedMS: time.Now().UnixMilli()}
	_, err = s.db.ExecContext(ctx, `INSERT INTO tokens (id, name, role, hash, created_ms, used_ms) VALUES (?,?,?,?,?,0)`,
		t.ID, t.Name, t.Role, hashSecret(secret), t.CreatedMS)
	if err != nil {
		return "", Token{}, fmt.Errorf("create key: %w", noSpace(err))
	}
	return secret, t, nil
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
	if n := utf8.RuneCountInString(name); n < 1 || n > maxTokenName {
		return "", fmt.Errorf("%w: it needs 1 to %d characters", ErrName, maxTokenName)
	}
	return name, nil
}

// hashSecret is what is kept of a secret. One round is enough: there are 256 random bits in it.
func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// TokenBySecret returns the token that a secret belongs to, or ErrNoToken, and notes that it was used, to the minute. How long the search takes
// says nothing of the secret: it goes by the hash, which nobody can steer.
func (s *Store) TokenBySecret(ctx context.Context, secret string) (Token, error) {
	var t Token
	err := s.db.QueryRowContext(ctx, `SELECT id, name, role, created_ms, used_ms FROM tokens WHERE hash = ?`, hashSecret(secret)).
		Scan(&t.ID, &t.Name, &t.Role, &t.CreatedMS, &t.UsedMS)
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, ErrNoToken
	}
	if err != nil {
		return Token{}, fmt.Errorf("look up key: %w", err)
	}
	if minute := time.Now().Truncate(time.Minute).UnixMilli(); minute != t.UsedMS {
		// A key is good though the disk be full, so a failure to note its use is no failure of the look-up.
		if _, err := s.db.ExecContext(ctx, `UPDATE tokens SET used_ms = ? WHERE id = ?`, minute, t.ID); err == nil {
			t.UsedMS = minute
		}
	}
	return t, nil
}

// Tokens returns all tokens, the oldest first.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, role, created_ms, used_ms FROM tokens ORDER BY created_ms, id`)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	tokens := []Token{}
	for rows.Next() {
		var t Token
		if err := rows.Scan(&t.ID, &t.Name, &t.Role, &t.CreatedMS, &t.UsedMS); err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		tokens = append(tokens, t)
	}
	return tokens, rows.Err()
}

// DeleteToken takes a token back, at once. ErrNoToken when there is none of this ID.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	result, err := s.db.ExecContext(ctx, `DELETE FROM tokens WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("delete key: %w", noSpace(err))
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNoToken, err)
	}
	return nil
}
