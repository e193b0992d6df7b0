package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// What a person has written for certain moments flows like this:
//
//	Scripts ─▶ SetScripts: each line is checked (scriptrules.go) and kept ─▶ at its moment custom makes a stage of each line (custom.go):
//	           its names become numbers (values.go), it is checked again, and sent or left out

// Event is a moment for which a script can be written.
type Event string

const (
	OnConnected Event = "connected" // the printer has introduced itself; before it is ready
	OnStarted   Event = "started"   // before the first line of a file
	OnPaused    Event = "paused"    // when the head has parked; not in a pause that the firmware holds itself
	OnResumed   Event = "resumed"   // when it is hot again, before the head goes back
	OnCancelled Event = "cancelled" // after heaters off and parking; not when layerd itself ends
	OnDone      Event = "done"      // after the last move
	OnFailed    Event = "failed"    // after a fault that leaves the printer answering; see answersAfter
)

// Events lists all moments, in the order in which a print meets them.
func Events() []Event {
	return []Event{OnConnected, OnStarted, OnPaused, OnResumed, OnCancelled, OnDone, OnFailed}
}

// Scripts are texts of plain G-code, as a person wrote them, by event. A semicolon begins a comment.
type Scripts map[Event]string

const (
	maxScriptLines = 50      // commands of a script
	maxScriptBytes = 8 << 10 // of its text
	maxButtonLines = 20
)

// Problem is a line that cannot be kept, and why.
type Problem struct {
	In      string `json:"in"`   // the event, or the button's label
	Line    int    `json:"line"` // from 1, as written; 0 = all of it
	Message string `json:"message"`
}

// Problems is the error of scripts and buttons that cannot be kept.
type Problems []Problem

func (p Problems) Error() string {
	if len(p) == 0 {
		return "nothing is wrong"
	}
	first := p[0]
	where := first.In
	if first.Line > 0 {
		where = fmt.Sprintf("%s, line %d", first.In, first.Line)
	}
	if len(p) > 1 {
		return fmt.Sprintf("%s: %s (and %d more)", where, first.Message, len(p)-1)
	}
	return where + ": " + first.Message
}

// written is a command of a script or button, without its comment.
type written struct {
	line int // from 1, as written
	text string
}

// readScript splits a text into its commands.
func readScript(in, text string, most int) (out []written, problems Problems) {
	if len(text) > maxScriptBytes {
		return nil, Problems{{In: in, Message: fmt.Sprintf("it is longer than %d bytes", maxScriptBytes)}}
	}
	for n, l := range strings.Split(text, "\n") {
		l, _, _ = strings.Cut(strings.TrimRight(l, "\r"), ";")
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		if !utf8.ValidString(l) || strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			problems = append(problems, Problem{In: in, Line: n + 1, Message: "it has a character that is no text"})
			continue
		}
		out = append(out, written{n + 1, l})
	}
	if len(out) > most {
		problems = append(problems, Problem{In: in, Line: out[most].line, Message: fmt.Sprintf("at most %d commands are possible", most)})
		out = out[:most]
	}
	return out, problems
}

// readScripts makes all commands of scripts, without checking what they do.
func readScripts(scripts Scripts) (out map[Event][]written, problems Problems) {
	out = map[Event][]written{}
	known := map[Event]bool{}
	for _, e := range Events() {
		known[e] = true
		lines, found := readScript(string(e), scripts[e], maxScriptLines)
		if len(lines) > 0 {
			out[e] = lines
		}
		problems = append(problems, found...)
	}
	for e := range scripts {
		if !known[e] {
			problems = append(problems, Problem{In: cut(string(e)), Message: "there is no such moment"})
		}
	}
	return out, problems
}

// Check says what is wrong with how scripts are written; the error is Problems. What their lines do is checked by the printer that has them.
func (s Scripts) Check() error {
	if _, problems := readScripts(s); len(problems) > 0 {
		return problems
	}
	return nil
}

// checkScripts says what is wrong with scripts for this printer, by its profile and what is known of its firmware.
func (s *session) checkScripts(scripts Scripts) (map[Event][]written, Problems) {
	lines, problems := readScripts(scripts)
	for _, e := range Events() {
		for _, l := range lines[e] {
			if err := s.checkWritten(e, l.text); err != nil {
				problems = append(problems, Problem{In: string(e), Line: l.line, Message: plain(err)})
			}
		}
	}
	sort.SliceStable(problems, func(i, j int) bool { return problems[i].In == problems[j].In && problems[i].Line < problems[j].Line })
	return lines, problems
}

// checkWritten checks a line as it is written: its names, and what it does with a number for each.
func (s *session) checkWritten(e Event, text string) error {
	filled, err := fill(text, func(name string) (float64, error) {
		v, err := valueNamed(name)
		if err == nil && v.ofJob && e == OnConnected {
			err = fmt.Errorf("{%s} is known only during a print", name)
		}
		return 1, err
	})
	if err != nil {
		return err
	}
	_, err = s.fitScript(e, filled)
	return err
}

// plain is an error's words without those of the sentinels in front.
func plain(err error) string {
	text := err.Error()
	for _, known := range []error{ErrBadCommand, ErrLimit} {
		text = strings.TrimPrefix(text, known.Error()+": ")
	}
	return text
}

// SetScripts replaces all scripts; they count from the next event on. The error is Problems when a line cannot be kept.
func (p *Printer) SetScripts(ctx context.Context, scripts Scripts) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		lines, problems := o.checkScripts(scripts)
		if len(problems) > 0 {
			return problems
		}
		o.custom = lines
		return nil
	})
}

// fitScript makes a line of a script, with numbers in place of its names, fit to be sent, or says why it must not be.
func (s *session) fitScript(e Event, text string) ([]byte, error) {
	c := gcode.ParseCommand([]byte(text))
	if err := allowed(e, c, s.profile); err != nil {
		return nil, err
	}
	return s.plainLine(text)
}
