package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What the disk says, in the store's own words.

// Free returns the bytes free for files.
func (s *Store) Free() (int64, error) {
	free, _, err := s.Disk()
	return free, err
}

// Disk returns the bytes free for files, and of the whole disk.
func (s *Store) Disk() (free, total int64, err error) {
	dir, err := s.files.Open(".")
	if err != nil {
		return 0, 0, fmt.Errorf("free disk space: %w", err)
	}
	defer dir.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &st); err != nil {
		return 0, 0, fmt.Errorf("free disk space: %w", err)
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil // Bavail: what is left for others than root
}

// Alive returns when the database has answered a question that it must look into its file for. It waits as long as ctx lets it.
func (s *Store) Alive(ctx context.Context) error {
	var version int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// DatabaseBytes is the size of the database, with what has not been worked into it yet.
func (s *Store) DatabaseBytes() int64 {
	var sum int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.name + suffix); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// room is nil when bytes more can be stored and the disk still keeps what Limits ask for. Copies with arcs make room: they can be made again.
func (s *Store) room(bytes int64) error {
	free, err := s.Free()
	if err == nil && free-bytes < s.limits.MinFreeBytes {
		s.keepFitted(context.Background(), 1)
		free, err = s.Free()
	}
	if err != nil {
		return err
	}
	if free-bytes < s.limits.MinFreeBytes {
		return fmt.Errorf("%w: %s are free and %s of them are kept", ErrNoSpace, size(free), size(s.limits.MinFreeBytes))
	}
	return nil
}

// noSpace wraps an error that means a full disk with ErrNoSpace, and one that means the system's own limit with ErrTooBig.
func noSpace(err error) error {
	if err == nil || errors.Is(err, ErrNoSpace) {
		return err
	}
	var db *sqlite.Error
	// IOERR_SHMSIZE: there is no room for the -shm file, which is made when the database is opened.
	full := errors.As(err, &db) && (db.Code()&0xff == sqlite3.SQLITE_FULL || db.Code() == sqlite3.SQLITE_IOERR_SHMSIZE)
	switch {
	case full, errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	case errors.Is(err, unix.EFBIG):
		return fmt.Errorf("%w: %w", ErrTooBig, err)
	}
	return err
}

// missing turns an error that means there is no such file into ErrNotFound: a name that is too long for the disk is nobody's.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENAMETOOLONG) {
		return ErrNotFound
	}
	return err
}

// syncDir makes the names in a directory survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncIn is syncDir for a folder of root.
func syncIn(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func readDir(root *os.Root, dir string) ([]os.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// size writes bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 10<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 10<<10:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
