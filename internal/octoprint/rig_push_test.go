package octoprint

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/internal/server"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// stage is a real Server on a real store, with this API and small fakes of the rest: what a test says is what the printer does.
type stage struct {
	*server.Server
	api     *API
	store   *store.Store
	snaps   *printer.Snapshots
	console quietConsole
	gate    *roleGate
	temps   *recentTemps
	films   *latest.Value[*timelapse.List]
}

func newStage(t testing.TB) *stage {
	files, err := store.Open(t.TempDir(), store.Limits{MaxFileBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	g := &stage{store: files, console: quietConsole{latest.New[[]printer.Entry](nil)}, gate: newRoleGate(), temps: &recentTemps{},
		snaps: latest.New(&printer.Snapshot{Rev: 1, State: printer.Idle, Profile: printer.Presets()[0], Connection: printer.Connection{Port: "/dev/ttyUSB0", Baud: 115200}}),
		films: latest.New(&timelapse.List{Settings: timelapse.UsualSettings()})}
	g.Server = server.New(server.Config{Printer: stillPrinter{snaps: g.snaps}, Console: g.console, Files: files, Queue: files, People: files, Spools: noSpools{}, Gate: g.gate,
		Cameras: noCameras{}, Overlay: noOverlay{}, Temperatures: g.temps, Timelapses: noFilms{list: g.films}, Zone: time.UTC, Version: "test",
		Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}})
	g.api = New(g.Server)
	g.Mount(g.api)
	return g
}

// change publishes a changed snapshot.
func (g *stage) change(f func(*printer.Snapshot)) {
	old, _ := g.snaps.Get()
	snap := *old
	snap.Rev++
	f(&snap)
	g.snaps.Set(&snap)
}

// put keeps a file.
func (g *stage) put(t testing.TB, name, content string) store.File {
	t.Helper()
	file, _, err := g.Put(t.Context(), name, strings.NewReader(content), int64(len(content)), true)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// state is what an owner would be shown.
func (g *stage) state() server.State { return g.State(access.Identity{Role: access.Owner}) }

// listen answers on a real port, with Run, until the test ends.
func (g *stage) listen(t testing.TB) (host string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.serve(t, l)
	return l.Addr().String()
}

func (g *stage) serve(t testing.TB, l net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	running.Go(func() {
		if err := g.Serve(ctx, l); err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

// pipes is a listener in memory, whose connections obey fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// do gives one request to the server, without a network.
func (g *stage) do(method, target, key, body string) *httptest.ResponseRecorder {
	if key == "" {
		return g.doWith(method, target, body)
	}
	return g.doWith(method, target, body, "X-Api-Key", key)
}

// doWith is do with headers, in pairs.
func (g *stage) doWith(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, q)
	return w
}

// roleGate lets in who shows the name of a role, or the cookie of one, until it is taken back.
type roleGate struct {
	server.Gate
	mu      sync.Mutex // guards what follows
	gone    map[string]bool
	changed chan struct{}
}

func newRoleGate() *roleGate {
	return &roleGate{gone: map[string]bool{}, changed: make(chan struct{})}
}

func (g *roleGate) Identify(r *http.Request) (access.Identity, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, key, bearer := strings.Cut(r.Header.Get("Authorization"), " ")
	via := "bearer"
	if c, err := r.Cookie(access.CookieName); !bearer && err == nil {
		key, via = c.Value, "session"
	}
	role, err := access.ParseRole(key)
	if err != nil || g.gone[key] {
		return access.Identity{}, access.ErrDenied
	}
	return access.Identity{ID: "id-" + key, Name: key, Role: role, Via: via}, nil
}

// Source is the only address there is, unless a test says otherwise.
func (g *roleGate) Source(r *http.Request) string { return r.Header.Get("From") }

func (g *roleGate) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

func (g *roleGate) revoke(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone[key] = true
	close(g.changed)
	g.changed = make(chan struct{})
}

// stillPrinter does nothing by itself.
type stillPrinter struct {
	server.Printer
	snaps *printer.Snapshots
}

func (p stillPrinter) Snapshots() *printer.Snapshots { return p.snaps }

// quietConsole holds what a test says.
type quietConsole struct {
	lines *latest.Value[[]printer.Entry]
}

func (c quietConsole) say(dir, text string) {
	old, _ := c.lines.Get()
	c.lines.Set(append(old[:len(old):len(old)], printer.Entry{Seq: uint64(len(old) + 1), AtMS: 1, Dir: dir, Text: text}))
}

func (c quietConsole) Since(ctx context.Context, seq uint64, max int) ([]printer.Entry, error) {
	for n := uint64(0); ; {
		lines, now, err := c.lines.Next(ctx, n)
		if err != nil {
			return nil, err
		}
		if uint64(len(lines)) > seq {
			lines = lines[seq:]
			return lines[:min(len(lines), max)], nil
		}
		n = now
	}
}

// recentTemps answers with what a test says.
type recentTemps struct {
	mu     sync.Mutex // guards recent
	recent thermo.Recent
}

func (r *recentTemps) Since(int64) thermo.Recent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recent
}
func (r *recentTemps) Curve(string) (store.Curve, bool) { return store.Curve{}, false }

type noSpools struct{}

func (noSpools) List(context.Context) (spools.List, error)            { return spools.List{}, nil }
func (noSpools) Save(context.Context, store.SpoolEdit) (int64, error) { return 0, store.ErrNotFound }
func (noSpools) PutOn(context.Context, int, int64) error              { return store.ErrNotFound }
func (noSpools) Changed() <-chan struct{}                             { return nil }

type noCameras struct{ server.Cameras }

func (noCameras) Status() *latest.Value[[]camera.Status] { return latest.New([]camera.Status{}) }

type noOverlay struct{ server.Overlay }

func (noOverlay) Statuses() *overlay.Statuses {
	return latest.New(overlay.Status{Kind: overlay.None, State: overlay.Off})
}

type noFilms struct {
	server.Timelapses
	list *latest.Value[*timelapse.List]
}

func (f noFilms) List() *latest.Value[*timelapse.List] { return f.list }
