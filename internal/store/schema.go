package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// The database is opened, then brought from its PRAGMA user_version to the newest schema, one migration a step. A step that
// was ever released is never changed; a new one is added below it.
var migrations = [...]string{
	1: `
CREATE TABLE prints (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- order of beginning, whatever the clock said
	id          TEXT NOT NULL UNIQUE,
	file        TEXT NOT NULL,
	sha256      TEXT NOT NULL,
	by_whom     TEXT NOT NULL,
	started_ms  INTEGER NOT NULL,
	ended_ms    INTEGER NOT NULL,
	outcome     TEXT NOT NULL, -- '' while it runs
	reason      TEXT NOT NULL,
	fault       TEXT NOT NULL,
	elapsed_s   REAL NOT NULL,
	filament_mm REAL NOT NULL,
	line        INTEGER NOT NULL,
	"offset"    INTEGER NOT NULL,
	layer       INTEGER NOT NULL,
	layers      INTEGER NOT NULL,
	z_mm        REAL NOT NULL,
	percent     REAL NOT NULL,
	journal_ms  INTEGER NOT NULL -- when the row was last written while it ran
);
CREATE INDEX prints_started ON prints (started_ms);
CREATE INDEX prints_sha256 ON prints (sha256);
CREATE INDEX prints_running ON prints (outcome) WHERE outcome = '';

CREATE TABLE tokens (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
	hash       BLOB NOT NULL UNIQUE, -- SHA-256 of the secret
	created_ms INTEGER NOT NULL,
	used_ms    INTEGER NOT NULL
);

CREATE TABLE settings (
	key        TEXT PRIMARY KEY,
	value      TEXT NOT NULL, -- JSON
	changed_ms INTEGER NOT NULL
);

-- What is known of a content. The small columns come first: SQLite reads a row from its front.
CREATE TABLE contents (
	sha256      TEXT PRIMARY KEY,
	revision    INTEGER NOT NULL, -- surveyRevision at the time
	estimate_s  REAL NOT NULL,
	filament_mm REAL NOT NULL,
	layers      INTEGER NOT NULL,
	thumb_type  TEXT NOT NULL, -- '' for none
	survey      BLOB NOT NULL, -- JSON
	thumb       BLOB NOT NULL
);

-- Which content a file has. A row counts only for a file of exactly this size and time, so a file that was changed by hand
-- is simply not known, and an upload can write its row before its file appears.
CREATE TABLE files (
	path        TEXT NOT NULL,
	bytes       INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	sha256      TEXT NOT NULL REFERENCES contents,
	PRIMARY KEY (path, bytes, modified_ns)
);
CREATE INDEX files_sha256 ON files (sha256);
`,
	2: `
-- The last lines of the conversation before a print failed. The order of rowid is that of keeping.
CREATE TABLE print_logs (
	id    TEXT PRIMARY KEY, -- of the print
	lines BLOB NOT NULL -- JSON
);
`,
	3: `
ALTER TABLE prints ADD COLUMN lines_again    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prints ADD COLUMN resend_percent REAL NOT NULL DEFAULT 0;
ALTER TABLE prints ADD COLUMN starved_s      REAL NOT NULL DEFAULT 0;
ALTER TABLE prints ADD COLUMN starved_by     TEXT NOT NULL DEFAULT '';
`,
	4: `
-- The temperatures of a print. The order of rowid is that of the first writing.
CREATE TABLE print_curves (
	id   TEXT PRIMARY KEY, -- of the print
	data BLOB NOT NULL -- JSON in gzip
);
`,
	5: `
-- The last picture of a print. The order of rowid is that of the first writing.
CREATE TABLE print_pictures (
	id   TEXT PRIMARY KEY, -- of the print
	data BLOB NOT NULL -- JPEG
);
`,
	6: `
-- Copies of what a printer's firmware said of its settings (M503), kept before they were changed.
CREATE TABLE settings_copies (
	id       INTEGER PRIMARY KEY AUTOINCREMENT, -- order of keeping
	at_ms    INTEGER NOT NULL,
	firmware TEXT NOT NULL,
	machine  TEXT NOT NULL,
	why      TEXT NOT NULL,
	sha256   TEXT NOT NULL,
	lines    INTEGER NOT NULL,
	text     TEXT NOT NULL
);
`,
	7: `
CREATE TABLE spools (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	name          TEXT NOT NULL,
	material      TEXT NOT NULL,
	colour        TEXT NOT NULL, -- '#rrggbb', '' unknown
	diameter_mm   REAL NOT NULL,
	density_g_cm3 REAL NOT NULL,
	weight_g      REAL NOT NULL, -- of the filament when it is full
	spool_g       REAL NOT NULL, -- of the empty spool, 0 unknown
	cost          REAL NOT NULL, -- 0 unknown
	archived      INTEGER NOT NULL,
	base_mm       REAL NOT NULL, -- used besides what spool_uses says; a person who weighs the spool changes it
	created_ms    INTEGER NOT NULL
);

-- Which spool is on which tool. source says whose number it is: 'layerd' (the table above) or 'spoolman'.
CREATE TABLE active_spools (
	source  TEXT NOT NULL,
	tool    INTEGER NOT NULL,
	spool   INTEGER NOT NULL,
	name    TEXT NOT NULL,
	g_per_m REAL NOT NULL,
	PRIMARY KEY (source, tool)
);

-- What a print has used of a spool, as of its last journal entry. A part ends when another spool is put on. The lengths are set, never added to,
-- so that writing one again changes nothing.
CREATE TABLE spool_uses (
	print      TEXT NOT NULL,
	tool       INTEGER NOT NULL,
	part       INTEGER NOT NULL, -- from 0
	source     TEXT NOT NULL,
	spool      INTEGER NOT NULL, -- 0 none
	name       TEXT NOT NULL, -- the spool's then
	g_per_m    REAL NOT NULL,
	from_mm    REAL NOT NULL, -- what the tool had used when the part began
	mm         REAL NOT NULL,
	closed     INTEGER NOT NULL, -- another part follows
	sent_mm    REAL NOT NULL DEFAULT 0, -- of mm, what Spoolman has been told
	sending_mm REAL NOT NULL DEFAULT 0, -- what it is being told; its answer is not known
	seen_mm    REAL NOT NULL DEFAULT 0, -- the use that it knew before that
	PRIMARY KEY (print, tool, part)
);
CREATE INDEX spool_uses_spool ON spool_uses (source, spool);
`,
	8: `
-- Files to be printed, in the order of place. print is the print under way that this entry has begun, '' for none.
CREATE TABLE queue (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	place    INTEGER NOT NULL,
	file     TEXT NOT NULL,
	copies   INTEGER NOT NULL,
	by_whom  TEXT NOT NULL,
	added_ms INTEGER NOT NULL,
	print    TEXT NOT NULL DEFAULT ''
);
`,
	9: `
-- People, and where they are logged in. hash is the password's, in the form of PHC; '' for who comes by the tailnet.
CREATE TABLE people (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	folded     TEXT NOT NULL UNIQUE, -- name in lower case
	role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
	tailnet    INTEGER NOT NULL,
	hash       TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	used_ms    INTEGER NOT NULL
);

ALTER TABLE tokens ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0; -- 0 never
ALTER TABLE tokens ADD COLUMN link       INTEGER NOT NULL DEFAULT 0;

-- A session belongs to a person or to a token, and goes with them.
CREATE TABLE sessions (
	id           TEXT PRIMARY KEY,
	hash         BLOB NOT NULL UNIQUE, -- SHA-256 of the secret
	person       TEXT REFERENCES people ON DELETE CASCADE,
	token        TEXT REFERENCES tokens ON DELETE CASCADE,
	via          TEXT NOT NULL, -- 'password', 'key' or 'link'
	agent        TEXT NOT NULL,
	address      TEXT NOT NULL,
	created_ms   INTEGER NOT NULL,
	used_ms      INTEGER NOT NULL,
	ends_ms      INTEGER NOT NULL, -- at the latest
	confirmed_ms INTEGER NOT NULL  -- until when; 0 not
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_token ON sessions (token);

-- Who did what.
CREATE TABLE audit (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms   INTEGER NOT NULL,
	who     TEXT NOT NULL, -- ID
	name    TEXT NOT NULL,
	role    TEXT NOT NULL,
	via     TEXT NOT NULL,
	address TEXT NOT NULL,
	what    TEXT NOT NULL,
	detail  TEXT NOT NULL,
	outcome TEXT NOT NULL -- 'ok', or the error's code
);
`,
	10: `
-- What lists of files show of a survey, which is too long to be read for each. JSON.
ALTER TABLE contents ADD COLUMN tools  TEXT NOT NULL DEFAULT 'null';
ALTER TABLE contents ADD COLUMN bounds TEXT NOT NULL DEFAULT 'null';
UPDATE contents SET tools = coalesce(json_extract(CAST(survey AS TEXT), '$.tools_mm'), 'null'), bounds = coalesce(json_extract(CAST(survey AS TEXT), '$.bounds_mm'), 'null')
	WHERE json_valid(CAST(survey AS TEXT));
`,
	11: `
UPDATE contents SET bounds = json_object('min', json_array(bounds ->> 0, bounds ->> 1, bounds ->> 2), 'max', json_array(bounds ->> 3, bounds ->> 4, bounds ->> 5))
	WHERE json_valid(bounds) AND json_type(bounds) = 'array';
`,
	12: `
-- Shifts that were found in prints, with a picture of before and one of then.
CREATE TABLE print_alarms (
	id     INTEGER PRIMARY KEY AUTOINCREMENT, -- order of being found
	print  TEXT NOT NULL,
	at_ms  INTEGER NOT NULL,
	about  BLOB NOT NULL, -- JSON
	before_jpeg BLOB NOT NULL, -- empty for none
	after_jpeg  BLOB NOT NULL
);
CREATE INDEX print_alarms_print ON print_alarms (print);
`,
}

