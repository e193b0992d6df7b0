package gcode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// scanned is what a Scanner made of a file, with texts that are its own.
type scanned struct {
	lines    []string // "number@offset-end text"
	comments []string // "number@offset comment"
	err      error
}

func scanAll(r io.Reader) scanned {
	var out scanned
	s := NewScanner(r)
	s.OnComment(func(c []byte, number, offset int64) {
		out.comments = append(out.comments, fmt.Sprintf("%d@%d %s", number, offset, c))
	})
	for s.Scan() {
		l := s.Line()
		out.lines = append(out.lines, fmt.Sprintf("%d@%d-%d %s", l.Number, l.Offset, l.End, l.Text))
	}
	out.err = s.Err()
	return out
}

func scanTexts(file string) ([]string, error) {
	var texts []string
	s := NewScanner(strings.NewReader(file))
	for s.Scan() {
		texts = append(texts, string(s.Line().Text))
	}
	return texts, s.Err()
}

func TestScannerText(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		want []string
	}{
		{"lf, crlf, none at the end", "G28\nG1 X1\r\nG1 X2", []string{"G28", "G1 X1", "G1 X2"}},
		{"cr alone", "G28\rG1 X1\r\rG1 X2\r", []string{"G28", "G1 X1", "G1 X2"}},
		{"blank lines and spaces", "\n \t \n  G28\t \r\n\r\n", []string{"G28"}},
		{"comments", "; all of it\nG28 ; home\n ;indented\nG1 X1;c\n;\n", []string{"G28", "G1 X1"}},
		{"cr in a comment", ";a\rG28\n", []string{"G28"}},
		{"parentheses", "(head)\nG1 (mid) X1 (end)\nM105 (a;b)\n(x) M106\nT0 (c) S12\nG1(a)X2\n", []string{"G1 X1", "M105", "M106", "T0 S12", "G1X2"}},
		{"unclosed parenthesis", "G1 X1 (never ; closed\nG1 X2\n", []string{"G1 X1", "G1 X2"}},
		{"no nesting", "G1 (a (b) X5\n", []string{"G1 X5"}},
		{"stray parenthesis", "G1 X5)\n", []string{"G1 X5)"}},
		{"text keeps parentheses", "M117 Hi (you) ; c\nM118 (x)\nM23 file(1).gco\nM0 (click)\nM486 A(b)\nN5 M117 (x)*3\n",
			[]string{"M117 Hi (you)", "M118 (x)", "M23 file(1).gco", "M0 (click)", "M486 A(b)", "M117 (x)"}},
		{"macros keep parentheses", "RESPOND MSG=(hi)\n@note (x)\nTIMELAPSE (y)\n", []string{"RESPOND MSG=(hi)", "@note (x)", "TIMELAPSE (y)"}},
		{"expressions keep parentheses", "G1 X{(1+2)*3} (c)\n", []string{"G1 X{(1+2)*3}"}},
		{"quotes keep semicolons", "M117 \"a;b\" ; c\nM550 P\"x(y);z\"\nM20 P\"(a)\"\n", []string{"M117 \"a;b\"", "M550 P\"x(y);z\"", "M20 P\"(a)\""}},
		{"unclosed quote", "M117 5\" screw ; c\nG28\n", []string{"M117 5\" screw", "G28"}},
		{"control bytes", "\x00G\x0028\x18\nG1\x07 X1\x7f\n\x00\x00\n", []string{"G28", "G1 X1"}},
		{"tab inside", "G1\tX1\t\tY2\n", []string{"G1 X1  Y2"}},
		{"utf-8", "M117 Größe °C\n", []string{"M117 Größe °C"}},
		{"byte order mark", "\xef\xbb\xbfG28\n", []string{"G28"}},
		{"framed", "N1 G28*18\nN2 G1 X1 *64 ; c\nN3\nN4*3\nN10G1X5\n", []string{"G28", "G1 X1", "G1X5"}},
		{"tape marks", "%\nG28\n % \n%1234\n", []string{"G28", "%1234"}},
		{"host commands", "@pause\n@cancelobject 1;c\n", []string{"@pause", "@cancelobject 1"}},
		{"empty", "", nil},
		{"one byte", "M", []string{"M"}},
		{"comment without end", ";a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scanTexts(c.in)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%q\n got %q, %v\nwant %q", c.in, got, err, c.want)
			}
		})
	}
}

