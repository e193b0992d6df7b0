package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/store"
	"layerd/printer"
)

// The small requests of HTTP: state, commands, login, history, choices.

// maxCommand is the longest command, in bytes.
const maxCommand = 64 << 10

// serveState answers GET /v1/state, composed now and so never older than an answer that was given before.
func (s *Server) serveState(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	s.writeJSON(w, http.StatusOK, s.compose().as(me))
	return nil
}

// serveDo answers POST /v1/do: one Command in, one Answer out.
func (s *Server) serveDo(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	readBy(w, 15*time.Second)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCommand))
	if err != nil {
		return fmt.Errorf("read the command: %w", err)
	}
	readBy(w, 0)
	writeBy(w, 0) // a command may take its time; writeJSON sets it again
	var cmd Command
	if err := decode(body, &cmd); err != nil {
		return &refusal{code: "bad_message", message: sentence(err.Error())}
	}
	if cmd.Do == "" {
		return badCommand("This command needs do.")
	}
	answer := s.perform(r.Context(), me, cmd)
	status := http.StatusOK
	if answer.Error != nil {
		status = statusOf(answer.Error.Code)
	}
	s.writeJSON(w, status, answer)
	return nil
}

// statusOf is the HTTP status of a code; a printer's fault is the gateway's trouble.
func statusOf(code string) int {
	for _, k := range kinds {
		if k.code == code {
			return k.status
		}
	}
	return http.StatusBadGateway
}

// servePrints answers GET /v1/prints?before_ms=&limit=, the newest first.
func (s *Server) servePrints(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	before, limit := int64(0), 50
	query := r.URL.Query()
	var err error
	if v := query.Get("before_ms") + query.Get("before"); v != "" { // the page says before
		if before, err = strconv.ParseInt(v, 10, 64); err != nil || before < 0 {
			return badCommand("before_ms must be a time in Unix milliseconds.")
		}
	}
	if v := query.Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > 500 {
			return badCommand("limit must be 1 to 500.")
		}
	}
	prints, err := s.cfg.Files.Prints(r.Context(), before, limit)
	if err != nil {
		return err
	}
	if prints == nil {
		prints = []store.Print{}
	}
	s.writeJSON(w, http.StatusOK, PrintList{Prints: prints})
	return nil
}

// servePrintLog answers GET /v1/logs/ID with the last lines before that print failed.
func (s *Server) servePrintLog(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	lines, err := s.cfg.Files.PrintLog(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, PrintLog{Lines: lines})
	return nil
}

// bauds are the speeds that the page offers, the likely ones first.
var bauds = []int{115200, 250000, 230400, 57600, 500000, 1000000, 76800, 38400, 19200, 9600}

func (s *Server) serveChoices(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	c := Choices{Presets: printer.Presets(), Cameras: s.cfg.Cameras.Devices(), Ports: []printer.PortInfo{}, Bauds: bauds, Setups: s.cameraSetups(), Lamp: Lamp{s.custom.get().Lamp.OnLines, s.custom.get().Lamp.OffLines}, FitArcs: s.custom.get().FitArcs}
	if snap, _ := s.cfg.Printer.Snapshots().Get(); snap != nil {
		c.Arcs = printer.KnowsArcs(snap.Connection)
	}
	if c.Cameras == nil {
		c.Cameras = []camera.Device{}
	}
	if s.cfg.Ports != nil {
		ports, err := s.cfg.Ports()
		if err != nil {
			s.log.Warn("serial ports cannot be listed", "err", err)
		} else if ports != nil {
			c.Ports = ports
		}
	}
	s.writeJSON(w, http.StatusOK, c)
	return nil
}