// openDatabase opens the database file, which when it is new is for nobody but us: passwords' hashes are in it, and the folder may be of people's own making.
//
// synchronous=FULL makes every commit survive a power cut, in WAL mode at the price of one fsync. There is no statement for which less would do: what is not
// worth an fsync (temperatures, when a key was used) is written seldom instead, which spares the card more. A commit of 8 kB has a card written
// with 15 to 50 (docs/PERFORMANCE.md): its pages, and what the file system notes of the file. wal_autocheckpoint keeps the log short, so that it is soon written
// over in place and no longer grows, which the file system would have to note each time.
func openDatabase(file string) (*sql.DB, error) {
	made, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // SQLite gives what it puts beside it the same rights
	switch {
	case err == nil:
		made.Close()
	case !errors.Is(err, os.ErrExist): // one that is there is not touched: to close it would take the locks of our other connections to it
		return nil, err
	}
	source := url.URL{Scheme: "file", Path: file, RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-1000)", "wal_autocheckpoint(100)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(3) // each costs a megabyte or two; SQLite has one writer at a time anyway
	db.SetMaxIdleConns(3)
	db.SetConnMaxLifetime(0)
	return db, nil
}

// migrate brings the database to the newest of steps (step 0 is unused). With onlyNew it fills an empty database but leaves
// an older schema to the daemon, which may be running.
func migrate(db *sql.DB, steps []string, onlyNew bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil) // immediate: two processes cannot both migrate
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	newest := len(steps) - 1
	switch {
	case have == newest:
		return nil
	case have > newest:
		return fmt.Errorf("it was written by a newer layerd (schema %d, this one knows %d): install that version again", have, newest)
	case onlyNew && have > 0:
		return fmt.Errorf("it was written by an older layerd (schema %d, this one needs %d): start the new layerd once", have, newest)
	}
	for version := have + 1; version <= newest; version++ {
		if _, err := tx.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", version, err)
		}
	}
	// A pragma takes no parameters.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", newest)); err != nil {
		return fmt.Errorf("write schema version: %w", err)
	}
	return tx.Commit()
}
