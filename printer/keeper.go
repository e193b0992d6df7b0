package printer

import (
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"time"
)

// The keeper of heat: what is hot while nobody prints is switched off after a while, whoever made it hot, and whatever happened to the print.
// It speaks through the queue of typed lines, as a person would, and again until the firmware says that the target is 0.
//
//	tick ─▶ keep: a heater with a target, in a state that leaves it alone ─▶ since ─▶ … ─▶ typed: M104 S0, M140 S0

// Cooling is how long heat is left on, in minutes.
type Cooling struct {
	StandingNozzleMin float64 `json:"standing_nozzle_min"` // of a print that is paused, faulted or interrupted
	StandingBedMin    float64 `json:"standing_bed_min"`    // longer: a print comes off a cold bed. The chamber with it
	IdleMin           float64 `json:"idle_min"`            // without a print
}

// UsualCooling is what counts until a person says otherwise.
func UsualCooling() Cooling { return Cooling{StandingNozzleMin: 10, StandingBedMin: 120, IdleMin: 30} }

// Check names the first value that makes no sense.
func (c Cooling) Check() error {
	minutes := func(name string, v float64) error {
		if !(v >= 1 && v <= 24*60) {
			return fmt.Errorf("%s is %g, allowed is 1 to 1440", name, v)
		}
		return nil
	}
	return errors.Join(minutes("standing_nozzle_min", c.StandingNozzleMin), minutes("standing_bed_min", c.StandingBedMin), minutes("idle_min", c.IdleMin))
}

// Keeper is what the keeper of heat is about to do, and what it has done.
type Keeper struct {
	Heated         bool    `json:"heated"`           // something has a target
	Elsewhere      bool    `json:"elsewhere"`        // … that layerd has not set since it was connected
	NozzleOffMS    int64   `json:"nozzle_off_ms"`    // when the nozzles are switched off; 0 = not by the keeper
	BedOffMS       int64   `json:"bed_off_ms"`       // the same for bed and chamber
	NozzleCooledMS int64   `json:"nozzle_cooled_ms"` // when the keeper has switched them off; 0 = it has not, or it no longer matters
	BedCooledMS    int64   `json:"bed_cooled_ms"`
	Protection     string  `json:"protection"` // the firmware's own: "on", "off", "unknown"; "" while there is none
	Cooling        Cooling `json:"cooling"`    // the settings
}

// shiftedNozzle is how long the nozzle is left on at most in a pause because of a shift.
const shiftedNozzle = 5 * time.Minute

// keeper is the session's part of it.
type keeper struct {
	cooling     Cooling
	nozzle, bed burner
	forced      time.Time // when M112 was said because heat that burns did not go off
	reset       bool      // and the board reset after it
	wanted      bool      // a person has heated something since the last print
}

// burner is a group of heaters that is switched off together.
type burner struct {
	targetC float64   // the highest; to notice that it was changed
	saidC   float64   // another that was reported,
	saidAt  time.Time // then: a report has no checksum, so it counts when all say the same for sureAfter
	since   time.Time // left alone since; zero = it is off, or in use
	again   time.Time // when to say it again
	cooled  time.Time // when the keeper switched it off
}

// againAfter is how long the firmware may take to report that the target is 0.
const againAfter = 30 * time.Second

// leaves is how long heat is left on in this state; 0 = it is in use, or there is nobody to tell.
func (s *session) leaves() (nozzle, bed time.Duration) {
	minutes := func(v float64) time.Duration { return time.Duration(v * float64(time.Minute)) }
	c := s.keeper.cooling
	standing := func() (time.Duration, time.Duration) { return minutes(c.StandingNozzleMin), minutes(c.StandingBedMin) }
	switch s.state {
	case Paused:
		if s.occupied() { // it would be obeyed when the print goes on
			return 0, 0
		}
		nozzle, bed = standing()
		if s.paused.why.By == "shift" { // whoever is told of it has much to look at before they decide, and a print beside itself gains nothing by a hot nozzle
			nozzle = min(nozzle, shiftedNozzle)
		}
		return nozzle, bed
	case Faulted:
		switch {
		case !s.open:
			return 0, 0
		case s.fault.ofHeat():
			return 1, 1 // at once, and again
		}
		return standing()
	case Idle:
		if l := s.last; l != nil && !s.keeper.wanted && (l.Outcome == "interrupted" || l.Outcome == "failed") {
			return standing()
		}
		return minutes(c.IdleMin), minutes(c.IdleMin)
	}
	return 0, 0
}

