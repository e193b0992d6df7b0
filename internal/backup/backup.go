// Package backup writes what a layerd knows into one file, and makes a layerd of such a file again.
//
// A backup is a tar archive in gzip, so that any computer can look into it. Its members, in this order:
//
//	layerd-backup.json  what it is: Manifest
//	layerd.db           the database, without sessions of browsers: settings, people, keys (hashes), history with pictures, curves and logs, spools, queue
//	files/…             uploads, when asked for
//	timelapse/…         films and the frames of them, when asked for
//	SHA256SUMS          of all former members, in their order, as sha256sum writes it
//
// What is not in it: the machine's key on a tailnet, with which a copy would be taken for the node itself; recordings of the watch for layer shifts; copies
// with arcs, which are made again; the configuration's file.
//
//	Write: database ─▶ a copy in tmp/ (store.CopyDatabase) ─▶ archive ─▶ any writer
//	Unpack: archive, which is believed nothing ─▶ a folder of its own ─▶ sums, the database's own checks, opened once as a daemon does
//	Restore: Unpack beside ─▶ one rename, which decides ─▶ its parts into their places; a power cut before it restores nothing, one after it is finished later
package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"layerd/internal/store"
)

// Format is the version of the archive's form. A reader refuses a greater one.
const Format = 1

const (
	manifestName = "layerd-backup.json"
	sumsName     = "SHA256SUMS"
	filesDir     = "files"
	filmsDir     = "timelapse"

	maxMembers  = 100_000
	maxManifest = 64 << 10 // bytes
	maxName     = 1024     // bytes of a member's path
	maxSums     = 16 << 20 // bytes of SHA256SUMS, which is held in memory
)

// Manifest says what a backup is.
type Manifest struct {
	Format     int       `json:"format"`
	Layerd     string    `json:"layerd"` // version that wrote it
	Schema     int       `json:"schema"` // of its database
	Made       time.Time `json:"made"`
	Host       string    `json:"host"`       // name of the machine
	Files      bool      `json:"files"`      // uploads are in it
	Timelapses bool      `json:"timelapses"` // films are
}

// Wish is what is to be in a backup besides the database.
type Wish struct {
	Files, Timelapses bool
}

// Source is a data directory. A daemon may be using it.
type Source struct {
	Dir, Version, Host string
	Pace               func() (rest, done func()) // rest is called between pieces of the work, done before a wait and at the end; nil = as fast as it goes
}

// Prepared is a backup of which all has been made ready that can fail for want of room: the copy of the database. Close removes it.
type Prepared struct {
	manifest   Manifest
	source     Source
	copied     string
	rest, done func()
}

// Prepare copies the database into the data directory's tmp/, where a daemon that starts clears up. It blocks as long as that takes. Errors are those of
// store.CopyDatabase; store.ErrNoSpace before the disk is full.
func (s Source) Prepare(ctx context.Context, wish Wish) (*Prepared, error) {
	if _, err := os.Stat(filepath.Join(s.Dir, store.DatabaseFile)); err != nil {
		return nil, fmt.Errorf("there is no layerd to back up: %w", err)
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	p := &Prepared{source: s, rest: func() {}, done: func() {}}
	if s.Pace != nil {
		p.rest, p.done = s.Pace()
	}
	name, err := os.CreateTemp(filepath.Join(s.Dir, "tmp"), "backup-*.db")
	if err != nil {
		p.done()
		return nil, fmt.Errorf("make room for a copy of the database: %w", err)
	}
	name.Close()
	os.Remove(name.Name())
	p.copied = name.Name()
	schema, err := store.CopyDatabase(ctx, s.Dir, p.copied, wish.Files, p.rest)
	if err != nil {
		p.done()
		return nil, err
	}
	p.manifest = Manifest{Format: Format, Layerd: s.Version, Schema: schema, Made: time.Now().UTC().Truncate(time.Second), Host: s.Host, Files: wish.Files, Timelapses: wish.Timelapses}
	return p, nil
}

// room is nil when a copy of the database leaves what a daemon needs to go on writing.
func (s Source) room() error {
	free, err := freeBytes(s.Dir)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(s.Dir, store.DatabaseFile+suffix)); err == nil {
			free -= info.Size()
		}
	}
	if free < keepFree {
		return fmt.Errorf("%w: a copy of the database needs %d MB more", store.ErrNoSpace, (keepFree-free)>>20+1)
	}
	return nil
}

