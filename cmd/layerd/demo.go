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
type demoFaults struct{ spec string }

func (d *demoFaults) flags(flags *pflag.FlagSet) {
	flags.StringVar(&d.spec, "demo-faults", "", "what goes wrong with the pretend printer, as printsim --faults has it;\nwhat happens once happens at SIGUSR2, too")
	_ = flags.MarkHidden("demo-faults") // it fails only for a flag that is not there
}

func (d *demoFaults) parse(cfg config.Config) (printertest.Faults, error) {
	if d.spec != "" && !cfg.Demo {
		return printertest.Faults{}, usageError{errors.New("--demo-faults belongs to --demo")}
	}
	faults, err := printertest.ParseFaults(d.spec)
	if err != nil {
		return faults, usageError{fmt.Errorf("--demo-faults: %w", err)}
	}
	return faults, nil
}

// demoHeat makes warming up take seconds, which is as long as somebody who tries the page wants to wait.
const demoHeat = 12

func newDemo(wrong printertest.Faults, log *slog.Logger) (*demo, error) {
	sim, err := printertest.New(printertest.Config{Firmware: "marlin2", Baud: 115200, USBLatency: time.Millisecond, AdvancedOK: true, Speed: 1, Heat: demoHeat,
		ResetOnOpen: true, Leveling: "bilinear", Faults: wrong})
	return &demo{sim: sim, wrong: wrong.At, log: log}, err
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
