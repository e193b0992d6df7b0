package camera

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// piped is a camera on the network without a network: each connection's first request is read, and the rest is talk's.
func piped(talk func(conn net.Conn)) *web {
	w := newWeb(Device{ID: "http://cam/"}, Settings{})
	w.dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := http.ReadRequest(bufio.NewReader(there)); err == nil {
				talk(there)
			}
		}()
		return here, nil
	}
	return w
}

// trickle writes text a byte at a time, until nobody reads any more.
func trickle(conn io.Writer, text []byte, every time.Duration) {
	for i := range text {
		if _, err := conn.Write(text[i : i+1]); err != nil {
			return
		}
		time.Sleep(every)
	}
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"

func TestWebIsNotKeptWaiting(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	untilClosed := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	for name, c := range map[string]struct {
		talk func(conn net.Conn)
		want string
		by   time.Duration
	}{
		"no answer": {untilClosed, "does not answer", firstWithin},
		"slow headers": {func(conn net.Conn) {
			trickle(conn, []byte("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"+strings.Repeat("X: y\r\n", 1000)), 100*time.Millisecond)
		}, "does not answer", firstWithin},
		"nothing behind the headers": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, streamHead)
			untilClosed(conn)
		}, "stopped sending pictures", bytesWithin},
		"a slow first picture": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, streamHead)
			trickle(conn, pic, 100*time.Millisecond)
		}, "sends its pictures too slowly", firstWithin},
		"a slow part header": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, streamHead)
			trickle(conn, bytes.Repeat([]byte("X-Header: on and on\r\n"), 1000), 50*time.Millisecond)
		}, "sends its pictures too slowly", firstWithin},
		"a slow second picture": {func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "%s%s", streamHead, pic)
			trickle(conn, pic, 100*time.Millisecond)
		}, "sends its pictures too slowly", nextWithin},
		"a stall in a picture": {func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "%s%s%s", streamHead, pic, pic[:500])
			untilClosed(conn)
		}, "stopped sending pictures", bytesWithin},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := piped(c.talk).Run(t.Context(), put(func([]byte, time.Time) {}))
			if got := problem("C", err); !strings.HasPrefix(got, "The camera C "+c.want) {
				t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
			}
			if took := time.Since(began); took != c.by {
				t.Errorf("%s: given up after %v, want %v", name, took, c.by)
			}
			time.Sleep(time.Second) // the camera notices that nobody reads
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := piped(nil)
		w.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if got := problem("C", w.Run(t.Context(), put(nil))); !strings.Contains(got, "does not answer") {
			t.Errorf("nobody there: got %q", got)
		}
	})
}

// What the source knows is what people read: it is quicker than the watchdog.
func TestWebProblemIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 160, 120, 1)
		first := true
		c := running(t, piped(func(conn net.Conn) {
			_, _ = io.WriteString(conn, streamHead)
			if first {
				first = false
				_, _ = conn.Write(pic)
			}
			trickle(conn, pic, 100*time.Millisecond)
		}))
		if s := statusOf(c); !s.Live {
			t.Fatalf("got %+v", s)
		}
		for range 10 {
			time.Sleep(3 * time.Second)
			if s := statusOf(c); s.Live || !strings.Contains(s.Problem, "too slowly") {
				t.Fatalf("got %+v", s)
			}
		}
	})
}

func TestWebWhileNobodyLooks(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	dials := 0
	for name, c := range map[string]struct {
		talk       func(conn net.Conn)
		busy, idle int64 // pictures in ten seconds
	}{
		"stream": {func(conn net.Conn) {
			_, err := io.WriteString(conn, streamHead)
			for err == nil {
				_, err = conn.Write(pic)
				time.Sleep(100 * time.Millisecond)
			}
		}, 100, 10},
		"snapshot": {func(conn net.Conn) {
			requests := bufio.NewReader(conn)
			var err error
			for err == nil {
				if _, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s", len(pic), pic); err == nil {
					_, err = http.ReadRequest(requests)
				}
			}
		}, 20, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			dials = 0
			w := piped(c.talk)
			dial := w.dial
			w.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials++
				return dial(ctx, network, address)
			}
			var n atomic.Int64
			sink := &watched{put: func([]byte, time.Time) { n.Add(1) }}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- w.Run(ctx, sink) }()
			for range 3 {
				sink.idle.Store(false)
				n.Store(0)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if n := n.Load(); n < c.busy-1 || n > c.busy+1 {
					t.Errorf("%s: got %d pictures in ten seconds, want %d", name, n, c.busy)
				}
				sink.idle.Store(true)
				n.Store(0)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if n := n.Load(); n < c.idle-1 || n > c.idle+1 {
					t.Errorf("%s: while nobody looks: got %d pictures in ten seconds, want %d", name, n, c.idle)
				}
			}
			cancel()
			if err := <-ended; err != nil || dials != 1 {
				t.Errorf("%s: got %v, %d connections, want one", name, err, dials)
			}
			time.Sleep(time.Second) // the camera notices
		})
	}
}
