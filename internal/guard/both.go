package guard

import (
	"context"
	"sync"

	"layerd/printer"
)

// both is a shot that two take pictures of, the timelapse and the guard. The printer goes on when both have theirs, and by itself when its patience ends: so what is forgotten here
// holds up nothing. The guard holds a shot before a picture of it can be taken, for pictures are those from a moment after the machine stands.
type both struct {
	printer Printer

	mu     sync.Mutex // guards what follows
	job    string
	shot   int  // that the guard holds; 0 = none
	filmed bool // the timelapse has its picture of it
}

// hold keeps the printer from going on with a shot until done.
func (b *both) hold(job string, shot int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.job, b.shot, b.filmed = job, shot, false
}

// film is what the timelapse says: it has its picture.
func (b *both) film(ctx context.Context, job string, shot int) (uint64, error) {
	b.mu.Lock()
	held := b.shot == shot && b.job == job && shot != 0
	b.filmed = b.filmed || held
	b.mu.Unlock()
	if held {
		return 0, nil
	}
	return b.printer.ShotTaken(ctx, job, shot)
}

// done lets the printer go on with the shot, as far as the guard is concerned; filming tells whether the timelapse takes part.
func (b *both) done(ctx context.Context, job string, shot int, filming bool) error {
	b.mu.Lock()
	goOn := !filming || b.shot == shot && b.job == job && b.filmed
	b.shot = 0
	b.mu.Unlock()
	if !goOn {
		return nil
	}
	_, err := b.printer.ShotTaken(ctx, job, shot)
	return err
}

// Snapshots and ShotTaken are for whoever takes pictures of shots beside the guard: the timelapse.
func (g *Guard) Snapshots() *printer.Snapshots { return g.cfg.Printer.Snapshots() }

// ShotTaken says that the other's picture of shot n is taken.
func (g *Guard) ShotTaken(ctx context.Context, job string, n int) (uint64, error) {
	return g.both.film(ctx, job, n)
}
