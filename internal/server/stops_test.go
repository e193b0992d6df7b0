package server

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

// What is wanted with the start comes to the printer with it; what cannot be is refused before anything is written down.
func TestStartWithStops(t *testing.T) {
	r := newRig(t)
	survey := gcode.Survey{Commands: 5, Extrudes: 1, Layers: []gcode.Layer{{ZMM: 0.2}, {ZMM: 0.4}, {ZMM: 0.6}}}
	r.files.surveys["cube.gcode"] = survey
	for stops, words := range map[string]string{
		`[{"layer":4}]`: "There is no layer 4, the last one is 3.", `[{"z_mm":0.7}]`: "reaches 0.7 mm", `[{}]`: "one of them only", `[{"layer":2},{"layer":2,"z_mm":0.4}]`: "one of them only",
	} {
		code, a := r.command(t, "operator", fmt.Sprintf(`{"do":"start","file":"cube.gcode","stops":%s}`, stops))
		if code != 422 || a.Error.Code != "bad_stop" || !strings.Contains(strings.ToLower(a.Error.Message), strings.ToLower(words)) || len(r.files.rows) != 0 || len(r.printer.called()) != 0 {
			t.Errorf("%s: got %d %+v, calls %q", stops, code, a.Error, r.printer.called())
		}
	}
	code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","stops":[{"layer":2,"change":true,"note":"Now red"},{"z_mm":0.6}]}`)
	want := []printer.StopAt{{Layer: 2, Change: true, Note: "Now red"}, {ZMM: 0.6}}
	if code != 200 || !reflect.DeepEqual(r.printer.started.Stops, want) {
		t.Errorf("got %d %+v, started with %+v", code, a.Error, r.printer.started.Stops)
	}
	r = newRig(t)
	r.files.surveys["cube.gcode"] = survey
	if code, a := r.command(t, "operator", `{"do":"start_next","stops":[{"layer":4}]}`); code != 422 || a.Error.Code != "bad_stop" {
		t.Errorf("from the queue, at no layer: got %d %+v", code, a.Error)
	}
	if code, a := r.command(t, "operator", `{"do":"start_next","stops":[{"layer":3}]}`); code != 200 || !reflect.DeepEqual(r.printer.started.Stops, []printer.StopAt{{Layer: 3}}) {
		t.Errorf("from the queue: got %d %+v, started with %+v", code, a.Error, r.printer.started.Stops)
	}
	r.printer.failWith(fmt.Errorf("%w: layer 2 has begun already", printer.ErrStop))
	if code, a := r.command(t, "operator", `{"do":"set_stop","stop":{"layer":2}}`); code != 422 || a.Error.Code != "bad_stop" || a.Error.Message != "Pause at a layer: layer 2 has begun already." {
		t.Errorf("got %d %+v", code, a.Error)
	}
}

func TestHeights(t *testing.T) {
	r := newRig(t)
	r.files.surveys["cube.gcode"] = gcode.Survey{Commands: 5, Layers: []gcode.Layer{{ZMM: 0.2}, {}, {ZMM: 0.4}}}
	if got := r.do("GET", "/v1/heights/cube.gcode", "viewer", nil); got.Code != 200 || strings.TrimSpace(got.Body.String()) != `{"z_mm":[0.2,0,0.4]}` {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got := r.do("GET", "/v1/heights/none.gcode", "viewer", nil); got.Code != 404 {
		t.Errorf("no such file: got %d %s", got.Code, got.Body)
	}
}
