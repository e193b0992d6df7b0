package printertest

import (
	"strings"
	"time"
)

// The firmware below differs from Marlin 2.1. Marlin 1.1 and Klipper were observed; Prusa's is put together from its sources and from logs
// that people posted, and stands for the forms of answers, not for every detail.

// capabilities turns "A:1 B:0" into the lines of M115.
func capabilities(list string) []string {
	var lines []string
	for _, c := range strings.Fields(list) {
		lines = append(lines, "Cap:"+c)
	}
	return lines
}

// marlin2Plain is the same Marlin 2.1 with all host extras off: no emergency parser, prompts or automatic reports.
func marlin2Plain() Firmware {
	fw := marlin2()
	fw.Name, fw.Emergency, fw.Early, fw.RealTimeReports, fw.AreaReport, fw.FanReports = "marlin2-plain", false, true, false, false, false
	off := strings.NewReplacer("EMERGENCY_PARSER:1", "EMERGENCY_PARSER:0", "HOST_ACTION_COMMANDS:1", "HOST_ACTION_COMMANDS:0",
		"PROMPT_SUPPORT:1", "PROMPT_SUPPORT:0", "AUTOREPORT_POS:1", "AUTOREPORT_POS:0", "AUTOREPORT_TEMP:1", "AUTOREPORT_TEMP:0")
	for i := range fw.Info {
		fw.Info[i] = off.Replace(fw.Info[i])
	}
	fw.Banner = fw.Banner[:len(fw.Banner)-2]
	fw.KillWords, fw.KillPinWords = []string{"Error:Printer halted. kill() called!"}, fw.KillPinWords[:2]
	fw.Lacks = "M0 M1 M412 M600 M876 M154 M155"
	return fw
}

func marlin1() Firmware {
	fw := marlin2Plain()
	fw.Name, fw.Boot, fw.Duplicates, fw.ResendAdvanced, fw.TxBuffer = "marlin1", 1200*time.Millisecond, dupError, true, 1
	fw.ResumeAsks, fw.FactorReports = true, true
	fw.Banner = []string{"start", "echo:Marlin 1.1.9", "", "echo: Last Updated: 2018-07-31 | Author: (none, default config)",
		"echo:Compiled: Nov 22 2026", "echo: Free Memory: 3614  PlannerBufferBytes: 1232", "echo:Hardcoded Default Settings Loaded"}
	fw.Info = append([]string{"FIRMWARE_NAME:Marlin 1.1.9 (Github) SOURCE_CODE_URL:https://github.com/MarlinFirmware/Marlin " +
		"PROTOCOL_VERSION:1.0 MACHINE_TYPE:3D Printer EXTRUDER_COUNT:1 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff"},
		capabilities("SERIAL_XON_XOFF:0 EEPROM:1 VOLUMETRIC:1 AUTOREPORT_TEMP:1 PROGRESS:0 PRINT_JOB:1 AUTOLEVEL:0 Z_PROBE:0 "+
			"LEVELING_DATA:0 BUILD_PERCENT:0 SOFTWARE_POWER:0 TOGGLE_LIGHTS:0 CASE_LIGHT_BRIGHTNESS:0 EMERGENCY_PARSER:0")...)
	fw.Lacks = "M0 M1 M412 M600 M876 M154 G20 G21 M73 M900 G2 G3"
	fw.Babysteps, fw.Advances, fw.Heading, fw.LimitsForm = babyNone, false, "", limitsMarlin1
	fw.Card = cardMarlin1
	return fw
}

