package printer

import (
	"layerd/gcode"
	"time"
)

// What is done when lines or their answers get lost on the way: the firmware asks for a line again (requested), or answers nothing and is
// asked (probe).

// requested answers a Resend: its line and all after it are to be sent again. At once, unless the line may be on its way already: then
// sending it again would make the firmware ask for the next one, and so on to the end of the print. That is so when it was not damaged, and is
// asked for once more, or because of a number out of order while nothing was sent after it (an older line came twice).
// With lines in flight behind it more is to be thought of, see check.
func (st *stream) requested(now time.Time, r gcode.Reply) *Fault {
	damaged := st.damaged
	st.eatOK, st.damaged = !st.d.quiet, false
	if !st.d.numbered || r.Line >= st.next {
		// All that we sent was received: a repeated request, or Marlin's M999, which asks for the line to come.
		return nil
	}
	st.stats.Resends++
	st.health.tally.heard(1, 0, 0, 0)
	if r.Line == st.oldest && st.sure > r.Line && len(st.aloft) > 0 {
		return st.forgot(r)
	}
	if r.Line < st.oldest || st.next-r.Line > historyLines {
		return &Fault{Code: FaultResendTooOld, Message: "The printer asks for a line that was sent too long ago to be kept.",
			Next: "Check the cable and the board, then start the print again.", Said: string(r.Text)}
	}
	repeated := r.Line == st.asked
	st.certain = st.lastN == r.Line-1 || repeated
	if st.check == checkWanted { // one of the lines behind the damaged one has arrived
		st.asked = r.Line
		st.doubt = st.arrived(now)
		return nil
	}
	st.flow.trouble()
	if !repeated {
		st.asked, st.times = r.Line, 0
	}
	if st.times++; st.times > maxResends {
		return &Fault{Code: FaultResendLoop, Message: "The printer asks for the same line again and again.",
			Next: "Check the USB cable: try a shorter one, away from mains and motor wires.", Said: string(r.Text)}
	}
	if st.check == checkAsked || st.followed(r.Line) {
		if st.check == noCheck {
			st.extra, st.unknown = 0, 0
		}
		st.check, st.doubt = checkWanted, st.arrived(now)
		return nil
	}
	if at := st.find(r.Line); !damaged && at >= 0 && (repeated || at == len(st.aloft)-1) {
		st.doubt = now.Add(doubtFor + min(2*st.latency, maxDoubt))
		return nil
	}
	st.rewind(r.Line)
	return nil
}

// forgot answers a request for the very first line, long after the firmware had it: it has restarted without a word (RepRapFirmware has
// none), or the number was corrupted on its way. Sending all again would print all again, so the oldest line in flight goes again first.
func (st *stream) forgot(r gcode.Reply) *Fault {
	if st.asked != r.Line {
		st.asked, st.times = r.Line, 0
		for _, n := range st.aloft {
			if n >= 0 {
				st.rewind(n)
				return nil
			}
		}
	}
	return &Fault{Code: FaultBoardReset, Message: "The printer's board has restarted: it asks for the first line again.", Next: afterReset, Said: string(r.Text)}
}

const (
	doubtFor = 100 * time.Millisecond // longer than a line and its ok take on the wire
	maxDoubt = 3 * time.Second
)

// decide ends doubts when their time is over: the line was not on its way; whose the early ok was (if no other came) must be asked.
func (st *stream) decide(now time.Time) (ask bool) {
	if !st.doubt.IsZero() && !now.Before(st.doubt) {
		if st.check == checkWanted && st.asked < st.newest-maxFalse {
			st.check = noCheck // it goes back behind what was executed (Prusa's crash detection does): the head is somewhere else
		}
		st.rewind(st.asked)
	}
	if !st.early.IsZero() && !now.Before(st.early) {
		st.early = time.Time{}
		return true
	}
	return false
}

// rewind takes line n and all after it out of flight, to be sent again.
func (st *stream) rewind(n int64) {
	st.doubt, st.early, st.haste = time.Time{}, time.Time{}, 0
	st.resend, st.ready = n, false
	st.dropCheck()
	kept := st.aloft[:0]
	for _, m := range st.aloft {
		if m < n { // received; its ok may be yet to come
			kept = append(kept, m)
		}
	}
	st.aloft = kept
}

// probe returns a question whose answer tells whether an ok was lost: the next line in order, sent although the window is full. If the
// firmware has all lines before it, it answers; if not, it asks for the one that it lacks. The question is one that is not in flight
// already, so that its answer is its own. nil when enough are in flight.
func (st *stream) probe(now time.Time) []byte {
	questions := 0
	for i := range st.aloft {
		if st.at(i).needs != nothing {
			questions++
		}
	}
	if questions >= maxProbes {
		return nil
	}
	st.stats.Probes++
	st.health.tally.heard(0, 1, 0, 0)
	st.health.asked()
	st.doubt = time.Time{}
	switch {
	case st.check != noCheck:
		st.rewind(st.asked)
		return st.askPlace(now)
	case st.rewound():
		return st.again(now)
	}
	question, needs := "M105", temps
	for i := range st.aloft {
		if st.at(i).needs == temps {
			question, needs = "M114", position
			break
		}
	}
	return st.send(now, []byte(question), lanePoll, needs, jobPos{layer: -1})
}
