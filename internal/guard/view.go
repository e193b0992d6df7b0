package guard

import (
	"layerd/camera/register"
	"layerd/printer"
)

// publish shows people what has changed.
func (o *owner) publish() { o.states.Set(o.state()) }

// state is all that people see.
func (o *owner) state() *State {
	s := &State{Mode: o.settings.Mode, Settings: o.settings, Card: o.kept.Card, Setup: o.setup, Drill: o.drill, Layers: []Layer{}, Notice: o.notice}
	if o.kept.Card == nil {
		s.Mode = printer.WatchOff
	}
	shown := o.print
	if shown == nil {
		if shown = o.last; o.snap.Job != nil { // it was begun unwatched, or elsewhere
			s.Mode = printer.WatchOff
		}
	} else {
		s.Mode = shown.judge.mode
		if o.settings.Record {
			s.Recording, s.Unkept = shown.recorded > 0 && shown.unkept == "", shown.unkept
		}
	}
	if shown != nil {
		s.Job = shown.order.job
		s.Layers = append(s.Layers, shown.layers...)
		if shown.alarm != nil {
			alarm := shown.alarm.Alarm
			s.Alarm = &alarm
		}
	}
	s.Endstops, s.Camera, s.Firmware = o.endstopsDo(shown), o.cameraDoes(shown), o.firmwareDoes(shown)
	s.Outline = o.outlineDoes(shown, s.Camera)
	if o.kept.Bed != nil && o.kept.Calibration != nil {
		s.BedMS = o.kept.Bed.AtMS
	}
	if c := o.kept.Corners; c != nil {
		tapped := c.Tapped
		s.Corners = &tapped
	}
	for _, w := range []*Witness{&s.Endstops, &s.Camera, &s.Outline, &s.Firmware} {
		if s.Mode == printer.WatchOff && (w.Status == WitnessReady || w.Status == WitnessBlind) {
			w.Status, w.Why = WitnessOff, ""
		}
	}
	return s
}

func (o *owner) endstopsDo(p *watched) Witness {
	c := o.kept.Card
	switch {
	case c == nil:
		return Witness{Status: WitnessUnset}
	case !o.usable():
		why := o.switches().X.Why
		if why == "" {
			why = o.switches().Y.Why
		}
		return Witness{Status: WitnessUnable, Why: why}
	}
	w := Witness{Status: WitnessReady}
	if s := o.switches().X; s.Usable {
		w.DetectsXMM = s.ThresholdMM
	}
	if s := o.switches().Y; s.Usable {
		w.DetectsYMM = s.ThresholdMM
	}
	if p != nil {
		w.AtMS, w.Said = p.endstops.AtMS, p.endstops.Said
	}
	if p != nil && p == o.print && p.unchecked != "" {
		w.Status, w.Why, w.DetectsXMM, w.DetectsYMM = WitnessBlind, p.unchecked, 0, 0
	}
	return w
}

func (o *owner) cameraDoes(p *watched) Witness {
	c := o.kept.Card
	switch {
	case c == nil:
		return Witness{Status: WitnessUnset}
	case c.CameraID < 0:
		return Witness{Status: WitnessUnable, Why: c.Camera}
	case c.CameraID != o.settings.Camera:
		return Witness{Status: WitnessUnset, Why: "Another camera was chosen than the set-up was made with: do the set-up again."}
	case o.kept.Calibration == nil:
		return Witness{Status: WitnessUnset, Why: "Its set-up does not fit any more: do the set-up again."}
	case !o.sighted() && o.snap.Profile.WidthMM != 0:
		return Witness{Status: WitnessUnset, Why: "The printer's profile, or where it parks, was changed: do the set-up again."}
	}
	if o.misfit {
		return Witness{Status: WitnessUnset, Why: "The camera's pictures have another size than in the set-up: choose that size again, or do the set-up again."}
	}
	if p != nil && o.print == p && p.camera == nil {
		return Witness{Status: WitnessBlind, Why: "The camera is gone.", AtMS: p.seen.AtMS}
	}
	if p == nil || !p.seen.any {
		if p != nil && o.print == p && p.order.film.Mode == printer.ShotsStill {
			return Witness{Status: WitnessBlind, Why: "The timelapse has the head stand where it is: it must be parked to be seen."}
		}
		return Witness{Status: WitnessReady, DetectsXMM: c.XMM, DetectsYMM: c.YMM}
	}
	l := p.seen.look
	w := Witness{Status: WitnessReady, AtMS: p.seen.AtMS, Said: p.seen.Said, Why: words(l.Why)}
	if l.SeesX {
		w.DetectsXMM = l.DetectsXMM
	}
	if l.SeesY {
		w.DetectsYMM = l.DetectsYMM
	}
	if l.Sees && (l.SeesX || !c.seesX()) && (l.SeesY || !c.seesY()) {
		w.Why = ""
	}
	if !l.Sees {
		w.Status = WitnessBlind
		if o.print == p && p.order.film.Mode == printer.ShotsStill && l.Why == register.Elsewhere {
			w.Why = "The timelapse has the head stand where it is: it must be parked to be seen."
		}
	}
	return w
}

func (c *Card) seesX() bool { return c.XMM > 0 }
func (c *Card) seesY() bool { return c.YMM > 0 }

// firmwareDoes: few kinds of firmware say something of motors and collisions.
func (o *owner) firmwareDoes(p *watched) Witness {
	w := Witness{Status: WitnessReady}
	switch o.snap.Connection.Dialect {
	case "marlin", "prusa", "klipper", "reprapfirmware", "rrf":
	case "":
		w.Status = WitnessUnset
	default:
		w.Status, w.Why = WitnessUnable, "This firmware says nothing of collisions or of its motors."
	}
	if p != nil {
		w.AtMS, w.Said = p.firmware.AtMS, p.firmware.Said
	}
	return w
}
