package printer

import (
	"fmt"
	"layerd/gcode"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a report does not speak of is not looked at: while Prusa's M109 waits it tells the nozzle alone, for longer than a bed may take to gain a degree.
func TestStaleReadingsAreNoReadings(t *testing.T) {
	for _, c := range []struct {
		report string
		want   State
	}{
		{"T:209.0 E:0 W:?", Idle},
		{"T:209.0 /210.0 B:40.0 /60.0 T0:209.0 /210.0 @:50 B@:127", Faulted},
	} {
		s, hear := talking("Prusa-Firmware 3.13")
		for range 10 {
			hear("T:209.0 /210.0 B:40.0 /60.0 T0:209.0 /210.0 @:50 B@:127")
		}
		for range 600 {
			hear(c.report)
		}
		if s.state != c.want {
			t.Errorf("after ten minutes of %q: %v, %v", c.report, s.state, s.fault)
		}
	}
}

// talking is a session that has just got its answers from a printer, and what it then hears each second.
func talking(firmware string, reports ...string) (s *session, hear func(text string)) {
	s = newSession(Presets()[0], nil, func(string, []byte) {})
	now := time.Unix(1e9, 0)
	s.opened(now, Connection{Port: "/dev/x", Baud: 115200}, []int{115200})
	s.state, s.hello.waiting, s.d = Idle, false, dialectOf(firmware)
	hear = func(text string) {
		now = now.Add(time.Second)
		s.hear(now, gcode.ParseReply([]byte(text)))
	}
	for _, r := range reports {
		hear(r)
	}
	return s, hear
}

// A wait whose reports name no target, after others that said "/0", is no runaway; a heater that stays on is one all the same.
func TestReportsWithoutTargets(t *testing.T) {
	const cold = "ok T:21.0 /0.0 B:21.0 /0.0 @:0 B@:0"
	for _, c := range []struct {
		line, report string
		toC          int
		want         State
	}{
		{"M109 S215", "T:%d.0 E:0 W:?", 215, Idle},
		{"M109 S215", "T:%d.0 E:0 W:?", 290, Faulted},
		{"M109 T1 S215", "T:%d.0 E:1 W:?", 215, Idle},
		{"M190 S110", "T:21.0 E:0 B:%d.0", 110, Idle},
		{"M190 S60", "T:21.0 E:0 B:%d.0", 120, Faulted},
		{"G4 P1", "T:%d.0 E:0 W:?", 215, Faulted},
	} {
		s, hear := talking("Marlin 1.0.2", cold, cold, cold, cold, cold, cold)
		s.say(s.lastByte, []byte(c.line), laneTyped, nothing, jobPos{layer: -1})
		for at := 21; at <= c.toC && s.state == Idle; at += 2 {
			for range 2 {
				hear(fmt.Sprintf(c.report, at))
			}
		}
		for range 5 {
			hear(fmt.Sprintf(c.report, c.toC))
		}
		if s.state != c.want {
			t.Errorf("%s, up to %d: %v, %v", c.line, c.toC, s.state, s.fault)
		}
	}
}

// Marlin lets the nozzle cool in its own M600 while the target stays, and heats it again: neither is a fault.
func TestNozzleMayRestWhileAPersonIsWaitedFor(t *testing.T) {
	const hot = "T:200.0 /200.0 B:60.0 /60.0 @:0 B@:0"
	s, hear := talking("Marlin 2.1", hot, hot, hot, hot, hot, hot)
	s.say(s.lastByte, []byte("M600"), laneTyped, nothing, jobPos{layer: -1})
	for at := 200; at > 40; at-- {
		for range 4 {
			hear(fmt.Sprintf("T:%d.0 /200.0 B:60.0 /60.0 @:0 B@:0", at))
		}
	}
	hear("ok")
	for at := 40; at < 200; at += 4 {
		hear(fmt.Sprintf("T:%d.0 /200.0 B:60.0 /60.0 @:0 B@:0", at))
	}
	if s.state != Idle {
		t.Errorf("%v, %v", s.state, s.fault)
	}
	s.say(s.lastByte, []byte("M600"), laneTyped, nothing, jobPos{layer: -1})
	for range 10 {
		hear("T:240.0 /200.0 B:60.0 /60.0 @:0 B@:0")
	}
	if s.state != Faulted {
		t.Errorf("40 °C too hot in the wait: %v", s.state)
	}
}

// Smoothie's bare T is its first tool, beside a T1.
func TestBareTemperatureBesideANumbered(t *testing.T) {
	s, _ := talking("Smoothie", "ok T:200.0 /200.0 @50 T1:21.0 /0.0 @0 B:20.0 /0.0 @0")
	if nozzleC, _ := s.targets(); nozzleC != 200 || len(s.seen.nozzles) != 2 {
		t.Errorf("target %g, nozzles %+v", nozzleC, s.seen.nozzles)
	}
}

// A firmware that answers the question for its card's print with "No SD card" is not asked again at once, and again.
func TestCardThatIsOutIsNotAskedForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := talking("Marlin 2.1")
		s.seen.conn.Capabilities = map[string]bool{"AUTOREPORT_TEMP": true, "SDCARD": true}
		asked := 0
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			now := time.Now()
			s.tick(now)
			hear := func(text string) { s.hear(now, gcode.ParseReply([]byte(text))) }
			switch b := string(s.write(now)); {
			case strings.Contains(b, "M27"):
				if asked++; asked > 1 {
					hear("No SD card")
				} else {
					hear("Not SD printing")
				}
				hear("ok")
			case b != "":
				hear("ok T:20 /0 B:20 /0")
			}
		}
		if asked < 2 || asked > 10 {
			t.Errorf("asked %d times in 20 s", asked)
		}
	})
}
