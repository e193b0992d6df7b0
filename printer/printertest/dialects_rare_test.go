package printertest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// lost is a framed line that has lost its '*'.
func lost(line string) string { return strings.Replace(line, "*", "", 1) }

// bad is a framed line with another X than its checksum is of.
func bad(line string) string { return strings.Replace(line, "X", "X9", 1) }

// TestRareDialects plays what the sources of firmware say that was not observed.
func TestRareDialects(t *testing.T) {
	start := framed("0", "M110 N0")
	for name, c := range map[string]struct {
		firmware  string
		exchanges []exchange
	}{
		"repetier takes what has lost its checksum, and verifies one without number": {"repetier", []exchange{
			{start, "ok"}, {framed("1", "G92 X1"), "ok 1"}, {lost(framed("2", "G92 X1 ")), "ok 2"}, {"G92 X1*1", "Error:Wrong checksum|Resend:3|ok"},
			{framed("3", "G92 X1"), "ok 3"}, {"M117", "ok 3"}, {bad(framed("9", "G92 X1")), "Error:Wrong checksum|Resend:4|ok"},
			{framed("9", "G92 X1"), "skip 9|ok"}, {"M110 N7", "ok"}, {framed("8", "M104 S200"), "ok 8|TargetExtr0:200"},
			{"X5 Y3", "Error:Format error|Resend:9|ok"}, {"5", "Error:Format error|Resend:9|ok"}, {"Y7", "ok 8|Unknown command:Y7"},
			{framed("9", "M117 "+strings.Repeat("x", 116)), "Resend:9|ok"}, {framed("9", "M117"), "ok 9"},
		}},
		"repetier, once it has seen a checksum": {"repetier-forced", []exchange{
			{"M117", "ok 0"}, {start, "ok"}, {framed("1", "M117"), "ok 1"}, {lost(framed("2", "G92 X1")), "Error:Missing checksum|Resend:2|ok"},
			{"M105", "Error:Missing checksum|Resend:2|ok"}, {"M110 N1", "ok"}, {framed("2", "M117"), "ok 2"},
		}},
		"repetier does not wait for the end of a line": {"repetier", []exchange{
			{start, "ok"}, {"raw N1 G92", ""}, {"+199ms", ""}, {"+1ms", "Resend:1|ok"}, {framed("1", "M117"), "ok 1"},
		}},
		"anet-a8": {"anet-a8", []exchange{
			{start, "ok"}, {framed("1", "M140 S60"), "ok 1|TargetBed:60"}, {framed("2", "G4 S3"), "ok 2"}, {"+3s", ""}, {"+1s", "wait"},
		}},
		"reprapfirmware": {"reprapfirmware", []exchange{
			{start, "ok"}, {framed("7", "M105"), "ok T:21.2 /0.0 T0:21.2 /0.0 B:21.2 /0.0"}, {bad(framed("8", "G92 X1")), ""}, {framed("3", "G92 X1"), "ok"},
			{lost(framed("4", "G92 X1 ")), "ok"},
		}},
		"reprapfirmware2": {"reprapfirmware2", []exchange{
			{bad(framed("8", "G92 X1")) + "|" + framed("9", "G92 X1"), "rs  8|ok"}, {framed("8", "G92 X1"), "ok"},
		}},
		"smoothie": {"smoothie", []exchange{
			{"+0s", "Smoothie|ok"}, {"", "ok"}, {"; comment", "ok"}, {start, "ok"}, {framed("1", "M105"), "ok T:21.2 /0.0 @0 B:21.2 /0.0 @0 "},
			{framed("1", "M105"), "rs N2"}, {bad(framed("2", "G92 X1")) + "|" + framed("3", "M117") + "|" + framed("2", "M117"), "rs N2|rs N2|ok"},
			{lost(framed("3", "G92 X1 ")), "ok"}, {"M114", "ok C: X:1.0000 Y:0.0000 Z:0.0000 E:0.0000"}, {"M119", "X_min:0 Y_min:0 Z_min:0|ok"},
			{"M987", "ok"}, {"BOGUS", "ok - ignored"}, {"M112", "ok Emergency Stop Requested - reset or M999 required to exit HALT state"},
			{"G1 X5", "!!"}, {"M104 S200", "!!"}, {"M105", "ok T:21.2 /0.0 @0 B:21.2 /0.0 @0 "}, {"BOGUS", "!!"},
			{"M999", "WARNING: After HALT you should HOME as position is currently unknown|ok"}, {"M104 S200", "ok"},
		}},
		"smoothie answers a move before there is room for it": {"smoothie", []exchange{
			{"+0s", "Smoothie|ok"},
			{strings.Repeat("G1 X10 F60|G1 X0 F60|", 16) + "G4 S1", strings.TrimSuffix(strings.Repeat("ok|", 32), "|")}, {"M105", ""},
			{"M109 S21", ""}, {"+1h", "ok|ok T:21.2 /0.0 @0 B:21.2 /0.0 @0 |ok"},
		}},
		"malyan": {"malyan", []exchange{
			{start, "ok N0 P15 B15"}, {"M117", "ok N0 P15 B15"}, {framed("1", "M115"), "NAME: Malyan VER: 2.9 MODEL: M200 HW: HA02|ok N1 P15 B15"},
			{framed("3", "M117"), "Error:Line Number is not Last Line Number+1, Last Line: 1|Resend: 2|ok N1 P15 B16"},
		}},
		"teacup": {"teacup", []exchange{
			{start, "ok"}, {framed("300", "M105"), "ok T:21 B:21"}, {bad(framed("301", "G92 X1")), "rs N301 Expected checksum 96|rs 45"},
			{framed("301", "G92 X1") + "|" + framed("5", "M114"), "ok|ok X:1.000,Y:0.000,Z:0.000,E:0.000,F:1500"}, {"G92 X1*1", "rs N6 Expected checksum 5|rs 0"},
			{"M987", "ok E: Bad M-code 987"}, {"m105", "ok T:21 B:21"}, {"M140 S60", "ok"}, {"M112", "ok"}, {"M117", "ok E: Bad M-code 117"},
		}},
		"sprinter": {"sprinter", []exchange{
			{start, "ok"}, {framed("1", "M105"), "ok T:21 B:21"}, {"G92 X1*1", "Error: No Line Number with checksum, Last Line:1"},
			{bad(framed("2", "G92 X1")) + "|" + framed("3", "M117"), "Error: checksum mismatch, Last Line:1|Resend:2|ok|" +
				"Serial Error: Line Number is not Last Line Number+1, Last Line:1|Resend:2|ok"}, {framed("2", "M114"), "X:0.00Y:0.00Z:0.00E:0.00|ok"},
			{"BOGUS", "Unknown command:|BOGUS|ok"}, {"M987", "ok"}, {"G4 S1", ""}, {"G1 X1", "ok"}, {"M117", ""}, {"+1s", "ok|ok"},
		}},
		"prusa gives up half a line, and says when its ring was full": {"prusa", []exchange{
			{"raw G92 ", ""}, {"+1999ms", ""}, {"+1ms", "RX timeout"}, {"M117", "ok"}, {framed("1", "M117 \xc3\xa9"), "Error:checksum mismatch, Last Line: 0|Resend: 1|ok"},
			{"G4 S1|" + strings.Repeat("M117 1|", 4) + strings.Repeat("x", 130), ""}, {"+1s", "ok|Full RX Buffer|ok|ok|ok"}, {"", ""},
		}},
	} {
		t.Run(name, func(t *testing.T) { play(t, Config{Firmware: c.firmware, Speed: 1, Heat: 1}, c.exchanges) })
	}
}

