package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/store"
)

// The printer's own memory. Reading is M503; a change goes to the printer's RAM, and M500 makes it outlast a power cut. Before each change a copy of
// what was there is kept (store.SettingsCopy), which can be sent back. All of it waits for the end of a print.
//
//	GET /v1/eeprom ─▶ M503 ─▶ gcode.ParseSettings ─▶ EEPROM
//	change_setting ─▶ gcode.CheckSetting ─▶ M503 ─▶ a copy ─▶ the line;   save_settings ─▶ a copy ─▶ M500;   restore_settings ─▶ a copy ─▶ its lines ─▶ M500

const eepromTime = time.Minute

// settingNames are what people call the settings.
var settingNames = map[string]string{
	"M92": "Steps per mm", "M201": "Maximum acceleration (mm/s²)", "M203": "Maximum speed", "M204": "Acceleration (mm/s²): P printing, R retracting, T travelling",
	"M205": "Jerk, junction deviation and minimum speeds", "M206": "Home offset (mm)", "M207": "Firmware retraction: S length (mm), F speed, Z lift (mm)",
	"M208": "Firmware recover: S extra length (mm), F speed", "M209": "Automatic retraction", "M145": "Material preset: S number, H nozzle, B bed (°C), F fan",
	"M301": "Nozzle PID", "M304": "Bed PID", "M666": "Endstop adjustment (mm)", "M851": "Probe offset from the nozzle (mm)", "M900": "Linear advance",
	"M420": "Bed leveling", "M200": "Filament diameter", "G21": "Units", "G20": "Units", "M149": "Temperature units", "M906": "Motor current (mA)",
	"M913": "Threshold of quiet steps", "M914": "Sensitivity of homing without switches", "M569": "Quiet steps", "M412": "Filament sensor", "M413": "Power-loss recovery",
	"M603": "Filament change lengths", "M250": "Display contrast", "M256": "Display brightness", "M421": "Mesh point", "G29": "Mesh point",
}

// ownFiles are the dialects whose settings are files of their own, which M500 does not write.
var ownFiles = map[string]string{"klipper": "printer.cfg", "reprapfirmware": "config.g"}

// readSettings asks the firmware for its settings.
func (s *Server) readSettings(ctx context.Context) ([]string, error) {
	if now, _ := s.cfg.Printer.Snapshots().Get(); now != nil && ownFiles[now.Connection.Dialect] != "" {
		return nil, &refusal{code: "refused", message: fmt.Sprintf("This firmware keeps its settings in a file of its own (%s), not in what M503 tells.", ownFiles[now.Connection.Dialect])}
	}
	lines, err := s.cfg.Printer.QueryIdle(ctx, "M503")
	if err != nil {
		return nil, err
	}
	settings := gcode.ParseSettings(lines)
	for _, setting := range settings {
		if setting.Command != "" {
			s.learnLimits(settings)
			return lines, nil
		}
	}
	if err := refusedBy("M503", lines); err != nil {
		return nil, err
	}
	return nil, &refusal{code: "refused", message: "The printer tells no settings (M503). They are probably in a file of its own."}
}

// serveEEPROM answers GET /v1/eeprom with the settings, as the firmware has them now.
func (s *Server) serveEEPROM(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if err := s.asking.take(); err != nil {
		return err
	}
	defer s.asking.free()
	ctx, cancel := context.WithTimeout(r.Context(), eepromTime)
	defer cancel()
	writeBy(w, 0)
	lines, err := s.readSettings(ctx)
	if err != nil {
		return err
	}
	answer := EEPROM{AtMS: time.Now().UnixMilli(), Settings: []EEPROMLine{}}
	for _, setting := range gcode.ParseSettings(lines) {
		line := EEPROMLine{Text: setting.Text, Command: setting.Command, Name: settingNames[setting.Command], Note: setting.Note,
			Changeable: setting.Changeable, Words: []EEPROMWord{}}
		for _, word := range setting.Words {
			line.Words = append(line.Words, EEPROMWord{string(word.Letter), word.Value})
		}
		answer.Settings = append(answer.Settings, line)
	}
	s.writeJSON(w, http.StatusOK, answer)
	return nil
}

