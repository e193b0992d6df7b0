package server

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"layerd/gcode"
)

func TestFileFacts(t *testing.T) {
	r := newRig(t)
	r.files.add("a.gcode", "G28\n")
	survey := gcode.Survey{Slicer: "Cura 5.1.0", Extrudes: 9, LayerHeightMM: 0.20000001, FilamentTypes: []string{"PLA"}, MaxNozzleC: 999, MaxNozzleLine: 3,
		Extent: &gcode.Box{Min: [3]float64{20, 30, 0.2}, Max: [3]float64{40, 60, 12}}}
	survey.NozzleMM, survey.NozzleC, survey.BedC = []float64{0.4}, 215, 60
	survey.Pauses = []gcode.Pause{{Kind: gcode.PausePlain}, {Kind: gcode.PauseFilament}}
	r.files.surveys["a.gcode"] = survey
	w := r.do("GET", "/v1/facts/a.gcode", "viewer", nil)
	var got FileFacts
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "Line 3 heats the nozzle to 999 °C") {
		t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
	}
	want := FileFacts{Slicer: "Cura 5.1.0", LayerHeightMM: 0.2, NozzleMM: []float64{0.4}, Materials: []string{"PLA"}, SizeMM: []float64{20, 30, 12}, NozzleC: 215, BedC: 60, Pauses: 2, Changes: 1, Warnings: got.Warnings}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}

	survey.MaxNozzleC, survey.Extent.Max[0] = 200, 400
	r.files.surveys["a.gcode"] = survey
	if w := r.do("GET", "/v1/facts/a.gcode", "viewer", nil); !strings.Contains(w.Body.String(), "prints at X 400.0 mm") {
		t.Errorf("what is outside of the volume is not said: %s", w.Body)
	}
	if w := r.do("GET", "/v1/facts/none.gcode", "viewer", nil); w.Code != 404 {
		t.Errorf("of no file: got %d, want 404", w.Code)
	}
}
