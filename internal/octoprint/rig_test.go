package octoprint

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/discovery"
	"layerd/internal/guard"
	"layerd/internal/history"
	"layerd/internal/overlay"
	"layerd/internal/people"
	"layerd/internal/power"
	"layerd/internal/server"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/internal/timelapse"
	"layerd/printer"
	"layerd/printer/printertest"
)

// rig is a layerd around a pretend printer, all of it but its own network: what is asked over real HTTP is done by the real parts.
type rig struct {
	t       *testing.T
	store   *store.Store
	printer *printer.Printer
	server  *server.Server
	sim     *printertest.Sim
	url     string
	keys    map[access.Role]string
}

const uuid = "6c8c4b1e-0d3f-4c4e-8c1f-2d1a3b4c5d6e"

// newRig is a printer that moves and heats so many times faster than real, with a card, and a camera.
func newRig(t *testing.T, faster float64) *rig {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	r := &rig{t: t, keys: map[access.Role]string{}}
	dir := t.TempDir()
	var err error
	r.store, err = store.Open(dir, store.Limits{MinFreeBytes: 1})
	must(err)
	r.sim, err = printertest.New(printertest.Config{Speed: faster, Heat: faster * 5, KeepExecuted: true, Card: []printertest.CardFile{{Path: "CUBE20~1.GCO", Long: "cube 20.gcode", Text: "G28\nG1 X5 Y5 F3000\n"}, {Path: "LONG.GCO", Text: part(300)}}})
	must(err)
	profile, log := printer.Presets()[0], slog.New(slog.DiscardHandler)
	list := func() ([]printer.PortInfo, error) { return []printer.PortInfo{{Path: "/dev/sim", Name: "sim"}}, nil }
	r.printer = printer.New(printer.Config{Open: func(context.Context, string, int) (printer.Port, error) { return r.sim.Open(), nil }, List: list, Port: "/dev/sim", Baud: 115200,
		Profile: profile, Cooling: printer.UsualCooling(), Log: log})
	cams := camera.NewRig(camera.RigConfig{Setups: []camera.Setup{{Settings: camera.Settings{Device: "simulated"}}}, Config: camera.Config{Find: func() ([]camera.Device, error) { return nil, nil },
		Simulated: func(s camera.Settings) camera.Source {
			return camera.NewSimulated(func() camera.Scene { return camera.Scene{WidthMM: 220, DepthMM: 220, HeightMM: 250, Clock: time.Now()} }, s.FPS, s.Width, s.Height)
		}}})
	hist := history.New(r.printer, r.store, func() ([]byte, time.Time) { return nil, time.Time{} }, log)
	temps := thermo.New(r.printer, r.store, log)
	shelf, err := spools.New(t.Context(), r.store, nil, log)
	must(err)
	films, err := timelapse.New(timelapse.Config{Dir: filepath.Join(dir, "timelapse"), Printer: r.printer, Settings: timelapse.UsualSettings(), Camera: func(int) timelapse.Camera { return nil }})
	must(err)
	away := overlay.NewSwitch(overlay.Settings{Kind: overlay.None}, "", nil, log)
	gate := access.NewGate(access.Config{Book: people.Book{Store: r.store}})
	custom, err := server.ReadCustom(t.Context(), r.store)
	must(err)
	custom.Shelf = printer.NewShelf(profile)
	board := power.New(power.Config{Printer: r.printer, Power: power.UsualSettings()})
	r.server = server.New(server.Config{Printer: r.printer, Console: r.printer.Console(), Files: r.store, History: hist, Spools: shelf, Queue: r.store, Gate: gate, People: r.store, Host: "test",
		Cameras: cams, Overlay: away, Temperatures: temps, Timelapses: films, Guard: guard.New(guard.Config{Printer: r.printer, Settings: guard.UsualSettings()}), Power: board, Page: fstest.MapFS{"index.html": {Data: []byte("page")}}, Ports: list, Version: "test", Custom: custom})
	api := New(r.server)
	api.UUID = uuid
	api.Description = discovery.Config{Host: "test", UUID: uuid, Version: emulated}.Description
	r.server.Mount(api, api.Rest())
	for role := access.Viewer; role <= access.Owner; role++ {
		if r.keys[role], _, err = r.store.CreateToken(t.Context(), store.Token{Name: role.String(), Role: role.String()}); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	r.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{r.sim.Run, r.printer.Run, cams.Run, hist.Run, temps.Run, shelf.Run, films.Run, away.Run, r.server.Run,
		func(ctx context.Context) error { return r.server.Serve(ctx, listener) }} {
		all.Go(func() { run(ctx) })
	}
	t.Cleanup(func() { stop(); all.Wait(); r.store.Close() })
	r.becomes(printer.Idle)
	return r
}

// until waits for a snapshot that is as wanted.
func (r *rig) until(what string, ok func(*printer.Snapshot) bool) *printer.Snapshot {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	for seen := uint64(0); ; {
		snap, seq, err := r.printer.Snapshots().Next(ctx, seen)
		if err != nil {
			r.t.Fatalf("no %s: %v", what, err)
		}
		if snap != nil && ok(snap) {
			return snap
		}
		seen = seq
	}
}

func (r *rig) becomes(state printer.State) *printer.Snapshot {
	r.t.Helper()
	return r.until(state.String(), func(s *printer.Snapshot) bool { return s.State == state })
}

// reply is what came back.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   []byte
}

