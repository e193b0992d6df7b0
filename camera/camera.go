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
	"sync"
	"sync/atomic"
	"time"
)

// Frame is one JPEG picture.
type Frame struct {
	Seq    uint32    // from 1, wraps past 0
	Time   time.Time // when it was taken out of the device
	Width  int       // pixels, as it is to be seen: turned by Turn
	Height int
	Turn   Turn   // of Settings; the JPEG says the same in its Exif segment
	JPEG   []byte // complete: FFD8 … FFD9, with Huffman tables
}

// Status is what the page shows of the camera. Immutable.
type Status struct {
	ID      int     `json:"id"`      // as in Setup; it names the camera in a Rig
	Device  string  `json:"device"`  // "" = none found, "none" = switched off
	Name    string  `json:"name"`    // for people: what they call it, else what it calls itself
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

// Source delivers pictures until ctx ends or the device fails. One goroutine runs it for its whole life, and it owns the device. It may
// be run again after it returned.
type Source interface {
	// Run opens the device and puts what it delivers into sink, until it fails; a nil error only when ctx ended.
	Run(ctx context.Context, sink Sink) error
	// Name is for people. It may be called at any time, from any goroutine.
	Name() string
}

// Sink is where a Source puts its pictures. Neither method blocks.
type Sink interface {
	// Put takes one JPEG as it came from the device. The slice is the Source's again afterwards.
	Put(jpeg []byte, taken time.Time)
	// Idle tells that nobody looks: one picture a second is enough, and what costs anything beyond that is wasted. A Source asks it
	// again at least once a second.
	Idle() bool
}

// reopening is a Sink that wants to be told when its Source opens the device again, which takes as long as the first time.
type reopening interface{ Reopening() }

// Settings choose and shape a source. Zero values mean: find one, and let the device decide.
type Settings struct {
	// "" = the first that is found, "none" = no camera, "simulated"; /dev/video… or /dev/v4l/by-…; rpicam:N, a Raspberry Pi's camera module;
	// http://… or https://…, a stream of JPEGs or one that is fetched again and again; frames:DIR, pictures that were recorded
	Device string `json:"device"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	FPS    int    `json:"fps"`
	Rotate int    `json:"rotate"` // 0, 90, 180 or 270 degrees clockwise, after the flips
	FlipH  bool   `json:"flip_h"` // left and right change places
	FlipV  bool   `json:"flip_v"` // top and bottom
}

// Config is what a Camera is made of.
type Config struct {
	Setup
	Simulated func(Settings) Source // what Device "simulated" means; nil = there is none
	Demo      bool                  // Device "" is the simulated one

	Find       func() ([]Device, error)      // nil = the cameras of this machine
	OpenSource func(Device, Settings) Source // nil = by the kind of the device; it must not block, Source.Run does the opening
	Taken      func(device string) bool      // devices that "" must not choose, because another camera has them; nil = none
	Log        *slog.Logger                  // nil = discarded
}

// Camera keeps a source running: it opens it, validates each frame, publishes the newest, and opens it again with backoff
// when it failed or delivered nothing for 3 s (5 s before its first picture). A camera that fails never disturbs a print.
type Camera struct {
	cfg     Config
	frames  *latest.Value[*Frame]
	status  *latest.Value[*Status]
	setup   *latest.Value[Setup]
	source  *latest.Value[Source] // that runs; nil while none does
	lookers atomic.Int32
	counts  counts
	changes chan change   // to the goroutine in Run
	ended   chan struct{} // closed when Run has returned
}

// change asks the owner to use other settings; done is closed when it does.
type change struct {
	to   Setup
	done chan struct{}
}

// New makes a Camera that does nothing until Run. Settings that Validate refuses are shown as the status's problem.
func New(cfg Config) *Camera {
	if cfg.Find == nil {
		cfg.Find = findAll
	}
	if cfg.OpenSource == nil {
		cfg.OpenSource = open
	}
	if cfg.Taken == nil {
		cfg.Taken = func(string) bool { return false }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Camera{
		cfg:     cfg,
		frames:  latest.New[*Frame](nil),
		status:  latest.New(&Status{ID: cfg.ID, Name: cfg.Setup.Name, Problem: problemStarting, SinceMS: time.Now().UnixMilli()}),
		setup:   latest.New(cfg.Setup),
		source:  latest.New[Source](nil),
		changes: make(chan change),
		ended:   make(chan struct{}),
	}
}

// Frames is where the newest frame is. The value is nil until there is one, and again after another device was chosen. It
// stays when the camera fails: Status.Live and Frame.Time say that it is old.
func (c *Camera) Frames() *latest.Value[*Frame] { return c.frames }

// Status is where the newest status is. It is never nil.
func (c *Camera) Status() *latest.Value[*Status] { return c.status }

// Look tells that somebody looks at the pictures as they come, until done is called. Without anybody there may be only one a second.
func (c *Camera) Look() (done func()) {
	c.lookers.Add(1)
	return sync.OnceFunc(func() { c.lookers.Add(-1) })
}

// Setup is what is in use.
func (c *Camera) Setup() Setup {
	s, _ := c.setup.Get()
	return s
}

// Set makes the camera use another setup, and returns when it has begun to; its ID stays. It waits for Run's goroutine, which never
// blocks. ErrSettings: it makes no sense; ErrStopped: Run has returned.
func (c *Camera) Set(ctx context.Context, s Setup) error {
	s.ID = c.cfg.ID
	if err := c.allowed(s.Settings); err != nil {
		return err
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

// simulated is what there is in the demo beside real devices.
func (c Config) simulated(s Settings) choice {
	source := c.Simulated(s)
	return choice{Device{ID: deviceSimulated, Name: source.Name()}, source}
}
