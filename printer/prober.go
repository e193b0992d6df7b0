package printer

import (
	"fmt"
	"layerd/gcode"
	"math"
	"slices"
	"time"
)

// A prober goes to the switches of X and Y and reads them, as stages of the script under way: each look moves the head, waits, asks M119, and asks M114, whose
// answer shows that the head was where it was meant to be, and that M119 was answered before. What it does next depends on what it has read, so each stage adds the
// next ones.
//
//	bracket: closed 5 mm before it? ─▶ at −threshold? ─▶ at +threshold? ─▶ right
//	   └─ not as it should be ─▶ once more ─▶ measure: where it opens ─▶ coarse ─▶ fine, twice ─▶ off by so much
//
// Places are of the calibration's coordinates, as Switch.AtMM is.
type prober struct {
	s        *session
	on       func() bool // it may go on; else it stops where it is, and the stages that restore things follow
	sw       [2]Switch   // X, Y
	shift    [2]float64  // what G92 has laid over the axes since the calibration
	aside    [2]float64  // in a drill: the head is so far further along than the check is told
	found    [2]AxisFinding
	why      [2]string // a finding is unsure because; "" it is not
	failed   string    // nothing more can be found out, for people
	step     float64   // of measuring, mm
	begun    time.Time // when the head stood, and everything since was its
	looks    int
	measures bool       // it did more than to look whether all is right, and took longer
	hit      [2]bool    // it may have been driven against the frame, along that axis
	limits   softLimits // as M211 told them; zero = it did not
	limited  bool       // they are switched off
	steps    [2]float64 // of X and Y, to a mm, as M503 told them; 0 it did not
}

func (s *session) newProber(on func() bool) *prober {
	sw := s.known()
	return &prober{s: s, on: on, sw: [2]Switch{sw.X, sw.Y}, step: probeFineMM}
}

const (
	probeOffMM   = 5.0 // in front of a switch: it is open there, and was passed on the way to it for long enough not to remember anything
	probeFirstMM = 0.5 // of the first closing after homing: homing has met the switch elsewhere by chance, and a loss is 0.8 mm
	probeFineMM  = 0.1 // step: what is measured is right to half of it
	probeStepMM  = 0.4
	probeFarMM   = 30.0 // a switch that does not close so far behind its place is broken, or what was lost cannot be measured
	probeAwayMM  = 80.0 // and one that does not open so far before
	probeFeed    = 600  // mm/min
	probeFast    = 3000
	maxLooks     = 700
)

func (b *prober) way(axis int) float64 {
	if b.sw[axis].Max {
		return 1
	}
	return -1
}

// at is where the switch is to close: as it did when it was first met after homing, else as calibrated.
func (b *prober) at(axis int) float64 {
	if base := b.s.base[axis]; base != nil {
		return *base
	}
	return b.sw[axis].AtMM
}

// ahead adds stages before those that are left of the script under way.
func (s *session) ahead(stages ...stage) { s.script.then = slices.Concat(stages, s.script.then) }

// over reports whether nothing more is to be done.
func (b *prober) over() bool { return b.failed != "" || !b.on() }

// look goes to a place, and hands on whether the switch is closed there.
func (b *prober) look(axis int, to float64, then func(closed bool)) { b.try(axis, to, 3, then) }

func (b *prober) try(axis int, to float64, tries int, then func(closed bool)) {
	var was *Position
	place := to + b.shift[axis] + b.aside[axis]
	b.s.ahead(func(time.Time) []scriptLine {
		if b.over() {
			return nil
		}
		if b.looks++; b.looks > maxLooks {
			b.failed = "it came to no end"
			return nil
		}
		feed := probeFeed
		if (b.at(axis)-to)*b.way(axis) >= probeOffMM-probeFineMM {
			feed = probeFast
		}
		b.s.hark, was = &hark{}, b.s.seen.position
		return lines(fmt.Sprintf("%s F%d", word("G1 "+"XY"[axis:axis+1], place), feed), "M400", "M119", "M114")
	}, func(time.Time) []scriptLine {
		h := b.s.hark
		b.s.hark = nil
		if b.over() || h == nil {
			return nil
		}
		closed, known := h.endstop(axis, b.sw[axis].Max)
		is := b.s.seen.position
		stands := is != nil && is != was && math.Abs(is.axes()[axis]-place) <= slackMM(place)
		switch {
		case known && stands && !h.refused("M", "400"):
			then(closed)
		case tries > 0:
			b.try(axis, to, tries-1, then)
		case h.refused("M", "400"):
			b.failed = "this firmware does not know M400, so nobody knows when the head stands"
		case !known:
			b.failed = "this firmware does not say whether the switch is closed (M119)"
		default:
			b.failed = fmt.Sprintf("this firmware does not let the head go to %c %g", "XY"[axis], round(place))
		}
		return nil
	})
}

