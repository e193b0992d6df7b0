package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"layerd/internal/latest"
	"log/slog"
	"time"
)

// Config is what a Printer is made of.
type Config struct {
	Open     Opener
	List     func() ([]PortInfo, error)
	Port     string                // configured port, "" = detect
	Baud     int                   // configured speed, 0 = detect
	Remember string                // identity of the port that a person chose before (PortInfo.Identity), "" for none
	OnChoice func(identity string) // called, on a goroutine of its own, when a person chose a port
	Profile  Profile
	Cooling  Cooling     // how long heat is left on; zero = UsualCooling
	Scripts  Scripts     // as SetScripts takes them; a line that will not do any more is left out when its time comes
	LastJob  *JobOutcome // shown until another job has ended
	// ResumeWithin is how long a USB connection may be lost in mid-print for the print to go on by itself when the port is back, and the
	// board has kept its power; 0 = always ask.
	ResumeWithin time.Duration
	Log          *slog.Logger
}

// Printer is one printer. Its state belongs to the goroutine in Run; everybody else asks that goroutine, or reads Snapshots.
type Printer struct {
	cfg      Config
	snaps    *Snapshots
	console  *Console
	requests chan request
	tally    *tally
	querying chan struct{} // holds one while a query is under way
	ended    chan struct{} // closed when Run returns
}

// request is something to be done by the owner. The answer is the revision in which it took effect.
type request struct {
	do     func(o *owner, now time.Time) error
	answer chan<- answer
}

type answer struct {
	rev uint64
	err error
}

