package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Changes of names: each takes its turn, so that what was looked at is still true when the name changes. The disk goes first;
// the database follows, and where a power cut comes between, a file is merely not known and is surveyed again when asked.

// Delete removes a file, or a folder when it is empty (else ErrNotEmpty).
func (s *Store) Delete(ctx context.Context, path string) error {
	done, err := turn(ctx, s.naming)
	if err != nil {
		return err
	}
	defer done()
	name, _, err := s.find(path)
	if err != nil {
		return err
	}
	if s.inUse(name) {
		return fmt.Errorf("delete %s: %w", name, ErrInUse)
	}
	if err := s.files.Remove(name); err != nil {
		if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
			err = ErrNotEmpty
		}
		return fmt.Errorf("delete %s: %w", name, missing(err))
	}
	s.announce()
	return s.afterDelete(context.WithoutCancel(ctx), name)
}

func (s *Store) afterDelete(ctx context.Context, name string) error {
	if err := syncIn(s.files, path.Dir(name)); err != nil {
		return fmt.Errorf("delete %s: sync folder: %w", name, err)
	}
	return s.forget(ctx, name, nil)
}

// Rename moves a file or folder. A file keeps an extension that can be printed, nothing is overwritten (ErrExists), and missing folders are made.
func (s *Store) Rename(ctx context.Context, from, to string) (File, error) {
	done, err := turn(ctx, s.naming)
	if err != nil {
		return File{}, err
	}
	defer done()
	name, info, err := s.find(from)
	if err != nil {
		return File{}, err
	}
	clean, err := CleanPath(to)
	if err != nil {
		return File{}, err
	}
	if clean == name {
		return s.Stat(ctx, name)
	}
	if err := s.mayRename(name, info, clean); err != nil {
		return File{}, fmt.Errorf("rename %s to %s: %w", name, clean, err)
	}
	ctx = context.WithoutCancel(ctx) // the rest belongs together
	if err := s.move(ctx, name, clean); err != nil {
		return File{}, fmt.Errorf("rename %s to %s: %w", name, clean, noSpace(err))
	}
	return s.Stat(ctx, clean)
}

func (s *Store) mayRename(from string, info fs.FileInfo, to string) error {
	if !info.IsDir() {
		if err := checkExtension(to); err != nil {
			return err
		}
	} else if strings.HasPrefix(to, from+"/") {
		return fmt.Errorf("%w: a folder cannot go into itself", ErrName)
	}
	if s.inUse(from) {
		return ErrInUse
	}
	// Not s.lstat: whatever has that name, a link or a text file too, would be overwritten.
	switch _, err := s.files.Lstat(to); {
	case err == nil:
		return ErrExists
	case !errors.Is(missing(err), ErrNotFound):
		return err
	}
	return nil
}

func (s *Store) move(ctx context.Context, from, to string) error {
	made, err := s.makeFolders(path.Dir(to))
	if err != nil {
		s.unmake(made)
		return err
	}
	if err := s.files.Rename(from, to); err != nil {
		s.unmake(made)
		return missing(err)
	}
	s.announce()
	for _, dir := range []string{path.Dir(to), path.Dir(from)} {
		if err := syncIn(s.files, dir); err != nil {
			return fmt.Errorf("sync folder: %w", err)
		}
	}
	return s.rememberMoved(ctx, from, to)
}

// MakeFolder makes a folder and what is missing above it.
func (s *Store) MakeFolder(ctx context.Context, path string) (File, error) {
	clean, err := CleanPath(path)
	if err != nil {
		return File{}, err
	}
	done, err := turn(ctx, s.naming)
	if err != nil {
		return File{}, err
	}
	defer done()
	made, err := s.makeFolders(clean)
	if err == nil && len(made) == 0 {
		err = ErrExists
	}
	if err != nil {
		s.unmake(made)
		return File{}, fmt.Errorf("make folder %s: %w", clean, noSpace(err))
	}
	s.announce()
	return s.Stat(ctx, clean)
}

// inUse reports whether a file is being printed, or a folder holds one that is. The caller holds naming.
func (s *Store) inUse(name string) bool {
	for _, running := range s.printing {
		if running == name || strings.HasPrefix(running, name+"/") {
			return true
		}
	}
	return false
}
