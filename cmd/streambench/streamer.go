package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"layerd/internal/benchrun"
)

// What flows here: a streamer's program → its words → what it cost.
//
// Every streamer is a process of its own and says the same words, so that all are measured alike:
//
//	streamer: ready PID …   it is connected and idle; PID is the process that streams, and behind it is how its server is asked: URL KEY
//	bench:    go            print
//	streamer: done REMARK   the firmware has taken the last line
//	bench:    (closes)      end
//
// What it says before ready does not count: start-up, imports, and the handshake are not streaming.

// streamer is a program that prints a file.
type streamer struct {
	name    string
	program []string // and its first arguments; --port, --baud and --file follow
}

// cost is what a streamer needed from go to done.
type cost struct {
	cpu    time.Duration
	rssKiB int64 // the most it ever had in memory
	remark string
}

// startUp is how long a streamer may take to be ready: a Python server with all its plugins on a loaded machine.
const startUp = 3 * time.Minute

// beginning is called when a print is about to begin: by the process pid, which is asked at that address if it is a server. end, if any, is called when the print is
// done and all still runs.
type beginning func(pid int, at site) (end func(), err error)

// run has the streamer print file on port. ready is called before it begins. It fails when limit has passed.
func (s streamer) run(ctx context.Context, port string, baud int, file string, limit time.Duration, ready beginning) (c cost, err error) {
	ctx, cancel := context.WithTimeout(ctx, startUp+limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.program[0], append(s.program[1:len(s.program):len(s.program)], "--port", port, "--baud", strconv.Itoa(baud), "--file", file)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	// A driver may have children: the whole group goes.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	say, err := cmd.StdinPipe()
	if err != nil {
		return c, err
	}
	heard, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	if err := cmd.Start(); err != nil {
		return c, fmt.Errorf("start %s: %w", s.name, err)
	}
	c, err = converse(say, bufio.NewReader(heard), ready)
	say.Close()
	if err != nil {
		cmd.Cancel()
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("not done in %v", startUp+limit)
	}
	return c, err
}

// converse is the bench's side of the conversation.
func converse(say io.Writer, heard *bufio.Reader, begin beginning) (c cost, err error) {
	ready, err := hear(heard, "ready")
	if err != nil {
		return c, err
	}
	words := append(strings.Fields(ready), "", "", "")
	pid, err := strconv.Atoi(words[0])
	if err != nil {
		return c, fmt.Errorf("ready %q: %w", ready, err)
	}
	end, err := begin(pid, site{url: words[1], key: words[2]})
	if err != nil {
		return c, err
	}
	if end != nil {
		defer end()
	}
	before, err := cpuOf(pid)
	if err != nil {
		return c, err
	}
	if _, err := io.WriteString(say, "go\n"); err != nil {
		return c, err
	}
	if c.remark, err = hear(heard, "done"); err != nil {
		return c, err
	}
	after, err := cpuOf(pid)
	if err != nil {
		return c, err
	}
	c.cpu = after - before
	c.rssKiB, err = benchrun.PeakKiB(pid)
	return c, err
}

// hear waits for a line that begins with word, and returns the rest of it. Other lines are the program's own business.
func hear(r *bufio.Reader, word string) (rest string, err error) {
	for {
		line, err := r.ReadString('\n')
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), word); ok {
			return strings.TrimSpace(rest), nil
		}
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("it ended without saying %q", word)
		}
		if err != nil {
			return "", err
		}
	}
}

// cpuOf is the processor time that all threads of a process have had, and its children that have ended. The kernel numbers each process's clock by its id
// (posix-timers.h, MAKE_PROCESS_CPUCLOCK), and such a clock is exact where /proc counts hundredths of a second, as it does for children.
func cpuOf(pid int) (time.Duration, error) {
	const cpuClockSched = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClockSched), &ts); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	children, err := parseChildren(string(stat))
	return time.Duration(ts.Nano()) + children, err
}

// parseChildren reads cutime and cstime of /proc/PID/stat, see proc(5). The second field is a name in brackets, with whatever in it.
func parseChildren(stat string) (sum time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0, fmt.Errorf("%q tells nothing of children", stat)
	}
	for _, f := range fields[13:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum, nil
}

// obey is a streamer's side: it says that it is ready, waits for go, prints, says that it is done, and waits for the end, so that
// its memory can still be looked at.
func obey(print func() (remark string, err error)) error {
	fmt.Println("ready", os.Getpid())
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	remark, err := print()
	if err != nil {
		return err
	}
	fmt.Println("done", remark)
	_, err = in.ReadString('\n')
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
