package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"math"
	"strings"
	"time"
	"unicode"
)

// ButtonGroup is some buttons that a person has made, under one name.
type ButtonGroup struct {
	Name    string   `json:"name"`
	Buttons []Button `json:"buttons"`
}

// Button sends lines that a person has written, as if they were typed.
type Button struct {
	ID      int           `json:"id"` // names it; given once, never to another
	Label   string        `json:"label"`
	Lines   string        `json:"lines"`   // G-code; {value} is the number, and other names are those of ScriptValues
	Confirm string        `json:"confirm"` // to be asked before; "" = nothing is asked
	Number  *ButtonNumber `json:"number"`  // to be asked for; null = none
}

// ButtonNumber is the one number that a button asks for.
type ButtonNumber struct {
	Label   string  `json:"label"`
	Unit    string  `json:"unit"` // shown behind it, "" for none
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Step    float64 `json:"step"`
	Default float64 `json:"default"`
}

const (
	maxGroups       = 20
	maxGroupButtons = 30
	maxLabel        = 40  // bytes of a name, a label or a unit
	maxConfirm      = 200 // bytes
	maxButtonNumber = 1e5 // either way
	valueName       = "value"
)

// buttonNever lists the M commands that no button may hide behind a label.
var buttonNever = map[int]bool{110: true, 112: true, 502: true, 575: true, 997: true}

// CheckButtons says what is wrong with groups for this printer. The error is Problems.
func (p *Printer) CheckButtons(ctx context.Context, groups []ButtonGroup) error {
	_, err := p.ask(ctx, func(o *owner, _ time.Time) error {
		if problems := o.checkButtons(groups); len(problems) > 0 {
			return problems
		}
		return nil
	})
	return err
}

// Press sends a button's lines, all or none, by the rules for what is typed: in the middle of a print those of the console count. number is what the
// button asks for, and means nothing where it asks for none.
func (p *Printer) Press(ctx context.Context, b Button, number float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		texts, err := o.pressed(now, b, number)
		if err != nil {
			return err
		}
		return o.queue(texts...)
	})
}

// pressed makes the lines that a button sends now.
func (s *session) pressed(now time.Time, b Button, number float64) (texts []string, err error) {
	if b.Number != nil {
		if err := between(b.Number.Label+" of", number, b.Number.Min, b.Number.Max, " "+b.Number.Unit); err != nil {
			return nil, err
		}
	}
	lines, problems := readScript(b.Label, b.Lines, maxButtonLines)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrBadCommand, problems[0].Message)
	}
	for _, l := range lines {
		line, err := s.buttonLine(l.text, s.state, func(name string) (float64, error) {
			if name == valueName && b.Number != nil {
				return number, nil
			}
			return s.valueNow(now, name)
		})
		if err != nil {
			return nil, fmt.Errorf("line %d of %q: %w", l.line, b.Label, err)
		}
		texts = append(texts, string(line))
	}
	return texts, nil
}

// buttonLine makes a line of a button fit to be sent in a state.
func (s *session) buttonLine(text string, in State, number func(name string) (float64, error)) ([]byte, error) {
	filled, err := fill(text, number)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadCommand, err)
	}
	c := gcode.ParseCommand([]byte(filled))
	if in == Faulted { // nobody knows what has happened: an operator's tap only cools
		if err := allowed(OnFailed, c, s.profile); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Letter == 'M' && buttonNever[c.Number]:
		return nil, fmt.Errorf("%w: M%d may not stand in a button", ErrBadCommand, c.Number)
	case c.Letter == 'N':
		return nil, fmt.Errorf("%w: layerd numbers the lines itself", ErrBadCommand)
	}
	if in == s.state {
		return s.typedLine(filled)
	}
	return s.plainLine(filled)
}

