package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Setting reads a setting into v (JSON); found is false, and v untouched, when it was never set.
func (s *Store) Setting(ctx context.Context, key string, v any) (found bool, err error) {
	var value string
	err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(value), v)
	}
	if err != nil {
		return false, fmt.Errorf("read setting %s: %w", key, err)
	}
	return true, nil
}

// SetSetting keeps v (JSON) under key, synced to the disk when it returns.
func (s *Store) SetSetting(ctx context.Context, key string, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep setting %s: %w", key, err)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO settings (key, value, changed_ms) VALUES (?1, ?2, ?3)
		ON CONFLICT (key) DO UPDATE SET value = ?2, changed_ms = ?3`, key, string(value), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep setting %s: %w", key, noSpace(err))
	}
	return nil
}
