package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"layerd/gcode"
	"layerd/internal/unpack"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Put streams r into the file at UploadPath(path) and returns it when it is whole, surveyed and synced to the disk; until then nothing of
// it can be seen. What is packed (package unpack) is stored as the text in it, whatever its name says. size is the announced size of what comes, -1
// when unknown. An existing file is replaced only with overwrite, and never while it is printed. Missing folders are made. On any error nothing is
// left behind.
//
// It ends between two reads when ctx ends; a Read that blocks is the caller's to end.
func (s *Store) Put(ctx context.Context, path string, r io.Reader, size int64, overwrite bool) (File, error) {
	return s.PutIf(ctx, path, r, size, overwrite, func(*gcode.Survey) error { return nil })
}

// PutIf is Put for a file that accept is asked about when it is whole and surveyed. When accept refuses, its error is returned, wrapped, and
// what was there before stays. Where r has a method Rest(), it is called before each piece of text that is unpacked, which is work that reading r
// less often does not make less; and its method Done(), if it has one, when all is read.
func (s *Store) PutIf(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) error) (File, error) {
	return s.PutLate(ctx, path, r, size, overwrite, func(survey *gcode.Survey) (string, bool, error) { return path, overwrite, accept(survey) })
}

// PutLate is PutIf for a file whose name may turn out to be another: accept has the last word on path and overwrite. What can be refused by those
// that are known at first is refused unread; path is "" where nothing is known of it yet.
func (s *Store) PutLate(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) (path string, overwrite bool, err error)) (File, error) {
	clean, called := "", "a file"
	if path != "" {
		var err error
		if clean, err = UploadPath(path); err != nil {
			return File{}, err
		}
		called = clean
	}
	if err := s.welcome(ctx, clean, size, overwrite); err != nil {
		return File{}, fmt.Errorf("upload %s: %w", called, err)
	}
	temp, err := s.receive(ctx, r, size)
	if err != nil {
		return File{}, fmt.Errorf("upload %s: %w", called, noSpace(err))
	}
	path, overwrite, err = accept(&temp.survey)
	if err == nil {
		clean, err = UploadPath(path)
	}
	if err != nil {
		s.tmp.Remove(temp.name)
		return File{}, fmt.Errorf("upload %s: %w", called, err)
	}
	// From here on it is a matter of milliseconds, and half of it would be worse than all of it.
	if err := s.publish(context.WithoutCancel(ctx), temp, clean, overwrite); err != nil {
		s.tmp.Remove(temp.name)
		return File{}, fmt.Errorf("upload %s: %w", clean, noSpace(err))
	}
	return s.Stat(context.WithoutCancel(ctx), clean)
}

// welcome refuses before the first byte what would be refused after the last.
func (s *Store) welcome(ctx context.Context, path string, bytes int64, overwrite bool) error {
	if bytes > s.limits.MaxFileBytes {
		return s.tooBig()
	}
	if err := s.room(max(bytes, 0)); err != nil || path == "" {
		return err
	}
	done, err := turn(ctx, s.naming)
	if err != nil {
		return err
	}
	defer done()
	return s.vacant(path, overwrite)
}

func (s *Store) tooBig() error {
	return fmt.Errorf("%w: the limit is %s", ErrTooBig, size(s.limits.MaxFileBytes))
}

// vacant is nil when a file may get this name. The caller holds naming.
func (s *Store) vacant(path string, overwrite bool) error {
	if s.inUse(path) {
		return ErrInUse
	}
	info, err := s.lstat(path)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%w: it is a folder", ErrExists)
	case !overwrite:
		return ErrExists
	}
	return nil
}

// temporary is an upload that is whole and synced but has no name yet.
type temporary struct {
	name string // in tmp
	info fs.FileInfo
	content
}

// receive streams the text of r into a temporary file, of which nothing remains on error.
func (s *Store) receive(ctx context.Context, r io.Reader, announced int64) (t temporary, err error) {
	t.name = "up-" + newID()
	f, err := s.tmp.OpenFile(t.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return t, err
	}
	whole := false
	defer func() { // after a panic too
		if !whole {
			f.Close()
			s.tmp.Remove(t.name)
		}
	}()
	text, err := unpack.Open(&arrival{ctx: ctx, r: r, announced: announced, check: s.meter()}, s.spool)
	if err != nil {
		return t, packedWrongly(err)
	}
	defer text.Close()
	if t.content, _, err = s.read(ctx, inPieces(text, r), f, s.meter()); err != nil {
		return t, packedWrongly(err)
	}
	if err = s.reckonAgain(ctx, &t.content, f, restOf(r)); err != nil {
		return t, fmt.Errorf("survey: %w", err)
	}
	rested(r)
	if err = f.Sync(); err != nil {
		return t, fmt.Errorf("sync: %w", err)
	}
	if t.info, err = f.Stat(); err != nil {
		return t, err
	}
	whole = true
	return t, f.Close()
}

// publish gives an upload its name.
func (s *Store) publish(ctx context.Context, t temporary, name string, overwrite bool) (err error) {
	done, err := turn(ctx, s.naming)
	if err != nil {
		return err
	}
	defer done()
	if err := s.vacant(name, overwrite); err != nil { // it may have been taken while we received
		return err
	}
	// The row goes first. It is keyed by the size and time of the new file, so that it says nothing of an old one.
	if err := s.remember(ctx, name, t.info, t.content); err != nil {
		return err
	}
	made, err := s.makeFolders(path.Dir(name))
	if err == nil {
		err = s.moveIn(t.name, s.files, name)
	}
	if err != nil {
		s.unmake(made)
		old, _ := s.lstat(name) // nil when there is none
		return errors.Join(err, s.forget(ctx, name, old))
	}
	s.announce()
	// What is left to do is to forget the file that was replaced. The row is harmless, and the next Open drops it too.
	s.forget(ctx, name, t.info)
	return nil
}

// moveIn renames a file in tmp to name in root and syncs both folders. It goes through open directories, so that no link
// on the way is followed outside.
func (s *Store) moveIn(temp string, root *os.Root, name string) error {
	from, err := s.tmp.Open(".")
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer to.Close()
	if err := unix.Renameat(int(from.Fd()), temp, int(to.Fd()), path.Base(name)); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	if err := to.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// makeFolders makes dir and what is missing above it, synced, and returns what it made, the outermost first.
func (s *Store) makeFolders(dir string) (made []string, err error) {
	if dir == "." {
		return nil, nil
	}
	info, err := s.lstat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil, nil
	case err == nil:
		return nil, fmt.Errorf("%w: %s is not a folder", ErrExists, dir)
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	if made, err = s.makeFolders(path.Dir(dir)); err != nil {
		return made, err
	}
	if err := s.files.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) { // a link, or something else that is not shown
			err = fmt.Errorf("%w: %s is not a folder", ErrExists, dir)
		}
		return made, err
	}
	made = append(made, dir)
	return made, syncIn(s.files, path.Dir(dir))
}

// unmake takes back what makeFolders made, as far as it is still empty.
func (s *Store) unmake(made []string) {
	for i := len(made) - 1; i >= 0; i-- {
		s.files.Remove(made[i])
	}
}
