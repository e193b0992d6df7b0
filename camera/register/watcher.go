package register

import (
	"math"
	"slices"
)

// Blind says why a look could not tell anything of an axis, or of both.
type Blind string

const (
	NoPicture   Blind = "no picture"   // or not of the set-up's size
	Elsewhere   Blind = "elsewhere"    // the head is not near where it was parked in the set-up
	Dark        Blind = "dark"         //
	Overexposed Blind = "overexposed"  //
	Blurred     Blind = "blurred"      //
	Unseen      Blind = "unseen"       // the set-up found nothing that moves with that axis
	Covered     Blind = "covered"      // too little is found again of what moves, or of what stands still
	CameraMoved Blind = "camera moved" // the set-up must be made again
	Faint       Blind = "faint"        // by noise, contrast or view a loss of 1.5 mm could not be told
	Learning    Blind = "learning"     // the first few looks
	Relit       Blind = "relit"        // the light has changed of a sudden, and every shadow with it; what was lost just then is not seen, for the next looks are the measure
)

// Look is what was seen in one pose's pictures.
type Look struct {
	Layer int   `json:"layer"`
	Sees  bool  `json:"sees"` // something: SeesX or SeesY
	SeesX bool  `json:"sees_x"`
	SeesY bool  `json:"sees_y"`
	Why   Blind `json:"why"` // why not both

	// How much further along + the head stands than is believed, by what is seen, since the first looks. Not to be judged by itself, for it drifts; Step is.
	XMM      float64 `json:"x_mm"`
	YMM      float64 `json:"y_mm"`
	SigmaXMM float64 `json:"sigma_x_mm"` // standard deviation
	SigmaYMM float64 `json:"sigma_y_mm"`

	// The least step that would be told now. 99 = none would.
	DetectsXMM float64 `json:"detects_x_mm"`
	DetectsYMM float64 `json:"detects_y_mm"`

	CameraPx float64 `json:"camera_px"` // how far the picture has moved as a whole
	Step     Step    `json:"step"`
}

// Watcher looks at the parked poses of one print. It is not for several goroutines. It takes some 5 MB.
type Watcher struct {
	cal     *Calibration
	patches []*patch
	pic     picture
	votes   votes
	fit     fit
	health  health

	last    state // of the newest look that saw something
	looked  bool  // there is one
	zero    [2]float64
	relearn bool
	light   light
	relit   bool // the measure is in a new light, of too few looks as yet
	trails  [2]trail
	turn    int // the patch that is the next to be taken anew
}

// NewWatcher begins to watch by a calibration.
func NewWatcher(c *Calibration) *Watcher {
	return &Watcher{cal: c, patches: c.patches(), health: health{sharp: c.Sharp}, relearn: true}
}

// Relearn says that all is where it should be from now on: after a check that passed, a change of filament, a resume. The next looks are the measure.
func (w *Watcher) Relearn() { w.relearn, w.relit = true, false }

const (
	farFromPark  = 15.0 // mm in X and Y; the set-up knows nothing of what is seen from there
	cameraNudged = 20.0 // pixels of a picture 640 wide
	leastSupport = 0.4
	calmMM       = 0.15 // templates are taken anew only when nothing is further off
)

// find finds where everything is in these pictures. It changes nothing but what is measured.
func (w *Watcher) find(at Pose, pics []*Luma) (*fit, Blind) {
	if len(pics) == 0 || pics[0] == nil || pics[0].W != w.cal.Width || pics[0].H != w.cal.Height || !w.pic.load(pics) {
		return nil, NoPicture
	}
	pose := at.minus(w.cal.Park)
	if !within(farFromPark, pose[0], pose[1]) || !within(1000, pose[2]) {
		return nil, Elsewhere
	}
	if why := w.health.of(&w.pic); why == Dark || why == Overexposed {
		return nil, why
	}
	start := w.last
	start.pose = pose
	way := math.Abs(pose[2] - w.last.pose[2])
	k := known{at: start.v, give: values{20, 20, 0.1 + 0.02*way, 4, 4, 2, 2}}
	if !w.looked {
		k.give = values{20, 20, 0.5 + 0.02*way, 30, 30, 4, 4}
	}
	searched := start
	w.votes.vote(&start, w.patches, &w.pic)
	k.at[camX], k.at[camY] = start.v[camX], start.v[camY]
	if !refine(start, w.patches, &w.pic, &k, &w.fit) {
		return nil, Covered
	}
	w.stray(&searched)
	return &w.fit, ""
}

