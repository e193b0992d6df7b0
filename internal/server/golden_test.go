package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"layerd/camera"
	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/health"
	"layerd/internal/overlay"
	"layerd/internal/power"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/internal/timelapse"
	"layerd/printer"
)

var update = flag.Bool("update", false, "write the golden files of testdata/wire anew")

func number(v float64) *float64 { return &v }

// goldenMS is the clock in all golden files: 2026-11-22 12:00:00 UTC.
const goldenMS = 1795348800000

func goldenState() State {
	return State{
		Type: "state",
		Snapshot: printer.Snapshot{
			Rev: 4711, AtMS: goldenMS, State: printer.Printing,
			Connection: printer.Connection{Port: "/dev/serial/by-id/usb-Prusa_Research_MK3-if00", Baud: 115200, Firmware: "Marlin 2.1.2.4", Dialect: "marlin",
				Machine: "Ender-3", Capabilities: map[string]bool{"AUTOREPORT_TEMP": true, "EMERGENCY_PARSER": false}, Ports: []printer.PortInfo{}, SinceMS: goldenMS - 3600_000},
			Profile: printer.Presets()[0],
			Nozzles: []printer.Heater{{ActualC: 209.8, TargetC: 210}}, Bed: &printer.Heater{ActualC: 60.1, TargetC: 60}, TempsAtMS: goldenMS - 400,
			Position: &printer.Position{XMM: 101.5, YMM: 98.25, ZMM: 3.4, EMM: 12.75}, Homed: true, FanPercent: 100, SpeedPercent: 100, FlowPercent: 98,
			Tuning: printer.Tuning{BabystepMM: -0.04, UnsavedMM: -0.04, PressureAdvance: new(0.08), AccelerationMMS2: 500, HasBabystep: true, HasAdvance: true, HasAcceleration: true},
			Job: &printer.JobStatus{ID: "01jd8w2m4k", File: "toys/3DBenchy.gcode", Name: "3DBenchy.gcode", By: "Kim's phone", StartedMS: goldenMS - 1800_000,
				Line: 41234, Lines: 98765, Offset: 1234567, Size: 3456789, Percent: 37.5, Layer: 17, Layers: 240, ZMM: 3.4, ElapsedS: 1795.5, LeftS: 2994, LeftBy: printer.LeftByPrint, Rate: 1.125, CruiseRate: 1.25, SlicerLeftS: 2710, PrinterLeftS: 2760,
				FilamentMM: 1234.56, ToolsMM: []float64{1234.56}, Shot: &printer.Shot{N: 42, Layer: 42, AtMS: goldenMS - 300},
				Begun: 17, Stops: []printer.Stop{{Layer: 10, ZMM: 2, Percent: 20.1, Passed: true}, {Layer: 120, ZMM: 24, Change: true, Note: "Now red", Percent: 61.5}},
				Objects: 3, Object: 1, Skipped: []int{0}, LeftOut: []int{0}},
			LastJob: &printer.JobOutcome{ID: "01jd8q0000", File: "cube.gcode", Name: "cube.gcode", Outcome: "cancelled", Reason: "cancelled by Kim's phone",
				EndedMS: goldenMS - 7200_000, ElapsedS: 61, Line: 900, Layer: 2, Layers: 100, ZMM: 0.4, Percent: 1.5, FilamentMM: 61.2, ToolsMM: []float64{0, 61.2}},
			Keeper: printer.Keeper{Heated: true, Protection: "on", Cooling: printer.UsualCooling()},
			Link:   printer.LinkStats{Sent: 41300, Resends: 2, InFlight: 1, Bytes: 40, Flow: "full", WindowBytes: 119, QueueLines: 4, Shrinks: 1},
			Health: printer.Health{LinesAgain: 2, ChecksumErrors: 1, GapErrors: 1, StarvedS: 92.4, StarvedBy: "file", AskedLinesPerS: 903,
				CarriedLinesPerS: 288, WirePercent: 87},
		},
		Cameras:  []camera.Status{{Device: "/dev/v4l/by-id/usb-046d_HD_Webcam-video-index0", Name: "HD Webcam", Live: true, Width: 1280, Height: 720, FPS: 14.9, SinceMS: goldenMS - 3600_000}, {ID: 2, Device: "rpicam:0", Name: "Nozzle", Problem: "The camera Nozzle stopped sending pictures", SinceMS: goldenMS - 9000, Dropped: 3}},
		Lamp:     &LampStatus{On: true},
		Power:    &PowerState{On: power.On, After: power.Print, AfterPrint: true, CoolC: 50},
		FilesRev: 12, SettingsRev: 5, FreeBytes: 5_000_000_000, SpoolsRev: 3, QueueRev: 7, Queued: 2,
		TimelapsesRev: 9, Timelapse: TimelapseState{ID: "6f1d0c2b8a94e735", Frames: 117, LastN: 116, Step: 1},
		Guard:   goldenGuard(),
		Overlay: OverlayState{Kind: overlay.Tailnet, State: overlay.Running, URL: "https://layerd.tail1234.ts.net/", ExpiresMS: goldenMS + 90*86400_000}, OverlayRev: 4, Asking: []AppRequest{{ID: "k3mZ0xQb2sTf", App: "Cura", From: "192.168.1.23", AtMS: goldenMS - 4000}},
		Host:    HostState{Level: health.OK, AtMS: goldenMS - 30_000},
		Me:      access.Identity{ID: "t1", Name: "Kim's phone", Role: access.Operator, Via: "session"},
		Version: "1.0.0", NewVersion: true, Locked: map[string]string{"printer.port": "file"}, NowMS: goldenMS + 40,
	}
}

