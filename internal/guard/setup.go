package guard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// The set-up, above an empty bed:
//
//	home ─▶ for each pose of the Calibrator: go there, stand, three frames ─▶ Result ─▶ the switches are measured ─▶ Card, kept
//
// It goes by the printer's ordinary commands, so whatever the printer refuses it refuses here. What the camera cannot do is written on the card and no failure, as long as
// the switches can be used; and the other way round.

// mover is what moves the printer while nothing is printed.
type mover interface {
	Home(ctx context.Context, axes string) (rev uint64, err error)
	JogTo(ctx context.Context, axis byte, toMM float64) (rev uint64, err error)
	QueryIdle(ctx context.Context, line string) ([]string, error)
	CalibrateSwitches(ctx context.Context) (rev uint64, err error)
	StopCalibration(ctx context.Context) (rev uint64, err error)
	Drill(ctx context.Context, axis byte, mm float64) (rev uint64, err error)
}

// work is a set-up or a drill under way. The zero value: none is.
type work struct {
	end  context.CancelFunc
	done chan struct{}
}

func (w work) stop() {
	if w.end != nil {
		w.end()
	}
}

// wait ends it and waits for that.
func (w work) wait() {
	if w.end != nil {
		w.end()
		<-w.done
	}
}

// begin has do done on a goroutine of its own, unless something is under way.
func (o *owner) begin(do func(ctx context.Context, r *rounds)) error {
	snap, _ := o.cfg.Printer.Snapshots().Get()
	switch {
	case o.work.end != nil:
		return fmt.Errorf("%w: a set-up or a drill is under way", ErrBusy)
	case snap == nil:
		return printer.ErrNotConnected
	case snap.State.HasJob():
		return fmt.Errorf("%w: a print is under way", ErrBusy)
	case snap.State != printer.Idle:
		return fmt.Errorf("%w: the printer is %v", printer.ErrWrongState, snap.State)
	}
	r := &rounds{Printer: o.cfg.Printer, profile: snap.Profile, tell: o.report}
	if r.camera = o.cfg.Camera(o.settings.Camera); r.camera != nil {
		r.cameraID = o.settings.Camera
	}
	ctx, end := context.WithCancel(o.life)
	o.work = work{end, make(chan struct{})}
	done := o.work.done
	go func() {
		defer close(done)
		defer end()
		stepAside()
		do(ctx, r)
	}()
	return nil
}

func (o *owner) beginSetup() error {
	life := o.life
	err := o.begin(func(ctx context.Context, r *rounds) {
		kept, err := r.setUp(ctx)
		r.tell(life, func(o *owner) { o.endSetup(kept, err) })
	})
	if err == nil {
		o.setup = &Setup{Step: "home"}
	}
	return err
}

// endSetup takes over what a set-up has found.
func (o *owner) endSetup(kept Kept, err error) {
	o.work = work{}
	if err != nil {
		o.setup = &Setup{Step: "failed", Percent: o.setup.Percent, Why: forPeople(err)}
		o.log.Info("the guard's set-up has failed", "err", err)
		return
	}
	o.kept, o.notice, o.misfit, o.setup = kept, "", false, &Setup{Step: "done", Percent: 100}
	o.keep()
}

// rounds moves the head about and takes pictures.
type rounds struct {
	Printer
	profile  printer.Profile
	camera   Camera // nil none
	cameraID int
	tell     func(ctx context.Context, do func(*owner)) bool
}

const (
	standStill = 300 * time.Millisecond // until nothing swings any more
	frameTime  = 5 * time.Second        // in which a camera must have given the frames of a pose
	parkedZ    = 5.0                    // mm: low, as at the beginning of a print
	edge       = 2.0                    // mm that are left to the ends of the axes
)

// parked is where the set-up takes the head to be for pictures of a print's first layers.
func parked(p printer.Profile) register.Pose {
	return register.Pose{XMM: p.ParkXMM, YMM: p.ParkYMM, ZMM: min(parkedZ, p.HeightMM/4)}
}

