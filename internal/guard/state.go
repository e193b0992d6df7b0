// Package guard watches a print for layer shifts, and has it paused.
//
//	endstop checks (printer) ─┐
//	parked pictures (camera) ─┼─▶ Run ─▶ decide ─▶ check now, pause, tell ─▶ State, evidence
//	firmware's words ─────────┘
//
// The witnesses see different things. A check against the endstops knows where the head is, and nothing of the part. The camera sees head and bed, when
// there is light. Some firmware notices a collision. Camera and firmware make suspicious, the endstops confirm.
//
// Nothing here can hold up a print: what fails is told, and the print goes on.
package guard

import "layerd/printer"

// Settings are what people may set.
type Settings struct {
	Mode         printer.WatchMode `json:"mode"`          // of prints; without a set-up it is off, whatever this says
	Camera       int               `json:"camera"`        // its ID
	SharePercent float64           `json:"share_percent"` // of a print's time that checks and pictures may take together
	Record       bool              `json:"record"`        // what the camera looks at is kept, for those who want to give it away
	RecordMB     int               `json:"record_mb"`     // all of it; the oldest is deleted
	PausePart    bool              `json:"pause_part"`    // a part that may have moved pauses the print, too; else people are told of it
}

// State is all that people see of the guard. It is immutable. Lengths are mm, times Unix milliseconds, 0 for never.
type State struct {
	Mode      printer.WatchMode `json:"mode"` // of the print under way, else as it is set for prints; off without a set-up
	Settings  Settings          `json:"settings"`
	Job       string            `json:"job"` // the print that Layers and Alarm are of; "" none yet
	Endstops  Witness           `json:"endstops"`
	Camera    Witness           `json:"camera"`
	Outline   Witness           `json:"outline"` // the print itself, as the camera sees it
	Firmware  Witness           `json:"firmware"`
	Card      *Card             `json:"card"`      // what the set-up found; null = never set up
	BedMS     int64             `json:"bed_ms"`    // when the picture was taken in which the corners of the bed are to be shown; 0 there is none
	Corners   *[4][2]float64    `json:"corners"`   // where they are in it, in pixels; null nobody has shown them
	Setup     *Setup            `json:"setup"`     // one under way, or the last one's failure; null none
	Drill     *Drill            `json:"drill"`     // the fire drill under way, or the last one's result; null none
	Layers    []Layer           `json:"layers"`    // what was seen at the last 30 layers that were looked at, the oldest first
	Alarm     *Alarm            `json:"alarm"`     // of the print under way, until it is answered; null none
	Recording bool              `json:"recording"` // of the print under way something is kept
	Unkept    string            `json:"unkept"`    // why nothing is, although Settings.Record says so, for people; "" it is, or is not wanted
	Notice    string            `json:"notice"`    // what people should know besides, such as a set-up that does not fit any more; "" nothing
}

// Witness is how one of them does.
type Witness struct {
	Status     string  `json:"status"`       // WitnessReady and so on
	Why        string  `json:"why"`          // it is blind, unable or off, for people; "" when ready
	AtMS       int64   `json:"at_ms"`        // when it said something last
	Said       string  `json:"said"`         // that, for people
	DetectsXMM float64 `json:"detects_x_mm"` // the least shift that it is sure to see now; 0 it sees none
	DetectsYMM float64 `json:"detects_y_mm"`
}

// How a witness does.
const (
	WitnessReady  = "ready"
	WitnessBlind  = "blind"  // it sees nothing now: never taken for "all is well"
	WitnessUnable = "unable" // on this machine it cannot be used
	WitnessUnset  = "unset"  // it wants the set-up
	WitnessOff    = "off"
)

// Card is what the set-up found out, for people and for what comes after a restart.
type Card struct {
	MadeMS   int64            `json:"made_ms"`
	Endstops printer.Switches `json:"endstops"`
	CheckS   float64          `json:"check_s"`  // what one check takes
	CameraID int              `json:"camera"`   // -1 none was of use
	Camera   string           `json:"camera_w"` // why not, for people; "" when it is
	XMM      float64          `json:"x_mm"`     // the least shift that the camera is sure to see; 0 none
	YMM      float64          `json:"y_mm"`
	PxPerMM  float64          `json:"px_per_mm"`
	BedMoves bool             `json:"bed_moves"` // with Y, as on most machines
}

// Setup is a set-up under way.
type Setup struct {
	Step    string  `json:"step"` // "home", "pictures", "switches", "done", "failed"
	Percent float64 `json:"percent"`
	Why     string  `json:"why"` // it failed, for people
}

// Drill is a fire drill: the head is moved aside on purpose, and the witnesses say what they see.
type Drill struct {
	Running  bool    `json:"running"`
	AtMS     int64   `json:"at_ms"`
	Axis     string  `json:"axis"` // "x" or "y"
	MM       float64 `json:"mm"`
	Endstops string  `json:"endstops"` // what they say, for people; "" they were not asked
	Camera   string  `json:"camera"`
	Paused   bool    `json:"paused"` // a print would have been paused
	Why      string  `json:"why"`    // it could not be made
}

// Layer is what was found out at one layer change.
type Layer struct {
	Layer int      `json:"layer"` // as in JobStatus.Layer
	AtMS  int64    `json:"at_ms"`
	XMM   *float64 `json:"x_mm"` // how far off the camera sees head or bed; null it saw nothing
	YMM   *float64 `json:"y_mm"`
	Check string   `json:"check"` // a check's verdict; "" none was made
	Blind string   `json:"blind"` // why the camera saw nothing, for people
}

// Alarm is a shift that was found, with its evidence.
type Alarm struct {
	ID          int64           `json:"id"` // of the evidence: GET /v1/guard/ID/before and /after
	AtMS        int64           `json:"at_ms"`
	Layer       int             `json:"layer"`
	Since       int             `json:"since"`     // the first layer that may be spoiled
	Spoiled     int             `json:"spoiled"`   // layers that may be
	Sentence    string          `json:"sentence"`  // "The head is 1.6 mm right of where it should be (8 lost steps), since layer 143."
	Confirmed   bool            `json:"confirmed"` // by the endstops
	Part        bool            `json:"part"`      // it is the part that may have moved: XMM and YMM are how its newest layers lie
	XMM         float64         `json:"x_mm"`
	YMM         float64         `json:"y_mm"`
	Paused      bool            `json:"paused"`
	Statements  []Statement     `json:"statements"`
	Pictures    bool            `json:"pictures"`     // there is a pair
	BeforeLayer int             `json:"before_layer"` // after which the first was taken; 0 there is none
	AfterLayer  int             `json:"after_layer"`
	Crop        [4]float64      `json:"crop"`     // of both pictures, where to look: left, top, width, height, as parts of 1
	Arrows      []Arrow         `json:"arrows"`   // what has moved in them, and to which side
	Rehoming    *printer.Rehome `json:"rehoming"` // null it was not asked for
	Job         string          `json:"job"`
	Label       string          `json:"label"` // what people said of it: LabelFalse and so on; "" nothing
}

// What people said of an alarm.
const (
	LabelFalse = "false" // nothing was wrong
	LabelTrue  = "true"  // X and Y were homed anew, and the print went on
)

// Statement is what one witness said.
type Statement struct {
	Witness string `json:"witness"` // "endstops", "camera", "outline", "firmware"
	Said    string `json:"said"`
	AtMS    int64  `json:"at_ms"`
}