// goldenPaused is a State in which the firmware changes filament and asks a person.
func goldenPaused() State {
	s := goldenState()
	s.State, s.Waiting, s.Notice = printer.Paused, "paused for user", "Nozzle parked"
	s.Pause = &printer.PauseInfo{By: "file", Message: "Now red", Filament: true, Held: true}
	s.Keeper.NozzleOffMS, s.Keeper.BedOffMS = goldenMS+300_000, goldenMS+6900_000
	s.Prompt = &printer.Prompt{ID: goldenMS - 5000, Text: "Paused", Buttons: []string{"PurgeMore", "Continue"}}
	return s
}

// goldenStopped is a State in which the print stands before a layer, as a person has set.
func goldenStopped() State {
	s := goldenState()
	s.State, s.Pause = printer.Paused, &printer.PauseInfo{By: "stop", Message: "the magnet", Layer: 18}
	job := *s.Job
	job.Begun = 18
	job.Stops = []printer.Stop{{Layer: 18, ZMM: 3.6, Note: "the magnet", Percent: 37.6, Passed: true}}
	s.Job = &job
	return s
}

// goldenPreparing is a State in which a print's file is made ready.
func goldenPreparing() State {
	s := goldenState()
	s.State, s.Job = printer.Idle, nil
	s.Preparing = &Preparing{File: "toys/3DBenchy.gcode", Name: "3DBenchy.gcode", By: "Kim's phone"}
	return s
}

// goldenCard is a State in which the printer prints from its own card.
func goldenCard() State {
	s := goldenState()
	s.State, s.Job = printer.Paused, nil
	s.Card = &printer.CardStatus{Present: true, Printing: true, Paused: true, ID: "card-mhx3k2a8", File: "/TOYS/3DBENC~1.GCO", Name: "3D Benchy 0.2mm.gcode", Bytes: 1234567, Size: 3456789,
		Percent: 35.7, SinceMS: goldenMS - 600_000, ElapsedS: 540, Rev: 2}
	s.LastJob = &printer.JobOutcome{ID: "card-mhx3aaaa", Name: "Cube.gcode", Outcome: "interrupted", Reason: "its end was not seen", EndedMS: goldenMS - 7200_000, ElapsedS: 61, Percent: 80, Card: true, ToolsMM: []float64{}}
	return s
}

// goldenLost is a State in which the USB connection of a print is gone.
func goldenLost() State {
	s := goldenState()
	s.State, s.Nozzles, s.Bed, s.TempsAtMS, s.Position, s.Homed = printer.Faulted, []printer.Heater{}, nil, 0, nil, false
	s.Connection = printer.Connection{Port: s.Connection.Port, Baud: 115200, Capabilities: map[string]bool{}, Ports: []printer.PortInfo{}}
	s.Fault = &printer.Fault{Code: printer.FaultPortLost, Message: "The printer's USB connection was lost.", Next: "Plug the cable in again. If the printer kept its power, the print goes on.",
		JobID: s.Job.ID, AtMS: goldenMS - 9000}
	s.Lost = &printer.LostPrint{SinceMS: goldenMS - 9000, Asking: true}
	return s
}

// goldenTrouble is a State in which everything that can be missing is, and what can go wrong did.
func goldenTrouble() State {
	return State{
		Type: "state", Asking: []AppRequest{},
		Snapshot: printer.Snapshot{Rev: 3, AtMS: goldenMS, State: printer.Faulted, Connection: printer.Connection{Ask: true, Capabilities: map[string]bool{},
			Ports: []printer.PortInfo{{Path: "/dev/ttyUSB0", Name: "USB Serial (1a86)", Vendor: "1a86", Product: "7523", USBPath: "1-1.2"}}},
			Profile: printer.Presets()[0], Nozzles: []printer.Heater{}, SpeedPercent: 100, FlowPercent: 100,
			LastJob: &printer.JobOutcome{ID: "01jd8q0000", File: "cube.gcode", Name: "cube.gcode", Outcome: "interrupted", Reason: "layerd was restarted",
				EndedMS: goldenMS - 1000, ElapsedS: 61, Line: 900, Layer: 2, Layers: 100, ZMM: 0.4, Percent: 1.5,
				LinesAgain: 31, ResendPercent: 3.4, StarvedS: 8.1, StarvedBy: "wire", ToolsMM: []float64{}},
			Health: printer.Health{LinesAgain: 31, ResendPercent: 3.4, ChecksumErrors: 24, GapErrors: 5, MissingErrors: 2, Overruns: 1, StarvedS: 8.1,
				StarvedBy: "wire", AskedLinesPerS: 120, CarriedLinesPerS: 66, WirePercent: -1},
			Keeper: printer.Keeper{NozzleCooledMS: goldenMS - 600_000, BedCooledMS: goldenMS - 300_000, Cooling: printer.UsualCooling()},
			Fault: &printer.Fault{Code: printer.FaultPortLost, Message: "The printer's USB port vanished.", Next: "Check the cable and the printer's power.",
				Said: "input/output error", JobID: "01jd8q0000", AtMS: goldenMS},
			Halt: &printer.Halt{AskedMS: goldenMS - 5000, Unconfirmed: true}},
		Cameras: []camera.Status{{Problem: "No camera was found."}},
		Guard: &guard.State{Mode: printer.WatchOff, Settings: guard.UsualSettings(), Layers: []guard.Layer{}, Endstops: guard.Witness{Status: guard.WitnessUnset}, Camera: guard.Witness{Status: guard.WitnessUnset}, Outline: guard.Witness{Status: guard.WitnessUnset}, Firmware: guard.Witness{Status: guard.WitnessOff},
			Setup: &guard.Setup{Step: "failed", Percent: 40, Why: "The pictures are dark."}},
		Overlay:  OverlayState{Kind: overlay.None, State: overlay.Off},
		Host:     HostState{Level: health.Bad, AtMS: goldenMS - 30_000, ID: "power", Name: "Power supply", Found: "The voltage is too low now (under 4.63 V).", Do: "Use the power supply that was made for this Raspberry Pi."},
		FilesRev: 1, SettingsRev: 1, FreeBytes: -1, Me: access.Identity{ID: "demo", Name: "demo", Role: access.Owner, Via: "demo"},
		Version: "1.0.0", Demo: true, Locked: map[string]string{}, NowMS: goldenMS,
	}
}

