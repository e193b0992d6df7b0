package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"layerd/internal/store"
)

// What is restored goes
//
//	DIR/restoring/   unpacked and checked; swept away by the next start
//	DIR/restored/    by one rename: from here on it is decided
//	DIR              part after part, the database last; Finish goes on with it after a power cut
//
// A start finds it out by the names alone.

const (
	// Waiting is the name under which a backup lies in an otherwise empty data directory, to be restored by the next start.
	Waiting = "restore.layerd-backup"
	// Done is what it is called after that.
	Done = "restored.layerd-backup"

	restoringDir = "restoring"
	restoredDir  = "restored"
)

// ErrNotEmpty is a data directory with something in it that a backup would replace.
var ErrNotEmpty = errors.New("there is a layerd in this data directory already")

// OnStart is for a daemon, before it opens the data directory dir: it finishes a restore that was begun, and restores the backup that waits in an empty
// directory. It reports what it restored, as far as that is
// known; nil is nothing. ErrNotEmpty: one waits, but there is something already; the daemon can go on with that. It blocks.
func OnStart(ctx context.Context, dir string) (*Manifest, error) {
	finished, err := finishLocked(dir)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, Waiting)
	if finished {
		if err := os.Rename(name, filepath.Join(dir, Done)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("restore: %w", err)
		}
		return &Manifest{}, nil
	}
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	f, err := open(name)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", name, err)
	}
	defer f.Close()
	m, err := Restore(ctx, f, dir)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", name, err)
	}
	if err := errors.Join(os.Rename(name, filepath.Join(dir, Done)), syncDir(dir)); err != nil {
		return nil, fmt.Errorf("restore %s: %w", name, err)
	}
	return &m, nil
}

// finishLocked is finish where there is something to finish, or to sweep away. It may be another's that is at it this moment: store.ErrLocked.
func finishLocked(dir string) (bool, error) {
	_, begun := os.Lstat(filepath.Join(dir, restoringDir))
	_, decided := os.Lstat(filepath.Join(dir, restoredDir))
	if errors.Is(begun, fs.ErrNotExist) && errors.Is(decided, fs.ErrNotExist) {
		return false, nil
	}
	lock, err := store.Lock(dir)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	return finish(dir)
}

// open opens a regular file, and no pipe that would never end.
func open(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: let the service read it, with chmod 644", err)
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(fmt.Errorf("%w: it is no file", ErrNotBackup), err)
	}
	return f, nil
}

// Restore makes a layerd of a backup in dir, which must have no database but one that nobody has used, nor uploads or timelapses where the backup has some: ErrNotEmpty otherwise, and
// store.ErrLocked while a daemon uses it. Nothing is restored unless all of it is.
func Restore(ctx context.Context, r io.Reader, dir string) (Manifest, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Manifest{}, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := store.Lock(dir)
	if err != nil {
		return Manifest{}, err
	}
	defer lock.Close()
	if owner, err := ownerOf(dir); err != nil {
		return Manifest{}, err
	} else if owner != nil {
		if err := lock.Chown(owner.uid, owner.gid); err != nil {
			return Manifest{}, fmt.Errorf("restore: %w", err)
		}
	}
	if _, err := finish(dir); err != nil { // of an earlier one, which a power cut has ended
		return Manifest{}, err
	}
	m, err := Stage(ctx, r, dir)
	if err != nil {
		return m, err
	}
	_, err = finish(dir)
	return m, err
}

// Stage is Restore for a daemon that uses dir, and is nobody's yet: its database is replaced when it starts the next time, by OnStart.
func Stage(ctx context.Context, r io.Reader, dir string) (m Manifest, err error) {
	if err := unused(ctx, dir); err != nil {
		return m, err
	}
	work := filepath.Join(dir, restoringDir)
	if err := os.RemoveAll(work); err != nil {
		return m, fmt.Errorf("clear up after an earlier restore: %w", err)
	}
	if err := os.Mkdir(work, 0o700); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	if m, err = unpack(ctx, r, work, true); err != nil {
		return m, err
	}
	if err := settle(work, dir); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	if err := errors.Join(unused(ctx, dir), vacant(work, dir)); err != nil { // a daemon may have found its owner while all that came
		return m, err
	}
	if err := os.Rename(work, filepath.Join(dir, restoredDir)); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	return m, syncDir(dir)
}

// settle leaves of what was unpacked what belongs to a data directory, brings all names to the disk, and gives what root has restored to whom the data
// directory belongs.
func settle(work, dir string) error {
	for _, made := range []string{"lock", "tmp", "arcs", filesDir} { // by opening it once; folders with something in them stay
		os.Remove(filepath.Join(work, made))
	}
	owner, err := ownerOf(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(work, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if owner != nil {
			if err := os.Lchown(name, owner.uid, owner.gid); err != nil {
				return err
			}
		}
		if entry.IsDir() {
			return syncDir(name)
		}
		return nil
	})
}

type owner struct{ uid, gid int }

// ownerOf is whom a data directory belongs to, when we are root and he is not; else nil.
func ownerOf(dir string) (*owner, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return nil, fmt.Errorf("look at the data directory: %w", err)
	}
	if os.Geteuid() != 0 || st.Uid == 0 {
		return nil, nil
	}
	return &owner{int(st.Uid), int(st.Gid)}, nil
}

// finish puts what was decided upon into its places, the database last, and reports whether there was something. It may be called again after a power cut
// at any moment of it: what has moved is no longer there.
func finish(dir string) (bool, error) {
	if err := os.RemoveAll(filepath.Join(dir, restoringDir)); err != nil {
		return false, fmt.Errorf("clear up after an earlier restore: %w", err)
	}
	from := filepath.Join(dir, restoredDir)
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finish a restore: %w", err)
	}
	move := func(name string) error {
		to := filepath.Join(dir, name)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		return os.Rename(filepath.Join(from, name), to)
	}
	var errs []error
	for _, entry := range entries {
		if slices.Contains([]string{filesDir, filmsDir}, entry.Name()) {
			errs = append(errs, move(entry.Name()))
		}
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == store.DatabaseFile }) {
		for _, beside := range []string{"-wal", "-shm", "-journal"} { // of the one that is replaced; once it is, they are the new one's
			errs = append(errs, os.RemoveAll(filepath.Join(dir, store.DatabaseFile+beside)))
		}
		if errs = append(errs, syncDir(dir)); errors.Join(errs...) == nil { // a WAL that is left would be worked into the new one
			errs = append(errs, move(store.DatabaseFile))
		}
	}
	if err := errors.Join(append(errs, syncDir(dir))...); err != nil {
		return false, fmt.Errorf("finish a restore: %w", err)
	}
	if err := errors.Join(os.RemoveAll(from), syncDir(dir)); err != nil {
		return false, fmt.Errorf("finish a restore: %w", err)
	}
	return true, nil
}

// unused is nil where dir has no database, or one that nobody has used: a service that was started once, as packages do, is in nobody's way.
func unused(ctx context.Context, dir string) error {
	_, err := os.Lstat(filepath.Join(dir, store.DatabaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	untouched := false
	if err == nil {
		untouched, err = store.Untouched(ctx, dir)
	}
	if err == nil && untouched {
		return nil
	}
	return errors.Join(notEmpty(dir, store.DatabaseFile), err)
}

// vacant is nil when of the folders in work none has anything in it in dir.
func vacant(work, dir string) error {
	entries, err := os.ReadDir(work)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		there, err := os.ReadDir(filepath.Join(dir, entry.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look into the data directory: %w", err)
		}
		if len(there) > 0 {
			return notEmpty(dir, entry.Name())
		}
	}
	return err
}

func notEmpty(dir, name string) error {
	return fmt.Errorf("%w (%s): restore into an empty one, or move %s out of %s first", ErrNotEmpty, name, name, dir)
}

func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
