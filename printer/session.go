package printer

import (
	"errors"
	"layerd/gcode"
	"time"
)

// session is the conversation with one firmware, as plain values: no goroutine, no clock, no port. The owner's loop
// (printer.go) feeds it what was heard, asks it what to write, wakes it at its deadline, and publishes what it became.
//
//	hear → note what the line says → land answered lines → next stage of the procedure
//	write ← a line asked for again ← procedure ← typed lines ← a question for temperatures ← the job
type session struct {
	stream
	state   State
	open    bool // there is a port
	profile Profile
	modal   modal
	script  *script
	scripts int // numbers them
	typed   [][]byte
	job     *job
	run     jobRun
	hello   hello
	patience
	orders       orders
	seen         seen
	fault        *Fault
	last         *JobOutcome
	halt         *Halt
	checkDue     bool                          // where the head is was answered, and is to be compared
	paused       *place                        // why it stands still, and where to go back to; while Pausing … Resuming
	lost         *lost                         // the print whose port is gone; while Faulted
	resumeWithin time.Duration                 // a port that is back so soon lets the print go on by itself
	tell         func(dir string, text []byte) // keeps a copy for the console, and waits for nobody
	tail         func() []Entry                // the last lines that were told or heard; nil where nobody keeps them
	dialog       dialog
	card         card
	query        *query // nil when nobody waits for one
	keeper       keeper
	watch        watch
	custom       map[Event][]written // what a person has written; never changed
	ending       bool                // layerd ends: no script runs any more
	startLeft    []written           // of the script before the file's first line
	startModes   *modal              // before it
	parting      [][]byte            // of the script after a fault
	hurry        int                 // so many of typed go at once, whatever is in flight
	switches     Switches            // as they were calibrated
	base         [2]*float64         // where those of X and Y closed when they were first met after homing, in the calibration's coordinates; nil not yet
	met          [2]*float64         // where they closed when a check found that they do not close there any more; nil it has not
	checkTook    time.Duration       // what a check takes, usually
	limitsOff    bool                // a prober has switched the soft limits off, and they are not on again
	calib        calib
	drilled      *EndstopCheck
	witnessed    *FirmwareWitness
	hark         *hark // what the firmware says, while a script wants to know; else nil
}

// orders are what the session wants done to the port. The loop carries them out and clears them.
type orders struct {
	baud   int    // set this speed
	urgent []byte // throw away what is not sent yet and write this now
	reset  bool   // restart the board
	leave  bool   // give the port up as a person would, and leave it closed
	close  bool   // give the port up
}

// seen is what the firmware has said of itself and the machine.
type seen struct {
	conn         Connection
	nozzles      []Heater
	bed, chamber *Heater
	tempsAt      time.Time
	position     *Position
	moved        bool    // since that was reported
	homed        [3]bool // X Y Z
	waiting      string
	lastError    string    // the last Error: line, for the fault that may follow
	autoTemps    bool      // it reports temperatures by itself
	targets      bool      // its reports have targets in them
	jogTo        *Position // where the jogs that are not answered yet lead to; nil when there are none
	tempsAsked   time.Time
	lacks        map[string]bool // commands that it has said it does not know, of those that tune a print
	unsure       bool            // a typed line was answered, and no line comes behind it that would show if that ok was another's
}

func newSession(profile Profile, last *JobOutcome, tell func(dir string, text []byte)) *session {
	s := &session{profile: profile, last: last, tell: tell, modal: freshModal(profile)}
	s.flow, s.d = newFlow(), unknown
	s.keeper.cooling = UsualCooling()
	s.stream.reset(0)
	return s
}

// opened begins a conversation on a port that has just been opened.
func (s *session) opened(now time.Time, conn Connection, bauds []int) {
	counts := s.health.tally
	*s = session{profile: s.profile, last: s.last, tell: s.tell, query: s.query, keeper: s.keeper, tail: s.tail, lost: s.lost, card: s.card, resumeWithin: s.resumeWithin,
		custom: s.custom, ending: s.ending, switches: s.switches, checkTook: s.checkTook, limitsOff: s.limitsOff,
		state: Connecting, open: true, modal: freshModal(s.profile)}
	s.flow, s.d, s.health.tally = newFlow(), unknown, counts
	s.seen.conn = conn
	s.stream.reset(0)
	if s.lost != nil {
		s.state, s.fault, s.d = Faulted, s.lost.fault, s.lost.was.d
		s.reopened(now)
		return
	}
	s.greet(now, bauds)
}

