package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"layerd/gcode"
	"layerd/internal/latest"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/printer"
)

// fakePrinter writes down what it is asked, and takes effect at once.
type fakePrinter struct {
	snaps *printer.Snapshots

	mu      sync.Mutex // guards what follows
	calls   []string
	fail    error                    // returned by every command
	hold    map[string]chan struct{} // commands, by first word, that wait until theirs is closed
	src     io.ReadCloser            // of the last Start
	started printer.JobInfo          // the same
	card    printer.CardList

	answers map[string]string // to queries
}

func newFakePrinter() *fakePrinter {
	return &fakePrinter{snaps: latest.New(&printer.Snapshot{Rev: 1, State: printer.Idle, Profile: printer.Presets()[0], Connection: printer.Connection{Dialect: "marlin"}}),
		hold: map[string]chan struct{}{}, answers: map[string]string{"M503": someSettings, "M420 V": someMesh}}
}

// change publishes a changed snapshot, with the next revision.
func (p *fakePrinter) change(f func(*printer.Snapshot)) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, _ := p.snaps.Get()
	snap := *old
	snap.Rev++
	f(&snap)
	p.snaps.Set(&snap)
	return snap.Rev
}

func (p *fakePrinter) called() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func (p *fakePrinter) failWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

func (p *fakePrinter) holdUp(name string) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.hold[name] = held
	return sync.OnceFunc(func() { close(held) })
}

func (p *fakePrinter) call(ctx context.Context, name string, args ...any) (uint64, error) {
	p.mu.Lock()
	p.calls = append(p.calls, strings.TrimSpace(name+" "+strings.TrimSuffix(fmt.Sprintln(args...), "\n")))
	held, fail := p.hold[name], p.fail
	p.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if fail != nil {
		return 0, fail
	}
	return p.change(func(*printer.Snapshot) {}), nil
}

