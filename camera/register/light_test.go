package register_test

import (
	"math"
	"testing"

	"layerd/camera/register"
)

// A lamp that is switched every few looks: whatever its shadows look like, they are no step. When it stays as it is, what is lost is found again.
func TestLamp(t *testing.T) {
	for i := range longer(t, 1, 8) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			w := newWorld(uint64(100+i), 60)
			w.coreXY, w.lamp = i%2 == 1, 1
			cal := w.calibrated(t)
			watch := register.NewWatcher(cal)
			layer, relit := 0, 0
			look := func() register.Look {
				layer++
				return watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
			}
			for left := 6; layer < longer(t, 30, 60); left-- {
				switched := left == 0
				if switched {
					w.lamp, w.gain, left = 3-w.lamp, 1.7-w.gain, 2+w.rng.IntN(7)
				}
				l := look()
				if l.Step.Sure > 0 {
					t.Fatalf("only a lamp was switched: %+v", l)
				}
				if switched && l.Sees {
					t.Fatalf("the lamp has just been switched: %+v", l)
				}
				if l.Why == register.Relit {
					relit++
				}
			}
			if relit < layer/6 {
				t.Errorf("%d looks in a new light", relit)
			}
			var l register.Look
			for range 12 {
				l = look()
			}
			if !l.SeesX || !l.SeesY {
				t.Fatalf("the lamp has settled: %+v", l)
			}
			w.lost = [2]float64{0.8, -0.8}
			for sure := 1; sure <= 3; sure++ {
				if l = look(); l.Step.Sure != sure || math.Abs(math.Abs(l.Step.MM)-0.8) > 0.2 {
					t.Errorf("0.8 mm lost, look %d: %+v", sure, l)
				}
			}
		})
	}
}

// A shadow that passes by in one look leaves the measure as it was: what was lost meanwhile is found.
func testShadow(t *testing.T, w *world, cal *register.Calibration) {
	watch := register.NewWatcher(cal)
	for layer := range 6 {
		watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
	}
	w.lamp, w.lost[0] = 1, 0.8
	if l := watch.Look(6, height(6), w.pictures(t, height(6), 1)); l.Why != register.Relit || l.Sees || l.Step.Sure > 0 {
		t.Errorf("in the shadow: %+v", l)
	}
	w.lamp = 0
	for layer := 7; layer < 9; layer++ {
		if l := watch.Look(layer, height(layer), w.pictures(t, height(layer), 1)); l.Step.Sure != layer-6 || !l.SeesX || math.Abs(l.Step.MM-0.8) > 0.1 {
			t.Errorf("after it: %+v", l)
		}
	}
}
