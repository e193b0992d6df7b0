package server

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"layerd/gcode"
	"layerd/printer"
)

// What flows here: what a file says that it was made for, and what it asks for → whether this printer is that. Warnings only: names deceive.

// heatedBefore reports whether the nozzle is hot before the file's first line: somebody has heated it, or what people have written for the start of a
// print does. Then a file need not.
func heatedBefore(snap *printer.Snapshot, scripts printer.Scripts) bool {
	for _, nozzle := range snap.Nozzles {
		if nozzle.TargetC > 0 && nozzle.TargetC >= snap.Profile.MinExtrudeC {
			return true
		}
	}
	return heats(scripts[printer.OnStarted], snap.Profile.MinExtrudeC)
}

// heats reports whether filament may be pushed behind a script, by what is asked of files: so a macro is trusted to heat here as well. What it names is
// known only when it runs, and is taken for a temperature.
func heats(script string, minExtrudeC float64) bool {
	var file strings.Builder
	for line := range strings.Lines(script) {
		before, named, is := strings.Cut(line, "{")
		if _, behind, ends := strings.Cut(named, "}"); is && ends {
			line = fmt.Sprint(before, minExtrudeC, behind)
		}
		file.WriteString(line)
	}
	file.WriteString("\nM83\nG1 X1 E1 F600\n")
	survey, err := gcode.SurveyFile(strings.NewReader(file.String()))
	return err == nil && (survey.ColdLine == 0 || survey.ColdC >= minExtrudeC)
}

// otherMachine says what speaks for a file having been made for another machine.
func otherMachine(survey *gcode.Survey, snap *printer.Snapshot) (warnings []string) {
	if mm := otherNozzle(survey, snap.Profile); mm > 0 {
		warnings = append(warnings, fmt.Sprintf("It was sliced for a nozzle of %g mm (line %d), and this printer's profile says %g mm. Slice it again, or change the profile.",
			mm, survey.NozzleLine, snap.Profile.NozzleMM))
	}
	firmware := firmwareName(snap.Connection.Dialect)
	if firmware == "" {
		return warnings
	}
	if !suits(survey.Flavour, snap.Connection.Dialect) {
		warnings = append(warnings, fmt.Sprintf("It was sliced for the firmware %q (line %d), and this printer runs %s. Choose that in the slicer, and slice it again.",
			survey.Flavour, survey.FlavourLine, firmware))
	}
	return append(warnings, unknownCommands(survey.Words, snap.Connection.Dialect, firmware)...)
}

// otherNozzle is the diameter of a nozzle that the file uses and that this printer does not have; 0 when there is none, or the file does not say.
func otherNozzle(survey *gcode.Survey, p printer.Profile) float64 {
	const near = 0.011 // mm
	for tool, mm := range survey.NozzleMM {
		used := len(survey.NozzleMM) == 1 || slices.Contains(survey.Tools, tool)
		if used && mm > 0 && p.NozzleMM > 0 && math.Abs(mm-p.NozzleMM) > near {
			return mm
		}
	}
	return 0
}

// firmwareName is what people call the firmware of a dialect; "" where we do not know which it is.
func firmwareName(dialect string) string {
	switch dialect {
	case "marlin", "malyan":
		return "Marlin"
	case "prusa":
		return "Prusa's firmware"
	case "klipper":
		return "Klipper"
	case "repetier":
		return "Repetier"
	case "reprapfirmware":
		return "RepRapFirmware"
	case "smoothie":
		return "Smoothieware"
	case "teacup":
		return "Teacup"
	}
	return ""
}

// suits reports whether a firmware understands what is written for another, by the slicers' names for them (lower case). They differ in what M201 to M205,
// M207 and G10 mean, so such a file may crawl, or retract where it ought to heat. Klipper takes Marlin's. What a name does not tell apart suits:
// "reprap" is Sprinter's in one slicer and RepRapFirmware's in another.
func suits(flavour, dialect string) bool {
	marlins := []string{"marlin", "malyan", "prusa", "klipper", "unknown"}
	switch flavour {
	case "marlin", "marlin2", "marlin(volumetric)", "marlin (volumetric)":
		return slices.Contains(append(marlins, "teacup", "smoothie"), dialect)
	case "smoothie", "teacup":
		return dialect == flavour || slices.Contains(marlins, dialect)
	case "klipper", "reprapfirmware", "repetier":
		return dialect == flavour
	case "mach3", "machinekit", "makerware", "makerbot", "sailfish", "bfb", "griffin", "ultigcode", "cheetah":
		return false
	}
	return true
}

// unknownCommands names some of those that the firmware will not know. It skips them, which may do no harm; or may leave the nozzle cold.
func unknownCommands(words []gcode.Word, dialect, firmware string) []string {
	const most = 4
	var named []string
	more := int64(0)
	for _, w := range words {
		switch {
		case knows(dialect, w.Word):
		case len(named) < most:
			named = append(named, fmt.Sprintf("%s (line %d)", w.Word, w.Line))
		default:
			more++
		}
	}
	if len(named) == 0 {
		return nil
	}
	list := strings.Join(named, ", ")
	if more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return []string{fmt.Sprintf("%s does not know %s, and skips that. Was it sliced for this printer?", firmware, list)}
}

// knows reports whether the firmware of a dialect may know a command word. Macros are Klipper's alone; which it has, only its owner knows.
func knows(dialect, word string) bool {
	switch {
	case dialect == "klipper", strings.HasPrefix(strings.ToUpper(word), "EXCLUDE_OBJECT"), word == "M2": // marks, and an end behind which nothing comes
		return true
	case dialect == "marlin":
		return gcode.MarlinKnows(word)
	}
	return len(word) > 1 && word[1] >= '0' && word[1] <= '9'
}

// queueS is what a firmware's queue of moves bridges at best, in seconds.
const queueS = 1

// tooDense says where the file asks for more lines than the link carries: than it has been seen to, or than its speed allows.
func tooDense(survey *gcode.Survey, snap *printer.Snapshot) []string {
	what, linesS := "this link has carried", snap.Health.CarriedLinesPerS
	if linesS == 0 && snap.Health.WirePercent >= 0 && snap.Connection.Baud > 0 {
		what, linesS = fmt.Sprintf("%d baud carry", snap.Connection.Baud), gcode.LinesAt(snap.Connection.Baud)
	}
	dense, above := survey.Wire.Above(linesS)
	if linesS == 0 || !above || dense.LongestS <= queueS {
		return nil
	}
	return []string{fmt.Sprintf("From about line %d on it asks for more than %g lines a second for %.0f s, and %s %.0f. The head may stutter there. Slice it coarser or slower, or raise the baud rate.",
		dense.Line, dense.LinesS, dense.LongestS, what, linesS)}
}
