package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// What is pushed to clients. What flows here, for one client:
//
//	client ─▶ SockJS (sockjs*.go) ─▶ hear (push_hear.go): who he is, what he wants
//	server's views ─▶ follow ─▶ talk ─┬▶ events between two views (push_events.go) ─┬▶ SockJS ─▶ client
//	                                  └▶ current, as often as he wants it           ┘
//
// One goroutine talks to one client, and waits for him as long as it takes to send one message. Nothing is queued: what happens meanwhile is in the
// next view, and a client that is slow sees fewer of them.

const (
	baseEvery     = 500 * time.Millisecond // between two of current, for a throttle of 1
	slowest       = 20 * time.Second       // the same, whatever the throttle
	quietMost     = 15 * time.Second       // without a change: clients think that we are gone after 30 s
	pingEvery     = 10 * time.Second
	recheckEvery  = time.Minute
	patience      = 30 * time.Second // for a client to show who he is
	maxTries      = 8                // wrong keys of one client
	maxStrange    = 32               // messages of one client before that
	closeGoing    = 1001
	closeRevoked  = 4401 // as on our own socket
	closeStranger = 4408
	closeCrowded  = 1013
)

// line is the way to one client, whatever carries it. Only talk sends.
type line interface {
	// send gives a JSON message on its way. It waits until it is, within bounds.
	send(message []byte) error
	// ping is called every pingEvery.
	ping() error
	// heard is closed when the client is gone.
	heard() <-chan []byte
	hangUp(code int, why string)
}

// client is one client. Everything in it is talk's.
type client struct {
	a    *API
	line line
	r    *http.Request // of the handshake
	bare bool          // what a browser adds to the handshake by itself does not count, since a page of another site made it

	me      access.Identity // Nobody until he has shown who he is
	shown   *http.Request   // what he has shown it with
	free    func()          // gives his place back
	tries   int
	strange int
	factor  int // his throttle
	wants   wants
	now     moment
	states  chan server.State
	dirty   bool // now is newer than what he has been sent
	owed    bool // the history
	greeted bool // has had it once
	sentAt  time.Time
	logged  uint64 // the last console line that he was sent
	tempsMS int64  // the report of temperatures that he was sent last
}

// talk is all of a client's life, until he is gone, or ctx ends, which end has it do: also while he takes nothing.
func (a *API) talk(ctx context.Context, end context.CancelFunc, l line, r *http.Request, bare bool) {
	defer end()
	c := &client{a: a, line: l, r: r, bare: bare, factor: 1, wants: everything(), states: make(chan server.State, 1), free: a.strangers.enter(end)}
	defer func() { c.free() }()
	err := c.say("connected", connectedOf())
	if err == nil && keyOf(r) != "" {
		err = c.auth(ctx, r)
	}
	if err == nil {
		err = c.loop(ctx)
	}
	var bye *goodbye
	switch {
	case errors.As(err, &bye):
		l.hangUp(bye.code, bye.why)
	default:
		l.hangUp(closeGoing, "")
	}
}

// goodbye is why a client is sent away.
type goodbye struct {
	code int
	why  string
}

func (g *goodbye) Error() string { return g.why }

