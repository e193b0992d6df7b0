package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// What flows here: the daemon prints, by turns alone and with clients of OctoPrint's API beside it → how long each of them waited.

const (
	pollers   = 20 // every second one makes a new connection for each request, as scripts do
	listeners = 20
	pollEvery = time.Second
)

// polled is what programs that watch a print look at.
var polled = []string{"/api/job", "/api/printer"}

// waits is how long clients have waited.
type waits struct {
	kept, fresh []time.Duration // for an answer: over a connection that stays, and over a new one
	gaps, late  []time.Duration // from one push to the next; from when one was written to when it was there
}

func (w *waits) add(more waits) {
	w.kept, w.fresh = append(w.kept, more.kept...), append(w.fresh, more.fresh...)
	w.gaps, w.late = append(w.gaps, more.gaps...), append(w.late, more.late...)
}

// besiders are clients while they run.
type besiders struct {
	end    context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex // guards the rest
	waited waits
	failed error
}

// accompany begins with all clients; each polls so much later than the one before. They stop with lift.
func (d *daemon) accompany(ctx context.Context, apart time.Duration) (*besiders, error) {
	var me struct{ Name, Session string }
	const passive = `{"passive":true}`
	if err := d.ask(ctx, "POST", "/api/login", strings.NewReader(passive), int64(len(passive)), &me); err != nil {
		return nil, err
	}
	c := &besiders{}
	ctx, c.end = context.WithCancel(ctx)
	begin := func(run func(w *waits) error) {
		c.all.Go(func() {
			var w waits
			err := run(&w)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.waited.add(w)
			if ctx.Err() == nil {
				c.failed = errors.Join(c.failed, err)
			}
		})
	}
	for i := range listeners {
		begin(func(w *waits) error { return listen(ctx, d.url, i, me.Name+":"+me.Session, w) })
	}
	first := time.Now().Add(pollEvery)
	for i := range pollers {
		at := first.Add(time.Duration(i) * apart)
		if i%2 == 0 {
			begin(func(w *waits) error { return d.poll(ctx, at, false, &w.kept) })
		} else {
			begin(func(w *waits) error { return d.poll(ctx, at, true, &w.fresh) })
		}
	}
	return c, nil
}

// lift ends all clients.
func (c *besiders) lift() (waits, error) {
	c.end()
	c.all.Wait()
	if c.failed != nil {
		return c.waited, fmt.Errorf("a client: %w", c.failed)
	}
	return c.waited, nil
}

// poll is one program that asks for everything each pollEvery. A wait begins when the request was due: that we were late counts too.
func (d *daemon) poll(ctx context.Context, at time.Time, fresh bool, took *[]time.Duration) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: fresh}}
	defer client.CloseIdleConnections()
	for ; ; at = at.Add(pollEvery) {
		select {
		case <-time.After(time.Until(at)):
		case <-ctx.Done():
			return nil
		}
		due := at
		for _, path := range polled {
			if err := d.get(ctx, client, path); err != nil {
				return err
			}
			now := time.Now()
			*took = append(*took, now.Sub(due))
			due = now
		}
	}
}

func (d *daemon) get(ctx context.Context, client *http.Client, path string) error {
	r, err := http.NewRequestWithContext(ctx, "GET", d.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-Api-Key", d.key)
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !json.Valid(said)) {
		err = fmt.Errorf("GET %s: %s: %.200s", path, response.Status, said)
	}
	return err
}

// listen is one app that is pushed to, over a websocket of SockJS.
func listen(ctx context.Context, url string, i int, who string, w *waits) error {
	address := fmt.Sprintf("%s/sockjs/%03d/streambench/websocket", strings.Replace(url, "http", "ws", 1), i)
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, address, nil)
	if err != nil {
		return fmt.Errorf("open a push socket: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	said, _ := json.Marshal(map[string]string{"auth": who})
	frame, _ := json.Marshal([]string{string(said)}) // strings are always JSON
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return err
	}
	var last time.Time
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		now := time.Now()
		list, ok := bytes.CutPrefix(text, []byte{'a'})
		if !ok {
			continue
		}
		var messages []struct {
			Current *struct{ ServerTime float64 }
		}
		if err := json.Unmarshal(list, &messages); err != nil {
			return fmt.Errorf("a push of %.200q: %w", text, err)
		}
		for _, m := range messages {
			if m.Current == nil {
				continue
			}
			w.late = append(w.late, now.Sub(time.UnixMilli(int64(m.Current.ServerTime*1000+0.5))))
			if !last.IsZero() {
				w.gaps = append(w.gaps, now.Sub(last))
			}
			last = now
		}
	}
}
