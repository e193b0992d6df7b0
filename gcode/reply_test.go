package gcode

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// reply is a Reply with nothing in it but its kind.
func reply(k Kind, set func(*Reply)) Reply {
	r := Reply{Kind: k, Planner: -1, Queue: -1, LastLine: -1}
	if set != nil {
		set(&r)
	}
	return r
}

func message(k Kind, m string) Reply { return reply(k, func(r *Reply) { r.Message = []byte(m) }) }

func reading(sensor string, actual, target float64) Temp {
	return Temp{Sensor: sensor, ActualC: actual, TargetC: target, HasTarget: true}
}

func TestParseReply(t *testing.T) {
	marlinTemps := []Temp{reading("T", 21.25, 0), reading("B", 21.25, 0)}
	for _, c := range []struct {
		in   string
		want Reply
	}{
		// Acknowledgements.
		{"ok", reply(OK, nil)},
		{"ok\r\n", reply(OK, nil)},
		{" \x00ok \r\n", reply(OK, nil)},
		{"\xff\xfe\x80ok", reply(OK, nil)},
		{"ok N5 P15 B3", reply(OK, func(r *Reply) { r.Line, r.HasLine, r.Planner, r.Queue = 5, true, 15, 3 })},
		{"ok P14 B3", reply(OK, func(r *Reply) { r.Planner, r.Queue = 14, 3 })},
		{"ok N-1 P15 B3", reply(OK, func(r *Reply) { r.Line, r.HasLine, r.Planner, r.Queue = -1, true, 15, 3 })},
		{"ok N0 P0 B0", reply(OK, func(r *Reply) { r.HasLine, r.Planner, r.Queue = true, 0, 0 })},
		{"ok 12", reply(OK, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"ok N:12", reply(OK, func(r *Reply) { r.Line, r.HasLine = 12, true })}, // Anycubic
		{"ok X:1.000,Y:-2.000,Z:3.500,E:0.250,F:300", reply(OK, func(r *Reply) { // Teacup
			r.Position = &Coordinates{X: 1, Y: -2, Z: 3.5, E: 0.25}
		})},
		{"ok Emergency Stop Requested - reset or M999 required to exit HALT state", reply(Halted, func(r *Reply) { // Smoothie
			r.Message = []byte("ok Emergency Stop Requested - reset or M999 required to exit HALT state")
		})},
		{"Entering Alarm/Halt state", reply(Halted, func(r *Reply) { r.Message = []byte("Entering Alarm/Halt state") })},
		{"ok N99999999999999999999 P-4 B999999999", reply(OK, nil)},
		{"ok N5x P15", reply(OK, nil)},
		{"okay", reply(Unknown, nil)},
		{"ok_to_go", reply(Unknown, nil)},
		{"OK", reply(Unknown, nil)},
		{"ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0", reply(OK, func(r *Reply) { r.Temps = marlinTemps })},
		{"ok T:-15.00 /0.00 B:-15.00 /0.00 @:0 B@:0", reply(OK, func(r *Reply) {
			r.Temps = []Temp{reading("T", -15, 0), reading("B", -15, 0)}
		})},
		{"ok B:21.9 /0.0 T0:21.9 /0.0", reply(OK, func(r *Reply) { // Klipper
			r.Temps = []Temp{reading("B", 21.9, 0), reading("T0", 21.9, 0)}
		})},
		{"ok T:201.0 E:0 B:60.1", reply(OK, func(r *Reply) { // Prusa
			r.Temps = []Temp{{Sensor: "T", ActualC: 201}, {Sensor: "B", ActualC: 60.1}}
		})},
		{"ok T:21.5 /0.0 B:21.6 /0.0 T0:21.5 /0.0 @:0 B@:0 P:0.0 A:28.1", reply(OK, func(r *Reply) { // Prusa MK3
			r.Temps = []Temp{reading("T", 21.5, 0), reading("B", 21.6, 0), reading("T0", 21.5, 0), {Sensor: "P"}, {Sensor: "A", ActualC: 28.1}}
		})},
		{"ok T:170.19/170.00 B:85.19/85.00 X:36.30/36.00 A:33.97/0.00 @:58 B@:48 C@:36.54 HBR@:255", reply(OK, func(r *Reply) {
			r.Temps = []Temp{reading("T", 170.19, 170), reading("B", 85.19, 85), reading("X", 36.3, 36), reading("A", 33.97, 0)}
		})},
		{"ok T:21 /0.0 @0 B:20.9 /0.0 @0", reply(OK, func(r *Reply) { // Smoothie
			r.Temps = []Temp{reading("T", 21, 0), reading("B", 20.9, 0)}
		})},
		{"ok T0:24.1 /0.0 T1:23.9 /0.0 B:22.0 / 60.0 C:30.1", reply(OK, func(r *Reply) { // RepRapFirmware
			r.Temps = []Temp{reading("T0", 24.1, 0), reading("T1", 23.9, 0), reading("B", 22, 60), {Sensor: "C", ActualC: 30.1}}
		})},
		{"ok C: X:1.5000 Y:2.0000 Z:-3.2500 E:0.0000", reply(OK, func(r *Reply) {
			r.Position = &Coordinates{X: 1.5, Y: 2, Z: -3.25}
		})},
		{"ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:?", reply(OK, func(r *Reply) {
			r.Firmware = "Klipper"
			r.Fields = map[string]string{"FIRMWARE_NAME": "Klipper", "FIRMWARE_VERSION": "?"}
		})},

		// Requests to send again.
		{"Resend: 12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"Resend:12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"Resend:N12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"Resend: N12 ", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"RESEND 12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"rs N12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"ok X:1.000,Y:-2.000,Z:3.000,E:4.000,F:1500", reply(OK, func(r *Reply) { r.Position = &Coordinates{X: 1, Y: -2, Z: 3, E: 4} })}, // Teacup
		{"rs 12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"Resend: 0", reply(Resend, func(r *Reply) { r.HasLine = true })},
		{"Resend: 12 ok", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"rs  12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},
		{"rs N12 Expected checksum 77", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })},   // Teacup
		{"rs  Checksum error on line 12", reply(Resend, func(r *Reply) { r.Line, r.HasLine = 12, true })}, // RepRapFirmware
		{"rs  Checksum error on line", reply(Unknown, nil)},
		{"Resend:", reply(Unknown, nil)},
		{"Resend", reply(Unknown, nil)},
		{"Resend: -3", reply(Unknown, nil)},
		{"Resend: 4294967296", reply(Unknown, nil)},
		{"Resend: 99999999999999999999", reply(Unknown, nil)},
		{"Resend: 12ok", reply(Unknown, nil)},
		{"Resend: 12.5", reply(Unknown, nil)},
		{"Resend: x", reply(Unknown, nil)},
		{"rs", reply(Unknown, nil)},
		{"rsomething 3", reply(Unknown, nil)},

		// Temperatures without ok.
		{" T:58.33 /80.00 B:21.25 /0.00 @:14 B@:0 W:?", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{reading("T", 58.33, 80), reading("B", 21.25, 0)}
			r.Waiting = true
		})},
		{" T:58.33 /80.00 B:21.25 /0.00 @:14 B@:0 W:2", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{reading("T", 58.33, 80), reading("B", 21.25, 0)}
			r.Waiting = true
		})},
		{" T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0", reply(Temperature, func(r *Reply) { r.Temps = marlinTemps })},
		{"B:21.9 /0.0 T0:60.9 /80.0", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{reading("B", 21.9, 0), reading("T0", 60.9, 80)}
		})},
		{"T:55.2 E:0 W:?", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{{Sensor: "T", ActualC: 55.2}}
			r.Waiting = true
		})},
		{"T:20.15 /0 B:19.80 /0 B@:0 @:0 T0:20.15 /0 @0:0 T1:21 /0 @1:0", reply(Temperature, func(r *Reply) { // Repetier
			r.Temps = []Temp{reading("T", 20.15, 0), reading("B", 19.8, 0), reading("T0", 20.15, 0), reading("T1", 21, 0)}
		})},
		{"TargetExtr0:200", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{{Sensor: "T0", TargetC: 200, HasTarget: true, TargetOnly: true}}
		})},
		{"TargetBed:60", reply(Temperature, func(r *Reply) {
			r.Temps = []Temp{{Sensor: "B", TargetC: 60, HasTarget: true, TargetOnly: true}}
		})},
		{"T:nan /0.00 B:inf /0.00", reply(Unknown, nil)},
		{"T:21 /nan B:1e10 /0", reply(Temperature, func(r *Reply) { r.Temps = []Temp{{Sensor: "T", ActualC: 21}} })},
		{"T:99999 /0.00 B:20 /99999", reply(Temperature, func(r *Reply) { r.Temps = []Temp{{Sensor: "B", ActualC: 20}} })},
		{"T:" + strings.Repeat("9", 400), reply(Unknown, nil)},
		{"T:", reply(Unknown, nil)},
		{"T:1.2.3 /0", reply(Unknown, nil)},
		{"FR:50%", reply(Unknown, nil)},

		// Busy.
		{"echo:busy: processing", message(Busy, "processing")},
		{"echo:busy: paused for user", message(Busy, "paused for user")},
		{"busy: paused for input", message(Busy, "paused for input")},
		{"busy:processing", message(Busy, "processing")},

		// Errors.
		{"Error:checksum mismatch, Last Line: 2", reply(Error, func(r *Reply) {
			r.Message, r.LastLine = []byte("checksum mismatch, Last Line: 2"), 2
		})},
		{"Error:Line Number is not Last Line Number+1, Last Line: 3", reply(Error, func(r *Reply) {
			r.Message, r.LastLine = []byte("Line Number is not Last Line Number+1, Last Line: 3"), 3
		})},
		{"Error:No Checksum with line number, Last Line: 0", reply(Error, func(r *Reply) {
			r.Message, r.LastLine = []byte("No Checksum with line number, Last Line: 0"), 0
		})},
		{"Error:checksum mismatch, Last Line: 99999999999", message(Error, "checksum mismatch, Last Line: 99999999999")},
		{"Error:Printer halted. kill() called!", message(Halted, "Printer halted. kill() called!")},
		{"Error:!! KILL caused by KILL button/pin", message(Error, "!! KILL caused by KILL button/pin")},
		{"Error:Thermal Runaway, system stopped! Heater_ID: 0", message(Error, "Thermal Runaway, system stopped! Heater_ID: 0")},
		{"Error:Heating failed, system stopped! Heater_ID: bed", message(Error, "Heating failed, system stopped! Heater_ID: bed")},
		{"Error: G0/G1: insufficient axes homed", message(Error, "G0/G1: insufficient axes homed")},
		{"error:Unsupported command", message(Error, "Unsupported command")},
		{"fatal:Heater/sensor error - Printer stopped", message(Error, "Heater/sensor error - Printer stopped")},
		{"!! Must home axis first", message(Error, "Must home axis first")},
		{"!! Shutdown due to M112 command", message(Halted, "Shutdown due to M112 command")},
		{"!!", reply(Halted, nil)},

		// Start and idling.
		{"start", reply(Start, nil)},
		{"\x00\xf8\x80start\r", reply(Start, nil)},
		{"start print", reply(Unknown, nil)},
		{"wait", reply(Wait, nil)},

		// M115.
		{"FIRMWARE_NAME:Marlin bugfix-2.1.x (Nov 22 2026 14:58:31) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:SimRap 1.4 KINEMATICS:Cartesian EXTRUDER_COUNT:1 UUID:cede2a2f-0000", reply(Firmware, func(r *Reply) {
			r.Firmware = "Marlin bugfix-2.1.x (Nov 22 2026 14:58:31)"
			r.Fields = map[string]string{
				"FIRMWARE_NAME": r.Firmware, "SOURCE_CODE_URL": "github.com/MarlinFirmware/Marlin", "PROTOCOL_VERSION": "1.0",
				"MACHINE_TYPE": "SimRap 1.4", "KINEMATICS": "Cartesian", "EXTRUDER_COUNT": "1", "UUID": "cede2a2f-0000",
			}
		})},
		{"FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.1.1 ELECTRONICS: Duet WiFi 1.02 or later", reply(Firmware, func(r *Reply) {
			r.Firmware = "RepRapFirmware for Duet 2 WiFi/Ethernet"
			r.Fields = map[string]string{"FIRMWARE_NAME": r.Firmware, "FIRMWARE_VERSION": "3.1.1", "ELECTRONICS": "Duet WiFi 1.02 or later"}
		})},
		{"FIRMWARE_NAME:Smoothieware, FIRMWARE_URL:http%3A//smoothieware.org, X-SOURCE_CODE_URL:https://x", reply(Firmware, func(r *Reply) {
			r.Firmware = "Smoothieware"
			r.Fields = map[string]string{"FIRMWARE_NAME": "Smoothieware", "FIRMWARE_URL": "http%3A//smoothieware.org", "X-SOURCE_CODE_URL": "https://x"}
		})},
		{"NAME: Malyan VER: 2.9 MODEL: M200", reply(Firmware, func(r *Reply) {
			r.Firmware = "Malyan"
			r.Fields = map[string]string{"NAME": "Malyan", "VER": "2.9", "MODEL": "M200"}
		})},
		{"NAME. Malyan	VER: 2.9", reply(Firmware, func(r *Reply) {
			r.Firmware = "Malyan"
			r.Fields = map[string]string{"NAME": "Malyan", "VER": "2.9"}
		})},
		{"Cap:AUTOREPORT_TEMP:1", reply(Capability, func(r *Reply) { r.Name, r.On = "AUTOREPORT_TEMP", true })},
		{"Cap:PROGRESS:0", reply(Capability, func(r *Reply) { r.Name = "PROGRESS" })},
		{"Cap:PROGRESS:maybe", reply(Unknown, nil)},
		{"Cap:PROGRESS", reply(Unknown, nil)},
		{"area:{full:{min:{x:0.00,y:0.00,z:0.00},max:{x:200.00,y:200.00,z:200.00}}}", reply(Unknown, nil)},

		// Position.
		{"X:5.00 Y:0.00 Z:0.00 E:0.00 Count X:400 Y:0 Z:0", reply(Position, func(r *Reply) { r.Position = &Coordinates{X: 5} })},
		{"X:0.000 Y:-1.500 Z:12.000 E:3.250", reply(Position, func(r *Reply) { r.Position = &Coordinates{Y: -1.5, Z: 12, E: 3.25} })},
		{"X:1.00Y:2.00Z:3.00E:4.00 Count X: 1.00Y:2.00", reply(Position, func(r *Reply) { r.Position = &Coordinates{1, 2, 3, 4} })},
		{"X:1.00 Y:2.00 Z:3.00 A:9 E0:1.0 E1:2.0 Count 0 0 0", reply(Position, func(r *Reply) { r.Position = &Coordinates{X: 1, Y: 2, Z: 3} })},
		{"X: 1.00 Y: 2.00 Z: 3.00 B: 5 E: 4.00", reply(Position, func(r *Reply) { r.Position = &Coordinates{1, 2, 3, 4} })},
		{"C: X:1 Y:2 Z:3 E:4", reply(Position, func(r *Reply) { r.Position = &Coordinates{1, 2, 3, 4} })},
		{"X:nan Y:0.00 Z:0.00 E:0.00", reply(Unknown, nil)},
		{"X:1e30 Y:0.00 Z:0.00 E:0.00", reply(Unknown, nil)},
		{"X:99999999999 Y:0.00 Z:0.00 E:0.00", reply(Unknown, nil)},
		{"X:1 Y:2", reply(Unknown, nil)},
		{"S_XYZ:0", reply(Unknown, nil)},

		// Endstops.
		{"Reporting endstop status", reply(Unknown, nil)},
		{"x_min: TRIGGERED", reply(Endstop, func(r *Reply) { r.Name, r.On = "x_min", true })},
		{"z_probe: open", reply(Endstop, func(r *Reply) { r.Name = "z_probe" })},
		{"stepper_x:TRIGGERED stepper_y:open stepper_z:open", reply(Endstop, func(r *Reply) {
			r.Endstops = map[string]bool{"stepper_x": true, "stepper_y": false, "stepper_z": false}
		})},
		{"endstops hit: x_min:L y_min:H z_max:L", reply(Endstop, func(r *Reply) {
			r.Endstops = map[string]bool{"x_min": false, "y_min": true, "z_max": false}
		})},
		{"X_min:0 Y_min:1 Z_min:0 pins- (X)P1.24:0", reply(Endstop, func(r *Reply) {
			r.Endstops = map[string]bool{"X_min": false, "Y_min": true, "Z_min": false}
		})},
		{"Endstops - X: at min stop, Y: not stopped, Z: not stopped", reply(Endstop, func(r *Reply) {
			r.Endstops = map[string]bool{"X": true, "Y": false, "Z": false}
		})},

		// Cards.
		{"SD printing byte 12/345", reply(SD, nil)},
		{"Not SD printing", reply(SD, nil)},
		{"Begin file list", reply(SD, nil)},
		{"echo:SD card ok", reply(SD, nil)},
		{"Done saving file.", reply(SD, nil)},
		{"File opened: TEST.GCO Size: 1234", reply(SD, nil)},

		// Actions, Klipper's remarks, echoes.
		{"//action:pause", message(Action, "pause")},
		{"// action:prompt_begin Text", message(Action, "prompt_begin Text")},
		{"//action:notification Stored settings retrieved", message(Action, "notification Stored settings retrieved")},
		{"// Klipper state: Ready", message(KlipperState, "Ready")},
		{"// Klipper state: Disconnect", message(KlipperState, "Disconnect")},
		{"// Klipper state: Shutdown", message(Halted, "Shutdown")},
		{`// Unknown command:"BOGUS"`, message(Echo, `Unknown command:"BOGUS"`)},
		{"// Printer is shutdown", message(Echo, "Printer is shutdown")},
		{"// Shutdown due to M112 command", message(Echo, "Shutdown due to M112 command")},
		{`echo:Unknown command: "BOGUS"`, message(Echo, `Unknown command: "BOGUS"`)},
		{"echo:V90 stored settings retrieved (606 bytes; crc 16941)", message(Echo, "V90 stored settings retrieved (606 bytes; crc 16941)")},
		{"echo:M112 Shutdown", message(Echo, "M112 Shutdown")},
		{"echo: Free Memory: 0  PlannerBufferBytes: 1472", message(Echo, "Free Memory: 0  PlannerBufferBytes: 1472")},
		{"echo:E0 Flow: 100%", message(Echo, "E0 Flow: 100%")},

		// The rest.
		{"", reply(Unknown, nil)},
		{" \r\n", reply(Unknown, nil)},
		{"PowerUp", reply(Unknown, nil)},
		{"Marlin bugfix-2.1.x", reply(Unknown, nil)},
		{"Line: 5", reply(Unknown, nil)},
		{"M106 P0 S128", reply(Unknown, nil)},
		{"Logical: X: 0.000 Y: 0.000 Z: 0.000", reply(Unknown, nil)},
	} {
		got := ParseReply([]byte(c.in))
		got.Text = nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseReply(%q)\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

func TestReplyText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{" T:1 \r\n", "T:1"},
		{"a\tb", "a b"},
		{"a\x00b\x1b[2J", "a\ufffdb\ufffd[2J"},
		{"20\xb0C", "20\ufffdC"},
		{"20 °C", "20 °C"},
		{"pause\u202egnp.exe", "pause\ufffdgnp.exe"},
		{"\u0085a\u0085b", "a\ufffdb"},
		{"\ufeffok", "ok"},
		{strings.Repeat("x", MaxReply+10), strings.Repeat("x", MaxReply)},
		{"x" + strings.Repeat("\xff", MaxReply), "x" + strings.Repeat("\ufffd", (MaxReply-1)/3)},
	} {
		if got := string(ParseReply([]byte(c.in)).Text); got != c.want {
			t.Errorf("text of %.40q = %.60q, want %.60q", c.in, got, c.want)
		}
	}
}

