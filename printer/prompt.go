package printer

import (
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"strconv"
	"strings"
	"time"
)

// A firmware asks a person in pieces: prompt_begin TEXT, prompt_button TEXT for each answer, prompt_show; prompt_end takes it back. The answer
// is M876 with the number of the button.

// ErrNoPrompt means that the firmware no longer asks what was answered.
var ErrNoPrompt = errors.New("the printer no longer asks this")

// Prompt is what the firmware asks. Its texts are the firmware's: bounded, and to be shown as nothing but text.
type Prompt struct {
	ID      int64    `json:"id"` // no two have the same
	Text    string   `json:"text"`
	Buttons []string `json:"buttons"` // may be none: then it only tells something
	says    []string // what answers it, by button
}

// dialog is what the firmware says to people.
type dialog struct {
	shown  *Prompt // not changed any more; nil when there is none
	draft  *Prompt // begun, and not shown yet
	lastID int64
	notice string
}

// maxButtons is all that Marlin's emergency parser can tell apart: it reads one digit behind M876 S.
const maxButtons = 10

// regardPrompt takes in one piece.
func (s *session) regardPrompt(now time.Time, kind, text string) {
	d := &s.dialog
	switch kind {
	case "begin":
		d.shown, d.draft = nil, &Prompt{Text: words(text), Buttons: []string{}}
	case "text": // Klipper's: begin has the title only
		if d.draft != nil {
			d.draft.Text = words(d.draft.Text + " " + text)
		}
	case "choice", "button", "footer_button":
		if p := d.draft; p != nil && len(p.Buttons) < maxButtons {
			say := "M876 S" + strconv.Itoa(len(p.Buttons))
			if s.d.buttons {
				var command string
				text, command, _ = strings.Cut(text, "|")
				command, _, _ = strings.Cut(command, "|") // its colour
				if say = command; say == "" {
					say = text
				}
			}
			p.Buttons, p.says = append(p.Buttons, words(text)), append(p.says, say)
		}
	case "show":
		if p := d.draft; p != nil {
			d.lastID = max(now.UnixMilli(), d.lastID+1)
			p.ID = d.lastID
			d.shown, d.draft = p, nil
			if s.state == Cancelling && len(p.Buttons) > 0 {
				_ = s.answer(p.ID, len(p.Buttons)-1) // the last leads on: the heaters are to go off, whoever is there
			}
		}
	case "end":
		d.shown, d.draft = nil, nil
	}
}

// prompt is what can be answered now.
func (s *session) prompt() *Prompt {
	if s.state == Idle || s.state.HasJob() {
		if p := s.dialog.shown; p != nil && s.onCard() && (p.Text == "Pause SD" || p.Text == "Resuming SD") {
			return nil // what our own buttons say (Marlin's M24_M25.cpp)
		}
		return s.dialog.shown
	}
	return nil
}

// answer answers the prompt with that ID. A button less than 0 only puts it away.
func (s *session) answer(id int64, button int) error {
	p := s.prompt()
	if p == nil || p.ID != id {
		return ErrNoPrompt
	}
	if button >= len(p.Buttons) {
		return fmt.Errorf("%w: there is no button %d", ErrBadCommand, button)
	}
	if button >= 0 {
		line, err := s.plainLine(p.says[button])
		if err != nil {
			return err
		}
		if why := s.knownHarm(gcode.ParseCommand(line), ""); why != "" && s.state.HasJob() { // its own macros it may know
			return refuse(why)
		}
		if err := s.queue(string(line)); err != nil {
			return err
		}
	}
	s.dialog.shown = nil
	return nil
}

// Answer answers the prompt with that ID by the number of a button, from 0; a number below 0 only puts it away. ErrNoPrompt means that it is
// no longer asked.
func (p *Printer) Answer(ctx context.Context, id int64, button int) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.answer(id, button) })
}
