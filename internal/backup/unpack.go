package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"layerd/internal/store"
)

var (
	// ErrNotBackup is a file that is no backup, or one that somebody has changed.
	ErrNotBackup = errors.New("this is no backup of layerd")
	// ErrDamaged is a backup of which something is missing or wrong.
	ErrDamaged = errors.New("the backup is damaged or not whole")
	// ErrTooBig is one that would not leave room on the disk.
	ErrTooBig = errors.New("there is no room for what is in the backup")
	// ErrNewer is one of a newer layerd.
	ErrNewer = errors.New("the backup is of a newer layerd")
)

const (
	keepFree = 64 << 20 // bytes left free of a disk that something is unpacked on
	block    = 4 << 10  // bytes that file systems give out at once, to folders too
	maxFile  = 1 << 40  // bytes of a member that is only looked at: one of holes alone would never end
)

// Check unpacks the database into a temporary folder, opens it as a daemon does, and reads all the rest. What it finds well can be restored. It blocks.
func Check(ctx context.Context, r io.Reader, temporary string) (Manifest, error) {
	dir, err := os.MkdirTemp(temporary, ".layerd-check-")
	if err != nil {
		return Manifest{}, fmt.Errorf("check backup: %w", err)
	}
	defer os.RemoveAll(dir)
	m, err := unpack(ctx, r, dir, false)
	if err != nil {
		return m, fmt.Errorf("check backup: %w", err)
	}
	return m, nil
}

// unpack makes a data directory in dir, which is there and empty, of a backup. Unless keepAll it keeps only the database, and looks at the rest. What is left in
// dir after an error is for the caller to remove.
func unpack(ctx context.Context, r io.Reader, dir string, keepAll bool) (Manifest, error) {
	free, err := freeBytes(dir)
	if err != nil {
		return Manifest{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Manifest{}, err
	}
	defer root.Close()
	u := &unpacking{ctx: ctx, root: root, keepAll: keepAll, room: free - keepFree, stream: free, sum: sha256.New(), taken: map[string]bool{}}
	if !keepAll { // looked at, it takes time, and no room but the database's, for a moment
		u.room, u.stream = free, math.MaxInt64
	}
	if err := u.all(r); err != nil {
		return u.manifest, err
	}
	schema, err := store.AdoptDatabase(ctx, filepath.Join(dir, store.DatabaseFile))
	switch {
	case schema > store.Schema():
		return u.manifest, fmt.Errorf("%w: %w", ErrNewer, err)
	case err != nil:
		return u.manifest, err
	case schema != u.manifest.Schema:
		return u.manifest, fmt.Errorf("%w: its database is of schema %d, not %d", ErrNotBackup, schema, u.manifest.Schema)
	}
	s, err := store.Open(dir, store.Limits{}) // brought to our schema, prints without an end are ended
	if err != nil {
		return u.manifest, err
	}
	return u.manifest, s.Close()
}

func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free disk space: %w", err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// unpacking is an archive that is being read. Nothing in it is believed: names, sizes, counts, sums.
type unpacking struct {
	ctx      context.Context
	root     *os.Root
	keepAll  bool
	room     int64 // bytes of members that may still come: what is written to the disk
	stream   int64 // bytes that may still come out of the gzip, whatever they are
	sum      hash.Hash
	sums     bytes.Buffer // as SHA256SUMS should be
	manifest Manifest
	taken    map[string]bool // names of members: true; of folders above them: false
}

// take takes a name, which nobody has, below folders that are no files. made is how many of them are new.
func (u *unpacking) take(name string) (made int64, err error) {
	if _, there := u.taken[name]; there {
		return 0, fmt.Errorf("%w: it has %.60q twice", ErrNotBackup, name)
	}
	name = strings.Clone(name) // the header that it is cut out of may be a megabyte
	u.taken[name] = true
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		is, there := u.taken[dir]
		if is {
			return 0, fmt.Errorf("%w: %.60q is a file and a folder", ErrNotBackup, dir)
		}
		if !there {
			u.taken[dir] = false
			made++
		}
	}
	if len(u.taken) > 2*maxMembers {
		return 0, fmt.Errorf("%w: it has too many folders", ErrNotBackup)
	}
	return made, nil
}

// reserve sets room aside for a file of size bytes and new folders.
func (u *unpacking) reserve(name string, size, folders int64) error {
	if needs := (size/block + 1 + folders) * block; size > u.room || needs > u.room {
		return fmt.Errorf("%w: %s needs %d MB more", ErrTooBig, name, (size-u.room)>>20+1)
	}
	u.room -= (size/block + 1 + folders) * block
	return nil
}

