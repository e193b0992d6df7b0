package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"layerd/internal/latest"
)

// Rig is all cameras that look at one printer. Each has its own goroutine and its own failures, which touch none of the others.
type Rig struct {
	cfg    RigConfig
	list   *latest.Value[[]*Camera] // in the order in which they are shown; never changed, only replaced
	status *latest.Value[[]Status]  // of the same, in the same order
	change chan rigChange           // to the goroutine in Run
	ended  chan struct{}            // closed when Run has returned
}

// RigConfig is what a Rig is made of. Setups are those to begin with; Set changes them. The others are as in Config.
type RigConfig struct {
	Setups []Setup
	Config // but for its Setup and Taken
}

type rigChange struct {
	to   []Setup
	done chan error
}

// NewRig makes a Rig that does nothing until Run.
func NewRig(cfg RigConfig) *Rig {
	if cfg.Find == nil {
		cfg.Find = findAll
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Find = oneAtATime(cfg.Find)
	r := &Rig{cfg: cfg, list: latest.New[[]*Camera](nil), status: latest.New([]Status{}), change: make(chan rigChange), ended: make(chan struct{})}
	var list []*Camera
	for _, s := range cfg.Setups {
		list = append(list, r.camera(s))
	}
	r.list.Set(list)
	r.tell()
	return r
}

func (r *Rig) camera(s Setup) *Camera {
	cfg := r.cfg.Config
	cfg.Setup = s
	cfg.Taken = func(device string) bool { return r.taken(s.ID, device) }
	return New(cfg)
}

// taken tells whether a camera other than the one with this ID was given the device.
func (r *Rig) taken(id int, device string) bool {
	list, _ := r.list.Get()
	return slices.ContainsFunc(list, func(c *Camera) bool { return c.cfg.ID != id && claims("/", c.Setup().Device, device) })
}

// Run keeps all cameras going until ctx ends. It is called once. The error tells of cameras that could not be stopped.
func (r *Rig) Run(ctx context.Context) error {
	defer close(r.ended)
	var all sync.WaitGroup
	var mu sync.Mutex // guards stuck
	var stuck error
	running := map[*Camera]context.CancelFunc{}
	changed := make(chan struct{}, 1)
	begin := func(c *Camera) {
		life, end := context.WithCancel(ctx)
		running[c] = end
		all.Go(func() {
			if err := c.Run(life); err != nil {
				mu.Lock()
				defer mu.Unlock()
				stuck = errors.Join(stuck, err)
			}
		})
		all.Go(func() {
			for range c.Status().Each(life) {
				select {
				case changed <- struct{}{}:
				default:
				}
			}
		})
	}
	list, _ := r.list.Get()
	for _, c := range list {
		begin(c)
	}
	for {
		select {
		case <-changed:
			r.tell()
		case ch := <-r.change:
			err := r.arrange(ctx, ch.to)
			list, _ := r.list.Get()
			for c, end := range running {
				if !slices.Contains(list, c) {
					end()
					delete(running, c)
				}
			}
			for _, c := range list {
				if running[c] == nil {
					begin(c)
				}
			}
			r.tell()
			ch.done <- err
		case <-ctx.Done():
			all.Wait()
			return stuck
		}
	}
}

// arrange makes the list what the setups say. Cameras that stay go on as they are.
func (r *Rig) arrange(ctx context.Context, setups []Setup) error {
	had, _ := r.list.Get()
	var list []*Camera
	var problems error
	for _, s := range setups {
		i := slices.IndexFunc(had, func(c *Camera) bool { return c.cfg.ID == s.ID })
		if i < 0 {
			list = append(list, r.camera(s))
			continue
		}
		list = append(list, had[i])
		problems = errors.Join(problems, had[i].Set(ctx, s))
	}
	r.list.Set(list)
	return problems
}

// tell publishes the statuses if anything in them changed.
func (r *Rig) tell() {
	list, _ := r.list.Get()
	now := make([]Status, 0, len(list))
	for _, c := range list {
		s, _ := c.status.Get()
		now = append(now, *s)
	}
	if told, _ := r.status.Get(); !slices.Equal(told, now) {
		r.status.Set(now)
	}
}

// Set makes the rig have these cameras, in this order, and returns when they have begun. ErrSettings: they make no sense; ErrStopped: Run
// has returned.
func (r *Rig) Set(ctx context.Context, setups []Setup) error {
	if err := r.Check(setups); err != nil {
		return err
	}
	ch := rigChange{to: slices.Clone(setups), done: make(chan error, 1)}
	select {
	case r.change <- ch:
		return <-ch.done
	case <-r.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Check says what is wrong with setups; the error wraps ErrSettings.
func (r *Rig) Check(setups []Setup) error {
	if len(setups) > MaxCameras {
		return fmt.Errorf("%w: %d cameras: want at most %d", ErrSettings, len(setups), MaxCameras)
	}
	ids, devices := map[int]bool{}, map[string]bool{}
	for _, s := range setups {
		if err := s.Validate(); err != nil {
			return err
		}
		if s.Device == deviceSimulated && r.cfg.Simulated == nil {
			return errNoDemo
		}
		if ids[s.ID] {
			return fmt.Errorf("%w: two cameras have the id %d", ErrSettings, s.ID)
		}
		if devices[s.Device] && s.Device != deviceNone && s.Device != deviceSimulated {
			return fmt.Errorf("%w: two cameras are the same device %.100q", ErrSettings, Shown(s.Device))
		}
		ids[s.ID], devices[s.Device] = true, true
	}
	return nil
}

// Setups are those in use, in the order in which they are shown.
func (r *Rig) Setups() []Setup {
	list, _ := r.list.Get()
	setups := make([]Setup, 0, len(list))
	for _, c := range list {
		setups = append(setups, c.Setup())
	}
	return setups
}

// Status is where the newest statuses are, in the order in which the cameras are shown.
func (r *Rig) Status() *latest.Value[[]Status] { return r.status }

// Frames is where a camera's newest frame is; nil when there is no such camera.
func (r *Rig) Frames(id int) *latest.Value[*Frame] {
	if c := r.Camera(id); c != nil {
		return c.frames
	}
	return nil
}

// Look tells that somebody looks at a camera's pictures as they come, until done is called; see Camera.Look.
func (r *Rig) Look(id int) (done func()) {
	if c := r.Camera(id); c != nil {
		return c.Look()
	}
	return func() {}
}

// Controls are what can be adjusted at a camera now.
func (r *Rig) Controls(id int) []Control {
	if c := r.Camera(id); c != nil {
		return c.Controls()
	}
	return []Control{}
}

// Camera finds a camera by its ID; nil when there is none.
func (r *Rig) Camera(id int) *Camera {
	list, _ := r.list.Get()
	if i := slices.IndexFunc(list, func(c *Camera) bool { return c.cfg.ID == id }); i >= 0 {
		return list[i]
	}
	return nil
}

// First is the camera that is shown first; nil when there is none.
func (r *Rig) First() *Camera {
	if list, _ := r.list.Get(); len(list) > 0 {
		return list[0]
	}
	return nil
}

// Devices looks for cameras that could be chosen. It opens devices and may therefore take a while.
func (r *Rig) Devices() []Device {
	var list []Device
	if r.cfg.Demo {
		list = append(list, r.cfg.simulated(Settings{}).device)
	}
	found, err := r.cfg.Find()
	if err != nil {
		r.cfg.Log.Warn("cameras not listed", "error", err)
	}
	return append(list, found...)
}

// oneAtATime makes calls of find wait for each other: some cameras take it ill to be opened twice at once.
func oneAtATime(find func() ([]Device, error)) func() ([]Device, error) {
	finding := make(chan struct{}, 1)
	return func() ([]Device, error) {
		finding <- struct{}{}
		defer func() { <-finding }()
		return find()
	}
}
