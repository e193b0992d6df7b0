package camera

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// How patient the owner is.
const (
	firstFrame  = 5 * time.Second        // a source may take this long to open and deliver; some cameras need two to wake up
	noFrame     = 3 * time.Second        // then a live source is restarted, and a frame is too old to be published
	noStop      = 5 * time.Second        // a source that was told to stop and has not is said to be stuck
	lastStop    = 2 * time.Second        // how long Run waits for that at its own end
	firstWait   = 500 * time.Millisecond // before a failed source is opened again; doubles
	longestWait = 4 * time.Second        // a failed one that is plugged in again is live within 5 s
	absentWait  = 2 * time.Second        // the longest when no device is there, or it may not be opened: looking is cheap and people wait for it
	steady      = 5 * time.Second        // a source that was live for this long begins again with firstWait
	checkEvery  = 500 * time.Millisecond
	fpsOver     = 4 * time.Second // frames per second are measured over this long
	badLogEvery = time.Minute
)

// owner is the state of Run's goroutine. Its select only dispatches to these methods; none of them blocks.
type owner struct {
	c      *Camera
	ctx    context.Context
	setup  Setup
	status Status // as it will be published next
	now    *attempt
	retry  *time.Timer   // when to begin the next attempt
	wait   time.Duration // before it
	absent bool          // the last attempt found no device

	once      map[string]int64 // what the device's controls have been; never changed, only replaced
	unplugged bool             // and since it was unplugged, none was live

	seq      uint32
	newest   time.Time   // when this attempt's newest frame was taken
	times    []time.Time // when frames arrived, within fpsOver
	badLog   time.Time   // when damaged frames were last logged
	badFrom  int64       // and how many there were
	lastErr  string      // the last failure, logged once
	failures int         // of that kind, in a row
}

// Run keeps the camera going until ctx ends. It is called once. The error is nil unless the source could not be stopped.
func (c *Camera) Run(ctx context.Context) error {
	defer close(c.ended)
	o := &owner{c: c, ctx: ctx, setup: c.Setup(), wait: firstWait, retry: time.NewTimer(0)}
	first, _ := c.status.Get()
	o.status = *first
	defer o.retry.Stop()
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		chosen, frames, done := o.listen()
		select {
		case <-ctx.Done():
			return o.stop()
		case ch := <-c.changes:
			o.change(ch.to)
			o.tell() // whoever set it looks at the status next
			close(ch.done)
		case <-o.retry.C:
			o.begin()
		case ch := <-chosen:
			o.chose(ch)
		case f := <-frames:
			o.publish(f)
		case err := <-done:
			o.finish(err)
		case <-check.C:
			o.check()
		}
		o.tell()
	}
}

// listen returns the channels of the attempt that is under way. Frames of one that was told to stop are not heard.
func (o *owner) listen() (<-chan choice, <-chan *Frame, <-chan error) {
	switch {
	case o.now == nil:
		return nil, nil, nil
	case !o.now.stopping.IsZero():
		return nil, nil, o.now.done
	}
	return o.now.chosen, o.now.frames, o.now.done
}

func (o *owner) begin() {
	if o.now != nil {
		return
	}
	if o.setup.Device == deviceNone {
		o.status.Device, o.status.Problem = deviceNone, problemOff
		o.status.Name = o.setup.Name
		return
	}
	o.newest = time.Time{}
	o.now = o.c.begin(o.ctx, o.setup, o.once)
}

func (o *owner) chose(ch choice) {
	if o.absent {
		o.absent, o.wait = false, firstWait // plugged in just now: its permissions may come a moment later
	}
	o.now.device, o.now.name = Shown(ch.device.ID), first(o.setup.Name, ch.source.Name())
	o.status.Device, o.status.Name = o.now.device, o.now.name
	o.c.source.Set(ch.source)
	o.c.counts.opened.Add(1)
	o.adjust()
}

// publish shares a frame, if it is news.
func (o *owner) publish(f *Frame) {
	now := time.Now()
	if !f.Time.After(o.newest) || now.Sub(f.Time) > noFrame {
		o.status.Dropped++
		o.c.counts.late.Add(1)
		return
	}
	if o.seq++; o.seq == 0 {
		o.seq = 1
	}
	o.c.counts.frames.Add(1)
	f.Seq, o.newest, o.now.lastGood = o.seq, f.Time, now
	o.times = append(o.times, now)
	o.status.Width, o.status.Height = f.Width, f.Height
	if !o.status.Live {
		o.setLive(true)
		o.status.Problem, o.lastErr, o.failures, o.unplugged = "", "", 0, false
		o.c.cfg.Log.Info("camera is live", "device", o.now.device, "name", o.now.name, "width_px", f.Width, "height_px", f.Height)
	}
	o.c.frames.Set(f)
}

// check is the watchdog; it also measures.
func (o *owner) check() {
	now := time.Now()
	o.measure(now)
	a := o.now
	if a == nil {
		return
	}
	o.countDamaged(now)
	if !a.stopping.IsZero() {
		if now.Sub(a.stopping) >= noStop {
			o.status.Problem = problem(o.called(), errStuck)
		}
		return
	}
	select { // after a sleep of the whole machine, a frame may be waiting beside the tick
	case f := <-a.frames:
		o.publish(f)
	default:
	}
	since, patience := a.lastGood, noFrame
	if since.IsZero() {
		since, patience = a.began, firstFrame
	}
	if again := a.again.Load(); again != nil && again.After(since) {
		since, patience = *again, firstFrame
	}
	if now.Sub(since) < patience {
		return
	}
	why := errStalled
	if a.lastGood.IsZero() && a.badSeen > 0 {
		if why = errDamaged; errors.Is(a.newestDamage(), errTooBig) {
			why = errTooBig
		}
	}
	o.halt(why)
}

