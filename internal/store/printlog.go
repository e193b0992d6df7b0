package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// LogLine is one line of the conversation with the printer before a print failed.
type LogLine struct {
	AtMS int64  `json:"at_ms"`
	Dir  string `json:"dir"` // "out", "in", or "note" for our own remarks
	Text string `json:"text"`
}

// keptLogs bounds what failed prints cost, some ten KiB each; the oldest logs go first.
const keptLogs = 200

// KeepLog keeps the last lines before the print named id failed, in place of those that were kept of it; none keep nothing. Like EndPrint it
// does so even when ctx has ended.
func (s *Store) KeepLog(ctx context.Context, id string, lines []LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	text, err := json.Marshal(lines)
	if err == nil {
		err = s.write(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO print_logs (id, lines) VALUES (?,?)`, id, text); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `DELETE FROM print_logs WHERE rowid <= (SELECT max(rowid) FROM print_logs) - ?`, keptLogs)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keep the log of print %s: %w", id, err)
	}
	return nil
}

// PrintLog returns what KeepLog kept, the oldest line first; nothing for a print of which no lines were kept, such as one that did not fail.
func (s *Store) PrintLog(ctx context.Context, id string) ([]LogLine, error) {
	lines := []LogLine{}
	var text []byte
	err := s.db.QueryRowContext(ctx, `SELECT lines FROM print_logs WHERE id = ?`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return lines, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &lines)
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of print %s: %w", id, err)
	}
	return lines, nil
}
