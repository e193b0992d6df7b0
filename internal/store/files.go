package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"layerd/gcode"
	"os"
	"path"
	"slices"
)

// File is one file or folder. Paths use '/', have no leading one, and are relative to the store.
type File struct {
	Path        string  `json:"path"`
	Name        string  `json:"name"` // last part of Path
	Folder      bool    `json:"folder"`
	Bytes       int64   `json:"bytes"`
	ModifiedMS  int64   `json:"modified_ms"`
	SHA256      string  `json:"sha256"`    // hex; "" for a file copied in by hand that nobody has asked a Survey of
	Thumbnail   bool    `json:"thumbnail"` // Thumbnail(path) has one
	Prints      int     `json:"prints"`    // finished ones in the history with this content
	LastOutcome string  `json:"last_outcome"`
	EstimateS   float64 `json:"estimate_s"`
	FilamentMM  float64 `json:"filament_mm"`
	Layers      int     `json:"layers"`
}

func describe(name string, info fs.FileInfo, f facts) File {
	file := File{Path: name, Name: path.Base(name), Folder: info.IsDir(), ModifiedMS: info.ModTime().UnixMilli()}
	if file.Folder {
		return file
	}
	file.Bytes, file.SHA256, file.Thumbnail = info.Size(), f.sha256, f.thumbnail
	file.Prints, file.LastOutcome = f.prints, f.lastOutcome
	file.EstimateS, file.FilamentMM, file.Layers = f.estimateS, f.filamentMM, f.layers
	return file
}

// Files lists everything, sorted by path.
func (s *Store) Files(ctx context.Context) ([]File, error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	files := []File{}
	err = s.walk(ctx, func(name string, info fs.FileInfo) {
		files = append(files, describe(name, info, known[keyOf(name, info)]))
	})
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// walk calls visit with each folder and each file that can be printed. Links and other things that people put there are not seen.
func (s *Store) walk(ctx context.Context, visit func(name string, info fs.FileInfo)) error {
	return fs.WalkDir(s.files.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case name == ".":
			return err
		case err != nil: // gone meanwhile, or a folder that we may not read
			return nil
		case !reachable(name):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.IsDir() && (!entry.Type().IsRegular() || checkExtension(name) != nil):
			return nil
		}
		info, err := entry.Info()
		if err == nil { // else gone meanwhile
			visit(name, info)
		}
		return nil
	})
}

// Stat describes one file or folder.
func (s *Store) Stat(ctx context.Context, path string) (File, error) {
	name, info, err := s.find(path)
	if err != nil {
		return File{}, err
	}
	f, _, err := s.knownOf(ctx, keyOf(name, info))
	if err != nil {
		return File{}, err
	}
	return describe(name, info, f), nil
}

// find looks up a client's path: as it stands, since files copied in by hand have names of any kind, else as CleanPath makes it.
func (s *Store) find(path string) (string, fs.FileInfo, error) {
	if reachable(path) {
		if info, err := s.lstat(path); !errors.Is(err, ErrNotFound) {
			return path, info, err
		}
	}
	clean, err := CleanPath(path)
	if err != nil {
		return "", nil, err
	}
	info, err := s.lstat(clean)
	return clean, info, err
}

// findFile is find for a file that can be printed.
func (s *Store) findFile(path string) (string, fs.FileInfo, error) {
	name, info, err := s.find(path)
	switch {
	case err != nil:
		return "", nil, err
	case info.IsDir():
		return "", nil, fmt.Errorf("%w: %s is a folder", ErrNotFound, name)
	}
	return name, info, nil
}

// lstat returns a folder or a file that can be printed. Anything else, and anything behind a link, is ErrNotFound: links
// could lead out of the directory, or give the file being printed a second name.
func (s *Store) lstat(name string) (fs.FileInfo, error) {
	if dir := path.Dir(name); dir != "." {
		if info, err := s.lstat(dir); err != nil {
			return nil, err
		} else if !info.IsDir() {
			return nil, ErrNotFound
		}
	}
	info, err := s.files.Lstat(name)
	if err != nil {
		return nil, missing(err)
	}
	if !info.IsDir() && (!info.Mode().IsRegular() || checkExtension(name) != nil) {
		return nil, ErrNotFound
	}
	return info, nil
}

