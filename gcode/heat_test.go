package gcode

import (
	"encoding/json"
	"math"
	"testing"
)

func TestTargetsOf(t *testing.T) {
	for text, want := range map[string]Targets{
		"M104 S210": {NozzleC: 210}, "m109 r180": {NozzleC: 180}, "M109 T1 S250 R100": {NozzleC: 250}, "M104 F S200 B260": {NozzleC: 260},
		"M140 S60": {BedC: 60}, "M190 R90": {BedC: 90}, "M141 S40": {ChamberC: 40}, "M191 S50": {ChamberC: 50}, "M104 S0": {}, "M104 T1": {}, "M104 S-5": {},
		"M303 E0 S240 C8": {NozzleC: 240}, "M303 E-1 S90": {BedC: 90}, "M568 P0 S220 R150": {NozzleC: 220}, "G10 P0 S200 R150": {NozzleC: 200}, "G10": {},
		"SET_HEATER_TEMPERATURE HEATER=extruder TARGET=205":   {NozzleC: 205},
		"SET_HEATER_TEMPERATURE HEATER=heater_bed TARGET=65":  {BedC: 65},
		"START_PRINT BED_TEMP=60 EXTRUDER_TEMP=210.5":         {NozzleC: 210.5, BedC: 60},
		"print_start chamber_temperature=45 bed_temperature=": {ChamberC: 45},
		"M104 S0 S400": {NozzleC: 400}, `M104 "S400"`: {NozzleC: 400}, `M140 S0 "s110"`: {BedC: 110},
		`SET_HEATER_TEMPERATURE HEATER="extruder" TARGET=" 400"`: {NozzleC: 400},
		"SET_HEATER_TEMPERATURE TARGET=4e2 HEATER=heater_bed":    {BedC: 400},
		"SET_HEATER_TEMPERATURE HEATER=extruder TARGET=inf":      {NozzleC: math.Inf(1)},
		"SET_HEATER_TEMPERATURE HEATER=extruder TARGET=nan":      {NozzleC: math.Inf(1)},
		"START_PRINT BED_TEMP=nan BED_TEMP=60":                   {BedC: math.Inf(1)},
		"M117 TEMP=500":                                          {}, "G1 X5 Y5": {}, "": {}, "SET_PIN PIN=x VALUE=300": {}, "START_PRINT EXTRUDER_TEMP=2e3x": {},
	} {
		if got := TargetsOf([]byte(text)); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

// A target that no number says is kept as one that JSON can say.
func TestSurveyOfEndlessHeat(t *testing.T) {
	for _, word := range []string{"inf", "nan", "1e400", "Infinity"} {
		s := survey(t, "START_PRINT EXTRUDER_TEMP="+word+" BED_TEMP="+word+" CHAMBER_TEMP="+word+"\nG1 X1 E1\n")
		if _, err := json.Marshal(s); err != nil || s.MaxNozzleC != mostTargetC || s.MaxBedC != mostTargetC || s.MaxChamberC != mostTargetC {
			t.Errorf("%s: %v, nozzle %v, bed %v, chamber %v", word, err, s.MaxNozzleC, s.MaxBedC, s.MaxChamberC)
		}
	}
}
