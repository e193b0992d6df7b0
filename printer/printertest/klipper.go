package printertest

import (
	"bytes"
	"time"
)

// Klipper stops without falling silent: it goes on answering, with an error to whatever would move or heat, until
// FIRMWARE_RESTART.

// shutdown is its emergency stop. The commands under way are answered about a second later (observed).
func (f *firmware) shutdown(reason string) {
	f.motion.freeze(f.now)
	f.nozzle.set(f.now, 0)
	f.bed.set(f.now, 0)
	f.down = reason
	f.say("// Klipper state: Shutdown")
	f.cleaning = f.now + time.Second
	f.cur.handle = nothing // whatever is under way will only be answered
}

// refuses reports whether a shut down Klipper will not execute the command under way, and answers it.
func (f *firmware) refuses() bool {
	if f.down == "" {
		return false
	}
	c := &f.cur
	if f.HaltWord != "" {
		return f.haltRefuses()
	}
	switch {
	case c.letter == 'M' && (c.code == 105 || c.code == 110 || c.code == 112 || c.code == 115), c.letter == 0:
		return false
	}
	f.sayf("// %s%s", f.down, f.ShutdownHelp)
	f.sayf("!! %s", f.down)
	return true
}

// outOfBand looks for M112 in what arrives while a command is under way.
func (f *firmware) outOfBand(line []byte) {
	if f.ShutdownHelp == "" || f.down != "" {
		return
	}
	var c command
	c.split(bytes.TrimLeft(line, " "))
	if (c.letter == 'M' || c.letter == 'm') && c.code == 112 {
		f.shutdown(f.KillWords[0])
	}
}

// klipperRestart is RESTART and FIRMWARE_RESTART: ok, and everything anew while the port stays open.
func klipperRestart(f *firmware) bool {
	f.sayOK()
	f.say("// Klipper state: Disconnect")
	f.restart(f.Firmware.Boot)
	return true
}

func klipperStatus(f *firmware) bool {
	if f.down != "" {
		f.sayf("// %s%s", f.down, f.ShutdownHelp)
		f.sayf("!! %s", f.down)
		return true
	}
	f.say("// Klipper state: Ready")
	return true
}

func klipperPosition(f *firmware) bool {
	n, l := f.steppedAt(f.now), f.logical()
	for i, mm := range f.counted { // homing does not set its counters back
		n[i] += mm
	}
	f.sayf("// mcu: stepper_x:%.0f stepper_y:%.0f stepper_z:%.0f", n[0]*stepsPerMM[0], n[1]*stepsPerMM[1], n[2]*stepsPerMM[2])
	f.sayf("// gcode: X:%.6f Y:%.6f Z:%.6f E:%.6f", l[0], l[1], l[2], l[3])
	return true
}
