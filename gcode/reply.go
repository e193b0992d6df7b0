package gcode

import "bytes"

// A line from the firmware flows through here: it is made printable (reply_text.go), its kind is told by how it begins, and
// the kind's own reader takes the values out (reply_ok.go, reply_report.go).

// Kind says what a line from the firmware means to the host.
type Kind uint8

const (
	Unknown      Kind = iota // text that says nothing we know; kept for the console
	OK                       // "ok", "ok N5 P15 B3", "ok T:21.3 /0.0 …", "ok FIRMWARE_NAME:…"
	Resend                   // "Resend: 12", "Resend:N12", "rs N12"
	Temperature              // a temperature report that is not an ok: " T:58.3 /80.0 B:21.3 /0.0 @:14 W:?"
	Busy                     // "echo:busy: processing", "busy: paused for user"
	Error                    // "Error:…", "!! …", "fatal: …"
	Start                    // the board has just booted: "start" (and nothing else on the line)
	Firmware                 // "FIRMWARE_NAME:…" of M115 (also on the ok line, where Kind is OK and Firmware is set)
	Capability               // "Cap:AUTOREPORT_TEMP:1"
	Position                 // "X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80 Y:160 Z:1200"
	Endstop                  // "x_min: TRIGGERED", Klipper's one-line form
	SD                       // "SD printing byte 12/345", "Not SD printing", "Begin file list", …
	Action                   // "//action:pause", "// action:prompt_begin Text"
	KlipperState             // "// Klipper state: Ready"; Message is the state's word
	Echo                     // "echo:…" that is nothing of the above, and Klipper's "// …" remarks
	Wait                     // Repetier's idle "wait"
	Halted                   // the firmware has stopped for good: "Error:Printer halted. kill() called!", "// Klipper state: Shutdown", "!! Shutdown…"
)

var kindNames = [...]string{
	"unknown", "ok", "resend", "temperature", "busy", "error", "start", "firmware", "capability", "position", "endstop",
	"sd", "action", "klipper state", "echo", "wait", "halted",
}

// String is the kind's name, for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "no kind"
}

// Temp is one sensor in a temperature report, in °C.
type Temp struct {
	Sensor    string // "T" (the current tool), "T0", "T1", "B" (bed), "C" (chamber), or another word the firmware used
	ActualC   float64
	TargetC   float64
	HasTarget bool
	// TargetOnly says that ActualC is not in the report: Repetier's "TargetExtr0:200" after M104.
	TargetOnly bool
}

// Coordinates is a position report, in mm as the firmware reports them.
type Coordinates struct{ X, Y, Z, E float64 }

// Reply is one line from the firmware, understood as far as it goes. The zero value of a field means "not in this line"
// unless its comment says otherwise. Text and Message are views of the bytes that it was parsed from, and end with them; what is kept
// longer is made a string of.
type Reply struct {
	Kind Kind
	Text []byte // the line itself, trimmed, with control bytes and invalid UTF-8 replaced; at most MaxReply bytes

	Line    int64 // OK: the N of "ok N5"; Resend: the line that the firmware wants next
	HasLine bool  // Line was in the text (a Resend always has it, else it is Unknown)
	Planner int   // OK: P, free places in the planner; -1 when not said
	Queue   int   // OK: B, free places in the command queue; -1 when not said

	Temps    []Temp            // OK and Temperature
	Waiting  bool              // the report carried W: — the firmware is in M109/M190
	Position *Coordinates      // Position, and an ok that carries one
	Firmware string            // the FIRMWARE_NAME value up to the next KEY:, trimmed
	Fields   map[string]string // Firmware: every KEY:value of the M115 line
	Name     string            // Capability: its name. Endstop: the endstop's
	On       bool              // Capability: 1. Endstop: TRIGGERED
	Message  []byte            // Busy: "processing". Error, Echo, Action, KlipperState: the text after the prefix
	LastLine int64             // Error: K of "Last Line: K"; -1 when not said
	Endstops map[string]bool   // Endstop in one-line form: all of them
}

// MaxReply is the longest reply kept, in bytes; what is beyond is cut off by the reader of the port and by ParseReply.
const MaxReply = 4096

// ParseReply says what a line from the firmware means. It never fails: what it does not know is Unknown. The line may
// carry its line end, leading spaces, NUL bytes and rubbish. What comes all the time costs no allocation: oks, requests to send again,
// busy; a report of temperatures or a position costs one.
func ParseReply(line []byte) Reply {
	r := Reply{Planner: -1, Queue: -1, LastLine: -1}
	s := printable(trimReply(line))
	r.Text = s
	switch {
	case len(s) == 0:
	case string(s) == "start":
		r.Kind = Start
	case string(s) == "wait":
		r.Kind = Wait
	case hasPrefix(s, "ok Emergency Stop"), hasPrefix(s, "Entering Alarm/Halt state"):
		r.Kind, r.Message = Halted, s // Smoothie's answer to M112, and what follows an error that it cannot go on after (GcodeDispatch.cpp)
	case isOK(s):
		r.Kind = OK
		r.readOK(s[len("ok"):])
	case r.readResend(s), r.readFailure(s), r.readRemark(s), r.readBusy(s), r.readPosition(s), r.readTemperature(s), r.readSD(s):
	case hasPrefixFold(s, "echo:"):
		r.Kind, r.Message = Echo, bytes.TrimSpace(s[len("echo:"):])
	case r.readFirmware(s):
		r.Kind = Firmware
	case r.readCapability(s), r.readEndstops(s):
	}
	return r
}