// reach is where the head may go.
func reach(p printer.Profile) register.Limits {
	l := register.Limits{Min: register.Pose{XMM: edge, YMM: edge, ZMM: 1}, Max: register.Pose{XMM: p.WidthMM - edge, YMM: p.DepthMM - edge, ZMM: p.HeightMM - edge}}
	if p.Origin == "center" {
		l.Min.XMM, l.Max.XMM, l.Min.YMM, l.Max.YMM = edge-p.WidthMM/2, p.WidthMM/2-edge, edge-p.DepthMM/2, p.DepthMM/2-edge
	}
	return l
}

func (r *rounds) step(ctx context.Context, step string, percent float64) {
	r.tell(ctx, func(o *owner) { o.setup = &Setup{Step: step, Percent: percent} })
}

func (r *rounds) setUp(ctx context.Context) (k Kept, err error) {
	if err := r.home(ctx); err != nil {
		return k, err
	}
	card := &Card{CameraID: -1, Camera: "There is no camera."}
	k = Kept{Card: card, Profile: r.profile}
	if r.camera != nil {
		cal, err := r.learn(ctx)
		if ctx.Err() != nil {
			return k, ctx.Err()
		}
		if card.Camera = ""; err != nil {
			card.Camera = forPeople(err)
		} else {
			k.Calibration = cal
			if k.Bed, _ = r.seeBed(ctx, cal); ctx.Err() != nil { // without it nobody can show the corners, and no more
				return k, ctx.Err()
			}
			card.describe(r.cameraID, cal)
		}
	}
	r.step(ctx, "switches", 70)
	if card.Endstops, err = r.switches(ctx); err != nil {
		if ctx.Err() != nil {
			return k, ctx.Err()
		}
		card.Endstops.X.Why, card.Endstops.Y.Why = forPeople(err), forPeople(err)
	}
	if card.Endstops.X.Usable || card.Endstops.Y.Usable {
		if check, err := r.drill(ctx, 'x', 0.8); err == nil {
			card.CheckS = check.TookS
		}
	} else if k.Calibration == nil {
		return k, fmt.Errorf("neither the camera nor the endstops can be used: %s %s", card.Camera, card.Endstops.X.Why)
	}
	card.MadeMS = time.Now().UnixMilli()
	return k, ctx.Err()
}

// describe writes on the card what the camera can tell.
func (c *Card) describe(id int, cal *register.Calibration) {
	c.CameraID, c.BedMoves, c.PxPerMM = id, cal.Kind == register.BedMoves, max(cal.PxPerMMX, cal.PxPerMMY)
	if cal.PxPerMMX > 0 && cal.PxPerMMY > 0 {
		c.PxPerMM = min(cal.PxPerMMX, cal.PxPerMMY)
	}
	if cal.SeesX {
		c.XMM = cal.DetectsXMM
	}
	if cal.SeesY {
		c.YMM = cal.DetectsYMM
	}
	if !cal.SeesX && !cal.SeesY {
		c.CameraID, c.Camera = -1, cal.WhyX
	}
}

