// Package timelapse makes a film of each print.
//
//	printer snapshots ─┐                     ┌─▶ reel (files that only grow) ─▶ ffmpeg, after the print ─▶ video.mp4
//	camera frames ─────┴─▶ Run: when, which ─┘
//
//	timelapse.go  what can be set, and what is seen from outside
//	run.go        the goroutine that owns it all
//	shots.go      when a frame is due, and which one is taken
//	reel.go       the frames of one recording; frames.go how they lie on the disk
//	shelf.go      all recordings: found again after a restart, kept within limits
//	render.go     one film at a time; ffmpeg.go how it is told to make it
//	avi.go        the film without ffmpeg: the frames themselves with a head before them
//	read.go       what phones read
//
// Nothing here can hold up a print: a camera that fails, a full disk or a film that cannot be made are told, and no more. What was kept stays kept.
package timelapse

import (
	"context"
	"errors"
	"fmt"
	"layerd/camera"
	"layerd/internal/latest"
	"layerd/printer"
	"log/slog"
	"os"
	"time"
)

var (
	ErrNotFound  = errors.New("no such timelapse")
	ErrRunning   = errors.New("this timelapse is still being recorded")
	ErrNoFrames  = errors.New("the frames of this timelapse are gone") // it has its video
	ErrNoVideo   = errors.New("this timelapse has no video yet")
	ErrNoFFmpeg  = errors.New("ffmpeg is not installed")
	ErrSettings  = errors.New("these timelapse settings cannot be used") // wrapped with why
	ErrStopped   = errors.New("timelapses are not kept any more")
	errTooLittle = errors.New("the disk is nearly full")
)

// Mode is when frames are taken.
type Mode string

const (
	Off     Mode = "off"
	ByTime  Mode = "time"
	ByLayer Mode = "layer"
)

// Choice is how one print is recorded.
type Choice struct {
	Mode   Mode `json:"mode"`
	EveryS int  `json:"every_s"` // by time
	Park   bool `json:"park"`    // by layer: the head goes aside for each frame
}

// Settings are what people may set.
type Settings struct {
	Choice             // of prints for which nobody chose otherwise
	Camera        int  `json:"camera"`       // its ID; where it is gone the first one stands in
	FPS           int  `json:"fps"`          // of the film
	BudgetMB      int  `json:"budget_mb"`    // frames of one recording; every second is dropped when it is reached
	LimitMB       int  `json:"limit_mb"`     // all together; the oldest are deleted
	RenderAnytime bool `json:"render_early"` // also while a print runs
	KeepFailed    bool `json:"keep_failed"`  // timelapses of prints that did not come to their end
}

// UsualSettings are those of a new installation.
func UsualSettings() Settings {
	return Settings{Choice: Choice{Mode: Off, EveryS: 10}, FPS: 25, BudgetMB: 500, LimitMB: 2000, KeepFailed: true}
}

// Validate says what is wrong with settings: ErrSettings with why.
func (s Settings) Validate() error {
	if err := s.Choice.Validate(); err != nil {
		return err
	}
	for _, v := range []struct {
		name           string
		value, low, up int
	}{
		{"frames a second", s.FPS, 1, 60},
		{"megabytes of one timelapse", s.BudgetMB, 10, 1900}, // the film without ffmpeg must stay below 2 GB
		{"megabytes of all timelapses", s.LimitMB, 20, 1_000_000},
	} {
		if v.value < v.low || v.value > v.up {
			return fmt.Errorf("%w: %s must be between %d and %d", ErrSettings, v.name, v.low, v.up)
		}
	}
	if s.LimitMB < s.BudgetMB {
		return fmt.Errorf("%w: all timelapses together need at least the room of one", ErrSettings)
	}
	return nil
}

// Validate says what is wrong with a choice: ErrSettings with why.
func (c Choice) Validate() error {
	switch {
	case c.Mode != Off && c.Mode != ByTime && c.Mode != ByLayer:
		return fmt.Errorf("%w: unknown mode %q", ErrSettings, c.Mode)
	case c.EveryS < 1 || c.EveryS > 3600:
		return fmt.Errorf("%w: seconds between frames must be between 1 and 3600", ErrSettings)
	}
	return nil
}

// Printer is what is recorded; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
	ShotTaken(ctx context.Context, job string, n int) (rev uint64, err error)
}

// Camera is where frames come from; *camera.Camera is one.
type Camera interface {
	Frames() *latest.Value[*camera.Frame]
	Look() (done func()) // somebody looks, so that frames come quickly
}

// Config is what a Recorder is made of.
type Config struct {
	Dir     string // is made; nobody else writes there
	Printer Printer
	// Camera finds the camera to record, by the ID in Settings; nil when there is none at all.
	Camera func(id int) Camera

	Settings Settings
	MinFree  int64                         // bytes of the disk that are left alone
	Free     func() (int64, error)         // bytes of Dir's disk; nil = ask the disk
	FFmpeg   func() (path string, ok bool) // nil = the one in PATH
	Log      *slog.Logger                  // nil = discarded
}

