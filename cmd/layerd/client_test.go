package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// What flows here: a daemon → the address that it prints → its API, asked as a script asks it.

// daemon is a layerd that serves.
type daemon struct {
	*child
	data  string
	url   string // of the page, with a '/' at the end
	token string // of an owner
}

// port is the variable that names the printer's port, and others that most tests want.
func port(path string, more ...string) []string {
	return append([]string{"LAYERD_PRINTER_PORT=" + path, "LAYERD_PRINTER_BAUD=115200", "LAYERD_CAMERA_DEVICE=none"}, more...)
}

// startDaemon starts layerd on a data directory, and waits until it serves. An owner's token is made while it runs.
func startDaemon(t *testing.T, data string, env []string, args ...string) *daemon {
	t.Helper()
	d := startFresh(t, data, env, args...)
	d.token = d.newToken("owner")
	return d
}

// startFresh is startDaemon without the token.
func startFresh(t *testing.T, data string, env []string, args ...string) *daemon {
	t.Helper()
	d := &daemon{data: data}
	d.child = begin(t, plain(t, env...), layerdProgram, append([]string{"--config", emptyConfig, "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
	d.await("its address", d.address)
	return d
}

// address takes the address from what was printed, if it is there.
func (d *daemon) address() (ok bool) {
	_, after, _ := strings.Cut(d.out.String(), "serves its page on ")
	d.url, _, ok = strings.Cut(after, "\n")
	return ok
}

// newToken makes a token with the command line.
func (d *daemon) newToken(role string) string {
	d.t.Helper()
	made := runLayerd(d.t, plain(d.t), "token", "create", "--config", emptyConfig, "--data", d.data, "--name", "test "+role, "--role", role)
	if made.code != 0 || made.last() == "" || strings.ContainsAny(made.last(), " \t") {
		d.t.Fatalf("token create: exit code %d, last line %q, %s", made.code, made.last(), made.err)
	}
	return made.last()
}

var client = &http.Client{Timeout: patience}

// ask sends one request and returns status and body. path is below the address, as it stands in the request line.
func (d *daemon) ask(method, path, token string, body io.Reader) (status int, answer []byte) {
	d.t.Helper()
	r, err := http.NewRequest(method, d.url+strings.TrimPrefix(path, "/"), body)
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(r)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, answer
}

// get asks as the owner and decodes what must be well.
func get[T any](d *daemon, path string) (v T) {
	d.t.Helper()
	status, body := d.ask("GET", path, d.token, nil)
	if status != http.StatusOK {
		d.t.Fatalf("GET %s: status %d, %s", path, status, body)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		d.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return v
}

func (d *daemon) state() server.State { d.t.Helper(); return get[server.State](d, "/v1/state") }
func (d *daemon) prints() []store.Print {
	d.t.Helper()
	return get[server.PrintList](d, "/v1/prints").Prints
}
func (d *daemon) files() []store.File {
	d.t.Helper()
	return get[server.FileList](d, "/v1/files").Files
}

// row polls until the history has the end of a job; it is written after the state says so, since no printer waits for a disk.
func (d *daemon) row(job string) (p store.Print) {
	d.t.Helper()
	d.await("end of "+job+" in the history", func() bool {
		rows := d.prints()
		i := slices.IndexFunc(rows, func(p store.Print) bool { return p.ID == job })
		if i >= 0 {
			p = rows[i]
		}
		return p.Outcome != ""
	})
	return p
}

// put uploads a file and returns how it is listed.
func (d *daemon) put(path string, content []byte) (f store.File) {
	d.t.Helper()
	status, body := d.ask("PUT", "/v1/files/"+path, d.token, bytes.NewReader(content))
	if err := json.Unmarshal(body, &f); status != http.StatusCreated || err != nil {
		d.t.Fatalf("PUT %s: status %d, %s", path, status, body)
	}
	return f
}

// try gives a command as JSON and returns the HTTP status and the answer.
func (d *daemon) try(token, command string, args ...any) (int, server.Answer) {
	d.t.Helper()
	command = fmt.Sprintf(command, args...)
	status, body := d.ask("POST", "/v1/do", token, strings.NewReader(command))
	var a server.Answer
	if err := json.Unmarshal(body, &a); err != nil {
		d.t.Fatalf("%s: status %d, %s", command, status, body)
	}
	return status, a
}

// do gives a command as the owner, which must be accepted.
func (d *daemon) do(command string, args ...any) server.Answer {
	d.t.Helper()
	status, a := d.try(d.token, command, args...)
	if status != http.StatusOK || a.Error != nil {
		d.t.Fatalf(command+": status %d, %+v", append(args, status, a.Error)...)
	}
	return a
}

// until polls the state until it is as wanted.
func (d *daemon) until(what string, ok func(s server.State) bool) (s server.State) {
	d.t.Helper()
	defer func() {
		if d.t.Failed() {
			d.t.Logf("the last state seen: %v, fault %+v, job %+v, last job %+v", s.State, s.Fault, s.Job, s.LastJob)
		}
	}()
	d.await(what, func() bool { s = d.state(); return ok(s) })
	return s
}

// reach polls until the printer is in a state.
func (d *daemon) reach(want printer.State) server.State {
	d.t.Helper()
	return d.until("state "+want.String(), func(s server.State) bool { return s.State == want })
}

// faulted polls until there is a fault with this code.
func (d *daemon) faulted(code printer.FaultCode) server.State {
	d.t.Helper()
	return d.until("fault "+string(code), func(s server.State) bool { return s.Fault != nil && s.Fault.Code == code })
}

// start uploads a file under a name and starts it.
func (d *daemon) start(name string, content []byte) (job string) {
	d.t.Helper()
	d.put(name, content)
	return d.do(`{"do":"start","file":%q,"anyway":true}`, name).Job
}

// end stops the daemon as systemd does, within what systemd allows.
func (d *daemon) end(within time.Duration) {
	d.t.Helper()
	code, took := d.stop(syscall.SIGTERM)
	if code != 0 {
		d.t.Errorf("layerd ended with %d, want 0", code)
	}
	if took > within {
		d.t.Errorf("layerd took %v to end, want less than %v", took, within)
	}
	if entries, err := os.ReadDir(filepath.Join(d.data, "tmp")); err != nil || len(entries) > 0 {
		d.t.Errorf("left in tmp: %v, %v", entries, err)
	}
}
