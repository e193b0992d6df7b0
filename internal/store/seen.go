package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// When keys, sessions and people were last used is written together, and seldom: twenty programs that ask each second would have a card written twenty times a
// minute, for nothing that anybody misses. What is shown is exact all the same: whoever lists them has it written first. A power cut costs seenEvery of it.

const seenEvery = time.Hour

// seen is what the database has not been told yet. The zero value works.
type seen struct {
	mu    sync.Mutex // guards the rest
	rows  map[seenRow]int64
	since time.Time // of the first of them
}

type seenRow struct{ table, id string }

// note returns whether it is time to write.
func (n *seen) note(row seenRow, minute int64, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.rows) == 0 {
		n.rows, n.since = map[seenRow]int64{}, now
	}
	n.rows[row] = minute
	return now.Sub(n.since) >= seenEvery
}

// at is when a row was used last, 0 where the database knows.
func (n *seen) at(table, id string) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rows[seenRow{table, id}]
}

// take returns what is to be written, and has forgotten it.
func (n *seen) take() map[seenRow]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	rows := n.rows
	n.rows = nil
	return rows
}

// used notes that a row was used, to the minute; the first use of all is written at once. Who may come in may do so though the disk be full, so a failure is none
// of the look-up.
func (s *Store) used(ctx context.Context, table, id string, usedMS *int64) {
	now := time.Now()
	minute := now.Truncate(time.Minute).UnixMilli()
	if minute == max(*usedMS, s.seen.at(table, id)) {
		*usedMS = minute
		return
	}
	if s.seen.note(seenRow{table, id}, minute, now) || *usedMS == 0 {
		s.writeSeen(ctx)
	}
	*usedMS = minute
}

// writeSeen writes what was noted. What the disk refuses is noted again, if nothing newer was.
func (s *Store) writeSeen(ctx context.Context) {
	rows := s.seen.take()
	if len(rows) == 0 {
		return
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		for row, minute := range rows {
			if _, err := tx.ExecContext(ctx, `UPDATE `+row.table+` SET used_ms = max(used_ms, ?) WHERE id = ?`, minute, row.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	for row, minute := range s.seen.rows {
		rows[row] = minute
	}
	s.seen.rows, s.seen.since = rows, time.Now()
}