// clear is the stage that leaves an axis' switch.
func (b *prober) clear(axis int) stage {
	return func(time.Time) []scriptLine {
		if !b.sw[axis].Usable || b.looks == 0 {
			return nil
		}
		off := b.at(axis) - b.way(axis)*probeOffMM + b.shift[axis] + b.aside[axis]
		return lines(fmt.Sprintf("%s F%d", word("G1 "+"XY"[axis:axis+1], off), probeFast))
	}
}

// check finds out whether an axis is where it should be.
func (b *prober) check(axis int) stage {
	return func(time.Time) []scriptLine {
		if b.over() || !b.sw[axis].Usable {
			return nil
		}
		b.s.met[axis] = nil
		if b.s.base[axis] == nil {
			b.meet(axis)
		} else {
			b.bracket(axis, true)
		}
		return nil
	}
}

// meet is the first look after homing: it measures.
func (b *prober) meet(axis int) {
	b.measures = true
	at, way := b.at(axis), b.way(axis)
	b.look(axis, at-way*probeOffMM, func(closed bool) {
		if closed {
			b.seekOpen(axis, at-way*probeOffMM, 2)
			return
		}
		first := at - way*2*probeStepMM
		b.look(axis, first, func(closed bool) {
			if closed {
				b.seekOpen(axis, first, 2)
				return
			}
			b.coarse(axis, first, at+way*probeFarMM)
		})
	})
}

// bracket looks on both sides of where the switch should close.
func (b *prober) bracket(axis int, again bool) {
	at, way, by := b.at(axis), b.way(axis), b.sw[axis].ThresholdMM
	suspect := func(place float64, closed bool) {
		switch {
		case again:
			b.measures = true
			b.bracket(axis, false)
		case closed:
			b.seekOpen(axis, place, 2)
		default:
			b.coarse(axis, place, at+way*probeFarMM)
		}
	}
	b.look(axis, at-way*probeOffMM, func(closed bool) {
		if closed {
			suspect(at-way*probeOffMM, true)
			return
		}
		b.look(axis, at-way*by, func(closed bool) {
			if closed {
				suspect(at-way*by, true)
				return
			}
			b.look(axis, at+way*by, func(closed bool) {
				if !closed {
					suspect(at+way*by, false)
					return
				}
				b.found[axis] = AxisFinding{Checked: true}
			})
		})
	})
}

// seekOpen goes away from a switch that is closed, further each time, until it is open.
func (b *prober) seekOpen(axis int, from, by float64) {
	to := from - b.way(axis)*by
	minX, maxX, minY, maxY := b.s.profile.area()
	low, high := [2]float64{minX, minY}[axis], [2]float64{maxX, maxY}[axis]
	if by > probeAwayMM || b.sw[axis].Max && to < low-probeOffMM || !b.sw[axis].Max && to > high+probeOffMM {
		b.unsure(axis, "is closed wherever the head is")
		return
	}
	b.look(axis, to, func(closed bool) {
		if closed {
			b.seekOpen(axis, from, by*2)
			return
		}
		b.coarse(axis, to, from+b.way(axis)*probeStepMM) // it may close a little later than it did
	})
}

