package printer

import (
	"layerd/gcode"
	"testing"
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
		s := newSession(Presets()[0], nil, func(string, []byte) {})
		now := time.Unix(1e9, 0)
		s.opened(now, Connection{Port: "/dev/x", Baud: 115200}, []int{115200})
		s.state, s.hello.waiting = Idle, false
		hear := func(text string) {
			now = now.Add(time.Second)
			s.hear(now, gcode.ParseReply([]byte(text)))
		}
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
