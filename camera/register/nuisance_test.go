package register_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"layerd/camera/register"
)

// nuisances are what happens to pictures without anything being lost. Each changes the world for a layer.
var nuisances = []struct {
	name   string
	change func(w *world, layer int)
}{
	{"nothing", func(*world, int) {}},
	{"the lamp goes on and off", func(w *world, layer int) {
		w.gain, w.slope = []float64{1, 0.45}[layer/9%2], []float64{0, 0.25}[layer/9%2]
	}},
	{"the sun sets", func(w *world, layer int) { w.gain, w.slope = 1.2-float64(layer)*0.015, float64(layer)*0.012-0.3 }},
	{"the exposure hunts", func(w *world, layer int) { w.gain, w.offset = 0.7+0.6*w.rng.Float64(), 40*w.rng.Float64()-20 }},
	{"noise", func(w *world, layer int) { w.noise = 12 }},
	{"the print grows", func(w *world, layer int) { w.covered, w.partSeed = float64(layer)*0.6, float64(layer)*0.3 }},
	{"the camera is nudged", func(w *world, layer int) {
		w.nudge = [][4]float64{{}, {3, -2, 2, 0}, {-2, 1, -1, 1}}[layer/14]
	}},
	{"the camera slides", func(w *world, layer int) { w.slide = []float64{0, 4}[min(layer/10, 1)] }},
	{"the camera shakes", func(w *world, layer int) { w.nudge[0], w.nudge[1] = 0.7*w.rng.NormFloat64(), 0.7*w.rng.NormFloat64() }},
	{"somebody stands there", func(w *world, layer int) { w.handAt = max(0, float64(layer%14-8)*0.07) }},
	{"a cable swings", func(w *world, layer int) { w.cable = 14 * w.rng.NormFloat64() }},
	{"the fan turns", func(w *world, layer int) { w.fan = 1 + w.rng.Float64() }},
	{"the bed bends", func(w *world, layer int) { w.flex = 0.5 * math.Sin(float64(layer)/20) }},
	{"other filament", func(w *world, layer int) { w.covered, w.partSeed = 20, float64(layer/14*100) }},
	{"all at once", func(w *world, layer int) {
		w.gain, w.offset, w.noise = 0.8+0.4*w.rng.Float64(), 20*w.rng.Float64()-10, 6
		w.covered, w.partSeed, w.flex = float64(layer)*0.4, float64(layer)*0.3, 0.2*math.Sin(float64(layer)/20)
		w.cable, w.fan = 14*w.rng.NormFloat64(), 1+w.rng.Float64()
		w.nudge[0], w.nudge[2] = 0.5*w.rng.NormFloat64(), float64(layer)/40
	}},
}

// Nothing is suspected in 40 layers of each, or with -short in 24 of all at once, hardly a look is blind, and at the end what is lost is found.
func TestNuisances(t *testing.T) {
	layers := longer(t, 24, 40)
	var worlds [2]*world
	var cals [2]*register.Calibration
	for i := range worlds[:longer(t, 1, 2)] {
		worlds[i] = newWorld(uint64(20+i), 60)
		worlds[i].coreXY = i == 1
		cals[i] = worlds[i].calibrated(t)
	}
	for i, n := range nuisances {
		every := longer(t, len(nuisances), 1)
		if i%every != every-1 {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			w, cal := worlds[i/every%2].copy(uint64(i)), cals[i/every%2]
			watch := register.NewWatcher(cal)
			blind := 0
			for layer := range layers {
				n.change(w, layer)
				l := watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
				if l.Step.Sure > 0 {
					t.Fatalf("nothing was lost: %+v", l)
				}
				if layer > 3 && !(l.SeesX && l.SeesY) {
					blind++
				}
			}
			most := layers / 20
			if n.name == "the camera slides" {
				most = layers / 2 // until what was seen since then is the measure
			}
			if n.name == "the lamp goes on and off" {
				most = layers / 2 // after each change until there is a new measure
			}
			if blind > most {
				t.Errorf("%d of %d looks were blind", blind, layers)
			}
			w.lost = [2]float64{0.8, -0.8}
			for sure := 1; sure <= 3; sure++ {
				layer := layers + sure
				n.change(w, layers-1)
				l := watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
				if l.Step.Sure != sure || l.Step.SinceLayer != layers+1 || math.Abs(math.Abs(l.Step.MM)-0.8) > 0.2 {
					t.Errorf("0.8 mm lost, look %d: %+v", sure, l)
				}
			}
		})
	}
}

