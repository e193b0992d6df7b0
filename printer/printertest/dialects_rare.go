package printertest

import "time"

// None of the firmware below was observed: it is put together from its sources and from logs that people posted, and stands for the forms of
// the conversation, not for every detail. What is from logs alone, or was not to be found, says so.

// repetier says ok when a line is received, and so long before it is executed; after it asked for a line it skips the wrong
// ones that were under way, each with its own ok, and asks again when nothing comes (gcode.cpp, checkAndPushCommand). A line that has lost
// its '*' is taken with all that is left of its checksum: FEATURE_CHECKSUM_FORCED is off, if nobody switches it on (Configuration.h).
func repetier() Firmware {
	return Firmware{
		Name: "repetier", Boot: time.Second, Banner: []string{"start", "Info:External Reset", "Free RAM:5000"},
		Info: []string{"FIRMWARE_NAME:Repetier_0.92.9 FIRMWARE_URL:https://github.com/repetier/Repetier-Firmware/ " +
			"PROTOCOL_VERSION:1.0 MACHINE_TYPE:Mendel EXTRUDER_COUNT:1 REPETIER_PROTOCOL:3"},
		MaxLine: 128, LongAsks: true, LineTimeout: 200 * time.Millisecond, BufSize: 8, RxBuffer: 128, TxBuffer: 1, Checks: true, SumFirst: true,
		StarChecked: true, Duplicates: dupError, Early: true, WordError: "Error:Format error",
		NumberError: "Error:expected line {want} got {got}", ChecksumError: "Error:Wrong checksum", ResendForm: "Resend:%d",
		SkipWindow: 14, ResendAgain: 200 * time.Millisecond, OKEarly: true, OKNumber: true, LineEnd: "\r\n",
		UnknownForm: "Unknown command:%s", NoToolForm: "Error:no extruder %d", Temps: tempsRepetier, TempsBeforeOK: true, TargetReports: true,
		PositionForm: "X:%.2f Y:%.2f Z:%.3f E:%.4f", EndstopsForm: "endstops hit: x_min:%s y_min:%s z_min:%s ", StopWord: "H", OpenWord: "L",
		Busy: "busy:processing", BusyPaused: "busy:paused for user", BusyEvery: 2 * time.Second, Wait: time.Second,
		KillWords: []string{"fatal:Emergency stop"}, RunawayWords: []string{"fatal:Heater decoupled - heater or thermistor defect"},
		Planner: 15, Lacks: "M0 M1 M412 M600 M876 M154 M155 M108 M410 M113 M73 M900",
	}
}

// repetierForced is the same with FEATURE_CHECKSUM_FORCED: "If a checksum is sent, all future commands must also contain a checksum."
func repetierForced() Firmware {
	fw := repetier()
	fw.Name, fw.SumForced, fw.MissingError = "repetier-forced", true, "Error:Missing checksum"
	return fw
}

// anetA8 is the firmware that the Anet A8 came with, made from an early Repetier. Its first words are from logs; the rest of its answer to
// M115 was not to be found.
func anetA8() Firmware {
	fw := repetier()
	fw.Name, fw.Banner = "anet-a8", []string{"start", "Info:External Reset", "Info: 0.000000 0.000000 0.000000"}
	fw.Info = []string{"FIRMWARE_NAME:ANET_A8_20160824 FIRMWARE_URL:https://github.com/ANET/ PROTOCOL_VERSION:1.0 MACHINE_TYPE:ANET_3D_PRINTER_A8 " +
		"EXTRUDER_COUNT:1 REPETIER_PROTOCOL:2"}
	fw.BusyEvery = 0
	return fw
}

