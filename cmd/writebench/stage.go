package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"layerd/internal/benchrun"
	"layerd/internal/powercut"
	"layerd/internal/server/phonetest"
)

// What flows here: printsim ─▶ layerd under strace, its data on the card ─▶ a key ─▶ two phones, each with a camera and a page, and two programs that ask ─▶ a print.

const (
	baud       = 115200
	layerEvery = 30 * time.Second // about
)

// stage is layerd and its printer while they run.
type stage struct {
	ctx         context.Context
	dir         string
	trace       string
	sim, layerd *exec.Cmd
	pid         int // layerd's, below strace
	url, key    string
	phones      [2]*http.Client // logged in, as phones are for months
	log         logged
}

func newStage(ctx context.Context, bin string, c *card) (s *stage, err error) {
	s = &stage{ctx: ctx}
	if s.dir, err = os.MkdirTemp("", "writebench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	s.trace = filepath.Join(c.dir, "trace") // it goes with the card
	link, config := filepath.Join(s.dir, "printer"), filepath.Join(s.dir, "empty.yaml")
	s.sim = exec.CommandContext(ctx, filepath.Join(bin, "printsim"), "--link", link, "--baud", strconv.Itoa(baud), "--heat", "10", "--advanced-ok")
	end := &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // strace passes it on
	s.sim.SysProcAttr = end
	if _, err := benchrun.Begin(s.sim, func() error { return benchrun.Ahead(s.sim.Start) }, link); err != nil {
		return nil, fmt.Errorf("start the pretend printer: %w", err)
	}
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	where := []string{"--config", config, "--data", filepath.Join(c.mount, "data")}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}
	program := exec.Command(filepath.Join(bin, "layerd"), append(where, "--listen", "127.0.0.1:0")...)
	program.Env = append(env, "LAYERD_PRINTER_PORT="+link, fmt.Sprint("LAYERD_PRINTER_BAUD=", baud), "LAYERD_CAMERA_DEVICE=simulated")
	program.Stderr = &s.log
	s.layerd = powercut.Strace(ctx, program, s.trace, 32)
	s.layerd.SysProcAttr = end
	line, err := benchrun.Begin(s.layerd, s.layerd.Start, "serves its page on ")
	if err != nil {
		return nil, fmt.Errorf("start layerd: %w", err)
	}
	_, url, _ := strings.Cut(line, "serves its page on ")
	s.url = strings.TrimSuffix(strings.TrimSpace(url), "/")
	if s.pid, err = child(s.layerd.Process.Pid); err != nil {
		return nil, err
	}
	make := exec.CommandContext(ctx, filepath.Join(bin, "layerd"), append([]string{"token", "create"}, append(where, "--name", "bench", "--role", "owner")...)...)
	make.Env = env
	said, err := make.Output()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	s.key = lines[len(lines)-1]
	for i := range s.phones {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		s.phones[i] = &http.Client{Jar: jar}
		if err := s.ask(ctx, s.phones[i], "POST", "/v1/login", nil, nil); err != nil {
			return nil, err
		}
	}
	return s, s.until(ctx, "idle")
}

// child is the process that strace has begun.
func child(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return strconv.Atoi(first)
}

// wrote is how many bytes of the card layerd has made dirty, by the kernel's account; 0 where that is not told.
func (s *stage) wrote() (bytes int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", s.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			bytes, _ = strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return bytes
}

// Write takes layerd's log.
func (l *logged) Write(p []byte) (int, error) {
	l.bytes.Add(int64(len(p)))
	return len(p), nil
}

type logged struct{ bytes atomic.Int64 }

// ask sends a request with the key, or, where the client has one, a session's cookie.
func (s *stage) ask(ctx context.Context, client *http.Client, method, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if client.Jar == nil || path == "/v1/login" {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	return benchrun.Ask(client, r, answer)
}

// until waits for a state.
func (s *stage) until(ctx context.Context, want string) error {
	for {
		var now struct {
			State string
			Fault *struct{ Message string }
		}
		err := s.ask(ctx, http.DefaultClient, "GET", "/v1/state", nil, &now)
		switch {
		case err == nil && now.Fault != nil:
			return errors.New(now.Fault.Message)
		case err == nil && now.State == want:
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("it never was %s: %w", want, errors.Join(err, ctx.Err()))
		}
	}
}

// watched does something while two phones look, with a session each, and two programs ask each second, with the key.
func (s *stage) watched(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		looking, end := context.WithCancel(ctx)
		var all sync.WaitGroup
		failed := make(chan error, 6)
		look := func(one func(context.Context) error) {
			all.Go(func() {
				if err := one(looking); err != nil && looking.Err() == nil {
					failed <- err
					end()
				}
			})
		}
		for _, phone := range s.phones {
			look(func(ctx context.Context) error {
				_, err := phonetest.Watch(ctx, strings.TrimPrefix(s.url, "http://"), s.key, 20*time.Millisecond, func(phonetest.Picture) {})
				return err
			})
			look(s.asks(phone, 10*time.Second))
			look(s.asks(http.DefaultClient, time.Second))
		}
		err := do(looking)
		end()
		all.Wait()
		select {
		case failure := <-failed:
			return failure
		default:
			return err
		}
	}
}

// asks asks for the state, again and again.
func (s *stage) asks(client *http.Client, every time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := s.ask(ctx, client, "GET", "/v1/state", nil, nil); err != nil {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// start uploads a long file and starts it: squares of slow lines, one layer about every half a minute.
func (s *stage) start(ctx context.Context) error {
	var file bytes.Buffer
	file.WriteString("G28\nG90\nM83\nM140 S60\nM104 S200\nM109 S200\n")
	for layer := range 2000 {
		fmt.Fprintf(&file, ";LAYER_CHANGE\n;Z:%.1f\nG1 Z%.1f F600\n", float64(layer+1)/5, float64(layer+1)/5)
		for i := range int(layerEvery / (200 * time.Millisecond)) {
			fmt.Fprintf(&file, "G1 X%d Y%d E0.3 F3000\n", 50+i%2*10, 50+i/2%60)
		}
	}
	if err := s.ask(ctx, http.DefaultClient, "PUT", "/v1/files/long.gcode", file.Bytes(), nil); err != nil {
		return err
	}
	if err := s.ask(ctx, http.DefaultClient, "POST", "/v1/do", []byte(`{"do":"start","file":"long.gcode","anyway":true}`), nil); err != nil {
		return err
	}
	return s.until(ctx, "printing")
}

// stop ends the print as its owner would, and waits until that is on the card.
func (s *stage) stop(ctx context.Context) error {
	if err := s.ask(ctx, http.DefaultClient, "POST", "/v1/do", []byte(`{"do":"cancel"}`), nil); err != nil {
		return err
	}
	if err := s.until(ctx, "idle"); err != nil {
		return err
	}
	return rest(ctx, 3*time.Second)
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends what still runs: layerd as systemd does, so that strace has seen it end.
func (s *stage) close() error {
	if s.pid != 0 {
		syscall.Kill(s.pid, syscall.SIGTERM)
		s.layerd.Wait() // it ends with layerd's status, of a SIGTERM
		s.pid = 0
	}
	if s.sim != nil && s.sim.Process != nil && s.sim.ProcessState == nil {
		s.sim.Process.Kill()
		s.sim.Wait()
	}
	return os.RemoveAll(s.dir)
}