// Manifest is that of the backup.
func (p *Prepared) Manifest() Manifest { return p.manifest }

// Close removes the copy of the database.
func (p *Prepared) Close() error {
	p.done()
	return os.Remove(p.copied)
}

// Write writes the archive. It holds one file open at a time, and no more of it in memory than a piece. A file that goes meanwhile is left out.
func (p *Prepared) Write(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(&unheld{p, w}, 64<<10)
	packed, err := gzip.NewWriterLevel(out, gzip.BestSpeed) // pictures gain nothing by more, and a Pi Zero loses minutes
	if err != nil {
		return err
	}
	a := &archive{ctx: ctx, tar: tar.NewWriter(packed), sum: sha256.New(), rest: p.rest}
	about, err := json.MarshalIndent(p.manifest, "", "\t")
	if err != nil {
		return err
	}
	err = a.bytes(manifestName, p.manifest.Made, append(about, '\n'))
	if err == nil {
		err = a.file(p.copied, store.DatabaseFile)
	}
	if err == nil && p.manifest.Files {
		err = a.folder(p.source.Dir, filesDir)
	}
	if err == nil && p.manifest.Timelapses {
		err = a.folder(p.source.Dir, filmsDir)
	}
	if err == nil {
		err = a.bytes(sumsName, p.manifest.Made, bytes.Clone(a.sums.Bytes()))
	}
	if err == nil {
		err = errors.Join(a.tar.Close(), packed.Close(), out.Flush())
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// unheld waits for a slow reader without holding what others wait for.
type unheld struct {
	p *Prepared
	w io.Writer
}

func (u *unheld) Write(b []byte) (int, error) {
	u.p.done()
	n, err := u.w.Write(b)
	u.p.rest()
	return n, err
}

// archive is one that is being written.
type archive struct {
	ctx     context.Context
	tar     *tar.Writer
	sum     hash.Hash
	sums    bytes.Buffer // the text of SHA256SUMS
	members int
	rest    func()
}

func sumLine(to *bytes.Buffer, sum hash.Hash, name string) {
	fmt.Fprintf(to, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
	sum.Reset()
}

func (a *archive) bytes(name string, at time.Time, b []byte) error {
	return a.member(name, int64(len(b)), at, bytes.NewReader(b))
}

// member writes exactly size bytes of r, whatever r has.
func (a *archive) member(name string, size int64, at time.Time, r io.Reader) error {
	if a.members++; a.members > maxMembers || a.sums.Len() > maxSums {
		return errors.New("there are too many files: leave them out and copy them by hand")
	}
	// PAX has times to the nanosecond, by which the store knows its files again.
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	to := io.MultiWriter(a.tar, a.sum)
	for left := size; left > 0; {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(to, r, min(left, 64<<10))
		if err != nil {
			return fmt.Errorf("%s has become shorter: %w", name, err)
		}
		left -= n
		a.rest()
	}
	sumLine(&a.sums, a.sum, name)
	return nil
}

func (a *archive) file(from, name string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return a.member(name, info.Size(), info.ModTime(), f)
}

// folder writes all regular files below dir/name. Links are not followed.
func (a *archive) folder(dir, name string) error {
	root, err := os.OpenRoot(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(at string, entry fs.DirEntry, err error) error {
		member := path.Join(name, at)
		switch {
		case a.ctx.Err() != nil:
			return a.ctx.Err()
		case err != nil && at != ".": // gone meanwhile
			return nil
		case err != nil:
			return err
		case !entry.Type().IsRegular() || checkName(member) != nil:
			return nil
		}
		f, err := root.Open(at)
		if err != nil {
			return nil // as above
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		return a.member(member, info.Size(), info.ModTime(), f)
	})
}

// checkName says whether a member may have this path: the database, or something below the folders that may be in a backup.
func checkName(name string) error {
	top, _, below := strings.Cut(name, "/")
	switch {
	case len(name) > maxName || !fs.ValidPath(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
	case name == store.DatabaseFile, below && (top == filesDir || top == filmsDir):
		return nil
	}
	return fmt.Errorf("%w: it has a file of the name %.60q", ErrNotBackup, name)
}