// What a look says it would find is found, from very dull to clear; and where it says that it is blind nothing is claimed.
func TestDetects(t *testing.T) {
	seen := 0
	for i, contrast := range []float64{16, 60, 8, 25}[:longer(t, 1, 4)] {
		w := newWorld(uint64(40+i), contrast)
		w.coreXY, w.noise, w.quality = i%2 == 0, 4, 60
		cal, err := w.calibrate(t)
		if err != nil {
			continue // it says so
		}
		watch := register.NewWatcher(cal)
		var l register.Look
		for layer := range longer(t, 12, 25) {
			l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
			if l.Step.Sure > 1 {
				t.Errorf("contrast %v: nothing was lost: %+v", contrast, l)
			}
		}
		for axis, sees := range []bool{l.SeesX, l.SeesY} {
			if !sees {
				continue
			}
			seen++
			detects := []float64{l.DetectsXMM, l.DetectsYMM}[axis]
			w.lost = [2]float64{}
			w.lost[axis] = 1.5 * detects
			for layer := 26; layer < 29; layer++ {
				l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
			}
			if l.Step.Axis != []string{"x", "y"}[axis] || l.Step.Sure < 2 || math.Abs(l.Step.MM-w.lost[axis]) > detects {
				t.Errorf("contrast %v: %.2f mm lost in %d: %+v", contrast, w.lost[axis], axis, l)
			}
			w.lost = [2]float64{}
			for layer := 30; layer < 34; layer++ {
				l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
			}
			if l.Step.Sure > 0 {
				t.Errorf("contrast %v: what was lost came back: %+v", contrast, l)
			}
		}
	}
	if seen < longer(t, 1, 5) {
		t.Errorf("%d axes were seen in all", seen)
	}
}

// However far the head is thrown, as long as it is in the picture.
func TestFarLoss(t *testing.T) {
	w := newWorld(60, 60)
	w.coreXY = true
	cal := w.calibrated(t)
	for _, lost := range [][2]float64{{11, 0}, {0.45, 0}, {-12, -12}, {-7, 9}, {0, -12}, {3.2, 1.6}}[:longer(t, 3, 6)] {
		w.lost = [2]float64{}
		watch := register.NewWatcher(cal)
		for layer := range 5 {
			watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
		}
		w.lost = lost
		l := watch.Look(5, height(5), w.pictures(t, height(5), 1))
		if l.Step.Sure != 1 || math.Abs(l.XMM-lost[0]) > 0.15+0.05*math.Abs(lost[0]) || math.Abs(l.YMM-lost[1]) > 0.15+0.05*math.Abs(lost[1]) {
			t.Errorf("lost %v: %+v", lost, l)
		}
	}
}

func TestWatcher(t *testing.T) {
	w := newWorld(81, 60)
	cal := w.calibrated(t)
	for name, test := range map[string]func(*testing.T, *world, *register.Calibration){
		"blind": testBlind, "blind in one axis": testBlindInOneAxis, "relearn": testRelearn, "creep": testCreep, "shadow": testShadow, "kept": testCalibrationIsKept,
	} {
		t.Run(name, func(t *testing.T) { test(t, w.copy(1), cal) })
	}
}

