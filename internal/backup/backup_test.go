package backup

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"layerd/internal/store"
)

const cube = "M104 S200\nG28\nM109 S200\nM83\n;LAYER_CHANGE\n;Z:0.2\nG1 Z0.2 F600\nG1 X10 Y10 E1 F1200\nG1 X20 Y10 E1\nM104 S0\n"

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Limits{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// furnished is a store with something of each kind in it, and the secret of a session.
func furnished(t testing.TB, dir string) (s *store.Store, session string) {
	t.Helper()
	ctx := t.Context()
	s = openStore(t, dir)
	must(t, s.SetSetting(ctx, "cooling", map[string]int{"nozzle_s": 77}))
	must(t, s.SetSetting(ctx, "view_secret", "opens the camera"))
	ann, err := s.AddFirstOwner(ctx, "Ann", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")
	must(t, err)
	session, _, err = s.AddSession(ctx, store.Session{Person: ann.ID, Via: "password", Shown: ann.Hash}, "")
	must(t, err)
	_, _, err = s.CreateToken(ctx, store.Token{Name: "slicer", Role: "operator"})
	must(t, err)
	_, err = s.Put(ctx, "parts/cube.gcode", strings.NewReader(cube), int64(len(cube)), false)
	must(t, err)
	spool, err := s.SaveSpool(ctx, store.SpoolEdit{Name: "red", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
	must(t, err)
	must(t, s.PutOn(ctx, store.ActiveSpool{Spool: spool, Name: "red", GPerM: 3}))
	_, err = s.AddToQueue(ctx, "parts/cube.gcode", 2, "Ann")
	must(t, err)
	must(t, s.BeginPrint(ctx, store.Print{ID: "one", File: "parts/cube.gcode", By: "Ann"}))
	must(t, s.EndPrint(ctx, store.Print{ID: "one", Outcome: "failed", ElapsedS: 12, FilamentMM: 2000, ToolsMM: []float64{2000}}))
	must(t, s.KeepPicture(ctx, "one", []byte("\xff\xd8 a picture \xff\xd9")))
	must(t, s.KeepLog(ctx, "one", []store.LogLine{{Text: "the last line"}}))
	must(t, s.KeepCurve(ctx, "one", store.Curve{FromMS: 1, GapMS: 2, AfterMS: []int64{1}, Heaters: []store.HeaterCurve{{Name: "bed", ActualC: []store.DeciC{600}, TargetC: []store.DeciC{0}}}}))
	return s, session
}

// known is all that can be asked of a store and should be as it was.
func known(t testing.TB, s *store.Store) map[string]any {
	t.Helper()
	ctx := t.Context()
	all := map[string]any{}
	keep := func(what string, v any, err error) {
		t.Helper()
		must(t, err)
		all[what] = v
	}
	var cooling map[string]int
	found, err := s.Setting(ctx, "cooling", &cooling)
	keep("cooling", []any{found, cooling}, err)
	people, err := s.People(ctx)
	for i := range people {
		people[i].UsedMS = 0 // by their sessions
	}
	keep("people", people, err)
	tokens, err := s.Tokens(ctx)
	keep("tokens", tokens, err)
	prints, err := s.Prints(ctx, 0, 500)
	keep("prints", prints, err)
	picture, err := s.Picture(ctx, "one")
	keep("picture", picture, err)
	lines, err := s.PrintLog(ctx, "one")
	keep("log", lines, err)
	curve, err := s.Curve(ctx, "one")
	keep("curve", curve, err)
	spools, err := s.Spools(ctx)
	keep("spools", spools, err)
	active, err := s.ActiveSpools(ctx)
	keep("active", active, err)
	queue, err := s.Queue(ctx)
	keep("queue", queue, err)
	return all
}

func same(t testing.TB, when string, got, want map[string]any) {
	t.Helper()
	for what := range want {
		if !reflect.DeepEqual(got[what], want[what]) {
			t.Errorf("%s: %s: got %+v, want %+v", when, what, got[what], want[what])
		}
	}
}

func write(t testing.TB, dir string, wish Wish) []byte {
	t.Helper()
	p, err := Source{Dir: dir, Version: "v1.2.3", Host: "bench"}.Prepare(t.Context(), wish)
	must(t, err)
	defer p.Close()
	var b bytes.Buffer
	must(t, p.Write(t.Context(), &b))
	return b.Bytes()
}

// below lists the files of a folder.
func below(t testing.TB, dir string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, err = filepath.Rel(dir, name)
			all = append(all, name)
		}
		return err
	}))
	return all
}

