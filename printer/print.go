package printer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"slices"
	"time"
)

// The life of a job: start → lines → finish, with pause, resume and cancel in between. Each is a script and the states before and after it.

// start begins a job. The caller has checked that the state is Idle.
func (s *session) start(now time.Time, j *job) {
	s.job = j
	s.job.skip.profile, s.job.skip.g90SetsE, s.job.skip.objects = s.profile, s.d.g90SetsE, j.info.Survey.Objects
	if j.info.Note != "" {
		s.note("note", j.info.Name+": "+j.info.Note)
	}
	s.run = startRun(now)
	if s.modal.head.known[3] {
		s.run.spent.atMM = s.modal.head.mm[3]
	}
	s.health.begin(s.seen.conn.Baud, s.d.ahead)
	s.fault, s.paused, s.keeper.wanted = nil, nil, false
	s.modal.leftMin = -1
	s.startLeft = slices.Clone(s.custom[OnStarted])
	before := s.modal.clone()
	s.startModes = &before
	s.begin(now)
}

func (s *session) pause(now time.Time) { s.pauseAt(now, &place{why: PauseInfo{By: "person"}}) }

func (s *session) pauseAt(now time.Time, p *place) {
	s.keepStart()
	s.state, s.paused = Pausing, p
	if s.detouring() { // its script ends first: it knows the way back, and comes here again
		s.shotTaken(now)
		return
	}
	stages := []stage{s.first(), s.stop(), s.settle(), s.settle(),
		func(time.Time) []scriptLine { s.paused.modal = s.modal.clone(); return nil },
		s.park(s.paused)}
	s.play(now, s.stands, append(stages, s.customOf(OnPaused)...)...)
}

// stands is the end of a pause's script.
func (s *session) stands(now time.Time) {
	s.paused.left = s.modal.clone()
	s.state = Paused
	s.run.checks.rehomed = nil // if there is one, it was in another pause
	s.run.stop(now)
	if s.paused.from.line > 0 {
		s.run.at(s.paused.from)
	}
}

// suspend pauses the job because of something that a person should look at. n is the first line that the firmware has not executed: it and
// those after it will be sent when the print is resumed; meant is where the lines before it lead to.
func (s *session) suspend(now time.Time, n int64, meant head, f *Fault) {
	if s.job == nil || s.state == Starting || s.state == Resuming {
		s.fail(now, f)
		return
	}
	f.AtMS, f.JobID = now.UnixMilli(), s.job.info.ID
	s.note("note", f.Error())
	switch s.state {
	case Pausing: // it will stand still, and say why
		s.fault = f
		return
	case Cancelling, Paused: // nothing may come between Stop and the heaters' end
		return
	}
	s.takeBack(n)
	p := &place{meant: &meant, why: PauseInfo{By: "fault", Message: f.Message}}
	if s.detouring() && n > s.run.detour.from { // it goes on where it was, and its end is the print's place
		p.meant = nil
	} else {
		s.script = nil
		s.dropDetour()
	}
	s.fault = f
	s.pauseAt(now, p)
}

// suspendHere pauses the job where it is because of something that a person should look at.
func (s *session) suspendHere(now time.Time, f *Fault) {
	f.AtMS, f.JobID = now.UnixMilli(), s.job.info.ID
	s.fault = f
	s.note("note", f.Error())
	s.pauseFor(now, PauseInfo{By: "fault", Message: f.Message}, jobPos{})
}

// takeBack forgets that line n and those after it were ever sent: the job's lines go back to the job, typed ones to those that wait, and those of
// the script under way to the script.
func (s *session) takeBack(n int64) {
	s.rewind(n)
	var ofJob []jobLine
	var typed [][]byte
	var ofScript []scriptLine
	for i := s.next - 1; i >= n; i-- { // what was taken for accepted has used nothing
		if f := &s.history[i%historyLines]; f.lane == laneJob && f.landed {
			s.run.spent.undo(f.before)
		}
	}
	for i := n; i < s.next; i++ {
		switch f := &s.history[i%historyLines]; {
		case f.lane == laneJob:
			ofJob = append(ofJob, jobLine{bytes.Clone(f.text), f.pos})
		case f.lane == laneTyped:
			typed = append(typed, bytes.Clone(f.text))
		case f.lane == laneScript && s.script != nil && s.script.id == f.script:
			ofScript = append(ofScript, scriptLine{string(f.text), f.needs, f.custom})
			if !f.landed { // else an ok was said twice
				s.script.open--
			}
		}
	}
	s.job.unread(ofJob)
	s.typed = append(typed, s.typed...)
	if s.script != nil {
		s.script.lines = append(ofScript, s.script.lines...)
	}
	s.next, s.resend, s.newest, s.asked, s.times, s.check = n, n, min(s.newest, n-1), -1, 0, noCheck
}

