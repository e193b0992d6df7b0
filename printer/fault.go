package printer

import "fmt"

// FaultCode names what went wrong. Codes are stable: clients and translations rely on them.
type FaultCode string

const (
	FaultPortMissing  FaultCode = "port_missing"   // the configured port does not exist
	FaultPortBusy     FaultCode = "port_busy"      // another program has it open
	FaultPortDenied   FaultCode = "port_denied"    // no permission
	FaultPortOpen     FaultCode = "port_open"      // it cannot be opened for another reason: not a serial port, bad baud
	FaultPortLost     FaultCode = "port_lost"      // it vanished while open
	FaultSilent       FaultCode = "silent"         // nothing came back in time
	FaultGarbled      FaultCode = "garbled"        // something came back, but never anything readable
	FaultBoardReset   FaultCode = "board_reset"    // the board restarted by itself
	FaultFirmware     FaultCode = "firmware"       // the firmware stopped with an error: thermal runaway, kill, shutdown
	FaultResendLoop   FaultCode = "resend_loop"    // the same line was asked for again and again
	FaultResendTooOld FaultCode = "resend_too_old" // a line was asked for that is no longer kept
	FaultFile         FaultCode = "file"           // the job's file could not be read any further
	FaultOutOfTurn    FaultCode = "out_of_turn"    // a damaged line made the firmware execute a later one too early; the job is paused
	FaultLine         FaultCode = "line"           // a line of the job cannot be sent to this firmware

	// Of heat; see watch.go. The heaters were told to switch off.
	FaultRunaway FaultCode = "thermal_runaway"  // hotter than it should be, and not by overshoot
	FaultHeating FaultCode = "heating_failed"   // it does not get warmer on the way to its target
	FaultCooling FaultCode = "temperature_drop" // it has fallen below a target that it had reached
	FaultSensor  FaultCode = "sensor"           // its sensor says what no sensor says
	FaultNoTemps FaultCode = "no_temperatures"  // nothing was reported for long while something was hot

	FaultLimit    FaultCode = "limit"     // a line of the job asks for more heat than the profile allows; the job is paused
	FaultHostHung FaultCode = "host_hung" // layerd itself stood still; the job is paused
)

// Fault is a named reason for having stopped. It is an error.
type Fault struct {
	Code    FaultCode `json:"code"`
	Message string    `json:"message"` // one sentence for people
	Next    string    `json:"next"`    // what the person can do
	Said    string    `json:"said"`    // the firmware's or the system's own words, "" when there were none
	JobID   string    `json:"job"`     // the job that it ended, "" for none
	AtMS    int64     `json:"at_ms"`
}

// ofHeat reports whether the heaters were told to switch off because of the fault.
func (f *Fault) ofHeat() bool {
	if f == nil {
		return false
	}
	switch f.Code {
	case FaultRunaway, FaultHeating, FaultCooling, FaultSensor, FaultNoTemps:
		return true
	}
	return false
}

// reason is the fault's sentence, "" for none.
func (f *Fault) reason() string {
	if f == nil {
		return ""
	}
	return f.Message
}

func (f *Fault) Error() string {
	if f.Said == "" {
		return fmt.Sprintf("%s: %s", f.Code, f.Message)
	}
	return fmt.Sprintf("%s: %s (%s)", f.Code, f.Message, f.Said)
}
