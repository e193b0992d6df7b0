package printer

import (
	"layerd/gcode"
	"regexp"
	"strings"
	"time"
)

// What some firmware says of its motors by itself. It makes suspicious; where the head is only the switches tell (endstop.go).
//
//	Prusa     echo:enqueing "CRASH_DETECTEDX"                           TMC2130's StallGuard felt a collision; it homes by itself (cmdqueue.cpp)
//	Marlin    X driver overtemperature warning! (800mA)                 behind a time, or not (tmc_util.cpp)
//	           current decreased to 750                                 of the driver that was warned of in the line before
//	          X driver error detected: 0x20000000                       also: overtemperature, coil short circuit
//	Klipper   TMC 'stepper_x' reports error: DRV_STATUS: …              in an error or a remark (klippy/extras/tmc.py)
//	RRF       Driver 0 stalled at Z height 1.20                         where M915 asks for it; no axis is named

var saysOfDriver = []struct {
	kind string
	form *regexp.Regexp // its first group names the axis, if it has one
}{
	{WitnessCrash, regexp.MustCompile(`^echo:enqueing "CRASH_DETECTED(XY|X|Y)?"`)},
	{WitnessError, regexp.MustCompile(`(?:^|[\s:])([XYZE])\d? driver error detected: `)},
	{WitnessWarning, regexp.MustCompile(`(?:^|[\s:])([XYZE])\d? driver overtemperature warning!`)},
	{WitnessWarning, regexp.MustCompile(`^\s*current decreased to \d`)},
	{WitnessError, regexp.MustCompile(`TMC '(?:stepper_([xyz])\d?|\w+)' reports error: `)},
	{WitnessStall, regexp.MustCompile(`(?i)^(?:warning: )?driver \d+(?:\.\d+)? stall`)},
	{WitnessStall, regexp.MustCompile(`(?i)^(?:warning: )?stall detected on ([xyz])\b`)},
}

// regardWitness notices what a line says of a motor.
func (s *session) regardWitness(now time.Time, r gcode.Reply) {
	switch r.Kind {
	case gcode.OK, gcode.Temperature, gcode.Position, gcode.Busy, gcode.Capability, gcode.Endstop:
		return
	}
	text := string(r.Text)
	if !strings.Contains(text, "river ") && !strings.Contains(text, "tall") && !strings.Contains(text, "CRASH_") && !strings.Contains(text, "TMC ") && !strings.Contains(text, "current ") {
		return // none of the words below: this is in the way of every line
	}
	for _, one := range saysOfDriver {
		found := one.form.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		w := &FirmwareWitness{AtMS: now.UnixMilli(), Kind: one.kind, Said: words(text)}
		if len(found) > 1 {
			w.Axis = strings.ToLower(found[1])
		}
		if before := s.witnessed; len(found) == 1 && one.kind == WitnessWarning && before != nil && before.Kind == WitnessWarning && now.UnixMilli()-before.AtMS < 5000 {
			w.Axis = before.Axis
		}
		s.witnessed = w
		if s.job != nil {
			s.run.checks.witnessed++
		}
		return
	}
}
