package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The database is copied beside whoever writes to it, in this process or another:
//
//	a reader's snapshot, held ─▶ some pages, a rest, some pages, … ─▶ what is of this machine alone is taken out ─▶ each table is checked
//
// VACUUM INTO would do it in one call, which nobody can pace. While the snapshot is held writers go on, and a copy never has to begin again: they write
// into the WAL behind it.

// ErrDamaged is a database that SQLite finds damaged, or that is none.
var ErrDamaged = errors.New("the database is damaged")

// DatabaseFile is the database's name in a data directory.
const DatabaseFile = "layerd.db"

const copyPages = 64 // at once, of 4 KiB: some milliseconds on a Pi

// Schema is the newest version of the database's schema that this layerd knows.
func Schema() int { return len(migrations) - 1 }

// taken out of a copy: what logs a browser in, or opens the camera, without a password; what a Spoolman is still to be told, which the
// daemon that was copied does; and of files that do not come along, what is known of them.
const (
	withoutSessions = `PRAGMA secure_delete = ON; DELETE FROM sessions; DELETE FROM settings WHERE key = 'view_secret';
		UPDATE spool_uses SET sent_mm = mm, sending_mm = 0, seen_mm = 0 WHERE source = 'spoolman';`
	withoutFiles = `DELETE FROM files; DELETE FROM contents;`
)

// CopyDatabase writes a copy of the database in dir, as it is at one moment, to the new file to, and returns its schema. A daemon may be using it. It has
// no sessions of browsers, and without files nothing of what is known of files. rest is called between pieces of the work. It blocks until all of it is
// on the disk. ErrDamaged, ErrNoSpace, and fs.ErrNotExist when there is none; on an error nothing is left.
func CopyDatabase(ctx context.Context, dir, to string, files bool, rest func()) (schema int, err error) {
	name := filepath.Join(dir, DatabaseFile)
	if _, err := os.Stat(name); err != nil { // SQLite would make one
		return 0, fmt.Errorf("copy the database: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(to)
			err = fmt.Errorf("copy the database: %w", damaged(noSpace(err)))
		}
	}()
	made, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	made.Close()
	if err := copyPaged(ctx, name, to, rest); err != nil {
		return 0, err
	}
	db, err := openPlain(to)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&schema); err != nil {
		return 0, err
	}
	if schema > Schema() {
		return schema, newer(schema)
	}
	out := ""
	if schema >= 9 {
		out = withoutSessions
	}
	if !files {
		out += withoutFiles
	}
	if _, err := db.ExecContext(ctx, out); err != nil {
		return 0, err
	}
	if err := checkTables(ctx, db, rest); err != nil {
		return 0, err
	}
	return schema, db.Close()
}

func newer(schema int) error {
	return fmt.Errorf("it was written by a newer layerd (schema %d, this one knows %d): install that version", schema, Schema())
}

// openPlain opens a database that is nobody else's, as one file without a WAL beside it. What its schema says is not trusted.
func openPlain(name string) (*sql.DB, error) {
	source, err := address(name, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)", "trusted_schema(0)", "journal_mode(DELETE)", "synchronous(FULL)", "cache_size(-1000)"}})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", source)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// openBeside opens a database that a daemon may be using, as it is.
func openBeside(name string) (*sql.DB, error) {
	source, err := address(name, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)", "cache_size(-1000)"}})
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", source)
}

// address is a file as SQLite wants it, with how to open it. The first folder of a relative name would be taken for another machine's.
func address(name string, how url.Values) (string, error) {
	whole, err := filepath.Abs(name)
	source := url.URL{Scheme: "file", Path: whole, RawQuery: how.Encode()}
	return source.String(), err
}

