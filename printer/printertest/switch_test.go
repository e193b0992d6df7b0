package printertest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseSwitch(t *testing.T) {
	for spec, want := range map[string]Switch{
		"min":        {},
		"min,at=-5":  {AtMM: -5},
		"max, sound": {Max: true},
		"max,at=225,overtravel=1,hysteresis=0.1,sigma=0.03,bounce=0.05": {Max: true, AtMM: 225, OvertravelMM: 1, HysteresisMM: 0.1, SigmaMM: 0.03, BounceMM: 0.05},
		"min,sensorless,scatter=6":                                      {Kind: Sensorless, Scatter: 6}, "min,stuck-open": {Kind: StuckOpen},
		"max,stuck-closed": {Kind: StuckClosed, Max: true}, "min,none": {Kind: NoSwitch},
	} {
		if got, err := ParseSwitch(spec); err != nil || got != want {
			t.Errorf("%q: %+v, %v", spec, got, err)
		}
	}
	for _, bad := range []string{"", "at=5", "min=3", "min,bogus", "min,bogus=1", "min,at", "min,at=x", "min,sigma=-1", "min,sigma=NaN", "min,at=9999", "min,overtravel=-1", "min,scatter=x",
		"min,scatter=101", "min,stuck-open=1", "min,hysteresis=11"} {
		if got, err := ParseSwitch(bad); err == nil {
			t.Errorf("%q was taken as %+v", bad, got)
		}
	}
	for name := range switchKinds {
		if name != "sound" && !strings.Contains(SwitchForm, name) {
			t.Errorf("nothing tells people of %s", name)
		}
	}
	for _, cfg := range []Config{{X: Switch{SigmaMM: -1}}, {Y: Switch{Scatter: 1000}}, {Homing: Homing{RaiseMM: math.NaN()}}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func TestParseHoming(t *testing.T) {
	got, err := ParseHoming("raise=5, no-r,keeps-leveling,y-first,together,z-safe,")
	if want := (Homing{RaiseMM: 5, NoR: true, KeepsLeveling: true, YFirst: true, Together: true, ZSafe: true}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"raise", "raise=", "raise=-1", "raise=NaN", "bogus", "no-r=1"} {
		if _, err := ParseHoming(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, name := range []string{"raise=", "no-r", "keeps-leveling", "y-first", "together", "z-safe"} {
		if !strings.Contains(HomingForm, name) {
			t.Errorf("nothing tells people of %s", name)
		}
	}
}

// stands is how an axis' switch reads.
func (c chat) stands(axis string) string {
	c.Helper()
	for _, line := range c.talk("M119") {
		if word, ok := strings.CutPrefix(line, axis+": "); ok {
			return word
		}
	}
	return "missing"
}

// TestBracket is how a host tells that no step was lost: open at 0.4 mm ahead of home, closed 0.4 mm behind it; and that one was.
func TestBracket(t *testing.T) {
	for _, c := range []struct {
		name  string
		x     Switch
		home  float64
		back  float64 // the way back from the switch
		steps int
		want  string
	}{
		{"perfect", Switch{}, 0, 1, 0, "open TRIGGERED"},
		{"lost away from the switch", Switch{}, 0, 1, 4, "open open"},
		{"lost towards it", Switch{}, 0, 1, -4, "TRIGGERED TRIGGERED"},
		{"home at -5", Switch{AtMM: -5}, -5, 1, 0, "open TRIGGERED"},
		{"home at -5, lost", Switch{AtMM: -5}, -5, 1, 4, "open open"},
		{"at the far end", Switch{Max: true}, 220, -1, 0, "open TRIGGERED"},
		{"at the far end, lost towards it", Switch{Max: true, AtMM: 223}, 223, -1, 4, "TRIGGERED TRIGGERED"},
		{"at the far end, lost away from it", Switch{Max: true, AtMM: 223}, 223, -1, -4, "open open"},
		{"stuck open", Switch{Kind: NoSwitch}, 0, 1, 0, "missing missing"},
		{"sensorless", Switch{Kind: Sensorless}, 0, 1, 0, "open open"},
		{"stuck closed", Switch{Kind: StuckClosed}, 0, 1, 0, "TRIGGERED TRIGGERED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			talk := talking(t, Config{X: c.x})
			axis := "x_min"
			if c.x.Max {
				axis = "x_max"
			}
			talk.talk("G28")
			talk.talk("G1 X100 Y100 Z5 F6000")
			talk.fw.trigger(Trigger{Kind: Lose, Axis: 'x', N: c.steps})
			talk.talk(fmt.Sprintf("G1 X%g", c.home+c.back*5))
			talk.talk(fmt.Sprintf("G1 X%g", c.home+c.back*0.4))
			ahead := talk.stands(axis)
			talk.talk("M211 S0")
			talk.talk(fmt.Sprintf("G1 X%g", c.home-c.back*0.4))
			if got := ahead + " " + talk.stands(axis); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestSoftEndstops(t *testing.T) {
	c := talking(t, Config{X: Switch{AtMM: -5}, Y: Switch{Max: true, AtMM: 225}})
	c.talk("G28")
	c.says("M211", "  M211 S1 ; ON", "  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y225.00 Z250.00")
	if b := c.body(); b.Believed != [4]float64{-5, 225} || b.True != [3]float64{-5, 225} {
		t.Errorf("home is at %v, truly %v", b.Believed, b.True)
	}
	c.talk("G1 X-6 Y226")
	if b := c.body(); b.Believed[0] != -5 || b.Believed[1] != 225 {
		t.Errorf("not clipped: %v", b.Believed)
	}
	c.says("M211 S0")
	c.says("M211", "  M211 S0 ; OFF", "  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y225.00 Z250.00")
	c.talk("G1 X-6 Y226")
	if b := c.body(); b.Believed[0] != -6 || b.True[1] != 226 {
		t.Errorf("clipped: %v", b.Believed)
	}
	c.talk("G92 X4")
	c.has("M211", "  Min:  X5.00 Y0.00", true)

	old := talking(t, Config{Firmware: "marlin1"})
	old.says("M211 S0", "echo:Soft endstops: Off  Min: X0.00 Y0.00 Z0.00  Max: X220.00 Y220.00 Z250.00")
	old.has("M211 S1", "echo:Soft endstops: On   Min: ", true)
}

// At the frame the motor leans, and then falls back by four full steps at a time.
func TestStepsAreLostAtTheFrame(t *testing.T) {
	for to, want := range map[float64]float64{-1: 0, -1.9: 0, -2: 0, -2.3: 0, -2.5: 0.8, -3.1: 0.8, -3.3: 1.6, -10: 8} {
		c := talking(t, Config{})
		c.talk("G28")
		c.talk("M211 S0")
		c.talk(fmt.Sprintf("G1 X%g", to))
		if at := c.body().True[0]; at < -2 || at > -1.6 && to < -2 {
			t.Errorf("to %g: truly at %g, behind the frame or bounced off", to, at)
		}
		c.talk("G1 X50")
		if got := c.body().True[0] - 50; math.Abs(got-want) > 1e-9 {
			t.Errorf("to %g and back: lost %g, want %g", to, got, want)
		}
	}
}

// A switch opens later than it closed, and closes each time somewhere else.
func TestHysteresisAndNoise(t *testing.T) {
	c := talking(t, Config{X: Switch{HysteresisMM: 0.3}})
	c.talk("G28")
	for _, step := range []struct {
		to   float64
		want string
	}{{0.2, "TRIGGERED"}, {0.35, "open"}, {0.2, "open"}, {0, "TRIGGERED"}, {0.29, "TRIGGERED"}, {5, "open"}} {
		c.talk(fmt.Sprintf("G1 X%g", step.to))
		if got := c.stands("x_min"); got != step.want {
			t.Errorf("at %g: %s", step.to, got)
		}
	}

	homes := func(seed uint64, sigma float64) (at []float64) {
		c := talking(t, Config{Seed: seed, Y: Switch{SigmaMM: sigma}})
		for range 400 {
			c.talk("G28 Y")
			at = append(at, c.body().True[1])
			c.talk("G1 Y10")
		}
		return at
	}
	at := homes(1, 0.05)
	sum := 0.0
	for _, v := range at {
		sum += v * v
	}
	if sigma := math.Sqrt(sum / 400); sigma < 0.043 || sigma > 0.057 {
		t.Errorf("closes with a sigma of %g", sigma)
	}
	if again := homes(1, 0.05); !slices.Equal(at, again) {
		t.Error("the same seed gave other places")
	}
	if slices.Equal(at, homes(2, 0.05)) {
		t.Error("another seed gave the same places")
	}

	b := talking(t, Config{X: Switch{BounceMM: 0.05}})
	b.talk("G28")
	for place, want := range map[string][]string{"0.1": {"open"}, "0.03": {"TRIGGERED", "open"}, "-0.06": {"TRIGGERED"}} {
		b.talk("M211 S0")
		b.talk("G1 X" + place)
		seen := map[string]bool{}
		for range 40 {
			seen[b.stands("x_min")] = true
		}
		var got []string
		for word := range seen {
			got = append(got, word)
		}
		if slices.Sort(got); !reflect.DeepEqual(got, want) {
			t.Errorf("at %s it reads %v", place, got)
		}
	}
}

// TestMovesIntoASwitch is M120: the move ends at the switch, the rest is dropped, and the firmware takes it for done.
func TestMovesIntoASwitch(t *testing.T) {
	c := talking(t, Config{X: Switch{Max: true}})
	c.talk("G28")
	c.talk("G1 X100")
	c.talk("M211 S0")
	c.fw.trigger(Trigger{Kind: Lose, Axis: 'x', N: -8})
	c.says("M120")
	c.says("G1 X230 Y5", "echo:endstops hit:  X:221.60")
	if b := c.body(); math.Abs(b.True[0]-220) > 1e-6 || math.Abs(b.Believed[0]-221.6) > 1e-6 {
		t.Errorf("stopped at %v, counted %v", b.True, b.Believed)
	}
	c.has("M114", "X:230.00 Y:5.00 Z:0.00 E:0.00 Count X:17728 ", true)
	c.says("M121")
	c.talk("G1 X229")
	if b := c.body(); math.Abs(b.True[0]-219) > 1e-6 {
		t.Errorf("goes on from where it believes to be: at %v", b.True)
	}
	c.talk("G28 X")
	if s := c.body().State(); s.TrueMM[0] != 220 || s.PlannedMM[0] != 220 || c.body().Believed[0] != 220 {
		t.Errorf("after homing: %+v", s)
	}
}

// M119 does not wait for moves.
func TestM119DoesNotWait(t *testing.T) {
	talk(t, Config{Speed: 1}, func(h *host) {
		h.send("G28")
		h.sleep(time.Minute)
		h.send("G1 X50 F600")
		h.sleep(time.Second)
		h.take()
		h.send("G1 X0", "M119")
		h.wants("ok", "Reporting endstop status", "x_min: open", "y_min: TRIGGERED", "z_min: TRIGGERED", "ok")
		h.send("M400")
		h.sleep(time.Minute)
		h.take()
		h.send("M119")
		h.wants("Reporting endstop status", "x_min: TRIGGERED", "y_min: TRIGGERED", "z_min: TRIGGERED", "ok")
	})
}

// TestEndstopForms is M119 of other firmware, with the switch of Y at the far end and none at X.
func TestEndstopForms(t *testing.T) {
	for name, want := range map[string][2]string{
		"klipper":        {"stepper_x:TRIGGERED stepper_y:open stepper_z:TRIGGERED", "stepper_y:TRIGGERED stepper_z:TRIGGERED"},
		"repetier":       {"endstops hit: x_min:H y_min:L z_min:H ", "endstops hit: y_max:H z_min:H "},
		"reprapfirmware": {"Endstops - X: at min stop, Y: not stopped, Z: at min stop, Z probe: not stopped", "Endstops - X: no endstop, Y: at max stop, Z: at min stop, Z probe: not stopped"},
		"smoothie":       {"X_min:1 Y_min:0 Z_min:1", "Y_max:1 Z_min:1"},
		"teacup":         {"x_min:triggered y_min:open z_min:triggered ", "y_max:triggered z_min:triggered "},
		"marlin1":        {"x_min: TRIGGERED\ny_min: open\nz_min: TRIGGERED", "y_max: TRIGGERED\nz_min: TRIGGERED"},
	} {
		c := talking(t, Config{Firmware: name})
		c.talk("G28")
		c.talk("G1 Y10")
		c.has("M119", want[0], true)
		c = talking(t, Config{Firmware: name, X: Switch{Kind: NoSwitch}, Y: Switch{Max: true}})
		c.talk("G28")
		if got := strings.Join(c.talk("M119"), "\n"); !strings.Contains(got, want[1]) || strings.Contains(strings.ToLower(got), "x_m") {
			t.Errorf("%s: %q, want %q", name, got, want[1])
		}
	}
}
