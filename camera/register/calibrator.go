package register

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Calibrator asks for poses, is given pictures, and finds out what moves with what. It is not for several goroutines. It keeps some 5 MB.
type Calibrator struct {
	plan []planned
	size [2]int
	sets [][]*Luma // pictures by pose
}

// planned is a pose and what is learned there.
type planned struct {
	pose Pose
	axis int     // that was moved; -1 = none
	mm   float64 // by how much
}

// How far each axis is moved, mm: a little, for parts to be found again whatever the camera's distance; more, for exactness; and Z much more, for it changes as the print grows.
var jogs = [3][]float64{{2, 10}, {2, 10}, {2, 10, 40}}

// NewCalibrator plans the poses around park, between lim. Nothing may lie on the bed. park should be where the head will be for pictures of prints, and low.
func NewCalibrator(park Pose, lim Limits) *Calibrator {
	c := &Calibrator{plan: []planned{{park, -1, 0}}}
	least, most := lim.Min.minus(park), lim.Max.minus(park)
	for axis, list := range jogs {
		sign := 1.0
		if most[axis] < -least[axis] {
			sign = -1
		}
		for i, mm := range list {
			room := max(most[axis], -least[axis])
			if i > 0 && mm > room {
				if mm = room; mm < 2.5*list[i-1] {
					break
				}
			}
			p := park
			*[3]*float64{&p.XMM, &p.YMM, &p.ZMM}[axis] += sign * mm
			c.plan = append(c.plan, planned{p, axis, sign * mm})
		}
	}
	c.plan = append(c.plan, planned{park, -1, 0})
	return c
}

// Poses is how many poses there are in all.
func (c *Calibrator) Poses() int { return len(c.plan) }

// Next is where the head should stand for the next pictures; false: there are enough.
func (c *Calibrator) Next() (Pose, bool) {
	if len(c.sets) == len(c.plan) {
		return Pose{}, false
	}
	return c.plan[len(c.sets)].pose, true
}

var errPose = errors.New("pictures do not fit the set-up")

// Add takes the pictures, best three, of the pose that Next asked for. On an error they may be taken again.
func (c *Calibrator) Add(at Pose, pics []*Luma) error {
	want, more := c.Next()
	if d := at.minus(want); !more || !within(0.05, d[:]...) {
		return fmt.Errorf("%w: they were taken at %v", errPose, at)
	}
	var p picture
	if !p.load(pics) {
		return fmt.Errorf("%w: there are none, or their sizes differ", errPose)
	}
	if c.size == [2]int{} {
		c.size = [2]int{pics[0].W, pics[0].H}
	}
	switch why := (&health{}).of(&p); {
	case c.size != [2]int{pics[0].W, pics[0].H}:
		return fmt.Errorf("%w: their size changed", errPose)
	case why != "":
		return fmt.Errorf("%w: they are %s", errPose, why)
	}
	var keep []*Luma
	for _, l := range pics[max(len(pics)-3, 0):] {
		keep = append(keep, &Luma{l.W, l.H, slices.Clone(l.Pix)})
	}
	c.sets = append(c.sets, keep)
	return nil
}

// Result is what was learned, when Next has no more. It takes about a second. The error says what is wrong with the view; an axis that cannot be seen is no error, but
// said in the Calibration.
func (c *Calibrator) Result() (*Calibration, error) {
	if _, more := c.Next(); more {
		return nil, fmt.Errorf("%w: there are %d of %d poses", errPose, len(c.sets), len(c.plan))
	}
	var first, again picture
	first.load(c.sets[0])
	again.load(c.sets[len(c.sets)-1])
	blocks := blocksOf(&first, &again)
	var moves [3]bool
	for axis := range moves {
		if js := c.jogs(axis); len(js) >= 2 {
			moves[axis] = learn(blocks, axis, js)
		}
	}
	cal := &Calibration{Width: c.size[0], Height: c.size[1], Park: c.plan[0].pose, Sharp: first.sharp, Patches: []Patch{}}
	chosen := choose(blocks, c.size[0], c.size[1])
	for _, b := range chosen {
		p := Patch{X: int(b.x), Y: int(b.y), Bend: [2]float64{round(b.bend[0], 1e-7), round(b.bend[1], 1e-7)}, Self: round(b.self, 1e-3), Pix: b.pix}
		for i, m := range b.move {
			p.Move[i] = [2]float64{round(m[0], 1e-5), round(m[1], 1e-5)}
		}
		cal.Patches = append(cal.Patches, p)
	}
	cal.describe(chosen)
	if cal.MoveX+cal.MoveY == 0 {
		return nil, fmt.Errorf("%w: nothing in the picture moves with X or Y", errPose)
	}
	if err := cal.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errPose, err)
	}
	c.prove(cal)
	return cal, nil
}

