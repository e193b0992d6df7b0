package timelapse

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
)

// Whatever part is asked for, it is that part of the whole; and a part that cannot be read is an error.
func TestEachPartOfAFilm(t *testing.T) {
	r, _ := newReel(t)
	fill(t, r, 4)
	places, _ := r.all()
	open := &openFiles{reel: r}
	defer open.Close()
	film := aviOf(places, 25, open.at)
	whole := make([]byte, film.size())
	if n, err := film.ReadAt(whole, 0); n != len(whole) || err != nil {
		t.Fatalf("got %d bytes, %v, want %d", n, err, len(whole))
	}
	for off := range whole {
		for _, n := range []int{1, 2, 7, 30, 100, len(whole)} {
			part := make([]byte, n)
			got, err := film.ReadAt(part, int64(off))
			want := whole[off:min(off+n, len(whole))]
			if !bytes.Equal(part[:got], want) || (err == io.EOF) != (len(want) < n) {
				t.Fatalf("%d bytes from %d: got %d, %v, want %d", n, off, got, err, len(want))
			}
		}
	}
	broken := errors.New("broken")
	film.open = func(place) (io.ReaderAt, error) { return nil, broken }
	if _, err := film.ReadAt(make([]byte, film.size()), 0); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be opened: got %v", err)
	}
}

// A download of a hundred thousand frames must not cost a small Pi the memory that its print needs.
func TestFilmIsSmallInMemory(t *testing.T) {
	const frames = 100_000
	places := make([]place, frames)
	for i := range places {
		places[i] = place{n: i, file: fileOf(i), length: 20_000, width: 640, height: 480, turn: 1}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	film := aviOf(places, 25, nil)
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / frames; film.size() < frames*20_000 || each > 150 {
		t.Errorf("got a film of %d bytes for %d bytes of memory a frame, want 150 at most", film.size(), each)
	}
}
