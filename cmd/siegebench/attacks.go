package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// attack is one way to mean ill: at a time many of one, for as long as its context lives.
type attack struct {
	name   string
	many   int
	from   func(i int) string // address of number i
	pause  time.Duration      // between one and the next of the same number
	strike func(s *stage, a *attacker, d *net.Dialer) error
}

var attacks = []attack{
	{name: "none"},
	{name: "slow-loris: 500 connections, 1 byte a second", many: 500, from: one, pause: 50 * time.Millisecond, strike: slowLoris},
	{name: "the same from 250 addresses, 2,000 connections", many: 2000, from: spread, pause: 50 * time.Millisecond, strike: slowLoris},
	{name: "1,000 connections that say nothing", many: 1000, from: one, pause: 50 * time.Millisecond, strike: idle},
	{name: "400 websockets of a viewer that say nothing", many: 400, from: one, pause: 200 * time.Millisecond, strike: idleSocket},
	{name: "200 logins a second with wrong passwords", many: 40, from: one, pause: 200 * time.Millisecond, strike: wrongPassword},
	{name: "10 GB announced, 40 a second", many: 4, from: one, pause: 100 * time.Millisecond, strike: announced},
	{name: "uploads without end", many: 4, from: one, pause: 100 * time.Millisecond, strike: endless},
	{name: "2,000 requests a second to unknown paths", many: 20, from: one, pause: 100 * time.Millisecond, strike: unknownPaths},
	{name: "50 headers without end", many: 50, from: one, pause: 50 * time.Millisecond, strike: endlessHeader},
}

func one(int) string      { return "127.0.0.2" }
func spread(i int) string { return fmt.Sprintf("127.0.1.%d", 1+i%250) }

// attacker counts what became of the strikes.
type attacker struct {
	ctx                 context.Context
	end                 context.CancelFunc
	all                 sync.WaitGroup
	tried, unmet, inNow atomic.Int64 // unmet: the connection was not made, or ended by layerd
	statuses            sync.Map     // of answers, *atomic.Int64
	most                atomic.Int64 // in at a time
}

func newAttacker(ctx context.Context, s *stage, how attack) *attacker {
	a := &attacker{}
	a.ctx, a.end = context.WithCancel(ctx)
	for i := range how.many {
		d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(how.from(i))}, Timeout: 10 * time.Second}
		a.all.Go(func() {
			for a.ctx.Err() == nil {
				a.tried.Add(1)
				if err := how.strike(s, a, d); err != nil && a.ctx.Err() == nil {
					a.unmet.Add(1)
				}
				select {
				case <-time.After(how.pause):
				case <-a.ctx.Done():
				}
			}
		})
	}
	return a
}

// stop ends all strikes and tells what became of them. It may be called again.
func (a *attacker) stop() string {
	a.end()
	a.all.Wait()
	var told []string
	a.statuses.Range(func(status, n any) bool {
		told = append(told, fmt.Sprintf("%d × %d", n.(*atomic.Int64).Load(), status))
		return true
	})
	if n := a.unmet.Load(); n > 0 {
		told = append(told, fmt.Sprintf("%d connections ended by layerd", n))
	}
	if n := a.most.Load(); n > 0 {
		told = append(told, fmt.Sprintf("at most %d in at a time", n))
	}
	if len(told) == 0 {
		return ""
	}
	return fmt.Sprintf("%d tries: %s", a.tried.Load(), strings.Join(told, ", "))
}

// answered counts an answer.
func (a *attacker) answered(status int) {
	n, _ := a.statuses.LoadOrStore(status, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// within counts who is in, until the function that it returns is called.
func (a *attacker) within() func() {
	now := a.inNow.Add(1)
	for most := a.most.Load(); now > most && !a.most.CompareAndSwap(most, now); most = a.most.Load() {
	}
	return func() { a.inNow.Add(-1) }
}

// dial opens a connection that ends with the attack.
func (a *attacker) dial(s *stage, d *net.Dialer) (net.Conn, func(), error) {
	conn, err := d.DialContext(a.ctx, "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		return nil, nil, err
	}
	out := a.within()
	stop := context.AfterFunc(a.ctx, func() { conn.Close() })
	return conn, func() { out(); stop(); conn.Close() }, nil
}

// slowLoris sends a byte of a header each second.
func slowLoris(s *stage, a *attacker, d *net.Dialer) error {
	conn, done, err := a.dial(s, d)
	if err != nil {
		return err
	}
	defer done()
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, conn); close(ended) }() // ends with conn
	if _, err := io.WriteString(conn, "GET /v1/state HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := conn.Write([]byte{'a'}); err != nil {
				return err
			}
		case <-ended:
			return io.ErrUnexpectedEOF
		}
	}
}

