package printer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// An open-loop machine does not know that its motors have lost steps; the switches that it homes to do. A check is a detour (detour.go) between two layers, or in one
// that takes long (checktime.go): the head goes to the switches of X and Y, and looks whether they close where they did (prober.go).
//
//	prepare: a new layer's line ─▶ its picture ─▶ checkHere ─▶ M211 ─▶ retract, lift, travel ─▶ prober ─▶ checked ─▶ back ─▶ a stop ─▶ the job's lines
//	                                                                              lost, and it is to pause ─▶ pauseAstray: lift, park, Paused

// ErrCheck is why the switches cannot be asked, now or at all, and ErrRehome why a print does not go on of which X and Y were homed anew; they are wrapped with the
// reason, for people.
var (
	ErrCheck  = errors.New("check against the endstops")
	ErrRehome = errors.New("X and Y were homed anew, and that did not end well")
)

// checks is how far a job has come with its checks.
type checks struct {
	layer     int           // the newest whose line was looked at, an index
	wanted    string        // why there is to be one at the next layer change; "" there is not
	again     int           // times that one which could not be made was tried again
	change    time.Duration // of the print's time: when that was
	ahead     time.Duration // so long before the machine is there a layer's first line is looked at: it still has moves to make
	last      time.Duration // … and when the newest check was
	newest    *EndstopCheck // replaced, never changed; nil before the first
	made      int
	took      time.Duration // all of them
	rehomed   *Rehome       // replaced, never changed
	witnessed int
}

const (
	sequentialMM = 2.0 // a layer so much below an earlier one is of another object
	maxAgain     = 5   // times that a check which could not be made is tried again
)

// Validate names the first value that makes no sense.
func (w Watch) Validate() error {
	switch {
	case w.Mode != "" && w.Mode != WatchOff && w.Mode != WatchTell && w.Mode != WatchPause:
		return fmt.Errorf("mode is %q, allowed are %q, %q and %q", w.Mode, WatchOff, WatchTell, WatchPause)
	case !(w.SharePercent >= 0 && w.SharePercent <= 100):
		return fmt.Errorf("share_percent is %g, allowed is 0 to 100", w.SharePercent)
	}
	return nil
}

// known are the switches as they can be used on this machine.
func (s *session) known() Switches {
	if m := s.machine(); s.switches.MadeMS > 0 && m != "" && s.switches.Machine != m {
		return without("they were measured on another machine, or with other firmware")
	}
	return s.switches
}

// machine names it by what it says of itself; "" when it has not.
func (s *session) machine() string {
	c := s.seen.conn
	if c.Firmware == "" {
		return ""
	}
	return strings.TrimSpace(s.d.name + " " + c.Machine)
}

// without is nothing known, for a reason.
func without(why string) Switches { return Switches{X: Switch{Why: why}, Y: Switch{Why: why}} }

// profileChanged forgets what was measured on a machine that is now said to be another.
func (s *session) profileChanged(before Profile) {
	p := s.profile
	if s.switches.MadeMS > 0 && (p.WidthMM != before.WidthMM || p.DepthMM != before.DepthMM || p.Origin != before.Origin || p.Bed != before.Bed ||
		p.Kinematics != before.Kinematics) {
		s.switches = without("the printer's profile was changed since they were measured")
	}
}

// cannotProbe says why the switches cannot be asked, for people; "" is no reason.
func (s *session) cannotProbe() string {
	sw := s.known()
	switch {
	case s.profile.Kinematics == "delta":
		return "a delta's switches do not say where X and Y are"
	case s.d.fatal:
		return "this firmware ends the print when the head goes behind a switch"
	case sw.MadeMS == 0 && sw.X.Why != "":
		return "the switches are to be measured again: " + sw.X.Why
	case sw.MadeMS == 0:
		return "the switches have not been measured yet"
	case !sw.X.Usable && !sw.Y.Usable:
		return sw.X.Why
	case !s.allHomed():
		return "the printer has not been homed on this connection"
	case s.modal.tool != 0 && !s.modal.oneNozzle:
		return "another tool than the first is in use"
	}
	return ""
}

// cannotCheck says why the job under way cannot be checked.
func (s *session) cannotCheck() string {
	if why := s.cannotProbe(); why != "" {
		return why
	}
	top := 0.0
	for _, l := range s.job.info.Survey.Layers {
		if l.ZMM > 0 && l.ZMM < top-sequentialMM {
			return "objects are printed one after the other, and some stand in the way"
		}
		top = math.Max(top, l.ZMM)
	}
	if s.state == Printing && !s.hot() {
		return "the nozzle is cold"
	}
	return ""
}