func prusa() Firmware {
	fw := marlin1()
	fw.Name, fw.Boot, fw.ResendAdvanced = "prusa", 2*time.Second, false
	fw.Banner = []string{"start", "echo: 3.13.3-7094", "echo: Last Updated: Mar  1 2024 10:00:00 | Author: (none, default config)",
		"echo: Free Memory: 2517  PlannerBufferBytes: 1760", "echo:Stored settings retrieved", "adc_init", "CrashDetect DISABLED",
		"Sending 0xFF", "echo:SD init fail"}
	fw.Info = []string{"FIRMWARE_NAME:Prusa-Firmware 3.13.3 based on Marlin FIRMWARE_URL:https://github.com/prusa3d/Prusa-Firmware " +
		"PROTOCOL_VERSION:1.0 MACHINE_TYPE:Prusa i3 MK3S EXTRUDER_COUNT:1 UUID:00000000-0000-0000-0000-000000000000",
		"Cap:AUTOREPORT_TEMP:1", "Cap:AUTOREPORT_FANS:1", "Cap:AUTOREPORT_POSITION:1", "Cap:EXTENDED_M20:1"}
	fw.StarError = "Error:No Line Number with checksum, Last Line: {last}"
	fw.UnknownForm, fw.Temps, fw.AutoPrefix, fw.WaitPrefix = `echo:Unknown command: "%s"(2)`, tempsPrusa, "", ""
	fw.HomeReports, fw.G92Reports, fw.ResumeAsks, fw.MeatPackPrefix, fw.CrashDetect = false, false, false, " ", true
	// cmdqueue.cpp, get_command: what found the ring full takes all that is in it with it; char is signed; and half a line is given up.
	fw.FullWords, fw.DropsHigh, fw.LineTimeout, fw.TimeoutWords = "Full RX Buffer", true, 2*time.Second, "RX timeout"
	fw.Lacks = "M0 M1 M412 M600 M876 M154 M108 M410 M851 M420 G29"
	fw.Advances = true
	fw.Card = cardPrusa
	return fw
}

// klipper is a host program, not a board: it reads numbers and checksums without looking at them, has no receive ring that
// could overrun, and its room is a time of queued motion. The forms were observed; that empty lines are answered, and the
// words for moves out of range and cold extrusion, come from its source.
func klipper() Firmware {
	const help = "\n// Once the underlying issue is corrected, use the\n// \"FIRMWARE_RESTART\" command to reset the firmware, reload the\n" +
		"// config, and restart the host software.\n// Printer is shutdown"
	return Firmware{
		Name: "klipper", Boot: 1700 * time.Millisecond, Banner: []string{"// Klipper state: Ready"},
		Info: []string{"FIRMWARE_NAME:Klipper FIRMWARE_VERSION:?"}, OnOK: "M115",
		MaxLine: 4096, BufSize: 20, RxBuffer: 4096, TxBuffer: 1 << 16, FlowControl: true, LowerCase: true, Words: true, EmptyOK: true, ShutdownHelp: help,
		ResendForm: "%d", LineEnd: "\n", UnknownForm: `// Unknown command:"%s"`, NoToolForm: `// Unknown command:"T%d"`,
		Temps: tempsKlipper, PositionForm: "X:%.3f Y:%.3f Z:%.3f E:%.3f",
		EndstopsForm: "stepper_x:%s stepper_y:%s stepper_z:%s", StopWord: "TRIGGERED", OpenWord: "open", NoTriggerForm: "!! No trigger on %c after full movement",
		MustHome: true, HomeError: "!! Must home axis first: %.3f %.3f %.3f [%.3f]", RangeError: "!! Move out of range: %.3f %.3f %.3f [%.3f]",
		ColdError: "// Extrude below minimum temp\n// See the 'min_extrude_temp' config option for details\n!! Extrude below minimum temp",
		KillWords: []string{"Shutdown due to M112 command"}, RunawayWords: []string{"Heater extruder not heating at expected rate"},
		Planner: blockRing - 1, PlannerAhead: 2 * time.Second, Babysteps: babyKlipper,
		Lacks: "G2 G3 M0 M1 M412 M600 M876 M17 M42 M75 M76 M77 M85 M92 M108 M111 M113 M118 M120 M121 M154 M155 M200 M201 M203 M205 M206 " +
			"M207 M208 M211 M300 M301 M302 M304 M410 M500 M501 M502 M503 M851 M900 M907 M999 T",
	}
}
