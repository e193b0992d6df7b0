package gcode

import (
	"bytes"
	"errors"
	"fmt"
)

// headSize is how much of a file's beginning is looked at for the marks of other kinds of file.
const headSize = 512

// controlLimit is how many control bytes in commands are put up with: a stray one is dropped, a run of them means that the
// file was damaged or never was text.
const controlLimit = 64

func refusal(why string) error { return fmt.Errorf("%w: %s", ErrBinary, why) }

// refuseHead knows files that are no G-code by how they begin.
func refuseHead(head []byte) error {
	for _, kind := range []struct{ magic, why string }{
		{"GCDE", "it is binary G-code, which is unpacked only when it is uploaded"},
		{"PK\x03\x04", "it is a zip archive; UFP packages are unpacked, when they are uploaded"},
		{"\x7fELF", "it is a program"},
		{"\x89PNG\r\n", "it is a PNG picture"},
		{"\xff\xd8\xff", "it is a JPEG picture"},
		{"GIF8", "it is a GIF picture"},
		{"%PDF-", "it is a PDF document"},
		{"\x1f\x8b", "it is compressed with gzip, which is unpacked only when it is uploaded"},
		{"7z\xbc\xaf", "it is a 7z archive; unpack it first"},
		{"ISO-10303-21", "it is a STEP model; slice it first"},
		{"Rar!\x1a", "it is a RAR archive; unpack it first"},
		{"\xff\xfe", "it is UTF-16 text; save it as UTF-8"},
		{"\xfe\xff", "it is UTF-16 text; save it as UTF-8"},
	} {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return &LineError{Err: refusal(kind.why)}
		}
	}
	if start := bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"); hasPrefixBytesFold(start, "<!doctype html") || hasPrefixBytesFold(start, "<html") {
		return &LineError{Err: refusal("it is a web page; open it to see what it says, and save the file itself")}
	}
	if bytes.HasPrefix(head, []byte("solid")) && bytes.Contains(head, []byte("facet")) {
		return &LineError{Err: refusal("it is an STL model; slice it first")}
	}
	return nil
}

// isOdd reports whether a command that does not begin with G, M or T looks like no G-code at all. Klipper macros
// ("START_PRINT BED=60") and bare parameters ("X10 Y5", "F1200") do not.
func isOdd(text []byte) bool { return !isMacro(text) && !areParameters(text) && !asksForTool(text) }

// asksForTool knows Prusa's Tx, Tc and T?, by which a person chooses the filament.
func asksForTool(text []byte) bool {
	return len(text) == 2 && upper(text[0]) == 'T' && bytes.IndexByte([]byte("xXcC?"), text[1]) >= 0
}

// isMacro knows a name of two letters or more, followed by nothing but KEY=VALUE. A name that stands alone must have an
// underscore or be in capitals, to tell it from a word of prose.
func isMacro(text []byte) bool {
	n, shouts, joined := 0, true, false
	for n < len(text) && (isLetter(text[n]) || text[n] == '_' || n > 0 && isDigit(text[n])) {
		shouts = shouts && upper(text[n]) == text[n]
		joined = joined || text[n] == '_'
		n++
	}
	if n < 2 || n < len(text) && !isSpace(text[n]) {
		return false
	}
	rest := trimSpaces(text[n:])
	if len(rest) == 0 {
		return shouts || joined
	}
	key := 0
	for key < len(rest) && (isLetter(rest[key]) || rest[key] == '_' || key > 0 && isDigit(rest[key])) {
		key++
	}
	return key > 0 && key < len(rest) && rest[key] == '='
}

// areParameters knows a line whose every word is a letter and a number.
func areParameters(text []byte) bool {
	for word := range bytes.FieldsSeq(text) {
		if len(word) < 2 || !isLetter(word[0]) {
			return false
		}
		if _, n, ok := parseNumber(word[1:]); !ok || n != len(word)-1 {
			return false
		}
	}
	return true
}

// verdict says why the file cannot be printed, nil when it can.
func (s *surveyor) verdict() error {
	err := s.scan.Err()
	binary := s.scan.control > controlLimit && s.scan.control > s.out.Commands/8
	switch {
	case err != nil && !errors.Is(err, ErrLongLine):
		return err
	case binary:
		return &LineError{Line: s.scan.controlFirst, Err: refusal("control bytes from here on")}
	case s.out.Odd > s.out.Commands/2:
		return &LineError{Line: s.out.FirstOdd, Err: refusal("most lines are no commands")}
	case err != nil:
		return err
	case s.out.Commands == 0:
		return &LineError{Err: ErrEmpty}
	}
	return nil
}
