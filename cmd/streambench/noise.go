package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What flows here: what the machine's processors did → how much of that was not ours, and so how far a row can be trusted.

// usage is what the processors have done since the machine started.
type usage struct {
	busy, total time.Duration // of all of them, what a hypervisor took away included
	ours        time.Duration // by this program and the children that have ended
}

// others is which part of all processors somebody else had between two usages, 0 to 1.
func (u usage) others(before usage) float64 {
	total, busy := u.total-before.total, u.busy-before.busy
	if total <= 0 {
		return 0
	}
	return min(1, max(0, float64(busy-(u.ours-before.ours))/float64(total)))
}

// usageNow is zero where the system does not tell.
func usageNow() usage {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}
	}
	u := parseStat(string(stat))
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var r unix.Rusage
		if unix.Getrusage(who, &r) == nil {
			u.ours += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return u
}

// parseStat reads the first line of /proc/stat, whose numbers are hundredths of a second: user, nice, system, idle, iowait, irq, softirq, steal.
// The two behind them are in the first two already.
func parseStat(stat string) (u usage) {
	line, _, _ := strings.Cut(stat, "\n")
	for i, field := range strings.Fields(strings.TrimPrefix(line, "cpu ")) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i > 7 {
			break
		}
		t := time.Duration(n) * 10 * time.Millisecond
		u.total += t
		if i != 3 && i != 4 {
			u.busy += t
		}
	}
	return u
}

const (
	calmEnough = 0.08 // of all processors
	calmFor    = 2 * time.Second
)

// calm waits until others leave the processors alone, at most as long as it was told to.
func (b *bench) calm(ctx context.Context) {
	for until := time.Now().Add(b.forCalm); time.Now().Before(until); {
		before := usageNow()
		select {
		case <-ctx.Done():
			return
		case <-time.After(calmFor):
		}
		if usageNow().others(before) < calmEnough {
			return
		}
	}
}

// machineSays is what the numbers were taken on.
func machineSays() string {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	n := 0
	for line := range strings.Lines(string(info)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name", "Model":
			model = strings.TrimSpace(value)
		}
	}
	var kernel unix.Utsname
	_ = unix.Uname(&kernel) // an empty name says enough
	return fmt.Sprintf("%d × %s, Linux %s", n, model, unix.ByteSliceToString(kernel.Release[:]))
}

// loadSays is the machine's load of the last one, five and fifteen minutes.
func loadSays() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}
