package gcode

// slow reads the line at s.pos byte by byte, whatever its length, and returns its command. It keeps no more than a command's
// worth of it. It sets s.err for a command that is too long and for a reader that failed.
func (s *Scanner) slow() []byte {
	start := s.base + int64(s.pos)
	r := reduction{kept: s.kept[:0]}
	dropped := 0
	for s.pos < s.end || s.fill() {
		c := s.buf[s.pos]
		if c == '\n' || c == '\r' {
			s.skipLineEnd()
			break
		}
		s.pos++
		if c < ' ' && c != '\t' || c == 0x7f {
			s.control++
			if s.controlFirst == 0 {
				s.controlFirst = s.number + 1
			}
			if dropped++; dropped > 4*bufferSize { // a run of NULs may go on for gigabytes
				r.long = true
				break
			}
			continue
		}
		if c == ';' && r.state == inCommand {
			s.skipComment(len(r.kept) == 0 && !r.opened, start)
			s.number-- // counted below
			break
		}
		r.add(c)
		if r.long {
			break
		}
	}
	s.number++
	s.kept = r.finish()
	if r.long {
		s.err = &LineError{Line: s.number, Err: ErrLongLine}
	}
	return s.kept
}

type part uint8

const (
	inCommand part = iota
	inQuotes
	inParentheses
)

// reduction makes a command of a line's bytes: it drops '(…)' comments and knows quotes.
type reduction struct {
	kept   []byte
	state  part
	spaces int  // read but not yet kept: at the end of the line they do not count
	opened bool // a '(…)' comment was there
	joined bool // one has just ended: of the spaces on both sides one is enough
	braces int  // RepRapFirmware's {…} expressions may hold parentheses
	cut    int  // 1 + length of kept at the first ';' inside quotes: where the command ends should the quotes not close
	long   bool
}

func (r *reduction) add(c byte) {
	if r.state == inParentheses {
		if c == ')' {
			r.state = inCommand
			r.spaces = min(r.spaces, 1)
			r.joined = true
		}
		return
	}
	if isSpace(c) {
		if len(r.kept) > 0 && r.spaces <= MaxCommand && !(r.joined && r.spaces > 0) {
			r.spaces++
		}
		return
	}
	switch c {
	case '"':
		if r.state == inQuotes {
			r.state, r.cut = inCommand, 0
		} else {
			r.state = inQuotes
		}
	case ';': // only ever inside quotes
		if r.cut == 0 {
			r.cut = 1 + len(r.kept)
		}
	case '(':
		if r.state == inCommand && r.braces == 0 && takesParentheses(r.kept) {
			r.state, r.opened = inParentheses, true
			return
		}
	case '{':
		r.braces++
	case '}':
		r.braces = max(r.braces-1, 0)
	}
	r.keep(c)
}

// keep appends c and the spaces before it. When there is no room the command is too long, except that all behind an
// unclosed quote's ';' may yet prove to be a comment.
func (r *reduction) keep(c byte) {
	if len(r.kept)+r.spaces+1 > MaxCommand+maxFrame {
		r.long = r.cut == 0
		return
	}
	for ; r.spaces > 0; r.spaces-- {
		r.kept = append(r.kept, ' ')
	}
	r.kept = append(r.kept, c)
	r.joined = false
}

func (r *reduction) finish() []byte {
	if r.state == inQuotes && r.cut > 0 {
		r.kept = r.kept[:r.cut-1]
	}
	return trimSpaces(r.kept)
}

// takesParentheses reports whether a '(' after this beginning of a line opens a comment. In a text for people it does not,
// nor in a command of unknown form, such as a Klipper macro.
func takesParentheses(begun []byte) bool {
	begun = stripFrame(begun)
	if len(begun) == 0 {
		return true
	}
	c := ParseCommand(begun)
	return c.Letter != 0 && !(c.Letter == 'M' && carriesText(c.Number))
}

// carriesText lists the M commands whose arguments are text or a file name: Marlin's and, from 550 on, RepRapFirmware's.
func carriesText(m int) bool {
	switch m {
	case 0, 1, 16, 23, 28, 30, 32, 33, 36, 38, 98, 117, 118, 291, 486, 550, 551, 552, 587, 588, 589, 928:
		return true
	}
	return m >= 810 && m <= 819 // Marlin's G-code macros
}
