package octoprint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// SockJS is how messages travel: the same ones over whatever a client can do.
//
//	/sockjs/websocket                        a websocket, messages as they are
//	/sockjs/SERVER/SESSION/websocket         a websocket with frames: o, h, a[message,…], c[code,"reason"]
//	/sockjs/SERVER/SESSION/xhr_streaming, xhr, xhr_send    the same frames in answers to POST: see sockjs_xhr.go
//
// The routes are open: clients say who they are in a message. https://sockjs.github.io/sockjs-protocol/ describes the frames.

const (
	heartbeatEvery = 25 * time.Second // of frames; clients wait for it
	maxStrangers   = 64               // clients that have not shown who they are
	maxFrames      = 100              // messages in one frame of a client
)

func (a *API) pushRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/sockjs", Least: access.Nobody, Serve: a.sockGreeting},
		{Method: "GET", Path: "/sockjs/info", Least: access.Nobody, Serve: a.sockInfo},
		{Method: "GET", Path: "/sockjs/websocket", Least: access.Nobody, Serve: a.sockRaw},
		{Method: "GET", Path: "/sockjs/*", Least: access.Nobody, Serve: a.sockFramed},
		{Method: "POST", Path: "/sockjs/*", Least: access.Nobody, Serve: a.sockPost},
	}
}

func (a *API) sockGreeting(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	io.WriteString(w, "Welcome to SockJS!\n")
	return nil
}

// sockInfo says what can be done. Pages of other sites may read it, with whatever cookie: it says nothing of us, nor of who asks.
func (a *API) sockInfo(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Vary", "Origin")
	}
	a.s.WriteJSON(w, http.StatusOK, map[string]any{"websocket": true, "cookie_needed": false, "origins": []string{"*:*"}, "entropy": uint32(maphash.Bytes(maphash.MakeSeed(), nil))})
	return nil
}

// sockID is what clients put for SERVER and SESSION.
var sockID = regexp.MustCompile(`^[^/.]{1,64}$`)

// errSockJS answers whatever is no address of SockJS.
var errSockJS = server.Refuse("no_route", "There is nothing here.")

// sockPath takes SERVER/SESSION/TRANSPORT apart.
func sockPath(r *http.Request) (id, transport string, err error) {
	parts := strings.Split(r.PathValue("path"), "/")
	if len(parts) != 3 || !sockID.MatchString(parts[0]) || !sockID.MatchString(parts[1]) {
		return "", "", errSockJS
	}
	return parts[0] + "/" + parts[1], parts[2], nil
}

func (a *API) sockRaw(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	return a.overWebsocket(w, r, func(k *server.Socket) *wire {
		return &wire{k: k, frame: func(message []byte) []byte { return message }, split: func(text []byte) [][]byte { return [][]byte{text} }}
	})
}

func (a *API) sockFramed(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	_, transport, err := sockPath(r)
	if err != nil {
		return err
	}
	if transport != "websocket" {
		return errSockJS
	}
	return a.overWebsocket(w, r, func(k *server.Socket) *wire {
		return &wire{k: k, framed: true, frame: frame, split: split}
	})
}

// overWebsocket talks over a websocket until it ends. A page of another site gets one too, since an app that is a page in a file is one: but then
// only a key counts, which it has to know.
func (a *API) overWebsocket(w http.ResponseWriter, r *http.Request, with func(*server.Socket) *wire) error {
	bare := server.FromElsewhere(r)
	shake := r
	if bare {
		shake = r.Clone(r.Context())
		shake.Header.Del("Origin")
	}
	k, err := a.s.Upgrade(w, shake, maxHeard)
	if k == nil {
		return err
	}
	l := with(k)
	ctx, end := context.WithCancel(a.s.Life())
	defer end()
	defer k.Close()
	l.in = make(chan []byte)
	var reading sync.WaitGroup
	reading.Go(func() { l.read(ctx) })
	if l.framed {
		err = k.WriteText([]byte("o"))
		l.beatAt = time.Now()
	}
	if err == nil {
		a.talk(ctx, end, l, r, bare)
	}
	end()
	k.Close() // ends read
	reading.Wait()
	return nil
}

// wire is a line over a websocket.
type wire struct {
	k      *server.Socket
	framed bool
	frame  func(message []byte) []byte
	split  func(text []byte) [][]byte // nil = that was no frame
	in     chan []byte
	beatAt time.Time // of frames; only talk touches it
}

// read hands on what the client says until he is gone.
func (l *wire) read(ctx context.Context) {
	defer close(l.in)
	for {
		text, err := l.k.ReadText()
		if err != nil {
			return
		}
		if len(text) == 0 {
			continue
		}
		messages := l.split(text)
		if messages == nil {
			return
		}
		for _, m := range messages {
			select {
			case l.in <- m:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (l *wire) heard() <-chan []byte { return l.in }

func (l *wire) send(message []byte) error { return l.k.WriteText(l.frame(message)) }

func (l *wire) ping() error {
	if l.framed && time.Since(l.beatAt) >= heartbeatEvery-pingEvery { // the next ping would be too late
		l.beatAt = time.Now()
		if err := l.k.WriteText([]byte("h")); err != nil {
			return err
		}
	}
	return l.k.Ping()
}

func (l *wire) hangUp(code int, why string) {
	if l.framed {
		l.k.WriteText(farewell(code, why)) // he may be gone
	}
	l.k.Bye(code, why)
}

// frame is one message in a frame.
func frame(message []byte) []byte {
	out := make([]byte, 0, len(message)+3)
	return append(append(append(out, "a["...), message...), ']')
}

// farewell is the last frame.
func farewell(code int, why string) []byte { return fmt.Appendf(nil, "c[%d,%q]", code, why) }

// split takes a client's frame apart: a list of messages, each a string of JSON, or one such string. Some clients send messages that are no strings,
// by themselves or in a list: it is plain what they mean. nil = it is none of these.
func split(text []byte) [][]byte {
	list, err := listOf(text)
	if err != nil || len(list) > maxFrames {
		return nil
	}
	out := make([][]byte, 0, len(list))
	for _, m := range list {
		var inner string
		if json.Unmarshal(m, &inner) == nil {
			m = json.RawMessage(inner)
		}
		out = append(out, m)
	}
	return out
}

var errNoJSON = errors.New("not JSON")

func listOf(text []byte) (list []json.RawMessage, err error) {
	text = bytes.Trim(text, " \t\r\n")
	if len(text) == 0 || !json.Valid(text) {
		return nil, errNoJSON
	}
	if text[0] != '[' {
		return []json.RawMessage{text}, nil
	}
	err = json.Unmarshal(text, &list)
	return list, err
}

// strangers are the clients that have not shown who they are. Who comes gets in: where there are too many, the one goes that has been there longest.
type strangers struct {
	mu      sync.Mutex // guards waiting
	waiting []*stranger
}

type stranger struct{ leave func() }

// enter takes a place; leave is called when another needs it. The place is given back with gone.
func (s *strangers) enter(leave func()) (gone func()) {
	me := &stranger{leave}
	s.mu.Lock()
	var oldest *stranger
	if len(s.waiting) >= maxStrangers {
		oldest, s.waiting = s.waiting[0], s.waiting[1:]
	}
	s.waiting = append(s.waiting, me)
	s.mu.Unlock()
	if oldest != nil {
		oldest.leave()
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, other := range s.waiting {
			if other == me {
				s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
				return
			}
		}
	}
}
