package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"layerd/internal/renew"
	"layerd/internal/server"
	"layerd/printer"
)

func TestANewVersionOnTheDisk(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "10", "--heat", "100")
	copied := func(to string) {
		t.Helper()
		program, err := os.ReadFile(layerdProgram)
		if err == nil {
			err = os.WriteFile(to, program, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	program, dir := filepath.Join(t.TempDir(), "layerd"), t.TempDir()
	copied(program)
	env, _ := systemd(t)
	d := &daemon{data: t.TempDir()}
	env = plain(t, port(m.link, append(env, "INVOCATION_ID=1", "RUNTIME_DIRECTORY="+dir)...)...)
	d.child = begin(t, env, program, "--config", emptyConfig, "--data", d.data, "--listen", "127.0.0.1:0")
	d.await("its address", d.address)
	d.token = d.newToken("owner")
	d.reach(printer.Idle)
	d.start("ring.gcode", ring(t))
	d.until("printing", func(s server.State) bool { return s.State == printer.Printing })
	busy := func() bool { _, err := os.Stat(filepath.Join(dir, "busy")); return err == nil }
	d.await("the mark that a restart would hurt", busy)

	copied(program + ".new") // as dpkg does it
	if err := os.Rename(program+".new", program); err != nil {
		t.Fatal(err)
	}
	d.until("word of the new version", func(s server.State) bool { return s.NewVersion })
	if code, a := d.try(d.token, `{"do":"restart"}`); code != http.StatusConflict || a.Error.Code != "wrong_state" {
		t.Errorf("a restart in mid-print: got %d %+v", code, a.Error)
	}
	d.do(`{"do":"cancel","job":%q}`, d.state().Job.ID)
	d.reach(printer.Idle)
	d.do(`{"do":"restart"}`)
	if code := d.wait(); code != renew.AgainCode {
		t.Errorf("exit code %d, want %d", code, renew.AgainCode)
	}
	if busy() {
		t.Error("the mark is left behind")
	}
}