func (s *session) checkButtons(groups []ButtonGroup) (problems Problems) {
	add := func(in string, line int, why string, args ...any) {
		problems = append(problems, Problem{In: in, Line: line, Message: fmt.Sprintf(why, args...)})
	}
	if len(groups) > maxGroups {
		add("groups", 0, "at most %d are possible", maxGroups)
		return problems
	}
	ids := map[int]bool{}
	for _, g := range groups {
		if err := checkLabel(g.Name); err != nil {
			add(cut(g.Name), 0, "the group's name %v", err)
		}
		if len(g.Buttons) > maxGroupButtons {
			add(cut(g.Name), 0, "at most %d buttons are possible", maxGroupButtons)
			return problems
		}
		for _, b := range g.Buttons {
			if b.ID < 0 || b.ID > 0 && ids[b.ID] {
				add(cut(b.Label), 0, "two buttons have the id %d", b.ID)
			}
			ids[b.ID] = true
			problems = append(problems, s.checkButton(b)...)
		}
	}
	return problems
}

func (s *session) checkButton(b Button) (problems Problems) {
	in := cut(b.Label)
	add := func(line int, err error) {
		problems = append(problems, Problem{In: in, Line: line, Message: plain(err)})
	}
	if err := checkLabel(b.Label); err != nil {
		add(0, fmt.Errorf("the label %w", err))
	}
	if len(b.Confirm) > maxConfirm || words(b.Confirm) != strings.TrimSpace(b.Confirm) {
		add(0, fmt.Errorf("the question is longer than %d bytes, or has characters that are no text", maxConfirm))
	}
	if b.Number != nil {
		if err := b.Number.check(); err != nil {
			add(0, err)
			return problems
		}
	}
	lines, found := readScript(in, b.Lines, maxButtonLines)
	if problems = append(problems, found...); len(lines) == 0 && len(found) == 0 {
		add(0, fmt.Errorf("it has no line to send"))
	}
	used := false
	for _, l := range lines {
		used = used || strings.Contains(l.text, "{"+valueName+"}")
		if err := s.checkButtonLine(l.text, b.Number); err != nil {
			add(l.line, err)
		}
	}
	if b.Number != nil && !used {
		add(0, fmt.Errorf("it asks for a number, and no line has {value}"))
	}
	return problems
}

// checkButtonLine tries a line with the least and the greatest number.
func (s *session) checkButtonLine(text string, n *ButtonNumber) error {
	tries := []float64{1}
	if n != nil {
		tries = []float64{n.Min, n.Max}
	}
	for _, v := range tries {
		_, err := s.buttonLine(text, Idle, func(name string) (float64, error) {
			if name == valueName && n != nil {
				return v, nil
			}
			if name == valueName {
				return 0, fmt.Errorf("{value} is the number that a button asks for, and this one asks for none")
			}
			_, err := valueNamed(name)
			return 1, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *ButtonNumber) check() error {
	for _, v := range []float64{n.Min, n.Max, n.Step, n.Default} {
		if !(math.Abs(v) <= maxButtonNumber) { // also catches NaN
			return fmt.Errorf("the number's limits, step and start are between -%g and %g", maxButtonNumber, maxButtonNumber)
		}
	}
	switch {
	case checkLabel(n.Label) != nil:
		return fmt.Errorf("the number's name %w", checkLabel(n.Label))
	case n.Unit != "" && checkLabel(n.Unit) != nil:
		return fmt.Errorf("the number's unit %w", checkLabel(n.Unit))
	case n.Min >= n.Max:
		return fmt.Errorf("the number's least, %g, is not below its greatest, %g", n.Min, n.Max)
	case n.Step <= 0 || n.Step > n.Max-n.Min:
		return fmt.Errorf("the number's step, %g, is not between 0 and %g", n.Step, n.Max-n.Min)
	case n.Default < n.Min || n.Default > n.Max:
		return fmt.Errorf("the number begins at %g, which is not between %g and %g", n.Default, n.Min, n.Max)
	}
	return nil
}

// checkLabel says what is wrong with a name that people read.
func checkLabel(text string) error {
	if strings.TrimSpace(text) == "" || len(text) > maxLabel || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || words(text) != strings.TrimSpace(text) {
		return fmt.Errorf("must have 1 to %d bytes of text", maxLabel)
	}
	return nil
}
