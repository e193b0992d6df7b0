package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/printer"
	"layerd/printer/printertest"
)

// What flows here: a pretend printer with some switches ─▶ it is homed, its switches are measured, it prints by the real printer package ─▶ steps are lost in mid-print, or none ─▶
// what the checks against the endstops said, and when.

// mechanism is what a pretend printer's switches are like.
type mechanism struct {
	name     string
	firmware string
	x, y     printertest.Switch
	homing   printertest.Homing
	coreXY   bool
	refused  bool // a set-up must not use them
}

func alike(name string, s printertest.Switch) mechanism { return mechanism{name: name, x: s, y: s} }

func theMechanisms() []mechanism {
	sound := printertest.Switch{SigmaMM: 0.01}
	return []mechanism{
		alike("good switches, σ 0.01 mm", sound),
		alike("usual switches, σ 0.03 mm, hysteresis 0.1", printertest.Switch{SigmaMM: 0.03, HysteresisMM: 0.1}),
		alike("poor switches, σ 0.06 mm", printertest.Switch{SigmaMM: 0.06, HysteresisMM: 0.1}),
		alike("hysteresis 0.4 mm", printertest.Switch{SigmaMM: 0.02, HysteresisMM: 0.4}),
		alike("bouncing over 0.05 mm", printertest.Switch{SigmaMM: 0.02, BounceMM: 0.05}),
		alike("at the far ends", printertest.Switch{Max: true, SigmaMM: 0.03, HysteresisMM: 0.1}),
		{name: "home is at -5, -10", x: printertest.Switch{AtMM: -5, SigmaMM: 0.02}, y: printertest.Switch{AtMM: -10, SigmaMM: 0.02}},
		{name: "Prusa's Marlin", firmware: "prusa", x: sound, y: sound},
		{name: "CoreXY", x: printertest.Switch{SigmaMM: 0.02, HysteresisMM: 0.1}, y: printertest.Switch{SigmaMM: 0.02, HysteresisMM: 0.1}, coreXY: true},
		{name: "homing that lifts and forgets", x: sound, y: sound, homing: printertest.Homing{RaiseMM: 5, NoR: true, YFirst: true, Together: true}},
		{name: "σ 0.2 mm", x: printertest.Switch{SigmaMM: 0.2}, y: printertest.Switch{SigmaMM: 0.2}, refused: true},
		{name: "stuck open", x: printertest.Switch{Kind: printertest.StuckOpen}, y: printertest.Switch{Kind: printertest.StuckOpen}, refused: true},
		{name: "stuck closed", x: printertest.Switch{Kind: printertest.StuckClosed}, y: printertest.Switch{Kind: printertest.StuckClosed}, refused: true},
		{name: "no switches", x: printertest.Switch{Kind: printertest.NoSwitch}, y: printertest.Switch{Kind: printertest.NoSwitch}, refused: true},
		{name: "sensorless", x: printertest.Switch{Kind: printertest.Sensorless}, y: printertest.Switch{Kind: printertest.Sensorless}, refused: true},
		{name: "overtravel 0.3 mm", x: printertest.Switch{SigmaMM: 0.01, OvertravelMM: 0.3}, y: printertest.Switch{SigmaMM: 0.01, OvertravelMM: 0.3}, refused: true},
	}
}

// machine is one of them at work.
type machine struct {
	sim *printertest.Sim
	p   *printer.Printer
}

// rig makes a machine, lets it be used, and ends it.
func (m *mechanism) rig(ctx context.Context, seed uint64, use func(ctx context.Context, r *machine) error) error {
	sim, err := printertest.New(printertest.Config{Firmware: m.firmware, Baud: 250000, Speed: 1, Heat: 20, Seed: seed, X: m.x, Y: m.y, Homing: m.homing, CoreXY: m.coreXY,
		Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}})
	if err != nil {
		return err
	}
	profile := printer.Presets()[0]
	if m.coreXY {
		profile.Kinematics = "corexy"
	}
	p := printer.New(printer.Config{Port: "/dev/pretend", Baud: 250000, Profile: profile, Log: slog.New(slog.DiscardHandler),
		Open: func(_ context.Context, _ string, baud int) (printer.Port, error) {
			port := sim.Open()
			return port, port.SetBaud(baud)
		}})
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- sim.Run(ctx) }()
	go func() { ended <- p.Run(ctx) }()
	err = use(ctx, &machine{sim, p})
	end()
	return errors.Join(err, <-ended, <-ended)
}

