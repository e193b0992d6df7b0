package printer

import (
	"context"
	"time"
)

// Calibration is the switches being measured. It is immutable.
type Calibration struct {
	Running bool    `json:"running"`
	Percent float64 `json:"percent"`
	AtMS    int64   `json:"at_ms"` // when it ended; 0 while it runs
	Why     string  `json:"why"`   // it did not come to its end, for people; "" it did, or runs. What it found is Snapshot.Switches
}

// CalibrateSwitches measures the switches that X and Y home to, which takes about a minute: it homes X and Y, and goes to each switch some dozen times. The
// printer must be idle and homed, with nothing in the head's way. It returns when that has begun; see Snapshot.Calibration and then Snapshot.Switches. Nothing
// else can be moved or started meanwhile.
func (p *Printer) CalibrateSwitches(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error { return ErrCheck })
}

// StopCalibration ends it, or a drill, as soon as the machine can be left as it was. It is no error when there is none.
func (p *Printer) StopCalibration(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(*owner, time.Time) error { return nil })
}

// SetSwitches gives the printer what a calibration has found, as the store has kept it. A machine that it is not of drops it, with a reason in Switch.Why.
func (p *Printer) SetSwitches(ctx context.Context, s Switches) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { o.switches = s; return nil })
}

// Drill is a fire drill while nothing is printed: the switches are asked as in a print, with axis ('x' or 'y') moved aside by mm without telling the check. What is
// found is Snapshot.Drilled. The printer must be idle and homed.
func (p *Printer) Drill(ctx context.Context, axis byte, mm float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error { return ErrCheck })
}

// calib is a calibration or a drill under way.
type calib struct{}

func (s *session) calibration() *Calibration { return nil }
func (s *session) probing() bool             { return false }
func (ch *checks) rehoming() bool            { return ch.rehomed != nil && ch.rehomed.Running }
