package printer

import (
	"layerd/gcode"
	"time"
)

// patience is how long to wait for an answer. Two things can be lost: an ok (found out by asking), and the printer (a fault).
type patience struct {
	lastByte  time.Time // any line from the firmware
	lastStep  time.Time // the oldest line in flight became that, or the firmware said that it is busy
	nextProbe time.Time // zero when nothing is in flight
	probed    int       // questions since lastStep
	noise     int       // unreadable lines since lastStep
	busyHeard bool      // this firmware says when it is busy
}

const (
	probeAfter  = 5 * time.Second     // without ok and without busy; the next questions after twice as long each
	deafAfter   = 30 * time.Second    // not a byte from a firmware that says busy every 2 s
	silentAfter = 60 * time.Second    // not a byte from another
	stuckAfter  = 90 * time.Second    // it talks, but answers no question
	longAfter   = 20 * time.Minute    // a command that may take its time, from a firmware that never says busy
	personAfter = 30 * 24 * time.Hour // the same, where it waits for a person
)

func (p *patience) heard(now time.Time) { p.lastByte = now }

// progress notes that the firmware is at work on what it was sent.
func (p *patience) progress(now time.Time) {
	p.lastStep, p.nextProbe, p.probed, p.noise = now, now.Add(probeAfter), 0, 0
}

func (p *patience) wrote(now time.Time, aloft int) {
	if aloft == 1 { // the first after a rest
		p.progress(now)
		if p.lastByte.Before(now.Add(-probeAfter)) {
			p.lastByte = now // silence before we spoke means nothing
		}
	}
}

// owed reports whether the firmware owes an answer.
func (s *session) owed() bool {
	return len(s.aloft) > 0 && !s.hello.waiting && s.state != Faulted && !s.orders.close
}

// due returns a question when an answer is overdue, or nothing.
func (s *session) due(now time.Time) []byte {
	if !s.owed() || now.Before(s.nextProbe) {
		return nil
	}
	if s.forPerson() && !s.busyHeard { // questions would only fill its buffer
		s.nextProbe = now.Add(probeAfter)
		return nil
	}
	s.probed++
	s.nextProbe = now.Add(probeAfter << min(s.probed, 6))
	b := s.probe(now)
	if b != nil {
		s.note("note", "no answer for a while: asking whether an ok was lost")
	}
	return b
}

// limit is how long not a single byte is normal while lines are in flight.
func (s *session) limit() time.Duration {
	if s.busyHeard {
		return deafAfter
	}
	if s.forPerson() {
		return personAfter
	}
	if s.onCard() { // what it reads from its card may be long as well
		return longAfter
	}
	for i := range s.aloft {
		if s.stream.at(i).long {
			return longAfter
		}
	}
	return silentAfter
}

// lostAt is when patience ends.
func (s *session) lostAt() time.Time {
	limit := s.limit()
	deaf, stuck := s.lastByte.Add(limit), s.lastStep.Add(max(stuckAfter, limit))
	if deaf.Before(stuck) {
		return deaf
	}
	return stuck
}

func (s *session) silenced(now time.Time) {
	if s.job == nil {
		s.state = Connecting // nothing is spoiled: try again from the beginning
	}
	f := &Fault{Code: FaultSilent, Message: "The printer no longer answers.",
		Next: "Look at the printer. If it hangs, switch it off and on; then connect again.", Said: s.seen.lastError}
	if s.patience.noise > 3 {
		f.Code, f.Message, f.Next = FaultGarbled, "What the printer says cannot be read any more.", "Check the USB cable, then connect again."
	}
	hot := s.hotNow()
	s.fail(now, f)
	if hot {
		s.coolNow() // it may hear, though it says nothing
	}
}

// takesLong reports whether a command may run for minutes before its ok, or (M118) may make the firmware ask for a pause: nothing goes behind it.
func takesLong(text []byte) bool {
	c := gcode.ParseCommand(text)
	switch c.Letter {
	case 'G':
		switch c.Number {
		case 4, 28, 29, 30, 32, 33, 34, 76, 80, 425:
			return true
		}
	case 'M':
		switch c.Number {
		case 0, 1, 48, 109, 116, 118, 190, 191, 226, 303, 400, 600, 701, 702:
			return true
		}
	case 'T', 0: // a tool change, a macro
		return true
	}
	return false
}