func (c *client) loop(ctx context.Context) error {
	due, stranger := time.NewTimer(time.Hour), time.NewTimer(patience)
	ping, recheck := time.NewTicker(pingEvery), time.NewTicker(recheckEvery)
	defer due.Stop()
	defer stranger.Stop()
	defer ping.Stop()
	defer recheck.Stop()
	changed := c.a.s.Config().Gate.Changed()
	for {
		due.Reset(c.wait())
		var err error
		select {
		case text, ok := <-c.line.heard():
			if !ok {
				return nil
			}
			err = c.hear(ctx, text)
		case st := <-c.states:
			err = c.see(st)
		case <-due.C:
			err = c.send()
		case <-stranger.C:
			if c.shown == nil {
				err = &goodbye{closeStranger, "nobody has said who is there"}
			}
		case <-ping.C:
			err = c.line.ping()
		case <-recheck.C:
			err = c.recheck()
		case <-changed:
			changed = c.a.s.Config().Gate.Changed() // before looking, so that no change falls between
			err = c.recheck()
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// say sends {kind: payload}.
func (c *client) say(kind string, payload any) error {
	text, err := json.Marshal(map[string]any{kind: payload})
	if err != nil {
		return err
	}
	return c.line.send(text)
}

// auth looks who a request shows. Who it is gets a place among those who are known, the history, and what comes after.
func (c *client) auth(ctx context.Context, r *http.Request) error {
	if c.shown != nil && keyOf(c.shown) == keyOf(r) {
		return nil // he says it again
	}
	me, err := c.a.s.Identify(r)
	if err != nil || me.Role < access.Viewer {
		if err := c.say("reauthRequired", map[string]string{"reason": "stale"}); err != nil {
			return err
		}
		if c.tries++; c.tries > maxTries || c.shown != nil {
			return &goodbye{closeRevoked, "the key is not valid"}
		}
		return nil
	}
	if c.shown == nil {
		free, err := c.a.s.TakeSocket(me.Role)
		if err != nil {
			return &goodbye{closeCrowded, "too much is going on at once"}
		}
		c.free() // a stranger's
		c.free = free
		c.now, c.owed = c.a.momentAfter(moment{}, c.a.s.State(me)), true
		go c.follow(ctx)
	}
	c.me, c.shown = me, r
	return nil
}

// follow hands views on until ctx ends. Talk may be sending: then the newest waits.
func (c *client) follow(ctx context.Context) {
	for seen := uint64(0); ; {
		st, seq, err := c.a.s.Next(ctx, access.Identity{}, seen)
		if err != nil {
			return
		}
		seen = seq
		select {
		case <-c.states: // nobody but us puts one in
		default:
		}
		c.states <- st
	}
}

// recheck looks whether he may still be there.
func (c *client) recheck() error {
	if c.shown == nil {
		return nil
	}
	me, err := c.a.s.Identify(access.Again(c.shown))
	switch {
	case errors.Is(err, access.ErrDenied), errors.Is(err, access.ErrNotInvited):
		c.say("reauthRequired", map[string]string{"reason": "removed"}) // he is sent away in any case
		return &goodbye{closeRevoked, "the key is no longer valid"}
	case err != nil:
		return nil // it cannot be told at the moment
	}
	c.me = me
	return nil
}

// pace is how much time there is between two of current.
func (c *client) pace() time.Duration { return min(time.Duration(c.factor)*baseEvery, slowest) }

// wait is how long nothing is due.
func (c *client) wait() time.Duration {
	switch {
	case c.shown == nil || !c.wants.state:
		return time.Hour
	case c.owed || c.dirty:
		return time.Until(c.sentAt.Add(c.pace()))
	}
	return time.Until(c.sentAt.Add(max(quietMost, c.pace())))
}

// see takes a newer view: what happened since the last is told at once.
func (c *client) see(st server.State) error {
	was := c.now
	if st.Rev < was.st.Rev { // the very first was composed for him, and may be newer than the shared one
		return nil
	}
	st.Asking = c.a.s.Asking(c.me) // the shared view is nobody's
	c.now, c.dirty = c.a.momentAfter(was, st), true
	for _, e := range eventsBetween(was, c.now) {
		if c.wants.events.has(e.Type) {
			if err := c.say("event", e); err != nil {
				return err
			}
		}
	}
	if before, now := timelapseOf(was.films), timelapseOf(c.now.films); !reflect.DeepEqual(before, now) {
		if err := c.say("timelapse", now); err != nil {
			return err
		}
	}
	return c.plugins(was)
}

// plugins tells what the plugins say that come with OctoPrint, or that clients know.
func (c *client) plugins(was moment) error {
	for _, m := range pluginsBetween(was, c.now) {
		if c.wants.plugins.has(m.Plugin) {
			if err := c.say("plugin", m); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends what is due: the history, or current.
func (c *client) send() error {
	c.dirty = false
	owed := c.owed
	c.owed = false
	if !owed {
		err := c.say("current", c.current())
		c.sentAt = time.Now()
		return err
	}
	err := c.say("history", c.history())
	c.sentAt = time.Now()
	if err != nil || c.greeted {
		return err
	}
	c.greeted = true
	if err := c.say("timelapse", timelapseOf(c.now.films)); err != nil {
		return err
	}
	return c.plugins(moment{})
}
