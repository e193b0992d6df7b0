package gcode

import (
	"unicode"
	"unicode/utf8"
)

// trimReply takes off what a serial line adds: the line end, spaces, and at the start also NUL bytes and noise, such as a
// board leaves on the line while it boots. It cuts at MaxReply.
func trimReply(line []byte) []byte {
	line = line[:min(len(line), MaxReply)]
	for len(line) > 0 {
		if c := line[0]; c > ' ' && c < 0x7f {
			break
		}
		r, n := utf8.DecodeRune(line)
		if r != utf8.RuneError && !unshown(r) && !unicode.IsSpace(r) {
			break
		}
		line = line[n:]
	}
	for len(line) > 0 {
		if c := line[len(line)-1]; c > ' ' && c != 0x7f {
			break
		}
		line = line[:len(line)-1]
	}
	return line
}

// printable returns line as valid UTF-8 that can be shown: a tab becomes a space; control characters, those that turn the
// direction of text, and bytes that are no UTF-8 become U+FFFD. The result is at most MaxReply bytes, and line itself where nothing is
// to be changed.
func printable(line []byte) []byte {
	plain := true
	for _, c := range line {
		if c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return line
	}
	b := make([]byte, 0, len(line))
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		line = line[n:]
		switch {
		case r == '\t':
			r = ' '
		case unshown(r):
			r = utf8.RuneError
		}
		if len(b)+utf8.RuneLen(r) > MaxReply {
			break
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// unshown reports control characters, line separators, and the marks that reorder text and so could make a line read
// differently from what it is.
func unshown(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\u200e', r == '\u200f', r == '\u061c':
		return true
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}
