// Package thermo remembers temperatures: those of the last half hour, and of the print under way all of them.
//
//	printer snapshots ─▶ Run ─▶ reading ─┬─▶ ring: the last half hour, one sample a second ─▶ Since
//	                                     └─▶ curve of the job: 1,000 bins, however long it takes ─▶ store
//
// Both have one size, whatever happens. A report is taken once, when it comes; where none came there is a gap.
package thermo

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"layerd/internal/store"
	"layerd/printer"
)

const (
	journalEvery = 10 * time.Minute // so much of a print's curve a power cut may cost; each time all of it is written anew
	retryEvery   = 10 * time.Second // after the store refused a curve
	maxWaiting   = 4                // curves of ended prints that wait for a disk; older ones are given up
	gapAfter     = 15 * time.Second // silence after which the page calls temperatures old
)

// Printer is where temperatures come from; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
}

// Store is where curves go; *store.Store is one.
type Store interface {
	KeepCurve(ctx context.Context, id string, c store.Curve) error
}

// Recorder remembers. Since and Curve may be called from any goroutine.
type Recorder struct {
	printer Printer
	store   Store
	log     *slog.Logger

	mu     sync.Mutex // guards what follows; Run alone writes it
	recent ring
	job    *jobCurve // of the print under way; nil without one

	// What follows belongs to Run.
	seenMS    int64 // TempsAtMS of the last report
	waiting   []endedCurve
	nextTryAt time.Time
	failures  int // writes of the store that failed in a row
}

// jobCurve is the curve of one print.
type jobCurve struct {
	id           string
	curve        curve
	journalledAt time.Time // zero: not yet. The first point is written at once, so that the history knows of the curve
}

// endedCurve waits to be written.
type endedCurve struct {
	id    string
	curve store.Curve
}

// New returns a Recorder. Run must be running for it to remember anything. log nil = nothing is logged.
func New(p Printer, s Store, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{printer: p, store: s, log: log}
}

// Run follows the printer until ctx ends; it then writes the curve so far and returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	snaps := r.printer.Snapshots().Each(following)
	tick := time.NewTicker(time.Second) // journal and retries
	defer tick.Stop()
	for {
		select {
		case snap, ok := <-snaps:
			if ok {
				r.note(snap, time.Now())
				r.write(ctx, false)
			}
		case <-tick.C:
			r.write(ctx, false)
		case <-ctx.Done():
			stop()
			for range snaps { // until the follower is gone
			}
			if snap, _ := r.printer.Snapshots().Get(); snap != nil {
				r.note(snap, time.Now())
			}
			r.write(ctx, true) // the store writes it all the same
			return nil
		}
	}
}

// note takes over what is new in a snapshot.
func (r *Recorder) note(snap *printer.Snapshot, now time.Time) {
	if snap == nil {
		return
	}
	id := ""
	if snap.Job != nil {
		id = snap.Job.ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job != nil && r.job.id != id {
		r.end()
	}
	if r.job == nil && id != "" {
		r.job = &jobCurve{id: id, curve: newCurve(now)}
	}
	if snap.TempsAtMS == 0 || snap.TempsAtMS == r.seenMS {
		return
	}
	r.seenMS = snap.TempsAtMS
	read := readingOf(snap)
	r.recent.add(snap.TempsAtMS, read)
	if r.job != nil {
		r.job.curve.add(now, read)
	}
}

// end puts the curve of the print that is over among those to be written.
func (r *Recorder) end() {
	r.waiting = append(r.waiting, endedCurve{r.job.id, r.job.curve.points()})
	if len(r.waiting) > maxWaiting {
		r.waiting = append([]endedCurve(nil), r.waiting[1:]...)
	}
	r.job, r.nextTryAt = nil, time.Time{}
}

// write keeps the curves of prints that are over, and journals the one under way when it is time or now is set.
func (r *Recorder) write(ctx context.Context, now bool) {
	for len(r.waiting) > 0 && (now || !time.Now().Before(r.nextTryAt)) {
		if !r.keep(ctx, r.waiting[0].id, r.waiting[0].curve) {
			r.nextTryAt = time.Now().Add(retryEvery)
			break
		}
		r.waiting = r.waiting[1:]
	}
	if r.job == nil || len(r.job.curve.bins) == 0 || !now && time.Since(r.job.journalledAt) < journalEvery {
		return
	}
	r.job.journalledAt = time.Now()
	r.keep(ctx, r.job.id, r.job.curve.points()) // only Run changes it
}

// keep reports whether the store took a curve. The first failure is logged and then every hundredth.
func (r *Recorder) keep(ctx context.Context, id string, c store.Curve) bool {
	if err := r.store.KeepCurve(ctx, id, c); err != nil {
		if r.failures%100 == 0 {
			r.log.Error("the temperatures of a print cannot be kept", "job", id, "failures", r.failures+1, "err", err)
		}
		r.failures++
		return false
	}
	r.failures = 0
	return true
}

// Recent is the temperatures of the last half hour, as far as somebody has not seen them.
type Recent struct {
	Whole    bool  `json:"whole"`     // these are all there are: forget others
	NewestMS int64 `json:"newest_ms"` // what to ask for next; 0 when there are none
	NowMS    int64 `json:"now_ms"`    // the clock that all these times are of
	store.Curve
}

// Since returns the samples of the last half hour that are newer than sinceMS (0 = all). When sinceMS is later than all samples it is of a clock
// that was set back since, and all are returned.
func (r *Recorder) Since(sinceMS int64) Recent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recent.since(sinceMS, time.Now().UnixMilli())
}

// Curve is the curve of the print named id so far; false when it is not under way.
func (r *Recorder) Curve(id string) (store.Curve, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job == nil || r.job.id != id {
		return store.Curve{}, false
	}
	return r.job.curve.points(), true
}