// learn takes the pictures of all poses, and finds out what moves with what.
func (r *rounds) learn(ctx context.Context) (*register.Calibration, error) {
	defer r.camera.Look()()
	c := register.NewCalibrator(parked(r.profile), reach(r.profile))
	n := 0.0
	for at, more := c.Next(); more; at, more = c.Next() {
		r.step(ctx, "pictures", 5+60*n/float64(c.Poses()))
		n++
		pics, err := r.pictures(ctx, at)
		if err == nil {
			err = c.Add(at, pics)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.Result()
}

// pictures goes to a pose and takes three pictures there.
func (r *rounds) pictures(ctx context.Context, at register.Pose) ([]*register.Luma, error) {
	if err := r.goTo(ctx, at); err != nil {
		return nil, err
	}
	frames, err := r.frames(ctx, 3)
	if err != nil {
		return nil, err
	}
	pics := decode(frames)
	if len(pics) == 0 {
		return nil, errors.New("the camera's pictures cannot be read")
	}
	return pics, nil
}

// goTo moves the head to a pose and waits until it stands there.
func (r *rounds) goTo(ctx context.Context, at register.Pose) error {
	for _, a := range []struct {
		axis byte
		to   float64
	}{{'z', at.ZMM}, {'x', at.XMM}, {'y', at.YMM}} {
		if _, err := r.JogTo(ctx, a.axis, a.to); err != nil {
			return err
		}
	}
	if err := r.settled(ctx); err != nil {
		return err
	}
	snap, _ := r.Snapshots().Get()
	if is := snap.Position; is == nil || math.Abs(is.XMM-at.XMM) > 0.05 || math.Abs(is.YMM-at.YMM) > 0.05 || math.Abs(is.ZMM-at.ZMM) > 0.05 {
		return errors.New("the head did not go where it was sent")
	}
	return nil
}

// home homes all axes and waits for that.
func (r *rounds) home(ctx context.Context) error {
	if _, err := r.Home(ctx, ""); err != nil {
		return err
	}
	return r.settled(ctx)
}

// settled waits until all moves have ended, and the printer has said where it is.
func (r *rounds) settled(ctx context.Context) error {
	for _, line := range []string{"M400", "M114"} {
		if _, err := r.QueryIdle(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

// frames takes the camera's next frames, from when nothing swings any more.
func (r *rounds) frames(ctx context.Context, n int) (list []*camera.Frame, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, frameTime, errNoFrames)
	defer cancel()
	after := time.Now().Add(standStill)
	for seq := uint64(0); len(list) < n; {
		f, at, err := r.camera.Frames().Next(ctx, seq)
		if err != nil {
			return nil, context.Cause(ctx)
		}
		if seq = at; f != nil && f.Time.After(after) {
			list = append(list, f)
		}
	}
	return list, nil
}

var errNoFrames = errors.New("the camera gives no pictures")

// switches has the switches measured.
func (r *rounds) switches(ctx context.Context) (printer.Switches, error) {
	before, _ := r.Snapshots().Get()
	if _, err := r.CalibrateSwitches(ctx); err != nil {
		return printer.Switches{}, err
	}
	snap, err := r.until(ctx, func(s *printer.Snapshot) bool {
		c := s.Calibration
		if c != nil && c.Running {
			r.step(ctx, "switches", 70+0.3*c.Percent)
		}
		return c != nil && !c.Running && (before.Calibration == nil || c.AtMS > before.Calibration.AtMS)
	})
	switch {
	case err != nil:
		return printer.Switches{}, err
	case snap.Calibration.Why != "":
		return printer.Switches{}, errors.New(snap.Calibration.Why)
	}
	return snap.Switches, nil
}

// drill has the switches asked while the head is moved aside.
func (r *rounds) drill(ctx context.Context, axis byte, by float64) (*printer.EndstopCheck, error) {
	before, _ := r.Snapshots().Get()
	if _, err := r.Drill(ctx, axis, by); err != nil {
		return nil, err
	}
	snap, err := r.until(ctx, func(s *printer.Snapshot) bool {
		return s.Drilled != nil && (before.Drilled == nil || s.Drilled.AtMS > before.Drilled.AtMS)
	})
	if err != nil {
		return nil, err
	}
	return snap.Drilled, nil
}

const patience = 5 * time.Minute // with a printer that measures its switches

// until waits for a snapshot. When it is given up the printer ends what it does.
func (r *rounds) until(ctx context.Context, is func(*printer.Snapshot) bool) (*printer.Snapshot, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the printer did not come to an end"))
	defer cancel()
	for seq := uint64(0); ; {
		snap, at, err := r.Snapshots().Next(waiting, seq)
		switch {
		case err != nil:
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, _ = r.StopCalibration(late) // it may have ended
			return nil, context.Cause(waiting)
		case is(snap):
			return snap, nil
		case snap.State != printer.Idle:
			return nil, fmt.Errorf("the printer is %v", snap.State)
		}
		seq = at
	}
}
