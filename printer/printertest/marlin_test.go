package printertest

import (
	"strings"
	"testing"
	"time"
)

// observed is the firmware that was talked to: Marlin 2.1 with ADVANCED_OK, in real time.
var observed = Config{AdvancedOK: true, Speed: 1, Heat: 1}

// exchange is what is sent, and exactly what comes back at once.
type exchange struct {
	send string // lines separated by "|"; "+3s" waits instead, "runout" is the filament's end, "raw x" is no line
	want string // lines separated by "|"
}

func play(t *testing.T, cfg Config, exchanges []exchange) {
	t.Helper()
	talk(t, cfg, func(h *host) {
		t.Helper()
		for _, x := range exchanges {
			if d, err := time.ParseDuration(strings.TrimPrefix(x.send, "+")); err == nil {
				h.sleep(d)
			} else if text, raw := strings.CutPrefix(x.send, "raw "); raw {
				h.raw(text)
			} else if x.send == "runout" {
				h.sim.Inject(Trigger{Kind: Runout})
			} else {
				h.send(strings.Split(x.send, "|")...)
			}
			var want []string
			if x.want != "" {
				want = strings.Split(x.want, "|")
			}
			if got := h.take(); strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("> %s\n got %q\nwant %q", x.send, got, want)
			}
		}
	})
}

