package register_test

import (
	"math"
	"testing"

	"layerd/camera/register"
)

// Light that changes from look to look and moves no shadow does no harm: looks go on claiming, and what was lost before a change is seen to be lost after it.
func TestSteadyLight(t *testing.T) {
	t.Parallel()
	w := newWorld(41, 60)
	w.coreXY = true
	watch := register.NewWatcher(w.calibrated(t))
	layer := 0
	look := func() register.Look {
		layer++
		w.gain, w.slope = []float64{1, 0.6}[layer%2], []float64{0, 0.3}[layer%2]
		return watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
	}
	for range 8 {
		if l := look(); layer > 4 && (!l.SeesX || !l.SeesY) || l.Step.Sure > 0 {
			t.Fatalf("nothing was lost: %+v", l)
		}
	}
	w.lost = [2]float64{0.8, 0}
	if l := look(); l.Why != register.Relit || l.Sees || l.Step.Sure > 0 {
		t.Errorf("lost while the light changed, which cannot be told from what shadows do: %+v", l)
	}
	w.lost = [2]float64{}
	if l := look(); l.Step.Sure > 0 || !l.SeesX {
		t.Fatalf("all as before: %+v", l)
	}
	layer++ // the light stays for once
	w.lost[1] = -0.8
	for sure := 1; sure <= 3; sure++ {
		if l := look(); l.Step.Sure != sure || !l.SeesY || math.Abs(l.Step.MM+0.8) > 0.2 {
			t.Errorf("0.8 mm lost, look %d: %+v", sure, l)
		}
	}
}

// What was lost in the look before a lamp is switched is still seen by the next one, whatever its shadows do, and is not taken for the measure in its light.
func TestLostBeforeLamp(t *testing.T) {
	t.Parallel()
	w := newWorld(52, 60)
	w.lamp = 1
	watch := register.NewWatcher(w.calibrated(t))
	layer := 0
	look := func() register.Look {
		layer++
		return watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
	}
	for range 6 {
		look()
	}
	w.lost[0] = 2
	for sure := 1; sure <= 4; sure++ {
		l := look()
		if l.Step.Axis != "x" || l.Step.Sure != min(sure, 3) || math.Abs(l.Step.MM-2) > 0.2 || l.Step.SinceLayer != 7 {
			t.Errorf("2 mm lost, look %d: %+v", sure, l)
		}
		if relit := l.Why == register.Relit; relit != (sure > 1) {
			t.Errorf("look %d: %+v, and the lamp was switched after the first", sure, l)
		}
		w.lamp, w.gain = 2, 0.7
	}
}
