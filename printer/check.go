package printer

import (
	"layerd/gcode"
	"time"
)

// What a damaged line can do to those behind it. Marlin reports the damage, throws away what its receive ring holds by then, and asks for the
// line again (queue.cpp, gcode_line_error). What comes after that moment may begin in the middle of a line. If it happens to begin behind a
// line's number, the rest is a command without number, whose checksum nobody verifies: it is executed out of turn, and will be again
// in its turn. Nothing in a line can prevent that, so it is found out: when all that was in flight has arrived, the firmware is asked
// where its head is (without number, since the count stands still), and only when that is where the last good line leads to are the lines sent again.
//
//	Resend → checkWanted: nothing is sent until the lines behind have arrived → checkAsked: M114 → the answer is compared (session.checked)
type check uint8

const (
	noCheck check = iota
	checkWanted
	checkAsked
)

// followed reports whether lines are in flight behind line n that must not be executed before it.
func (st *stream) followed(n int64) bool {
	for i, m := range st.aloft {
		if m > n && st.at(i).lane != lanePoll {
			return true
		}
	}
	return false
}

// arrived is when all that is in flight has arrived, and what it made the firmware say has come back.
func (st *stream) arrived(now time.Time) time.Time {
	return now.Add(usbDelay + 2*st.wire.time(st.underWay()))
}

// usbDelay is more than an adapter delays both ways; FTDI's default is 16 ms.
const usbDelay = 50 * time.Millisecond

// askPlace asks where the head is.
func (st *stream) askPlace(now time.Time) []byte {
	st.check = checkAsked
	return st.sendBare(now, []byte("M114"), laneCheck, position, jobPos{layer: -1})
}

// dropCheck takes the question for the head's place out of flight.
func (st *stream) dropCheck() {
	bare := 0
	for i, n := range st.aloft {
		if n >= 0 {
			continue
		}
		if st.bare[bare].lane == laneCheck {
			st.aloft = append(st.aloft[:i], st.aloft[i+1:]...)
			st.bare = append(st.bare[:bare], st.bare[bare+1:]...)
			return
		}
		bare++
	}
}

const (
	// surely is after how many lines a question is asked, whose answer is its own, where oks do not name their lines and several are in
	// flight: else each ok that is lost or said twice would be believed for the rest of the print.
	surely = 48
	// maxFalse is how many lines may have been thought to be accepted meanwhile, because oks were said twice.
	maxFalse = 6
)

// checked compares where the head is with where the lines before the damaged one, which have all landed, lead to.
func (s *session) checked(now time.Time) {
	s.check = noCheck
	is, last := s.seen.position, &s.history[(s.resend-1)%historyLines]
	if is == nil || last.n != s.resend-1 || !last.landed || !s.certain { // the number that it asked for may have been damaged on its way
		return
	}
	meant := &last.after
	suspects := s.extra - s.unknown // oks that answered no line of ours
	away, early := !meant.at(is), ""
	for n := s.next - 1; n >= s.resend; n-- {
		text := s.history[n%historyLines].text
		after := *meant
		after.apply(gcode.ParseCommand(text), &s.modal)
		if away && after.at(is) {
			early = string(text)
			break
		}
		if suspects > 0 && (away || after.near(meant)) {
			early = string(text)
		}
	}
	switch {
	case early != "":
		s.flow.bar()
		s.suspend(now, s.resend, *meant, &Fault{Code: FaultOutOfTurn, Message: "A damaged line made the printer execute a later one too early.",
			Next: "Look at the print. Resume goes back to where it was and goes on from there. A shorter USB cable prevents it.", Said: early})
	case away:
		s.modal.head.learn(is, true) // something that we do not follow has moved it
	}
}
