package printer

import (
	"fmt"
	"layerd/gcode"
	"math"
	"slices"
	"time"
)

// The watch over heat. Firmware protects itself better than any host can: it sees each reading, and holds the switch. But some was built
// without, and then nobody else looks. So the limits here are wider than Marlin's (Configuration_adv.h: a hot end that falls 4 °C for 40 s, or does
// not rise 2 °C in 20 s; a bed 2 °C for 20 s, 2 °C in 60 s), and speak only where such protection has not.
//
//	a report ─▶ regardTemps ─▶ watchTemps ─▶ warmth.look ─▶ burning: heaters off ahead of everything, and a named fault
//	no report ─▶ watchDue (a tick)  ───────────────┘

// warmth is what is known of one heater over time. A report has no checksum, and on a bad cable 21.2 may become 212: what counts is the one in the middle of
// the last five readings, and a target that two reports say.
type warmth struct {
	fresh   bool      // the report that is being looked at speaks of it; Prusa's M109 leaves the bed out
	bare    bool      // … without its target, as old firmware does while it waits for heat (Marlin 1.0: "T:180.2 E:0 W:?")
	at      time.Time // of the last report
	last    [5]float64
	heard   int
	saidC   float64 // the target of the last report
	known   bool
	targetC float64
	lowC    float64   // lowest since the target changed
	there   bool      // it has been at its target
	rose    time.Time // when it had last risen by what may be expected
	roseC   float64   // and to what
	fell    time.Time // since then it is below its target by too much; zero = it is not
	odd     int       // readings in a row that no sensor gives
}

// kindOfHeat is what may be expected of one kind of heater.
type kindOfHeat struct {
	name     string
	overC    float64       // above the target, or above the lowest since that was set: overshoot of a well-meant control stays below
	floorC   float64       // below it nothing burns; heat of others (a bed below a nozzle, a heated chamber) comes up to there
	dropC    float64       // below a target that was reached,
	dropFor  time.Duration // for so long
	riseC    float64       // that a heater with power gains at least
	riseIn   time.Duration
	tooHighC float64 // no heater of this kind gets there
}

var (
	nozzleHeat = kindOfHeat{name: "nozzle", overC: 30, floorC: 80, dropC: 15, dropFor: time.Minute, riseC: 2, riseIn: 90 * time.Second, tooHighC: 550}
	bedHeat    = kindOfHeat{name: "bed", overC: 20, floorC: 75, dropC: 8, dropFor: 3 * time.Minute, riseC: 1, riseIn: 5 * time.Minute, tooHighC: 300}
)

const (
	absentC    = -5.0 // what a sensor says that is not there (Marlin's tables end at 0 or -15 °C); a printer in the frost is no place to print
	oddInARow  = 3
	blindAfter = 30 * time.Second // without a report while something is hot
	hotC       = 50.0             // from here on something is hot
	// forgetAfter is when a report is too old to compare with: nobody has watched meanwhile.
	forgetAfter = time.Minute
)

// look takes a reading in, and says what is wrong: a code, and a sentence's end. "" is nothing. Its target may be as high as highC, and while it rests
// it may have any temperature below.
func (w *warmth) look(now time.Time, h Heater, highC float64, rests bool, k *kindOfHeat) (FaultCode, string) {
	if now.Sub(w.at) > forgetAfter {
		*w = warmth{}
	}
	w.at = now
	c := h.ActualC
	if math.IsNaN(c) || c < absentC || c > k.tooHighC {
		if w.odd++; w.odd >= oddInARow && h.TargetC > 0 {
			return FaultSensor, fmt.Sprintf("its sensor says %.0f °C", c)
		}
		return "", ""
	}
	w.odd = 0
	w.last[w.heard%len(w.last)] = c
	w.heard++
	twice := w.saidC == h.TargetC
	w.saidC = h.TargetC
	if w.heard < len(w.last) {
		return "", ""
	}
	c = middle(w.last)
	if !w.known || twice && w.targetC != h.TargetC {
		*w = warmth{at: now, last: w.last, heard: w.heard, bare: w.bare, saidC: w.saidC, known: true, targetC: h.TargetC, lowC: c, rose: now, roseC: c}
	}
	w.lowC = min(w.lowC, c)
	if limit := max(w.targetC, highC, w.lowC, k.floorC) + k.overC; c > limit {
		return FaultRunaway, fmt.Sprintf("it has %.0f °C, and should have %.0f °C", c, w.targetC)
	}
	if w.targetC < hotC || rests {
		w.there, w.rose, w.roseC, w.fell = false, now, c, time.Time{}
		return "", ""
	}
	w.there = w.there || c > w.targetC-k.dropC/2
	if w.there {
		return w.fallen(now, c, k)
	}
	switch {
	case c >= w.roseC+k.riseC:
		w.rose, w.roseC = now, c
	case now.Sub(w.rose) > k.riseIn:
		return FaultHeating, fmt.Sprintf("for %.0f s it has stood at %.0f °C on the way to %.0f °C", now.Sub(w.rose).Seconds(), c, w.targetC)
	}
	return "", ""
}