func TestRoundTrip(t *testing.T) {
	from := t.TempDir()
	s, session := furnished(t, from)
	must(t, os.MkdirAll(filepath.Join(from, "timelapse/one"), 0o700))
	must(t, os.WriteFile(filepath.Join(from, "timelapse/one/film.mp4"), []byte("a film"), 0o600))
	must(t, os.MkdirAll(filepath.Join(from, "tailnet"), 0o700))
	must(t, os.WriteFile(filepath.Join(from, "tailnet/tailscaled.state"), []byte("the node's key"), 0o600))
	must(t, os.Symlink("/etc/passwd", filepath.Join(from, "files/parts/link.gcode")))
	want := known(t, s)
	file, err := s.Stat(t.Context(), "parts/cube.gcode")
	must(t, err)
	for _, wish := range []Wish{{}, {Files: true}, {Files: true, Timelapses: true}} {
		b := write(t, from, wish)
		if left := below(t, filepath.Join(from, "tmp")); len(left) > 0 {
			t.Errorf("left in tmp: %v", left)
		}
		m, err := Check(t.Context(), bytes.NewReader(b), t.TempDir())
		must(t, err)
		if m.Layerd != "v1.2.3" || m.Host != "bench" || m.Schema != store.Schema() || m.Files != wish.Files || m.Timelapses != wish.Timelapses {
			t.Errorf("%+v: got %+v", wish, m)
		}
		to := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(b), to); err != nil {
			t.Fatal(err)
		}
		wanted := []string{"layerd.db", "lock"}
		if wish.Files {
			wanted = append(wanted, "files/parts/cube.gcode")
		}
		if wish.Timelapses {
			wanted = append(wanted, "timelapse/one/film.mp4")
		}
		slices.Sort(wanted)
		if got := below(t, to); !reflect.DeepEqual(got, wanted) {
			t.Errorf("%+v: got %v, want %v", wish, got, wanted)
		}
		again := openStore(t, to)
		same(t, "round trip", known(t, again), want)
		if _, err := again.SessionBySecret(t.Context(), session); !errors.Is(err, store.ErrSession) {
			t.Errorf("the browser's session came along: %v", err)
		}
		var seal string
		if found, _ := again.Setting(t.Context(), "view_secret", &seal); found {
			t.Error("what opens the camera came along")
		}
		if wish.Files {
			if got, err := again.Stat(t.Context(), "parts/cube.gcode"); err != nil || got != file {
				t.Errorf("got %+v (%v), want %+v", got, err, file)
			}
		}
	}
}

// TestBesideAWriter copies while prints are journalled, and finds every copy whole and of one moment.
func TestBesideAWriter(t *testing.T) {
	from := t.TempDir()
	s, _ := furnished(t, from)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	must(t, s.BeginPrint(ctx, store.Print{ID: "runs", File: "parts/cube.gcode"}))
	for i := range 40 {
		must(t, s.KeepPicture(ctx, "one", bytes.Repeat([]byte{byte(i)}, 60_000)))
	}
	if running, err := store.PrintUnderWay(ctx, from); !running || err != nil {
		t.Errorf("a print runs: got %v, %v", running, err)
	}
	// Each rest between two pieces lets a journal entry be written: a copy that had to begin again with each would never end.
	line, rests := int64(0), 0
	source := Source{Dir: from, Pace: func() (rest, done func()) {
		return func() {
			rests++
			line++
			must(t, s.Journal(ctx, store.Print{ID: "runs", Line: line, Percent: float64(line)}))
		}, func() {}
	}}
	p, err := source.Prepare(ctx, Wish{})
	must(t, err)
	defer p.Close()
	if rests < 3 {
		t.Errorf("it rested %d times", rests)
	}
	var b bytes.Buffer
	must(t, p.Write(ctx, &b))
	to := t.TempDir()
	_, err = Restore(ctx, &b, to)
	must(t, err)
	again := openStore(t, to)
	prints, err := again.Prints(ctx, 0, 10)
	must(t, err)
	i := slices.IndexFunc(prints, func(p store.Print) bool { return p.ID == "runs" })
	if i < 0 || prints[i].Outcome != "interrupted" || float64(prints[i].Line) != prints[i].Percent || prints[i].Line != 0 {
		t.Errorf("got %+v, want what was there when the copy began", prints)
	}
}

// TestCopyLeavesRoom refuses to copy a database that would fill the disk beside a print.
func TestCopyLeavesRoom(t *testing.T) {
	dir := t.TempDir()
	must(t, openStore(t, dir).Close())
	free, err := freeBytes(dir)
	must(t, err)
	must(t, os.Truncate(filepath.Join(dir, store.DatabaseFile), free)) // holes
	if _, err := (Source{Dir: dir}).Prepare(t.Context(), Wish{}); !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("got %v", err)
	}
}

func TestNothingToCopy(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o700))
	if _, err := (Source{Dir: dir}).Prepare(t.Context(), Wish{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "layerd.db"), bytes.Repeat([]byte("not a database"), 500), 0o600))
	if _, err := (Source{Dir: dir}).Prepare(t.Context(), Wish{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if left := below(t, dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