func (p *fakePrinter) Snapshots() *printer.Snapshots { return p.snaps }
func (p *fakePrinter) Connect(ctx context.Context, path string, baud int) (uint64, error) {
	return p.call(ctx, "connect", path, baud)
}
func (p *fakePrinter) Disconnect(ctx context.Context) (uint64, error) {
	return p.call(ctx, "disconnect")
}
func (p *fakePrinter) Redial(ctx context.Context) (uint64, error) { return p.call(ctx, "redial") }
func (p *fakePrinter) Start(ctx context.Context, info printer.JobInfo, src io.ReadCloser) (uint64, error) {
	rev, err := p.call(ctx, "start", info.File, info.Name, info.By, info.Size)
	if err == nil {
		p.mu.Lock()
		p.src, p.started = src, info
		p.mu.Unlock()
		rev = p.change(func(s *printer.Snapshot) {
			s.State, s.Job = printer.Printing, &printer.JobStatus{ID: info.ID, File: info.File}
		})
	}
	return rev, err
}
func (p *fakePrinter) Pause(ctx context.Context, job string) (uint64, error) {
	return p.call(ctx, "pause", job)
}
func (p *fakePrinter) Resume(ctx context.Context, job string) (uint64, error) {
	return p.call(ctx, "resume", job)
}
func (p *fakePrinter) ResumeAsItIs(ctx context.Context, job string) (uint64, error) {
	return p.call(ctx, "resume as it is", job)
}
func (p *fakePrinter) Cancel(ctx context.Context, job string) (uint64, error) {
	return p.call(ctx, "cancel", job)
}
func (p *fakePrinter) SetStop(ctx context.Context, job string, at printer.StopAt) (uint64, error) {
	return p.call(ctx, "set_stop", job, at.Layer, at.ZMM, at.ThisLayer, at.Change, at.Note)
}
func (p *fakePrinter) RemoveStop(ctx context.Context, job string, layer int) (uint64, error) {
	return p.call(ctx, "remove_stop", job, layer)
}
func (p *fakePrinter) CheckNow(ctx context.Context, job, why string) (uint64, error) {
	return p.call(ctx, "guard_check", job, why)
}
func (p *fakePrinter) Rehome(ctx context.Context, job string) (uint64, error) {
	return p.call(ctx, "rehome", job)
}
func (p *fakePrinter) Answer(ctx context.Context, prompt int64, button int) (uint64, error) {
	return p.call(ctx, "answer", prompt, button)
}
func (p *fakePrinter) Send(ctx context.Context, lines ...string) (uint64, error) {
	return p.call(ctx, "send", strings.Join(lines, "|"))
}
func (p *fakePrinter) EmergencyStop(ctx context.Context) (uint64, error) {
	return p.call(ctx, "emergency_stop")
}
func (p *fakePrinter) Dismiss(ctx context.Context) (uint64, error) { return p.call(ctx, "dismiss") }
func (p *fakePrinter) Home(ctx context.Context, axes string) (uint64, error) {
	return p.call(ctx, "home", axes)
}
func (p *fakePrinter) Jog(ctx context.Context, axis byte, byMM float64) (uint64, error) {
	return p.call(ctx, "jog", string(axis), byMM)
}
func (p *fakePrinter) JogTo(ctx context.Context, axis byte, toMM float64) (uint64, error) {
	return p.call(ctx, "jog", string(axis), "to", toMM)
}
func (p *fakePrinter) ExtrudeAt(ctx context.Context, byMM, mmS float64) (uint64, error) {
	if mmS != 0 {
		return p.call(ctx, "extrude", byMM, "at", mmS)
	}
	return p.call(ctx, "extrude", byMM)
}
func (p *fakePrinter) SetNozzle(ctx context.Context, tool int, targetC float64) (uint64, error) {
	return p.call(ctx, "set_nozzle", tool, targetC)
}
func (p *fakePrinter) SetBed(ctx context.Context, targetC float64) (uint64, error) {
	return p.call(ctx, "set_bed", targetC)
}
func (p *fakePrinter) SetChamber(ctx context.Context, targetC float64) (uint64, error) {
	return p.call(ctx, "set_chamber", targetC)
}
func (p *fakePrinter) SetFan(ctx context.Context, percent float64) (uint64, error) {
	return p.call(ctx, "set_fan", percent)
}
func (p *fakePrinter) SetSpeed(ctx context.Context, percent float64) (uint64, error) {
	return p.call(ctx, "set_speed", percent)
}
func (p *fakePrinter) SetFlow(ctx context.Context, percent float64) (uint64, error) {
	return p.call(ctx, "set_flow", percent)
}
func (p *fakePrinter) MotorsOff(ctx context.Context) (uint64, error) {
	return p.call(ctx, "motors_off")
}
func (p *fakePrinter) SkipObject(ctx context.Context, job string, object int, skip bool) (uint64, error) {
	return p.call(ctx, fmt.Sprint("skip_object ", job, " ", object, " ", skip))
}
func (p *fakePrinter) KeepWarm(ctx context.Context) (uint64, error) { return p.call(ctx, "keep_warm") }

func (p *fakePrinter) SetCooling(ctx context.Context, c printer.Cooling) (uint64, error) {
	return p.call(ctx, "set_cooling", fmt.Sprint(c.IdleMin))
}

func (p *fakePrinter) SetProfile(ctx context.Context, profile printer.Profile) (uint64, error) {
	return p.call(ctx, "set_profile", profile.Name)
}

func (p *fakePrinter) ListCard(ctx context.Context) (printer.CardList, error) {
	_, err := p.call(ctx, "list_card")
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.card, err
}
func (p *fakePrinter) StartCard(ctx context.Context, path string) (string, uint64, error) {
	rev, err := p.call(ctx, "start_card", path)
	return "card-1", rev, err
}

// fakeConsole is a ring that forgets nothing.
type fakeConsole struct {
	lines *latest.Value[[]printer.Entry]
}

func (c fakeConsole) say(text string) {
	old, _ := c.lines.Get()
	c.lines.Set(append(slices.Clone(old), printer.Entry{Seq: uint64(len(old) + 1), Dir: "in", Text: text}))
}

