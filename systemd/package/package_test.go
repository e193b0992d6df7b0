// Package package_test looks at what systemd and dpkg are given, by their own programs.
package package_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func runs(t *testing.T, name string, args ...string) (out string, ok bool) {
	t.Helper()
	b, err := exec.Command(name, args...).CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return string(b), err == nil
}

// exposureLimit is ten times what systemd calls the exposure level: 2.0 of 10.
const exposureLimit = "20"

func TestTheServiceIsClosed(t *testing.T) {
	out, ok := runs(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+exposureLimit, "../layerd.service")
	if !ok {
		t.Errorf("the service is open:\n%s", out)
	}
	// That it would be seen: the same without some of its walls.
	text, err := os.ReadFile("../layerd.service")
	if err != nil {
		t.Fatal(err)
	}
	open := regexp.MustCompile(`(?m)^(CapabilityBoundingSet|SystemCallFilter|ProtectSystem)=.*$`).ReplaceAllString(string(text), "")
	worse := filepath.Join(t.TempDir(), "layerd.service")
	if err := os.WriteFile(worse, []byte(open), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, ok := runs(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+exposureLimit, worse); ok {
		t.Errorf("without its walls it passes too:\n%s", out)
	}
}

// Keys that systemd has from 254 on; older ones leave them out, with a word in the journal.
var since254 = regexp.MustCompile(`(?m)^.*Unknown key (name )?'(RestartSteps|RestartMaxDelaySec)' in section.*\n`)

func TestTheUnitsAreRight(t *testing.T) {
	units, err := filepath.Glob("../*.service")
	more, err2 := filepath.Glob("../*.path")
	if err != nil || err2 != nil || len(units) == 0 {
		t.Fatal(units, err, err2)
	}
	dir := t.TempDir() // with a program that is there
	args := []string{"verify", "--man=no"}
	for _, unit := range append(units, more...) {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), "/usr/bin/layerd", "/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, copied)
	}
	if out, _ := runs(t, "systemd-analyze", args...); since254.ReplaceAllString(out, "") != "" {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}
}

func TestVersionsSort(t *testing.T) {
	if _, err := os.ReadFile("version"); err != nil { // so that go test knows on what this hangs
		t.Fatal(err)
	}
	last := "0.0.0+20261127.220000.gabcdef0" // before the first tag, by the commit's time
	for _, described := range []string{"v0.9.0-rc1", "v0.9.0-rc1-3-gabcdef0", "v0.9.0-rc2", "v0.9.0", "v0.9.0-5-gabcdef0", "v0.9.0-5-gabcdef0-dirty", "v0.9.0-12-gabcdef0", "v0.9.1", "v0.10.0", "v1.0.0"} {
		out, ok := runs(t, "./version", described)
		version := strings.TrimSpace(out)
		if !ok || version == "" {
			t.Fatalf("version %s: %s", described, out)
		}
		if out, ok := runs(t, "dpkg", "--compare-versions", last, "lt", version); !ok {
			t.Errorf("%s (%s) is not after %s for dpkg %s", version, described, last, out)
		}
		last = version
	}
}

func TestScriptsAreClean(t *testing.T) {
	scripts := []string{"version", "changelog", "build", "notices", "postinst", "prerm", "postrm", "../../.ci/deb-install", "../../.ci/deb-check"}
	for _, script := range scripts { // so that go test knows on what this hangs
		if _, err := os.ReadFile(script); err != nil {
			t.Fatal(err)
		}
	}
	if out, ok := runs(t, "shellcheck", scripts...); !ok {
		t.Errorf("shellcheck:\n%s", out)
	}
	for _, script := range []string{"postinst", "prerm", "postrm", "version", "changelog"} {
		if out, ok := runs(t, "dash", "-n", script); !ok {
			t.Errorf("%s is no POSIX shell:\n%s", script, out)
		}
	}
}
