package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/gcode"
	"layerd/internal/latest"
	"layerd/printer"
)

var (
	ErrSettings = errors.New("these settings of the guard cannot be used") // wrapped with why
	ErrBusy     = errors.New("the guard is busy")                          // wrapped with what
	ErrNotSetUp = errors.New("the guard is not set up")
	ErrNoAlarm  = errors.New("there is no alarm")
	ErrStopped  = errors.New("prints are not watched any more")
)

// UsualSettings are those of a new installation: as soon as it is set up, it pauses.
func UsualSettings() Settings {
	return Settings{Mode: printer.WatchPause, SharePercent: 1, RecordMB: 500}
}

// Validate says what is wrong with settings: ErrSettings with why.
func (s Settings) Validate() error {
	switch {
	case !known(s.Mode):
		return fmt.Errorf("%w: unknown mode %q", ErrSettings, s.Mode)
	case !(s.SharePercent >= 0.1 && s.SharePercent <= 20):
		return fmt.Errorf("%w: the share of a print's time must be between 0.1 and 20 percent", ErrSettings)
	case s.RecordMB < 10 || s.RecordMB > 1_000_000:
		return fmt.Errorf("%w: megabytes of what is recorded must be between 10 and 1000000", ErrSettings)
	}
	return nil
}

func known(m printer.WatchMode) bool {
	return m == printer.WatchOff || m == printer.WatchTell || m == printer.WatchPause
}

// Camera is where pictures come from; *camera.Camera is one.
type Camera interface {
	Frames() *latest.Value[*camera.Frame]
	Look() (done func()) // somebody looks, so that frames come quickly
}

// Kept is what the guard knows after a restart: Config takes it, and Keep is given it when it has changed. The zero value: it was never set up.
type Kept struct {
	Card        *Card                 `json:"card"`
	Profile     printer.Profile       `json:"profile"` // that the set-up was made with
	Calibration *register.Calibration `json:"calibration"`
	Bed         *BedPicture           `json:"bed"`
	Corners     *Corners              `json:"corners"` // null nobody has shown them
}

// Evidence is an alarm with its pictures.
type Evidence struct {
	Alarm         Alarm // its ID is 0 when it is new
	Before, After []byte
}

// Config is what a Guard is made of. Printer and Camera are needed.
type Config struct {
	Printer Printer
	Camera  func(id int) Camera // by its ID; nil when there is none

	Settings     Settings
	Kept         Kept
	Keep         func(ctx context.Context, k Kept) error                     // nil = it is not kept
	KeepEvidence func(ctx context.Context, e Evidence) (id int64, err error) // nil = it is not kept
	Dir          string                                                      // for what is recorded, made when it is needed; "" = nothing is
	Free         func() (bytes int64, err error)                             // of Dir's disk; nil = there is always room
	Log          *slog.Logger                                                // nil = discarded
}

// Guard watches prints. Its state belongs to the goroutine in Run.
type Guard struct {
	cfg      Config
	log      *slog.Logger
	states   *latest.Value[*State]
	requests chan request
	stopped  chan struct{} // closed when Run has returned
	both     both
	alarms   atomic.Int64
}

// Alarms is how many shifts were told since layerd was started. It may be called from any goroutine.
func (g *Guard) Alarms() int64 { return g.alarms.Load() }

type request struct {
	do   func(o *owner) error
	done chan error
}

// New makes a Guard that watches nothing until Run.
func New(cfg Config) *Guard {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Keep == nil {
		cfg.Keep = func(context.Context, Kept) error { return nil }
	}
	if cfg.KeepEvidence == nil {
		cfg.KeepEvidence = func(context.Context, Evidence) (int64, error) { return 0, nil }
	}
	g := &Guard{cfg: cfg, log: cfg.Log, requests: make(chan request), stopped: make(chan struct{}), both: both{printer: cfg.Printer}}
	g.states = latest.New(newOwner(g).state())
	return g
}

// States is where the newest State is. It is never nil.
func (g *Guard) States() *latest.Value[*State] { return g.states }

// Set changes the settings, for the print under way too. ErrSettings with why.
func (g *Guard) Set(ctx context.Context, s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return g.ask(ctx, func(o *owner) error { return o.set(ctx, s) })
}

// Order is how a print that is about to start shall be watched.
type Order struct {
	Job    string
	Mode   printer.WatchMode // "" = as it is set
	Film   printer.Shots     // what the timelapse wants; where that is nothing, the guard asks for what it needs
	Survey *gcode.Survey     // only read before Arrange returns

	// Open opens the file that is printed, the one that Survey is of, whenever some of it is to be read, on a goroutine of the guard; nil: there is none.
	Open func(ctx context.Context) (io.ReadSeekCloser, error)
}

// Arrange says how the print that is about to start stands still for pictures, and how it is checked. It waits for a second at most: when it cannot be told, the
// print is not watched, and the error says why; ErrBusy: no print may start now.
func (g *Guard) Arrange(ctx context.Context, order Order) (shots printer.Shots, watch printer.Watch, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	shots, watch = order.Film, printer.Watch{Mode: printer.WatchOff}
	if order.Mode != "" && !known(order.Mode) {
		return shots, watch, fmt.Errorf("%w: unknown mode %q", ErrSettings, order.Mode)
	}
	err = g.ask(ctx, func(o *owner) error {
		if o.work.end != nil {
			return fmt.Errorf("%w: a set-up or a drill moves the head", ErrBusy)
		}
		shots, watch = o.arrange(order)
		return nil
	})
	return shots, watch, err
}

// SetUp begins the set-up: the printer is homed, its head moved about above an empty bed, pictures are taken and its switches tried. ErrBusy with why not.
func (g *Guard) SetUp(ctx context.Context) error {
	return g.ask(ctx, func(o *owner) error { return o.beginSetup() })
}

// Drill begins a fire drill of one axis, "x" or "y". ErrBusy, ErrNotSetUp.
func (g *Guard) Drill(ctx context.Context, axis string) error {
	return g.ask(ctx, func(o *owner) error { return o.beginDrill(axis) })
}

// Cancel ends a set-up or a drill under way. Nothing under way is no error.
func (g *Guard) Cancel(ctx context.Context) error {
	return g.ask(ctx, func(o *owner) error { o.work.stop(); return nil })
}

// FalseAlarm says that the alarm of job ("" = of the print under way) was none: what raised it needs more to raise another in this print. ErrNoAlarm.
func (g *Guard) FalseAlarm(ctx context.Context, job string) error {
	return g.ask(ctx, func(o *owner) error { return o.falseAlarm(ctx, job) })
}

// Seen puts the alarm of job away, in a print that goes on. ErrNoAlarm.
func (g *Guard) Seen(ctx context.Context, job string) error {
	return g.ask(ctx, func(o *owner) error { return o.seenAlarm(ctx, job) })
}

func (g *Guard) ask(ctx context.Context, do func(*owner) error) error {
	q := request{do, make(chan error, 1)}
	select {
	case g.requests <- q:
		return <-q.done
	case <-g.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// About is an alarm as it is kept.
func (e Evidence) About() (json.RawMessage, error) { return json.Marshal(e.Alarm) }
