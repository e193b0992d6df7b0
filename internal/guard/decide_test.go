package guard

import (
	"slices"
	"testing"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// said is one thing that a witness says, and what must follow.
type saying struct {
	after time.Duration // since the one before
	look  *register.Step
	layer int
	check *printer.EndstopCheck
	fw    string // kind of what the firmware says
	do    func(*judge)

	wantCheck, wantAlarm, wantPause, wantRelearn bool
}

func step(mm float64, since, sure int) *register.Step {
	return &register.Step{Axis: "x", MM: mm, SinceLayer: since, Sure: sure}
}

func checked(verdict string, x float64) *printer.EndstopCheck {
	return &printer.EndstopCheck{Verdict: verdict, X: printer.AxisFinding{Checked: true, OffMM: x}, Y: printer.AxisFinding{Checked: true}}
}

func TestWhatFollows(t *testing.T) {
	nothing, creeping := &register.Step{}, &register.Step{Axis: "y", MM: 3, SinceLayer: 5, Sure: 3, Creeps: true}
	for name, c := range map[string]struct {
		mode     printer.WatchMode
		canCheck bool
		sayings  []saying
	}{
		"all is well": {printer.WatchPause, true, []saying{{look: nothing, layer: 1}, {look: nothing, layer: 2}, {check: checked("right", 0), layer: 2}}},
		"a check that was due has failed": {printer.WatchPause, true, []saying{
			{check: checked("right", 0), layer: 10}, {check: checked("lost", 1.6), layer: 20, wantAlarm: true, wantPause: true}}},
		"a small step is asked about when it was seen twice": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 1), layer: 5}, {look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {look: step(0.8, 5, 3), layer: 7},
			{check: checked("lost", 0.8), layer: 7, wantAlarm: true, wantPause: true}}},
		"a big one at once": {printer.WatchPause, true, []saying{{look: step(-1.6, 5, 1), layer: 5, wantCheck: true}}},
		"the endstops clear it": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {check: checked("right", 0), layer: 6, wantRelearn: true}, {look: nothing, layer: 7}}},
		"a check that was due clears it as well": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 1), layer: 5}, {check: checked("right", 0), layer: 5, wantRelearn: true}}},
		"a check that was due while nothing is seen leaves the measure alone": {printer.WatchPause, true, []saying{
			{look: nothing, layer: 5}, {check: checked("right", 0), layer: 5}}},
		"the camera may be wrong once in two hours": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {check: checked("right", 0), layer: 6, wantRelearn: true},
			{after: 2*time.Hour - time.Second, look: step(0.8, 50, 3), layer: 52}, {after: time.Second, look: step(0.8, 50, 3), layer: 53, wantCheck: true}}},
		"and what it sees meanwhile is found by the next check that is due": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {check: checked("right", 0), layer: 6, wantRelearn: true},
			{after: time.Minute, look: step(0.8, 9, 3), layer: 11}, {check: checked("lost", 0.8), layer: 12, wantAlarm: true, wantPause: true}}},
		"a check that could not be made leaves the camera alone": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {check: checked("skipped", 0), layer: 6}, {look: step(0.8, 5, 3), layer: 7, wantAlarm: true, wantPause: true}}},
		"so does one that was refused": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {do: (*judge).cannot}, {look: step(0.8, 5, 3), layer: 7, wantAlarm: true, wantPause: true}}},
		"and only for that suspicion": {printer.WatchPause, true, []saying{
			{look: step(0.8, 5, 2), layer: 6, wantCheck: true}, {check: checked("unsure", 0), layer: 6}, {look: nothing, layer: 7},
			{after: 3 * time.Hour, look: step(0.8, 90, 3), layer: 92, wantCheck: true}}},
		"the camera alone must see it three times": {printer.WatchPause, false, []saying{{look: step(0.8, 5, 1), layer: 5}, {look: step(0.8, 5, 2), layer: 6}, {look: step(0.8, 5, 3), layer: 7, wantAlarm: true, wantPause: true}}},
		"or twice when it is big":                  {printer.WatchPause, false, []saying{{look: step(2.4, 5, 1), layer: 5}, {look: step(2.4, 5, 2), layer: 6, wantAlarm: true, wantPause: true}}},
		"or twice when it is plain": {printer.WatchPause, false, []saying{{look: &register.Step{Axis: "x", MM: 0.8, SinceLayer: 5, Sure: 1, Plain: true}, layer: 5},
			{look: &register.Step{Axis: "x", MM: 0.8, SinceLayer: 5, Sure: 2, Plain: true}, layer: 6, wantAlarm: true, wantPause: true}}},
		"or twice when the firmware has felt something too": {printer.WatchPause, false, []saying{{fw: printer.WitnessCrash, layer: 5}, {look: step(0.8, 5, 1), layer: 5}, {look: step(0.8, 5, 2), layer: 6, wantAlarm: true, wantPause: true}}},
		"what the firmware felt long ago is another story":  {printer.WatchPause, false, []saying{{fw: printer.WitnessCrash, layer: 1}, {look: step(0.8, 5, 1), layer: 5}, {look: step(0.8, 5, 2), layer: 6}}},
		"what comes slowly may be a bed that bends":         {printer.WatchPause, false, []saying{{look: creeping, layer: 8}, {look: creeping, layer: 9}, {look: creeping, layer: 10}}},
		"but is asked about":                                {printer.WatchPause, true, []saying{{look: creeping, layer: 8, wantCheck: true}}},
		"a crash is asked about at once":                    {printer.WatchPause, true, []saying{{fw: printer.WitnessCrash, layer: 5, wantCheck: true}, {check: checked("lost", 1.6), layer: 5, wantAlarm: true, wantPause: true}}},
		"so is each one, whatever the camera did":           {printer.WatchPause, true, []saying{{fw: printer.WitnessStall, layer: 5, wantCheck: true}, {check: checked("right", 0), layer: 5}, {fw: printer.WitnessError, layer: 6, wantCheck: true}}},
		"a warning is no suspicion":                         {printer.WatchPause, true, []saying{{fw: printer.WitnessWarning, layer: 5}}},
		"a crash alone does not pause":                      {printer.WatchPause, false, []saying{{fw: printer.WitnessCrash, layer: 5}, {look: nothing, layer: 6}}},
		"who wants to be told is told":                      {printer.WatchTell, true, []saying{{check: checked("lost", 1.6), layer: 20, wantAlarm: true}, {check: checked("lost", 1.6), layer: 30}}},
		"and nobody else":                                   {printer.WatchOff, true, []saying{{check: checked("lost", 1.6), layer: 20}, {look: step(5, 20, 3), layer: 22}, {fw: printer.WitnessCrash, layer: 23}}},
		"a false alarm of the camera raises what it must see": {printer.WatchPause, false, []saying{
			{look: step(0.8, 5, 3), layer: 7, wantAlarm: true, wantPause: true}, {do: func(j *judge) { j.falseAlarm(&finding{offMM: [2]float64{0.8, 0}}) }},
			{look: step(1.1, 8, 3), layer: 10}, {look: step(1.3, 18, 3), layer: 20, wantAlarm: true, wantPause: true}}},
		"one of the endstops what they must": {printer.WatchPause, true, []saying{
			{check: checked("lost", 0.8), layer: 7, wantAlarm: true, wantPause: true}, {do: func(j *judge) { j.falseAlarm(&finding{confirmed: true, offMM: [2]float64{0.8, 0}}) }},
			{check: checked("lost", 0.9), layer: 20}, {check: checked("lost", 1.6), layer: 30, wantAlarm: true, wantPause: true}}},
		"with what people have let go on it goes on": {printer.WatchPause, true, []saying{
			{check: checked("lost", 1.6), layer: 7, wantAlarm: true, wantPause: true}, {do: func(j *judge) { j.goesOn(&finding{confirmed: true, offMM: [2]float64{1.6, 0}}, false) }},
			{check: checked("lost", 1.55), layer: 20}, {check: checked("lost", 2.4), layer: 30, wantAlarm: true, wantPause: true}}},
		"when it was homed anew nothing is let go on": {printer.WatchPause, true, []saying{
			{check: checked("lost", 1.6), layer: 7, wantAlarm: true, wantPause: true}, {do: func(j *judge) { j.goesOn(&finding{confirmed: true, offMM: [2]float64{1.6, 0}}, true) }},
			{check: checked("lost", 1.6), layer: 20, wantAlarm: true, wantPause: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			j, now := newJudge(c.mode, c.canCheck), time.Unix(1e9, 0)
			for i, s := range c.sayings {
				now = now.Add(s.after)
				var v verdict
				switch {
				case s.look != nil:
					v = j.look(register.Look{Layer: s.layer, Sees: true, Step: *s.look}, now)
				case s.check != nil:
					check := *s.check
					check.Layer = s.layer
					v = j.check(check)
				case s.fw != "":
					v = j.firmware(printer.FirmwareWitness{Kind: s.fw}, s.layer)
				default:
					s.do(j)
				}
				if v.check != s.wantCheck || (v.finding != nil) != s.wantAlarm || v.pause != s.wantPause || v.relearn != s.wantRelearn || v.relearn != (v.notice != "") {
					t.Errorf("saying %d: got %+v, want check %v, alarm %v, pause %v, relearn %v", i+1, v, s.wantCheck, s.wantAlarm, s.wantPause, s.wantRelearn)
				}
			}
		})
	}
}

