package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	for total, want := range map[int64]int64{0: leastMemory, 430 << 20: leastMemory, 1 << 30: 1 << 30 / 5, 8 << 30: mostMemory} {
		if got := memoryLimit(total); got != want {
			t.Errorf("of %d bytes: got %d, want %d", total, got, want)
		}
	}
	if got := totalMemory(); got < 64<<20 {
		t.Errorf("this machine has %d bytes", got)
	}
}
