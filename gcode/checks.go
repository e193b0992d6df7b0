package gcode

import "fmt"

// What flows here: moves that push filament, commands that heat and comments at the end ─▶ checks, a few words of state ─▶ Checks, the places in a file
// that a careful person would ask about ─▶ Doubts, the same in sentences. A move costs some comparisons; all else is done where something changes.

// Checks are places in a file that may mean a bad print. Lines count from 1; 0 is none.
type Checks struct {
	ExtentLines *BoxLines `json:"extent_lines"` // where Extent is reached first; nil without one

	// The coldest target at which filament is pushed: 0 is a nozzle that was switched off in OffLine, or that nothing has heated where OffLine is 0.
	// A macro that may heat is trusted to, and nothing is looked for behind an M302, which allows it.
	ColdLine     int64   `json:"cold_line"`
	ColdC        float64 `json:"cold_c"`
	OffLine      int64   `json:"off_line"`
	UnwaitedLine int64   `json:"unwaited_line"` // pushes filament, and nothing has waited for the nozzle

	CutLine        int64 `json:"cut_line"`        // the last line, of a file that ends while it prints
	FlavourLine    int64 `json:"flavour_line"`    // where Contents.Flavour is said
	NozzleLine     int64 `json:"nozzle_line"`     // where Contents.NozzleMM is
	VolumetricLine int64 `json:"volumetric_line"` // where it is said that E counts mm³; none where the file tells the firmware so, by M200
}

// BoxLines are lines for a Box.
type BoxLines struct {
	Min [3]int64 `json:"min"`
	Max [3]int64 `json:"max"`
}

// UsualMinExtrudeC is below what no usual filament melts, and Marlin pushes none (EXTRUDE_MINTEMP).
const UsualMinExtrudeC = 170

// Doubts says in sentences what is doubtful whatever the printer. Below minExtrudeC, in °C, no filament is to be pushed.
func (s *Survey) Doubts(minExtrudeC float64) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case s.ColdLine == 0 || s.ColdC >= minExtrudeC:
	case s.ColdC > 0:
		say("Line %d pushes filament with the nozzle set to %g °C, and below %g °C it does not melt. Look at the slicer's temperatures.", s.ColdLine, s.ColdC, minExtrudeC)
	case s.OffLine > 0:
		say("Line %d pushes filament, and line %d has switched the nozzle off. Look at the code for tool changes, or what joined two files.", s.ColdLine, s.OffLine)
	default:
		say("Line %d pushes filament, and nothing before it heats the nozzle. Look at the slicer's start code.", s.ColdLine)
	}
	if s.UnwaitedLine > 0 {
		say("Line %d pushes filament, and nothing before it waits until the nozzle is hot. An M109 in the slicer's start code does.", s.UnwaitedLine)
	}
	if s.CutLine > 0 {
		say("It ends in line %d while it still prints: the rest seems to be missing, and nothing switches the heaters off. Save it from the slicer again.", s.CutLine)
	}
	if s.VolumetricLine > 0 {
		say("Line %d says that E counts mm³. Unless the firmware is set to that by M200, it pushes far too little. Switch it off in the slicer.", s.VolumetricLine)
	}
	return list
}

// TrustHeat takes back what is doubted of a file that heats no nozzle, or does not wait for it: it is hot already.
func (k *Checks) TrustHeat() {
	k.UnwaitedLine = 0
	if k.ColdC == 0 && k.OffLine == 0 {
		k.ColdLine = 0
	}
}

// checks collects them.
type checks struct {
	out     Checks
	low     [3]float64 // as motion has them, of all
	high    [3]float64
	targets [maxTools]float64 // of the nozzles, °C
	heats   bool              // some target has been set by the file itself
	trusted bool              // something may have heated that we cannot look into
	waited  bool
	allowed bool // M302
	changed bool // the targets have, or nothing has been pushed yet
	off     int64

	ended bool // something has come that belongs behind a print, and nothing is pushed since
	block bool // between EXECUTABLE_BLOCK_START and _END
}

// push takes a move that pushes filament.
func (k *checks) push(m *motion, line int64) {
	k.ended = false
	if k.out.ExtentLines == nil {
		k.out.ExtentLines = &BoxLines{Min: [3]int64{line, line, line}, Max: [3]int64{line, line, line}}
		k.low, k.high, k.changed = m.low, m.high, true
	}
	for i := range 3 {
		if m.low[i] < k.low[i] {
			k.low[i], k.out.ExtentLines.Min[i] = m.low[i], line
		}
		if m.high[i] > k.high[i] {
			k.high[i], k.out.ExtentLines.Max[i] = m.high[i], line
		}
	}
	if k.changed {
		k.changed = false
		k.warmth(line)
	}
}

// warmth looks at the nozzles before the first push behind a change. One hot nozzle will do: it is not known here which tools share one.
func (k *checks) warmth(line int64) {
	if k.allowed || !k.heats && k.trusted {
		return
	}
	c := 0.0
	for _, target := range k.targets {
		c = max(c, target)
	}
	if k.out.ColdLine == 0 || c < k.out.ColdC {
		k.out.ColdLine, k.out.ColdC, k.out.OffLine = line, c, 0
		if c == 0 {
			k.out.OffLine = k.off
		}
	}
	if k.heats && !k.waited && !k.trusted && k.out.UnwaitedLine == 0 {
		k.out.UnwaitedLine = line
	}
}