func (c fakeConsole) Since(ctx context.Context, seq uint64, max int) ([]printer.Entry, error) {
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

// fakeFiles keeps files in a directory and everything else in memory.
type fakeFiles struct {
	dir string

	mu       sync.Mutex // guards what follows
	files    map[string]store.File
	surveys  map[string]gcode.Survey
	machine  gcode.Limits
	settings map[string]any
	rows     map[string]store.Print // as History
	changed  chan struct{}
	flushed  int
	failPut  error
	failEach error // after the last row
	copies   []store.SettingsCopy
	held     string // the file that cannot be deleted
	refused  int    // how often it was not

	fit func(ctx context.Context, path string) (*os.File, store.Fitted, error) // nil = nothing gains by arcs
}

func (f *fakeFiles) Fit(ctx context.Context, path string) (*os.File, store.Fitted, error) {
	if f.fit == nil {
		return nil, store.Fitted{Why: "there are no curves"}, store.ErrNotFitted
	}
	return f.fit(ctx, path)
}

func (f *fakeFiles) OpenFitted(ctx context.Context, path string) (*os.File, store.Fitted, error) {
	return f.Fit(ctx, path)
}

func newFakeFiles(t testing.TB) *fakeFiles {
	f := &fakeFiles{dir: t.TempDir(), files: map[string]store.File{}, surveys: map[string]gcode.Survey{}, settings: map[string]any{},
		rows: map[string]store.Print{}, changed: make(chan struct{}), copies: []store.SettingsCopy{{ID: 1, Text: someSettings}}}
	f.add("cube.gcode", "G28\nG1 X1 E1\n")
	return f
}

func (f *fakeFiles) add(path, content string) store.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.WriteFile(f.real(path), []byte(content), 0o600); err != nil {
		panic(err)
	}
	file := store.File{Path: path, Name: filepath.Base(path), Bytes: int64(len(content)), SHA256: fmt.Sprintf("%x", content), ModifiedMS: 5}
	f.files[path] = file
	f.surveys[path] = gcode.Survey{Bytes: file.Bytes, Commands: 2, Extrudes: 1, FilamentMM: []float64{100}}
	close(f.changed)
	f.changed = make(chan struct{})
	return file
}

func (f *fakeFiles) real(path string) string {
	return filepath.Join(f.dir, strings.ReplaceAll(path, "/", "_"))
}

