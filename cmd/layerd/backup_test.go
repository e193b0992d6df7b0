package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"layerd/internal/backup"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// TestBackupAndRestore backs up in mid-print, by the command beside the daemon and by the page's request, restores in the three ways there are, and logs in with the
// old password and the old key.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "20", "--heat", "100")
	d := startDaemon(t, t.TempDir(), port(m.link))
	var link []string
	d.await("the link", func() bool { link = setupLink.FindStringSubmatch(d.out.String()); return link != nil })
	if status, body := d.ask("POST", "/v1/setup", "", strings.NewReader(`{"secret":"`+link[2]+`","name":"Anna","password":"correct horse"}`)); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	d.reach(printer.Idle)
	job := d.start("slow.gcode", bytes.Repeat(ring(t), 3))
	d.reach(printer.Printing)

	dir := t.TempDir()
	made, stream := filepath.Join(dir, "made.layerd-backup"), filepath.Join(dir, "piped")
	said := runLayerd(t, plain(t), "backup", made, "--config", emptyConfig, "--data", d.data)
	if said.code != 0 || !strings.Contains(said.out, "can be restored: settings, people, history and spools") {
		t.Fatalf("got %+v", said)
	}
	if info, err := os.Stat(made); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); left != nil {
		t.Errorf("left: %v", left)
	}
	to, err := os.Create(stream)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	piped := beginWith(t, func(c *exec.Cmd) { c.Stdout = to }, plain(t), layerdProgram, "backup", "--with-files", "-", "--config", emptyConfig, "--data", d.data)
	if code := piped.wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if said := runLayerd(t, plain(t), "backup", "--check", stream); said.code != 0 || !strings.Contains(said.out, "uploads") {
		t.Errorf("got %+v", said)
	}
	if ready := get[server.BackupReady](d, "/v1/backup/ready"); !strings.HasSuffix(ready.Name, ".layerd-backup") || ready.FilesBytes == 0 {
		t.Errorf("got %+v", ready)
	}
	status, fetched := d.ask("GET", "/v1/backup?files=1", d.token, nil)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if status, _ := d.ask("GET", "/v1/backup", d.newToken("operator"), nil); status != http.StatusForbidden {
		t.Errorf("an operator: status %d", status)
	}
	if s := d.state(); s.State != printer.Printing || s.Job.ID != job {
		t.Errorf("the print beside it: %+v", s)
	}
	d.await("the audit", func() bool {
		return slices.ContainsFunc(get[server.Audit](d, "/v1/audit").Entries, func(e store.Deed) bool {
			return e.What == "backup" && e.Outcome == "ok" && strings.Contains(e.Detail, "files")
		})
	})
	if said := runLayerd(t, plain(t), "restore", made, "--config", emptyConfig, "--data", d.data); said.code != 1 || !strings.Contains(said.err, "another layerd uses this data directory") {
		t.Errorf("into a running one: got %+v", said)
	}
	half := filepath.Join(d.data, "restoring")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	said = runLayerd(t, plain(t), "--config", emptyConfig, "--data", d.data, "--listen", "127.0.0.1:0")
	if _, err := os.Stat(half); said.code != 1 || !strings.Contains(said.err, "another layerd uses this data directory") || strings.Contains(said.err, "replace that file") || err != nil {
		t.Errorf("a second one while the first restores: got %+v, %v", said, err)
	}

	whole := func(data, file string) {
		t.Helper()
		again := startDaemon(t, data, port("/none"))
		if status, body := again.ask("POST", "/v1/login", "", strings.NewReader(`{"name":"anna","password":"correct horse"}`)); status != http.StatusOK {
			t.Errorf("%s: the old password: status %d, %s", file, status, body)
		}
		if status, _ := again.ask("GET", "/v1/people", d.token, nil); status != http.StatusOK {
			t.Errorf("%s: the old key: status %d", file, status)
		}
		if row := again.row(job); row.Outcome != "interrupted" {
			t.Errorf("%s: got %+v", file, row)
		}
		if strings.Contains(again.out.String(), "#setup=") {
			t.Errorf("%s: it offers to be set up", file)
		}
		again.end(patience)
	}
	byCommand := filepath.Join(t.TempDir(), "new")
	if said := runLayerd(t, plain(t), "restore", made, "--config", emptyConfig, "--data", byCommand); said.code != 0 || !strings.Contains(said.out, "were restored") {
		t.Fatalf("got %+v", said)
	}
	whole(byCommand, "by the command")
	if said := runLayerd(t, plain(t), "restore", made, "--config", emptyConfig, "--data", byCommand); said.code != 1 || !strings.Contains(said.err, "there is a layerd in this data directory already") {
		t.Errorf("twice: got %+v", said)
	}
	onStart := t.TempDir()
	if err := os.WriteFile(filepath.Join(onStart, backup.Waiting), fetched, 0o644); err != nil {
		t.Fatal(err)
	}
	whole(onStart, "on start")
	if _, err := os.Stat(filepath.Join(onStart, "files", "slow.gcode")); err != nil {
		t.Error(err)
	}

	// Given by the set-up link.
	env, told := systemd(t)
	fresh := startFresh(t, t.TempDir(), port("/none", env...))
	give := func(secret string, b []byte) int {
		t.Helper()
		r, err := http.NewRequest("POST", fresh.url+"v1/restore", bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Layerd-Setup", secret)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	var offered []string
	fresh.await("the link", func() bool { offered = setupLink.FindStringSubmatch(fresh.out.String()); return offered != nil })
	if got := give("AAAAAAAAAAAAAAAAAAAAAAAAAA", fetched); got != http.StatusUnauthorized {
		t.Errorf("without the link: status %d", got)
	}
	if got := give(offered[2], []byte("no backup")); got != http.StatusUnprocessableEntity {
		t.Errorf("no backup: status %d", got)
	}
	if got := give(offered[2], fetched); got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
	fresh.await("systemd to be told that it is ready, twice", func() bool { return strings.Count(told.String(), "READY=1\n") == 2 })
	fresh.await("it to begin anew", func() bool { return strings.Count(fresh.out.String(), "serves its page on "+fresh.url) == 2 })
	if strings.Contains(told.String(), "STOPPING=1\n") {
		t.Error("systemd was told that it ends: it would be killed")
	}
	if status, body := fresh.ask("POST", "/v1/login", "", strings.NewReader(`{"name":"anna","password":"correct horse"}`)); status != http.StatusOK {
		t.Errorf("by the link: the old password: status %d, %s", status, body)
	}
	if got := give(offered[2], fetched); got != http.StatusConflict {
		t.Errorf("twice: status %d", got)
	}
	if strings.Contains(told.String(), "STOPPING=1\n") {
		t.Error("systemd was told that it stops, and would kill it")
	}
	fresh.end(patience)

	// A card that loses its mind.
	if err := os.WriteFile(filepath.Join(onStart, "layerd.db"), bytes.Repeat([]byte("nothing "), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := runLayerd(t, plain(t), "--config", emptyConfig, "--data", onStart, "--listen", "127.0.0.1:0")
	if broken.code != 1 || !strings.Contains(broken.err, "damaged") || !strings.Contains(broken.err, backup.Done+" is one") || !strings.Contains(broken.err, "as "+backup.Waiting) {
		t.Errorf("got %+v", broken)
	}
}
