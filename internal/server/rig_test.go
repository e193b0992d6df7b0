package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"layerd/internal/latest"
	"layerd/internal/power"
	"layerd/printer"
)

// rig is a Server with fakes around it.
type rig struct {
	*Server
	printer *fakePrinter
	console fakeConsole
	files   *fakeFiles
	gate    *fakeGate
	people  *fakePeople
	cameras *fakeCameras
	temps   *fakeTemperatures
	shelf   *fakeShelf
	queue   *fakeQueue
	films   *fakeTimelapses
	overlay *fakeOverlay
	guard   *fakeGuard
	machine *fakeMachine
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	r := &rig{printer: newFakePrinter(), console: fakeConsole{latest.New[[]printer.Entry](nil)}, files: newFakeFiles(t), gate: newFakeGate(), people: &fakePeople{}, cameras: newFakeCameras(), temps: &fakeTemperatures{}, shelf: newFakeShelf(), queue: newFakeQueue(), films: newFakeTimelapses(), overlay: newFakeOverlay(), guard: newFakeGuard(), machine: &fakeMachine{}}
	cfg := Config{Custom: exampleCustom(), Printer: r.printer, Console: r.console, Files: r.files, History: r.files, Spools: r.shelf, Queue: r.queue, Gate: r.gate, People: r.people, Cameras: r.cameras, Temperatures: r.temps, Timelapses: r.films, Guard: r.guard, Machine: r.machine, Backups: &fakeBackups{}, Overlay: r.overlay, Renewer: &fakeRenewer{waits: latest.New(false), comes: true}, Zone: time.UTC, Version: "test",
		Ports: func() ([]printer.PortInfo, error) { return []printer.PortInfo{{Path: "/dev/ttyUSB0"}}, nil },
		Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "assets/app-1234.js": {Data: bytes.Repeat([]byte("let a = 1;\n"), 500)},
			"favicon.svg": {Data: []byte("<svg/>")}, "assets/.hidden": {Data: []byte("no")}}}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.Power == nil {
		cfg.Power = power.New(power.Config{Printer: r.printer, Power: examplePower(), Lamp: cfg.Custom.Lamp})
	}
	r.Server = New(cfg)
	return r
}

// do gives one request to the server, without a network. role "" shows no key.
func (r *rig) do(method, target, role string, body io.Reader, change ...func(*http.Request)) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, body)
	if role != "" {
		q.Header.Set("Authorization", "Bearer "+role)
	}
	for _, f := range change {
		f(q)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

// command sends a command over HTTP.
func (r *rig) command(t testing.TB, role, text string) (int, Answer) {
	t.Helper()
	w := r.do("POST", "/v1/do", role, strings.NewReader(text))
	var a Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s: the answer %q is no JSON: %v", text, w.Body, err)
	}
	return w.Code, a
}

// errorCode is the code in the body of a failed request.
func errorCode(t testing.TB, body []byte) string {
	t.Helper()
	var e ErrorAnswer
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%q is no JSON: %v", body, err)
	}
	return e.Error.Code
}

// listen answers on a real port, with Run, until the test ends.
func (r *rig) listen(t testing.TB) (host string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.serveOn(t, l)
	return l.Addr().String()
}

func (r *rig) serveOn(t testing.TB, l net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	running.Go(func() {
		if err := r.Serve(ctx, l); err != nil {
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
func (p *pipes) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