// TestMarlinTranscripts sends what was sent to real firmware and wants what real firmware said.
func TestMarlinTranscripts(t *testing.T) {
	start := framed("0", "M110 N0")
	for name, exchanges := range map[string][]exchange{
		"forms of ok": {
			{start, "ok N0 P15 B3"},
			{framed("1", "M117 x"), "ok N1 P15 B3"},
			{framed("2", "M105"), "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"},
			{"M105", "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"},
			{"G1 X5", "ok P14 B3"},
			{"N-1 M110 N0*81", "ok N-1 P14 B3"},
		},
		"bad checksum": {
			{start, "ok N0 P15 B3"},
			{framed("1", "M105"), "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"},
			{framed("2", "M117"), "ok N2 P15 B3"},
			{"N3 G92 E0*1", "Error:checksum mismatch, Last Line: 2|Resend: 3|ok"},
			{framed("3", "G92 E0"), "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|ok N3 P15 B3"},
			{framed("9", "G92 E0"), "Error:Line Number is not Last Line Number+1, Last Line: 3|Resend: 4|ok"},
			{framed("4", "M117"), "ok N4 P15 B3"},
			{"N5 G92 E0", "Error:No Checksum with line number, Last Line: 4|Resend: 5|ok"},
			{"M117*33", "ok P15 B3"}, // without a number the checksum is not verified
			{framed("4", "M117"), ""},
			{framed("3", "M117"), ""},
			{framed("2", "M117"), "Error:Line Number is not Last Line Number+1, Last Line: 4|Resend: 5|ok"},
		},
		"nothing for nothing": {{"", ""}, {"; comment", ""}, {"|;|", ""}, {"G1 X1;c", "ok P14 B3"}},
		"M110": {
			{"M110 N100", "ok P15 B3"},
			{framed("101", "M117"), "ok N101 P15 B3"},
			{framed("500", "M110 N200"), "ok N500 P15 B3"},
			{framed("201", "M117"), "ok N201 P15 B3"},
			{framed("5", "M110"), "Line: 5|ok N5 P15 B3"},
			{framed("-1", "M110"), "Line: -1|ok N-1 P15 B3"},
		},
		"M110 takes effect when it is executed": {
			// G4 keeps the queue waiting: 1 is taken as it arrives, then M110 sets the number back to 0.
			{start, "ok N0 P15 B3"},
			{"G4 P100|" + framed("0", "M110 N0") + "|" + framed("1", "M117 a"), ""},
			{"+200ms", "ok P15 B1|ok N0 P15 B2|ok N1 P15 B3"},
			{framed("2", "M117 b"), "Error:Line Number is not Last Line Number+1, Last Line: 0|Resend: 1|ok"},
		},
		"unknown": {
			{"BOGUS", `echo:Unknown command: "BOGUS"|ok P15 B3`},
			{start, "ok N0 P15 B3"},
			{framed("1", "BOGUS"), `echo:Unknown command: "BOGUS"|ok N1 P15 B3`},
			{"M20", `echo:Unknown command: "M20"|ok P15 B3`},
			{"M27", `echo:Unknown command: "M27"|ok P15 B3`},
			{"m105", `echo:Unknown command: "m105"|ok P15 B3`},
			{"(comment) M105", `echo:Unknown command: "(comment) M105"|ok P15 B3`},
			{"%", `echo:Unknown command: "%"|ok P15 B3`},
			{"$G", `echo:Unknown command: "$G"|ok P15 B3`},
			{"?", `echo:Unknown command: "?"|ok P15 B3`},
			{"\x18", "echo:Unknown command: \"\x18\"|ok P15 B3"},
		},
		"long lines": {
			{strings.Repeat("x", 120), `echo:Unknown command: "` + strings.Repeat("x", 95) + `"|ok P15 B3`},
			{framed("1", "M117 "+strings.Repeat("x", 100)), "Error:No Checksum with line number, Last Line: 0|Resend: 1|ok"},
		},
		"M999 asks for a line although nothing is wrong": {{"M999", "Resend: 1|ok|ok P15 B3"}},
		"reports": {
			{"M114", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|ok P15 B3"},
			{"M119", "Reporting endstop status|x_min: open|y_min: open|z_min: open|ok P15 B3"},
			{"M220 S50", "ok P15 B3"}, {"M220", "FR:50%|ok P15 B3"}, {"M221", "echo:E0 Flow: 100%|ok P15 B3"},
			{"M106 S128", "M106 P0 S128|ok P15 B3"},
			{"M118 A1 P0 action:x", "//action:x|ok P15 B3"},
			{"M118 E1 hi", "echo:hi|ok P15 B3"},
			{"S000", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|S_XYZ:0|ok P15 B3"},
			{"G92 X7", "X:7.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|ok P15 B3"},
			{"G1 E5", "echo: cold extrusion prevented|ok P15 B3"},
		},
		"dwelling": {
			{"G4 S3", ""}, {"+1999ms", ""}, {"+1ms", "echo:busy: processing"}, {"+999ms", ""}, {"+1ms", "ok P15 B3"},
		},
		"automatic reports": {
			{"M155 S1", "ok P15 B3"}, {"+1s", " T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"},
			{"+1s", " T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"},
			{"M155 S0", "ok P15 B3"}, {"+3s", ""},
			{"G1 X5 F6000", "ok P14 B3"}, {"M154 S1", "ok P14 B3"}, {"+1s", "X:5.00 Y:0.00 Z:0.00 E:0.00 Count X:400 Y:0 Z:0"},
		},
		"a question to a person": {
			{"M0 click to go", "echo:click to go|//action:prompt_end|//action:prompt_begin click to go|" +
				"//action:prompt_button Continue|//action:prompt_show"},
			{"+2s", "echo:busy: paused for user"}, {"+2s", "echo:busy: paused for user"},
			{"M108", "ok P15 B2|ok P15 B3"},
			{"M0", "//action:prompt_end|//action:prompt_begin M0/1 Break Called|//action:prompt_button Continue|//action:prompt_show"},
			{"M876 S0", "ok P15 B2|ok P15 B3"},
		},
		"nothing ends the beginning of a filament change": {
			{"M600", "//action:paused|//action:prompt_end|//action:prompt_begin Pause|//action:prompt_button Dismiss|//action:prompt_show"},
			{"M108", ""}, {"M876 S0", ""}, {"+2s", "echo:busy: processing"},
			{"M112", "echo:M112 Shutdown|Error:Printer halted. kill() called!|//action:poweroff"},
			{"M105", ""},
		},
		"stopping at once": {
			{start, "ok N0 P15 B3"},
			{"G28", ""}, {"M105|M105", ""},
			{"M112", "echo:M112 Shutdown|Error:Printer halted. kill() called!|//action:poweroff"},
			{"M105|M999|M110 N0|G28", ""}, {"+1m", ""},
		},
		"M108 ends heating and keeps the target": {
			{"M109 S200", " T:21.25 /200.00 B:21.25 /0.00 @:127 B@:0 W:?"},
			{"M105", ""},
			{"M108", "ok P15 B1|ok T:21.25 /200.00 B:21.25 /0.00 @:127 B@:0|ok P15 B3"},
		},
		"M410": {
			{"G1 X100 F6000", "ok P14 B3"}, {"M400", ""}, {"+500ms", ""},
			{"M410", ""}, {"+999ms", ""}, {"+1ms", "ok P15 B2|ok P15 B3"},
		},
	} {
		t.Run(name, func(t *testing.T) { play(t, observed, exchanges) })
	}
}

// A quick stop while a command waits for a moment that comes before the quick stop's second is over.
func TestQuickStopWhileWaiting(t *testing.T) {
	play(t, observed, []exchange{{"G4 S2", ""}, {"+1500ms", ""}, {"M410", ""}, {"+999ms", "echo:busy: processing"}, {"+1ms", "ok P15 B2|ok P15 B3"}})
}