// targets are the highest target of the nozzles, and that of bed and chamber. Firmware that reports none has what it was told, or is just being told.
func (s *session) targets() (nozzleC, bedC float64) {
	if !s.seen.targets {
		sent := s.sentTargets()
		return max(s.modal.hottestC(), sent.NozzleC), max(s.modal.bedC, s.modal.chamberC, sent.BedC, sent.ChamberC)
	}
	for _, h := range s.seen.nozzles {
		nozzleC = max(nozzleC, h.TargetC)
	}
	for _, h := range []*Heater{s.seen.bed, s.seen.chamber} {
		if h != nil {
			bedC = max(bedC, h.TargetC)
		}
	}
	return nozzleC, bedC
}

// keeps reports whether there is heat to follow. What was known of it before counts again when the port is back.
func (s *session) keeps() bool {
	return s.open && s.lost == nil && s.state != Connecting && !s.seen.tempsAt.IsZero()
}

// keep follows the heat, and switches off what is due.
func (s *session) keep(now time.Time) {
	if !s.keeps() {
		return
	}
	nozzleFor, bedFor := s.leaves()
	nozzleC, bedC := s.targets()
	k := &s.keeper
	if s.seen.targets {
		nozzleC, bedC = k.nozzle.sure(nozzleC, s.seen.tempsAt), k.bed.sure(bedC, s.seen.tempsAt)
	}
	if k.nozzle.due(now, nozzleFor, nozzleC) {
		s.switchOff(now, &k.nozzle, "the nozzle", s.nozzlesOff())
	}
	if k.bed.due(now, bedFor, bedC) {
		s.switchOff(now, &k.bed, "the bed", s.bedOff())
	}
}

// sureAfter is longer than two reports take.
const sureAfter = 2500 * time.Millisecond

// sure is the target that is believed.
func (b *burner) sure(targetC float64, reported time.Time) float64 {
	switch {
	case targetC == b.targetC:
		b.saidAt = time.Time{}
	case targetC != b.saidC || b.saidAt.IsZero():
		b.saidC, b.saidAt = targetC, reported
		return b.targetC
	case reported.Sub(b.saidAt) < sureAfter:
		return b.targetC
	}
	return targetC
}

// due follows a burner, and reports whether it is to be switched off now.
func (b *burner) due(now time.Time, after time.Duration, targetC float64) bool {
	switch {
	case after == 0: // in use
		*b = burner{targetC: targetC, saidC: b.saidC, saidAt: b.saidAt}
	case targetC <= 0:
		b.targetC, b.since = 0, time.Time{}
	case b.since.IsZero() || targetC != b.targetC:
		*b = burner{targetC: targetC, since: now}
	}
	return !b.since.IsZero() && !now.Before(b.at(after))
}

// at is when it is to be switched off, or told to again.
func (b *burner) at(after time.Duration) time.Time {
	if at := b.since.Add(after); at.After(b.again) {
		return at
	}
	return b.again
}

func (s *session) switchOff(now time.Time, b *burner, what string, lines []string) {
	b.again = now.Add(againAfter)
	heard := s.seen.targets || now.Sub(b.cooled) > againAfter*3/2 // where no target is reported, whether it was told is known when it has answered again
	if s.fault.ofHeat() && !b.cooled.IsZero() && heard {
		s.force(now)
		return
	}
	if s.state == Paused { // Resume brings back what was set in the pause
		s.paused.modal.heated(&s.modal, &s.paused.left)
	}
	if err := s.queue(lines...); err != nil {
		return // it is tried again
	}
	if b.cooled.IsZero() {
		b.cooled = now
		s.note("note", fmt.Sprintf("%s was left hot and is switched off", what))
	}
}

// force is for a firmware that was told to switch off and does not: it hangs in a wait, or the command was lost. There is one word left, and then the reset
// line, where it is wired.
func (s *session) force(now time.Time) {
	switch k := &s.keeper; {
	case k.forced.IsZero():
		k.forced = now
		s.orders.urgent = []byte("\nM112\n")
		s.note("out", "M112")
	case now.After(k.forced) && !k.reset:
		k.reset, s.orders.reset = true, true
		s.note("note", "the heat did not go off: the board is reset, where that is wired")
	}
}

