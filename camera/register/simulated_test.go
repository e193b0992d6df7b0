package register_test

import (
	"context"
	"math"
	"testing"
	"time"

	"layerd/camera"
	"layerd/camera/register"
)

// printer is the pretend camera's printer: what is believed of the head, and what is true.
type printer struct {
	t         testing.TB
	lost      [2]float64
	w, h      int
	trail     []camera.Segment
	change    func(s *camera.Scene)
	clock     time.Time
	fan, heat float64
}

type sink func(jpeg []byte)

func (s sink) Put(jpeg []byte, _ time.Time) { s(jpeg) }
func (s sink) Idle() bool                   { return false }

// pictures are n of the head at a pose, as the daemon gets them.
func (p *printer) pictures(at register.Pose, n int) (list []*register.Luma) {
	p.t.Helper()
	for range n {
		p.clock = p.clock.Add(237 * time.Millisecond)
		s := camera.Scene{X: at.XMM + p.lost[0], Y: at.YMM + p.lost[1], Z: at.ZMM, Trail: p.trail, Clock: p.clock, FanPercent: p.fan, NozzleC: p.heat, BedC: 60}
		if p.change != nil {
			p.change(&s)
		}
		ctx, cancel := context.WithCancel(p.t.Context())
		err := camera.NewSimulated(func() camera.Scene { return s }, 5, p.w, p.h).Run(ctx, sink(func(jpeg []byte) {
			defer cancel()
			l := &register.Luma{}
			if err := register.Decode(jpeg, l); err != nil {
				p.t.Error(err)
			}
			list = append(list, l)
		}))
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return list
}

func (p *printer) calibrate(park register.Pose) *register.Calibration {
	p.t.Helper()
	c := register.NewCalibrator(park, register.Limits{Max: register.Pose{XMM: 220, YMM: 220, ZMM: 250}})
	for {
		at, more := c.Next()
		if !more {
			break
		}
		if err := c.Add(at, p.pictures(at, 3)); err != nil {
			p.t.Fatal(err)
		}
	}
	cal, err := c.Result()
	if err != nil {
		p.t.Fatal(err)
	}
	return cal
}

func TestPretendPrinter(t *testing.T) {
	p := &printer{t: t, clock: time.Unix(1e9, 0), w: 1280, h: 720}
	park := register.Pose{XMM: 5, YMM: 200, ZMM: 5}
	cal := p.calibrate(park)
	t.Logf("%v: %d still, %d with X, %d with Y; %.2f %.2f px/mm, contrast %.0f, detects %.2f %.2f (%q %q) scatter %.3f", cal.Kind, cal.Still, cal.MoveX, cal.MoveY,
		cal.PxPerMMX, cal.PxPerMMY, cal.Contrast, cal.DetectsXMM, cal.DetectsYMM, cal.WhyX, cal.WhyY, cal.Scatter)
	w := register.NewWatcher(cal)
	p.fan, p.heat = 100, 210
	for layer := range 60 {
		at := park
		at.ZMM = 1.2 + 0.2*float64(layer)
		if layer == 30 {
			p.lost[0] = 0.8
		}
		if layer == 45 {
			p.lost[1] = -0.8
		}
		l := w.Look(layer, at, p.pictures(at, 2))
		t.Logf("%+v", l)
		_ = math.Abs
	}
}
