package gcode

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Targets are the highest temperatures in °C that a command sets, or that it hands to a macro which does; 0 for what it leaves alone.
type Targets struct {
	NozzleC, BedC, ChamberC float64
}

// TargetsOf is the one place that knows which commands heat, for whoever holds them to limits. Wider than a firmware reads them: what could heat counts.
//   - Marlin: M104 and M109 S, R and B (AUTOTEMP), M140, M190, M141, M191; M303 S with E-1 for the bed
//   - RepRapFirmware: G10 and M568 with S and R. A G10 without them retracts; Marlin's G10 S1 is a longer retraction
//   - Klipper: SET_HEATER_TEMPERATURE (klippy/extras/heaters.py), and any macro's …TEMP…=… (START_PRINT BED_TEMP=60 EXTRUDER_TEMP=210)
func TargetsOf(text []byte) (t Targets) {
	switch c := ParseCommand(text); {
	case c.Letter == 0:
		t.macro(string(text))
	case c.Is('M', 104), c.Is('M', 109), c.Is('M', 568):
		t.NozzleC = highest(c, "SRB")
	case c.Is('G', 10):
		if v := highest(c, "SR"); v > 1 {
			t.NozzleC = v
		}
	case c.Is('M', 140), c.Is('M', 190):
		t.BedC = highest(c, "SR")
	case c.Is('M', 141), c.Is('M', 191):
		t.ChamberC = highest(c, "SR")
	case c.Is('M', 303):
		if e, ok := c.Float('E'); ok && e < 0 {
			t.BedC = highest(c, "S")
		} else {
			t.NozzleC = highest(c, "S")
		}
	}
	return t
}

// highest is the highest value of any of the letters: firmware differs in which of two counts, and whether quotes mean anything.
func highest(c Command, letters string) (v float64) {
	args := c.Args
	if bytes.IndexByte(args, '"') >= 0 {
		args = bytes.ReplaceAll(args, []byte{'"'}, nil)
	}
	for i := 0; i < len(args); {
		var w word
		if w, i = nextWord(args, i); w.valued && strings.IndexByte(letters, w.letter) >= 0 {
			v = max(v, w.value)
		}
	}
	return v
}

var unquoted = strings.NewReplacer(`"`, " ", "'", " ", "=", " = ")

// macro reads KEY=VALUE words, quoted or not, with numbers as Python reads them (klippy/gcode.py uses shlex and float).
func (t *Targets) macro(text string) {
	text = strings.ToUpper(text)
	if strings.IndexByte(text, '=') < 0 || !strings.Contains(text, "TEMP") && !strings.Contains(text, "TARGET") {
		return
	}
	words := strings.Fields(unquoted.Replace(text))
	heater := ""
	for i := 1; i+1 < len(words); i++ {
		if words[i] == "=" && words[i-1] == "HEATER" {
			heater += words[i+1]
		}
	}
	for i := 1; i+1 < len(words); i++ {
		key := words[i-1]
		if words[i] != "=" || !strings.Contains(key, "TEMP") && key != "TARGET" {
			continue
		}
		v, err := strconv.ParseFloat(words[i+1], 64)
		if err != nil && !math.IsInf(v, 1) {
			continue
		}
		if math.IsNaN(v) { // no limit of Klipper's stops it, and it heats at full power then (heaters.py, set_temp and ControlPID)
			v = math.Inf(1)
		}
		switch of := key + heater; {
		case strings.Contains(of, "BED"):
			t.BedC = max(t.BedC, v)
		case strings.Contains(of, "CHAMBER"):
			t.ChamberC = max(t.ChamberC, v)
		default:
			t.NozzleC = max(t.NozzleC, v)
		}
	}
}
