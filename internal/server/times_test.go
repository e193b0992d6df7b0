package server

import (
	"encoding/json"
	"reflect"
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

// A pause of the file is in its layer, and how far the print has to go then is as exact as the layer's own two ends.
func TestPausesOfTheFile(t *testing.T) {
	survey := gcode.Survey{TimeS: 400, CruiseS: 300, LastOffset: 1000, Layers: []gcode.Layer{{Offset: 100, ElapsedS: 10}, {Offset: 200, ElapsedS: 110, CruiseS: 60}, {Offset: 500, ElapsedS: 250, CruiseS: 200}}}
	at := func(offset int64, elapsedS float64) gcode.Pause {
		return gcode.Pause{Kind: gcode.PauseFilament, Text: "M600", Offset: offset, ZMM: 0.4, ElapsedS: elapsedS}
	}
	one := func(layer int, atS, percent, cruiseS, restS float64) FilePause {
		return FilePause{Kind: "filament", Text: "M600", Layer: layer, ZMM: 0.4, AtS: atS, Percent: percent, CruiseS: cruiseS, RestS: restS}
	}
	survey.Pauses = []gcode.Pause{at(50, 0), at(200, 110), at(350, 180), at(900, 400)}
	want := []FilePause{one(0, 0, 0, 300, 100), one(2, 110, 27.5, 240, 50), one(2, 180, 45, 170, 50), one(3, 400, 100, 0, 0)}
	if got := filePauses(&survey); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v,\nwant %+v", got, want)
	}
	r := newRig(t)
	r.files.add("a.gcode", "G28\n")
	r.files.surveys["a.gcode"] = survey
	r.printer.change(func(s *printer.Snapshot) { s.Job = &printer.JobStatus{ID: "j", File: "a.gcode", LeftS: -1} })
	for _, path := range []string{"/v1/layers", "/v1/times/a.gcode"} {
		var got struct{ Pauses []FilePause }
		w := r.do("GET", path, "viewer", nil)
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got.Pauses, want) {
			t.Errorf("%s: got %d %s, %v", path, w.Code, w.Body, err)
		}
	}
}

func TestFileTimes(t *testing.T) {
	r := newRig(t)
	r.files.add("a.gcode", "G28\n")
	r.files.surveys["a.gcode"] = gcode.Survey{TimeS: 400.04, CruiseS: 300, HeatS: 90, SlicerTimeS: 420, Limits: gcode.Limits{By: gcode.LimitsFile}, LimitsLate: true}
	w := r.do("GET", "/v1/times/a.gcode", "viewer", nil)
	var got FileTimes
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, FileTimes{TimeS: 400, HeatS: 90, SlicerTimeS: 420, LimitsBy: "file", LimitsLate: true, Pauses: []FilePause{}}) {
		t.Errorf("got %d %s, %v", w.Code, w.Body, err)
	}
	if w := r.do("GET", "/v1/times/none.gcode", "viewer", nil); w.Code != 404 {
		t.Errorf("of no file: got %d, want 404", w.Code)
	}
}
