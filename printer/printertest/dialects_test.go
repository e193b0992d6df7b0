package printertest

import (
	"strings"
	"testing"
)

// TestDialectTranscripts plays what was observed of Marlin 1.1 and Klipper, and what the others are known to say.
func TestDialectTranscripts(t *testing.T) {
	start := framed("0", "M110 N0")
	real := func(name string, advanced bool) Config {
		return Config{Firmware: name, AdvancedOK: advanced, Speed: 1, Heat: 1}
	}
	for name, c := range map[string]struct {
		cfg       Config
		exchanges []exchange
	}{
		"marlin2-plain": {real("marlin2-plain", false), []exchange{
			{start, "ok"}, {framed("1", "M106 S128"), "ok"},
			{"N3 G92 E0*1", "Error:Line Number is not Last Line Number+1, Last Line: 1|Resend: 2|ok"},
			{"M155 S1", `echo:Unknown command: "M155 S1"|ok`},
			{"G4 S10", ""}, {"M105", ""}, {"M112", "Error:Printer halted. kill() called!"}, {"M105", ""},
		}},
		"without emergency parser a full queue hides M112": {real("marlin2-plain", false), []exchange{
			{"G4 S1|M105|M105|M105|M112", ""},
			{"+1s", "ok|Error:Printer halted. kill() called!"},
		}},
		"marlin1": {real("marlin1", true), []exchange{
			{start, "ok N0 P15 B3"}, {framed("1", "M105"), "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"}, {framed("2", "M117"), "ok N2 P15 B3"},
			{framed("3", "M117") + "1", "Error:checksum mismatch, Last Line: 2|Resend: 3|ok P15 B4"},
			{framed("2", "M117"), "Error:Line Number is not Last Line Number+1, Last Line: 2|Resend: 3|ok P15 B4"},
			{"G21", `echo:Unknown command: "G21"|ok P15 B3`},
		}},
		"prusa": {real("prusa", false), []exchange{
			{start, "ok"}, {"M105", "ok T:21.2 /0.0 B:21.2 /0.0 T0:21.2 /0.0 @:0 B@:0 P:0.0 A:28.4"},
			{"M105*1", "Error:No Line Number with checksum, Last Line: 0|Resend: 1|ok"},
			{"M155 S2", "ok"}, {"+2s", "T:21.2 /0.0 B:21.2 /0.0 T0:21.2 /0.0 @:0 B@:0 P:0.0 A:28.4"},
			{"M155 S0", "ok"}, {"M109 S200", "T:21.2 E:0 W:?"},
		}},
		"repetier": {real("repetier", false), []exchange{
			{start, "ok"}, {framed("1", "M105"), "ok 1|T:21.25 /0 B:21.25 /0 B@:0 @:0"},
			{framed("2", "G4 S1"), "ok 2"}, {framed("3", "M105"), "ok 3"}, {"+1s", "T:21.25 /0 B:21.25 /0 B@:0 @:0"},
			{framed("5", "M105"), "Error:expected line 4 got 5|Resend:4|ok"}, {framed("6", "M105"), "skip 6|ok"},
			{"+200ms", "Resend:4|ok"},
			{framed("4", "G92 E0"), "ok 4"}, {framed("5", "G92 E0") + "0", "Error:Wrong checksum|Resend:5|ok"},
			{framed("5", "G92 E0"), "ok 5"}, {"+1s", "wait"}, {"+1s", "wait"},
		}},
		"reprapfirmware": {real("reprapfirmware", false), []exchange{
			{"M105", "ok T:21.2 /0.0 T0:21.2 /0.0 B:21.2 /0.0"}, {"G1 X5", "Error: G0/G1: insufficient axes homed|ok"},
		}},
		"klipper": {real("klipper", false), []exchange{
			{"N3 M105*10", "ok B:21.2 /0.0 T0:21.2 /0.0"}, {"m105", "ok B:21.2 /0.0 T0:21.2 /0.0"},
			{"M115", "ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:?"},
			{"M114", "X:0.000 Y:0.000 Z:0.000 E:0.000|ok"},
			{"M119", "stepper_x:open stepper_y:open stepper_z:open|ok"},
			{"BOGUS", `// Unknown command:"BOGUS"|ok`},
			{"G1 X5", "!! Must home axis first: 5.000 0.000 0.000 [0.000]|ok"},
			{"G28", ""}, {"+30s", "ok"}, {"G1 X500", "!! Move out of range: 500.000 0.000 0.000 [0.000]|ok"},
			{"G1 E5", "// Extrude below minimum temp|// See the 'min_extrude_temp' config option for details|!! Extrude below minimum temp|ok"},
			{"M109 S200", "B:21.2 /0.0 T0:21.2 /200.0"}, {"M112", "// Klipper state: Shutdown"}, {"+999ms", ""}, {"+1ms", "ok|ok"},
			{"G28", "// Shutdown due to M112 command|// Once the underlying issue is corrected, use the|" +
				`// "FIRMWARE_RESTART" command to reset the firmware, reload the|// config, and restart the host software.|` +
				"// Printer is shutdown|!! Shutdown due to M112 command|ok"},
			{"FIRMWARE_RESTART", "ok|// Klipper state: Disconnect"}, {"+1700ms", "// Klipper state: Ready"}, {"M112", "// Klipper state: Shutdown"},
		}},
	} {
		t.Run(name, func(t *testing.T) { play(t, c.cfg, c.exchanges) })
	}
}

func TestEveryFirmwareIntroducesItself(t *testing.T) {
	for _, name := range Firmwares() {
		talk(t, Config{Firmware: name, ResetOnOpen: true}, func(h *host) {
			h.sleep(5e9)
			fw, _ := dialectNamed(name)
			got := h.take()
			if fw.Wait > 0 {
				got = got[:len(fw.Banner)] // and then "wait"
			}
			if strings.Join(got, "|") != strings.Join(fw.Banner, "|") {
				t.Errorf("%s: banner %q, want %q", name, got, fw.Banner)
			}
			h.send("M115")
			info := strings.Join(h.take(), "|")
			if !strings.Contains(info, fw.Info[0]) || !strings.Contains(info, "ok") {
				t.Errorf("%s: M115 gave %q", name, info)
			}
		})
	}
	if _, err := New(Config{Firmware: "grbl"}); err == nil || !strings.Contains(err.Error(), "marlin2-plain") {
		t.Errorf("an unknown firmware gave %v, want an error that names the known ones", err)
	}
}
