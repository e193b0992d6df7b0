package guard

import (
	"testing"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// Where one switch is of no use, a check says nothing of its axis: what the camera sees there is neither cleared nor made the measure, and no part has moved that may be a head.
func TestOneSwitchSaysNothingOfTheOtherAxis(t *testing.T) {
	right := printer.EndstopCheck{Layer: 6, Verdict: printer.CheckRight, X: printer.AxisFinding{Checked: true}}
	lost := func(axis string, sure int) register.Step {
		return register.Step{Axis: axis, MM: 1.6, SinceLayer: 5, Sure: sure}
	}
	now := time.Unix(1e9, 0)
	for axis, wantAlarm := range map[string]bool{"x": false, "y": true} {
		j := newJudge(printer.WatchPause, true)
		if v := j.look(register.Look{Layer: 6, Step: lost(axis, 2)}, now); !v.check {
			t.Errorf("%s: no check: %+v", axis, v)
		}
		if v := j.check(right); v.relearn == wantAlarm || v.finding != nil {
			t.Errorf("%s, the check: got %+v", axis, v)
		}
		if v := j.look(register.Look{Layer: 7, Step: lost(axis, 3)}, now); v.pause != wantAlarm {
			t.Errorf("%s, looked at again: got %+v", axis, v)
		}
	}
	for _, both := range []bool{true, false} {
		j := newJudge(printer.WatchPause, true)
		if v := j.outlined(register.Aside{Step: lost("y", 3)}, 6, now); !v.check {
			t.Errorf("the outline asks for no check: %+v", v)
		}
		check := right
		check.Y.Checked = both
		if v := j.check(check); (v.finding != nil) != both || v.finding != nil && !v.finding.part {
			t.Errorf("both axes %v: got %+v", both, v)
		}
		if v := j.outlined(register.Aside{Step: lost("y", 3)}, 7, now); !both && v.notice == "" || v.finding != nil || v.check {
			t.Errorf("both axes %v, looked at again: got %+v", both, v)
		}
	}
}