// command takes a command that is no move. tool is the one in use.
func (k *checks) command(c Command, line Line, tool int) {
	switch {
	case c.Letter == 0:
		k.macro(line)
	case c.Is('G', 28), c.Is('M', 2), c.Is('M', 18), c.Is('M', 30), c.Is('M', 77), c.Is('M', 81), c.Is('M', 84):
		k.ended = true
	case c.Is('M', 73):
		done, _ := c.Float('P')
		k.ended = k.ended || done >= 100
	case c.Is('M', 98), c.Is('M', 703): // RepRapFirmware's macros, and its filament's
		k.trusted = true
	case c.Is('M', 116): // waits for all
		k.waited = true
	case c.Is('M', 302):
		k.allowed = true
	case c.Is('M', 140):
		k.ended = k.ended || isOff(c)
	case c.Is('M', 104), c.Is('M', 109), c.Is('M', 568), c.Is('G', 10):
		k.heat(c, line, tool)
	}
}

// heat takes a nozzle's target.
func (k *checks) heat(c Command, line Line, tool int) {
	letter := byte('T')
	if c.Number == 568 || c.Number == 10 {
		letter = 'P'
	}
	named, ok := c.Float(letter)
	switch {
	case ok && named >= 0 && named < maxTools:
		tool = int(named)
	case c.Number == 10:
		return // without P it retracts
	}
	k.waited = k.waited || c.Number == 109
	if _, preset := c.Float('I'); preset && c.Number < 110 { // Marlin's M104 I heats as its menu does
		k.trusted = true
	}
	switch t := TargetsOf(line.Text); {
	case t.NozzleC > 0:
		k.set(tool, t.NozzleC)
	case isOff(c):
		k.switchedOff(tool, line.Number)
	}
}

// isOff tells a target of 0 from none.
func isOff(c Command) bool {
	s, has := c.Float('S')
	r, hasR := c.Float('R')
	return (has || hasR) && s <= 0 && r <= 0
}

func (k *checks) set(tool int, targetC float64) {
	if k.trusted && !k.heats && targetC < UsualMinExtrudeC {
		return // a second tool, which is to wait; what the macro has heated is not known
	}
	k.targets[tool], k.heats, k.changed = min(targetC, mostTargetC), true, true
}

func (k *checks) switchedOff(tool int, line int64) {
	k.targets[tool], k.changed, k.off = 0, true, line
	k.ended = true
}

// macro takes a command with a name. What it does is its owner's to know: unless it is one of Klipper's own for use in the middle of a print, it may
// heat, and it may be the end of a print.
func (k *checks) macro(line Line) {
	switch text := line.Text; {
	case hasPrefixBytesFold(text, "SET_HEATER_TEMPERATURE"):
		switch t := TargetsOf(text); {
		case t.NozzleC > 0:
			k.set(0, t.NozzleC)
		case t == Targets{}: // TARGET=0, of whatever heater
			k.ended = true
		}
	case hasPrefixBytesFold(text, "TURN_OFF_HEATERS"):
		k.targets = [maxTools]float64{}
		k.switchedOff(0, line.Number)
	case hasPrefixBytesFold(text, "SET_"), hasPrefixBytesFold(text, "EXCLUDE_OBJECT"), hasPrefixBytesFold(text, "TIMELAPSE_"), !isMacro(text):
	default:
		k.trusted, k.ended = true, true
		if t := TargetsOf(text); t.NozzleC >= UsualMinExtrudeC { // a smaller number may be of anything
			k.set(0, t.NozzleC)
		}
	}
}

// endMarks are what slicers write behind a print: Cura; PrusaSlicer, SuperSlicer and Slic3r; OrcaSlicer and Bambu Studio; Simplify3D; KISSlicer and ideaMaker.
func endMarks() [9]string {
	return [...]string{"End of Gcode", "SETTING_3 ", "filament used", "total filament", "prusaslicer_config = begin", "CONFIG_BLOCK_START", "Build Summary", "Estimated Build Time", "Print Time:"}
}

// comment takes one that marks nothing else, and what is known by it of the machine.
func (k *checks) comment(c []byte, line int64, m *made) {
	if k.out.FlavourLine == 0 && m.flavour != "" {
		k.out.FlavourLine = line
	}
	if k.out.NozzleLine == 0 && len(m.nozzles) > 0 {
		k.out.NozzleLine = line
	}
	switch c[0] | 0x20 {
	case 'e', 's', 'f', 't', 'p', 'c', 'b', 'u':
	default:
		return
	}
	switch {
	case string(c) == "EXECUTABLE_BLOCK_START":
		k.block = true
	case string(c) == "EXECUTABLE_BLOCK_END":
		k.block, k.ended = false, true
	case string(c) == "use_volumetric_e = 1", hasPrefixBytesFold(c, "FLAVOR:Marlin") && m.flavour == "marlin(volumetric)":
		k.out.VolumetricLine = line
	case !k.ended:
		for _, mark := range endMarks() {
			k.ended = k.ended || hasPrefixBytesFold(c, mark)
		}
	}
}

// finish takes the whole of it; last is the number of the last line.
func (k *checks) finish(s *Survey, last int64) Checks {
	whole := s.Slicer != "" || k.heats || k.trusted // else a few moves that somebody tries
	if k.block || s.Extrudes > 0 && !k.ended && whole {
		k.out.CutLine = last
	}
	for _, w := range s.Words {
		if w.Word == "M200" {
			k.out.VolumetricLine = 0
		}
	}
	return k.out
}