// repRapFirmware is version 3. It looks at no order of numbers, and drops a line whose checksum is wrong without a word; one without checksum
// is taken, unless M575 asked for checksums (StringParser.cpp, LineFinished).
func repRapFirmware() Firmware {
	return Firmware{
		Name: "reprapfirmware", Babysteps: babyRepRap, Boot: 3 * time.Second,
		Info: []string{"FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.4.6 ELECTRONICS: Duet WiFi 1.02 or later " +
			"FIRMWARE_DATE: 2023-07-21 14:08:28"},
		MaxLine: 256, BufSize: 2, RxBuffer: 512, TxBuffer: 4096, FlowControl: true, Checks: true, Unordered: true, DropsBad: true, Early: true,
		LineEnd: "\n", UnknownForm: "Error: Bad command: %s", NoToolForm: "Error: tool %d not found",
		Temps: tempsRepRap, PositionForm: "X:%.3f Y:%.3f Z:%.3f E:%.3f E0:0.0 Count 0 0 0 Machine 0.000 0.000 0.000 Bed comp 0.000",
		EndstopsForm: "Endstops - X: %s, Y: %s, Z: %s, Z probe: not stopped", StopWord: "at min stop", OpenWord: "not stopped", NoStopWord: "no endstop",
		KillWords: []string{"Emergency Stop! Reset the controller to continue."}, RunawayWords: []string{"Error: Heating fault on heater 1, " +
			"temperature excursion exceeded 15.0°C"},
		Planner: 40, MustHome: true, HomeError: "Error: G0/G1: insufficient axes homed",
		Lacks: "M0 M1 M412 M600 M876 M154 M155 M410 M113 M900 M205 M211 M999",
	}
}

// repRapFirmware2 is version 2, and 3 at its beginning: it asks for the number that came with the wrong checksum, right or not, and says no ok
// (GCodeBuffer.cpp, LineFinished, which makes an M998 of it; GCodes.cpp, HandleReply).
func repRapFirmware2() Firmware {
	fw := repRapFirmware()
	fw.Name, fw.DropsBad, fw.ResendGot, fw.ResendAlone, fw.KeepsRing, fw.ResendForm = "reprapfirmware2", false, true, true, true, "rs  %d"
	fw.Info = []string{"FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 2.05.1 ELECTRONICS: Duet WiFi 1.02 or later " +
		"FIRMWARE_DATE: 2020-02-09b1"}
	return fw
}

// smoothie is Smoothieware on its USB port (GcodeDispatch.cpp, USBSerial.cpp): it greets whoever opens the port, answers a G1 before the move
// has a place in the planner, and empty lines too; it asks for a line without an ok behind, and keeps what it has. It says nothing of unknown
// codes, and no busy. Lower-case words are commands of its shell, which is not here.
func smoothie() Firmware {
	return Firmware{
		Name: "smoothie", Boot: 2 * time.Second, Banner: []string{"Smoothie", "ok"}, Greets: true,
		Info: []string{"FIRMWARE_NAME:Smoothieware, FIRMWARE_URL:http%3A//smoothieware.org, X-SOURCE_CODE_URL:https://github.com/Smoothieware/Smoothieware, " +
			"FIRMWARE_VERSION:edge-3332442, X-FIRMWARE_BUILD_DATE:Apr 22 2019 21:26:47, X-SYSTEM_CLOCK:100MHz, X-AXES:3, X-GRBL_MODE:0, X-CNC:0, X-MSD:1"},
		MaxLine: 256, BufSize: 1, RxBuffer: 256, TxBuffer: 4096, FlowControl: true, EmptyOK: true, Checks: true, Duplicates: dupError,
		KeepsRing: true, ResendForm: "rs N%d", ResendAlone: true, OKMoves: true, OnOK: "M114 ?", LineEnd: "\r\n",
		UnknownForm: "- ignored", UnknownCodes: true, NoToolForm: "", Temps: tempsSmoothie,
		PositionForm: "C: X:%.4f Y:%.4f Z:%.4f E:%.4f", EndstopsForm: "X_min:%s Y_min:%s Z_min:%s", StopWord: "1", OpenWord: "0",
		HaltWord: "!!", KillWords: []string{"ok Emergency Stop Requested - reset or M999 required to exit HALT state"},
		RunawayWords: []string{"ERROR: Temperature runaway on T (delta temp 20.000000), HALT asserted, TURN POWER OFF IMMEDIATELY - reset or M999 required"},
		Planner:      31, Lacks: "M0 M1 M412 M600 M876 M154 M155 M108 M410 M113 M73 M900 M302 M211 M118 M111",
	}
}

// malyan is the firmware of the Malyan M200 (Monoprice Select Mini), whose source was not published: all of this is from logs. It does not
// say FIRMWARE_NAME; its oks have the number of the last line where the line had none, and P and B even behind a Resend. The form of its
// temperatures was not to be found.
func malyan() Firmware {
	fw := marlin1()
	fw.Name, fw.BufSize, fw.Advanced, fw.OKLastN, fw.FlowControl = "malyan", 16, true, true, true
	fw.Banner, fw.Info = []string{"start"}, []string{"NAME: Malyan VER: 2.9 MODEL: M200 HW: HA02"}
	fw.BusyEvery = 0
	return fw
}

