package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layerd/printer"
)

// What flows here: libraries of others, from PyPI, as they are → small scripts that use them → a layerd with a pretend printer.

const clientsDir = "testdata/clients"

// pythonClients are the scripts there.
var pythonClients = []string{"octorest", "pyoctoprintapi", "octoprintcli", "prusalinkpy", "pyprusalink", "prusalinkapi", "prusaslicer", "moonrakerapi", "klipperctl"}

// pythonWithClients is a Python that has them. It is made once for each list of requirements, outside of the repository.
func pythonWithClients(t *testing.T) string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(clientsDir, "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(list)
	dir := filepath.Join(cache, "layerd-clients", hex.EncodeToString(sum[:8]))
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(python); err == nil {
		return python
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	if out, err := runOther(2*time.Minute, "python3", "-m", "venv", fresh); err != nil {
		notTried(t, len(pythonClients), "no python3 with python3-venv: %v %.200s", err, out)
	}
	if out, err := runOther(3*time.Minute, filepath.Join(fresh, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(clientsDir, "requirements.txt")); err != nil {
		notTried(t, len(pythonClients), "PyPI is not reachable: %v %.200s", err, out)
	}
	if err := os.Rename(fresh, dir); err != nil && !os.IsExist(err) { // another test run may have been quicker
		if _, err := os.Stat(python); err != nil {
			t.Fatal(err)
		}
	}
	return python
}

// notTried skips a test of n clients of others, and says why: make test prints it at its end.
func notTried(t *testing.T, n int, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	if list := os.Getenv("CLIENTS_NOT_TRIED"); list != "" {
		f, err := os.OpenFile(list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := fmt.Fprintln(f, n, strings.Join(strings.Fields(why), " ")); err != nil {
			t.Fatal(err)
		}
	}
	t.Skipf("NOT TRIED: %d clients that come from a registry: %s", n, why)
}

// runOther runs a program of others, which gets so much time.
func runOther(within time.Duration, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return string(out), err
}

// Clients of OctoPrint, PrusaLink and Moonraker, each with one whole life of a file: sent, printed, paused, gone on with, cancelled, deleted.
func TestRealClients(t *testing.T) {
	t.Parallel()
	python := pythonWithClients(t)
	m := switchOn(t, "--speed", "60", "--heat", "60", "--advanced-ok")
	d := startDaemon(t, t.TempDir(), port(m.link, "LAYERD_CAMERA_DEVICE=simulated"))
	d.reach(printer.Idle)
	made := d.makeToken("operator")
	at, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(t.TempDir(), "cube.gcode")
	if err := os.WriteFile(part, longPart(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range pythonClients {
		began, script := time.Now(), filepath.Join(clientsDir, name+"_client.py")
		for _, used := range []string{script, filepath.Join(clientsDir, "until.py")} { // what is looked at here, go test knows to have changed
			if _, err := os.Stat(used); err != nil {
				t.Fatal(err)
			}
		}
		out, err := runOther(patience, python, "-B", script, at.Hostname(), at.Port(), made.Secret, made.Token.ID, made.Digest, part, d.token)
		if err != nil || !strings.HasSuffix(out, "ok\n") {
			t.Errorf("%s: %v\n%s", name, err, out)
			d.try(d.token, `{"do":"cancel"}`)
		}
		d.reach(printer.Idle)
		t.Logf("%s took %v", name, time.Since(began).Round(time.Millisecond))
	}
}

// curl logs in by HTTP Digest with its own code, and sends what it reads from a pipe in chunks, since it does not know how long that will be.
func TestCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		notTried(t, 1, "no curl")
	}
	m := switchOn(t, "--speed", "20", "--heat", "20", "--advanced-ok")
	d := startDaemon(t, t.TempDir(), port(m.link))
	d.reach(printer.Idle)
	made := d.makeToken("operator")
	part := filepath.Join(t.TempDir(), "cube.gcode")
	if err := os.WriteFile(part, longPart(), 0o600); err != nil {
		t.Fatal(err)
	}
	curl := func(want string, input []byte, args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := exec.CommandContext(ctx, "curl", append([]string{"--silent", "--show-error", "--noproxy", "*", "--write-out", " %{http_code}"}, args...)...)
		c.Stdin = bytes.NewReader(input)
		out, err := c.CombinedOutput()
		if err != nil || !strings.HasSuffix(string(out), " "+want) {
			t.Errorf("curl %q: got %s, %v, want %s", args, out, err, want)
		}
		return string(out)
	}
	login, wrong := made.Token.ID+":"+made.Digest, made.Token.ID+":wrong"
	if got := curl("200", nil, "--digest", "--user", login, d.url+"api/version"); !strings.Contains(got, `"text":"PrusaLink`) {
		t.Errorf("got %s", got)
	}
	curl("200", nil, "--anyauth", "--user", login, d.url+"api/v1/status", d.url+"api/v1/job", "--next", "--silent", "--digest", "--user", login, "--write-out", " %{http_code}", d.url+"api/v1/storage")
	curl("401", nil, "--digest", "--user", wrong, d.url+"api/version")
	curl("401", nil, "--user", login, d.url+"api/version") // Basic is not taken: it would show the password to whoever listens
	curl("401", longPart(), "--digest", "--user", wrong, "--upload-file", part, d.url+"api/v1/files/local/not.gcode")
	curl("201", longPart(), "--digest", "--user", login, "--upload-file", "-", d.url+"api/v1/files/local/piped.gcode")
	curl("201", nil, "--digest", "--user", login, "--form", "print=false", "--form", "file=@"+part, d.url+"api/files/local")
	curl("201", nil, "--digest", "--user", login, "--header", "Print-After-Upload: ?1", "--upload-file", part, d.url+"api/v1/files/usb/printed.gcode")
	d.reach(printer.Printing)
	var names []string
	for _, f := range d.files() {
		names = append(names, f.Path)
		if f.Bytes != int64(len(longPart())) {
			t.Errorf("%s has %d bytes, want %d", f.Path, f.Bytes, len(longPart()))
		}
	}
	if got := strings.Join(names, " "); got != "cube.gcode piped.gcode printed.gcode" {
		t.Errorf("got the files %s", got)
	}
}

// longPart is a print that nobody waits to the end of: layers of one long line each.
func longPart() []byte {
	var b bytes.Buffer
	b.WriteString("; generated by PrusaSlicer 2.7.0\nM140 S50\nM104 S200\nG28\nM190 S50\nM109 S200\nM83\n")
	for layer := range 400 {
		fmt.Fprintf(&b, ";LAYER_CHANGE\n;Z:%.1f\nG1 Z%.1f F600\n", 0.2*float64(layer+1), 0.2*float64(layer+1))
		for side := range 8 {
			fmt.Fprintf(&b, "G1 X%d Y%d E0.5 F1200\n", 20+160*(side%2), 20+20*side)
		}
	}
	b.WriteString("M104 S0\nM140 S0\n; estimated printing time (normal mode) = 2h 0m 0s\n")
	return b.Bytes()
}
