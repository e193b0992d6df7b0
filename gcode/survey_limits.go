package gcode

import "strings"

// configured takes what comments say of the machine's limits, unless it is too late for that, or the file's own commands leave nothing to say.
func (s *surveyor) configured() {
	s.config.By = LimitsConfig
	switch {
	case s.based:
	case s.out.Moves == 0:
		s.plan.limits = s.config.under(&s.own)
	case !s.told:
		s.out.LimitsLate, s.out.late = true, s.config
	}
}

// machineOf looks for the machine's name where a slicer says no limits: Cura names it, or its start code does.
func (s *surveyor) machineOf(c []byte) {
	if by := s.plan.limits.By; by != LimitsOurs && by != LimitsMachine || !strings.HasPrefix(s.notes.slicer, "Cura") {
		return
	}
	if l, known := curaLimits(string(c)); known || s.plan.limits.By == LimitsOurs {
		s.plan.limits = l
	}
}
