package printer

import (
	"bytes"
	"fmt"
	"layerd/gcode"
	"math"
	"strings"
)

// What people ask for between the lines of a job: checked here, put into the queue, and sent by session.write.

const maxTyped = 64 // lines waiting

// spoken reports whether an M command's words are for people, or name files.
func spoken(m int) bool {
	switch m {
	case 0, 1, 16, 20, 23, 28, 30, 32, 33, 36, 38, 98, 117, 118, 291, 486, 550, 551, 552, 587, 588, 589, 928:
		return true
	}
	return m >= 810 && m <= 819 // Marlin's macros
}

// typedLine makes a line that a person typed fit to be sent: one command, without comment, in upper case where that matters, and harmless to a print under way.
func (s *session) typedLine(text string) ([]byte, error) {
	line, err := s.plainLine(text)
	if err != nil {
		return nil, err
	}
	c := gcode.ParseCommand(line)
	switch hot := gcode.TargetsOf(line) != (gcode.Targets{}); {
	case s.state == Faulted && hot:
		return nil, fmt.Errorf("%w: the printer is %v, and nothing is heated", ErrWrongState, s.state)
	case s.state == Faulted && !isOne(c, 'M', answers) && allowed(OnFailed, c, s.profile) != nil:
		return nil, fmt.Errorf("%w: after a fault only heaters and fans off, lights, words and questions are sent", ErrWrongState)
	case s.state.HasJob():
		if why := s.harm(c); why != "" {
			return nil, refuse(why)
		}
		if s.state == Cancelling && hot {
			return nil, fmt.Errorf("%w: the printer is %v, and nothing is heated", ErrWrongState, s.state)
		}
	}
	return line, nil
}

// answers lists what may be typed after a fault besides: questions, and what ends a wait.
var answers = []int{20, 27, 31, 105, 108, 114, 115, 119, 122, 123, 155, 503, 876}

func valued(c gcode.Command, letter byte) bool {
	_, ok := c.Float(letter)
	return c.Letter != 0 && ok
}

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrBadCommand, why) }

// plainLine is the part of it that counts whatever the printer does.
func (s *session) plainLine(text string) ([]byte, error) {
	scan := gcode.NewScanner(strings.NewReader(text))
	if !scan.Scan() {
		if scan.Err() != nil {
			return nil, refuse(scan.Err().Error())
		}
		return nil, refuse("it is empty")
	}
	line := append([]byte(nil), scan.Line().Text...)
	if scan.Scan() {
		return nil, refuse("one command at a time")
	}
	c := gcode.ParseCommand(line)
	switch c.Letter { // Marlin takes upper case only
	case 'G', 'M', 'T':
		if c.Letter == 'M' && spoken(c.Number) || bytes.IndexByte(c.Args, '"') >= 0 {
			line[0] = c.Letter
		} else {
			line = bytes.ToUpper(line)
			c = gcode.ParseCommand(line)
		}
	}
	if s.d.numbered && line[0]|0x20 == 'n' { // sent without a number it would be taken for one
		return nil, refuse("a line must not begin with N, which the firmware takes for a line number")
	}
	if c.Is('M', 110) {
		return nil, refuse("it would break the line count that layerd keeps")
	}
	if !(c.Letter == 'M' && spoken(c.Number)) && !c.Is('G', 53) && (valued(c, 'G') || valued(c, 'M')) {
		return nil, refuse("one command at a time") // Smoothie and RepRapFirmware take several in a line
	}
	if err := s.withinLimits(line); err != nil {
		return nil, err
	}
	line, err := s.fit(line)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return line, nil
}

// queue puts lines into the queue for typed commands, all or none; those that end a wait come first.
func (s *session) queue(texts ...string) error {
	switch {
	case !s.open || s.state == Connecting:
		return ErrNotConnected
	case s.state == Halting || s.state == Halted:
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	case len(s.typed)+len(texts) > maxTyped:
		return ErrBusyQueue
	}
	for _, t := range texts {
		if line := []byte(t); letsGo(line) {
			s.typed = append([][]byte{line}, s.typed...)
		} else {
			s.typed = append(s.typed, line)
		}
	}
	return nil
}

// between refuses a number that is not within limits (or is not a number).
func between(what string, v, low, high float64, unit string) error {
	if !(v >= low && v <= high) {
		return fmt.Errorf("%w: %s %g%s is not between %g and %g", ErrLimit, what, v, unit, low, high)
	}
	return nil
}

// free refuses in states in which nobody but the job may move the machine.
func (s *session) free() error {
	switch s.state {
	case Idle, Paused:
		if s.probing() {
			return fmt.Errorf("%w: the switches are being looked at", ErrWrongState)
		}
		if s.occupied() {
			return fmt.Errorf("%w: the printer itself holds the print, and would move only when it goes on", ErrWrongState)
		}
		return nil
	case Disconnected, Connecting:
		return ErrNotConnected
	}
	return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
}

func (s *session) home(axes string) error {
	if err := s.free(); err != nil {
		return err
	}
	axes = strings.ToUpper(axes)
	if strings.Trim(axes, "XYZ") != "" {
		return fmt.Errorf("%w: axes are x, y and z", ErrBadCommand)
	}
	if s.state == Paused && (axes == "" || strings.Contains(axes, "Z")) {
		return fmt.Errorf("%w: homing Z in the middle of a print would press the nozzle into it", ErrBadCommand)
	}
	text := "G28"
	for _, a := range "XYZ" {
		if strings.ContainsRune(axes, a) {
			text += " " + string(a)
		}
	}
	err := s.queue(text, "M114")
	if err == nil {
		s.seen.moved, s.seen.jogTo = true, nil
	}
	return err
}

