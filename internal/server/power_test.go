package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"layerd/internal/power"
	"layerd/printer"
)

// examplePower is one that goes through the printer.
func examplePower() power.Settings {
	s := power.UsualSettings()
	s.Power = power.Way{Kind: power.Lines, OnLines: "M80", OffLines: "M81"}
	return s
}

// fakeMachine writes down what is done to it.
type fakeMachine struct {
	mu   sync.Mutex // guards what follows
	done []power.Deed
	deaf bool
}

func (m *fakeMachine) Can(d power.Deed) bool { return !m.deaf }

func (m *fakeMachine) Do(_ context.Context, d power.Deed) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deaf {
		return power.ErrMachine
	}
	m.done = append(m.done, d)
	return nil
}

// shelly is a plug of the first generation.
type shelly struct {
	*httptest.Server
	mu    sync.Mutex // guards what follows
	on    bool
	asked []string
}

func newShelly(t *testing.T, password string) *shelly {
	s := &shelly{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.RequestURI())
		if _, given, _ := r.BasicAuth(); given != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if turn := r.URL.Query().Get("turn"); turn != "" {
			s.on = turn == "on"
		}
		fmt.Fprintf(w, `{"ison":%t,"said":"%s"}`, s.on, password)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelly) set() string {
	return `{"do":"set_power","power":{"power":{"kind":"shelly","address":"` + s.URL + `","password":"s3cret"},"cool_c":50}}`
}

func TestThePowerIsSetUpAndSwitched(t *testing.T) {
	r, plug := newRig(t), newShelly(t, "s3cret")
	hot := func(s *printer.Snapshot) { s.Nozzles = []printer.Heater{{ActualC: 180}} }
	for _, step := range []struct {
		role, text string
		before     func(*printer.Snapshot)
		code       int
		error      string
		on         power.State // what pages show afterwards
	}{
		{"operator", plug.set(), nil, 403, "role_too_low", "unknown"},
		{"owner", `{"do":"set_power"}`, nil, 400, "bad_command", "unknown"},
		{"owner", `{"do":"set_power","power":{"power":{"kind":"shelly","address":"ftp://plug"},"cool_c":50}}`, nil, 422, "bad_power", "unknown"},
		{"owner", `{"do":"set_power","power":{"power":{"kind":"shelly","address":"http://plug"},"cool_c":500}}`, nil, 422, "bad_power", "unknown"},
		{"owner", plug.set(), nil, 200, "", "unknown"},
		{"viewer", `{"do":"power","on":true}`, nil, 403, "role_too_low", "unknown"},
		{"operator", `{"do":"power"}`, nil, 400, "bad_command", "unknown"},
		{"operator", `{"do":"power","on":true}`, nil, 200, "", "on"},
		{"operator", `{"do":"power","on":false}`, hot, 409, "hot", "on"},
		{"operator", `{"do":"power","on":false,"anyway":true}`, nil, 200, "", "off"},
		{"operator", `{"do":"power","on":true}`, nil, 200, "", "on"},
		{"operator", `{"do":"power","on":false,"anyway":true}`, func(s *printer.Snapshot) { s.State = printer.Paused }, 409, "wrong_state", "on"},
	} {
		if step.before != nil {
			r.printer.change(step.before)
		}
		code, a := r.command(t, step.role, step.text)
		if code != step.code || a.Error != nil && a.Error.Code != step.error {
			t.Errorf("%s: got %d %+v, want %d %s", step.text, code, a.Error, step.code, step.error)
		}
		if got := r.compose().state.Power; got == nil || got.On != step.on {
			t.Errorf("%s: pages show %+v, want %s", step.text, got, step.on)
		}
	}
	if got, want := r.printer.called(), []string{"redial", "disconnect", "redial"}; !slices.Equal(got, want) {
		t.Errorf("the printer was asked %q, want %q", got, want)
	}
	if kept, _ := r.files.settings["power"].(power.Settings); kept.Power.Password != "s3cret" {
		t.Errorf("kept %+v", kept)
	}
}

// The password is shown to nobody, and stays with its address.
func TestThePlugsPassword(t *testing.T) {
	r, plug, other := newRig(t), newShelly(t, "s3cret"), newShelly(t, "")
	if code, a := r.command(t, "owner", plug.set()); code != 200 {
		t.Fatalf("got %d %+v", code, a.Error)
	}
	body := r.do("GET", "/v1/power", "owner", nil).Body.String()
	var got PowerAnswer
	if err := json.Unmarshal([]byte(body), &got); err != nil || strings.Contains(body, "s3cret") || !got.HasPassword || got.Settings.Power.Address != plug.URL || got.Lamp.OnLines != "M355 S1" {
		t.Errorf("got %s, %v", body, err)
	}
	try := func(text string) (p PowerTried) {
		t.Helper()
		w := r.do("POST", "/v1/power/try", "owner", strings.NewReader(text))
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s: got %d %s, %v", text, w.Code, w.Body, err)
		}
		return p
	}
	if p := try(`{"kind":"shelly","address":"` + plug.URL + `"}`); p.On != power.Off || p.Problem != "" || !strings.Contains(p.Said, "ison") {
		t.Errorf("got %+v", p)
	}
	if p := try(`{"kind":"shelly","address":"` + other.URL + `"}`); p.On != power.Off {
		t.Errorf("got %+v, want it asked without a password", p)
	}
	if p := try(`{"kind":"shelly","address":"` + plug.URL + `","password":"wr0ng"}`); p.On != power.Unknown || p.Problem == "" {
		t.Errorf("got %+v", p)
	}
	for text, code := range map[string]string{`{"kind":"shelly","address":"file:///etc"}`: "bad_power", `{"kind":`: "bad_message", `{"kinds":"x"}`: "bad_message"} {
		if w := r.do("POST", "/v1/power/try", "owner", strings.NewReader(text)); errorCode(t, w.Body.Bytes()) != code {
			t.Errorf("%s: got %s, want %s", text, w.Body, code)
		}
	}
	if !slices.Equal(plug.asked, []string{"/relay/0", "/relay/0"}) {
		t.Errorf("the plug was asked %q: a test switches nothing", plug.asked)
	}
}

