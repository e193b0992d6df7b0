package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"layerd/internal/access"
)

// What flows here: somebody was let in, and what he asked for takes long: a socket, a stream, an upload ─▶ when people have changed, and each minute, he is
// looked at again ─▶ it goes on, or ends.

const (
	recheckEvery = time.Minute
	lookMost     = time.Second     // that a look may take while somebody waits with his finger on Pause
	lookAgain    = 5 * time.Second // after one that said nothing
)

// standing is what somebody may do, for as long as his request takes. It may be used from any goroutine.
type standing struct {
	s    *Server
	r    *http.Request // that he came with: what it shows is looked at again and again
	last atomic.Pointer[sight]
}

// sight is how he was seen last.
type sight struct {
	me      access.Identity
	changed <-chan struct{} // closed when that may be so no longer
	at      time.Time       // zero: not since he was let in
}

func (s *Server) stand(r *http.Request, me access.Identity) *standing {
	never := make(chan struct{})
	close(never) // people may have changed since he was let in
	k := &standing{s: s, r: access.Again(r)}
	k.last.Store(&sight{me: me, changed: never})
	return k
}

// changed is closed when it is time to look.
func (k *standing) changed() <-chan struct{} { return k.last.Load().changed }

// check is look when it is time to.
func (k *standing) check() (access.Identity, error) {
	last := k.last.Load()
	due := time.Since(last.at) >= recheckEvery
	select {
	case <-last.changed:
		due = true
	default:
	}
	if !due {
		return last.me, nil
	}
	return k.look(lookMost)
}

// look is who he is now, by a look that takes no longer than most. The error says that he may do nothing any more. While nobody can tell he stays what he
// was: a card that hangs, or a network that does not answer, takes the stop button from nobody.
func (k *standing) look(most time.Duration) (access.Identity, error) {
	now := sight{me: k.last.Load().me, changed: k.s.cfg.Gate.Changed(), at: time.Now()} // before looking, so that no change falls between
	ctx, cancel := context.WithTimeout(k.r.Context(), most)
	defer cancel()
	me, err := k.s.identify(k.r.WithContext(ctx))
	switch {
	case errors.Is(err, access.ErrDenied), errors.Is(err, access.ErrNotInvited):
		return me, err // and so it is each time
	case err != nil:
		k.s.log.Warn("who was let in cannot be looked at again", "who", now.me.Name, "err", err)
		now.at = now.at.Add(lookAgain - recheckEvery)
	default:
		now.me = me
	}
	k.last.Store(&now)
	return now.me, nil
}

// standingBody is a body that ends when its sender may no longer send it.
type standingBody struct {
	io.Reader
	by    *standing
	least access.Role
}

func (b standingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if me, gone := b.by.check(); gone != nil {
		return 0, gone
	} else if me.Role < b.least {
		return 0, roleTooLow(b.least)
	}
	return n, err
}