// idle says nothing.
func idle(s *stage, a *attacker, d *net.Dialer) error {
	conn, done, err := a.dial(s, d)
	if err != nil {
		return err
	}
	defer done()
	_, err = io.Copy(io.Discard, conn)
	return errors.Join(err, io.ErrUnexpectedEOF)
}

// idleSocket opens a live socket with a viewer's key, and does nothing but take what comes.
func idleSocket(s *stage, a *attacker, d *net.Dialer) error {
	u := strings.Replace(s.url, "http", "ws", 1) + "/v1/live"
	conn, response, err := (&websocket.Dialer{NetDialContext: d.DialContext}).DialContext(a.ctx, u, http.Header{"Authorization": {"Bearer " + s.viewer}})
	if err != nil {
		if response != nil {
			a.answered(response.StatusCode)
			return nil
		}
		return err
	}
	defer conn.Close()
	defer a.within()()
	defer context.AfterFunc(a.ctx, func() { conn.Close() })()
	for err == nil {
		_, _, err = conn.NextReader()
	}
	return err
}

// request sends one request from the attacker's address, each over a connection of its own.
func (a *attacker) request(s *stage, d *net.Dialer, method, path, key string, body io.Reader, size int64) error {
	r, err := http.NewRequestWithContext(a.ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	r.ContentLength = size
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	a.answered(response.StatusCode)
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func wrongPassword(s *stage, a *attacker, d *net.Dialer) error {
	body := fmt.Sprintf(`{"name":"owner","password":"guess %d"}`, a.tried.Load())
	return a.request(s, d, "POST", "/v1/login", "", strings.NewReader(body), int64(len(body)))
}

// endlessLines are moves without end.
type endlessLines struct{}

func (endlessLines) Read(b []byte) (int, error) {
	const line = "G1 X10 Y10 E1\n"
	return copy(b, bytes.Repeat([]byte(line), len(b)/len(line)+1)[:len(b)]), nil
}

// announced says that 10 GB will come, with a key that may upload.
func announced(s *stage, a *attacker, d *net.Dialer) error {
	conn, done, err := a.dial(s, d)
	if err != nil {
		return err
	}
	defer done()
	fmt.Fprintf(conn, "PUT /v1/files/big.gcode HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", s.operator, int64(10)<<30)
	var status int
	if _, err := fmt.Fscanf(conn, "HTTP/1.1 %d", &status); err != nil {
		return err
	}
	a.answered(status)
	return nil
}

// endless really sends, without saying how much.
func endless(s *stage, a *attacker, d *net.Dialer) error {
	return a.request(s, d, "PUT", "/v1/files/endless.gcode", s.operator, io.MultiReader(endlessLines{}), -1)
}

// unknownPaths asks ten times over one connection.
func unknownPaths(s *stage, a *attacker, d *net.Dialer) error {
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	defer client.CloseIdleConnections()
	for i := range 10 {
		r, err := http.NewRequestWithContext(a.ctx, "GET", fmt.Sprintf("%s/wp-admin/%d", s.url, i), nil)
		if err != nil {
			return err
		}
		response, err := client.Do(r)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		a.answered(response.StatusCode)
	}
	return nil
}

// endlessHeader sends headers until the connection ends.
func endlessHeader(s *stage, a *attacker, d *net.Dialer) error {
	conn, done, err := a.dial(s, d)
	if err != nil {
		return err
	}
	defer done()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("a", 1000)); err != nil {
			return err
		}
	}
}
