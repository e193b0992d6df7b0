// Package servertest has a Server to try APIs on: it and its store are real, and small fakes of the rest do and say what a test wants.
package servertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/internal/power"
	"layerd/internal/server"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// Stage is a Server without an API, and what stands behind it: what a test says is what the printer does. Keys are the names of roles.
type Stage struct {
	*server.Server
	Store   *store.Store
	Snaps   *printer.Snapshots
	Cameras *latest.Value[[]camera.Status]
	Console Console
	Gate    *Gate
	Temps   *Temps
	Printer *Printer
	Films   *latest.Value[*timelapse.List]
	Power   *power.Board
}

// New returns a Stage whose printer is idle. change changes what its Server is made of.
func New(t testing.TB, change ...func(*server.Config)) *Stage {
	files, err := store.Open(t.TempDir(), store.Limits{MaxFileBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	g := &Stage{Store: files, Console: Console{latest.New[[]printer.Entry](nil)}, Gate: newGate(), Temps: &Temps{}, Printer: &Printer{}, Cameras: latest.New([]camera.Status{}),
		Snaps: latest.New(&printer.Snapshot{Rev: 1, State: printer.Idle, Profile: printer.Presets()[0], Connection: printer.Connection{Port: "/dev/ttyUSB0", Baud: 115200}}),
		Films: latest.New(&timelapse.List{Settings: timelapse.UsualSettings()})}
	g.Printer.snaps = g.Snaps
	g.Power = power.New(power.Config{Printer: g.Printer, Power: power.UsualSettings()})
	cfg := server.Config{Printer: g.Printer, Console: g.Console, Files: files, Queue: files, People: files, Spools: noSpools{}, Gate: g.Gate,
		Cameras: cameras{status: g.Cameras}, Overlay: noOverlay{}, Temperatures: g.Temps, Timelapses: noFilms{list: g.Films}, Guard: noGuard{}, Power: g.Power, Zone: time.UTC, Version: "test",
		Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}}
	for _, f := range change {
		f(&cfg)
	}
	g.Server = server.New(cfg)
	return g
}

// Change publishes a changed snapshot.
func (g *Stage) Change(f func(*printer.Snapshot)) {
	old, _ := g.Snaps.Get()
	snap := *old
	snap.Rev++
	f(&snap)
	g.Snaps.Set(&snap)
}

// Keep keeps a file.
func (g *Stage) Keep(t testing.TB, name, content string) store.File {
	t.Helper()
	file, _, err := g.Put(t.Context(), name, strings.NewReader(content), int64(len(content)), true)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Shown is what an owner would be shown.
func (g *Stage) Shown() server.State { return g.State(access.Identity{Role: access.Owner}) }

// Listen answers on a real port, with Run, until the test ends.
func (g *Stage) Listen(t testing.TB) (host string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.ServeOn(t, l)
	return l.Addr().String()
}

// ServeOn answers on l, with Run, until the test ends or stop is called.
func (g *Stage) ServeOn(t testing.TB, l net.Listener) (stop func()) {
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

// Pipes is a listener in memory, whose connections obey fake time.
type Pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewPipes returns a listener that nobody is connected to.
func NewPipes() *Pipes { return &Pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *Pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *Pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// Dial is for DialContext of clients.
func (p *Pipes) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Ask gives one request to the server, without a network.
func (g *Stage) Ask(method, target, key, body string) *httptest.ResponseRecorder {
	if key == "" {
		return g.AskWith(method, target, body)
	}
	return g.AskWith(method, target, body, "X-Api-Key", key)
}

// AskWith is Ask with headers, in pairs.
func (g *Stage) AskWith(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, q)
	return w
}

// Gate lets in who shows the name of a role, or the cookie of one, until it is taken back.
type Gate struct {
	server.Gate
	mu      sync.Mutex // guards what follows
	gone    map[string]bool
	changed chan struct{}
}

func newGate() *Gate {
	return &Gate{gone: map[string]bool{}, changed: make(chan struct{})}
}

func (g *Gate) Identify(r *http.Request) (access.Identity, error) {
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
	return access.Identity{ID: "id-" + key, Name: key, Role: role, Via: via, Confirmed: via == "bearer"}, nil
}

// ViewTicket is as good as the Gate's, for who only compares.
func (g *Gate) ViewTicket(me access.Identity) string { return "ticket-" + me.ID }

// DigestChallenge names nothing that could be answered; IdentifyDigest takes the name of a role as user, whatever else is there.
func (g *Gate) DigestChallenge(stale bool) string {
	return "Digest realm=\"test\", stale=" + strconv.FormatBool(stale)
}

func (g *Gate) IdentifyDigest(r *http.Request) (access.Identity, error) {
	_, user, _ := strings.Cut(r.Header.Get("Authorization"), `username="`)
	user, _, _ = strings.Cut(user, `"`)
	role, err := access.ParseRole(user)
	if err != nil {
		return access.Identity{}, access.ErrDenied
	}
	return access.Identity{ID: "id-" + user, Name: user, Role: role, Via: "bearer"}, nil
}

// Secure is false: nobody came by TLS.
func (g *Gate) Secure(*http.Request) bool { return false }

// Source is the only address there is, unless a test says otherwise.
func (g *Gate) Source(r *http.Request) string { return r.Header.Get("From") }

func (g *Gate) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

// Revoke takes a key back.
func (g *Gate) Revoke(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone[key] = true
	close(g.changed)
	g.changed = make(chan struct{})
}

// Printer does nothing by itself, and notes what it was told.
type Printer struct {
	server.Printer
	snaps *printer.Snapshots
	mu    sync.Mutex // guards told
	told  []string
}

// Snapshots are the Stage's.
func (p *Printer) Snapshots() *printer.Snapshots { return p.snaps }

// Told is what it was told since it was asked last.
func (p *Printer) Told() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, p.told = p.told, nil
	return all
}

func (p *Printer) note(what string) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, strings.TrimSpace(what))
	return 1, nil
}

