package printertest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Homing is what G28 does besides driving the axes to their switches, as the firmware was built (Marlin, G28.cpp).
type Homing struct {
	RaiseMM       float64 // Z is at least so high before X or Y is homed, and stays there
	NoR           bool    // R, a height instead of that, is not known
	KeepsLeveling bool    // levelling is on again afterwards, if it was
	YFirst        bool
	Together      bool // naming the second of X and Y homes the first as well
	ZSafe         bool // Z is homed in the middle of the bed, where X and Y are driven to before
}

// HomingForm is what ParseHoming reads, for people.
const HomingForm = `items separated by commas:
  raise=5           Z is raised to that height before X or Y is homed, and stays there
  no-r              R, another height, is not known
  keeps-leveling    levelling is on again afterwards, if it was
  y-first, together, z-safe`

// ParseHoming reads HomingForm. Errors name the item.
func ParseHoming(spec string) (h Homing, err error) {
	for item := range strings.SplitSeq(spec, ",") {
		item = strings.TrimSpace(item)
		to, isFlag := map[string]*bool{"no-r": &h.NoR, "keeps-leveling": &h.KeepsLeveling, "y-first": &h.YFirst, "together": &h.Together, "z-safe": &h.ZSafe}[item]
		value, isRaise := strings.CutPrefix(item, "raise=")
		switch {
		case isFlag:
			*to = true
		case isRaise:
			if h.RaiseMM, err = strconv.ParseFloat(value, 64); err == nil {
				err = h.check()
			}
		case item != "":
			err = errors.New("unknown")
		}
		if err != nil {
			return Homing{}, fmt.Errorf("homing %q: %w", item, err)
		}
	}
	return h, nil
}

func (h Homing) check() error {
	if !(h.RaiseMM >= 0 && h.RaiseMM <= 1000) {
		return fmt.Errorf("raise of %g mm: want 0 to 1000", h.RaiseMM)
	}
	return nil
}

// homing speeds in mm/s, and the seconds that backing off and touching again take.
var homingSpeed = [3]float64{50, 50, 4}
var homingBump = [3]float64{1.2, 1.2, 3}

// homingTravel is how fast it moves in between, mm/s, and bumpMM how far it backs off from a switch.
const (
	homingTravel = 50
	bumpMM       = 5
)

// homing is G28 under way: its steps, and an axis on its way to its switch.
type homing struct {
	steps       [5]func(*firmware) bool
	moving      bool // the step's move is in the planner
	axis        int
	on          bool
	from, to    float64
	start, stop time.Duration
}

// at is where the axis is that is being homed.
func (h *homing) at(now time.Duration) float64 {
	if now >= h.stop || h.stop <= h.start {
		return h.to
	}
	return h.from + (h.to-h.from)*float64(now-h.start)/float64(h.stop-h.start)
}

// home is G28: one axis after the other to its switch, which makes belief and truth agree again as far as the switch does; then the position.
// The switch may be anywhere; what G92 had laid over an axis is gone; and levelling is off.
func home(f *firmware) bool {
	h := &f.homing
	if f.stage == 0 {
		if !f.synced() {
			return false
		}
		f.planHoming()
		f.stage = 1
	}
	for ; f.stage <= len(h.steps); f.stage++ {
		if step := h.steps[f.stage-1]; step != nil && !step(f) {
			return false
		}
		if !f.active { // it died
			return true
		}
	}
	f.unlevel()
	if f.HomeReports {
		f.sayPosition()
	}
	return true
}

// unlevel is what G28 does to levelling: L is whether it is on afterwards, as newer Marlin knows it; else that is how it was built.
func (f *firmware) unlevel() {
	if !f.HomeUnlevels {
		return
	}
	f.leveled = f.leveled && f.opt.homing.KeepsLeveling
	if on, ok := f.cur.params.float('L'); ok && f.LimitsForm == limitsMarlin2 {
		f.leveled = on != 0 && f.settings.mesh != nil
	}
}

