package server

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"layerd/internal/power"
	"layerd/printer"
)

func TestTheLampIsSetUpAndSwitched(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Custom.Lamp = power.Way{} })
	light, fan := power.Way{Kind: power.Lines, OnLines: "M355 S1", OffLines: "M355 S0"}, power.Way{Kind: power.Lines, OnLines: "M106 P2 S255", OffLines: "M106 P2 S0"}
	for _, step := range []struct {
		role, text string
		fail       error // what the printer says
		code       int
		lamp       *LampStatus // what pages show afterwards
		kept       any
	}{
		{"operator", `{"do":"lamp","on":true}`, nil, 404, nil, nil},
		{"owner", `{"do":"set_lamp","on_lines":"M355 S1"}`, nil, 400, nil, nil},
		{"operator", `{"do":"set_lamp","on_lines":"M355 S1","off_lines":"M355 S0"}`, nil, 403, nil, nil},
		{"owner", `{"do":"set_lamp","on_lines":"M112","off_lines":"M355 S0"}`, printer.Problems{{In: "Lamp on", Line: 1, Message: "no"}}, 422, nil, nil},
		{"owner", `{"do":"set_lamp","on_lines":" M355 S1\n","off_lines":"M355 S0"}`, nil, 200, &LampStatus{}, light},
		{"viewer", `{"do":"lamp","on":true}`, nil, 403, &LampStatus{}, light},
		{"operator", `{"do":"lamp"}`, nil, 400, &LampStatus{}, light},
		{"operator", `{"do":"lamp","on":true}`, fmt.Errorf("%w: during a print it would change the motors", printer.ErrBadCommand), 422, &LampStatus{}, light},
		{"operator", `{"do":"lamp","on":true}`, nil, 200, &LampStatus{On: true}, light},
		{"owner", `{"do":"set_lamp","on_lines":"M355 S1","off_lines":"M355 S0"}`, nil, 200, &LampStatus{On: true}, light}, // the same one
		{"owner", `{"do":"set_lamp","on_lines":"M106 P2 S255","off_lines":"M106 P2 S0"}`, nil, 200, &LampStatus{}, fan},
		{"operator", `{"do":"lamp","on":true}`, nil, 200, &LampStatus{On: true}, fan},
		{"operator", `{"do":"lamp","on":false}`, nil, 200, &LampStatus{}, fan},
		{"owner", `{"do":"set_lamp","on_lines":"","off_lines":" "}`, nil, 200, nil, power.Way{}},
	} {
		r.printer.failWith(step.fail)
		if code, a := r.command(t, step.role, step.text); code != step.code {
			t.Errorf("%s: got %d %+v, want %d", step.text, code, a.Error, step.code)
		}
		r.printer.failWith(nil)
		if got := r.compose().state.Lamp; !reflect.DeepEqual(got, step.lamp) {
			t.Errorf("%s: pages show %+v, want %+v", step.text, got, step.lamp)
		}
		if got := r.files.settings["lamp"]; !reflect.DeepEqual(got, step.kept) {
			t.Errorf("%s: kept %+v, want %+v", step.text, got, step.kept)
		}
	}
	if got, want := r.printer.called(), []string{"press Lamp on 0", "press Lamp on 0", "press Lamp on 0", "press Lamp off 0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the printer was asked %q, want %q", got, want)
	}
}

func TestTheLampIsThereAfterARestart(t *testing.T) {
	custom, err := ReadCustom(t.Context(), kept{"lamp": `{"on_lines":"M355 S1","off_lines":"M355 S0"}`})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.Custom = custom })
	if code, a := r.command(t, "operator", `{"do":"lamp","on":true}`); code != 200 {
		t.Errorf("got %d %+v", code, a.Error)
	}
	var c Choices
	if err := json.Unmarshal(r.do("GET", "/v1/choices", "viewer", nil).Body.Bytes(), &c); err != nil || c.Lamp.OffLines != "M355 S0" {
		t.Errorf("got %+v, %v", c.Lamp, err)
	}
}
