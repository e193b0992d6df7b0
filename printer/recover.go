package printer

import (
	"fmt"
	"layerd/gcode"
	"math"
	"time"
)

// A print whose USB connection was lost is not over: the board has its own power, and goes on with what it has. When the port is back
// (by its USB identity, dial.go), nothing is said that would change anything, and the firmware is asked how far it came:
//
//	closed → lost → opened → recall: an empty line, then a line whose number cannot be right → "Last Line: K" → M105
//	       → K and the temperatures are what they should be: on at line K+1, by itself or at a tap (found)
//	       → it has restarted: nothing moves, and the print is kept as interrupted (gone)
type lost struct {
	was   *session // as it was when the port went
	since time.Time
	fault *Fault

	lastN  int64     // the firmware's last good line; -1 until it has said
	warmth bool      // the temperatures are asked for
	next   time.Time // when to ask, again
	until  time.Time // when to give up asking
}

const (
	recallEvery = time.Second
	recallFor   = 20 * time.Second // a board that restarts when its port is opened says so within that time
	recallAhead = 100000           // how far off the number is that cannot be right
	warmWithinC = 5.0
)

// lose keeps the print of a port that is gone. It reports false when the print cannot be taken up again: its firmware does not count lines,
// or a procedure was under way, of which nobody knows how much was done.
func (s *session) lose(now time.Time, f *Fault) bool {
	if s.job == nil || f == nil || f.Code != FaultPortLost || !s.d.numbered || s.script != nil && !s.detouring() && !s.rehoming() || s.state != Printing && s.state != Paused {
		return false
	}
	f.AtMS, f.JobID = now.UnixMilli(), s.job.info.ID
	f.Next = "Plug the cable in again. If the printer kept its power, the print goes on."
	s.note("note", f.Error())
	s.run.shots.endStand()
	was := *s
	was.run.stop(now)
	was.query = nil // it is told that no answer can come
	if s.rehoming() {
		was.rehomeLost(now)
	}
	s.lost = &lost{was: &was, since: now, fault: f, lastN: -1}
	s.dropDetour() // which goes on with the print
	s.job, s.script, s.typed, s.paused, s.startLeft = nil, nil, nil, nil, nil
	s.state, s.fault = Faulted, f
	return true
}

// reopened begins to ask. Anything may be in the firmware's line buffer, so an empty line comes first.
func (s *session) reopened(now time.Time) {
	s.lost.next, s.lost.until, s.lost.lastN, s.lost.warmth = now, now.Add(recallFor), -1, false
}

// recall is the next question, when it is time for one.
func (s *session) recall(now time.Time) []byte {
	l := s.lost
	if !s.open || now.Before(l.next) {
		return nil
	}
	l.next = now.Add(recallEvery)
	if l.lastN >= 0 {
		s.note("out", "M105")
		return []byte("\nM105\n")
	}
	ask := gcode.AppendFrame([]byte{'\n'}, l.was.next+recallAhead, m105)
	s.note("out", string(ask[1:len(ask)-1]))
	return ask
}

// recalled takes an answer in.
func (s *session) recalled(now time.Time, r gcode.Reply) {
	l := s.lost
	switch {
	case r.Kind == gcode.Start:
		s.gone(now, string(r.Text))
	case r.Kind == gcode.Busy || r.Waiting: // it heats or moves, and answers when it is done; more questions would only fill its buffer
		l.until, l.next = now.Add(recallFor), now.Add(2*recallEvery)
	case r.Kind == gcode.Error && r.LastLine >= 0 && l.lastN < 0:
		l.lastN, l.next = r.LastLine, now
	case r.Kind == gcode.OK && len(r.Temps) > 0 && l.lastN < 0:
		s.gone(now, string(r.Text)) // it took a number that cannot be right
	case r.Kind == gcode.OK && len(r.Temps) > 0:
		s.found(now)
	}
}

// recallDue gives up when nothing answers.
func (s *session) recallDue(now time.Time) {
	if s.open && !now.Before(s.lost.until) {
		s.gone(now, "")
	}
}

