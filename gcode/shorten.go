package gcode

import "bytes"

// A firmware takes lines up to a length, and a numbered line that is longer can never succeed: Marlin cuts it off, and its checksum with it. What
// is too long is said here in fewer bytes, where that is certain to mean the same to every firmware; all else is left as it stands.

// AppendShort appends text, a command without comment, to dst in as few bytes as it can be said in. Commands that are not known to take
// nothing but numbers, and lines with anything else in them, are appended unchanged. The result is never longer than text, parses as text
// does, and is not shortened any further. It allocates only to grow dst, which must not share text's memory.
func AppendShort(dst, text []byte) []byte {
	if short, ok := appendShort(dst, text); ok {
		return short
	}
	return append(dst, text...)
}

// ForPeople reports whether a command's text is only shown, M117 or M118, so that it may be cut where it is too long.
func ForPeople(c Command) bool { return c.Is('M', 117) || c.Is('M', 118) }

// takesNumbers lists the commands whose words are all letters with numbers. Those that lines get long by are here: moves, arcs, splines, and
// settings for each axis.
func takesNumbers(c Command) bool {
	switch c.Letter {
	case 'G':
		switch c.Number {
		case 0, 1, 2, 3, 5, 92:
			return true
		}
	case 'M':
		switch c.Number {
		case 73, 92, 200, 201, 202, 203, 204, 205, 220, 221, 301, 304, 566, 665, 666, 851, 900, 906, 907, 913:
			return true
		}
	}
	return false
}

func appendShort(dst, text []byte) ([]byte, bool) {
	c := ParseCommand(text)
	if !takesNumbers(c) || bytes.IndexByte(text, '\t') >= 0 {
		return nil, false
	}
	name := text[:len(text)-len(c.Args)]
	spaced := name[len(name)-1] == ' '
	if name = trimSpaces(name); name[0] != c.Letter || bytes.IndexByte(name, ' ') >= 0 || bytes.IndexByte(name, '.') >= 0 {
		return nil, false // "g1" may be unknown, and "G5.1" is another command
	}
	dst = append(dst, name...)
	bare := false // the word before has no number
	for rest := c.Args; len(rest) > 0; {
		letter := rest[0]
		switch {
		case letter < 'A' || letter > 'Z', letter == 'N', letter == 'G', letter == 'M', letter == 'T' && c.Letter == 'G':
			return nil, false // not a word, or another command
		case letter == 'E' || letter == 'X':
			// Firmware that reads numbers by strtod takes "1E5" and "0X5" for one (Smoothieware, Gcode.cpp; Prusa, code_value).
			if !spaced {
				return nil, false
			}
			dst = append(dst, ' ')
		case spaced && bare:
			dst = append(dst, ' ')
		}
		_, n, _ := parseNumber(rest[1:])
		dst = appendShortNumber(append(dst, letter), rest[1:1+n])
		bare = n == 0
		before := len(rest) - n - 1
		rest = bytes.TrimLeft(rest[1+n:], " ")
		spaced = len(rest) < before
	}
	return dst, true
}

// maxPlainDigits is how many digits parseNumber reads exactly, whatever zeros there are.
const maxPlainDigits = 15

// appendShortNumber drops a plus and the zeros that mean nothing. ".5" is read by all firmware: PrusaSlicer has long written it so.
func appendShortNumber(dst, number []byte) []byte {
	digits := bytes.TrimLeft(number, "+-")
	if len(digits) > maxPlainDigits {
		return append(dst, number...)
	}
	if len(digits) == 0 {
		return dst
	}
	if number[0] == '-' {
		dst = append(dst, '-')
	}
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	whole, fraction = bytes.TrimLeft(whole, "0"), bytes.TrimRight(fraction, "0")
	switch {
	case len(fraction) > 0:
		return append(append(append(dst, whole...), '.'), fraction...)
	case len(whole) > 0:
		return append(dst, whole...)
	}
	return append(dst, '0')
}