// closed is the end of the conversation: the port is gone, wanted (f nil) or not. A fault or halt stays until a person has seen it.
func (s *session) closed(now time.Time, f *Fault) {
	if !s.lose(now, f) && s.job != nil {
		s.fail(now, f)
	}
	switch s.state {
	case Faulted:
	case Halting:
		s.halt = &Halt{AskedMS: s.halt.AskedMS, Unconfirmed: true}
	default:
		s.state, s.fault, s.halt = Disconnected, f, nil
	}
	s.cardLost(now)
	s.open, s.script, s.typed, s.parting, s.hello.waiting = false, nil, nil, nil, false
	s.seen = seen{conn: Connection{Port: s.seen.conn.Port, Baud: s.seen.conn.Baud}}
	if f == nil {
		s.seen.conn = Connection{}
	}
	s.stream.reset(0)
}

// hear takes one line from the firmware in.
func (s *session) hear(now time.Time, r gcode.Reply) {
	s.patience.heard(now)
	s.overheard(r)
	s.harken(r)
	strange := s.regard(now, r)
	s.stats.Unknown += strange
	s.health.tally.heard(0, 0, strange, 0)
	if s.lost != nil {
		s.recalled(now, r)
		return
	}
	s.health.heard(now, r, len(s.aloft))
	answers := r.Kind == gcode.OK && !s.eatOK || r.Kind == gcode.Resend && r.Line < s.next // and not only repeats what is known
	f := s.stream.hear(now, r, func(f *flight) { s.landed(now, f) })
	switch {
	case f == nil || s.state == Faulted || s.state == Halting || s.state == Halted: // it has stopped, and more is not to be said
	case f.Code == FaultBoardReset && s.job == nil:
		s.booted(now, r)
	case f.Code == FaultResendLoop && s.certain && (s.state == Printing || s.state == Finishing):
		s.suspend(now, s.asked, s.history[(s.asked-1)%historyLines].after, f)
	default:
		s.fail(now, f)
	}
	if answers {
		s.patience.progress(now)
	}
	if s.checkDue {
		s.checkDue = false
		s.checked(now)
	}
	s.greeted(now)
	s.proceed(now)
}

// landed takes in that the firmware has accepted a line.
func (s *session) landed(now time.Time, f *flight) {
	s.seen.waiting, s.seen.lastError = "", ""
	s.regardAxes(f)
	s.modal.apply(f.text, s.d.g90SetsE)
	if !f.refused {
		s.modal.tune(f.text, &s.d)
	}
	if f.needs == position && s.seen.position != nil {
		s.modal.head.learn(s.seen.position, false)
	}
	f.after = s.modal.head
	s.health.landed(now, f, s.modal.speedPercent)
	s.regardLanded(now, f)
	s.answeredQuery(f)
	s.regardHeat(now, f)
	s.regardAsked(now, f)
	switch f.lane {
	case laneScript:
		if sc := s.scriptOf(f); sc != nil {
			sc.open--
		}
		s.hello.answered = s.hello.answered || s.hello.waiting
	case laneTyped:
		s.seen.unsure = f.needs == nothing && s.d.numbered && (s.state == Idle || s.state == Paused)
	case laneJob:
		s.run.landed(now, f, s.job, &s.modal)
		f.before = s.run.spent.push(f.text, &s.modal)
		if s.job != nil {
			s.job.skip.learn(f.text, f.refused)
		}
	case laneCheck:
		s.checkDue = true
	}
}

// write returns the bytes to write next, valid until the next call, or nil when there is nothing to say now.
func (s *session) write(now time.Time) []byte {
	s.wire.until = time.Time{}
	if s.orders.close {
		return nil
	}
	switch s.state {
	case Disconnected, Halting, Halted:
		return nil
	case Faulted:
		if s.lost != nil && len(s.typed) == 0 {
			return s.recall(now)
		}
		if b := s.cooling(now); b != nil {
			return b
		}
		if b := s.partingLine(now); b != nil {
			return b
		}
		return s.askHeat(now)
	}
	if b := s.greeting(now); b != nil {
		return b
	}
	if b := s.due(now); b != nil {
		return b
	}
	if len(s.typed) > 0 && (s.hurry > 0 || letsGo(s.typed[0])) && len(s.aloft) > 0 && len(s.bare) < maxLetGo {
		s.hurry = max(s.hurry-1, 0)
		return s.unnumbered(now)
	}
	if s.state == Cancelling && s.rewound() && s.certain && s.asked == s.resend && s.oldestRewound().lane == laneJob {
		s.takeBack(s.resend) // the print is over: what it lacks is not sent any more, and the heaters go off at once
	}
	switch {
	case s.check == checkWanted && s.doubt.IsZero():
		return s.wrote(now, s.askPlace(now))
	case s.rewound():
		if !s.room(now, len(s.oldestRewound().frame)) {
			return nil
		}
		return s.wrote(now, s.again(now))
	case s.script != nil && len(s.script.lines) > 0:
		return s.scriptLine(now)
	case len(s.typed) > 0 && s.state != Connecting:
		text := s.typed[0]
		if !s.room(now, frameLen(text)) {
			return nil
		}
		s.typed = s.typed[1:]
		return s.say(now, text, laneTyped, needsOf(text), jobPos{layer: -1})
	case s.pollDue(now), s.state == Printing && s.guessed >= surely && s.flow.allow > 0:
		if !s.room(now, frameLen(m105)) {
			return nil
		}
		s.seen.tempsAsked, s.seen.unsure, s.guessed = now, false, 0
		return s.say(now, m105, lanePoll, temps, jobPos{layer: -1})
	case s.cardDue(now) && s.room(now, 0):
		return s.askCard(now)
	}
	return s.jobLine(now)
}

