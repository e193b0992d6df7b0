package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"layerd/camera/register"
)

// seen is all that came of one half of the scenes.
type seen struct {
	heldOut bool
	scenes  []*set
	cals    map[*set]*register.Calibration
	refused map[*set]error // set-ups that found nothing to go by
	passes  []passed
	losses  []lost
	cost    measured
}

// evaluation is how much is done.
type evaluation struct {
	corpus   string
	renders  *renders
	hours    float64 // of prints that go well, for each half
	points   int     // in each scene at which something is lost
	atOnce   int
	nuisance string // only those whose name has this in it
	drawn    string // only the scenes that are drawn by this renderer
	place    string // only the scenes whose name has this in it
	explain  bool   // what went wrong
	say      io.Writer
}

// camera runs one half of the scenes, and has what is known written after each.
func (e *evaluation) camera(ctx context.Context, heldOut bool, write func(*seen) error) error {
	out := &seen{heldOut: heldOut, cals: map[*set]*register.Calibration{}, refused: map[*set]error{}}
	list := e.list(heldOut)
	for i, sc := range list {
		s, err := newSet(sc, e.corpus, e.points)
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := s.render(ctx, e.renders, e.atOnce); err != nil {
			return err
		}
		out.scenes = append(out.scenes, s)
		cal, err := s.calibrate()
		fmt.Fprintf(e.say, "scene %d of %d, %s: pictures after %.0f s, %d rendered so far\n", i+1, len(list), s.Name, time.Since(begun).Seconds(), e.renders.made)
		if err != nil {
			out.refused[s] = err
			continue
		}
		out.cals[s] = cal
		if out.cost.measures == 0 && e.drawn == byPOV { // it is the same for pictures of either, and Blender's take long
			c, err := newCosts(ctx, s, cal, e.renders)
			if err != nil {
				return err
			}
			if out.cost, err = c.measure(); err != nil {
				return err
			}
		}
		if err := e.scene(ctx, s, cal, float64(len(list)), out); err != nil {
			return err
		}
		if e.explain {
			out.explain(s, e.say)
		}
		s.forget()
		runtime.GC()
		if err := write(out); err != nil {
			return err
		}
		fmt.Fprintf(e.say, "   watched after %.0f s\n", time.Since(begun).Seconds())
	}
	return e.renders.prune()
}

// list is one half, of one renderer, or what was asked for of it.
func (e *evaluation) list(heldOut bool) (list []scene) {
	for _, s := range theScenes() {
		if s.HeldOut == heldOut && s.Drawn == e.drawn && strings.Contains(s.Name, e.place) {
			list = append(list, s)
		}
	}
	return list
}

// render makes the pictures of one half. Nothing looks at them.
func (e *evaluation) render(ctx context.Context, heldOut bool) error {
	if err := os.MkdirAll(e.renders.dir, 0o755); err != nil {
		return err
	}
	for _, sc := range e.list(heldOut) {
		s, err := newSet(sc, e.corpus, e.points)
		if err == nil {
			err = s.render(ctx, e.renders, e.atOnce)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(e.say, "%s: %d rendered so far\n", s.Name, e.renders.made)
	}
	return nil
}

// scene watches prints of one scene: each nuisance, again and again with other dice until the hours are full, and the losses with some of the nuisances.
func (e *evaluation) scene(ctx context.Context, s *set, cal *register.Calibration, scenes float64, out *seen) error {
	all := theNuisances()
	rounds := max(int(e.hours*3600/secondsALook/scenes/float64(len(s.looks)*len(all))+0.999), 1)
	var mu sync.Mutex
	return both(rounds*len(all), e.atOnce, func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, round := all[i%len(all)], i/len(all)
		if !strings.Contains(n.name, e.nuisance) {
			return nil
		}
		pics, cam, err := s.shots(n, uint64(100+i))
		if err != nil {
			return err
		}
		p := s.pass(cal, n, pics, round == 0)
		p.dice = i
		var losses []lost
		if round == 0 {
			for k := range s.losses {
				if (k+k/4+k/8+i+int(s.Seed))%2 == 1 { // each nuisance has half of them: sizes, axes and moments by turns
					continue
				}
				l, err := s.lose(cal, n, pics, cam, &s.losses[k])
				if err != nil {
					return err
				}
				losses = append(losses, l)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		out.passes, out.losses = append(out.passes, p), append(out.losses, losses...)
		return nil
	})
}

// forget lets go of the pictures.
func (s *set) forget() {
	s.setUp, s.kept.of = nil, nil
	for i := range s.looks {
		s.looks[i].pic = nil
	}
	for i := range s.losses {
		s.losses[i].pics = [afterwards]*rendering{}
	}
}

// largest is what the baselines gave for prints that go well: nothing smaller can be an alarm.
func (o *seen) largest() (most [baselines]float64) {
	for _, p := range o.passes {
		for k, list := range p.stats {
			for _, v := range list {
				most[k] = max(most[k], v)
			}
		}
	}
	return most
}
