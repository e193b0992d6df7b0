package gcode

import "bytes"

// MeatPack packs the fifteen characters that G-code is mostly made of into half a byte each, which saves about two bytes in five on the way
// to a firmware that was built with it ("Cap:MEATPACK:1"). The protocol is Scott Mudge's (OctoPrint-MeatPack); Marlin and Prusa-Firmware
// unpack it (feature/meatpack.cpp, meatpack.cpp), between the receive ring and the line.
//
// A byte holds two characters, the first one in its lower half. A half of 15 stands for a character that is sent as it is, in a byte that
// follows. Each packed line ends with a byte of its own, so plain text and commands may stand between lines.
//
// A packed line is worse protected than a plain one. Its checksum, the XOR of the unpacked characters, sees each byte of plain text that is lost
// or changed; of packed bytes it misses a few (printertest, TestPackedDamage): of those with several changed bits one in a hundred, "12" for "21".
// That is why package printer does not pack.
//
// The commands below may be sent at any time, packed or not. The firmware answers each with its state, "[MP] PV01 ON ESP", and never with an
// ok: ON or OFF, then ESP for text with spaces or NSP for text without. A reset of the board turns packing off.
const (
	MeatPackOn       = "\xff\xff\xfb"
	MeatPackOff      = "\xff\xff\xfa"
	MeatPackReset    = "\xff\xff\xf9" // off; what was left of an interrupted line is forgotten. Marlin goes on reading E for a space: send MeatPackSpaces
	MeatPackQuery    = "\xff\xff\xf8"
	MeatPackNoSpaces = "\xff\xff\xf7" // the half byte of the space becomes that of E
	MeatPackSpaces   = "\xff\xff\xf6"
)

const (
	meatDot     = 10
	meatSpace   = 11
	meatLineEnd = 12
	meatAsItIs  = 15
	meatSignal  = 0xff // twice: a command follows
)

// AppendMeatPack appends line, with or without its line end, to dst as a firmware unpacks it after MeatPackOn, and with noSpaces after
// MeatPackNoSpaces. What it unpacks is line with one line feed at its end, byte for byte: a checksum stays right. It allocates only to
// grow dst, by at most half as much again as line and a byte. The line must not contain another line feed. A byte of 0xff, which no UTF-8
// has and which could command the firmware, becomes a question mark.
func AppendMeatPack(dst, line []byte, noSpaces bool) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	for ; len(line) >= 2; line = line[2:] {
		dst = appendMeatPair(dst, line[0], line[1], noSpaces)
	}
	if len(line) == 1 {
		return appendMeatPair(dst, line[0], '\n', noSpaces)
	}
	return append(dst, meatLineEnd<<4|meatLineEnd) // behind a line end the other half is not looked at
}

func appendMeatPair(dst []byte, first, second byte, noSpaces bool) []byte {
	low, high := meatHalf(first, noSpaces), meatHalf(second, noSpaces)
	if low == high { // lost, they would not be missed: the checksum of a line is an XOR
		low = meatAsItIs
	}
	dst = append(dst, high<<4|low)
	if low == meatAsItIs {
		dst = append(dst, meatWhole(first))
	}
	if high == meatAsItIs {
		dst = append(dst, meatWhole(second))
	}
	return dst
}

// meatHalf is the half byte of c.
func meatHalf(c byte, noSpaces bool) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c == '.':
		return meatDot
	case c == ' ' && !noSpaces, c == 'E' && noSpaces:
		return meatSpace
	case c == '\n':
		return meatLineEnd
	case c == 'G':
		return 13
	case c == 'X':
		return 14
	}
	return meatAsItIs
}

func meatWhole(c byte) byte {
	if c == meatSignal {
		return '?'
	}
	return c
}

// AppendWithoutSpaces appends the text of a command to dst without the spaces that Marlin and its relatives do not need, which makes
// MeatPackNoSpaces worth its while: those of G0 to G9. Other commands may carry text, and stay as they are. Numbers and checksums come after
// this, as AppendFrame gives them.
func AppendWithoutSpaces(dst, text []byte) []byte {
	if len(text) < 3 || text[0] != 'G' || !isDigit(text[1]) || text[2] != ' ' {
		return append(dst, text...)
	}
	for _, c := range text {
		if c != ' ' {
			dst = append(dst, c)
		}
	}
	return dst
}
