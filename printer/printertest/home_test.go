package printertest

import (
	"math"
	"strings"
	"testing"
	"time"
)

// homed is a Marlin with levelling that was on in mid-print, at X50 Y60 Z1.2, with an offset on X and Y.
func homed(t *testing.T, h Homing) chat {
	c := talking(t, Config{Leveling: "bilinear", Homing: h})
	c.talk("G28")
	c.talk("G29")
	c.talk("G1 X50 Y60 Z1.2 F1800")
	c.talk("G92 X0 Y0")
	return c
}

// TestHomingInMidPrint is what G28 X leaves behind.
func TestHomingInMidPrint(t *testing.T) {
	for _, x := range []struct {
		name, command    string
		h                Homing
		z, offsetX, offY float64
		leveling         bool
	}{
		{"plain", "G28 X", Homing{}, 1.2, 0, -60, false},
		{"with a raise", "G28 X Y", Homing{RaiseMM: 5}, 5, 0, 0, false},
		{"with a raise, and R0", "G28 R0 X Y", Homing{RaiseMM: 5}, 1.2, 0, 0, false},
		{"with a raise, and R0 that is not known", "G28 R0 X Y", Homing{RaiseMM: 5, NoR: true}, 5, 0, 0, false},
		{"it is high enough", "G28 X", Homing{RaiseMM: 1}, 1.2, 0, -60, false},
		{"another raise", "G28 R8 Y", Homing{}, 8, -50, 0, false},
		{"levelling is kept", "G28 X", Homing{KeepsLeveling: true}, 1.2, 0, -60, true},
		{"levelling is on again with L1", "G28 X L1", Homing{}, 1.2, 0, -60, true},
		{"levelling is off with L0", "G28 X L0", Homing{KeepsLeveling: true}, 1.2, 0, -60, false},
		{"X takes Y along", "G28 X", Homing{Together: true, YFirst: true}, 1.2, 0, 0, false},
		{"Y takes X along", "G28 Y", Homing{Together: true}, 1.2, 0, 0, false},
		{"but X does not take Y", "G28 X", Homing{Together: true}, 1.2, 0, -60, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := homed(t, x.h)
			before := c.body().State()
			if !before.Leveling || before.WorkspaceMM != [3]float64{-50, -60} {
				t.Fatalf("before: %+v", before)
			}
			c.talk(x.command)
			s := c.body().State()
			if s.TrueMM[2] != x.z || s.PlannedMM[2] != x.z || s.WorkspaceMM[0] != x.offsetX || s.WorkspaceMM[1] != x.offY || s.Leveling != x.leveling {
				t.Errorf("after: %+v", s)
			}
			if s.FeedMMS != before.FeedMMS {
				t.Errorf("feed %g", s.FeedMMS)
			}
		})
	}
}

func TestLevellingIsTold(t *testing.T) {
	c := homed(t, Homing{})
	c.says("M420", "echo:Bed Leveling On", "echo:Fade Height Off")
	c.talk("G28 X")
	c.says("M420", "echo:Bed Leveling Off", "echo:Fade Height Off")
	c.says("M420 S1 Z10", "echo:Bed Leveling On", "echo:Fade Height 10.00")
	c.says("M420 S0", "echo:Bed Leveling Off", "echo:Fade Height 10.00")
	c.has("M503", "echo:  M420 S0 Z10.00 ; Leveling OFF", true)

	none := talking(t, Config{Leveling: "bilinear"})
	none.says("M420 S1", "echo:Invalid mesh.", "Error:Failed to enable Bed Leveling", "echo:Bed Leveling Off", "echo:Fade Height Off")
}

