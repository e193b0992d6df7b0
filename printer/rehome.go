package printer

import (
	"context"
	"time"
)

// Rehome homes X and Y anew while the job ("" for the one under way) is paused, and brings back all that homing has changed. Two checks must find the head where it
// should be. It returns when it has begun; see JobStatus.Rehomed. Then Resume goes on with the print.
func (p *Printer) Rehome(ctx context.Context, job string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, now time.Time) error { return ErrCheck }, Paused)
}