// messages are one example of every message, by file name without .json, but for those of the power.
func messages() map[string]any {
	benchy := store.File{Path: "toys/3DBenchy.gcode", Name: "3DBenchy.gcode", Bytes: 3456789, ModifiedMS: goldenMS - 86400_000,
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Thumbnail: true, Prints: 3, LastOutcome: "done",
		EstimateS: 4789.5, FilamentMM: 3712.4, Layers: 240}
	profile := printer.Presets()[1]
	custom := exampleCustom()
	return map[string]any{
		"health": MachineHealth{Report: &health.Report{AtMS: goldenMS - 30_000, Level: health.Bad, Checks: []health.Check{
			{ID: "power", Name: "Power supply", Level: health.Bad, Found: "The voltage is too low now (under 4.63 V).", Do: "Use the power supply that was made for this Raspberry Pi."},
			{ID: "wifi", Name: "Wi-Fi", Level: health.OK, Found: "The signal of wlan0 is good: -48 dBm."}}}},
		"profiles": ProfileList{Shelf: custom.Shelf, Presets: printer.Presets()[:2]},
		"scripts":  scriptList(printer.Scripts{printer.OnPaused: "M117 Layer {layer}\n; the lamp\nM355 S1"}),
		"buttons":  ButtonList{Groups: custom.Buttons.Groups},
		"answer_problems": Answer{Type: "answer", ID: "c30", Error: &Error{Code: "bad_script", Message: "Done, line 2: M112 is the emergency stop.", Next: "Correct the line and save again.",
			Problems: []printer.Problem{{In: "done", Line: 2, Message: "M112 is the emergency stop"}}}},
		"command_save_profile":   FromPage{Command: Command{ID: "c27", Do: "save_profile", Profile: &profile}},
		"command_choose_profile": FromPage{Command: Command{ID: "c28", Do: "choose_profile", Name: "Other"}},
		"command_rename_profile": FromPage{Command: Command{ID: "c29", Do: "rename_profile", Name: "Other", To: "Workshop"}},
		"command_delete_profile": FromPage{Command: Command{ID: "c30", Do: "delete_profile", Name: "Other"}},
		"command_set_scripts":    FromPage{Command: Command{ID: "c31", Do: "set_scripts", Scripts: printer.Scripts{printer.OnDone: "M117 over"}}},
		"command_set_buttons":    FromPage{Command: Command{ID: "c32", Do: "set_buttons", Groups: custom.Buttons.Groups}},
		"command_press":          FromPage{Command: Command{ID: "c33", Do: "press", Button: new(4), Value: number(210)}},

		"state":                 goldenState(),
		"state_shift":           goldenShift(),
		"alarms":                AlarmList{Alarms: []guard.Alarm{*goldenShift().Guard.Alarm}},
		"recordings":            RecordingList{Recordings: []guard.Recording{{Job: "01jd8w2m4k", File: "toys/benchy.gcode", AtMS: goldenMS, Looks: 40, Bytes: 12_000_000}}, Bytes: 12_000_000, LimitBytes: 500_000_000, FreeBytes: 4_000_000_000, LeastBytes: guard.LeastFree},
		"command_set_guard":     FromPage{Command: Command{ID: "c70", Do: "set_guard", Guard: &guard.Settings{Mode: printer.WatchTell, Camera: 2, SharePercent: 1, RecordMB: 500}}},
		"command_guard_setup":   FromPage{Command: Command{ID: "c71", Do: "guard_setup", Empty: true}},
		"command_guard_drill":   FromPage{Command: Command{ID: "c72", Do: "guard_drill", Axes: "y", Empty: true}},
		"command_guard_corners": FromPage{Command: Command{ID: "c78", Do: "guard_corners", Corners: [][2]float64{{120, 610}, {980, 640}, {830, 320}, {260, 310}}}},
		"command_guard_cancel":  FromPage{Command: Command{ID: "c73", Do: "guard_cancel"}},
		"command_false_alarm":   FromPage{Command: Command{ID: "c74", Do: "false_alarm", Job: "01jd8w2m4k"}},
		"command_guard_check":   FromPage{Command: Command{ID: "c77", Do: "guard_check", Job: "01jd8w2m4k"}},
		"command_rehome":        FromPage{Command: Command{ID: "c78", Do: "rehome", Job: "01jd8w2m4k"}},
		"command_guard_seen":    FromPage{Command: Command{ID: "c75", Do: "guard_seen", Job: "01jd8w2m4k"}},
		"command_start_watched": FromPage{Command: Command{ID: "c76", Do: "start", File: "cube.gcode", Watch: printer.WatchTell}},
		"state_paused":          goldenPaused(),
		"state_lost":            goldenLost(),
		"state_card":            goldenCard(),
		"state_trouble":         goldenTrouble(),
		"answer_ok":             Answer{Type: "answer", ID: "c7", Rev: 4712},
		"answer_start":          Answer{Type: "answer", ID: "c1", Rev: 4700, Job: "01jd8w2m4k"},
		"answer_error": Answer{Type: "answer", ID: "c8", Error: &Error{Code: "other_job", Message: "That job is no longer the one under way.",
			Next: "Look at what is printing now, then try again."}},
		"answer_warning": Answer{Type: "answer", ID: "c2", Error: &Error{Code: "warning", Message: "This file may not suit the printer.",
			Next: "Start it anyway only if you know why.", Warnings: []string{"It pushes no filament at all."}}},
		"error":   ErrorAnswer{Error: Error{Code: "no_file", Message: "There is no such file.", Next: "Look at the list of files."}},
		"beat":    Beat{Type: "beat", Echo: "1795348800123", NowMS: goldenMS + 150},
		"console": ConsoleLines{Type: "console", Lines: []printer.Entry{{Seq: 41, AtMS: goldenMS, Dir: "out", Text: "N12 M105*36"}, {Seq: 42, AtMS: goldenMS + 9, Dir: "in", Text: "ok T:21.3 /0.0"}, {Seq: 43, AtMS: goldenMS + 10, Dir: "note", Text: "connected"}}},
		"files":   FileList{Files: []store.File{{Path: "toys", Name: "toys", Folder: true, ModifiedMS: goldenMS - 86400_000}, benchy}, FreeBytes: 5_000_000_000},
		"file":    benchy,
		"layers":  LayerTimes{Job: "01jd8w2m4k", Layers: []LayerTime{{ZMM: 0.2, CruiseS: 2101.5, RestS: 500}, {ZMM: 0.4, CruiseS: 2000, RestS: 400, EndMS: goldenMS + 44_000}, {ZMM: 0.6, EndMS: goldenMS + 2994_000}}, Pauses: goldenPauses()},
		"times":   FileTimes{TimeS: 4701.3, HeatS: 162.5, SlicerTimeS: 4789.5, LimitsBy: gcode.LimitsConfig, Pauses: goldenPauses()},
		"facts": FileFacts{Slicer: "PrusaSlicer 2.9.0", Printer: "MK4", LayerHeightMM: 0.2, NozzleMM: []float64{0.4}, Materials: []string{"PLA"}, SizeMM: []float64{60.4, 31, 48}, NozzleC: 215, BedC: 60, Pauses: 2, Changes: 1,
			Warnings: []string{"Line 7 prints at X 900.0 mm, outside of the printer's volume. Move the model, or look at the profile."}},
		"card": CardList{Present: true, ListedMS: goldenMS - 60_000, Files: []CardFile{
			{Path: "3DBENC~1.GCO", Name: "3D Benchy 0.2mm.gcode", Bytes: 3456789, ModifiedMS: goldenMS - 86400_000, Fits: true}, {Path: "my cube.gco", Name: "my cube.gco", Bytes: -1}}},
		"prints": PrintList{Prints: []store.Print{
			{ID: "01jd8w2m4k", File: benchy.Path, SHA256: benchy.SHA256, By: "Kim's phone", StartedMS: goldenMS - 1800_000, Line: 41234, Offset: 1234567, Layer: 17, Layers: 240, ZMM: 3.4, Percent: 37.5},
			{ID: "01jd8q0000", File: "cube.gcode", By: "script", StartedMS: goldenMS - 7300_000, EndedMS: goldenMS - 7200_000, Outcome: "failed", Reason: "The printer's USB port vanished.", Fault: "port_lost", ElapsedS: 61,
				FilamentMM: 61.2, FilamentG: 0.18, Spools: "PLA orange", LinesAgain: 31, ResendPercent: 3.4, StarvedS: 8.1, StarvedBy: "wire", HasPicture: true, HasCurve: true, HasLog: true}}},
		"temperatures": thermo.Recent{Whole: true, NewestMS: goldenMS - 1799_000, NowMS: goldenMS, Curve: exampleCurve()},
		"curve":        exampleCurve(),
		"totals": Totals{Months: []store.Month{{Month: "2026-11", Prints: 12, Done: 9, Cancelled: 1, Failed: 1, Interrupted: 1, PrintedS: 123456.5, FilamentMM: 98765.4},
			{Month: "2026-10", Prints: 1, Done: 1, PrintedS: 3600, FilamentMM: 3712.4}}},
		"print_log": PrintLog{Lines: []store.LogLine{{AtMS: goldenMS - 9, Dir: "out", Text: "G1 X101.5 E.03"},
			{AtMS: goldenMS - 2, Dir: "in", Text: "Error:Thermal Runaway, system stopped! Heater_ID: 0"}, {AtMS: goldenMS, Dir: "note", Text: "firmware: The printer's firmware has stopped."}}},
		"spools": spools.List{Source: store.OwnSpools, Spools: []store.Spool{
			{ID: 2, Name: "PLA orange", Material: "PLA", Colour: "#ff8800", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, SpoolG: 200, Cost: 19.9, UsedMM: 83821, LeftMM: 251462.7, LeftG: 750},
			{ID: 1, Name: "PETG", DiameterMM: 1.75, DensityGCM3: 1.27, WeightG: 750, Archived: true, UsedMM: 245500, LeftMM: 0, LeftG: 0}},
			Active: []store.ActiveSpool{{Spool: 2, Name: "PLA orange", GPerM: 2.9825}}},
		"spools_spoolman": spools.List{Source: store.Spoolman, Spools: []store.Spool{{ID: 12, Name: "Acme Galaxy", DiameterMM: 1.75, DensityGCM3: 1.24, UsedMM: 10, LeftMM: -1, LeftG: -1}},
			Active: []store.ActiveSpool{}, AtMS: goldenMS - 3600_000, Problem: "ask Spoolman for its spools: connection refused"},
		"timelapses": goldenTimelapses(),
		"overlay": OverlayAnswer{Settings: overlay.Settings{Kind: overlay.Tailnet, Tailnet: overlay.TailnetSettings{Name: "voron", ControlURL: "https://headscale.example.com", Tags: []string{"tag:printer"}, DefaultRole: "viewer"}},
			Status: overlay.Status{Kind: overlay.Tailnet, State: overlay.Login, Name: "voron.tail1234.ts.net", URLs: []string{}, Addresses: []string{"100.64.0.7", "fd7a:115c:a1e0::7"}, Network: "example.com",
				LoginURL: "https://headscale.example.com/register/1", ExpiresMS: goldenMS - 1000, Problem: "The key of this machine has expired.", Next: "Open the link and log in again.", Health: []string{"not logged in"},
				Paths: []overlay.Path{{Peer: "phone", Direct: true}, {Peer: "laptop", Relay: "fra"}}},
			LoginQR: "data:image/png;base64,iVBORw0KGgo=", HasKey: true},
		"neighbours":            NeighbourList{[]overlay.Neighbour{{Name: "mk4", URL: "https://mk4.tail1234.ts.net/", Online: true, State: "printing", Job: "3DBenchy.gcode", Percent: 37.5, LeftS: 2994, Picture: true, CheckedMS: goldenMS}}},
		"command_set_overlay":   FromPage{Command: Command{ID: "c50", Do: "set_overlay", Overlay: &overlay.Settings{Kind: overlay.ZeroTier, ZeroTier: overlay.ZeroTierSettings{Network: "8056c2e21c000001"}}}},
		"command_overlay_login": FromPage{Command: Command{ID: "c51", Do: "overlay_login", Secret: "tskey-auth-1"}},
		"command_allow_app":     FromPage{Command: Command{ID: "c53", Do: "allow_app", App: "k3mZ0xQb2sTf", Role: "operator"}},
		"command_deny_app":      FromPage{Command: Command{ID: "c54", Do: "deny_app", App: "k3mZ0xQb2sTf"}},
		"command_restart":       FromPage{Command: Command{ID: "c55", Do: "restart"}},
		"command_overlay_leave": FromPage{Command: Command{ID: "c52", Do: "overlay_leave"}},
		"heights":               Heights{ZMM: []float64{0.2, 0.4, 0, 0.6}},
		"command_start_stops":   FromPage{Command: Command{ID: "c60", Do: "start", File: "cube.gcode", Stops: []printer.StopAt{{Layer: 12, Change: true, Note: "Now red"}, {ZMM: 4.5}}}},
		"command_set_stop":      FromPage{Command: Command{ID: "c61", Do: "set_stop", Job: "01jd8w2m4k", Stop: &printer.StopAt{ThisLayer: true, Note: "the magnet"}}},
		"command_remove_stop":   FromPage{Command: Command{ID: "c62", Do: "remove_stop", Job: "01jd8w2m4k", Stop: &printer.StopAt{Layer: 120}}},
		"state_stopped":         goldenStopped(),
		"state_preparing":       goldenPreparing(),
		"command_set_fit_arcs":  FromPage{Command: Command{ID: "c63", Do: "set_fit_arcs", On: new(true)}},
		"shots":                 ShotsTime{StillS: 120, ParkS: 716},
		"objects": ObjectList{Objects: []gcode.Object{
			{Name: "cube.stl", Extent: &gcode.Box{Min: [3]float64{20, 30.5, 0.2}, Max: [3]float64{40, 50.5, 20}}, PolygonMM: [][2]float64{}, TimeS: 1200.5, FilamentMM: 1804.2, Line: 412, Offset: 10230, End: 204900},
			{Name: "CLIP", ID: "CLIP", Extent: &gcode.Box{Min: [3]float64{90, 30, 0.2}, Max: [3]float64{120, 42, 5}}, CenterMM: &[2]float64{105, 36}, PolygonMM: [][2]float64{{90, 30}, {120, 30}, {105, 42}}, TimeS: 300, FilamentMM: 410.7, Line: 630, Offset: 15004, End: 80120}}},
		"queue": QueueList{Entries: []QueueEntry{
			{Entry: store.Entry{ID: 5, File: benchy.Path, Copies: 2, By: "Kim's phone", AddedMS: goldenMS - 60_000, Print: "01jd8w2m4k"}, Name: benchy.Name, EstimateS: 4789.5, FilamentMM: 3712.4, Thumbnail: true, SHA256: benchy.SHA256},
			{Entry: store.Entry{ID: 9, File: "old/cube.gcode", Copies: 1, By: "script", AddedMS: goldenMS - 50_000}, Name: "old/cube.gcode", Gone: true}}},
		"choices": Choices{Presets: printer.Presets()[:2], Cameras: []camera.Device{{ID: "/dev/v4l/by-id/usb-046d_HD_Webcam-video-index0", Name: "HD Webcam"}},
			Ports: []printer.PortInfo{{Path: "/dev/ttyUSB0", Name: "USB Serial (1a86)", Vendor: "1a86", Product: "7523", USBPath: "1-1.2"}}, Bauds: bauds, Lamp: Lamp{OnLines: "M355 S1", OffLines: "M355 S0"}, FitArcs: true, Arcs: true, Setups: []CameraSetup{{Setup: camera.Setup{Controls: map[string]int64{"exposure_auto": 1}}, Adjustable: []camera.Control{{ID: "exposure_auto", Name: "Exposure, Auto", Kind: "choice", Max: 3, Step: 1, Default: 3, Value: 1, Choices: []camera.Choice{{Value: 1, Name: "Manual Mode"}, {Value: 3, Name: "Aperture Priority Mode"}}}}}}},
		"mesh": MeshAnswer{CanRead: true, CanProbe: true, Mesh: &BedMesh{AtMS: goldenMS - 86400_000, Form: "ubl", Firmware: "Marlin 2.1.2.4", LowMM: -0.1, HighMM: 0.25, MeanMM: 0.05,
			Rows: [][]*float64{{new(0.0), nil, new(0.04)}, {new(-0.1), new(0.06), new(0.25)}}}},
		"eeprom": EEPROM{AtMS: goldenMS, Settings: []EEPROMLine{
			{Text: "M92 X80.00 Y80.00 Z400.00 E93.00", Command: "M92", Name: "Steps per mm", Note: "Steps per unit:", Changeable: true, Words: []EEPROMWord{{"X", 80}, {"Y", 80}, {"Z", 400}, {"E", 93}}},
			{Text: "Filament settings: Disabled", Words: []EEPROMWord{}}}},
		"eeprom_copies": CopyList{Copies: []store.SettingsCopy{{ID: 7, AtMS: goldenMS - 86400_000, Firmware: "Marlin 2.1.2.4", Machine: "Ender-3", Why: "before M92 E95", SHA256: benchy.SHA256, Lines: 42}}},
		"backup_ready":  BackupReady{Name: "layerd-voron-2026-11-27.layerd-backup", FilesBytes: 123_456_789, TimelapseBytes: 98_765_432},
		"door":          Door{Setup: true, Name: "voron"},
		"people": PeopleList{People: []store.Person{{ID: "p1", Name: "Anna", Role: "owner", CreatedMS: goldenMS - 86400_000, UsedMS: goldenMS - 60_000}, {ID: "p2", Name: "bob@example.com", Role: "operator", Tailnet: true, CreatedMS: goldenMS}},
			Configured: []ConfiguredPerson{{"alice@example.com", access.Owner}}, DefaultRole: "nobody"},
		"tokens":     TokenList{Tokens: []store.Token{{ID: "t1", Name: "laptop", Role: "operator", CreatedMS: goldenMS - 86400_000, UsedMS: goldenMS}, {ID: "t2", Name: "Grandma", Role: "viewer", Link: true, CreatedMS: goldenMS, ExpiresMS: goldenMS + 86400_000}}},
		"token_made": MadeToken{Secret: "ld_SECRET", Token: store.Token{ID: "t2", Name: "Grandma", Role: "viewer", Link: true, CreatedMS: goldenMS, ExpiresMS: goldenMS + 86400_000}, QR: "data:image/png;base64,iVBORw0KGgo=", Digest: "mzxw6ytboi4dqmzxw6ytboi4"},
		"sessions":   SessionList{Sessions: []SessionRow{{store.Session{ID: "s1", Name: "Anna", Role: "owner", Via: "password", Agent: "Mozilla/5.0 (Android 15; Mobile)", From: "192.168.1.7", CreatedMS: goldenMS - 86400_000, UsedMS: goldenMS, ExpiresMS: goldenMS + 90*86400_000}, true}}},
		"audit": Audit{Entries: []store.Deed{{Seq: 12, AtMS: goldenMS, Name: "Anna", Role: "owner", Via: "session", From: "192.168.1.7", What: "set_nozzle", Detail: "target_c 210", Outcome: "ok"},
			{Seq: 11, AtMS: goldenMS - 9000, Role: "nobody", From: "192.168.1.9", What: "login", Detail: "anna", Outcome: "wrong_password"}}},
		"me":        access.Identity{ID: "t1", Name: "Kim's phone", Role: access.Operator, Via: "bearer"},
		"frame_ack": FrameAck{Ack: new(uint32), Save: true},
		"frame_got": FrameAck{Got: new(int64)},

		"command_start":            FromPage{Command: Command{ID: "c1", Do: "start", File: "toys/3DBenchy.gcode"}},
		"command_start_card":       FromPage{Command: Command{ID: "c27", Do: "start_card", File: "/TOYS/3DBENC~1.GCO"}},
		"command_start_anyway":     FromPage{Command: Command{ID: "c2", Do: "start", File: "toys/3DBenchy.gcode", Anyway: true}},
		"command_pause":            FromPage{Command: Command{ID: "c3", Do: "pause", Job: "01jd8w2m4k"}},
		"command_resume":           FromPage{Command: Command{ID: "c4", Do: "resume", Job: "01jd8w2m4k"}},
		"command_cancel":           FromPage{Command: Command{ID: "c5", Do: "cancel", Job: "01jd8w2m4k"}},
		"command_emergency_stop":   FromPage{Command: Command{ID: "c6", Do: "emergency_stop"}},
		"command_dismiss":          FromPage{Command: Command{ID: "c7", Do: "dismiss"}},
		"command_home":             FromPage{Command: Command{ID: "c8", Do: "home", Axes: "xy"}},
		"command_jog":              FromPage{Command: Command{ID: "c9", Do: "jog", Axes: "x", ByMM: -10}},
		"command_extrude":          FromPage{Command: Command{ID: "c10", Do: "extrude", ByMM: 5}},
		"command_set_nozzle":       FromPage{Command: Command{ID: "c11", Do: "set_nozzle", Tool: 1, TargetC: number(0)}},
		"command_set_bed":          FromPage{Command: Command{ID: "c12", Do: "set_bed", TargetC: number(60)}},
		"command_set_chamber":      FromPage{Command: Command{ID: "c13", Do: "set_chamber", TargetC: number(40)}},
		"command_set_fan":          FromPage{Command: Command{ID: "c14", Do: "set_fan", Percent: number(0)}},
		"command_set_speed":        FromPage{Command: Command{ID: "c15", Do: "set_speed", Percent: number(110)}},
		"command_set_flow":         FromPage{Command: Command{ID: "c16", Do: "set_flow", Percent: number(98)}},
		"command_motors_off":       FromPage{Command: Command{ID: "c17", Do: "motors_off"}},
		"command_send":             FromPage{Command: Command{ID: "c18", Do: "send", Line: "M503\nM115"}},
		"command_connect":          FromPage{Command: Command{ID: "c19", Do: "connect", Port: "/dev/ttyUSB0", Baud: 115200}},
		"command_disconnect":       FromPage{Command: Command{ID: "c20", Do: "disconnect"}},
		"command_set_profile":      FromPage{Command: Command{ID: "c21", Do: "set_profile", Profile: &profile}},
		"command_set_camera":       FromPage{Command: Command{ID: "c22", Do: "set_camera", Camera: &camera.Setup{Name: "Nozzle", Settings: camera.Settings{Device: "none", Rotate: 180, FlipH: true}}}},
		"command_remove_camera":    FromPage{Command: Command{ID: "c23", Do: "remove_camera", CameraID: new(int)}},
		"command_set_control":      FromPage{Command: Command{ID: "c24", Do: "set_control", CameraID: new(int), Name: "exposure_auto", Value: new(float64)}},
		"command_set_lamp":         FromPage{Command: Command{ID: "c25", Do: "set_lamp", OnLines: new("M355 S1"), OffLines: new("M355 S0")}},
		"command_lamp":             FromPage{Command: Command{ID: "c26", Do: "lamp", On: new(bool)}},
		"command_delete_file":      FromPage{Command: Command{ID: "c23", Do: "delete_file", File: "toys/old.gcode"}},
		"command_rename_file":      FromPage{Command: Command{ID: "c24", Do: "rename_file", File: "toys/old.gcode", To: "toys/new.gcode"}},
		"command_make_folder":      FromPage{Command: Command{ID: "c25", Do: "make_folder", File: "toys"}},
		"command_answer":           FromPage{Command: Command{ID: "c26", Do: "answer", Prompt: goldenMS - 5000, Button: new(1)}},
		"command_skip_object":      FromPage{Command: Command{ID: "c48", Do: "skip_object", Job: "01jd8w2m4k", Object: new(int)}},
		"command_keep_warm":        FromPage{Command: Command{ID: "c27", Do: "keep_warm"}},
		"command_set_timelapse":    FromPage{Command: Command{ID: "c47", Do: "set_timelapse", Timelapse: &goldenTimelapses().Settings}},
		"command_start_recorded":   FromPage{Command: Command{ID: "c48", Do: "start", File: "cube.gcode", Record: &timelapse.Choice{Mode: timelapse.ByLayer, EveryS: 10, Park: true}}},
		"command_set_cooling":      FromPage{Command: Command{ID: "c28", Do: "set_cooling", Cooling: &printer.Cooling{StandingNozzleMin: 5, StandingBedMin: 60, IdleMin: 20}}},
		"command_start_hot":        FromPage{Command: Command{ID: "c29", Do: "start", File: "toys/3DBenchy.gcode", OverLimits: true}},
		"command_babystep":         FromPage{Command: Command{ID: "c27", Do: "babystep", ByMM: -0.05}},
		"command_set_advance":      FromPage{Command: Command{ID: "c28", Do: "set_advance", Factor: number(0.08)}},
		"command_set_acceleration": FromPage{Command: Command{ID: "c29", Do: "set_acceleration", AccelerationMMS2: number(800)}},
		"command_read_tuning":      FromPage{Command: Command{ID: "c30", Do: "read_tuning"}},
		"command_save_babystep":    FromPage{Command: Command{ID: "c31", Do: "save_babystep"}},
		"command_change_setting":   FromPage{Command: Command{ID: "c32", Do: "change_setting", Line: "M92 E95"}},
		"command_save_settings":    FromPage{Command: Command{ID: "c33", Do: "save_settings"}},
		"command_restore_settings": FromPage{Command: Command{ID: "c34", Do: "restore_settings", Copy: 7}},
		"command_extrude_fast":     FromPage{Command: Command{ID: "c27", Do: "extrude", ByMM: -100, MMS: 10}},
		"command_save_spool":       FromPage{Command: Command{ID: "c28", Do: "save_spool", Spool: &store.SpoolEdit{ID: 2, Name: "PLA orange", Material: "PLA", Colour: "#ff8800", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, SpoolG: 200, Cost: 19.9, LeftG: number(750)}}},
		"command_set_spool":        FromPage{Command: Command{ID: "c29", Do: "set_spool", Tool: 1, SpoolID: 2}},
		"command_queue_add":        FromPage{Command: Command{ID: "c30", Do: "queue_add", File: "toys/3DBenchy.gcode", Copies: 2}},
		"command_queue_move":       FromPage{Command: Command{ID: "c31", Do: "queue_move", Entry: 9, Before: 5}},
		"command_queue_copies":     FromPage{Command: Command{ID: "c32", Do: "queue_copies", Entry: 5, Copies: 3}},
		"command_queue_remove":     FromPage{Command: Command{ID: "c33", Do: "queue_remove", Entry: 9}},
		"command_start_next":       FromPage{Command: Command{ID: "c34", Do: "start_next", Entry: 5, Anyway: true, Stops: []printer.StopAt{{Layer: 12, Change: true}}}},
		"page_beat":                FromPage{Beat: "1795348800123"},
		"page_console_on":          FromPage{Console: &Watch{On: true, Since: 41}},
		"page_console_off":         FromPage{Console: &Watch{}},
	}
}

