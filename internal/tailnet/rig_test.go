package tailnet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/internal/tailnet/tailnettest"
)

func TestMain(m *testing.M) {
	tailnettest.Isolate()
	os.Exit(run(m))
}

// run has the process trust an authority of our own, which it must know before it looks at its first certificate.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "authority")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	os.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.crt"))
	if err := writeCertificate(dir); err != nil {
		panic(err)
	}
	return m.Run()
}

// limit is when a test gives up; nothing is measured by it.
const limit = 60 * time.Second

func patient(t *testing.T) context.Context {
	ctx, end := context.WithTimeout(t.Context(), limit)
	t.Cleanup(end)
	return ctx
}

func control(t *testing.T) *tailnettest.Control {
	t.Helper()
	c, err := tailnettest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// daemon is a Node that runs, with a small page.
type daemon struct {
	*Node
	t        *testing.T
	dir      string
	statuses *overlay.Statuses
	stop     func()

	mu       sync.Mutex // guards enrolled
	enrolled int        // how often a key had done its work
}

func start(t *testing.T, c *tailnettest.Control, dir string, change func(*Config)) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: dir, statuses: latest.New(overlay.Status{})}
	cfg := Config{
		Dir: dir, Settings: overlay.TailnetSettings{Name: "voron", ControlURL: c.URL}, Serve: page,
		Report: func(s overlay.Status) { d.statuses.Set(s) }, Enrolled: func() { d.mu.Lock(); d.enrolled++; d.mu.Unlock() },
		Self: func() overlay.Neighbour {
			return overlay.Neighbour{State: "printing", Job: "benchy.gcode", Percent: 42, LeftS: 60, Picture: true}
		},
		Picture: func() []byte { return picture(t) },
	}
	if change != nil {
		change(&cfg)
	}
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Node = n
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	d.stop = sync.OnceFunc(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(d.stop)
	return d
}

func picture(t *testing.T) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Error(err)
	}
	return b.Bytes()
}

// page says who calls, and /ws echoes.
func page(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c := access.ConnOf(r.Context())
		if inner, ok := c.(interface{ NetConn() net.Conn }); ok {
			c = inner.NetConn()
		}
		who, err := c.(access.Introducer).Caller(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(who)
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for {
			kind, said, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, said) != nil {
				return
			}
		}
	})
	srv := &http.Server{Handler: mux, ConnContext: access.WithConn}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// until waits for a status.
func (d *daemon) until(what string, ok func(overlay.Status) bool) overlay.Status {
	d.t.Helper()
	ctx := patient(d.t)
	for {
		s, seq := d.statuses.Get()
		if ok(s) {
			return s
		}
		if _, _, err := d.statuses.Next(ctx, seq); err != nil {
			d.t.Fatalf("got %+v, want %s", s, what)
		}
	}
}

func is(state overlay.State) func(overlay.Status) bool {
	return func(s overlay.Status) bool { return s.State == state && (state != overlay.Login || s.LoginURL != "") }
}

// phone is a node of somebody.
type phone struct {
	http.Client
	dial  func(context.Context, string, string) (net.Conn, error)
	login string
}

func join(t *testing.T, c *tailnettest.Control, name string, tags ...string) *phone {
	t.Helper()
	node, login, err := c.Join(patient(t), t.TempDir(), name, tags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	tr := &http.Transport{DialContext: node.Dial}
	t.Cleanup(tr.CloseIdleConnections)
	return &phone{http.Client{Transport: tr}, node.Dial, login}
}

// get tries until the page is reached: nodes hear of each other a moment after they joined.
func (p *phone) get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	ctx := patient(t)
	for {
		one, end := context.WithTimeout(ctx, 3*time.Second)
		req, err := http.NewRequestWithContext(one, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := p.Do(req)
		if err == nil {
			body, readErr := io.ReadAll(resp.Body)
			resp.Body.Close()
			end()
			if readErr != nil {
				t.Fatal(readErr)
			}
			return resp.StatusCode, body
		}
		end()
		if ctx.Err() != nil {
			t.Fatalf("get %s: %v", url, err)
		}
	}
}

func (p *phone) caller(t *testing.T, url string) (who access.Caller) {
	t.Helper()
	code, body := p.get(t, url)
	var got struct {
		Login, Name, Device, Role string
		Guest                     bool
	}
	if err := json.Unmarshal(body, &got); err != nil || code != http.StatusOK {
		t.Fatalf("got %d %s", code, body)
	}
	role, _ := access.ParseRole(got.Role)
	return access.Caller{Login: got.Login, Name: got.Name, Device: got.Device, Role: role, Guest: got.Guest}
}

// known waits until the phone's caller is as wanted. Each look takes a new connection, since one knows its caller for a minute, and there are few of
// them: the library's network stack remembers each for a while, and with more than its queue holds it does not close any more.
func (p *phone) known(t *testing.T, url, as string, ok func(access.Caller) bool) {
	t.Helper()
	ctx := patient(t)
	for look := time.NewTicker(200 * time.Millisecond); !ok(p.caller(t, url)); p.CloseIdleConnections() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("the phone was never known as %s", as)
		}
	}
}

func byIP(s overlay.Status) string {
	i := slices.IndexFunc(s.Addresses, func(a string) bool { return net.ParseIP(a).To4() != nil })
	return "http://" + s.Addresses[i] + "/"
}
