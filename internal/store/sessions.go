package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Session is a browser that is logged in. Its secret is kept as a token's, by its hash alone.
type Session struct {
	ID          string `json:"id"`
	Person      string `json:"-"`    // ID of the person, or
	Token       string `json:"-"`    // of the token that opened it
	Name        string `json:"name"` // that person or token has now
	Role        string `json:"role"` // the same
	Via         string `json:"via"`  // "password", "key", "link"
	Agent       string `json:"agent"`
	From        string `json:"from"` // address
	CreatedMS   int64  `json:"created_ms"`
	UsedMS      int64  `json:"used_ms"`    // to the minute
	ExpiresMS   int64  `json:"expires_ms"` // if it is not used any more
	ConfirmedMS int64  `json:"-"`          // until when the person counts as just asked; 0 not
	Shown       string `json:"-"`          // to begin one: the Hash of the person's password that was shown
}

const (
	sessionIdle  = 90 * day  // without a use, after which a session ends
	sessionLife  = 365 * day // in all
	maxSessions  = 50        // of one person or token; the one that was not used for longest goes first
	maxAgentText = 200       // bytes
)

// sessionRows are all sessions with what their person or token is now. A session ends with its token.
const sessionRows = `SELECT s.id, coalesce(s.person, ''), coalesce(s.token, ''), coalesce(p.name, t.name), coalesce(p.role, t.role), s.via, s.agent, s.address, s.created_ms, s.used_ms,
	min(s.ends_ms, s.used_ms + ?2), s.confirmed_ms
	FROM sessions s LEFT JOIN people p ON p.id = s.person LEFT JOIN tokens t ON t.id = s.token
	WHERE s.ends_ms > ?1 AND s.used_ms + ?2 > ?1 AND (coalesce(t.expires_ms, 0) = 0 OR t.expires_ms > ?1)`

func scanSession(scan func(...any) error) (v Session, err error) {
	err = scan(&v.ID, &v.Person, &v.Token, &v.Name, &v.Role, &v.Via, &v.Agent, &v.From, &v.CreatedMS, &v.UsedMS, &v.ExpiresMS, &v.ConfirmedMS)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrSession
	}
	return v, err
}

// AddSession begins a session from Person and Shown, or Token, and Via, Agent and From, and returns its secret. The session whose secret is old ends, whoever's
// it is. ErrPassword, ErrPerson, ErrNoToken: what was shown counts no more. To look at a password takes time, in which there may have come another.
func (s *Store) AddSession(ctx context.Context, v Session, old string) (secret string, made Session, err error) {
	now := time.Now()
	secret = newSecret()
	v.ID, v.CreatedMS, v.UsedMS = newID(), now.UnixMilli(), now.UnixMilli()
	ends := now.Add(sessionLife).UnixMilli()
	ended := false
	s.writeSeen(ctx) // the one that was not used for longest may have to go
	err = s.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash = ?1 OR id IN (SELECT id FROM sessions WHERE person IS ?2 AND token IS ?3 AND hash <> ?1 ORDER BY used_ms DESC, created_ms DESC LIMIT -1 OFFSET ?4)`,
			hashSecret(old), null(v.Person), null(v.Token), maxSessions-1)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		ended = n > 0
		ends, err := stillShown(ctx, tx, v, ends)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sessions (id, hash, person, token, via, agent, address, created_ms, used_ms, ends_ms, confirmed_ms) VALUES (?,?,?,?,?,?,?,?,?,?,0)`,
			v.ID, hashSecret(secret), null(v.Person), null(v.Token), v.Via, plainText(v.Agent, maxAgentText), plainText(v.From, 64), v.CreatedMS, v.UsedMS, ends)
		if err != nil {
			return err
		}
		made, err = scanSession(tx.QueryRowContext(ctx, sessionRows+` AND s.id = ?3`, now.UnixMilli(), sessionIdle.Milliseconds(), v.ID).Scan)
		return err
	})
	if err != nil {
		return "", Session{}, fmt.Errorf("begin session: %w", err)
	}
	if ended { // only then can somebody do less than before, and who is in is looked at again
		s.people.ring()
	}
	return secret, made, nil
}

// stillShown returns when a session ends that begins now, ends at the latest.
func stillShown(ctx context.Context, tx *sql.Tx, v Session, ends int64) (int64, error) {
	if v.Token != "" {
		t, err := scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE id = ?`, v.Token).Scan)
		if t.ExpiresMS > 0 {
			ends = min(ends, t.ExpiresMS)
		}
		return ends, err
	}
	p, err := scanPerson(tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE id = ?`, v.Person).Scan)
	if err == nil && p.Hash != v.Shown {
		err = ErrPassword
	}
	return ends, err
}

func null(id string) sql.NullString { return sql.NullString{String: id, Valid: id != ""} }

// plainText is text of others without what cannot be seen, and not longer than most bytes.
func plainText(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// SessionBySecret returns the session that a secret belongs to, or ErrSession, and notes its use to the minute, which is what makes it last.
func (s *Store) SessionBySecret(ctx context.Context, secret string) (Session, error) {
	v, err := scanSession(s.db.QueryRowContext(ctx, sessionRows+` AND s.hash = ?3`, time.Now().UnixMilli(), sessionIdle.Milliseconds(), hashSecret(secret)).Scan)
	if err != nil {
		return Session{}, fmt.Errorf("look up session: %w", err)
	}
	s.used(ctx, "sessions", v.ID, &v.UsedMS)
	return v, nil
}

// Sessions returns the sessions of a person or token, of all with "", the one that was used last first.
func (s *Store) Sessions(ctx context.Context, of string) ([]Session, error) {
	s.writeSeen(ctx)
	rows, err := s.db.QueryContext(ctx, sessionRows+` AND (?3 = '' OR s.person = ?3 OR s.token = ?3) ORDER BY s.used_ms DESC, s.created_ms DESC LIMIT 1000`,
		time.Now().UnixMilli(), sessionIdle.Milliseconds(), of)
	return collect("sessions", rows, err, scanSession)
}

// ConfirmSession notes until when a session's person counts as just asked.
func (s *Store) ConfirmSession(ctx context.Context, id string, until time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sessions SET confirmed_ms = ? WHERE id = ?`, until.UnixMilli(), id)
	return noSpace(err)
}

// DeleteSession ends a session, at once. ErrSession when there is none of this ID.
func (s *Store) DeleteSession(ctx context.Context, id string) error {
	result, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("end session: %w", noSpace(err))
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrSession, err)
	}
	s.people.ring()
	return nil
}

// forgetEnded drops sessions that are over, and tokens that were over 30 days ago.
func (s *Store) forgetEnded() error {
	now := time.Now()
	_, err := s.db.Exec(`DELETE FROM sessions WHERE ends_ms <= ? OR used_ms <= ?`, now.UnixMilli(), now.Add(-sessionIdle).UnixMilli())
	if err == nil {
		_, err = s.db.Exec(`DELETE FROM tokens WHERE expires_ms > 0 AND expires_ms <= ?`, now.Add(-keepExpired).UnixMilli())
	}
	return err
}
