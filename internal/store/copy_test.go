package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// older makes a data directory as a layerd of that schema has left it, with a print in it.
func older(t *testing.T, schema int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db, err := openDatabase(filepath.Join(dir, DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := migrate(db, migrations[:schema+1], false); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO prints (id, file, sha256, by_whom, started_ms, ended_ms, outcome, reason, fault, elapsed_s, filament_mm, line, "offset", layer, layers, z_mm, percent, journal_ms)
		VALUES ('old', 'a.gcode', '', 'Anna', 1, 2, 'done', '', '', 1, 1, 1, 1, 1, 1, 1, 100, 2)`); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCopyOfOlder copies databases of every schema that there was, and opens the copies with this one.
func TestCopyOfOlder(t *testing.T) {
	for schema := 1; schema <= Schema(); schema++ {
		from, to := older(t, schema), t.TempDir()
		copied := filepath.Join(to, DatabaseFile)
		got, err := CopyDatabase(t.Context(), from, copied, false, func() {})
		if err != nil || got != schema {
			t.Errorf("schema %d: got %d, %v", schema, got, err)
			continue
		}
		if got, err := AdoptDatabase(t.Context(), copied); err != nil || got != schema {
			t.Errorf("schema %d: got %d, %v", schema, got, err)
		}
		if left, _ := filepath.Glob(copied + "-*"); left != nil {
			t.Errorf("schema %d: beside it lies %v", schema, left)
		}
		s := openIn(t, to)
		if prints, err := s.Prints(t.Context(), 0, 10); err != nil || len(prints) != 1 || prints[0].ID != "old" {
			t.Errorf("schema %d: got %+v, %v", schema, prints, err)
		}
	}
}

// TestAdoptRefuses databases that are not as layerd makes them.
func TestAdoptRefuses(t *testing.T) {
	for name, change := range map[string]string{
		"a trigger":        `CREATE TRIGGER t AFTER INSERT ON people BEGIN DELETE FROM prints; END`,
		"a view":           `CREATE VIEW v AS SELECT * FROM people`,
		"a view for table": `DROP TABLE queue; CREATE VIEW queue AS SELECT 1`,
		"another table":    `CREATE TABLE more (a)`,
		"a table less":     `DROP TABLE sessions`,
		"no schema":        `PRAGMA user_version = 0`,
		"a newer one":      `PRAGMA user_version = 9999`,
		"another one's":    `PRAGMA user_version = 3`,
	} {
		dir := older(t, Schema())
		file := filepath.Join(dir, DatabaseFile)
		db, err := openDatabase(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
		db.Close()
		if _, err := AdoptDatabase(t.Context(), file); err == nil || name != "a newer one" && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	analysed := older(t, Schema())
	db, err := openDatabase(filepath.Join(analysed, DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`ANALYZE`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := AdoptDatabase(t.Context(), filepath.Join(analysed, DatabaseFile)); err != nil {
		t.Errorf("what ANALYZE leaves: %v", err)
	}
}

func TestCopyEnds(t *testing.T) {
	dir := older(t, Schema())
	ctx, stop := context.WithCancel(t.Context())
	stop()
	to := filepath.Join(t.TempDir(), "copy.db")
	if _, err := CopyDatabase(ctx, dir, to, false, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a part of it is there")
	}
}

// TestCopyIsToldToSpoolman: what the daemon that is copied will tell is not told a second time by who is restored.
func TestCopyIsToldToSpoolman(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	s.SpoolsFrom(Spoolman)
	if err := s.PutOn(t.Context(), ActiveSpool{Spool: 4, Name: "red", GPerM: 3}); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginPrint(t.Context(), Print{ID: "one", File: "a.gcode"}); err != nil {
		t.Fatal(err)
	}
	if err := s.EndPrint(t.Context(), Print{ID: "one", Outcome: "done", FilamentMM: 700, ToolsMM: []float64{700}}); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if _, err := CopyDatabase(t.Context(), dir, to, false, func() {}); err != nil {
		t.Fatal(err)
	}
	db, err := openPlain(to)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mm, sent float64
	if err := db.QueryRow(`SELECT mm, sent_mm FROM spool_uses`).Scan(&mm, &sent); err != nil || mm != 700 || sent != 700 {
		t.Errorf("got %g of %g, %v", sent, mm, err)
	}
}

func TestAdoptPrints(t *testing.T) {
	s := open1(t)
	ctx := t.Context()
	theirs := []Print{{ID: "b", File: "b.gcode", StartedMS: 20, EndedMS: 21, Outcome: "done"}, {ID: "a", File: "a.gcode", StartedMS: 10, EndedMS: 11, Outcome: "cancelled"}, {ID: "c", File: "c.gcode", StartedMS: 30, EndedMS: 31, Outcome: "done"}}
	order := func() (ids string) {
		t.Helper()
		prints, err := s.Prints(ctx, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range prints {
			ids += p.ID
		}
		return ids
	}
	if n, err := s.AdoptPrints(ctx, theirs[:2]); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := s.AdoptPrints(ctx, theirs); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if got := order(); got != "cba" {
		t.Errorf("got %s", got)
	}
	if last, found, err := s.LastPrint(ctx); found || err != nil {
		t.Errorf("got %+v, %v", last, err)
	}
	if err := s.BeginPrint(ctx, Print{ID: "own", File: "a.gcode"}); err != nil {
		t.Fatal(err)
	}
	if last, found, err := s.LastPrint(ctx); !found || last.ID != "own" || err != nil {
		t.Errorf("got %+v, %v", last, err)
	}
	if _, err := s.AdoptPrints(ctx, []Print{{ID: "d", File: "d.gcode"}}); err == nil {
		t.Error("a print without an end was taken")
	}
}

func TestAdoptKey(t *testing.T) {
	s := open1(t)
	ctx := t.Context()
	secret := strings.Repeat("0123456789ABCDEF", 2)
	for n, want := range []bool{true, false} {
		if added, err := s.AdoptKey(ctx, "Cura", "operator", secret); added != want || err != nil {
			t.Errorf("%d: got %v, %v", n, added, err)
		}
	}
	if token, err := s.TokenBySecret(ctx, secret); err != nil || token.Name != "Cura" || token.Role != "operator" {
		t.Errorf("got %+v, %v", token, err)
	}
	for _, c := range [][3]string{{"Cura", "operator", "short"}, {"Cura", "king", secret}, {"", "operator", secret}, {"Cura", "operator", strings.Repeat("x", 1000)}} {
		if added, err := s.AdoptKey(ctx, c[0], c[1], c[2]); added || err == nil {
			t.Errorf("%q was taken", c)
		}
	}
}

func TestUntouched(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	look := func(want bool) {
		t.Helper()
		if got, err := Untouched(t.Context(), dir); got != want || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if err := s.SetSetting(t.Context(), "uuid", "x"); err != nil {
		t.Fatal(err)
	}
	look(true)
	if _, err := s.AddFirstOwner(t.Context(), "Anna", "hash"); err != nil {
		t.Fatal(err)
	}
	look(false)
}

// TestCopyByRelativeNames: people name folders and files as they see them from where they are.
func TestCopyByRelativeNames(t *testing.T) {
	from := openIn(t, t.TempDir())
	t.Chdir(filepath.Dir(filepath.Dir(from.name)))
	dir := filepath.Base(filepath.Dir(from.name))
	if _, err := CopyDatabase(t.Context(), dir, "copy.db", false, func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := AdoptDatabase(t.Context(), "copy.db"); err != nil {
		t.Error(err)
	}
	if free, err := Untouched(t.Context(), dir); !free || err != nil {
		t.Errorf("got %v, %v", free, err)
	}
}

// TestLockFollowsNoLink: root restores into a directory whose owner may have laid a link there.
func TestLockFollowsNoLink(t *testing.T) {
	other, dir := filepath.Join(t.TempDir(), "other"), t.TempDir()
	if err := errors.Join(os.WriteFile(other, []byte("of somebody else"), 0o600), os.Symlink(other, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	if f, err := Lock(dir); err == nil {
		f.Close()
		t.Error("it was taken")
	}
	if b, err := os.ReadFile(other); string(b) != "of somebody else" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestGive gives what root has made, and nothing that has a second name, which may be anywhere.
func TestGive(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mine", "twice"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "twice"), filepath.Join(t.TempDir(), "second")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 4321, 4321); err != nil {
			t.Fatal(err)
		}
	}
	if err := Give(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{"mine": 4321, "twice": 0} {
		var at unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &at); err != nil || os.Geteuid() == 0 && at.Uid != want {
			t.Errorf("%s is %d's, %v", name, at.Uid, err)
		}
	}
}