// becomes waits for a snapshot.
func (r *machine) becomes(ctx context.Context, satisfies func(s *printer.Snapshot) bool) (*printer.Snapshot, error) {
	ctx, end := context.WithTimeout(ctx, 40*time.Hour) // of fake time
	defer end()
	for seq := uint64(0); ; {
		s, at, err := r.p.Snapshots().Next(ctx, seq)
		if err != nil {
			last, _ := r.p.Snapshots().Get()
			return nil, fmt.Errorf("wait for the printer, which is %v, fault %+v: %w", last.State, last.Fault, err)
		}
		if seq = at; satisfies(s) {
			return s, nil
		}
	}
}

func idle(s *printer.Snapshot) bool { return s.State == printer.Idle }

// setUp homes, and measures the switches.
func (r *machine) setUp(ctx context.Context) (printer.Switches, error) {
	if _, err := r.becomes(ctx, idle); err != nil {
		return printer.Switches{}, err
	}
	if _, err := r.p.Home(ctx, "xyz"); err != nil {
		return printer.Switches{}, err
	}
	// It is homed when it can be asked for more.
	for range 100 {
		time.Sleep(2 * time.Second)
		_, err := r.p.CalibrateSwitches(ctx)
		if err == nil {
			break
		}
		if s, _ := r.p.Snapshots().Get(); s.State == printer.Faulted {
			return unusable("it cannot even be homed"), nil
		}
	}
	s, err := r.becomes(ctx, func(s *printer.Snapshot) bool {
		return s.Calibration != nil && !s.Calibration.Running
	})
	if err != nil {
		return printer.Switches{}, err
	}
	if s.Calibration.Why != "" {
		return unusable(s.Calibration.Why), nil
	}
	return s.Switches, nil
}

func unusable(why string) printer.Switches {
	return printer.Switches{X: printer.Switch{Why: why}, Y: printer.Switch{Why: why}}
}

// print starts a job.
func (r *machine) print(ctx context.Context, text string) error {
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		return err
	}
	info := printer.JobInfo{ID: "j1", File: "a.gcode", Size: int64(len(text)), Survey: survey, Watch: printer.Watch{Mode: printer.WatchPause}}
	_, err = r.p.Start(ctx, info, io.NopCloser(strings.NewReader(text)))
	return err
}

func over(s *printer.Snapshot) bool { return s.LastJob != nil || s.State == printer.Paused }

// nulled is what came of a print in which nothing was lost.
type nulled struct {
	mechanism string
	usable    bool
	why       string // not, of both axes
	hours     float64
	paused    bool
	checks    int
	share     float64 // of the print's time that they took
	collided  int64
	fails     []string // of anything else
}

// null prints so many hours in such layers with nothing lost.
func (m *mechanism) null(ctx context.Context, seed uint64, hours float64, l layering) (out nulled, err error) {
	out.mechanism = m.name
	err = m.rig(ctx, seed, func(ctx context.Context, r *machine) error {
		sw, err := r.setUp(ctx)
		if err != nil {
			return err
		}
		if out.usable = sw.X.Usable || sw.Y.Usable; !out.usable {
			out.why = sw.X.Why
			return nil
		}
		begun := time.Now()
		if err := r.print(ctx, l.tower(hours)); err != nil {
			return err
		}
		var last *printer.JobStatus
		s, err := r.becomes(ctx, func(s *printer.Snapshot) bool {
			if s.Job != nil {
				last = s.Job
			}
			return over(s)
		})
		if err != nil {
			return err
		}
		out.hours, out.paused = time.Since(begun).Hours(), s.State == printer.Paused
		if last != nil {
			out.checks, out.share = last.Checks, last.ChecksS/time.Since(begun).Seconds()
		}
		if s.LastJob != nil && s.LastJob.Outcome != "done" {
			out.fails = append(out.fails, s.LastJob.Outcome)
		}
		out.collided = r.sim.Counters().Collisions
		return nil
	})
	return out, err
}
