package power

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"layerd/internal/latest"
	"layerd/printer"
)

// Printer is what the Board asks of the machine; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
	Press(ctx context.Context, b printer.Button, number float64) (uint64, error)
	Disconnect(ctx context.Context) (uint64, error)
	Redial(ctx context.Context) (uint64, error)
}

// Config is what a Board is made of. Printer is needed.
type Config struct {
	Printer Printer
	Power   Settings
	Lamp    Way
	Watched func() bool // somebody looks at a page; nil = nobody
	Alarm   func() bool // an alarm about the last print is not answered; nil = never
	Log     *slog.Logger
}

// Status is what pages are shown. It is immutable.
type Status struct {
	Power, Lamp Seen
	Phase       Phase
	OffMS       int64  // while Counting: when it goes off, Unix ms
	Why         string // what kept it on, for people; "" nothing
}

// Board is both switches, and when the power goes off by itself. Its methods may be called from any goroutine; what switches or asks waits for the plug, at
// most twice plugTime. Run must be running for what happens by itself.
type Board struct {
	cfg      Config
	log      *slog.Logger
	statuses *latest.Value[Status]
	power    *outlet
	lamp     *outlet
	kick     chan struct{} // something changed that the rules look at
	cut      chan struct{} // an emergency stop

	showing sync.Mutex // guards that the newest status is shown last
	mu      sync.Mutex // guards what follows
	rules   Settings
	after   after
	hungUp  bool      // we have closed the port, because the power went off
	hotAt   time.Time // a nozzle was hot, when it was heard of last; zero = it was not
}

const (
	askEvery  = 30 * time.Second
	lookEvery = 5 * time.Second // whether it is time to ask
)

// New returns a Board. It asks and switches nothing.
func New(cfg Config) *Board {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Board{cfg: cfg, log: cfg.Log, rules: cfg.Power, kick: make(chan struct{}, 1), cut: make(chan struct{}, 1)}
	b.power = newOutlet(cfg.Power.Power, b.presses("Power "), kernel{"/dev"})
	b.lamp = newOutlet(cfg.Lamp, b.presses("Lamp "), kernel{"/dev"})
	b.statuses = latest.New(b.status())
	return b
}

func (b *Board) presses(name string) press {
	return func(ctx context.Context, label, lines string) error {
		_, err := b.cfg.Printer.Press(ctx, printer.Button{Label: name + label, Lines: lines}, 0)
		return err
	}
}

// Statuses are where the newest Status is.
func (b *Board) Statuses() *latest.Value[Status] { return b.statuses }

// Settings are as they were set last, with the password, and so is the lamp's Way.
func (b *Board) Settings() (Settings, Way) {
	lamp, _ := b.lamp.get()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rules, lamp
}

// Chips are the GPIO chips of this machine, and why some could not be looked at.
func (b *Board) Chips() ([]Chip, error) { return kernel{"/dev"}.list() }

func (b *Board) status() Status {
	s := Status{}
	_, s.Power = b.power.get()
	_, s.Lamp = b.lamp.get()
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Phase, s.Why = b.after.phase, b.after.why; s.Phase == Counting {
		s.OffMS = b.after.at.UnixMilli()
	}
	return s
}

// publish shows what there is, when it is new.
func (b *Board) publish() {
	b.showing.Lock()
	defer b.showing.Unlock()
	now := b.status()
	old, _ := b.statuses.Get()
	same := now
	same.Power.AtMS, same.Lamp.AtMS = old.Power.AtMS, old.Lamp.AtMS
	if same != old {
		b.statuses.Set(now)
	}
}

// Set takes other Settings over. The error is as of Validate.
func (b *Board) Set(ctx context.Context, s Settings) error {
	s.Power = s.Power.Tidy()
	if err := s.Validate(); err != nil {
		return err
	}
	if err := b.power.setUp(ctx, s.Power); err != nil {
		return err
	}
	b.mu.Lock()
	b.rules = s
	b.mu.Unlock()
	b.changed()
	return nil
}

// SetLamp makes the lamp another one. The error is as of Validate.
func (b *Board) SetLamp(ctx context.Context, w Way) error {
	if w = w.Tidy(); w.Validate() != nil {
		return w.Validate()
	}
	if err := b.lamp.setUp(ctx, w); err != nil {
		return err
	}
	b.changed()
	return nil
}