const blindJog = 50 // mm that may be jogged when nobody knows where the head is

// jog moves one axis: where its place is known, to a place inside the volume (so that no report that comes late can lead out of it),
// else by a small step.
func (s *session) jog(axis byte, by float64) error {
	if err := s.free(); err != nil {
		return err
	}
	i := strings.IndexByte("xyz", axis|0x20)
	if i < 0 {
		return fmt.Errorf("%w: axes are x, y and z", ErrBadCommand)
	}
	speed := s.profile.TravelMMS
	if i == 2 {
		speed = s.profile.LiftMMS
	}
	at := s.whereTo()
	mode, to := "G91", by
	if at != nil && s.allHomed() {
		moved := *at
		place := []*float64{&moved.XMM, &moved.YMM, &moved.ZMM}[i]
		low, high := s.profile.span(i, moved, s.modal.tool)
		to = math.Min(math.Max(*place+by, low), high)
		if !((to-*place)*by > 0) {
			return fmt.Errorf("%w: the head is at the end of its %c axis", ErrLimit, axis&^0x20)
		}
		mode, *place, at = "G90", to, &moved
	} else if err := between("a step of", by, -blindJog, blindJog, " mm before homing"); err != nil {
		return err
	}
	err := s.queue(s.inMode(mode, word("G0 "+string(axis&^0x20), to)+word(" F", gcode.FeedWord(speed)))...)
	if err == nil && mode == "G90" {
		s.seen.jogTo = at
	}
	return err
}

// whereTo is where the head will be when the jogs so far are done; nil when nobody knows.
func (s *session) whereTo() *Position {
	if s.seen.jogTo == nil && !s.seen.moved {
		return s.seen.position
	}
	return s.seen.jogTo
}

// jogTo moves one axis to a place.
func (s *session) jogTo(axis byte, to float64) error {
	if err := s.free(); err != nil {
		return err
	}
	at, i := s.whereTo(), strings.IndexByte("xyz", axis|0x20)
	switch {
	case i < 0:
		return fmt.Errorf("%w: axes are x, y and z", ErrBadCommand)
	case math.IsNaN(to) || math.IsInf(to, 0):
		return fmt.Errorf("%w: that is no place", ErrLimit)
	case at == nil || !s.allHomed():
		return ErrNotHomed
	}
	by := to - [3]float64{at.XMM, at.YMM, at.ZMM}[i]
	if by == 0 {
		return nil
	}
	return s.jog(axis, by)
}

// maxExtrudeMMS is as fast as Marlin's stock extruder goes (DEFAULT_MAX_FEEDRATE, 25 mm/s), with some room.
const maxExtrudeMMS = 20

func (s *session) extrude(by, mmS float64) error {
	if err := s.free(); err != nil {
		return err
	}
	if err := between("a length of", by, -200, 200, " mm"); err != nil {
		return err
	}
	if mmS == 0 {
		mmS = s.profile.ExtrudeMMS
	} else if err := between("a speed of", mmS, 0.1, maxExtrudeMMS, " mm/s"); err != nil {
		return err
	}
	if !s.hot() {
		return fmt.Errorf("%w: the nozzle must be at %g °C or more to move filament", ErrLimit, s.profile.MinExtrudeC)
	}
	return s.queue(s.inMode("M83", word("G1 E", by)+word(" F", gcode.FeedWord(mmS)))...)
}

// inMode wraps a move into a mode (G90, G91 or M83) and brings back the modes of before, and asks where the head is then.
func (s *session) inMode(mode, move string) []string {
	before := s.modal.clone()
	for _, t := range s.typed {
		before.apply(t, s.d.g90SetsE)
	}
	out := []string{mode, move}
	if before.inches {
		out = []string{"G21", mode, move, "G20"}
	}
	switch {
	case mode == "G90" && before.relXYZ:
		out = append(out, "G91")
	case mode == "G91" && !before.relXYZ:
		out = append(out, "G90")
	}
	// G90 and G91 set E's mode too on some firmware.
	if mode == "M83" && before.relE {
		return append(out, "M114")
	}
	if before.relE {
		return append(out, "M83", "M114")
	}
	return append(out, "M82", "M114")
}

// heat sets a target. Off is allowed whatever the state, as long as there is somebody to hear it.
func (s *session) heat(command string, targetC, limitC float64) error {
	if err := between("a target of", targetC, 0, limitC, " °C"); err != nil {
		return err
	}
	if targetC > 0 && (s.state == Faulted || s.state == Halting || s.state == Halted || s.state == Cancelling) {
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	}
	if s.open && (s.state == Halting || s.state == Halted) { // it may hear, though it should not have to
		s.coolNow()
		return nil
	}
	return s.queue(command + string(gcode.AppendNumber([]byte(" S"), targetC, 1)))
}

func (s *session) fan(percent float64) error {
	if err := between("a fan at", percent, 0, 100, " %"); err != nil {
		return err
	}
	if percent == 0 {
		return s.queue("M107")
	}
	return s.queue(string(gcode.AppendNumber([]byte("M106 S"), percent*2.55, 0)))
}

// factor sets M220 (speed) or M221 (flow).
func (s *session) factor(command, what string, percent float64) error {
	if err := between(what, percent, 10, 300, " %"); err != nil {
		return err
	}
	if s.state == Faulted || s.state == Halting || s.state == Halted {
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	}
	return s.queue(string(gcode.AppendNumber([]byte(command+" S"), percent, 0)))
}
