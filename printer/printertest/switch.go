package printertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Switch is what an axis homes to. The zero value is a perfect one that closes at 0, with 2 mm of way behind it.
type Switch struct {
	Kind         SwitchKind
	Max          bool    // it is at the far end
	AtMM         float64 // where it closes, on the bed's scale, which is where the firmware believes the axis after homing; 0 = 0, or the bed's size at the far end
	OvertravelMM float64 // way from there to the frame; 0 = 2
	HysteresisMM float64 // it opens so much before the place at which it closed
	SigmaMM      float64 // standard deviation of the place at which it closes
	BounceMM     float64 // so close to that place it reads now this way and now that
	Scatter      int     // Sensorless: it takes up to so many full steps ahead of the frame for the frame; 0 = 4
}

// SwitchKind is what a Switch is, or what is wrong with it.
type SwitchKind uint8

const (
	Mechanical  SwitchKind = iota
	StuckOpen              // it never closes, and homing runs into the frame
	StuckClosed            // it is always closed, and homing is content wherever the carriage stands
	NoSwitch               // there is none: M119 does not name it, and homing calls the place home where the carriage stands
	Sensorless             // the driver feels the frame while homing; M119 always reads open
)

var switchKinds = map[string]SwitchKind{"sound": Mechanical, "stuck-open": StuckOpen, "stuck-closed": StuckClosed, "none": NoSwitch, "sensorless": Sensorless}

// SwitchForm is what ParseSwitch reads, for people.
const SwitchForm = `min or max, the end where the switch is, and behind a comma each what it is like:
  at=-5             where it closes, in mm on the bed's scale: there the firmware believes the axis after homing
  overtravel=2      way in mm behind that to the frame, where the motor loses steps
  hysteresis=0.1    it opens so many mm before
  sigma=0.03        standard deviation in mm of where it closes
  bounce=0.05       so many mm around that it reads now open, now closed
  scatter=4         sensorless: full steps ahead of the frame that it takes for the frame
  stuck-open, stuck-closed, none, sensorless`

// ParseSwitch reads SwitchForm, such as "max,at=225,sigma=0.03". Errors name the item.
func ParseSwitch(spec string) (Switch, error) {
	var s Switch
	for i, item := range strings.Split(spec, ",") {
		name, value, valued := strings.Cut(strings.TrimSpace(item), "=")
		kind, isKind := switchKinds[name]
		var err error
		switch {
		case i == 0:
			if s.Max = name == "max"; !s.Max && name != "min" || valued {
				err = errors.New("want min or max first")
			}
		case isKind && !valued:
			s.Kind = kind
		case name == "scatter":
			s.Scatter, err = strconv.Atoi(value)
		default:
			to, ok := map[string]*float64{"at": &s.AtMM, "overtravel": &s.OvertravelMM, "hysteresis": &s.HysteresisMM, "sigma": &s.SigmaMM, "bounce": &s.BounceMM}[name]
			if !ok {
				return Switch{}, fmt.Errorf("switch %q: item %q is unknown", spec, item)
			}
			*to, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return Switch{}, fmt.Errorf("switch %q: item %q: %w", spec, item, err)
		}
	}
	return s, s.check()
}

func (s Switch) check() error {
	switch {
	case !(s.AtMM >= -5000 && s.AtMM <= 5000):
		return fmt.Errorf("a switch at %g mm: want -5000 to 5000", s.AtMM)
	case !(s.OvertravelMM >= 0 && s.OvertravelMM <= 100):
		return fmt.Errorf("overtravel of %g mm: want 0 to 100", s.OvertravelMM)
	case !(min(s.HysteresisMM, s.SigmaMM, s.BounceMM) >= 0 && max(s.HysteresisMM, s.SigmaMM, s.BounceMM) <= 10):
		return fmt.Errorf("hysteresis %g, sigma %g, bounce %g mm: want 0 to 10", s.HysteresisMM, s.SigmaMM, s.BounceMM)
	case s.Scatter < 0 || s.Scatter > 100:
		return fmt.Errorf("scatter of %d full steps: want 0 to 100", s.Scatter)
	}
	return nil
}

