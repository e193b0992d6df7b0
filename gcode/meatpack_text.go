package gcode

import "bytes"

// meatChars are the characters of the half bytes 0 to 14.
const meatChars = "0123456789. \nGX"

// MeatUnpacker turns what AppendMeatPack and other packers made back into text, in pieces of any size. The zero value stands at the beginning
// of a stream, where nothing is packed yet. It takes any bytes: what no packer writes becomes text that nobody wants, and never more than five
// bytes of it for each.
//
// Packers of files leave out the spaces of G commands, which firmware does not need. People do, so they are put back: a space before each letter
// of a packed line that begins with G and a digit and has no space of its own.
type MeatUnpacker struct {
	packed   bool
	noSpaces bool
	signals  int // bytes of 0xff that wait for what comes behind them, at most 2
	whole    int // characters that come as they are
	behind   byte
	gluing   gluing
}

// gluing is how much is known of the line under way.
type gluing byte

const (
	atStart gluing = iota
	afterG         // the line is "G" so far
	glued          // "G1…": letters begin words
	asItIs         // a comment, text, or a line with spaces
)

// AppendText appends the text of packed to dst.
func (u *MeatUnpacker) AppendText(dst, packed []byte) []byte {
	for len(packed) > 0 {
		if n := u.plain(packed); n > 0 {
			dst = append(dst, packed[:n]...)
			packed = packed[n:]
			continue
		}
		c := packed[0]
		packed = packed[1:]
		switch {
		case u.packed && u.whole+u.signals == 0 && u.gluing >= glued && c&15 <= meatDot && c>>4 <= meatDot: // two digits of a number, mostly
			dst = append(dst, meatChars[c&15], meatChars[c>>4])
		case c == meatSignal:
			u.signals = min(u.signals+1, 2)
		case u.signals == 2:
			u.signals = 0
			u.command(c)
		case u.signals == 1:
			u.signals = 0
			dst = u.take(u.take(dst, meatSignal), c)
		default:
			dst = u.take(dst, c)
		}
	}
	return dst
}

// plain is how much of packed is text as it stands: comments, mostly.
func (u *MeatUnpacker) plain(packed []byte) int {
	if u.packed || u.signals > 0 || u.gluing == afterG || u.gluing == glued {
		return 0
	}
	n := bytes.IndexByte(packed, meatSignal)
	if n < 0 {
		n = len(packed)
	}
	if n > 0 {
		u.gluing = asItIs
		if packed[n-1] == '\n' {
			u.gluing = atStart
		}
	}
	return n
}

// command obeys the byte behind two signals. What is unknown, and what only asks for an answer, does nothing.
func (u *MeatUnpacker) command(c byte) {
	switch c {
	case MeatPackOn[2]:
		u.packed = true
	case MeatPackOff[2]:
		u.packed = false
	case MeatPackReset[2]:
		u.packed, u.whole, u.behind = false, 0, 0
	case MeatPackNoSpaces[2]:
		u.noSpaces = true
	case MeatPackSpaces[2]:
		u.noSpaces = false
	}
}

// take takes a byte that is no command.
func (u *MeatUnpacker) take(dst []byte, c byte) []byte {
	if !u.packed {
		return u.put(dst, c)
	}
	if u.whole > 0 {
		u.whole--
		dst = u.put(dst, c)
		if u.behind != 0 {
			dst = u.put(dst, u.behind)
			u.behind = 0
		}
		return dst
	}
	low, high := c&15, c>>4
	switch {
	case low == meatAsItIs && high == meatAsItIs:
		u.whole = 2
	case low == meatAsItIs:
		u.whole, u.behind = 1, u.char(high)
	default:
		dst = u.put(dst, u.char(low))
		switch {
		case low == meatLineEnd: // the other half is not looked at
		case high == meatAsItIs:
			u.whole = 1
		default:
			dst = u.put(dst, u.char(high))
		}
	}
	return dst
}

func (u *MeatUnpacker) char(half byte) byte {
	if half == meatSpace && u.noSpaces {
		return 'E'
	}
	return meatChars[half]
}

// put writes one character, behind a space where one was left out.
func (u *MeatUnpacker) put(dst []byte, c byte) []byte {
	switch {
	case c == '\n':
		u.gluing = atStart
	case u.gluing == atStart && c == 'G' && u.packed:
		u.gluing = afterG
	case u.gluing == afterG && isDigit(c):
		u.gluing = glued
	case u.gluing != glued || c == ' ' || c == ';' || c == '(' || c == '"':
		u.gluing = asItIs
	case isLetter(c):
		dst = append(dst, ' ')
	}
	return append(dst, c)
}
