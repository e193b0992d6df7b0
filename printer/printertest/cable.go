package printertest

// The cable. When it is pulled the device vanishes from the host, and a new one comes when it is plugged in again: whoever had the old one
// open has nothing. The board may have power of its own, and then goes on with what it has: queue, line number, heaters. What it says
// meanwhile is lost. If the power comes through the cable, or from the same socket, it starts anew.

// lineFault handles the faults that happen to the line and not to the firmware.
func (b *board) lineFault(t Trigger) {
	switch t.Kind {
	case Garble:
		b.garbled = true
	case Unplug:
		b.pull(t)
	case PowerLoss:
		b.pull(t)
		b.fw.powerOff(t.For)
	}
}

// pull takes the cable out. What is on its way to the host is lost, and what is on its way to the board from some byte on, wherever in a line
// that is.
func (b *board) pull(t Trigger) {
	b.unplugged, b.plugAt = true, never
	if t.For > 0 {
		b.plugAt = b.fw.now + t.For
	}
	b.unplugs++
	b.lastBytes = b.cut.IntN(b.inHand + b.in.pending() + 1)
	b.back.drop()
	b.open = 0 // nobody has the new device open, if one comes
}

// plugIn ends it.
func (b *board) plugIn() {
	b.unplugged, b.plugAt = false, never
	b.in.drop()
}

// through reports whether one more byte gets to the board.
func (b *board) through() bool {
	if !b.unplugged {
		return true
	}
	b.lastBytes--
	return b.lastBytes >= 0
}
