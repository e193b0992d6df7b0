package server

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/printer"
)

// phone is a client of a websocket, in fake time.
type phone struct {
	t    testing.TB
	conn *websocket.Conn
	got  int64 // bytes of the camera's messages

	saying sync.Mutex // one message at a time
}

// anything is whatever the live socket sends.
type anything struct {
	Type    string
	Rev     uint64
	ID      string
	Echo    json.Number
	Error   *Error
	Lines   []printer.Entry
	State   string
	Cameras []camera.Status
	NowMS   int64  `json:"now_ms"`
	Files   uint64 `json:"files_rev"`
	Me      access.Identity
}

func (p *phone) hear() anything {
	p.t.Helper()
	var m anything
	if err := p.conn.ReadJSON(&m); err != nil {
		p.t.Fatalf("the phone hears nothing: %v", err)
	}
	return m
}

// hearType skips what is of another type.
func (p *phone) hearType(want string) anything {
	p.t.Helper()
	for {
		if m := p.hear(); m.Type == want {
			return m
		}
	}
}

func (p *phone) say(text string) {
	p.t.Helper()
	p.saying.Lock()
	defer p.saying.Unlock()
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// closeCode reads until the end, and is how it came.
func (p *phone) closeCode() int {
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				return closed.Code
			}
			return -1
		}
	}
}

// bubble runs a test with a server in memory and in fake time.
func bubble(t *testing.T, test func(t *testing.T, r *rig, dial func(path, role string) *phone, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		l := newPipes()
		stop := r.serveOn(t, l)
		synctest.Wait() // the first view is there
		dialer := websocket.Dialer{NetDial: func(_, _ string) (net.Conn, error) { return l.dial() }}
		dial := func(path, role string) *phone {
			t.Helper()
			conn, _, err := dialer.Dial("ws://layerd"+path, http.Header{"Authorization": {"Bearer " + role}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			return &phone{t: t, conn: conn}
		}
		test(t, r, dial, stop)
	})
}

func TestRevokedKeyEndsTheSockets(t *testing.T) {
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		for to, want := range map[access.Role]int{access.Nobody: closeRevoked, access.Viewer: closeChanged} {
			bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
				p := dial(path, "operator")
				began := time.Now()
				r.gate.set("operator", to)
				if got := p.closeCode(); got != want || time.Since(began) > recheckEvery {
					t.Errorf("%s as %s: got code %d after %v, want %d within a minute", path, to, got, time.Since(began), want)
				}
			})
		}
	}
}

func TestSocketsEndWithTheServer(t *testing.T) {
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, stop func()) {
			p := dial(path, "viewer")
			ended := make(chan int, 1)
			go func() { ended <- p.closeCode() }()
			synctest.Wait()
			stop() // waits for Serve and Run
			if got := <-ended; got != websocket.CloseGoingAway {
				t.Errorf("%s: got code %d, want %d", path, got, websocket.CloseGoingAway)
			}
		})
	}
}

// A phone that vanished without a word is let go, and holds no slot.
func TestSilentPhoneIsLetGo(t *testing.T) {
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
			p := dial(path, "viewer")
			_ = p // never reads, and so never answers a ping
			synctest.Wait()
			if len(r.liveSockets)+len(r.cameraSockets) != 1 {
				t.Fatal("the socket is not counted")
			}
			time.Sleep(quietMax + writeMax)
			synctest.Wait()
			if n := len(r.liveSockets) + len(r.cameraSockets); n != 0 {
				t.Errorf("%s: %d sockets are still held", path, n)
			}
		})
	}
}

func TestFloodWithoutReadingIsLetGo(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		var err error
		for i := 0; i < 10_000 && err == nil; i++ {
			err = p.conn.WriteMessage(websocket.TextMessage, []byte(`{"beat":1}`))
		}
		if err == nil {
			t.Error("10000 messages were taken from a client that reads nothing")
		}
	})
}

func TestLongMessageEndsTheSocket(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		go p.conn.WriteMessage(websocket.TextMessage, []byte(`{"do":"`+strings.Repeat("x", maxCommand)+`"}`))
		if code := p.closeCode(); code != websocket.CloseMessageTooBig {
			t.Errorf("got code %d, want %d", code, websocket.CloseMessageTooBig)
		}
	})
}

// A viewer's 60 kB over the wire must not become 60 MB here.
func TestLongMessageThatComesShort(t *testing.T) {
	host := newRig(t).listen(t)
	conn, _, err := (&websocket.Dialer{EnableCompression: true}).Dial("ws://"+host+"/v1/live", http.Header{"Authorization": {"Bearer viewer"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &phone{t: t, conn: conn}
	p.say(`{"beat":1}` + strings.Repeat(" ", 4*maxCommand))
	for {
		var m anything
		err := conn.ReadJSON(&m)
		if err == nil && m.Echo == "" {
			continue
		}
		if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
			t.Errorf("got %+v and %v, want close code %d", m, err, websocket.CloseMessageTooBig)
		}
		return
	}
}

func TestWhoMayOpenASocket(t *testing.T) {
	host := newRig(t).listen(t)
	cookie := access.CookieName + "=viewer"
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		for name, c := range map[string]struct {
			header http.Header
			want   int
		}{
			"our page":                   {http.Header{"Cookie": {cookie}, "Origin": {"http://" + host}}, 101},
			"another site":               {http.Header{"Cookie": {cookie}, "Origin": {"http://evil.example"}}, 403},
			"another site with our name": {http.Header{"Cookie": {cookie}, "Origin": {"http://" + host + ".evil.example"}}, 403},
			"a sandboxed frame":          {http.Header{"Cookie": {cookie}, "Origin": {"null"}}, 403},
			"a cookie without an origin": {http.Header{"Cookie": {cookie}}, 403},
			"a program":                  {http.Header{"Authorization": {"Bearer viewer"}}, 101},
			"a program from elsewhere":   {http.Header{"Authorization": {"Bearer viewer"}, "Origin": {"http://evil.example"}}, 403},
			"nobody":                     {http.Header{"Origin": {"http://" + host}}, 401},
			"a wrong key":                {http.Header{"Authorization": {"Bearer wrong"}}, 401},
		} {
			conn, answer, err := websocket.DefaultDialer.Dial("ws://"+host+path, c.header)
			if answer == nil {
				t.Fatalf("%s: %v", name, err)
			}
			if answer.StatusCode != c.want {
				t.Errorf("%s on %s: got %d, want %d", name, path, answer.StatusCode, c.want)
			}
			if conn != nil {
				conn.Close()
			}
		}
	}
}

func TestSocketsAreBounded(t *testing.T) {
	r := newRig(t)
	for range cap(r.liveSockets) {
		r.liveSockets <- struct{}{}
	}
	host := r.listen(t)
	_, answer, _ := websocket.DefaultDialer.Dial("ws://"+host+"/v1/live", http.Header{"Authorization": {"Bearer viewer"}})
	if answer == nil || answer.StatusCode != 503 {
		t.Errorf("got %v, want 503", answer)
	}
}
