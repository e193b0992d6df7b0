package printer

import (
	"layerd/gcode"
	"strconv"
	"strings"
	"time"
)

// regard takes in what a line says of the machine, whatever it says of the conversation. It returns 1 for a line that nobody can read.
func (s *session) regard(now time.Time, r gcode.Reply) (unreadable int64) {
	s.regardTemps(now, r)
	s.regardWitness(now, r)
	s.regardUnknown(r)
	s.regardLack(r)
	s.regardCard(now, r)
	if r.Position != nil {
		p := *r.Position
		s.seen.position, s.seen.moved = &Position{XMM: p.X, YMM: p.Y, ZMM: p.Z, EMM: p.E}, false
		if len(s.typed) == 0 {
			s.seen.jogTo = nil
		}
	}
	if r.Firmware != "" {
		s.seen.conn.Firmware, s.seen.conn.Machine = cut(r.Firmware), cut(r.Fields["MACHINE_TYPE"])
	}
	switch r.Kind {
	case gcode.Busy:
		s.busyHeard = true
		s.progress(now)
		s.hello.works(now)
		if len(s.aloft) > 0 { // else it is busy with itself, and nobody waits
			s.seen.waiting = string(r.Message)
			if strings.HasPrefix(s.seen.waiting, "paused for") {
				s.regardWait(now)
			}
		}
	case gcode.Capability:
		if s.seen.conn.Capabilities == nil {
			s.seen.conn.Capabilities = map[string]bool{}
		}
		if len(s.seen.conn.Capabilities) < 100 {
			s.seen.conn.Capabilities[cut(r.Name)] = r.On
		}
	case gcode.Action:
		if !s.cardAction(now, string(r.Message)) {
			s.regardAction(now, string(r.Message))
		}
	case gcode.Error:
		s.regardError(now, r)
	case gcode.Halted:
		s.stopped(now, r)
	case gcode.Start:
		s.booted(now, r)
	case gcode.KlipperState:
		if string(r.Message) == "Disconnect" || s.hello.waiting { // "Ready" is also the answer to STATUS
			s.booted(now, r)
		}
	case gcode.Unknown:
		if !readable(r.Text) {
			s.hello.noise++
			s.patience.noise++
			return 1
		}
		if strings.HasPrefix(string(r.Text), "Emergency Stop!") { // RepRapFirmware's answer to M112
			s.stopped(now, r)
		}
	}
	s.hello.readable = s.hello.readable || s.hello.waiting
	return 0
}

// cut bounds what a firmware says of itself.
func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }

// regardAxes follows, by the lines that the firmware has accepted, whether it knows where the axes are.
func (s *session) regardAxes(f *flight) {
	c := gcode.ParseCommand(f.text)
	home, off := false, false
	switch {
	case c.Letter == 'G' && c.Number < 4, c.Is('G', 29):
		s.seen.moved = true
	case c.Is('G', 28):
		s.seen.moved, home = true, true
	case c.Is('M', 84), c.Is('M', 18):
		off = !c.Has('S') // with S it says when to switch off
	}
	if !home && !off {
		return
	}
	all := !c.Has('X') && !c.Has('Y') && !c.Has('Z') && (home || !c.Has('E')) || home && s.profile.Kinematics == "delta"
	for i, axis := range []byte("XYZ") {
		if all || c.Has(axis) {
			s.seen.homed[i] = home && !f.refused // nobody knows where an axis is once its motor is off
			if i < 2 {
				s.base[i], s.met[i] = nil, nil
			}
		}
	}
}

func (s *session) regardTemps(now time.Time, r gcode.Reply) {
	if r.Waiting {
		s.seen.waiting = "heating"
		s.progress(now)
		s.hello.works(now)
	}
	if len(r.Temps) == 0 {
		return
	}
	byNumber := false // "T:… B:… T0:… T1:…": the bare T repeats the tool in use. Smoothie's "T:… T1:…" is its first
	for _, t := range r.Temps {
		byNumber = byNumber || t.Sensor == "T0"
	}
	for _, t := range r.Temps {
		if t.TargetOnly && s.seen.tempsAt.IsZero() {
			continue // Repetier says a target before any reading
		}
		s.seen.targets = s.seen.targets || t.HasTarget
		switch tool, numbered := toolOf(t.Sensor); {
		case numbered:
			s.regardNozzle(tool, t)
		case t.Sensor == "B":
			s.seen.bed = reported(s.seen.bed, t)
			s.watch.bed.fresh, s.watch.bed.bare = !t.TargetOnly, !t.HasTarget
		case t.Sensor == "C":
			s.seen.chamber = reported(s.seen.chamber, t)
		case t.Sensor == "T" && !byNumber:
			s.regardNozzle(s.heatedTool(t), t)
		}
	}
	if !r.Temps[0].TargetOnly {
		s.seen.tempsAt, s.watch.dumb = now, time.Time{}
		s.watchTemps(now)
	}
}

// heatedTool is whose temperature a bare T is: while M109 waits and no target is said, that of the tool which it heats.
func (s *session) heatedTool(t gcode.Temp) int {
	if t.HasTarget || len(s.aloft) == 0 {
		return 0
	}
	c := gcode.ParseCommand(s.stream.at(0).text)
	if !c.Is('M', 109) {
		return 0
	}
	tool := s.modal.tool
	if v, ok := c.Float('T'); ok && v >= 0 && v < maxTools {
		tool = int(v)
	}
	return s.modal.heater(tool)
}