// TestHomingOrder is watched from outside, in real time.
func TestHomingOrder(t *testing.T) {
	for name, yFirst := range map[string]bool{"X first": false, "Y first": true} {
		t.Run(name, func(t *testing.T) {
			talk(t, Config{Speed: 1, Homing: Homing{YFirst: yFirst, ZSafe: true, RaiseMM: 10}}, func(h *host) {
				start := h.sim.Body().True
				h.send("G28")
				h.sleep(5 * time.Second)
				b := h.sim.Body()
				if moved := [2]bool{b.True[0] != start[0], b.True[1] != start[1]}; moved != [2]bool{!yFirst, yFirst} || b.True[2] <= start[2] {
					t.Errorf("after some seconds at %v", b.True)
				}
				h.sleep(time.Minute)
				if b := h.sim.Body(); b.True != [3]float64{110, 110, 0} || b.Homed != [3]bool{true, true, true} {
					t.Errorf("homed to %v", b.True)
				}
			})
		})
	}
	c := talking(t, Config{Homing: Homing{ZSafe: true}})
	c.has("G28 Z", "echo:Home XY First", true)
	if c.body().Homed[2] {
		t.Error("Z was homed where nobody knows")
	}
}

// TestHomingTrusts is homing with a switch that is none: it is believed, or the firmware notices.
func TestHomingTrusts(t *testing.T) {
	closed := talking(t, Config{X: Switch{Kind: StuckClosed}})
	closed.talk("G28 X")
	if b := closed.body(); b.True[0] != 88+bumpMM || b.Believed[0] != 0 || !b.Homed[0] {
		t.Errorf("stuck closed: %v, believed %v", b.True, b.Believed)
	}
	none := talking(t, Config{Y: Switch{Kind: NoSwitch}})
	none.talk("G28 Y")
	if b := none.body(); math.Abs(b.True[1]-121) > 1e-9 || b.Believed[1] != 0 {
		t.Errorf("none: %v, believed %v", b.True, b.Believed)
	}
	open := talking(t, Config{X: Switch{Kind: StuckOpen}})
	open.says("G28", "Error:Printer halted. kill() called!", "//action:poweroff")
	if b := open.body(); !b.Halted || b.True[0] != -slackMM || b.Homed[1] {
		t.Errorf("stuck open: %+v", b)
	}
	klipper := talking(t, Config{Firmware: "klipper", X: Switch{Kind: StuckOpen}})
	klipper.says("G28", "!! No trigger on x after full movement")
	if b := klipper.body(); b.Homed[0] || b.Homed[1] {
		t.Errorf("homed: %v", b.Homed)
	}
	blind := talking(t, Config{Firmware: "sprinter", X: Switch{Kind: StuckOpen}})
	blind.talk("G28 X")
	if b := blind.body(); !b.Homed[0] || b.True[0] != -slackMM || b.Believed[0] != 0 {
		t.Errorf("sprinter: %+v", b)
	}
	seen := map[float64]bool{}
	sensorless := talking(t, Config{X: Switch{Kind: Sensorless, Scatter: 3}})
	for range 100 {
		sensorless.talk("G28 X")
		seen[micro(sensorless.body().True[0])] = true
		sensorless.talk("G1 X20")
	}
	if len(seen) != 4 || !seen[0] || !seen[0.2] || !seen[0.6] {
		t.Errorf("sensorless: home at %v", seen)
	}
}

func TestHomeOffset(t *testing.T) {
	c := talking(t, Config{})
	c.talk("G28")
	c.has("M206 X5", "X:5.00 Y:0.00", true)
	c.says("M206", "  M206 X5.00 Y0.00 Z0.00")
	c.talk("G1 X15")
	if b := c.body(); b.True[0] != 10 {
		t.Errorf("truly at %v", b.True)
	}
	c.talk("G92 X0")
	c.has("G28 X", "X:5.00 Y:0.00", true)
	if s := c.body().State(); s.HomeOffsetMM != [3]float64{5} || s.WorkspaceMM != [3]float64{5} {
		t.Errorf("%+v", s)
	}
}

// TestKlipperCounters is Klipper's own way of finding lost steps: homing does not set back what GET_POSITION tells of its steppers.
func TestKlipperCounters(t *testing.T) {
	c := talking(t, Config{Firmware: "klipper"})
	c.talk("G28")
	home := strings.Split(c.talk("GET_POSITION")[0], " ")[2]
	c.talk("G1 X50")
	c.talk("G28 X")
	c.has("GET_POSITION", home, true)
	c.talk("G1 X50")
	c.fw.trigger(Trigger{Kind: Lose, Axis: 'x', N: 4})
	c.talk("G28 X")
	c.has("GET_POSITION", home, false)
	if got := c.fw.counted[0] - -88; math.Abs(got+0.8) > 1e-9 {
		t.Errorf("the counters are off by %g", got)
	}
}

