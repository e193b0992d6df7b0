package printertest

import (
	"fmt"
	"strconv"
	"strings"
)

// babysteps are the ways of moving the nozzle in mid-print behind the job's back.
type babysteps uint8

const (
	babyNone    babysteps = iota
	babyMarlin            // M290, until Z is homed
	babyRepRap            // M290 S, until a restart
	babyKlipper           // SET_GCODE_OFFSET
)

// lacked answers a command that this firmware was built without.
func (f *firmware) lacked() bool {
	if f.UnknownCodes {
		return true
	}
	f.count.Unknown++
	return unknown(f)
}

// step moves the body in Z, and nothing that the firmware believes.
func (f *firmware) step(mm float64) {
	f.baby += mm
	f.reach(axisZ, f.real[axisZ]+mm)
}

// homedBaby is what homing Z does to babysteps: they are an end of it in Marlin, and come on top of it in others.
func (f *firmware) homedBaby() {
	if f.Babysteps == babyMarlin {
		f.baby = 0
	}
	f.reach(axisZ, f.real[axisZ]+f.baby)
}

// babystep is M290. Marlin takes 2 mm at most, nothing before Z is homed (babystep.cpp, add_steps), and shifts the probe's offset with it where it has
// one, unless P0 (M290.cpp, built with BABYSTEP_ZPROBE_OFFSET).
func babystep(f *firmware) bool {
	p := &f.cur.params
	mm, ok := p.float('Z')
	if !ok {
		mm, ok = p.float('S')
	}
	switch {
	case f.Babysteps == babyRepRap && !ok:
		f.sayf("Baby stepping offsets (mm): X:0.000 Y:0.000 Z:%.3f", f.baby)
	case f.Babysteps == babyRepRap:
		if p.or('R', 1) == 0 {
			mm -= f.baby
		}
		f.step(max(-1, min(1, mm)))
	case f.Babysteps != babyMarlin:
		return f.lacked()
	case ok && f.homed[axisZ]:
		mm = max(-2, min(2, mm))
		f.step(mm)
		if f.opt.leveling != "" && p.or('P', 1) != 0 {
			f.settings.now["M851Z"] += mm
			f.sayf("echo:Probe Offset Z%.2f", f.settings.now["M851Z"])
		}
	case !ok && f.opt.leveling != "":
		f.sayf("echo:Probe Offset Z%.2f", f.settings.now["M851Z"])
	}
	return true
}

// linearAdvance is M900 (M900.cpp). Prusa always answers (la10compat.cpp).
func linearAdvance(f *firmware) bool {
	if !f.Advances {
		return f.lacked()
	}
	k, ok := f.cur.params.float('K')
	switch {
	case ok && !(k >= 0 && k <= 10):
		f.say("?K value out of range (0-10).")
	case ok:
		f.settings.now["M900K"] = k
	}
	if f.cur.params.seen == 0 || f.Temps == tempsPrusa {
		f.sayf("echo:Advance K=%.2f", f.settings.now["M900K"])
	}
	return true
}

// sayAcceleration is M204 without words (M204.cpp, M204_report; in Marlin 1.1 another form). Prusa says nothing.
func (f *firmware) sayAcceleration() {
	l := &f.planner
	switch {
	case f.Temps == tempsPrusa:
	case f.Heading != "":
		f.sayf("  M204 P%.2f R%.2f T%.2f", l.printAccel, l.retractAccel, l.travelAccel)
	default:
		f.sayf("Acceleration: P%.2f R%.2f T%.2f", l.printAccel, l.retractAccel, l.travelAccel)
	}
}

// option is a word of one of Klipper's commands.
func (f *firmware) option(name string) (float64, bool) {
	for _, field := range strings.Fields(strings.ToUpper(string(f.cur.text))) {
		if text, ok := strings.CutPrefix(field, name+"="); ok {
			v, err := strconv.ParseFloat(text, 64)
			return v, err == nil
		}
	}
	return 0, false
}

// gcodeOffset is SET_GCODE_OFFSET (gcode_move.py). Without MOVE=1 the head would follow with the next move; here it does so at once.
func gcodeOffset(f *firmware) bool {
	if !f.homed[axisZ] {
		f.say("!! Must home axis first")
		return true
	}
	if z, ok := f.option("Z"); ok {
		f.step(z - f.baby)
	}
	if z, ok := f.option("Z_ADJUST"); ok {
		f.step(z)
	}
	return true
}

// pressureAdvance is SET_PRESSURE_ADVANCE, which tells what is set (extruder.py).
func pressureAdvance(f *firmware) bool {
	if k, ok := f.option("ADVANCE"); ok {
		f.settings.now["M900K"] = k
	}
	f.say(fmt.Sprintf("// pressure_advance: %.6f\n// pressure_advance_smooth_time: 0.040000", f.settings.now["M900K"]))
	return true
}