func (u *unpacking) all(r io.Reader) error {
	packed, err := gzip.NewReader(r)
	if err != nil { // what it says is of no use to people
		return ErrNotBackup
	}
	t := tar.NewReader(&bounded{u, packed})
	ended := false
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		switch {
		case u.ctx.Err() != nil:
			return u.ctx.Err()
		case errors.Is(err, ErrTooBig):
			return err
		case err != nil && n == 0:
			return fmt.Errorf("%w: %w", ErrNotBackup, err)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		case n > maxMembers || u.sums.Len() > maxSums || ended || h.Typeflag != tar.TypeReg || h.Size < 0:
			return fmt.Errorf("%w: it is not of the form of one", ErrNotBackup)
		}
		switch {
		case n == 0:
			err = u.about(h, t)
		case h.Name == sumsName:
			ended = true
			err = u.compare(t)
		default:
			err = u.member(h, t)
		}
		if err != nil {
			return err
		}
	}
	if !ended {
		return fmt.Errorf("%w: its end is missing", ErrDamaged)
	}
	// The rest of the gzip's data: its own sum is behind it.
	if _, err := io.Copy(io.Discard, &bounded{u, packed}); err != nil && !errors.Is(err, ErrTooBig) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	} else if err != nil {
		return err
	}
	return nil
}

// about reads the manifest, which comes first.
func (u *unpacking) about(h *tar.Header, r io.Reader) error {
	if h.Name != manifestName || h.Size > maxManifest {
		return fmt.Errorf("%w: it does not begin with %s", ErrNotBackup, manifestName)
	}
	b, err := io.ReadAll(io.TeeReader(io.LimitReader(r, maxManifest), u.sum))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := json.Unmarshal(b, &u.manifest); err != nil || u.manifest.Format < 1 {
		return fmt.Errorf("%w: its %s says nothing", ErrNotBackup, manifestName)
	}
	if u.manifest.Format > Format || u.manifest.Schema > store.Schema() {
		return fmt.Errorf("%w, %.40q: install that version or a newer one, then restore it", ErrNewer, u.manifest.Layerd)
	}
	sumLine(&u.sums, u.sum, manifestName)
	return nil
}

// member unpacks one file, or only looks at it.
func (u *unpacking) member(h *tar.Header, r io.Reader) error {
	if err := checkName(h.Name); err != nil {
		return err
	}
	folders, err := u.take(h.Name)
	if err != nil {
		return err
	}
	to := io.Writer(u.sum)
	if u.keepAll || h.Name == store.DatabaseFile {
		// By what it says, not by what came: a sparse file is more than its bytes in the archive.
		if err := u.reserve(h.Name, h.Size, folders); err != nil {
			return err
		}
		if dir := path.Dir(h.Name); dir != "." {
			if err := u.root.MkdirAll(dir, 0o700); err != nil {
				return err
			}
		}
		f, err := u.root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := u.copy(io.MultiWriter(f, u.sum), r, h.Size); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		if at := h.ModTime; at.After(time.Unix(0, 0)) {
			if err := u.root.Chtimes(h.Name, at, at); err != nil {
				return err
			}
		}
	} else if h.Size > maxFile {
		return fmt.Errorf("%w: %.60q says that it has %d bytes", ErrNotBackup, h.Name, h.Size)
	} else if err := u.copy(to, r, h.Size); err != nil {
		return err
	}
	sumLine(&u.sums, u.sum, h.Name)
	return nil
}

func (u *unpacking) copy(to io.Writer, r io.Reader, size int64) error {
	n, err := io.Copy(to, r)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("%w: %w", ErrTooBig, err)
	case err != nil && u.ctx.Err() != nil:
		return u.ctx.Err()
	case err != nil && errors.Is(err, ErrTooBig):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case n != size:
		return fmt.Errorf("%w: a file in it is cut off", ErrDamaged)
	}
	return nil
}

// compare reads the sums that the writer has written, and names the first member that has another.
func (u *unpacking) compare(r io.Reader) error {
	said, err := io.ReadAll(io.LimitReader(r, int64(u.sums.Len())+1))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if bytes.Equal(said, u.sums.Bytes()) {
		return nil
	}
	theirs, ours := strings.Split(string(said), "\n"), strings.Split(u.sums.String(), "\n")
	for i := range min(len(theirs), len(ours)) {
		if theirs[i] != ours[i] {
			_, name, _ := strings.Cut(ours[i], "  ")
			return fmt.Errorf("%w: %.60q is not what was written", ErrDamaged, name)
		}
	}
	return fmt.Errorf("%w: files are missing", ErrDamaged)
}

// bounded is what comes out of the gzip: no more than there is room for, and nothing once the work is called off.
type bounded struct {
	u *unpacking
	r io.Reader
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.u.stream -= int64(n); b.u.stream < 0 {
		return 0, ErrTooBig
	}
	return n, err
}