// slackMM is how far a carriage can travel beyond the end of its way before it hits the frame, where nothing else is said.
const slackMM = 2

// closeEnough keeps rounding from mattering where a carriage stands exactly at the switch.
const closeEnough = 1e-6

// stop is a switch at work.
type stop struct {
	Switch
	way      float64 // +1 or -1: the way to it
	closesAt float64 // true place where it closes this time
	closed   bool
	dice     *rand.Rand
}

// newStop makes the switch of an axis that is size long, and says where the frame is.
func newStop(s Switch, size float64, dice *rand.Rand) (_ stop, frame [2]float64) {
	frame = [2]float64{-slackMM, size + slackMM}
	if s.OvertravelMM == 0 {
		s.OvertravelMM = slackMM
	}
	if s.Kind == Sensorless {
		s.OvertravelMM = 0 // the frame itself is home
	}
	if s.Scatter == 0 {
		s.Scatter = 4
	}
	way := -1.0
	if s.Max {
		way = 1
		if s.AtMM == 0 {
			s.AtMM = size
		}
		frame[1] = s.AtMM + s.OvertravelMM
	} else {
		frame[0] = s.AtMM - s.OvertravelMM
	}
	return stop{Switch: s, way: way, closesAt: s.AtMM, dice: dice}, frame
}

// pressed is how far a carriage at a true place is beyond the point where the switch closes; negative before it.
func (s *stop) pressed(at float64) float64 { return (at - s.closesAt) * s.way }

// moved tells the switch that the carriage has come to a place, straight from where it was.
func (s *stop) moved(at float64) {
	switch d := s.pressed(at); {
	case d >= -closeEnough:
		s.closed = true
	case s.closed && d < -s.HysteresisMM-closeEnough:
		s.closed = false
		s.closesAt = s.draw()
	}
}

// draw is where the switch will close the next time.
func (s *stop) draw() float64 {
	if s.SigmaMM == 0 {
		return s.AtMM
	}
	return s.AtMM + s.SigmaMM*s.dice.NormFloat64()
}

// reads is what its wire says while the carriage is at a place.
func (s *stop) reads(at float64) bool {
	d := s.pressed(at)
	switch {
	case s.Kind != Mechanical:
		return s.Kind == StuckClosed
	case s.BounceMM > 0 && max(d, -d) < s.BounceMM:
		return s.dice.IntN(2) == 0
	case d >= -closeEnough:
		return true
	}
	return s.closed && d >= -s.HysteresisMM-closeEnough
}

// sayEndstops is M119: the switches see the true place, whatever the firmware believes, and the moves go on meanwhile.
func sayEndstops(f *firmware) bool {
	at := f.realAt(f.now)
	if f.EndstopsForm != "" {
		f.say(f.endstopsLine(at))
		return true
	}
	f.say("Reporting endstop status")
	for i := range f.stops {
		if s := &f.stops[i]; s.Kind != NoSwitch {
			f.sayf("%c_%s: %s", 'x'+i, s.end(), f.stopWord(s, at[i]))
		}
	}
	return true
}

func (s *stop) end() string {
	if s.Max {
		return "max"
	}
	return "min"
}

// stopWord is how the firmware calls what a switch reads.
func (f *firmware) stopWord(s *stop, at float64) string {
	word := f.OpenWord
	if s.reads(at) {
		word = f.StopWord
	}
	if s.Max {
		word = strings.Replace(word, "min", "max", 1)
	}
	return word
}

// endstopsLine fills EndstopsForm: what stands there before each word names the axis, unless it has no switch.
func (f *firmware) endstopsLine(at [3]float64) string {
	labels, text := strings.Split(f.EndstopsForm, "%s"), ""
	for i := range f.stops {
		s, label := &f.stops[i], labels[i]
		if text == "" || text[len(text)-1] == ' ' {
			label = strings.TrimLeft(label, " ")
		}
		switch {
		case s.Kind != NoSwitch:
			text += strings.Replace(label, "min", s.end(), 1) + f.stopWord(s, at[i])
		case f.NoStopWord != "":
			text += label + f.NoStopWord
		default:
			text += label[:strings.LastIndexByte(label, ' ')+1]
		}
	}
	return text + labels[len(f.stops)]
}
