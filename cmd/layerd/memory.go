package main

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	leastMemory = 96 << 20
	mostMemory  = 160 << 20 // beside ffmpeg: above MemoryHigh in layerd.service the kernel holds up whatever asks for more, the print too
)

// garbagePercent is how much garbage, in percent of what is in use, waits for the collector. Go's own 100 is for heaps that cost something to look through. Ours is
// small, and with a tailnet nearly all of it is buffers, which are not looked through: 12 MB less with it, 3 MB without, and no more time of the processor that
// could be measured (docs/PERFORMANCE.md, "On the Pi").
const garbagePercent = 25

// limitMemory has the garbage collector keep layerd small, and within a fifth of this machine, unless GOGC and GOMEMLIMIT say otherwise. A tailnet's bulk transfers
// alone took 200 MB without a limit; the kernel would then end a print to make room.
func limitMemory() {
	runtime.MemProfileRate = 0 // nobody can ask layerd for such a profile, and its tables are another megabyte
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(totalMemory()))
	}
}

// memoryLimit is what layerd may take of total bytes; 0 = unknown.
func memoryLimit(total int64) int64 {
	return min(max(total/5, leastMemory), mostMemory)
}

// totalMemory is this machine's, in bytes; 0 when it cannot be told.
func totalMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
