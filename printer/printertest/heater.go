package printertest

import (
	"math"
	"time"
)

// ambientC is the room, as the observed firmware reported it.
const ambientC = 21.25

// A heater is a lump of metal of first order: C·dT/dt = power·duty − loss·(T − ambient). Its control knows the loss and
// adds a proportional part, so between changes of the target the temperature has a closed form: flat out (or off) until
// the target is within the band, then an exponential approach. Nothing is stepped, and any moment can be asked for.
type heater struct {
	powerW float64
	lossWK float64 // W per K above the room
	heatJK float64 // J per K
	bandC  float64 // within it the duty is proportional
	maxC   float64 // highest target the firmware takes
	scale  float64 // how many times faster than real; 0 = at once

	targetC float64
	fromC   float64       // temperature at since
	since   time.Duration // when the target, or what is wrong, last changed
	broken  Broken
	readC   float64 // what a sensor says that is Frozen or Dead
	offs    int     // how often it was switched off
}

// Broken is what is wrong with a heater. No protection of the firmware's notices it: what that says and does is Kill.
type Broken uint8

const (
	Sound   Broken = iota
	Open           // no power reaches it: a broken cartridge or wire
	Shorted        // its transistor is shorted: full power, whatever the target
	Frozen         // its sensor has slipped out, and says what it said last
	Dead           // its sensor's wire is broken: it says deadC
)

var brokenNames = map[string]Broken{"sound": Sound, "open": Open, "shorted": Shorted, "frozen": Frozen, "dead": Dead}

// deadC is what Marlin reads of a thermistor that is not there (the last entry of its table 1 is 0 °C at most; newer tables go to -15).
const deadC = -15

// fail breaks it at now, or repairs it.
func (h *heater) fail(now time.Duration, b Broken) {
	reads := h.reading(now)
	h.set(now, h.targetC)
	h.broken, h.readC = b, reads
	if b == Dead {
		h.readC = deadC
	}
}

// reading is what its sensor says.
func (h *heater) reading(now time.Duration) float64 {
	if h.blind() {
		return h.readC
	}
	return h.at(now)
}

func (h *heater) blind() bool { return h.broken == Frozen || h.broken == Dead }

// full reports whether it gets all the power there is, whatever its temperature.
func (h *heater) full() bool {
	return h.broken == Shorted || h.blind() && h.targetC > h.readC && h.targetC > ambientC
}

// cold reports whether it gets no power.
func (h *heater) cold() bool {
	return h.targetC <= ambientC || h.broken == Open || h.blind()
}

// A 40 W cartridge in a small hot end: 21 → 200 °C in a little over a minute.
func hotend(scale float64) heater {
	return heater{powerW: 40, lossWK: 0.1, heatJK: 13, bandC: 6, maxC: 300, scale: scale, fromC: ambientC}
}

// A 220 W silicone mat under aluminium and glass: 21 → 60 °C in a little under two minutes.
func bed(scale float64) heater {
	return heater{powerW: 220, lossWK: 1.5, heatJK: 520, bandC: 4, maxC: 150, scale: scale, fromC: ambientC}
}

// set changes the target at now, clipped to what the firmware takes.
func (h *heater) set(now time.Duration, targetC float64) {
	h.fromC = h.at(now)
	h.since = now
	if targetC <= 0 && h.targetC > 0 {
		h.offs++
	}
	h.targetC = max(0, min(h.maxC, targetC))
}

// gain is the proportional part in W per K.
func (h *heater) gain() float64 { return h.powerW / h.bandC }

// hold is where the control settles: the target, or the room when it is off or below the room.
func (h *heater) hold() float64 { return max(h.targetC, ambientC) }

// phases splits the way from fromC to hold: first saturated for sat seconds towards end (with the time constant tau),
// then, from the temperature edge on, an approach to hold with the time constant near.
func (h *heater) phases() (sat, end, tau, edge, near float64) {
	tau = h.heatJK / h.lossWK
	near = h.heatJK / (h.lossWK + h.gain())
	hold := h.hold()
	steady := h.lossWK * (hold - ambientC) // W that holds the temperature
	edge = h.fromC
	switch {
	case h.full():
		return math.Inf(1), ambientC + h.powerW/h.lossWK, tau, edge, near
	case h.cold(): // it only cools
		return math.Inf(1), ambientC, tau, edge, near
	case h.fromC < hold-(h.powerW-steady)/h.gain(): // full power
		end, edge = ambientC+h.powerW/h.lossWK, hold-(h.powerW-steady)/h.gain()
	case h.fromC > hold+steady/h.gain(): // no power
		end, edge = ambientC, hold+steady/h.gain()
	default:
		return 0, hold, tau, edge, near
	}
	if (end-edge)*(end-h.fromC) <= 0 { // it never gets there
		return math.Inf(1), end, tau, edge, near
	}
	return tau * math.Log((end-h.fromC)/(end-edge)), end, tau, edge, near
}

// at is the temperature at now, in °C.
func (h *heater) at(now time.Duration) float64 {
	if h.scale <= 0 {
		if h.full() || h.cold() {
			_, end, _, _, _ := h.phases()
			return end
		}
		return h.hold()
	}
	if h.fromC == ambientC && h.cold() && !h.full() {
		return ambientC
	}
	t := (now - h.since).Seconds() * h.scale
	sat, end, tau, edge, near := h.phases()
	if t < sat {
		return end + (h.fromC-end)*math.Exp(-t/tau)
	}
	return h.hold() + (edge-h.hold())*math.Exp(-(t-sat)/near)
}

// duty is the power at now, 0 to 127 as Marlin reports it.
func (h *heater) duty(now time.Duration) int {
	if h.targetC <= 0 {
		return 0
	}
	w := h.lossWK*(h.hold()-ambientC) + h.gain()*(h.targetC-h.reading(now))
	return int(127 * max(0, min(1, w/h.powerW)))
}

// reaches is when the temperature comes within off of the target (of the room when the target is below that).
func (h *heater) reaches(off float64) time.Duration {
	if h.scale <= 0 {
		return h.since
	}
	hold := h.hold()
	if h.blind() {
		if math.Abs(h.readC-hold) <= off {
			return h.since
		}
		return never
	}
	if math.Abs(h.fromC-hold) <= off {
		return h.since
	}
	sat, end, tau, edge, near := h.phases()
	stop := hold - math.Copysign(off, hold-h.fromC)
	t := 0.0
	if math.Abs(edge-hold) <= off || math.IsInf(sat, 1) { // reached while saturated
		if (end-stop)*(end-h.fromC) <= 0 {
			return never
		}
		t = tau * math.Log((end-h.fromC)/(end-stop))
	} else {
		t = sat + near*math.Log((edge-hold)/(stop-hold))
	}
	return h.since + seconds(t/h.scale) + 1
}

// seconds makes a duration of s, at most a year, so that nothing overflows.
func seconds(s float64) time.Duration {
	const year = 365 * 24 * 3600.0
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, year) * float64(time.Second))
}
