package register_test

import (
	"math"
	"testing"

	"layerd/camera/register"
)

// nuisances are what happens to pictures without anything being lost. Each changes the world for a layer.
var nuisances = []struct {
	name   string
	change func(w *world, layer int)
	blind  float64 // share of looks that may see nothing
}{
	{"nothing", func(*world, int) {}, 0},
	{"lamp on and off", func(w *world, layer int) {
		w.gain, w.slope = []float64{1, 0.45}[layer/9%2], []float64{0, 0.25}[layer/9%2]
	}, 0.05},
	{"sunset", func(w *world, layer int) { w.gain, w.slope = 1.2-float64(layer)*0.007, float64(layer)*0.005-0.3 }, 0},
	{"exposure hunts", func(w *world, layer int) { w.gain, w.offset = 0.7+0.6*w.rng.Float64(), 40*w.rng.Float64()-20 }, 0},
	{"noise", func(w *world, layer int) { w.noise = 12 }, 0},
	{"the print grows", func(w *world, layer int) { w.covered = float64(layer) * 0.5; w.partSeed = float64(layer) * 0.3 }, 0},
	{"the camera is nudged", func(w *world, layer int) {
		if layer >= 40 {
			w.nudge = [4]float64{3, -2, 2, 0}
		}
		if layer >= 70 {
			w.nudge = [4]float64{-2, 1, -1, 1}
		}
	}, 0.03},
	{"the camera shakes", func(w *world, layer int) { w.nudge[0], w.nudge[1] = 0.7*w.rng.NormFloat64(), 0.7*w.rng.NormFloat64() }, 0},
	{"somebody stands there", func(w *world, layer int) {
		if w.handAt = 0; layer%20 > 15 {
			w.handAt = 0.3 + 0.02*float64(layer%5)
		}
	}, 0.05},
	{"a cable swings", func(w *world, layer int) { w.cable = 14 * w.rng.NormFloat64() }, 0},
	{"the fan turns", func(w *world, layer int) { w.fan = 1 + w.rng.Float64() }, 0},
	{"the bed bends", func(w *world, layer int) { w.flex = 0.5 * math.Sin(float64(layer)/20) }, 0},
	{"other filament", func(w *world, layer int) { w.covered, w.partSeed = 20, float64(layer/30*100) }, 0},
}

func TestNuisances(t *testing.T) {
	const layers = 100
	for i, n := range nuisances {
		for _, coreXY := range []bool{false, true} {
			w := newWorld(uint64(20+i), 60)
			w.coreXY = coreXY
			cal, err := w.calibrate(t)
			if err != nil {
				t.Fatal(err)
			}
			watch := register.NewWatcher(cal)
			blind, false1, false2, worst := 0, 0, 0, 0.0
			var found register.Step
			lost := -1
			why := map[register.Blind]int{}
			for layer := range layers + 3 {
				n.change(w, layer)
				if layer == layers {
					w.lost = [2]float64{0.8, -0.8}
				}
				l := watch.Look(layer, height(layer), w.pictures(t, height(layer), 2))
				switch {
				case layer >= layers:
					found, lost = l.Step, layer
				case !l.Sees && l.Why != register.Learning:
					blind++
					why[l.Why]++
				case l.Step.Sure == 1:
					false1++
				case l.Step.Sure > 1:
					false2++
					if false2 < 3 {
						t.Logf("%+v", l)
					}
				default:
					worst = max(worst, math.Abs(l.XMM), math.Abs(l.YMM))
				}
			}
			t.Logf("%-22s %-5v det %.2f %.2f blind %d%v, suspected %d, sure %d, worst %.3f; then %+v at %d", n.name, coreXY, cal.DetectsXMM, cal.DetectsYMM, blind, why, false1, false2, worst, found, lost)
		}
	}
}
