package server

import (
	"fmt"
	"net/http"
	"testing"

	"layerd/internal/latest"
	"layerd/internal/renew"
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