// room reports whether a line of n bytes may be sent: only a print is worth several in flight.
func (s *session) room(now time.Time, n int) bool {
	return s.stream.room(now, n) && (s.state == Printing && s.script == nil || len(s.aloft) == 0)
}

var m105 = []byte("M105")

// scriptLine sends the next line of the procedure, one at a time.
func (s *session) scriptLine(now time.Time) []byte {
	l := s.script.lines[0]
	if len(s.aloft) > 0 || !s.room(now, 0) {
		return nil
	}
	s.script.lines = s.script.lines[1:]
	s.script.open++
	b := s.say(now, []byte(l.text), laneScript, l.needs, jobPos{layer: -1})
	s.stream.at(len(s.aloft) - 1).custom = l.custom
	return b
}

// cooling sends what a person asks for after a fault, without waiting.
func (s *session) cooling(now time.Time) []byte {
	if len(s.typed) == 0 {
		return nil
	}
	if len(s.aloft) > maxProbes {
		s.stream.reset(s.next - 1)
	}
	return s.unnumbered(now)
}

// unnumbered sends the oldest typed line without number: the count may be what went wrong, and firmware without an emergency parser looks
// for M108 at the beginning of a line only.
func (s *session) unnumbered(now time.Time) []byte {
	text := s.typed[0]
	s.typed = s.typed[1:]
	s.tell("out", text)
	return s.wrote(now, s.sendBare(now, text, laneTyped, nothing, jobPos{}))
}

// jobLine sends the job's next line, or ends the job.
func (s *session) jobLine(now time.Time) []byte {
	switch err := s.prepare(now); {
	case err == errStarved:
		if s.job != nil && s.job.starved() && s.room(now, 1) {
			s.health.unread(now)
		}
		return nil
	case err == errObeyed:
		return s.write(now)
	case err != nil && len(s.aloft) > 0: // those come first
		return nil
	case err != nil:
		s.fileEnded(now, err)
		return s.write(now)
	}
	line := s.prepared()
	if !s.room(now, len(line.frame)) {
		return nil
	}
	s.job.taken()
	s.tell("out", line.text)
	return s.wrote(now, s.commit(now))
}

var errObeyed = errors.New("the line is for the host, which has done what it says")

// prepare makes the job's next line ready, before there is room for it. It returns errStarved when there is none now, io.EOF or another error
// at the end of the job's lines, errObeyed when the line was one for us, or the *Fault why it cannot be sent.
func (s *session) prepare(now time.Time) error {
	if s.state != Printing || s.script != nil || s.job == nil || s.rewound() {
		return errStarved
	}
	if s.ready {
		return nil
	}
	l, err := s.job.next()
	if err != nil {
		return err
	}
	if l.pos.layer > s.run.shots.layer && s.shoot(now, l.pos.layer) || s.checkHere(now, l.pos) || s.stopHere(now, l.pos.layer) || s.hostSide(now, l) {
		return errObeyed
	}
	if heatsMaybe(l.text) && s.tooHot(now, l) {
		return errObeyed
	}
	text, err := s.fit(l.text)
	if err != nil {
		return lineFault(l.pos.line, err)
	}
	s.frame(text, laneJob, needsOf(text), l.pos)
	s.ready = true
	return nil
}

// say sends a new line.
func (s *session) say(now time.Time, text []byte, l lane, needs evidence, pos jobPos) []byte {
	b := s.stream.send(now, text, l, needs, pos)
	if l == laneScript {
		s.stream.at(len(s.aloft) - 1).script = s.script.id
	}
	if l != lanePoll {
		s.tell("out", text)
		s.queried(text, s.next-1)
	}
	return s.wrote(now, b)
}

func (s *session) note(dir, text string) { s.tell(dir, []byte(text)) }

func (s *session) wrote(now time.Time, b []byte) []byte {
	s.patience.wrote(now, len(s.aloft))
	return b
}

// needsOf says which answer a line gets besides its ok.
func needsOf(text []byte) evidence {
	switch c := gcode.ParseCommand(text); {
	case c.Is('M', 105):
		return temps
	case c.Is('M', 114):
		return position
	case c.Is('M', 115):
		return name
	}
	return nothing
}

// allHomed reports whether all axes were homed on this connection.
func (s *session) allHomed() bool { return s.seen.homed == [3]bool{true, true, true} }