// send sends a request as somebody; Nobody shows no key.
func (r *rig) send(role access.Role, method, path, kind string, body io.Reader, change ...func(*http.Request)) reply {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	if key := r.keys[role]; key != "" {
		q.Header.Set("X-Api-Key", key)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	for _, f := range change {
		f(q)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(q)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{r.t, method + " " + path, response.StatusCode, response.Header, text}
}

func (r *rig) get(path string) reply {
	r.t.Helper()
	return r.send(access.Owner, "GET", path, "", nil)
}

func (r *rig) post(path, text string) reply {
	r.t.Helper()
	a := r.send(access.Owner, "POST", path, "application/json", strings.NewReader(text))
	a.what += " " + text
	return a
}

// upload sends a form of parts in their order; "file=NAME" has a file with that text.
func (r *rig) upload(role access.Role, text string, parts ...string) reply {
	r.t.Helper()
	body, kind := formWith(text, parts...)
	return r.send(role, "POST", "/api/files/local", kind, body)
}

func formWith(text string, parts ...string) (body *bytes.Buffer, kind string) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	for _, part := range parts {
		key, value, _ := strings.Cut(part, "=")
		if key != "file" {
			form.WriteField(key, value)
			continue
		}
		w, _ := form.CreateFormFile(key, value)
		io.WriteString(w, text)
	}
	form.Close()
	return body, form.FormDataContentType()
}

// is checks the status.
func (a reply) is(status int) reply {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: got %d %s, want %d", a.what, a.status, a.body, status)
	}
	return a
}

// refused checks the status, and that the error is one text.
func (a reply) refused(status int) reply {
	a.t.Helper()
	var e map[string]string
	if err := json.Unmarshal(a.body, &e); err != nil || len(e) != 1 || e["error"] == "" {
		a.t.Errorf("%s: got %d %s, want an error", a.what, a.status, a.body)
	}
	return a.is(status)
}

// at is the value at a path such as "files.0.name"; keys that hold a dot cannot be asked for.
func (a reply) at(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("%s: %q is no JSON: %v", a.what, a.body, err)
	}
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, there := at[key]
			if !there {
				return "(missing)"
			}
			v = next
		case []any:
			n := 0
			if _, err := fmt.Sscan(key, &n); err != nil || n >= len(at) {
				return "(missing)"
			}
			v = at[n]
		default:
			return "(missing)"
		}
	}
	return v
}

// has checks values by their paths: texts, numbers as float64, nil.
func (a reply) has(want map[string]any) reply {
	a.t.Helper()
	for path, value := range want {
		if n, ok := value.(int); ok {
			value = float64(n)
		}
		if got := a.at(path); got != value {
			a.t.Errorf("%s: %s is %#v, want %#v", a.what, path, got, value)
		}
	}
	return a
}

// part is a print of n layers, each of which takes three seconds in reality.
func part(n int) string {
	var b strings.Builder
	b.WriteString("; generated by PrusaSlicer 2.5.0 on 2026-01-01\nG28\nM83\n")
	for i := range n {
		fmt.Fprintf(&b, ";LAYER_CHANGE\n;Z:%.1f\nG1 Z%.1f F600\nG1 X10 Y10 F1200\nG1 X30 Y10 E1\nG1 X30 Y30 E1\nG1 X10 Y30 E1\n", float64(i+1)/5, float64(i+1)/5)
	}
	return b.String()
}

type storePrint = store.Print

// withPicture is a part with a picture in it.
func withPicture() string {
	var picture bytes.Buffer
	png.Encode(&picture, image.NewGray(image.Rect(0, 0, 16, 16)))
	text := base64.StdEncoding.EncodeToString(picture.Bytes())
	return fmt.Sprintf("; generated by PrusaSlicer 2.5.0 on 2026-01-01\n; thumbnail begin 16x16 %d\n; %s\n; thumbnail end\n", len(text), text) + part(1)
}
