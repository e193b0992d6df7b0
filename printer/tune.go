package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"math"
	"regexp"
	"strconv"
	"time"
)

// Live tuning: what a person changes while they look at the print. It goes the way of typed lines, between those of the job, and what it has come to
// is in the snapshot when the firmware has accepted it.

// Tuning is what can be tuned of the print besides heat, fan, speed and flow, and to what it is.
type Tuning struct {
	BabystepMM       float64  `json:"babystep_mm"`         // sum of the babysteps in Z that are in force; 0 after Z was homed, where the firmware then forgets them
	UnsavedMM        float64  `json:"babystep_unsaved_mm"` // of that, what SaveBabystep would keep
	PressureAdvance  *float64 `json:"pressure_advance"`    // of the first tool; null = not known
	AccelerationMMS2 float64  `json:"acceleration_mm_s2"`  // of printing moves; 0 = not known
	HasBabystep      bool     `json:"has_babystep"`        // as far as is known, the firmware takes it
	HasAdvance       bool     `json:"has_advance"`
	HasAcceleration  bool     `json:"has_acceleration"`
}

const (
	maxBabystepMM = 0.2 // in one step
	maxShiftMM    = 2.0 // in sum, either way: what is more wants the probe or the endstop put right
	maxAdvance    = 2.0
	minAccelMMS2  = 50.0
	maxAccelMMS2  = 50000.0
)

func (s *session) tuning() Tuning {
	t := &s.modal.tuned
	out := Tuning{BabystepMM: t.babystepMM, UnsavedMM: t.unsaved(), AccelerationMMS2: t.accelMMS2,
		HasBabystep: s.noBabystep() == "", HasAdvance: s.has(s.d.tunes.advance), HasAcceleration: s.has(s.d.tunes.accel)}
	if t.advanced {
		out.PressureAdvance = new(t.advance)
	}
	return out
}

// has reports whether the firmware takes a command, as far as is known.
func (s *session) has(command string) bool {
	return command != "" && !s.seen.lacks[string(commandWord([]byte(command)))]
}

// noBabystep is why there are no babysteps, for people; "" when there are, as far as is known.
func (s *session) noBabystep() string {
	said, told := s.seen.conn.Capabilities["BABYSTEPPING"]
	switch {
	case s.d.name == unknown.name:
		return "nobody knows how this firmware takes babysteps; what it knows can be typed into the console"
	case s.d.tunes.babystep == "":
		return "this firmware is not known to have babysteps"
	case told && !said, s.seen.lacks["M290"]:
		return "this firmware was built without babysteps (BABYSTEPPING)"
	case s.d.tunes.capOnly && !said:
		return "this firmware has no babysteps over USB: use Live adjust Z on the printer's own display"
	}
	return ""
}

// Babystep moves the nozzle by byMM in Z, up when positive, in a way that the job does not notice: at most 0.2 mm at once and 2 mm in sum.
func (p *Printer) Babystep(ctx context.Context, byMM float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.babystep(byMM) })
}

func (s *session) babystep(byMM float64) error {
	if err := s.tunable(); err != nil {
		return err
	}
	if why := s.noBabystep(); why != "" {
		return fmt.Errorf("%w: %s", ErrBadCommand, why)
	}
	if err := between("a babystep of", byMM, -maxBabystepMM, maxBabystepMM, " mm"); err != nil {
		return err
	}
	by := round(byMM)
	switch {
	case by == 0:
		return fmt.Errorf("%w: a babystep is at least 0.001 mm", ErrLimit)
	case s.modal.inches:
		return fmt.Errorf("%w: the file counts in inches", ErrWrongState)
	case !s.seen.homed[2]:
		return ErrNotHomed // Marlin takes no babysteps before (babystep.cpp, add_steps)
	}
	if err := between("babysteps of", round(s.shift()+by), -maxShiftMM, maxShiftMM, " mm in sum"); err != nil {
		return err
	}
	return s.queue(word(s.d.tunes.babystep, by))
}

// shift is the sum of babysteps with those that are on their way.
func (s *session) shift() float64 {
	m := s.modal.clone()
	for i := range s.aloft {
		if f := s.stream.at(i); !f.landed {
			m.tune(f.text, &s.d)
		}
	}
	for i := s.resend; i < s.next; i++ { // taken out of flight by a Resend, and to be sent again
		if f := &s.history[i%historyLines]; !f.landed {
			m.tune(f.text, &s.d)
		}
	}
	for _, text := range s.typed {
		m.tune(text, &s.d)
	}
	return m.tuned.babystepMM
}

// tunable refuses in states in which nobody prints or may move.
func (s *session) tunable() error {
	switch s.state {
	case Idle, Starting, Printing, Pausing, Paused, Resuming:
		return nil
	case Disconnected, Connecting:
		return ErrNotConnected
	}
	return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
}

// SetPressureAdvance sets a tool's factor of pressure (linear) advance, in the firmware's own unit.
func (p *Printer) SetPressureAdvance(ctx context.Context, tool int, factor float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.pressureAdvance(tool, factor) })
}