// middle is the one with as many below it as above.
func middle(v [5]float64) float64 {
	slices.Sort(v[:])
	return v[len(v)/2]
}

// fallen looks at one that was at its target.
func (w *warmth) fallen(now time.Time, c float64, k *kindOfHeat) (FaultCode, string) {
	switch {
	case c > w.targetC-k.dropC:
		w.fell = time.Time{}
	case w.fell.IsZero():
		w.fell = now
	case now.Sub(w.fell) > k.dropFor:
		return FaultCooling, fmt.Sprintf("it has fallen to %.0f °C, and should have %.0f °C", c, w.targetC)
	}
	return "", ""
}

// watch is the warmth of all heaters, and when the next look is due by time alone.
type watch struct {
	nozzles [maxTools]warmth
	bed     warmth
	dumb    time.Time // since then questions for temperatures are answered without them; zero = they are not
	looked  time.Time // the last tick
	beats   bool      // and a next one was wanted soon
	stood   time.Time // when layerd itself had stood still
}

// watchTemps looks at what was just reported.
func (s *session) watchTemps(now time.Time) {
	if !s.watches() || s.autotunes() {
		return
	}
	sent, rests := s.sentTargets(), s.rests()
	for i := range min(len(s.seen.nozzles), maxTools) {
		w := &s.watch.nozzles[i]
		if !w.fresh {
			continue
		}
		w.fresh = false
		h, highC := s.aim(w, s.seen.nozzles[i], s.modal.nozzleC[i], sent.NozzleC)
		if code, how := w.look(now, h, highC, rests, &nozzleHeat); code != "" {
			s.burning(now, code, s.nameOf(i), how)
			return
		}
	}
	if w := &s.watch.bed; s.seen.bed != nil && w.fresh {
		w.fresh = false
		h, highC := s.aim(w, *s.seen.bed, s.modal.bedC, sent.BedC)
		if code, how := w.look(now, h, highC, rests, &bedHeat); code != "" {
			s.burning(now, code, "bed", how)
		}
	}
}

// aim completes a reading by the target that it is measured by, and the highest that it may have. Where the report says none, that is what a line in flight
// sets, or else what both the last report that had one and the lines before agree in.
func (s *session) aim(w *warmth, h Heater, toldC, sentC float64) (Heater, float64) {
	switch reported := h.TargetC; {
	case !s.seen.targets:
		h.TargetC = max(toldC, sentC)
		return h, h.TargetC
	case !w.bare:
		return h, reported
	case sentC > 0:
		h.TargetC = sentC
		return h, max(reported, toldC, sentC)
	default:
		h.TargetC = min(reported, toldC)
		return h, max(reported, toldC)
	}
}

// rests reports whether the firmware may have let its heaters cool while their targets stay (Marlin: PAUSE_PARK_NOZZLE_TIMEOUT of M600).
func (s *session) rests() bool { return s.forPerson() || s.card.run != nil && s.card.run.paused }

// sentTargets are the highest targets in the lines in flight: a firmware that reports none may be obeying them already.
func (s *session) sentTargets() (t gcode.Targets) {
	for i := range s.aloft {
		one := gcode.TargetsOf(s.stream.at(i).text)
		t.NozzleC, t.BedC, t.ChamberC = max(t.NozzleC, one.NozzleC), max(t.BedC, one.BedC), max(t.ChamberC, one.ChamberC)
	}
	return t
}

func (s *session) nameOf(tool int) string {
	if len(s.seen.nozzles) > 1 {
		return fmt.Sprintf("nozzle %d", tool)
	}
	return "nozzle"
}

// watches reports whether somebody is there whose heat can be watched. After a fault it still can, as far as reports come by themselves.
func (s *session) watches() bool {
	switch s.state {
	case Disconnected, Connecting, Halting, Halted:
		return false
	case Faulted:
		return s.lost == nil && !s.fault.ofHeat() && s.fault.Code != FaultFirmware
	}
	return true
}

// autotunes reports whether the firmware finds its control's constants out (M303), which swings on purpose.
func (s *session) autotunes() bool {
	for i := range s.aloft {
		if gcode.ParseCommand(s.stream.at(i).text).Is('M', 303) {
			return true
		}
	}
	return false
}