// planHoming reads the command's axes and sets its steps.
func (f *firmware) planHoming() {
	p, o := &f.cur.params, f.opt.homing
	all := !p.has('X') && !p.has('Y') && !p.has('Z')
	x, y, z := all || p.has('X'), all || p.has('Y'), all || p.has('Z')
	x, y = x || o.Together && !o.YFirst && y, y || o.Together && o.YFirst && x
	f.homing.moving = false
	steps := &f.homing.steps
	*steps = [5]func(*firmware) bool{}
	raise := o.RaiseMM
	if r, ok := p.float('R'); ok && !o.NoR {
		raise = r
	}
	if raise > 0 && (x || y || o.ZSafe) {
		steps[0] = func(f *firmware) bool { to := f.planned; to[axisZ] = max(to[axisZ], raise); return f.glide(to) }
	}
	axes := [2]func(*firmware) bool{}
	if x {
		axes[axisX] = homeX
	}
	if y {
		axes[axisY] = homeY
	}
	steps[1], steps[2] = axes[0], axes[1]
	if o.YFirst {
		steps[1], steps[2] = axes[1], axes[0]
	}
	if z {
		steps[4] = homeZ
		if o.ZSafe {
			steps[3] = func(f *firmware) bool {
				to := f.planned
				to[axisX], to[axisY] = f.size[0]/2, f.size[1]/2
				return f.glide(to)
			}
		}
	}
	if all { // a print begins here
		f.trail.clear()
		f.layers, f.layerZ = 0, 0
		f.cleared()
	}
}

// glide moves straight to a place as part of a command, and reports whether it is there. G28 leaves the feed rate of others alone.
func (f *firmware) glide(to position) bool {
	h := &f.homing
	if !h.moving {
		h.moving = true
		f.planner.push(f.now, f.planned, to, homingTravel)
		f.planned = to
	}
	if !f.synced() {
		return false
	}
	h.moving = false
	return true
}

func homeX(f *firmware) bool { return f.homeAxis(axisX) }
func homeY(f *firmware) bool { return f.homeAxis(axisY) }
func homeZ(f *firmware) bool {
	if f.opt.homing.ZSafe && !(f.homed[axisX] && f.homed[axisY]) {
		f.say("echo:Home XY First")
		return true
	}
	return f.homeAxis(axisZ)
}

// homeAxis drives one axis to its switch.
func (f *firmware) homeAxis(axis int) bool {
	h, s := &f.homing, &f.stops[axis]
	if !h.on {
		from := f.realAt(f.now)[axis]
		to := f.homesTo(axis, from)
		way := max(0, (to-from)*s.way)
		*h = homing{steps: h.steps, axis: axis, on: true, from: from, to: to, start: f.now,
			stop: f.now + f.motionTime(way/homingSpeed[axis]+homingBump[axis])}
	}
	if !f.until(h.stop) {
		return false
	}
	h.on = false
	f.slide(axis, h.to)
	if s.Kind == StuckOpen && f.homeFailed(axis) {
		return true
	}
	f.stepped[axis] -= f.behind[axis] // what the counter says of the way there
	f.counted[axis] += f.stepped[axis] + h.to - h.from - s.AtMM
	f.planned[axis], f.stepped[axis], f.behind[axis], f.offset[axis] = s.AtMM, s.AtMM, 0, f.homeOffset[axis]
	f.homed[axis], f.motors = true, true
	f.forget(axis)
	if axis == axisZ {
		f.homedBaby()
	}
	return true
}

// homesTo is the true place at which the firmware will be content.
func (f *firmware) homesTo(axis int, from float64) float64 {
	s := &f.stops[axis]
	end := f.frame[axis][0]
	if s.Max {
		end = f.frame[axis][1]
	}
	switch s.Kind {
	case StuckOpen:
		return end
	case StuckClosed: // it backs off, and is content there
		return f.inFrame(axis, from-s.way*bumpMM)
	case NoSwitch:
		return from
	case Sensorless:
		return end - s.way*float64(s.dice.IntN(s.Scatter+1))*fullStep(axis)
	}
	s.closesAt = s.draw()
	return s.closesAt
}

// homeFailed is what the firmware does when it has found no switch, and reports whether that is the end of the command. One that does not look
// takes the frame for home.
func (f *firmware) homeFailed(axis int) bool {
	switch {
	case f.NoTriggerForm != "":
		f.homed[axis] = false
		f.sayf(f.NoTriggerForm, 'x'+axis)
		f.homing.steps = [5]func(*firmware) bool{}
	case f.KillPinWords != nil: // endstops.cpp, validate_homing_move
		f.kill(f.KillPinWords[1:])
	default:
		return false
	}
	return true
}