// keepCopy keeps what the firmware has now.
func (s *Server) keepCopy(ctx context.Context, why string) (store.SettingsCopy, error) {
	lines, err := s.readSettings(ctx)
	if err != nil {
		return store.SettingsCopy{}, err
	}
	c := store.SettingsCopy{AtMS: time.Now().UnixMilli(), Why: why, Text: strings.Join(lines, "\n") + "\n"}
	if now, _ := s.cfg.Printer.Snapshots().Get(); now != nil {
		c.Firmware, c.Machine = now.Connection.Firmware, now.Connection.Machine
	}
	return s.cfg.Files.KeepSettings(ctx, c)
}

// withCopy does something to the settings, after a copy was kept.
func (s *Server) withCopy(ctx context.Context, why string, do func() error) (uint64, error) {
	if err := s.asking.take(); err != nil {
		return 0, err
	}
	defer s.asking.free()
	if _, err := s.keepCopy(ctx, why); err != nil {
		return 0, err
	}
	return s.rev(), do()
}

// tell sends one command while nothing is printed, and fails when the firmware does not take it.
func (s *Server) tell(ctx context.Context, line string) error {
	lines, err := s.cfg.Printer.QueryIdle(ctx, line)
	if err != nil {
		return err
	}
	return refusedBy(line, lines)
}

func (s *Server) doChangeSetting(ctx context.Context, c *call) (uint64, error) {
	line, err := gcode.CheckSetting(c.Line)
	if err != nil {
		return 0, err
	}
	return s.withCopy(ctx, "before "+line, func() error { return s.tell(ctx, line) })
}

func (s *Server) doSaveSettings(ctx context.Context, _ *call) (uint64, error) {
	return s.withCopy(ctx, "as it was saved", func() error { return s.tell(ctx, "M500") })
}

// doRestoreSettings sends the lines of a copy that can be changed, all checked before the first goes out, and saves them.
func (s *Server) doRestoreSettings(ctx context.Context, c *call) (uint64, error) {
	kept, err := s.cfg.Files.SettingsCopy(ctx, c.Copy)
	if err != nil {
		return 0, err
	}
	var lines []string
	for _, setting := range gcode.ParseSettings(strings.Split(kept.Text, "\n")) {
		if setting.Changeable {
			lines = append(lines, setting.Text)
		}
	}
	if len(lines) == 0 {
		return 0, &refusal{code: "refused", message: "This copy holds no setting that can be sent back."}
	}
	return s.withCopy(ctx, fmt.Sprintf("before copy %d was restored", kept.ID), func() error {
		for _, line := range lines {
			if err := s.tell(ctx, line); err != nil {
				return err
			}
		}
		return s.tell(ctx, "M500")
	})
}

func (s *Server) serveCopies(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	copies, err := s.cfg.Files.SettingsCopies(r.Context())
	if err != nil {
		return err
	}
	if copies == nil {
		copies = []store.SettingsCopy{}
	}
	s.writeJSON(w, http.StatusOK, CopyList{Copies: copies})
	return nil
}

// serveCopy hands out a copy as text to be saved.
func (s *Server) serveCopy(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id, err := copyID(r)
	if err != nil {
		return err
	}
	c, err := s.cfg.Files.SettingsCopy(r.Context(), id)
	if err != nil {
		return err
	}
	head := fmt.Sprintf("; %s\n; %s %s\n; %s\n; sha256 of what follows: %s\n", time.UnixMilli(c.AtMS).UTC().Format(time.RFC3339), oneLine(c.Machine), oneLine(c.Firmware), oneLine(c.Why), c.SHA256)
	writeSized(w, int64(len(head)+len(c.Text)))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", attachment(fmt.Sprintf("printer-settings-%d.txt", c.ID)))
	io.WriteString(w, head+c.Text)
	return nil
}

// oneLine keeps a name on its line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func (s *Server) serveDropCopy(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id, err := copyID(r)
	if err != nil {
		return err
	}
	if err := s.cfg.Files.DropSettingsCopy(r.Context(), id); err != nil {
		return err
	}
	s.log.Info("copy of settings deleted", "copy", id, "who", me.Name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func copyID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("path"), 10, 64)
	if err != nil || id < 1 {
		return 0, store.ErrNoCopy
	}
	return id, nil
}
