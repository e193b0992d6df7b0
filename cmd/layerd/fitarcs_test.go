package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFitArcs(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("M104 S200\nM83\nG1 X120 Y100 F1200\n")
	for n := 1; n <= 40; n++ {
		y, x := math.Sincos(float64(n) / 20)
		fmt.Fprintf(&file, "G1 X%.3f Y%.3f E.033\n", 100+20*x, 100+20*y)
	}
	to := filepath.Join(t.TempDir(), "arcs.gcode")
	for kind, content := range map[string]string{"plain": file.String(), "gzip": string(gzipped([]byte(file.String())))} {
		e := runLayerd(t, plain(t), "fit-arcs", fileOf(t, content), to)
		if e.code != 0 || e.err != "" || !strings.HasPrefix(e.out, "40 moves became 1 arcs, at most 0.0") || !strings.Contains(e.out, "commands  4, were 43") {
			t.Fatalf("%s: exit code %d, %q, %q", kind, e.code, e.out, e.err)
		}
		if got, err := os.ReadFile(to); err != nil || !strings.HasPrefix(string(got), "M104 S200\nM83\nG1 X120 Y100 F1200\nG3 X91.677 Y118.186 I-") {
			t.Errorf("%s: %v, %q", kind, err, got)
		}
		if e = runLayerd(t, plain(t), "fit-arcs", fileOf(t, content), to); e.code == 0 || !strings.Contains(e.err, "exists") {
			t.Errorf("%s: it writes over a file: %+v", kind, e)
		}
		if err := os.Remove(to); err != nil {
			t.Error(err)
		}
	}
	for _, args := range [][]string{{"fit-arcs", fileOf(t, "G28\n")}, {"fit-arcs", "--arc-tolerance=1", fileOf(t, "G28\n"), to}, {"fit-arcs", fileOf(t, ""), to}, {"version", "--arc-tolerance=0.02"}} {
		e := runLayerd(t, plain(t), args...)
		if _, err := os.Stat(to); e.code == 0 || err == nil {
			t.Errorf("%v is done: %+v", args, e)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), ".layerd-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
