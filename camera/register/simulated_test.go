package register_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/camera/register"
)

// pretend is the pretend camera's printer: what is believed of the head, and what is true.
type pretend struct {
	t      testing.TB
	scenes chan camera.Scene
	jpegs  chan []byte
	scene  camera.Scene // but for the head's place
	lost   [2]float64
}

// newPretend starts the camera, which draws whenever it is asked. It belongs into a bubble of synctest, where its frame rate takes no time.
func newPretend(t testing.TB, w, h int) *pretend {
	p := &pretend{t: t, scenes: make(chan camera.Scene), jpegs: make(chan []byte), scene: camera.Scene{Clock: time.Unix(1e9, 0), BedC: 60}}
	go func() {
		next := func() camera.Scene {
			select {
			case s := <-p.scenes:
				return s
			case <-t.Context().Done():
				return camera.Scene{}
			}
		}
		if err := camera.NewSimulated(next, 5, w, h).Run(t.Context(), p); err != nil {
			t.Error(err)
		}
	}()
	return p
}

// Put and Idle make it what the camera's pictures go to.
func (p *pretend) Put(jpeg []byte, _ time.Time) {
	select {
	case p.jpegs <- append([]byte(nil), jpeg...):
	case <-p.t.Context().Done():
	}
}
func (p *pretend) Idle() bool { return false }

func (p *pretend) pictures(at register.Pose, n int) (list []*register.Luma) {
	p.t.Helper()
	for range n {
		p.scene.Clock = p.scene.Clock.Add(237 * time.Millisecond)
		p.scene.X, p.scene.Y, p.scene.Z = at.XMM+p.lost[0], at.YMM+p.lost[1], at.ZMM
		p.scenes <- p.scene
		l := &register.Luma{}
		if err := register.Decode(<-p.jpegs, l); err != nil {
			p.t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

func (p *pretend) calibrate(park register.Pose) *register.Calibration {
	p.t.Helper()
	c := register.NewCalibrator(park, register.Limits{Max: register.Pose{XMM: 220, YMM: 220, ZMM: 250}})
	for at, more := c.Next(); more; at, more = c.Next() {
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

// print adds a layer of a growing box to the trail, and returns where the head stands after it.
func (p *pretend) print(park register.Pose, layer int) register.Pose {
	z := 0.2 * float64(layer+1)
	for y := 80.0; y <= 130; y += 2 {
		x0, x1 := 90+3*math.Sin(z), 130+3*math.Cos(z/2)
		p.scene.Trail = append(p.scene.Trail, camera.Segment{X1: float32(x0), Y1: float32(y), X2: float32(x1), Y2: float32(y), Z: float32(z)})
	}
	park.ZMM = z + 1
	return park
}

// The whole way: the set-up jogs the pretend printer, a print grows with fan and heat on and nothing is seen in it, and then X and Y are lost.
func TestPretendPrint(t *testing.T) {
	for name, c := range map[string]struct {
		park   register.Pose
		layers int
	}{
		"bed to the front": {register.Pose{XMM: 5, YMM: 210, ZMM: 5}, 200},
		"bed to the back":  {register.Pose{XMM: 210, YMM: 5, ZMM: 5}, 20},
	} {
		park := c.park
		if c.layers = min(c.layers, longer(t, 8, 200)); testing.Short() && name != "bed to the back" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPretend(t, 704, 396)
				cal := p.calibrate(park)
				if cal.Kind != register.BedMoves || !cal.SeesX || !cal.SeesY || cal.DetectsXMM > 0.5 || cal.DetectsYMM > 0.5 {
					t.Fatalf("%s, detects %.2f %.2f, %q %q; want a bed-slinger, and both axes seen", cal.Kind, cal.DetectsXMM, cal.DetectsYMM, cal.WhyX, cal.WhyY)
				}
				w := register.NewWatcher(cal)
				p.scene.FanPercent, p.scene.NozzleC, p.scene.NozzleTargetC = 100, 210, 210
				layer := 0
				look := func() register.Look {
					at := p.print(park, layer)
					layer++
					return w.Look(layer, at, p.pictures(at, 1))
				}
				for range c.layers {
					l := look()
					if l.Step.Sure > 0 {
						t.Fatalf("nothing was lost: %+v", l)
					}
					if layer > 3 && !(l.SeesX && l.SeesY) {
						t.Fatalf("blind: %+v", l)
					}
				}
				p.lost[0] = 0.8
				for sure := 1; sure <= 3; sure++ {
					if l := look(); l.Step.Axis != "x" || l.Step.Sure != sure || l.Step.SinceLayer != c.layers+1 || math.Abs(l.Step.MM-0.8) > 0.1 {
						t.Errorf("0.8 mm of X lost, look %d: %+v", sure, l)
					}
				}
				w.Relearn() // as after homing anew
				p.lost[0] = 0
				for range 5 {
					if l := look(); l.Step.Sure > 0 {
						t.Errorf("after it was homed anew: %+v", l)
					}
				}
				p.lost[1] = -0.8
				for sure := 1; sure <= 3; sure++ {
					if l := look(); l.Step.Axis != "y" || l.Step.Sure != sure || math.Abs(l.Step.MM+0.8) > 0.1 {
						t.Errorf("0.8 mm of Y lost, look %d: %+v", sure, l)
					}
				}
			})
		})
	}
}
