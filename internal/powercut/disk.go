// Package powercut is for tests and measurements: it records what a program does to its files, and makes of it the disks that a power cut may leave.
//
//	program under strace ─▶ ReadTrace ─▶ Op, Op, … ─▶ Disk.Do ─▶ Cut: what was not brought to the disk is lost, or torn, or there ─▶ WriteTo a folder
//
// What the disk has promised is what POSIX and the kernel's documentation promise, and no more: the content of a file after its fsync, a name after the fsync of
// its folder. All else may be there or not, each by itself; of a write any run of its sectors. A rename is there as a whole or not at all, as with every file
// system that has a journal. Files that were not synced keep what they had; where a later write of theirs is there and an earlier is not, there are zeros.
package powercut

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sectorBytes are written whole or not at all.
const sectorBytes = 512

// Disk follows what a program does below one folder, which is empty at first.
type Disk struct {
	dir     string
	now     tree           // as the program sees it
	open    map[int]handle // the program's descriptors
	changes []*change      // since the disk was new, in order
}

// inode is a file or a folder, whatever it is called.
type inode struct{ folder bool }

type handle struct {
	of     *inode
	at     int64
	append bool
}

// tree is names and contents at one time.
type tree struct {
	names   map[string]*inode // by path; "" is the folder itself
	content map[*inode][]byte
}

// change is one change of a file's content, or of names.
type change struct {
	of   *inode
	safe bool // it was brought to the disk

	offset   int64 // of data, or the length when truncate is set
	data     []byte
	truncate bool

	name     string // of's new name, in a folder
	from     string // its old one
	unlink   bool   // from goes, and no name comes
	inFolder []*inode
}

// NewDisk returns the disk of a folder that is empty.
func NewDisk(dir string) *Disk {
	root := &inode{folder: true}
	return &Disk{dir: dir, now: tree{map[string]*inode{"": root}, map[*inode][]byte{}}, open: map[int]handle{}}
}

func (d *Disk) inside(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(name, " (deleted)"), d.dir), "/")
}

func (d *Disk) folderOf(name string) *inode { return d.now.names[parent(name)] }

// Do takes over what the program did.
func (d *Disk) Do(op Op) error {
	name := d.inside(op.Path)
	switch op.Call {
	case "openat":
		d.doOpen(op, name)
	case "mkdirat":
		d.note(&change{of: &inode{folder: true}, name: name, inFolder: []*inode{d.folderOf(name)}})
	case "renameat":
		to := d.inside(op.To)
		d.note(&change{of: d.now.names[name], from: name, name: to, inFolder: []*inode{d.folderOf(name), d.folderOf(to)}})
	case "unlinkat":
		d.note(&change{of: d.now.names[name], from: name, unlink: true, inFolder: []*inode{d.folderOf(name)}})
	case "fsync", "fdatasync":
		d.sync(d.open[op.FD].of)
	case "lseek":
		h := d.open[op.FD]
		h.at = op.Offset
		d.open[op.FD] = h
	case "ftruncate":
		d.note(&change{of: d.open[op.FD].of, offset: op.Offset, truncate: true})
	case "write", "pwrite64":
		return d.doWrite(op)
	default:
		return fmt.Errorf("%s is not known here", op.Call)
	}
	return nil
}

func (d *Disk) doOpen(op Op, name string) {
	of := d.now.names[name]
	if of == nil { // it has not failed, so it was made
		of = &inode{folder: strings.Contains(op.Flags, "O_DIRECTORY")}
		d.note(&change{of: of, name: name, inFolder: []*inode{d.folderOf(name)}})
	}
	if strings.Contains(op.Flags, "O_TRUNC") && len(d.now.content[of]) > 0 {
		d.note(&change{of: of, truncate: true})
	}
	d.open[op.FD] = handle{of: of, append: strings.Contains(op.Flags, "O_APPEND")}
}

