package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/printer"
)

// The cable is pulled in mid-print, and comes back: the print goes on by itself, at a tap, or not at all.

// pulledAt is the line that the printer receives last before that; in the ring's first layers.
const pulledAt = 700

// switchOnToBePulled starts a printer whose device has another name each time that it is plugged in, under the same link, as
// /dev/serial/by-id has it.
func switchOnToBePulled(t *testing.T, fault string) *machine {
	t.Helper()
	return switchOn(t, "--speed", "40", "--heat", "100", "--advanced-ok", "--device", filepath.Join(t.TempDir(), "ttyUSB%d"), "--faults", fmt.Sprintf("%s@%d:2s", fault, pulledAt))
}

// lost polls until the print's connection is gone, and checks what is said of it.
func (d *daemon) lost(job string) {
	d.t.Helper()
	s := d.reach(printer.Faulted)
	if f := s.Fault; f == nil || f.Code != printer.FaultPortLost || f.JobID != job || f.Message == "" || !strings.Contains(f.Next, "Plug the cable in again") {
		d.t.Errorf("pulled in mid-print: fault %+v", f)
	}
	if s.Lost == nil || s.Lost.SinceMS < s.Job.StartedMS || s.Job.ID != job || s.Job.Line == 0 || s.LastJob != nil {
		d.t.Errorf("pulled in mid-print: lost %+v, job %+v, last job %+v", s.Lost, s.Job, s.LastJob)
	}
}

// done polls until the print has ended well, and checks its row.
func (d *daemon) done(job string) {
	d.t.Helper()
	s := d.until("end of the print", func(s server.State) bool { return s.Job == nil })
	if s.LastJob == nil || s.LastJob.ID != job || s.LastJob.Outcome != "done" || s.Fault != nil || s.Lost != nil {
		d.t.Errorf("it ended as %+v, fault %+v, lost %+v", s.LastJob, s.Fault, s.Lost)
	}
	if row := d.row(job); row.Outcome != "done" || row.Percent != 100 || row.Fault != "" {
		d.t.Errorf("the history has %+v", row)
	}
}

func TestAPulledCableIsMendedByItself(t *testing.T) {
	t.Parallel()
	m := switchOnToBePulled(t, "unplug")
	d := startDaemon(t, t.TempDir(), port(m.link))
	content := ring(t)
	d.reach(printer.Idle)
	job := d.start("ring.gcode", content)
	d.lost(job)
	if s := d.reach(printer.Printing); s.Fault != nil || s.Lost != nil || s.Pause != nil || s.Connection.Port != m.link || s.Job.ID != job {
		t.Errorf("it goes on with fault %+v, lost %+v, pause %+v on %q, job %+v", s.Fault, s.Lost, s.Pause, s.Connection.Port, s.Job)
	}
	d.done(job)
	d.end(5 * time.Second)
	same(t, withoutAsking(m.switchOff()), commandsOf(content))
	if out := m.out.String(); !strings.Contains(out, "cable pulled         1 times") {
		t.Errorf("the printer counted\n%s", out)
	}
}

