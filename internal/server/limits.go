package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"layerd/gcode"
	"layerd/printer"
)

// Somebody asks how long a file takes that does not say how fast the machine is ─▶ the idle printer is asked, once in each connection (M503) ─▶ the store reckons such files
// with that. So does it with whatever else reads the printer's settings (eeprom.go).

// sayLimits are the dialects that tell their limits in M503, in mm/s and mm/s².
var sayLimits = [...]string{"marlin", "prusa"}

const askLimitsTime = 5 * time.Second

// askLimits asks the printer, and reports whether it has answered.
func (s *Server) askLimits(r *http.Request) bool {
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if snap == nil || snap.State != printer.Idle || !slices.Contains(sayLimits[:], snap.Connection.Dialect) {
		return false
	}
	if since := snap.Connection.SinceMS; s.limitsAsked.Swap(since) == since {
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), askLimitsTime)
	defer cancel()
	_, err := s.readSettings(ctx)
	if err != nil {
		s.log.Debug("the printer does not tell its limits", "err", err)
	}
	return err == nil
}

// learnLimits takes them from an answer to M503.
func (s *Server) learnLimits(settings []gcode.Setting) {
	if limits, told := gcode.LimitsOf(settings); told {
		s.cfg.Files.SetMachine(limits)
	}
}
