package printer

import (
	"layerd/gcode"
	"math"
)

// spent counts the filament that a job has used: what its accepted lines pushed beyond what they pulled back, by tool, in mm. Only lines of the job
// count, each once. What a pause retracts and pushes back, and what a person unloads and loads meanwhile, is no part of it: Resume brings back the
// job's own place of E, so the job's lines go on as if nothing had been.
type spent struct {
	atMM  float64 // the job's place of E
	tools [maxTools]reel
}

// reel is one tool's: what it has pushed on balance, and the most of that so far, which is what has left the spool for good.
type reel struct{ netMM, mostMM float64 }

// farthestMM is more than E can mean; what is beyond it is a mistake in the file.
const farthestMM = 1e7

const mostFlow = 1000 // percent, of M221; no machine is asked for more

// undo is what a line's landing has changed, as it was before.
type undo struct {
	tool int
	reel reel
	atMM float64
}

func (s *spent) undo(u undo) { s.tools[u.tool], s.atMM = u.reel, u.atMM }

// push follows one accepted line of the job, and returns what undoes that. Modes are the firmware's: scripts bring
// them back. M221 changes how much filament an E word moves.
func (s *spent) push(text []byte, m *modal) undo {
	before := undo{m.tool, s.tools[m.tool], s.atMM}
	if len(text) == 0 || text[0]|0x20 != 'g' {
		return before
	}
	c := gcode.ParseCommand(text)
	switch c.Number {
	case 0, 1, 2, 3, 5:
	case 92:
		s.rename(c, m)
		return before
	default:
		return before
	}
	e, ok := length(c, m)
	if !ok {
		return before
	}
	by := e - s.atMM
	if m.relE || m.relXYZ { // G91 counts for E too, as in the survey; where G90 and G91 set it, relE says the same
		by = e
	}
	s.atMM = min(max(s.atMM+by, -farthestMM), farthestMM)
	r := &s.tools[m.tool]
	r.netMM += by * min(m.flowPercent, mostFlow) / 100
	r.mostMM = max(r.mostMM, r.netMM)
	return before
}

// rename is G92: E is said to be elsewhere, and nothing moves.
func (s *spent) rename(c gcode.Command, m *modal) {
	if c.Sub != 0 {
		return
	}
	if e, ok := length(c, m); ok {
		s.atMM = e
	} else if len(c.Args) == 0 {
		s.atMM = 0
	}
}

func length(c gcode.Command, m *modal) (mm float64, ok bool) {
	mm, ok = c.Float('E')
	if m.inches {
		mm *= 25.4
	}
	return mm, ok && math.Abs(mm) <= farthestMM
}

// byTool is what each tool has used, in mm to two decimals; the list ends with the last that has used any.
func (s *spent) byTool() (mm []float64, sum float64) {
	mm = []float64{}
	for tool, r := range s.tools {
		if r.mostMM <= 0 {
			continue
		}
		for len(mm) <= tool {
			mm = append(mm, 0)
		}
		mm[tool] = math.Round(r.mostMM*100) / 100
		sum += mm[tool]
	}
	return mm, math.Round(sum*100) / 100
}
