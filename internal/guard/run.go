package guard

import (
	"context"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// Printer is what is watched; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
	ShotTaken(ctx context.Context, job string, n int) (rev uint64, err error)
	SetShots(ctx context.Context, job string, s printer.Shots) (rev uint64, err error)
	SetWatch(ctx context.Context, job string, w printer.Watch) (rev uint64, err error)
	CheckNow(ctx context.Context, job, why string) (rev uint64, err error)
	PauseShift(ctx context.Context, job, message string) (rev uint64, err error)
	SetSwitches(ctx context.Context, s printer.Switches) (rev uint64, err error)
	mover
}

// owner is what the goroutine in Run owns.
type owner struct {
	*Guard
	life     context.Context // of Run
	late     context.Context // ends a little later, for what is to be kept
	settings Settings
	kept     Kept
	snap     *printer.Snapshot
	ordered  ordered  // the print that is about to start
	print    *watched // the one under way; nil without one
	last     *watched // the one before, for people to look at
	setup    *Setup
	drill    *Drill
	work     work // the set-up or the drill under way
	notice   string
	misfit   bool                     // the camera's pictures have another size than those of the set-up
	hand     chan func() func(*owner) // to the goroutine that looks at pictures and writes to the disk
	back     chan func(*owner)        // from it, and from the work
}

func newOwner(g *Guard) *owner {
	o := &owner{Guard: g, settings: g.cfg.Settings, kept: g.cfg.Kept, hand: make(chan func() func(*owner), 8), back: make(chan func(*owner)), late: context.Background()}
	o.snap = &printer.Snapshot{}
	if snap, _ := g.cfg.Printer.Snapshots().Get(); snap != nil {
		o.snap = snap
	}
	return o
}

// ordered is what Arrange has decided.
type ordered struct {
	job   string
	mode  printer.WatchMode
	film  printer.Shots
	shotS float64
	plan  plan
	file  *printFile
	never error // why the second opinion cannot be had of it
}

// Run watches until ctx ends. It is called once.
func (g *Guard) Run(ctx context.Context) error {
	defer close(g.stopped)
	ctx, end := context.WithCancel(ctx)
	defer end()
	late, endLate := context.WithCancel(context.WithoutCancel(ctx))
	defer endLate()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(toEnd, endLate) })()
	o := newOwner(g)
	o.life, o.late = ctx, late
	handed := make(chan func(*owner), 1)
	go func() { handed <- o.handle(ctx) }()
	defer func() { end(); o.work.wait(); o.endPrint(); o.finish(<-handed) }()
	if card := o.kept.Card; card != nil {
		if _, err := g.cfg.Printer.SetSwitches(ctx, card.Endstops); err != nil {
			g.log.Error("the printer was not told what is known of its endstops", "err", err)
		}
	}
	snaps := g.cfg.Printer.Snapshots().Each(ctx)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var frames <-chan *camera.Frame
		if o.print != nil {
			frames = o.print.frames
		}
		select {
		case snap, ok := <-snaps:
			if ok {
				o.note(ctx, snap, time.Now())
			}
		case f, ok := <-frames:
			if ok {
				o.frame(ctx, f)
			}
		case do := <-o.back:
			do(o)
			o.publish()
		case now := <-tick.C:
			o.tick(ctx, now)
		case q := <-g.requests:
			q.done <- q.do(o)
			o.publish()
		case <-ctx.Done():
			return nil
		}
	}
}

// note takes over what a snapshot says.
func (o *owner) note(ctx context.Context, snap *printer.Snapshot, now time.Time) {
	before := o.snap
	o.snap = snap
	if o.print != nil && (snap.Job == nil || snap.Job.ID != o.print.order.job) {
		o.endPrint()
		o.publish()
	}
	if o.print == nil && snap.Job != nil && snap.Job.ID == o.ordered.job && o.ordered.mode != printer.WatchOff {
		o.beginPrint(now)
		o.publish()
	}
	if (before.Job == nil) != (snap.Job == nil) || o.fits(before.Profile) != o.fits(snap.Profile) || before.Switches.X.Usable != snap.Switches.X.Usable || before.Switches.Y.Usable != snap.Switches.Y.Usable || before.Connection.Dialect != snap.Connection.Dialect {
		o.publish()
	}
	if o.print != nil && o.heed(ctx, before, snap, now) {
		o.publish()
	}
}