// TestLosses are the ways of losing a position.
func TestLosses(t *testing.T) {
	at := func(c chat, x, y float64) {
		t.Helper()
		if b := c.body(); math.Abs(b.True[0]-x) > 1e-9 || math.Abs(b.True[1]-y) > 1e-9 || b.Believed[0] != 50 || b.Believed[1] != 50 {
			t.Errorf("truly at %v, believed %v; want %g, %g", b.True, b.Believed, x, y)
		}
	}
	start := func(cfg Config) chat {
		c := talking(t, cfg)
		c.talk("G28")
		c.talk("G1 X50 Y50 F6000")
		return c
	}
	c := start(Config{})
	c.fw.trigger(Trigger{Kind: Lose, Axis: 'x', N: 8})
	at(c, 51.6, 50)
	c.fw.trigger(Trigger{Kind: Tooth, Axis: 'y', N: -1})
	at(c, 51.6, 48)
	c.fw.trigger(Trigger{Kind: Revert, Axis: 'x'})
	at(c, 50, 48)
	c.fw.trigger(Trigger{Kind: Revert, Axis: 'x'})
	at(c, 50, 48)
	c.talk("G28 Y")
	c.talk("G1 Y50")
	at(c, 50, 50)
	c.fw.trigger(Trigger{Kind: Revert, Axis: 'y'}) // what homing has mended does not come back
	at(c, 50, 50)

	core := start(Config{CoreXY: true})
	core.fw.trigger(Trigger{Kind: Lose, Axis: 'x', N: 8})
	at(core, 50.8, 50.8)
	core.fw.trigger(Trigger{Kind: Lose, Axis: 'y', N: 4})
	at(core, 51.2, 50.4)
	core.fw.trigger(Trigger{Kind: Shift, Axis: 'y', MM: 1}) // a push by hand
	at(core, 51.2, 51.4)
	core.fw.trigger(Trigger{Kind: Revert, Axis: 'x'})
	at(core, 50.4, 50.6)

	creep := start(Config{})
	creep.talk("M302 P1")
	creep.fw.trigger(Trigger{Kind: Creep, Axis: 'x', MM: 0.02})
	for _, line := range []string{"G1 Z0.2", "G1 X60 E1", "G1 X50 E2", "G1 Z0.4", "G1 X60 E3", "G1 X50 E4", "G1 Z0.6", "G1 X60 E5", "G1 X50 E6"} {
		creep.talk(line)
	}
	at(creep, 50.06, 50)
	creep.fw.trigger(Trigger{Kind: Revert, Axis: 'x'})
	creep.talk("G1 Z0.8")
	creep.talk("G1 X60 E7")
	creep.talk("G1 X50 E8")
	at(creep, 50, 50)
}

// TestStateComesBack is what a check of the switches promises, done right.
func TestStateComesBack(t *testing.T) {
	c := talking(t, Config{X: Switch{SigmaMM: 0.02, HysteresisMM: 0.1}, Leveling: "bilinear"})
	for _, line := range []string{"G28", "G29", "M302 P1", "M83", "G1 X80.123 Y90.456 Z1.4 E0.3 F1800", "G92 X3", "M220 S90"} {
		c.talk(line)
	}
	before := c.body().State()
	for _, line := range []string{"G91", "G1 E-1.3 F3000", "G1 Z5 F600", "G90", "M211 S0", "G1 X-76.7", "M119", "G1 X-78", "M211 S1", "G1 X3", "G1 Z1.4", "M83", "G1 E1.3", "G1 F1800"} {
		c.talk(line)
	}
	if after := c.body().State(); after != before {
		t.Errorf("it was %+v\n and is %+v", before, after)
	}
	c.talk("M204 P500")
	if c.body().State() == before {
		t.Error("another acceleration makes no difference")
	}
}
