package printer

// What checks against the endstops need to know, and what they find. A check asks a switch whether it closes where it did after homing: nothing else
// in an open-loop machine knows where its head truly is.
//
// Motors lose steps in multiples of four full ones: the rotor falls back into the next place where its coils hold it (Klipper's FAQ, "Can I find out
// whether the printer has lost steps?"). With 1.8° motors and 20-tooth pulleys of GT2 belt, which most machines have, that is 0.8 mm.

// Switches is what a calibration found out about the switches that X and Y home to. The zero value: nothing is known.
type Switches struct {
	X       Switch `json:"x"`
	Y       Switch `json:"y"`
	MadeMS  int64  `json:"made_ms"` // 0 = never
	Machine string `json:"machine"` // whose they are: its dialect and what it calls itself
}

// Switch is one of them. Lengths are mm, places are the firmware's coordinates.
type Switch struct {
	Usable       bool    `json:"usable"`
	Why          string  `json:"why"`           // it is not, for people; "" when it is
	AtMM         float64 `json:"at_mm"`         // where it closes, on the way to it
	Max          bool    `json:"max"`           // it is at the far end of its axis
	SpreadMM     float64 `json:"spread_mm"`     // standard deviation of its closings
	HysteresisMM float64 `json:"hysteresis_mm"` // it opens so much later than it closes
	OvertravelMM float64 `json:"overtravel_mm"` // it can be run over by at least so much
	ThresholdMM  float64 `json:"threshold_mm"`  // the least loss that a check is sure to see

	StepsPerMM float64 `json:"steps_per_mm"` // of the axis' motor, as the firmware told; 0 = it did not

	LimitsMM *[2]float64 `json:"limits_mm"` // the axis' soft limits then: G92 and M206 shift them as they shift AtMM; null where the firmware does not tell them
}

// WatchMode is what happens when the head is found elsewhere than it should be.
type WatchMode string

const (
	WatchOff   WatchMode = "off"
	WatchTell  WatchMode = "tell"  // the print goes on, and people are told
	WatchPause WatchMode = "pause" // it pauses
)

// Watch says how a job is checked against the endstops.
type Watch struct {
	Mode         WatchMode `json:"mode"`
	SharePercent float64   `json:"share_percent"` // of the print's time that checks may take; 0 = 1
}

// EndstopCheck is one look at the switches. It is immutable.
type EndstopCheck struct {
	N       int         `json:"n"`     // in this job, from 1
	Layer   int         `json:"layer"` // from 1: the newest of which it says something. Between two it is the one that is finished; within one it is the one before, unless the head is lost
	AtMS    int64       `json:"at_ms"` // when it ended
	TookS   float64     `json:"took_s"`
	Why     string      `json:"why"`     // CheckDue and so on
	Verdict string      `json:"verdict"` // CheckRight and so on
	Reason  string      `json:"reason"`  // why it was skipped or is unsure, for people; "" otherwise
	X       AxisFinding `json:"x"`
	Y       AxisFinding `json:"y"`
}

// AxisFinding is what a check found on one axis.
type AxisFinding struct {
	Checked bool    `json:"checked"`
	OffMM   float64 `json:"off_mm"` // where the head stands, less where the firmware believes it to be; 0 where it was found right
	Steps   int     `json:"steps"`  // that in full motor steps, when it is a multiple of four of them; 0 when not, or nobody knows how far a step is (steps.go)
	Teeth   int     `json:"teeth"`  // that in teeth of the belt, when it is a multiple of them; 0 when not, or nobody knows
}

// Why a check was made.
const (
	CheckDue       = "due"       // it was time
	CheckSuspicion = "suspicion" // another witness has seen something
	CheckAsked     = "asked"     // a person wanted it
	CheckRehomed   = "rehomed"   // X and Y were homed anew
	CheckDrill     = "drill"     // a fire drill: the head was moved aside on purpose
)

// What a check found.
const (
	CheckRight   = "right"
	CheckLost    = "lost"
	CheckUnsure  = "unsure"  // the switches contradict themselves
	CheckSkipped = "skipped" // it could not be made
)

// FirmwareWitness is what the firmware itself said of a motor or a collision.
type FirmwareWitness struct {
	AtMS int64  `json:"at_ms"`
	Kind string `json:"kind"` // WitnessCrash and so on
	Axis string `json:"axis"` // "x", "y", "xy"; "" it did not say
	Said string `json:"said"` // its words, bounded
}

// Kinds of a FirmwareWitness.
const (
	WitnessCrash   = "crash"          // it felt that the head hit something, and has homed
	WitnessWarning = "driver_warning" // a motor's driver is too hot
	WitnessError   = "driver_error"
	WitnessStall   = "stall"
)

// Rehome is X and Y homed anew while the print is paused. It is immutable.
type Rehome struct {
	Running bool   `json:"running"`
	AtMS    int64  `json:"at_ms"`
	OK      bool   `json:"ok"`     // two checks said "right", and everything is as before
	Reason  string `json:"reason"` // it is not, for people
}
