package octoprint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/internal/renew"
	"layerd/internal/server"
	"layerd/internal/server/servertest"
	"layerd/printer"
)

// plug is a Shelly of the first generation.
type plug struct {
	*httptest.Server
	mu sync.Mutex // guards on
	on bool
}

func newPlug(t *testing.T) *plug {
	p := &plug{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if turn := r.URL.Query().Get("turn"); turn != "" {
			p.on = turn == "on"
		}
		fmt.Fprintf(w, `{"ison":%t}`, p.on)
	}))
	t.Cleanup(p.Close)
	return p
}

// What apps know as PSU Control is there once a switch is set up.
func TestPSUControl(t *testing.T) {
	r, p := newRig(t, 50), newPlug(t)
	const path = "/api/plugin/psucontrol"
	r.get(path).refused(404)
	r.post(path, `{"command":"getPSUState"}`).refused(400)
	r.get("/api/settings").is(200).has(map[string]any{"plugins.psucontrol": "(missing)"})
	settings := power.UsualSettings()
	settings.Power = power.Way{Kind: power.Shelly, Address: p.URL}
	owner := access.Identity{ID: "o", Name: "o", Role: access.Owner, Confirmed: true}
	if err := r.server.Try(t.Context(), owner, server.Command{Do: "set_power", Power: &settings}); err != nil {
		t.Fatal(err)
	}
	r.get("/api/settings").is(200).has(map[string]any{"plugins.psucontrol.switchingMethod": "PLUGIN"})
	for _, step := range []struct {
		command string
		on      bool
	}{{"turnPSUOn", true}, {"togglePSU", false}, {"togglePSU", true}, {"turnPSUOff", false}, {"turnPSUOff", false}, {"turnPSUOn", true}} {
		r.post(path, `{"command":"`+step.command+`"}`).is(204)
		r.post(path, `{"command":"getPSUState"}`).is(200).has(map[string]any{"isPSUOn": step.on})
		r.get(path).is(200).has(map[string]any{"isPSUOn": step.on})
	}
	r.post(path, `{"command":"explode"}`).refused(400)
	r.becomes(printer.Idle) // it is connected again by itself
}

func TestPSUControlTellsOfTheSwitch(t *testing.T) {
	state := func(on power.State) moment {
		st := server.State{Power: &server.PowerState{On: on}}
		st.Rev = 7
		return moment{st: st}
	}
	none := moment{}
	none.st.Rev = 7
	for _, c := range []struct {
		was, is moment
		want    []bool
	}{{none, none, nil}, {none, state(power.On), []bool{true}}, {state(power.On), state(power.On), nil}, {state(power.On), state(power.Off), []bool{false}}, {state(power.Off), state(power.Unknown), nil}, {state(power.On), none, nil}} {
		var got []bool
		for _, m := range pluginsBetween(c.was, c.is) {
			if m.Plugin == "psucontrol" {
				got = append(got, m.Data["isPSUOn"] == true)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v then %+v: got %v, want %v", c.was.st.Power, c.is.st.Power, got, c.want)
		}
	}
}

// machine writes down what is done to it.
type machine struct {
	can  []power.Deed
	done []power.Deed
}

func (m *machine) Can(d power.Deed) bool { return slices.Contains(m.can, d) }
func (m *machine) Do(_ context.Context, d power.Deed) error {
	m.done = append(m.done, d)
	return nil
}

// Home Assistant has buttons for these, and sends two slashes.
func TestSystemCommands(t *testing.T) {
	m := &machine{can: []power.Deed{power.Reboot}}
	g := servertest.New(t, func(c *server.Config) {
		c.Machine, c.Renewer = m, renew.New(renew.Config{Snapshots: c.Printer.Snapshots(), Again: true})
	})
	g.Mount(New(g.Server))
	var listed struct{ Core []SystemCommand }
	if err := json.Unmarshal(g.Ask("GET", "/api/system/commands", "viewer", "").Body.Bytes(), &listed); err != nil || len(listed.Core) != 2 || listed.Core[0].Action != "reboot" || listed.Core[1].Action != "restart" {
		t.Errorf("got %+v, %v", listed, err)
	}
	for _, c := range []struct {
		key, path string
		want      int
	}{{"owner", "//api/system/commands/core/reboot", 204}, {"owner", "/api/system/commands/core/restart", 204}, {"owner", "/api/system/commands/core/shutdown", 404},
		{"owner", "/api/system/commands/core/explode", 404}, {"owner", "/api/system/commands/custom/reboot", 404}, {"operator", "/api/system/commands/core/reboot", 403}} {
		if w := g.AskWith("POST", c.path, "{}", "X-Api-Key", c.key, "Content-Type", "application/json"); w.Code != c.want {
			t.Errorf("%s as %s: got %d %s, want %d", c.path, c.key, w.Code, w.Body, c.want)
		}
	}
	if want := []power.Deed{power.Reboot}; !slices.Equal(m.done, want) {
		t.Errorf("got %q, want %q", m.done, want)
	}
	g.Change(func(s *printer.Snapshot) { s.State = printer.Printing })
	if w := g.Ask("POST", "/api/system/commands/core/reboot", "owner", "{}"); w.Code != 409 || len(m.done) != 1 {
		t.Errorf("in mid-print: got %d %s", w.Code, w.Body)
	}
}
