package printer

import (
	"fmt"
	"time"
)

// hello is how a conversation begins, while nobody has answered: at each speed in turn "M110 N0" is said until an ok comes back.
// M110 sets the firmware's line count; it takes effect when it is executed, so nothing numbered may follow before its ok.
type hello struct {
	waiting  bool // nobody has answered yet
	answered bool // an ok has come
	readable bool // something that we can read came at this speed
	noise    int  // lines that nobody can read, at this speed
	bauds    []int
	baud     int       // index of the one that is being tried
	again    time.Time // when to say it again
	until    time.Time // when to try the next speed
	giveUp   time.Time
	busy     time.Time // the firmware said that it is at work: it will answer, and more hellos would only fill its buffer
}

const (
	// A board that resets when its port is opened boots for 0.5 to 8 s (boot loader, then settings) and hears nothing meanwhile.
	helloPatience = 15 * time.Second
	helloEvery    = time.Second
	helloPerBaud  = 2500 * time.Millisecond
	helloRounds   = 2
	helloBusy     = 5 * time.Second // signs of work come every 2 s where they come
)

// Bauds are the speeds that are tried when none is configured, the likeliest first.
var bauds = []int{115200, 250000, 230400, 57600, 500000, 1000000, 38400, 19200, 9600}

// Bauds returns the speeds that detection tries, in its order.
func Bauds() []int { return append([]int(nil), bauds...) }

func (s *session) greet(now time.Time, try []int) {
	s.hello = hello{waiting: true, bauds: try, again: now}
	s.hello.until, s.hello.giveUp = now.Add(helloPerBaud), now.Add(helloPatience)
	if len(try) > 1 {
		s.hello.giveUp = now.Add(helloRounds * time.Duration(len(try)) * helloPerBaud)
	}
}

// greeting returns the hello when it is time for one.
func (s *session) greeting(now time.Time) []byte {
	h := &s.hello
	if !h.waiting || now.Before(h.again) {
		return nil
	}
	if !h.busy.IsZero() && now.Before(h.busy.Add(helloBusy)) && len(s.aloft) > 0 {
		h.again = h.busy.Add(helloBusy)
		return nil
	}
	h.again = now.Add(helloEvery)
	s.note("out", "M110 N0")
	if len(s.aloft) > maxProbes {
		s.stream.reset(0) // nobody will answer those any more
	}
	// The empty line ends whatever the port has put into the firmware's buffer before.
	b := s.sendBare(now, []byte("N0 M110 N0*125"), laneScript, nothing, jobPos{})
	return append([]byte{'\n'}, b...)
}

// works takes in that the firmware is at something that holds up its answer, such as a print from its own card that heats.
func (h *hello) works(now time.Time) {
	if h.waiting {
		h.busy, h.giveUp, h.until = now, later(h.giveUp, now.Add(helloPatience)), later(h.until, now.Add(helloPatience))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// end is when to give up: not while something readable comes at the speed that is being tried.
func (h *hello) end() time.Time {
	if h.readable && h.until.After(h.giveUp) {
		return h.until
	}
	return h.giveUp
}

// greeted goes on from the hello: to the introduction when it was answered, to the next speed or to the end when it was not.
func (s *session) greeted(now time.Time) {
	h := &s.hello
	if !h.waiting {
		return
	}
	if h.answered {
		h.waiting = false
		s.stream.reset(0)
		s.introduce(now)
		return
	}
	if !now.Before(h.end()) {
		f := &Fault{Code: FaultSilent, Message: fmt.Sprintf("Nothing answers on %s%s.", s.seen.conn.Port, s.atBaud()),
			Next: "Check that the printer is switched on and that this is its port."}
		if h.noise > 0 && !h.readable {
			f = &Fault{Code: FaultGarbled, Message: fmt.Sprintf("What comes from %s%s cannot be read.", s.seen.conn.Port, s.atBaud()),
				Next: "The speed is probably wrong: choose the one that the firmware was built for, or let it be detected."}
		}
		s.fail(now, f)
		return
	}
	if len(h.bauds) > 1 && (!now.Before(h.until) || h.noise > 3 && !h.readable) {
		h.baud = (h.baud + 1) % len(h.bauds)
		s.seen.conn.Baud = h.bauds[h.baud]
		s.orders.baud = h.bauds[h.baud]
		s.stream.reset(0)
		h.again, h.until, h.readable, h.noise = now, now.Add(helloPerBaud), false, 0
	}
}

func (s *session) atBaud() string {
	if len(s.hello.bauds) > 1 {
		return fmt.Sprintf(", at any of %d speeds", len(s.hello.bauds))
	}
	return fmt.Sprintf(" at %d baud", s.seen.conn.Baud)
}

// restarted begins anew on the open port: the board has just booted, or a person wants to go on after a fault.
func (s *session) restarted(now time.Time) {
	s.state, s.script, s.typed, s.parting = Connecting, nil, nil, nil
	s.dialog.shown, s.dialog.draft = nil, nil
	s.modal = freshModal(s.profile)
	s.seen.homed, s.seen.position, s.seen.jogTo, s.seen.waiting, s.seen.autoTemps = [3]bool{}, nil, nil, "", false
	s.stream.reset(0)
	s.greet(now, []int{s.seen.conn.Baud})
}

// introduce asks who is there and what it can do, and ends in Idle.
func (s *session) introduce(now time.Time) {
	s.seen.conn.Firmware, s.seen.conn.Machine, s.seen.conn.Dialect = "", "", ""
	s.seen.conn.Capabilities = nil
	s.d, s.flow, s.several, s.wire = unknown, newFlow(), false, wire{baud: s.seen.conn.Baud}
	if s.native {
		s.wire.baud = 0 // its speed is only a name
	}
	stages := []stage{always("M115"), s.acquaint(), always("M105", "M114"), func(time.Time) []scriptLine { return lines(s.undone()...) }}
	s.play(now, func(now time.Time) {
		s.state = Idle
		s.fault = nil
		s.seen.conn.SinceMS = now.UnixMilli()
	}, append(stages, s.customOf(OnConnected)...)...)
}

// acquaint is the stage after M115 was answered: the dialect, and what this firmware can do for us.
func (s *session) acquaint() stage {
	return func(time.Time) []scriptLine {
		if s.d = dialectOf(s.seen.conn.Firmware); s.d.single {
			s.flow.bar()
		}
		s.seen.conn.Dialect = s.d.name
		var out []string
		if s.seen.conn.Capabilities["AUTOREPORT_TEMP"] {
			s.seen.autoTemps = true
			out = append(out, "M155 S1")
		}
		if s.card.auto = s.d.cardAsk != "" && s.seen.conn.Capabilities["SDCARD"] && s.seen.conn.Capabilities["AUTOREPORT_SD_STATUS"]; s.card.auto {
			out = append(out, "M27 S5")
		}
		if s.seen.conn.Capabilities["PROMPT_SUPPORT"] {
			out = append(out, "M876 P1") // here is somebody who can answer
		}
		return lines(out...)
	}
}
