package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"layerd/camera/register"
)

// What flows here: one scene as a camera of 1280 × 720 sees it ─▶ a set-up and the JPEGs of some looks, in files ─▶ looks and nothing else, by a program in which somebody counts
// instructions.

const (
	costW, costH = 1280, 720
	costLooks    = 6 // that differ; then they come again
	threePics    = 3 // of each look, as internal/guard takes them
)

// costs is what looks need, and is kept as JSON.
type costs struct {
	Calibration *register.Calibration
	JPEG        [costLooks][threePics][]byte
	Pose        [costLooks]register.Pose
}

// newCosts makes the pictures of a scene with its set-up. The larger pictures are rendered for it.
func newCosts(ctx context.Context, s *set, cal *register.Calibration, r *renders) (*costs, error) {
	c := &costs{Calibration: cal}
	cam := &camera{s.optics(), theNuisances()[0], 1, s.dice(6)}
	for i := range c.JPEG {
		at := &s.looks[i*len(s.looks)/costLooks]
		st := state{printed: at.printed, pose: placeOf(at.pose), seed: uint64(i)}
		pic, err := r.get(ctx, s.text(s.layers, st), int(math.Round(costW*margin)), int(math.Round(costH*margin)))
		if err != nil {
			return nil, err
		}
		c.Pose[i] = at.pose
		for k := range c.JPEG[i] {
			c.JPEG[i][k] = cam.optics.shoot(pic, usual(), cam.dice)
		}
	}
	return c, nil
}

// look is one from JPEG to what is seen, as internal/guard has it.
func (c *costs) look(w *register.Watcher, i int) (register.Look, error) {
	var pics []*register.Luma
	for _, data := range c.JPEG[i%costLooks] {
		l := &register.Luma{}
		if err := register.Decode(data, l); err != nil {
			return register.Look{}, err
		}
		pics = append(pics, l)
	}
	return w.Look(i, c.Pose[i%costLooks], pics), nil
}

// measured is the cost on this machine.
type measured struct {
	perLook  time.Duration
	held     float64 // MB, that a Watcher and its calibration hold
	garbage  float64 // MB, that a look takes besides and lets go of: as much more as the collector likes
	measures int
}

func (c *costs) measure() (m measured, err error) {
	text, err := json.Marshal(c.Calibration)
	if err != nil {
		return m, err
	}
	before := heap()
	cal := &register.Calibration{}
	if err := json.Unmarshal(text, cal); err != nil {
		return m, err
	}
	w := register.NewWatcher(cal)
	for i := range costLooks {
		if l, err := c.look(w, i); err != nil || i > 3 && !l.Sees {
			return m, errors.Join(err, fmt.Errorf("look %d saw nothing: %s", i, l.Why))
		}
	}
	after := heap()
	m.held = float64(after.HeapAlloc-before.HeapAlloc) / 1e6
	m.measures = 4 * costLooks
	begun := time.Now()
	for i := range m.measures {
		if _, err := c.look(w, i); err != nil {
			return m, err
		}
	}
	m.perLook = time.Since(begun) / time.Duration(m.measures)
	var end runtime.MemStats
	runtime.ReadMemStats(&end)
	m.garbage = float64(end.TotalAlloc-after.TotalAlloc) / float64(m.measures) / 1e6
	runtime.KeepAlive(w)
	runtime.KeepAlive(cal)
	runtime.KeepAlive(text)
	return m, nil
}

// heap is what is held when all garbage is gone.
func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

func (m measured) String() string {
	return fmt.Sprintf("a look at three pictures of %d × %d, their JPEGs and all, takes %.0f ms on this machine (%s); a Watcher with its calibration holds %.1f MB, and each look leaves %.1f MB behind for the collector",
		costW, costH, float64(m.perLook.Microseconds())/1000, runtime.GOARCH, m.held, m.garbage)
}

// keep writes what a look needs into a directory, so that nothing else need be done where instructions are counted.
func (c *costs) keep(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "looks.json"), text, 0o644)
}

// onlyLooks looks so many times at what was kept, and does nothing else.
func onlyLooks(dir string, n int) error {
	text, err := os.ReadFile(filepath.Join(dir, "looks.json"))
	if err != nil {
		return err
	}
	c := &costs{}
	if err := json.Unmarshal(text, c); err != nil {
		return fmt.Errorf("read what looks need: %w", err)
	}
	w := register.NewWatcher(c.Calibration)
	for i := range n {
		if _, err := c.look(w, i); err != nil {
			return err
		}
	}
	return nil
}

// cost measures the first scene, and keeps what is needed to count instructions.
func (e *evaluation) cost(ctx context.Context, dir string, say io.Writer) error {
	s, err := newSet(theScenes()[0], e.corpus, 0)
	if err != nil {
		return err
	}
	if err := s.render(ctx, e.renders, e.atOnce); err != nil {
		return err
	}
	cal, err := s.calibrate()
	if err != nil {
		return err
	}
	c, err := newCosts(ctx, s, cal, e.renders)
	if err != nil {
		return err
	}
	m, err := c.measure()
	if err != nil {
		return err
	}
	fmt.Fprintln(say, m)
	return c.keep(dir)
}
