package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What flows here: the two programs, built once → children of a test, which end with it → their output, as it comes.
//
// The tests of this package run the built layerd against the built printsim on a pseudo-terminal. The only way to know what another
// process has done is to look again, so they poll; patience only bounds a failure, and nothing is asserted to be quick except where it says so.

var (
	layerdProgram, printsimProgram string // built by TestMain
	emptyConfig                    string // a configuration file with nothing in it: what the machine has in /etc does not count
)

const (
	patience = 90 * time.Second
	lookEach = 15 * time.Millisecond
)

func TestMain(m *testing.M) {
	flag.Parse()
	// These tests wait for other processes most of the time, so more of them run at once than there are processors, unless somebody says otherwise.
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", "8")
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "layerd-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// As the Makefile builds them, so that both share what is compiled.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=v1.2.3-test", "-o", dir+"/", "layerd/cmd/layerd", "layerd/cmd/printsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	layerdProgram, printsimProgram = filepath.Join(dir, "layerd"), filepath.Join(dir, "printsim")
	emptyConfig = filepath.Join(dir, "empty.yaml")
	if err := os.WriteFile(emptyConfig, []byte("{}\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// child is a program under test.
type child struct {
	t        *testing.T
	name     string
	cmd      *exec.Cmd
	out, err output
	gone     chan struct{} // closed when it has ended
}

// output collects what a child prints.
type output struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// begin starts a program with env as its whole environment. It is killed when the test ends, and its words are shown when the test failed.
func begin(t *testing.T, env []string, program string, args ...string) *child {
	t.Helper()
	return beginWith(t, func(*exec.Cmd) {}, env, program, args...)
}

// beginWith is begin for a process with something of its own.
func beginWith(t *testing.T, with func(*exec.Cmd), env []string, program string, args ...string) *child {
	t.Helper()
	c := &child{t: t, name: filepath.Base(program), cmd: exec.Command(program, args...), gone: make(chan struct{})}
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = env, &c.out, &c.err
	c.cmd.WaitDelay = 5 * time.Second
	with(c.cmd)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.cmd.Wait() // how it ended is in ProcessState
		close(c.gone)
	}()
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		<-c.gone
		if t.Failed() {
			t.Logf("%s %q printed\n%s%s", c.name, c.cmd.Args[1:], c.out.String(), c.err.String())
		}
	})
	return c
}

// await polls until ok is true. It fails the test after patience, or when the child ends first.
func (c *child) await(what string, ok func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		ended := false
		select {
		case <-c.gone:
			ended = true
		default:
		}
		if ok() {
			return
		}
		if ended {
			c.t.Fatalf("%s ended (%v) before %s", c.name, c.cmd.ProcessState, what)
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: no %s in %v", c.name, what, patience)
		}
		time.Sleep(lookEach)
	}
}

// stop sends sig and returns the exit code, -1 after a signal that it does not handle, and how long it took.
func (c *child) stop(sig syscall.Signal) (code int, took time.Duration) {
	c.t.Helper()
	began := time.Now()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	return c.wait(), time.Since(began)
}

// wait returns the exit code of a child that ends by itself.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.gone:
	case <-time.After(patience):
		c.t.Fatalf("%s has not ended in %v", c.name, patience)
	}
	return c.cmd.ProcessState.ExitCode()
}

// ended is the result of a program that was run to its end.
type ended struct {
	code     int
	out, err string
}

// last is the last line of what it printed on standard output.
func (e ended) last() string {
	lines := strings.Split(strings.TrimRight(e.out, "\n"), "\n")
	return lines[len(lines)-1]
}

// runLayerd runs layerd to its end.
func runLayerd(t *testing.T, env []string, args ...string) ended {
	t.Helper()
	c := begin(t, env, layerdProgram, args...)
	code := c.wait()
	return ended{code, c.out.String(), c.err.String()}
}

// plain is an environment with nothing of layerd's in it, and a home of its own.
func plain(t *testing.T, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, more...)
}
