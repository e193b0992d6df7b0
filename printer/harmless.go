package printer

import (
	"fmt"
	"layerd/gcode"
	"math"
	"strconv"
	"strings"
)

// What may be typed while a print is under way: what is known to do it no harm. All else is refused, and where we know what it would break, with that.

// harmless lists the commands that may go between the job's lines as they are.
var harmless = setOf(
	"M104 M140 M141", // targets
	"M106 M107",      // fans
	"M220 M221 M290", // speed, flow, babystep
	"M201 M203 M204 M205 M566 M572 M593 M900",             // acceleration, jerk, pressure advance, shaping
	"M20 M27 M31 M105 M114 M115 M119 M122 M123 M155 M503", // questions
	"M73 M117 M150 M300 M355",                             // words, sounds and lights
	"M108 M876",                                           // answers
	"M500",                                                // keeps the settings that there are
	"SET_PRESSURE_ADVANCE SET_VELOCITY_LIMIT SET_GCODE_OFFSET SET_HEATER_TEMPERATURE SET_FAN_SPEED SET_LED SET_DISPLAY_TEXT", // Klipper's words for these
	"GET_POSITION QUERY_ENDSTOPS STATUS HELP BED_MESH_OUTPUT")

// asks lists commands that only tell something when they have no parameters besides these.
var asks = map[string]string{"M92": "", "M301": "", "M304": "", "M420": "VT", "M851": "", "M206": "", "M412": "", "M808": ""}

// breaks lists what else would happen to the job.
var breaks = reasons(map[string]string{
	"the head's place":                  "G0 G1 G2 G3 G5 G12 G27 G28 G29 G30 G33 G34 G35 G38 G61 G76 G80 M48 M701 M702",
	"the units":                         "G20 G21",
	"the job's modes":                   "G90 G91 M82 M83",
	"the job's coordinates":             "G53 G54 G55 G56 G57 G58 G59 G92 M206 M428",
	"the bed's levelling":               "M420 M421 M851 M211",
	"the steps of the motors":           "M92 M350 M906",
	"the motors":                        "M17 M18 M84 M85",
	"the extruder's protection":         "M302",
	"the temperatures":                  "M303 M301 M304",
	"the moves under way":               "M410",
	"the settings":                      "M501 M502 M504",
	"the firmware":                      "M997",
	"the line count":                    "M999",
	"what is printed":                   "M21 M22 M23 M24 M26 M28 M29 M30 M32 M524 M928",
	"whether the printer has any power": "M80 M81",
})

// instead says what to use in the place of some.
var instead = reasons(map[string]string{
	"it would hold the print up until that is reached: set the target with M104, M140 or M141": "M109 M190 M191",
	"use Pause, which parks the head": "M0 M1 M25 M226 M600 M601",
})

// undone lists which of these resume brings back, so that they do no harm during a pause.
var undone = setOf("G0 G1 G2 G3 G90 G91 M82 M83")

func setOf(lists ...string) map[string]bool {
	out := map[string]bool{}
	for _, list := range lists {
		for _, name := range strings.Fields(list) {
			out[name] = true
		}
	}
	return out
}

// reasons turns reason → commands into command → reason.
func reasons(of map[string]string) map[string]string {
	out := map[string]string{}
	for why, list := range of {
		for _, name := range strings.Fields(list) {
			out[name] = why
		}
	}
	return out
}

// harm says why a line must not be sent while a job is under way; "" is no reason.
func (s *session) harm(c gcode.Command) string {
	const unknown = "it is not known to do a print no harm; temperatures, fans, speed, flow, babysteps and questions are"
	return s.knownHarm(c, unknown)
}

// knownHarm is the same where what nobody knows gets another answer.
func (s *session) knownHarm(c gcode.Command, unknown string) string {
	name := fmt.Sprintf("%c%d", c.Letter, c.Number)
	if c.Letter == 0 {
		name, _, _ = strings.Cut(strings.ToUpper(string(c.Args)), " ")
	}
	if why := tooMuch(c, name); why != "" {
		return why
	}
	if harmless[name] || s.state == Paused && undone[name] && !s.occupied() {
		return ""
	}
	if letters, ok := asks[name]; ok && onlyHas(c, letters) {
		return ""
	}
	if why, ok := instead[name]; ok {
		return why
	}
	what, known := breaks[name]
	if c.Letter == 'T' {
		what, known = "the tool", true
	}
	if known {
		return "during a print it would change " + what
	}
	return unknown
}

// tooMuch says why numbers make harm of what is harmless; "" is no reason.
func tooMuch(c gcode.Command, name string) string {
	beyond := func(letters string, low, high float64) string {
		for i := range len(letters) {
			if v, ok := c.Float(letters[i]); ok && !(v >= low && v <= high) {
				return fmt.Sprintf("during a print %c of %s may be %g to %g", letters[i], name, low, high)
			}
		}
		return ""
	}
	switch name {
	case "M220", "M221":
		return beyond("S", 10, 300)
	case "M290":
		return beyond("XYZS", -maxBabystepMM, maxBabystepMM)
	case "M300":
		return beyond("P", 0, maxDwellS*1000)
	case "M201", "M203", "M204": // 0 would stand still for ever
		return beyond("XYZEPRST", 1, 1e6)
	case "SET_GCODE_OFFSET":
		for _, w := range strings.Fields(strings.ToUpper(string(c.Args)))[1:] {
			switch key, value, _ := strings.Cut(w, "="); key {
			case "MOVE", "MOVE_SPEED":
			case "Z_ADJUST":
				if v, err := strconv.ParseFloat(value, 64); err == nil && math.Abs(v) <= maxBabystepMM {
					continue
				}
				fallthrough
			default:
				return fmt.Sprintf("during a print SET_GCODE_OFFSET may have a Z_ADJUST of at most %g mm", maxBabystepMM)
			}
		}
	}
	return ""
}

// onlyHas reports whether a command has no parameters but these, and none of them but as a flag.
func onlyHas(c gcode.Command, letters string) bool {
	for _, word := range strings.Fields(strings.ToUpper(string(c.Args))) {
		if !strings.Contains(letters, word[:1]) || len(word) > 2 {
			return false
		}
	}
	return true
}