func (s *session) pressureAdvance(tool int, factor float64) error {
	if err := s.tunable(); err != nil {
		return err
	}
	command := s.d.tunes.advance
	switch {
	case !s.has(command):
		return fmt.Errorf("%w: this firmware is not known to have pressure advance", ErrBadCommand)
	case tool < 0 || tool >= max(s.profile.Nozzles, len(s.seen.nozzles), 1):
		return fmt.Errorf("%w: there is no nozzle %d", ErrLimit, tool)
	case tool > 0 && s.d.tunes.ofTool == "":
		return fmt.Errorf("%w: this firmware has one factor for all nozzles", ErrBadCommand)
	case tool > 0:
		command = fmt.Sprintf(s.d.tunes.ofTool, tool)
	}
	if err := between("a factor of", factor, 0, maxAdvance, ""); err != nil {
		return err
	}
	return s.queue(string(gcode.AppendNumber([]byte(command), factor, 4)))
}

// SetAcceleration sets the acceleration of printing moves, in mm/s².
func (p *Printer) SetAcceleration(ctx context.Context, mmS2 float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.acceleration(mmS2) })
}

func (s *session) acceleration(mmS2 float64) error {
	if err := s.tunable(); err != nil {
		return err
	}
	if !s.has(s.d.tunes.accel) {
		return fmt.Errorf("%w: this firmware is not known to take an acceleration", ErrBadCommand)
	}
	if err := between("an acceleration of", mmS2, minAccelMMS2, maxAccelMMS2, " mm/s²"); err != nil {
		return err
	}
	return s.queue(string(gcode.AppendNumber([]byte(s.d.tunes.accel), mmS2, 0)))
}

// ReadTuning asks the firmware for what nobody has set on this connection; what it says is in the snapshot then. In mid-print it takes two lines.
func (p *Printer) ReadTuning(ctx context.Context) (uint64, error) {
	var asks []string
	rev, err := p.ask(ctx, func(o *owner, _ time.Time) error { asks = o.d.tunes.asks; return o.tunable() })
	for _, line := range asks {
		if err != nil {
			return 0, err
		}
		var said []string
		said, err = p.query(ctx, func(o *owner) ([]byte, error) {
			if known := o.modal.tuned.advanced; !o.has(line) || known && line != "M204" || line == "M204" && o.modal.tuned.accelMMS2 > 0 {
				return nil, errKnown
			}
			return []byte(line), o.tunable()
		})
		if errors.Is(err, errKnown) {
			err = nil
			continue
		}
		if err == nil {
			rev, err = p.ask(ctx, func(o *owner, _ time.Time) error { o.modal.tuned.learn(said); return nil })
		}
	}
	return rev, err
}

var errKnown = errors.New("there is nothing to ask")

var (
	// "echo:Advance K=0.05", "Advance S0 K0.05(S1 K0.00)" (M900.cpp), "// pressure_advance: 0.050000" (Klipper, extruder.py),
	// "Extruder pressure advance: 0.050" (RepRapFirmware, GCodes.cpp)
	saysAdvance = regexp.MustCompile(`(?i)(?:Advance (?:S\d )?K ?(?:0:)?=?|pressure[_ ]advance: )(\d+\.?\d*)`)
	// "Acceleration: P500.00 R500.00 T500.00", "M204 P500.00 …" (M204.cpp), "Setting Print Acceleration: 500.00" (older Marlin 2),
	// "Maximum printing acceleration 500.0" (RepRapFirmware)
	saysAccel = regexp.MustCompile(`(?i)(?:Acceleration: P|M204 P|print(?:ing)? acceleration:? )(\d+\.?\d*)`)
	// "echo:Probe Offset Y-10.00 Z-1.25", "M851 X0 Y0 Z-1.25 ; (mm)" (M851.cpp), "echo:Probe Z Offset: -1.25" (Marlin 1.1)
	saysOffset = regexp.MustCompile(`(?i)(?:(?:Probe Offset|M851)(?: [XY] ?[-+]?\d+\.?\d*)* Z ?:?|Z[ -](?:Probe )?Offset ?:? ?Z?:? ?)([-+]?\d+\.?\d*)`)
)

// learn takes in what the firmware answered.
func (t *tuned) learn(lines []string) {
	if k, ok := said(saysAdvance, lines); ok && k <= maxAdvance*10 {
		t.advance, t.advanced = k, true
	}
	if a, ok := said(saysAccel, lines); ok && a <= 1e6 {
		t.accelMMS2 = a
	}
}

// said finds a number in an answer.
func said(form *regexp.Regexp, lines []string) (float64, bool) {
	for _, line := range lines {
		if found := form.FindStringSubmatch(line); found != nil {
			v, err := strconv.ParseFloat(found[1], 64)
			return v, err == nil && !math.IsInf(v, 0)
		}
	}
	return 0, false
}

// commandWord is the word that a command begins with: "M290" of "M290 P0 Z0.05".
func commandWord(text []byte) []byte {
	word, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte(" "))
	return word
}

// regardLack notices that the firmware does not know a command in flight: `echo:Unknown command: "M290 P0 Z0.05"`. Then it has not done it.
func (s *session) regardLack(r gcode.Reply) {
	if r.Kind != gcode.Unknown && r.Kind != gcode.Echo || !bytes.Contains(bytes.ToLower(r.Text), []byte("unknown command")) {
		return
	}
	for i := range s.aloft {
		f := s.stream.at(i)
		w := commandWord(f.text)
		if len(w) == 0 || !bytes.Contains(r.Text, w) {
			continue
		}
		f.refused = true
		switch name := string(w); name {
		case "M290", "M900", "M204", "M572", "M851", "SET_PRESSURE_ADVANCE", "SET_GCODE_OFFSET":
			if s.seen.lacks == nil {
				s.seen.lacks = map[string]bool{}
			}
			s.seen.lacks[name] = true
		}
		return
	}
}
