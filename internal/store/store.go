// Package store keeps what must outlive the daemon: files, and in SQLite the history of prints, tokens, settings and the
// journal of the print under way.
//
// A data directory holds
//
//	layerd.db  the database, with its -wal and -shm beside it
//	files/     the files under their own names; what people copy there by hand counts too
//	arcs/      copies of files with arcs, for prints (fitted.go); nothing is lost with them
//	tmp/       uploads that are not whole yet, on the same file system as files/; archives, while they are unpacked, have no name there
//	lock       locked by the daemon that owns the directory
//
// An upload goes: unpacked (package unpack) ─▶ tmp/up-… ─▶ hashed and surveyed on the way ─▶ fsync ─▶ row in the database ─▶ rename into files/ ─▶ fsync
// of the folder. A print goes: BeginPrint ─▶ Journal, Journal, … ─▶ EndPrint; where the end is missing, the next Open writes it.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"layerd/gcode"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

var (
	ErrLocked   = errors.New("another layerd uses this data directory")
	ErrNotFound = errors.New("no such file")
	ErrExists   = errors.New("there is already a file of that name")
	ErrName     = errors.New("this name cannot be used") // wrapped with why
	// ErrEnding is the ErrName of a file that does not end like one that can be printed.
	ErrEnding = fmt.Errorf("%w", ErrName)

	ErrTooBig   = errors.New("the file is too big") // wrapped with the limit
	ErrNoSpace  = errors.New("the disk is full")
	ErrInUse    = errors.New("the file is being printed")
	ErrNotEmpty = errors.New("the folder is not empty")
	ErrNotGCode = errors.New("this file cannot be printed") // wraps gcode's *LineError
	ErrNoPrint  = errors.New("no such print")
	ErrNotKept  = errors.New("this was not kept of that print")
	ErrNoToken  = errors.New("unknown key")
	ErrNoCopy   = errors.New("no such copy of settings")
	ErrSpool    = errors.New("this cannot be a spool") // wrapped with why
	ErrNoSpool  = errors.New("no such spool")
	ErrNoEntry  = errors.New("this is no longer in the queue")
	ErrQueue    = errors.New("this cannot be queued") // wrapped with why
	ErrPerson   = errors.New("no such person")
	ErrPassword = errors.New("the password is another one now")
	ErrTaken    = errors.New("somebody has this name already")
	ErrSession  = errors.New("no such session")
	ErrRole     = errors.New("this is no role")        // wrapped with why
	ErrExpiry   = errors.New("this cannot be its end") // wrapped with why
	// ErrLastOwner is returned instead of leaving nobody who may do everything.
	ErrLastOwner = errors.New("nobody would be left who may do everything")
)

// Limits bound uploads. Zero values mean the defaults.
type Limits struct {
	MaxFileBytes int64 // default 2 GiB
	MinFreeBytes int64 // kept free on the disk; default 200 MiB
}

const (
	defaultMaxFile = 2 << 30
	defaultMinFree = 200 << 20
)

// Store owns one data directory. All methods may be called from any goroutine.
type Store struct {
	limits Limits
	db     *sql.DB
	name   string   // DIR/layerd.db
	lock   *os.File // nil when opened beside a daemon
	files  *os.Root // DIR/files; nothing reached through it lies outside, whatever links people made
	tmp    *os.Root // DIR/tmp
	arcs   *os.Root // DIR/arcs

	// survey reads a whole file; gcode.SurveyFor.
	survey func(io.Reader, gcode.Limits) (gcode.Survey, error)
	// machine is what the printer has told of its limits, nil before.
	machine atomic.Pointer[gcode.Limits]
	pace    func() (rest, done func()) // see PaceBy; nil = as fast as it goes
	// naming has one place: who holds it may change which files there are, or which of them are being printed.
	naming chan struct{}
	// surveying has one place: files that were copied in by hand are read one at a time.
	surveying chan struct{}
	printing  map[string]string // print ID → path, while it runs; guarded by naming

	mu      sync.Mutex    // guards changed
	changed chan struct{} // closed when the list of files changes

	spools bell   // rings when a spool, or which one is on, has changed
	queue  bell   // rings when the queue has
	people bell   // rings when somebody may do something else, or no longer come in
	keys   keys   // that have been shown
	seen   seen   // when keys, sessions and people were used last, as far as that is not written
	source string // whose spools are in use; see SpoolsFrom
}

// Open opens dir, making it when it is not there, for a daemon: it takes the directory's lock (ErrLocked when another holds it),
// brings the database to the newest schema, removes left-over temporary files and marks prints without an end as interrupted.
func Open(dir string, limits Limits) (*Store, error) {
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, err
	}
	s, err := open(dir, limits, false)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	if err := s.tidy(); err != nil {
		s.Close()
		return nil, fmt.Errorf("tidy data directory %s: %w", dir, err)
	}
	return s, nil
}

