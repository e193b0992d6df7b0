package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/internal/tailnet"
)

// TestSim has a node join the pretend tailnet by its link, and looks at its page through the pretend phone.
func TestSim(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	typed, typing := io.Pipe()
	printed, printing := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, typed, printing); printing.Close() }()
	lines := bufio.NewScanner(printed)
	next := func(name string) string {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("it printed no more")
		}
		value, ok := strings.CutPrefix(lines.Text(), name)
		if !ok {
			t.Fatalf("got %q, want %s", lines.Text(), name)
		}
		return value
	}
	control, proxy, phone := next("control="), next("proxy="), next("phone=")

	statuses := latest.New(overlay.Status{})
	node, err := tailnet.New(tailnet.Config{
		Dir: t.TempDir(), Settings: overlay.TailnetSettings{ControlURL: control}, Report: func(s overlay.Status) { statuses.Set(s) },
		Serve: func(ctx context.Context, l net.Listener) error {
			return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the page of "+r.Host) }))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- node.Run(running) }()
	until := func(state overlay.State) overlay.Status {
		t.Helper()
		for s, seq := statuses.Get(); ; {
			if s.State == state {
				return s
			}
			if s, seq, err = statuses.Next(ctx, seq); err != nil {
				t.Fatalf("got %+v, want %s", s, state)
			}
		}
	}
	do := func(command, want string) {
		t.Helper()
		fmt.Fprintln(typing, command)
		next(want)
	}
	do("approve "+until(overlay.Login).LoginURL, "ok")
	s := until(overlay.Running)
	at, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{Proxy: http.ProxyURL(at)}
	defer tr.CloseIdleConnections()
	for { // the phone hears of the node a moment later
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URLs[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) == "the page of "+s.Name && phone != "" {
			break
		}
	}
	do("expire layerd", "ok")
	do("approve "+until(overlay.Login).LoginURL, "ok")
	until(overlay.Running)
	do("down", "ok")
	do("up", "ok")
	do("dance", "error:")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	fmt.Fprintln(typing, "quit")
	if err := <-done; err != nil {
		t.Error(err)
	}
}
