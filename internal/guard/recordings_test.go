package guard

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"layerd/camera"
	"layerd/camera/register"
)

// two is a Guard with two recordings of two looks each, besides what is none: files of others, and a link that leads out.
func two(t *testing.T, dir string) *Guard {
	t.Helper()
	s := &stand{frames: []*camera.Frame{{JPEG: []byte("picture"), Time: time.UnixMilli(7)}}}
	for i, job := range []string{"a1", "b2"} {
		for n := 1; n <= 2; n++ {
			if err := writeLook(dir, n, recordedLook{Job: job}, s); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Unix(int64(1000+i), 0)
		for _, name := range []string{"0001.json", "0001-0.jpg", "0002.json", "0002-0.jpg"} {
			if err := os.Chtimes(filepath.Join(dir, job, name), at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	outside := filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string]string{outside: "secret", filepath.Join(dir, "loose"): "x", filepath.Join(dir, "a1", "notes.txt"): "x"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out": filepath.Dir(outside), "a1/0003.json": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	return New(Config{Printer: &standing{}, Dir: dir})
}

func TestRecordingsAreListedPackedAndDeleted(t *testing.T) {
	dir := t.TempDir()
	g := two(t, dir)
	all, err := g.Recordings()
	if err != nil || len(all) != 2 || all[0].Job != "b2" || all[0].Looks != 2 || all[0].AtMS != 1001_000 || all[0].Bytes < 2*7 {
		t.Fatalf("listed: got %+v, %v", all, err)
	}
	pack, err := g.OpenRecording("a1")
	if err != nil {
		t.Fatal(err)
	}
	defer pack.Close()
	if err := os.Remove(filepath.Join(dir, "a1", "0002-0.jpg")); err != nil { // as makeRoom may, meanwhile
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := pack.Zip(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
	}
	if want := []string{"a1/0001-0.jpg", "a1/0001.json", "a1/0002.json"}; !reflect.DeepEqual(names, want) {
		t.Errorf("packed: got %q, want %q", names, want)
	}
	if bytes.Contains(out.Bytes(), []byte("secret")) {
		t.Error("a link has led out of the folder")
	}
}

func TestNoIDLeadsOutOfTheFolder(t *testing.T) {
	g := two(t, t.TempDir())
	for _, id := range []string{"", ".", "..", "a1/..", "../a1", "a1/0001.json", "loose", "out", "empty", "c3", "a\x00", strings.Repeat("a", 65)} {
		if _, err := g.OpenRecording(id); !errors.Is(err, ErrNoRecording) {
			t.Errorf("%q: opened: got %v, want ErrNoRecording", id, err)
		}
		if err := g.DeleteRecording(t.Context(), id); !errors.Is(err, ErrNoRecording) {
			t.Errorf("%q: deleted: got %v, want ErrNoRecording", id, err)
		}
	}
	if _, err := New(Config{Printer: &standing{}}).OpenRecording("a1"); !errors.Is(err, ErrNoRecording) {
		t.Errorf("without a folder: got %v", err)
	}
	if all, err := New(Config{Printer: &standing{}, Dir: filepath.Join(t.TempDir(), "none yet")}).Recordings(); err != nil || len(all) != 0 {
		t.Errorf("before the first: got %v, %v", all, err)
	}
}

func TestNothingIsRecordedWhileLittleIsFree(t *testing.T) {
	for name, c := range map[string]struct {
		free int64
		err  error
		want string
	}{
		"enough":            {LeastFree, nil, ""},
		"too little":        {LeastFree - 1_000_000, nil, "Only 499 MB are free on the disk, and 500 MB are kept for prints."},
		"it cannot be told": {0, errors.New("no disk"), "Look how much is free on the disk: no disk."},
	} {
		dir := t.TempDir()
		o := newOwner(New(Config{Printer: &standing{}, Dir: dir, Settings: Settings{Record: true, RecordMB: 500}, Free: func() (int64, error) { return c.free, c.err }}))
		p := &watched{order: ordered{job: "a1"}, judge: newJudge("pause", false)}
		o.print = p
		o.record(p, register.Look{Layer: 3}, &stand{frames: []*camera.Frame{{JPEG: []byte("picture"), Time: time.UnixMilli(7)}}})
		(<-o.hand)()(o)
		if s := o.state(); s.Unkept != c.want || s.Recording != (c.want == "") {
			t.Errorf("%s: got %q, recording %v", name, s.Unkept, s.Recording)
		}
		if _, err := os.Stat(filepath.Join(dir, "a1", "0001.json")); (err == nil) != (c.want == "") {
			t.Errorf("%s: the look: %v", name, err)
		}
		p.unkept = "x"
		if o.settings.Record = false; o.state().Unkept != "" {
			t.Errorf("%s: what is not wanted is no trouble", name)
		}
	}
}

func TestARecordingUnderWayIsNotDeleted(t *testing.T) {
	dir := t.TempDir()
	g := two(t, dir)
	o := newOwner(g)
	o.settings.Record, o.print = true, &watched{order: ordered{job: "a1"}, judge: newJudge("pause", false)}
	go func() {
		for q := range g.requests {
			q.done <- q.do(o)
		}
	}()
	defer close(g.requests)
	if err := g.DeleteRecording(t.Context(), "a1"); !errors.Is(err, ErrBusy) {
		t.Errorf("the one under way: got %v, want ErrBusy", err)
	}
	if err := g.DeleteRecording(t.Context(), "b2"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b2")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := g.DeleteRecording(t.Context(), "b2"); !errors.Is(err, ErrNoRecording) {
		t.Errorf("again: got %v, want ErrNoRecording", err)
	}
}

func TestArrows(t *testing.T) {
	head, bed := [3][2]float64{{2, -0.5}}, [3][2]float64{{}, {0.1, 1}}
	c := &register.Calibration{Width: 480, Height: 240, Patches: []register.Patch{{X: 108, Y: 60, Move: head}, {X: 132, Y: 60, Move: head}, {X: 228, Y: 180, Move: bed}, {X: 0, Y: 0}}}
	for name, w := range map[string]struct {
		off  [2]float64
		turn camera.Turn
		want []string // axis, at, by
	}{
		"X to the right":                {[2]float64{1.6, 0}, 0, []string{"x 0.275,0.300 0.0067,-0.0033"}},
		"X to the left, and Y":          {[2]float64{-1.6, 2}, 1, []string{"x 0.275,0.300 -0.0067,0.0033", "y 0.500,0.800 0.0004,0.0083"}},
		"mirrored":                      {[2]float64{1.6, 0}, 2, []string{"x 0.725,0.300 -0.0067,-0.0033"}},
		"upside down":                   {[2]float64{1.6, 0}, 3, []string{"x 0.725,0.700 -0.0067,0.0033"}},
		"on its side":                   {[2]float64{1.6, 0}, 6, []string{"x 0.700,0.275 0.0033,0.0067"}},
		"nothing lost, nothing to show": {[2]float64{}, 0, nil},
	} {
		var got []string
		for _, a := range arrows(c, w.off, w.turn) {
			got = append(got, fmt.Sprintf("%s %.3f,%.3f %.4f,%.4f", a.Axis, a.At[0], a.At[1], a.By[0], a.By[1]))
			if math.Abs(a.MM) != math.Abs(w.off[0]) && math.Abs(a.MM) != math.Abs(w.off[1]) {
				t.Errorf("%s: %v mm", name, a.MM)
			}
		}
		if !reflect.DeepEqual(got, w.want) {
			t.Errorf("%s: got %q, want %q", name, got, w.want)
		}
	}
	if got := arrows(&register.Calibration{Width: 480, Height: 240}, [2]float64{1, 1}, 0); got == nil || len(got) != 0 {
		t.Errorf("nothing moves: got %v, want none", got)
	}
}
