package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: other programs, run on the same files as "layerd survey" ─▶ how long each took, and what it says of the print's time.

const (
	octoprintGoal = 20.0 // times
	memoryGoal    = 16.0 // MB above layerd version
)

// memory compares the peak of a survey with that of a process that does nothing.
func (b *bench) memory() error {
	fmt.Println("\n## Memory: the most that the process ever had")
	idle, err := peakOf(exec.CommandContext(b.ctx, b.layerd, "version"))
	if err != nil {
		return err
	}
	var t table
	t.add("process", "peak MB", "above layerd version")
	t.add("layerd version", fmt.Sprintf("%.1f", idle), "")
	worst := 0.0
	for _, f := range b.files {
		peak, err := peakOf(exec.CommandContext(b.ctx, b.layerd, "survey", "--json", f.path))
		if err != nil {
			return fmt.Errorf("layerd survey %s: %w", f.name, err)
		}
		worst = max(worst, peak-idle)
		t.add("layerd survey "+f.name, fmt.Sprintf("%.1f", peak), fmt.Sprintf("%+.1f", peak-idle))
	}
	t.print()
	goal(fmt.Sprintf("memory ≤ %.0f MB above layerd version", memoryGoal), fmt.Sprintf("%.1f MB", worst), worst <= memoryGoal)
	return nil
}

// peakOf runs a process and returns the most memory that it had, in MB. The kernel's account at its end begins with what its parent had at its start, so
// it tells nothing of a process that is smaller than this one.
func peakOf(cmd *exec.Cmd) (mb float64, err error) {
	own, err := benchrun.PeakKiB(os.Getpid())
	if err != nil {
		return 0, err
	}
	if _, err := runs(cmd); err != nil {
		return 0, err
	}
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || used.Maxrss <= own {
		return 0, fmt.Errorf("%s had less than this program's %d KiB: its memory is not known", filepath.Base(cmd.Path), own)
	}
	return float64(used.Maxrss) * 1024 / 1e6, nil
}

// ran is what a program took for a file, and what it says of the print.
type ran struct {
	clock, used time.Duration
	says        []byte
}

func runs(cmd *exec.Cmd) (r ran, err error) {
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(wrong.Bytes()))
	}
	return ran{time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), out.Bytes()}, nil
}

// besidePeers runs all three on a file of usual size and on the large one. Processor time is compared: it is the same whoever else is on the machine.
func (b *bench) besidePeers() error {
	fmt.Println("\n## Beside other programs, each as a process of its own: start, reading and all")
	if b.peers == "" {
		fmt.Println("left out: --peers says where they are")
		return nil
	}
	var t table
	t.add("file", "program", "s by the clock", "s of a processor", "layerd is faster by", "its time, s", "beside the slicer's")
	for _, f := range b.named("ps_benchy_m73", large) {
		s, err := f.surveyed()
		if err != nil {
			return err
		}
		ours, err := runs(exec.CommandContext(b.ctx, b.layerd, "survey", "--json", f.path))
		if err != nil {
			return err
		}
		octoprint, err := runs(exec.CommandContext(b.ctx, filepath.Join(b.peers, "bin/octoprint"), "analysis", "gcode", f.path))
		if err != nil {
			return err
		}
		row := func(program string, r ran, seconds float64) float64 {
			ahead := r.used.Seconds() / ours.used.Seconds()
			said, beside := "–", "–"
			if seconds > 0 {
				said, beside = whole(seconds), percent(seconds/s.SlicerTimeS-1)
			}
			t.add(f.name, program, fmt.Sprintf("%.2f", r.clock.Seconds()), fmt.Sprintf("%.2f", r.used.Seconds()), fmt.Sprintf("%.1f ×", ahead), said, beside)
			return ahead
		}
		row("layerd survey", ours, secondsOf(ours.says, `"time_s":\s*([0-9.]+)`))
		ahead := row("OctoPrint 1.11.8", octoprint, 60*secondsOf(octoprint.says, `total_time:\s*([0-9.]+)`))
		if f.name == large {
			defer goal(fmt.Sprintf("≥ %.0f × OctoPrint's analysis on the large file", octoprintGoal), fmt.Sprintf("%.1f ×", ahead), ahead >= octoprintGoal)
		}
		moonraker, err := b.moonraker(f)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		ahead = row("Moonraker 0.11.0", moonraker, 0)
		defer goal("faster than Moonraker's metadata script, "+f.name, fmt.Sprintf("%.1f ×, which reads the first and the last megabyte only and says %d things", ahead, things(moonraker.says)), ahead > 1)
	}
	t.print()
	return nil
}

// moonraker runs its script for one file, which stands by itself. The error wraps os.ErrNotExist where it is not installed.
func (b *bench) moonraker(f file) (ran, error) {
	found, err := filepath.Glob(filepath.Join(b.peers, "lib/python3*/site-packages/moonraker/components/file_manager/metadata.py"))
	if err != nil || len(found) == 0 {
		return ran{}, errors.Join(err, os.ErrNotExist)
	}
	return runs(exec.CommandContext(b.ctx, filepath.Join(b.peers, "bin/python"), found[0], "-p", filepath.Dir(f.path), "-f", filepath.Base(f.path)))
}

// things is how many keys of metadata it found.
func things(says []byte) int {
	var found struct{ Metadata map[string]any }
	if json.Unmarshal(says, &found) != nil {
		return 0
	}
	return len(found.Metadata)
}

// secondsOf finds a number in what a program says, 0 for none.
func secondsOf(says []byte, pattern string) float64 {
	m := regexp.MustCompile(pattern).FindSubmatch(says)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0
	}
	return v
}
