package printertest

import (
	"strings"
	"testing"
	"time"
)

// What the board keeps is what was stored: a restart forgets the rest.
func TestSettingsAreStoredAndRecalled(t *testing.T) {
	c := talking(t, Config{Firmware: "marlin2", Leveling: "bilinear"})
	c.says("M851", "  M851 X-40.00 Y-10.00 Z-1.25 ; (mm)")
	c.says("M851 Z-21", "?Z out of range (-20 to 20)")
	c.says("M851 Z-1.5")
	c.says("M92 X81")
	c.says("M900 K0.08")
	c.says("M900", "echo:Advance K=0.08")
	c.says("M900 K11", "?K value out of range (0-10).")
	c.says("M204 P777")
	c.says("M204", "  M204 P777.00 R3000.00 T3000.00")
	c.says("M500", "echo:Settings Stored (606 bytes; crc 16941)")
	c.says("M92 X99")
	c.has("M503", "echo:  M92 X99.00 Y80.00 Z400.00 E500.00", true)
	c.says("M501", "echo:V90 stored settings retrieved (606 bytes; crc 16941)")
	c.has("M503", "echo:  M92 X81.00 Y80.00 Z400.00 E500.00", true)
	c.has("M503", "echo:  M204 P777.00 R3000.00 T3000.00", true)
	c.has("M503", "echo:  M851 X-40.00 Y-10.00 Z-1.50", true)
	c.says("M502", "echo:Hardcoded Default Settings Loaded")
	c.has("M503", "echo:  M92 X80.00 Y80.00 Z400.00 E500.00", true)
	if z := c.body().ProbeZMM; z != -1.5 {
		t.Errorf("the stored offset is %g", z)
	}
}

// A babystep moves the head, and not what the firmware believes; homing makes an end of it in Marlin.
func TestBabysteps(t *testing.T) {
	c := talking(t, Config{Firmware: "marlin2"})
	c.says("M290 Z0.1")
	if b := c.body(); b.BabystepMM != 0 {
		t.Errorf("before homing: %g", b.BabystepMM)
	}
	c.talk("G28")
	c.says("G1 Z5")
	c.says("M290 Z0.1")
	c.says("M290 Z-0.02")
	if b := c.body(); b.BabystepMM != 0.08 || b.Believed[2] != 5 || b.True[2] != 5.08 {
		t.Errorf("got %+v", b)
	}
	c.talk("G28 Z")
	if b := c.body(); b.BabystepMM != 0 || b.True[2] != 0 {
		t.Errorf("after homing: %+v", b)
	}
	for _, firmware := range []string{"marlin1", "prusa", "repetier"} {
		c := talking(t, Config{Firmware: firmware})
		c.has("M290 Z0.1", "M290", true)
	}
	klipper := talking(t, Config{Firmware: "klipper"})
	klipper.says("G28")
	klipper.says("SET_GCODE_OFFSET Z_ADJUST=0.05 MOVE=1")
	klipper.says("G28")
	if b := klipper.body(); b.BabystepMM != 0.05 || b.True[2] != 0.05 {
		t.Errorf("klipper: %+v", b)
	}
	klipper.has("SET_PRESSURE_ADVANCE ADVANCE=0.04", "// pressure_advance: 0.040000", true)
}

func TestMeshes(t *testing.T) {
	c := talking(t, Config{Firmware: "marlin2", Leveling: "bilinear"})
	c.has("M420 V", "echo:Invalid mesh.", true)
	c.says("G29", "echo:Home XYZ First")
	c.talk("G28")
	c.has("G29", "Bilinear Leveling Grid:", true)
	c.has("M420 V", " 0 +0.040 +0.017 +0.010 +0.017 +0.040", true)
	c.has("M115", "Cap:Z_PROBE:1", true)

	ubl := talking(t, Config{Firmware: "marlin2", Leveling: "ubl"})
	ubl.talk("G28")
	ubl.says("G29 P1")
	ubl.has("M420 V", " 0 |[  .   ] +0.017  +0.010  +0.017  +0.040 ", true)

	prusa := talking(t, Config{Firmware: "prusa"})
	prusa.says("G81", "Mesh bed leveling not active.")
	prusa.talk("G28")
	prusa.says("G80")
	prusa.has("G81", "Num X,Y: 7,7", true)

	klipper := talking(t, Config{Firmware: "klipper", Leveling: "bilinear"})
	klipper.says("BED_MESH_OUTPUT", "// bed_mesh: bed has not been probed")
	klipper.says("G28")
	klipper.says("BED_MESH_CALIBRATE")
	klipper.has("BED_MESH_OUTPUT", "// 0.040000 0.017500 0.010000 0.017500 0.040000", true)

	plain := talking(t, Config{Firmware: "marlin2"})
	for _, command := range []string{"M420 V", "G29", "M851", "G80", "G81"} {
		plain.says(command, `echo:Unknown command: "`+command+`"`)
	}
}

// chat is a conversation with a board without clock: each command is answered at once.
type chat struct {
	*testing.T
	*board
}

func talking(t *testing.T, cfg Config) chat {
	sim, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return chat{t, sim.board}
}

// talk sends a command and returns what comes before its ok.
func (c chat) talk(command string) (lines []string) {
	c.Helper()
	for _, b := range []byte(command + "\n") {
		c.fw.receive(b)
	}
	c.fw.run()
	c.fw.advance(c.fw.now + time.Second)
	said := string(c.fw.out)
	c.fw.out = c.fw.out[:0]
	for _, line := range strings.Split(said, "\n") {
		switch line = strings.TrimRight(line, "\r"); {
		case line == "ok" || line == "wait" || line == "":
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func (c chat) says(command string, want ...string) {
	c.Helper()
	if got := c.talk(command); strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.Errorf("%s: got %q, want %q", command, got, want)
	}
}

func (c chat) has(command, part string, want bool) {
	c.Helper()
	if got := c.talk(command); strings.Contains(strings.Join(got, "\n"), part) != want {
		c.Errorf("%s: got %q", command, got)
	}
}

func (c chat) body() Body { return c.fw.body() }
