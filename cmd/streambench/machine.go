package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: settings → printsim, a process of its own on a pseudo-terminal → what it has counted, and its record.

// settings of the pretend printer. Its receive ring has 128 bytes, which overrun, and its command queue 4 places, as in Marlin.
type settings struct {
	firmware string        // "" = marlin2
	baud     int           // 0 = no line rate
	latency  time.Duration // of the USB adapter, each way
	advanced bool          // ADVANCED_OK
	faults   string
	motion   float64 // how many times faster than real; 0 = instantly
}

func (s settings) args(link, record string) []string {
	firmware := s.firmware
	if firmware == "" {
		firmware = "marlin2"
	}
	return []string{"--link", link, "--record", record, "--firmware", firmware, "--baud", strconv.Itoa(s.baud), "--usb-latency", s.latency.String(),
		"--rx-buffer", "128", "--bufsize", "4", fmt.Sprintf("--advanced-ok=%v", s.advanced), "--faults", s.faults, "--seed", "1",
		"--speed", fmt.Sprint(s.motion), "--heat", "0"}
}

// hostBaud is the speed that a host opens the port at.
func (s settings) hostBaud() int {
	if s.baud == 0 {
		return 115200
	}
	return s.baud
}

// machine is a running printsim.
type machine struct {
	cmd          *exec.Cmd
	dir          string // of the next two
	link, record string
	out          *bufio.Reader
	err          bytes.Buffer
}

// switchOn starts printsim, and waits until its port can be opened. Its record goes into memory where that is possible: a disk that is busy
// must not hold the pretend printer up.
func switchOn(program, dir string, s settings) (_ *machine, err error) {
	m := &machine{}
	if m.dir, err = os.MkdirTemp("/dev/shm", "streambench-"); err != nil {
		if m.dir, err = os.MkdirTemp(dir, "printer-"); err != nil {
			return nil, err
		}
	}
	m.link, m.record = filepath.Join(m.dir, "printer"), filepath.Join(m.dir, "record")
	defer func() {
		if err != nil {
			os.RemoveAll(m.dir)
		}
	}()
	m.cmd = exec.Command(program, s.args(m.link, m.record)...)
	m.cmd.Stderr = &m.err
	// A benchmark that is killed takes its printer along.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	pipe, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := benchrun.Ahead(m.cmd.Start); err != nil {
		return nil, fmt.Errorf("start the pretend printer: %w", err)
	}
	m.out = bufio.NewReader(pipe)
	if line, err := m.out.ReadString('\n'); strings.TrimSpace(line) != m.link {
		m.kill()
		return nil, fmt.Errorf("the pretend printer said %q and %q: %w", line, m.err.String(), err)
	}
	return m, nil
}

// forget has it forget how long it has waited for lines so far.
func (m *machine) forget() { m.cmd.Process.Signal(syscall.SIGUSR1) }

// begin is a beginning that has it forget.
func (m *machine) begin(int, site) (func(), error) {
	m.forget()
	return nil, nil
}

// switchOff ends printsim and returns what it has counted and done.
func (m *machine) switchOff() (counters, []benchrun.Executed, error) {
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return counters{}, nil, err
	}
	var said bytes.Buffer
	said.ReadFrom(m.out)
	if err := m.cmd.Wait(); err != nil {
		return counters{}, nil, fmt.Errorf("the pretend printer: %w: %s", err, m.err.String())
	}
	c, err := parseCounters(said.String())
	if err != nil {
		return c, nil, err
	}
	record, err := os.ReadFile(m.record)
	if err != nil {
		return c, nil, err
	}
	all, err := benchrun.ParseRecord(record)
	return c, all, err
}

// kill ends printsim without a word, if it still runs, and removes what it has written.
func (m *machine) kill() {
	m.cmd.Process.Kill()
	m.cmd.Wait()
	os.RemoveAll(m.dir)
}

// counters is what printsim prints at its end, as far as it matters here.
type counters struct {
	resends, overruns, underruns int64
	p50, p999                    time.Duration // from ok to the next line
}

// counted are the lines of printertest.Counters.String that we read.
var counted = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^resends asked +(\d+)\b`),
	regexp.MustCompile(`(?m)^receive overruns +(\d+) bytes`),
	regexp.MustCompile(`(?m)^planner underruns +(\d+)$`),
	regexp.MustCompile(`(?m)^ok to next line +p50 (\S+) .* p99\.9 (\S+) `),
}

func parseCounters(said string) (c counters, err error) {
	var found [][]string
	for _, what := range counted {
		m := what.FindStringSubmatch(said)
		if m == nil {
			return c, fmt.Errorf("no %q in what the pretend printer counted: %q", what, said)
		}
		found = append(found, m[1:])
	}
	for i, to := range []*int64{&c.resends, &c.overruns, &c.underruns} {
		if *to, err = strconv.ParseInt(found[i][0], 10, 64); err != nil {
			return c, err
		}
	}
	if c.p50, err = time.ParseDuration(found[3][0]); err == nil {
		c.p999, err = time.ParseDuration(found[3][1])
	}
	return c, err
}
