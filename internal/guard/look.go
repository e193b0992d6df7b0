package guard

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// Looking at a parked head:
//
//	Shot.Still ─▶ stand (hold it) ─▶ two or three frames ─▶ leave (let it go on) ─▶ another goroutine decodes and looks ─▶ looked ─▶ judge
//
// The printer waits for the frames alone.

// watched is the print under way.
type watched struct {
	order  ordered
	began  time.Time
	judge  *judge
	told   printer.Watch // to the printer, besides what Arrange said
	camera Camera        // nil when there is none, or none that is set up
	frames <-chan *camera.Frame
	end    func() // of the following of its frames

	watcher  *register.Watcher // belongs to the other goroutine while looking …
	outliner *outline          // … and so does this; nil without corners
	looking  bool
	relearn  bool // before the next look
	anew     bool // the second opinion, too
	lastAt   time.Time
	blind    int // looks in a row that saw nothing
	eager    int // looks in a row after which the next is wanted at once
	odd      int // looks in a row whose pictures had another size than those of the set-up

	shot      int    // number of the printer's newest that was noticed
	stand     *stand // the one that is held
	check     int64  // when the newest check ended that was noticed
	unchecked string // why that could not be made, for people; "" it was
	witnessed int

	seen      witnessed // what the camera said
	second    second    // and of the print itself
	outline   Statement
	endstops  Statement
	firmware  Statement
	good, now picture
	early     [2]picture // good ones of some ten layers and more before that, the older one first
	sure      picture    // the one that was good when the endstops have last said that all is right; before that the print's first
	layers    []Layer
	alarm     *raised
	recorded  int
	unkept    string // why the newest look was not recorded, for people
}

// witnessed is how the camera does.
type witnessed struct {
	Statement
	look register.Look
	any  bool
}

// picture is one, and when it was taken.
type picture struct {
	jpeg  []byte
	atMS  int64
	layer int
	turn  camera.Turn
}

// stand is a shot that is held until its frames have come.
type stand struct {
	shot, layer  int
	at           register.Pose
	after, until time.Time // when its frames are taken
	frames       []*camera.Frame
}

const (
	lookEvery  = 8 * time.Second         // a look may cost a small machine half a second
	settle     = 150 * time.Millisecond  // the frame swings a little after the last move, and a camera is some way behind
	standsFor  = 1400 * time.Millisecond // the printer goes on by itself a little later
	slowCamera = 500 * time.Millisecond  // who has brought two frames in this time is not waited for
	deadAge    = 3 * time.Second         // of the newest frame of a camera that has failed
	blindLooks = 3                       // in a row, for checks to come sooner
	oddLooks   = 3                       // in a row with pictures of another size, for the set-up not to fit any more
	keptLayers = 30
)

// stand takes over that the machine stands for a shot, and holds it if it is to be looked at.
func (o *owner) stand(ctx context.Context, s *printer.Shot, at *printer.Position, now time.Time) {
	p := o.print
	if p.stand != nil {
		o.leave(ctx, now)
	}
	if p.camera == nil || p.judge.mode == printer.WatchOff || p.looking || at == nil || now.Sub(p.lastAt) < lookEvery || dead(p.camera, now) {
		if p.camera != nil && p.judge.mode != printer.WatchOff && dead(p.camera, now) {
			o.saw(register.Look{Layer: s.Layer, Why: register.NoPicture}, now)
			o.publish()
		}
		o.goOn(ctx, s.N)
		return
	}
	o.both.hold(p.order.job, s.N)
	stood := time.UnixMilli(s.AtMS)
	p.stand = &stand{shot: s.N, layer: s.Layer, at: register.Pose{XMM: at.XMM, YMM: at.YMM, ZMM: at.ZMM}, after: stood.Add(settle), until: stood.Add(standsFor)}
}

func dead(c Camera, now time.Time) bool {
	f, _ := c.Frames().Get()
	return f == nil || now.Sub(f.Time) > deadAge
}

