// Package benchrun runs programs as the benchmarks do, and reads what they have left: the pretend printer's record, and what the kernel knows.
package benchrun

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ahead is the niceness of the pretend printer. A real one does not share a processor with its host.
const ahead = -15

// Ahead calls start, such as an exec.Cmd's; the program that it starts goes before all others, where we may.
func Ahead(start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Setpriority(unix.PRIO_PROCESS, 0, ahead) == nil { // of this thread, and so of what it begins
		defer unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
	}
	return start()
}

// Executed is one command of printsim's record.
type Executed struct {
	At      time.Duration // since the pretend printer began
	Command string
}

// ParseRecord reads what printsim --record has written.
func ParseRecord(record []byte) (all []Executed, err error) {
	for line := range bytes.Lines(record) {
		us, command, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t")
		n, err := strconv.ParseInt(us, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("a line of the pretend printer's record is %q", line)
		}
		all = append(all, Executed{time.Duration(n) * time.Microsecond, command})
	}
	return all, nil
}

// PeakKiB is the most memory that a process ever had.
func PeakKiB(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		}
	}
	return 0, fmt.Errorf("no VmHWM in the status of process %d", pid)
}

// Memory is what a process has in memory at some moment, in KiB.
type Memory struct {
	Total     int64 // what it shares with others counts in part (PSS)
	Anonymous int64 // of that: not pages of files, which the kernel drops when it needs them for something else
}

// MemoryOf looks at a process. It takes the kernel a millisecond or so.
func MemoryOf(pid int) (m Memory, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(rollup)) {
		name, rest, _ := strings.Cut(line, ":")
		if to := map[string]*int64{"Pss": &m.Total, "Pss_Anon": &m.Anonymous}[name]; to != nil {
			if *to, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64); err != nil {
				return m, fmt.Errorf("%q in the memory of process %d: %w", strings.TrimSpace(line), pid, err)
			}
		}
	}
	if m.Total == 0 {
		return m, fmt.Errorf("no Pss in the memory of process %d", pid)
	}
	return m, nil
}
