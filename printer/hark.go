package printer

import (
	"layerd/gcode"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// hark is what the firmware says while a stage of a script wants to know: M119's states, M211's limits. None of it has a checksum, so what contradicts itself
// is not believed, and is asked for again.
type hark struct{ lines []string }

const maxHark = 64 // lines

// harken keeps a line for the stage that listens.
func (s *session) harken(r gcode.Reply) {
	if h := s.hark; h != nil && len(h.lines) < maxHark {
		h.lines = append(h.lines, string(r.Text))
	}
}

// endstop is what M119 says of the switch at an end of an axis (0 X, 1 Y).
func (h *hark) endstop(axis int, maximum bool) (closed, known bool) {
	for _, line := range h.lines {
		rest, _ := strings.CutPrefix(line, "ok ") // Teacup says all on the line of its ok
		r := gcode.ParseReply([]byte(rest))
		if r.Kind != gcode.Endstop {
			continue
		}
		all := r.Endstops
		if all == nil {
			all = map[string]bool{r.Name: r.On}
		}
		for name, on := range all {
			if !ofSwitch(strings.ToLower(name), "xy"[axis:axis+1], maximum) {
				continue
			}
			if known && on != closed {
				return false, false // one of them was another's
			}
			closed, known = on, true
		}
	}
	return closed, known
}

// ofSwitch reports whether a name is that of the switch: Marlin's x_min, Klipper's stepper_x and x, RepRapFirmware's X.
func ofSwitch(name, axis string, maximum bool) bool {
	switch name {
	case axis, "stepper_" + axis:
		return true
	case axis + "_min":
		return !maximum
	case axis + "_max":
		return maximum
	}
	return false
}

// refused reports whether the firmware has said something of a command that only one which does not know it says.
func (h *hark) refused(letter, number string) bool {
	for _, line := range h.lines {
		if strings.Contains(line, letter+number) || strings.Contains(line, letter+"-code "+number) {
			return true
		}
	}
	return false
}

// softLimits is what M211 says.
type softLimits struct {
	on   bool
	axis [2][2]float64 // lowest and highest X, Y, as G92 and M206 shift them
}

// Marlin 2.1 says "  M211 S1 ; ON" and "  Min:  X0.00 Y0.00 Z0.00   Max:  X220.00 …", those before and Prusa's "Soft endstops: On   Min: X0.00 …".
var (
	saysLimitsOn = regexp.MustCompile(`(?i)(?:M211 S([01]) *; *|endstops: *)(on|off)\b`)
	saysLimits   = regexp.MustCompile(`(?i)min: *X *(-?[0-9.]+) +Y *(-?[0-9.]+).*max: *X *(-?[0-9.]+) +Y *(-?[0-9.]+)`)
)

// limits reads M211's answer.
func (h *hark) limits() (l softLimits, ok bool) {
	said, told := 0, 0
	for _, line := range h.lines {
		if found := saysLimitsOn.FindStringSubmatch(line); found != nil {
			l.on = strings.EqualFold(found[2], "on")
			if found[1] != "" && (found[1] == "1") != l.on {
				return l, false
			}
			said++
		}
		if found := saysLimits.FindStringSubmatch(line); found != nil {
			for i := range 4 {
				v, err := strconv.ParseFloat(found[1+i], 64)
				if err != nil || math.Abs(v) > 1e4 {
					return l, false
				}
				l.axis[i%2][i/2] = v
			}
			told++
		}
	}
	return l, said == 1 && told == 1
}

// Marlin says "echo:Bed Leveling On" and "echo:Fade Height 10.00", or Off.
var (
	saysLevelled = regexp.MustCompile(`(?i)bed leveling:? *(on|off)\b`)
	saysFade     = regexp.MustCompile(`(?i)fade height:? *([0-9.]+|off)\b`)
)

// levelling reads M420's answer: whether it is on, and the word that sets the height at which it ends as it is, "" when that is not said.
func (h *hark) levelling() (on bool, fade string, ok bool) {
	for _, line := range h.lines {
		if found := saysLevelled.FindStringSubmatch(line); found != nil {
			on, ok = strings.EqualFold(found[1], "on"), true
		}
		if found := saysFade.FindStringSubmatch(line); found != nil {
			v, _ := strconv.ParseFloat(found[1], 64)
			fade = word(" Z", v)
		}
	}
	return on, fade, ok
}
