package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// Deed is one row of the audit log: who did what, and what came of it.
type Deed struct {
	Seq     int64  `json:"seq"`
	AtMS    int64  `json:"at_ms"`
	Who     string `json:"-"` // ID; "" = somebody who was not in
	Name    string `json:"name"`
	Role    string `json:"role"`
	Via     string `json:"via"`
	From    string `json:"from"` // address
	What    string `json:"what"` // a command, or a word for a request
	Detail  string `json:"detail"`
	Outcome string `json:"outcome"` // "ok", or the error's code
}

const (
	keepDeeds     = 20_000 // the newest
	keepStrangers = 2_000  // … of those without Who: whoever tries passwords from many addresses pushes out nothing but that
	maxDetail     = 200    // bytes
)

// Audit adds deeds, in one transaction, and drops what is too old.
func (s *Store) Audit(ctx context.Context, deeds []Deed) error {
	if len(deeds) == 0 {
		return nil
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		strangers := false
		for _, d := range deeds {
			strangers = strangers || d.Who == ""
			_, err := tx.ExecContext(ctx, `INSERT INTO audit (at_ms, who, name, role, via, address, what, detail, outcome) VALUES (?,?,?,?,?,?,?,?,?)`,
				d.AtMS, d.Who, plainText(d.Name, maxDetail), d.Role, d.Via, plainText(d.From, 64), plainText(d.What, 64), plainText(d.Detail, maxDetail), d.Outcome)
			if err != nil {
				return err
			}
		}
		if strangers { // it looks through all
			if _, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE who = '' AND seq <= (SELECT seq FROM audit WHERE who = '' ORDER BY seq DESC LIMIT 1 OFFSET ?)`, keepStrangers); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE seq <= (SELECT seq FROM audit ORDER BY seq DESC LIMIT 1 OFFSET ?)`, keepDeeds)
		return err
	})
	if err != nil {
		return fmt.Errorf("write audit log: %w", noSpace(err))
	}
	return nil
}

// Deeds returns at most limit rows of the audit log that come before the one numbered before, 0 for the newest; the newest first.
func (s *Store) Deeds(ctx context.Context, before int64, limit int) ([]Deed, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.QueryContext(ctx, `SELECT seq, at_ms, who, name, role, via, address, what, detail, outcome FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer rows.Close()
	deeds := []Deed{}
	for rows.Next() {
		var d Deed
		if err := rows.Scan(&d.Seq, &d.AtMS, &d.Who, &d.Name, &d.Role, &d.Via, &d.From, &d.What, &d.Detail, &d.Outcome); err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		deeds = append(deeds, d)
	}
	return deeds, rows.Err()
}