func (p *Printer) SkipObject(_ context.Context, job string, object int, skip bool) (uint64, error) {
	return p.note(fmt.Sprint("skip object ", job, " ", object, " ", skip))
}

func (p *Printer) Pause(_ context.Context, job string) (uint64, error) { return p.note("pause " + job) }
func (p *Printer) Resume(_ context.Context, job string) (uint64, error) {
	return p.note("resume " + job)
}
func (p *Printer) ResumeAsItIs(_ context.Context, job string) (uint64, error) {
	return p.note("resume as it is " + job)
}
func (p *Printer) Cancel(_ context.Context, job string) (uint64, error) {
	return p.note("cancel " + job)
}
func (p *Printer) Send(_ context.Context, lines ...string) (uint64, error) {
	return p.note("send " + strings.Join(lines, "|"))
}
func (p *Printer) Connect(_ context.Context, path string, _ int) (uint64, error) {
	return p.note("connect " + path)
}
func (p *Printer) Disconnect(context.Context) (uint64, error)    { return p.note("disconnect") }
func (p *Printer) Redial(context.Context) (uint64, error)        { return p.note("redial") }
func (p *Printer) EmergencyStop(context.Context) (uint64, error) { return p.note("emergency stop") }

// Console holds what a test says.
type Console struct {
	Lines *latest.Value[[]printer.Entry]
}

// Say adds a line.
func (c Console) Say(dir, text string) {
	old, _ := c.Lines.Get()
	c.Lines.Set(append(old[:len(old):len(old)], printer.Entry{Seq: uint64(len(old) + 1), AtMS: 1, Dir: dir, Text: text}))
}

func (c Console) Since(ctx context.Context, seq uint64, max int) ([]printer.Entry, error) {
	for n := uint64(0); ; {
		lines, now, err := c.Lines.Next(ctx, n)
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

// Temps answers with what a test says.
type Temps struct {
	mu     sync.Mutex // guards recent
	recent thermo.Recent
}

// Set says what was measured.
func (r *Temps) Set(recent thermo.Recent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent = recent
}

func (r *Temps) Since(int64) thermo.Recent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recent
}
func (r *Temps) Curve(string) (store.Curve, bool) { return store.Curve{}, false }

type noSpools struct{}

func (noSpools) List(context.Context) (spools.List, error)            { return spools.List{}, nil }
func (noSpools) Save(context.Context, store.SpoolEdit) (int64, error) { return 0, store.ErrNotFound }
func (noSpools) PutOn(context.Context, int, int64) error              { return store.ErrNotFound }
func (noSpools) Changed() <-chan struct{}                             { return nil }

type cameras struct {
	server.Cameras
	status *latest.Value[[]camera.Status]
}

func (c cameras) Status() *latest.Value[[]camera.Status] { return c.status }

type noOverlay struct{ server.Overlay }

func (noOverlay) Statuses() *overlay.Statuses {
	return latest.New(overlay.Status{Kind: overlay.None, State: overlay.Off})
}

type noFilms struct {
	server.Timelapses
	list *latest.Value[*timelapse.List]
}

func (f noFilms) List() *latest.Value[*timelapse.List] { return f.list }

// noGuard is one that nobody has set up.
type noGuard struct{ server.Guard }

func (noGuard) States() *latest.Value[*guard.State] {
	return latest.New(&guard.State{Mode: printer.WatchOff, Settings: guard.UsualSettings(), Layers: []guard.Layer{}})
}
func (noGuard) Arrange(_ context.Context, order guard.Order) (printer.Shots, printer.Watch, error) {
	return order.Film, printer.Watch{Mode: printer.WatchOff}, nil
}