// heed takes over what a snapshot says of the print that is watched, and reports whether people should see something new.
func (o *owner) heed(ctx context.Context, before, snap *printer.Snapshot, now time.Time) (changed bool) {
	p := o.print
	if s := snap.Job.Shot; s != nil && s.N != p.shot {
		p.shot = s.N
		if s.Still {
			o.stand(ctx, s, snap.Position, now)
		}
	} else if p.stand != nil && s != nil && !s.Still {
		o.leave(ctx, now) // it went on by itself
	}
	if snap.State == printer.Printing && (before.State == printer.Resuming || before.State == printer.Paused) {
		p.relearn, p.anew = true, true // somebody was at it, or has changed the filament
	}
	if c := snap.Job.Check; c != nil && c.AtMS != p.check { // one that could not be made has no number of its own
		p.check, changed = c.AtMS, true
		o.checked(ctx, c)
	}
	if n := snap.Job.Witnessed; n != p.witnessed && snap.Witness != nil {
		p.witnessed, changed = n, true
		p.firmware = Statement{Witness: "firmware", Said: snap.Witness.Said, AtMS: snap.Witness.AtMS}
		o.act(ctx, p.judge.firmware(*snap.Witness, snap.Job.Layer))
	}
	if a := p.alarm; a != nil {
		changed = o.follow(ctx, a, before, snap) || changed
	}
	return changed
}

// beginPrint begins to watch the print that was arranged.
func (o *owner) beginPrint(now time.Time) {
	p := &watched{order: o.ordered, began: now, judge: newJudge(o.ordered.mode, o.usable()), end: func() {}}
	p.judge.tellPart = !o.settings.PausePart
	p.told = p.judge.watch(p.order.plan.checkShare)
	o.print, o.last, o.ordered, o.notice = p, nil, ordered{}, ""
	o.see()
}

// beginLate begins to watch a print that was begun unwatched. What was heard before is of no account.
func (o *owner) beginLate(mode printer.WatchMode) {
	job := o.snap.Job
	if job == nil || job.ID != o.ordered.job || mode == printer.WatchOff || o.kept.Card == nil {
		return
	}
	o.ordered.mode = mode
	o.beginPrint(time.Now())
	p := o.print
	p.told, p.witnessed = printer.Watch{Mode: printer.WatchOff}, job.Witnessed
	if job.Shot != nil {
		p.shot = job.Shot.N
	}
	if job.Check != nil {
		p.check = job.Check.AtMS
	}
}

// endPrint ends the watching.
func (o *owner) endPrint() {
	if p := o.print; p != nil {
		p.end()
		p.alarm, p.frames, p.camera, p.watcher, p.outliner, p.order.file, p.stand = nil, nil, nil, nil, nil, nil, nil
		p.good, p.now, p.sure, p.early = picture{}, picture{}, picture{}, [2]picture{}
		o.print, o.last = nil, p
	}
}

// see makes sure that the print has the camera that there is now. Its frames are followed for as long as that lasts, whoever had them followed.
func (o *owner) see() {
	p := o.print
	var c Camera
	if o.sighted() {
		c = o.cfg.Camera(o.settings.Camera)
	}
	if c == p.camera {
		return
	}
	if p.stand != nil { // its frames are for the watcher of the old one
		o.leave(o.life, time.Now())
	}
	p.end()
	p.camera, p.frames, p.end, p.watcher, p.outliner = c, nil, func() {}, nil, nil
	if c == nil {
		return
	}
	following, end := context.WithCancel(o.life)
	done := c.Look()
	p.frames, p.end = c.Frames().Each(following), func() { end(); done() }
	p.watcher, p.outliner = register.NewWatcher(o.kept.Calibration), newOutline(o.kept, p.order.file)
}

// tick lets time pass.
func (o *owner) tick(ctx context.Context, now time.Time) {
	p := o.print
	if p == nil {
		return
	}
	o.see()
	if p.stand != nil && now.After(p.stand.until.Add(time.Second)) {
		o.leave(ctx, now)
	}
	o.spend(ctx)
}

// spend tells the printer how much of the time may go into pictures and checks, when that has changed.
func (o *owner) spend(ctx context.Context) {
	p := o.print
	var plan plan
	if p.judge.mode != printer.WatchOff {
		plan = o.plan(p.order.film, p.order.shotS, p.blind >= blindLooks, p.judge.hot).soon(p.eager)
	}
	if plan.everyS != p.order.plan.everyS && p.order.film.Mode == printer.ShotsOff {
		if _, err := o.cfg.Printer.SetShots(ctx, p.order.job, shotsOf(p.order.film, plan)); err != nil {
			return // in another state it is tried again
		}
	}
	if watch := p.judge.watch(plan.checkShare); watch != p.told {
		if _, err := o.cfg.Printer.SetWatch(ctx, p.order.job, watch); err != nil {
			return
		}
		p.told = watch
	}
	p.order.plan = plan
}

