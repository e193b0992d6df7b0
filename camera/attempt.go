package camera

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

// attempt is one life of a source, from choosing the device to its end, in a goroutine of its own. It hands whole frames
// to the owner through a slot of one in which the newest wins, so the goroutine that holds the device never waits.
type attempt struct {
	cancel context.CancelFunc
	began  time.Time
	chosen chan choice // at most one
	frames chan *Frame // a slot of one; Seq is not yet set
	turn   Turn
	idle   func() bool
	log    *slog.Logger
	done   chan error                // one, when the goroutine ends
	bad    atomic.Int64              // damaged frames so far
	badErr atomic.Value              // the newest reason, an error
	again  atomic.Pointer[time.Time] // when the source last said that it opens the device again; nil = never
	sides  struct{ w, h int }        // of the first good frame; touched by the source's goroutine only

	// Touched by the owner only.
	device   string
	name     string
	lastGood time.Time // zero until the first good frame
	stopping time.Time // when it was told to stop, zero before
	cause    error     // why it was told to stop; nil = other settings
	badSeen  int64     // damaged frames already counted
}

// choice is the device that an attempt has decided on.
type choice struct {
	device Device
	source Source
}

// begin starts an attempt with s. once is what the device's controls have been before.
func (c *Camera) begin(ctx context.Context, s Setup, once map[string]int64) *attempt {
	ctx, cancel := context.WithCancel(ctx)
	a := &attempt{
		cancel: cancel,
		began:  time.Now(),
		chosen: make(chan choice, 1),
		frames: make(chan *Frame, 1),
		done:   make(chan error, 1),
		turn:   s.turn(),
		idle:   func() bool { return c.lookers.Load() == 0 },
		log:    c.cfg.Log,
	}
	go func() {
		defer cancel()
		a.done <- c.live(ctx, a, s, once)
	}()
	return a
}

// live is the attempt's goroutine. A panic below it is a bug, but one that may cost the picture only, not the print.
func (c *Camera) live(ctx context.Context, a *attempt, s Setup, once map[string]int64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	ch, err := c.choose(s.Settings)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	if source, ok := ch.source.(Adjustable); ok { // here, so that the first picture is as wished
		source.Adjust(once)
		source.Adjust(s.Controls)
	}
	a.chosen <- ch
	return ch.source.Run(ctx, a)
}

// choose finds the device that s means. With a device named it opens nothing but that.
func (c *Camera) choose(s Settings) (choice, error) {
	if err := c.allowed(s); err != nil {
		return choice{}, err
	}
	if s.Device == deviceSimulated || s.Device == "" && c.cfg.Demo {
		return c.cfg.simulated(s), nil
	}
	if s.Device != "" {
		d := Device{ID: s.Device}
		return choice{d, c.cfg.OpenSource(d, s)}, nil
	}
	found, err := c.cfg.Find()
	found = slices.DeleteFunc(found, func(d Device) bool { return c.cfg.Taken(d.ID) })
	if len(found) > 0 {
		return choice{found[0], c.cfg.OpenSource(found[0], s)}, nil
	}
	if err != nil {
		return choice{}, fmt.Errorf("look for cameras: %w", err)
	}
	return choice{}, errNotFound
}

// Idle is the Sink's.
func (a *attempt) Idle() bool { return a.idle() }

// Note tells of what went wrong without ending the source.
func (a *attempt) Note(err error) { a.log.Warn("camera not as wished", "error", err) }

// Reopening makes the watchdog as patient as it was at first.
func (a *attempt) Reopening() {
	now := time.Now()
	a.again.Store(&now)
}

// Put is the Sink's: it checks one picture and leaves it for the owner.
func (a *attempt) Put(raw []byte, taken time.Time) {
	jpeg, w, h, err := complete(raw, a.turn)
	if err == nil && a.sides.w != 0 && (w != a.sides.w || h != a.sides.h) {
		// A header that lost bytes looks like another size. A device that really changed is restarted by the watchdog.
		err = fmt.Errorf("%dx%d pixels after %dx%d", w, h, a.sides.w, a.sides.h)
	}
	if err != nil {
		a.badErr.Store(&damage{err})
		a.bad.Add(1)
		return
	}
	a.sides.w, a.sides.h = w, h
	if a.turn.Sideways() {
		w, h = h, w
	}
	f := &Frame{Time: taken, Width: w, Height: h, Turn: a.turn, JPEG: jpeg}
	for {
		select {
		case a.frames <- f:
			return
		default:
		}
		select { // the owner is late: the older frame makes room
		case <-a.frames:
		default:
		}
	}
}

// damage gives all reasons one type, which atomic.Value asks for.
type damage struct{ err error }

// newestDamage is why the last damaged picture was refused, nil when there was none.
func (a *attempt) newestDamage() error {
	if d, ok := a.badErr.Load().(*damage); ok {
		return d.err
	}
	return nil
}
