package printertest

import (
	"bytes"
	"strconv"
	"strings"
)

// What firmware looks at before it takes a line: a number, a checksum, and whether it is a command at all. What is not right is said, and
// asked for again, in the words and in the order of the firmware's own; or not at all.

// acceptLine checks number and checksum of a received line and queues it. Both are checked now, while M110 takes effect
// only when it is executed; the number of a numbered M110 counts in both places (queue.cpp, get_serial_commands).
func (f *firmware) acceptLine(line []byte) {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i] // strings end at a NUL
	}
	line = bytes.TrimLeft(line, " ")
	if f.Checks && !f.checkLine(line) {
		return
	}
	if f.early(line) {
		return
	}
	if f.active {
		f.outOfBand(line)
	}
	if i := bytes.Index(line, numberReset); f.OKEarly && i >= 0 && line[0] != 'N' {
		if j := bytes.IndexByte(line[i:], 'N'); j >= 0 {
			f.accepted(integer(line[i+j+1:]))
		}
	}
	i := f.oldest + f.queued
	if i >= len(f.queue) {
		i -= len(f.queue)
	}
	f.queue[i], f.fromCard[i] = append(f.queue[i][:0], line...), false
	f.queued++
	f.idleAt = never
	if f.OKEarly || f.OKEarlyMoves && earlyMove(line) {
		f.okEarly(line)
	}
}

// earlyMove knows G0 and G1, which are answered before the others where OKEarlyMoves says so.
func earlyMove(line []byte) bool {
	var c command
	c.split(line)
	return c.letter == 'G' && c.code <= 1
}

// okEarly answers a line as soon as it is in the queue. Repetier answers M110 by a bare ok, and gives a line without number that of the last
// one (gcode.cpp, checkAndPushCommand).
func (f *firmware) okEarly(line []byte) {
	if !f.OKNumber || bytes.Contains(line, numberReset) {
		f.answer(nil)
		return
	}
	f.answer(strconv.AppendInt([]byte{' '}, f.lastN, 10))
}

var numberReset = []byte("M110")

// checkLine reports whether a line is to be taken. If not, the host has been told so, or not, as firmware does.
func (f *firmware) checkLine(line []byte) bool {
	numbered, n, reset := len(line) > 0 && line[0] == 'N', int64(0), false
	if numbered {
		n, reset = lineNumber(line)
	}
	words, wrong := f.wrongSum(line, numbered)
	if wrong && (f.SumFirst || !numbered) {
		return f.badLine(words, n)
	}
	if f.WordError != "" && !f.commandIn(line) {
		return f.badLine(f.WordError, n)
	}
	if !numbered {
		return true
	}
	if n != f.lastN+1 && !reset && !f.Unordered {
		switch {
		case f.Duplicates == dropLastTwo && (n == f.lastN || n == f.lastN-1):
			f.count.Duplicates++
		case f.skipLeft > 0:
			f.skipLeft--
			f.count.Duplicates++
			f.sayf("skip %d", n)
			f.okNow(nil)
		default:
			f.lineError(f.NumberError, n)
		}
		return false
	}
	if wrong {
		return f.badLine(words, n)
	}
	f.accepted(n)
	return true
}

// lineNumber reads the number of a line that has one; that of an M110 is the one that it sets.
func lineNumber(line []byte) (n int64, reset bool) {
	at := line[1:]
	if reset = bytes.Contains(line, numberReset); reset {
		if i := bytes.IndexByte(line[min(4, len(line)):], 'N'); i >= 0 {
			at = line[min(4, len(line))+i+1:]
		}
	}
	return integer(at), reset
}

// wrongSum reports whether the checksum of a line is not as it has to be, and what the firmware says to that. A numbered line that has lost
// its '*' is an error to Marlin and its relatives. Others take it: Repetier, if FEATURE_CHECKSUM_FORCED is not set, RepRapFirmware, if M575
// did not ask for checksums, Smoothieware and Teacup always.
func (f *firmware) wrongSum(line []byte, numbered bool) (words string, wrong bool) {
	star := bytes.LastIndexByte(line, '*')
	switch {
	case star < 0 && f.SumForced:
		return f.MissingError, f.sumSeen && !bytes.Contains(line, numberReset)
	case star < 0:
		return f.MissingError, numbered && f.MissingError != ""
	case !numbered && f.StarError != "":
		return f.StarError, true
	case !numbered && !f.StarChecked:
		return "", false
	}
	f.sumSeen = true
	var sum byte
	for _, c := range line[:star] {
		sum ^= c
	}
	if integer(line[star+1:]) == int64(sum) {
		return "", false
	}
	return strings.ReplaceAll(f.ChecksumError, "{sum}", strconv.Itoa(int(sum))), true
}

// commandIn reports whether Repetier takes a line for a command: it looks for a G, M or T anywhere. Of three that have none the third is
// taken all the same, and does nothing.
func (f *firmware) commandIn(line []byte) bool {
	if f.wordErrors++; bytes.ContainsAny(line, "GMT") || f.wordErrors == 3 {
		f.wordErrors = 0
	}
	return f.wordErrors == 0
}

// accepted notes the number of a good line.
func (f *firmware) accepted(n int64) { f.lastN, f.skipLeft, f.resendAt = n, 0, never }

// badLine refuses a line. It is false, as the answer to whether it is to be taken.
func (f *firmware) badLine(words string, n int64) bool {
	switch {
	case f.DropsBad:
		f.count.Dropped++
		return false
	case f.StarAlone && words == f.StarError:
		f.count.Dropped++
		f.say(strings.ReplaceAll(words, "{last}", strconv.FormatInt(f.lastN, 10)))
		return false
	}
	f.lineError(words, n)
	return false
}

// lineError says what is wrong with a line, empties the receive ring, lines in flight included, and asks for the line after the last
// good one. The ring is emptied when the error has been said: what arrives meanwhile is lost as well, up to the middle of a line
// (queue.cpp, gcode_line_error). What arrives after that is read as a line, wherever in a line it begins: mostly that is an unknown command,
// which is answered by an ok of its own; but when the flush ended exactly behind a number the rest is a good command, and Marlin looks at no
// checksum where there is no number.
func (f *firmware) lineError(words string, n int64) {
	f.wanted = f.lastN + 1
	if words != "" {
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		f.say(strings.NewReplacer("{last}", number(f.lastN), "{got}", number(n), "{want}", number(f.wanted)).Replace(words))
	}
	if f.ResendGot {
		f.wanted = n
	}
	if f.ResendByte {
		f.wanted &= 0xff
	}
	if d := f.dice.flushDelay(); d > 0 && !f.KeepsRing {
		f.busy(f.now + d)
	}
	if f.flushDue = true; f.free() {
		f.endLineError()
	}
}

// endLineError is its second half.
func (f *firmware) endLineError() {
	f.flushDue = false
	if !f.KeepsRing {
		f.drain()
	}
	f.line, f.lineState = f.line[:0], lineNormal
	f.askResend()
	if f.dice.dupResend() {
		f.askResend()
	}
}

// askResend asks for f.wanted. The ok behind it answers no line; in Marlin 2.1 it never carries N, P or B (observed).
func (f *firmware) askResend() {
	f.count.Resends++
	f.skipLeft = f.SkipWindow
	if f.ResendAgain > 0 {
		f.resendAt = f.now + f.ResendAgain
	}
	f.sayf(f.ResendForm, f.wanted)
	switch {
	case f.ResendAlone:
	case f.ResendAdvanced && f.opt.advancedOK:
		f.okNow(f.appendRoom(f.appendNumber(nil, nil)))
	default:
		f.okNow(nil)
	}
}
