package server

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// Both websockets of a whole Server, over connections in memory.

// said collects a log.
type said struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// sockets is a server, what it logs as an error, and how a key's socket is opened.
func sockets(f *testing.F) (r *rig, wrong *said, dial func(t *testing.T, path, key string) *websocket.Conn) {
	wrong = &said{}
	r = newRig(f, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(wrong, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	l := newPipes()
	r.serveOn(f, l)
	for n := uint64(0); ; { // until the first view is there
		v, seq, err := r.views.Next(f.Context(), n)
		if err != nil {
			f.Fatal(err)
		}
		if n = seq; v != nil {
			break
		}
	}
	dialer := websocket.Dialer{NetDial: func(_, _ string) (net.Conn, error) { return l.dial() }, EnableCompression: true}
	return r, wrong, func(t *testing.T, path, key string) *websocket.Conn {
		conn, _, err := dialer.Dial("ws://layerd"+path, http.Header{"Authorization": {"Bearer " + key}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
}

// FuzzLive: whatever somebody who only looks says, he gets answers, moves nothing, and hears nothing of the console.
func FuzzLive(f *testing.F) {
	for _, text := range []string{`{"id":"1","do":"pause"}`, `{"id":1,"do":"emergency_stop"}`, `{"console":{"on":true,"since":0}}`, `{"console":{"on":false}}`, `{"beat":12}`, `{"id":"1","do":"jog","beat":1e9}`,
		`{"id":null}`, "{\"beat\":\"\\u0000\"}", `[]`, ``, `{"id":"2","do":"confirm"}{}`, `{"id":"3","do":"set_cameras","cameras":[{"device":"http://169.254.169.254/"}]}`, strings.Repeat(" ", 70_000)} {
		f.Add(text, websocket.TextMessage)
	}
	f.Add("\x00", websocket.BinaryMessage)
	r, wrong, dial := sockets(f)
	f.Fuzz(func(t *testing.T, text string, kind int) {
		if kind != websocket.TextMessage {
			kind = websocket.BinaryMessage
		}
		conn := dial(t, "/v1/live", "viewer")
		go func() {
			if conn.WriteMessage(kind, []byte(text)) == nil {
				conn.WriteMessage(websocket.TextMessage, []byte(`{"beat":73117311}`)) // or it has been let go
			}
		}()
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				var closed *websocket.CloseError
				if !errors.As(err, &closed) || closed.Code != websocket.CloseMessageTooBig {
					t.Errorf("the socket ended: %v", err)
				}
				break
			}
			var m anything
			if !json.Valid(text) || json.Unmarshal(text, &struct {
				Type *string
				Echo any
			}{Type: &m.Type}) != nil || m.Type == "console" || strings.ContainsAny(string(text), "<>") {
				t.Fatalf("heard %s", text)
			}
			if strings.Contains(string(text), `"echo":73117311`) {
				break
			}
		}
		if called := r.printer.called(); len(called) > 0 {
			t.Errorf("somebody who only looks had the printer do %q", called)
		}
		if wrong.String() != "" {
			t.Errorf("it went wrong: %s", wrong)
		}
	})
}

// FuzzCameraSocket: whatever a page says of what it has seen, it gets no more than it may, and its socket ends well.
func FuzzCameraSocket(f *testing.F) {
	for _, text := range []string{`{"ack":0}`, "{\"ack\":0}\n{\"got\":0}\n{\"got\":5028,\"ack\":1}", `{"got":-1}`, `{"got":9223372036854775807}`, `{"ack":4294967295,"save":true}`, `{"ack":null,"got":null}`, `{"range":1}`, "\n", `{"ack":1e3}`} {
		f.Add(text)
	}
	r, wrong, dial := sockets(f)
	r.cameras.take(1)
	f.Fuzz(func(t *testing.T, text string) {
		conn := dial(t, "/v1/camera", "viewer")
		go func() {
			for _, m := range strings.SplitN(text, "\n", 20) {
				if conn.WriteMessage(websocket.TextMessage, []byte(m)) != nil {
					return // it has been let go
				}
			}
			conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
		}()
		for total := 0; ; {
			_, piece, err := conn.ReadMessage()
			if err != nil {
				var closed *websocket.CloseError
				if errors.As(err, &closed) && closed.Code == websocket.CloseInternalServerErr {
					t.Errorf("got %v", err)
				}
				break
			}
			if total += len(piece); total > 2*(FrameHeader+5000) { // there is one picture, and it may be sent as a small one, too
				t.Fatalf("got %d bytes of one picture", total)
			}
		}
		if wrong.String() != "" {
			t.Errorf("it went wrong: %s", wrong)
		}
	})
}

// FuzzFrames: whatever bytes come once a socket is open, it ends with its connection.
func FuzzFrames(f *testing.F) {
	for _, bytes := range []string{"\x81\x80\x00\x00\x00\x00", "\x81\x05hello", "\xc1\x85\x00\x00\x00\x00\x00\x00\x00\xff\xff", "\x89\xfe\xff\xff", "\x88\x82\x00\x00\x00\x00\x03\xe8", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x80\x00\x00\x00\x00"} {
		f.Add(true, []byte(bytes))
		f.Add(false, []byte(bytes))
	}
	_, wrong, dial := sockets(f)
	f.Fuzz(func(t *testing.T, live bool, bytes []byte) {
		path := "/v1/camera"
		if live {
			path = "/v1/live"
		}
		conn := dial(t, path, "operator").NetConn() // fails when those before have not ended: there are only so many places
		var hearing sync.WaitGroup
		hearing.Go(func() { io.Copy(io.Discard, conn) })
		conn.Write(bytes) // until it is let go
		conn.Close()
		hearing.Wait()
		if wrong.String() != "" {
			t.Errorf("it went wrong: %s", wrong)
		}
	})
}