// coarse goes on from a place where the switch is open until it closes, at most to end.
func (b *prober) coarse(axis int, open, end float64) {
	way := b.way(axis)
	to := open + way*probeStepMM
	if (end+way*probeStepMM-to)*way < 0 {
		b.unsure(axis, "does not close any more: the head may have been driven against the frame, and stand elsewhere now")
		return
	}
	b.hit[axis] = (to-b.at(axis))*way > b.sw[axis].OvertravelMM
	b.look(axis, to, func(closed bool) {
		if closed {
			b.hit[axis] = false // it was that far off
			b.fine(axis, to, nil)
		} else {
			b.coarse(axis, to, end)
		}
	})
}

// fine measures where the switch closes, near a place where it has, twice.
func (b *prober) fine(axis int, near float64, before []float64) {
	b.closing(axis, near, func(at float64) {
		if before = append(before, at); len(before) < 2 {
			b.fine(axis, near, before)
			return
		}
		b.measured(axis, (before[0]+before[1])/2)
	})
}

// closing goes far enough before a place for the switch to open, and then up to where it closes.
func (b *prober) closing(axis int, near float64, then func(at float64)) {
	way := b.way(axis)
	open := near - way*(probeStepMM+b.step/2)
	b.look(axis, near-way*(probeStepMM+1+b.sw[axis].HysteresisMM), func(closed bool) {
		if closed {
			b.unsure(axis, "says one thing and then another")
			return
		}
		b.creep(axis, open, near+way*2*probeStepMM, func(at float64) { then(at - way*b.step/2) })
	})
}

// creep goes on by fine steps until the switch is closed.
func (b *prober) creep(axis int, to, end float64, then func(at float64)) {
	b.look(axis, to, func(closed bool) {
		switch next := to + b.way(axis)*b.step; {
		case closed:
			then(to)
		case (end-next)*b.way(axis) < 0:
			b.unsure(axis, "says one thing and then another")
		default:
			b.creep(axis, next, end, then)
		}
	})
}

func (b *prober) unsure(axis int, does string) {
	b.why[axis] = fmt.Sprintf("the switch of %c %s", "XY"[axis], does)
}

// measured judges where the switch of an axis closes now.
func (b *prober) measured(axis int, at float64) {
	off, limit := b.at(axis)-at, b.sw[axis].ThresholdMM-b.step/2
	first := b.s.base[axis] == nil
	if first {
		limit = probeFirstMM
	}
	if math.Abs(off) < limit {
		b.found[axis] = AxisFinding{Checked: true}
		if first && b.aside == [2]float64{} {
			b.s.base[axis] = &at
		}
		return
	}
	b.found[axis] = driveOf(b.sw[axis].StepsPerMM, b.s.profile.Kinematics).finding(off)
	if b.aside == [2]float64{} {
		b.s.met[axis] = &at
	}
}

// verdict sums the axes up.
func (b *prober) verdict() (verdict, reason string) {
	checked := false
	for axis, f := range b.found {
		checked = checked || f.Checked
		if f.OffMM != 0 {
			verdict = CheckLost
		}
		if b.why[axis] != "" && verdict == "" {
			verdict, reason = CheckUnsure, b.why[axis]
		}
	}
	for axis := range b.found {
		if verdict == "" && b.sw[axis].Usable && !b.found[axis].Checked {
			return CheckSkipped, b.failed
		}
	}
	switch {
	case verdict == CheckLost:
		return CheckLost, ""
	case verdict != "":
		return verdict, reason
	case !checked:
		return CheckSkipped, b.failed
	}
	return CheckRight, ""
}

// seat is where the head goes first: before both switches.
func (b *prober) seat(p *Position) (x, y float64) {
	at := [2]float64{p.XMM, p.YMM}
	for axis := range at {
		if b.sw[axis].Usable {
			at[axis] = b.at(axis) - b.way(axis)*probeOffMM + b.shift[axis] + b.aside[axis]
		}
	}
	return at[0], at[1]
}

// goTo are the lines that bring the head to a place at travelling height.
func (s *session) goTo(liftedZ, x, y float64) []string {
	return []string{word("G0 Z", liftedZ) + word(" F", gcode.FeedWord(s.profile.LiftMMS)),
		word("G0 X", x) + word(" Y", y) + word(" F", gcode.FeedWord(s.profile.TravelMMS)), "M400"}
}