func TestAPulledCableIsMendedAtATap(t *testing.T) {
	t.Parallel()
	m := switchOnToBePulled(t, "unplug")
	d := startDaemon(t, t.TempDir(), port(m.link, "LAYERD_PRINTER_RESUME_WITHIN_S=0"))
	content := ring(t)
	d.reach(printer.Idle)
	job := d.start("ring.gcode", content)
	d.lost(job)
	s := d.reach(printer.Paused)
	if f := s.Fault; f == nil || f.Code != printer.FaultPortLost || f.JobID != job || !strings.Contains(f.Next, "Resume") || s.Pause == nil || s.Pause.By != "fault" || s.Lost != nil {
		t.Errorf("it waits for a person with fault %+v, pause %+v, lost %+v", f, s.Pause, s.Lost)
	}
	d.do(`{"do":"resume","job":%q}`, job)
	if s := d.until("the print to go on", func(s server.State) bool { return s.State != printer.Paused }); s.Fault != nil {
		t.Errorf("resumed with the fault %+v", s.Fault)
	}
	d.done(job)
	d.end(5 * time.Second)
	// What the resume said stands in one place between the file's commands.
	got, want := withoutAsking(m.switchOff()), commandsOf(content)
	before, own := 0, len(got)-len(want)
	for before < min(len(got), len(want)) && got[before] == want[before] {
		before++
	}
	if own < 0 {
		t.Fatalf("%d commands were executed, the file has %d; the first that differs is number %d: %q", len(got), len(want), before+1, got[before:min(before+4, len(got))])
	}
	if between := strings.Join(got[before:before+own], "\n"); !goesOn.MatchString(between) {
		t.Errorf("to go on it executed\n%s\nwant it to match %v", between, goesOn)
	}
	same(t, got[before+own:], want[before:])
}

// goesOn is a resume where the head was not parked: heat up, and the modes; nothing moves.
var goesOn = regexp.MustCompile(`^M140 S60
M104 S2\d\d
M190 S60
M109 S2\d\d
G90
M83
(G92 E\S+
)?M10[67].*
G1 F\S+
G90
M83$`)

func TestAPulledCableAndABoardWithoutPower(t *testing.T) {
	t.Parallel()
	m := switchOnToBePulled(t, "powerloss")
	d := startDaemon(t, t.TempDir(), port(m.link))
	content := ring(t)
	d.reach(printer.Idle)
	job := d.start("ring.gcode", content)
	d.lost(job)
	s := d.faulted(printer.FaultBoardReset)
	if l := s.LastJob; s.State != printer.Faulted || s.Fault.JobID != job || s.Lost != nil || s.Job != nil || l == nil || l.Outcome != "interrupted" {
		t.Errorf("after the power came back: state %v, fault %+v, lost %+v, job %+v, last job %+v", s.State, s.Fault, s.Lost, s.Job, l)
	}
	row := d.row(job)
	if row.Outcome != "interrupted" || row.Fault != string(printer.FaultBoardReset) || row.Line == 0 || row.Layer == 0 || row.Percent <= 0 || row.Reason == "" {
		t.Errorf("the history has %+v", row)
	}
	d.do(`{"do":"dismiss"}`)
	d.reach(printer.Idle)
	d.end(5 * time.Second)
	all := m.switchOff()
	before := m.beforeGap(1500 * time.Millisecond) // the 2 s without power; a slow machine notes its last lines late
	if own := withoutAsking(all[before:]); len(own) != 0 {
		t.Errorf("the board that came back without its place was told %q", own)
	}
	got, want := withoutAsking(all[:before]), commandsOf(content)
	same(t, got, want[:min(len(got), len(want))])
	if n := strings.Count(string(content[:row.Offset]), "\n"); row.Line != int64(n) {
		t.Errorf("the history says line %d, but byte %d, which is in line %d", row.Line, row.Offset, n)
	}
}

// beforeGap is how many commands were executed before the longest time in which nothing was, which is at least so long: a busy machine makes others.
func (m *machine) beforeGap(least time.Duration) int {
	m.t.Helper()
	raw, err := os.ReadFile(m.record)
	if err != nil {
		m.t.Fatal(err)
	}
	var times []int
	for line := range strings.Lines(string(raw)) {
		us, _, _ := strings.Cut(line, "\t")
		at, err := strconv.Atoi(us)
		if err != nil {
			m.t.Fatalf("a line of the record is %q", line)
		}
		times = append(times, at)
	}
	before, longest := 0, time.Duration(0)
	for i := 1; i < len(times); i++ {
		if gap := time.Duration(times[i]-times[i-1]) * time.Microsecond; gap > longest {
			before, longest = i, gap
		}
	}
	if longest < least {
		m.t.Fatalf("in %d commands there is no gap of %v", len(times), least)
	}
	return before
}