// resume goes back to where the pause found the print: temperatures first, then the place, the filament, and the modes. Of the
// temperatures those count that a person has set meanwhile; one that was only switched off comes back.
// anyway: also where X and Y were homed anew and are not where they should be.
func (s *session) resume(now time.Time, anyway bool) error {
	p := s.paused
	if p.held {
		return s.letGo(now)
	}
	if s.rehoming() {
		return fmt.Errorf("%w: X and Y are being homed", ErrWrongState)
	}
	if p.parked && !s.allHomed() {
		return fmt.Errorf("%w: the motors were switched off during the pause, so the place of the print is lost", ErrNotHomed)
	}
	if p.unfit != "" {
		return fmt.Errorf("%w: X and Y were homed anew, and not all that this changes could be brought back: %s. Home them once more, or stop the print", ErrWrongState, p.unfit)
	}
	if p.doubt != "" && !anyway {
		return fmt.Errorf("%w: %s", ErrRehome, p.doubt)
	}
	s.acceptLoss(p)
	s.state, s.fault = Resuming, nil
	s.run.start(now)
	stages := []stage{s.first(), func(time.Time) []scriptLine {
		p.modal.heated(&s.modal, &p.left)
		return lines(reheat(p.modal)...)
	}}
	stages = append(stages, s.customOf(OnResumed)...)
	s.play(now, s.onward, append(stages, func(time.Time) []scriptLine { return lines(s.goBack(p)...) })...)
	return nil
}

// reheat asks for the temperatures that the print had, and waits for them.
func reheat(m modal) []string {
	var set, wait []string
	if m.bedC > 0 {
		set, wait = append(set, word("M140 S", m.bedC)), append(wait, word("M190 S", m.bedC))
	}
	for tool := range maxTools {
		if c := m.nozzleC[tool]; c > 0 {
			t := ""
			if tool != m.heater(m.tool) {
				t = word("T", float64(tool)) + " "
			}
			set = append(set, "M104 "+t+word("S", c))
			wait = append(wait, "M109 "+t+word("S", c))
		}
	}
	if m.chamberC > 0 {
		set = append(set, word("M141 S", m.chamberC))
	}
	return append(set, wait...)
}

func (s *session) goBack(p *place) []string {
	out := s.headBack(p, gcode.FeedWord(s.profile.ExtrudeMMS))
	if p.at != nil {
		out = append(out, string(gcode.AppendNumber([]byte("G92 E"), p.at.EMM, 5)))
	}
	if f := p.modal.fanPercent; f > 0 {
		out = append(out, string(gcode.AppendNumber([]byte("M106 S"), f*2.55, 0)))
	} else {
		out = append(out, "M107")
	}
	return append(out, modesBack(p.modal)...)
}

// headBack brings the head back to the place of the print, and what was pulled back of the filament at that feed.
func (s *session) headBack(p *place, pushFeed float64) []string {
	var out []string
	if s.modal.inches {
		out = append(out, "G21")
	}
	out = append(out, "G90", "M83")
	travel := word(" F", gcode.FeedWord(s.profile.TravelMMS))
	if p.parked {
		out = append(out, word("G0 Z", p.liftedZ)+word(" F", gcode.FeedWord(s.profile.LiftMMS)),
			exactly("G0 X", p.at.XMM)+exactly(" Y", p.at.YMM)+travel,
			exactly("G0 Z", p.at.ZMM)+word(" F", gcode.FeedWord(s.profile.LiftMMS)))
	}
	if p.astray && !p.parked {
		out = append(out, word("G0 X", p.at.XMM)+word(" Y", p.at.YMM)+word(" Z", p.at.ZMM)+travel)
	}
	if p.pulled > 0 {
		out = append(out, word("G1 E", p.pulled)+word(" F", pushFeed))
	}
	return out
}

// modesBack brings back what the job's lines to come depend on.
func modesBack(m modal) []string {
	var out []string
	if m.inches {
		out = append(out, "G20")
	}
	if m.feed > 0 {
		out = append(out, word("G1 F", m.feed))
	}
	if m.relXYZ {
		out = append(out, "G91")
	} else {
		out = append(out, "G90")
	}
	if m.relE { // after G90 and G91, which set the mode of E too on some firmware
		return append(out, "M83")
	}
	return append(out, "M82")
}

