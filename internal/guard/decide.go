package guard

import (
	"fmt"
	"math"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// What follows from what the witnesses say. Camera and firmware make suspicious, and a check against the endstops confirms or clears: a wrong pause costs a print its surface, a check some seconds.
//
//	look, outline ──┐
//	firmware ───────┼─▶ judge ─▶ verdict: check now, alarm, pause, take this as the measure
//	check ──────────┘
//
// Only where no check can be made the camera pauses by itself, and then it must be sure for longer. Nothing here lets a print go on.

// judge is what the witnesses of one print have said so far. It is told the time, and has no other.
type judge struct {
	mode     printer.WatchMode
	canCheck bool      // the endstops can be asked
	spent    time.Time // when the camera has had them asked last
	asked    bool      // they are asked because of a suspicion, and have not answered
	unable   bool      // they could not answer to the suspicion under way: the camera is alone
	step     register.Step
	part     register.Step // the print's newest layers against its older ones: outlined.go
	apart    int           // the layer since which that is as much as it must show, 0 it is not
	clear    int           // the last layer at which the endstops said that all is right, 0 none
	both     int           // … and had looked at both axes
	grumbled int           // the newest layer at which the firmware said something of a motor or a collision; -1 none
	hot      bool          // a driver said that it is too hot
	alarmed  bool          // and nobody has answered yet
	light    bool          // … but that is of the part alone, and the print goes on: the head is still watched

	tellPart   bool       // that the part may have moved people are only told
	cameraMM   float64    // what the camera must see at least to be believed, after a false alarm
	partMM     float64    // and what its picture of the print must show
	endstopsMM float64    // and the endstops
	acceptedMM [2]float64 // what people let the print go on with
}

// verdict is what is to be done.
type verdict struct {
	check   bool // have the endstops asked at the next layer
	finding *finding
	pause   bool // which the printer has not done by itself
	relearn bool // what is seen now is the measure from now on
	notice  string
}

// finding is a shift.
type finding struct {
	offMM     [2]float64 // X and Y
	steps     [2]int     // that in full motor steps, 0 = no multiple of four
	confirmed bool       // by the endstops
	part      bool       // it is the part that may have moved, and not the head
	layer     int        // at which it was found
	since     int        // the first layer that may be spoiled
	exact     bool       // since is seen, and not only the last that is known to be right
}

const (
	suspicionEvery = 2 * time.Hour // the camera may have the endstops asked so often; what it sees meanwhile is found by the next check that is due
	plainMM        = 1.5           // what is as big as this needs to be seen only once for a check …
	hugeMM         = 1.8           // … and twice for a pause without one: a belt's tooth is 2 mm, give or take what is measured wrong
)

func newJudge(mode printer.WatchMode, canCheck bool) *judge {
	return &judge{mode: mode, canCheck: canCheck, grumbled: -1}
}

// look takes over what the camera has seen.
func (j *judge) look(l register.Look, now time.Time) (v verdict) {
	j.step = register.Step{}
	if mm := math.Abs(l.Step.MM); l.Step.Sure > 0 && mm >= j.cameraMM {
		j.step = l.Step
	}
	if j.step.Sure == 0 {
		j.unable = j.unable && j.asked
		return v
	}
	if j.mode == printer.WatchOff || j.grave() || j.asked {
		return v
	}
	if j.canCheck && !j.unable {
		sure := j.step.Sure >= 2 || math.Abs(j.step.MM) > plainMM
		if sure && (j.spent.IsZero() || now.Sub(j.spent) >= suspicionEvery) {
			j.spent, j.asked, v.check = now, true, true
		}
		return v
	}
	if j.alone(l.Layer) {
		v = j.alarm(j.seen(l.Layer))
	}
	return v
}

// alone reports whether the camera is sure enough to pause by itself. What came slowly may be a bed that bends as it warms, and what came while nothing was seen, templates that went astray.
func (j *judge) alone(layer int) bool {
	s := j.step
	if s.Creeps {
		return false
	}
	heard := j.grumbled >= s.SinceLayer-1 && j.grumbled <= layer && j.grumbled >= 0 // the firmware is the second witness
	return s.Sure >= 3 || s.Sure == 2 && (s.Plain || math.Abs(s.MM) > hugeMM || heard || j.shows(s))
}

// seen is what the camera alone has found.
func (j *judge) seen(layer int) *finding {
	f := &finding{layer: layer, since: j.step.SinceLayer, exact: !j.step.Creeps}
	f.offMM[axisOf(j.step.Axis)] = j.step.MM
	return f
}

func axisOf(name string) int {
	if name == "y" {
		return 1
	}
	return 0
}

// check takes over what the endstops have said.
func (j *judge) check(c printer.EndstopCheck) (v verdict) {
	suspected := j.asked || j.step.Sure > 0
	j.asked = false
	switch c.Verdict {
	case printer.CheckRight:
		v = j.cleared(c, suspected)
		if moved := j.movedPart(c.Layer); moved.finding != nil {
			v.finding, v.pause = moved.finding, moved.pause
		}
	case printer.CheckLost:
		f := &finding{confirmed: true, layer: c.Layer, since: j.clear + 1, steps: [2]int{c.X.Steps, c.Y.Steps}}
		lost := false
		for k, found := range [2]printer.AxisFinding{c.X, c.Y} {
			if d := found.OffMM - j.acceptedMM[k]; found.Checked && math.Abs(d) > max(j.endstopsMM, leastMM) {
				f.offMM[k], lost = found.OffMM, true
			}
		}
		if !lost { // as it was when people let it go on
			return j.cleared(c, suspected)
		}
		if j.step.Sure > 0 && f.offMM[axisOf(j.step.Axis)] != 0 && !j.step.Creeps {
			f.since, f.exact = j.step.SinceLayer, true
		}
		v = j.alarm(f)
	default: // unsure, or it could not be made
		j.unable = suspected
	}
	return v
}

const leastMM = 0.3 // no loss of steps is smaller

// cleared: the head is where it should be. What the camera sees is something else, and the measure from now on; but not in an axis whose switch is of no use: of that it alone can tell.
func (j *judge) cleared(c printer.EndstopCheck, suspected bool) (v verdict) {
	layer, checked := c.Layer, [2]bool{c.X.Checked, c.Y.Checked}
	if j.clear = layer; checked[0] && checked[1] {
		j.both = layer
	}
	if j.unable = j.step.Sure > 0 && !checked[axisOf(j.step.Axis)]; j.unable {
		return v
	}
	if suspected && j.step.Sure > 0 {
		v.relearn = true
		v.notice = fmt.Sprintf("At layer %d the camera saw a shift of %.1f mm, and the endstops say that the head is right: the camera, the bed or what lies on it may have moved.", layer, math.Abs(j.step.MM))
	}
	j.step = register.Step{}
	return v
}

// cannot says that the check which was asked for cannot be made.
func (j *judge) cannot() { j.asked, j.unable = false, true }

// firmware takes over what the firmware itself said of a motor or a collision.
func (j *judge) firmware(w printer.FirmwareWitness, layer int) (v verdict) {
	if w.Kind == printer.WitnessWarning {
		j.hot = true // it will reduce the current, and steps may be lost: checks come sooner
		return v
	}
	j.grumbled = layer
	if j.mode != printer.WatchOff && j.canCheck && !j.grave() && !j.asked {
		j.asked, v.check = true, true
	}
	return v
}

// grave reports whether there is an alarm that no other may take the place of.
func (j *judge) grave() bool { return j.alarmed && !j.light }

func (j *judge) alarm(f *finding) (v verdict) {
	if j.mode == printer.WatchOff || j.grave() || j.alarmed && f.part {
		return v
	}
	f.since = min(max(f.since, 1), max(f.layer, 1))
	j.alarmed, j.light = true, false
	return verdict{finding: f, pause: j.mode == printer.WatchPause}
}

// falseAlarm makes whoever raised it need more.
func (j *judge) falseAlarm(f *finding) {
	j.alarmed = false
	most := max(math.Abs(f.offMM[0]), math.Abs(f.offMM[1]))
	switch {
	case f.confirmed:
		j.endstopsMM = max(j.endstopsMM, 1.2*most)
	case f.part:
		j.partMM = max(j.partMM, 1.5*most)
	default:
		j.cameraMM = max(j.cameraMM, 1.5*most)
	}
}

// goesOn: people let the print go on. anew: what checks find is measured from here on, since X and Y were homed anew, or the printer has taken the loss over.
func (j *judge) goesOn(f *finding, anew bool) {
	j.alarmed, j.asked, j.unable, j.step, j.part, j.apart = false, false, false, register.Step{}, register.Step{}, 0
	switch {
	case anew:
		j.acceptedMM = [2]float64{}
	case f.confirmed:
		for k, mm := range f.offMM {
			if mm != 0 {
				j.acceptedMM[k] = mm
			}
		}
	}
}

// itself reports whether the printer shall pause by what its checks find. After people have said otherwise the judge must have a look first.
func (j *judge) itself() bool {
	return j.mode == printer.WatchPause && j.endstopsMM == 0 && j.acceptedMM == [2]float64{}
}

// watch is how the printer shall check, when it may take so much of the time.
func (j *judge) watch(share float64) printer.Watch {
	switch {
	case j.mode == printer.WatchOff || !j.canCheck:
		return printer.Watch{Mode: printer.WatchOff}
	case j.itself():
		return printer.Watch{Mode: printer.WatchPause, SharePercent: share}
	}
	return printer.Watch{Mode: printer.WatchTell, SharePercent: share}
}

// sentence is a finding for people.
func (f *finding) sentence() string {
	if f.part {
		return f.partSentence()
	}
	who := "The head is "
	if !f.confirmed {
		who = "The camera sees the head "
	}
	where, steps := "", ""
	for k, mm := range f.offMM {
		if mm == 0 {
			continue
		}
		side := [2]string{"left of", "in front of"}[k]
		if mm > 0 {
			side = [2]string{"right of", "behind"}[k]
		}
		if where != "" {
			where += " and "
		}
		where += fmt.Sprintf("%.1f mm %s", math.Abs(mm), side)
		if n := f.steps[k]; n != 0 {
			if steps != "" {
				steps += " and "
			}
			steps += fmt.Sprintf("%d lost steps", max(n, -n))
		}
	}
	if steps != "" {
		steps = " (" + steps + ")"
	}
	since := fmt.Sprintf("since layer %d", f.since)
	if !f.exact && f.since < f.layer {
		since = fmt.Sprintf("since some layer from %d to %d", f.since, f.layer)
	}
	return who + where + " where it should be" + steps + ", " + since + "."
}