var checksumOnLine = []byte("Checksum error on line ")

// readResend knows "Resend: 12", "Resend:N12", "rs N12", "rs 12", and RepRapFirmware's "rs  Checksum error on line 12". A number that is absent,
// negative or more than the long in which Marlin counts lines can only be noise on the line, and so can one with more text grown on to it.
func (r *Reply) readResend(s []byte) bool {
	var rest []byte
	switch {
	case hasPrefixFold(s, "resend"):
		rest = s[len("resend"):]
	case hasPrefixFold(s, "rs"):
		rest = s[len("rs"):]
	default:
		return false
	}
	if len(rest) == 0 || rest[0] != ':' && rest[0] != ' ' {
		return false
	}
	rest = bytes.TrimPrefix(bytes.TrimLeft(rest, ": "), checksumOnLine)
	if len(rest) > 0 && upper(rest[0]) == 'N' {
		rest = bytes.TrimLeft(rest[1:], ": ")
	}
	line, n := parseInt(rest)
	if n == 0 || line < 0 || line > maxLineNumber || n < len(rest) && rest[n] != ' ' {
		return false
	}
	r.Kind, r.Line, r.HasLine = Resend, line, true
	return true
}

// maxLineNumber is the largest line number that Marlin can hold (queue.cpp keeps it in a long of 32 bits).
const maxLineNumber = 1<<31 - 1

// readFailure knows what is wrong: Marlin's and RepRapFirmware's "Error:", Repetier's "fatal:", Klipper's and Smoothie's "!!".
func (r *Reply) readFailure(s []byte) bool {
	switch {
	case hasPrefix(s, "!!"):
		r.Kind, r.Message = Error, bytes.TrimSpace(s[len("!!"):])
		// Smoothie answers everything with a bare "!!" once it is halted.
		if len(r.Message) == 0 || hasPrefix(r.Message, "Shutdown") {
			r.Kind = Halted
		}
		return true
	case hasPrefixFold(s, "error:"):
		r.Message = bytes.TrimSpace(s[len("error:"):])
	case hasPrefixFold(s, "fatal:"):
		r.Message = bytes.TrimSpace(s[len("fatal:"):])
	default:
		return false
	}
	r.Kind = Error
	// Marlin says this once, when it has stopped for good (MarlinCore.cpp, kill); what went wrong comes as an Error before.
	if hasPrefix(r.Message, "Printer halted") {
		r.Kind = Halted
	}
	const lastLine = "Last Line:"
	if i := bytes.LastIndex(r.Message, []byte(lastLine)); i >= 0 {
		if k, n := parseInt(bytes.TrimLeft(r.Message[i+len(lastLine):], " ")); n > 0 && k <= maxLineNumber {
			r.LastLine = max(k, -1)
		}
	}
	return true
}

// readRemark knows lines that begin with "//": host actions, Klipper's state and its remarks.
func (r *Reply) readRemark(s []byte) bool {
	if !hasPrefix(s, "//") {
		return false
	}
	s = bytes.TrimSpace(s[len("//"):])
	if hasPrefix(s, "action:") {
		r.Kind, r.Message = Action, bytes.TrimSpace(s[len("action:"):])
		return true
	}
	if hasPrefix(s, "Klipper state:") {
		r.Kind, r.Message = KlipperState, bytes.TrimSpace(s[len("Klipper state:"):])
		if string(r.Message) == "Shutdown" {
			r.Kind = Halted
		}
		return true
	}
	r.Kind, r.Message = Echo, s
	return true
}

// readBusy knows "echo:busy: processing" and the same without echo.
func (r *Reply) readBusy(s []byte) bool {
	if hasPrefixFold(s, "echo:") {
		s = bytes.TrimLeft(s[len("echo:"):], " ")
	}
	if !hasPrefixFold(s, "busy:") {
		return false
	}
	r.Kind, r.Message = Busy, bytes.TrimSpace(s[len("busy:"):])
	return true
}

// readSD knows what firmware says about its own card. The text is all there is to it.
func (r *Reply) readSD(s []byte) bool {
	rest := s
	if hasPrefixFold(s, "echo:") {
		rest = bytes.TrimLeft(s[len("echo:"):], " ")
	}
	for _, begin := range []string{
		"SD printing", "Not SD printing", "Begin file list", "End file list", "File opened", "File selected",
		"Done printing file", "Done saving file", "Writing to file", "File deleted", "Deletion failed", "open failed, File",
		"SD card", "SD print paused", "SD init fail", "No SD card", "No media", "Current file:", "Now fresh file", "Now doing file",
		"volume.init failed", "openRoot failed", "workDir open failed", "Cannot open subdir",
	} {
		if hasPrefix(rest, begin) {
			r.Kind = SD
			return true
		}
	}
	return false
}

func hasPrefix(s []byte, prefix string) bool {
	return len(s) >= len(prefix) && string(s[:len(prefix)]) == prefix
}

// hasPrefixFold is hasPrefix whatever the case of ASCII letters.
func hasPrefixFold(s []byte, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if upper(s[i]) != upper(prefix[i]) {
			return false
		}
	}
	return true
}
