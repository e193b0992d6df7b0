package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The queue is rows of the database, and each change of it is one transaction: nobody else owns it, and whoever reads it sees it whole.
// An entry goes: AddToQueue ─▶ (MoveInQueue, SetCopies) ─▶ BeginPrint with its ID ─▶ EndPrint takes one copy off when the print is done.

// Entry is a file in the queue.
type Entry struct {
	ID      int64  `json:"id"`
	File    string `json:"file"`
	Copies  int    `json:"copies"` // still to be printed
	By      string `json:"by"`
	AddedMS int64  `json:"added_ms"`
	Print   string `json:"print"` // ID of the print under way that it has begun, "" for none
}

const (
	maxEntries = 200
	maxCopies  = 999
)

// Queue returns the queue, the next one first.
func (s *Store) Queue(ctx context.Context) ([]Entry, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, file, copies, by_whom, added_ms, print FROM queue ORDER BY place, id`)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	defer rows.Close()
	all := []Entry{}
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.ID, &e.File, &e.Copies, &e.By, &e.AddedMS, &e.Print); err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// QueueChanged is closed when the queue has changed since the call.
func (s *Store) QueueChanged() <-chan struct{} { return s.queue.heard() }

// AddToQueue puts a file at the end of the queue.
func (s *Store) AddToQueue(ctx context.Context, file string, copies int, by string) (Entry, error) {
	if err := checkCopies(copies); err != nil {
		return Entry{}, err
	}
	f, err := s.Stat(ctx, file)
	if err == nil && f.Folder {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, fmt.Errorf("queue %s: %w", file, err)
	}
	e := Entry{File: f.Path, Copies: copies, By: by, AddedMS: time.Now().UnixMilli()}
	err = s.write(ctx, func(tx *sql.Tx) error {
		var n, last int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(place), 0) FROM queue`).Scan(&n, &last); err != nil {
			return err
		}
		if n >= maxEntries {
			return fmt.Errorf("%w: there are %d entries already", ErrQueue, n)
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO queue (place, file, copies, by_whom, added_ms) VALUES (?,?,?,?,?)`, last+1, e.File, e.Copies, e.By, e.AddedMS)
		if err == nil {
			e.ID, err = result.LastInsertId()
		}
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("queue %s: %w", file, err)
	}
	s.queue.ring()
	return e, nil
}

// MoveInQueue puts entry id before another one, or with before 0 at the end. ErrNoEntry when either is gone.
func (s *Store) MoveInQueue(ctx context.Context, id, before int64) error {
	return s.changeQueue(ctx, "move in the queue", func(tx *sql.Tx) error {
		order, err := queueOrder(ctx, tx)
		if err != nil {
			return err
		}
		at := slices.Index(order, id)
		if at < 0 || before != 0 && !slices.Contains(order, before) {
			return ErrNoEntry
		}
		if before == id {
			return nil
		}
		order = slices.Delete(order, at, at+1)
		to := len(order)
		if before != 0 {
			to = slices.Index(order, before)
		}
		for place, one := range slices.Insert(order, to, id) {
			if _, err := tx.ExecContext(ctx, `UPDATE queue SET place = ? WHERE id = ?`, place+1, one); err != nil {
				return err
			}
		}
		return nil
	})
}

func queueOrder(ctx context.Context, tx *sql.Tx) (ids []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM queue ORDER BY place, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// SetCopies changes how often an entry is still to be printed.
func (s *Store) SetCopies(ctx context.Context, id int64, copies int) error {
	if err := checkCopies(copies); err != nil {
		return err
	}
	return s.changeQueue(ctx, "change copies", func(tx *sql.Tx) error {
		return oneEntry(tx.ExecContext(ctx, `UPDATE queue SET copies = ? WHERE id = ?`, copies, id))
	})
}

// Unqueue takes an entry out. A print that it has begun goes on.
func (s *Store) Unqueue(ctx context.Context, id int64) error {
	return s.changeQueue(ctx, "take out of the queue", func(tx *sql.Tx) error {
		return oneEntry(tx.ExecContext(ctx, `DELETE FROM queue WHERE id = ?`, id))
	})
}

func (s *Store) changeQueue(ctx context.Context, doing string, change func(*sql.Tx) error) error {
	if err := s.write(ctx, change); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	s.queue.ring()
	return nil
}

func checkCopies(copies int) error {
	if copies < 1 || copies > maxCopies {
		return fmt.Errorf("%w: copies may be 1 to %d", ErrQueue, maxCopies)
	}
	return nil
}

func oneEntry(result sql.Result, err error) error {
	if err = oneRow(result, err); errors.Is(err, ErrNoPrint) {
		return ErrNoEntry
	}
	return err
}

// beginEntry notes that an entry's print has begun.
func beginEntry(ctx context.Context, tx *sql.Tx, id int64, print string) error {
	return oneEntry(tx.ExecContext(ctx, `UPDATE queue SET print = ? WHERE id = ?`, print, id))
}

// endEntry takes a copy off the entry whose print has ended well, and the entry with its last. One that ended otherwise stays as it was.
func endEntry(ctx context.Context, tx *sql.Tx, print string, done bool) error {
	less := 0
	if done {
		less = 1
	}
	if _, err := tx.ExecContext(ctx, `UPDATE queue SET copies = copies - ?, print = '' WHERE print = ?`, less, print); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM queue WHERE copies <= 0`)
	return err
}

// moveQueued lets entries follow their file, or a folder with it.
func moveQueued(ctx context.Context, tx *sql.Tx, from, to string) error {
	_, err := tx.ExecContext(ctx, `UPDATE queue SET file = ?2 || substr(file, length(?1) + 1)
		WHERE file = ?1 OR file > ?1 || '/' AND file < ?1 || '0'`, from, to)
	return err
}