// keepAt is when keep has something to do; zero when it has not.
func (s *session) keepAt() time.Time {
	if !s.keeps() {
		return time.Time{}
	}
	nozzleFor, bedFor := s.leaves()
	var at time.Time
	for _, one := range []struct {
		b     *burner
		after time.Duration
	}{{&s.keeper.nozzle, nozzleFor}, {&s.keeper.bed, bedFor}} {
		if one.after > 0 && !one.b.since.IsZero() {
			if t := one.b.at(one.after); at.IsZero() || t.Before(at) {
				at = t
			}
		}
	}
	return at
}

// askHeat asks after a fault what is still hot, where the firmware does not say so by itself: the keeper waits for it.
func (s *session) askHeat(now time.Time) []byte {
	if at := s.askHeatAt(); at.IsZero() || now.Before(at) {
		return nil
	}
	if len(s.aloft) > maxProbes {
		s.stream.reset(s.next - 1)
	}
	s.seen.tempsAsked = now
	return s.wrote(now, s.sendBare(now, m105, lanePoll, temps, jobPos{layer: -1}))
}

// askHeatAt is when; zero for never. Where no answer came it is seldom, so that the questions do not fill the buffer of a firmware that waits.
func (s *session) askHeatAt() time.Time {
	switch {
	case s.state != Faulted || !s.open || s.lost != nil || s.fault.Code == FaultFirmware || s.seen.autoTemps || s.seen.tempsAt.IsZero() || !s.hotNow() && !s.kept().Heated:
		return time.Time{}
	case len(s.bare) > 0:
		return s.seen.tempsAsked.Add(time.Minute)
	}
	return s.nextPoll()
}

// regardHeat takes in that the firmware has accepted a person's line: one that heats begins the time anew.
func (s *session) regardHeat(now time.Time, f *flight) {
	if f.lane != laneTyped {
		return
	}
	t, k := gcode.TargetsOf(f.text), &s.keeper
	if t.NozzleC > 0 {
		k.wanted = true
		k.nozzle.renew(now)
	}
	if t.BedC > 0 || t.ChamberC > 0 {
		k.wanted = true
		k.bed.renew(now)
	}
}

// renew begins the time anew, if it runs.
func (b *burner) renew(now time.Time) {
	if !b.since.IsZero() {
		*b = burner{targetC: b.targetC, since: now}
	}
}

// keepWarm begins the time anew.
func (s *session) keepWarm(now time.Time) error {
	k := &s.keeper
	if s.fault.ofHeat() || k.nozzle.since.IsZero() && k.bed.since.IsZero() {
		return fmt.Errorf("%w: nothing is about to be switched off", ErrWrongState)
	}
	k.nozzle.renew(now)
	k.bed.renew(now)
	return nil
}

// kept is what people see of it.
func (s *session) kept() Keeper {
	k := &s.keeper
	nozzleFor, bedFor := s.leaves()
	nozzleC, bedC := s.targets()
	out := Keeper{Heated: nozzleC > 0 || bedC > 0, NozzleCooledMS: unixMS(k.nozzle.cooled), BedCooledMS: unixMS(k.bed.cooled), Protection: s.protection(), Cooling: k.cooling}
	out.Elsewhere = s.state == Idle && (nozzleC > 0 && s.modal.hottestC() <= 0 || bedC > 0 && s.modal.bedC <= 0 && s.modal.chamberC <= 0)
	if nozzleC > 0 && !k.nozzle.since.IsZero() && k.nozzle.cooled.IsZero() {
		out.NozzleOffMS = unixMS(k.nozzle.since.Add(nozzleFor))
	}
	if bedC > 0 && !k.bed.since.IsZero() && k.bed.cooled.IsZero() {
		out.BedOffMS = unixMS(k.bed.since.Add(bedFor))
	}
	return out
}

// protection says whether the firmware watches its heaters by itself. (Marlin says so in M115; what others do: docs/FIRMWARE.md.)
func (s *session) protection() string {
	on, said := s.seen.conn.Capabilities["THERMAL_PROTECTION"]
	switch {
	case s.state == Disconnected || s.state == Connecting:
		return ""
	case said && on, !said && s.d.protects:
		return "on"
	case said:
		return "off"
	}
	return "unknown"
}

// KeepWarm lets what the keeper is about to switch off stay warm for its whole time again. It is an error when there is no such thing.
func (p *Printer) KeepWarm(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error { return o.keepWarm(now) })
}

// SetCooling replaces the times; what was left alone longer is switched off now.
func (p *Printer) SetCooling(ctx context.Context, c Cooling) (uint64, error) {
	if err := c.Check(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return p.ask(ctx, func(o *owner, _ time.Time) error { o.keeper.cooling = c; return nil })
}
