package main

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	leastMemory = 96 << 20
	mostMemory  = 160 << 20 // beside ffmpeg: above MemoryHigh in layerd.service the kernel holds up whatever asks for more, the print too
)

// limitMemory has the garbage collector keep layerd within a fifth of this machine, unless GOMEMLIMIT says otherwise. A tailnet's bulk transfers alone took
// 200 MB without a limit; the kernel would then end a print to make room.
func limitMemory() {
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
