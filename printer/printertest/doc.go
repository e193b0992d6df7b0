// Package printertest is a pretend printer with a body: firmware that talks as real firmware was observed to talk, a
// planner, heaters with thermal mass, endstops, and a head whose true place may differ from what the firmware believes.
//
// The way of a byte:
//
//	host ─▶ Port.Write ─▶ lane (tty buffer, USB latency, line rate) ─▶ noise ─▶ receive ring (─▶ MeatPack)
//	     ─▶ line ─▶ command queue ─▶ execute ─▶ planner ─▶ body
//	host ◀─ Port.Read ◀─ lane (line rate, USB latency) ◀─ noise ◀─ replies
//
// Everything below Port is a plain struct without goroutine or clock: it is told what time it is and what arrived, and it
// says when it wants to be called again. Sim feeds it, either from Run (in process, also in a testing/synctest bubble)
// or from Step (cmd/printsim, which has a pseudo-terminal and its own idea of waiting).
//
// The body is more honest than the firmware. Its switches have their own idea of where they close, its motors lose steps that nobody counts,
// and what was printed stands in the way. Body.State is all that a script in mid-print must leave as it was.
//
// Sources of firmware facts are the observations that docs/FIRMWARE.md lists; where something was not observed the
// comment says so.
//
// # What a checksum can promise
//
// Firmware verifies lines with the XOR of their bytes. It cannot see two errors that hit the same bit column, so at most
// one byte of each line on its way to the printer is flipped or dropped; a corrupted line end counts for both lines that
// it joins. Replies carry no checksum at all: any number of their bytes may be hit.
//
// Two hazards remain that no firmware protects from, and that the pretend printer has as well. A number that is corrupted into one of
// the last two is dropped without a word. And a flush of the receive ring can end in the middle of a line, when several are in flight:
// what is left of a line without its number is executed, its checksum unverified, if it happens to begin with the command word. A
// small Config.TxBuffer makes that likely, as it is on 8-bit boards, which cannot read while they write; Faults.FlushDelay moves the moment.
//
// Others protect from less. Repetier, Smoothieware and RepRapFirmware take a line that has lost its '*' as one without checksum, its digits
// joined to the last number; RepRapFirmware and Teacup take lines in any order, so that a lost one is never asked for; RepRapFirmware 3 drops
// a damaged line without a word.
package printertest
