package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// copyIn writes a file into DIR/files behind the store's back.
func copyIn(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, "files", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCopiedInByHand(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, s, "z.gcode", part(1))
	copyIn(t, dir, "usb/odd: name?.gcode", part(4)) // not a name that CleanPath would leave as it is
	copyIn(t, dir, "notes.txt", "hello")
	copyIn(t, dir, ".hidden.gcode", part(1))
	copyIn(t, dir, ".git/a.gcode", part(1))
	copyIn(t, dir, "bad\xff.gcode", part(1))
	if got, want := paths(t, s), "usb usb/odd: name?.gcode z.gcode"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	const name = "usb/odd: name?.gcode"
	f, err := s.Stat(t.Context(), name)
	if err != nil || f.SHA256 != "" || f.Layers != 0 || f.Bytes != int64(len(part(4))) {
		t.Fatalf("before anybody asked: got %+v, %v", f, err)
	}
	if _, _, err := s.Thumbnail(t.Context(), name); !errors.Is(err, ErrNotFound) {
		t.Errorf("thumbnail: got %v, want ErrNotFound", err)
	}
	changed := s.Changed()
	if survey, err := s.Survey(t.Context(), name); err != nil || len(survey.Layers) != 4 {
		t.Fatalf("survey: got %+v, %v", survey, err)
	}
	select {
	case <-changed:
	default:
		t.Error("the list has changed, but that was not announced")
	}
	if f, err = s.Stat(t.Context(), name); err != nil || f.SHA256 == "" || f.Layers != 4 || !f.Thumbnail {
		t.Errorf("now it is known: got %+v, %v", f, err)
	}
	// Changed by hand: what was known no longer counts.
	copyIn(t, dir, name, part(6))
	if f, err = s.Stat(t.Context(), name); err != nil || f.SHA256 != "" {
		t.Errorf("changed: got %+v, %v, want it unknown", f, err)
	}
	if survey, err := s.Survey(t.Context(), name); err != nil || len(survey.Layers) != 6 {
		t.Errorf("changed: got %d layers, %v, want 6", len(survey.Layers), err)
	}
	copyIn(t, dir, "rubbish.gcode", "\x00\x01\x02\x03")
	if _, err := s.Survey(t.Context(), "rubbish.gcode"); !errors.Is(err, ErrNotGCode) || !strings.Contains(err.Error(), "rubbish.gcode") {
		t.Errorf("rubbish: got %v, want ErrNotGCode", err)
	}
	if err := s.Delete(t.Context(), name); err != nil {
		t.Error(err)
	}
}

// A file of the same size that is put in place of a known one within its time stamp's grain is the one thing that cannot be told apart; any
// other stamp can.
func TestKnownBySizeAndTime(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, s, "a.gcode", part(1))
	stamp := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "files", "a.gcode"), stamp, stamp); err != nil {
		t.Fatal(err)
	}
	if f, err := s.Stat(t.Context(), "a.gcode"); err != nil || f.SHA256 != "" || f.ModifiedMS != stamp.UnixMilli() {
		t.Errorf("got %+v, %v, want it unknown", f, err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.gcode")
	if err := os.WriteFile(secret, []byte(part(1)), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, s, "real/a.gcode", part(2))
	for link, target := range map[string]string{
		"file.gcode": secret, "folder": outside, "up": "..", "db.gcode": "../layerd.db", "inside": "real", "loop": "loop", "alias.gcode": "real/a.gcode",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "files", link)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := paths(t, s), "real real/a.gcode"; got != want {
		t.Errorf("listed: got %q, want %q", got, want)
	}
	for _, path := range []string{"file.gcode", "folder/secret.gcode", "up/layerd.db", "up/files/real/a.gcode", "db.gcode", "inside/a.gcode", "loop/a.gcode", "alias.gcode"} {
		if f, _, err := s.OpenFile(t.Context(), path); !errors.Is(err, ErrNotFound) {
			t.Errorf("open %s: got %v, %v, want ErrNotFound", path, f, err)
		}
		if _, err := s.Survey(t.Context(), path); !errors.Is(err, ErrNotFound) {
			t.Errorf("survey %s: got %v, want ErrNotFound", path, err)
		}
		if err := s.Delete(t.Context(), path); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete %s: got %v, want ErrNotFound", path, err)
		}
	}
	for _, path := range []string{"folder/new.gcode", "folder/secret.gcode", "up/new.gcode", "up/tmp/deep/new.gcode", "loop/new.gcode"} {
		if _, err := s.Put(t.Context(), path, strings.NewReader(part(3)), -1, true); !errors.Is(err, ErrExists) {
			t.Errorf("upload %s: got %v, want ErrExists", path, err)
		}
		if _, err := s.Rename(t.Context(), "real/a.gcode", path); err == nil {
			t.Errorf("renamed to %s", path)
		}
	}
	// An upload replaces a link, and leaves what it pointed at alone.
	if _, err := s.Put(t.Context(), "file.gcode", strings.NewReader(part(3)), -1, true); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != part(1) {
		t.Errorf("the file outside has changed: %v", err)
	}
	if names, _ := os.ReadDir(outside); len(names) != 1 {
		t.Errorf("outside: got %v, want one file", names)
	}
}

