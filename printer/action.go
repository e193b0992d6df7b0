package printer

import (
	"bytes"
	"layerd/gcode"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What stops a print besides a person's tap flows through here:
//
//	a line of the file  ─▶ hostSide     ─┐
//	"//action:…"        ─▶ regardAction ─┼─▶ stand ─▶ pauseFor: we wait for the moves, park, and go back on Resume
//	"busy: paused for…" ─▶ regardWait   ─┘        └─▶ hold: the firmware has parked by itself, and we only keep still
//
// What it asks the person meanwhile is in prompt.go.

// PauseInfo says why a print stands still.
type PauseInfo struct {
	By       string `json:"by"`       // "person", "file", "firmware", "runout" (its sensor finds no filament), "fault" (see Snapshot.Fault), "stop" (see Stop), "shift" (the head is elsewhere than it should be)
	Message  string `json:"message"`  // the file's or the firmware's words for people, or a stop's note; "" for none
	Filament bool   `json:"filament"` // the filament is to be changed
	Layer    int    `json:"layer"`    // "stop": it stands before the first line of this layer, from 1; else 0
	Held     bool   `json:"held"`     // the firmware holds the print and leads through what is to be done: nothing can be moved from here

	Shift *EndstopCheck `json:"shift"` // "shift": the check that found it; null where another witness did
}

// maxWords bounds, in bytes, what a firmware or a file says to people.
const maxWords = 200

// words makes such text fit to be shown: in bounds, and without what cannot be seen or read or would turn the text around.
func words(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text))
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return text
}

// forHost reports whether a line of a file that begins with @, a remark to a host, is one that layerd obeys. The words are OctoPrint's; its
// @resume means nothing here, because a print that stands still reads no further.
func forHost(line []byte) bool {
	word, _, _ := strings.Cut(string(line), " ")
	return word == "@pause" || word == "@cancel" || word == "@abort"
}

// hostSide takes a line of the file that is for the host, and reports whether it was one. M0, M1, M25, M226 and M601 are not sent: firmware
// without a display would hang in them, and where it has one nobody can answer from afar.
func (s *session) hostSide(now time.Time, l jobLine) bool {
	c := gcode.ParseCommand(l.text)
	said := s.run.said
	s.run.said = ""
	why := PauseInfo{By: "file"}
	switch {
	case c.Is('M', 117): // slicers write the words for a pause into the line before it
		s.run.said = words(string(c.Args))
		return false
	case l.text[0] == '@':
		word, rest, _ := strings.Cut(string(l.text), " ")
		if word != "@pause" {
			s.job.taken()
			s.cancel(now, "cancelled", "the file says "+word)
			return true
		}
		why.Message = words(rest)
	case c.Is('M', 0) || c.Is('M', 1):
		if timed(c) {
			return false
		}
		why.Message = words(string(c.Args))
	case c.Is('M', 25), c.Is('M', 601), c.Is('M', 226) && !c.Has('P'): // with P it waits for a pin
	case c.Is('M', 600):
		why.Filament = true
	default:
		return false
	}
	s.job.taken()
	if why.Message == "" {
		why.Message = said
	}
	if why.Filament && s.d.changes {
		s.change(now, l, why)
	} else {
		s.pauseFor(now, why, l.pos)
	}
	return true
}

// timed reports whether an M0 or M1 ends by itself: S is in seconds, P in milliseconds, and either stands before the words.
func timed(c gcode.Command) bool {
	if len(c.Args) < 2 || c.Args[1] < '0' || c.Args[1] > '9' {
		return false
	}
	letter := c.Args[0] &^ 0x20
	v, _ := c.Float(letter)
	return (letter == 'S' || letter == 'P') && v > 0
}

// pauseFor pauses as a tap on Pause does, for a reason. from is the line of the file that is done with it, if it was one.
func (s *session) pauseFor(now time.Time, why PauseInfo, from jobPos) {
	s.pause(now)
	s.paused.why, s.paused.from = why, from
}

// change is M600: the firmware parks, unloads and asks by itself, and its ok comes when the print can go on. Nothing is sent behind it until
// then. One that does not know it says so, and then it is an ordinary pause.
func (s *session) change(now time.Time, l jobLine, why PauseInfo) {
	text, err := s.fit(l.text)
	if err != nil {
		s.fail(now, lineFault(l.pos.line, err))
		return
	}
	p := &place{held: true, why: why}
	s.state, s.paused = Pausing, p
	s.play(now, func(now time.Time) {
		if l.pos.line > 0 {
			s.run.at(l.pos)
		}
		switch {
		case p.unknown:
			s.pauseFor(now, why, l.pos)
		case p.said && s.d.goOn != "": // a macro that has paused, and whose end is not the pause's
		default:
			s.goesOn(now)
		}
	}, s.first(), func(time.Time) []scriptLine { return lines(string(text)) })
}

// hold begins a pause that is the firmware's own: it has stopped and parked, and will go back.
func (s *session) hold(now time.Time, p *place) {
	s.state, s.paused = Paused, p
	s.run.stop(now)
	s.detourAside()
}

func (s *session) held() bool { return s.paused != nil && s.paused.held }