func (d *Disk) doWrite(op Op) error {
	if int64(len(op.Data)) < op.Bytes {
		return fmt.Errorf("%s of %s: only %d of %d bytes were recorded", op.Call, op.Path, len(op.Data), op.Bytes)
	}
	h, ok := d.open[op.FD]
	if !ok {
		return fmt.Errorf("%s of %s, which was not opened", op.Call, op.Path)
	}
	offset := op.Offset
	if op.Call == "write" {
		if offset = h.at; h.append {
			offset = int64(len(d.now.content[h.of]))
		}
		h.at = offset + op.Bytes
		d.open[op.FD] = h
	}
	d.note(&change{of: h.of, offset: offset, data: op.Data[:op.Bytes]})
	return nil
}

func (d *Disk) note(c *change) {
	if c.of == nil { // a name that has gone
		return
	}
	d.changes = append(d.changes, c)
	d.now.do(c, c.data, c.offset)
}

// sync makes safe what a file, or a folder's names, have become.
func (d *Disk) sync(of *inode) {
	for _, c := range d.changes {
		if c.inFolder == nil && c.of == of || slices.Contains(c.inFolder, of) {
			c.safe = true
		}
	}
}

// Loss says what becomes of a change that was not safe: by chance, or of all the same.
type Loss int

const (
	Everything Loss = iota // is lost
	Nothing                // is lost: the program was killed
	Chance                 // decides for each change, and may tear it
)

// Cut returns what the disk has after a power cut that comes now.
func (d *Disk) Cut(loss Loss, chance *rand.Rand) Left {
	root := d.now.names[""]
	left := tree{map[string]*inode{"": root}, map[*inode][]byte{}}
	for _, c := range d.changes {
		data, offset := c.data, c.offset
		switch {
		case c.safe || loss == Nothing:
		case loss == Everything:
			continue
		case chance.IntN(3) == 0:
			continue
		case len(data) > 0 && chance.IntN(2) == 0:
			from, to := torn(len(data), chance)
			data, offset = data[from:to], offset+int64(from)
		}
		left.do(c, data, offset)
	}
	return Left(left)
}

// torn is a run of sectors of a write.
func torn(length int, chance *rand.Rand) (from, to int) {
	sectors := (length + sectorBytes - 1) / sectorBytes
	from = chance.IntN(sectors)
	to = from + 1 + chance.IntN(sectors-from)
	return from * sectorBytes, min(to*sectorBytes, length)
}

// do makes a change of which the data is what is there of it.
func (t *tree) do(c *change, data []byte, offset int64) {
	switch {
	case c.unlink:
		if t.names[c.from] == c.of {
			delete(t.names, c.from)
		}
	case c.name != "":
		if dir := t.names[parent(c.name)]; dir == nil {
			return // nor is its folder
		}
		t.names[c.name] = c.of
		if c.from != "" {
			t.move(c)
		}
	case c.truncate:
		t.content[c.of] = resized(t.content[c.of], offset)
	default:
		t.content[c.of] = resized(t.content[c.of], max(int64(len(t.content[c.of])), offset+int64(len(data))))
		copy(t.content[c.of][offset:], data)
	}
}

// move takes the old name away, and what is below a folder along.
func (t *tree) move(c *change) {
	if t.names[c.from] == c.of {
		delete(t.names, c.from)
	}
	for name, of := range t.names {
		if rest, below := strings.CutPrefix(name, c.from+"/"); below && c.of.folder {
			delete(t.names, name)
			t.names[c.name+"/"+rest] = of
		}
	}
}

func resized(b []byte, length int64) []byte {
	if int64(len(b)) >= length {
		return b[:length:length]
	}
	return append(b[:len(b):len(b)], make([]byte, length-int64(len(b)))...)
}

func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// Left is what a power cut has left.
type Left tree

// WriteTo makes the files and folders in dir, which is there and empty.
func (l Left) WriteTo(dir string) error {
	names := make([]string, 0, len(l.names))
	for name := range l.names {
		names = append(names, name)
	}
	slices.Sort(names) // a folder before what is in it
	for _, name := range names {
		of, err := l.names[name], error(nil)
		switch {
		case name == "":
		case of.folder:
			err = os.Mkdir(filepath.Join(dir, name), 0o700)
		default:
			err = os.WriteFile(filepath.Join(dir, name), l.content[of], 0o600)
		}
		if err != nil {
			return fmt.Errorf("make what a power cut has left: %w", err)
		}
	}
	return nil
}