// stray measures how far each patch was found from where the fit has it: by its rows, or, when it is not there at all, by the coarse search, which began at searched.
func (w *Watcher) stray(searched *state) {
	for _, p := range w.patches {
		p.stray = 0
	}
	for i := range w.fit.rows {
		r := &w.fit.rows[i]
		p := w.patches[r.patch]
		p.stray = math.Hypot(p.stray, r.off)
	}
	v := view{w.cal.Width, w.cal.Height}
	var still []float64
	for i, p := range w.patches {
		if p.alike == 0 && p.fine.axis[1].seen > p.fine.axis[0].seen/10 {
			if dx, dy, clear := w.votes.of[i].peak(); clear {
				x, y := searched.place(p, v)
				fx, fy := w.fit.place(p, v)
				p.stray = math.Hypot(x+dx-fx, y+dy-fy)
			}
		}
		if p.still() && (p.alike > 0 || p.stray > 0) {
			still = append(still, p.stray)
		}
	}
	slices.Sort(still)
	if w.fit.apart = 0; len(still) > 0 {
		w.fit.apart = still[len(still)*85/100]
	}
}

// Look says what is seen in the pictures, best three, of the head parked at this pose after this layer.
func (w *Watcher) Look(layer int, at Pose, pics []*Luma) Look {
	look := Look{Layer: layer, SigmaXMM: unseenMM, SigmaYMM: unseenMM, DetectsXMM: unseenMM, DetectsYMM: unseenMM}
	f, why := w.find(at, pics)
	if why == "" {
		look.CameraPx = math.Hypot(f.v[camX], f.v[camY])
		why = w.lit(f, w.believes(f, look.CameraPx))
	}
	if look.Why = why; why == Relit && f != nil {
		look.Step = w.carried(f, layer)
	}
	if why != "" {
		w.trails[0].unseen++
		w.trails[1].unseen++
		return look
	}
	begins := w.relearn
	if begins {
		w.begin(f)
	}
	w.light.learn(begins)
	off, sigma, detects := [2]*float64{&look.XMM, &look.YMM}, [2]*float64{&look.SigmaXMM, &look.SigmaYMM}, [2]*float64{&look.DetectsXMM, &look.DetectsYMM}
	calm := true
	for k, name := range [2]string{"x", "y"} {
		t := &w.trails[k]
		if f.support[k] < leastSupport {
			if look.Why = Covered; [2]int{w.cal.MoveX, w.cal.MoveY}[k] == 0 {
				look.Why = Unseen
			}
			t.unseen++
			continue
		}
		*off[k], *sigma[k] = f.v[k]-w.zero[k], min(f.sigma[k], unseenMM)
		shaken := w.shaken(f, k)
		if shaken > leastMM {
			t.anchor = t.anchor[:0] // what the camera did is no creeping
		}
		threshold := max(t.threshold(f.sigma[k], w.cal.Scatter[k])+shaken, t.wanders(layer))
		*detects[k] = min(sure(threshold, f.sigma[k]), unseenMM)
		learned := len(t.before) >= leastTrail
		step := t.add(sample{layer: layer, mm: *off[k], camera: f.camera()}, threshold)
		if step.Sure > 0 && !step.Creeps {
			step.Creeps = t.doubts(step)
		}
		if t.unseen++; threshold <= blindMM {
			t.unseen = 0
		}
		if step.Sure > 0 && (look.Step.Sure == 0 || step.SinceLayer > look.Step.SinceLayer) {
			look.Step = step
			look.Step.Axis = name
		}
		switch {
		case !learned && w.relit:
			look.Why = Relit
		case threshold > blindMM:
			look.Why = Faint
		case !learned:
			look.Why = Learning
		default:
			*[2]*bool{&look.SeesX, &look.SeesY}[k] = true
		}
		calm = calm && t.calm(calmMM)
	}
	look.Sees = look.SeesX || look.SeesY
	w.last, w.looked = f.state, true
	w.relit = w.relit && look.Why == Relit
	w.learn(f, calm, begins && w.relit)
	return look
}