func TestScannerPlaces(t *testing.T) {
	got := scanAll(strings.NewReader("; head\r\n\nG28 ; c\r\n  ;LAYER:0\nG1 X1\rM117 \"a\"\n;end"))
	want := scanned{
		lines:    []string{"3@9-18 G28", "5@29-35 G1 X1", "6@35-44 M117 \"a\""},
		comments: []string{"1@0  head", "4@18 LAYER:0", "7@44 end"},
	}
	if got.err != nil || !slices.Equal(got.lines, want.lines) || !slices.Equal(got.comments, want.comments) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// awkward has every kind of line, and long ones at the sizes where buffers end.
func awkward() []byte {
	var b bytes.Buffer
	for _, n := range []int{1, 100, 2 * MaxCommand, bufferSize - 7, bufferSize, bufferSize + 1, 3 * bufferSize} {
		fmt.Fprintf(&b, "G1 X%d Y1\r\n", n)
		fmt.Fprintf(&b, ";%s\r\n", strings.Repeat("c", n))
		fmt.Fprintf(&b, "G1 X%d ; %s\r", n, strings.Repeat("d", n))
		fmt.Fprintf(&b, "M117 \"x;\" (y) ;%s\n", strings.Repeat("e", n))
		fmt.Fprintf(&b, "G1 (%s) X1\n", strings.Repeat("f", n))
		fmt.Fprintf(&b, "G1 X1%s\r\n", strings.Repeat(" ", n))
		fmt.Fprintf(&b, "%s\n", strings.Repeat("\x00", n))
		fmt.Fprintf(&b, "M117 5\" ;%s\n", strings.Repeat("g", n))
	}
	b.WriteString("N5 M117 last*3")
	return b.Bytes()
}

func TestScannerDoesNotDependOnReads(t *testing.T) {
	file := awkward()
	want := scanAll(bytes.NewReader(file))
	if want.err != nil || len(want.lines) != 7*6+1 {
		t.Fatalf("%d lines, %v, want %d", len(want.lines), want.err, 7*6+1)
	}
	for name, r := range map[string]io.Reader{
		"one byte":        iotest.OneByteReader(bytes.NewReader(file)),
		"halves":          iotest.HalfReader(bytes.NewReader(file)),
		"data with error": iotest.DataErrReader(bytes.NewReader(file)),
	} {
		got := scanAll(r)
		if got.err != nil || !slices.Equal(got.lines, want.lines) || !slices.Equal(got.comments, want.comments) {
			t.Errorf("%s: other lines than when read at once, err %v", name, got.err)
		}
	}
	for _, c := range want.comments {
		if len(c) > MaxComment+20 {
			t.Errorf("comment of %d bytes, want at most %d", len(c), MaxComment)
		}
	}
}

func TestScannerLongLine(t *testing.T) {
	fits := "M117 " + strings.Repeat("x", MaxCommand-5)
	for _, c := range []struct {
		name string
		in   string
		line int64 // 0: no error
	}{
		{"just fits", "G28\n" + fits + "\n", 0},
		{"just fits, framed", "N123456789 " + fits + "*123\n", 0},
		{"just fits, quoted", "M117 \"" + strings.Repeat("x", MaxCommand-7) + "\"\n", 0},
		{"one too many", "G28\n\n" + fits + "x\n", 3},
		{"one too many, no end", "G28\n" + fits + "x", 2},
		{"one too many, comment", fits + "x;c\n", 1},
		{"one too many, quoted", "G28\nM117 \"" + strings.Repeat("x", MaxCommand-6) + "\"\n", 2},
		{"longer than the buffer", strings.Repeat("G28\n", 9) + strings.Repeat("x", 2*bufferSize), 10},
		{"quote that closes late", "M117 \";" + strings.Repeat("x", bufferSize) + "\"\n", 1},
		{"quote that never closes", "M117 \";" + strings.Repeat("x", bufferSize) + "\nG28\n", 0},
		{"spaces inside", "G1" + strings.Repeat(" ", bufferSize) + "X1\n", 1},
		{"spaces behind", "G1" + strings.Repeat(" ", 2*bufferSize) + "\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := scanTexts(c.in)
			if c.line == 0 {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			var at *LineError
			if !errors.As(err, &at) || !errors.Is(err, ErrLongLine) || at.Line != c.line {
				t.Errorf("got %v, want line %d: %v", err, c.line, ErrLongLine)
			}
		})
	}
}

func TestScannerReadError(t *testing.T) {
	broken := errors.New("broken disk")
	for _, file := range []string{"", "G28\nG1", "G28\n;c", "G28\nM117 \"", "G28\nG1 X1 ;", "G28\n"} {
		s := NewScanner(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)))
		n := 0
		for s.Scan() {
			n++
		}
		if want := strings.Count(file, "\n"); s.Err() != broken || n != want {
			t.Errorf("%q: %d lines and %v, want %d and %v", file, n, s.Err(), want, broken)
		}
		if s.Scan() || s.Err() != broken {
			t.Errorf("%q: goes on after its error", file)
		}
	}
	s := NewScanner(stuck{})
	if s.Scan() || s.Err() != io.ErrNoProgress {
		t.Errorf("a reader without data: %v, want %v", s.Err(), io.ErrNoProgress)
	}
}

