package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	for total, want := range map[int64]int64{0: leastMemory, 430 << 20: leastMemory, 600 << 20: 120 << 20, 1 << 30: mostMemory, 8 << 30: mostMemory} {
		if got := memoryLimit(total); got != want {
			t.Errorf("of %d bytes: got %d, want %d", total, got, want)
		}
	}
	if got := totalMemory(); got < 64<<20 {
		t.Errorf("this machine has %d bytes", got)
	}
	unit, err := os.ReadFile("../../systemd/layerd.service")
	if err != nil {
		t.Fatal(err)
	}
	var high int64
	if _, err := fmt.Sscanf(string(regexp.MustCompile(`(?m)^MemoryHigh=\d+M$`).Find(unit)), "MemoryHigh=%dM", &high); err != nil || mostMemory > high<<20*2/3 {
		t.Errorf("layerd may take %d MiB of the unit's %d, %v; want a third left for ffmpeg", mostMemory>>20, high, err)
	}
}
