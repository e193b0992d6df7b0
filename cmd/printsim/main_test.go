package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"layerd/printer/printertest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var program string // the built binary, made once by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "printsim")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "printsim")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".") // as the Makefile does, so that what is compiled is shared
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// running is a printsim that has said that it is ready.
type running struct {
	t    *testing.T
	cmd  *exec.Cmd
	link string
	out  *bufio.Reader
	err  bytes.Buffer
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, link: filepath.Join(t.TempDir(), "printer")}
	r.cmd = exec.Command(program, append([]string{"--link", r.link}, args...)...)
	pipe, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = &r.err
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill(); r.cmd.Wait() })
	r.out = bufio.NewReader(pipe)
	if line, err := r.out.ReadString('\n'); line != r.link+"\n" {
		t.Fatalf("said %q (%v), want the link's path; %s", line, err, r.err.String())
	}
	return r
}

// stop sends sig and returns what was printed.
func (r *running) stop(sig os.Signal) string {
	r.t.Helper()
	r.cmd.Process.Signal(sig)
	var out bytes.Buffer
	out.ReadFrom(r.out)
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("exit: %v; %s", err, r.err.String())
	}
	if _, err := os.Lstat(r.link); !os.IsNotExist(err) {
		r.t.Errorf("the link is still there: %v", err)
	}
	return out.String()
}

// tty is a host: it opens the link as any host does.
type tty struct {
	*os.File
	t *testing.T
	r *bufio.Reader
}

func (r *running) open() *tty {
	r.t.Helper()
	fd, err := unix.Open(r.link, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), r.link)
	r.t.Cleanup(func() { f.Close() })
	return &tty{File: f, t: r.t, r: bufio.NewReaderSize(f, 1<<16)}
}

func (h *tty) send(text string) {
	h.t.Helper()
	if _, err := h.WriteString(text); err != nil {
		h.t.Fatalf("write: %v", err)
	}
}

// until reads lines up to one that is last. Nothing here takes long; the deadline only keeps a failure from hanging.
func (h *tty) until(last string) (lines []string) {
	h.t.Helper()
	h.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		line, err := h.r.ReadString('\n')
		lines = append(lines, strings.TrimRight(line, "\r\n"))
		if err != nil {
			h.t.Fatalf("read: %v, after %q, while waiting for %q", err, lines, last)
		}
		if lines[len(lines)-1] == last {
			return lines
		}
	}
}

func TestTalkOverAPseudoTerminal(t *testing.T) {
	record := filepath.Join(t.TempDir(), "record")
	p := start(t, "--record", record, "--advanced-ok", "--speed", "0", "--heat", "0")
	h := p.open()
	h.send("M115\n")
	info := h.until("ok P15 B3")
	if !strings.HasPrefix(info[0], "FIRMWARE_NAME:Marlin bugfix-2.1.x ") || len(info) < 30 {
		t.Errorf("M115 gave %q", info)
	}
	h.send("M105\r\nN1 G28*18\nN1 G28*18\nM109 S200\nG1 X10 E3 ; there\n\n;nothing\nBOGUS\n")
	got := strings.Join(h.until("ok P15 B3"), "|")
	if want := "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0|X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|ok N1 P15 B"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
	h.send("M118 done\n")
	h.until("done")
	h.Close()
	counters := p.stop(syscall.SIGTERM)
	for _, want := range []string{"lines received       8 ", "commands executed    6 (1 unknown, 1 duplicate lines dropped)", "p99.9", "receive overruns     0 bytes"} {
		if !strings.Contains(counters, want) {
			t.Errorf("no %q in\n%s", want, counters)
		}
	}
	raw, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := regexp.MustCompile(`(?m)^\d+\t`).ReplaceAllString(string(raw), "> "),
		"> M115\n> M105\n> G28\n> M109 S200\n> G1 X10 E3\n> M118 done\n"; got != want {
		t.Errorf("recorded %q, want %q", raw, want)
	}
}

