package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What flows here: a server's files, out of the machine's memory or in it → the server → its first page, its first answer of the API.

// piStart is how long starts took, by whether the files were in memory.
type piStart struct {
	name           string
	cold           bool
	page, api, cpu []time.Duration // cpu is what it took of processors, which is less than the time when others keep them
	read           []int64         // bytes from the disk, until both had answered
}

// startable is a server that can be started again and again on the same data.
type startable struct {
	at    site
	cmd   func() *exec.Cmd
	files []string // files and folders of which it is made
}

// piStarts starts each by turns. The first start of each, which makes its data, does not count.
func (b *bench) piStarts(ctx context.Context) (all []*piStart, err error) {
	if !b.only.MatchString("start") {
		return nil, nil
	}
	servers := map[string]func(ctx context.Context) (startable, error){"layerd": b.startableLayerd}
	names := []string{"layerd"}
	if len(b.others) > 0 {
		servers["OctoPrint"], names = b.startableOctoPrint, []string{"OctoPrint", "layerd"}
	}
	made := map[string]startable{}
	for _, name := range names {
		s, err := servers[name](ctx)
		if err == nil {
			err = s.start(ctx, &piStart{})
		}
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
		made[name] = s
		all = append(all, &piStart{name: name}, &piStart{name: name, cold: true})
	}
	for range 2*b.rounds + 1 {
		for _, a := range all {
			s := made[a.name]
			if a.cold {
				s.forget()
			}
			if err := s.start(ctx, a); err != nil {
				return nil, fmt.Errorf("start %s: %w", a.name, err)
			}
			b.say("%s, files in memory %v: page after %v, API after %v, CPU %v", a.name, !a.cold, short(a.page[len(a.page)-1]), short(a.api[len(a.api)-1]), short(a.cpu[len(a.cpu)-1]))
		}
	}
	return all, nil
}

func (b *bench) startableLayerd(ctx context.Context) (s startable, err error) {
	dir, err := os.MkdirTemp(b.dir, "start-")
	if err != nil {
		return s, err
	}
	empty, data := filepath.Join(dir, "empty.yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(empty, []byte("{}\n"), 0o600); err != nil {
		return s, err
	}
	port, err := freePort()
	if err != nil {
		return s, err
	}
	where, env := []string{"--config", empty, "--data", data}, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LAYERD_CAMERA_DEVICE=none", "LAYERD_LOG_LEVEL=error", piLimit}
	key := exec.CommandContext(ctx, b.layerd(), append([]string{"token", "create", "--name", "bench", "--role", "owner"}, where...)...)
	key.Env = env
	said, err := key.Output()
	if err != nil {
		return s, fmt.Errorf("make a key: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return startable{at: site{url: "http://127.0.0.1:" + strconv.Itoa(port), key: lines[len(lines)-1]}, files: []string{b.layerd(), data}, cmd: func() *exec.Cmd {
		cmd := exec.CommandContext(ctx, b.layerd(), append(where, "--listen", "127.0.0.1:"+strconv.Itoa(port))...)
		cmd.Env = env
		return cmd
	}}, nil
}

func (b *bench) startableOctoPrint(ctx context.Context) (s startable, err error) {
	dir, err := os.MkdirTemp(b.dir, "start-")
	if err != nil {
		return s, err
	}
	driver := b.others[0].program
	said, err := exec.CommandContext(ctx, driver[0], driver[1], "--only-configure", "--file", filepath.Join(dir, "job.gcode")).Output()
	if err != nil {
		return s, err
	}
	words := strings.Fields(string(said))
	if len(words) != 3 {
		return s, fmt.Errorf("its driver said %q", said)
	}
	at, err := http.NewRequest("GET", words[0], nil)
	if err != nil {
		return s, err
	}
	python, err := filepath.EvalSymlinks(driver[0])
	if err != nil {
		return s, err
	}
	// Of Python itself what lies under its name in lib, where it is a system's.
	library := filepath.Join(filepath.Dir(filepath.Dir(python)), "lib", filepath.Base(python))
	return startable{at: site{url: words[0], key: words[1]}, files: []string{b.peers, words[2], python, library}, cmd: func() *exec.Cmd {
		return exec.CommandContext(ctx, filepath.Join(b.peers, "bin", "octoprint"), "serve", "--basedir", words[2], "--iknowwhatimdoing", "--host", at.URL.Hostname(), "--port", at.URL.Port())
	}}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// forget has the kernel drop what it holds of the files in memory, and reads nothing else from there.
func (s startable) forget() {
	for _, top := range s.files {
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error { // what cannot be dropped stays, and makes a start faster
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			if f, err := os.Open(path); err == nil {
				if info, err := d.Info(); err == nil && time.Since(info.ModTime()) < time.Minute {
					_ = f.Sync() // only what is on the disk can be dropped
				}
				_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
				f.Close()
			}
			return nil
		})
	}
}

// start starts it once, until the page and the API have answered, adds what that took to a, and ends it.
func (s startable) start(ctx context.Context, a *piStart) error {
	ctx, cancel := context.WithTimeout(ctx, startUp)
	defer cancel()
	cmd := s.cmd()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		_ = cmd.Wait() // its exit code after a signal is its own business
	}()
	var both sync.WaitGroup
	var page, api time.Duration
	both.Go(func() { page = s.at.answers(ctx, "/", began, named.Match) })
	both.Go(func() { api = s.at.answers(ctx, "/api/version", began, json.Valid) })
	both.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("it does not answer: %w", ctx.Err())
	}
	cpu, err := cpuOf(cmd.Process.Pid)
	if err != nil {
		return err
	}
	read, err := readBytes(cmd.Process.Pid)
	a.page, a.api, a.cpu, a.read = append(a.page, page), append(a.api, api), append(a.cpu, cpu), append(a.read, read)
	return err
}

// answers is how long after began there is all of an answer with 200 that is what was asked for: OctoPrint says with 200, too, that it is still starting, on a page that
// names no scripts.
func (s site) answers(ctx context.Context, path string, began time.Time, is func(said []byte) bool) time.Duration {
	c := s.client()
	defer c.CloseIdleConnections()
	for {
		said, err := s.get(ctx, c, "GET", path, "")
		if err == nil && is(said) || ctx.Err() != nil {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// readBytes is what a process has had read from the disk.
func readBytes(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "read_bytes:"); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("no read_bytes of process %d", pid)
}

// middle is the median, 0 of none.
func middle[T int64 | float64 | time.Duration](of []T) (m T) {
	if len(of) == 0 {
		return m
	}
	return slices.Sorted(slices.Values(of))[len(of)/2]
}
