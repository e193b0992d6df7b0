package printertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settings are what a board keeps when it is switched off (M500), by command and letter: "M92X". The planner's limits are copied in and out.
type settings struct {
	now, stored map[string]float64
	mesh, kept  [][]float64 // front row first; nil = none was measured
}

var factorySettings = map[string]float64{
	"M92X": 80, "M92Y": 80, "M92Z": 400, "M92E": 500, "M301P": 22.2, "M301I": 1.08, "M301D": 114, "M851X": -40, "M851Y": -10, "M851Z": -1.25, "M900K": 0,
}

// limits are the places of the planner's limits.
func (f *firmware) limits() map[string]*float64 {
	l := &f.planner
	all := map[string]*float64{"M204P": &l.printAccel, "M204R": &l.retractAccel, "M204T": &l.travelAccel}
	for i, letter := range "XYZE" {
		all["M203"+string(letter)], all["M201"+string(letter)] = &l.maxSpeed[i], &l.maxAccel[i]
	}
	return all
}

func (s *settings) init() { s.now, s.stored = maps.Clone(factorySettings), maps.Clone(factorySettings) }

// noteSettings takes over what commands have set in the planner.
func (f *firmware) noteSettings() {
	for key, v := range f.limits() {
		f.settings.now[key] = *v
	}
}

// recall is a restart, or M501: what is stored counts. What was never stored is as the planner has it.
func (f *firmware) recall() {
	f.settings.now, f.settings.mesh = maps.Clone(f.settings.stored), f.settings.kept
	for key, v := range f.limits() {
		if stored, ok := f.settings.stored[key]; ok {
			*v = stored
		}
	}
}

// setNamed is a command that sets numbers which nothing here depends on.
func setNamed(f *firmware) bool {
	for letter := byte('A'); letter <= 'Z'; letter++ {
		if v, ok := f.cur.params.float(letter); ok {
			f.settings.now[fmt.Sprintf("M%d%c", f.cur.code, letter)] = v
		}
	}
	return true
}

// probeOffset is M851 (M851.cpp; Z_PROBE_OFFSET_RANGE is 20 mm).
func probeOffset(f *firmware) bool {
	if f.opt.leveling == "" {
		return f.lacked()
	}
	now := f.settings.now
	if f.cur.params.seen == 0 {
		f.sayf("  M851 X%.2f Y%.2f Z%.2f ; (mm)", now["M851X"], now["M851Y"], now["M851Z"])
		return true
	}
	if z, ok := f.cur.params.float('Z'); ok && !(z >= -20 && z <= 20) {
		f.say("?Z out of range (-20 to 20)")
		return true
	}
	return setNamed(f)
}

func storeSettings(f *firmware) bool {
	f.noteSettings()
	f.settings.stored, f.settings.kept = maps.Clone(f.settings.now), f.settings.mesh
	f.say("echo:Settings Stored (606 bytes; crc 16941)")
	return true
}

func recallSettings(f *firmware) bool {
	f.recall()
	f.say("echo:V90 stored settings retrieved (606 bytes; crc 16941)")
	return true
}

func defaultSettings(f *firmware) bool {
	f.settings.now, f.settings.mesh = maps.Clone(factorySettings), nil
	fresh := newPlanner(0, 1, nil)
	l := &f.planner
	l.maxSpeed, l.maxAccel, l.printAccel, l.travelAccel, l.retractAccel = fresh.maxSpeed, fresh.maxAccel, fresh.printAccel, fresh.travelAccel, fresh.retractAccel
	f.say("echo:Hardcoded Default Settings Loaded")
	return true
}

// line is a setting as M503 says it: the words before it, the command, its letters.
type settingLine struct{ words, command, letters string }

// saySettings is M503: Marlin 2 as observed, with "; " before words; Marlin 1 and Prusa without (ConfigurationStore.cpp, Config_PrintSettings).
func saySettings(f *firmware) bool {
	f.noteSettings()
	lines := []settingLine{{"Steps per unit:", "M92", "XYZE"}, {"Max feedrates (units/s):", "M203", "XYZE"}, {"Max Acceleration (units/s2):", "M201", "XYZE"},
		{"Acceleration (units/s2) (P<print-accel> R<retract-accel> T<travel-accel>):", "M204", "PRT"}, {"Hotend PID:", "M301", "PID"}}
	if f.opt.leveling != "" {
		lines = append(lines, settingLine{"Z-Probe Offset:", "M851", "XYZ"})
	}
	if f.Advances {
		lines = append(lines, settingLine{"Linear Advance:", "M900", "K"})
	}
	if f.Heading != "" {
		for _, text := range []string{"; Linear Units:", "  G21 ; (mm)", "; Temperature Units:", "  M149 C ; Units in Celsius"} {
			f.sayf("echo:%s", text)
		}
	}
	for _, l := range lines {
		f.sayf("echo:%s%s", f.Heading, l.words)
		f.sayf("echo:  %s%s", l.command, f.lettered(l))
		if l.command == "M203" && f.Temps == tempsPrusa { // what its other mode has, which no command sets alone
			f.say("echo:Maximum feedrates - stealth (mm/s):")
			f.say("echo:  M203 X100.00 Y100.00 Z12.00 E120.00")
		}
	}
	if slices.Contains([]string{"bilinear", "ubl"}, f.opt.leveling) {
		f.sayf("echo:%sAuto Bed Leveling:", f.Heading)
		on, word := 0, "OFF"
		if f.leveled {
			on, word = 1, "ON"
		}
		f.sayf("echo:  M420 S%d Z%.2f ; Leveling %s", on, f.fade, word)
		for y, row := range f.settings.mesh {
			for x, z := range row {
				f.sayf("echo:  G29 W I%d J%d Z%.5f", x, y, z)
			}
		}
	}
	return true
}

func (f *firmware) lettered(l settingLine) string {
	var text strings.Builder
	for _, letter := range l.letters {
		fmt.Fprintf(&text, " %c%.2f", letter, f.settings.now[l.command+string(letter)])
	}
	return text.String()
}
