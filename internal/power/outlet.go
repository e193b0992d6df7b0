package power

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// outlet is one switch, and what is known of it. One at a time asks or switches it.
type outlet struct {
	press press
	chips chips

	turn  chan struct{} // holds a token while it is asked, switched or set up; guards reach
	reach reach

	mu   sync.Mutex // guards what follows
	way  Way
	seen Seen
}

// Seen is what is known of a switch.
type Seen struct {
	Kind    Kind   // None: there is no switch
	State   State  // of Kind Lines: what was asked for last
	AtMS    int64  // when that was told
	Problem string // why it is not known, for people; "" it is, or it cannot be asked
}

func newOutlet(w Way, press press, chips chips) *outlet {
	return &outlet{press: press, chips: chips, turn: make(chan struct{}, 1), reach: w.open(press, chips), way: w, seen: Seen{Kind: w.Kind, State: Unknown}}
}

func (o *outlet) get() (Way, Seen) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.way, o.seen
}

// alone waits until nobody else does anything with it, and returns what ends that.
func (o *outlet) alone(ctx context.Context) (done func(), err error) {
	select {
	case o.turn <- struct{}{}:
		return func() { <-o.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// setUp makes it another one, of which nothing is known.
func (o *outlet) setUp(ctx context.Context, w Way) error {
	done, err := o.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	if now, _ := o.get(); now == w {
		return nil
	}
	o.reach.close()
	o.reach = w.open(o.press, o.chips)
	o.mu.Lock()
	o.way, o.seen = w, Seen{Kind: w.Kind, State: Unknown}
	o.mu.Unlock()
	return nil
}

// ask notes how it stands.
func (o *outlet) ask(ctx context.Context) error {
	done, err := o.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	return o.note(ctx)
}

// note is ask for who is alone with it.
func (o *outlet) note(ctx context.Context) error {
	if o.mute() {
		return nil
	}
	now, _, err := o.reach.get(ctx)
	if errors.Is(err, context.Canceled) {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen.State, o.seen.AtMS, o.seen.Problem = now, time.Now().UnixMilli(), ""
	if err != nil {
		o.seen.Problem = err.Error()
	}
	return err
}

// mute reports whether it has nothing to ask: it stands as it was told.
func (o *outlet) mute() bool {
	way, _ := o.get()
	return way.Kind == Web && way.StateURL == ""
}

// put switches it, and asks how it stands then: a plug without a state to ask stands as it was told.
func (o *outlet) put(ctx context.Context, on bool) error {
	done, err := o.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	return o.set(ctx, on)
}

// set is put for who is alone with it.
func (o *outlet) set(ctx context.Context, on bool) error {
	if err := o.reach.set(ctx, on); err != nil {
		if _, behind := o.reach.(*lines); behind || errors.Is(err, ErrNone) { // the printer says itself what it does not take
			return err
		}
		return fmt.Errorf("%w: %w", ErrReach, err)
	}
	err := o.note(ctx)
	mute := o.mute()
	o.mu.Lock()
	defer o.mu.Unlock()
	if mute || o.seen.State == Unknown && err != nil {
		o.seen.State, o.seen.AtMS = stateOf(on), time.Now().UnixMilli()
	}
	if o.seen.State != stateOf(on) {
		return errStays
	}
	return nil
}

var errStays = fmt.Errorf("%w: it was told, and stays as it was", ErrReach)

func (o *outlet) close() {
	o.turn <- struct{}{}
	o.reach.close()
	<-o.turn
}
