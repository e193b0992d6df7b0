package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	nodeA      = "/dev/video20"
	nodeB      = "/dev/video21"
	wide, high = 1280, 720
)

// server is a program that sends the pictures of one camera to many.
type server struct {
	name string
	url  string
	args []string
	env  []string
	key  func() (string, error) // "Bearer …", nil when everybody may look
}

// ustreamer passes the camera's JPEGs on as they are, as layerd does; all else is as it comes.
func ustreamer(program, device string, port int) server {
	return server{name: "ustreamer", url: fmt.Sprintf("http://127.0.0.1:%d/stream", port),
		args: []string{program, "--device", device, "--format", "MJPEG", "--encoder", "HW", "--resolution", fmt.Sprintf("%dx%d", wide, high),
			"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--log-level", "0"}}
}

func layerd(program, device, data string, port int) server {
	return server{name: "layerd", url: fmt.Sprintf("http://127.0.0.1:%d/webcam/?action=stream", port),
		args: []string{program, "--data", data, "--listen", fmt.Sprintf("127.0.0.1:%d", port)},
		env:  []string{"LAYERD_CAMERA_DEVICE=" + device, "LAYERD_PRINTER_PORT=/dev/none", "LAYERD_LOG_LEVEL=error"},
		key: func() (string, error) {
			said, err := exec.Command(program, "token", "create", "--data", data, "--name", "viewer", "--role", "viewer").Output()
			if err != nil {
				return "", fmt.Errorf("make a key: %w", err)
			}
			lines := strings.Split(strings.TrimSpace(string(said)), "\n")
			return "Bearer " + lines[len(lines)-1], nil
		}}
}

// process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	said bytes.Buffer
}

func (s server) start() (*process, error) {
	p := &process{cmd: exec.Command(s.args[0], s.args[1:]...)}
	p.cmd.Env = append(os.Environ(), s.env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	return p, p.cmd.Start()
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("it ended by itself: %w: %s", err, p.said.String())
	}
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stop := context.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer stop()
	err := p.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil // by our signal, or with what code it likes
	}
	return err
}

// usage is what a process has had of the machine.
type usage struct {
	cpu       time.Duration
	rss, peak float64 // MiB
}

func (p *process) used() (usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return usage{}, err
	}
	u, err := parseMemory(string(status))
	if err != nil {
		return u, err
	}
	threads, err := filepath.Glob(filepath.Join(dir, "task/*/schedstat"))
	if err == nil && len(threads) == 0 {
		err = fmt.Errorf("nothing in %s/task", dir)
	}
	for _, t := range threads {
		text, problem := os.ReadFile(t)
		if problem == nil {
			var ran time.Duration
			ran, problem = parseSchedule(string(text))
			u.cpu += ran
		}
		err = errors.Join(err, problem)
	}
	return u, err
}

// parseSchedule is how long a thread has run, from /proc/N/task/N/schedstat: exact, where stat counts in hundredths of a second.
func parseSchedule(schedstat string) (time.Duration, error) {
	first, _, _ := strings.Cut(schedstat, " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(ns), err
}

// parseMemory reads /proc/N/status; see proc(5).
func parseMemory(status string) (u usage, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			return u, err
		}
		if name == "VmRSS" {
			u.rss = kib / 1024
		} else {
			u.peak = kib / 1024
		}
	}
	return u, nil
}