func TestRename(t *testing.T) {
	s := open1(t)
	a := put(t, s, "a.gcode", part(1))
	put(t, s, "b.gcode", part(2))
	got, err := s.Rename(t.Context(), "a.gcode", "new/folder/ü.GCODE")
	if err != nil || got.Path != "new/folder/ü.GCODE" || got.SHA256 != a.SHA256 || got.Layers != 1 || !got.Thumbnail {
		t.Errorf("got %+v, %v, want all that was known", got, err)
	}
	if _, err := s.Stat(t.Context(), "a.gcode"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old name: got %v, want ErrNotFound", err)
	}
	if same, err := s.Rename(t.Context(), "b.gcode", "b.gcode"); err != nil || same.Path != "b.gcode" {
		t.Errorf("to itself: got %+v, %v", same, err)
	}
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"b.gcode", "b.html", ErrName},
		{"b.gcode", "b", ErrName},
		{"b.gcode", "../b.gcode", ErrName},
		{"b.gcode", "", ErrName},
		{"b.gcode", "new/folder/ü.GCODE", ErrExists},
		{"b.gcode", "new", ErrName},
		{"new", "new/folder/in", ErrName},
		{"new", "b.gcode", ErrExists},
		{"b.gcode", "new/folder/ü.GCODE/b.gcode", ErrExists},
		{"none.gcode", "c.gcode", ErrNotFound},
		{"../none.gcode", "c.gcode", ErrName},
	} {
		if _, err := s.Rename(t.Context(), c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: got %v, want %v", c.from, c.to, err, c.want)
		}
	}
	if got, want := paths(t, s), "b.gcode new new/folder new/folder/ü.GCODE"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRenameOverWhatIsNotShown(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, s, "a/b.gcode", part(1))
	copyIn(t, dir, "notes", "precious")
	if _, err := s.Rename(t.Context(), "a", "notes"); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if _, err := s.MakeFolder(t.Context(), "notes"); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
}

func TestRenameFolderTakesWhatIsKnown(t *testing.T) {
	s := open1(t)
	for _, name := range []string{"p%_/a.gcode", "p%_/q/b.gcode", "p%_0.gcode", "pxy/c.gcode"} {
		put(t, s, name, part(len(name)))
	}
	if _, err := s.Rename(t.Context(), "p%_", "ж/é"); err != nil {
		t.Fatal(err)
	}
	files, err := s.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		if !f.Folder {
			got = append(got, f.Path)
			if f.SHA256 == "" || f.Layers == 0 {
				t.Errorf("%s: no longer known", f.Path)
			}
		}
	}
	if want := "p%_0.gcode pxy/c.gcode ж/é/a.gcode ж/é/q/b.gcode"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestDelete(t *testing.T) {
	s := open1(t)
	put(t, s, "a/b.gcode", part(1))
	for path, want := range map[string]error{"a": ErrNotEmpty, "none.gcode": ErrNotFound, "..": ErrName, "": ErrName, "../layerd.db": ErrName, ".": ErrName} {
		if err := s.Delete(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", path, err, want)
		}
	}
	for _, path := range []string{"a/b.gcode", "a"} {
		changed := s.Changed()
		if err := s.Delete(t.Context(), path); err != nil {
			t.Error(err)
		}
		select {
		case <-changed:
		default:
			t.Errorf("%s: the change was not announced", path)
		}
	}
	var n int
	if err := s.db.QueryRow(`SELECT (SELECT count(*) FROM files) + (SELECT count(*) FROM contents)`).Scan(&n); err != nil || n != 0 || paths(t, s) != "" {
		t.Errorf("got %d rows, %v, files %q, want nothing", n, err, paths(t, s))
	}
}