// Try asks a switch that is not set up yet how it stands, and returns what it answered, for people.
func (b *Board) Try(ctx context.Context, w Way) (State, string, error) {
	if w = w.Tidy(); w.Validate() != nil {
		return Unknown, "", w.Validate()
	}
	for _, o := range []*outlet{b.power, b.lamp} {
		if now, seen := o.get(); now == w && w.Kind == GPIO { // the line is ours already
			err := o.ask(ctx)
			_, seen = o.get()
			b.changed()
			return seen.State, "", err
		}
	}
	r := w.open(b.presses(""), kernel{"/dev"})
	if line, is := r.(*gpio); is {
		line.look = true
	}
	defer r.close()
	return r.get(ctx)
}

// Lamp switches the lamp.
func (b *Board) Lamp(ctx context.Context, on bool) error {
	err := b.lamp.put(ctx, on)
	b.publish()
	return err
}

// Power switches the printer's power. Off is ErrPrinting while a print is under way, and ErrHot while a nozzle is hot, unless anyway. The port is closed
// before, so that the printer's going away is no fault, and opened again after on.
func (b *Board) Power(ctx context.Context, on, anyway bool) error {
	return b.turn(ctx, on, hotC, anyway)
}

// turn is Power with a limit of its own for what is hot.
func (b *Board) turn(ctx context.Context, on bool, limitC float64, anyway bool) error {
	way, _ := b.power.get()
	if way.Kind == None {
		return ErrNone
	}
	snap, _ := b.cfg.Printer.Snapshots().Get()
	if !on {
		if err := cmp.Or(mayOff(snap, limitC, anyway), b.wasHot(snap, anyway)); err != nil {
			return err
		}
	}
	return b.put(ctx, way, on)
}

// coolsIn is how long a hot nozzle whose printer tells nothing any more counts as hot.
const coolsIn = 10 * time.Minute

// wasHot is ErrHot when the printer tells nothing of its nozzle, which was hot lately.
func (b *Board) wasHot(snap *printer.Snapshot, anyway bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if anyway || snap == nil || len(snap.Nozzles) > 0 || b.hotAt.IsZero() || time.Since(b.hotAt) >= coolsIn {
		return nil
	}
	return fmt.Errorf("%w: it was hot when the printer was heard last", ErrHot)
}

// put switches the power. From hanging up to what came of it nobody asks the switch: who found it still on would connect again.
func (b *Board) put(ctx context.Context, way Way, on bool) error {
	done, err := b.power.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	behind := way.Kind == Lines // the printer's board has its power from elsewhere, and hears us
	if !on && !behind {
		if _, err := b.cfg.Printer.Disconnect(ctx); err != nil {
			return err
		}
		b.hang(true)
	}
	err = b.power.set(ctx, on)
	if !behind && (on == (err == nil)) { // it has power: now, or still
		b.redial(ctx)
	}
	b.mu.Lock()
	b.after.keep("")
	b.mu.Unlock()
	b.changed()
	return err
}

func (b *Board) hang(up bool) (was bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, b.hungUp = b.hungUp, up
	return was
}

func (b *Board) redial(ctx context.Context) {
	b.hang(false)
	if _, err := b.cfg.Printer.Redial(context.WithoutCancel(ctx)); err != nil {
		b.log.Warn("the printer is not connected again by itself", "err", err)
	}
}

// Choose says whether the power goes off after a print that is about to start, by its ID.
func (b *Board) Choose(job string, off bool) {
	b.rule(func(a *after) { a.next = chosen{job, off} })
}

// OffAfter says whether the power goes off by itself once all is cool: after the print under way, else from now on. Without a switch it is ErrNone.
func (b *Board) OffAfter(off bool) error {
	if way, _ := b.power.get(); way.Kind == None {
		return ErrNone
	}
	b.rule(func(a *after) { a.choose(time.Now(), off) })
	return nil
}

// Touched is told that a person has moved or heated something: then nothing goes off by itself.
func (b *Board) Touched() { b.rule((*after).touched) }

func (b *Board) rule(do func(*after)) {
	b.mu.Lock()
	do(&b.after)
	b.mu.Unlock()
	b.changed()
}

// Stopped is told of an emergency stop, and waits for nothing.
func (b *Board) Stopped() {
	select {
	case b.cut <- struct{}{}:
	default:
	}
}

// changed shows what there is, and has the rules looked at.
func (b *Board) changed() {
	b.publish()
	select {
	case b.kick <- struct{}{}:
	default:
	}
}
