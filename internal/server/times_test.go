package server

import (
	"encoding/json"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

// Coming layers have the time at which they end, by what is left and the print's own rate; those that are done have none.
func TestLayerTimes(t *testing.T) {
	r := newRig(t)
	ask := func() (got LayerTimes) {
		t.Helper()
		w := r.do("GET", "/v1/layers", "viewer", nil)
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
		}
		return got
	}
	if got := ask(); got.Job != "" || len(got.Layers) != 0 {
		t.Errorf("without a print: got %+v", got)
	}
	r.files.add("a.gcode", "G28\n")
	r.files.surveys["a.gcode"] = gcode.Survey{TimeS: 400, CruiseS: 300, Layers: []gcode.Layer{{ZMM: 0.2, ElapsedS: 10}, {ZMM: 0.4, ElapsedS: 110, CruiseS: 60}, {ZMM: 0.6000000001, ElapsedS: 250, CruiseS: 200}}}
	job := printer.JobStatus{ID: "j", File: "a.gcode", Layer: 2, LeftS: 500, Rate: 2, CruiseRate: 1}
	r.printer.change(func(s *printer.Snapshot) { s.AtMS, s.Job = 1_000_000, &job })
	want := []LayerTime{{ZMM: 0.2, CruiseS: 240, RestS: 50}, {ZMM: 0.4, CruiseS: 100, RestS: 50, EndMS: 1_300_000}, {ZMM: 0.6, EndMS: 1_500_000}}
	got := ask()
	if got.Job != "j" || len(got.Layers) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, l := range got.Layers {
		if l != want[i] {
			t.Errorf("layer %d: got %+v, want %+v", i+1, l, want[i])
		}
	}
	unknown := printer.JobStatus{ID: "j", File: "a.gcode", LeftS: -1}
	r.printer.change(func(s *printer.Snapshot) { s.Job = &unknown })
	for i, l := range ask().Layers {
		if l.EndMS != 0 {
			t.Errorf("layer %d ends at %d, while nobody can know", i+1, l.EndMS)
		}
	}
}

func TestFileTimes(t *testing.T) {
	r := newRig(t)
	r.files.add("a.gcode", "G28\n")
	r.files.surveys["a.gcode"] = gcode.Survey{TimeS: 400.04, CruiseS: 300, HeatS: 90, SlicerTimeS: 420, Limits: gcode.Limits{By: gcode.LimitsFile}, LimitsLate: true}
	w := r.do("GET", "/v1/times/a.gcode", "viewer", nil)
	var got FileTimes
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got != (FileTimes{TimeS: 400, HeatS: 90, SlicerTimeS: 420, LimitsBy: "file", LimitsLate: true}) {
		t.Errorf("got %d %s, %v", w.Code, w.Body, err)
	}
	if w := r.do("GET", "/v1/times/none.gcode", "viewer", nil); w.Code != 404 {
		t.Errorf("of no file: got %d, want 404", w.Code)
	}
}
