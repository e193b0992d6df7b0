package store

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/internal/unpack"
	"math"
	"strings"
	"testing"
)

// Ways to pack a text. What can be packed and how is package unpack's to test.

func gzipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, text)
	w.Close()
	return out.String()
}

func binaryGCode(text string) string {
	head := []byte("GCDE\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00")
	return string(binary.LittleEndian.AppendUint32(head, uint32(len(text)))) + "\x00\x00" + text
}

func zipped(name, text string) string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, _ := w.Create(name)
	io.WriteString(f, text)
	w.Close()
	return out.String()
}

func ufp(text string) string { return zipped("/3D/model.gcode", text) }

// What was packed is kept as text, under the name of text, and is a file like any other. Content decides: names are often wrong.
func TestPutPacked(t *testing.T) {
	text := part(3)
	for _, c := range []struct{ path, body, want string }{
		{"a.bgcode", binaryGCode(text), "a.gcode"},
		{"x/a.gco.gz", gzipped(text), "x/a.gco"},
		{"a.ufp", ufp(text), "a.gcode"},
		{"a.gcode.3mf", zipped("Metadata/plate_1.gcode", text), "a.gcode"},
		{"a.gcode", binaryGCode(text), "a.gcode"},
		{"a.g", gzipped(text), "a.g"},
		{"a.gcode.gz", gzipped(binaryGCode(text)), "a.gcode"},
		{"a.nc", ufp(text), "a.nc"},
		{"a.bgcode", text, "a.gcode"},
		{"a.gcode.gz", text, "a.gcode"},
		{"a.ufp", gzipped(text), "a.gcode"},
	} {
		t.Run(c.path+" as "+c.want, func(t *testing.T) {
			s := open1(t)
			got, err := s.Put(t.Context(), c.path, strings.NewReader(c.body), int64(len(c.body)), false)
			if err != nil {
				t.Fatal(err)
			}
			if got.Path != c.want || got.Layers != 3 || !got.Thumbnail || got.FilamentMM != 9 {
				t.Errorf("got %+v", got)
			}
			if back := readBack(t, s, c.want); strings.TrimPrefix(back, "\n") != text || got.Bytes != int64(len(back)) {
				t.Errorf("read back %d bytes, want %d", len(back), len(text))
			}
			survey, err := s.Survey(t.Context(), c.want)
			if err != nil || len(survey.Layers) != 3 || survey.Bytes != got.Bytes {
				t.Errorf("survey: got %+v, %v", survey, err)
			}
			if left := leftBehind(t, s); left[len(left)-1] != "files/"+c.want {
				t.Errorf("on the disk: %v", left)
			}
			// The name that counts is the final one.
			for _, again := range []string{c.path, c.want} {
				if _, err := s.Put(t.Context(), again, strings.NewReader(text), -1, false); !errors.Is(err, ErrExists) {
					t.Errorf("%s again: got %v, want ErrExists", again, err)
				}
			}
			if f, err := s.Put(t.Context(), c.path, strings.NewReader(c.body), -1, true); err != nil || f.Path != c.want {
				t.Errorf("overwritten: got %+v, %v", f, err)
			}
		})
	}
}