// goOn lets the printer go on, as far as the guard is concerned.
func (o *owner) goOn(ctx context.Context, shot int) {
	if err := o.both.done(ctx, o.print.order.job, shot, o.print.order.film.Mode != printer.ShotsOff); err != nil {
		o.log.Warn("the printer was not told that its picture is taken", "err", err) // it goes on by itself
	}
}

// takes reports whether a frame is of this shot, and keeps it; enough, whether there are as many as are wanted.
func (s *stand) takes(f *camera.Frame) (enough bool) {
	if f == nil || !f.Time.After(s.after) || f.Time.After(s.until) {
		return false
	}
	s.frames = append(s.frames, f)
	return len(s.frames) == 3 || len(s.frames) == 2 && f.Time.After(s.after.Add(slowCamera))
}

// frame is the camera's newest.
func (o *owner) frame(ctx context.Context, f *camera.Frame) {
	if a := o.print.alarm; a != nil {
		o.photo(ctx, a, f)
	}
	if s := o.print.stand; s != nil && s.takes(f) {
		o.leave(ctx, time.Now())
	}
}

// leave lets the printer go on, and has the frames looked at that have come.
func (o *owner) leave(ctx context.Context, now time.Time) {
	p := o.print
	s := p.stand
	p.stand = nil
	o.goOn(ctx, s.shot)
	if len(s.frames) == 0 {
		o.saw(register.Look{Layer: s.layer, Why: register.NoPicture}, now)
		o.publish()
		return
	}
	watcher, relearn, cal, last := p.watcher, p.relearn, o.kept.Calibration, s.frames[len(s.frames)-1]
	outliner, anew, left := p.outliner, p.anew, o.leftOut()
	asked := o.later(func() func(*owner) {
		if ctx.Err() != nil {
			return nil
		}
		if relearn {
			watcher.Relearn()
		}
		pics := decode(s.frames)
		l := watcher.Look(s.layer, s.at, pics)
		if len(pics) > 0 && (pics[0].W != cal.Width || pics[0].H != cal.Height) {
			l.Why = otherSize
		}
		if outliner == nil {
			return func(o *owner) { o.looked(ctx, p, l, s, last, nil) }
		}
		if anew {
			outliner.sight.Relearn()
		}
		other := outliner.look(ctx, s.layer, s.at, pics, left, l)
		return func(o *owner) { o.looked(ctx, p, l, s, last, &other) }
	})
	if asked {
		p.looking, p.relearn, p.anew, p.lastAt = true, false, false, now
	}
}

// leftOut are the objects that are not printed any further.
func (o *owner) leftOut() []int {
	if o.snap.Job == nil {
		return nil
	}
	return slices.Clone(o.snap.Job.Skipped)
}

// decode reads the pictures that can be read.
func decode(frames []*camera.Frame) (pics []*register.Luma) {
	for _, f := range frames {
		l := &register.Luma{}
		if register.Decode(f.JPEG, l) == nil {
			pics = append(pics, l)
		}
	}
	return pics
}

// looked takes over what was seen; other is what was seen of the print itself, nil nothing was asked.
func (o *owner) looked(ctx context.Context, p *watched, l register.Look, s *stand, last *camera.Frame, other *second) {
	p.looking = false
	if o.print != p {
		return
	}
	pic := picture{jpeg: last.JPEG, atMS: last.Time.UnixMilli(), layer: l.Layer, turn: last.Turn}
	p.now = pic
	if (l.Sees || l.Why == register.Learning) && l.Step.Sure == 0 && (other == nil || other.aside.Step.Sure == 0) {
		if p.good = pic; p.sure.jpeg == nil {
			p.sure = pic
		}
		if p.early[1].jpeg == nil || pic.layer-p.early[1].layer >= newestLayers {
			p.early = [2]picture{p.early[1], pic}
		}
	}
	o.sized(p, l.Why)
	p.eager = eager(p.eager, l)
	o.saw(l, last.Time)
	o.record(p, l, s)
	o.act(ctx, p.judge.look(l, last.Time))
	if other != nil {
		o.outlined(ctx, *other, l.Layer, last.Time)
	}
}