func TestMakeFolder(t *testing.T) {
	s := open1(t)
	f, err := s.MakeFolder(t.Context(), "a/ b /c")
	if err != nil || f.Path != "a/b/c" || !f.Folder || f.Name != "c" {
		t.Errorf("got %+v, %v", f, err)
	}
	put(t, s, "x.gcode", part(1))
	for path, want := range map[string]error{"a/b": ErrExists, "x.gcode": ErrExists, "x.gcode/y": ErrExists, "../x": ErrName} {
		if _, err := s.MakeFolder(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
	if f, _, err := s.OpenFile(t.Context(), "a/b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("open a folder: got %v, %v, want ErrNotFound", f, err)
	}
	if got, want := paths(t, s), "a a/b a/b/c x.gcode"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCancelled(t *testing.T) {
	s := open1(t)
	put(t, s, "a.gcode", part(1))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.naming <- struct{}{} // somebody else's turn, for ever
	_, renamed := s.Rename(over, "a.gcode", "b.gcode")
	_, made := s.MakeFolder(over, "f")
	_, stored := s.Put(over, "c.gcode", strings.NewReader(part(1)), -1, false)
	_, listed := s.Files(over)
	for doing, err := range map[string]error{"rename": renamed, "folder": made, "upload": stored, "list": listed, "delete": s.Delete(over, "a.gcode"), "begin": s.BeginPrint(over, Print{ID: "p", File: "a.gcode"})} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want it to give up", doing, err)
		}
	}
}

// A newer layerd makes surveys again. Until then the files are still the ones that were printed.
func TestUpgradeKeepsWhatIsKnown(t *testing.T) {
	s := open1(t)
	was := put(t, s, "a.gcode", part(3))
	if _, err := s.db.Exec(`UPDATE contents SET revision = ?, survey = '{}'`, surveyRevision-1); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Stat(t.Context(), "a.gcode"); err != nil || got != was || got.SHA256 == "" || !got.Thumbnail {
		t.Errorf("got %+v, %v, want %+v", got, err, was)
	}
	if all, err := s.Files(t.Context()); err != nil || len(all) != 1 || all[0] != was {
		t.Errorf("got %+v, %v, want %+v", all, err, was)
	}
	if picture, _, err := s.Thumbnail(t.Context(), "a.gcode"); err != nil || len(picture) == 0 {
		t.Errorf("got a picture of %d bytes, %v", len(picture), err)
	}
	if survey, err := s.Survey(t.Context(), "a.gcode"); err != nil || survey.Lines == 0 {
		t.Errorf("got %+v, %v, want it made again", survey, err)
	}
}

// A name that no disk takes is one that is not there, and no fault of ours.
func TestTooLongToBeThere(t *testing.T) {
	s := openIn(t, t.TempDir())
	put(t, s, "a.gcode", part(1))
	for _, name := range []string{strings.Repeat("0", 300), strings.Repeat("0", 300) + ".gcode", "sub/" + strings.Repeat("é", 130) + ".gcode", strings.Repeat("0", 300) + "/a.gcode"} {
		_, stat := s.Stat(t.Context(), name)
		_, survey := s.Survey(t.Context(), name)
		_, rename := s.Rename(t.Context(), name, "b.gcode")
		for what, err := range map[string]error{"stat": stat, "survey": survey, "rename": rename, "delete": s.Delete(t.Context(), name)} {
			if !errors.Is(err, ErrName) && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s of %.10s… (%d bytes): got %v", what, name, len(name), err)
			}
		}
	}
}
