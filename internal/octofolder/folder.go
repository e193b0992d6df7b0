// Package octofolder reads what an OctoPrint keeps in its folder (~/.octoprint), or in a file of its Backup plugin, into plain values: what is to become of
// them is for others. The forms are those that OctoPrint 1.11.8 writes; testdata is such a folder.
//
//	config.yaml                   serial port, webcam, temperature presets
//	printerProfiles/*.profile     the printers
//	scripts/gcode/*               G-code for moments of a print, some of it in Jinja
//	users.yaml                    people; data/appkeys/keys.yaml keys of programs
//	uploads/, .metadata.json      files, and when each was printed
//	timelapse/                    films
//
// Nothing in it is believed: everything is bounded, links lead nowhere outside, and what cannot be read is said in Found.Odd and left out.
package octofolder

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// ErrNotOctoPrint is a folder or a file that is not OctoPrint's.
var ErrNotOctoPrint = errors.New("this is no folder of OctoPrint, and no backup of it")

const (
	maxText   = 1 << 20  // bytes of a file of settings
	maxMeta   = 64 << 20 // bytes of a folder's .metadata.json
	maxFiles  = 20_000   // uploads
	maxRuns   = 100_000  // prints
	maxOdd    = 100      // remarks
	maxOthers = 1000     // people, keys, profiles, scripts, films
	// shown bounds text of others that is shown to people, in runes.
	shown = 80
)

// Found is what was read.
type Found struct {
	Uploads  []Upload
	Profiles []Profile
	Used     string // ID of the profile in use, "" unknown
	Port     string // serial port; "" = it is detected
	Baud     int    // 0 = it is detected
	Camera   *Camera
	Presets  []Preset
	Scripts  []Script
	People   []Person
	Keys     []Key
	Films    []Film
	Odd      []string // what could not be read, and why, for people
}

// Upload is a file that can be printed, or was meant to.
type Upload struct {
	Path  string // below uploads/, with '/'
	Bytes int64
	Runs  []Run // the oldest first
}

// Run is a print of a file.
type Run struct {
	Ended   time.Time
	Took    time.Duration // 0 unknown
	Done    bool
	Profile string // ID of the printer's profile
}

// Film is a rendered timelapse.
type Film struct {
	Name  string // of the file, in timelapse/
	Bytes int64
}

// Folder is one that is open.
type Folder struct {
	files fs.FS
	close func() error
}

// Open opens a folder, or a zip file of the Backup plugin. ErrNotOctoPrint when it has no config.yaml.
func Open(name string) (*Folder, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	f := &Folder{}
	if info.IsDir() {
		root, err := os.OpenRoot(name) // no link leads out of it
		if err != nil {
			return nil, err
		}
		f.files, f.close = root.FS(), root.Close
	} else {
		packed, err := zip.OpenReader(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotOctoPrint, err)
		}
		f.files, err = fs.Sub(packed, "basedir")
		f.close = packed.Close
		if err != nil {
			packed.Close()
			return nil, err
		}
	}
	if info, err := fs.Stat(f.files, "config.yaml"); err != nil || !info.Mode().IsRegular() {
		f.close()
		return nil, fmt.Errorf("%w: %s has no config.yaml", ErrNotOctoPrint, name)
	}
	return f, nil
}

// Close closes it.
func (f *Folder) Close() error { return f.close() }

// OpenUpload opens an Upload by its Path.
func (f *Folder) OpenUpload(path string) (fs.File, error) { return f.open("uploads/" + path) }

// OpenFilm opens a Film by its Name.
func (f *Folder) OpenFilm(name string) (fs.File, error) { return f.open("timelapse/" + name) }

// open opens a regular file, and nothing behind a link: what a link in somebody's folder leads to was not given.
func (f *Folder) open(name string) (fs.File, error) {
	if info, err := fs.Lstat(f.files, name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %q: it is no file", name)
	}
	return f.files.Open(name)
}

// Read reads all that is of use. It blocks; ctx ends it between two files.
func (f *Folder) Read(ctx context.Context) (Found, error) {
	r := &reading{files: f, prints: map[string]bool{}}
	for _, read := range []func(){r.config, r.profiles, r.scripts, r.people, r.keys, func() { r.uploads(ctx) }, r.films} {
		if err := ctx.Err(); err != nil {
			return Found{}, err
		}
		read()
	}
	return r.found, ctx.Err()
}

// reading is a Folder that is being read.
type reading struct {
	files  *Folder
	found  Found
	prints map[string]bool // who may, by the name in users.yaml
}

// odd notes what could not be taken. Its text may be of others.
func (r *reading) odd(format string, args ...any) {
	switch n := len(r.found.Odd); {
	case n < maxOdd:
		r.found.Odd = append(r.found.Odd, plain(fmt.Sprintf(format, args...), 4*shown))
	case n == maxOdd:
		r.found.Odd = append(r.found.Odd, "and more of that")
	}
}

// plain makes text of others harmless for a terminal, and short.
func plain(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(text)
}

// text reads a file of at most most bytes; nil when there is none, or it cannot be read, which is noted.
func (r *reading) text(name string, most int64) []byte {
	f, err := r.files.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.odd("%s: %v", name, err)
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		r.odd("%s: %v", name, err)
		return nil
	case int64(len(b)) > most:
		r.odd("%s: it is longer than %d MB", name, most>>20)
		return nil
	}
	return b
}

// names lists the regular files of a folder, sorted.
func (r *reading) names(dir string) (all []string) {
	entries, err := fs.ReadDir(r.files.files, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.odd("%s: %v", dir, err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && len(all) < maxOthers {
			all = append(all, e.Name())
		}
	}
	return all
}

func (r *reading) films() {
	for _, name := range r.names("timelapse") {
		if !slices.Contains([]string{".mp4", ".mpg", ".mkv", ".avi", ".m4v", ".webm"}, strings.ToLower(path.Ext(name))) {
			continue
		}
		if info, err := fs.Stat(r.files.files, "timelapse/"+name); err == nil {
			r.found.Films = append(r.found.Films, Film{name, info.Size()})
		}
	}
}
