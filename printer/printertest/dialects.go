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
	Greets     bool     // the banner comes when the port is opened too
	Info       []string // answer to M115
	AreaReport bool

	// Receiving.
	MaxLine         int    // bytes of a line, with its terminating zero
	LongAsks        bool   // a longer one is asked for again; else its end is cut off
	BufSize         int    // commands in the queue
	RxBuffer        int    // bytes in the receive ring
	FullWords       string // said when bytes found it full, and the ring is emptied; "" = what is in it stays
	TxBuffer        int    // bytes it can say ahead of the line; 1 is none: the one in the UART
	FlowControl     bool
	DropsHigh       bool          // bytes from 0x80 on are left out of a line, and then of its checksum
	LineTimeout     time.Duration // a line that does not go on for so long is dropped
	TimeoutWords    string        // and this is said; "" = the next line is asked for
	EmptyOK         bool          // empty lines and comments are answered too
	LowerCase       bool
	Words           bool // commands that are words
	RealTimeReports bool
	Emergency       bool // emergency parser
	Early           bool // without one: M108, M112 and M410 are recognised when the line is received

	// Numbers and checksums.
	Checks         bool // they are verified
	Unordered      bool // but any number will do
	SumFirst       bool // the checksum is looked at before the number
	Duplicates     duplicates
	NumberError    string        // may hold {last} good line, {got} and {want} number; "" = says nothing
	ChecksumError  string        // may hold the right {sum} as well
	MissingError   string        // a number without checksum; "" = it is taken
	SumForced      bool          // and any line without, once one with a checksum has come
	StarError      string        // a checksum without number
	StarAlone      bool          // which is all that is said about it: neither Resend nor ok
	StarChecked    bool          // without StarError: it is verified; else not
	WordError      string        // a line without G, M or T; "" = an unknown command
	DropsBad       bool          // a damaged line is dropped without a word
	KeepsRing      bool          // an error does not empty the receive ring
	ResendForm     string        // format of the line that is wanted
	ResendGot      bool          // which is the number that came
	ResendByte     bool          // in eight bits
	ResendAlone    bool          // no ok comes behind it
	ResendAdvanced bool          // the ok behind it carries P and B
	SkipWindow     int           // after a Resend so many wrong lines are skipped with an ok each
	ResendAgain    time.Duration // the Resend is repeated so often while nothing comes

	// Answering.
	LineEnd        string
	OKEarly        bool   // ok is said when a line is received
	OKEarlyMoves   bool   // only that of G0 and G1
	OKMoves        bool   // that of G1 is said before the move has a place in the planner
	OKNumber       bool   // "ok 12"
	OKLastN        bool   // an ok with a number has that of the last line where its own has none
	Advanced       bool   // ADVANCED_OK is always on
	OnOK           string // commands whose answer stands on the ok line; "?" is an unknown one
	UnknownForm    string // "" = says nothing
	UnknownCodes   bool   // an unknown G or M code is taken, and does nothing
	NoToolForm     string
	Temps          tempsForm
	AutoPrefix     string // of an automatic temperature report
	WaitPrefix     string // of the report while heating
	TempsBeforeOK  bool
	TargetReports  bool   // M104 and M140 say what they set
	PositionForm   string // "" = Marlin's
	EndstopsForm   string // "" = Marlin's
	StopWord       string // of a switch
	OpenWord       string
	NoStopWord     string // of an axis without; "" = it is left out
	LimitsForm     limitsForm
	HomeUnlevels   bool   // G28 turns levelling off
	NoTriggerForm  string // homing found no switch; "" = Marlin's kill, or not a word where it has none
	HomeReports    bool
	G92Reports     bool
	FanReports     bool
	FactorReports  bool
	ResumeAsks     bool
	MustHome       bool
	HomeError      string // formats of the destination
	RangeError     string // "" = moves are clipped
	ColdError      string // "" = Marlin's
	Babysteps      babysteps
	Advances       bool   // M900
	Heading        string // before the words of M503
	ShutdownHelp   string // Klipper: after a kill it answers with this
	HaltWord       string // Smoothieware: after a kill it answers with this
	Busy           string
	BusyPaused     string
	MeatPackPrefix string        // of its state
	BusyEvery      time.Duration // 0 = no keep-alive
	Wait           time.Duration // says "wait" so often when idle
	KillWords      []string      // M112
	KillPinWords   []string      // nil = it has no kill pin
	RunawayWords   []string      // thermal runaway
	CrashDetect    bool          // Prusa's

	// Motion.
	Planner      int // blocks that fit
	PlannerAhead time.Duration
	Lacks        string // commands that are unknown to it
	Card         cardForm
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
	tempsSmoothie
	tempsBare // degrees alone, without targets
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
	return []Firmware{marlin2(), marlin2Plain(), marlin1(), prusa(), repetier(), repetierForced(), anetA8(), repRapFirmware(), repRapFirmware2(),
		klipper(), smoothie(), malyan(), teacup(), sprinter()}
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
		RunawayWords: runaway, Planner: 15, Card: cardMarlin2, Babysteps: babyMarlin, Advances: true, Heading: "; ",
		StopWord: "TRIGGERED", OpenWord: "open", HomeUnlevels: true,
	}
}
