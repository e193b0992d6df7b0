package printer

import (
	"layerd/gcode"
	"math"
	"time"
)

// A script is what the session says of its own accord, in stages: a stage's lines are sent, and when the firmware has accepted
// all of them the next stage, which may depend on what was heard meanwhile, is asked for its lines.
type script struct {
	id    int
	lines []scriptLine // still to be sent
	open  int          // sent and not landed
	then  []stage
	end   func(now time.Time)
}

type scriptLine struct {
	text   string
	needs  evidence
	custom bool // of a script that a person wrote
}

type stage func(now time.Time) []scriptLine

// lines makes script lines of plain commands.
func lines(texts ...string) []scriptLine {
	out := make([]scriptLine, 0, len(texts))
	for _, t := range texts {
		out = append(out, scriptLine{text: t, needs: needsOf([]byte(t))})
	}
	return out
}

// always is a stage whose lines do not depend on anything.
func always(texts ...string) stage { return func(time.Time) []scriptLine { return lines(texts...) } }

// first is the stage for what was typed before the script: it was meant for the state of before, and some of it are halves of a whole.
func (s *session) first() stage {
	return func(time.Time) []scriptLine {
		out := make([]scriptLine, 0, len(s.typed))
		for _, t := range s.typed {
			out = append(out, scriptLine{text: string(t), needs: needsOf(t)})
		}
		s.typed = nil
		return out
	}
}

// play begins a script in place of the one under way, whose lines in flight then belong to nobody.
func (s *session) play(now time.Time, end func(time.Time), stages ...stage) {
	s.scripts++
	s.script = &script{id: s.scripts, then: stages, end: end}
	s.proceed(now)
}

// proceed moves the script on as far as it goes without the firmware.
func (s *session) proceed(now time.Time) {
	for s.script != nil && s.script.open == 0 && len(s.script.lines) == 0 && !s.standing() {
		if len(s.script.then) == 0 {
			end := s.script.end
			s.script = nil
			end(now)
			continue
		}
		next := s.script.then[0]
		s.script.then = s.script.then[1:]
		s.script.lines = next(now)
	}
}

// stop is the stage that ends with the machine still. What was known of its position is forgotten.
func (s *session) stop() stage {
	return func(time.Time) []scriptLine {
		s.seen.position, s.seen.jogTo = nil, nil
		return lines("M400")
	}
}

// settle is the stage that asks where the head is, if that is not known yet, or is not where its lines lead to: a report has no checksum. The answer also accounts
// for all oks before it.
func (s *session) settle() stage {
	return func(time.Time) []scriptLine {
		if s.seen.position != nil && s.modal.head.at(s.seen.position) {
			return nil
		}
		return lines("M114")
	}
}

// place is where a pause found the print, and how.
type place struct {
	modal   modal
	left    modal     // when it stood still: what its script has set
	at      *Position // nil when the firmware did not say
	meant   *head     // where the print should be, if that is not where the pause found the head; nil when it is
	astray  bool      // and it is not
	parked  bool      // the head was moved away
	liftedZ float64   // mm
	pulled  float64   // mm of filament retracted

	why     PauseInfo
	from    jobPos        // line of the file that asked for it, if one did
	held    bool          // the pause is the firmware's own: nothing above is known
	said    bool          // … and it said that it has paused
	waits   bool          // … and that it waits for a person
	unknown bool          // it does not know M600
	before  *beforeHoming // what the first homing of X and Y in it had to bring back
	unfit   string        // that could not be brought back, because; "" it was
	doubt   string        // the newest homing of X and Y in it did not end well, because; "" it did, or there was none
	next    *place        // another pause that was asked for before this one was over
}

// park is the stage that moves the head away from the print. It needs homing answered on this connection: without it nobody
// knows where the head is. The retraction needs a hot nozzle.
func (s *session) park(p *place) stage {
	return func(time.Time) []scriptLine {
		if r := s.profile.RetractMM; r > 0 && s.hot() {
			p.pulled = r
		}
		if p.at = s.seen.position; p.at != nil && s.allHomed() {
			p.parked = true
			p.liftedZ = math.Min(p.at.ZMM+s.profile.LiftMM, math.Max(p.at.ZMM, s.profile.HeightMM))
		}
		if p.at != nil && p.meant != nil && !p.meant.at(p.at) {
			p.at, p.astray = p.meant.place(p.at), true
		}
		return lines(append(s.aside(p), "M400", "M114")...)
	}
}

// pullBack sets the modes for what follows, and pulls filament back as far as p says.
func (s *session) pullBack(p *place) []string {
	var out []string
	if p.modal.inches {
		out = append(out, "G21")
	}
	out = append(out, "G90", "M83")
	if p.pulled > 0 {
		out = append(out, word("G1 E", -p.pulled)+word(" F", s.pullFeed()))
	}
	return out
}

// aside is that, and moves the head to where it parks.
func (s *session) aside(p *place) []string {
	out := s.pullBack(p)
	if p.parked {
		parkX, parkY := s.profile.park(s.modal.tool)
		out = append(out, word("G0 Z", p.liftedZ)+word(" F", gcode.FeedWord(s.profile.LiftMMS)),
			word("G0 X", parkX)+word(" Y", parkY)+word(" F", gcode.FeedWord(s.profile.TravelMMS)))
	}
	return out
}

// pullFeed is the F word of a retraction: it moves no molten filament, so it is faster than extruding.
func (s *session) pullFeed() float64 { return gcode.FeedWord(s.profile.ExtrudeMMS * 5) }

// hot reports whether filament can be moved: the tool in use is known to be above the profile's limit.
func (s *session) hot() bool {
	t := s.modal.heater(s.modal.tool)
	return t < len(s.seen.nozzles) && s.seen.nozzles[t].ActualC >= s.profile.MinExtrudeC
}

// word appends a number to a piece of G-code.
func word(prefix string, v float64) string { return string(gcode.AppendNumber([]byte(prefix), v, 3)) }

// exactly is word for where the print is: a file may have more decimals than a machine has steps, and is to find itself where it was all the same.
func exactly(prefix string, v float64) string {
	return string(gcode.AppendNumber([]byte(prefix), v, 6))
}

// heatersOff lists what turns everything off that can be hot.
func (s *session) heatersOff() []string { return append(s.nozzlesOff(), s.bedOff()...) }

// nozzlesOff: where tools share a nozzle, Marlin keeps a target with a T word for a tool that is not in use (SINGLENOZZLE_STANDBY_TEMP, M104_M109.cpp), and the
// heater stays on: so the word is left out.
func (s *session) nozzlesOff() []string {
	var out []string
	nozzles := max(s.profile.heaters(), len(s.seen.nozzles))
	if nozzles == 1 || s.modal.oneNozzle {
		out = append(out, "M104 S0")
	}
	if nozzles > 1 {
		for t := range nozzles {
			out = append(out, word("M104 T", float64(t))+" S0")
		}
	}
	return out
}

// bedOff turns the bed off, and the chamber.
func (s *session) bedOff() []string {
	var out []string
	if s.profile.HeatedBed || s.seen.bed != nil {
		out = append(out, "M140 S0")
	}
	if s.profile.HeatedChamber || s.seen.chamber != nil {
		out = append(out, "M141 S0")
	}
	return out
}