func (f *fakeFiles) PutIf(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) error) (store.File, error) {
	return f.PutLate(ctx, path, r, size, overwrite, func(survey *gcode.Survey) (string, bool, error) { return path, overwrite, accept(survey) })
}
func (f *fakeFiles) PutLate(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) (string, bool, error)) (store.File, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return store.File{}, fmt.Errorf("receive: %w", err)
	}
	if f.failPut != nil {
		return store.File{}, f.failPut
	}
	survey, _ := gcode.SurveyFile(bytes.NewReader(content))
	path, _, err = accept(&survey)
	if err != nil {
		return store.File{}, fmt.Errorf("upload %s: %w", path, err)
	}
	return f.add(path, string(content)), nil
}
func (f *fakeFiles) Details(context.Context, string) (map[string]store.Details, error) {
	return map[string]store.Details{}, nil
}
func (f *fakeFiles) Disk() (free, total int64, err error) { return 1 << 30, 2 << 30, nil }
func (f *fakeFiles) Files(context.Context) ([]store.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []store.File
	for _, file := range f.files {
		all = append(all, file)
	}
	return all, nil
}
func (f *fakeFiles) Stat(_ context.Context, path string) (store.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if file, ok := f.files[path]; ok {
		return file, nil
	}
	return store.File{}, store.ErrNotFound
}
func (f *fakeFiles) Survey(ctx context.Context, path string) (gcode.Survey, error) {
	_, err := f.Stat(ctx, path)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.surveys[path], err
}
func (f *fakeFiles) Gist(ctx context.Context, path string) (store.Gist, error) {
	_, err := f.Stat(ctx, path)
	return store.Gist{}, err
}
func (f *fakeFiles) SetMachine(l gcode.Limits) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.machine = l
}
func (f *fakeFiles) OpenFile(ctx context.Context, path string) (*os.File, store.File, error) {
	file, err := f.Stat(ctx, path)
	if err != nil {
		return nil, file, err
	}
	open, err := os.Open(f.real(path))
	return open, file, err
}
func (f *fakeFiles) Thumbnail(ctx context.Context, path string) ([]byte, string, error) {
	if _, err := f.Stat(ctx, path); err != nil {
		return nil, "", err
	}
	if strings.HasSuffix(path, "evil.gcode") {
		return []byte("<script>"), "text/html", nil
	}
	return []byte("\x89PNG"), "image/png", nil
}
func (f *fakeFiles) Delete(ctx context.Context, path string) error {
	_, err := f.Stat(ctx, path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == path {
		f.refused++
		return store.ErrInUse
	}
	delete(f.files, path)
	return err
}
func (f *fakeFiles) Rename(ctx context.Context, from, to string) (store.File, error) {
	file, err := f.Stat(ctx, from)
	if err != nil {
		return file, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.files, from)
	file.Path, file.Name = to, filepath.Base(to)
	f.files[to] = file
	return file, nil
}
func (f *fakeFiles) MakeFolder(_ context.Context, path string) (store.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[path] = store.File{Path: path, Name: filepath.Base(path), Folder: true}
	return f.files[path], nil
}
func (f *fakeFiles) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}
func (f *fakeFiles) Free() (int64, error) { return 1 << 30, nil }
func (f *fakeFiles) Prints(context.Context, int64, int) ([]store.Print, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []store.Print
	for _, row := range f.rows {
		all = append(all, row)
	}
	return all, nil
}
func (f *fakeFiles) PrintLog(_ context.Context, id string) ([]store.LogLine, error) {
	return []store.LogLine{{AtMS: 5, Dir: "in", Text: "Error:" + id}}, nil
}
func (f *fakeFiles) Curve(_ context.Context, id string) (store.Curve, error) {
	if id != "01jd8q0000" {
		return store.Curve{}, store.ErrNotKept
	}
	return exampleCurve(), nil
}
func (f *fakeFiles) Picture(_ context.Context, id string) ([]byte, error) {
	if id != "01jd8q0000" {
		return nil, store.ErrNotKept
	}
	return []byte("\xff\xd8 a picture \xff\xd9"), nil
}
func (f *fakeFiles) Totals(_ context.Context, where *time.Location) ([]store.Month, error) {
	return []store.Month{{Month: "2026-11 " + where.String(), Prints: 1}}, nil
}
func (f *fakeFiles) EachPrint(ctx context.Context, visit func(store.Print) error) error {
	all, err := f.Prints(ctx, 0, 0)
	slices.SortFunc(all, func(a, b store.Print) int { return strings.Compare(a.ID, b.ID) })
	for _, p := range all {
		if err := visit(p); err != nil {
			return err
		}
	}
	return cmp.Or(err, f.failEach)
}
func (f *fakeFiles) SetSetting(_ context.Context, key string, v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failEach == nil {
		f.settings[key] = v
	}
	return f.failEach
}
func (f *fakeFiles) Begin(_ context.Context, p store.Print) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[p.ID] = p
	return nil
}
func (f *fakeFiles) Drop(_ context.Context, id string, why error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	row := f.rows[id]
	row.Outcome, row.Reason = "failed", why.Error()
	f.rows[id] = row
	return nil
}

// exampleCurve is two points of two heaters.
func exampleCurve() store.Curve {
	return store.Curve{FromMS: goldenMS - 1800_000, GapMS: 15_000, AfterMS: []int64{0, 1000}, Heaters: []store.HeaterCurve{
		{Name: "nozzle0", ActualC: []store.DeciC{2098, 2101}, TargetC: []store.DeciC{2100, 2100}},
		{Name: "bed", ActualC: []store.DeciC{601, store.UnknownC}, TargetC: []store.DeciC{600, 0}}}}
}

// fakeTemperatures writes down what it is asked, and knows one print that is under way.
type fakeTemperatures struct {
	mu    sync.Mutex // guards asked
	asked []int64
}

func (f *fakeTemperatures) Since(sinceMS int64) thermo.Recent {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, sinceMS)
	return thermo.Recent{Whole: sinceMS == 0, NewestMS: goldenMS - 1799_000, NowMS: goldenMS, Curve: exampleCurve()}
}

func (f *fakeTemperatures) Curve(id string) (store.Curve, bool) {
	c := exampleCurve()
	c.GapMS = 999
	return c, id == "running"
}

func (f *fakeFiles) Flush(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flushed++
	return nil
}
