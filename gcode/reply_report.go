package gcode

import (
	"bytes"
	"strings"
)

// readPosition knows the answer to M114 and M154's reports.
func (r *Reply) readPosition(s []byte) bool {
	if hasPrefix(s, "C:") { // Smoothie
		s = bytes.TrimLeft(s[len("C:"):], " ")
	}
	p, ok := readCoordinates(s)
	if !ok {
		return false
	}
	r.Kind, r.Position = Position, new(p)
	return true
}

// maxCoordinate is farther than any machine reaches, in mm, either way. E counts up to whole spools in one print.
const maxCoordinate = 1e7

// readCoordinates reads "X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80 …": up to Count, with spaces, commas (Teacup) or nothing between. X, Y and Z
// must all be there; RepRapFirmware may leave E out. Other axes are passed over.
func readCoordinates(s []byte) (p Coordinates, ok bool) {
	var seen [4]bool
	if !hasPrefix(s, "X:") {
		return p, false
	}
	for len(s) > 0 {
		s = bytes.TrimLeft(s, " ,")
		n := sensorName(s)
		if n == 0 || n == len(s) || s[n] != ':' {
			break
		}
		name := s[:n]
		s = bytes.TrimLeft(s[n+1:], " ")
		v, digits, finite := parseNumber(s)
		if !finite || v < -maxCoordinate || v > maxCoordinate {
			return p, false
		}
		s = s[digits:]
		if len(s) > 1 && isLetter(s[0]) && !(s[1] == ':') { // an exponent, or a number that was torn
			return p, false
		}
		axis := strings.IndexByte("XYZE", name[0])
		if len(name) != 1 || axis < 0 || seen[axis] {
			continue
		}
		seen[axis] = true
		*[...]*float64{&p.X, &p.Y, &p.Z, &p.E}[axis] = v
	}
	return p, seen[0] && seen[1] && seen[2]
}

// readCapability knows "Cap:AUTOREPORT_TEMP:1", one line each after M115's first.
func (r *Reply) readCapability(line []byte) bool {
	if !hasPrefix(line, "Cap:") {
		return false
	}
	name, value, ok := strings.Cut(string(line[len("Cap:"):]), ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || value != "0" && value != "1" {
		return false
	}
	r.Kind, r.Name, r.On = Capability, name, value == "1"
	return true
}

const maxFields = 64

// readFirmware knows M115's answer, on a line of its own or (Klipper) behind the ok. Malyan's boards say "NAME: Malyan VER: 2.9"
// or "NAME. Malyan VER: 2.9". It sets Firmware and Fields but not Kind.
func (r *Reply) readFirmware(line []byte) bool {
	s := ""
	switch {
	case hasPrefix(line, "FIRMWARE_NAME:"), hasPrefix(line, "NAME: Malyan"):
		s = string(line)
	case hasPrefix(line, "NAME. Malyan"):
		s = "NAME:" + string(line[len("NAME."):])
	default:
		return false
	}
	r.Fields = make(map[string]string)
	key, value := "", 0
	for i := 0; i <= len(s); i++ {
		n := 0
		if i < len(s) && (i == 0 || s[i-1] == ' ') {
			n = fieldKey(s[i:])
		}
		if n == 0 && i < len(s) {
			continue
		}
		if key != "" && len(r.Fields) < maxFields {
			if _, twice := r.Fields[key]; !twice {
				r.Fields[key] = strings.TrimRight(strings.TrimSpace(s[value:i]), ",") // Smoothie puts commas between
			}
		}
		if n > 0 {
			key, value = s[i:i+n], i+n+1
		}
	}
	r.Firmware = r.Fields["FIRMWARE_NAME"]
	if r.Firmware == "" {
		r.Firmware = r.Fields["NAME"]
	}
	return true
}

// fieldKey returns the length of a key (as in "PROTOCOL_VERSION:") at the start of s, without its colon; 0 for none.
func fieldKey(s string) int {
	n := 0
	for n < len(s) && (s[n] >= 'A' && s[n] <= 'Z' || n > 0 && (s[n] == '_' || s[n] == '-' || isDigit(s[n]))) {
		n++
	}
	if n == len(s) || s[n] != ':' {
		return 0
	}
	return n
}

const maxEndstops = 32

// readEndstops knows M119's answers:
//
//	x_min: TRIGGERED                                          Marlin, one line each
//	stepper_x:TRIGGERED stepper_y:open stepper_z:open         Klipper
//	endstops hit: x_min:L y_min:H z_max:L                     Repetier
//	X_min:0 Y_min:1 Z_min:0 Probe: 0                          Smoothie
//	Endstops - X: at min stop, Y: not stopped, Z: not stopped RepRapFirmware
func (r *Reply) readEndstops(line []byte) bool {
	s, found := string(line), make(map[string]bool)
	if rest, ok := strings.CutPrefix(s, "Endstops - "); ok {
		for part := range strings.SplitSeq(rest, ",") {
			name, state, ok := strings.Cut(part, ":")
			name, state = strings.TrimSpace(name), strings.TrimSpace(state)
			if ok && name != "" && len(found) < maxEndstops {
				found[name] = strings.HasPrefix(state, "at ")
			}
		}
	} else {
		rest, repetier := strings.CutPrefix(s, "endstops hit:")
		smoothie := strings.HasPrefix(s, "X_min:")
		for rest = strings.TrimSpace(rest); rest != ""; {
			name, after, _ := strings.Cut(rest, ":")
			state, more, _ := strings.Cut(strings.TrimLeft(after, " "), " ")
			on, ok := endstopState(state, repetier, smoothie)
			if !ok || name == "" || len(name) > maxSensor || strings.Contains(name, " ") || len(found) == maxEndstops {
				if smoothie { // it says something of its pins behind the states
					break
				}
				return false
			}
			found[name] = on
			rest = strings.TrimLeft(more, " ")
		}
	}
	switch len(found) {
	case 0:
		return false
	case 1:
		for r.Name, r.On = range found {
		}
	}
	if len(found) > 1 {
		r.Endstops = found
	}
	r.Kind = Endstop
	return true
}

func endstopState(word string, repetier, smoothie bool) (on, ok bool) {
	switch {
	case strings.EqualFold(word, "TRIGGERED"):
		return true, true
	case strings.EqualFold(word, "open"):
		return false, true
	case repetier && (word == "H" || word == "L"):
		return word == "H", true
	case smoothie && (word == "1" || word == "0"):
		return word == "1", true
	}
	return false, false
}
