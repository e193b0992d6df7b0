package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/gcode"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/printer"
)

func TestSpoolWarnings(t *testing.T) {
	list := spools.List{
		Spools: []store.Spool{{ID: 1, Name: "black", Material: "PLA", LeftMM: 8100}, {ID: 2, Name: "far", Material: "PETG", LeftMM: -1}, {ID: 3, Name: "plain", LeftMM: 1e6}},
		Active: []store.ActiveSpool{{Tool: 0, Spool: 1}, {Tool: 1, Spool: 2}, {Tool: 2, Spool: 3}, {Tool: 3, Spool: 99}}}
	for _, c := range []struct {
		name string
		need []float64
		made []string
		want []string
	}{
		{"enough", []float64{8000}, []string{"PLA"}, nil},
		{"too short", []float64{12_340}, nil, []string{`It needs 12.3 m of filament, and "black" has 8.1 m left.`}},
		{"another plastic", []float64{1000}, []string{"PETG"}, []string{`It was sliced for PETG, and "black" is PLA.`}},
		{"both", []float64{9000}, []string{"ABS"}, []string{`It needs 9.0 m of filament, and "black" has 8.1 m left.`, `It was sliced for ABS, and "black" is PLA.`}},
		{"a tool that is not used", []float64{0, 100}, []string{"ABS", "PETG"}, nil},
		{"of tool 1 nobody knows what is left", []float64{0, 1e9}, []string{"PLA", "PET"}, nil},
		{"a spool without a material", []float64{0, 0, 5}, []string{"", "", "ABS"}, nil},
		{"a spool that is gone", []float64{0, 0, 0, 1e9}, nil, nil},
		{"no spool", []float64{0, 0, 0, 0, 1e9}, nil, nil},
		{"relations", []float64{1}, []string{"PLA+"}, nil},
		{"more of them", []float64{1}, []string{"Silk pla"}, nil},
		{"filled", []float64{1}, []string{"PLA-CF"}, nil},
		{"a name that is no plastic's", []float64{1}, []string{"Basic"}, nil},
		{"nor are these", []float64{1}, []string{"Silk Red, Tough, matte"}, nil},
		{"with numbers", []float64{1}, []string{"TPU 95A"}, []string{`It was sliced for TPU 95A, and "black" is PLA.`}},
		{"filled alike, but not the same", []float64{1}, []string{"PA-CF"}, []string{`It was sliced for PA-CF, and "black" is PLA.`}},
	} {
		if got := spoolWarnings(&gcode.Survey{FilamentMM: c.need, FilamentTypes: c.made}, list); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A spool that is too short is a warning before the start, and no more than that.
func TestStartWarnsOfAShortSpool(t *testing.T) {
	r := newRig(t)
	r.files.surveys["cube.gcode"] = gcode.Survey{Commands: 2, Extrudes: 1, FilamentMM: []float64{12_300}}
	code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode"}`)
	if code != 409 || a.Error.Code != "warning" || len(a.Error.Warnings) != 1 || !strings.Contains(a.Error.Warnings[0], "12.3 m") {
		t.Errorf("got %d %+v", code, a.Error)
	}
	if code, a = r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`); code != 200 {
		t.Errorf("anyway: got %d %+v", code, a.Error)
	}
	// A shelf that cannot be read delays nothing.
	r = newRig(t)
	r.shelf.fail = errors.New("disk full")
	if code, a = r.command(t, "operator", `{"do":"start","file":"cube.gcode"}`); code != 200 {
		t.Errorf("got %d %+v", code, a.Error)
	}
}

func TestSpoolCommands(t *testing.T) {
	r := newRig(t)
	if code, a := r.command(t, "operator", `{"do":"save_spool","spool":{"name":"red","material":"PLA","diameter_mm":1.75,"density_g_cm3":1.24,"weight_g":1000,"left_g":0}}`); code != 200 {
		t.Fatalf("got %d %+v", code, a.Error)
	}
	if s := r.shelf.saved; len(s) != 1 || s[0].Name != "red" || s[0].LeftG == nil || *s[0].LeftG != 0 {
		t.Errorf("got %+v", s)
	}
	for _, text := range []string{`{"do":"set_spool","tool":1,"spool_id":7}`, `{"do":"set_spool"}`} {
		if code, a := r.command(t, "operator", text); code != 200 {
			t.Fatalf("%s: got %d %+v", text, code, a.Error)
		}
	}
	if want := []store.ActiveSpool{{Tool: 1, Spool: 7}, {}}; !slices.Equal(r.shelf.put, want) || r.files.flushed != 2 {
		t.Errorf("put on %+v after %d journals, want %+v", r.shelf.put, r.files.flushed, want)
	}
	for err, want := range map[error]int{store.ErrNoSpool: 404, spools.ErrElsewhere: 409, fmt.Errorf("keep: %w: weight_g is 0", store.ErrSpool): 422} {
		r.shelf.fail = err
		if code, a := r.command(t, "operator", `{"do":"set_spool","spool_id":1}`); code != want || a.Error.Message == "" || a.Error.Next == "" {
			t.Errorf("%v: got %d %+v, want %d", err, code, a.Error, want)
		}
	}
}

func TestExtrudeAtASpeed(t *testing.T) {
	r := newRig(t)
	r.command(t, "operator", `{"do":"extrude","by_mm":-100,"mm_s":10}`)
	r.command(t, "operator", `{"do":"extrude","by_mm":5}`)
	if got := strings.Join(r.printer.called(), ", "); got != "extrude -100 at 10, extrude 5" {
		t.Errorf("got %s", got)
	}
}

func TestQueueOverHTTP(t *testing.T) {
	r := newRig(t)
	r.files.add("b.gcode", "G28\nG1 X1 E1\n")
	for _, text := range []string{`{"do":"queue_add","file":"b.gcode","copies":3}`, `{"do":"queue_add","file":"gone.gcode"}`, `{"do":"queue_move","entry":2,"before":1}`,
		`{"do":"queue_copies","entry":3,"copies":4}`} {
		if code, a := r.command(t, "operator", text); code != 200 {
			t.Fatalf("%s: got %d %+v", text, code, a.Error)
		}
	}
	var list QueueList
	if err := json.Unmarshal(r.do("GET", "/v1/queue", "viewer", nil).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, e := range list.Entries {
		got += fmt.Sprintf("%d %s ×%d by %s gone %v; ", e.ID, e.Name, e.Copies, e.By, e.Gone)
	}
	if want := "2 b.gcode ×3 by the operator gone false; 1 cube.gcode ×1 by the owner gone false; 3 gone.gcode ×4 by the operator gone true; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, text := range []string{`{"do":"queue_move","entry":9}`, `{"do":"queue_copies","entry":9,"copies":1}`, `{"do":"queue_remove","entry":9}`} {
		if code, a := r.command(t, "operator", text); code != 409 || a.Error.Code != "not_queued" {
			t.Errorf("%s: got %d %+v", text, code, a.Error)
		}
	}
}

func TestStartNext(t *testing.T) {
	start := func(r *rig, more string) (int, string) {
		code, a := r.command(t, "operator", `{"do":"start_next"`+more+`}`)
		if a.Error != nil {
			return code, a.Error.Code
		}
		return code, a.Job
	}
	r := newRig(t)
	code, job := start(r, `,"entry":1`)
	if row := r.files.rows[job]; code != 200 || row.Entry != 1 || row.File != "cube.gcode" || row.By != "the operator" {
		t.Errorf("got %d, row %+v", code, row)
	}
	if code, why := start(r, ""); code != 409 || why != "wrong_state" {
		t.Errorf("while one is under way: got %d %s", code, why)
	}

	r = newRig(t)
	if code, why := start(r, `,"entry":7`); code != 409 || why != "queue_changed" {
		t.Errorf("one that is not the first: got %d %s", code, why)
	}
	r.files.surveys["cube.gcode"] = gcode.Survey{Commands: 2}
	if code, why := start(r, ""); code != 409 || why != "warning" {
		t.Errorf("a file that may not suit: got %d %s", code, why)
	}
	if code, _ := start(r, `,"anyway":true`); code != 200 {
		t.Errorf("anyway: got %d", code)
	}

	r = newRig(t)
	r.queue.entries[0].File = "gone.gcode"
	if code, why := start(r, ""); code != 404 || why != "no_file" || len(r.printer.called()) != 0 {
		t.Errorf("a file that is gone: got %d %s", code, why)
	}
	r.queue.entries = nil
	if code, why := start(r, ""); code != 409 || why != "queue_empty" {
		t.Errorf("an empty queue: got %d %s", code, why)
	}
	r.printer.change(func(s *printer.Snapshot) { s.State = printer.Disconnected })
	if code, why := start(r, ""); code != 409 || why != "not_connected" {
		t.Errorf("without a printer: got %d %s", code, why)
	}
}

// Pages hear of changes by revisions in the state.
func TestRevisionsOfSpoolsAndQueue(t *testing.T) {
	r := newRig(t)
	r.listen(t)
	await := func(what string, is func(State) bool) {
		t.Helper()
		for seq := uint64(0); ; {
			v, at, err := r.views.Next(t.Context(), seq)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if seq = at; v != nil && is(v.state) {
				return
			}
		}
	}
	first := r.spoolsRev.Load()
	await("the first", func(s State) bool { return s.SpoolsRev == first && s.QueueRev == first && s.Queued == 1 })
	r.command(t, "operator", `{"do":"set_spool","spool_id":1}`)
	await("a spool", func(s State) bool { return s.SpoolsRev == first+1 && s.QueueRev == first })
	r.command(t, "operator", `{"do":"queue_add","file":"cube.gcode"}`)
	await("an entry", func(s State) bool { return s.SpoolsRev == first+1 && s.QueueRev == first+1 && s.Queued == 2 })
}

// A page that was there before layerd was restarted must not take the new revisions for those that it has read.
func TestRevisionsOfARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revs := func() [4]uint64 {
			s := New(Config{})
			defer s.endLife()
			return [4]uint64{s.filesRev.Load(), s.spoolsRev.Load(), s.queueRev.Load(), s.settingsRev.Load()}
		}
		before := revs()
		time.Sleep(time.Second)
		for i, rev := range revs() {
			if rev <= before[i]+100 {
				t.Errorf("the revision %d begins with %d after %d: a hundred changes later it is the same", i, rev, before[i])
			}
		}
	})
}
