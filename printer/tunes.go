package printer

import (
	"bytes"
	"layerd/gcode"
	"math"
	"strconv"
	"strings"
)

// tunes is how one family of firmware takes what is tuned while it prints. An empty string says that it cannot be had, or that nobody knows how.
type tunes struct {
	babystep string // a step in Z, without its mm
	capOnly  bool   // babysteps are there only where M115 says BABYSTEPPING
	stays    bool   // homing does not end them
	advance  string // pressure (linear) advance of the tool in use, without its factor
	ofTool   string // and the words that name another tool; %d is its number
	accel    string // acceleration of printing moves, without its mm/s²
	asks     []string
	mesh     []string // what makes it tell the mesh of its bed, tried in turn
	probe    []string // what makes it measure one
	noSave   string   // why the sum of babysteps cannot be kept, for people; "" = in M851
}

var (
	// Marlin: M290 shifts the probe's offset too where it was built with BABYSTEP_ZPROBE_OFFSET, unless P0 says not to, so that what M851 answers
	// could not be told from what is to be added (M290.cpp). Homing Z makes an end of babysteps.
	marlinTunes = tunes{babystep: "M290 P0 Z", advance: "M900 K", ofTool: "M900 T%d K", accel: "M204 P", asks: []string{"M900", "M204"},
		mesh: []string{"M420 V"}, probe: []string{"G29"}}
	// Prusa: its i3 firmware has no M290 (Marlin_main.cpp goes from case 280 to 300), nor M851; the MINI's and MK4's has M290, as their list of
	// G-codes says (help.prusa3d.com, 633112). M204 takes P (case 204), M900 always answers (la10compat.cpp).
	prusaTunes = tunes{babystep: "M290 P0 Z", capOnly: true, advance: "M900 K", accel: "M204 P", asks: []string{"M900"},
		mesh: []string{"G81", "M420 V"}, probe: []string{"G80"}, noSave: "Use Live adjust Z on the printer's own display, which keeps it."}
	// Klipper: SET_GCODE_OFFSET lasts until the next (gcode_move.py), whatever is homed. M204 needs an S.
	klipperTunes = tunes{babystep: "SET_GCODE_OFFSET MOVE=1 Z_ADJUST=", stays: true, advance: "SET_PRESSURE_ADVANCE ADVANCE=",
		ofTool: "SET_PRESSURE_ADVANCE EXTRUDER=extruder%d ADVANCE=", accel: "M204 S", asks: []string{"SET_PRESSURE_ADVANCE"},
		mesh: []string{"BED_MESH_OUTPUT"}, probe: []string{"BED_MESH_CALIBRATE"},
		noSave: "Type Z_OFFSET_APPLY_PROBE (or Z_OFFSET_APPLY_ENDSTOP) and then SAVE_CONFIG into the console: Klipper restarts with it."}
	// RepRapFirmware: M290 lasts until M290 R0 or a restart (GCodes.cpp, ClearBabyStepping is in Reset alone). What it keeps is in its own files.
	repRapTunes = tunes{babystep: "M290 S", stays: true, advance: "M572 D0 S", ofTool: "M572 D%d S", accel: "M204 P", asks: []string{"M572", "M204"},
		noSave: "Change G31 Z… in config.g on the printer's own page."}
	// Repetier has M290 only when it was built with FEATURE_BABYSTEPPING (Commands.cpp), and nothing tells; some forks mean something else by it.
	// Its M204 sets a PID.
	repetierTunes = tunes{}
	smoothieTunes = tunes{accel: "M204 S"}
)

// tuned is what the lines accepted so far have tuned.
type tuned struct {
	babystepMM float64 // sum, since Z was homed where that makes an end of it
	savedMM    float64 // of that, what M851 has taken over already
	advance    float64 // of tool 0
	advanced   bool    // it is known
	accelMMS2  float64 // 0 = not known
}

// tune follows one line that was accepted and not refused.
func (m *modal) tune(text []byte, d *dialect) {
	c, t := gcode.ParseCommand(text), &m.tuned
	switch {
	case c.Letter == 0:
		t.word(string(bytes.ToUpper(c.Args)))
	case c.Is('G', 28):
		if !d.tunes.stays && (c.Has('Z') || !c.Has('X') && !c.Has('Y')) {
			t.babystepMM, t.savedMM = 0, 0
		}
	case c.Letter != 'M':
	case c.Number == 290:
		t.step(c, m.inches)
	case c.Number == 900:
		if k, ok := c.Float('K'); ok && isFirst(c, 'T') {
			t.advance, t.advanced = k, k <= believable
		}
	case c.Number == 572:
		if k, ok := c.Float('S'); ok && isFirst(c, 'D') {
			t.advance, t.advanced = k, k <= believable
		}
	case c.Number == 204 && d.tunes.accel != "":
		if a, ok := c.Float('P'); ok {
			t.accelMMS2 = min(a, believable)
		} else if a, ok := c.Float('S'); ok {
			t.accelMMS2 = min(a, believable)
		}
	case c.Number == 501, c.Number == 502: // others are in force, and nobody said which
		t.advanced, t.accelMMS2 = false, 0
	}
}

// isFirst reports whether the tool that a command names, if it does, is the first.
func isFirst(c gcode.Command, letter byte) bool {
	n, ok := c.Float(letter)
	return !ok || n == 0
}

func (t *tuned) step(c gcode.Command, inches bool) {
	mm, ok := c.Float('Z')
	if !ok {
		mm, ok = c.Float('S')
	}
	if !ok {
		return
	}
	if inches {
		mm *= 25.4
	}
	if math.Abs(mm) > believable {
		return
	}
	if r, has := c.Float('R'); has && r == 0 { // RepRapFirmware: absolute
		t.babystepMM = 0
	}
	t.shift(mm)
}

// believable bounds what is followed: nobody means more, and sums of it stay numbers.
const believable = 1e6

func (t *tuned) shift(mm float64) {
	t.babystepMM = max(-believable, min(believable, round(t.babystepMM+mm)))
}

// round leaves out what only sums of binary fractions have, in µm.
func round(mm float64) float64 { return math.Round(mm*1000) / 1000 }

// word follows one of Klipper's commands.
func (t *tuned) word(text string) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return
	}
	values := map[string]string{}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		values[key] = value
	}
	number := func(key string) (float64, bool) {
		v, err := strconv.ParseFloat(values[key], 64)
		return v, err == nil && math.Abs(v) <= believable
	}
	switch fields[0] {
	case "SET_GCODE_OFFSET":
		if z, ok := number("Z"); ok {
			t.babystepMM = z
		}
		if z, ok := number("Z_ADJUST"); ok {
			t.shift(z)
		}
	case "SET_PRESSURE_ADVANCE":
		if k, ok := number("ADVANCE"); ok && (values["EXTRUDER"] == "" || values["EXTRUDER"] == "EXTRUDER") {
			t.advance, t.advanced = k, true
		}
	case "SET_VELOCITY_LIMIT":
		if a, ok := number("ACCEL"); ok {
			t.accelMMS2 = a
		}
	}
}