func TestPutPackedRefuses(t *testing.T) {
	text := part(3)
	gz := gzipped(text)
	for _, c := range []struct {
		name, path, body string
		announced        int64
		want             error
		says             string
	}{
		{"a damaged gzip", "a.gcode.gz", gz[:len(gz)-4], -1, ErrNotGCode, "ends too early"},
		{"damaged binary G-code", "a.bgcode", binaryGCode(text)[:300], 300, ErrNotGCode, "ends too early"},
		{"a damaged archive", "a.ufp", ufp(text)[:300], -1, ErrNotGCode, "zip"},
		{"a model", "a.3mf", zipped("3D/3dmodel.model", "<model/>"), -1, ErrNotGCode, "not sliced"},
		{"an archive of other things", "a.gcode", zipped("a.txt", text), -1, ErrNotGCode, "no G-code in it"},
		{"prose in gzip", "a.gcode.gz", gzipped(strings.Repeat("Dear printer,\n", 99)), -1, ErrNotGCode, "not G-code"},
		{"a page in binary G-code", "a.bgcode", binaryGCode("<html>"), -1, ErrNotGCode, "web page"},
		{"comments alone, in an archive", "a.ufp", ufp("; nothing\n"), -1, ErrNotGCode, "no command"},
		{"ended early", "a.gcode.gz", gz, int64(len(gz)) + 1, io.ErrUnexpectedEOF, fmt.Sprintf("%d of %d bytes came", len(gz), len(gz)+1)},
		{"ended early in the middle", "a.gcode.gz", gz[:len(gz)/2], int64(len(gz)), io.ErrUnexpectedEOF, "bytes came"},
		{"more than announced", "a.gcode.gz", gz, int64(len(gz)) - 1, nil, "more than the announced"},
		{"an archive that ended early", "a.ufp", ufp(text)[:200], 300, io.ErrUnexpectedEOF, "200 of 300 bytes came"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open1(t)
			_, err := s.Put(t.Context(), c.path, strings.NewReader(c.body), c.announced, true)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.says)
			}
			if c.want == io.ErrUnexpectedEOF && errors.Is(err, ErrNotGCode) {
				t.Errorf("%v: the file is blamed", err)
			}
			if left := leftBehind(t, s); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A small file that unpacks to a large one is measured by what comes out.
func TestPutPackedMeasuresText(t *testing.T) {
	text := strings.Repeat("G1 X10.123 Y20.456 E0.01\n", 100_000)
	for path, body := range map[string]string{"a.gcode.gz": gzipped(text), "a.bgcode.gz": gzipped(binaryGCode(text)), "a.ufp": ufp(text)} {
		s := open1(t)
		s.limits.MaxFileBytes = 1 << 20
		if len(body) > 1<<19 {
			t.Fatalf("%s has %d bytes", path, len(body))
		}
		if _, err := s.Put(t.Context(), path, strings.NewReader(body), int64(len(body)), false); !errors.Is(err, ErrTooBig) {
			t.Errorf("%s: got %v, want ErrTooBig", path, err)
		}
		if left := leftBehind(t, s); len(left) > 0 {
			t.Errorf("%s left behind: %v", path, left)
		}
	}
}

// What comes is measured too: binary G-code of thumbnails without end makes little text of it, an archive none until it is whole.
func TestPutPackedMeasuresWhatComes(t *testing.T) {
	unknown := "\x05\x00\x00\x00\x00\x00\x01\x00\x09\x00\x01\x00\x01\x00" + strings.Repeat("x", 1<<16)
	for name, start := range map[string]string{"binary": "GCDE\x01\x00\x00\x00\x00\x00", "archive": "PK\x03\x04"} {
		for what, set := range map[string]func(*Store){
			"the limit":   func(s *Store) { s.limits.MaxFileBytes = 4 << 20 },
			"a full disk": func(s *Store) { s.limits.MinFreeBytes = math.MaxInt64 / 2 },
		} {
			s := open1(t)
			came := 0
			endless := readFunc(func(b []byte) (int, error) {
				if came == 0 && what == "a full disk" {
					set(s) // it becomes full on the way
				}
				n := copy(b, unknown[came%len(unknown):])
				came += n
				return n, nil
			})
			if what == "the limit" {
				set(s)
			}
			_, err := s.Put(t.Context(), "a.gcode", io.MultiReader(strings.NewReader(start), endless), -1, false)
			if !errors.Is(err, ErrTooBig) && !errors.Is(err, ErrNoSpace) || came > 20<<20 {
				t.Errorf("%s and %s: got %v after %d bytes", name, what, err, came)
			}
			if left := leftBehind(t, s); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
}

// While an archive comes, nothing of it has a name: a daemon that is killed leaves nothing.
func TestSpoolHasNoName(t *testing.T) {
	s := open1(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var during []string
	r := io.MultiReader(strings.NewReader(ufp(part(1))), readFunc(func([]byte) (int, error) {
		during = leftBehind(t, s)
		cancel()
		return 1, nil
	}))
	if _, err := s.Put(ctx, "a.ufp", r, -1, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if len(during) != 1 || !strings.HasPrefix(during[0], "tmp/up-") {
		t.Errorf("while it came: %v, want the text's file alone", during)
	}
	if left := leftBehind(t, s); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// restful counts its rests.
type restful struct {
	io.Reader
	rests int
	works bool
}

func (r *restful) Rest() { r.rests, r.works = r.rests+1, true }
func (r *restful) Done() { r.works = false }

// Whoever sends may rest while his file is unpacked, and need not where there is nothing to unpack.
func TestPutLetsTheClientRest(t *testing.T) {
	text := strings.Repeat("G1 X10.123 Y20.456 E0.01\n", 100_000)
	for path, body := range map[string]string{"a.gcode": text, "a.gcode.gz": gzipped(text), "a.ufp": ufp(text)} {
		s := open1(t)
		client := &restful{Reader: strings.NewReader(body)}
		if _, err := s.Put(t.Context(), path, client, -1, false); err != nil {
			t.Fatal(err)
		}
		if least := len(text) / (32 << 10); path == "a.gcode" && client.rests > 0 || path != "a.gcode" && client.rests < least {
			t.Errorf("%s: %d rests, want %d or more for what is packed", path, client.rests, least)
		}
	}
}

// late is a file whose end says with what limits its time is to be reckoned, so that it is read twice.
func late() string {
	return strings.Repeat("G1 X10.123 Y20.456 E0.01\n", 100_000) + "; machine_max_acceleration_x = 500,500\n; machine_max_feedrate_x = 100,100\n; prusaslicer_config = end\n"
}

// He rests as well while what has come is read once more.
func TestPutRestsWhileItReckonsAgain(t *testing.T) {
	s, text := open1(t), late()
	client := &restful{Reader: strings.NewReader(text)}
	file, err := s.PutIf(t.Context(), "a.gcode", client, -1, false, func(*gcode.Survey) error {
		if client.works {
			t.Error("it is still taken to be at work when all is read")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if survey, err := s.Survey(t.Context(), file.Path); err != nil || survey.LimitsLate || survey.Limits.By != gcode.LimitsConfig {
		t.Errorf("got limits %+v, late %v, %v", survey.Limits, survey.LimitsLate, err)
	}
	if least := len(text) / (32 << 10); client.rests < least {
		t.Errorf("%d rests, want %d or more", client.rests, least)
	}
}

// A file that is on the disk already is read at the pace that was asked for, each time that it is.
func TestSurveyKeepsItsPace(t *testing.T) {
	dir, text := t.TempDir(), late()
	s := openIn(t, dir)
	copyIn(t, dir, "a.gcode", text)
	begun, rests, done := 0, 0, 0
	s.PaceBy(func() (func(), func()) { begun++; return func() { rests++ }, func() { done++ } })
	if _, err := s.Survey(t.Context(), "a.gcode"); err != nil {
		t.Fatal(err)
	}
	if least := 2 * len(text) / (32 << 10); begun != 1 || done != 1 || rests < least {
		t.Errorf("begun %d times and done %d, with %d rests, want %d or more", begun, done, rests, least)
	}
	if _, err := s.Survey(t.Context(), "a.gcode"); err != nil || begun != 1 {
		t.Errorf("what is known was read again: %v", err)
	}
}

// What lists tell is what is known, of whatever layerd: no file is read for it.
func TestGist(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	put(t, s, "a.gcode", part(3))
	copyIn(t, dir, "b.gcode", part(4))
	if _, err := s.db.Exec(`UPDATE contents SET revision = ?`, surveyRevision-1); err != nil {
		t.Fatal(err)
	}
	s.survey = func(io.Reader, gcode.Limits) (gcode.Survey, error) { panic("a file was read through") }
	if g, err := s.Gist(t.Context(), "a.gcode"); err != nil || g.Slicer != "PrusaSlicer 2.5.0" || g.Extent == nil || g.LastOffset <= g.FirstOffset {
		t.Errorf("got %+v, %v", g, err)
	}
	if g, err := s.Gist(t.Context(), "b.gcode"); err != nil || g.Slicer != "" || g.Extent != nil {
		t.Errorf("nobody has looked: got %+v, %v", g, err)
	}
	if _, err := s.Gist(t.Context(), "c.gcode"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such file: got %v", err)
	}
}

// A decoder that panics costs the upload, and leaves nothing.
func TestPanickingReader(t *testing.T) {
	s := open1(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost: net/http would say nothing of it")
			}
		}()
		s.Put(t.Context(), "a.bgcode", readFunc(func([]byte) (int, error) { panic("index out of range") }), -1, false)
	}()
	if left := leftBehind(t, s); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := packedWrongly(fmt.Errorf("a: %w", unpack.ErrPacked)); !errors.Is(err, ErrNotGCode) {
		t.Error(err)
	}
}
