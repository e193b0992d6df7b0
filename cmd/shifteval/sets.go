package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"layerd/camera/register"
)

// What flows here: a scene ─▶ all its pictures as they are rendered: those of the set-up, one of each look of a print that goes well, and for each loss the three looks
// after it.

// set is a scene's renderings.
type set struct {
	scene
	layers []layer
	poses  []register.Pose // of the set-up
	setUp  []*rendering
	looks  []look
	losses []loss
	kept   kept
}

// look is one picture of a print that goes well.
type look struct {
	printed int // layers
	pose    register.Pose
	pic     *rendering
}

// loss is what is seen from the look number at on.
type loss struct {
	at   int
	axis int
	mm   float64
	pics [afterwards]*rendering
}

const (
	afterwards   = 3 // looks
	mostLooks    = 36
	blenderLooks = 24 // at some ten seconds each
	liftMM       = 1  // above what is printed, as the pictures of layer changes are taken
)

var sizes = []float64{0.4, 0.8, 1.6, 2.0}

// plan fills in what is to be rendered.
func (s *set) plan(points int) error {
	most := mostLooks
	if s.Drawn == byBlender {
		most, points = blenderLooks, 1
	}
	n := min(most, len(s.layers)-2)
	for i := range n {
		printed := 2 + i*(len(s.layers)-2)/n
		s.looks = append(s.looks, look{printed: printed, pose: register.Pose{XMM: s.Park.x, YMM: s.Park.y, ZMM: s.layers[printed-1].top + liftMM}})
	}
	dice := s.dice(4)
	for p := range points {
		// The first few looks are the measure, and three must be left.
		least, room := 6, n-6-afterwards
		at := least + (room*p+dice.IntN(max(room, 1)))/points
		for axis := range 2 {
			for _, mm := range sizes {
				if dice.IntN(2) == 0 {
					mm = -mm
				}
				s.losses = append(s.losses, loss{at: min(at, n-afterwards), axis: axis, mm: mm})
			}
		}
	}
	c := register.NewCalibrator(register.Pose{XMM: s.Park.x, YMM: s.Park.y, ZMM: 5}, register.Limits{Max: register.Pose{XMM: bedSize, YMM: bedSize, ZMM: 200}})
	// The set-up asks for each pose when it has the pictures of the one before, but which they are does not hang on what is seen.
	blank := &register.Luma{W: 128, H: 128, Pix: chequers(128)}
	for at, more := c.Next(); more; at, more = c.Next() {
		s.poses = append(s.poses, at)
		if err := c.Add(at, []*register.Luma{blank}); err != nil {
			return err
		}
	}
	return nil
}

// render makes them.
func (s *set) render(ctx context.Context, r *renders, atOnce int) error {
	w, h := int(math.Round(float64(s.W)*margin)), int(math.Round(float64(s.H)*margin))
	type job struct {
		st state
		to **rendering
	}
	var jobs []job
	s.setUp = make([]*rendering, len(s.poses))
	for i, p := range s.poses {
		jobs = append(jobs, job{state{pose: placeOf(p), seed: uint64(1000 + i)}, &s.setUp[i]})
	}
	for i := range s.looks {
		l := &s.looks[i]
		jobs = append(jobs, job{state{printed: l.printed, pose: placeOf(l.pose), seed: uint64(i)}, &l.pic})
	}
	for i := range s.losses {
		l := &s.losses[i]
		for k := range l.pics {
			at := &s.looks[l.at+k]
			st := state{printed: at.printed, pose: placeOf(at.pose), from: s.looks[l.at-1].printed, seed: uint64(2000 + i*afterwards + k)}
			st.lost[l.axis] = l.mm
			jobs = append(jobs, job{st, &l.pics[k]})
		}
	}
	return both(len(jobs), atOnce, func(i int) (err error) {
		if *jobs[i].to, err = r.get(ctx, s.text(s.layers, jobs[i].st), w, h); err != nil {
			return fmt.Errorf("scene %q: %w", s.Name, err)
		}
		return nil
	})
}

// chequers is a picture in which there is something to see.
func chequers(side int) []byte {
	pix := make([]byte, side*side)
	for i := range pix {
		pix[i] = byte(60 + 100*((i/8+i/side/8)%2))
	}
	return pix
}

func placeOf(p register.Pose) [3]float64 { return [3]float64{p.XMM, p.YMM, p.ZMM} }

// newSet reads the scene's model, and moves it to the middle of the bed.
func newSet(sc scene, corpus string, points int) (*set, error) {
	layers, err := readModel(filepath.Join(corpus, sc.Model))
	if err != nil {
		return nil, err
	}
	if sc.W == 0 {
		sc.W, sc.H = 640, 360
	}
	s := &set{scene: sc, layers: layers}
	return s, s.plan(points)
}
