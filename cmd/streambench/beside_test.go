package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Goals compare with who prints alone, round by round taken together.
func TestGoalsBesideClients(t *testing.T) {
	printed := func(lines, starved int) row {
		return row{measure: measure{lines: lines, to: time.Second, starved: starved, longest: time.Duration(starved) * time.Second}}
	}
	alone := &way{name: "nothing", rows: []row{printed(101, 0), printed(201, 1), printed(11, 0)}} // the last was disturbed
	many := make([]time.Duration, 100)
	for i := range many {
		many[i] = 5 * time.Millisecond
	}
	good := waits{kept: many, fresh: many, gaps: many, late: many}
	bad := good
	bad.fresh = append(many[:98:98], 30*time.Millisecond, 30*time.Millisecond)
	for _, c := range []struct {
		rows   []row
		waits  waits
		missed string // the goals that are not met
	}{
		{[]row{printed(101, 0), printed(100, 1)}, good, ""},
		{[]row{printed(98, 0)}, good, "lines/s of those alone"},
		{[]row{printed(101, 2), {failed: "it fell over"}}, good, "starved no more often than alone"},
		{[]row{{failed: "it fell over"}}, good, "all of them served"},
		{[]row{printed(101, 0)}, waits{kept: many, late: many}, "all of them served"},
		{[]row{printed(101, 0)}, bad, "p99 of polls over new connections"},
	} {
		w := &way{name: "clients", beside: true, rows: c.rows, waits: c.waits}
		var missed []string
		for _, g := range w.goals(alone) {
			if !g.met {
				missed = append(missed, g.want)
			}
		}
		if got := strings.Join(missed, ", "); c.missed == "" && got != "" || !strings.HasPrefix(got, c.missed) || len(missed) > 1 {
			t.Errorf("%d lines/s: missed %q, want %q", c.rows[0].lines-1, got, c.missed)
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