// believes says why a fit is none, or nothing.
func (w *Watcher) believes(f *fit, camera float64) Blind {
	switch {
	case w.health.of(&w.pic) == Blurred && min(f.support[2], max(f.support[0], f.support[1])) < 0.6:
		return Blurred
	case f.support[2] < leastSupport || camera > cameraNudged*float64(w.cal.Width)/640:
		return CameraMoved
	case max(f.support[0], f.support[1]) < leastSupport:
		return Covered
	}
	return ""
}

// shaken is by how many mm a camera that stands elsewhere than in the looks before makes an axis less sure: what is nearer to it moves further in the picture than what its
// place is known by. If even what stands still does not agree, that is so by more than as much.
func (w *Watcher) shaken(f *fit, k int) float64 {
	px := [2]float64{w.cal.PxPerMMX, w.cal.PxPerMMY}[k]
	if px == 0 {
		return 0
	}
	return (0.1*max(w.trails[k].nudged(f.camera())-0.7, 0) + 2.5*max(f.apart-0.6, 0)) / px
}

func (f *fit) camera() [4]float64 { return [4]float64(f.v[camX:]) }

// begin makes this look the measure.
func (w *Watcher) begin(f *fit) {
	w.relearn = false
	w.zero = [2]float64{f.v[lostX], f.v[lostY]}
	w.trails = [2]trail{}
}

// dress takes all templates anew that are not found again, where a look is to be the measure and the camera is where it was: another plate is on the bed, or the lamp is
// another one. Where they are is what is believed.
func (w *Watcher) dress(f *fit) {
	f.v[lostX], f.v[lostY] = w.last.v[lostX], w.last.v[lostY]
	for _, p := range w.patches {
		if p.alike == 0 {
			p.lost++
			w.retake(p, f)
		}
	}
}

// learn remembers how well each patch fitted, and takes templates anew that the print, the light or the height has changed. Only where all is calm: what is lost must never become
// what is usual. A template is taken where the fit of all patches says it is, so what the axes are off by stays as it was; few at a time are, so what each gets wrong averages out. Where a new light
// begins all may be, for it is measured anew.
func (w *Watcher) learn(f *fit, calm, all bool) {
	for i := range f.rows {
		r := &f.rows[i]
		if p := w.patches[r.patch]; r.weight > 0 {
			extra := max(r.off*r.off-1/r.weight, 0)
			p.loose += 0.15 * (min(extra, 4) - p.loose)
		}
	}
	w.health.learn(&w.pic)
	z := f.pose[2]
	few := max(len(w.patches)/8, 4)
	if all && f.apart < agrees {
		few = len(w.patches)
	}
	begun := w.turn
	for i := range w.patches {
		p := w.patches[(begun+i)%len(w.patches)]
		if p.alike == 0 {
			p.lost++
		} else {
			p.lost = 0
		}
		rises := p.move[2] != [2]float64{} && math.Abs(z-p.tookZ) > 4
		if few > 0 && calm && (p.lost >= 3 || p.lost > 0 && all || p.alike > 0 && p.alike < 0.87*p.self || p.alike > 0 && p.stray > agrees || p.alike > 0 && rises) {
			few--
			w.turn = (begun + i + 1) % len(w.patches)
			w.retake(p, f)
		}
	}
}

// retake takes a patch's template anew, at whole pixels near where it is; the rest is kept as its shift.
func (w *Watcher) retake(p *patch, f *fit) {
	full := &w.pic.level[0]
	x, y := f.place(p, view{full.w, full.h})
	ix, iy := math.Round(x), math.Round(y)
	if ix < 0 || iy < 0 || ix+side > float64(full.w) || iy+side > float64(full.h) {
		return
	}
	if p.lost > 0 {
		p.loose = 0.25 // what is there now must show first that it stays with the others
	}
	var pix [side * side]float32
	full.cut(int(ix), int(iy), &pix)
	p.take(&pix)
	p.shift[0], p.shift[1] = p.shift[0]+ix-x, p.shift[1]+iy-y
	p.lost, p.tookZ = 0, f.pose[2]
}
