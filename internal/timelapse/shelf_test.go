package timelapse

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// lay puts a recording into dir as a daemon has left it: a says what about.json says, frames how many there are.
func lay(t *testing.T, dir string, a about, frames int) {
	t.Helper()
	root := openRoot(t, dir)
	if err := root.Mkdir(a.ID, 0o700); err != nil {
		t.Fatal(err)
	}
	r := &reel{dir: root, id: a.ID}
	fill(t, r, frames)
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, a.ID, aboutName), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func found(t *testing.T, dir string) []*recording {
	t.Helper()
	r, err := New(Config{Dir: dir, Settings: UsualSettings(), FFmpeg: noFFmpeg})
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := r.find()
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

// The oldest is the first to make room, also where a year lies between two.
func TestShelfIsSortedByTime(t *testing.T) {
	dir := t.TempDir()
	const year = 366 * 24 * 3600 * 1000
	for _, a := range []about{{ID: "c", StartedMS: 60 * year}, {ID: "a", StartedMS: 55 * year}, {ID: "b", StartedMS: 60*year - 1<<31 - 1}} {
		a.EndedMS, a.Frames, a.Step = a.StartedMS+1, 1, 1
		lay(t, dir, a, 1)
	}
	shelf := found(t, dir)
	if len(shelf) != 3 || shelf[0].ID != "a" || shelf[1].ID != "b" || shelf[2].ID != "c" {
		t.Errorf("got %+v, want a, b, c", shelf)
	}
}

// A daemon that is killed in the moment in which a recording begins leaves nothing that stays.
func TestKilledWhileItBegins(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "half": `{"id":"ha`} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, aboutName+coming), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bare"), 0o700); err != nil {
		t.Fatal(err)
	}
	shelf := found(t, dir)
	left, err := os.ReadDir(dir)
	if len(shelf) != 0 || err != nil || len(left) != 0 {
		t.Errorf("got %d recordings, and on the disk %v, %v; want nothing", len(shelf), left, err)
	}
}

// What about.json counts is believed only as far as it can be.
func TestAboutThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, about{ID: "a", StartedMS: 5, EndedMS: 6, Frames: 3, LastN: -7, Step: 0, Bytes: -1 << 60, Missed: -1, Tries: -4, FPS: 1e9}, 3)
	lay(t, dir, about{ID: "b", StartedMS: 6, EndedMS: -6, Frames: -3}, 3) // it has not ended
	shelf := found(t, dir)
	if len(shelf) != 2 {
		t.Fatalf("got %d recordings, want 2", len(shelf))
	}
	for _, c := range shelf {
		if c.Frames != 3 || c.LastN != 2 || c.Step != 1 || c.Bytes < 100 || c.Missed != 0 || c.Tries != 0 || c.FPS < 1 || c.FPS > 60 || c.EndedMS < 1 {
			t.Errorf("got %+v, want what the files hold", c.about)
		}
	}
}

// A disk so full that the end of a recording cannot be written hides none: whoever wants room must be able to delete it.
func TestRecordingOnAFullDiskIsListed(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, about{ID: "a", StartedMS: 5, FPS: 25}, 3)
	if err := os.MkdirAll(filepath.Join(dir, "a", aboutName+coming, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if shelf := found(t, dir); len(shelf) != 1 || shelf[0].Frames != 3 || shelf[0].Outcome != "interrupted" || shelf[0].poster == 0 {
		t.Errorf("got %+v, want the recording with its frames and a poster", shelf)
	}
}
