package guard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"layerd/camera/register"
	"layerd/printer"
)

// What the witnesses say, for people.

// otherSize is why a camera sees nothing whose pictures are not of the set-up's size.
const otherSize register.Blind = "other size"

// words says why the camera sees nothing.
func words(why register.Blind) string {
	switch why {
	case register.NoPicture:
		return "The camera gave no picture."
	case otherSize:
		return "The picture has another size than in the set-up."
	case register.Elsewhere:
		return "The head was not parked where the set-up had it."
	case register.Dark:
		return "It is too dark."
	case register.Overexposed:
		return "It is too bright."
	case register.Blurred:
		return "The picture is not sharp."
	case register.Unseen:
		return "Nothing in the picture moves with that axis."
	case register.Covered:
		return "Too much is covered of what it goes by."
	case register.CameraMoved:
		return "The camera was moved: do the set-up again."
	case register.Faint:
		return "There is too little to see for a small shift to be told."
	case register.Learning:
		return "It learns from the first layers."
	case register.Relit:
		return "The light has changed."
	}
	return ""
}

// said is what the camera says of a look.
func said(l register.Look) string {
	switch s := l.Step; {
	case s.Sure > 0 && s.Creeps:
		return fmt.Sprintf("The head may have gone %s %s: slowly, or while nothing was seen of it.", mm(s.MM), toward(axisOf(s.Axis), s.MM))
	case s.Sure > 0:
		return fmt.Sprintf("Since layer %d the head stands %s further %s.", s.SinceLayer, mm(s.MM), toward(axisOf(s.Axis), s.MM))
	case l.Sees:
		return "All is where it was."
	}
	return ""
}

// forPeople is an error as a sentence.
func forPeople(err error) string {
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "it was cancelled"
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}

func mm(v float64) string { return fmt.Sprintf("%.1f mm", math.Abs(v)) }

func toward(axis int, v float64) string {
	if v < 0 {
		return [2]string{"left", "to the front"}[axis]
	}
	return [2]string{"right", "to the back"}[axis]
}

// saidBy is what a check against the endstops says.
func saidBy(c *printer.EndstopCheck) string {
	var right, lost []string
	for k, f := range [2]printer.AxisFinding{c.X, c.Y} {
		name := [2]string{"X", "Y"}[k]
		switch {
		case !f.Checked:
		case f.OffMM == 0:
			right = append(right, name)
		default:
			text := fmt.Sprintf("%s is off by %s", name, mm(f.OffMM))
			if n := max(f.Steps, -f.Steps); n > 0 {
				text += fmt.Sprintf(": %d lost steps", n)
			} else if n := max(f.Teeth, -f.Teeth); n > 0 {
				text += fmt.Sprintf(": %d teeth of the belt", n)
			}
			lost = append(lost, text)
		}
	}
	switch c.Verdict {
	case printer.CheckLost:
		return strings.Join(lost, "; ") + "."
	case printer.CheckRight:
		if len(right) == 1 {
			return right[0] + " is where it should be."
		}
		return "X and Y are where they should be."
	}
	return c.Reason
}
