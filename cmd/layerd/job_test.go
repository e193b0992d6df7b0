package main

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/printer"
)

func TestAWholePrintOverHTTP(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "700", "--heat", "100", "--advanced-ok")
	d := startDaemon(t, t.TempDir(), port(m.link))
	content := realFile(t, "ps_cube20.gcode")
	sum := sha256.Sum256(content)

	f := d.put("parts/cube.gcode", content)
	if f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(content)) || f.Path != "parts/cube.gcode" || f.Layers < 20 {
		t.Errorf("the upload is listed as %+v", f)
	}
	d.reach(printer.Idle)
	job := d.do(`{"id":1,"do":"start","file":"parts/cube.gcode"}`).Job
	if again := d.do(`{"id":1,"do":"start","file":"parts/cube.gcode"}`).Job; again != job || job == "" {
		t.Errorf("a repeated start gave job %q, want that of the first, %q", again, job)
	}
	var seen []server.State
	s := d.until("end of the print", func(s server.State) bool {
		seen = append(seen, s)
		return s.Job == nil && s.LastJob != nil
	})
	risen := 0
	for i, s := range seen {
		if s.Job == nil {
			continue
		}
		if s.Job.ID != job || s.Job.File != "parts/cube.gcode" || s.Job.Name != "cube.gcode" {
			t.Fatalf("the job under way is %+v", s.Job)
		}
		if i > 0 && seen[i-1].Job != nil {
			before := seen[i-1].Job
			if s.Job.Percent < before.Percent || s.Job.Line < before.Line || s.Job.Layer < before.Layer {
				t.Fatalf("progress fell from %+v to %+v", before, s.Job)
			}
			if s.Job.Percent > before.Percent {
				risen++
			}
		}
	}
	if risen < 5 || !slices.ContainsFunc(seen, func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer > 1 && s.Job.ZMM > 0 }) {
		t.Errorf("progress was seen to rise %d times in %d looks", risen, len(seen))
	}
	if s.State != printer.Idle || s.LastJob.ID != job || s.LastJob.Outcome != "done" || s.LastJob.Percent != 100 || s.Fault != nil {
		t.Errorf("at its end: state %v, %+v, fault %v", s.State, s.LastJob, s.Fault)
	}
	if row := d.row(job); row.Outcome != "done" || row.Percent != 100 || row.SHA256 != f.SHA256 || row.By != "test owner" || row.EndedMS < row.StartedMS ||
		row.FilamentMM <= 0 || row.Layer != row.Layers {
		t.Errorf("the history has %+v", row)
	}
	if f := d.files(); len(f) != 2 || f[1].Prints != 1 || f[1].LastOutcome != "done" {
		t.Errorf("the files are %+v", f)
	}
	d.end(5 * time.Second)
	same(t, withoutAsking(m.switchOff()), commandsOf(content))
	if out := m.out.String(); !strings.Contains(out, "resends asked        0 ") || !strings.Contains(out, "receive overruns     0 ") {
		t.Errorf("the printer counted\n%s", out)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "40", "--heat", "100")
	d := startDaemon(t, t.TempDir(), port(m.link))
	content := ring(t)
	d.reach(printer.Idle)
	job := d.start("ring.gcode", content)
	d.until("a second layer", func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer >= 2 })
	if status, a := d.try(d.token, `{"do":"pause","job":"0000000000"}`); status != 409 || a.Error.Code != "other_job" {
		t.Errorf("a pause of another job: status %d, %+v", status, a.Error)
	}
	answer := d.do(`{"do":"pause","job":%q}`, job)
	if s := d.state(); s.Rev < answer.Rev || s.State != printer.Pausing && s.State != printer.Paused {
		t.Errorf("after the answer (revision %d) the state is %v in revision %d", answer.Rev, s.State, s.Rev)
	}
	s := d.reach(printer.Paused)
	for _, method := range []string{"PUT", "DELETE"} {
		if status, body := d.ask(method, "/v1/files/ring.gcode", d.token, strings.NewReader("G28\n")); status != 409 || !strings.Contains(string(body), "in_use") {
			t.Errorf("%s of the file that is printed: status %d, %s", method, status, body)
		}
	}
	still := s.Job.Line
	if status, a := d.try(d.token, `{"do":"send","line":"G28"}`); status != 422 || a.Error.Code != "bad_line" {
		t.Errorf("G28 in a pause: status %d, %+v", status, a.Error)
	}
	d.do(`{"do":"send","line":"M105"}`)
	if s := d.state(); s.State != printer.Paused || s.Job.Line != still {
		t.Errorf("in the pause the state is %v at line %d, want line %d", s.State, s.Job.Line, still)
	}
	d.do(`{"do":"resume","job":%q}`, job)
	d.reach(printer.Printing)
	if s = d.until("end of the print", func(s server.State) bool { return s.Job == nil }); s.LastJob.Outcome != "done" {
		t.Errorf("it ended as %+v", s.LastJob)
	}
	if row := d.row(job); row.Outcome != "done" {
		t.Errorf("the history has %+v", row)
	}
	d.end(5 * time.Second)
	// What the host said of its own accord stands in one place between the file's commands, and nothing of these is missing or twice.
	got, want := m.switchOff(), commandsOf(content)
	got = slices.DeleteFunc(got, func(c string) bool { return slices.Contains(asks, word(c)) })
	before, own := 0, len(got)-1-len(want) // the last one is the host's M400
	if own < 0 || got[len(got)-1] != "M400" {
		t.Fatalf("%d commands were executed, the last %q; the file has %d", len(got), got[len(got)-1], len(want))
	}
	for before < len(want) && got[before] == want[before] {
		before++
	}
	same(t, got[before+own:len(got)-1], want[before:])
	between := strings.Join(got[before:before+own], "\n")
	if !pauseAndResume.MatchString(between) {
		t.Errorf("between pause and resume it executed\n%s\nwant it to match %v", between, pauseAndResume)
	}
}