// cancel ends the job: heaters off first, then lift, park, motors off. outcome and reason are what the history will say.
func (s *session) cancel(now time.Time, outcome, reason string) {
	parked := s.state == Paused && s.paused.parked
	s.state, s.fault = Cancelling, nil
	s.dropDetour()
	s.job.close()
	s.typed = nil
	if s.waits() || s.occupied() {
		s.typed = [][]byte{[]byte("M108")} // else the heaters would be off only when they are hot
	}
	off := append(s.heatersOff(), "M107")
	off = append(off, s.undone()...)
	if len(s.typed) == 0 && s.customAloft() { // a line of a script may hang: what turns the heat off does not wait for it
		for _, l := range off {
			s.typed = append(s.typed, []byte(l))
		}
		s.hurry = len(off)
	}
	if s.held() && s.d.forget != "" {
		off = append(off, s.d.forget)
	}
	s.paused = nil
	stages := []stage{always(off...)}
	if !parked {
		stages = append(stages, s.stop(), s.settle(), s.settle(), s.park(&place{modal: s.modal.clone()}))
	}
	stages = append(append(stages, s.customOf(OnCancelled)...), always(append(s.job.skip.forget(), "G90", "M84", "M105")...))
	s.play(now, func(now time.Time) { s.end(now, outcome, reason) }, stages...)
}

// fileEnded is the end of the job's lines: well, or because the file cannot be read.
func (s *session) fileEnded(now time.Time, err error) {
	if err == io.EOF {
		s.state = Finishing
		// M400 is accepted when the moves are done; a question tells that all lines before it were received, and one that is answered in its
		// turn that they were executed, where the oks come early.
		question := "M105"
		if s.d.early {
			question = "M114"
		}
		stages := []stage{always(append(s.job.skip.forget(), "M400", question)...)}
		if custom := s.customOf(OnDone); len(custom) > 0 {
			stages = append(append(stages, custom...), always("M400", question))
		}
		s.play(now, func(now time.Time) { s.end(now, "done", "") }, stages...)
		return
	}
	var at *gcode.LineError
	var unfit *Fault
	switch {
	case errors.As(err, &unfit):
		s.fail(now, unfit)
		return
	case errors.As(err, &at):
		s.fail(now, lineFault(at.Line, at.Err))
		return
	}
	s.fail(now, &Fault{Code: FaultFile, Message: "The file could not be read any further.", Next: "Check the memory card or disk of the Pi.", Said: err.Error()})
}

// end closes the job under way and goes Idle.
func (s *session) end(now time.Time, outcome, reason string) {
	s.endJob(now, outcome, reason)
	s.state = Idle
}

func (s *session) endJob(now time.Time, outcome, reason string) {
	s.job.close()
	s.run.stop(now)
	s.last = s.run.outcome(now, s.job.info, outcome, reason)
	if outcome == "failed" && s.tail != nil {
		s.last.Log = s.tail()
	}
	s.health.end(now, s.last)
	s.dropDetour()
	s.job, s.paused, s.startLeft, s.hurry = nil, nil, nil, 0
}

// fail stops everything with a named fault. Where there is no conversation yet, the port is given up.
func (s *session) fail(now time.Time, f *Fault) {
	f.AtMS = now.UnixMilli()
	s.note("note", f.Error())
	s.partFrom(now, f)
	if s.job != nil {
		f.JobID = s.job.info.ID
		s.endJob(now, "failed", f.Message)
	}
	if s.onCard() {
		s.cardOver(now, "failed", f.Message)
	}
	if s.state == Connecting {
		s.orders.close = true
	} else {
		s.state = Faulted
	}
	s.fault = f
	s.script, s.typed, s.seen.waiting, s.hello.waiting = nil, nil, "", false
}

func lineFault(line int64, err error) *Fault {
	return &Fault{Code: FaultLine, Message: fmt.Sprintf("Line %d of the file cannot be sent to this printer.", line),
		Next: "Slice the model again, or correct the line.", Said: err.Error()}
}

// fit makes a line as short as the firmware needs it, without changing what it means. Only text for people may be cut.
func (s *session) fit(text []byte) ([]byte, error) {
	room := s.d.room()
	if room == 0 || len(text) <= room {
		return text, nil
	}
	if gcode.ForPeople(gcode.ParseCommand(text)) {
		for room > 0 && text[room]&0xC0 == 0x80 { // not in the middle of a rune
			room--
		}
		return text[:room], nil
	}
	short := gcode.AppendShort(nil, text)
	if len(short) > room {
		return nil, fmt.Errorf("%w: %d bytes, this firmware takes %d", gcode.ErrLongLine, len(short), room)
	}
	return short, nil
}
