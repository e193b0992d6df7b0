package store

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk of 3 MB, where we may mount one, and the rest of the disk reserved, which works everywhere.
func TestDiskFull(t *testing.T) {
	t.Run("really", func(t *testing.T) {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
			t.Logf("no disk can be mounted here (%v): only the reserve is tested", err)
			return
		}
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
		s := openIn(t, dir)
		put(t, s, "kept.gcode", part(3))
		if _, err := s.Put(t.Context(), "sub/a.gcode", endlessGCode(), -1, false); !errors.Is(err, ErrNoSpace) || !errors.Is(err, unix.ENOSPC) {
			t.Errorf("while streaming: got %v, want ErrNoSpace", err)
		}
		if _, err := s.Put(t.Context(), "sub/a.gcode", endlessGCode(), 4<<20, false); !errors.Is(err, ErrNoSpace) {
			t.Errorf("announced: got %v, want ErrNoSpace", err)
		}
		if left := strings.Join(leftBehind(t, s), " "); left != "files/kept.gcode" {
			t.Errorf("left behind: %s", left)
		}
		if err := s.BeginPrint(t.Context(), Print{ID: "p", File: "kept.gcode"}); err != nil {
			t.Errorf("the disk has room again, but: %v", err)
		}
		fill(t, filepath.Join(dir, "filler"))
		var err error
		for i := 0; i < 200 && err == nil; i++ { // the database may still have room within its pages
			err = s.SetSetting(t.Context(), strings.Repeat("k", i+1), strings.Repeat("v", 20000))
		}
		if !errors.Is(err, ErrNoSpace) {
			t.Errorf("database: got %v, want ErrNoSpace", err)
		}
		if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
			t.Fatal(err)
		}
		if err := s.EndPrint(t.Context(), Print{ID: "p", Outcome: "done"}); err != nil {
			t.Errorf("after the disk was cleared: %v", err)
		}
		s.Close()
		fill(t, filepath.Join(dir, "filler"))
		if again, err := Open(dir, Limits{}); !errors.Is(err, ErrNoSpace) {
			t.Errorf("open on a full disk: got %v, want ErrNoSpace", err)
			if err == nil {
				again.Close()
			}
		}
	})
	t.Run("reserve", func(t *testing.T) {
		s := open1(t)
		s.limits.MinFreeBytes = math.MaxInt64 / 2
		for _, size := range []int64{-1, 10} {
			if _, err := s.Put(t.Context(), "a.gcode", strings.NewReader(part(1)), size, false); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "GiB") {
				t.Errorf("size %d: got %v, want ErrNoSpace with what is free", size, err)
			}
		}
		if left := leftBehind(t, s); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("reserve reached while streaming", func(t *testing.T) {
		s := open1(t)
		came := 0
		source := endlessGCode()
		_, err := s.Put(t.Context(), "a.gcode", readFunc(func(b []byte) (int, error) {
			n, err := source.Read(b)
			if came += n; came > 1<<20 {
				s.limits.MinFreeBytes = math.MaxInt64 / 2 // as though others had filled the disk
			}
			return n, err
		}), -1, false)
		if !errors.Is(err, ErrNoSpace) || came > 20<<20 {
			t.Errorf("got %v after %d bytes, want ErrNoSpace soon", err, came)
		}
	})
}

func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

func TestFree(t *testing.T) {
	s := open1(t)
	free, err := s.Free()
	if err != nil || free <= 0 {
		t.Fatalf("got %d, %v", free, err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(s.files.Name(), &st); err != nil || free > int64(st.Blocks)*int64(st.Bsize) {
		t.Errorf("got %d free of %d", free, int64(st.Blocks)*int64(st.Bsize))
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 bytes", 10239: "10239 bytes", 10 << 10: "10 KiB", 200 << 20: "200 MiB", 2 << 30: "2048 MiB", 64 << 30: "64 GiB"} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d): got %s, want %s", bytes, got, want)
		}
	}
}
