package moonraker

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// What flows here, for one client:
//
//	client ─▶ read ─▶ hear: a message of JSON-RPC ─▶ a method, beside others ─▶ answers ─┐
//	server's views ─▶ follow ─▶ see: what happened, and what differs of what he wants ───┴▶ live ─▶ client
//
// One goroutine writes to one client, and waits for him as long as it takes to send one message. Nothing is queued: what happens meanwhile is in the next
// view, and a client that is slow sees fewer of them.

const (
	updateEvery  = 250 * time.Millisecond // between two updates of state
	pingEvery    = 10 * time.Second
	recheckEvery = time.Minute
	maxHeard     = 64 << 10 // bytes of one message
	maxBatch     = 20       // calls in one message
	maxUnderWay  = 8        // calls of one client
	maxAccepted  = 40       // with those that wait for their turn; an emergency stop waits for none
	closeGoing   = 1001
)

// client is one client. Everything in it is live's, but what is said otherwise.
type client struct {
	a      *API
	k      *server.Socket
	r      *http.Request // of the handshake, with who he is
	me     access.Identity
	number uint64
	heard  chan []byte
	done   chan done // calls of which live does not know it yet
	accepted,
	underWay,
	urgent chan struct{} // places of calls
	calls  sync.WaitGroup
	states chan server.State
	now    server.State
	files  *listing  // as he knows them; nil = not known
	wants  selection // nil = nothing
	sent   map[string]map[string]string
	sentAt time.Time
	dirty  bool // now is newer than what he has been sent
}

// socket answers GET /websocket. Who shows no key, or a wrong one, gets 401 and no socket.
func (a *API) socket(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	r = a.redeem(r)
	me, err := a.s.Identify(r)
	if err != nil {
		return err
	}
	if me.Role < access.Viewer {
		return access.ErrDenied
	}
	free, err := a.s.TakeSocket(me.Role)
	if err != nil {
		return err
	}
	defer free()
	k, err := a.s.Upgrade(w, r, maxHeard)
	if k == nil {
		return err
	}
	defer k.Close()
	ctx, end := context.WithCancel(r.Context())
	defer end()
	defer context.AfterFunc(a.s.Life(), end)()
	c := &client{a: a, k: k, r: r.WithContext(ctx), me: me, number: a.sockets.Add(1), heard: make(chan []byte), done: make(chan done),
		accepted: make(chan struct{}, maxAccepted), underWay: make(chan struct{}, maxUnderWay), urgent: make(chan struct{}, 1), states: make(chan server.State, 1), now: a.s.State(me)}
	c.files = a.listingOf(c.now.FilesRev)
	var helpers sync.WaitGroup
	helpers.Go(func() { c.read(ctx) })
	helpers.Go(func() { c.follow(ctx) })
	c.live(ctx)
	end()
	k.Bye(closeGoing, "")
	helpers.Wait()
	c.calls.Wait()
	return nil
}

// read hands on what the client says until he is gone.
func (c *client) read(ctx context.Context) {
	defer close(c.heard)
	for {
		text, err := c.k.ReadText()
		if err != nil {
			return
		}
		select {
		case c.heard <- text:
		case <-ctx.Done():
			return
		}
	}
}

// follow hands views on until ctx ends. Live may be writing: then the newest waits.
func (c *client) follow(ctx context.Context) {
	for seen := uint64(0); ; {
		st, seq, err := c.a.s.Next(ctx, c.me, seen)
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

// live is all of a client's life, until he is gone, or ctx ends.
func (c *client) live(ctx context.Context) {
	due := time.NewTimer(time.Hour)
	ping, recheck := time.NewTicker(pingEvery), time.NewTicker(recheckEvery)
	defer due.Stop()
	defer ping.Stop()
	defer recheck.Stop()
	changed := c.a.s.Config().Gate.Changed()
	if c.k.Recheck(c.r, c.me) != nil { // what changed since he was let in is told to nobody else
		return
	}
	for err := error(nil); err == nil; {
		if c.dirty && c.wants != nil {
			due.Reset(time.Until(c.sentAt.Add(updateEvery)))
		} else {
			due.Stop()
		}
		select {
		case text, ok := <-c.heard:
			if !ok {
				return
			}
			err = c.hear(ctx, text)
		case d := <-c.done:
			err = c.end(d)
		case st := <-c.states:
			err = c.see(st)
		case <-due.C:
			err = c.update()
		case <-ping.C:
			err = c.k.Ping()
		case <-recheck.C:
			err = c.k.Recheck(c.r, c.me)
		case <-changed:
			changed = c.a.s.Config().Gate.Changed() // before looking, so that no change falls between
			err = c.k.Recheck(c.r, c.me)
		case <-ctx.Done():
			return
		}
	}
}

// notify tells something that nobody has asked for just now.
func (c *client) notify(what string, params ...any) error {
	message := object{"jsonrpc": "2.0", "method": what}
	if len(params) > 0 {
		message["params"] = params
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return c.k.WriteText(text)
}

// see takes a newer view: what happened since the last is told at once.
func (c *client) see(st server.State) error {
	was := c.now
	if st.Rev < was.Rev { // the very first was composed for him, and may be newer than the shared one
		return nil
	}
	c.now, c.dirty = st, true
	old, _ := klippyOf(was)
	if state, _ := klippyOf(st); state != old && state != startup {
		if err := c.notify("notify_klippy_" + state); err != nil {
			return err
		}
	}
	if was.FilesRev == st.FilesRev {
		return nil
	}
	before := c.files
	c.files = c.a.listingOf(st.FilesRev)
	for _, change := range changesBetween(before, c.files, c.me) {
		if err := c.notify("notify_filelist_changed", change); err != nil {
			return err
		}
	}
	return nil
}

// update tells what differs of what he wants.
func (c *client) update() error {
	c.dirty, c.sentAt = false, time.Now()
	changes, err := c.differs()
	if err != nil || len(changes) == 0 {
		return err
	}
	return c.notify("notify_status_update", changes, eventTime(c.now))
}

// differs is what is new of what he wants, and notes it as sent.
func (c *client) differs() (map[string]map[string]json.RawMessage, error) {
	out := map[string]map[string]json.RawMessage{}
	for name, fields := range c.wants.from(c.a.objectsFor(c.r.Context(), c.now, c.wants)) {
		if c.sent[name] == nil {
			c.sent[name] = map[string]string{}
		}
		for field, v := range fields {
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			if was, ever := c.sent[name][field]; ever && was == string(text) {
				continue
			}
			c.sent[name][field] = string(text)
			if out[name] == nil {
				out[name] = map[string]json.RawMessage{}
			}
			out[name][field] = text
		}
	}
	return out, nil
}

// subscribe takes the place of what he wanted before; the answer has all of it.
func (c *client) subscribe(in asked) (any, error) {
	var wanted selection
	if raw := in["objects"]; string(raw) == "{}" {
		wanted = nil // no more of it
	} else if raw == nil {
		return nil, errSelection
	} else {
		var err error
		if wanted, err = selectionOf(asked{"objects": raw}); err != nil {
			return nil, err
		}
	}
	c.wants, c.sent, c.sentAt = wanted, map[string]map[string]string{}, time.Now()
	status := map[string]any{}
	for name := range wanted {
		status[name] = object{}
	}
	all, err := c.differs()
	if err != nil {
		return nil, err
	}
	for name, fields := range all {
		status[name] = fields
	}
	return object{"eventtime": eventTime(c.now), "status": status}, nil
}
