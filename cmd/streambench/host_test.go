package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/printer/printertest"
)

// The bare hosts are what others are measured by: they must themselves be exact, whatever the line does to them.
func TestBareHostsAreExact(t *testing.T) {
	job := rings().take(500, 2000)
	for _, c := range []struct {
		name        string
		most, bytes int
		faults      string
	}{
		{"one line", 1, 0, ""},
		{"one line, flips", 1, 0, "flip=5e-4"},
		{"one line, lost oks", 1, 0, "lostok=2e-3"},
		{"crude", 1 << 20, crudeBytes, ""},
		{"crude, flips", 1 << 20, crudeBytes, "flip=5e-4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				faults, err := printertest.ParseFaults(c.faults)
				if err != nil {
					t.Fatal(err)
				}
				sim, err := printertest.New(printertest.Config{Baud: 115200, USBLatency: time.Millisecond, AdvancedOK: true, Faults: faults, Seed: 1, KeepExecuted: true})
				if err != nil {
					t.Fatal(err)
				}
				ctx, end := context.WithCancel(context.Background())
				ended := make(chan error)
				go func() { ended <- sim.Run(ctx) }()
				h := newHost(sim.Open(), slices.Concat(job.head, job.cut), c.most, c.bytes)
				if err := h.greet(); err != nil {
					t.Fatal(err)
				}
				if err := h.print(); err != nil {
					t.Fatal(err)
				}
				h.port.Close()
				for range h.replies {
				}
				end()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if m := judge(each(sim.Executed()...), job); !m.exact() {
					t.Errorf("%d lost, %d doubled, %d out of order, %d foreign: %s", m.lost, m.doubled, m.disordered, m.foreign, m.wrong)
				}
				if strings.Contains(c.faults, "flip") && h.resends == 0 {
					t.Error("no byte was flipped")
				}
			})
		})
	}
}

func TestConversationWithAStreamer(t *testing.T) {
	for _, c := range []struct{ name, says, want, remark string }{
		{"as agreed", "hello\nready %d\nnoise\ndone window 4, 2 probes\n", "", "window 4, 2 probes"},
		{"it ends too early", "ready %d\n", `without saying "done"`, ""},
		{"no process", "ready x\n", "ready", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked strings.Builder
			begun := false
			says := c.says
			if strings.Contains(says, "%d") {
				says = fmt.Sprintf(says, os.Getpid())
			}
			got, err := converse(&asked, bufio.NewReader(strings.NewReader(says)), func(int, site) (func(), error) { begun = true; return nil, nil })
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err == nil && (got.remark != c.remark || got.rssKiB <= 0 || asked.String() != "go\n" || !begun) {
				t.Errorf("got %+v after %q", got, asked.String())
			}
		})
	}
}
