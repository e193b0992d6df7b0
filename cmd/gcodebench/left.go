package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/printer"
	"layerd/printer/printertest"
)

const leftGoal = 0.03 // of the truth

// printedFiles are those that are printed: of some hours, so that all of it stays a matter of a minute or two.
func printedFiles() []string {
	return []string{"ps_cube20", "cura_cube20_rawcli", "ps_bpcase_verbose", "ps_plate_multi", "mini_cube_ps2.8.1", "gp_plant-sign", "gp_vase", "aw_ring_arcs", "s3_calibrate"}
}

// left prints files with package printer on a pretend printer whose speed a person has changed, and compares the time left that it shows at a tenth
// of the print with how long it then took. The printer has the limits that the file was made for.
func (b *bench) left() error {
	fmt.Println("\n## Time left at a tenth of a print whose speed is changed by M220, with heating and homing")
	var t table
	t.add("file", "speed", "at s", "left s, shown", "by", "left s, really", "off")
	var off offs
	for _, f := range b.named(printedFiles()...) {
		for _, speed := range []float64{80, 100, 130} {
			var p printed
			if err := b.inFakeTime(func(ctx context.Context) (err error) {
				p, err = f.print(ctx, speed)
				return err
			}); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			apart := p.left/p.really - 1
			off = append(off, apart)
			t.add(f.name, whole(speed)+" %", whole(p.at), whole(p.left), p.by, whole(p.really), percent(apart))
		}
	}
	t.print()
	off.judge("time left", 0, leftGoal)
	return nil
}

// printed is what was seen of a print: how long it had run at a tenth, what was left by its own word, and how long that took. Seconds.
type printed struct {
	at, left, really float64
	by               string
}

// print prints a file at speed percent, on a printer with the limits that it was made for.
func (f file) print(ctx context.Context, speed float64) (p printed, err error) {
	own, err := f.surveyed()
	if err != nil {
		return p, err
	}
	text, err := f.withSettings(own.Limits)
	if err != nil {
		return p, err
	}
	survey, err := gcode.SurveyFile(bytes.NewReader(text))
	if err != nil {
		return p, err
	}
	return f.printAs(ctx, text, survey, "", speed)
}

// printAs prints text, of which layerd believes what survey says, on a printer that was told the settings.
func (f file) printAs(ctx context.Context, text []byte, survey gcode.Survey, settings string, speed float64) (p printed, err error) {
	sim, err := printertest.New(printertest.Config{Speed: 1, Heat: 1, WidthMM: 300, DepthMM: 300})
	if err != nil {
		return p, err
	}
	prints := printer.New(printer.Config{Port: "/dev/pretend", Baud: 115200, Profile: printer.Presets()[0], Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Open: func(_ context.Context, _ string, baud int) (printer.Port, error) {
			port := sim.Open()
			return port, port.SetBaud(baud)
		}})
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- sim.Run(ctx) }()
	go func() { ended <- prints.Run(ctx) }()
	defer func() {
		end()
		<-ended
		<-ended
	}()
	if _, err := await(ctx, prints, func(s *printer.Snapshot) bool { return s.State == printer.Idle }); err != nil {
		return p, err
	}
	for line := range strings.Lines(settings) {
		if _, err := prints.Send(ctx, strings.TrimSpace(line)); err != nil {
			return p, err
		}
	}
	job := printer.JobInfo{ID: "bench", Name: f.name, Size: int64(len(text)), Survey: survey}
	if _, err := prints.Start(ctx, job, io.NopCloser(bytes.NewReader(text))); err != nil {
		return p, err
	}
	if _, err := prints.SetSpeed(ctx, speed); err != nil {
		return p, err
	}
	s, err := await(ctx, prints, func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Percent >= 10 || s.LastJob != nil })
	if err != nil {
		return p, err
	}
	if s.Job == nil {
		return p, fmt.Errorf("the print %s: %s", s.LastJob.Outcome, s.LastJob.Reason)
	}
	began := time.Now()
	p = printed{at: s.Job.ElapsedS, left: s.Job.LeftS, by: s.Job.LeftBy, really: math.NaN()}
	if s, err = await(ctx, prints, func(s *printer.Snapshot) bool { return s.LastJob != nil }); err != nil {
		return p, err
	}
	if s.LastJob.Outcome != "done" {
		return p, fmt.Errorf("the print %s: %s", s.LastJob.Outcome, s.LastJob.Reason)
	}
	p.really = time.Since(began).Seconds()
	return p, nil
}

// await waits for a snapshot. A fault ends it.
func await(ctx context.Context, p *printer.Printer, is func(s *printer.Snapshot) bool) (*printer.Snapshot, error) {
	for seq := uint64(0); ; {
		s, at, err := p.Snapshots().Next(ctx, seq)
		if err != nil {
			return nil, err
		}
		if seq = at; is(s) {
			return s, nil
		}
		if s.Fault != nil {
			return nil, fmt.Errorf("the printer stopped: %v", s.Fault)
		}
	}
}
