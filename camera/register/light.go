package register

import "math"

// A lamp that is switched moves every shadow, and templates are made of shadows as much as of things: a fit across such a change is off by what the shadows went. An exposure that
// hunts makes all brighter by one factor and moves nothing. So what counts is not how bright the picture is, but whether its parts have become brighter each by a factor of its own:
// those that stand still, for they lie where they lay.

const (
	relitFrom = 0.05 // of the logarithm of brightness. In rendered scenes suns, exposures and nudges come to 0.03 at most, and a lamp to 0.1 at least
	fewStill  = 6    // parts; fewer tell nothing of the light
	newShare  = 0.4  // of what is usual that each look makes new: a sun that sets is no lamp
)

// light knows how bright each part that stands still was in the looks before.
type light struct {
	now   []float64 // logarithms
	usual []float64 // none before the first look
	other []float64 // in the look before, where that was not usual
	apart []float64 // scratch
}

// see measures the light of a picture in which everything is where s has it.
func (l *light) see(s *state, patches []*patch, pic *picture) {
	v := view{pic.level[0].w, pic.level[0].h}
	l.now = l.now[:0]
	for _, p := range patches {
		if p.still() {
			x, y := s.place(p, v)
			l.now = append(l.now, math.Log(8+pic.level[2].mean(int(math.Round(x/4)), int(math.Round(y/4)), side/4)))
		}
	}
}

// changed reports whether the light is not what it was; settled, that it is what it was in the look before, which was the first in a new light: a shadow that passes by is gone by then.
func (l *light) changed() (changed, settled bool) {
	if !l.differs(l.usual) {
		l.other = l.other[:0]
		return false, false
	}
	settled = len(l.other) > 0 && !l.differs(l.other)
	l.other = append(l.other[:0], l.now...)
	return true, settled
}

// differs compares the factors by which the parts have become brighter: half of them are this far from the one in the middle.
func (l *light) differs(from []float64) bool {
	if len(from) < fewStill {
		return false
	}
	l.apart = l.apart[:0]
	for i, v := range l.now {
		l.apart = append(l.apart, v-from[i])
	}
	mid := median(l.apart)
	for i, v := range l.apart {
		l.apart[i] = math.Abs(v - mid)
	}
	return median(l.apart) > relitFrom
}

// learn makes what is now usual: all of it where looks are measured anew, else a share.
func (l *light) learn(anew bool) {
	if l.other = l.other[:0]; anew || len(l.usual) == 0 {
		l.usual = append(l.usual[:0], l.now...)
	}
	for i, v := range l.now {
		l.usual[i] += newShare * (v - l.usual[i])
	}
}

// lit says why a fit is none in this light, which is why it is none in any, or that the light is another one. Where that stays, the looks in it are the measure, and what shadows have
// made of the templates is taken anew.
func (w *Watcher) lit(f *fit, why Blind) Blind {
	if why != "" && why != Covered {
		return why
	}
	w.light.see(&f.state, w.patches, &w.pic)
	if !w.relearn {
		switch changed, settled := w.light.changed(); {
		case changed && why == "" && w.steady(f):
			w.light.learn(true)
		case settled && w.pending(f) < 0:
			w.relearn, w.relit = true, true
		case changed:
			return Relit
		}
	}
	if why == Covered && w.relearn {
		w.dress(f)
		if w.relit {
			return Relit
		}
	}
	return why
}

// steady reports whether the fit has everything where the look before had it, so that a new light has done no harm: neither its shadows nor anything else has moved what is seen. That two
// motions undo each other on both axes is not to be expected. What the look before saw to be lost, this one sees too.
func (w *Watcher) steady(f *fit) bool {
	for k := range w.trails {
		if [2]int{w.cal.MoveX, w.cal.MoveY}[k] == 0 {
			continue
		}
		at, ok := w.trails[k].newest()
		if !ok || f.support[k] < leastSupport || math.Abs(f.v[k]-w.zero[k]-at.mm) > calmMM {
			return false
		}
	}
	return f.apart < agrees
}

// pending is the axis of which a step was found in the old light that the new one shows too, of much the same size; −1 = none. It is not measured by the new light, whose shadows
// are in that: they only cannot have made it, for it was there before them.
func (w *Watcher) pending(f *fit) (axis int) {
	for k := range w.trails {
		t := &w.trails[k]
		if len(t.after) == 0 || w.relearn || f.support[k] < leastSupport {
			continue
		}
		expected, _ := t.expect()
		if r := (f.v[k] - w.zero[k] - expected) / t.step(expected).MM; r > 0.6 && r < 1.4 {
			return k
		}
	}
	return -1
}

// carried is the pending step, seen once more.
func (w *Watcher) carried(f *fit, layer int) Step {
	k := w.pending(f)
	if k < 0 {
		return Step{}
	}
	t := &w.trails[k]
	again := t.after[len(t.after)-1]
	again.layer = layer
	expected, _ := t.expect()
	step := t.stays(again, expected)
	step.Axis = [2]string{"x", "y"}[k]
	return step
}

// mean is that of a square, as far as it lies in the picture.
func (p *plane) mean(x, y, side int) float64 {
	x0, y0, x1, y1 := max(x, 0), max(y, 0), min(x+side, p.w), min(y+side, p.h)
	if x0 >= x1 || y0 >= y1 {
		return 0
	}
	sum := float32(0)
	for ; y0 < y1; y0++ {
		for _, v := range p.pix[y0*p.w:][x0:x1] {
			sum += v
		}
	}
	return float64(sum) / float64((x1-x0)*(y1-max(y, 0)))
}