// checkHere begins a check before a line of the job, if one is wanted there, and reports whether it did.
func (s *session) checkHere(now time.Time, at jobPos) bool {
	ch := &s.run.checks
	if at.layer <= ch.layer {
		return at.inside && ch.layer >= 0 && s.checkInside(now, at.layer)
	}
	begun, why := ch.layer >= 0, ch.wanted
	if why == "" && s.checkIsDue(now, at.layer) {
		why = CheckDue
	}
	ch.layer, ch.change = at.layer, s.run.elapsed(now)
	if !begun || why == "" {
		return false
	}
	ch.wanted = ""
	return s.beginCheck(now, why)
}

// checkInside begins a check within a layer, where nobody sees it, if one was asked for or is late, and reports whether it did.
func (s *session) checkInside(now time.Time, layer int) bool {
	ch := &s.run.checks
	why := ch.wanted
	if why == "" || ch.again > 0 { // one that could not be made is tried again at the next layer, or when it is late once more
		if !s.isLate(now, layer) {
			return false
		}
		why = cmp.Or(why, CheckDue)
	}
	ch.wanted = ""
	return s.beginCheck(now, why)
}

// beginCheck begins a check, and reports whether it did.
func (s *session) beginCheck(now time.Time, why string) bool {
	ch := &s.run.checks
	if reason := s.cannotCheck(); reason != "" {
		s.noted(now, &EndstopCheck{Why: why, Verdict: CheckSkipped, Reason: reason})
		return false
	}
	b := s.newProber(func() bool { return s.state == Printing })
	s.setOut(now, true, func(p *place) []stage {
		leave := func(time.Time) []scriptLine {
			switch {
			case p.at == nil:
				b.failed = "nobody is sure where the print is"
			case b.over():
			case s.cannotCheck() != "": // the lines that were on their way have changed it
				b.failed = s.cannotCheck()
			case !s.leavesPrint(p):
				b.failed = "the head cannot leave the print"
			default:
				p.liftedZ = math.Max(p.liftedZ, math.Min(s.profile.LiftMM, s.profile.HeightMM)) // beside the print stand the clips that hold the plate
				return lines(append(append(s.pullBack(p), b.approach(p.at, p.liftedZ)...), b.limitsOff()...)...)
			}
			return nil
		}
		return slices.Concat([]stage{b.askLimits(3), leave}, b.checkBoth(), []stage{func(time.Time) []scriptLine {
			verdict, _ := b.verdict()
			// What the check itself may have done to the print it does not do in silence, whatever else is only told.
			s.run.detour.stays = s.state == Printing && (b.hit != [2]bool{} || verdict == CheckLost && s.job.info.Watch.Mode == WatchPause)
			return nil
		}})
	})
	s.run.detour.over = func(over time.Time) {
		ch.ahead = max(b.begun.Sub(now), 0)
		s.checkMade(over, why, b)
	}
	return true
}

// checkBoth looks at both switches, and ends where it began, with the soft limits as they were.
func (b *prober) checkBoth() []stage {
	return []stage{b.check(0), b.clear(0), b.check(1), b.clear(1), b.limitsOn()}
}

// checkMade is the end of a check, back at the print or to pause where it is.
func (s *session) checkMade(now time.Time, why string, b *prober) {
	took := now.Sub(b.begun)
	c := b.result(why, took)
	if c.Verdict == CheckRight && !b.measures { // else it says nothing of those to come
		if s.checkTook == 0 {
			s.checkTook = took
		}
		s.checkTook += (took - s.checkTook) * 3 / 10
	}
	s.noted(now, c)
	switch d := &s.run.detour; {
	case d.stays && s.state == Printing:
		s.run.checks.wanted = "" // people decide
		s.pauseAstray(now, d.place, c)
	case b.hit != [2]bool{} && s.state == Pausing: // in the midst of it
		s.paused.why = PauseInfo{By: "shift", Message: "The check that the pause has ended early may have driven the head against the frame, and it may stand elsewhere now.", Shift: c}
	}
}

// result is what a check has found, as people see it.
func (b *prober) result(why string, took time.Duration) *EndstopCheck {
	c := &EndstopCheck{TookS: math.Round(took.Seconds()*100) / 100, Why: why, X: b.found[0], Y: b.found[1]}
	c.Verdict, c.Reason = b.verdict()
	return c
}

