package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
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
	sim, err := printertest.New(printertest.Config{Firmware: m.firmware, Baud: 250000, Speed: 1, Heat: 20, Seed: seed, X: m.x, Y: m.y, Homing: m.homing,
		Head: printertest.Head{WidthMM: 40, DepthMM: 40, ClearMM: 5}})
	if err != nil {
		return err
	}
	p := printer.New(printer.Config{Port: "/dev/pretend", Baud: 250000, Profile: printer.Presets()[0], Log: slog.New(slog.DiscardHandler),
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

const (
	movesALayer = 4
	layerS      = 4 * 80 / 10.0 // a square of 80 mm at 10 mm/s
)

// tower is a job of squares above each other, as a vase is.
func tower(hours float64) string {
	var b strings.Builder
	b.WriteString("G28\nM190 S60\nM109 S200\nG90\nM83\nG92 E0\n")
	for l := range int(hours * 3600 / layerS) {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 E-0.7 F1800\nG1 Z%.2f F600\nG1 E0.7 F1800\n", l, 0.2+0.05*float64(l))
		for i := range movesALayer {
			fmt.Fprintf(&b, "G1 X%d Y%d E2 F600\n", []int{70, 150, 150, 70}[(i+1)%4], []int{70, 70, 150, 150}[(i+1)%4])
		}
	}
	return b.String()
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

// null prints so many hours with nothing lost.
func (m *mechanism) null(ctx context.Context, seed uint64, hours float64) (out nulled, err error) {
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
		if err := r.print(ctx, tower(hours)); err != nil {
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

// stolen is what came of a loss.
type stolen struct {
	mechanism string
	kind      string
	axis      byte
	mm        float64
	suspected bool // another witness has seen it two layers later
	refused   bool // the set-up did not use the switches, which is as it should be with poor ones
	found     bool
	after     time.Duration // until the print stood
	layers    int           // and layers after it was asked for
	told      float64       // mm
	took      time.Duration // the check that found it
	ended     string        // how it came out instead
}

// losses that are tried, by full steps of 0.2 mm, and a tooth.
var stepsLost = []int{-12, -8, -4, 4, 8, 12}

// steal prints for an hour and has steps lost on the way.
func (m *mechanism) steal(ctx context.Context, seed uint64, suspected bool) (out stolen, err error) {
	dice := rand.New(rand.NewPCG(seed, 8))
	out.mechanism, out.axis, out.suspected = m.name, "xy"[dice.IntN(2)], suspected
	fault := printertest.Trigger{Kind: printertest.Lose, Axis: out.axis, N: stepsLost[dice.IntN(len(stepsLost))]}
	out.kind, out.mm = fmt.Sprintf("%d full steps", max(fault.N, -fault.N)), 0.2*float64(fault.N)
	if dice.IntN(5) == 0 {
		fault.Kind, fault.N = printertest.Tooth, 1-2*dice.IntN(2)
		out.kind, out.mm = "a tooth", 2*float64(fault.N)
	}
	err = m.rig(ctx, seed, func(ctx context.Context, r *machine) error {
		sw, err := r.setUp(ctx)
		if out.refused = !sw.X.Usable || !sw.Y.Usable; err != nil || out.refused {
			return err
		}
		if err := r.print(ctx, tower(1)); err != nil {
			return err
		}
		if _, err := r.becomes(ctx, func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Layer > 4 }); err != nil {
			return err
		}
		time.Sleep(time.Duration(dice.Int64N(int64(25 * time.Minute))))
		r.sim.Inject(fault)
		at, layer := time.Now(), 0
		if suspected {
			s, _ := r.p.Snapshots().Get()
			if s, err = r.becomes(ctx, func(n *printer.Snapshot) bool { return over(n) || n.Job.Layer >= s.Job.Layer+2 }); err != nil {
				return err
			}
			if !over(s) {
				layer = s.Job.Layer
				if _, err := r.p.CheckNow(ctx, "", printer.CheckSuspicion); err != nil {
					return err
				}
			}
		}
		var last *printer.EndstopCheck
		s, err := r.becomes(ctx, func(s *printer.Snapshot) bool {
			if s.Job != nil {
				last = s.Job.Check
			}
			return over(s)
		})
		if err != nil {
			return err
		}
		if out.found = s.State == printer.Paused && s.Job.Check != nil && s.Job.Check.Verdict == printer.CheckLost; out.found {
			out.after = time.Since(at)
			if layer > 0 {
				out.layers = s.Job.Layer - layer
			}
			out.took = time.Duration(s.Job.Check.TookS * float64(time.Second))
			if out.told = s.Job.Check.X.OffMM; out.axis == 'y' {
				out.told = s.Job.Check.Y.OffMM
			}
		} else {
			out.ended = s.State.String()
			if last != nil {
				out.ended += fmt.Sprintf(", the last check, number %d, said %s %s %+v %+v", last.N, last.Verdict, last.Reason, last.X, last.Y)
			}
		}
		return nil
	})
	return out, err
}