// hotNow reports whether something is hot, or is to be.
func (s *session) hotNow() bool {
	hot := func(h *Heater) bool { return h != nil && (h.ActualC >= hotC || h.TargetC > 0) }
	for i := range s.seen.nozzles {
		if hot(&s.seen.nozzles[i]) {
			return true
		}
	}
	return hot(s.seen.bed) || hot(s.seen.chamber)
}

// blindAt is when a report is overdue; zero while none is. A firmware that reports by itself does so whatever it is at (Marlin's idle()). One that must be
// asked answers in its turn, which may take long; when it does not answer at all it is silent, which is another fault.
func (s *session) blindAt() time.Time {
	if !s.watches() || s.state == Faulted || s.seen.tempsAt.IsZero() || !s.hotNow() || s.forPerson() {
		return time.Time{}
	}
	if s.seen.autoTemps {
		from := s.seen.tempsAt
		if s.watch.stood.After(from) {
			from = s.watch.stood
		}
		if s.lastByte.Before(from.Add(blindAfter / 2)) {
			return time.Time{} // not a word: patience has a name for that
		}
		return from.Add(blindAfter)
	}
	if s.watch.dumb.IsZero() {
		return time.Time{}
	}
	return s.watch.dumb.Add(blindAfter)
}

// regardAsked takes in that a question for temperatures, or a command about their report, was accepted.
func (s *session) regardAsked(now time.Time, f *flight) {
	if f.needs == temps && s.seen.tempsAt.Before(f.sent) && s.watch.dumb.IsZero() {
		s.watch.dumb = now
	}
	if len(f.text) < 4 || f.text[0] == 'G' { // nearly all
		return
	}
	if c := gcode.ParseCommand(f.text); c.Is('M', 155) {
		every, _ := c.Float('S')
		s.seen.autoTemps = every > 0 && every <= 10 // in s; a report that is rarer is as good as none
	}
}

// standsAfter is how much later than it wanted to be woken layerd must be to have stood still itself: its process was stopped, or the Pi had no
// time for it.
const standsAfter = time.Minute

// watchDue is what the watch does by time alone.
func (s *session) watchDue(now time.Time) {
	w := &s.watch
	stood, beats := now.Sub(w.looked), w.beats
	w.looked, w.beats = now, s.owed() || s.state == Printing
	if beats && stood > standsAfter { // what has come meanwhile is still to be read
		s.patience.heard(now)
		s.patience.progress(now)
		w.stood = now
		if s.state == Printing && s.hotNow() {
			s.stoodStill(now, stood)
		}
		return
	}
	switch at := s.blindAt(); {
	case at.IsZero() || now.Before(at):
	case s.patience.noise > 3:
		s.silenced(now)
	default:
		s.burning(now, FaultNoTemps, "", fmt.Sprintf("no temperature was reported for %.0f s", now.Sub(at.Add(-blindAfter)).Seconds()))
	}
}

// watchAt is when watchDue is to look again: often enough to know by its absence that layerd stood still.
func (s *session) watchAt() time.Time {
	at := s.blindAt()
	if beat := s.watch.looked.Add(standsAfter / 4); s.watch.beats && (at.IsZero() || beat.Before(at)) {
		at = beat
	}
	return at
}

// stoodStill pauses a print whose nozzle has stood on it all the time.
func (s *session) stoodStill(now time.Time, stood time.Duration) {
	s.suspendHere(now, &Fault{Code: FaultHostHung, Message: fmt.Sprintf("layerd itself stood still for %.0f s in mid-print, and the nozzle with it.", stood.Seconds()),
		Next: "Look at the print. Resume goes on. See what keeps the Pi so busy: its memory card, its memory, or its power supply."})
}

// burning turns everything off that can be hot, ahead of everything, and ends what is under way.
func (s *session) burning(now time.Time, code FaultCode, what, how string) {
	message := "Of the printer's heat nothing is known: " + how + "."
	if what != "" {
		message = fmt.Sprintf("Something is wrong with the heat of the %s: %s.", what, how)
	}
	next := "The heaters were told to switch off. Look at the printer: a heater, its sensor or a wire may be loose. Do not leave it alone before you have found out."
	if code == FaultRunaway {
		next = "Switch the printer off at its power switch, now: a heater may stay on although it was told to switch off."
	}
	s.fail(now, &Fault{Code: code, Message: message, Next: next})
	s.coolNow()
	s.note("out", "heaters off")
	nozzleC, bedC := s.targets()
	s.keeper.forced, s.keeper.reset = time.Time{}, false
	said := burner{since: now, again: now.Add(againAfter), cooled: now}
	s.keeper.nozzle, s.keeper.bed = said, said
	s.keeper.nozzle.targetC, s.keeper.bed.targetC = nozzleC, bedC
}