// Names and numbers stay when the line's bytes are used again; a view does not, and must not be what is kept.
func TestWhatAReplyKeeps(t *testing.T) {
	for in, name := range map[string]string{"Cap:AUTOREPORT_TEMP:1": "AUTOREPORT_TEMP", "x_min: TRIGGERED": "x_min"} {
		line := []byte(in)
		r := ParseReply(line)
		clear(line)
		if r.Name != name || string(r.Text) == in {
			t.Errorf("after the buffer was used again: %q, %q", r.Name, r.Text)
		}
	}
	line := []byte("T:21.25 /0.00 Chamber:30.00 /0.00")
	r := ParseReply(line)
	clear(line)
	if len(r.Temps) != 2 || r.Temps[0].Sensor != "T" || r.Temps[1].Sensor != "Chamber" {
		t.Errorf("after the buffer was used again: %+v", r.Temps)
	}
}

func TestReplyAllocations(t *testing.T) {
	for _, c := range []struct {
		in   string
		most float64
	}{
		{"ok\r\n", 0},
		{"ok N5 P15 B3\n", 0},
		{"Resend: 5\n", 0},
		{"Error:checksum mismatch, Last Line: 2\n", 0},
		{"echo:busy: processing\n", 0},
		{"echo:Unknown command: \"BOGUS\"\n", 0},
		{"start\n", 0},
		{"wait\n", 0},
		{"ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0\n", 1}, // its Temps
		{" T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0\n", 1},
		{"X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80\n", 1}, // its Position
	} {
		line := []byte(c.in)
		var r Reply
		if n := testing.AllocsPerRun(100, func() { r = ParseReply(line) }); n > c.most || r.Kind == Unknown {
			t.Errorf("%q: %v allocations, kind %v, want at most %v", c.in, n, r.Kind, c.most)
		}
	}
}

