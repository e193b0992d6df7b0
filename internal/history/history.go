// Package history keeps the row of each print true: written before its first line goes out, brought up to date while it
// runs, and ended exactly once.
//
//	server ── Begin, Drop, Flush ──┐
//	                        ├─▶ Run (one goroutine owns all open rows) ─▶ store
//	printer snapshots ─────────────┘
//
// A print's outcome is in the snapshot that follows it, and stays there until another has ended; so the recorder may miss
// any number of snapshots, as long as it looks once before the next print begins, which Begin does.
package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"layerd/internal/store"
	"layerd/printer"
)

const (
	// So much of a print's progress a power cut may cost. An entry is 8 kB, but makes a card's file system write about 50 (docs/PERFORMANCE.md): at every 5 s the
	// journal alone would be more than 30 MB an hour. What somebody decides by is journalled at once: a pause, another spool, the end.
	// And while a print is young, or was just touched, sooner: from journalFirst on each time is twice as long as the one before.
	journalFirst = 5 * time.Second
	journalEvery = time.Minute
	restingEvery = 10 * time.Minute // while it pauses or heats: then only the time goes on
	retryEvery   = 5 * time.Second  // after the store refused to end a row
	flushTime    = 5 * time.Second  // for the last writes when the daemon stops
)

// ErrStopped is returned by Begin and Drop after Run has ended.
var ErrStopped = errors.New("the history is no longer kept")

// Printer is where outcomes come from; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
}

// Store is where rows go; *store.Store is one.
type Store interface {
	BeginPrint(ctx context.Context, p store.Print) error
	Journal(ctx context.Context, p store.Print) error
	EndPrint(ctx context.Context, p store.Print) error
	KeepLog(ctx context.Context, id string, lines []store.LogLine) error
	KeepPicture(ctx context.Context, id string, jpeg []byte) error
}

// Recorder owns the rows of prints that have not ended. Begin and Drop may be called from any goroutine.
type Recorder struct {
	printer  Printer
	store    Store
	pictures Pictures // nil = none are kept
	log      *slog.Logger
	requests chan request
	stopped  chan struct{}

	// What follows belongs to Run.
	rows       []*row
	journalled time.Time
	every      time.Duration // until the next entry
	failures   int           // writes of the store that failed in a row
}

// row is one print.
type row struct {
	print     store.Print
	log       []store.LogLine // the last lines before it failed
	picture   []byte          // of its end; a JPEG, nil for none
	dirty     bool            // something that the journal has not
	moved     bool            // … and that is progress, not only time
	paused    bool            // the last snapshot said so
	unborn    bool            // a print from the card: its row has to be begun
	ended     bool            // the outcome is in print and has to be written
	nextTryAt time.Time
	err       error // why it could not be ended
}

// request is a call of Begin, Drop or Flush on its way to Run.
type request struct {
	ctx   context.Context
	begin *store.Print
	drop  string
	flush bool
	why   error
	done  chan error
}

// New returns a Recorder. Run must be running for it to do anything. pictures nil = none are kept; log nil = nothing is logged.
func New(p Printer, s Store, pictures Pictures, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{printer: p, store: s, pictures: pictures, log: log, requests: make(chan request), stopped: make(chan struct{})}
}

// Begin writes the row of a print that is about to start, synced: the file cannot change until the row has ended.
func (r *Recorder) Begin(ctx context.Context, p store.Print) error {
	return r.ask(request{ctx: ctx, begin: &p})
}

// Drop ends the row of a print that could not be started. A row that is not open is left alone.
func (r *Recorder) Drop(ctx context.Context, id string, why error) error {
	return r.ask(request{ctx: ctx, drop: id, why: why})
}

// Flush writes what is known of the prints under way: what is asked of the store next is exact up to now.
func (r *Recorder) Flush(ctx context.Context) error {
	return r.ask(request{ctx: ctx, flush: true})
}

func (r *Recorder) ask(q request) error {
	q.done = make(chan error, 1)
	select {
	case r.requests <- q:
	case <-q.ctx.Done():
		return q.ctx.Err()
	case <-r.stopped:
		return ErrStopped
	}
	return <-q.done // Run works with q.ctx
}

