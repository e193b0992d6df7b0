package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"layerd/camera"
	"layerd/internal/config"
	"layerd/printer"
	"layerd/printer/printertest"
)

// demo is the pretend printer that stands in for port and camera. It opens nothing real.
type demo struct {
	sim   *printertest.Sim
	wrong []printertest.Trigger
	log   *slog.Logger
}

// demoFaults is --demo-faults, which is for tests of the page and for whoever wants to see what it does.
type demoFaults struct{ spec, record string }

// staged is what a demo is to be like. The zero value: nothing goes wrong, and nothing is written down.
type staged struct {
	faults printertest.Faults
	record string // the file that gets every executed command, as printsim --record has it; "" none
}

func (d *demoFaults) flags(flags *pflag.FlagSet) {
	flags.StringVar(&d.spec, "demo-faults", "", "what goes wrong with the pretend printer, as printsim --faults has it;\nwhat happens once happens at SIGUSR2, too")
	flags.StringVar(&d.record, "demo-record", "", "the file that gets every command that the pretend printer has executed")
	for _, name := range []string{"demo-faults", "demo-record"} {
		_ = flags.MarkHidden(name) // it fails only for a flag that is not there
	}
}

// serve runs the daemon as the configuration and the flags say.
func (d *demoFaults) serve(ctx context.Context, a *invocation) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	demo, err := d.parse(cfg)
	if err != nil {
		return err
	}
	return serve(ctx, cfg, demo, a.stdout, a.stderr)
}

func (d *demoFaults) parse(cfg config.Config) (staged, error) {
	if *d != (demoFaults{}) && !cfg.Demo {
		return staged{}, usageError{errors.New("--demo-faults and --demo-record belong to --demo")}
	}
	faults, err := printertest.ParseFaults(d.spec)
	if err != nil {
		return staged{}, usageError{fmt.Errorf("--demo-faults: %w", err)}
	}
	return staged{faults, d.record}, nil
}

// demoHeat makes warming up take seconds, which is as long as somebody who tries the page wants to wait.
const demoHeat = 12

func newDemo(as staged, log *slog.Logger) (*demo, error) {
	cfg := printertest.Config{Firmware: "marlin2", Baud: 115200, USBLatency: time.Millisecond, AdvancedOK: true, Speed: 1, Heat: demoHeat,
		ResetOnOpen: true, Leveling: "bilinear", Faults: as.faults}
	if as.record != "" {
		file, err := os.Create(as.record) // closed when layerd ends
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		cfg.Record = file
	}
	sim, err := printertest.New(cfg)
	return &demo{sim: sim, wrong: as.faults.At, log: log}, err
}

// run is the pretend printer's time, until ctx ends.
func (d *demo) run(ctx context.Context) error {
	if len(d.wrong) > 0 {
		now := make(chan os.Signal, 1)
		signal.Notify(now, syscall.SIGUSR2)
		defer signal.Stop(now)
		go func() {
			for {
				select {
				case <-now:
					d.sim.Inject(d.wrong...)
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return d.sim.Run(ctx)
}

// replace puts the pretend machine in place of the real port and camera.
func (d *demo) replace(p *printer.Config, c *camera.RigConfig) {
	p.Port, p.Baud = "pretend printer", 115200
	p.List = func() ([]printer.PortInfo, error) { return nil, nil }
	p.Open = func(context.Context, string, int) (printer.Port, error) { return d.sim.Open(), nil }
	c.Find = func() ([]camera.Device, error) { return nil, nil }
	c.Demo = true
	c.Simulated = func(s camera.Settings) camera.Source { return camera.NewSimulated(d.scene, s.FPS, s.Width, s.Height) }
}

// scene is the pretend machine as its camera sees it: where it truly is, not where the firmware believes.
func (d *demo) scene() camera.Scene {
	b := d.sim.Body()
	s := camera.Scene{WidthMM: b.SizeMM[0], DepthMM: b.SizeMM[1], HeightMM: b.SizeMM[2], X: b.True[0], Y: b.True[1], Z: b.True[2], NozzleC: b.NozzleC,
		NozzleTargetC: b.NozzleTargetC, BedC: b.BedC, FanPercent: b.FanPercent, Clock: time.Now(), Trail: make([]camera.Segment, 0, len(b.Trail))}
	for _, t := range b.Trail {
		s.Trail = append(s.Trail, camera.Segment{X1: float32(t.From[0]), Y1: float32(t.From[1]), X2: float32(t.To[0]), Y2: float32(t.To[1]), Z: float32(t.To[2])})
	}
	return s
}

// testPicture is the scene of the camera that is set to "simulated" beside a real port: the temperatures are the printer's, and what moves only
// shows that the picture is alive.
func testPicture(snap func() *printer.Snapshot) func() camera.Scene {
	return func() camera.Scene {
		s, now := snap(), time.Now()
		turn := float64(now.UnixMilli()%8000) / 8000 * 2 * math.Pi
		p := s.Profile
		scene := camera.Scene{WidthMM: p.WidthMM, DepthMM: p.DepthMM, HeightMM: p.HeightMM, X: p.WidthMM * (0.5 + 0.2*math.Cos(turn)),
			Y: p.DepthMM * (0.5 + 0.2*math.Sin(turn)), Z: 20, FanPercent: s.FanPercent, Clock: now}
		if len(s.Nozzles) > 0 {
			scene.NozzleC, scene.NozzleTargetC = s.Nozzles[0].ActualC, s.Nozzles[0].TargetC
		}
		if s.Bed != nil {
			scene.BedC = s.Bed.ActualC
		}
		return scene
	}
}