func TestKindNames(t *testing.T) {
	for k, want := range map[Kind]string{Unknown: "unknown", OK: "ok", KlipperState: "klipper state", Halted: "halted", Halted + 1: "no kind"} {
		if got := k.String(); got != want {
			t.Errorf("kind %d is %q, want %q", uint8(k), got, want)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	for _, seed := range []string{
		"ok", "ok N5 P15 B3", "ok 12", "Resend: 12", "rs N12", " T:58.33 /80.00 B:21.25 /0.00 @:14 B@:0 W:?",
		"ok B:21.9 /0.0 T0:21.9 /0.0", "TargetExtr0:200", "Error:checksum mismatch, Last Line: 2", "// Klipper state: Shutdown",
		"FIRMWARE_NAME:Marlin 2.1 PROTOCOL_VERSION:1.0", "NAME. Malyan VER: 2", "Cap:EEPROM:1", "X:1.00 Y:2.00 Z:3.00 E:4 Count X:1",
		"x_min: TRIGGERED", "endstops hit: x_min:L y_min:H", "Endstops - X: at min stop, Y: no", "X_min:0 Y_min:1", "echo:busy: processing",
		"//action:prompt_begin x", "T:nan /inf", "X:-.Y:1.", "ok C: X:1 Y:2 Z:3", "\x00\xff\u202e", "SD printing byte 1/2", "!!",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		given := string(line)
		r := ParseReply(line)
		if string(line) != given {
			t.Fatalf("it changed the line from %q to %q", given, line)
		}
		if !bytes.Contains(r.Text, r.Message) {
			t.Fatalf("message %q is not in the text %q", r.Message, r.Text)
		}
		if len(r.Text) > MaxReply || !utf8.Valid(r.Text) {
			t.Fatalf("text of %d bytes, valid %v", len(r.Text), utf8.Valid(r.Text))
		}
		for _, c := range string(r.Text) {
			if c < ' ' || c == 0x7f {
				t.Fatalf("control byte in %q", r.Text)
			}
		}
		if r.Kind == Resend && (!r.HasLine || r.Line < 0 || r.Line > maxLineNumber) {
			t.Fatalf("resend of %d, %v", r.Line, r.HasLine)
		}
		if r.Planner < -1 || r.Queue < -1 || r.LastLine < -1 {
			t.Fatalf("planner %d queue %d last line %d", r.Planner, r.Queue, r.LastLine)
		}
		if len(r.Temps) > maxTemps || len(r.Fields) > maxFields || len(r.Endstops) > maxEndstops {
			t.Fatalf("%d temps, %d fields, %d endstops", len(r.Temps), len(r.Fields), len(r.Endstops))
		}
		for _, temp := range r.Temps {
			if !(temp.ActualC >= -maxPlausibleC && temp.ActualC <= maxPlausibleC && temp.TargetC >= -maxPlausibleC && temp.TargetC <= maxPlausibleC) || temp.Sensor == "" {
				t.Fatalf("implausible %+v", temp)
			}
		}
		if p := r.Position; p != nil {
			for _, v := range []float64{p.X, p.Y, p.Z, p.E} {
				if !(v >= -maxCoordinate && v <= maxCoordinate) {
					t.Fatalf("implausible %+v", *p)
				}
			}
		}
		// What it made of the line, it makes of the text too.
		if again := ParseReply(r.Text); again.Kind != r.Kind {
			t.Fatalf("%q is %v, its text %q is %v", line, r.Kind, r.Text, again.Kind)
		}
	})
}
