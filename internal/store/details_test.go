package store

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"layerd/gcode"
)

func TestDetails(t *testing.T) {
	s := open1(t)
	a, b := put(t, s, "a.gcode", part(1)), put(t, s, "b.gcode", part(2))
	for _, p := range []Print{
		{ID: "1", Outcome: "done", ElapsedS: 10, EndedMS: 100},
		{ID: "2", Outcome: "failed", ElapsedS: 3, EndedMS: 200},
		{ID: "3", Outcome: "done", ElapsedS: 20, EndedMS: 300},
		{ID: "4", Outcome: "cancelled", ElapsedS: 5, EndedMS: 400},
		{ID: "5"}, // runs
	} {
		begun := Print{ID: p.ID, File: "a.gcode"}
		if err := s.BeginPrint(t.Context(), begun); err != nil {
			t.Fatal(err)
		}
		if p.Outcome != "" {
			if err := s.EndPrint(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	extent := &gcode.Box{Min: [3]float64{10, 10, 0.2}, Max: [3]float64{20, 20, 0.2}}
	wantA := Details{FilamentMM: []float64{3}, Extent: extent, Done: 2, Failed: 2, LastMS: 400, LastS: 5, DoneS: 20, MeanS: 15}
	all, err := s.Details(t.Context(), "")
	if err != nil || len(all) != 2 || !reflect.DeepEqual(all[a.SHA256], wantA) {
		t.Errorf("got %+v, %v, want of %s %+v", all, err, a.SHA256, wantA)
	}
	one, err := s.Details(t.Context(), b.SHA256)
	if d := one[b.SHA256]; err != nil || len(one) != 1 || d.Done+d.Failed != 0 || d.LastMS != 0 || !reflect.DeepEqual(d.FilamentMM, []float64{6}) {
		t.Errorf("got %+v, %v", one, err)
	}
	if none, err := s.Details(t.Context(), "00"); err != nil || len(none) != 0 {
		t.Errorf("got %v, %v, want none", none, err)
	}
}

// What was surveyed before there were columns for it has them filled in, and a survey that nobody can read is no reason not to start.
func TestMigrateDetails(t *testing.T) {
	dir := t.TempDir()
	old, err := openDatabase(filepath.Join(dir, "layerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(old, migrations[:10], false); err != nil {
		t.Fatal(err)
	}
	for sha, survey := range map[string]string{"a": `{"lines":5,"tools_mm":[1.5,2],"bounds_mm":[1,2,3,4,5,6],"layers":[]}`, "b": `{"tools_mm":null,"bounds_mm":null}`, "c": `{"tools`} {
		if _, err := old.Exec(`INSERT INTO contents (sha256, revision, estimate_s, filament_mm, layers, thumb_type, survey, thumb) VALUES (?, 3, 1, 2, 3, '', ?, x'')`, sha, []byte(survey)); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(old, migrations[:], false); err != nil {
		t.Fatal(err)
	}
	s := &Store{db: old}
	defer old.Close()
	got, err := s.Details(t.Context(), "")
	want := map[string]Details{"a": {FilamentMM: []float64{1.5, 2}, Extent: &gcode.Box{Min: [3]float64{1, 2, 3}, Max: [3]float64{4, 5, 6}}}, "b": {}, "c": {}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// The last word on a name may come with the end of the file.
func TestPutLate(t *testing.T) {
	s := open1(t)
	old := put(t, s, "a.gcode", part(1))
	late := func(path string, overwrite bool) error {
		_, err := s.PutLate(t.Context(), "a.gcode", strings.NewReader(part(2)), -1, true, func(*gcode.Survey) (string, bool, error) { return path, overwrite, nil })
		return err
	}
	for _, c := range []struct {
		path      string
		overwrite bool
		want      error
	}{{"in/b.gcode", false, nil}, {"in/b.gcode", false, ErrExists}, {"in/b.gcode", true, nil}, {"b.txt", true, ErrEnding}, {"b.html", true, ErrName}, {"../b.gcode", true, ErrName}, {"", true, ErrName}} {
		if err := late(c.path, c.overwrite); !errors.Is(err, c.want) {
			t.Errorf("%q: got %v, want %v", c.path, err, c.want)
		}
	}
	if f, err := s.Stat(t.Context(), "a.gcode"); err != nil || f != old {
		t.Errorf("got %+v, %v, want the old file", f, err)
	}
	if names := strings.Join(leftBehind(t, s), " "); names != "files/a.gcode files/in files/in/b.gcode" {
		t.Errorf("on the disk: %s", names)
	}
}

func TestTokenByID(t *testing.T) {
	s := open1(t)
	_, made, err := s.CreateToken(t.Context(), Token{Name: "app", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Token(t.Context(), made.ID); err != nil || got != made {
		t.Errorf("got %+v, %v, want %+v", got, err, made)
	}
	if _, err := s.db.Exec(`UPDATE tokens SET expires_ms = 1`); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{made.ID, "", "x"} {
		if _, err := s.Token(t.Context(), id); !errors.Is(err, ErrNoToken) {
			t.Errorf("%q: got %v, want ErrNoToken", id, err)
		}
	}
}

func TestDisk(t *testing.T) {
	if free, total, err := open1(t).Disk(); err != nil || free <= 0 || total < free {
		t.Errorf("got %d of %d, %v", free, total, err)
	}
}
