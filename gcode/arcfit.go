package gcode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A file flows through FitArcs line by line. Moves that print (step) gather in a run (arcrun.go), which makes arcs of them where it can; every
// other line ends the run and goes out as it came in. What a line does to the machine is followed only as far as an arc needs it, and whatever is
// not known here makes it forget: where the head is, or how the file counts. Then nothing is fitted until the file has said so again.

// Bounds of the tolerance that FitArcs takes, in mm, and what is usual.
const (
	MinArcTolerance = 0.005
	ArcTolerance    = 0.05
	MaxArcTolerance = 0.1
)

// ArcsFitted is what FitArcs has done.
type ArcsFitted struct {
	Arcs        int64   `json:"arcs"`             // written, each in the place of three moves or more
	Moves       int64   `json:"moves"`            // that they stand for
	DeviationMM float64 `json:"max_deviation_mm"` // a bound on how far the path of any arc, as firmware makes it, is from its moves
}

// FitArcs copies the G-code in r to w, with runs of G1 moves that lie on an arc made one G2 or G3 each. Nothing else changes, to the byte. It needs
// memory that does not grow with the file. A run has the same feed, filament per mm and comment throughout, pushes filament, turns by less than 350°,
// and rises steadily or not at all. Its end is exact, and so is the filament. Neither the arc nor what firmware makes of it (pieces) is farther from
// the moves, nor are they from it, than toleranceMM; and where its pieces would make corners that brake firmware more than the moves do (easyMMS), the
// moves stay. Errors are those of r and w, and a tolerance out of its bounds.
//
// The firmware must know arcs: Marlin says Cap:ARCS:1 (since 2.0.6), Klipper needs [gcode_arcs].
func FitArcs(w io.Writer, r io.Reader, toleranceMM float64) (ArcsFitted, error) {
	if !(toleranceMM >= MinArcTolerance && toleranceMM <= MaxArcTolerance) {
		return ArcsFitted{}, fmt.Errorf("fit arcs: a tolerance of %v mm is not within %v to %v", toleranceMM, MinArcTolerance, MaxArcTolerance)
	}
	f := &arcFitter{run: run{out: bufio.NewWriterSize(w, bufferSize), tolerance: toleranceMM}}
	f.forgetAll()
	f.xyAbsolute = true // as firmware begins; E is told by every slicer
	in := bufio.NewReaderSize(r, bufferSize)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case f.inLong || errors.Is(err, bufio.ErrBufferFull):
			f.inLong = err != nil
			f.forgetAll()
			f.run.pass(line)
		case len(line) > 0:
			f.line(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			f.run.flush()
			if err != io.EOF {
				return f.run.fitted, err
			}
			return f.run.fitted, f.run.out.Flush()
		}
	}
}

// arcFitter follows a file.
type arcFitter struct {
	run        run
	inLong     bool // the last piece of a line had no end
	at         [4]micro
	known      [4]bool // of at
	feed       micro   // per minute; 0 unknown
	xyAbsolute bool
	e          eMode
	leave      bool // the rest of the file counts in a way that we do not follow
}

// eMode is how the file counts E.
type eMode uint8

const (
	eUnknown eMode = iota
	eAbsolute
	eRelative
)

func (f *arcFitter) forget() { f.known, f.feed = [4]bool{}, 0 }

func (f *arcFitter) forgetAll() {
	f.forget()
	f.xyAbsolute, f.e = false, eUnknown
}

// maxStepLine is the longest line that becomes part of an arc, in bytes.
const maxStepLine = 256

// line takes one line with its end.
func (f *arcFitter) line(text []byte) {
	var w arcWords
	if !f.leave && len(text) <= maxStepLine && w.read(text) && w.isMove && w.code == 1 {
		if s, ok := f.step(&w); ok {
			f.run.add(s, text)
			f.arrive(&w)
			return
		}
	}
	f.run.pass(text)
	f.other(text, &w)
}

// step tells whether a G1 can be part of an arc.
func (f *arcFitter) step(w *arcWords) (s step, ok bool) {
	if !f.xyAbsolute || f.e == eUnknown || !f.known[0] || !f.known[1] || !w.has[0] && !w.has[1] || !w.has[3] {
		return s, false
	}
	s.from = [3]micro{f.at[0], f.at[1], f.at[2]}
	s.to = s.from
	for i := range s.to {
		if w.has[i] {
			s.to[i] = w.value[i]
		}
	}
	if w.has[2] && !f.known[2] || s.to[0] == s.from[0] && s.to[1] == s.from[1] {
		return s, false
	}
	s.e, s.push, s.absolute = w.value[3], w.value[3], f.e == eAbsolute
	if s.absolute {
		if !f.known[3] {
			return s, false
		}
		s.push -= f.at[3]
	}
	if w.hasF && w.feed != f.feed {
		s.feed = w.feed // a run begins with it
	}
	s.speed = f.feed
	if w.hasF {
		s.speed = w.feed
	}
	s.tail = w.tail
	return s, s.push > 0 && (w.feed > 0 || !w.hasF)
}

// arrive takes where a move leads to.
func (f *arcFitter) arrive(w *arcWords) {
	for i, has := range w.has {
		relative := !f.xyAbsolute
		if i == 3 && f.e != eAbsolute {
			relative = true // or unknown
		}
		switch {
		case has && relative:
			f.known[i] = false
		case has:
			f.at[i], f.known[i] = w.value[i], true
		}
	}
	if w.hasF {
		f.feed = w.feed
	}
}

