package gcode

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSurveyRefuses(t *testing.T) {
	noise := make([]byte, 100<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	good := strings.Repeat("G1 X1 E1\n", 200)
	for _, c := range []struct {
		name string
		file string
		want error
		line int64
		says string
	}{
		{"nothing", "", ErrEmpty, 0, ""},
		{"blank", "\n\r\n \n", ErrEmpty, 0, ""},
		{"comments alone", "; one\n(two)\n%\n", ErrEmpty, 0, ""},
		{"binary G-code", "GCDE\x01\x00\x00\x00", ErrBinary, 0, "uploaded"},
		{"zip", "PK\x03\x04rest", ErrBinary, 0, "zip"},
		{"program", "\x7fELF\x02", ErrBinary, 0, "program"},
		{"png", "\x89PNG\r\n\x1a\n", ErrBinary, 0, "PNG"},
		{"jpeg", "\xff\xd8\xff\xe0", ErrBinary, 0, "JPEG"},
		{"gzip", "\x1f\x8b\x08", ErrBinary, 0, "gzip"},
		{"utf-16", "\xff\xfeG\x002\x008\x00", ErrBinary, 0, "UTF-8"},
		{"stl", "solid cube\n facet normal 0 0 1\n", ErrBinary, 0, "slice"},
		{"noise", string(noise), ErrBinary, 1, ""},
		{"zeros", strings.Repeat("\x00", 1<<20), ErrBinary, 1, "control"},
		{"zeros behind", good + strings.Repeat("\x00", 4096), ErrBinary, 201, "control"},
		{"prose", "Dear printer,\nplease make me a boat.\nIt should be red.\nG1 is what you like.\n", ErrBinary, 1, "commands"},
		{"html", "<!DOCTYPE html>\n<html><body>\nNot found</body></html>\n", ErrBinary, 0, "web page"},
		{"html without its type", "\xef\xbb\xbf\n<HTML lang=en>", ErrBinary, 0, "web page"},
		{"step", "ISO-10303-21;\nHEADER;\n", ErrBinary, 0, "slice"},
		{"json", "{\n  \"a\": 1,\n  \"b\": [2]\n}\n", ErrBinary, 1, "commands"},
		{"one long line", strings.Repeat("x", 10<<20), ErrLongLine, 1, "too long"},
		{"a long line later", good + "M117 " + strings.Repeat("x", 10<<20) + "\n" + good, ErrLongLine, 201, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := SurveyFile(strings.NewReader(c.file))
			var at *LineError
			if !errors.Is(err, c.want) || !errors.As(err, &at) || at.Line != c.line || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want line %d: %v and %q in it", err, c.line, c.want, c.says)
			}
		})
	}
}

func TestSurveyAccepts(t *testing.T) {
	for name, file := range map[string]string{
		"a stray control byte":  "G28\x07\nG1 X1\x00\n",
		"macros":                "START_PRINT BED=60 EXTRUDER=200\nBED_MESH_CALIBRATE\nprint_end\nSET_PIN PIN=x VALUE=\"a b\"\nEND\n",
		"modal coordinates":     "G1 X1 Y1\nX2 Y2\nX3.5 Y-.2\nF1200\n",
		"Prusa's tools":         "Tx\nTc\nT?\ntx\nG28\n",
		"host commands":         "@pause\n@note it is prose, mostly\nG28\n",
		"some prose":            "G28\nG1 X1\nhello there you\n",
		"a comment of 10 MB":    "G28\n;" + strings.Repeat("x", 10<<20) + "\nG1 X1 ;" + strings.Repeat("y", 10<<20),
		"text in UTF-8":         "M117 Größe\nG28\n",
		"lines that are framed": "N0 M110 N0*125\nN1 G28*18\n",
	} {
		if s, err := SurveyFile(strings.NewReader(file)); err != nil || s.Commands == 0 {
			t.Errorf("%s: %d commands, %v, want some and no error", name, s.Commands, err)
		}
	}
	if s := survey(t, "G28\nG1 X1\nhello there you\n"); s.Odd != 1 || s.FirstOdd != 3 {
		t.Errorf("%d odd, first at %d, want 1 at 3", s.Odd, s.FirstOdd)
	}
}

// counted tells how much was read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// endless is a line that never ends.
type endless byte

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e)
	}
	return len(b), nil
}

func TestSurveyGivesUpEarly(t *testing.T) {
	for b, want := range map[endless]error{'x': ErrLongLine, 0: ErrBinary, 7: ErrBinary} {
		r := &counted{r: b}
		if _, err := SurveyFile(r); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", byte(b), err, want)
		}
		if r.n > 6*bufferSize {
			t.Errorf("read %d bytes of an endless line of %q, want at most %d", r.n, byte(b), 6*bufferSize)
		}
	}
}
