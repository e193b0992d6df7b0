package gcode

import (
	"bytes"
	"strings"
)

// isOK reports whether s is an acknowledgement: "ok", alone or before anything that is not the rest of a word.
func isOK(s []byte) bool {
	if !hasPrefix(s, "ok") {
		return false
	}
	if len(s) == len("ok") {
		return true
	}
	c := s[len("ok")]
	return !(c >= 'a' && c <= 'z' || c == '_')
}

// readOK reads what stands behind "ok". First come Marlin's ADVANCED_OK words (queue.cpp, ok_to_send: N only for a numbered
// line, P free planner places, B free queue places) or Repetier's bare line number; then there may be a report.
func (r *Reply) readOK(s []byte) {
	for {
		s = bytes.TrimLeft(s, " ")
		letter := byte(0)
		digits := s
		if len(s) > 0 && (s[0] == 'N' || s[0] == 'P' || s[0] == 'B') {
			letter, digits = s[0], s[1:]
			if len(digits) > 0 && digits[0] == ':' { // Anycubic says "ok N:12"
				digits = digits[1:]
			}
		}
		v, n := parseInt(digits)
		if n == 0 || n < len(digits) && digits[n] != ' ' {
			break
		}
		switch {
		case (letter == 'N' || letter == 0) && v >= -maxLineNumber && v <= maxLineNumber:
			r.Line, r.HasLine = v, true
		case letter == 'P' && v >= 0 && v <= maxPlaces:
			r.Planner = int(v)
		case letter == 'B' && v >= 0 && v <= maxPlaces:
			r.Queue = int(v)
		}
		s = digits[n:]
	}
	if len(s) == 0 {
		return
	}
	if r.readFirmware(s) {
		return
	}
	// Smoothie answers M114 on the ok line, with the coordinate system's name in front: "ok C: X:1.0 Y:2.0 Z:3.0 E:0".
	if i := bytes.Index(s, []byte("X:")); i == 0 || i > 0 && s[i-1] == ' ' {
		if p, ok := readCoordinates(s[i:]); ok {
			r.Position = new(p)
			return
		}
	}
	r.Temps, r.Waiting = readTemps(s)
}

// maxPlaces is more than any firmware has places in its planner or queue.
const maxPlaces = 1 << 15

// readTemperature knows a report that comes without an ok: M155, M109 and M190, and Repetier's word about a new target.
func (r *Reply) readTemperature(s []byte) bool {
	if !beginsWithReading(s) {
		return false
	}
	temps, waiting := readTemps(s)
	for _, t := range temps {
		// A line that has neither a tool nor a bed is about something else ("FR:50%", "E0:1200 RPM").
		if t.Sensor == "B" || t.Sensor[0] == 'T' && (len(t.Sensor) == 1 || isDigit(t.Sensor[1])) {
			r.Kind, r.Temps, r.Waiting = Temperature, temps, waiting
			return true
		}
	}
	return false
}

// beginsWithReading reports whether s starts as "NAME:12.3" does.
func beginsWithReading(s []byte) bool {
	n := sensorName(s)
	if n == 0 || n >= len(s) || s[n] != ':' {
		return false
	}
	_, digits, _ := parseNumber(bytes.TrimLeft(s[n+1:], " "))
	return digits > 0
}

const (
	maxTemps  = 16
	maxSensor = 24
	// No sensor of a printer reads beyond this, in °C either way: what does is noise or a broken wire.
	maxPlausibleC = 2000
)

// readTemps takes all readings out of a report. Forms seen:
//
//	T:58.33 /80.00 B:21.25 /0.00 @:14 B@:0 W:?        Marlin
//	B:21.9 /0.0 T0:60.9 /80.0                         Klipper
//	T:170.19/170.00 B:85.19/85.00 X:36.30/36.00 …     Prusa (X is the heat break)
//	T:200.0 E:0 B:60.0                                Prusa, older Marlin while waiting (E is the tool's number)
//	T:21 /0.0 @0 B:20.9 /0.0 @0                       Smoothie
//	TargetExtr0:200   TargetBed:60                    Repetier
//
// A reading that is no plausible number ("nan", "inf") is left out.
func readTemps(s []byte) (temps []Temp, waiting bool) {
	for i := 0; i < len(s) && len(temps) < maxTemps; {
		n := sensorName(s[i:])
		if n == 0 {
			i++
			continue
		}
		name := s[i : i+n]
		i += n
		if i == len(s) || s[i] != ':' {
			i += untilSpace(s[i:])
			continue
		}
		i++
		if string(name) == "W" { // seconds left in M109's or M190's wait, or "?"
			waiting = true
			i += untilSpace(s[i:])
			continue
		}
		for i < len(s) && s[i] == ' ' {
			i++
		}
		v, digits, ok := parseNumber(s[i:])
		if digits == 0 {
			continue // "C: X:0.00": a heading, and what follows is a name again
		}
		i += digits
		if i < len(s) && (isLetter(s[i]) || s[i] == '.') {
			i += untilSpace(s[i:])
			continue
		}
		t := Temp{ActualC: v}
		if target, n := readTarget(s[i:]); n > 0 {
			i += n
			if target >= -maxPlausibleC && target <= maxPlausibleC {
				t.TargetC, t.HasTarget = target, true
			}
		}
		if !ok || v < -maxPlausibleC || v > maxPlausibleC || string(name) == "E" || bytes.IndexByte(name, '@') >= 0 {
			continue // "@:14" and "B@:0" are heater powers
		}
		if temps == nil {
			temps = make([]Temp, 0, 3)
		}
		t.Sensor = sensor(name)
		temps = append(temps, repetierTarget(t))
	}
	return temps, waiting
}

// readTarget reads " /80.00" and returns how many bytes that is, 0 when it is not there.
func readTarget(s []byte) (targetC float64, n int) {
	i := 0
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i == len(s) || s[i] != '/' {
		return 0, 0
	}
	i++
	for i < len(s) && s[i] == ' ' {
		i++
	}
	v, digits, ok := parseNumber(s[i:])
	i += digits
	if !ok || i < len(s) && (isLetter(s[i]) || s[i] == '.') {
		return 0, 0
	}
	return v, i
}

// repetierTarget turns Repetier's answer to M104 and M140 into a target without a reading.
func repetierTarget(t Temp) Temp {
	name := ""
	if tool, ok := strings.CutPrefix(t.Sensor, "TargetExtr"); ok && tool != "" && isDigit(tool[0]) {
		name = "T" + tool
	}
	if t.Sensor == "TargetBed" {
		name = "B"
	}
	if name == "" {
		return t
	}
	return Temp{Sensor: name, TargetC: t.ActualC, HasTarget: true, TargetOnly: true}
}

// sensorName returns the length of the name at the start of s: letters, digits, '_', '-' and '@', no digit first.
func sensorName(s []byte) int {
	n := 0
	for n < len(s) && n <= maxSensor {
		c := s[n]
		if !isLetter(c) && c != '_' && c != '@' && !(n > 0 && (isDigit(c) || c == '-')) {
			break
		}
		n++
	}
	if n > maxSensor {
		return 0
	}
	return n
}

// sensor returns name as a string, which for the usual ones is made already.
func sensor(name []byte) string {
	switch string(name) {
	case "T":
		return "T"
	case "B":
		return "B"
	case "T0":
		return "T0"
	case "T1":
		return "T1"
	case "C":
		return "C"
	}
	return string(name)
}

func untilSpace(s []byte) int {
	if i := bytes.IndexByte(s, ' '); i >= 0 {
		return i
	}
	return len(s)
}