// halt tells the source to stop. finish goes on when it has.
func (o *owner) halt(cause error) {
	o.now.stopping, o.now.cause = time.Now(), cause
	o.now.cancel()
	o.setLive(false)
	if cause != nil {
		o.status.Problem = problem(o.called(), cause)
	}
}

// finish is called when the source has returned: it decides what to say and when to try again.
func (o *owner) finish(err error) {
	a := o.now
	select { // what it delivered last is still good
	case f := <-a.frames:
		if a.stopping.IsZero() {
			o.publish(f)
		}
	default:
	}
	select {
	case ch := <-a.chosen:
		o.chose(ch)
	default:
	}
	o.countDamaged(time.Now())
	o.now = nil
	o.c.source.Set(nil)
	o.times = nil
	o.status.FPS = 0
	if !a.stopping.IsZero() {
		if err = a.cause; err == nil { // other settings
			o.retry.Reset(0)
			return
		}
	}
	if err == nil {
		err = errStalled // a source that ends by itself without a reason
	}
	o.setLive(false)
	o.absent = isAbsent(err)
	o.unplugged = isGone(err) || o.absent && o.unplugged
	if !o.absent || !o.unplugged { // that it was unplugged says more than that it is not there
		o.status.Problem = problem(o.called(), err)
	}
	o.logFailure(err)
	if errors.Is(err, errNotFound) {
		o.status.Device, o.status.Name = "", o.setup.Name
	}
	if !a.lastGood.IsZero() && a.lastGood.Sub(a.began) >= steady {
		o.wait = firstWait
	}
	if isCheap(err) {
		o.wait = min(o.wait, absentWait)
	}
	o.retry.Reset(o.wait)
	o.wait = min(o.wait*2, longestWait)
}

// change takes another setup. The picture of another device is taken away at once; another name alone disturbs nothing.
func (o *owner) change(to Setup) {
	from := o.setup
	o.setup = to
	o.remember(from, to)
	o.c.setup.Set(to)
	if to.Settings == from.Settings {
		o.rename(from.Name)
		o.adjust()
		return
	}
	if to.Device != from.Device {
		o.c.frames.Set(nil)
		o.status.Device, o.status.Name, o.status.Width, o.status.Height = "", to.Name, 0, 0
	}
	o.wait, o.lastErr, o.failures, o.unplugged = firstWait, "", 0, false
	o.setLive(false)
	o.status.Problem = problemStarting
	if o.now == nil {
		o.retry.Reset(0)
		return
	}
	o.halt(nil)
}

// rename shows the name that people gave the camera, or took from it.
func (o *owner) rename(from string) {
	switch {
	case o.setup.Name != "":
		o.status.Name = o.setup.Name
	case from != "":
		o.status.Name = o.status.Device // until the source says its own again
	}
}

// stop waits a moment for the source at the end of Run.
func (o *owner) stop() error {
	if o.now == nil {
		return nil
	}
	o.now.cancel()
	late := time.NewTimer(lastStop)
	defer late.Stop()
	select {
	case <-o.now.done:
		return nil
	case <-late.C:
		return fmt.Errorf("camera %s: %w", o.called(), errStuck)
	}
}

func (o *owner) setLive(live bool) {
	if o.status.Live != live {
		o.status.Live = live
		o.status.SinceMS = time.Now().UnixMilli()
	}
	if !live {
		o.status.FPS, o.times = 0, nil
	}
}

// measure counts the frames of the last seconds.
func (o *owner) measure(now time.Time) {
	old := 0
	for old < len(o.times) && now.Sub(o.times[old]) > fpsOver {
		old++
	}
	o.times = append(o.times[:0], o.times[old:]...)
	o.status.FPS = 0
	if n := len(o.times); n > 1 {
		if span := o.times[n-1].Sub(o.times[0]).Seconds(); span > 0 {
			o.status.FPS = math.Round(float64(n-1)/span*10) / 10
		}
	}
}

// countDamaged moves the attempt's count into the status, and logs it now and then.
func (o *owner) countDamaged(now time.Time) {
	n := o.now.bad.Load()
	o.status.Dropped += n - o.now.badSeen
	o.c.counts.damaged.Add(n - o.now.badSeen)
	o.now.badSeen = n
	if count := o.status.Dropped - o.badFrom; count > 0 && now.Sub(o.badLog) >= badLogEvery {
		why := o.now.newestDamage()
		if why == nil {
			return
		}
		o.c.cfg.Log.Warn("camera frames damaged", "device", o.now.device, "count", count, "newest", why)
		o.badLog, o.badFrom = now, o.status.Dropped
	}
}

// logFailure logs the first failure of a kind, and then only that it goes on.
func (o *owner) logFailure(err error) {
	if o.lastErr == err.Error() {
		o.failures++
		o.c.cfg.Log.Debug("camera failed again", "device", o.status.Device, "failures", o.failures, "error", err)
		return
	}
	o.lastErr, o.failures = err.Error(), 1
	o.c.cfg.Log.Warn("camera failed", "device", o.status.Device, "retry_ms", o.wait.Milliseconds(), "error", err)
}

// called is what the camera is called in a sentence.
func (o *owner) called() string {
	switch {
	case o.status.Name != "":
		return o.status.Name
	case o.status.Device != "":
		return o.status.Device
	}
	return Shown(o.setup.Device)
}

// tell publishes the status if anything in it changed.
func (o *owner) tell() {
	if told, _ := o.c.status.Get(); *told != o.status {
		s := o.status
		o.c.status.Set(&s)
	}
}
