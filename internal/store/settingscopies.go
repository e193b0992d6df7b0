package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// SettingsCopy is what a printer's firmware said of its settings at one moment.
type SettingsCopy struct {
	ID       int64  `json:"id"`
	AtMS     int64  `json:"at_ms"`
	Firmware string `json:"firmware"`
	Machine  string `json:"machine"`
	Why      string `json:"why"` // what was about to happen, for people
	SHA256   string `json:"sha256"`
	Lines    int    `json:"lines"`
	Text     string `json:"-"` // the firmware's lines
}

// keptCopies bounds what is kept, some five KiB each; the oldest go first.
const keptCopies = 50

// KeepSettings keeps a copy, synced to the disk when it returns. One whose text is that of the newest is not kept again: that one is returned.
// ID, SHA256 and Lines are filled in.
func (s *Store) KeepSettings(ctx context.Context, c SettingsCopy) (SettingsCopy, error) {
	sum := sha256.Sum256([]byte(c.Text))
	c.SHA256, c.Lines = hex.EncodeToString(sum[:]), strings.Count(c.Text, "\n")
	err := s.write(ctx, func(tx *sql.Tx) error {
		newest, err := scanCopy(tx.QueryRowContext(ctx, `SELECT `+copyColumns+` FROM settings_copies ORDER BY id DESC LIMIT 1`))
		if err == nil && newest.SHA256 == c.SHA256 && newest.Firmware == c.Firmware {
			c = newest
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO settings_copies (at_ms, firmware, machine, why, sha256, lines, text) VALUES (?,?,?,?,?,?,?)`,
			c.AtMS, c.Firmware, c.Machine, c.Why, c.SHA256, c.Lines, c.Text)
		if err != nil {
			return err
		}
		if c.ID, err = done.LastInsertId(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM settings_copies WHERE id NOT IN (SELECT id FROM settings_copies ORDER BY id DESC LIMIT ?)`, keptCopies)
		return err
	})
	if err != nil {
		return SettingsCopy{}, fmt.Errorf("keep a copy of the printer's settings: %w", noSpace(err))
	}
	return c, nil
}

const copyColumns = `id, at_ms, firmware, machine, why, sha256, lines, text`

func scanCopy(row interface{ Scan(...any) error }) (c SettingsCopy, err error) {
	err = row.Scan(&c.ID, &c.AtMS, &c.Firmware, &c.Machine, &c.Why, &c.SHA256, &c.Lines, &c.Text)
	return c, err
}

// SettingsCopies lists what is kept, the newest first.
func (s *Store) SettingsCopies(ctx context.Context) ([]SettingsCopy, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+copyColumns+` FROM settings_copies ORDER BY id DESC`)
	if err != nil {
		return nil, fmt.Errorf("list copies of settings: %w", err)
	}
	defer rows.Close()
	all := []SettingsCopy{}
	for rows.Next() {
		c, err := scanCopy(rows)
		if err != nil {
			return nil, fmt.Errorf("list copies of settings: %w", err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list copies of settings: %w", err)
	}
	return all, nil
}

// SettingsCopy returns the one named id, or ErrNoCopy.
func (s *Store) SettingsCopy(ctx context.Context, id int64) (SettingsCopy, error) {
	c, err := scanCopy(s.db.QueryRowContext(ctx, `SELECT `+copyColumns+` FROM settings_copies WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNoCopy
	}
	if err != nil {
		return c, fmt.Errorf("read copy %d of settings: %w", id, err)
	}
	return c, nil
}

// DropSettingsCopy deletes the one named id, or returns ErrNoCopy.
func (s *Store) DropSettingsCopy(ctx context.Context, id int64) error {
	done, err := s.db.ExecContext(ctx, `DELETE FROM settings_copies WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("delete copy %d of settings: %w", id, err)
	}
	if n, err := done.RowsAffected(); err == nil && n == 0 {
		return ErrNoCopy
	}
	return nil
}