// found takes the print up again, if the firmware is where it must be.
func (s *session) found(now time.Time) {
	l, was := s.lost, s.lost.was
	if l.lastN < was.oldest-1 || l.lastN < was.newest-maxFalse || l.lastN >= was.next {
		s.gone(now, fmt.Sprintf("Last Line: %d", l.lastN))
		return
	}
	gap, warm, conn, seen := now.Sub(l.since), s.warm(&was.modal), s.seen.conn, s.seen
	within, custom, ending, cooling, switches := s.resumeWithin, s.custom, s.ending, s.keeper.cooling, s.switches
	*s = *was
	s.switches = switches
	s.custom, s.ending, s.resumeWithin, s.keeper.cooling = custom, ending, within, cooling
	s.watch = watch{looked: now}
	s.open, s.patience = true, patience{lastByte: now}
	s.seen.conn.Port, s.seen.conn.Baud = conn.Port, conn.Baud
	s.seen.nozzles, s.seen.bed, s.seen.tempsAt = seen.nozzles, seen.bed, seen.tempsAt
	s.flow.trouble()
	s.wire.free = now
	for i := len(s.aloft) - 1; i >= 0; i-- {
		if n := s.aloft[i]; n >= 0 && n <= l.lastN {
			s.landThrough(now, i, func(f *flight) { s.landed(now, f) })
			break
		}
	}
	s.early, s.eatOK = time.Time{}, false
	switch {
	case s.state == Paused && s.paused.doubt != "":
		s.takeBack(l.lastN + 1) // what a Rehome has not got done nobody wants any more
		for _, l := range s.undone() {
			s.typed = append(s.typed, []byte(l))
		}
	case s.state == Paused:
		s.rewind(l.lastN + 1)
	case gap <= within && warm:
		s.note("note", fmt.Sprintf("the connection is back after %.1f s: the print goes on at line %d of the conversation", gap.Seconds(), l.lastN+1))
		s.run.start(now)
		if s.check == noCheck { // else what is suspected since a line was damaged, just before the cable came out, is still to be found out
			s.extra, s.unknown = 0, 0
		}
		s.rewind(l.lastN + 1)
		s.asked, s.check = l.lastN+1, checkWanted
	default:
		s.takeBack(l.lastN + 1)
		s.detourAside()
		s.state, s.paused = Paused, &place{modal: s.modal.clone(), why: PauseInfo{By: "fault", Message: "The USB connection was lost."}}
		s.fault = &Fault{Code: FaultPortLost, Message: fmt.Sprintf("The printer's USB connection was lost for %.0f s. The printer has kept its place.", gap.Seconds()),
			Next: "Look at the print. Resume goes on where it stopped.", JobID: s.job.info.ID, AtMS: now.UnixMilli()}
	}
}

// warm reports whether nozzle and bed are as warm as the print had asked for.
func (s *session) warm(m *modal) bool {
	near := func(h *Heater, targetC float64) bool {
		return h != nil && math.Abs(h.ActualC-targetC) <= warmWithinC && math.Abs(h.TargetC-targetC) <= warmWithinC
	}
	for tool, c := range m.nozzleC {
		if c > 0 && (tool >= len(s.seen.nozzles) || !near(&s.seen.nozzles[tool], c)) {
			return false
		}
	}
	return m.bedC <= 0 || near(s.seen.bed, m.bedC)
}

// gone gives the print up: the board has restarted, or does not answer. Nothing is sent.
func (s *session) gone(now time.Time, said string) {
	f := &Fault{Code: FaultBoardReset, Message: "The printer's board has restarted while its USB connection was lost.", Next: afterReset, Said: said}
	if said == "" {
		f.Code, f.Message, f.Next = FaultSilent, "The printer does not answer since its USB connection was lost.", "Look at the printer, then connect again."
	}
	f.AtMS, f.JobID = now.UnixMilli(), s.lost.fault.JobID
	s.giveUp(now, f.Message)
	s.note("note", f.Error())
	s.fault = f
}

// giveUp ends the print that was lost as interrupted: where it stopped is kept.
func (s *session) giveUp(now time.Time, reason string) {
	if s.lost == nil {
		return
	}
	was := s.lost.was
	was.job.close()
	s.last = was.run.outcome(now, was.job.info, "interrupted", reason)
	if s.tail != nil {
		s.last.Log = s.tail()
	}
	s.lost = nil
}