// round keeps the JSON short.
func round(v, to float64) float64 { return math.Round(v/to) / math.Round(1/to) }

// jogs are the pictures of one axis.
func (c *Calibrator) jogs(axis int) (list []jog) {
	for i, p := range c.plan {
		if p.axis == axis {
			pic := &picture{}
			pic.load(c.sets[i])
			list = append(list, jog{p.mm, pic})
		}
	}
	return list
}

// describe counts what moves.
func (c *Calibration) describe(chosen []*block) {
	var px [2][]float64
	var contrast []float64
	bed := 0
	for _, b := range chosen {
		if b.still() {
			c.Still++
			continue
		}
		for k := range px {
			if b.moved[k] {
				px[k] = append(px[k], math.Hypot(b.move[k][0], b.move[k][1]))
			}
		}
		if b.moved[1] && !b.moved[0] {
			bed++
		}
		sorted := slices.Sorted(slices.Values(b.fine.t))
		contrast = append(contrast, float64(sorted[len(sorted)*95/100]-sorted[len(sorted)*5/100]))
	}
	c.MoveX, c.MoveY = len(px[0]), len(px[1])
	c.PxPerMMX, c.PxPerMMY, c.Contrast = median(px[0]), median(px[1]), median(contrast)
	switch {
	case c.MoveX == 0 || c.MoveY == 0:
		c.Kind = Unclear
	case bed > c.MoveY/2:
		c.Kind = BedMoves
	default:
		c.Kind = HeadMoves
	}
}

const leastStill = 8 // patches

// prove looks at the set-up's own pictures as a Watcher will: how far do those of one pose scatter, and is a small move that is kept secret found?
func (c *Calibrator) prove(cal *Calibration) {
	w := NewWatcher(cal)
	var off, sigma [2][]float64
	for i, p := range c.plan {
		if p.axis >= 0 {
			continue
		}
		for _, l := range c.sets[i] {
			f, why := w.find(cal.Park, []*Luma{l})
			for k := range off {
				if why == "" {
					off[k], sigma[k] = append(off[k], f.v[k]), append(sigma[k], f.sigma[k])
				}
			}
		}
	}
	detects, sees, whys := [2]*float64{&cal.DetectsXMM, &cal.DetectsYMM}, [2]*bool{&cal.SeesX, &cal.SeesY}, [2]*string{&cal.WhyX, &cal.WhyY}
	for k, count := range [2]int{cal.MoveX, cal.MoveY} {
		*detects[k] = unseenMM
		switch {
		case cal.Still < leastStill:
			*whys[k] = "too little in the picture stands still: a camera that is nudged could not be told from a loss"
			continue
		case len(off[k]) < 2 || count == 0:
			*whys[k] = "nothing in the picture moves with it"
			continue
		}
		cal.Scatter[k] = min(scatter(off[k]), 100)
		threshold := max(leastMM, 5*median(sigma[k]), 4.5*cal.Scatter[k])
		*detects[k] = min(sure(threshold, median(sigma[k])), unseenMM)
		found, meant := c.drill(cal, k)
		switch {
		case !(math.Abs(found-meant) < 0.25+0.1*math.Abs(meant)):
			*whys[k], *detects[k] = fmt.Sprintf("a move of %.1f mm looked like %.1f mm", meant, found), unseenMM
		case threshold > blindMM:
			*whys[k] = "what moves with it has too little contrast, is too small, or moves towards the camera"
		default:
			*sees[k] = true
		}
	}
}

// drill is what a Watcher finds in the pictures of an axis's first jog when it believes that the head is parked.
func (c *Calibrator) drill(cal *Calibration, axis int) (found, meant float64) {
	for i, p := range c.plan {
		if p.axis != axis {
			continue
		}
		if f, why := NewWatcher(cal).find(cal.Park, c.sets[i]); why == "" {
			return f.v[axis], p.mm
		}
		return math.NaN(), p.mm
	}
	return math.NaN(), 0
}

// median of a list that may be changed; 0 of an empty one.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return (list[len(list)/2] + list[(len(list)-1)/2]) / 2
}

// scatter is the standard deviation.
func scatter(list []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range list {
		mean += v / float64(len(list))
	}
	for _, v := range list {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(max(len(list)-1, 1)))
}
