package moonraker

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"layerd/internal/power"
	"layerd/internal/server"
	"layerd/internal/server/servertest"
	"layerd/printer"
)

// computer writes down what is done to it.
type computer struct{ done []power.Deed }

func (c *computer) Can(power.Deed) bool { return true }
func (c *computer) Do(_ context.Context, d power.Deed) error {
	c.done = append(c.done, d)
	return nil
}

func TestThePowerIsADevice(t *testing.T) {
	g := newStage(t)
	var mu sync.Mutex // guards on
	on := false
	plug := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if turn := r.URL.Query().Get("turn"); turn != "" {
			on = turn == "on"
		}
		fmt.Fprintf(w, `{"ison":%t}`, on)
	}))
	defer plug.Close()
	const devices, one = "/machine/device_power/devices", "/machine/device_power/device?device=printer"
	if got := at(t, g.ask(200, "viewer", "GET", devices, ""), "result/devices/0"); got != "(missing)" {
		t.Errorf("without a switch: got %v", got)
	}
	g.ask(404, "operator", "POST", one+"&action=on", "")
	settings := power.UsualSettings()
	settings.Power = power.Way{Kind: power.Shelly, Address: plug.URL}
	if err := g.Power.Set(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	body := g.ask(200, "viewer", "GET", devices, "")
	for path, want := range map[string]any{"device": "printer", "status": "init", "locked_while_printing": true} {
		if got := at(t, body, "result/devices/0/"+path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	for _, step := range []struct{ action, want string }{{"on", "on"}, {"toggle", "off"}, {"toggle", "on"}, {"off", "off"}} {
		for _, text := range [][]byte{g.ask(200, "operator", "POST", one+"&action="+step.action, ""), g.ask(200, "viewer", "GET", one, "")} {
			if got := at(t, text, "result/printer"); got != step.want {
				t.Errorf("%s: got %v, want %s", step.action, got, step.want)
			}
		}
	}
	g.ask(403, "viewer", "POST", one+"&action=on", "")
	g.ask(400, "operator", "POST", one+"&action=explode", "")
	g.ask(404, "operator", "POST", "/machine/device_power/device?device=other&action=on", "")
	g.Change(func(s *printer.Snapshot) { s.State = printer.Printing })
	g.ask(409, "operator", "POST", one+"&action=off", "")
}

func TestTheMachineIsRestarted(t *testing.T) {
	c := &computer{}
	g := &stage{servertest.New(t, func(cfg *server.Config) { cfg.Machine = c }), t}
	g.Mount(New(g.Server))
	g.ask(200, "owner", "POST", "/machine/reboot", "")
	g.ask(200, "owner", "POST", "/machine/shutdown", "")
	g.ask(403, "operator", "POST", "/machine/reboot", "")
	g.ask(404, "owner", "POST", "/server/restart", "")
	if want := []power.Deed{power.Reboot, power.Shutdown}; !slices.Equal(c.done, want) {
		t.Errorf("got %q, want %q", c.done, want)
	}
}