// Run owns the rows until ctx ends; it then writes what is known and returns nil. A row whose print has not ended stays open,
// and the next start of the daemon calls it interrupted.
func (r *Recorder) Run(ctx context.Context) error {
	defer close(r.stopped)
	following, stop := context.WithCancel(ctx)
	defer stop()
	snaps := r.printer.Snapshots().Each(following)
	tick := time.NewTicker(time.Second) // journal and retries; rows are rare, so this is not worth a finer clock
	defer tick.Stop()
	for {
		select {
		case snap, ok := <-snaps:
			if ok {
				r.note(snap)
				r.write(ctx, false)
			}
		case q := <-r.requests:
			q.done <- r.serve(q)
		case <-tick.C:
			r.write(ctx, false)
		case <-ctx.Done():
			stop()
			for range snaps { // until the follower is gone
			}
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
			defer cancel()
			r.look()
			r.write(last, true)
			return nil
		}
	}
}

func (r *Recorder) serve(q request) error {
	if q.begin != nil {
		return r.begin(q.ctx, *q.begin)
	}
	if q.flush {
		return r.flush(q.ctx)
	}
	for _, row := range r.rows {
		if row.print.ID == q.drop && !row.ended {
			row.end(&printer.JobOutcome{Outcome: "failed", Reason: "It could not be started: " + q.why.Error()}, "")
		}
	}
	r.write(q.ctx, false)
	return nil // a row that could not be ended now is tried again
}

func (r *Recorder) flush(ctx context.Context) error {
	r.look()
	for _, row := range r.rows {
		if row.ended || row.unborn || !row.dirty {
			continue
		}
		if err := r.store.Journal(ctx, row.print); err != nil {
			return fmt.Errorf("journal the print: %w", err)
		}
		row.dirty, row.moved, r.every = false, false, journalFirst
	}
	return r.settle(ctx)
}