// other takes what a line means that is no part of an arc.
func (f *arcFitter) other(text []byte, w *arcWords) {
	text = bytes.TrimRight(text, "\r\n")
	odd := bytes.IndexByte(text, '\r') >= 0 // which ends a line for firmware, but not here
	text = bytes.TrimLeft(text, " \t")
	if !odd && (len(text) == 0 || text[0] == ';') {
		return
	}
	w.read(text)
	switch {
	case odd || w.letter == 0:
		f.forgetAll()
	case w.letter == 'G' && (w.code == 20 || w.code == 18 || w.code == 19):
		f.leave = true // inches, and arcs in other planes
	case w.letter == 'M' && (w.code == 98 || w.code == 32 || w.code == 23 || w.code == 810):
		f.forgetAll() // what they call may do anything
	case w.letter == 'M' && w.code == 82:
		f.e = eAbsolute
	case w.letter == 'M' && w.code == 83:
		f.e, f.known[3] = eRelative, false
	case w.letter == 'G' && (w.code == 90 || w.code == 91):
		f.xyAbsolute = w.code == 90
		if f.e == eRelative || !f.xyAbsolute {
			f.e = eUnknown // Marlin sets E's mode too, others do not
		}
	case w.isMove:
		f.arrive(w)
	case w.letter == 'G' && w.code == 92 && w.plain && w.has != [4]bool{}:
		was := f.xyAbsolute
		mode := f.e
		f.xyAbsolute, f.e = true, eAbsolute
		f.arrive(w)
		f.xyAbsolute, f.e = was, mode
	case w.letter == 'G' && w.code == 4 || w.letter == 'M' && standsStill(w.code):
	default:
		f.forget()
	}
}

// standsStill tells of an M command that neither moves the head nor changes how moves are meant: progress, heat, fans, texts, limits, objects.
func standsStill(code int64) bool {
	switch code {
	case 73, 104, 105, 106, 107, 109, 117, 118, 140, 141, 155, 190, 201, 203, 204, 205, 220, 221, 486, 566, 572, 900:
		return true
	}
	return false
}

// micro is a length in millionths of a millimetre. Slicers write no finer ones, so that sums are exact.
type micro int64

const microPlaces = 6

func (m micro) mm() float64 { return float64(m) / 1e6 }

// appendMicro writes v as short as G-code can have it: "-.5", "12".
func appendMicro(b []byte, v micro) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	whole, part := v/1e6, v%1e6
	if whole > 0 || part == 0 {
		b = fmt.Appendf(b, "%d", whole)
	}
	if part > 0 {
		b = bytes.TrimRight(fmt.Appendf(b, ".%06d", part), "0")
	}
	return b
}

// parseMicro reads a number as parseNumber does, if micro holds it exactly; n is 0 if not.
func parseMicro(s []byte) (v micro, n int) {
	f, n, ok := parseNumber(s)
	places := 0
	if point := bytes.IndexByte(s[:n], '.'); point >= 0 {
		places = n - point - 1
	}
	if !ok || places > microPlaces || f > 1e6 || f < -1e6 {
		return 0, 0
	}
	if f < 0 {
		return -micro(-f*1e6 + 0.5), n
	}
	return micro(f*1e6 + 0.5), n
}

// arcWords are the words of a line, as far as arcs need them.
type arcWords struct {
	letter byte // 0: this is no command of a letter and a whole number
	code   int64
	plain  bool // it has no words but X Y Z E F, each once and exact
	isMove bool // G0 to G3; G2 and G3 with further words
	value  [4]micro
	has    [4]bool // X Y Z E
	feed   micro
	hasF   bool
	tail   []byte // from the end of the last word to that of the line
}

// read reads a line, and tells whether it is plain.
func (w *arcWords) read(text []byte) bool {
	*w = arcWords{}
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i+1 >= len(text) || text[i] != 'G' && text[i] != 'M' && text[i] != 'T' || !isDigit(text[i+1]) {
		return false
	}
	code, n := parseInt(text[i+1:])
	rest := text[i+1+n:]
	if n == 0 || n > 1 && text[i+1] == '0' || len(rest) > 0 && rest[0] > ' ' && rest[0] != ';' && !isLetter(rest[0]) {
		return false // "G01" and "G92.1" are not for us
	}
	w.letter, w.code, w.plain = text[i], code, true
	if w.letter != 'G' {
		return w.plain
	}
	move, arc := code <= 3, code == 2 || code == 3
	w.isMove = move
	for {
		w.tail = rest
		for len(rest) > 0 && isSpace(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] == ';' || rest[0] == '\r' || rest[0] == '\n' {
			if lone := bytes.IndexByte(rest, '\r'); lone >= 0 && string(rest[lone:]) != "\r\n" && string(rest[lone:]) != "\r" {
				w.plain = false
			}
			return w.plain
		}
		v, n := parseMicro(rest[1:])
		if n == 0 || !w.take(rest[0], v, arc) {
			w.plain, w.isMove = false, false
			if move {
				w.letter = 0 // a move to somewhere
			}
			return false
		}
		rest = rest[1+n:]
	}
}

func (w *arcWords) take(letter byte, v micro, arc bool) bool {
	axis := bytes.IndexByte([]byte("XYZE"), letter)
	switch {
	case axis >= 0 && !w.has[axis]:
		w.value[axis], w.has[axis] = v, true
	case letter == 'F' && !w.hasF:
		w.feed, w.hasF = v, true
	case arc && (letter == 'I' || letter == 'J' || letter == 'R' || letter == 'P'):
	default:
		return false
	}
	return true
}
