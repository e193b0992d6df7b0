package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"layerd/printer/printertest"
)

// What we read of printsim's words is what it says.
func TestCounters(t *testing.T) {
	c := printertest.Counters{Resends: 3, Overruns: 44, OverrunEvents: 2, Underruns: 5}
	for i := range 10000 {
		c.Gaps.Add(time.Duration(i) * time.Microsecond)
	}
	got, err := parseCounters("/tmp/printer\n" + c.String())
	want := counters{resends: 3, overruns: 44, underruns: 5, p50: c.Gaps.Quantile(0.5), p999: c.Gaps.Quantile(0.999)}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseCounters("lines received 3"); err == nil {
		t.Error("half of the words were enough")
	}
}

func TestCut(t *testing.T) {
	s := source{"a", []string{"G28", "M105", "G90", "M82", "G1 X10 Y20 Z0.3 F3000", "G1 X11 E1.5", "G91", "G1 Z1", "G90", "M83", "G1 X1 Y2 E3", "M105", "G1 X4", "G1 X5"}}
	w := s.take(10, 3)
	if want := []string{"G1 X1 Y2 E3", "G1 X4", "G1 X5"}; !slices.Equal(w.cut, want) {
		t.Errorf("the cut is %q, want %q", w.cut, want)
	}
	want := []string{"G28", "M109 S210", "G21", "G90", "G1 Z1.300 F600", "G1 X11.000 Y20.000 F6000", "G92 E1.50000", "G1 F3000", "M83"}
	if !slices.Equal(w.head, want) {
		t.Errorf("the head is %q, want %q", w.head, want)
	}
	if got := string(w.bytes()); got != strings.Join(append(want, w.cut...), "\n")+"\n" {
		t.Errorf("the file is %q", got)
	}
	if got, want := w.framed(0), len("N10 G1 X1 Y2 E3*123\n"); got < want-1 || got > want {
		t.Errorf("the first line of the cut has %d bytes on the wire, want about %d", got, want)
	}
	if w := s.take(100, 2); len(w.cut) != 2 || w.cut[1] != "G1 X5" {
		t.Errorf("a cut behind the end is %q", w.cut)
	}
	if w := s.take(0, 100); len(w.cut) != 12 {
		t.Errorf("a cut that is longer than the file has %d lines, want all that are no questions", len(w.cut))
	}
}

// A cut of moves of a tenth of a second each asks for ten lines a second.
func TestDemand(t *testing.T) {
	w := workload{head: []string{"G90", "M82", "G1 X0 Y0 F600"}} // 10 mm/s
	for i := range 50 {
		w.cut = append(w.cut, fmt.Sprintf("G1 X%d", i+1))
	}
	line := w.framed(30)
	if seconds, densest := w.demand(); seconds < 4.99 || seconds > 5.01 || densest < 10*line || densest > 11*line {
		t.Errorf("%.2f s, %d bytes in the densest second; want 5 and ten or eleven lines of %d", seconds, densest, line)
	}
	if n := len(w.lasting(2.05).cut); n != 20 {
		t.Errorf("two seconds are %d lines, want 20", n)
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("; a comment\nG28 ; home\n\nG1 X1\n"))
	z.Close()
	if err := os.WriteFile(filepath.Join(dir, "a.gcode.gz"), packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s, said, err := openSource(dir, "a.gcode.gz")
	if err != nil || said != "" || s.name != "a.gcode" || !slices.Equal(s.commands, []string{"G28", "G1 X1"}) {
		t.Errorf("got %+v, %q, %v", s, said, err)
	}
	s, said, err = openSource(dir, "none.gcode")
	if err != nil || !strings.Contains(said, "none.gcode") {
		t.Fatalf("without the file: %q, %v", said, err)
	}
	// Enough for the longest case, and no line that could be taken for another.
	if n := linesFor(s, settings{baud: 1_000_000}, 30*time.Second, 0); len(s.commands) < n*4/3 {
		t.Errorf("there are %d rings' lines, and half a minute at 1 Mbaud asks for %d behind the first quarter", len(s.commands), n)
	}
	seen := make(map[string]bool)
	for _, c := range s.commands {
		if seen[c] {
			t.Fatalf("%q is there twice", c)
		}
		seen[c] = true
		if len(c) > 80 {
			t.Fatalf("%q is too long for the firmware", c)
		}
	}
}

func TestLinesForASpan(t *testing.T) {
	s := rings()
	set := settings{baud: 115200, latency: 8 * time.Millisecond}
	all, waiting := linesFor(s, set, 10*time.Second, 0), linesFor(s, set, 10*time.Second, time.Millisecond)
	each := float64(s.take(len(s.commands)/4, 2000).wireBytes()) / 2000
	if got := float64(all) * each / 11520; got < 9.9 || got > 10.1 {
		t.Errorf("%d lines of %.1f bytes take %.2f s of the wire, want 10", all, each, got)
	}
	if most := 10 * time.Second / (17 * time.Millisecond); waiting > int(most) || waiting < int(most)/2 {
		t.Errorf("who waits 16 ms for each answer gets %d lines for 10 s", waiting)
	}
}

func TestOthersOnTheMachine(t *testing.T) {
	before := parseStat("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3\n")
	after := parseStat("cpu  150 0 120 800 110 5 5 10 99 0\n")
	if before.total != 10*time.Second || before.busy != 2*time.Second {
		t.Errorf("before: %+v, want 10 s, 2 of them busy", before)
	}
	after.ours = 500 * time.Millisecond // of 0.9 s
	if got := after.others(before); got < 0.199 || got > 0.201 {
		t.Errorf("others had %.3f, want 0.2", got)
	}
	if got := (usage{}).others(usage{}); got != 0 {
		t.Errorf("of no time others had %v", got)
	}
}

func TestTable(t *testing.T) {
	good := row{of: "a case", streamer: "layerd", baud: 115200, ours: true, measure: measure{lines: 101, bytes: 5760, to: time.Second}}
	good.goals = []goal{atLeast("wire", good.wire(good.baud), 0.4), within("p50", time.Millisecond, 50*time.Microsecond), none("underruns", 0), times("layerd", 1.5, 1.4)}
	rows := []row{good, {of: "a case", streamer: "peer", measure: measure{lost: 2, lines: 3}}, {of: "b", streamer: "one-line", ours: true, failed: "not done in 3s"}}
	text := table(rows)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for _, l := range lines {
		if strings.Count(l, "|") != len(heading)+1 || utf8.RuneCountInString(l) != utf8.RuneCountInString(lines[0]) {
			t.Errorf("a line is no row like the others: %q", l)
		}
	}
	for n, words := range map[int]string{2: "wire ≥ 40.0 %: 50.0 %, met; p50 ≤ 50µs: 1ms, MISSED; no underruns: 0, met; layerd ≥ 1.4×: 1.50×, met", 3: "2 lost, 0 doubled", 4: "failed: not done in 3s"} {
		if !strings.Contains(lines[n], words) {
			t.Errorf("no %q in %q", words, lines[n])
		}
	}
	if all := wrong(rows); len(all) != 1 || !strings.Contains(all[0], "b, one-line: not done") {
		t.Errorf("wrong are %q, want ours alone", all)
	}
	rows[0].doubled = 1
	if all := wrong(rows); len(all) != 2 || !strings.Contains(all[0], "a case, layerd: 0 lost, 1 doubled") {
		t.Errorf("wrong are %q", all)
	}
}
