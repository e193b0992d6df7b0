package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The whole program, with a real printsim, for a second of the line: the numbers are as good as the machine is, the stream must be exact.
func TestAShortRun(t *testing.T) {
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/", "layerd/cmd/streambench", "layerd/cmd/printsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	run := exec.Command(filepath.Join(dir, "streambench"), "--corpus", dir, "--span", "1s", "--only", "250000, 1 ms, advanced", "--streamers", "layerd,one-line")
	run.Env = append(os.Environ(), "TMPDIR="+dir)
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	if err := run.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, said.String(), out.String())
	}
	if !strings.Contains(out.String(), "generated rings") || !strings.Contains(said.String(), "no cura_benchy.gcode.gz in ") {
		t.Errorf("it does not say that it streams rings of its own:\n%s%s", said.String(), out.String())
	}
	for _, name := range []string{"layerd", "one-line"} {
		found := false
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "| 250000, 1 ms, advanced ok | "+name) {
				found = strings.Contains(line, " exact ")
			}
		}
		if !found {
			t.Errorf("%s has no row with an exact stream:\n%s", name, out.String())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "streambench-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