// sized notes whether pictures have the set-up's size. One that has not is an accident; where it stays so people must do the set-up again, but what it has found is kept: the camera may give
// that size again.
func (o *owner) sized(p *watched, why register.Blind) {
	switch why {
	case register.NoPicture:
	case otherSize:
		if p.odd++; p.odd >= oddLooks {
			o.misfit = true
		}
	default:
		p.odd, o.misfit = 0, false
	}
}

// keep keeps what the set-up has found.
func (o *owner) keep() {
	kept := o.kept
	if !o.later(func() func(*owner) {
		if err := o.cfg.Keep(o.late, kept); err != nil {
			o.log.Error("what the guard's set-up has found cannot be kept", "err", err)
		}
		return nil
	}) {
		o.log.Error("what the guard's set-up has found is not kept: too much is waiting")
	}
}

// saw notes a look, for people too.
func (o *owner) saw(l register.Look, at time.Time) {
	p := o.print
	p.seen = witnessed{look: l, any: true, Statement: Statement{Witness: "camera", Said: said(l), AtMS: at.UnixMilli()}}
	entry := p.layer(l.Layer, at)
	if p.blind++; l.Sees || l.Why == register.Learning {
		p.blind = 0
	}
	entry.XMM, entry.YMM, entry.Blind = nil, nil, ""
	if l.SeesX {
		entry.XMM = &l.XMM
	}
	if l.SeesY {
		entry.YMM = &l.YMM
	}
	if !l.Sees {
		entry.Blind = words(l.Why)
	}
}

// layer is the entry of a layer in what people are shown.
func (p *watched) layer(n int, at time.Time) *Layer {
	if i := len(p.layers) - 1; i < 0 || p.layers[i].Layer != n {
		p.layers = append(p.layers, Layer{Layer: n})
		p.layers = slices.Clone(p.layers[max(len(p.layers)-keptLayers, 0):])
	} else {
		p.layers = slices.Clone(p.layers) // the old one is shown
	}
	entry := &p.layers[len(p.layers)-1]
	entry.AtMS = at.UnixMilli()
	return entry
}

// checked takes over what the endstops said.
func (o *owner) checked(ctx context.Context, c *printer.EndstopCheck) {
	p := o.print
	p.endstops = Statement{Witness: "endstops", Said: saidBy(c), AtMS: c.AtMS}
	p.layer(max(c.Layer, 1), time.UnixMilli(c.AtMS)).Check = c.Verdict
	if p.unchecked = ""; c.Verdict == printer.CheckSkipped {
		p.unchecked = forPeople(errors.New(cmp.Or(c.Reason, "a check could not be made")))
	}
	if c.TookS > 0 && c.Verdict == printer.CheckRight && o.kept.Card.CheckS == 0 {
		card := *o.kept.Card
		card.CheckS = c.TookS
		o.kept.Card = &card
	}
	if c.Verdict == printer.CheckRight && p.good.jpeg != nil && p.good.atMS <= c.AtMS {
		p.sure = p.good
	}
	o.act(ctx, p.judge.check(*c))
}

// act does what a verdict says.
func (o *owner) act(ctx context.Context, v verdict) {
	p := o.print
	if v.check {
		if _, err := o.cfg.Printer.CheckNow(ctx, p.order.job, printer.CheckSuspicion); err != nil {
			o.log.Info("the endstops cannot be asked", "err", err)
			p.judge.cannot()
		}
	}
	if v.relearn {
		p.relearn = true
	}
	if v.notice != "" {
		o.notice = v.notice
	}
	if v.finding != nil {
		o.raise(ctx, v.finding, v.pause)
	}
}
