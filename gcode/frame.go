package gcode

import (
	"bytes"
	"strconv"
)

// AppendFrame appends "N<n> <text>*<checksum>\n" to dst: the line as Marlin, Repetier, RepRapFirmware and their
// relatives verify it. The checksum is the XOR of all bytes before the '*'. It allocates only to grow dst.
// The text must not contain a line feed.
func AppendFrame(dst []byte, n int64, text []byte) []byte {
	start := len(dst)
	dst = append(dst, 'N')
	dst = strconv.AppendInt(dst, n, 10)
	dst = append(dst, ' ')
	dst = append(dst, text...)
	sum := checksum(dst[start:])
	dst = append(dst, '*')
	dst = strconv.AppendUint(dst, uint64(sum), 10)
	return append(dst, '\n')
}

// ParseFrame takes a framed line apart (with or without its line end). The text shares line's memory.
// Errors: ErrNoNumber, ErrNoChecksum, ErrChecksum; with ErrNoChecksum and ErrChecksum n and text are still what was read.
func ParseFrame(line []byte) (n int64, text []byte, err error) {
	line = trimLineEnd(line)
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	if len(line) == 0 || line[0] != 'N' {
		return 0, nil, ErrNoNumber
	}
	n, digits := parseInt(line[1:])
	if digits == 0 {
		return 0, nil, ErrNoNumber
	}
	text = line[1+digits:]
	if len(text) > 0 && text[0] == ' ' { // exactly the one that AppendFrame writes: the rest belongs to the text
		text = text[1:]
	}
	// Marlin looks for the last asterisk (queue.cpp, strrchr), for one may stand in the text of an M117.
	star := bytes.LastIndexByte(line, '*')
	if star < 0 || star < len(line)-len(text) {
		return n, text, ErrNoChecksum
	}
	sum, ok := parseChecksum(line[star+1:])
	if !ok {
		return n, text, ErrNoChecksum
	}
	text = text[:len(text)-(len(line)-star)]
	if sum != int(checksum(line[:star])) {
		return n, text, ErrChecksum
	}
	return n, text, nil
}

// checksum is the XOR of all bytes.
func checksum(b []byte) byte {
	var sum byte
	for _, c := range b {
		sum ^= c
	}
	return sum
}

// parseChecksum reads the digits after an asterisk. Spaces may follow, nothing else.
func parseChecksum(b []byte) (sum int, ok bool) {
	b = trimSpaces(b)
	if len(b) == 0 || len(b) > maxCommandDigits {
		return 0, false
	}
	sum, n := shortInt(b)
	return sum, n == len(b)
}

// stripFrame takes a line number and a checksum that a file already carries off its text: they would be wrong among the
// numbers that are given on the way out. A line without a number stays as it is, whatever asterisks it has.
func stripFrame(text []byte) []byte {
	if len(text) < 2 || upper(text[0]) != 'N' {
		return text
	}
	_, digits := parseInt(text[1:])
	if digits == 0 {
		return text
	}
	rest := text[1+digits:]
	// "N10G1X5" is a framed line, "N2O_PURGE" a macro.
	if len(rest) > 0 && !isSpace(rest[0]) && rest[0] != '*' && rest[0] != '(' &&
		(!isLetter(rest[0]) || len(rest) < 2 || !isDigit(rest[1])) {
		return text
	}
	if star := bytes.LastIndexByte(rest, '*'); star >= 0 {
		if _, ok := parseChecksum(rest[star+1:]); ok {
			rest = rest[:star]
		}
	}
	return trimSpaces(rest)
}

func trimLineEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}

func trimSpaces(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
