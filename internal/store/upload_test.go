package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestPut(t *testing.T) {
	s := open1(t)
	changed := s.Changed()
	text := part(5)
	sum := sha256.Sum256([]byte(text))
	got, err := s.Put(t.Context(), "parts/Wu\u0308rfel.gcode", iotest.OneByteReader(strings.NewReader(text)), -1, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.Path != "parts/Würfel.gcode" || got.Name != "Würfel.gcode" || got.Folder || got.Bytes != int64(len(text)) ||
		got.SHA256 != hex.EncodeToString(sum[:]) || !got.Thumbnail || got.Layers != 5 || got.EstimateS <= 0 || got.FilamentMM != 15 || got.ModifiedMS == 0 {
		t.Errorf("got %+v", got)
	}
	select {
	case <-changed:
	default:
		t.Error("the change was not announced")
	}
	if back := readBack(t, s, got.Path); back != text {
		t.Errorf("read back %d bytes, want %d", len(back), len(text))
	}
	survey, err := s.Survey(t.Context(), got.Path)
	if err != nil || len(survey.Layers) != 5 || survey.Commands == 0 || survey.Extent.Max[0] != 20 || survey.Slicer != "PrusaSlicer 2.5.0" {
		t.Errorf("survey: got %+v, %v", survey, err)
	}
	picture, mediaType, err := s.Thumbnail(t.Context(), got.Path)
	if err != nil || mediaType != "image/png" || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("thumbnail: got %d bytes of %q, %v", len(picture), mediaType, err)
	}
	if names := strings.Join(leftBehind(t, s), " "); names != "files/parts files/parts/Würfel.gcode" {
		t.Errorf("on the disk: %s", names)
	}
}

func TestOverwrite(t *testing.T) {
	s := open1(t)
	old := put(t, s, "a.gcode", part(1))
	if _, err := s.Put(t.Context(), "a.gcode", strings.NewReader(part(2)), -1, false); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if _, err := s.Put(t.Context(), "a.gcode", strings.NewReader("\x00\x01\x02"), -1, true); !errors.Is(err, ErrNotGCode) {
		t.Errorf("rubbish over a file: got %v, want ErrNotGCode", err)
	}
	if f, err := s.Stat(t.Context(), "a.gcode"); err != nil || f != old {
		t.Errorf("got %+v, %v, want the old file", f, err)
	}
	f, err := s.Put(t.Context(), "a.gcode", strings.NewReader(part(2)), -1, true)
	if err != nil || f.Layers != 2 || f.SHA256 == old.SHA256 {
		t.Errorf("got %+v, %v", f, err)
	}
	if back := readBack(t, s, "a.gcode"); back != part(2) {
		t.Error("the content is not the new one")
	}
	var n int
	if err := s.db.QueryRow(`SELECT (SELECT count(*) FROM files) + (SELECT count(*) FROM contents)`).Scan(&n); err != nil || n != 2 {
		t.Errorf("got %d rows, %v, want one of each: the old ones are forgotten", n, err)
	}
	if _, err := s.MakeFolder(t.Context(), "folder.gcode"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "folder.gcode", strings.NewReader(part(1)), -1, true); !errors.Is(err, ErrExists) {
		t.Errorf("a file over a folder: got %v, want ErrExists", err)
	}
	if _, err := s.Put(t.Context(), "a.gcode/b.gcode", strings.NewReader(part(1)), -1, true); !errors.Is(err, ErrExists) {
		t.Errorf("a folder over a file: got %v, want ErrExists", err)
	}
}

