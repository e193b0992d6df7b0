package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"layerd/camera/register"
)

// What flows here: a set's renderings, a nuisance and a seed ─▶ the camera's JPEGs ─▶ register, as a print would have it, and the baselines on the same pictures ─▶ what each
// of them said.

const secondsALook = 36 // a layer of a usual print; a hundred looks are an hour

// Methods that are compared: what a look says to each of them.
const (
	byDifference = iota
	byPhase
	baselines
)

// passed is what came of a print that went well.
type passed struct {
	scene     *set
	nuisance  string
	dice      int
	looks     int
	events    []event
	claims    [2]int // looks that claimed to see the axis
	suspected int    // times that a check would have been asked for
	paused    int    // times that the camera alone would have paused
	stats     [baselines][]float64
	why       map[register.Blind]int
}

// lost is what came of a loss.
type lost struct {
	scene    *set
	nuisance string
	loss     *loss
	claimed  bool    // the look before claimed to see the axis
	detects  float64 // and how small a loss
	stays    bool    // those after it claimed that they would see the loss too
	asked    int     // look at which a check would have been asked for, from 1; 0 = none
	paused   int     // look at which the camera alone would have paused
	found    float64 // mm
	stats    [baselines]float64
	looks    []register.Look // those before and after
}

// suspects and pauses are the rules of internal/guard: two looks that agree, or one that is far off, ask for a check; three, or two that are plain or far off, pause where there is none; what comes slowly
// may be a bed that bends.
func suspects(s register.Step) bool { return s.Sure >= 2 || s.Sure == 1 && math.Abs(s.MM) > 1.5 }
func pauses(s register.Step) bool {
	return !s.Creeps && (s.Sure >= 3 || s.Sure == 2 && (s.Plain || math.Abs(s.MM) > 1.8))
}

// camera makes a set's JPEGs into what register gets.
type camera struct {
	optics optics
	n      nuisance
	of     int // looks in all
	dice   *rand.Rand
}

func (c *camera) shoot(r *rendering, i int) (pics []*register.Luma, err error) {
	m, each := c.n.at(i, c.of, c.dice)
	for k := range c.n.pictures {
		m := m
		if each != nil {
			each(k, &m)
		}
		l := &register.Luma{}
		if err := register.Decode(c.optics.shoot(r, m, c.dice), l); err != nil {
			return nil, err
		}
		pics = append(pics, l)
	}
	return pics, nil
}

// calibrate is the set-up.
func (s *set) calibrate() (*register.Calibration, error) {
	cam := &camera{s.optics(), theNuisances()[0], 1, s.dice(5)}
	c := register.NewCalibrator(s.poses[0], register.Limits{Max: register.Pose{XMM: bedSize, YMM: bedSize, ZMM: 200}})
	for i, at := range s.poses {
		var pics []*register.Luma
		for range 3 {
			p, err := cam.shoot(s.setUp[i], 0)
			if err != nil {
				return nil, err
			}
			pics = append(pics, p...)
		}
		if err := c.Add(at, pics); err != nil {
			return nil, err
		}
	}
	return c.Result()
}

// shots are one print's pictures.
func (s *set) shots(n nuisance, seed uint64) (all [][]*register.Luma, cam *camera, err error) {
	cam = &camera{s.optics(), n, len(s.looks), rand.New(rand.NewPCG(s.Seed, seed))}
	cam.optics.kept = &s.kept
	for i, l := range s.looks {
		pics, err := cam.shoot(l.pic, i)
		if err != nil {
			return nil, nil, fmt.Errorf("scene %q: %w", s.Name, err)
		}
		all = append(all, pics)
	}
	return all, cam, nil
}

// pass watches a print that goes well, by the baselines too if they shall.
func (s *set) pass(cal *register.Calibration, n nuisance, all [][]*register.Luma, baselines bool) passed {
	p := passed{scene: s, nuisance: n.name, looks: len(all), why: map[register.Blind]int{}}
	w := register.NewWatcher(cal)
	held := false // suspicion is one event as long as it lasts
	var before *small
	var seen []register.Look
	for i, pics := range all {
		l := w.Look(s.looks[i].printed, s.looks[i].pose, pics)
		seen = append(seen, l)
		for k, sees := range []bool{l.SeesX, l.SeesY} {
			if sees {
				p.claims[k]++
			}
		}
		if l.Why != "" {
			p.why[l.Why]++
		}
		if suspects(l.Step) && !held {
			p.suspected++
			p.events = append(p.events, event{"check asked for", i, last(seen, 6)})
		}
		held = suspects(l.Step)
		if pauses(l.Step) {
			p.paused++
			p.events = append(p.events, event{"false pause", i, last(seen, 6)})
			w.Relearn() // a person said that it was a false alarm
			held = false
		}
		if !baselines {
			continue
		}
		now := smaller(pics[0])
		if before != nil {
			for k, v := range now.against(before) {
				p.stats[k] = append(p.stats[k], v)
			}
		}
		before = now
	}
	return p
}

// before a loss the watcher has seen so many looks: as many as it remembers are too many to do again for each.
const history = 14

// lose watches a print until a loss, and three looks more.
func (s *set) lose(cal *register.Calibration, n nuisance, all [][]*register.Luma, cam *camera, l *loss) (lost, error) {
	out := lost{scene: s, nuisance: n.name, loss: l}
	w := register.NewWatcher(cal)
	for i := max(l.at-history, 0); i < l.at; i++ {
		before := w.Look(s.looks[i].printed, s.looks[i].pose, all[i])
		out.looks = append(out.looks, before)
		out.claimed, out.detects = []bool{before.SeesX, before.SeesY}[l.axis], []float64{before.DetectsXMM, before.DetectsYMM}[l.axis]
	}
	before := smaller(all[l.at-1][0])
	out.stays = true
	for k, r := range l.pics {
		pics, err := cam.shoot(r, l.at+k)
		if err != nil {
			return out, err
		}
		look := w.Look(s.looks[l.at+k].printed, s.looks[l.at+k].pose, pics)
		out.looks = last(append(out.looks, look), 3+afterwards)
		out.stays = out.stays && claims(&look, l.axis, l.mm)
		right := look.Step.Axis == []string{"x", "y"}[l.axis] && look.Step.MM*l.mm > 0
		if right && suspects(look.Step) && out.asked == 0 {
			out.asked = k + 1
		}
		if right && pauses(look.Step) && out.paused == 0 {
			out.paused, out.found = k+1, look.Step.MM
		}
		now := smaller(pics[0])
		for k, v := range now.against(before) {
			out.stats[k] = max(out.stats[k], v)
		}
		before = now
	}
	return out, nil
}
