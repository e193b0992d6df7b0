package printer

import "time"

// haltPatience is how long the firmware may take to say that it has stopped.
const haltPatience = 2 * time.Second

// emergencyStop sends M112 ahead of everything and drops all else. The empty line before it ends a line that was cut short by
// throwing away what the port had not sent yet. Asked for again, it only sends it again.
func (s *session) emergencyStop(now time.Time) {
	s.orders.urgent = []byte("\nM112\n")
	s.note("out", "M112")
	if s.state == Halting || s.state == Halted {
		return
	}
	if s.job != nil {
		s.endJob(now, "failed", "emergency stop")
	}
	s.cardOver(now, "failed", "emergency stop")
	s.giveUp(now, "emergency stop")
	s.state, s.script, s.typed, s.parting, s.fault, s.paused = Halting, nil, nil, nil, nil, nil
	s.hello.waiting = false
	s.seen.waiting = ""
	s.halt = &Halt{AskedMS: now.UnixMilli()}
	s.stream.reset(0)
}

// dismiss leaves Faulted, Halting or Halted: hello again, after a reset where the firmware had stopped.
func (s *session) dismiss(now time.Time) {
	stopped := s.state != Faulted || s.fault.Code == FaultFirmware
	s.giveUp(now, s.fault.reason())
	s.fault, s.halt = nil, nil
	if !s.open {
		s.state = Disconnected
		return
	}
	s.orders.reset = stopped
	if stopped && s.d.restart != "" {
		s.orders.urgent = []byte("\n" + s.d.restart + "\n")
	}
	s.restarted(now)
}

// confirmHalt is the firmware's word that it has stopped.
func (s *session) confirmHalt(said string) {
	if s.state == Halting {
		s.state = Halted
		s.halt = &Halt{AskedMS: s.halt.AskedMS, Confirmed: true, Said: said}
		s.seen.homed = [3]bool{}
	}
}

// haltDue does what is left to do when the firmware says nothing: heaters off in plain words, and the reset line, if it is wired.
func (s *session) haltDue(now time.Time) {
	if s.halt.Unconfirmed || now.Before(time.UnixMilli(s.halt.AskedMS).Add(haltPatience)) {
		return
	}
	s.halt = &Halt{AskedMS: s.halt.AskedMS, Unconfirmed: true}
	s.coolNow()
	s.orders.reset = true
	s.note("note", "the emergency stop was not confirmed: heaters off was sent, and the board reset where that is wired")
}

// coolNow sends heaters off ahead of everything, and ends the wait behind which it would stand.
func (s *session) coolNow() {
	s.orders.urgent = append(s.orders.urgent, '\n')
	if s.waits() {
		s.orders.urgent = append(s.orders.urgent, "M108\n"...)
	}
	for _, l := range s.heatersOff() {
		s.orders.urgent = append(append(s.orders.urgent, l...), '\n')
	}
}
