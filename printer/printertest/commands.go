package printertest

import (
	"fmt"
	"strconv"
	"strings"
)

// handlers finds what executes a command: G and M by number, T of any number, and words such as FIRMWARE_RESTART.
type handlers struct {
	g     [100]handler
	m     [1000]handler
	tool  handler
	words map[string]handler
	lower bool     // lower-case commands are taken as well
	other handler  // of any other G or M
	ok    []string // whose answers stand on the ok line
	state bool     // S000 is for the emergency parser, and nothing is left to do
}

// commandTable is all that the pretend firmware can do; a Firmware leaves out what it lacks.
func commandTable() map[string]handler {
	return map[string]handler{
		"G0": moveLine, "G1": moveLine, "G2": moveArc, "G3": moveArc, "G4": dwell, "G28": home, "G92": setPosition,
		"G20": quietly(func(f *firmware) { f.inches = true }),
		"G21": quietly(func(f *firmware) { f.inches = false }),
		// G90 and G91 hold for E as well, until M82 or M83 says otherwise.
		"G90": quietly(func(f *firmware) { f.relative, f.relativeE = false, false }),
		"G91": quietly(func(f *firmware) { f.relative, f.relativeE = true, true }),
		"M82": quietly(func(f *firmware) { f.relativeE = false }),
		"M83": quietly(func(f *firmware) { f.relativeE = true }),

		"M0": waitForUser, "M1": waitForUser, "M600": changeFilament, "M876": letAnswer, "M412": runoutSensor,
		"M17": quietly(func(f *firmware) { f.motors = true }), "M18": motorsOff, "M84": motorsOff,
		"M104": setNozzle, "M109": waitNozzle, "M140": setBed, "M190": waitBed, "M105": sayTemperatures,
		"M106": setFan, "M107": setFan, "M155": autoTemps, "M154": autoPosition, "M113": keepAlive,
		"M108": letGo, "M112": stopAll, "M410": stopMoves, "M999": resume, "M400": (*firmware).synced,
		"M110": setLine, "M114": whereIsIt, "M119": sayEndstops, "M115": sayInfo,
		"M117": quietly(func(*firmware) {}), "M118": sayText,
		"M120": quietly(func(f *firmware) { f.watchStops = true }), "M121": quietly(func(f *firmware) { f.watchStops = false }),
		"M201": setMaxAccel, "M203": setMaxSpeed, "M204": setAccel, "M205": setAdvanced,
		"M206": homeOffsets, "M211": softEndstops, "M220": speedFactor, "M221": flowFactor, "M302": coldExtrusion,
		"M92": setNamed, "M301": setNamed, "M500": storeSettings, "M501": recallSettings, "M502": defaultSettings, "M503": saySettings,
		"M290": babystep, "M900": linearAdvance, "M851": probeOffset, "M420": levelling, "G29": probeBed, "G80": prusaProbe, "G81": prusaMesh,

		// Known, and without any effect that a host could see.
		"M42": nothing, "M73": nothing, "M75": nothing, "M76": nothing, "M77": nothing, "M85": nothing,
		"M111": nothing, "M200": nothing, "M207": nothing, "M208": nothing, "M300": nothing,
		"M304": nothing, "M907": nothing,
		"T": selectTool,

		"FIRMWARE_RESTART": klipperRestart, "RESTART": klipperRestart, "STATUS": klipperStatus, "GET_POSITION": klipperPosition,
		"CRASH_DETECTEDX":    crashDetected,
		"SET_GCODE_VARIABLE": nothing, "EXCLUDE_OBJECT_DEFINE": nothing, "EXCLUDE_OBJECT_START": nothing, "EXCLUDE_OBJECT": nothing,
		"EXCLUDE_OBJECT_END": nothing, "SET_VELOCITY_LIMIT": nothing, "SET_PRESSURE_ADVANCE": pressureAdvance, "SET_GCODE_OFFSET": gcodeOffset,
		"BED_MESH_OUTPUT": klipperMesh, "BED_MESH_CALIBRATE": klipperProbe,
	}
}

func quietly(do func(f *firmware)) handler {
	return func(f *firmware) bool { do(f); return true }
}

func nothing(*firmware) bool { return true }

// handlers builds the firmware's table.
func (fw *Firmware) handlers() *handlers {
	h := &handlers{ok: strings.Fields(fw.OnOK), words: map[string]handler{}, lower: fw.LowerCase, state: fw.RealTimeReports}
	if fw.UnknownCodes {
		h.other = nothing
	}
	lacks := map[string]bool{}
	for _, name := range strings.Fields(fw.Lacks) {
		lacks[name] = true
	}
	for name, do := range commandTable() {
		if lacks[name] {
			continue
		}
		var code int
		switch {
		case name == "T":
			h.tool = do
		case name == "CRASH_DETECTEDX":
			if fw.CrashDetect {
				h.words[name] = do
			}
		case strings.Contains(name, "_") || name == "RESTART" || name == "STATUS":
			if fw.Words {
				h.words[name] = do
			}
		case name[0] == 'G':
			fmt.Sscanf(name[1:], "%d", &code)
			h.g[code] = do
		default:
			fmt.Sscanf(name[1:], "%d", &code)
			h.m[code] = do
		}
	}
	return h
}

// onOK reports whether the answer to c stands on the ok line.
func (h *handlers) onOK(c *command) bool {
	for _, name := range h.ok {
		if name == "?" && c.handle == nil || c.handle != nil && c.letter == 'M' && name[1:] == strconv.Itoa(c.code) {
			return true
		}
	}
	return false
}

// find returns the handler of c, nil when the firmware does not know the command.
func (h *handlers) find(c *command) handler {
	letter := c.letter
	if h.lower && letter >= 'a' && letter <= 'z' {
		letter -= 'a' - 'A'
	}
	switch {
	case letter == 'G' && c.code < len(h.g) && h.g[c.code] != nil:
		return h.g[c.code]
	case letter == 'M' && c.code < len(h.m) && h.m[c.code] != nil:
		return h.m[c.code]
	case letter == 'G' || letter == 'M':
		return h.other
	case letter == 'T':
		return h.tool
	case letter == 'S' && h.state:
		return nothing
	case len(h.words) > 0:
		word := c.text
		for i, b := range word {
			if b == ' ' {
				word = word[:i]
				break
			}
		}
		return h.words[strings.ToUpper(string(word))]
	}
	return nil
}