// noted publishes a check of the job under way.
func (s *session) noted(now time.Time, c *EndstopCheck) {
	ch := &s.run.checks
	took := time.Duration(c.TookS * float64(time.Second))
	if c.Verdict != CheckSkipped {
		ch.made++
		s.health.tally.checked()
	}
	ch.took += took
	c.N, c.Layer, c.AtMS = ch.made, s.run.pos.layer+1, now.UnixMilli()
	if s.run.pos.layer >= ch.layer && c.Verdict != CheckLost { // it came within that layer, of which more is to come
		c.Layer--
	}
	ch.newest, ch.last = c, s.run.elapsed(now)
	ch.tryAgain(c)
	s.note("note", "check against the endstops: "+c.words())
}

// tryAgain has a check that could not be made, or is not sure, tried again at the next layer change, some times until one is: what was in its way may be gone then.
func (ch *checks) tryAgain(c *EndstopCheck) {
	switch {
	case c.Verdict == CheckRight, c.Verdict == CheckLost, c.Why == CheckRehomed:
		ch.again = 0
	case ch.again < maxAgain:
		if ch.again++; ch.wanted == "" {
			ch.wanted = c.Why
		}
	}
}

// words says what a check has found.
func (c *EndstopCheck) words() string {
	if c.Verdict != CheckLost {
		return strings.TrimSuffix(c.Verdict+", "+c.Reason, ", ")
	}
	var all []string
	for i, f := range []AxisFinding{c.X, c.Y} {
		if f.OffMM != 0 {
			text := fmt.Sprintf("the head stands %.2g mm further along %c than it should", f.OffMM, "XY"[i])
			if f.Steps != 0 {
				text += fmt.Sprintf(" (%d lost steps)", int(math.Abs(float64(f.Steps))))
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// pauseAstray pauses the print at the end of a check that has found the head astray: it does not go back over the print, but up and aside from where it is.
func (s *session) pauseAstray(now time.Time, p *place, c *EndstopCheck) {
	s.keepStart()
	p.why = PauseInfo{By: "shift", Message: c.words(), Shift: c}
	s.state, s.paused = Pausing, p
	p.liftedZ = math.Min(p.liftedZ+s.profile.LiftMM, math.Max(p.liftedZ, s.profile.HeightMM))
	x, y := s.profile.park(s.modal.tool)
	s.play(now, s.stands, append([]stage{s.first(), always(append(s.goTo(p.liftedZ, x, y), "M114")...)}, s.customOf(OnPaused)...)...)
}

// acceptLoss is Resume as it is, though the head is astray: from here on that is where it should be.
func (s *session) acceptLoss(p *place) {
	if p.why.By != "shift" && p.doubt == "" {
		return
	}
	for i, at := range s.met {
		if at != nil {
			s.base[i] = at
		}
	}
}

// SetWatch changes how the job under way ("" for any) is checked against the endstops, from the next layer on.
func (p *Printer) SetWatch(ctx context.Context, job string, w Watch) (uint64, error) {
	if err := w.Validate(); err != nil {
		return 0, fmt.Errorf("%w: watch: %w", ErrLimit, err)
	}
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error { o.job.info.Watch = w; return nil },
		Starting, Printing, Pausing, Paused, Resuming)
}

// CheckNow has the job under way ("" for any) checked against the endstops at the next layer change, or sooner where nobody sees it (gcode.Inside), whatever its Watch
// says of when. why is one of CheckSuspicion and so on. What is found is JobStatus.Check. The error is ErrCheck where it cannot be made, with the reason.
func (p *Printer) CheckNow(ctx context.Context, job, why string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error {
		if reason := o.cannotCheck(); reason != "" {
			return fmt.Errorf("%w: %s", ErrCheck, reason)
		}
		o.run.checks.wanted, o.run.checks.again = why, 0
		return nil
	}, Starting, Printing, Pausing, Paused, Resuming)
}

// PauseShift pauses the job ("" for the one under way) because another witness has seen the print shifted: PauseInfo.By is "shift". message is for people.
func (p *Printer) PauseShift(ctx context.Context, job, message string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, now time.Time) error {
		o.pauseFor(now, PauseInfo{By: "shift", Message: words(message)}, jobPos{})
		return nil
	}, Printing)
}
