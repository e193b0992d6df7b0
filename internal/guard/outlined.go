package guard

import (
	"fmt"
	"math"
	"time"

	"layerd/camera/register"
	"layerd/printer"
)

// What follows from the second opinion, which looks at the print itself: do its newest layers lie where the older ones do? The camera's other look goes by the head and the bed, so it says
// nothing of a part that has come loose. But an edge in a picture may be another thing's. So this opinion pauses no print alone: the endstops must have said, since it began, that the head is right; then it
// is the part. And where no check can be made it only makes the camera's other look sooner sure.

const (
	partLeastMM = 1.5 // what it must show
	partLooks   = 3   // and in so many looks in a row
)

// outlined takes over what was seen of the print's outline, after look has that of the same picture.
func (j *judge) outlined(a register.Aside, layer int, now time.Time) (v verdict) {
	switch {
	case !(math.Abs(a.Step.MM) > partLeastMM):
		j.apart = 0
	case j.apart == 0:
		j.apart = layer
	}
	j.part = register.Step{}
	if math.Abs(a.Step.MM) >= j.partMM {
		j.part = a.Step
	}
	if j.mode == printer.WatchOff || j.alarmed || j.asked {
		return v
	}
	if !j.canCheck || j.unable {
		switch {
		case j.step.Sure > 0 && j.alone(layer):
			return j.alarm(j.seen(layer))
		case j.moved():
			v.notice = j.unexplained(layer)
		}
		return v
	}
	if v = j.movedPart(layer); v.finding != nil || !j.moved() {
		return v
	}
	if j.clear >= j.apart && j.both < j.apart { // they have looked, at one axis
		v.notice = j.unexplained(layer)
		return v
	}
	if j.spent.IsZero() || now.Sub(j.spent) >= suspicionEvery {
		j.spent, j.asked, v.check = now, true, true
	}
	return v
}

// moved reports whether the newest layers surely lie elsewhere than the older ones.
func (j *judge) moved() bool {
	s := j.part
	return s.Sure >= partLooks && !s.Creeps && math.Abs(s.MM) > partLeastMM
}

// shows reports whether the print shows the same as the head.
func (j *judge) shows(head register.Step) bool {
	s := j.part
	return s.Sure >= 2 && s.Axis == head.Axis && s.MM*head.MM > 0
}

// unexplained is what people are told where the layers lie elsewhere, and the endstops cannot say of both axes why.
func (j *judge) unexplained(layer int) string {
	return "The print's " + j.partFinding(layer).lie() + ", and nothing can say whether the head is where it should be: have a look."
}

// movedPart is that the part has moved, if it has: the layers lie elsewhere, and a check since they lie so far off has found the head right: what they showed of less
// before may have been nothing. It must have looked at both axes, for the outline may take one for the other.
func (j *judge) movedPart(layer int) (v verdict) {
	if !j.moved() || j.both < j.apart || j.step.Sure > 0 {
		return v
	}
	if v = j.alarm(j.partFinding(layer)); v.finding != nil {
		v.pause = v.pause && !j.tellPart
		j.light = !v.pause
	}
	return v
}

func (j *judge) partFinding(layer int) *finding {
	f := &finding{part: true, exact: true, layer: layer, since: j.part.SinceLayer}
	f.offMM[axisOf(j.part.Axis)] = j.part.MM
	return f
}

// partSentence is that for people.
func (f *finding) partSentence() string {
	return "The part may have moved: its " + f.lie() + ", and the head is where it should be."
}

// lie says how the layers lie.
func (f *finding) lie() string {
	axis := 0
	if f.offMM[0] == 0 {
		axis = 1
	}
	side := [2]string{"to the left of", "in front of"}[axis]
	if f.offMM[axis] > 0 {
		side = [2]string{"to the right of", "behind"}[axis]
	}
	return fmt.Sprintf("newest layers lie %s %s the older ones", mm(f.offMM[axis]), side)
}
