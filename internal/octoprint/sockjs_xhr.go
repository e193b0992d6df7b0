package octoprint

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// SockJS over answers to POST. A session goes on between requests:
//
//	xhr, xhr_streaming ─▶ attach ◀─ frames ─ talk ◀─ messages ─ xhr_send
//
// A frame waits for a request that takes it, and while it waits no other is made: who polls slowly sees fewer, and who polls no more is gone. The
// client chooses the session's name, so it is good for nothing but to find it again, from the same address.

const (
	takeMax     = 10 * time.Second // for a frame to be taken
	streamBytes = 128 << 10        // in one answer, then the client asks for the next
	answerMax   = 10 * time.Second // for a client to take what was written
	maxPosted   = maxHeard         // bytes of one xhr_send, as of one message
	maxWaiting  = 16               // messages of a client that wait for talk: some clients poll and speak by turns
)

// sessions are those that go on, by their names. How many there are talk bounds: each has its place among strangers, or among those who are known.
type sessions struct {
	mu sync.Mutex // guards by
	by map[string]*session
}

// session is a line over POST.
type session struct {
	source  string // address of its client
	out     chan []byte
	in      chan []byte
	ctx     context.Context // ends talk
	end     context.CancelFunc
	over    chan struct{} // closed when talk has ended
	last    []byte        // the last frame; set by then
	polling atomic.Bool
}

func (l *session) heard() <-chan []byte { return l.in }

func (l *session) send(message []byte) error {
	taken := time.NewTimer(takeMax)
	defer taken.Stop()
	select {
	case l.out <- frame(message):
		return nil
	case <-l.ctx.Done():
		return l.ctx.Err()
	case <-taken.C:
		return errUntaken
	}
}

var errUntaken = errors.New("nobody takes the messages")

func (l *session) ping() error { return nil } // whoever polls does it

func (l *session) hangUp(code int, why string) { l.last = farewell(code, why) }

// sockPost answers the POSTs.
func (a *API) sockPost(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id, transport, err := sockPath(r)
	if err != nil {
		return err
	}
	switch transport {
	case "xhr_send":
		return a.xhrSend(w, r, id)
	case "xhr":
		return a.attach(w, r, id, false)
	case "xhr_streaming":
		return a.attach(w, r, id, true)
	}
	return errSockJS
}

// session finds the session of a client, or begins one. It is nil when it is somebody else's.
func (a *API) session(r *http.Request, id string) (l *session, fresh bool) {
	source := a.s.Config().Gate.Source(r)
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	if l = a.sessions.by[id]; l != nil {
		if l.source != source {
			return nil, false
		}
		return l, false
	}
	l = &session{source: source, out: make(chan []byte), in: make(chan []byte, maxWaiting), over: make(chan struct{})}
	l.ctx, l.end = context.WithCancel(a.s.Life())
	if a.sessions.by == nil {
		a.sessions.by = map[string]*session{}
	}
	a.sessions.by[id] = l
	shake := r.WithContext(context.WithoutCancel(r.Context())) // the session outlives its first request
	go func() {
		defer a.forget(id)
		defer close(l.over)
		a.talk(l.ctx, l.end, l, shake, server.FromElsewhere(r))
	}()
	return l, true
}

func (a *API) forget(id string) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	delete(a.sessions.by, id)
}

// attach hands frames to one request: one frame, or as many as fit into a stream.
func (a *API) attach(w http.ResponseWriter, r *http.Request, id string, stream bool) error {
	if _, err := server.ReadSmall(w, r, maxPosted); err != nil { // there is nothing in it; read, the end of the client can be seen
		return err
	}
	l, fresh := a.session(r, id)
	w.Header().Set("Content-Type", "application/javascript; charset=UTF-8")
	out := answer{w: w, left: streamBytes}
	if stream {
		out.write([]byte(strings.Repeat("h", 2048)))
	}
	if l == nil || !l.polling.CompareAndSwap(false, true) {
		out.write(farewell(2010, "Another connection still open"))
		return nil
	}
	defer l.polling.Store(false)
	if fresh && out.write([]byte("o")) && !stream {
		return nil
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for more := true; more && out.left > 0; more = more && stream {
		select {
		case f := <-l.out:
			more = out.write(f)
		case <-heartbeat.C:
			more = out.write([]byte("h"))
		case <-l.over:
			out.write(l.last)
			return nil
		case <-r.Context().Done(): // the client is gone, or layerd ends
			l.end()
			<-l.over
			out.write(l.last)
			return nil
		}
		if !more { // what was on its way is lost
			l.end()
		}
	}
	return nil
}

// answer is a body that is written frame by frame.
type answer struct {
	w    http.ResponseWriter
	left int // bytes
}

// write reports whether the client is still there.
func (o *answer) write(frame []byte) bool {
	o.left -= len(frame) + 1
	c := http.NewResponseController(o.w)
	c.SetWriteDeadline(time.Now().Add(answerMax)) // without it, a write that hangs ends with the connection
	_, err := o.w.Write(append(frame[:len(frame):len(frame)], '\n'))
	return err == nil && c.Flush() == nil
}

// xhrSend takes what a client says.
func (a *API) xhrSend(w http.ResponseWriter, r *http.Request, id string) error {
	body, err := server.ReadSmall(w, r, maxPosted)
	if err != nil {
		return err
	}
	source := a.s.Config().Gate.Source(r)
	a.sessions.mu.Lock()
	l := a.sessions.by[id]
	a.sessions.mu.Unlock()
	if l == nil || l.source != source {
		return errSockJS
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	if len(body) == 0 {
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "Payload expected.")
		return nil
	}
	messages := split(body)
	if messages == nil {
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "Broken JSON encoding.")
		return nil
	}
	for _, m := range messages {
		select {
		case l.in <- m:
		case <-l.over:
			return errSockJS
		case <-r.Context().Done():
			return nil
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
