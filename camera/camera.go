// Package camera takes frames from one device and shares the newest.
//
//	device → validate one JPEG → &Frame{…} → latest.Value.Set → each phone: Next(ctx, seq)
//
// A frame is shared, never copied, and never changed after Set. Each frame owns its bytes: one allocation, filled by one
// copy out of the device's buffer. There is no pool of buffers on purpose. A frame is read by phones, snapshots and the
// disk for as long as they like, so nobody could say when its buffer is free; the garbage collector can.
package camera

import (
	"context"
	"layerd/internal/latest"
	"log/slog"
	"time"
)

// Frame is one JPEG picture.
type Frame struct {
	Seq    uint32    // from 1, wraps past 0
	Time   time.Time // when it was taken out of the device
	Width  int       // pixels, from the JPEG's own header
	Height int
	JPEG   []byte // complete: FFD8 … FFD9, with Huffman tables
}

// Status is what the page shows of the camera. Immutable.
type Status struct {
	Device  string  `json:"device"`  // "" = none configured or found
	Name    string  `json:"name"`    // for people
	Live    bool    `json:"live"`    // frames are coming
	Problem string  `json:"problem"` // one sentence for people when they are not
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`      // measured over the last seconds
	SinceMS int64   `json:"since_ms"` // when Live last changed; "no picture since …"
	Dropped int64   `json:"dropped"`  // damaged frames
}

// Device is a camera that could be chosen.
type Device struct {
	ID   string `json:"id"` // /dev/v4l/by-id/… where there is one
	Name string `json:"name"`
}

// Source delivers frames until ctx ends or the device fails. It calls emit with each JPEG as it came from the device (the
// slice is the Source's again after emit returns); emit does not block. One goroutine runs it for its whole life. It may
// be run again after it returned.
type Source interface {
	// Run opens the device and delivers until it fails; a nil error only when ctx ended.
	Run(ctx context.Context, emit func(jpeg []byte, taken time.Time)) error
	// Name is for people. It may be called at any time, from any goroutine.
	Name() string
}

// Settings choose and shape a source. Zero values mean: find one, and let the device decide.
type Settings struct {
	Device string `json:"device"` // "" = the first that is found, "none" = no camera, "simulated" in the demo
	Width  int    `json:"width"`
	Height int    `json:"height"`
	FPS    int    `json:"fps"`
}

// Config is what a Camera is made of. Only Settings differ from one installation to the next.
type Config struct {
	Settings  Settings // to begin with; Set changes them
	Locked    bool     // Settings come from a file, the environment or flags: Set refuses
	Simulated Source   // nil outside the demo; in the demo it is what Device "" means

	Find       func() ([]Device, error)      // nil = the V4L2 devices of this machine
	OpenSource func(Device, Settings) Source // nil = V4L2; it must not block, Source.Run does the opening
	Log        *slog.Logger                  // nil = discarded
}

// Camera keeps a source running: it opens it, validates each frame, publishes the newest, and opens it again with backoff
// when it failed or delivered nothing for 3 s (5 s before its first picture). A camera that fails never disturbs a print.
type Camera struct {
	cfg      Config
	frames   *latest.Value[*Frame]
	status   *latest.Value[*Status]
	settings *latest.Value[Settings]
	changes  chan change   // to the goroutine in Run
	finding  chan struct{} // holds one token while somebody looks for devices
	ended    chan struct{} // closed when Run has returned
}

// change asks the owner to use other settings; done is closed when it does.
type change struct {
	to   Settings
	done chan struct{}
}

// New makes a Camera that does nothing until Run. Settings that Validate refuses are shown as the status's problem.
func New(cfg Config) *Camera {
	if cfg.Find == nil {
		cfg.Find = findDevices
	}
	if cfg.OpenSource == nil {
		cfg.OpenSource = newV4L2
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Camera{
		cfg:      cfg,
		frames:   latest.New[*Frame](nil),
		status:   latest.New(&Status{Problem: problemStarting, SinceMS: time.Now().UnixMilli()}),
		settings: latest.New(cfg.Settings),
		changes:  make(chan change),
		finding:  make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
}

// Frames is where the newest frame is. The value is nil until there is one, and again after another device was chosen. It
// stays when the camera fails: Status.Live and Frame.Time say that it is old.
func (c *Camera) Frames() *latest.Value[*Frame] { return c.frames }

// Status is where the newest status is. It is never nil.
func (c *Camera) Status() *latest.Value[*Status] { return c.status }

// Settings are those in use.
func (c *Camera) Settings() Settings {
	s, _ := c.settings.Get()
	return s
}

// Set makes the camera use other settings, and returns when it has begun to. It waits for Run's goroutine, which never
// blocks. ErrSettings: they make no sense; ErrLocked: they are not to be changed here; ErrStopped: Run has returned.
func (c *Camera) Set(ctx context.Context, s Settings) error {
	if err := c.allowed(s); err != nil {
		return err
	}
	if c.cfg.Locked {
		return ErrLocked
	}
	ch := change{to: s, done: make(chan struct{})}
	select {
	case c.changes <- ch:
		<-ch.done
		return nil
	case <-c.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Devices looks for cameras that could be chosen. It opens devices and may therefore take a while; one call at a time
// looks, the others wait for it.
func (c *Camera) Devices() []Device {
	var list []Device
	if c.cfg.Simulated != nil {
		list = append(list, c.simulatedDevice())
	}
	found, err := c.find()
	if err != nil {
		c.cfg.Log.Warn("cameras not listed", "error", err)
	}
	return append(list, found...)
}

// find is Config.Find, one call at a time: some cameras take it ill to be opened twice at once.
func (c *Camera) find() ([]Device, error) {
	c.finding <- struct{}{}
	defer func() { <-c.finding }()
	return c.cfg.Find()
}

func (c *Camera) simulatedDevice() Device {
	return Device{ID: deviceSimulated, Name: c.cfg.Simulated.Name()}
}