func testBlind(t *testing.T, w *world, cal *register.Calibration) {
	for i, c := range []struct {
		why    register.Blind
		change func(w *world) // nil: other pictures
		at     register.Pose
		pics   []*register.Luma
	}{
		{why: register.NoPicture, at: park},
		{why: register.NoPicture, at: park, pics: []*register.Luma{nil}},
		{why: register.NoPicture, at: park, pics: []*register.Luma{{W: 100, H: 100, Pix: make([]byte, 10_000)}}},
		{why: register.NoPicture, at: park, pics: []*register.Luma{{W: w.w, H: w.h, Pix: make([]byte, 10)}}},
		{why: register.Elsewhere, at: register.Pose{XMM: 100, YMM: 100, ZMM: 2}, change: func(*world) {}},
		{why: register.Elsewhere, at: register.Pose{XMM: math.NaN()}, change: func(*world) {}},
		{why: register.Dark, at: height(9), change: func(w *world) { w.gain = 0.02 }},
		{why: register.Overexposed, at: height(9), change: func(w *world) { w.gain = 4 }},
		{why: register.Blurred, at: height(9), change: func(w *world) { w.blur = 12 }},
		{why: register.Covered, at: height(9), change: func(w *world) { w.head, w.bed = w.hand, w.hand }},
		{why: register.CameraMoved, at: height(9), change: func(w *world) { w.nudge = [4]float64{22, -5, 0, 0} }},
		{why: register.CameraMoved, at: height(9), change: func(w *world) { w.nudge = [4]float64{150, 40, 20, 0} }},
		{why: register.Learning, at: height(9), change: func(w *world) {}},
	} {
		if i%longer(t, 3, 1) > 0 {
			continue
		}
		watch := register.NewWatcher(cal)
		if c.why != register.Learning {
			for layer := range 5 {
				watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
			}
		}
		if c.change != nil {
			other := *w
			c.change(&other)
			c.pics = other.pictures(t, c.at, 2)
		}
		l := watch.Look(9, c.at, c.pics)
		if l.Why != c.why || l.Sees || l.SeesX || l.SeesY || l.Step.Sure > 0 {
			t.Errorf("%s: got %+v", c.why, l)
		}
		if c.why == register.Learning || c.why == register.NoPicture {
			continue
		}
		for layer := 10; layer < 12; layer++ { // it sees again at once
			l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
		}
		if !l.SeesX || !l.SeesY || l.Step.Sure > 0 {
			t.Errorf("after %s: %+v", c.why, l)
		}
	}
}

// One axis is covered: that one is blind, the other is not.
func testBlindInOneAxis(t *testing.T, w *world, cal *register.Calibration) {
	watch := register.NewWatcher(cal)
	for layer := range 6 {
		watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
	}
	w.head = w.hand
	l := watch.Look(6, height(6), w.pictures(t, height(6), 1))
	if l.SeesX || !l.SeesY || !l.Sees || l.Why != register.Covered || l.DetectsXMM < 10 {
		t.Errorf("the head is covered: %+v", l)
	}
}

// Another plate and another lamp: the watcher that begins then, or is told to, takes it as it is.
func testRelearn(t *testing.T, w *world, cal *register.Calibration) {
	w.bed, w.slope = w.part, 0.2
	watch := register.NewWatcher(cal)
	var l register.Look
	for layer := range 12 {
		l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
	}
	if !l.SeesX || !l.SeesY {
		t.Errorf("with another plate: %+v", l)
	}
	w.lost[1] = 0.8
	if l = watch.Look(12, height(12), w.pictures(t, height(12), 1)); l.Step.Axis != "y" || math.Abs(l.Step.MM-0.8) > 0.1 {
		t.Errorf("0.8 mm of Y lost: %+v", l)
	}
	watch.Relearn()
	for layer := 13; layer < 20; layer++ {
		if l = watch.Look(layer, height(layer), w.pictures(t, height(layer), 1)); l.Step.Sure > 0 || math.Abs(l.YMM) > 0.1 {
			t.Errorf("relearnt: %+v", l)
		}
	}
}

// A calibration that was kept is the same, and is not long.
func testCalibrationIsKept(t *testing.T, _ *world, cal *register.Calibration) {
	text, err := json.Marshal(cal)
	if err != nil || len(text) > 200_000 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	var kept register.Calibration
	if err := json.Unmarshal(text, &kept); err != nil || !reflect.DeepEqual(*cal, kept) {
		t.Fatalf("it is not the same: %v", err)
	}
	if x, y, cw, ch := kept.Crop("x"); x > 0.27 || x+cw < 0.38 || y > 0.17 || y+ch < 0.45 || cw > 0.6 || ch > 0.6 {
		t.Errorf("the head is looked for at %.2f %.2f, %.2f × %.2f", x, y, cw, ch)
	}
}

// A pulley that slips a little each layer makes no step, but is told of.
func testCreep(t *testing.T, w *world, cal *register.Calibration) {
	watch := register.NewWatcher(cal)
	for layer := range longer(t, 40, 100) {
		w.lost[0] = 0.02 * float64(layer)
		l := watch.Look(layer, height(layer), w.pictures(t, height(layer), 1))
		if l.Step.Sure > 0 && !l.Step.Creeps || l.Step.Creeps && w.lost[0] < 1.3 || l.Step.Sure < 3 && w.lost[0] > 1.7 {
			t.Fatalf("crept %.2f mm: %+v", w.lost[0], l)
		}
	}
}
