package printer

import (
	"layerd/gcode"
	"math"
	"time"
)

// How far a prober may go and how fast it comes, and what the places are called that it goes to.

// slowMM is how far before a switch the head comes no faster than it homes: one that stands nearer to it than anybody knows meets the frame then as it does in
// homing, and not at the speed of travel.
const slowMM = 25.0

// approach are the lines that bring the head from a place to its seat before both switches, at travelling height.
func (b *prober) approach(from *Position, liftedZ float64) []string {
	travel := gcode.FeedWord(b.s.profile.TravelMMS)
	x, y := b.seat(from)
	nearX, nearY := b.slowly(0, from.XMM, x), b.slowly(1, from.YMM, y)
	return []string{word("G0 Z", liftedZ) + word(" F", gcode.FeedWord(b.s.profile.LiftMMS)),
		word("G0 X", nearX) + word(" Y", nearY) + word(" F", travel),
		word("G0 X", x) + word(" Y", y) + word(" F", math.Min(travel, probeFast)), "M400"}
}

// slowly is where on the way of an axis to its seat the slow part begins.
func (b *prober) slowly(axis int, from, seat float64) float64 {
	way := b.way(axis)
	begin := seat - way*(slowMM-probeOffMM)
	switch {
	case (seat-from)*way <= 0: // it goes away from the switch, or not at all
		return seat
	case (from-begin)*way > 0: // it is there already
		return from
	}
	return begin
}

// askLimits is the stage that asks how far the firmware lets the head go, and so what G92 and M206 have laid over the axes.
func (b *prober) askLimits(tries int) stage {
	return func(now time.Time) []scriptLine {
		if b.begun.IsZero() {
			b.begun = now
		}
		if b.over() {
			return nil
		}
		if b.sw[0].LimitsMM == nil && b.sw[1].LimitsMM == nil {
			b.trustLines()
			return nil
		}
		b.s.hark = &hark{}
		b.s.ahead(func(time.Time) []scriptLine {
			h := b.s.hark
			b.s.hark = nil
			var told bool
			if h != nil {
				b.limits, told = h.limits()
			}
			switch {
			case told && b.shifted():
			case tries > 0:
				b.s.ahead(b.askLimits(tries - 1))
			case told:
				b.failed = "the machine's limits are others than when its switches were measured"
				b.s.switches = without(b.failed)
			default:
				b.failed = "the firmware does not tell its soft limits any more"
			}
			return nil
		})
		return lines("M211", "M114")
	}
}

// shifted finds out by how much the axes are called otherwise than when the switches were measured: as much as their limits are, both of them.
func (b *prober) shifted() bool {
	for axis := range b.shift {
		was := b.sw[axis].LimitsMM
		if was == nil {
			continue
		}
		low, high := b.limits.axis[axis][0]-was[0], b.limits.axis[axis][1]-was[1]
		if math.Abs(low-high) > 0.015 {
			return false
		}
		b.shift[axis] = low
		if by := b.s.modal.laid; !by.unsure[axis] && !by.settings && math.Abs(by.mm[axis]-low) < 0.011 {
			b.shift[axis] = by.mm[axis] // which is not rounded
		}
	}
	return true
}

// trustLines takes that from the lines that were sent, where the firmware tells no limits.
func (b *prober) trustLines() {
	by := &b.s.modal.laid
	if by.settings || by.unsure[0] || by.unsure[1] {
		b.failed = "the print has given its axes other names (G92, M206), and this firmware does not tell which"
		return
	}
	b.shift = [2]float64{by.mm[0], by.mm[1]}
}

// limitsOff is what lets the head go behind the switches.
func (b *prober) limitsOff() []string {
	if !b.limits.on && !b.s.limitsOff { // whoever has switched them off, it was not one that was cut short
		return nil
	}
	b.limited, b.s.limitsOff = true, true
	return []string{"M211 S0"}
}

// limitsOn is the stage that takes that back.
func (b *prober) limitsOn() stage {
	return func(time.Time) []scriptLine {
		if !b.limited {
			return nil
		}
		b.limited = false
		b.s.ahead(func(time.Time) []scriptLine { b.s.limitsOff = false; return nil })
		return lines("M211 S1")
	}
}

// undone is what a prober that was cut short has left to be done: by a fault, a lost port, Stop. A board keeps it until it loses its power.
func (s *session) undone() []string {
	if !s.limitsOff {
		return nil
	}
	s.limitsOff = false
	return []string{"M211 S1"}
}