// begin makes sure that the print before has its outcome, which the next one's would hide, and writes the new row.
func (r *Recorder) begin(ctx context.Context, p store.Print) error {
	r.look()
	for _, row := range r.rows {
		if !row.ended {
			row.end(&printer.JobOutcome{Outcome: "interrupted", Reason: "Its end was not seen.", Percent: row.print.Percent,
				ElapsedS: row.print.ElapsedS, Line: row.print.Line, Layer: row.print.Layer, Layers: row.print.Layers, ZMM: row.print.ZMM,
				FilamentMM: row.print.FilamentMM, ToolsMM: row.print.ToolsMM}, "")
		}
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if err := r.store.BeginPrint(ctx, p); err != nil {
		return fmt.Errorf("write the print into the history: %w", err)
	}
	r.rows = append(r.rows, &row{print: p})
	r.journalled, r.every = time.Now(), journalFirst
	return nil
}

// look notes the newest snapshot.
func (r *Recorder) look() {
	if snap, _ := r.printer.Snapshots().Get(); snap != nil {
		r.note(snap)
	}
}

// note takes over what a snapshot says of the open rows.
func (r *Recorder) note(snap *printer.Snapshot) {
	if snap == nil {
		return
	}
	r.noteCard(snap.Card)
	for _, row := range r.rows {
		switch job, last := snap.Job, snap.LastJob; {
		case row.ended:
		case last != nil && last.ID == row.print.ID:
			fault := ""
			if snap.Fault != nil && snap.Fault.JobID == last.ID {
				fault = string(snap.Fault.Code)
			}
			row.end(last, fault)
			row.picture = r.lastPicture()
		case job != nil && job.ID == row.print.ID:
			paused := snap.State == printer.Paused
			if paused && !row.paused {
				r.journalled, r.every = time.Time{}, journalFirst // at once: a pause may be long
			}
			row.paused, row.dirty = paused, true
			p := &row.print
			row.moved = row.moved || p.Line != job.Line
			p.Line, p.Offset, p.Layer, p.Layers, p.ZMM, p.Percent, p.ElapsedS = job.Line, job.Offset, job.Layer, job.Layers, job.ZMM, job.Percent, job.ElapsedS
			p.FilamentMM, p.ToolsMM = job.FilamentMM, job.ToolsMM
		}
	}
}

// end puts the outcome into the row, to be written.
func (r *row) end(o *printer.JobOutcome, fault string) {
	r.ended = true
	p := &r.print
	p.Outcome, p.Reason, p.Fault, p.EndedMS = o.Outcome, o.Reason, fault, o.EndedMS
	if p.EndedMS == 0 {
		p.EndedMS = time.Now().UnixMilli()
	}
	p.ElapsedS, p.Line, p.Layer, p.Layers, p.ZMM, p.Percent = o.ElapsedS, o.Line, o.Layer, o.Layers, o.ZMM, o.Percent
	p.LinesAgain, p.ResendPercent, p.StarvedS, p.StarvedBy = o.LinesAgain, o.ResendPercent, o.StarvedS, o.StarvedBy
	p.FilamentMM, p.ToolsMM = o.FilamentMM, o.ToolsMM
	for _, e := range o.Log {
		r.log = append(r.log, store.LogLine{AtMS: e.AtMS, Dir: e.Dir, Text: e.Text})
	}
	if o.Outcome == "done" {
		p.Percent = 100
	}
}

// settle ends what has ended, however lately that was tried in vain. An error means that the print before still looks as if it ran: its copy of the
// queue is not counted yet, nor what it took from its spool.
func (r *Recorder) settle(ctx context.Context) error {
	for _, row := range r.rows {
		if row.ended {
			row.nextTryAt = time.Time{}
		}
	}
	r.write(ctx, false)
	for _, row := range r.rows {
		if row.ended && !row.unborn { // one that was never begun holds nothing
			return fmt.Errorf("end the print before in the history: %w", row.err)
		}
	}
	return nil
}

// write begins and ends rows as they are due, and brings the journal up to date when it is time or now is set.
func (r *Recorder) write(ctx context.Context, now bool) {
	since := time.Since(r.journalled)
	open := r.rows[:0]
	for _, row := range r.rows {
		due := now || !time.Now().Before(row.nextTryAt)
		if row.unborn && due {
			r.beginCard(ctx, row)
		}
		if !row.unborn && row.ended && due && r.endRow(ctx, row) {
			continue
		}
		if !row.unborn && !row.ended && row.dirty && (now || row.moved && since >= r.every || since >= restingEvery) {
			r.journalled, r.every = time.Now(), min(2*r.every, journalEvery)
			if err := r.store.Journal(ctx, row.print); err != nil {
				r.failed("journal a print", row.print.ID, err)
			} else {
				row.dirty, row.moved, r.failures = false, false, 0
			}
		}
		open = append(open, row)
	}
	clear(r.rows[len(open):])
	r.rows = open
}

// endRow writes the end of a print, and reports whether nothing more is to be done for it.
func (r *Recorder) endRow(ctx context.Context, row *row) bool {
	if err := r.store.KeepLog(ctx, row.print.ID, row.log); err != nil {
		r.failed("keep the log of a print", row.print.ID, err) // its end matters more
	}
	if err := r.store.KeepPicture(ctx, row.print.ID, row.picture); err != nil {
		r.failed("keep the last picture of a print", row.print.ID, err)
	}
	row.err = r.store.EndPrint(ctx, row.print)
	if row.err != nil {
		r.failed("end a print in the history", row.print.ID, row.err)
		row.nextTryAt = time.Now().Add(retryEvery)
		return errors.Is(row.err, store.ErrNoPrint) // it has an end already, or was deleted: there is nothing to wait for
	}
	r.log.Info("print ended", "job", row.print.ID, "file", row.print.File, "outcome", row.print.Outcome, "fault", row.print.Fault)
	r.failures = 0
	return true
}

// failed logs the first failure and then every hundredth.
func (r *Recorder) failed(what, job string, err error) {
	if r.failures%100 == 0 {
		r.log.Error("the history cannot be written", "doing", what, "job", job, "failures", r.failures+1, "err", err)
	}
	r.failures++
}

// LastOutcome is how the print that was begun last ended, as the printer shows it after a restart; nil when there is none.
func LastOutcome(ctx context.Context, s interface {
	LastPrint(ctx context.Context) (store.Print, bool, error)
}) (*printer.JobOutcome, error) {
	p, found, err := s.LastPrint(ctx)
	if err != nil {
		return nil, err
	}
	if !found || p.Outcome == "" {
		return nil, nil
	}
	name := p.File
	onCard, ofCard := strings.CutPrefix(p.File, cardPrefix)
	if ofCard {
		name, p.File = onCard, ""
	}
	for i := len(name) - 1; i >= 0 && !ofCard; i-- {
		if name[i] == '/' {
			name = name[i+1:]
			break
		}
	}
	return &printer.JobOutcome{ID: p.ID, File: p.File, Name: name, Outcome: p.Outcome, Reason: p.Reason, EndedMS: p.EndedMS, ElapsedS: p.ElapsedS,
		Line: p.Line, Layer: p.Layer, Layers: p.Layers, ZMM: p.ZMM, Percent: p.Percent,
		LinesAgain: p.LinesAgain, ResendPercent: p.ResendPercent, StarvedS: p.StarvedS, StarvedBy: p.StarvedBy, Card: ofCard,
		FilamentMM: p.FilamentMM, ToolsMM: []float64{}}, nil
}
