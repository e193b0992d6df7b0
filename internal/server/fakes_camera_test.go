package server

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"layerd/camera"
	"layerd/internal/latest"
)

// fakeCameras are cameras without devices: take publishes a frame. The one with the ID 0 is there from the beginning.
type fakeCameras struct {
	status *latest.Value[[]camera.Status]

	mu       sync.Mutex // guards the rest
	frames   map[int]*latest.Value[*camera.Frame]
	setups   []camera.Setup
	controls []camera.Control
	lookers  int
	refuse   error // what Set answers
}

func newFakeCameras() *fakeCameras {
	return &fakeCameras{status: latest.New([]camera.Status{{Name: "fake"}}), setups: []camera.Setup{{}}, controls: []camera.Control{{ID: "focus", Name: "Focus", Kind: "number", Max: 250, Step: 5}},
		frames: map[int]*latest.Value[*camera.Frame]{0: latest.New[*camera.Frame](nil)}}
}

func (c *fakeCameras) Status() *latest.Value[[]camera.Status] { return c.status }

func (c *fakeCameras) Frames(id int) *latest.Value[*camera.Frame] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames[id]
}

func (c *fakeCameras) Look(int) (done func()) {
	c.look(1)
	return sync.OnceFunc(func() { c.look(-1) })
}

func (c *fakeCameras) look(by int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookers += by
	return c.lookers
}

func (c *fakeCameras) Controls(int) []camera.Control { return c.controls }

func (c *fakeCameras) Setups() []camera.Setup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.setups)
}

func (c *fakeCameras) Set(_ context.Context, setups []camera.Setup) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return c.refuse
	}
	if err := camera.NewRig(camera.RigConfig{}).Check(setups); err != nil {
		return err
	}
	c.setups = slices.Clone(setups)
	frames := map[int]*latest.Value[*camera.Frame]{}
	for _, s := range setups {
		if frames[s.ID] = c.frames[s.ID]; frames[s.ID] == nil {
			frames[s.ID] = latest.New[*camera.Frame](nil)
		}
	}
	c.frames = frames
	return nil
}

func (c *fakeCameras) Devices() []camera.Device {
	return []camera.Device{{ID: "sim", Name: "Simulated"}}
}

// take publishes frame n of the first camera.
func (c *fakeCameras) take(n uint32) *camera.Frame {
	f := &camera.Frame{Seq: n, Time: time.Now(), Width: 640, Height: 480, JPEG: bytes.Repeat([]byte{byte(n)}, 5000)}
	c.Frames(0).Set(f)
	c.status.Set([]camera.Status{{Name: "fake", Live: true}})
	return f
}
