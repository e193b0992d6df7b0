package printertest

import (
	"slices"
	"time"
)

// Firmware is what one firmware does differently from others: data only. The code that reads a field says what it is for.
type Firmware struct {
	Name string

	// Boot and identity.
	Boot       time.Duration // from reset to the first word
	Banner     []string
	Info       []string // answer to M115
	InfoOnOK   bool     // and it stands on the ok line
	AreaReport bool

	// Receiving.
	MaxLine         int // bytes of a line, with its terminating zero
	BufSize         int // commands in the queue
	RxBuffer        int // bytes in the receive ring
	TxBuffer        int // bytes it can say ahead of the line; 1 is none: the one in the UART
	FlowControl     bool
	Checks          bool // line numbers and checksums are verified
	Duplicates      duplicates
	Emergency       bool   // emergency parser
	Early           bool   // without one: M108, M112 and M410 are recognised when the line is received
	NumberError     string // may hold {last} good line, {got} and {want} number; "" = says nothing
	ChecksumError   string
	MissingError    string        // a number without checksum; "" = it is taken
	StarError       string        // a checksum without number; "" = it is not verified
	ResendForm      string        // format of the line that is wanted
	ResendAdvanced  bool          // the ok after it carries P and B
	ResendQuiet     bool          // no ok comes after it
	SkipWindow      int           // after a Resend so many wrong lines are skipped with an ok each
	ResendAgain     time.Duration // the Resend is repeated so often while nothing comes
	EmptyOK         bool          // empty lines and comments are answered too
	LowerCase       bool
	Words           bool // commands that are words
	RealTimeReports bool

	// Answering.
	LineEnd        string
	OKEarly        bool // ok is said when a line is received
	OKNumber       bool // "ok 12"
	UnknownForm    string
	NoToolForm     string
	Temps          tempsForm
	AutoPrefix     string // of an automatic temperature report
	WaitPrefix     string // of the report while heating
	TempsBeforeOK  bool
	PositionForm   string // "" = Marlin's
	EndstopsForm   string // "" = Marlin's
	StopWord       string // of a switch; "" = Marlin's
	OpenWord       string
	HomeReports    bool
	G92Reports     bool
	FanReports     bool
	FactorReports  bool
	ResumeAsks     bool
	MustHome       bool
	HomeError      string // formats of the destination
	RangeError     string // "" = moves are clipped
	ColdError      string // "" = Marlin's
	ShutdownHelp   string // Klipper: after a kill it answers with this
	Busy           string
	BusyPaused     string
	MeatPackPrefix string        // of its state
	BusyEvery      time.Duration // 0 = no keep-alive
	Wait           time.Duration // says "wait" so often when idle
	KillWords      []string      // M112
	KillPinWords   []string      // nil = it has no kill pin
	RunawayWords   []string      // thermal runaway

	// Motion.
	Planner      int // blocks that fit
	PlannerAhead time.Duration
	Lacks        string // commands that are unknown to it
}

type duplicates uint8

const (
	dupError    duplicates = iota // a repeated line is an error like any wrong number
	dropLastTwo                   // the last line and the one before are dropped without a word
)

type tempsForm uint8

const (
	tempsMarlin tempsForm = iota
	tempsPrusa
	tempsKlipper
	tempsRepRap
	tempsRepetier
)

// Firmwares are the names that Config.Firmware takes.
func Firmwares() []string {
	var names []string
	for _, fw := range dialects() {
		names = append(names, fw.Name)
	}
	return names
}

func dialectNamed(name string) (Firmware, bool) {
	all := dialects()
	i := slices.IndexFunc(all, func(fw Firmware) bool { return fw.Name == name })
	if i < 0 {
		return Firmware{}, false
	}
	return all[i], true
}

// dialects is the table. The first is the default.
func dialects() []Firmware {
	return []Firmware{marlin2(), marlin2Plain(), marlin1(), prusa(), repetier(), repRapFirmware(), klipper()}
}

var runaway = []string{"Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!"}

// marlin2 is Marlin 2.1 with all host extras, as observed.
func marlin2() Firmware {
	return Firmware{
		Name: "marlin2", Boot: 420 * time.Millisecond,
		Banner: []string{"start", "PowerUp", "Marlin bugfix-2.1.x", "echo: Last Updated: 2024-10-12 | Author: (none, default config)",
			"echo: Compiled: Nov 22 2026", "echo: Free Memory: 0  PlannerBufferBytes: 1472",
			"echo:V90 stored settings retrieved (606 bytes; crc 16941)", "//action:notification Stored settings retrieved",
			"//action:prompt_end"},
		Info: append([]string{"FIRMWARE_NAME:Marlin bugfix-2.1.x (Nov 22 2026 14:58:31) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin " +
			"PROTOCOL_VERSION:1.0 MACHINE_TYPE:SimRap 1.4 KINEMATICS:Cartesian EXTRUDER_COUNT:1 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff"},
			capabilities("SERIAL_XON_XOFF:0 BINARY_FILE_TRANSFER:0 EEPROM:1 VOLUMETRIC:1 AUTOREPORT_POS:1 AUTOREPORT_TEMP:1 PROGRESS:0 "+
				"PRINT_JOB:1 AUTOLEVEL:0 RUNOUT:0 Z_PROBE:0 LEVELING_DATA:0 BUILD_PERCENT:1 SOFTWARE_POWER:0 TOGGLE_LIGHTS:0 "+
				"CASE_LIGHT_BRIGHTNESS:0 EMERGENCY_PARSER:1 HOST_ACTION_COMMANDS:1 PROMPT_SUPPORT:1 SDCARD:0 REPEAT:0 SD_WRITE:0 "+
				"AUTOREPORT_SD_STATUS:0 LONG_FILENAME:0 LFN_WRITE:0 CUSTOM_FIRMWARE_UPLOAD:0 EXTENDED_M20:0 THERMAL_PROTECTION:1 "+
				"MOTION_MODES:0 ARCS:1 BABYSTEPPING:1 EP_BABYSTEP:0 CHAMBER_TEMPERATURE:0 COOLER_TEMPERATURE:0 MEATPACK:0 CONFIG_EXPORT:0")...),
		AreaReport: true, MaxLine: 96, BufSize: 4, RxBuffer: 128, TxBuffer: 64, Checks: true, Duplicates: dropLastTwo, Emergency: true,
		NumberError:   "Error:Line Number is not Last Line Number+1, Last Line: {last}",
		ChecksumError: "Error:checksum mismatch, Last Line: {last}", MissingError: "Error:No Checksum with line number, Last Line: {last}",
		ResendForm: "Resend: %d", RealTimeReports: true, LineEnd: "\n", UnknownForm: `echo:Unknown command: "%s"`,
		NoToolForm: "echo:T%d Invalid extruder", AutoPrefix: " ", WaitPrefix: " ", HomeReports: true, G92Reports: true, FanReports: true,
		FactorReports: true, ResumeAsks: true, Busy: "echo:busy: processing", BusyPaused: "echo:busy: paused for user",
		BusyEvery: 2 * time.Second, KillWords: []string{"echo:M112 Shutdown", "Error:Printer halted. kill() called!", "//action:poweroff"},
		KillPinWords: []string{"Error:!! KILL caused by KILL button/pin", "Error:Printer halted. kill() called!", "//action:poweroff"},
		RunawayWords: runaway, Planner: 15,
	}
}
