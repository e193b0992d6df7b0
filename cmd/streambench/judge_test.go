package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"layerd/internal/benchrun"
)

// numbered is n commands, all different.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("G1 X%d.5", i))
	}
	return all
}

// each is a record of commands, one every millisecond.
func each(commands ...string) (all []benchrun.Executed) {
	for i, c := range commands {
		all = append(all, benchrun.Executed{At: time.Duration(i) * time.Millisecond, Command: c})
	}
	return all
}

func TestJudgeCountsWhatIsWrong(t *testing.T) {
	job := numbered(1000)
	at := func(i int, change func(s []string) []string) []string {
		return slices.Concat(job[:i], change(job[i:i+10]), job[i+10:])
	}
	for _, c := range []struct {
		name                               string
		record                             []string
		lost, doubled, disordered, foreign int
	}{
		{"as it should be", job, 0, 0, 0, 0},
		{"questions between", at(500, func(s []string) []string { return slices.Insert(slices.Clone(s), 5, "M105", "M155 S2") }), 0, 0, 0, 0},
		{"nothing", nil, 1000, 0, 0, 0},
		{"a line lost", slices.Delete(slices.Clone(job), 500, 501), 1, 0, 0, 0},
		{"the first line lost", job[1:], 1, 0, 0, 0},
		{"the last lines lost", job[:990], 10, 0, 0, 0},
		{"200 lines lost at once", slices.Delete(slices.Clone(job), 300, 500), 200, 0, 0, 0},
		{"a line doubled", at(500, func(s []string) []string { return slices.Insert(slices.Clone(s), 1, s[0]) }), 0, 1, 0, 0},
		{"four lines sent again", at(500, func(s []string) []string { return append(slices.Clone(s[:4]), s...) }), 0, 4, 0, 0},
		{"the last line doubled", append(slices.Clone(job), job[999]), 0, 1, 0, 0},
		{"two lines exchanged", at(500, func(s []string) []string { s = slices.Clone(s); s[4], s[5] = s[5], s[4]; return s }), 0, 0, 2, 0},
		{"a line that was damaged", at(500, func(s []string) []string { s = slices.Clone(s); s[4] = "G1 X9"; return s }), 1, 0, 0, 1},
		{"something else between", at(500, func(s []string) []string { return slices.Insert(slices.Clone(s), 5, "G28", "M84") }), 0, 0, 0, 2},
		{"heaters off at the end", append(slices.Clone(job), "M104 S0", "M140 S0"), 0, 0, 0, 0},
		{"heaters off in the middle", at(500, func(s []string) []string { return slices.Insert(slices.Clone(s), 5, "M104 S0") }), 0, 0, 0, 1},
		{"two faults far apart", append(slices.Delete(slices.Clone(job), 100, 101), job[999]), 1, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := judge(each(c.record...), workload{cut: job})
			if m.lost != c.lost || m.doubled != c.doubled || m.disordered != c.disordered || m.foreign != c.foreign {
				t.Errorf("%d lost, %d doubled, %d out of order, %d foreign; want %d, %d, %d, %d",
					m.lost, m.doubled, m.disordered, m.foreign, c.lost, c.doubled, c.disordered, c.foreign)
			}
			if exact := c.lost+c.doubled+c.disordered+c.foreign == 0; m.exact() != exact || (m.wrong == "") != exact {
				t.Errorf("exact %v, and wrong is %q", m.exact(), m.wrong)
			}
			if m.lines != len(job)-c.lost-c.disordered {
				t.Errorf("%d lines came in their places", m.lines)
			}
		})
	}
}

// A slicer's file has lines that are alike; that must not be taken for lines sent twice.
func TestLinesThatAreAlike(t *testing.T) {
	var job []string
	for i := range 300 {
		job = append(job, "M106 S128", fmt.Sprintf("G1 X%d", i%7), "M106 S128")
	}
	if m := judge(each(job...), workload{cut: job}); !m.exact() {
		t.Errorf("the job itself: %+v", m)
	}
	if m := judge(each(slices.Delete(slices.Clone(job), 450, 451)...), workload{cut: job}); m.lost != 1 || m.doubled+m.foreign+m.disordered != 0 {
		t.Errorf("one line lost: %+v", m)
	}
}

func TestUseOfTheWire(t *testing.T) {
	// Behind the first there are 99 lines of 40 bytes each, with number and checksum.
	job := workload{head: []string{"G28"}}
	for i := range 100 {
		text := fmt.Sprintf("G1 X%d Y", i)
		for (workload{head: job.head, cut: append(job.cut, text)}).framed(i) < 40 {
			text += "1"
		}
		job.cut = append(job.cut, text)
	}
	record := []benchrun.Executed{{At: 0, Command: "G28"}, {At: time.Second, Command: "M105"}}
	for i, c := range job.cut {
		record = append(record, benchrun.Executed{At: 10*time.Second + time.Duration(i)*5*time.Millisecond, Command: c})
	}
	record = append(record, benchrun.Executed{At: time.Minute, Command: "M400"})
	m := judge(record, job)
	if m.bytes != 99*40 || math.Abs(m.seconds()-0.495) > 1e-9 || m.lines != 100 || m.starved != 0 {
		t.Errorf("%d bytes of %d lines in %.3f s, starved %d times; want 3960 of 100 in 0.495, never", m.bytes, m.lines, m.seconds(), m.starved)
	}
	if got := m.wire(115200); math.Abs(got-8000.0/11520) > 1e-9 {
		t.Errorf("at 115200 baud that is %.4f of the wire, want %.4f", got, 8000.0/11520)
	}
	if got := m.linesPerSecond(); math.Abs(got-200) > 1e-9 {
		t.Errorf("%.2f lines/s, want 200", got)
	}
	if m.wire(0) != 0 {
		t.Error("a wire without a rate was used")
	}
	for i := 60; i < len(record); i++ {
		record[i].At += 150 * time.Millisecond
	}
	if m := judge(record, job); m.starved != 1 {
		t.Errorf("after a pause of 155 ms: starved %d times", m.starved)
	}
}

func TestRecord(t *testing.T) {
	all, err := benchrun.ParseRecord([]byte("0\tG28\n1500000\tG1 X1\tY2\n"))
	if want := []benchrun.Executed{{At: 0, Command: "G28"}, {At: 1500 * time.Millisecond, Command: "G1 X1\tY2"}}; err != nil || !slices.Equal(all, want) {
		t.Errorf("got %v, %v; want %v", all, err, want)
	}
	for _, bad := range []string{"G28\n", "x\tG28\n", "\tG28"} {
		if _, err := benchrun.ParseRecord([]byte(bad)); err == nil || !strings.Contains(err.Error(), "record") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
