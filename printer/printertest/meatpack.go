package printertest

import (
	"bytes"
	"slices"
)

// unpacker is the receiving side of MeatPack, between ring and line, as Marlin and Prusa-Firmware have it (feature/meatpack.cpp,
// meatpack.cpp; read, not observed). It takes damaged bytes as they do: one that is lost or flipped can make it take a packed byte for a
// character, or a character for a packed byte, until both happen to agree again; and a half-read byte waits for its other half through a
// flush of the ring, so that the first byte after the flush is misread as well.
type unpacker struct {
	on, noSpaces bool
	eForSpace    bool // usually the same as noSpaces
	signals      int  // command bytes so far, of the two that begin a command
	command      bool
	whole        int  // characters to come as they are
	second       byte // that is to follow such a one; 0 = none
	out          [2]byte
	from, to     int // of out
}

const meatSignal = 0xff

// take reads one byte, and reports whether it ended a command, which is answered with the state.
func (u *unpacker) take(c byte) (command bool) {
	u.from, u.to = 0, 0
	switch {
	case c == meatSignal:
		if u.signals++; u.signals == 2 {
			u.signals, u.command = 0, true
		}
		return false
	case u.command:
		u.command = false
		u.obey(c)
		return true
	case u.signals == 1: // it was no command
		u.signals = 0
		u.unpack(meatSignal)
	}
	u.unpack(c)
	return false
}

func (u *unpacker) obey(c byte) {
	switch c {
	case 0xfb:
		u.on = true
	case 0xfa:
		u.on = false
	case 0xf9:
		*u = unpacker{eForSpace: u.eForSpace} // so Marlin says ESP, and still reads E; Prusa-Firmware does not
	case 0xf7:
		u.noSpaces, u.eForSpace = true, true
	case 0xf6:
		u.noSpaces, u.eForSpace = false, false
	}
}

func (u *unpacker) unpack(c byte) {
	switch {
	case !u.on:
		u.put(c)
	case u.whole > 0:
		u.whole--
		u.put(c)
		if u.second != 0 {
			u.put(u.second)
			u.second = 0
		}
	case c&15 == 15 && c>>4 == 15:
		u.whole = 2
	case c&15 == 15:
		u.whole, u.second = 1, u.half(c>>4)
	default:
		u.put(u.half(c & 15))
		switch {
		case c&15 == 12: // nothing stands behind a line end
		case c>>4 == 15:
			u.whole = 1
		default:
			u.put(u.half(c >> 4))
		}
	}
}

func (u *unpacker) half(h byte) byte {
	if h == 11 && u.eForSpace {
		return 'E'
	}
	return "0123456789. \nGX"[h]
}

func (u *unpacker) put(c byte) {
	if u.to < len(u.out) {
		u.out[u.to] = c
		u.to++
	}
}

// unpacked is the next byte for the line under way; ok is false when nothing has arrived.
func (f *firmware) unpacked() (c byte, ok bool) {
	for f.meat.from == f.meat.to {
		if f.rx.n == 0 {
			return 0, false
		}
		if f.meat.take(f.rx.pop()) {
			f.sayMeatPack()
		}
	}
	c = f.meat.out[f.meat.from]
	f.meat.from++
	return c, true
}

func (f *firmware) sayMeatPack() {
	state, spaces := "OFF", "ESP"
	if f.meat.on {
		state = "ON"
	}
	if f.meat.noSpaces {
		spaces = "NSP"
	}
	f.sayf("%s[MP] PV01 %s %s", f.MeatPackPrefix, state, spaces)
}

// drain throws away what has arrived. Marlin reads it away through the unpacker, up to the first byte that gives no character, and then
// empties the ring (queue.cpp, gcode_line_error; feature/meatpack.h, MeatpackSerial::available).
func (f *firmware) drain() {
	for f.opt.meatPack && f.rx.n > 0 {
		if f.meat.take(f.rx.pop()) {
			f.sayMeatPack()
		}
		if f.meat.to == 0 {
			break
		}
	}
	f.meat.from, f.meat.to = 0, 0
	f.rx.flush()
}

// waits reports whether another line is here already.
func (f *firmware) waits() bool { return f.queued > 1 || f.rx.ends > 0 && !f.meat.on }

// lineEnd is the index of the first byte that may end a line, -1 without one. Packed, that is any with a line end in either half.
func (f *firmware) lineEnd(b []byte) int {
	if f.meat.on {
		return slices.IndexFunc(b, func(c byte) bool { return c == '\n' || c == '\r' || c&15 == 12 || c>>4 == 12 })
	}
	end := bytes.IndexByte(b, '\n')
	if end >= 0 {
		b = b[:end]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return end
}