// toolOf reads the number of a sensor such as "T1".
func toolOf(sensor string) (tool int, ok bool) {
	digits, ok := strings.CutPrefix(sensor, "T")
	if !ok || digits == "" || len(digits) > 2 {
		return 0, false
	}
	tool, err := strconv.Atoi(digits)
	return tool, err == nil && tool >= 0 && tool < maxTools
}

func (s *session) regardNozzle(tool int, t gcode.Temp) {
	s.watch.nozzles[tool].fresh, s.watch.nozzles[tool].bare = !t.TargetOnly, !t.HasTarget
	nozzles := append([]Heater(nil), s.seen.nozzles...) // published ones are never changed
	for len(nozzles) <= tool {
		nozzles = append(nozzles, Heater{})
	}
	nozzles[tool] = *reported(&nozzles[tool], t)
	s.seen.nozzles = nozzles
}

func reported(before *Heater, t gcode.Temp) *Heater {
	h := Heater{ActualC: t.ActualC, TargetC: t.TargetC}
	if before != nil && !t.HasTarget {
		h.TargetC = before.TargetC
	}
	if before != nil && t.TargetOnly {
		h.ActualC = before.ActualC
	}
	return &h
}

// goesOnAfter lists errors after which firmware says its oks as if nothing were wrong, with its heaters off or without moving.
// ("Printer stopped": Marlin's stop; "heating fault": RepRapFirmware; "fatal:": Repetier; "halt asserted": Smoothie's thermal runaway.)
var goesOnAfter = []string{"fatal:", "printer stopped", "heating fault", "halt asserted"}

// regardError takes in an Error: line. Line errors are the conversation's, and a Resend follows them; others are kept, because a
// firmware that stops says why in the line before; some firmware goes on after an error and the print would be spoiled.
func (s *session) regardError(now time.Time, r gcode.Reply) {
	lower := strings.ToLower(string(r.Text))
	for _, part := range []string{"checksum", "line number", "last line"} {
		if strings.Contains(lower, part) {
			return
		}
	}
	asked := false // by a person, and so not the job's
	if len(s.aloft) > 0 {
		f := s.stream.at(0)
		f.refused, asked = true, f.lane == laneTyped || f.custom
	}
	for _, part := range goesOnAfter {
		if strings.Contains(lower, part) {
			s.stopped(now, r)
			return
		}
	}
	if s.d.fatal && (s.job != nil && !asked || s.state == Faulted) {
		s.stopped(now, r)
		return
	}
	s.seen.lastError = string(r.Text)
}

// stopped is the firmware's word that it has stopped for good.
func (s *session) stopped(now time.Time, r gcode.Reply) {
	said := string(r.Text)
	if s.seen.lastError != "" && s.seen.lastError != said {
		said = s.seen.lastError + " — " + said
	}
	switch s.state {
	case Halting, Halted:
		s.confirmHalt(said)
		return
	case Faulted:
		if s.fault.Said == "" || strings.HasPrefix(s.fault.Said, onlyState) {
			f := *s.fault
			f.Said = said
			s.fault = &f
		}
		return
	}
	s.state = max(s.state, Idle) // it has answered: this is a fault of the machine, not of the connection
	s.fail(now, &Fault{Code: FaultFirmware, Message: "The printer's firmware has stopped.",
		Next: "Look at the printer and find the cause before you reset it.", Said: said})
	if s.d.why != "" && strings.HasPrefix(said, onlyState) {
		s.note("out", s.d.why)
		s.orders.urgent = []byte("\n" + s.d.why + "\n")
	}
}

// onlyState is how Klipper says that it has shut down. Why it did, it says when it is asked, with a "!!" (klippy/gcode.py, cmd_STATUS).
const onlyState = "// Klipper state:"

// booted is the board's word that it has just started.
func (s *session) booted(now time.Time, r gcode.Reply) {
	s.seen.lastError = ""
	switch {
	case s.state == Halting:
		s.confirmHalt("The board restarted: " + string(r.Text))
	case s.state == Connecting && s.hello.waiting:
		s.hello.again = now // it listens now
		s.hello.readable = true
	case s.state == Connecting, s.state == Idle, s.onCard():
		s.cardOver(now, "failed", "the printer's board restarted")
		s.note("note", "the board has restarted")
		s.restarted(now)
	case s.state.HasJob():
		s.fail(now, &Fault{Code: FaultBoardReset, Message: "The printer's board restarted during the print.", Next: afterReset, Said: string(r.Text)})
		s.seen.homed = [3]bool{}
	}
}

const afterReset = "Look at the power supply and the USB cable. The print cannot go on: the board has forgotten where it is."

// readable reports whether a line looks like text, as it does at the right speed.
func readable(text []byte) bool {
	odd := 0
	for _, c := range string(text) {
		if c == '\uFFFD' || c < ' ' && c != '\t' {
			odd++
		}
	}
	return len(text) > 0 && odd*10 <= len(text)
}
