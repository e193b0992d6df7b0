package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What comes from another program, once: its history, its keys.

// AdoptPrints adds prints that another program has made, with their end, and returns how many were not there yet, by their IDs. They come before all of
// layerd's own, by whose order they have negative numbers: none of them is ever taken for the last print.
func (s *Store) AdoptPrints(ctx context.Context, prints []Print) (added int, err error) {
	slices.SortStableFunc(prints, func(a, b Print) int { return int(min(max(b.EndedMS-a.EndedMS, -1), 1)) }) // the newest first
	err = s.write(ctx, func(tx *sql.Tx) error {
		var first int64
		if err := tx.QueryRowContext(ctx, `SELECT min(coalesce(min(seq), 1), 1) FROM prints`).Scan(&first); err != nil {
			return err
		}
		for _, p := range prints {
			if p.ID == "" || p.Outcome == "" {
				return fmt.Errorf("print %q of %q: needs an ID and an outcome", p.ID, p.File)
			}
			first--
			if first == 0 { // 0 is no number of SQLite's own
				first--
			}
			result, err := tx.ExecContext(ctx, `INSERT INTO prints (seq, id, file, sha256, by_whom, started_ms, ended_ms, outcome, reason, fault,
				elapsed_s, filament_mm, line, "offset", layer, layers, z_mm, percent, journal_ms)
				VALUES (?,?,?,?,?,?,?,?,?,'',?,?,0,0,0,0,0,?,?) ON CONFLICT (id) DO NOTHING`,
				first, p.ID, p.File, p.SHA256, p.By, p.StartedMS, p.EndedMS, p.Outcome, p.Reason, p.ElapsedS, p.FilamentMM, p.Percent, p.EndedMS)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add prints of another program: %w", err)
	}
	s.announce()
	return added, nil
}

// minSecret is the shortest secret of another program that is taken for a key, in bytes: of fewer the hash alone would tell it.
const minSecret = 24

// AdoptKey makes a token of a secret that another program has given out. It reports false when there is one of that secret already. ErrName as for
// CreateToken, ErrRole; and for a secret that is too short to be safe.
func (s *Store) AdoptKey(ctx context.Context, name, role, secret string) (added bool, err error) {
	if err = checkRole(role); err == nil {
		name, err = cleanName(name)
	}
	if err == nil && (len(secret) < minSecret || len(secret) > 256) {
		err = errors.New("its secret is too short, or too long")
	}
	if err != nil {
		return false, fmt.Errorf("take over key: %w", err)
	}
	result, err := s.db.ExecContext(ctx, `INSERT INTO tokens (id, name, role, hash, created_ms, used_ms, expires_ms, link) VALUES (?,?,?,?,?,0,0,0) ON CONFLICT (hash) DO NOTHING`,
		newID(), name, role, hashSecret(secret), time.Now().UnixMilli())
	if err == nil {
		var n int64
		n, err = result.RowsAffected()
		added = n > 0
	}
	if err != nil {
		return false, fmt.Errorf("take over key: %w", noSpace(err))
	}
	return added, nil
}

// Give gives all that root has made in the data directory dir to whom the directory belongs: a service that is not root could not use it. It does nothing
// for others than root, and in a directory that is root's.
func Give(dir string) error {
	var owner unix.Stat_t
	if err := unix.Stat(dir, &owner); err != nil {
		return fmt.Errorf("look at the data directory: %w", err)
	}
	if os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir) // nothing outside is given away, whatever the service puts in the place of a folder meanwhile
	if err == nil {
		defer root.Close()
		err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := root.Lstat(name)
			if err != nil {
				return err
			}
			if at, known := info.Sys().(*syscall.Stat_t); !known || at.Uid != 0 || !info.IsDir() && at.Nlink > 1 {
				return nil // a second name may be anywhere
			}
			return root.Lchown(name, int(owner.Uid), int(owner.Gid))
		})
	}
	if err != nil {
		return fmt.Errorf("give the data directory to whom it belongs: %w", err)
	}
	return nil
}