// OpenShared opens dir beside a running daemon, for the command line: no lock, no clean-up. A directory that is new gets its
// database; one of an older schema is an error, because only the daemon migrates.
func OpenShared(dir string) (*Store, error) {
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	return open(dir, Limits{}, true)
}

func open(dir string, limits Limits, shared bool) (s *Store, err error) {
	if limits.MaxFileBytes == 0 {
		limits.MaxFileBytes = defaultMaxFile
	}
	if limits.MinFreeBytes == 0 {
		limits.MinFreeBytes = defaultMinFree
	}
	s = &Store{
		limits:    limits,
		survey:    gcode.SurveyFor,
		naming:    make(chan struct{}, 1),
		surveying: make(chan struct{}, 1),
		printing:  make(map[string]string),
		changed:   make(chan struct{}),
		source:    OwnSpools,
	}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	dir, err = filepath.Abs(dir)
	if err != nil {
		return s, fmt.Errorf("data directory: %w", err)
	}
	if s.files, err = openRoot(filepath.Join(dir, "files")); err != nil {
		return s, err
	}
	if s.tmp, err = openRoot(filepath.Join(dir, "tmp")); err != nil {
		return s, err
	}
	if s.arcs, err = openRoot(filepath.Join(dir, "arcs")); err != nil {
		return s, err
	}
	name := filepath.Join(dir, DatabaseFile)
	s.name = name
	if s.db, err = openDatabase(name); err != nil {
		return s, fmt.Errorf("open %s: %w", name, err)
	}
	if err = migrate(s.db, migrations[:], shared); err != nil {
		return s, fmt.Errorf("open %s: %w", name, damaged(noSpace(err)))
	}
	if err = syncDir(dir); err != nil { // the new names in it
		return s, fmt.Errorf("sync data directory: %w", err)
	}
	return s, nil
}

// Close releases the directory. Nothing else may be under way.
func (s *Store) Close() error {
	var errs []error
	if s.db != nil {
		s.writeSeen(context.Background())
		errs = append(errs, s.db.Close())
	}
	for _, root := range []*os.Root{s.files, s.tmp, s.arcs} {
		if root != nil {
			errs = append(errs, root.Close())
		}
	}
	if s.lock != nil { // last: whoever gets it finds everything closed
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// tidy clears up after a daemon that was killed.
func (s *Store) tidy() error {
	left, err := readDir(s.tmp, ".")
	if err != nil {
		return err
	}
	for _, entry := range left {
		if err := s.tmp.RemoveAll(entry.Name()); err != nil {
			return err
		}
	}
	if err := s.interruptPrints(); err != nil {
		return fmt.Errorf("mark interrupted prints: %w", noSpace(err))
	}
	if err := s.forgetEnded(); err != nil {
		return fmt.Errorf("forget keys and sessions that have ended: %w", noSpace(err))
	}
	if err := s.forgetGone(); err != nil {
		return fmt.Errorf("forget files that are gone: %w", noSpace(err))
	}
	s.sweepFitted(context.Background())
	return nil
}

// Changed is closed when the list of files has changed since the call.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// turn waits for a place in naming or surveying and returns what gives it back.
func turn(ctx context.Context, places chan struct{}) (done func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Lock takes the lock of the directory dir, which is there, as a daemon does, until it is closed. ErrLocked: a daemon has it.
func Lock(dir string) (*os.File, error) {
	lock, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	return lock, nil
}

// takeLock locks a file until it is closed or the process ends, however it ends, and writes our process number into it.
func takeLock(name string) (*os.File, error) {
	// Root does this in a directory that is a service's: a link there would have another file written over.
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		var pid int
		fmt.Fscan(io.LimitReader(f, 20), &pid) // 0 when it says nothing
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if pid > 0 {
			return nil, fmt.Errorf("%w (process %d)", ErrLocked, pid)
		}
		return nil, ErrLocked
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintln(f, os.Getpid()) // for people; the lock holds without it, on a full disk too
	}
	return f, nil
}

func openRoot(dir string) (*os.Root, error) {
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	return os.OpenRoot(dir)
}

// makePrivate makes dir where it is not, and what is missing above it, for nobody but us; their names survive a power cut. Ownership of an existing one is left
// as people set it.
func makePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = makePrivate(filepath.Dir(dir)); err == nil {
			err = makePrivate(dir)
		}
	case errors.Is(err, fs.ErrExist):
		err = os.MkdirAll(dir, 0o700) // which says whether it is a folder
	case err == nil:
		if err = syncDir(filepath.Dir(dir)); errors.Is(err, fs.ErrPermission) {
			err = nil // where we may make names, and not read them
		}
	}
	return err
}

// newID returns 128 random bits in hex.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
