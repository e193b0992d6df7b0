package printer

import (
	"context"
	"fmt"
	"time"
)

// Validate names the first value that makes no sense.
func (w Watch) Validate() error {
	switch {
	case w.Mode != "" && w.Mode != WatchOff && w.Mode != WatchTell && w.Mode != WatchPause:
		return fmt.Errorf("mode is %q, allowed are %q, %q and %q", w.Mode, WatchOff, WatchTell, WatchPause)
	case !(w.SharePercent >= 0 && w.SharePercent <= 100):
		return fmt.Errorf("share_percent is %g, allowed is 0 to 100", w.SharePercent)
	}
	return nil
}

// SetWatch changes how the job under way ("" for any) is checked against the endstops, from the next layer on.
func (p *Printer) SetWatch(ctx context.Context, job string, w Watch) (uint64, error) {
	if err := w.Validate(); err != nil {
		return 0, fmt.Errorf("%w: watch: %w", ErrLimit, err)
	}
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error { o.job.info.Watch = w; return nil },
		Starting, Printing, Pausing, Paused, Resuming)
}

// CheckNow has the job under way ("" for any) checked against the endstops at the next layer change, whatever its Watch says. why is one of CheckSuspicion and so
// on. What is found is JobStatus.Check. The error is ErrCheck where it cannot be made, with the reason.
func (p *Printer) CheckNow(ctx context.Context, job, why string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error { return nil }, Starting, Printing, Pausing, Paused, Resuming)
}

// PauseShift pauses the job ("" for the one under way) because another witness has seen the print shifted: PauseInfo.By is "shift". message is for people.
func (p *Printer) PauseShift(ctx context.Context, job, message string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, now time.Time) error {
		o.pauseFor(now, PauseInfo{By: "shift", Message: words(message)}, jobPos{})
		return nil
	}, Printing)
}