// New returns a Printer that does nothing until Run.
func New(cfg Config) *Printer {
	cfg.Profile = cfg.Profile.Whole()
	first := newSession(cfg.Profile, cfg.LastJob, nil).snapshot(time.Now())
	return &Printer{cfg: cfg, snaps: latest.New(first), console: newConsole(), requests: make(chan request), tally: &tally{}, querying: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Snapshots is where the newest Snapshot is.
func (p *Printer) Snapshots() *Snapshots { return p.snaps }

// Console is the ring of the last lines in both directions.
func (p *Printer) Console() *Console { return p.console }

// owner is what the goroutine in Run owns.
type owner struct {
	*Printer
	*session
	line      *line // nil when no port is open
	dial      dial
	writing   bool // the writer has something
	changed   bool // since the last snapshot
	rev       uint64
	published time.Time
	was       State // in the last snapshot
	wasFault  *Fault
	wasShot   *Shot
}

// publishEvery bounds how often a snapshot is made for changes that can wait; others are published at once.
const publishEvery = 100 * time.Millisecond

// Run is the owner: it holds the conversation until ctx ends, and then returns nil. A job under way is given up where it is;
// call Shutdown first to park and cool. Run may be called once.
func (p *Printer) Run(ctx context.Context) error {
	defer close(p.ended)
	o := &owner{Printer: p}
	o.session = newSession(p.cfg.Profile, p.cfg.LastJob, func(dir string, text []byte) { p.console.note(time.Now(), dir, text) })
	o.session.health.tally = p.tally
	o.session.custom, _ = readScripts(p.cfg.Scripts)
	o.session.tail, o.session.resumeWithin = p.console.tail, p.cfg.ResumeWithin
	if p.cfg.Cooling != (Cooling{}) {
		o.session.keeper.cooling = p.cfg.Cooling
	}
	o.dial = newDial(p.cfg)
	defer o.leave()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		o.tick(now)
		o.dialDue(ctx, now)
		o.act(now)
		o.publish(now)
		wait(timer, now, o.wake())
		select {
		case <-ctx.Done():
		case r := <-p.requests:
			o.serve(r)
		case text, ok := <-o.line.heard():
			o.take(text, ok)
		case err := <-o.line.written():
			o.wrote(err)
		case b := <-o.batches():
			o.job.feed(b)
		case d := <-o.dial.result:
			o.dialled(d)
		case <-timer.C:
		}
	}
	return nil
}

func wait(timer *time.Timer, now, until time.Time) {
	timer.Stop()
	if until.IsZero() {
		return
	}
	timer.Reset(max(until.Sub(now), 0))
}

// wake is when the loop must go round even if nothing happens.
func (o *owner) wake() time.Time {
	next := o.deadline(o.writing)
	for _, t := range []time.Time{o.dialAt(), o.publishDue()} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

func (o *owner) publishDue() time.Time {
	if !o.changed {
		return time.Time{}
	}
	return o.published.Add(publishEvery)
}

func (o *owner) serve(r request) {
	now := time.Now()
	if err := r.do(o, now); err != nil {
		r.answer <- answer{err: err}
		return
	}
	o.act(now)
	o.push(now)
	r.answer <- answer{rev: o.rev}
}

// take hears a line, and those that came with it, but not so many that a printer that never ends talking keeps all others waiting.
func (o *owner) take(text []byte, ok bool) {
	for left := linesAhead; ; left-- { // text is the reader's, until the next is taken; who keeps any of it makes a copy
		now := time.Now()
		if !ok {
			o.lineLost(now)
			return
		}
		o.changed = true
		r := gcode.ParseReply(text)
		o.console.note(now, "in", r.Text)
		o.hear(now, r)
		o.act(now)
		if left == 1 {
			return
		}
		select {
		case text, ok = <-o.line.heard():
		default:
			return
		}
	}
}

func (o *owner) wrote(err error) {
	o.writing = false
	if err != nil && o.line != nil {
		o.lineLost(time.Now())
	}
}

// act carries out what the session has decided: the port's speed comes before what is said at it, and the console, whose readers may hold
// it for a moment, after.
func (o *owner) act(now time.Time) {
	o.obey(now)
	o.pump(now)
	o.console.tell()
}

// pump writes what may be said now, in one piece, if the writer is free.
func (o *owner) pump(now time.Time) {
	for o.line != nil && !o.writing {
		b := o.write(now)
		if b != nil && o.line.gather(b) {
			continue
		}
		said, writing := o.line.send()
		o.writing, o.changed = writing, o.changed || said
		if b == nil {
			return
		}
	}
}

// obey carries out what the session wants done to the port.
func (o *owner) obey(now time.Time) {
	do := o.orders
	o.orders = orders{}
	if o.line == nil {
		return
	}
	if do.baud != 0 {
		if err := o.line.setBaud(do.baud); err != nil {
			o.cfg.Log.Warn("set the port's speed", "baud", do.baud, "err", err)
		}
	}
	if do.urgent != nil {
		o.line.writeNow(do.urgent)
		o.changed = true
	}
	if do.reset {
		if tried, err := o.line.port.Reset(); err != nil {
			o.cfg.Log.Warn("reset the board", "err", err)
		} else if tried {
			o.cfg.Log.Info("board reset by its reset line")
		}
	}
	if do.leave {
		o.hangUp(now)
		return
	}
	if do.close {
		o.drop(now, o.fault)
	}
}

// publish makes a snapshot of what has changed: at once when the state did, else after publishEvery.
func (o *owner) publish(now time.Time) {
	if o.state != o.was || o.fault != o.wasFault || o.run.shots.newest != o.wasShot || o.changed && !now.Before(o.publishDue()) {
		o.push(now)
	}
}

func (o *owner) push(now time.Time) {
	if o.state != o.was {
		o.cfg.Log.Info("printer", "state", o.state.String())
	}
	o.rev++
	snap := o.snapshot(now)
	snap.Rev = o.rev
	o.dial.describe(&snap.Connection)
	o.snaps.Set(snap)
	o.changed, o.published, o.was, o.wasFault, o.wasShot = false, now, o.state, o.fault, o.run.shots.newest
}

// batches delivers when the job waits for its file.
func (o *owner) batches() <-chan batch {
	if o.job == nil || o.state != Printing || !o.job.starved() {
		return nil
	}
	return o.job.batches
}

// leave gives everything up when Run ends.
func (o *owner) leave() {
	if o.job != nil {
		o.job.close()
	}
	if o.lost != nil {
		o.lost.was.job.close()
	}
	if o.line != nil {
		<-o.line.shut()
	}
	o.dial.stop()
}

// ask has the owner do something, and waits for its answer.
func (p *Printer) ask(ctx context.Context, do func(o *owner, now time.Time) error) (uint64, error) {
	answered := make(chan answer, 1)
	select {
	case p.requests <- request{do, answered}:
		a := <-answered // the owner never waits for anything, so this is short
		return a.rev, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-p.ended:
		return 0, fmt.Errorf("%w: layerd is ending", ErrNotConnected)
	}
}