func TestWhatATapEnds(t *testing.T) {
	for text, ends := range map[string]bool{`{"do":"set_nozzle","target_c":200}`: true, `{"do":"home"}`: true, `{"do":"jog","axes":"x","by_mm":1}`: true, `{"do":"power_after","on":false}`: true,
		`{"do":"lamp","on":true}`: false, `{"do":"dismiss"}`: false, `{"do":"queue_add","file":"cube.gcode"}`: false} {
		r := newRig(t)
		if code, a := r.command(t, "operator", `{"do":"power_after","on":true}`); code != 200 || r.compose().state.Power.After != power.Cooling {
			t.Fatalf("got %d %+v, %+v", code, a.Error, r.compose().state.Power)
		}
		r.command(t, "operator", text)
		if got := r.compose().state.Power; (got.After == power.Not) != ends || (got.Why != "") != ends {
			t.Errorf("%s: got %+v, want it ended: %v", text, got, ends)
		}
	}
}

func TestALampOnAPlug(t *testing.T) {
	r, plug := newRig(t), newShelly(t, "")
	if code, a := r.command(t, "owner", `{"do":"set_lamp","way":{"kind":"shelly","address":"`+plug.URL+`"}}`); code != 200 {
		t.Fatalf("got %d %+v", code, a.Error)
	}
	for _, on := range []bool{true, false} {
		if code, a := r.command(t, "operator", fmt.Sprintf(`{"do":"lamp","on":%t}`, on)); code != 200 || plug.on != on || r.compose().state.Lamp.On != on {
			t.Errorf("got %d %+v, %v", code, a.Error, plug.on)
		}
	}
	plug.Close()
	if code, a := r.command(t, "operator", `{"do":"lamp","on":true}`); code != 502 || a.Error.Code != "deaf_switch" || strings.Contains(a.Error.Message, "relay") {
		t.Errorf("a plug that is gone: got %d %+v", code, a.Error)
	}
	if code, a := r.command(t, "owner", `{"do":"set_lamp","way":{"kind":"gpio","chip":"gpiochip0","line":300000}}`); code != 422 || a.Error.Code != "bad_power" {
		t.Errorf("got %d %+v", code, a.Error)
	}
}

func TestPowerBeforeConnecting(t *testing.T) {
	plug := newShelly(t, "")
	for _, wanted := range []bool{false, true} {
		r := newRig(t)
		plug.on = false
		r.command(t, "owner", `{"do":"set_power","power":{"power":{"kind":"shelly","address":"`+plug.URL+`"},"cool_c":50,"on_connect":`+fmt.Sprint(wanted)+`}}`)
		if code, a := r.command(t, "owner", `{"do":"connect"}`); code != 200 || plug.on != wanted {
			t.Errorf("wanted %v: got %d %+v, the plug is on: %v", wanted, code, a.Error, plug.on)
		}
	}
}

func TestTheMachineIsSwitchedOffByItsOwner(t *testing.T) {
	r := newRig(t)
	for _, do := range []string{"reboot", "shutdown"} {
		if code, a := r.command(t, "owner", `{"do":"`+do+`"}`); code != 200 {
			t.Errorf("%s: got %d %+v", do, code, a.Error)
		}
	}
	if want := []power.Deed{power.Reboot, power.Shutdown}; !slices.Equal(r.machine.done, want) {
		t.Errorf("got %q, want %q", r.machine.done, want)
	}
	r.printer.change(func(s *printer.Snapshot) { s.State = printer.Paused })
	if code, a := r.command(t, "owner", `{"do":"reboot"}`); code != 409 || a.Error.Code != "wrong_state" || len(r.machine.done) != 2 {
		t.Errorf("in mid-print: got %d %+v", code, a.Error)
	}
	r.printer.change(func(s *printer.Snapshot) { s.State = printer.Idle })
	r.machine.deaf = true
	if code, a := r.command(t, "owner", `{"do":"reboot"}`); code != 409 || a.Error.Code != "no_machine" {
		t.Errorf("nobody hears: got %d %+v", code, a.Error)
	}
}

func TestThePowerIsAsItWasAfterARestart(t *testing.T) {
	whole := `{"power":{"kind":"tasmota","address":"http://plug","password":"x"},"after_print":true,"cool_c":45}`
	for text, want := range map[string]power.Kind{whole: power.Tasmota, `{"power":{"kind":"tasmota"},"cool_c":45}`: power.None, `{"power":7}`: power.None, `{}`: power.None} {
		got, err := ReadPower(t.Context(), kept{"power": text})
		if err != nil || got.Power.Kind != want || got.Validate() != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	if got, err := ReadPower(t.Context(), kept{}); err != nil || got != power.UsualSettings() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestThePowerIsChosenForAPrint(t *testing.T) {
	r := newRig(t)
	board := r.cfg.Power.(*power.Board)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { board.Run(ctx) })
	defer running.Wait()
	defer cancel()
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","power_off":true,"anyway":true}`); code != 200 {
		t.Fatalf("got %d %+v", code, a.Error)
	}
	for s := range board.Statuses().Each(ctx) {
		if s.Phase == power.Print {
			return
		}
	}
}
