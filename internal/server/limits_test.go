package server

import (
	"slices"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

// The printer is asked for its limits when somebody wants to know how long a file takes that does not say, once in a connection, and never while it prints.
func TestTheTimesOfAFileAskThePrinter(t *testing.T) {
	r := newRig(t)
	r.files.add("plain.gcode", "G28\n")
	r.files.add("own.gcode", "G28\n")
	r.files.add("told.gcode", "G28\n")
	r.files.surveys["plain.gcode"] = gcode.Survey{Limits: gcode.OurLimits()}
	r.files.surveys["own.gcode"] = gcode.Survey{Limits: gcode.Limits{By: gcode.LimitsFile}}
	r.files.surveys["told.gcode"] = gcode.Survey{Limits: gcode.Limits{By: gcode.LimitsPrinter}}
	r.printer.answering(map[string]string{"M503": "echo:  M203 X300.00 Y300.00 Z5.00 E25.00\necho:  M201 X700.00 Y600.00 Z100.00 E5000.00"})
	ask := func(path string, state printer.State, dialect string, sinceMS int64) int {
		t.Helper()
		r.printer.change(func(s *printer.Snapshot) {
			s.State, s.Connection.Dialect, s.Connection.SinceMS = state, dialect, sinceMS
		})
		before := r.printer.called()
		if w := r.do("GET", "/v1/times/"+path, "viewer", nil); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		return len(slices.DeleteFunc(r.printer.called()[len(before):], func(call string) bool { return call != "idle M503" }))
	}
	for _, c := range []struct {
		path    string
		state   printer.State
		dialect string
		sinceMS int64
		asks    int
	}{
		{"own.gcode", printer.Idle, "marlin", 1, 0}, {"plain.gcode", printer.Printing, "marlin", 1, 0}, {"plain.gcode", printer.Idle, "klipper", 1, 0},
		{"plain.gcode", printer.Idle, "marlin", 1, 1}, {"plain.gcode", printer.Idle, "marlin", 1, 0}, {"plain.gcode", printer.Idle, "prusa", 2, 1},
		{"told.gcode", printer.Idle, "marlin", 3, 1}, // the layerd before this one had asked, and its settings may be others now
	} {
		if got := ask(c.path, c.state, c.dialect, c.sinceMS); got != c.asks {
			t.Errorf("%+v: asked %d times", c, got)
		}
	}
	if got := r.files.machine; got.By != gcode.LimitsPrinter || got.AccelMMS2[0] != 700 || got.SpeedMMS[1] != 300 {
		t.Errorf("the store was told %+v", got)
	}
}
