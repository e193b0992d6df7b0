package printer

import (
	"fmt"
	"layerd/internal/latest"
	"time"
)

// State is what the conversation with the printer is doing.
type State uint8

const (
	Disconnected State = iota // no port is open
	Connecting                // a port is open and nobody has answered yet
	Idle                      // answered, no job
	Starting                  // a job was accepted; its preamble is running
	Printing
	Pausing  // no more job lines; the head is still moving or parking
	Paused   // parked
	Resuming // reheating and going back
	Cancelling
	Finishing // the last job line was accepted; the moves are still running
	Halting   // M112 was sent; the firmware has not said that it stopped
	Halted    // the firmware said that it stopped
	Faulted   // something is wrong, see Snapshot.Fault; nothing is sent by itself
	// fromCard is a print from the printer's own card: the firmware's affair, and no job. It is the session's own state, so that nothing that
	// may be done in Idle or with a job is done in it by mistake; snapshots show it as Printing, Paused, … without a job, and with Card.
	fromCard
	stateCount
)

var stateNames = [stateCount]string{"disconnected", "connecting", "idle", "starting", "printing", "pausing", "paused",
	"resuming", "cancelling", "finishing", "halting", "halted", "faulted", "printing from its card"}

// String is the state's name in lower case, as it stands in JSON.
func (s State) String() string {
	if s >= stateCount {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *State) UnmarshalText(b []byte) error {
	for i, name := range stateNames {
		if name == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown printer state %q", b)
}

// HasJob reports whether a print is under way in this state: a job, or one from the printer's own card.
func (s State) HasJob() bool {
	switch s {
	case Starting, Printing, Pausing, Paused, Resuming, Cancelling, Finishing, fromCard:
		return true
	}
	return false
}

// Snapshot is all that anybody but the printer's own goroutine knows of it. It is immutable: copy before changing.
// It says enough for a reader that missed all earlier ones. Keys carry their unit; times are Unix milliseconds, 0 for never.
type Snapshot struct {
	Rev        uint64     `json:"rev"` // grows by one with each snapshot
	AtMS       int64      `json:"at_ms"`
	State      State      `json:"state"`
	Connection Connection `json:"connection"`
	Profile    Profile    `json:"profile"`

	Nozzles      []Heater  `json:"nozzles"` // by tool number; empty until the first report
	Bed          *Heater   `json:"bed"`
	Chamber      *Heater   `json:"chamber"`
	TempsAtMS    int64     `json:"temps_at_ms"` // when the last report came
	Position     *Position `json:"position"`    // last report; null until there is one
	Homed        bool      `json:"homed"`       // all axes, answered on this connection
	FanPercent   float64   `json:"fan_percent"`
	SpeedPercent float64   `json:"speed_percent"`
	FlowPercent  float64   `json:"flow_percent"`
	Tuning       Tuning    `json:"tuning"`
	Waiting      string    `json:"waiting"` // what the firmware is busy with, for people: "heating", "processing", "paused for user"; "" nothing

	Job     *JobStatus  `json:"job"`      // the job under way; null in states without one
	Pause   *PauseInfo  `json:"pause"`    // why the job stands still; null while it does not
	Prompt  *Prompt     `json:"prompt"`   // what the firmware asks the person; null when nothing. See Answer
	Notice  string      `json:"notice"`   // what the firmware told the person last, "" nothing
	Card    *CardStatus `json:"card"`     // the printer's own memory card; null where it has none, or has not said
	LastJob *JobOutcome `json:"last_job"` // how the last one ended; also the one that a restart interrupted
	Fault   *Fault      `json:"fault"`    // set while Faulted, in a pause that was not wanted, and in Disconnected when that was not wanted
	Lost    *LostPrint  `json:"lost"`     // a print whose USB connection is gone, and which may go on; only while Faulted, then with Job
	Halt    *Halt       `json:"halt"`     // set while Halting or Halted
	Keeper  Keeper      `json:"keeper"`   // what is hot, and for how long
	Link    LinkStats   `json:"link"`
	Health  Health      `json:"health"`

	Switches    Switches         `json:"switches"`    // what is known of them now; zero = nothing
	Calibration *Calibration     `json:"calibration"` // one under way, or how the last one ended; null none on this connection
	Drilled     *EndstopCheck    `json:"drilled"`     // the newest fire drill; null none on this connection
	Witness     *FirmwareWitness `json:"witness"`     // the newest; null none on this connection
}

// Connection says whom we talk to.
type Connection struct {
	Port         string          `json:"port"` // "" when none
	Baud         int             `json:"baud"`
	Firmware     string          `json:"firmware"` // FIRMWARE_NAME
	Dialect      string          `json:"dialect"`  // "marlin", "prusa", "klipper", …
	Machine      string          `json:"machine"`  // MACHINE_TYPE
	Capabilities map[string]bool `json:"capabilities"`
	Ports        []PortInfo      `json:"ports"`    // candidates, when it is for a person to choose
	Ask          bool            `json:"ask"`      // there are several: a person must choose
	Locked       bool            `json:"locked"`   // the port comes from the configuration
	SinceMS      int64           `json:"since_ms"` // when this connection was answered
	WantPort     string          `json:"-"`        // configured or chosen, else where a printer has answered last; "" when none. Kept while there is no connection
	WantBaud     int             `json:"-"`        // likewise; 0 when none
}

// PortInfo is a serial port that a printer may be on.
type PortInfo struct {
	Path    string `json:"path"`     // /dev/serial/by-id/… where there is one, else /dev/ttyUSB0
	Name    string `json:"name"`     // for people: product and manufacturer, else the path
	Vendor  string `json:"vendor"`   // USB id, four hex digits, "" when not USB
	Product string `json:"product"`  // USB id
	Serial  string `json:"serial"`   // USB serial number, often ""
	USBPath string `json:"usb_path"` // where it is plugged in, for boards without a serial number
	Driver  string `json:"-"`        // the kernel's, as in driverOf
}

// Identity names the same device again after it was plugged out and in: vendor, product and serial number, and for boards without
// a serial number the place where it is plugged in. "" when it is not USB.
func (p PortInfo) Identity() string {
	if p.Vendor == "" {
		return ""
	}
	if p.Serial != "" {
		return p.Vendor + ":" + p.Product + ":" + p.Serial
	}
	return p.Vendor + ":" + p.Product + "@" + p.USBPath
}

// Heater is one heater's last report, in °C.
type Heater struct {
	ActualC float64 `json:"actual_c"`
	TargetC float64 `json:"target_c"`
}

// Position is the firmware's last position report, in mm.
type Position struct {
	XMM float64 `json:"x_mm"`
	YMM float64 `json:"y_mm"`
	ZMM float64 `json:"z_mm"`
	EMM float64 `json:"e_mm"`
}

// JobStatus is the job under way.
type JobStatus struct {
	ID        string  `json:"id"`
	File      string  `json:"file"` // path in the store
	Name      string  `json:"name"` // for people
	By        string  `json:"by"`   // who started it
	StartedMS int64   `json:"started_ms"`
	Line      int64   `json:"line"` // line of the file last accepted by the firmware
	Lines     int64   `json:"lines"`
	Offset    int64   `json:"offset"` // byte after that line
	Size      int64   `json:"size"`
	Arcs      int64   `json:"arcs"`      // what is sent is a copy of the file in which so many arcs stand for moves: Line, Lines, Offset and Size are the copy's. 0 the file
	Percent   float64 `json:"percent"`   // 0–100, by estimated time where there is an estimate, else by bytes
	Layer     int     `json:"layer"`     // from 1; 0 before the first
	Layers    int     `json:"layers"`    // 0 unknown
	ZMM       float64 `json:"z_mm"`      // of the layer, 0 unknown
	ElapsedS  float64 `json:"elapsed_s"` // of printing, without pauses
	LeftS     float64 `json:"left_s"`    // -1 unknown
	LeftBy    string  `json:"left_by"`   // LeftByMoves and so on, "" unknown
	Rate      float64 `json:"rate"`      // seconds that a second of the survey's time takes from here on; 0 unknown …

	CruiseRate float64 `json:"cruise_rate"` // … and one of its CruiseS

	SlicerLeftS  float64 `json:"slicer_left_s"`  // what the slicer's own time leaves, uncorrected; -1 it gave none
	PrinterLeftS float64 `json:"printer_left_s"` // the file's last M73 R, which the printer shows; -1 there was none

	FilamentMM float64   `json:"filament_mm"` // that its lines have used so far, retractions allowed for
	ToolsMM    []float64 `json:"tools_mm"`    // the same by tool, up to the last that has used any

	Shot  *Shot  `json:"shot"`  // the newest; null before the first
	Begun int    `json:"begun"` // the newest layer whose lines go out, from 1; 0 none. It is ahead of Layer while they are on their way, and pauses can be set behind it
	Stops []Stop `json:"stops"` // where it pauses by itself, by layer; at most MaxStops

	Watch     Watch         `json:"watch"`
	Check     *EndstopCheck `json:"check"`     // the newest; null before the first
	Checks    int           `json:"checks"`    // that were made; those that could not be are not among them
	ChecksS   float64       `json:"checks_s"`  // what they took, together
	Rehomed   *Rehome       `json:"rehomed"`   // under way, or the newest of the newest pause; null before the first
	Witnessed int           `json:"witnessed"` // how often the firmware itself has said something of a motor or a collision

	// Objects are numbered from 0, as in the file's survey.
	Objects int   `json:"objects"`  // how many the file marks
	Object  int   `json:"object"`   // of which the last accepted line is; -1 none
	Skipped []int `json:"skipped"`  // are not printed any further
	LeftOut []int `json:"left_out"` // of these, lines have been left out already: they cannot be printed after all
}

// By what LeftS is reckoned, the best first.
const (
	LeftByPrint   = "print"   // the survey's time, corrected by what this print has shown
	LeftByMoves   = "moves"   // the survey's time
	LeftBySlicer  = "slicer"  // what the slicer says, for want of the survey's
	LeftByPrinter = "printer" // M73 in the file, for want of both
)

// JobOutcome is how a job ended.
type JobOutcome struct {
	ID            string  `json:"id"`
	File          string  `json:"file"`
	Name          string  `json:"name"`
	Outcome       string  `json:"outcome"` // "done", "cancelled", "failed", "interrupted"
	Reason        string  `json:"reason"`  // for people; "" when done
	EndedMS       int64   `json:"ended_ms"`
	ElapsedS      float64 `json:"elapsed_s"`
	Line          int64   `json:"line"`
	Layer         int     `json:"layer"`
	Layers        int     `json:"layers"`
	ZMM           float64 `json:"z_mm"`
	Percent       float64 `json:"percent"`
	LinesAgain    int64   `json:"lines_again"` // this and what follows: see Health
	ResendPercent float64 `json:"resend_percent"`
	StarvedS      float64 `json:"starved_s"`
	StarvedBy     string  `json:"starved_by"`
	Card          bool    `json:"card"` // it was a print from the printer's own card, of which there is no file here

	FilamentMM float64   `json:"filament_mm"` // as in JobStatus
	ToolsMM    []float64 `json:"tools_mm"`
	Log        []Entry   `json:"-"` // the last lines of the conversation before a print failed; not in JSON, because every snapshot would carry it
}

// LostPrint is a print whose USB connection was lost. When the same device is back and has kept its place, it goes on; Dismiss gives it up.
type LostPrint struct {
	SinceMS int64 `json:"since_ms"`
	Asking  bool  `json:"asking"` // the port is back, and the firmware is asked how far it came
}

// Halt follows an emergency stop.
type Halt struct {
	AskedMS     int64  `json:"asked_ms"`
	Confirmed   bool   `json:"confirmed"`   // the firmware said that it stopped, or that it restarted
	Unconfirmed bool   `json:"unconfirmed"` // it said nothing in time: tell the person to switch the printer off
	Said        string `json:"said"`        // the firmware's words
}

// LinkStats counts the conversation since the port was opened.
type LinkStats struct {
	Sent     int64 `json:"sent"`      // lines written, resends included
	Resends  int64 `json:"resends"`   // requests from the firmware
	Probes   int64 `json:"probes"`    // times we had to ask whether an ok was lost
	Unknown  int64 `json:"unknown"`   // lines that we could not read
	InFlight int   `json:"in_flight"` // lines not yet answered
	Bytes    int   `json:"in_flight_bytes"`

	// How much may be under way, see docs/ARCHITECTURE.md.
	Flow        string `json:"flow"`         // "one line" at a time, "growing", "full"
	WindowBytes int    `json:"window_bytes"` // that the firmware's receive buffer may have to hold; 0 = one line at a time
	QueueLines  int    `json:"queue_lines"`  // that its command queue is known to hold besides; 0 = unknown
	Shrinks     int64  `json:"shrinks"`      // times that trouble halved it
}

// Health is what can be told of the link from the conversation (health.go says how): of the job under way, else of the last one on this
// connection.
type Health struct {
	LinesAgain       int64   `json:"lines_again"`             // lines that were sent again
	ResendPercent    float64 `json:"resend_percent"`          // of all that were sent
	ChecksumErrors   int64   `json:"checksum_errors"`         // lines that arrived damaged
	GapErrors        int64   `json:"gap_errors"`              // lines that did not arrive, or whose number was damaged
	MissingErrors    int64   `json:"missing_checksum_errors"` // lines that arrived without their end
	Overruns         int64   `json:"overruns"`                // of those what looks like a full receive buffer: several lines were in flight, and one is gone
	StarvedS         float64 `json:"starved_s"`               // time in which the printer had too few moves, estimated
	StarvedBy        string  `json:"starved_by"`              // most of it: "wire", "file", "host", "printer"; "" none
	AskedLinesPerS   float64 `json:"asked_lines_per_s"`       // what the file asks for where the link was too slow for it; 0 nowhere
	CarriedLinesPerS float64 `json:"carried_lines_per_s"`     // and what came through there
	WirePercent      float64 `json:"wire_percent"`            // use of the line's speed over the last seconds; -1 it has none that we know
}

// Snapshots is where the printer's newest Snapshot is.
type Snapshots = latest.Value[*Snapshot]

func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
