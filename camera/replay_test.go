package camera

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/latest"
)

// folder makes a folder of files.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// moment is a picture of a replay, by its name, and when it was put.
type moment struct {
	name string
	at   time.Duration
}

// replayed plays files for this long.
func replayed(t *testing.T, s Settings, files map[string][]byte, long time.Duration, idle bool) (seen []moment, err error) {
	dir := folder(t, files)
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	began := time.Now()
	w := &watched{put: func(pic []byte, taken time.Time) {
		for name, text := range files {
			if bytes.Equal(text, pic) {
				seen = append(seen, moment{name, taken.Sub(began)})
			}
		}
	}}
	w.idle.Store(idle)
	err = open(Device{ID: deviceFrames + dir}, s).Run(ctx, w)
	return seen, err
}

func TestReplay(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		files := map[string][]byte{"b.jpg": {2}, "a.JPEG": {1}, ".hidden.jpg": {3}, "notes.txt": {4}}
		got, err := replayed(t, Settings{}, files, 900*ms, false)
		want := []moment{{"a.JPEG", 0}, {"b.jpg", 200 * ms}, {"a.JPEG", 400 * ms}, {"b.jpg", 600 * ms}, {"a.JPEG", 800 * ms}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		recorded := map[string][]byte{"2026-11-27T01-02-03.000.jpg": {1}, "2026-11-27T01-02-03.400.jpg": {2}, "2026-11-27T01-02-05.900.jpg": {3}, "2026-11-29T01-00-00.000.jpg": {4}}
		got, err = replayed(t, Settings{}, recorded, 13*time.Second, false)
		if err != nil || len(got) < 15 {
			t.Fatalf("got %v, %v", got, err)
		}
		want = []moment{{"2026-11-27T01-02-03.000.jpg", 0}, {"2026-11-27T01-02-03.400.jpg", 400 * ms}, {"2026-11-27T01-02-03.400.jpg", 1400 * ms},
			{"2026-11-27T01-02-03.400.jpg", 2400 * ms}, {"2026-11-27T01-02-05.900.jpg", 2900 * ms}}
		if !slices.Equal(got[:5], want) {
			t.Errorf("in its own rhythm: got %v, want %v", got[:5], want)
		}
		if last := got[14]; last != (moment{"2026-11-29T01-00-00.000.jpg", 12900 * ms}) {
			t.Errorf("after two days: got %v, want it after ten seconds", last)
		}
		got, err = replayed(t, Settings{FPS: 10}, recorded, 950*ms, false)
		if err != nil || len(got) != 10 || got[4] != (moment{"2026-11-27T01-02-03.000.jpg", 400 * ms}) {
			t.Errorf("ten a second: got %v, %v", got, err)
		}
		if got, err = replayed(t, Settings{FPS: 10}, recorded, 10*time.Second, true); err != nil || len(got) < 9 || len(got) > 14 {
			t.Errorf("while nobody looks: got %d pictures in 10 s, %v", len(got), err)
		}
	})
}

func TestReplayFails(t *testing.T) {
	dir := folder(t, map[string][]byte{"huge.jpg": nil})
	if err := os.Truncate(filepath.Join(dir, "huge.jpg"), maxPicture+1); err != nil {
		t.Fatal(err)
	}
	pipes := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipes, "a.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir  string
		want string
	}{
		"empty":     {t.TempDir(), "There are no pictures, *.jpg, in the folder of C"},
		"not there": {dir + "/none", "The camera C was not found"},
		"a file":    {dir + "/huge.jpg", "The camera C failed"},
		"huge":      {dir, "The camera C sends pictures of more than 8 MB: choose a smaller picture"},
		"a pipe":    {pipes, "The camera C failed"},
	} {
		err := open(Device{ID: deviceFrames + c.dir}, Settings{}).Run(t.Context(), put(func([]byte, time.Time) {}))
		if got := problem("C", err); err == nil || got != c.want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := latest.New[*Frame](nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { // a camera of 15 pictures a second, each of 1000 bytes
			for i := byte(0); ctx.Err() == nil; i++ {
				pause(ctx, time.Second/15)
				frames.Set(&Frame{Time: time.Now(), JPEG: bytes.Repeat([]byte{i}, 1000)})
			}
		}()
		record := func(r Recording) (n int, files []string, err error) {
			t.Helper()
			if r.Dir == "" {
				r.Dir = filepath.Join(t.TempDir(), "new", "folder")
			}
			n, err = Record(ctx, frames, r)
			files, listErr := framesIn(r.Dir)
			if listErr != nil {
				t.Error(listErr)
			}
			return n, files, err
		}
		began := time.Now()
		n, files, err := record(Recording{Every: time.Second, Frames: 60})
		if took := time.Since(began); n != 60 || len(files) != 60 || err != nil || took < 58*time.Second || took > 60*time.Second {
			t.Errorf("one a second: got %d, %d files, %v, in %v", n, len(files), err, took)
		}
		first, ok := frameTime(files[0])
		if want := began.Add(time.Second / 15).UTC().Truncate(time.Millisecond); !ok || !first.Equal(want) {
			t.Errorf("got the first at %v, want %v", first, want)
		}
		began = time.Now()
		if n, files, err := record(Recording{Frames: 30}); n != 30 || len(files) != 30 || err != nil || time.Since(began) > 2100*time.Millisecond {
			t.Errorf("all: got %d, %d files, %v, in %v", n, len(files), err, time.Since(began))
		}
		dir := t.TempDir()
		if n, files, err := record(Recording{Dir: dir, Bytes: 3500}); n != 3 || len(files) != 3 || !errors.Is(err, ErrRecordFull) {
			t.Errorf("up to 3,500 bytes: got %d, %d files, %v", n, len(files), err)
		}
		if n, files, err := record(Recording{Dir: dir, Bytes: 2000}); n != 2 || len(files) != 5 || !errors.Is(err, ErrRecordFull) {
			t.Errorf("up to 2,000 bytes, to others: got %d, %d files, %v", n, len(files), err)
		}
		// Two pictures of one moment, and a file that is there already.
		cancel()
		synctest.Wait()
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for range 3 {
				time.Sleep(time.Microsecond)
				frames.Set(&Frame{Time: time.Now(), JPEG: []byte{1}})
			}
			time.Sleep(time.Second)
			cancel()
		}()
		if n, files, err := record(Recording{Dir: dir}); n != 1 || len(files) != 6 || err != nil {
			t.Errorf("three in one moment: got %d, %d files, %v", n, len(files), err)
		}
		files, err = framesIn(dir)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, files[0])
		had, err := os.ReadFile(path)
		if err := errors.Join(err, writeNew(path, []byte("other"))); !errors.Is(err, os.ErrExist) {
			t.Errorf("over another file: got %v", err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, had) {
			t.Errorf("a file was overwritten: %v", err)
		}
	})
}
