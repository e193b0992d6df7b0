package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/printer"
)

// The mesh of the bed: what the firmware has measured. It is asked for only when somebody wants it, and the last one is kept with its time.

const (
	meshKey   = "mesh" // of the setting
	meshTime  = time.Minute
	probeTime = 30 * time.Minute
)

// serveMesh answers GET /v1/mesh with the mesh that was read last; the printer is not asked.
func (s *Server) serveMesh(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	answer := MeshAnswer{Busy: len(s.asking) > 0}
	var kept BedMesh
	found, err := s.cfg.Files.Setting(r.Context(), meshKey, &kept)
	if err != nil {
		return err
	}
	if found {
		answer.Mesh = &kept
	}
	if now, _ := s.cfg.Printer.Snapshots().Get(); now != nil {
		read, probe := printer.MeshCommands(now.Connection.Dialect)
		answer.CanRead, answer.CanProbe = len(read) > 0, len(probe) > 0
	}
	s.writeJSON(w, http.StatusOK, answer)
	return nil
}

// serveReadMesh answers POST /v1/mesh: it asks the printer, and keeps what it says.
func (s *Server) serveReadMesh(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	return s.takeMesh(w, meshTime, func(ctx context.Context, read, _ []string) (gcode.Mesh, error) { return s.readMesh(ctx, read) })
}

// serveProbeMesh answers POST /v1/mesh/probe: the printer measures its bed, which takes minutes. It goes on when the client is gone.
func (s *Server) serveProbeMesh(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	s.log.Info("the bed is measured", "who", me.Name)
	return s.takeMesh(w, probeTime, s.probeMesh)
}

func (s *Server) takeMesh(w http.ResponseWriter, within time.Duration, take func(ctx context.Context, read, probe []string) (gcode.Mesh, error)) error {
	now, _ := s.cfg.Printer.Snapshots().Get()
	if now == nil || now.Connection.Dialect == "" {
		return printer.ErrNotConnected
	}
	if err := s.asking.take(); err != nil {
		return err
	}
	defer s.asking.free()
	ctx, cancel := s.longRequest(w, within)
	defer cancel()
	read, probe := printer.MeshCommands(now.Connection.Dialect)
	mesh, err := take(ctx, read, probe)
	if err != nil {
		return err
	}
	kept := bedMesh(mesh, now.Connection)
	if err := s.cfg.Files.SetSetting(ctx, meshKey, kept); err != nil {
		return fmt.Errorf("keep the mesh: %w", err)
	}
	s.writeJSON(w, http.StatusOK, MeshAnswer{Mesh: kept, CanRead: true, CanProbe: len(probe) > 0})
	return nil
}

// readMesh tries the commands that make a firmware tell its mesh, until one does.
func (s *Server) readMesh(ctx context.Context, commands []string) (mesh gcode.Mesh, err error) {
	if len(commands) == 0 {
		return mesh, &refusal{code: "refused", message: "This firmware is not known to tell the mesh of its bed."}
	}
	var said error
	for _, command := range commands {
		lines, err := s.cfg.Printer.Query(ctx, command)
		if err != nil {
			return mesh, err
		}
		if mesh, err = gcode.ParseMesh(lines); err == nil {
			return mesh, nil
		}
		if said == nil || refusedLine(lines) == "" {
			said = err
		}
	}
	return mesh, said
}

// probeMesh has the bed measured, in the way of the mesh that is there.
func (s *Server) probeMesh(ctx context.Context, read, probe []string) (gcode.Mesh, error) {
	if len(probe) == 0 {
		return gcode.Mesh{}, &refusal{code: "refused", message: "This firmware is not known to measure its bed."}
	}
	old, err := s.readMesh(ctx, read)
	switch {
	case err != nil && !errors.Is(err, gcode.ErrNoMesh):
		return old, err
	case old.Form == gcode.MeshManual:
		return old, &refusal{code: "refused", message: "This bed is measured by hand, point for point (G29 S1): do so at the printer."}
	case old.Form == gcode.MeshUBL:
		probe = []string{"G29 P1", "G29 P3"} // measure, and fill in where the probe does not get to (ubl_G29.cpp)
	}
	for _, command := range probe {
		lines, err := s.cfg.Printer.QueryHomed(ctx, command)
		if err != nil {
			return old, err
		}
		if err := refusedBy(command, lines); err != nil {
			return old, err
		}
	}
	return s.readMesh(ctx, read)
}

// bedMesh is a mesh as it goes over the wire: what is not known is null there.
func bedMesh(m gcode.Mesh, from printer.Connection) *BedMesh {
	low, high, mean := m.Spread()
	tidy := func(v float64) float64 { return math.Round(v*1e5) / 1e5 }
	out := &BedMesh{AtMS: time.Now().UnixMilli(), Form: string(m.Form), Firmware: from.Firmware, LowMM: tidy(low), HighMM: tidy(high), MeanMM: tidy(mean), Rows: [][]*float64{}}
	for _, row := range m.Rows {
		points := make([]*float64, len(row))
		for i, v := range row {
			if !math.IsNaN(v) {
				points[i] = new(v)
			}
		}
		out.Rows = append(out.Rows, slices.Clip(points))
	}
	return out
}