func goldenPauses() []FilePause {
	return []FilePause{{Kind: gcode.PauseFilament, Text: "M600", Layer: 2, ZMM: 0.4, AtS: 2150.4, Percent: 45.7, CruiseS: 2080.2, RestS: 470.7}}
}

func goldenTimelapses() TimelapseList {
	settings := timelapse.UsualSettings()
	settings.Mode, settings.Park = timelapse.ByLayer, true
	return TimelapseList{&timelapse.List{Settings: settings, Bytes: 92_400_000, LimitBytes: 2000 << 20, Recording: "6f1d0c2b8a94e735", Items: []timelapse.Item{
		{ID: "6f1d0c2b8a94e735", JobID: "01jd8w2m4k", Name: "3DBenchy.gcode", StartedMS: goldenMS - 1800_000, Mode: timelapse.ByLayer, FPS: 25, Frames: 117, LastN: 116, Step: 1, Missed: 1, Bytes: 8_600_000, Video: timelapse.Video{State: timelapse.VideoRecording}},
		{ID: "0a3c9e5577d1b210", JobID: "01jd8q0000", Name: "cube.gcode", StartedMS: goldenMS - 9000_000, EndedMS: goldenMS - 7200_000, Mode: timelapse.ByTime, FPS: 25, Outcome: "cancelled", Frames: 610, LastN: 1218, Step: 2, Bytes: 81_000_000, Video: timelapse.Video{State: timelapse.VideoFailed, Reason: "ffmpeg failed: No space left on device"}},
		{ID: "c4b1a2907e6f3d18", JobID: "01jd7zzzzz", Name: "vase.gcode", StartedMS: goldenMS - 99000_000, EndedMS: goldenMS - 88000_000, Mode: timelapse.ByLayer, FPS: 30, Outcome: "done", Step: 1, Bytes: 2_800_000, Video: timelapse.Video{State: timelapse.VideoReady, Bytes: 2_700_000}},
	}}}
}

func TestGoldenMessages(t *testing.T) {
	dir := filepath.Join("testdata", "wire")
	if *update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, message := range goldens() {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(message, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join(dir, name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s has changed (go test -update writes it anew): got\n%s\nwant\n%s", path, got, want)
			}
			back := reflect.New(reflect.TypeOf(message))
			if err := decode(want, back.Interface()); err != nil {
				t.Fatalf("%s cannot be read back: %v", path, err)
			}
			if !reflect.DeepEqual(back.Elem().Interface(), message) {
				t.Errorf("%s read back: got %+v, want %+v", path, back.Elem().Interface(), message)
			}
		})
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(goldens()) {
		t.Errorf("%s holds %d files, want %d: one is left over", dir, len(files), len(goldens()))
	}
}
