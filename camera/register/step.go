package register

import "math"

// A lost step shows as a step: from one layer to the next everything is elsewhere, and stays there. Beds that bend as they warm, and templates that were taken anew, show as
// a slow drift. So a look is compared with where the last twenty were heading, and a step must stay to be sure.

// Step is the newest step that was found.
type Step struct {
	Axis       string  `json:"axis"`        // "x", "y"; "" = none
	MM         float64 `json:"mm"`          // + = further along + than believed
	SinceLayer int     `json:"since_layer"` // the first that was printed wrong, or the one before
	Sure       int     `json:"sure"`        // looks in a row that agree, 1 to 3
	Plain      bool    `json:"plain"`       // each of these looks could have told much less
	Creeps     bool    `json:"creeps"`      // it came slowly, or behind looks that saw nothing: a pulley that slips, a bed that bends, templates gone astray; a reason to check, and none to pause
}

const (
	trailLength = 20
	leastTrail  = 3   // looks before one can tell a step
	creepMM     = 1.5 // what came slowly is told of from here on
	steepest    = 0.03
	plainly     = 1.75 // times the least step that would be told
	grows       = 0.25 // of itself
	longUnseen  = 3    // looks
)

// sample is where one axis was in one look.
type sample struct {
	layer  int
	mm     float64
	camera [4]float64 // pixels: right, down, turned, zoomed
	plain  bool       // it is far from where it was expected
}

// trail is what one axis did in the last looks.
type trail struct {
	before []sample // when all was well, up to twenty
	after  []sample // since the step, if there is one
	anchor []float64
	level  []sample // the last three, for what creeps
	unseen int      // looks in a row that saw nothing of the axis
	doubt  bool     // the step may be none
}

// expect is where the next sample should be: on the line through those before, which bends for no single one of them. mad is how far half of them are from it, at most.
func (t *trail) expect() (mm, mad float64) {
	n := len(t.before)
	if n == 0 {
		return 0, 0
	}
	slope := 0.0
	if n >= 8 {
		slopes := make([]float64, 0, n*(n-1)/2)
		for i, a := range t.before {
			for j, b := range t.before[i+1:] {
				slopes = append(slopes, (b.mm-a.mm)/float64(j+1))
			}
		}
		slope = min(max(median(slopes), -steepest), steepest)
	}
	list := make([]float64, 0, n)
	for i, a := range t.before {
		list = append(list, a.mm+slope*float64(n-i))
	}
	mm = median(list)
	for i, v := range list {
		list[i] = math.Abs(v - mm)
	}
	return mm, median(list)
}

// threshold is the least step that would be told from noise now: sigma is that of this look, usual the scatter that the set-up found.
func (t *trail) threshold(sigma, usual float64) float64 {
	_, mad := t.expect()
	if n := float64(len(t.before)); n < 8 {
		mad = max(mad, usual*0.67) // too few to know by themselves
	}
	return max(leastMM, 6*mad, 5*sigma)
}

// wanders is how far an axis may have gone by itself since all was well: twice as far as it went in the looks before that, for what bends or shines moves in no straight line, and
// after looks that saw nothing it is further on.
func (t *trail) wanders(layer int) float64 {
	n := len(t.before)
	if n < 3 {
		return 0
	}
	a, b, c := t.before[n-3], t.before[n-2], t.before[n-1]
	rate := max(math.Abs(b.mm-a.mm)/float64(max(b.layer-a.layer, 1)), math.Abs(c.mm-b.mm)/float64(max(c.layer-b.layer, 1)))
	if len(t.after) > 0 {
		layer = t.after[0].layer
	}
	return 2 * rate * float64(max(min(layer-c.layer, (c.layer-a.layer)*3/2), 1))
}

// doubts says of a step whether it may be none: it came behind looks that saw nothing of the axis, in which templates may have gone astray, or it has grown, and what is lost at once
// stays as it is. Once in doubt it stays so.
func (t *trail) doubts(step Step) bool {
	t.doubt = t.doubt || t.unseen >= longUnseen && step.Sure == 1 || (t.after[len(t.after)-1].mm-t.after[0].mm)/step.MM > grows
	return t.doubt
}

// sure is the least loss of which a threshold will not fall short: what is seen of one is up to a tenth less than it was, where the view is along the axis, and noise is as it falls.
func sure(threshold, sigma float64) float64 { return 1.1*threshold + 2*sigma }

// nudged is by how many pixels the camera stands elsewhere than it did in the samples before.
func (t *trail) nudged(camera [4]float64) (px float64) {
	if len(t.before) == 0 {
		return 0
	}
	var d [4]float64
	list := make([]float64, len(t.before))
	for k := range d {
		for i, b := range t.before {
			list[i] = b.camera[k]
		}
		d[k] = camera[k] - median(list)
	}
	return math.Hypot(d[0], d[1]) + (math.Abs(d[2])+math.Abs(d[3]))/2
}

// add takes a look's place and returns the step, if there is one.
func (t *trail) add(s sample, threshold float64) (step Step) {
	if len(t.anchor) < 5 {
		t.anchor = append(t.anchor, s.mm)
	}
	t.level = append(t.level, s)[max(len(t.level)-2, 0):]
	expected, _ := t.expect()
	d := s.mm - expected
	switch {
	case len(t.before) < leastTrail || math.Abs(d) <= threshold:
		t.after = t.after[:0]
		t.before = append(t.before, s)
		if len(t.before) > trailLength {
			t.before = t.before[1:]
		}
		t.doubt = false
		return t.creep(threshold)
	case len(t.after) > 0 && (t.after[0].mm-expected)*d < 0:
		t.after, t.doubt = t.after[:0], false
	}
	s.plain = math.Abs(d) > plainly*threshold
	return t.stays(s, expected)
}

// stays takes one more look at a step.
func (t *trail) stays(s sample, expected float64) Step {
	t.after = append(t.after, s)
	if len(t.after) > trailLength {
		t.after = append(t.after[:1], t.after[2:]...)
	}
	return t.step(expected)
}

// step is what the looks since it say; there is one at least.
func (t *trail) step(expected float64) Step {
	newest, plain := make([]float64, 0, 3), true
	for _, a := range t.after[max(len(t.after)-3, 0):] {
		newest, plain = append(newest, a.mm-expected), plain && a.plain
	}
	return Step{MM: median(newest), SinceLayer: t.after[0].layer, Sure: len(newest), Plain: plain}
}

// creep is what came slowly since the first looks.
func (t *trail) creep(threshold float64) Step {
	begun := median(append([]float64(nil), t.anchor...))
	var far []float64
	for _, s := range t.level {
		if math.Abs(s.mm-begun) > max(creepMM, 2*threshold) {
			far = append(far, s.mm-begun)
		}
	}
	if len(far) < 3 {
		return Step{}
	}
	return Step{MM: median(far), SinceLayer: t.level[0].layer, Sure: 3, Creeps: true}
}

// newest is the last sample.
func (t *trail) newest() (s sample, ok bool) {
	for _, list := range [2][]sample{t.after, t.before} {
		if n := len(list); n > 0 {
			return list[n-1], true
		}
	}
	return s, false
}

// calm reports whether the newest look was where it was expected, give or take so much.
func (t *trail) calm(mm float64) bool {
	expected, _ := t.expect()
	return len(t.after) == 0 && len(t.before) > 0 && math.Abs(t.before[len(t.before)-1].mm-expected) < mm
}