// stuck is a reader that never says anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestScannerAllocatesOnce(t *testing.T) {
	file := bytes.Repeat([]byte("G1 X140.974 Y92.303 E.03291\n;TYPE:Perimeter\nM117 \"x\" (y)\nG1 X1 ; c\n"), 5000)
	var r bytes.Reader
	n := testing.AllocsPerRun(3, func() {
		r.Reset(file)
		s := NewScanner(&r)
		for s.Scan() {
		}
	})
	if n > 4 { // the scanner, its buffer and the buffer for kept commands
		t.Errorf("%v allocations for 20000 lines, want a handful", n)
	}
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		"G28\nG1 X1 ; c\r\n;LAYER:0\n", "N5 G1 X1*33\n", "M117 \"a;b\"\n(c) G1 (d) X1\n", "\x00\x01\r\r\n\t", "%\n@x\n", "\xef\xbb\xbfG28",
		"M117 \";", "G1 {(}) (", "N1", "N1*", "; \r;\r\n;", "\"(\";\n", "G1 X1\r",
	} {
		f.Add([]byte(seed), 0)
		f.Add([]byte(seed), MaxCommand)
	}
	f.Fuzz(func(t *testing.T, file []byte, repeat int) {
		if repeat > 0 && repeat < bufferSize && len(file) > 0 {
			// One byte many times over makes lines that do not fit.
			file = append(append(bytes.Clone(file), bytes.Repeat(file[len(file)-1:], repeat)...), file...)
		}
		s := NewScanner(bytes.NewReader(file))
		lastComment := int64(-1)
		s.OnComment(func(c []byte, number, offset int64) {
			if len(c) > MaxComment || bytes.ContainsAny(c, "\r\n") || offset <= lastComment || number < 1 {
				t.Fatalf("comment %q, line %d at %d after %d", c, number, offset, lastComment)
			}
			lastComment = offset
		})
		var before Line
		for s.Scan() {
			l := s.Line()
			for _, c := range l.Text {
				if c < ' ' || c == 0x7f {
					t.Fatalf("control byte in %q", l.Text)
				}
			}
			if len(l.Text) == 0 || len(l.Text) > MaxCommand || isSpace(l.Text[0]) || isSpace(l.Text[len(l.Text)-1]) {
				t.Fatalf("text of %d bytes: %q", len(l.Text), l.Text)
			}
			if l.Offset < before.End || l.End <= l.Offset || l.Number <= before.Number || l.End > int64(len(file)) {
				t.Fatalf("%+v after %+v", l, before)
			}
			if end := file[l.End-1]; l.End < int64(len(file)) && end != '\n' && end != '\r' {
				t.Fatalf("line ends in %q", end)
			}
			before = l
		}
		if len(s.buf) != bufferSize || cap(s.kept) > 2*(MaxCommand+maxFrame) || cap(s.comment) > 2*MaxComment {
			t.Fatalf("buffers grew to %d, %d, %d", len(s.buf), cap(s.kept), cap(s.comment))
		}
		if s.Err() == nil && s.base+int64(s.pos) != int64(len(file)) {
			t.Fatalf("stopped at %d of %d", s.base+int64(s.pos), len(file))
		}
		want := scanAll(bytes.NewReader(file))
		got := scanAll(iotest.HalfReader(iotest.OneByteReader(bytes.NewReader(file))))
		if !slices.Equal(got.lines, want.lines) || !slices.Equal(got.comments, want.comments) || (got.err == nil) != (want.err == nil) {
			t.Fatalf("read in pieces\n %q, %v\nat once\n %q, %v", got.lines, got.err, want.lines, want.err)
		}
	})
}
