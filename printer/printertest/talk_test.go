package printertest

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// host is the other end of the conversation in tests: it collects lines with the moment at which they came.
type host struct {
	t    *testing.T
	sim  *Sim
	port *Port
	from time.Time

	mu  sync.Mutex // guards what the reader collects
	got []string
	at  []time.Duration
	end error // with which the reader ended
}

// talk runs f in a bubble against a printer of cfg.
func talk(t *testing.T, cfg Config, f func(h *host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sim, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ran := make(chan error)
		go func() { ran <- sim.Run(ctx) }()
		h := &host{t: t, sim: sim, from: time.Now()}
		h.open()
		f(h)
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// open opens the port and reads from it until that fails.
func (h *host) open() {
	synctest.Wait() // until nobody reads the last one any more
	h.port = h.sim.Open()
	go func(port *Port) {
		var buf [512]byte
		var rest []byte
		for {
			n, err := port.Read(buf[:])
			rest = append(rest, buf[:n]...)
			h.mu.Lock()
			for i := bytes.IndexByte(rest, '\n'); i >= 0; i = bytes.IndexByte(rest, '\n') {
				h.got = append(h.got, strings.TrimSuffix(string(rest[:i]), "\r"))
				h.at = append(h.at, time.Since(h.from))
				rest = rest[i+1:]
			}
			h.end = err
			h.mu.Unlock()
			if err != nil {
				return
			}
		}
	}(h.port)
}

// send writes lines and waits until nothing moves any more at this moment.
func (h *host) send(lines ...string) {
	h.t.Helper()
	if _, err := h.port.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		h.t.Fatalf("write: %v", err)
	}
	synctest.Wait()
}

func (h *host) sleep(d time.Duration) { time.Sleep(d); synctest.Wait() }

// take returns what came since the last take.
func (h *host) take() []string {
	got, _ := h.takeTimed()
	return got
}

func (h *host) takeTimed() (got []string, at []time.Duration) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	got, at = h.got, h.at
	h.got, h.at = nil, nil
	return got, at
}

// failure is the error with which reading ended, nil while it goes on.
func (h *host) failure() error {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.end
}

// wants compares what came with the lines of want.
func (h *host) wants(want ...string) {
	h.t.Helper()
	if got := h.take(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// framed numbers a line and adds its checksum.
func framed(n string, text string) string {
	line := "N" + n + " " + text
	var sum byte
	for i := range len(line) {
		sum ^= line[i]
	}
	return line + "*" + itoa(int(sum))
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