// Item is one timelapse, as it is listed.
type Item struct {
	ID        string `json:"id"`
	JobID     string `json:"job_id"`
	Name      string `json:"name"` // of the print, for people
	StartedMS int64  `json:"started_ms"`
	EndedMS   int64  `json:"ended_ms"` // 0 while it is recorded
	Mode      Mode   `json:"mode"`
	FPS       int    `json:"fps"`
	Outcome   string `json:"outcome"` // of the print: "done", "cancelled", "failed", "interrupted"; "" while it runs
	Frames    int    `json:"frames"`  // that can be read; 0 when only the video was kept
	LastN     int    `json:"last_n"`  // number of the last one
	Step      int    `json:"step"`    // between their numbers, which begin with 0
	Missed    int    `json:"missed"`  // that the camera or the disk did not give
	Bytes     int64  `json:"bytes"`   // on the disk
	Video     Video  `json:"video"`
}

// Video is what became of a timelapse's film.
type Video struct {
	State   string  `json:"state"`
	Reason  string  `json:"reason"` // of a failure, for people
	Percent float64 `json:"percent"`
	Bytes   int64   `json:"bytes"`
}

// States of a Video.
const (
	VideoRecording = "recording" // the print runs
	VideoWaiting   = "waiting"   // to be rendered
	VideoRendering = "rendering"
	VideoReady     = "ready"
	VideoFailed    = "failed" // the frames are still there
	VideoFrames    = "frames" // there is no ffmpeg: the frames are played
)

// List is all timelapses, newest first. Immutable.
type List struct {
	Settings   Settings `json:"settings"`
	Rev        uint64   `json:"-"` // grows when there is another one, or one is in another state; not with each frame
	Items      []Item   `json:"items"`
	Bytes      int64    `json:"bytes"`
	LimitBytes int64    `json:"limit_bytes"`
	Recording  string   `json:"recording"` // ID of the one under way, "" none
	Problem    string   `json:"problem"`   // why the print under way is not recorded at the moment, for people; "" nothing
}

// Item is the one with that ID.
func (l *List) Item(id string) (Item, bool) {
	for _, it := range l.Items {
		if it.ID == id {
			return it, true
		}
	}
	return Item{}, false
}

// Recorder records prints and keeps what it recorded. Its state belongs to the goroutine in Run; what phones read goes past it.
type Recorder struct {
	cfg      Config
	dir      *os.Root
	log      *slog.Logger
	list     *latest.Value[*List]
	requests chan request
	stopped  chan struct{} // closed when Run has returned
	index    index
}

type request struct {
	do   func(o *owner) error
	done chan error
}

// New opens the folder, and finds what is in it: recordings that a killed daemon left are ended as interrupted, torn ends are cut off. Nothing is
// recorded or rendered until Run.
func New(cfg Config) (*Recorder, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FFmpeg == nil {
		cfg.FFmpeg = lookFFmpeg
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of timelapses: %w", err)
	}
	dir, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of timelapses: %w", err)
	}
	r := &Recorder{cfg: cfg, dir: dir, log: cfg.Log, list: latest.New(&List{Settings: cfg.Settings, Items: []Item{}}), requests: make(chan request), stopped: make(chan struct{})}
	if r.cfg.Free == nil {
		r.cfg.Free = r.free
	}
	return r, nil
}

// List is where the newest list is. It is never nil.
func (r *Recorder) List() *latest.Value[*List] { return r.list }

// Set changes the settings, for what begins from now on. ErrSettings with why.
func (r *Recorder) Set(ctx context.Context, s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return r.ask(ctx, func(o *owner) error {
		o.settings = s
		o.keepLimits()
		o.changed()
		return nil
	})
}

// Choose says how the print that is about to start as job is recorded. It waits for a second at most: a print does not wait for a disk that hangs.
func (r *Recorder) Choose(ctx context.Context, job string, c Choice) error {
	if err := c.Validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return r.ask(ctx, func(o *owner) error { o.chosenFor, o.chosen = job, c; return nil })
}

// Delete removes a timelapse for good. ErrNotFound; ErrRunning for the one under way.
func (r *Recorder) Delete(ctx context.Context, id string) error {
	return r.ask(ctx, func(o *owner) error { return o.delete(id) })
}

// Render makes the video of a timelapse (again), when its turn comes. ErrNotFound, ErrRunning, ErrNoFrames, ErrNoFFmpeg.
func (r *Recorder) Render(ctx context.Context, id string) error {
	return r.ask(ctx, func(o *owner) error { return o.renderAgain(id) })
}

func (r *Recorder) ask(ctx context.Context, do func(*owner) error) error {
	q := request{do, make(chan error, 1)}
	select {
	case r.requests <- q:
		return <-q.done
	case <-r.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

const megabyte = 1_000_000 // as people are shown

// syncEvery is what a power cut may cost of the frames; less would wear out an SD card.
const syncEvery = 30 * time.Second
