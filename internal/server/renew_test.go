package server

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"layerd/internal/latest"
	"layerd/internal/power"
	"layerd/internal/renew"
	"layerd/internal/store"
	"layerd/printer"
)

// fakeRenewer notes restarts.
type fakeRenewer struct {
	waits    *latest.Value[bool]
	comes    bool // layerd would be started again
	refuses  error
	restarts int
}

func (f *fakeRenewer) Waits() *latest.Value[bool] { return f.waits }

func (f *fakeRenewer) Again() bool { return f.comes }

func (f *fakeRenewer) Restart() error {
	if f.refuses != nil {
		return f.refuses
	}
	f.restarts++
	return nil
}

func TestRestart(t *testing.T) {
	f := &fakeRenewer{waits: latest.New(true)}
	r := newRig(t, func(c *Config) { c.Renewer = f })
	if !r.compose().state.NewVersion {
		t.Error("the state does not tell that a new version waits")
	}
	if code, a := r.command(t, "owner", `{"do":"restart"}`); code != http.StatusOK || f.restarts != 1 {
		t.Errorf("got %d %+v, %d restarts", code, a.Error, f.restarts)
	}
	if code, _ := r.command(t, "operator", `{"do":"restart"}`); code != http.StatusForbidden {
		t.Errorf("an operator: got %d", code)
	}
	for code, err := range map[string]error{"wrong_state": fmt.Errorf("%w: a restart would end the print", printer.ErrWrongState), "no_restart": renew.ErrNobody} {
		f.refuses = err
		if got, a := r.command(t, "owner", `{"do":"restart"}`); got != http.StatusConflict || a.Error.Code != code || a.Error.Next == "" {
			t.Errorf("%s: got %d %+v", code, got, a.Error)
		}
	}
	if f.restarts != 1 {
		t.Errorf("%d restarts", f.restarts)
	}
}

// What is no print yet, and would be broken off.
func TestARestartWaitsForWhatIsNoPrint(t *testing.T) {
	var r *rig
	asked := 0
	r = withArcs(t, func(context.Context) (store.Fitted, error) {
		asked++
		if got := r.Occupied(); got != "a print is about to start" {
			t.Errorf("while a print is made ready: %q", got)
		}
		for _, deed := range []string{"restart", "reboot", "shutdown"} {
			if code, a := r.command(t, "owner", `{"do":"`+deed+`"}`); code != http.StatusConflict || a.Error.Code != "wrong_state" {
				t.Errorf("%s while a print is made ready: got %d %+v", deed, code, a.Error)
			}
		}
		if now, _ := r.Config().Power.Statuses().Get(); now.Phase != power.Not {
			t.Errorf("the power: %+v", now)
		}
		return store.Fitted{Why: "it has no curves"}, store.ErrNotFitted
	})
	if got := r.Occupied(); got != "" {
		t.Errorf("at rest: %q", got)
	}
	if err := r.Config().Power.OffAfter(true); err != nil {
		t.Fatal(err)
	}
	if got := r.Occupied(); got != "the power is to go off by itself soon" {
		t.Errorf("while it cools: %q", got)
	}
	if code, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true}`); code != http.StatusOK || asked != 1 {
		t.Fatalf("got %d %+v, %d copies", code, a.Error, asked)
	}
	for name, places := range map[string]slots{"a file comes in": r.uploads, "a backup is made or taken in": r.backups} {
		if err := places.take(); err != nil {
			t.Fatal(err)
		}
		if got := r.Occupied(); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
		places.free()
	}
}
