package guard

import (
	"context"
	"math"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// raised is the alarm of the print under way, until it is answered.
type raised struct {
	Alarm
	finding *finding
	before  picture
	after   picture
	stood   bool      // the print was seen to stand, or about to
	wanted  time.Time // a frame that is newer than this is its second picture; zero none is
	taken   bool      // for a shift: when it goes on, the printer's checks begin anew from where the head is
	keeping bool      // it is being kept …
	changed bool      // … and has changed meanwhile
}

// raise tells people of a shift, keeps what shows it, and has the print paused.
func (o *owner) raise(ctx context.Context, f *finding, pause bool) {
	p := o.print
	a := &raised{finding: f, before: p.good, after: p.now}
	switch {
	case f.part: // it is noticed when some of the newest layers lie elsewhere
		if a.before = p.early[1]; a.before.layer > f.since-newestLayers && p.early[0].jpeg != nil {
			a.before = p.early[0]
		}
	case !f.exact: // nobody has seen when it came about
		a.before = p.sure
	}
	if a.after.layer < f.since || a.after.atMS <= a.before.atMS { // it shows nothing of it yet
		a.after = picture{}
	}
	at := p.seen.AtMS
	if f.confirmed {
		at = p.endstops.AtMS
	}
	if f.part {
		at = p.outline.AtMS
	}
	a.Alarm = Alarm{AtMS: at, Job: p.order.job, Layer: f.layer, Since: f.since, Spoiled: max(f.layer-f.since+1, 0), Sentence: f.sentence(), Confirmed: f.confirmed, Part: f.part,
		XMM: f.offMM[0], YMM: f.offMM[1], Paused: pause, Statements: []Statement{}, Crop: [4]float64{0, 0, 1, 1}, Arrows: []Arrow{}}
	for _, s := range []Statement{p.seen.Statement, p.outline, p.firmware, p.endstops} {
		if s.Said != "" {
			a.Statements = append(a.Statements, s)
		}
	}
	if c := o.kept.Calibration; c != nil && !f.part { // where in the picture a part lies nobody knows
		a.Crop = crop(c, f.offMM[1] != 0 && f.offMM[0] == 0, p.now.turn)
		a.Arrows = arrows(c, f.offMM, p.now.turn)
	}
	p.alarm = a
	o.alarms.Add(1)
	o.log.Warn("the print is shifted", "job", p.order.job, "layer", f.layer, "x_mm", f.offMM[0], "y_mm", f.offMM[1], "confirmed", f.confirmed, "pause", pause)
	if pause && !(f.confirmed && p.told.Mode == printer.WatchPause) { // else its check has paused it
		if _, err := o.cfg.Printer.PauseShift(ctx, p.order.job, a.Sentence); err != nil {
			o.log.Error("a shifted print was not paused", "job", p.order.job, "err", err)
			a.Paused = false
		}
	}
	o.keepEvidence(a)
}

// follow notes what becomes of a print with an alarm: it stands, is homed anew, goes on.
func (o *owner) follow(ctx context.Context, a *raised, before, snap *printer.Snapshot) (changed bool) {
	p := o.print
	if r := snap.Job.Rehomed; r != nil && r != a.Rehoming && (r.Running || r.AtMS >= a.AtMS) {
		a.Rehoming, changed = r, true
	}
	switch snap.State {
	case printer.Pausing, printer.Paused, printer.Resuming:
		if snap.Pause != nil {
			a.taken = snap.Pause.By == "shift"
		}
		if !a.stood || !a.Paused {
			a.stood, a.Paused, changed = true, true, true
		}
		if snap.State == printer.Paused && before.State != printer.Paused && a.after.jpeg == nil {
			a.wanted = time.Now().Add(settle) // it is parked where the shots are, but higher
		}
	case printer.Printing:
		if a.stood {
			rehomed := a.Rehoming != nil && a.Rehoming.OK
			if rehomed {
				a.Label = LabelTrue
			}
			p.judge.goesOn(a.finding, rehomed || a.taken)
			o.answered(ctx)
			return true
		}
	}
	return changed
}

// photo is a frame that came while there is an alarm: the first of the paused print is its second picture, if there is none yet.
func (o *owner) photo(ctx context.Context, a *raised, f *camera.Frame) {
	if f == nil || a.wanted.IsZero() || o.snap.State != printer.Paused || !f.Time.After(a.wanted) {
		return
	}
	a.wanted, a.after = time.Time{}, picture{jpeg: f.JPEG, atMS: f.Time.UnixMilli(), layer: a.Layer, turn: f.Turn}
	o.keepEvidence(a)
}

// answered puts the alarm away. What is seen next is the measure, for everything may have been moved.
func (o *owner) answered(ctx context.Context) {
	p := o.print
	o.keepEvidence(p.alarm)
	p.alarm, p.relearn, p.anew = nil, true, true
	o.spend(ctx)
}

// alarmOf is the alarm of job, "" for any.
func (o *owner) alarmOf(job string) (*raised, error) {
	if p := o.print; p != nil && p.alarm != nil && (job == "" || job == p.order.job) {
		return p.alarm, nil
	}
	return nil, ErrNoAlarm
}

func (o *owner) falseAlarm(ctx context.Context, job string) error {
	a, err := o.alarmOf(job)
	if err != nil {
		return err
	}
	a.Label = LabelFalse
	o.print.judge.falseAlarm(a.finding)
	o.answered(ctx)
	return nil
}

func (o *owner) seenAlarm(ctx context.Context, job string) error {
	a, err := o.alarmOf(job)
	if err != nil {
		return err
	}
	o.print.judge.goesOn(a.finding, false)
	o.answered(ctx)
	return nil
}

// keepEvidence keeps the alarm with its pictures, and again what has changed meanwhile.
func (o *owner) keepEvidence(a *raised) {
	if a.changed = a.keeping; a.keeping {
		return
	}
	a.BeforeLayer, a.AfterLayer = a.before.layer, a.after.layer
	e := Evidence{Alarm: a.Alarm, Before: a.before.jpeg, After: a.after.jpeg}
	e.Alarm.Pictures = e.Before != nil && e.After != nil
	a.keeping = o.later(func() func(*owner) {
		id, err := o.cfg.KeepEvidence(o.late, e)
		if err != nil {
			o.log.Error("an alarm cannot be kept", "job", e.Alarm.Job, "err", err)
		}
		return func(o *owner) {
			if a.keeping = false; err == nil {
				a.ID, a.Pictures = id, e.Alarm.Pictures
			}
			if a.changed {
				o.keepEvidence(a)
			}
		}
	})
	if !a.keeping {
		o.log.Error("an alarm is not kept: too much is waiting", "job", e.Alarm.Job)
	}
}

const (
	patchSide = 24  // pixels
	moves     = 0.2 // pixels per mm: less is nothing that moves with an axis
)

// crop is where in a picture, as it is to be seen, a shift shows: around what moves with X or, if y, with Y.
func crop(c *register.Calibration, y bool, turn camera.Turn) [4]float64 {
	axis := 0
	if y {
		axis = 1
	}
	left, top, right, bottom := 1.0, 1.0, 0.0, 0.0
	for _, p := range c.Patches {
		if m := p.Move[axis]; math.Hypot(m[0], m[1]) < moves {
			continue
		}
		const room = 24 // of what is around it
		left, top = min(left, float64(p.X-room)/float64(c.Width)), min(top, float64(p.Y-room)/float64(c.Height))
		right, bottom = max(right, float64(p.X+patchSide+room)/float64(c.Width)), max(bottom, float64(p.Y+patchSide+room)/float64(c.Height))
	}
	if left >= right || top >= bottom {
		return [4]float64{0, 0, 1, 1}
	}
	left, top, right, bottom = max(left, 0), max(top, 0), min(right, 1), min(bottom, 1)
	clockwise, mirrored := turn.Apart()
	if mirrored {
		left, right = 1-right, 1-left
	}
	for ; clockwise > 0; clockwise -= 90 { // what was at the left is at the top
		left, top, right, bottom = 1-bottom, left, 1-top, right
	}
	return [4]float64{left, top, right - left, bottom - top}
}