// waitsForHeat reports whether the firmware is at a command that ends when a temperature is reached.
func (s *session) waitsForHeat() bool {
	if len(s.aloft) == 0 {
		return false
	}
	c := gcode.ParseCommand(s.stream.at(0).text)
	return c.Is('M', 109) || c.Is('M', 190) || c.Is('M', 191) || c.Is('M', 116)
}

// waits reports whether the firmware is at a command that M108 ends: it heats, or waits for a person.
func (s *session) waits() bool {
	for i := range s.aloft {
		switch c := gcode.ParseCommand(s.stream.at(i).text); {
		case c.Letter != 'M':
		case c.Number == 0, c.Number == 1, c.Number == 109, c.Number == 116, c.Number == 190, c.Number == 191, c.Number == 303, c.Number == 600:
			return true
		}
	}
	return false
}

// maxLetGo bounds the lines in flight when the newest of them end a wait: each wait has its own, none is answered before the command that
// waits, and all must fit into the firmware's receive buffer (128 bytes in Marlin).
const maxLetGo = 12

// letsGo reports whether a command ends a wait, and so must not wait itself for that to be answered.
func letsGo(text []byte) bool {
	c := gcode.ParseCommand(text)
	return c.Is('M', 108) || c.Is('M', 876)
}

// tempsEvery is how often temperatures are asked for, where the firmware does not report them by itself.
const tempsEvery = 2 * time.Second

// pollDue reports whether it is time to ask for temperatures, or for something that is answered.
func (s *session) pollDue(now time.Time) bool {
	return s.polls() && (s.seen.unsure || !now.Before(s.nextPoll()))
}

func (s *session) polls() bool {
	switch s.state {
	case Idle, Printing, Paused, Starting, Pausing, Finishing, fromCard:
		return true
	}
	return false
}

func (s *session) nextPoll() time.Time {
	newest := s.seen.tempsAt
	if s.seen.tempsAsked.After(newest) {
		newest = s.seen.tempsAsked
	}
	if s.seen.autoTemps {
		return newest.Add(5 * tempsEvery) // the report was switched off, or is lost
	}
	return newest.Add(tempsEvery)
}

// deadline is when the session wants to be asked again if nothing happens before; zero for never. What only the writing of a line can do
// does not count while the writer has one.
func (s *session) deadline(writing bool) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(s.watchAt())
	sooner(s.keepAt())
	sooner(s.run.shots.until)
	switch {
	case s.state == Disconnected || s.state == Halted || s.orders.close:
	case s.state == Halting:
		if !s.halt.Unconfirmed {
			sooner(time.UnixMilli(s.halt.AskedMS).Add(haltPatience))
		}
	case s.lost != nil:
		if s.open && !writing {
			sooner(s.lost.next)
		}
		if s.open {
			sooner(s.lost.until)
		}
	case s.hello.waiting:
		if !writing {
			sooner(s.hello.again)
		}
		if len(s.hello.bauds) > 1 {
			sooner(s.hello.until)
		}
		sooner(s.hello.end())
	case s.owed():
		if !writing {
			sooner(s.nextProbe)
			sooner(s.wire.until)
		}
		sooner(s.doubt)
		sooner(s.early)
		sooner(s.lostAt())
	case s.state == Faulted:
		if !writing {
			sooner(s.askHeatAt())
		}
	case s.polls() && !writing:
		sooner(s.nextPoll())
		sooner(s.cardAt())
	}
	return next
}

// tick does what is due by time alone; write does what is due by writing.
func (s *session) tick(now time.Time) {
	s.greeted(now)
	s.dropQuery()
	s.watchDue(now)
	s.keep(now)
	s.shotDue(now)
	switch {
	case s.lost != nil:
		s.recallDue(now)
	case s.state == Halting:
		s.haltDue(now)
	case s.owed() && !now.Before(s.lostAt()):
		s.silenced(now)
	case s.decide(now):
		s.nextProbe = now
	}
}
