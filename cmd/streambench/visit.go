package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/server/phonetest"
)

// What flows here: a server's page, with all that it names → the sockets that such a page holds open → what is pushed to it.

// site is a server as somebody elsewhere sees it.
type site struct {
	url, key string // the URL without a '/' at the end
	proxy    string // URL of the proxy by which it is reached; "" = none
}

func (s site) by(*http.Request) (*url.URL, error) {
	if s.proxy == "" {
		return nil, nil
	}
	return url.Parse(s.proxy)
}

// client has connections of its own; the caller closes them.
func (s site) client() *http.Client { return &http.Client{Transport: &http.Transport{Proxy: s.by}} }

// get returns what is answered with 200. Both servers take a key by this header.
func (s site) get(ctx context.Context, c *http.Client, method, path, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Api-Key", s.key)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.200s", method, path, response.Status, said)
	}
	return said, err
}

// named is what a page has a browser fetch for it.
var named = regexp.MustCompile(`(?:src|href)="(/[^"]+\.(?:js|css)(?:\?[^"]*)?)"`)

// open fetches the page and all that it names, as a browser does at first.
func (s site) open(ctx context.Context) error {
	c := s.client()
	defer c.CloseIdleConnections()
	page, err := s.get(ctx, c, "GET", "/", "")
	if err != nil {
		return err
	}
	for _, found := range named.FindAllSubmatch(page, -1) {
		if _, err := s.get(ctx, c, "GET", string(found[1]), ""); err != nil {
			return err
		}
	}
	return nil
}

// visitors have the page of a server open while it prints.
type visitors struct {
	end            context.CancelFunc
	all            sync.WaitGroup
	pushes, frames atomic.Int64
	mu             sync.Mutex // guards failed
	failed         error
}

// visit opens a page at each of the sites. It returns when all have what a browser would have, and their sockets are about to open.
func visit(ctx context.Context, sites []site, sockets func(v *visitors, i int, s site) []func(context.Context) error) (*visitors, error) {
	v := &visitors{}
	ctx, v.end = context.WithCancel(ctx)
	for i, s := range sites {
		if err := s.open(ctx); err != nil {
			v.leave()
			return nil, fmt.Errorf("open the page: %w", err)
		}
		for _, run := range sockets(v, i, s) {
			v.all.Go(func() {
				if err := run(ctx); err != nil && ctx.Err() == nil {
					v.mu.Lock()
					v.failed = errors.Join(v.failed, err)
					v.mu.Unlock()
				}
			})
		}
	}
	return v, nil
}

// leave ends all of them, and returns what went wrong until then.
func (v *visitors) leave() error {
	v.end()
	v.all.Wait()
	if v.failed != nil {
		return fmt.Errorf("somebody who watched: %w", v.failed)
	}
	return nil
}

// ofOctoPrint is the socket of OctoPrint's page.
func ofOctoPrint(v *visitors, i int, s site) []func(context.Context) error {
	return []func(context.Context) error{func(ctx context.Context) error {
		c := s.client()
		defer c.CloseIdleConnections()
		said, err := s.get(ctx, c, "POST", "/api/login", `{"passive":true}`)
		if err != nil {
			return err
		}
		var me struct{ Name, Session string }
		if err := json.Unmarshal(said, &me); err != nil {
			return err
		}
		var w waits
		err = listen(ctx, s.url, i, me.Name+":"+me.Session, &w)
		v.pushes.Add(int64(len(w.late)))
		return err
	}}
}

// beatEvery is how often layerd's page says that it is there.
const beatEvery = 2 * time.Second

// ofLayerd are the sockets of layerd's page: states, and pictures if there is a camera.
func ofLayerd(camera bool) func(v *visitors, i int, s site) []func(context.Context) error {
	return func(v *visitors, _ int, s site) (all []func(context.Context) error) {
		dialer := &websocket.Dialer{Proxy: s.by, EnableCompression: true} // as browsers do
		if camera {
			all = append(all, func(ctx context.Context) error {
				_, err := phonetest.WatchBy(ctx, dialer, strings.TrimPrefix(s.url, "http://"), s.key, 0, func(phonetest.Picture) { v.frames.Add(1) })
				return err
			})
		}
		return append(all, func(ctx context.Context) error {
			conn, _, err := dialer.DialContext(ctx, strings.Replace(s.url, "http", "ws", 1)+"/v1/live", http.Header{"Authorization": {"Bearer " + s.key}})
			if err != nil {
				return fmt.Errorf("open a live socket: %w", err)
			}
			var beating sync.WaitGroup
			defer beating.Wait()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			beating.Go(func() {
				for n := 0; ctx.Err() == nil && conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"beat":%d}`, n)) == nil; n++ {
					select {
					case <-ctx.Done():
					case <-time.After(beatEvery):
					}
				}
			})
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return err
				}
				v.pushes.Add(1)
			}
		})
	}
}
