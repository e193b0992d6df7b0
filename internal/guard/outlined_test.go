package guard

import (
	"strings"
	"testing"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// TestWhatFollowsFromTheOutline has, of each layer, what the camera sees of the head, what it sees of the print, and what a check says.
func TestWhatFollowsFromTheOutline(t *testing.T) {
	type layer struct {
		after                             time.Duration
		head, part                        *register.Step
		check                             string
		do                                func(*judge)
		wantCheck, wantAlarm, wantPause   bool
		wantPart, wantNotice, wantRelearn bool
	}
	y := &register.Step{Axis: "y", MM: 2.1, SinceLayer: 5, Sure: 3}
	moved := func(sure int) *register.Step { return step(2.1, 5, sure) }
	for name, c := range map[string]struct {
		mode     printer.WatchMode
		canCheck bool
		layers   []layer
	}{
		"it is asked about when it is sure, and is the part when the head is right": {printer.WatchPause, true, []layer{
			{part: moved(1)}, {part: moved(2)}, {part: moved(3), wantCheck: true}, {part: moved(3)}, {check: printer.CheckRight, wantAlarm: true, wantPause: true, wantPart: true}, {part: moved(3)}}},
		"a check since then has found the head right already": {printer.WatchPause, true, []layer{
			{part: moved(1)}, {part: moved(2)}, {check: printer.CheckRight}, {part: moved(3), wantAlarm: true, wantPause: true, wantPart: true}}},
		"one from before says nothing of it": {printer.WatchPause, true, []layer{
			{check: printer.CheckRight}, {part: step(2.1, 2, 2)}, {part: step(2.1, 2, 3), wantCheck: true}}},
		"nor one from when it showed less": {printer.WatchPause, true, []layer{
			{part: step(1.2, 5, 3)}, {check: printer.CheckRight}, {part: moved(3), wantCheck: true}, {check: printer.CheckLost, wantAlarm: true, wantPause: true}}},
		"the head is lost, and not the part": {printer.WatchPause, true, []layer{
			{part: moved(3), wantCheck: true}, {check: printer.CheckLost, wantAlarm: true, wantPause: true}}},
		"a check that cannot be made leaves it alone, and alone it pauses nothing": {printer.WatchPause, true, []layer{
			{part: moved(3), wantCheck: true}, {check: printer.CheckSkipped}, {part: moved(3)}, {part: moved(3)}}},
		"neither does an unsure one":                   {printer.WatchPause, true, []layer{{part: moved(3), wantCheck: true}, {check: printer.CheckUnsure}, {part: moved(3)}}},
		"the check that is due comes to the same":      {printer.WatchPause, true, []layer{{part: moved(3), wantCheck: true}, {check: printer.CheckUnsure}, {part: moved(3)}, {check: printer.CheckRight, wantAlarm: true, wantPause: true, wantPart: true}}},
		"it asks as seldom as the camera's other look": {printer.WatchPause, true, []layer{{head: step(0.8, 1, 2), wantCheck: true}, {check: printer.CheckRight, wantRelearn: true, wantNotice: true}, {part: step(2.1, 7, 3)}, {after: 2 * time.Hour, part: step(2.1, 7, 3), wantCheck: true}}},
		"a small one is nobody's":                      {printer.WatchPause, true, []layer{{check: printer.CheckRight}, {part: step(1.4, 1, 3)}, {check: printer.CheckRight}}},
		"neither is one that was seen twice":           {printer.WatchPause, true, []layer{{part: moved(2)}, {check: printer.CheckRight}}},
		"what is gone at the next look":                {printer.WatchPause, true, []layer{{part: moved(3), wantCheck: true}, {}, {check: printer.CheckRight}}},
		"who wants to be told is told":                 {printer.WatchTell, true, []layer{{part: moved(3), wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPart: true}}},
		"so is who wants to be told of this alone":     {printer.WatchPause, true, []layer{{do: func(j *judge) { j.tellPart = true }}, {part: moved(3), wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPart: true}}},
		"and pauses for the head":                      {printer.WatchPause, true, []layer{{do: func(j *judge) { j.tellPart = true }}, {part: moved(3), wantCheck: true}, {check: printer.CheckLost, wantAlarm: true, wantPause: true}}},
		"and for a head that is lost after the part": {printer.WatchPause, true, []layer{{do: func(j *judge) { j.tellPart = true }}, {part: moved(3), wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPart: true},
			{head: step(1.6, 8, 2), part: moved(3)}, {check: printer.CheckLost, wantAlarm: true, wantPause: true}, {check: printer.CheckLost}}},
		"but for no other part":                             {printer.WatchPause, true, []layer{{do: func(j *judge) { j.tellPart = true }}, {part: moved(3), wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPart: true}, {part: moved(3)}, {check: printer.CheckRight}}},
		"nobody is told of what is not watched":             {printer.WatchOff, true, []layer{{part: moved(3)}, {check: printer.CheckRight}}},
		"without endstops it pauses nothing alone":          {printer.WatchPause, false, []layer{{part: moved(2)}, {part: moved(3), wantNotice: true}, {part: moved(3), wantNotice: true}}},
		"but makes the other look sure sooner":              {printer.WatchPause, false, []layer{{head: step(0.8, 1, 1)}, {head: step(0.8, 1, 2), part: moved(2), wantAlarm: true, wantPause: true}}},
		"not where it sees the other axis":                  {printer.WatchPause, false, []layer{{head: step(0.8, 1, 2), part: &register.Step{Axis: "y", MM: 2, SinceLayer: 1, Sure: 2}}, {head: step(0.8, 1, 3), wantAlarm: true, wantPause: true}}},
		"not where it sees the other way":                   {printer.WatchPause, false, []layer{{head: step(-0.8, 1, 2), part: moved(2)}}},
		"not where it was seen once":                        {printer.WatchPause, false, []layer{{head: step(0.8, 1, 2), part: moved(1)}}},
		"a false alarm raises what it must show":            {printer.WatchPause, true, []layer{{part: moved(2)}, {check: printer.CheckRight}, {part: step(2.1, 1, 3), wantAlarm: true, wantPause: true, wantPart: true}, {do: func(j *judge) { j.falseAlarm(j.partFinding(9)) }}, {part: step(2.9, 1, 3)}, {part: step(3.3, 1, 3), wantAlarm: true, wantPause: true, wantPart: true}}},
		"a loss raises no more for it, but the endstops do": {printer.WatchPause, true, []layer{{do: func(j *judge) { j.falseAlarm(&finding{part: true, offMM: [2]float64{9, 0}}) }}, {check: printer.CheckLost, wantAlarm: true, wantPause: true}}},
		"Y is as good": {printer.WatchPause, true, []layer{{part: y, wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPause: true, wantPart: true}}},
		"when it goes on what is seen then is another story": {printer.WatchPause, true, []layer{{part: moved(3), wantCheck: true}, {check: printer.CheckRight, wantAlarm: true, wantPause: true, wantPart: true}, {do: func(j *judge) { j.goesOn(j.partFinding(9), false) }}, {check: printer.CheckRight}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			j, now := newJudge(c.mode, c.canCheck), time.Unix(1e9, 0)
			for i, l := range c.layers {
				now = now.Add(l.after)
				var v verdict
				switch {
				case l.do != nil:
					l.do(j)
				case l.check != "":
					check := *checked(l.check, map[string]float64{printer.CheckLost: 1.6}[l.check])
					if check.Layer = i + 5; i == 0 {
						check.Layer = 1
					}
					v = j.check(check)
				default:
					var head, part register.Step
					if l.head != nil {
						head = *l.head
					}
					if l.part != nil {
						part = *l.part
					}
					v = j.look(register.Look{Layer: i + 5, Sees: true, Step: head}, now)
					if second := j.outlined(register.Aside{Sees: true, Step: part}, i+5, now); v == (verdict{}) {
						v = second
					} else if second != (verdict{}) {
						t.Errorf("layer %d: both say something: %+v, %+v", i+1, v, second)
					}
				}
				part := v.finding != nil && v.finding.part
				if v.check != l.wantCheck || (v.finding != nil) != l.wantAlarm || v.pause != l.wantPause || part != l.wantPart || (v.notice != "") != l.wantNotice || v.relearn != l.wantRelearn {
					t.Errorf("layer %d: got %+v, want %+v", i+1, v, l)
				}
			}
		})
	}
}

func TestHowThePartLies(t *testing.T) {
	for _, c := range []struct {
		off  [2]float64
		want string
	}{
		{[2]float64{2.1, 0}, "The part may have moved: its newest layers lie 2.1 mm to the right of the older ones, and the head is where it should be."},
		{[2]float64{-1.6, 0}, "layers lie 1.6 mm to the left of"}, {[2]float64{0, 3}, "lie 3.0 mm behind the"}, {[2]float64{0, -3}, "lie 3.0 mm in front of the"},
	} {
		f := &finding{part: true, offMM: c.off}
		if got := f.sentence(); !strings.Contains(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
