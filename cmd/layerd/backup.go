package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/backup"
	"layerd/internal/config"
	"layerd/internal/server"
	"layerd/internal/store"
)

// backingUp is the command line of layerd backup: data directory ─▶ FILE.part ─▶ tried ─▶ FILE. So a file of that name is one that can be restored.
type backingUp struct {
	wish  backup.Wish
	check bool
}

func (b *backingUp) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&b.wish.Files, "with-files", false, "uploads too")
	flags.BoolVar(&b.wish.Timelapses, "with-timelapses", false, "films and their frames too")
	flags.BoolVar(&b.check, "check", false, "try whether FILE can be restored, and write nothing")
}

func (b *backingUp) run(ctx context.Context, a *invocation) error {
	name := a.operands[0]
	if b.check {
		if b.wish != (backup.Wish{}) {
			return usageError{errors.New("--check tries a backup that is there: it goes without --with-files and --with-timelapses")}
		}
		return b.tried(ctx, name, os.TempDir(), a.stdout)
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if cfg.Data == "" {
		return usageError{errors.New("the demo keeps nothing that could be backed up")}
	}
	prepared, err := sourceOf(ctx, cfg).Prepare(ctx, b.wish)
	if err != nil {
		return err
	}
	defer prepared.Close()
	if name == "-" {
		return prepared.Write(ctx, a.stdout)
	}
	return b.write(ctx, prepared, name, a.stdout)
}

// write writes the backup, tries it, and only then gives it its name.
func (b *backingUp) write(ctx context.Context, prepared *backup.Prepared, name string, stdout io.Writer) (err error) {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(part)
		}
	}()
	if err := f.Chmod(0o600); err != nil { // it may have been there
		return fmt.Errorf("write %s: %w", part, err)
	}
	if err := errors.Join(prepared.Write(ctx, f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := b.tried(ctx, part, filepath.Dir(part), stdout); err != nil {
		return err
	}
	if err := os.Rename(part, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// tried says of a backup that it can be restored, having done so in a folder that goes again.
func (b *backingUp) tried(ctx context.Context, name, temporary string, stdout io.Writer) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, err := backup.Check(ctx, bufio.NewReaderSize(f, 64<<10), temporary)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSuffix(name, ".part"), err)
	}
	fmt.Fprintf(stdout, "%s can be restored: %s, %.1f MB, of %s by layerd %s\n", strings.TrimSuffix(name, ".part"), what(m), float64(info.Size())/1e6, m.Made.Local().Format("2006-01-02 15:04"), m.Layerd)
	return nil
}

// what is in a backup, in words.
func what(m backup.Manifest) string {
	words := "settings, people, history and spools"
	if m.Files {
		words += ", uploads"
	}
	if m.Timelapses {
		words += ", timelapses"
	}
	if m.Host != "" {
		words += fmt.Sprintf(" of %q", m.Host)
	}
	return words
}

// sourceOf is the data directory beside a daemon that may be using it: while a print runs the work is done in pieces, with rests three times as long.
func sourceOf(ctx context.Context, cfg config.Config) backup.Source {
	return backup.Source{Dir: cfg.Data, Version: version, Host: hostName(), Pace: func() (rest, done func()) {
		if running, err := store.PrintUnderWay(ctx, cfg.Data); err != nil || !running {
			return func() {}, func() {}
		}
		began := time.Now()
		return func() {
			select {
			case <-time.After(min(3*time.Since(began), 200*time.Millisecond)):
			case <-ctx.Done():
			}
			began = time.Now()
		}, func() {}
	}}
}

func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "layerd"
	}
	return host
}

// restore is layerd restore.
func restore(ctx context.Context, a *invocation) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if cfg.Data == "" {
		return usageError{errors.New("the demo keeps nothing; name the data directory with --data DIR")}
	}
	f, err := os.Open(a.operands[0])
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := backup.Restore(ctx, bufio.NewReaderSize(f, 64<<10), cfg.Data)
	if err != nil {
		return fmt.Errorf("restore %s: %w", a.operands[0], err)
	}
	fmt.Fprintf(a.stdout, "%s were restored into %s. Passwords and keys are those that it had; browsers log in anew, and a tailnet is joined anew.\n", what(m), cfg.Data)
	return nil
}

// restoreOnStart restores a backup that waits in an empty data directory.
func (d *parts) restoreOnStart(ctx context.Context) error {
	waiting := filepath.Join(d.cfg.Data, backup.Waiting)
	m, err := backup.OnStart(ctx, d.cfg.Data)
	switch {
	case errors.Is(err, backup.ErrNotEmpty):
		d.log.Warn("a backup lies in the data directory, but there is a layerd in it already, so nothing was restored: delete the one or the other", "file", waiting, "err", err) // it may be uploads alone that are in the way
	case errors.Is(err, store.ErrLocked): // which says what is wrong
		return err
	case err != nil:
		return fmt.Errorf("%w; replace that file by a good one, or delete it to begin anew", err)
	case m != nil:
		d.log.Info("a backup was restored", "what", what(*m), "made", m.Made)
	}
	return nil
}

// openStore opens the data directory. Of a database that is damaged it says what can be done.
func (d *parts) openStore(ctx context.Context) error {
	if err := d.restoreOnStart(ctx); err != nil {
		return err
	}
	var err error
	d.store, err = store.Open(d.cfg.Data, store.Limits{MaxFileBytes: int64(d.cfg.Files.MaxMB) << 20, MinFreeBytes: int64(d.cfg.Files.MinFreeMB) << 20})
	if errors.Is(err, store.ErrDamaged) {
		return fmt.Errorf("%w; move %s with what begins like it out of %s, and copy your newest backup%s there as %s; or start without one to begin anew. Uploads stay either way",
			err, store.DatabaseFile, d.cfg.Data, newestBackup(d.cfg.Data), backup.Waiting)
	}
	return err
}

// newestBackup names the newest backup in dir, "" when there is none.
func newestBackup(dir string) string {
	all, _ := filepath.Glob(filepath.Join(dir, "*.layerd-backup"))
	newest, named := time.Time{}, ""
	for _, name := range all {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(newest) {
			newest, named = info.ModTime(), fmt.Sprintf(" (%s is one)", filepath.Base(name))
		}
	}
	return named
}

// errRestored ends the daemon's parts, for it to begin anew with what was restored.
var errRestored = errors.New("a backup was restored")

// backups are what the page can fetch and give.
type backups struct{ d *parts }

// Restore unpacks a backup beside the data of a layerd that is nobody's. The next start takes it on, which is now.
func (b backups) Restore(ctx context.Context, r io.Reader) error {
	_, err := backup.Stage(ctx, r, b.d.cfg.Data)
	switch {
	case errors.Is(err, backup.ErrTooBig):
		return fmt.Errorf("%w: %w", store.ErrNoSpace, err)
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("%w: %w", server.ErrBackup, err)
	case err != nil:
		return err
	}
	b.d.again(errRestored)
	return nil
}

func (b backups) Prepare(ctx context.Context, files, timelapses bool) (server.Backup, error) {
	source := backup.Source{Dir: b.d.cfg.Data, Version: version, Host: hostName(), Pace: b.d.server.Polite}
	ready, err := source.Prepare(ctx, backup.Wish{Files: files, Timelapses: timelapses})
	if err != nil {
		return nil, err // and no *backup.Prepared in an interface
	}
	return ready, nil
}
