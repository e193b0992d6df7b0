package timelapse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func openRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// newReel is an empty one in a folder of its own.
func newReel(t testing.TB) (*reel, string) {
	t.Helper()
	dir := t.TempDir()
	root := openRoot(t, dir)
	if err := root.Mkdir("id", 0o700); err != nil {
		t.Fatal(err)
	}
	return &reel{dir: root, id: "id"}, filepath.Join(dir, "id")
}

func jpegOf(n int) []byte {
	return fmt.Appendf(nil, "picture %d %s", n, bytes.Repeat([]byte{'x'}, n%50))
}

func fill(t testing.TB, r *reel, frames int) {
	t.Helper()
	for i := range frames {
		if err := r.add(picture{atMS: int64(1000 * i), layer: i / 2, width: 640, height: 480, turn: 6, jpeg: jpegOf(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFramesComeBackAsTheyWere(t *testing.T) {
	r, _ := newReel(t)
	fill(t, r, 300)
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	again, err := readReel(r.dir, "id")
	if err != nil {
		t.Fatal(err)
	}
	places, size := again.all()
	if _, had := r.all(); len(places) != 300 || size != had || again.step() != 1 {
		t.Fatalf("got %d frames, %d bytes, step %d, want 300, %d, 1", len(places), size, again.step(), had)
	}
	for n, at := range places {
		p, err := again.read(at)
		if err != nil || p.n != n || p.atMS != int64(1000*n) || p.layer != n/2 || p.width != 640 || p.height != 480 || p.turn != 6 || !bytes.Equal(p.jpeg, jpegOf(n)) {
			t.Fatalf("frame %d: got %+v, %v", n, p, err)
		}
	}
}

func TestEachHalvingDropsEverySecond(t *testing.T) {
	r, _ := newReel(t)
	fill(t, r, 300)
	for step := 2; ; step *= 2 {
		more, err := r.halve()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			if step != 1<<files {
				t.Errorf("nothing more to drop at step %d, want %d", step, 1<<files)
			}
			break
		}
		fill(t, r, 3) // it goes on
		places, size := r.all()
		var sum int64
		for i, at := range places {
			sum += headBytes + int64(at.length)
			if at.n != i*step {
				t.Fatalf("step %d: frame %d has number %d, want %d", step, i, at.n, i*step)
			}
			if p, err := r.read(at); err != nil || p.n != at.n {
				t.Fatalf("step %d: frame %d: %+v, %v", step, at.n, p, err)
			}
		}
		again, err := readReel(r.dir, "id")
		if err != nil {
			t.Fatal(err)
		}
		if found, _ := again.all(); size != sum || len(found) != len(places) || again.step() != step {
			t.Errorf("step %d: got %d bytes, %d frames on the disk at step %d, want %d, %d, %d", step, size, len(found), again.step(), sum, len(places), step)
		}
	}
}

func TestTornEndIsCutOffAndTheRestKept(t *testing.T) {
	r, dir := newReel(t)
	fill(t, r, 8)
	r.close()
	name := filepath.Join(dir, "0.frames") // 1 3 5 7
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	last := headBytes + len(jpegOf(7))
	for cut := 1; cut <= last; cut++ {
		if err := os.WriteFile(name, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, r, fmt.Sprintf("%d bytes short", cut), 7)
		if info, err := os.Stat(name); err != nil || info.Size() != int64(len(whole)-last) {
			t.Errorf("%d bytes short: got a file of %d bytes, %v, want %d", cut, info.Size(), err, len(whole)-last)
		}
	}
	for at := len(whole) - last; at < len(whole); at++ { // a bit in the last frame; zeros where its end should be
		for _, damaged := range [][]byte{flipped(whole, at), append(bytes.Clone(whole[:at]), make([]byte, len(whole)-at)...)} {
			if err := os.WriteFile(name, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			expect(t, r, fmt.Sprintf("damaged at %d", at), 7)
		}
	}
	middle := flipped(whole, headBytes+2) // in the first frame of the file: those behind it are whole
	if err := os.WriteFile(name, middle, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, r, "damaged in the middle", 8)
	again, _ := readReel(r.dir, "id")
	places, _ := again.all()
	for _, at := range places {
		if _, err := again.read(at); (err != nil) != (at.n == 1) {
			t.Errorf("frame %d: got %v; want an error of frame 1 alone", at.n, err)
		}
	}
}

func flipped(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 0x10
	return c
}

func expect(t *testing.T, r *reel, what string, frames int) {
	t.Helper()
	places, err := walk(r.dir, "id", true)
	if err != nil || len(places) != frames {
		t.Errorf("%s: got %d frames, %v, want %d", what, len(places), err, frames)
	}
}

func TestHalfAWrittenFrameIsWrittenOver(t *testing.T) {
	r, _ := newReel(t)
	fill(t, r, 3)
	f := r.open[fileOf(3)] // what a disk that became full may leave
	if _, err := f.WriteAt([]byte("half a frame, and the file could not be made shorter"), r.ends[fileOf(3)]); err != nil {
		t.Fatal(err)
	}
	fill(t, r, 3)
	expect(t, r, "after half a frame", 6)
}

func TestNearest(t *testing.T) {
	places := []place{{n: 0}, {n: 4}, {n: 8}}
	for n, want := range map[int]int{-5: 0, 0: 0, 3: 0, 4: 4, 7: 4, 8: 8, 1 << 30: 8} {
		if got, ok := nearest(places, n); !ok || got.n != want {
			t.Errorf("nearest to %d: got %d, %v, want %d", n, got.n, ok, want)
		}
	}
	if _, ok := nearest(nil, 3); ok {
		t.Error("got a frame of none")
	}
}

// A picture that could not be read back would hide all those behind it.
func TestPicturesThatCannotBeKept(t *testing.T) {
	r, _ := newReel(t)
	fill(t, r, 2)
	for _, size := range []int{0, maxPicture + 1} {
		if err := r.add(picture{jpeg: make([]byte, size)}); err == nil {
			t.Errorf("a picture of %d bytes was kept", size)
		}
	}
	fill(t, r, 2)
	expect(t, r, "after two that were refused", 4)
}

// On a 32-bit Pi a length or a number may come out negative: a walk that took it would go back, or for ever.
func TestHeadsThatCannotBe(t *testing.T) {
	for _, change := range []struct{ at, value int }{{8, 0}, {8, maxPicture + 1}, {8, -headBytes}, {8, -1}, {8, math.MinInt32}, {20, -127}, {20, 2}} {
		r, dir := newReel(t)
		fill(t, r, 6) // 1 3 5
		name := filepath.Join(dir, "0.frames")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		second := headBytes + len(jpegOf(1))
		binary.LittleEndian.PutUint32(data[second+change.at:], uint32(change.value))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, r, fmt.Sprintf("%d at %d", change.value, change.at), 4) // 0 1 2 4
	}
}

// FuzzWalk reads files of frames that are anything.
func FuzzWalk(f *testing.F) {
	r, dir := newReel(f)
	fill(f, r, 6)
	whole, err := os.ReadFile(filepath.Join(dir, "0.frames"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-5])
	f.Add(bytes.Repeat([]byte{0xff}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, dir := newReel(t)
		if err := os.WriteFile(filepath.Join(dir, "0.frames"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		cut, err := walk(r.dir, "id", true)
		if err != nil {
			t.Fatal(err)
		}
		again, err := walk(r.dir, "id", true)
		if err != nil || len(again) != len(cut) {
			t.Errorf("a second walk: got %d frames, %v, want the %d of the first", len(again), err, len(cut))
		}
		open := &openFiles{reel: r}
		defer open.Close()
		avi := aviOf(cut, 25, open.at)
		if n, err := avi.ReadAt(make([]byte, avi.size()), 0); err != nil || int64(n) != avi.size() {
			t.Errorf("avi: got %d bytes, %v, want %d", n, err, avi.size())
		}
	})
}
