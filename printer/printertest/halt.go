package printertest

import "slices"

// Smoothieware stops without falling silent: it answers "!!", and no ok, to whatever could move or heat, until M999
// (GcodeDispatch.cpp; read, not observed).

// haltAllowed are the M codes that it goes on executing.
var haltAllowed = []int{2, 5, 9, 30, 80, 81, 105, 106, 107, 114, 119, 503, 911, 999}

func (f *firmware) halt(words []string) {
	for _, w := range words {
		f.say(w)
	}
	f.motion.freeze(f.now)
	f.nozzle.set(f.now, 0)
	f.bed.set(f.now, 0)
	f.down = f.HaltWord
	if f.active {
		f.cur.handle = nothing // whatever is under way will only be answered
	}
}

// haltRefuses answers the command under way of a halted firmware, if it will not execute it.
func (f *firmware) haltRefuses() bool {
	if f.cur.letter == 'M' && slices.Contains(haltAllowed, f.cur.code) {
		return false
	}
	f.cur.onOK, f.cur.quiet = false, true
	f.say(f.down)
	return true
}

// endHalt is M999.
func (f *firmware) endHalt() {
	if f.HaltWord != "" && f.down != "" {
		f.down = ""
		f.say("WARNING: After HALT you should HOME as position is currently unknown")
	}
}