// plan is how the time of a print is spent as things are.
func (o *owner) plan(film printer.Shots, shotS float64, blind, hot bool) plan {
	if film.Mode != printer.ShotsOff { // it takes its time anyway
		shotS = 0
	}
	looks := o.sighted() && o.cfg.Camera(o.settings.Camera) != nil
	return budget(o.settings.SharePercent, shotS, looks, o.usable(), blind, hot)
}

func shotsOf(film printer.Shots, p plan) printer.Shots {
	if film.Mode == printer.ShotsOff && p.everyS > 0 {
		return printer.Shots{Mode: printer.ShotsPark, EveryS: p.everyS}
	}
	return film
}

// arrange is Arrange.
func (o *owner) arrange(order Order) (printer.Shots, printer.Watch) {
	mode := order.Mode
	if mode == "" {
		mode = o.settings.Mode
	}
	if o.kept.Card == nil {
		mode = printer.WatchOff
	}
	o.ordered = ordered{job: order.Job, mode: mode, film: order.Film, shotS: shotCost(o.snap.Profile, order.Survey), file: newPrintFile(order)}
	o.ordered.never = o.ordered.file.why
	if mode == printer.WatchOff {
		return order.Film, printer.Watch{Mode: printer.WatchOff}
	}
	o.ordered.plan = o.plan(order.Film, o.ordered.shotS, false, false)
	return shotsOf(order.Film, o.ordered.plan), newJudge(mode, o.usable()).watch(o.ordered.plan.checkShare)
}

// set is Set.
func (o *owner) set(ctx context.Context, s Settings) error {
	was := o.settings
	o.settings = s
	if o.print == nil && s.Mode != was.Mode {
		o.beginLate(s.Mode)
	}
	if p := o.print; p != nil {
		if s.Mode != was.Mode {
			p.judge.mode = s.Mode
		}
		p.judge.tellPart = !s.PausePart
		o.see()
		o.spend(ctx)
	}
	return nil
}

// usable reports whether the endstops can be asked; sighted whether the camera has a set-up that fits.
func (o *owner) usable() bool {
	s := o.switches()
	return s.X.Usable || s.Y.Usable
}

// switches are those of the set-up, unless the printer says that they are not its own.
func (o *owner) switches() printer.Switches {
	if s := o.snap.Switches; s.X.Why != "" || s.Y.Why != "" {
		return s
	}
	if o.kept.Card == nil {
		return printer.Switches{}
	}
	return o.kept.Card.Endstops
}

func (o *owner) sighted() bool {
	c := o.kept.Card
	return c != nil && o.kept.Calibration != nil && c.CameraID == o.settings.Camera && o.fits(o.snap.Profile)
}

// fits reports whether a profile parks the head where the set-up did, on a machine of that kind. There is none before the printer is known.
func (o *owner) fits(p printer.Profile) bool {
	k := o.kept.Profile
	return p.ParkXMM == k.ParkXMM && p.ParkYMM == k.ParkYMM && p.WidthMM == k.WidthMM && p.DepthMM == k.DepthMM && p.Origin == k.Origin && p.Kinematics == k.Kinematics
}

// handle does what takes long, one after the other, on a thread that lets all others go first. What it returns is done by the owner; the last of it, when ctx has ended, is left to do.
func (o *owner) handle(ctx context.Context) (left func(*owner)) {
	stepAside()
	for {
		select {
		case do := <-o.hand:
			if then := do(); then != nil && !o.report(ctx, then) {
				return then
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// toEnd is how long what was handed over may take when layerd ends.
const toEnd = 2 * time.Second

// finish does what was handed over before the end, as long as there is time: an alarm of the last moment is kept.
func (o *owner) finish(then func(*owner)) {
	for o.late.Err() == nil {
		if then != nil {
			then(o)
		}
		select {
		case do := <-o.hand:
			then = do()
		default:
			return
		}
	}
}

// report has the owner do something, from another goroutine; false: it has ended.
func (o *owner) report(ctx context.Context, do func(*owner)) bool {
	select {
	case o.back <- do:
		return true
	case <-ctx.Done():
		return false
	}
}

// later has do done by the goroutine for what takes long; false: too much is waiting.
func (o *owner) later(do func() func(*owner)) bool {
	select {
	case o.hand <- do:
		return true
	default:
		return false
	}
}
