package printer

import (
	"fmt"
	"layerd/gcode"
	"time"
)

// withinLimits refuses a command that asks for more heat than the profile allows: for the console, and for the job's lines.
func (s *session) withinLimits(text []byte) error {
	t := gcode.TargetsOf(text)
	for _, one := range []struct{ target, limit float64 }{{t.NozzleC, s.profile.MaxNozzleC}, {t.BedC, s.profile.MaxBedC}, {t.ChamberC, s.profile.MaxChamberC}} {
		if one.target > one.limit {
			return between("a target of", one.target, 0, one.limit, " °C")
		}
	}
	return nil
}

// heatsMaybe reports cheaply whether a line could heat: all that the print path pays for its moves.
func heatsMaybe(text []byte) bool {
	return len(text) > 2 && (text[0]|0x20 != 'g' || text[1] == '1' && text[2] == '0')
}

// tooHot pauses the job before a line that asks for more than the profile allows, and reports whether it did. Files are checked before they start: this is for
// one that was changed since.
func (s *session) tooHot(now time.Time, l jobLine) bool {
	if s.job.info.OverLimits {
		return false
	}
	err := s.withinLimits(l.text)
	if err == nil {
		return false
	}
	s.suspendHere(now, &Fault{Code: FaultLimit, Message: fmt.Sprintf("Line %d of the file asks for more heat than the printer's profile allows.", l.pos.line),
		Next: "Stop the print. Slice the model again, or correct the limits of the profile if they are wrong.", Said: err.Error()})
	return true
}