// pauseAndResume is what the profile makes of a pause: retract, lift, park; heat up, back to the place, E and the modes.
var pauseAndResume = regexp.MustCompile(`^M400
G90
M83
G1 E-2 F900
G0 Z\S+ F480
G0 X5 Y210 F6000
M400
M140 S60
M104 S2\d\d
M190 S60
M109 S2\d\d
G90
M83
G0 Z\S+ F480
G0 X\S+ Y\S+ F6000
G0 Z\S+ F480
G1 E2 F180
G92 E\S+
M10[67].*
G1 F\S+
G90
M83$`)

func TestCancel(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "40", "--heat", "100")
	d := startDaemon(t, t.TempDir(), port(m.link))
	d.reach(printer.Idle)
	job := d.start("ring.gcode", ring(t))
	d.until("a second layer", func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer >= 2 })
	d.do(`{"do":"cancel","job":%q}`, job)
	if s := d.reach(printer.Idle); s.LastJob == nil || s.LastJob.ID != job || s.LastJob.Outcome != "cancelled" {
		t.Errorf("it ended as %+v", s.LastJob)
	}
	if row := d.row(job); row.Outcome != "cancelled" || row.Percent <= 0 || row.Percent >= 100 {
		t.Errorf("the history has %+v", row)
	}
	d.end(5 * time.Second)
	cooled(t, m.switchOff())
}

// cooled checks that the last thing that happened is heaters off, and then the head's way to its parking place.
func cooled(t *testing.T, commands []string) {
	t.Helper()
	last := func(want string) int {
		at := -1
		for i, c := range commands {
			if strings.HasPrefix(c, want) {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("%s was not executed", want)
		}
		return at
	}
	nozzle, bed, park := last("M104 S0"), last("M140 S0"), last("G0 X5 Y210")
	if park < nozzle || park < bed {
		t.Errorf("the heaters are off after the park; executed at the end: %q", commands[max(0, len(commands)-30):])
	}
	for _, c := range commands[max(nozzle, 0):] {
		if w := word(c); (w == "M104" || w == "M109" || w == "M140" || w == "M190") && !strings.HasSuffix(c, "S0") {
			t.Errorf("after heaters off came %q", c)
		}
	}
	if own := withoutAsking(commands); own[len(own)-1] != "M84" {
		t.Errorf("the motors stay on; executed at the end: %q", commands[max(0, len(commands)-30):])
	}
}
