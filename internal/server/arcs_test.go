package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/gcode"
	"layerd/internal/store"
	"layerd/printer"
)

// withArcs is a rig whose owner wants arcs, whose printer knows them, and whose store makes a copy as fit says.
func withArcs(t *testing.T, fit func(ctx context.Context) (store.Fitted, error)) *rig {
	t.Helper()
	r := newRig(t, func(c *Config) { c.Custom.FitArcs = true })
	r.printer.change(func(s *printer.Snapshot) { s.Connection.Capabilities = map[string]bool{"ARCS": true} })
	name := filepath.Join(t.TempDir(), "copy.gcode")
	if err := os.WriteFile(name, []byte("G28\nG3 X1 I1 J0 E1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.files.fit = func(ctx context.Context, path string) (*os.File, store.Fitted, error) {
		if path != "cube.gcode" {
			t.Errorf("a copy of %q", path)
		}
		made, err := fit(ctx)
		if err != nil {
			return nil, made, err
		}
		f, err := os.Open(name)
		return f, made, err
	}
	return r
}

func copyOf(change func(*store.Fitted)) func(context.Context) (store.Fitted, error) {
	return func(context.Context) (store.Fitted, error) {
		made := store.Fitted{SHA256: strings.Repeat("ab", 32), Bytes: 19, Arcs: 7, Survey: gcode.Survey{Lines: 2, Extrudes: 1, TimeS: 3, Layers: []gcode.Layer{{ZMM: 0.2}, {ZMM: 0.4}}}}
		if change != nil {
			change(&made)
		}
		return made, nil
	}
}

func TestWhatIsPrintedOfAFile(t *testing.T) {
	unfit := func(why string, err error) func(context.Context) (store.Fitted, error) {
		return func(context.Context) (store.Fitted, error) { return store.Fitted{Why: why}, err }
	}
	for _, c := range []struct {
		name  string
		fit   func(ctx context.Context) (store.Fitted, error)
		off   bool
		other func(*printer.Snapshot)
		arcs  int64
		note  string
	}{
		{name: "the copy", fit: copyOf(nil), arcs: 7, note: "a copy with 7 arcs"},
		{name: "nobody wants it", fit: copyOf(nil), off: true},
		{name: "the firmware does not know arcs", fit: copyOf(nil), other: func(s *printer.Snapshot) { s.Connection.Capabilities = nil }},
		{name: "it does without saying so", fit: copyOf(nil), other: func(s *printer.Snapshot) {
			s.Connection = printer.Connection{Dialect: "reprapfirmware"}
		}, arcs: 7, note: "a copy with 7 arcs"},
		{name: "no gain", fit: unfit("it has no curves", store.ErrNotFitted), note: "as it is: it has no curves"},
		{name: "the disk fails", fit: unfit("", errors.New("input/output error")), note: "could not be made"},
		{name: "the copy leaves the bed", fit: copyOf(func(f *store.Fitted) { f.Survey.Extent = &gcode.Box{Max: [3]float64{900, 1, 1}} }), note: "not as safe"},
		{name: "the copy is hotter", fit: copyOf(func(f *store.Fitted) { f.Survey.MaxNozzleC = 900 }), note: "not as safe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := withArcs(t, c.fit)
			if c.off {
				if code, a := r.command(t, "owner", `{"do":"set_fit_arcs","on":false}`); code != 200 {
					t.Fatalf("%d, %+v", code, a)
				}
			}
			if c.other != nil {
				r.printer.change(c.other)
			}
			if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`); code != 200 {
				t.Fatalf("%d, %+v", code, a)
			}
			info := r.printer.started
			size := int64(len("G28\nG1 X1 E1\n"))
			if c.arcs > 0 {
				size = 19
			}
			if info.Arcs != c.arcs || info.Size != size || !strings.Contains(info.Note, c.note) || (c.note == "") != (info.Note == "") || info.File != "cube.gcode" {
				t.Errorf("it starts %+v", info)
			}
			if c.arcs > 0 && info.Survey.Lines != 2 {
				t.Errorf("with the survey %+v", info.Survey)
			}
			if err := r.printer.src.Close(); err != nil {
				t.Errorf("what it was given to read: %v", err)
			}
		})
	}
}

// Until the copy is there all pages say so, and cancel calls the start off; another start then begins anew.
func TestAStartIsCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withArcs(t, func(ctx context.Context) (store.Fitted, error) {
			<-ctx.Done()
			return store.Fitted{}, ctx.Err()
		})
		answer := make(chan Answer)
		go func() {
			_, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`)
			answer <- a
		}()
		synctest.Wait()
		if p := r.compose().state.Preparing; p != nil {
			t.Errorf("at once pages show %+v", p)
		}
		time.Sleep(prepareShow)
		synctest.Wait()
		if p := r.compose().state.Preparing; p == nil || p.File != "cube.gcode" || p.By != "the operator" {
			t.Errorf("pages show %+v", p)
		}
		if code, a := r.command(t, "viewer", `{"do":"cancel"}`); code != 403 {
			t.Errorf("a viewer cancels: %d, %+v", code, a)
		}
		if code, a := r.command(t, "operator", `{"do":"cancel"}`); code != 200 {
			t.Errorf("cancel: %d, %+v", code, a)
		}
		if a := <-answer; a.Error == nil || a.Error.Code != "not_started" {
			t.Errorf("the start: %+v", a)
		}
		if p := r.compose().state.Preparing; p != nil || r.printer.started.ID != "" {
			t.Errorf("afterwards pages show %+v, started is %+v", p, r.printer.started)
		}
		// What takes too long is given up, and the file itself printed.
		go func() {
			_, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`)
			answer <- a
		}()
		if a := <-answer; a.Error != nil || !strings.Contains(r.printer.started.Note, "takes too long") {
			t.Errorf("too long: %+v, %+v", a, r.printer.started)
		}
	})
}

// Whoever asks about the print under way is told of its copy.
func TestTheCopyIsWhatIsTold(t *testing.T) {
	r := withArcs(t, copyOf(nil))
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`); code != 200 {
		t.Fatalf("%d, %+v", code, a)
	}
	r.printer.change(func(s *printer.Snapshot) { s.Job = &printer.JobStatus{ID: s.Job.ID, File: s.Job.File, Arcs: 7} })
	if w := r.do("GET", "/v1/layers", "viewer", nil); w.Code != 200 || strings.Count(w.Body.String(), `"z_mm"`) != 2 {
		t.Errorf("layers: %d %s", w.Code, w.Body)
	}
	own, file := r.do("GET", "/v1/toolpaths/cube.gcode?arcs=1", "viewer", nil), r.do("GET", "/v1/toolpaths/cube.gcode", "viewer", nil)
	if own.Code != 200 || file.Code != 200 || !strings.Contains(own.Header().Get("ETag"), "abab") || strings.Contains(file.Header().Get("ETag"), "abab") {
		t.Errorf("toolpaths: %d %v, of the file %d %v", own.Code, own.Header(), file.Code, file.Header())
	}
	r.files.fit = nil
	if w := r.do("GET", "/v1/toolpaths/cube.gcode?arcs=1", "viewer", nil); w.Code != 404 || errorCode(t, w.Body.Bytes()) != "no_file" {
		t.Errorf("without a copy: %d %s", w.Code, w.Body)
	}
}