// TestGreeting: Smoothieware says who it is whenever somebody opens its port, and has not restarted.
func TestGreeting(t *testing.T) {
	talk(t, Config{Firmware: "smoothie"}, func(h *host) {
		h.wants("Smoothie", "ok")
		h.send("G92 X5")
		h.port.Close()
		h.take()
		h.open()
		h.send("M114")
		h.wants("Smoothie", "ok", "ok C: X:5.0000 Y:0.0000 Z:0.0000 E:0.0000")
	})
}

// TestCrash: all that waits is thrown away with an ok for each, the ring is not read while X and Y are homed, and then the firmware asks for
// a line that is long gone.
func TestCrash(t *testing.T) {
	faults, err := ParseFaults("crash@9:6")
	if err != nil {
		t.Fatal(err)
	}
	talk(t, Config{Firmware: "prusa", Speed: 1, Faults: faults, KeepExecuted: true}, func(h *host) {
		for n := 1; n < 7; n++ {
			h.send(framed(itoa(n), "G1 X"+itoa(n)))
		}
		h.send("M204 P900")
		h.send(framed("7", "G4 S1"), framed("8", "G1 X8"))
		h.wants("ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", `echo:enqueing "CRASH_DETECTEDX"`, "LCD status changed",
			"tmc2130_home_enter(axes_mask=0x01)")
		h.send(framed("9", "G1 X9"), "M105")
		h.sleep(9 * time.Second)
		h.wants("echo:busy: processing", "echo:busy: processing", "echo:busy: processing", "echo:busy: processing")
		h.sleep(time.Second)
		h.wants("echo:busy: processing", "  0 step=45 mscnt= 731", "tmc2130_goto_step 0 61 2 1000", "tmc2130_home_exit tmc2130_sg_homing_axes_mask=0x01",
			`echo:enqueing "CRASH_RECOVER"`, "Resend: 3", "ok")
		if got := h.sim.Executed(); !slices.Equal(got, []string{"G1 X1", "G1 X2", "M204 P900"}) {
			t.Errorf("executed and not taken back: %q", got)
		}
		for n := 3; n < 10; n++ {
			h.send(framed(itoa(n), "G1 X"+itoa(n)))
		}
		h.sleep(time.Minute)
		h.wants("ok", "ok", "ok", "ok", "ok", "ok", "ok")
		if b := h.sim.Body(); b.Believed[0] != 9 {
			t.Errorf("at the end at %v", b.Believed)
		}
	})
	talk(t, Config{Faults: faults}, func(h *host) { // Marlin does not notice
		for range 10 {
			h.send("M117")
		}
		if got := h.take(); len(got) != 10 {
			t.Errorf("Marlin said %q", got)
		}
	})
}

// TestQuietReset: a reset whose first words are lost shows in the count of lines alone.
func TestQuietReset(t *testing.T) {
	faults, err := ParseFaults("reset@2:quiet")
	if err != nil {
		t.Fatal(err)
	}
	talk(t, Config{Faults: faults}, func(h *host) {
		h.send(framed("1", "M117"))
		h.send(framed("2", "M117"))
		h.sleep(time.Second)
		h.send(framed("3", "M117"))
		h.wants("ok", "Error:Line Number is not Last Line Number+1, Last Line: 0", "Resend: 1", "ok")
	})
}