func TestFileBeingPrinted(t *testing.T) {
	s := open1(t)
	put(t, s, "sub/a.gcode", part(1))
	put(t, s, "sub/b.gcode", part(2))
	if err := s.BeginPrint(t.Context(), Print{ID: "p", File: "sub/a.gcode"}); err != nil {
		t.Fatal(err)
	}
	try := func() map[string]error {
		_, over := s.Put(t.Context(), "sub/a.gcode", strings.NewReader(part(3)), -1, true)
		_, renamed := s.Rename(t.Context(), "sub/a.gcode", "c.gcode")
		_, moved := s.Rename(t.Context(), "sub", "other")
		return map[string]error{"overwrite": over, "rename": renamed, "rename its folder": moved, "delete": s.Delete(t.Context(), "sub/a.gcode")}
	}
	for doing, err := range try() {
		if !errors.Is(err, ErrInUse) {
			t.Errorf("%s: got %v, want ErrInUse", doing, err)
		}
	}
	if _, err := s.Put(t.Context(), "sub/b.gcode", strings.NewReader(part(4)), -1, true); err != nil {
		t.Errorf("another file: %v", err)
	}
	// Begun while an overwriting upload is on its way.
	late := io.MultiReader(strings.NewReader(part(5)), readFunc(func([]byte) (int, error) {
		return 0, errors.Join(s.BeginPrint(t.Context(), Print{ID: "q", File: "sub/b.gcode"}), io.EOF)
	}))
	if _, err := s.Put(t.Context(), "sub/b.gcode", eofOf{late}, -1, true); !errors.Is(err, ErrInUse) {
		t.Errorf("begun during the upload: got %v, want ErrInUse", err)
	}
	for _, id := range []string{"p", "q"} {
		if err := s.EndPrint(t.Context(), Print{ID: id, Outcome: "done"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Rename(t.Context(), "sub/a.gcode", "c.gcode"); err != nil {
		t.Errorf("after the print: %v", err)
	}
	if got, want := strings.Join(leftBehind(t, s), " "), "files/c.gcode files/sub files/sub/b.gcode"; got != want {
		t.Errorf("on the disk: %s, want %s", got, want)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

// eofOf turns an error that wraps io.EOF into io.EOF itself.
type eofOf struct{ r io.Reader }

func (e eofOf) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return n, err
}

func TestPutRefuses(t *testing.T) {
	binary := make([]byte, 64<<10)
	rand.Read(binary)
	good := part(3)
	for _, c := range []struct {
		name, path, text string
		size             int64
		want             error
		says             string
	}{
		{"empty", "a.gcode", "", 0, ErrNotGCode, "no command"},
		{"only comments", "a.gcode", "; nothing\n\n;more\n", -1, ErrNotGCode, "no command"},
		{"binary rubbish", "a.gcode", string(binary), -1, ErrNotGCode, "not G-code"},
		{"a picture", "a.gcode", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + strings.Repeat("\x00", 100), -1, ErrNotGCode, "not G-code"},
		{"a page", "a.gcode", "<!DOCTYPE html>\n<html><body>hello\n</body></html>\n", -1, ErrNotGCode, "not G-code"},
		{"10 MB line", "a.gcode", "G28\nG1 " + strings.Repeat("X", 10<<20), -1, ErrNotGCode, "line 2"},
		{"name leads out", "../a.gcode", good, -1, ErrName, ".."},
		{"name leads out, deeper", "a/../../a.gcode", good, -1, ErrName, ".."},
		{"absolute name", "/etc/a.gcode", good, -1, ErrName, "empty"},
		{"no extension", "a", good, -1, ErrName, ".gcode"},
		{"a page's extension", "a.html", good, -1, ErrName, ".gcode"},
		{"a model's extension", "a.stl", good, -1, ErrName, "sliced first"},
		{"announced too big", "a.gcode", good, 100<<20 + 1, ErrTooBig, "the limit is 100 MiB"},
		{"ended early", "a.gcode", good, int64(len(good)) + 1, io.ErrUnexpectedEOF, "bytes came"},
		{"more than announced", "a.gcode", good, int64(len(good)) - 1, nil, "more than the announced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open1(t)
			s.limits.MaxFileBytes = 100 << 20
			changed := s.Changed()
			_, err := s.Put(t.Context(), c.path, strings.NewReader(c.text), c.size, true)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.says)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if left := leftBehind(t, s); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			select {
			case <-changed:
				t.Error("a change was announced")
			default:
			}
		})
	}
}

func TestRefusalNamesTheLine(t *testing.T) {
	s := open1(t)
	_, err := s.Put(t.Context(), "a.gcode", strings.NewReader("G28\n\nG1 "+strings.Repeat("X", 8000)+"\n"), -1, false)
	line := (*gcode.LineError)(nil)
	if !errors.As(err, &line) || line.Line != 3 || !errors.Is(err, gcode.ErrLongLine) {
		t.Errorf("got %v, want ErrLongLine at line 3", err)
	}
}

// A file that is not accepted leaves what was there before, and nothing of itself.
func TestPutIf(t *testing.T) {
	s := open1(t)
	old := put(t, s, "a.gcode", part(1))
	refused := errors.New("not for this printer")
	_, err := s.PutIf(t.Context(), "a.gcode", strings.NewReader(part(3)), -1, true, func(survey *gcode.Survey) error {
		if len(survey.Layers) != 3 {
			t.Errorf("asked about %d layers, want 3", len(survey.Layers))
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if f, err := s.Stat(t.Context(), "a.gcode"); err != nil || f != old {
		t.Errorf("got %+v, %v, want the old file", f, err)
	}
	if names := strings.Join(leftBehind(t, s), " "); names != "files/a.gcode" {
		t.Errorf("on the disk: %s", names)
	}
}

// What cannot be printed is refused at once, not after gigabytes of it.
func TestRubbishEndsTheUploadEarly(t *testing.T) {
	s := open1(t)
	var came int64
	endless := readFunc(func(b []byte) (int, error) { came += int64(len(b)); return rand.Read(b) })
	if _, err := s.Put(t.Context(), "a.gcode", endless, -1, false); !errors.Is(err, ErrNotGCode) {
		t.Errorf("got %v, want ErrNotGCode", err)
	}
	if came > 8<<20 {
		t.Errorf("%d bytes were read first", came)
	}
}

func TestTooBigWhileStreaming(t *testing.T) {
	s := open1(t)
	s.limits.MaxFileBytes = 1 << 20
	_, err := s.Put(t.Context(), "a/b.gcode", endlessGCode(), -1, false)
	if !errors.Is(err, ErrTooBig) || !strings.Contains(err.Error(), "1024 KiB") {
		t.Errorf("got %v, want ErrTooBig with the limit", err)
	}
	if left := leftBehind(t, s); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func endlessGCode() io.Reader {
	line := bytes.Repeat([]byte("G1 X10.123 Y20.456 E0.01\n"), 1000)
	at := 0
	return readFunc(func(b []byte) (int, error) {
		n := copy(b, line[at:])
		at = (at + n) % len(line)
		return n, nil
	})
}

func TestUploadGivenUp(t *testing.T) {
	broken := errors.New("the phone went out of range")
	for name, c := range map[string]struct {
		end  func(cancel context.CancelFunc) error
		want error
	}{
		"context ends":    {func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
		"the reader ends": {func(context.CancelFunc) error { return broken }, broken},
	} {
		t.Run(name, func(t *testing.T) {
			s := open1(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			source, came := endlessGCode(), 0
			r := readFunc(func(b []byte) (int, error) {
				if came++; came == 20 {
					if err := c.end(cancel); err != nil {
						return 0, err
					}
				}
				return source.Read(b)
			})
			if _, err := s.Put(ctx, "deep/er/a.gcode", r, -1, false); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if left := leftBehind(t, s); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// Nothing can be seen of an upload until it is whole.
func TestInvisibleUntilWhole(t *testing.T) {
	s := open1(t)
	var during string
	r := io.MultiReader(strings.NewReader(part(3)), readFunc(func([]byte) (int, error) { during = paths(t, s); return 0, io.EOF }))
	if _, err := s.Put(t.Context(), "new/a.gcode", r, -1, false); err != nil {
		t.Fatal(err)
	}
	if during != "" {
		t.Errorf("during the upload: got %q, want nothing", during)
	}
	if got := paths(t, s); got != "new new/a.gcode" {
		t.Errorf("afterwards: got %q", got)
	}
}

// Of many uploads to one name exactly one wins, and its content is whole.
func TestConcurrentPut(t *testing.T) {
	s := open1(t)
	const n = 8
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			_, errs[i] = s.Put(t.Context(), "same/a.gcode", strings.NewReader(part(10+i)), -1, false)
		})
	}
	all.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case !errors.Is(err, ErrExists):
			t.Errorf("upload %d: got %v, want ErrExists", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("none was stored")
	}
	if readBack(t, s, "same/a.gcode") != part(10+winner) {
		t.Error("the content is not the winner's")
	}
	if f, err := s.Stat(t.Context(), "same/a.gcode"); err != nil || f.Layers != 10+winner {
		t.Errorf("got %+v, %v", f, err)
	}
	if left := leftBehind(t, s); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

// A survey that panics costs the upload, not the daemon.
func TestPanickingSurvey(t *testing.T) {
	s := open1(t)
	s.survey = func(io.Reader, gcode.Limits) (gcode.Survey, error) { panic("index out of range") }
	_, err := s.Put(t.Context(), "a.gcode", strings.NewReader(part(1)), -1, false)
	if err == nil || errors.Is(err, ErrNotGCode) || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
	if left := leftBehind(t, s); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// BenchmarkPut includes the fsyncs, which dominate small files, and the survey, which dominates big ones.
func BenchmarkPut(b *testing.B) {
	for _, mb := range []int{1, 20} {
		b.Run(fmt.Sprintf("%dMB", mb), func(b *testing.B) {
			s := open1(b)
			text := []byte(strings.Repeat(part(1000), 1+mb*1000000/len(part(1000))))[:mb*1000000]
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := s.Put(b.Context(), "a.gcode", bytes.NewReader(text), int64(len(text)), true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
