package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"layerd/internal/store"
)

// Tuning while it prints. What goes into the printer's own memory is in eeprom.go, the mesh of the bed in mesh.go.

// tuner is the part of Printer that tunes, and asks what the firmware has.
type tuner interface {
	Babystep(ctx context.Context, byMM float64) (uint64, error)
	SaveBabystep(ctx context.Context) (uint64, error)
	SetPressureAdvance(ctx context.Context, tool int, factor float64) (uint64, error)
	SetAcceleration(ctx context.Context, mmS2 float64) (uint64, error)
	ReadTuning(ctx context.Context) (uint64, error)
	Query(ctx context.Context, line string) ([]string, error)
	QueryIdle(ctx context.Context, line string) ([]string, error)
	QueryHomed(ctx context.Context, line string) ([]string, error)
}

// keeper is the part of Files that keeps what the firmware has told.
type keeper interface {
	Setting(ctx context.Context, key string, v any) (found bool, err error)
	KeepSettings(ctx context.Context, c store.SettingsCopy) (store.SettingsCopy, error)
	SettingsCopies(ctx context.Context) ([]store.SettingsCopy, error)
	SettingsCopy(ctx context.Context, id int64) (store.SettingsCopy, error)
	DropSettingsCopy(ctx context.Context, id int64) error
}

func (s *Server) doBabystep(ctx context.Context, c *call) (uint64, error) {
	if c.ByMM == 0 {
		return 0, badCommand("This command needs by_mm, and not 0.")
	}
	return s.cfg.Printer.Babystep(ctx, c.ByMM)
}

func (s *Server) doSetAdvance(ctx context.Context, c *call) (uint64, error) {
	if c.Factor == nil {
		return 0, badCommand("This command needs factor.")
	}
	return s.cfg.Printer.SetPressureAdvance(ctx, c.Tool, *c.Factor)
}

func (s *Server) doSetAcceleration(ctx context.Context, c *call) (uint64, error) {
	if c.AccelerationMMS2 == nil {
		return 0, badCommand("This command needs acceleration_mm_s2.")
	}
	return s.cfg.Printer.SetAcceleration(ctx, *c.AccelerationMMS2)
}

// doSaveBabystep keeps a copy of the settings first, because the probe's offset is one of them.
func (s *Server) doSaveBabystep(ctx context.Context, c *call) (uint64, error) {
	if err := s.asking.take(); err != nil {
		return 0, err
	}
	defer s.asking.free()
	if now, _ := s.cfg.Printer.Snapshots().Get(); now != nil && now.Tuning.UnsavedMM != 0 {
		if _, err := s.keepCopy(ctx, "before the babysteps were saved"); err != nil {
			return 0, err
		}
	}
	return s.cfg.Printer.SaveBabystep(ctx)
}

// refusedLine is what a firmware said against a command; "" for nothing.
func refusedLine(lines []string) string {
	for _, line := range lines {
		lower := strings.ToLower(line)
		for _, words := range []string{"unknown command", "out of range", "home xyz first", "probing failed", "must home"} {
			if strings.Contains(lower, words) {
				return line
			}
		}
		if strings.HasPrefix(lower, "error") || strings.HasPrefix(line, "!!") || strings.HasPrefix(line, "?") {
			return line
		}
	}
	return ""
}

// refusedBy is an error when the firmware said something against a command.
func refusedBy(command string, lines []string) error {
	if said := refusedLine(lines); said != "" {
		return &refusal{code: "refused", message: sentence(fmt.Sprintf("the printer did not take %s: %.200s", command, said))}
	}
	return nil
}

// longRequest lets a handler take up to d, whatever becomes of its client: what the printer does meanwhile is not taken back either.
func (s *Server) longRequest(w http.ResponseWriter, d time.Duration) (context.Context, context.CancelFunc) {
	writeBy(w, 0) // writeJSON sets it again
	return context.WithTimeout(s.life, d)
}
