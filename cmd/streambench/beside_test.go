package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Goals compare with who prints alone, in the rounds that others left alone.
func TestGoalsBesideClients(t *testing.T) {
	many := make([]time.Duration, 100)
	for i := range many {
		many[i] = 5 * time.Millisecond
	}
	good := waits{kept: many, fresh: many, gaps: many, late: many}
	slow := waits{kept: many, fresh: append(many[:98:98], 30*time.Millisecond, 30*time.Millisecond), gaps: many, late: many}
	printed := func(lines, starved int, others float64, waited waits) round {
		return round{row{measure: measure{lines: lines, to: time.Second, starved: starved}, others: others}, waited}
	}
	alone := &way{rounds: []round{printed(101, 0, 0.1, waits{}), printed(201, 0, 0.5, waits{}), printed(11, 9, 0.9, waits{})}} // the first alone was calm
	failed := round{row: row{failed: "it fell over"}}
	for _, c := range []struct {
		rounds []round
		missed string // the goals that are not met
	}{
		{[]round{printed(101, 0, 0.1, good), printed(100, 0, 0, good)}, ""},
		{[]round{printed(98, 0, 0.1, good)}, "lines/s of those alone ≥ 99.0 %"},
		{[]round{printed(101, 2, 0.1, good), failed}, "no starvation"},
		{[]round{printed(11, 2, 0.6, slow), printed(101, 0, 0.5, good)}, ""},
		{[]round{printed(101, 0, 0.1, slow)}, "p99 of polls over new connections ≤ 20ms"},
		{[]round{failed}, "all of them served"},
		{[]round{printed(101, 0, 0.1, waits{kept: many, late: many})}, "all of them served"},
	} {
		w := &way{name: "clients", beside: true, rounds: c.rounds}
		var missed []string
		for _, g := range w.sum().goals(alone.sum()) {
			if !g.met {
				missed = append(missed, g.want)
			}
		}
		if got := strings.Join(missed, ", "); got != c.missed {
			t.Errorf("%+v: missed %q, want %q", c.rounds[0].measure, got, c.missed)
		}
		if cells := w.cells(alone); len(cells) != len(waysHeading) {
			t.Errorf("%d cells for %d columns", len(cells), len(waysHeading))
		}
	}
	if got := quantile(nil, 0.99); got != 0 {
		t.Errorf("of no times: %v", got)
	}
}

// The real daemon prints for a second, by turns alone and beside clients. The numbers are as good as the machine is; each client must have been served.
func TestClientsBeside(t *testing.T) {
	dir := t.TempDir()
	// As the Makefile builds them, so that both share what is compiled.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=v1.2.3-test", "-o", dir+"/", "layerd/cmd/layerd", "layerd/cmd/streambench", "layerd/cmd/printsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	run := exec.Command(filepath.Join(dir, "streambench"), "--corpus", dir, "--span", "1s", "--rounds", "1", "--only", "clients")
	run.Env = append(os.Environ(), "TMPDIR="+dir)
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	exact, served := 0, 0
	for line := range strings.Lines(string(said)) {
		cells := strings.Split(line, "|")
		switch {
		case strings.Contains(line, "| daemon beside ") && strings.Contains(line, " exact "):
			exact++
		case strings.HasPrefix(line, "| clients") && len(cells) == len(waysHeading)+2:
			served++
			for i, want := range waysHeading {
				if got := strings.TrimSpace(cells[i+1]); got == "–" || got == "0" && (want == "polls" || want == "pushes") {
					t.Errorf("%s: %q", want, got)
				}
			}
		}
	}
	if exact != 3 || served != 2 {
		t.Errorf("%d exact streams and %d rows of clients, want 3 and 2:\n%s", exact, served, said)
	}
}