// copyPaged copies by SQLite's backup interface.
func copyPaged(ctx context.Context, from, to string, rest func()) error {
	db, err := openBeside(from)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	var objects int // a transaction begins with what is read first
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&objects); err != nil {
		return err
	}
	target, err := address(to, nil)
	if err != nil {
		return err
	}
	return conn.Raw(func(driver any) error {
		backup, err := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		}).NewBackup(target)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = backup.Step(copyPages)
				rest()
			}
		}
		return errors.Join(err, backup.Finish())
	})
}

// checkTables is PRAGMA integrity_check, table by table.
func checkTables(ctx context.Context, db *sql.DB, rest func()) error {
	tables, err := names(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return err
	}
	for _, table := range tables {
		said, err := names(ctx, db, `PRAGMA integrity_check('`+strings.ReplaceAll(table, `'`, `''`)+`')`)
		if err != nil {
			return err
		}
		if !slices.Equal(said, []string{"ok"}) {
			return fmt.Errorf("%w: table %.40q: %.200q", ErrDamaged, table, said)
		}
		rest()
	}
	return nil
}

func names(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	return collect("names", rows, err, func(scan func(...any) error) (name string, err error) {
		err = scan(&name)
		return name, err
	})
}

// AdoptDatabase checks a database that came from somewhere, such as a backup: that it is whole, has no more in it than the tables of some version of ours,
// and is no newer than this layerd. Nothing in it can act: triggers and views are refused. ErrDamaged.
func AdoptDatabase(ctx context.Context, file string) (schema int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("look at the database: %w", damaged(err))
		}
	}()
	db, err := openPlain(file)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&schema); err != nil {
		return 0, err
	}
	switch {
	case schema > Schema():
		return schema, newer(schema)
	case schema < 1:
		return schema, fmt.Errorf("%w: it is none of layerd's", ErrDamaged)
	}
	const objects = `SELECT type || ' ' || name || ' ' || tbl_name || CASE WHEN sql LIKE 'CREATE VIRTUAL%' THEN ' virtual' ELSE '' END FROM sqlite_master ORDER BY 1`
	has, err := names(ctx, db, objects)
	if err != nil {
		return schema, err
	}
	ours, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return schema, err
	}
	defer ours.Close()
	ours.SetMaxOpenConns(1)
	if err := migrate(ours, migrations[:schema+1], false); err != nil {
		return schema, err
	}
	should, err := names(ctx, ours, objects)
	if err != nil {
		return schema, err
	}
	drop := func(name string) bool { return strings.Contains(name, " sqlite_stat") } // what ANALYZE leaves
	if has = slices.DeleteFunc(has, drop); !slices.Equal(has, should) {
		return schema, fmt.Errorf("%w: its tables are not those of layerd's schema %d", ErrDamaged, schema)
	}
	return schema, checkTables(ctx, db, func() {})
}

// damaged adds ErrDamaged to what SQLite says of a file that is damaged or no database.
func damaged(err error) error {
	var db *sqlite.Error
	if errors.As(err, &db) && slices.Contains([]int{sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}, db.Code()&0xff) && !errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// PrintUnderWay reports whether the history in dir has a print without an end: one that runs, or whose daemon was killed.
func PrintUnderWay(ctx context.Context, dir string) (bool, error) {
	db, err := openBeside(filepath.Join(dir, DatabaseFile))
	if err != nil {
		return false, err
	}
	defer db.Close()
	var any bool
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM prints WHERE outcome = '')`).Scan(&any)
	return any, err
}

// Untouched reports whether the database in dir is as a daemon makes it: nobody has an account or a key there, and nothing was printed.
func Untouched(ctx context.Context, dir string) (bool, error) {
	db, err := openBeside(filepath.Join(dir, DatabaseFile))
	if err != nil {
		return false, err
	}
	defer db.Close()
	var none bool
	err = db.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM people) AND NOT EXISTS (SELECT 1 FROM tokens) AND NOT EXISTS (SELECT 1 FROM prints)
		AND NOT EXISTS (SELECT 1 FROM spools) AND NOT EXISTS (SELECT 1 FROM queue)`).Scan(&none)
	return none, damaged(err)
}