// OpenFile opens a file for reading; the caller closes it.
func (s *Store) OpenFile(ctx context.Context, path string) (*os.File, File, error) {
	name, _, err := s.findFile(path)
	if err != nil {
		return nil, File{}, err
	}
	f, err := s.files.Open(name)
	if err != nil {
		return nil, File{}, fmt.Errorf("open %s: %w", name, missing(err))
	}
	info, err := f.Stat() // of what we really have
	if err == nil {
		var known facts
		if known, _, err = s.knownOf(ctx, keyOf(name, info)); err == nil {
			return f, describe(name, info, known), nil
		}
	}
	f.Close()
	return nil, File{}, fmt.Errorf("open %s: %w", name, err)
}

// Survey returns what is known of a file, without thumbnails. A file that was copied in by hand is read through once, which takes
// a while for a big one; it fails with ErrNotGCode when it cannot be printed.
func (s *Store) Survey(ctx context.Context, path string) (gcode.Survey, error) {
	name, info, err := s.findFile(path)
	if err != nil {
		return gcode.Survey{}, err
	}
	survey, err := s.stored(ctx, keyOf(name, info))
	if !errors.Is(err, errUnknown) {
		return survey, err
	}
	done, err := turn(ctx, s.surveying)
	if err != nil {
		return gcode.Survey{}, err
	}
	defer done()
	if survey, err = s.stored(ctx, keyOf(name, info)); !errors.Is(err, errUnknown) { // somebody else was first
		return survey, err
	}
	f, err := s.files.Open(name)
	if err != nil {
		return gcode.Survey{}, fmt.Errorf("survey %s: %w", name, missing(err))
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil { // before reading: a file that still grows is then not known, rather than known wrongly
		return gcode.Survey{}, fmt.Errorf("survey %s: %w", name, err)
	}
	rest, rested := s.paced()
	defer rested()
	c, _, err := s.read(ctx, cancelled{f, ctx, rest}, nil, nil)
	if err != nil {
		return gcode.Survey{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.reckonAgain(ctx, &c, f, rest); err != nil {
		return gcode.Survey{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.remember(ctx, name, info, c); err != nil {
		return gcode.Survey{}, fmt.Errorf("keep survey of %s: %w", name, err)
	}
	s.announce() // it now has a picture and an estimate
	c.survey.Thumbnails = nil
	return c.survey, nil
}

var errUnknown = errors.New("nothing is known of this file")

// stored reads a survey from the database.
func (s *Store) stored(ctx context.Context, key fileKey) (gcode.Survey, error) {
	var survey gcode.Survey
	var data []byte
	var revision int
	err := s.queryContent(ctx, key, `c.survey, c.revision`, &data, &revision)
	if err != nil {
		return survey, err
	}
	if revision != surveyRevision {
		return survey, errUnknown
	}
	if err := json.Unmarshal(data, &survey); err != nil {
		return survey, fmt.Errorf("read survey of %s: %w", key.path, err)
	}
	if s.outdated(&survey) {
		return survey, errUnknown
	}
	return survey, nil
}

// Thumbnail returns the biggest picture of the file and its media type.
func (s *Store) Thumbnail(ctx context.Context, path string) (data []byte, mediaType string, err error) {
	name, info, err := s.findFile(path)
	if err != nil {
		return nil, "", err
	}
	err = s.queryContent(ctx, keyOf(name, info), `c.thumb_type, c.thumb`, &mediaType, &data)
	if errors.Is(err, errUnknown) || err == nil && mediaType == "" {
		return nil, "", fmt.Errorf("%w: %s has no picture", ErrNotFound, name)
	}
	return data, mediaType, err
}
