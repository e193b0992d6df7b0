package gcode

import (
	"bytes"
	"io"
)

// A file flows through here: Scan finds the next line's end in the buffer and hands out what stands before it. Nearly all
// lines are plain ("G1 X1 Y2 E3", perhaps with a ';' comment) and are handed out where they lie. A line with anything else
// in it (quotes, parentheses, control bytes) and one that does not fit the buffer goes byte by byte through scan_slow.go.

// MaxCommand is the longest command that a Scanner hands out, in bytes, after comments are gone. Klipper's
// EXCLUDE_OBJECT_DEFINE lines are the longest in practice.
const MaxCommand = 4096

// MaxComment is how much of a comment OnComment gets to see, in bytes.
const MaxComment = 1024

const (
	bufferSize = 64 << 10
	maxFrame   = 32  // more than "N-9223372036854775808 " and "*255" add to a command
	maxEmpty   = 100 // reads without data or error in a row before we give up
)

// Line is one command of a file. Text shares the Scanner's buffer and is valid until the next call of Scan.
type Line struct {
	Text   []byte // without comments, line end and surrounding white space; never empty
	Number int64  // line in the file, from 1, counting every line
	Offset int64  // of the line's first byte in the file
	End    int64  // offset of the byte after the line's end
}

// Scanner reads commands from a file of any size in constant memory. It knows LF, CRLF and a last line without an end,
// ';' comments and '(…)' comments (the latter not in commands that carry text, such as M117), and comments of any length.
// A lone CR ends a line too, as it does in Marlin. NUL and other control bytes are dropped, a tab becomes a space, a UTF-8
// byte order mark is skipped, so are lines of a single '%'. Line numbers and checksums that the file carries are taken off.
// A command longer than MaxCommand ends the scan with a *LineError that wraps ErrLongLine.
type Scanner struct {
	r         io.Reader
	buf       []byte
	pos, end  int   // unread part of buf
	base      int64 // offset of buf[0] in the file
	number    int64 // of the line that was read last
	readErr   error // what the reader said at the end of the data, io.EOF included
	err       error
	line      Line
	onComment func(comment []byte, number, offset int64)

	kept    []byte // a command that could not be handed out where it lay
	comment []byte // the start of a comment that could not

	control      int64 // control bytes dropped from commands
	controlFirst int64 // number of the first line with one
}

// NewScanner returns a Scanner that reads r from where it is. Offsets count from there.
func NewScanner(r io.Reader) *Scanner {
	return &Scanner{r: r, buf: make([]byte, bufferSize)}
}

// OnComment makes Scan call f with each comment that starts a line (without its ';', at most MaxComment bytes of it) and its
// line's place, which is how slicers leave notes: layer marks, thumbnails, estimates. The bytes are valid during the call.
func (s *Scanner) OnComment(f func(comment []byte, number, offset int64)) { s.onComment = f }

// Line is the command that the last Scan found.
func (s *Scanner) Line() Line { return s.line }

// Err is the first error, nil at a clean end.
func (s *Scanner) Err() error { return s.err }

// special marks the bytes that end the fast path: control bytes (line ends and tabs among them), ';', '"' and '('.
var special = [256]bool{
	0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true, 10: true, 11: true,
	12: true, 13: true, 14: true, 15: true, 16: true, 17: true, 18: true, 19: true, 20: true, 21: true, 22: true,
	23: true, 24: true, 25: true, 26: true, 27: true, 28: true, 29: true, 30: true, 31: true, 127: true,
	';': true, '"': true, '(': true,
}

// Scan reads up to the next command; false at the end or at an error.
func (s *Scanner) Scan() bool {
	if s.base == 0 && s.end == 0 {
		s.skipByteOrderMark()
	}
	for s.err == nil {
		if s.pos == s.end && !s.fill() {
			break
		}
		start := s.base + int64(s.pos)
		text, ok := s.next()
		if s.err != nil {
			break
		}
		if !ok {
			text = s.slow()
			if s.err != nil {
				break
			}
		}
		text = stripFrame(text)
		if len(text) == 0 || len(text) == 1 && text[0] == '%' {
			continue
		}
		if len(text) > MaxCommand {
			s.err = &LineError{Line: s.number, Err: ErrLongLine}
			break
		}
		s.line = Line{Text: text, Number: s.number, Offset: start, End: s.base + int64(s.pos)}
		return true
	}
	s.line = Line{}
	return false
}

