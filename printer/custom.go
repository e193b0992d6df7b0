package printer

import (
	"fmt"
	"layerd/gcode"
	"slices"
	"time"
)

// Scripts run as stages of the procedures in print.go and hello.go, a line a stage: what a line names is looked up, and what it does is checked again, when
// its turn comes. A line that cannot be sent is left out, with a note in the console; one that the firmware refuses harms nothing.

// customOf are the stages of an event's script; none when there is none, or layerd is ending.
func (s *session) customOf(e Event) []stage {
	if len(s.custom[e]) == 0 || s.ending {
		return nil
	}
	if e == OnConnected { // it does not move, so no mode matters
		return s.customLines(e, s.custom[e])
	}
	before := new(modal)
	stages := append([]stage{s.level(before)}, s.customLines(e, s.custom[e])...)
	if e == OnDone {
		stages = append(stages, s.tidy(before))
	}
	return stages
}

func (s *session) customLines(e Event, script []written) []stage {
	out := make([]stage, 0, len(script))
	for _, l := range script {
		out = append(out, func(now time.Time) []scriptLine { return s.customLine(now, e, l) })
	}
	return out
}

// level begins a script in modes that it can rely on: mm, absolute X Y Z, relative E. before becomes those of before.
func (s *session) level(before *modal) stage {
	return func(time.Time) []scriptLine {
		*before = s.modal.clone()
		if s.ending {
			return nil
		}
		if before.inches {
			return lines("G21", "G90", "M83")
		}
		return lines("G90", "M83")
	}
}

// tidy brings the modes of before back.
func (s *session) tidy(before *modal) stage {
	return func(time.Time) []scriptLine {
		var out []string
		if before.inches != s.modal.inches {
			out = append(out, map[bool]string{true: "G20", false: "G21"}[before.inches])
		}
		if before.relXYZ != s.modal.relXYZ {
			out = append(out, map[bool]string{true: "G91", false: "G90"}[before.relXYZ])
		}
		if len(out) > 0 || before.relE != s.modal.relE { // G90 and G91 set E's mode too on some firmware
			out = append(out, map[bool]string{true: "M83", false: "M82"}[before.relE])
		}
		return lines(out...)
	}
}

// customLine is one line of a script, ready to be sent, or nothing.
func (s *session) customLine(now time.Time, e Event, l written) []scriptLine {
	if s.ending {
		return nil
	}
	text, err := s.customText(now, e, l.text)
	if err != nil {
		s.note("note", fmt.Sprintf("script %s, line %d is left out: %s", e, l.line, plain(err)))
		return nil
	}
	return []scriptLine{{text: string(text), needs: needsOf(text), custom: true}}
}

func (s *session) customText(now time.Time, e Event, text string) ([]byte, error) {
	filled, err := fill(text, func(name string) (float64, error) { return s.valueNow(now, name) })
	if err != nil {
		return nil, err
	}
	line, err := s.fitScript(e, filled)
	if err != nil {
		return nil, err
	}
	inPause := e == OnPaused || e == OnResumed
	if travels(gcode.ParseCommand(line)) && (!s.allHomed() || inPause && !s.paused.parked) {
		return nil, fmt.Errorf("%w: nobody knows where the head is, so it is not moved", ErrNotHomed)
	}
	return line, nil
}

// begin runs the script before a file's first line, or what is left of it when a pause came in between, and then the file.
func (s *session) begin(now time.Time) {
	s.state = Starting
	stages := []stage{s.first()}
	if len(s.startLeft) > 0 && !s.ending {
		stages = append(stages, s.level(new(modal)))
		for _, l := range s.startLeft {
			stages = append(stages, func(now time.Time) []scriptLine {
				if len(s.startLeft) > 0 {
					s.startLeft = s.startLeft[1:]
				}
				return s.customLine(now, OnStarted, l)
			})
		}
		stages = append(stages, s.tidy(s.startModes))
	}
	// The answer to M105 is nobody else's: all oks of what was said before are accounted for when the first line goes out.
	s.play(now, s.goesOn, append(stages, always("M105"))...)
}

// keepStart puts the line of the start's script back that a pause kept from being sent.
func (s *session) keepStart() {
	if s.state != Starting || s.script == nil {
		return
	}
	for _, l := range slices.Backward(s.script.lines) {
		if l.custom {
			s.startLeft = append([]written{{text: l.text}}, s.startLeft...)
		}
	}
}

// onward ends a pause: back to the file, or to the script before it.
func (s *session) onward(now time.Time) {
	if len(s.startLeft) == 0 {
		s.goesOn(now)
		return
	}
	if p := s.paused; p != nil {
		s.paused = nil
		if p.next != nil {
			s.paused = &place{next: p.next}
		}
	}
	s.run.start(now)
	s.begin(now)
}

// answersAfter lists the faults that leave the conversation as it was: the file is at fault, and the printer answers and has not stopped. After any
// other nobody knows who hears a script.
var answersAfter = map[FaultCode]bool{FaultFile: true, FaultLine: true}

// partFrom readies the script for a fault, while what it names is still known.
func (s *session) partFrom(now time.Time, f *Fault) {
	s.parting = nil
	if s.job == nil || !answersAfter[f.Code] || s.ending {
		return
	}
	for _, l := range s.custom[OnFailed] {
		for _, ready := range s.customLine(now, OnFailed, l) {
			s.parting = append(s.parting, []byte(ready.text))
		}
	}
}

// partingLine sends the next of these, when the one before was answered, and behind what a person asks for.
func (s *session) partingLine(now time.Time) []byte {
	if len(s.parting) == 0 || len(s.aloft) > 0 {
		return nil
	}
	text := s.parting[0]
	s.parting = s.parting[1:]
	s.tell("out", text)
	b := s.wrote(now, s.sendBare(now, text, laneTyped, nothing, jobPos{}))
	s.stream.at(len(s.aloft) - 1).custom = true
	return b
}

// customAloft reports whether a line of a script is not answered yet.
func (s *session) customAloft() bool {
	for i := range s.aloft {
		if s.stream.at(i).custom {
			return true
		}
	}
	return false
}