// occupied reports whether the firmware is at a pause of its own in such a way that it would do what it is told only when the print goes on.
func (s *session) occupied() bool {
	return s.held() && (s.script != nil || s.d.goOn == "" || !s.paused.said)
}

// goesOn ends a pause, or the start, unless the firmware has meanwhile asked for another pause.
func (s *session) goesOn(now time.Time) {
	p := s.paused
	s.state, s.paused, s.seen.waiting = Printing, nil, ""
	s.run.start(now)
	s.run.eta.skip(s.run.elapsed(now))
	s.detourAgain()
	if p != nil && p.next != nil {
		s.stand(now, p.next)
	}
}

// stand stops the print in the way that p asks for, at once or when it goes on.
func (s *session) stand(now time.Time, p *place) {
	switch s.state {
	case Printing:
		if p.held {
			s.hold(now, p)
		} else {
			s.pauseFor(now, p.why, jobPos{})
		}
	case Starting, Resuming:
		if s.paused == nil {
			s.paused = &place{}
		}
		s.paused.next = p
	}
}

// letGo is Resume in a pause that the firmware holds.
func (s *session) letGo(now time.Time) error {
	if s.occupied() {
		if len(s.bare)+len(s.typed) >= maxLetGo/2 {
			return nil // it has been told often enough, and an answer to its question, or Stop, needs the room
		}
		return s.queue("M108") // how it goes on is its own affair: it may have more to ask
	}
	s.state = Resuming
	s.play(now, s.goesOn, always(s.d.goOn))
	return nil
}

// regardLanded takes in that a line was answered: a firmware that waited for a person with that line in its hands does so no longer.
func (s *session) regardLanded(now time.Time, f *flight) {
	if s.state == Paused && s.script == nil && s.occupied() && (s.paused.waits || letsGo(f.text)) {
		s.goesOn(now)
	}
}

// regardWait takes in that the firmware is busy waiting for a person ("paused for user", "paused for input").
func (s *session) regardWait(now time.Time) {
	switch {
	case s.check == checkAsked: // our M114 was damaged, and what came was an M1
		if len(s.typed) == 0 {
			s.typed = [][]byte{[]byte("M108")}
		}
	case s.held() && s.state != Resuming:
		s.paused.waits = true
		s.state = Paused
		s.run.stop(now)
	case s.state == Printing:
		s.hold(now, &place{held: true, waits: true, why: PauseInfo{By: "firmware"}})
	case s.state == Cancelling && len(s.typed) == 0:
		_ = s.queue("M108") // else the heaters would stay on until somebody comes
	}
}

// regardAction obeys "//action:…". What it does not list, such as start, shutdown and poweroff, is not for a firmware to decide.
func (s *session) regardAction(now time.Time, text string) {
	word, rest, _ := strings.Cut(text, " ")
	if kind, ok := strings.CutPrefix(word, "prompt_"); ok {
		s.regardPrompt(now, kind, rest)
		return
	}
	why := PauseInfo{By: "firmware", Message: words(rest)}
	// Marlin names the reason behind the action: "pause filament_runout 0".
	if strings.Contains(word, "filament") || strings.HasPrefix(rest, "filament_runout") {
		why = PauseInfo{By: "runout", Filament: true}
	}
	switch word {
	case "notification":
		s.dialog.notice = words(rest)
	case "pause", "out_of_filament", "filament_runout":
		s.stand(now, &place{why: why})
	case "paused":
		if s.held() && s.state != Resuming {
			s.paused.said = true
			s.hold(now, s.paused)
		} else {
			s.stand(now, &place{held: true, said: true, why: why})
		}
	case "resume", "resumed":
		s.regardResume(now, word == "resume")
	case "cancel":
		if s.state.HasJob() && s.state != Cancelling && s.state != Finishing {
			s.cancel(now, "cancelled", "stopped at the printer")
		}
	case "disconnect":
		if s.state == Idle { // a print is not given up for it
			s.orders.leave = true
		}
	}
}

// regardResume takes in that the firmware goes on after its own pause, or wishes us to after ours.
func (s *session) regardResume(now time.Time, wish bool) {
	switch {
	case s.state != Paused:
	case s.held():
		if s.paused.said = false; s.script == nil { // else the ok is near
			s.goesOn(now)
		}
	case wish:
		if err := s.resume(now, false); err != nil {
			s.note("note", err.Error())
		}
	}
}

// regardUnknown notices that the firmware does not know M600. (Marlin: `echo:Unknown command: "M600"`; Klipper: `// Unknown command:"M600"`;
// Prusa: "Unknown M code: M600".)
func (s *session) regardUnknown(r gcode.Reply) {
	if s.held() && s.script != nil && strings.Contains(strings.ToLower(string(r.Text)), "unknown") && bytes.Contains(r.Text, []byte("M600")) {
		s.paused.unknown = true
	}
}

// forPerson reports whether the firmware may be waiting for a person, who may be asleep.
func (s *session) forPerson() bool {
	for i := range s.aloft {
		if c := gcode.ParseCommand(s.stream.at(i).text); c.Is('M', 0) || c.Is('M', 1) || c.Is('M', 226) || c.Is('M', 600) {
			return true
		}
	}
	return s.held()
}
