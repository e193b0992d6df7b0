package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"layerd/gcode"
	"layerd/printer"
)

// asLayerd prints a file with layerd's own package, wired as cmd/layerd wires it, without the rest of the daemon.
func asLayerd(port string, baud int, path string) error {
	size, err := fileSize(path)
	if err != nil {
		return err
	}
	p := printer.New(printer.Config{Open: printer.OpenTTY, List: func() ([]printer.PortInfo, error) { return nil, nil }, Port: port, Baud: baud,
		Profile: printer.Presets()[0], Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() { end(); <-ended }()

	if _, err := await(p, func(s *printer.Snapshot) bool { return s.State == printer.Idle }); err != nil {
		return err
	}
	survey, err := surveyOf(path)
	if err != nil {
		return err
	}
	return obey(func() (string, error) {
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		if _, err := p.Start(ctx, printer.JobInfo{ID: "bench", Name: path, Size: size, Survey: survey}, file); err != nil {
			file.Close()
			return "", err
		}
		window := 0
		s, err := await(p, func(s *printer.Snapshot) bool {
			window = max(window, s.Link.WindowBytes)
			return s.LastJob != nil && s.LastJob.ID == "bench"
		})
		if err != nil {
			return "", err
		}
		if s.LastJob.Outcome != "done" {
			return "", fmt.Errorf("the print %s: %s", s.LastJob.Outcome, s.LastJob.Reason)
		}
		return fmt.Sprintf("%d bytes ahead, %d probes", window, s.Link.Probes), nil
	})
}

// await waits for a snapshot. A fault ends it.
func await(p *printer.Printer, is func(s *printer.Snapshot) bool) (*printer.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour) // the bench is less patient
	defer cancel()
	for seq := uint64(0); ; {
		s, at, err := p.Snapshots().Next(ctx, seq)
		if err != nil {
			return nil, err
		}
		if seq = at; s.Fault != nil {
			return nil, s.Fault
		}
		if is(s) {
			return s, nil
		}
	}
}

// surveyOf reads the file through, as an upload does.
func surveyOf(path string) (gcode.Survey, error) {
	f, err := os.Open(path)
	if err != nil {
		return gcode.Survey{}, err
	}
	defer f.Close()
	return gcode.SurveyFile(f)
}
