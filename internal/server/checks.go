package server

import (
	"fmt"
	"strconv"

	"layerd/gcode"
	"layerd/printer"
)

// What flows here: what is known of a file and of the printer → a refusal, or warnings that a person may override.

// primeMM is how far in front of and left of the bed a file may extrude: Prusa's slicers draw their priming line at Y-3.
const primeMM = 4

// checkFile asks what a careful person would ask of a file before it is printed on this machine. overLimits: its temperatures were allowed.
func checkFile(survey *gcode.Survey, snap *printer.Snapshot, overLimits bool) (warnings []string, err error) {
	profile := snap.Profile
	switch {
	case overLimits:
	case survey.MaxNozzleC > profile.MaxNozzleC:
		return nil, tooHot("nozzle", survey.MaxNozzleLine, survey.MaxNozzleC, profile.MaxNozzleC)
	case survey.MaxBedC > profile.MaxBedC:
		return nil, tooHot("bed", survey.MaxBedLine, survey.MaxBedC, profile.MaxBedC)
	case survey.MaxChamberC > profile.MaxChamberC:
		return nil, tooHot("chamber", survey.MaxChamberLine, survey.MaxChamberC, profile.MaxChamberC)
	}
	if err := checkLines(survey, snap); err != nil {
		return nil, err
	}

	if survey.Extrudes == 0 {
		warnings = append(warnings, "It pushes no filament at all.")
	}
	if survey.Odd > 0 {
		warnings = append(warnings, fmt.Sprintf("%s no G-code, the first in line %d.", count(survey.Odd, "line is", "lines are"), survey.FirstOdd))
	}
	if survey.MaxBedC > 0 && !profile.HeatedBed {
		warnings = append(warnings, "It heats the bed, and this printer's profile says that there is no heated bed.")
	}
	if survey.Extent != nil {
		warnings = append(warnings, outside(survey, profile)...)
	}
	warnings = append(warnings, survey.Doubts(profile.MinExtrudeC)...)
	warnings = append(warnings, otherMachine(survey, snap)...)
	return append(warnings, tooDense(survey, snap)...), nil
}

// littleDisk is what the history of a print, its journal and the logs may need.
const littleDisk = 50 << 20

// checkMachine asks what a careful person would ask of the printer and the Pi. freeBytes -1 is unknown.
func checkMachine(snap *printer.Snapshot, freeBytes int64) (warnings []string) {
	if snap.Keeper.Elsewhere {
		warnings = append(warnings, "The printer is being heated already, and not from here. Is somebody at it, or another program?")
	}
	if freeBytes >= 0 && freeBytes < littleDisk {
		warnings = append(warnings, fmt.Sprintf("Only %d MB are free on the disk: what becomes of this print may not be kept.", freeBytes/1_000_000))
	}
	return warnings
}

// checkLines refuses a file with a line that the printer's firmware can never take, however it is said. While no printer has introduced itself,
// every file will do.
func checkLines(survey *gcode.Survey, snap *printer.Snapshot) error {
	takes := printer.MaxCommand(snap.Connection.Dialect)
	if takes == 0 || survey.LongestCommand <= takes {
		return nil
	}
	return &refusal{code: "line_too_long", message: fmt.Sprintf("Line %d is %d bytes long after shortening; this printer's firmware takes %d.",
		survey.LongestLine, survey.LongestCommand, takes)}
}

func tooHot(what string, line int64, wantC, maxC float64) error {
	return &refusal{code: "too_hot", message: fmt.Sprintf("Line %d heats the %s to %g °C, and the printer's limit is %g °C.", line, what, wantC, maxC)}
}

// outside names each side on which extruding moves leave the printer's volume.
func outside(survey *gcode.Survey, p printer.Profile) (warnings []string) {
	const play = 0.5 // mm of rounding and line width
	low := [3]float64{-primeMM, -primeMM, -play}
	high := [3]float64{p.WidthMM + play, p.DepthMM + play, p.HeightMM + play}
	if p.Origin == "center" {
		low = [3]float64{-p.WidthMM/2 - play, -p.DepthMM/2 - play, -play}
		high = [3]float64{p.WidthMM/2 + play, p.DepthMM/2 + play, p.HeightMM + play}
	}
	var lines gcode.BoxLines
	if survey.ExtentLines != nil {
		lines = *survey.ExtentLines
	}
	say := func(axis string, mm float64, line int64) {
		warnings = append(warnings, fmt.Sprintf("Line %d prints at %s %.1f mm, outside of the printer's volume. Move the model, or look at the profile.", line, axis, mm))
	}
	for axis, name := range [3]string{"X", "Y", "Z"} {
		if survey.Extent.Min[axis] < low[axis] {
			say(name, survey.Extent.Min[axis], lines.Min[axis])
		}
		if survey.Extent.Max[axis] > high[axis] {
			say(name, survey.Extent.Max[axis], lines.Max[axis])
		}
	}
	return warnings
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
