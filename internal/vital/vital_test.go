package vital

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// supervisor keeps what it was told, and when.
type supervisor struct {
	mu   sync.Mutex // guards told
	told []string
	last time.Time // of the last WATCHDOG=1
}

func (s *supervisor) notify(states ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, states...)
	if slices.Contains(states, "WATCHDOG=1") {
		s.last = time.Now()
	}
	return nil
}

func (s *supervisor) has(state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.told, state)
}

func (s *supervisor) silentFor() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.last)
}

func well(context.Context) error { return nil }

func after(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func run(t *testing.T, w *Watch) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestAPartThatHangsStopsThePings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s supervisor
		var log bytes.Buffer
		stuck := make(chan struct{}) // closed by the test's end
		defer close(stuck)
		var hangs atomic.Bool
		w := &Watch{Every: 10 * time.Second, Notify: s.notify, Status: func() string { return "idle" }, Log: slog.New(slog.NewTextHandler(&log, nil)), Parts: []Part{
			{"the printer's conversation", 10 * time.Second, func(context.Context) error {
				if hangs.Load() {
					<-stuck // whatever its context says
				}
				return nil
			}},
			{"the page", 20 * time.Second, well},
		}}
		run(t, w)
		synctest.Wait()
		if !s.has("READY=1") || !s.has("STATUS=idle") || s.silentFor() != 0 {
			t.Fatalf("at once it told %q", s.told)
		}
		time.Sleep(25 * time.Second)
		if got := s.silentFor(); got > 10*time.Second {
			t.Fatalf("while all is well the last ping is %v old", got)
		}
		hangs.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.silentFor(); got < 30*time.Second {
			t.Errorf("a part is stuck, and the last ping is only %v old", got)
		}
		if !s.has("STATUS=stuck: the printer's conversation") || !s.has("WATCHDOG=trigger") {
			t.Errorf("it told %q", s.told)
		}
		if got := log.String(); strings.Count(got, "a vital part is stuck") != 1 || !strings.Contains(got, `part="the printer's conversation"`) {
			t.Errorf("the log says:\n%s", got)
		}
	})
}

func TestWhatPassesByItselfIsNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s supervisor
		var log bytes.Buffer
		start := time.Now()
		w := &Watch{Every: 10 * time.Second, Notify: s.notify, Status: func() string { return "printing" }, Log: slog.New(slog.NewTextHandler(&log, nil)), Parts: []Part{
			{"the store", 2 * time.Minute, func(ctx context.Context) error {
				if d := time.Since(start); d > time.Minute && d < 2*time.Minute {
					return after(ctx, 50*time.Second) // a memory card that tidies up
				}
				return nil
			}},
			{"the page", 30 * time.Second, func(context.Context) error {
				if d := time.Since(start); d > 3*time.Minute && d < 3*time.Minute+20*time.Second {
					return errors.New("connection reset") // once or twice
				}
				return nil
			}},
		}}
		run(t, w)
		for range 100 {
			time.Sleep(3 * time.Second)
			if got := s.silentFor(); got > 10*time.Second {
				t.Fatalf("after %v the last ping is %v old", time.Since(start), got)
			}
		}
		if log.Len() > 0 || s.has("WATCHDOG=trigger") {
			t.Errorf("the log says:\n%s", log.String())
		}
	})
}

func TestAProcessThatStoodStillIsNotStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s supervisor
		var log bytes.Buffer
		start := time.Now()
		var asked, stood atomic.Bool
		once := func(done *atomic.Bool, d time.Duration) { // of the beat after 45 s
			if time.Since(start) > 45*time.Second && done.CompareAndSwap(false, true) {
				time.Sleep(d)
			}
		}
		w := &Watch{Every: 10 * time.Second, Notify: s.notify, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Status: func() string { once(&stood, time.Minute); return "" },
			Parts: []Part{{"the page", 30 * time.Second, func(context.Context) error {
				once(&asked, 75*time.Second) // asked just before, and answers soon after
				return nil
			}}}}
		run(t, w)
		time.Sleep(5 * time.Minute)
		if !stood.Load() || log.Len() > 0 || s.has("WATCHDOG=trigger") {
			t.Errorf("stood still: %v; the log says:\n%s", stood.Load(), log.String())
		}
	})
}

func TestErrorsForTooLongAreNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s supervisor
		var log bytes.Buffer
		var wrong atomic.Bool
		w := &Watch{Every: 10 * time.Second, Notify: s.notify, Status: func() string { return "" }, Log: slog.New(slog.NewTextHandler(&log, nil)), Parts: []Part{
			{"the page", 30 * time.Second, func(context.Context) error {
				if wrong.Load() {
					return errors.New("connection refused")
				}
				return nil
			}}}}
		run(t, w)
		time.Sleep(time.Second)
		wrong.Store(true)
		time.Sleep(2 * time.Minute)
		if got := s.silentFor(); got < time.Minute || !strings.Contains(log.String(), "connection refused") {
			t.Errorf("the last ping is %v old, and the log says:\n%s", got, log.String())
		}
		wrong.Store(false)
		time.Sleep(30 * time.Second)
		if got := s.silentFor(); got > 10*time.Second || !strings.Contains(log.String(), "answers again") {
			t.Errorf("it is well again; the last ping is %v old, and the log says:\n%s", got, log.String())
		}
	})
}

func TestNotReadyBeforeAllHaveAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s supervisor
		w := &Watch{Every: 10 * time.Second, Notify: s.notify, Status: func() string { return "" }, Log: slog.New(slog.DiscardHandler), Parts: []Part{
			{"quick", time.Minute, well},
			{"slow", time.Minute, func(ctx context.Context) error { return after(ctx, 15*time.Second) }},
		}}
		run(t, w)
		time.Sleep(14 * time.Second)
		if s.has("READY=1") {
			t.Error("ready before the page is served")
		}
		time.Sleep(10 * time.Second)
		if !s.has("READY=1") {
			t.Errorf("it told %q", s.told)
		}
	})
}

// A real socket, as systemd's is.
func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	w := &Watch{Status: func() string { return "printing a\nREADY=0\x00.gcode" }, Log: slog.New(slog.DiscardHandler), Parts: []Part{{"all", time.Minute, well}}}
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "9000000"}
	if err := w.FromSystemd(func(k string) string { return env[k] }); err != nil {
		t.Fatal(err)
	}
	if w.Every != 3*time.Second {
		t.Errorf("a beat each %v, want a third of what systemd waits", w.Every)
	}
	run(t, w)
	buffer := make([]byte, 1<<10)
	for _, want := range []string{"READY=1", "STATUS=printing a READY=0 .gcode", "WATCHDOG=1"} {
		n, err := socket.Read(buffer)
		if got := string(buffer[:n]); err != nil || got != want {
			t.Fatalf("systemd was told %q, %v; want %q", got, err, want)
		}
	}
	w.Stopping()
	if n, _ := socket.Read(buffer); string(buffer[:n]) != "STOPPING=1" {
		t.Errorf("at the end it was told %q", buffer[:n])
	}
}

func TestWithoutSystemd(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		ok   bool
		tell bool
		want time.Duration
	}{
		"none":                   {nil, true, false, beat},
		"a socket that is gone":  {map[string]string{"NOTIFY_SOCKET": "/nonexistent/notify"}, false, false, beat},
		"a watchdog of a parent": {map[string]string{"NOTIFY_SOCKET": "@layerd-test-" + strconv.Itoa(int(time.Now().UnixNano()))}, false, false, beat}, // nobody listens there
	} {
		t.Run(name, func(t *testing.T) {
			w := &Watch{}
			err := w.FromSystemd(func(k string) string { return c.env[k] })
			if (err == nil) != c.ok || (w.Notify != nil) != c.tell || w.Every != c.want {
				t.Errorf("err %v, tells %v, each %v", err, w.Notify != nil, w.Every)
			}
		})
	}
}
