// Package gcode turns text into values and back: lines to the firmware, replies from it, and whole files.
// It does no I/O of its own, starts no goroutine and reads no clock.
package gcode

import (
	"errors"
	"fmt"
)

// What can be wrong with a line or a file. Test with errors.Is: most come wrapped with what is known besides.
var (
	ErrNoNumber   = errors.New("no line number")            // ParseFrame: the line does not begin with N and a number
	ErrNoChecksum = errors.New("no checksum")               // ParseFrame: no asterisk, or no number behind the last one
	ErrChecksum   = errors.New("checksum mismatch")         // ParseFrame: the line is not as it was sent
	ErrEmpty      = errors.New("there is no command in it") // SurveyFile: an empty file, or comments only
	ErrBinary     = errors.New("this is not G-code")        // SurveyFile: wrapped with what it seems to be
	ErrLongLine   = errors.New("line too long")             // Scanner and SurveyFile: a command of more than MaxCommand bytes
)

// LineError is an error at a line of a file. It unwraps to its cause.
type LineError struct {
	Line int64 // from 1; 0 when no one line is to blame
	Err  error
}

func (e *LineError) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }
