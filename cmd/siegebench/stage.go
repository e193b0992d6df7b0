package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: printsim ─▶ layerd on it ─▶ keys ─▶ a print ─▶ what the printer has executed.

const (
	baud  = 250000
	maxMB = 64 // of an upload; the default would take minutes to fill
)

// stage is layerd and its printer while they run.
type stage struct {
	ctx           context.Context
	dir           string
	sim, layerd   *exec.Cmd
	url           string // without a '/' at the end
	owner, viewer string // keys
	operator      string
	lines         []string // of the job, each another
	client        *http.Client
}

func newStage(ctx context.Context, bin string) (s *stage, err error) {
	s = &stage{ctx: ctx, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}}
	if s.dir, err = os.MkdirTemp("/dev/shm", "siegebench-"); err != nil {
		if s.dir, err = os.MkdirTemp("", "siegebench-"); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	link := filepath.Join(s.dir, "printer")
	s.sim = exec.CommandContext(ctx, filepath.Join(bin, "printsim"), "--link", link, "--baud", strconv.Itoa(baud), "--speed", "0", "--heat", "0", "--advanced-ok", "--record", filepath.Join(s.dir, "record"))
	if _, err := benchrun.Begin(s.sim, func() error { return benchrun.Ahead(s.sim.Start) }, link); err != nil {
		return nil, fmt.Errorf("start the pretend printer: %w", err)
	}
	config := filepath.Join(s.dir, "empty.yaml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	where := []string{"--config", config, "--data", filepath.Join(s.dir, "data")}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}
	s.layerd = exec.CommandContext(ctx, filepath.Join(bin, "layerd"), append(where, "--listen", "127.0.0.1:0")...)
	s.layerd.Env = append(env, "LAYERD_PRINTER_PORT="+link, fmt.Sprint("LAYERD_PRINTER_BAUD=", baud), "LAYERD_CAMERA_DEVICE=simulated", "LAYERD_LOG_LEVEL=error", fmt.Sprint("LAYERD_FILES_MAX_MB=", maxMB))
	line, err := benchrun.Begin(s.layerd, s.layerd.Start, "serves its page on ")
	if err != nil {
		return nil, fmt.Errorf("start layerd: %w", err)
	}
	_, url, _ := strings.Cut(line, "serves its page on ")
	s.url = strings.TrimSuffix(strings.TrimSpace(url), "/")
	for role, key := range map[string]*string{"owner": &s.owner, "operator": &s.operator, "viewer": &s.viewer} {
		make := exec.CommandContext(ctx, filepath.Join(bin, "layerd"), append([]string{"token", "create"}, append(where, "--name", role, "--role", role)...)...)
		make.Env = env
		said, err := make.Output()
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		*key = lines[len(lines)-1]
	}
	return s, s.until("idle")
}

// ask sends the owner's request over a connection of its own.
func (s *stage) ask(method, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(s.ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.owner)
	return benchrun.Ask(s.client, r, answer)
}

// until waits for a state. A request that fails is made again: that is what a phone does.
func (s *stage) until(want string) error {
	for {
		var now struct {
			State string
			Fault *struct{ Message string }
		}
		err := s.ask("GET", "/v1/state", nil, &now)
		switch {
		case err == nil && now.Fault != nil:
			return errors.New(now.Fault.Message)
		case err == nil && now.State == want:
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-s.ctx.Done():
			return fmt.Errorf("it never was %s: %w", want, errors.Join(err, s.ctx.Err()))
		}
	}
}

// start uploads a job of so many lines and starts it.
func (s *stage) start(lines int) (job string, err error) {
	var file bytes.Buffer
	file.WriteString("G28\nG90\nM82\nM109 S200\n")
	for i := range lines { // short moves, as of a curve
		line := fmt.Sprintf("G1 X%d.%03d Y%d.%02d E%.4f", 20+i/1000%150, i%1000, 20+i/150_000, i%100, float64(i)/100)
		s.lines = append(s.lines, line)
		file.WriteString(line + "\n")
	}
	if err := s.ask("PUT", "/v1/files/siege.gcode", file.Bytes(), nil); err != nil {
		return "", err
	}
	var started struct{ Job string }
	if err := s.ask("POST", "/v1/do", []byte(`{"do":"start","file":"siege.gcode","anyway":true}`), &started); err != nil {
		return "", err
	}
	return started.Job, s.until("printing")
}

// end switches the printer off, and returns what it has executed.
func (s *stage) end() ([]benchrun.Executed, error) {
	if err := s.sim.Process.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	if err := s.sim.Wait(); err != nil {
		return nil, fmt.Errorf("the pretend printer: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "record"))
	if err != nil {
		return nil, err
	}
	return benchrun.ParseRecord(text)
}

// close ends what still runs, and removes what was written.
func (s *stage) close() {
	for _, cmd := range []*exec.Cmd{s.layerd, s.sim} {
		if cmd != nil && cmd.Process != nil && cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	os.RemoveAll(s.dir)
}
