package overlay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"layerd/internal/latest"
)

// Make makes a network that is not yet running. secret, when not "", lets this machine in. report publishes a Status; it never blocks, and is deaf once
// the network was replaced.
type Make func(s Settings, secret string, report func(Status)) (Network, error)

const (
	retryAfter = 10 * time.Second // a network that ended by itself is left alone for so long
	endTime    = 4 * time.Second  // that the daemon's end waits for a network
	maxSecret  = 512              // characters
)

// Switch runs the network that the settings name, and changes to another when they change.
type Switch struct {
	makers   map[Kind]Make
	log      *slog.Logger
	statuses *Statuses
	changed  chan struct{} // holds one token when the settings are new

	mu       sync.Mutex // guards the rest
	settings Settings
	secret   string  // forgotten once the network runs, or wants a login all the same
	network  Network // nil = none
}

// NewSwitch returns a Switch; Run starts it. secret is as in Set, log may be nil.
func NewSwitch(s Settings, secret string, makers map[Kind]Make, log *slog.Logger) *Switch {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Switch{makers: makers, log: log, settings: s.Tidy(), secret: secret, changed: make(chan struct{}, 1), statuses: latest.New(Status{Kind: None, State: Off})}
}

// Statuses are what people see.
func (w *Switch) Statuses() *Statuses { return w.statuses }

// Settings are those in force. waiting tells that a secret is kept, because it has not let this machine in yet.
func (w *Switch) Settings() (s Settings, waiting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settings, w.secret != ""
}

// Set changes to other settings without waiting until the network is there; what goes on as it was is left alone. secret, such as an auth key, lets this
// machine in; it is kept in memory alone, and forgotten once the network runs. "" = the one that is kept already. The error wraps ErrSettings.
func (w *Switch) Set(s Settings, secret string) error {
	s = s.Tidy()
	if err := s.Validate(); err != nil {
		return err
	}
	if len(secret) > maxSecret {
		return fmt.Errorf("%w: a key has at most %d characters", ErrSettings, maxSecret)
	}
	w.mu.Lock()
	had := w.settings
	w.settings = s
	if secret != "" {
		w.secret = secret
	}
	w.mu.Unlock()
	had.Tailnet.DefaultRole = s.Tailnet.DefaultRole // which no network asks for
	if secret == "" && reflect.DeepEqual(had, s) {
		return nil
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
	return nil
}

// Run runs one network after the other until ctx ends, and returns endTime later at most. The next one waits for the end of the one before, which may hold what
// it needs. What goes wrong is shown; it never returns an error.
func (w *Switch) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		one, end := context.WithCancel(ctx)
		settings, _ := w.Settings()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.use(one, settings)
		}()
		select {
		case <-w.changed:
		case <-ctx.Done():
		}
		end()
		w.hold(nil)
		if ctx.Err() == nil {
			w.announce()
		}
		select {
		case <-ended:
			continue
		case <-ctx.Done():
		}
		select {
		case <-ended:
		case <-time.After(endTime):
			w.log.Warn("the overlay network ends slowly", "kind", settings.Kind)
		}
	}
	return nil
}

// use runs one network until ctx ends.
func (w *Switch) use(ctx context.Context, s Settings) {
	report := func(status Status) {
		if ctx.Err() != nil {
			return
		}
		status.Kind = s.Kind
		w.statuses.Set(status)
	}
	if s.Kind == None {
		report(Status{State: Off})
		<-ctx.Done()
		return
	}
	if err := s.Validate(); err != nil { // the configuration says only some of them
		w.log.Error("no overlay network", "err", err)
		report(Status{State: Failed, Problem: "The settings are wrong: " + strings.TrimPrefix(err.Error(), ErrSettings.Error()+": ") + ".", Next: "Correct them here, or where the configuration has set them."})
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		report(Status{State: Starting})
		err := w.join(ctx, s, report)
		if ctx.Err() != nil {
			return
		}
		w.log.Error("the overlay network ended", "kind", s.Kind, "err", err)
		report(Status{State: Failed, Problem: "The network ended: " + err.Error() + ".", Next: "It is tried again by itself."})
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

func (w *Switch) join(ctx context.Context, s Settings, report func(Status)) error {
	build := w.makers[s.Kind]
	if build == nil {
		return errors.New("this layerd was built without it")
	}
	w.mu.Lock()
	secret := w.secret
	w.mu.Unlock()
	n, err := build(s, secret, func(status Status) {
		if s.Kind == Tailnet && (status.State == Running || status.State == Login) {
			w.forget(secret)
		}
		report(status)
	})
	if err != nil {
		return err
	}
	w.hold(n)
	defer w.hold(nil)
	if err := n.Run(ctx); err != nil {
		return err
	}
	return errors.New("without a reason")
}

// forget forgets a secret that is of no more use, and not one that was set meanwhile.
func (w *Switch) forget(secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.secret == secret {
		w.secret = ""
	}
}

// announce tells what comes next, however long the end of what was takes.
func (w *Switch) announce() {
	s, _ := w.Settings()
	status := Status{Kind: s.Kind, State: Starting}
	if s.Kind == None {
		status.State = Off
	}
	w.statuses.Set(status)
}

func (w *Switch) hold(n Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.network = n
}

// current is the network in use. The error is ErrNotHere without one.
func (w *Switch) current() (Network, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.network == nil {
		return nil, ErrNotHere
	}
	return w.network, nil
}

// Login, Leave, Neighbours and NeighbourPicture are those of the Network in use; without one the error is ErrNotHere.
func (w *Switch) Login(ctx context.Context, secret string) error {
	n, err := w.current()
	if err != nil {
		return err
	}
	return n.Login(ctx, secret)
}

func (w *Switch) Leave(ctx context.Context) error {
	n, err := w.current()
	if err != nil {
		return err
	}
	return n.Leave(ctx)
}

func (w *Switch) Neighbours(ctx context.Context) ([]Neighbour, error) {
	n, err := w.current()
	if err != nil {
		return nil, err
	}
	return n.Neighbours(ctx)
}

func (w *Switch) NeighbourPicture(ctx context.Context, name string) ([]byte, error) {
	n, err := w.current()
	if err != nil {
		return nil, err
	}
	return n.NeighbourPicture(ctx, name)
}
