package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"layerd/internal/health"
	"layerd/printer"
)

// diagnosed runs layerd doctor in this process.
func diagnosed(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"doctor"}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestDoctorWithoutADaemon(t *testing.T) {
	t.Parallel()
	code, out, _ := diagnosed(t, "--json", "--data", t.TempDir(), "--listen", "127.0.0.1:1")
	var r health.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if code != 0 != (r.Level == health.Bad) {
		t.Errorf("the exit code is %d, the worst %+v", code, r.Worst())
	}
	seen := map[string]bool{}
	for _, c := range r.Checks {
		seen[c.ID] = true
	}
	for _, id := range []string{"daemon", "disk", "memory", "clock", "port", "camera", "machine"} {
		if !seen[id] {
			t.Errorf("nothing is said of %s", id)
		}
	}
	_, table, _ := diagnosed(t, "--data", t.TempDir(), "--listen", "127.0.0.1:1")
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		if line != "" && !regexp.MustCompile(`^(ok|note|not known|warning|BAD) +\S|^ {37}\S|^(All is well|Nothing is bad|Something is bad)`).MatchString(line) {
			t.Errorf("%q is no line of the table", line)
		}
	}
}

// A configuration that is wrong is a finding too, and no reason to look at nothing else.
func TestDoctorWithAWrongConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "layerd.yaml")
	if err := os.WriteFile(file, []byte("printer:\n  prot: /dev/ttyUSB0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := diagnosed(t, "--config", file)
	if code != 1 || !regexp.MustCompile(`(?m)^BAD +Configuration`).MatchString(out) || !strings.Contains(out, "unknown key printer.prot") || !strings.Contains(out, "free for programs") {
		t.Errorf("got %d:\n%s", code, out)
	}
}

// Beside a daemon it says that one runs, and leaves the printer's port alone.
func TestDoctorBesideADaemon(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "100", "--heat", "100")
	data := t.TempDir()
	d := startDaemon(t, data, port(m.link))
	d.reach(printer.Idle)
	before := d.state().Link
	_, out, _ := diagnosed(t, "--json", "--data", data, "--listen", strings.Trim(strings.TrimPrefix(d.url, "http://"), "/"))
	if !strings.Contains(out, "It runs, and its page answers.") {
		t.Errorf("got %s", out)
	}
	if after := d.state(); after.State != printer.Idle || after.Link.Resends != before.Resends || after.Link.Unknown != before.Unknown {
		t.Errorf("the printer noticed: %+v, before %+v", after.Link, before)
	}
}
