package gcode

import (
	"strings"
	"testing"
)

// Where lines end with a lone CR no LF ever comes, and one that is looked for all the same makes 64 KiB of work of two bytes.
func BenchmarkScanCommentsEndedByCR(b *testing.B) {
	file := strings.Repeat(";\r", 1<<19)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		for s := NewScanner(strings.NewReader(file)); s.Scan(); {
		}
	}
}

func TestLineEnd(t *testing.T) {
	for _, before := range []int{0, 1, 255, 256, 257, 1279, 1280, 1281, 70000} {
		for _, end := range []string{"\n", "\r", "\r\n", "\n\r"} {
			for _, after := range []string{"", "\n", "\r", strings.Repeat("x", 5000) + "\r\n"} {
				text := strings.Repeat("x", before) + end + after
				if got := lineEnd([]byte(text)); got != before {
					t.Errorf("%d bytes, then %q: the line ends at %d", before, end, got)
				}
			}
		}
		if got := lineEnd([]byte(strings.Repeat("x", before))); got != -1 {
			t.Errorf("%d bytes without an end: it ends at %d", before, got)
		}
	}
}
