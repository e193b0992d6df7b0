package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: the real daemon → the address that it prints → its API, asked as programs ask it (docs/PROTOCOL.md).

// daemon is a running layerd.
type daemon struct {
	cmd  *exec.Cmd
	url  string // without a '/' at the end
	key  string
	data string
	ctx  context.Context
}

// startDaemon starts layerd in dir with a real port, the test picture for a camera, and nothing of this machine's own settings.
// What else is in its environment goes before that.
func startDaemon(ctx context.Context, program, dir, port string, baud int, more ...string) (*daemon, error) {
	d := &daemon{data: filepath.Join(dir, "data"), ctx: ctx}
	empty := filepath.Join(dir, "empty.yaml")
	if err := os.WriteFile(empty, []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	d.cmd = exec.CommandContext(ctx, program, "--config", empty, "--data", d.data, "--listen", "127.0.0.1:0")
	d.cmd.Env = append(env, "LAYERD_PRINTER_PORT="+port, fmt.Sprintf("LAYERD_PRINTER_BAUD=%d", baud), "LAYERD_CAMERA_DEVICE=simulated", "LAYERD_LOG_LEVEL=warn")
	d.cmd.Env = append(d.cmd.Env, more...)
	d.cmd.Stderr = os.Stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	pipe, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start layerd: %w", err)
	}
	if err := d.meet(program, empty, env, bufio.NewReader(pipe)); err != nil {
		d.kill()
		return nil, err
	}
	return d, nil
}

// meet reads the address, makes a key, and waits until the printer is there.
func (d *daemon) meet(program, config string, env []string, out *bufio.Reader) error {
	for d.url == "" {
		line, err := out.ReadString('\n')
		if _, url, ok := strings.Cut(strings.TrimSpace(line), "serves its page on "); ok {
			d.url = strings.TrimSuffix(url, "/")
		} else if err != nil {
			return fmt.Errorf("layerd printed no address: %w", err)
		}
	}
	make := exec.CommandContext(d.ctx, program, "token", "create", "--config", config, "--data", d.data, "--name", "bench", "--role", "owner")
	make.Env = env
	said, err := make.Output()
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	d.key = lines[len(lines)-1]
	_, err = d.until(func(s daemonState) bool { return s.State == "idle" })
	return err
}

// stop ends layerd as systemd does.
func (d *daemon) stop() error {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return d.cmd.Wait()
}

// kill ends it if it still runs.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	d.cmd.Wait()
}

// ask sends one request; what is well is decoded into answer, unless that is nil.
func (d *daemon) ask(ctx context.Context, method, path string, body io.Reader, size int64, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, d.url+path, body)
	if err != nil {
		return err
	}
	r.ContentLength = size
	r.Header.Set("Authorization", "Bearer "+d.key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = errors.New(strings.TrimSpace(string(said)))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(said, answer)
}

// put uploads a file.
func (d *daemon) put(ctx context.Context, path string, body io.Reader, size int64) error {
	return d.ask(ctx, "PUT", "/v1/files/"+path, body, size, nil)
}

// daemonState is what we look at of GET /v1/state.
type daemonState struct {
	State string `json:"state"`
	Fault *struct {
		Message string `json:"message"`
	} `json:"fault"`
	LastJob *struct {
		ID      string `json:"id"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
	} `json:"last_job"`
	Link struct {
		WindowBytes int `json:"window_bytes"`
	} `json:"link"`
}

// until looks at the state, twice a second, until it is as wanted.
func (d *daemon) until(is func(s daemonState) bool) (s daemonState, err error) {
	for {
		if err := d.ask(d.ctx, "GET", "/v1/state", nil, 0, &s); err != nil {
			return s, err
		}
		if s.Fault != nil {
			return s, errors.New(s.Fault.Message)
		}
		if is(s) {
			return s, nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-d.ctx.Done():
			return s, d.ctx.Err()
		}
	}
}

// print uploads a job, and prints it to its end.
func (d *daemon) print(job []byte, ready beginning) (c cost, err error) {
	if err := d.put(d.ctx, "job.gcode", bytes.NewReader(job), int64(len(job))); err != nil {
		return c, err
	}
	end, err := ready(d.cmd.Process.Pid, site{url: d.url, key: d.key})
	if err != nil {
		return c, err
	}
	if end != nil {
		defer end()
	}
	before, err := cpuOf(d.cmd.Process.Pid)
	if err != nil {
		return c, err
	}
	var started struct {
		Job string `json:"job"`
	}
	const start = `{"do":"start","file":"job.gcode","anyway":true}`
	if err := d.ask(d.ctx, "POST", "/v1/do", strings.NewReader(start), int64(len(start)), &started); err != nil {
		return c, err
	}
	window := 0
	s, err := d.until(func(s daemonState) bool {
		window = max(window, s.Link.WindowBytes)
		return s.LastJob != nil && s.LastJob.ID == started.Job
	})
	if err != nil {
		return c, err
	}
	if s.LastJob.Outcome != "done" {
		return c, fmt.Errorf("the print %s: %s", s.LastJob.Outcome, s.LastJob.Reason)
	}
	after, err := cpuOf(d.cmd.Process.Pid)
	if err != nil {
		return c, err
	}
	c.cpu, c.remark = after-before, fmt.Sprintf("%d bytes ahead", window)
	c.rssKiB, err = benchrun.PeakKiB(d.cmd.Process.Pid)
	return c, err
}
