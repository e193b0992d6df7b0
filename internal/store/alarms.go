package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Alarm is a shift that was found in a print.
type Alarm struct {
	ID            int64 // 0 = a new one
	Print         string
	AtMS          int64
	About         json.RawMessage // what was found, as who found it says it
	Before, After []byte          // JPEG: the last good picture, and the one that shows it; none, or at most maxEvidenceBytes each
}

const (
	keptAlarms       = 200     // bounds what they cost, some hundred KiB each; the oldest go first
	maxEvidenceBytes = 2 << 20 // of a picture: what cameras of 1080p give is well below
)

// KeepAlarm keeps an alarm, in place of the one with its ID, and returns its ID. A picture that is too big is left out. ErrNotKept when the one that
// it should replace is gone. It ends with ctx, and so layerd with it.
func (s *Store) KeepAlarm(ctx context.Context, a Alarm) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for _, jpeg := range []*[]byte{&a.Before, &a.After} {
		if *jpeg == nil || len(*jpeg) > maxEvidenceBytes {
			*jpeg = []byte{}
		}
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if a.ID != 0 {
			done, err := tx.ExecContext(ctx, `UPDATE print_alarms SET about = ?, before_jpeg = ?, after_jpeg = ? WHERE id = ?`, []byte(a.About), a.Before, a.After, a.ID)
			if err = oneRow(done, err); errors.Is(err, ErrNoPrint) {
				err = ErrNotKept
			}
			return err
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO print_alarms (print, at_ms, about, before_jpeg, after_jpeg) VALUES (?,?,?,?,?)`, a.Print, a.AtMS, []byte(a.About), a.Before, a.After)
		if err != nil {
			return err
		}
		if a.ID, err = done.LastInsertId(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM print_alarms WHERE id NOT IN (SELECT id FROM print_alarms ORDER BY id DESC LIMIT ?)`, keptAlarms)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keep an alarm of print %s: %w", a.Print, noSpace(err))
	}
	return a.ID, nil
}

// Alarms returns what was found in the print named id, the first one first, without pictures.
func (s *Store) Alarms(ctx context.Context, id string) ([]Alarm, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, print, at_ms, about FROM print_alarms WHERE print = ? ORDER BY id`, id)
	if err != nil {
		return nil, fmt.Errorf("read the alarms of print %s: %w", id, err)
	}
	defer rows.Close()
	all := []Alarm{}
	for rows.Next() {
		var a Alarm
		var about []byte
		if err := rows.Scan(&a.ID, &a.Print, &a.AtMS, &about); err != nil {
			return nil, fmt.Errorf("read the alarms of print %s: %w", id, err)
		}
		a.About = about
		all = append(all, a)
	}
	return all, rows.Err()
}

// AlarmPicture returns one of an alarm's two pictures; ErrNotKept when there is none.
func (s *Store) AlarmPicture(ctx context.Context, id int64, after bool) ([]byte, error) {
	column := "before_jpeg"
	if after {
		column = "after_jpeg"
	}
	var jpeg []byte
	err := s.db.QueryRowContext(ctx, `SELECT `+column+` FROM print_alarms WHERE id = ?`, id).Scan(&jpeg)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(jpeg) == 0 {
		err = ErrNotKept
	}
	if err != nil {
		return nil, fmt.Errorf("read a picture of alarm %d: %w", id, err)
	}
	return jpeg, nil
}
