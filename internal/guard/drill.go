package guard

import (
	"context"
	"fmt"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// A fire drill: the head stands aside by what four full steps are on most machines, without those who watch being told. It is the set-up's honest proof, and the person's.

const drillMM = 0.8

func (o *owner) beginDrill(axis string) error {
	if o.kept.Card == nil {
		return ErrNotSetUp
	}
	if axis != "y" {
		axis = "x"
	}
	cal, usable, life := o.kept.Calibration, map[string]bool{"x": o.switches().X.Usable, "y": o.switches().Y.Usable}[axis], o.life
	if !o.sighted() {
		cal = nil
	}
	err := o.begin(func(ctx context.Context, r *rounds) {
		d := r.fireDrill(ctx, axis, cal, usable)
		r.tell(life, func(o *owner) { o.work, o.drill = work{}, d })
	})
	if err == nil {
		o.drill = &Drill{Running: true, AtMS: time.Now().UnixMilli(), Axis: axis, MM: drillMM}
	}
	return err
}

// fireDrill moves the head aside and asks camera and endstops.
func (r *rounds) fireDrill(ctx context.Context, axis string, cal *register.Calibration, usable bool) *Drill {
	d := &Drill{Axis: axis, MM: drillMM, AtMS: time.Now().UnixMilli()}
	j := newJudge(printer.WatchPause, false)
	paused := false
	err := r.home(ctx)
	if cal != nil && r.camera != nil && err == nil {
		d.Camera, paused, err = r.drillCamera(ctx, axis, cal, j)
	}
	if usable && err == nil {
		var check *printer.EndstopCheck
		if check, err = r.drill(ctx, axis[0], drillMM); err == nil {
			d.Endstops = saidBy(check)
			paused = check.Verdict == printer.CheckLost || check.Verdict != printer.CheckRight && paused // they have the last word
		}
	}
	if d.Paused = paused && err == nil; err != nil {
		d.Why = forPeople(err)
	}
	return d
}

// drillCamera shows the camera a parked head, then one that stands aside, as at layers of a print.
func (r *rounds) drillCamera(ctx context.Context, axis string, cal *register.Calibration, j *judge) (text string, paused bool, err error) {
	defer r.camera.Look()()
	park := parked(r.profile)
	park.XMM, park.YMM = cal.Park.XMM, cal.Park.YMM
	aside, w := park, register.NewWatcher(cal)
	by, most := drillMM, reach(r.profile).Max
	to := &aside.XMM
	if end := most.XMM; axis == "y" {
		if to = &aside.YMM; *to+by > most.YMM {
			by = -by
		}
	} else if *to+by > end {
		by = -by
	}
	*to += by
	text = "It did not see it."
	for layer := 1; layer <= 8 && !paused; layer++ {
		at := park
		if layer > 5 {
			at = aside
		}
		pics, err := r.pictures(ctx, at)
		if err != nil {
			return "", false, err
		}
		l := w.Look(layer, park, pics)
		switch {
		case l.Step.Sure > 0:
			text = fmt.Sprintf("It saw the head %s further %s.", mm(l.Step.MM), toward(axisOf(l.Step.Axis), l.Step.MM))
		case !l.Sees && layer > 4:
			text = "It sees nothing now: " + words(l.Why)
		}
		paused = j.look(l, time.Now()).pause
	}
	return text, paused, nil
}
