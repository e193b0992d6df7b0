package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"
)

// Phones repeat a command when they did not hear the answer. once makes that harmless: for ten minutes the same command
// of the same client gets the first answer, and is not done again; also while the first is still being done.

const (
	onceFor = 10 * time.Minute
	onceMax = 1024 // answers kept for one client; the oldest go first
)

// once remembers answers. Its zero value is ready.
type once struct {
	mu      sync.Mutex // guards clients and all in them
	clients map[string]*answers
}

// answers are those of one client.
type answers struct {
	byID  map[ID]*answered
	order []ID // oldest first
}

// answered is one command. Its answer may be read when done is closed.
type answered struct {
	same   [sha256.Size]byte // of the command, to tell a repeat from a reused id
	done   chan struct{}
	at     time.Time // when it was answered; guarded by once.mu, zero until then
	answer Answer
}

// do returns the answer of cmd: the first one when client has sent it before, else that of f. f is called without any
// lock held. It waits for a first that is still being done until ctx ends. errReused: the id was used for another command.
func (o *once) do(ctx context.Context, client string, cmd Command, f func() Answer) (answer Answer, err error) {
	text, err := json.Marshal(cmd)
	if err != nil {
		return Answer{}, err
	}
	same := sha256.Sum256(text)

	o.mu.Lock()
	o.forget(time.Now())
	c := o.clients[client]
	if c == nil {
		c = &answers{byID: map[ID]*answered{}}
		if o.clients == nil {
			o.clients = map[string]*answers{}
		}
		o.clients[client] = c
	}
	if first := c.byID[cmd.ID]; first != nil {
		o.mu.Unlock()
		if first.same != same {
			return Answer{}, errReused
		}
		select {
		case <-first.done:
			return first.answer, nil
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		}
	}
	mine := &answered{same: same, done: make(chan struct{})}
	c.byID[cmd.ID] = mine
	c.order = append(c.order, cmd.ID)
	o.mu.Unlock()

	mine.answer = f()
	o.mu.Lock()
	mine.at = time.Now()
	o.mu.Unlock()
	close(mine.done)
	return mine.answer, nil
}

// forget drops what is older than onceFor, or too much. The lock is held.
func (o *once) forget(now time.Time) {
	for client, c := range o.clients {
		for len(c.order) > 0 {
			oldest := c.byID[c.order[0]]
			old := !oldest.at.IsZero() && now.Sub(oldest.at) >= onceFor
			if !old && len(c.order) < onceMax {
				break
			}
			delete(c.byID, c.order[0])
			c.order = c.order[1:]
		}
		if len(c.order) == 0 {
			delete(o.clients, client)
		}
	}
}
