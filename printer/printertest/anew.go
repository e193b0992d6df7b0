package printertest

// ForgetGaps begins Counters.Gaps anew, so that what was waited for before, such as for somebody to start a print, is not in it.
func (s *Sim) ForgetGaps() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.board.fw.gap = gap{from: never}
}
