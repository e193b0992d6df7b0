package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// What a print uses is booked like this: BeginPrint opens a part for each tool with a spool on it; Journal and EndPrint set the length of the open
// parts, in the transaction in which they set the print's own; PutOn closes a part and opens the next. Nothing is ever added to a length, so no
// repeat counts twice, and after a kill the parts say what the last journal entry says.

// beginUses opens the first part of each tool that has a spool.
func (s *Store) beginUses(ctx context.Context, tx *sql.Tx, print string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO spool_uses (print, tool, part, source, spool, name, g_per_m, from_mm, mm, closed)
		SELECT ?, tool, 0, source, spool, name, g_per_m, 0, 0, 0 FROM active_spools WHERE source = ?`, print, s.source)
	return err
}

// noteUses sets what the tools have used. A tool without a spool has a part that belongs to none.
func noteUses(ctx context.Context, tx *sql.Tx, p Print) error {
	for tool, mm := range p.ToolsMM {
		result, err := tx.ExecContext(ctx, `UPDATE spool_uses SET mm = max(0, ? - from_mm) WHERE print = ? AND tool = ? AND closed = 0`, mm, p.ID, tool)
		if err = oneRow(result, err); errors.Is(err, ErrNoPrint) {
			_, err = tx.ExecContext(ctx, `INSERT INTO spool_uses (print, tool, part, source, spool, name, g_per_m, from_mm, mm, closed) VALUES (?,?,0,'',0,'',0,0,?,0)`,
				p.ID, tool, mm)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changeUses ends the open part of the tool in the print under way, and begins one with the new spool. A part that has used nothing is changed instead.
func (s *Store) changeUses(ctx context.Context, tx *sql.Tx, a ActiveSpool) error {
	var print string
	err := tx.QueryRowContext(ctx, `SELECT id FROM prints WHERE outcome = '' ORDER BY seq DESC LIMIT 1`).Scan(&print)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	source := s.source
	if a.Spool == 0 {
		source = ""
	}
	part, fromMM, mm := -1, 0.0, 0.0
	var was int64
	var wasSource string
	err = tx.QueryRowContext(ctx, `SELECT part, source, spool, from_mm, mm FROM spool_uses WHERE print = ? AND tool = ? AND closed = 0`, print, a.Tool).
		Scan(&part, &wasSource, &was, &fromMM, &mm)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case part >= 0 && was == a.Spool && wasSource == source:
		return nil
	case part >= 0 && mm == 0:
		_, err = tx.ExecContext(ctx, `UPDATE spool_uses SET source = ?, spool = ?, name = ?, g_per_m = ? WHERE print = ? AND tool = ? AND part = ?`,
			source, a.Spool, a.Name, a.GPerM, print, a.Tool, part)
		return err
	}
	if _, err = tx.ExecContext(ctx, `UPDATE spool_uses SET closed = 1 WHERE print = ? AND tool = ? AND part = ?`, print, a.Tool, part); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO spool_uses (print, tool, part, source, spool, name, g_per_m, from_mm, mm, closed) VALUES (?,?,?,?,?,?,?,?,0,0)`,
		print, a.Tool, part+1, source, a.Spool, a.Name, a.GPerM, fromMM+mm)
	return err
}

// Use is a part of a print that is to be told to Spoolman.
type Use struct {
	Print     string
	Tool      int
	Part      int
	Spool     int64   // Spoolman's number
	MM        float64 // that it has not been told of
	SendingMM float64 // of these, what it was being told when its answer was lost; 0 = none
	SeenMM    float64 // the use that it knew before that
}

// leastMM is not worth telling.
const leastMM = 0.01

// DueUses returns what Spoolman is still to be told: of parts that have ended, the oldest first.
func (s *Store) DueUses(ctx context.Context) ([]Use, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT u.print, u.tool, u.part, u.spool, u.mm - u.sent_mm, u.sending_mm, u.seen_mm
		FROM spool_uses u JOIN prints p ON p.id = u.print
		WHERE u.source = ? AND u.mm - u.sent_mm > ? AND (u.closed = 1 OR p.outcome != '') ORDER BY p.seq, u.tool, u.part LIMIT 100`, Spoolman, leastMM)
	if err != nil {
		return nil, fmt.Errorf("read what Spoolman is to be told: %w", err)
	}
	defer rows.Close()
	var all []Use
	for rows.Next() {
		var u Use
		if err := rows.Scan(&u.Print, &u.Tool, &u.Part, &u.Spool, &u.MM, &u.SendingMM, &u.SeenMM); err != nil {
			return nil, fmt.Errorf("read what Spoolman is to be told: %w", err)
		}
		all = append(all, u)
	}
	return all, rows.Err()
}

// SendingUse keeps that a use is about to be told, when Spoolman knew of seenMM. It is on the disk when this returns.
func (s *Store) SendingUse(ctx context.Context, u Use, seenMM float64) error {
	return s.setUse(ctx, u, `UPDATE spool_uses SET sending_mm = ?, seen_mm = ?`, u.MM, seenMM)
}

// SentUse keeps that Spoolman has taken what it was being told.
func (s *Store) SentUse(ctx context.Context, u Use) error {
	defer s.spools.ring()
	return s.setUse(ctx, u, `UPDATE spool_uses SET sent_mm = sent_mm + sending_mm, sending_mm = 0, seen_mm = 0`)
}

// UnsentUse keeps that Spoolman has not taken what it was being told, so that it is told again.
func (s *Store) UnsentUse(ctx context.Context, u Use) error {
	return s.setUse(ctx, u, `UPDATE spool_uses SET sending_mm = 0, seen_mm = 0`)
}

// LostUse gives a use up: Spoolman has no such spool any more.
func (s *Store) LostUse(ctx context.Context, u Use) error {
	defer s.spools.ring()
	return s.setUse(ctx, u, `UPDATE spool_uses SET sent_mm = mm, sending_mm = 0, seen_mm = 0`)
}

func (s *Store) setUse(ctx context.Context, u Use, update string, args ...any) error {
	_, err := s.db.ExecContext(ctx, update+` WHERE print = ? AND tool = ? AND part = ?`, append(args, u.Print, u.Tool, u.Part)...)
	if err != nil {
		return fmt.Errorf("keep what Spoolman was told: %w", noSpace(err))
	}
	return nil
}

// UntoldMM returns what Spoolman has not been told of its spools, prints under way included.
func (s *Store) UntoldMM(ctx context.Context) (map[int64]float64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT spool, sum(mm - sent_mm) FROM spool_uses WHERE source = ? GROUP BY spool`, Spoolman)
	if err != nil {
		return nil, fmt.Errorf("read what Spoolman has not been told: %w", err)
	}
	defer rows.Close()
	all := map[int64]float64{}
	for rows.Next() {
		var spool int64
		var mm float64
		if err := rows.Scan(&spool, &mm); err != nil {
			return nil, fmt.Errorf("read what Spoolman has not been told: %w", err)
		}
		if mm > leastMM {
			all[spool] = mm
		}
	}
	return all, rows.Err()
}