// TestNeverFasterThanTheLine measures only what cannot be late: a second's worth of bytes must take a second at least.
func TestNeverFasterThanTheLine(t *testing.T) {
	p := start(t, "--baud", "115200")
	h := p.open()
	line := "M117 " + strings.Repeat("x", 54) + "\n" // 60 bytes
	began := time.Now()
	go func() {
		for range 192 { // 11520 bytes
			h.WriteString(line)
		}
		h.WriteString("M118 over\n")
	}()
	h.until("over")
	took := time.Since(began)
	if least := (11520 + 10 + 5) * 10 * time.Second / 115200; took < least {
		t.Errorf("11530 bytes there and 5 back took %v, the line needs %v", took, least)
	}
	t.Logf("11520 bytes took %v", took)
	if out := p.stop(os.Interrupt); !strings.Contains(out, "lines received       193 ") {
		t.Errorf("not all lines arrived:\n%s", out)
	}
}

func setSpeed(t *testing.T, h *tty, baud uint32) {
	t.Helper()
	raw, err := h.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		s, err := unix.IoctlGetTermios(int(fd), unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		s.Cflag = s.Cflag&^unix.CBAUD | unix.BOTHER
		s.Ispeed, s.Ospeed = baud, baud
		if err := unix.IoctlSetTermios(int(fd), unix.TCSETS2, s); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnotherSpeedGivesGarbage(t *testing.T) {
	p := start(t, "--baud", "250000", "--speed", "0")
	h := p.open()
	setSpeed(t, h, 115200)
	buf, n := make([]byte, 4096), 0
	for tries := 0; n == 0; tries++ { // some of what we send becomes a line end, and is answered
		if tries == 1000 {
			t.Fatal("no garbage came")
		}
		h.send("M105\nM105\n")
		h.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		n, _ = h.Read(buf)
	}
	if bytes.Contains(buf[:n], []byte("ok")) {
		t.Errorf("at the wrong speed came %q", buf[:n])
	}
	h.Close()
	h = p.open()
	setSpeed(t, h, 250000)
	h.send("\n\nM118 clear\n")
	h.until("clear")
	p.stop(syscall.SIGTERM)
}

func TestResetOnOpen(t *testing.T) {
	p := start(t, "--reset-on-open")
	h := p.open()
	if got := h.until("start"); len(got) != 1 {
		t.Errorf("first came %q", got)
	}
	h.until("//action:prompt_end")
	other := p.open() // DTR is up already
	h.send("M118 still here\n")
	if got := h.until("still here"); len(got) > 1 {
		t.Errorf("a second open gave %q", got)
	}
	h.Close()
	other.Close()
	h = p.open()
	h.until("start")
	h.until("//action:prompt_end")
	raw, _ := h.SyscallConn() // without HUPCL the last close leaves DTR up
	raw.Control(func(fd uintptr) {
		s, _ := unix.IoctlGetTermios(int(fd), unix.TCGETS2)
		s.Cflag &^= unix.HUPCL
		unix.IoctlSetTermios(int(fd), unix.TCSETS2, s)
	})
	h.Close()
	h = p.open()
	h.send("M118 no reset\n")
	if got := h.until("no reset"); len(got) > 1 {
		t.Errorf("without HUPCL a new open gave %q", got)
	}
	if out := p.stop(syscall.SIGTERM); !strings.Contains(out, "board resets         2\n") {
		t.Errorf("want two resets:\n%s", out)
	}
}

// TestNothingOldIsReadByTheNextHost: what was said while nobody listened is lost, as on a real port. Here the test takes the
// program's turns, so that it is known what happens between a close and the next open.
func TestNothingOldIsReadByTheNextHost(t *testing.T) {
	sim, err := printertest.New(printertest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{sim: sim, link: filepath.Join(t.TempDir(), "printer"), out: io.Discard}
	if err := l.plugIn(); err != nil {
		t.Fatal(err)
	}
	defer l.plugOut()
	turn := func() {
		t.Helper()
		if _, err := l.turn(); err != nil {
			t.Fatal(err)
		}
	}
	host := &running{t: t, link: l.link}
	h := host.open()
	h.send("M115\nM105\n")
	turn()
	h.Close() // without having read anything
	turn()
	h = host.open()
	turn()
	h.send("M118 fresh\n")
	turn()
	if got := h.until("fresh"); len(got) != 1 {
		t.Errorf("the next host read %q", got)
	}
}

// TestHostsInQuickSuccession: whoever opens the port and writes at once is answered, even while the last host's close is still news.
func TestHostsInQuickSuccession(t *testing.T) {
	p := start(t)
	for i := range 500 {
		h := p.open()
		h.send(fmt.Sprintf("M118 host %d\n", i))
		h.until(fmt.Sprintf("host %d", i))
		h.Close()
	}
}

func TestBadArguments(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"", "--link"},
		{"--link x --firmware grbl", "marlin2-plain"},
		{"--link x --faults flip=2", "flip=2"},
		{"--link x --switch-x bogus", "min or max"},
		{"--link x --switch-y min,sigma=-1", "sigma"},
		{"--link x --homing bogus", "bogus"},
		{"--link x --head 5", "WIDTHxDEPTHxCLEAR"},
		{"--link x --speed -1", "speed"},
		{"--link x --bogus", "bogus"},
		{"--link x --device y", "%d"},
		{"--link x --device %d%s", "%d"},
		{"--link x y", `"y"`},
		{"--link " + file, "no symbolic link"},
		{"--link " + dir + "/none/x", "no such file"},
		{"--link x --record " + dir + "/none/x", "no such file"},
	} {
		out, err := exec.Command(program, strings.Fields(c.args)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("printsim %s: %v, %q; want an error with %q", c.args, err, out, c.want)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Error("a file was replaced by the link")
	}
	out, err := exec.Command(program, "--help").CombinedOutput()
	if err != nil {
		t.Errorf("--help: %v", err)
	}
	for _, name := range append(printertest.Firmwares(), "--usb-latency", "--meatpack", "--device", "powerloss@", "--rx-buffer", "--bufsize", "--seed", "--record", "--heat",
		"--switch-x", "overtravel=", "--switch-y", "--homing", "keeps-leveling", "--head", "--corexy", "lose@") {
		if !strings.Contains(string(out), name) {
			t.Errorf("--help does not mention %s", name)
		}
	}
}

// An old link, of a printsim that was killed, is replaced; and a link that somebody else has taken over is left alone.
func TestLinks(t *testing.T) {
	p := start(t)
	p.cmd.Process.Kill()
	p.cmd.Wait()
	cmd := exec.Command(program, "--link", p.link)
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != p.link+"\n" {
		t.Errorf("over an old link it said %q", line)
	}
	os.Remove(p.link)
	if err := os.Symlink("/dev/null", p.link); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if to, err := os.Readlink(p.link); to != "/dev/null" {
		t.Errorf("somebody else's link now is %q, %v", to, err)
	}
}

// Without a card SIGUSR2 is the fault that a test wants now.
func TestFaultsAtASignal(t *testing.T) {
	p := start(t, "--speed", "0", "--faults", "lose@x:8:1000000")
	h := p.open()
	h.send("G28\nG1 X0.4\nM119\nM118 before\n")
	if got := strings.Join(h.until("before"), "|"); !strings.Contains(got, "x_min: open") {
		t.Errorf("0.4 mm from home: %s", got)
	}
	h.send("G1 X-0.4\nM119\nM118 home\n")
	if got := strings.Join(h.until("home"), "|"); !strings.Contains(got, "x_min: TRIGGERED") {
		t.Errorf("at home: %s", got)
	}
	p.cmd.Process.Signal(syscall.SIGUSR2)
	for i := 0; ; i++ { // the signal takes a moment
		h.send(fmt.Sprintf("M119\nM118 %d\n", i))
		if got := strings.Join(h.until(fmt.Sprint(i)), "|"); strings.Contains(got, "x_min: open") {
			break
		} else if i == 1000 {
			t.Fatalf("nothing was lost: %s", got)
		}
	}
	h.Close()
	p.stop(syscall.SIGTERM)
}
