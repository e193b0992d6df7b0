package server

import (
	"context"

	"layerd/internal/latest"
	"layerd/internal/power"
	"layerd/internal/renew"
)

// Renewer lets a new version of layerd take over; *renew.Renewer is one.
type Renewer interface {
	// Waits says whether one is on the disk, and waits until nothing prints and all is cold.
	Waits() *latest.Value[bool]
	// Again reports whether layerd would be started again.
	Again() bool
	// Restart has layerd started again at once. It wraps printer.ErrWrongState in mid-print.
	Restart() error
}

// newVersionWaits is for the state of all pages.
func (s *Server) newVersionWaits() bool {
	if s.cfg.Renewer == nil {
		return false
	}
	waits, _ := s.cfg.Renewer.Waits().Get()
	return waits
}

// CanRestart reports whether the command restart would do anything.
func (s *Server) CanRestart() bool { return s.cfg.Renewer != nil && s.cfg.Renewer.Again() }

// Occupied is what a restart would break off besides a print, in words; "" nothing. It is for a Renewer.
func (s *Server) Occupied() string {
	after, _ := s.cfg.Power.Statuses().Get()
	switch {
	case len(s.starting) > 0:
		return "a print is about to start"
	case len(s.uploads) > 0:
		return "a file comes in"
	case len(s.backups) > 0:
		return "a backup is made or taken in"
	case after.Phase == power.Cooling || after.Phase == power.Counting:
		return "the power is to go off by itself soon"
	}
	return ""
}

// doRestart answers before layerd ends: ending takes the time that open answers need.
func (s *Server) doRestart(context.Context, *call) (uint64, error) {
	if s.cfg.Renewer == nil {
		return 0, renew.ErrNobody
	}
	if len(s.starting) > 0 {
		return 0, power.ErrPrinting
	}
	return s.rev(), s.cfg.Renewer.Restart()
}