func TestADriverThatIsTooHot(t *testing.T) {
	j := newJudge(printer.WatchPause, true)
	j.firmware(printer.FirmwareWitness{Kind: printer.WitnessWarning}, 5)
	if !j.hot {
		t.Error("a warning does not have checks come sooner")
	}
}

// The printer pauses by its own checks, until people have said that it was wrong to.
func TestWhoPauses(t *testing.T) {
	for name, c := range map[string]struct {
		mode     printer.WatchMode
		canCheck bool
		do       func(*judge)
		want     printer.WatchMode
	}{
		"the printer":               {printer.WatchPause, true, func(*judge) {}, printer.WatchPause},
		"nobody":                    {printer.WatchTell, true, func(*judge) {}, printer.WatchTell},
		"off":                       {printer.WatchOff, true, func(*judge) {}, printer.WatchOff},
		"without endstops":          {printer.WatchPause, false, func(*judge) {}, printer.WatchOff},
		"after a false alarm":       {printer.WatchPause, true, func(j *judge) { j.falseAlarm(&finding{confirmed: true, offMM: [2]float64{1, 0}}) }, printer.WatchTell},
		"after one of the camera's": {printer.WatchPause, true, func(j *judge) { j.falseAlarm(&finding{offMM: [2]float64{1, 0}}) }, printer.WatchPause},
		"after it went on as it is": {printer.WatchPause, true, func(j *judge) { j.goesOn(&finding{confirmed: true, offMM: [2]float64{1, 0}}, false) }, printer.WatchTell},
		"after it was homed anew":   {printer.WatchPause, true, func(j *judge) { j.goesOn(&finding{confirmed: true, offMM: [2]float64{1, 0}}, true) }, printer.WatchPause},
		"homed anew after an exception": {printer.WatchPause, true, func(j *judge) {
			f := &finding{confirmed: true, offMM: [2]float64{1, 0}}
			j.goesOn(f, false)
			j.goesOn(f, true)
		}, printer.WatchPause},
	} {
		j := newJudge(c.mode, c.canCheck)
		c.do(j)
		if got := j.watch(1.5).Mode; got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestFindings(t *testing.T) {
	j := newJudge(printer.WatchPause, true)
	j.check(printer.EndstopCheck{Layer: 100, Verdict: printer.CheckRight})
	j.look(register.Look{Layer: 143, Step: *step(1.5, 143, 2)}, time.Unix(1e9, 0))
	lost := printer.EndstopCheck{Layer: 144, Verdict: printer.CheckLost, X: printer.AxisFinding{Checked: true, OffMM: 1.6, Steps: 8}, Y: printer.AxisFinding{Checked: true}}
	f := j.check(lost).finding
	if want := "The head is 1.6 mm right of where it should be (8 lost steps), since layer 143."; f.sentence() != want || f.since != 143 || !f.confirmed {
		t.Errorf("got %q, %+v, want %q", f.sentence(), f, want)
	}
	j = newJudge(printer.WatchPause, true)
	j.check(printer.EndstopCheck{Layer: 100, Verdict: printer.CheckRight})
	lost.Y = printer.AxisFinding{Checked: true, OffMM: -0.8, Steps: -4}
	f = j.check(lost).finding
	if want := "The head is 1.6 mm right of and 0.8 mm in front of where it should be (8 lost steps and 4 lost steps), since some layer from 101 to 144."; f.sentence() != want {
		t.Errorf("got %q, want %q", f.sentence(), want)
	}
	f = &finding{offMM: [2]float64{0, 0.9}, layer: 9, since: 7, exact: true}
	if want := "The camera sees the head 0.9 mm behind where it should be, since layer 7."; f.sentence() != want {
		t.Errorf("got %q, want %q", f.sentence(), want)
	}
	f = &finding{offMM: [2]float64{-2.01, 0}, confirmed: true, layer: 1, since: 1}
	if want := "The head is 2.0 mm left of where it should be, since layer 1."; f.sentence() != want {
		t.Errorf("got %q, want %q", f.sentence(), want)
	}
}

func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		share, shotS              float64
		looks, checks, blind, hot bool
		want                      plan
	}{
		"both":                           {1, 4, true, true, false, false, plan{800, 0.5}},
		"the camera alone":               {1, 4, true, false, false, false, plan{400, 0}},
		"the endstops alone":             {1, 4, false, true, false, false, plan{0, 1}},
		"neither":                        {1, 4, false, false, false, false, plan{0, 0}},
		"the timelapse's pictures":       {1, 0, true, true, false, false, plan{0, 1}},
		"blind":                          {1, 4, true, true, true, false, plan{3200, 2}},
		"the timelapse's, and blind":     {1, 0, true, true, true, false, plan{0, 2}},
		"a hot driver":                   {1, 4, true, true, false, true, plan{800, 2}},
		"generous: not each short layer": {20, 1, true, true, false, false, plan{10, 10}},
	} {
		if got := budget(c.share, c.shotS, c.looks, c.checks, c.blind, c.hot); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	if got := budget(20, 0.5, true, false, false, false); got.everyS != 8 {
		t.Errorf("looks cost time themselves: got every %d s, want 8", got.everyS)
	}
}

// A step is seen again at the next layer, and a new scene is learned at once; but a scene that is never learned costs no more than any.
func TestEager(t *testing.T) {
	step := func(sure int) register.Look { return register.Look{Sees: true, Step: register.Step{Sure: sure}} }
	learning, fine := register.Look{Why: register.Learning}, register.Look{Sees: true}
	for name, c := range map[string]struct {
		looks []register.Look
		want  int // seconds
	}{
		"nothing":             {[]register.Look{fine, fine}, 800},
		"a step":              {[]register.Look{fine, step(1)}, 8},
		"twice":               {[]register.Look{step(1), step(2)}, 8},
		"three times is sure": {[]register.Look{step(1), step(2), step(3)}, 800},
		"it was none":         {[]register.Look{step(1), fine}, 800},
		"learning":            {[]register.Look{learning}, 8},
		"a lamp":              {[]register.Look{fine, {Why: register.Relit}, {Why: register.Relit}}, 8},
		"learning for ever":   {slices.Repeat([]register.Look{learning}, mostEager+1), 800},
		"dark":                {[]register.Look{learning, {Why: register.Dark}}, 800},
	} {
		n := 0
		for _, l := range c.looks {
			n = eager(n, l)
		}
		if got := (plan{everyS: 800}).soon(n).everyS; got != c.want {
			t.Errorf("%s: the next look is in %d s, want %d", name, got, c.want)
		}
	}
	if got := (plan{}).soon(1).everyS; got != 0 {
		t.Errorf("a timelapse takes the pictures: got %d s, want 0", got)
	}
}