// teacup says "ok", does what the line says, writes what there is to say behind it and ends the line (gcode_parse.c): all answers stand on
// the ok line. It verifies a checksum where there is one, and no numbers (REQUIRE_LINENUMBER and REQUIRE_CHECKSUM are off, if nobody switches
// them on), asks with two lines and no ok, the number in the second in eight bits, and empties nothing. M112 stops the moves and the heaters,
// and is answered like the others. Here M109 waits; in Teacup the moves
// behind it do. XON and XOFF, which it sends, are not here.
func teacup() Firmware {
	return Firmware{
		Name: "teacup", Boot: time.Second, Banner: []string{"start", "ok"},
		Info: []string{"FIRMWARE_NAME:Teacup FIRMWARE_URL:http://github.com/traumflug/Teacup_Firmware/ PROTOCOL_VERSION:1.0 MACHINE_TYPE:Mendel " +
			"EXTRUDER_COUNT:1 TEMP_SENSOR_COUNT:2 HEATER_COUNT:2"},
		MaxLine: 256, BufSize: 1, RxBuffer: 64, TxBuffer: 64, LowerCase: true, EmptyOK: true, Checks: true, Unordered: true, StarChecked: true, KeepsRing: true,
		ChecksumError: "rs N{want} Expected checksum {sum}", ResendForm: "rs %d", ResendGot: true, ResendByte: true, ResendAlone: true,
		OnOK: "M114 M115 M119 ?", LineEnd: "\n", UnknownForm: "E: Bad %c-code %d", Temps: tempsBare,
		PositionForm: "X:%.3f,Y:%.3f,Z:%.3f,E:%.3f,F:1500", EndstopsForm: "x_min:%s y_min:%s z_min:%s ", StopWord: "triggered", OpenWord: "open",
		RunawayWords: []string{""}, Planner: 7,
		Lacks: "G2 G3 M0 M1 M412 M600 M876 M17 M18 M42 M73 M75 M76 M77 M85 M92 M108 M113 M117 M118 M120 M121 M154 M155 M200 M201 M203 M204 M205 " +
			"M206 M207 M208 M211 M300 M301 M302 M304 M400 M410 M500 M501 M502 M503 M851 M900 M907 M999",
	}
}

// sprinter is the forerunner of Marlin (Sprinter.pde), as many printers had it under names that nobody knows: plain oks, no busy, a ring of 64
// bytes, which Serial.flush of Arduino 1.0 and later does not empty. G0 and G1 are answered when they are received. A checksum without number
// is an error, and that is all that is said: no Resend, and no ok.
func sprinter() Firmware {
	return Firmware{
		Name: "sprinter", Boot: time.Second, Banner: []string{"start"},
		Info: []string{"FIRMWARE_NAME:Sprinter FIRMWARE_URL:http%%3A/github.com/kliment/Sprinter/ PROTOCOL_VERSION:1.0 MACHINE_TYPE:Mendel EXTRUDER_COUNT:1 " +
			"UUID:00000000-0000-0000-0000-000000000000"},
		MaxLine: 96, BufSize: 4, RxBuffer: 64, TxBuffer: 64, Checks: true, Duplicates: dupError, KeepsRing: true, StarAlone: true, OKEarlyMoves: true,
		NumberError:   "Serial Error: Line Number is not Last Line Number+1, Last Line:{last}",
		ChecksumError: "Error: checksum mismatch, Last Line:{last}", MissingError: "Error: No Checksum with line number, Last Line:{last}",
		StarError: "Error: No Line Number with checksum, Last Line:{last}", ResendForm: "Resend:%d", LineEnd: "\r\n",
		UnknownForm: "Unknown command:\r\n%s", UnknownCodes: true, Temps: tempsBare, PositionForm: "X:%.2fY:%.2fZ:%.2fE:%.2f",
		EndstopsForm: "x_min:%s y_min:%s z_min:%s ", StopWord: "H", OpenWord: "L", RunawayWords: []string{""}, Planner: 15,
		Lacks: "G2 G3 M0 M1 M412 M600 M876 M17 M73 M75 M76 M77 M108 M110 M111 M112 M113 M117 M118 M120 M121 M154 M155 M200 M203 M204 M205 M206 " +
			"M207 M208 M211 M220 M221 M300 M301 M302 M304 M400 M410 M500 M501 M502 M503 M851 M900 M907 M999 T",
	}
}
