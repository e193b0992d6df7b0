package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// mostKiB is what layerd may need under any siege: about twice the most that the benchmark has seen, and well within a small Pi.
const mostKiB = 192 << 10

// TestAPrintUnderSiege runs a short siege of each kind that a print has to bear: the print stays exact, the owner's taps on Pause are
// answered, and memory stays bounded. How fast all that was is the benchmark's question.
func TestAPrintUnderSiege(t *testing.T) {
	bin := t.TempDir()
	// As the Makefile builds them, so that both share what is compiled.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=v1.2.3-test", "-o", bin+"/", "layerd/cmd/layerd", "layerd/cmd/printsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			r, err := besiege(t.Context(), bin, a, time.Second, 2, 60_000) // of which 600 a second are printed
			if err != nil {
				t.Fatal(err)
			}
			if r.exact != "yes" {
				t.Errorf("the print: %s", r.exact)
			}
			if r.peakKiB > mostKiB {
				t.Errorf("layerd needed %d MiB, want at most %d", r.peakKiB>>10, mostKiB>>10)
			}
			if len(r.http) != 2 || len(r.live) != 2 {
				t.Errorf("Pause was answered %d times over HTTP and %d times over the live socket, want twice each", len(r.http), len(r.live))
			}
			if a.strike != nil && r.told == "" {
				t.Error("nobody attacked")
			}
		})
	}
}