// next reads a plain line that lies in the buffer, or a comment. ok is false, and nothing is consumed, when the line needs slow.
func (s *Scanner) next() (text []byte, ok bool) {
	looked := 0
	for {
		b := s.buf[s.pos:s.end]
		i := looked
		for i < len(b) && !special[b[i]] {
			i++
		}
		switch {
		case i == len(b), b[i] == '\r' && i+1 == len(b) && s.readErr == nil:
			if s.readErr != nil && s.readErr != io.EOF {
				s.err = s.readErr
				return nil, true
			}
			if s.readErr == io.EOF {
				s.number++
				s.pos = s.end
				return trimSpaces(b), true
			}
			if len(b) > 2*MaxCommand { // too long, unless it turns out to be spaces: slow knows
				return nil, false
			}
			looked = i
			s.more()
		case b[i] == '\n':
			s.number++
			s.pos += i + 1
			return trimSpaces(b[:i]), true
		case b[i] == '\r':
			s.number++
			s.pos += i + 1
			if i+1 < len(b) && b[i+1] == '\n' {
				s.pos++
			}
			return trimSpaces(b[:i]), true
		case b[i] == ';':
			return s.beforeComment(i), true
		default:
			return nil, false
		}
	}
}

// beforeComment returns what stands before the ';' at s.pos+i and consumes the line.
func (s *Scanner) beforeComment(i int) []byte {
	text := trimSpaces(s.buf[s.pos : s.pos+i])
	if len(text) > MaxCommand+maxFrame {
		s.err = &LineError{Line: s.number + 1, Err: ErrLongLine}
		return nil
	}
	start := s.base + int64(s.pos)
	s.pos += i + 1
	if n := lineEnd(s.buf[s.pos:s.end]); (n < 0 || s.pos+n+1 == s.end) && len(text) > 0 {
		// The rest of the line, or the LF after its CR, may be read over the place where the text lies.
		s.kept = append(s.kept[:0], text...)
		text = s.kept
	}
	s.skipComment(len(text) == 0, start)
	return text
}

// skipComment consumes the rest of the line, of any length, and shows it to OnComment when it began the line at offset start.
func (s *Scanner) skipComment(first bool, start int64) {
	show := first && s.onComment != nil
	s.number++
	s.comment = s.comment[:0]
	for {
		b := s.buf[s.pos:s.end]
		n := lineEnd(b)
		if n >= 0 {
			if show && len(s.comment) == 0 {
				s.onComment(b[:min(n, MaxComment)], s.number, start)
			} else if show {
				s.onComment(s.addComment(b[:n]), s.number, start)
			}
			s.pos += n
			s.skipLineEnd()
			return
		}
		if show {
			s.addComment(b)
		}
		s.pos = s.end
		if !s.fill() {
			if show && s.err == nil {
				s.onComment(s.comment, s.number, start)
			}
			return
		}
	}
}

func (s *Scanner) addComment(b []byte) []byte {
	s.comment = append(s.comment, b[:min(len(b), MaxComment-len(s.comment))]...)
	return s.comment
}

// lineEnd returns where the line in b ends (at its LF or CR), -1 when b does not say. It looks no farther than some times the line's length: where
// one of the two never comes, a look for it through the whole buffer at each line would be the most of the work.
func lineEnd(b []byte) int {
	for from, piece := 0, 256; from < len(b); from, piece = from+piece, 4*piece {
		part := b[from:min(from+piece, len(b))]
		n := bytes.IndexByte(part, '\n')
		if n >= 0 {
			part = part[:n]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			n = cr
		}
		if n >= 0 {
			return from + n
		}
	}
	return -1
}

// skipLineEnd consumes the LF, CR or CRLF at s.pos.
func (s *Scanner) skipLineEnd() {
	cr := s.buf[s.pos] == '\r'
	s.pos++
	if cr && (s.pos < s.end || s.fill()) && s.buf[s.pos] == '\n' {
		s.pos++
	}
}

// fill reads new data into an empty buffer; false at the end of the data, with s.err set when that is not the file's.
func (s *Scanner) fill() bool {
	s.base += int64(s.end)
	s.pos, s.end = 0, 0
	if s.readErr == nil {
		s.more()
	}
	if s.end > 0 {
		return true
	}
	if s.readErr != io.EOF {
		s.err = s.readErr
	}
	return false
}

// more reads behind the unread part of the buffer, which must leave room, until there is more or the data ends.
func (s *Scanner) more() {
	if s.pos > 0 {
		s.base += int64(s.pos)
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	for range maxEmpty {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.readErr = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	s.readErr = io.ErrNoProgress
}

func (s *Scanner) skipByteOrderMark() {
	const mark = "\xef\xbb\xbf"
	for s.end < len(mark) && s.readErr == nil {
		s.more()
	}
	if bytes.HasPrefix(s.buf[:s.end], []byte(mark)) {
		s.pos = len(mark)
	}
}
