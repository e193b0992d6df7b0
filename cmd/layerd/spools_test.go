package main

import (
	"math"
	"syscall"
	"testing"

	"layerd/internal/server"
	"layerd/internal/spoolman/spoolmantest"
	"layerd/internal/spools"
	"layerd/printer"
)

// Prints with spools of ours, by way of the queue: what they have used is off the spools, also of the one that was changed in the middle and then killed
// with the daemon.
func TestASpoolLosesWhatPrintsUse(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "15", "--heat", "100")
	data := t.TempDir()
	d := startDaemon(t, data, port(m.link))
	tiny, content := []byte("G28\nM109 S200\nM82\nG92 E0\nG1 X10 Y10 F3000\nG1 X20 E12\nG1 E10 F1800\n"), ring(t)
	d.reach(printer.Idle)
	d.do(`{"do":"save_spool","spool":{"name":"red","material":"PLA","diameter_mm":1.75,"density_g_cm3":1.24,"weight_g":1000}}`)
	d.do(`{"do":"set_spool","spool_id":1}`)
	d.put("tiny.gcode", tiny)
	d.put("ring.gcode", content)
	d.do(`{"do":"queue_add","file":"tiny.gcode"}`)
	d.do(`{"do":"queue_add","file":"ring.gcode","copies":2}`)
	first := d.do(`{"do":"start_next","anyway":true}`).Job
	if row := d.row(first); row.Outcome != "done" || row.FilamentMM != 12 || row.Spools != "red" {
		t.Errorf("the history has %+v, want 12 mm of red", row)
	}
	second := d.do(`{"do":"start_next"}`).Job
	// In a pause the person unloads, puts blue on, loads and purges: what was printed before is red's, and what is printed then is blue's.
	d.until("some filament", func(s server.State) bool { return s.State == printer.Printing && s.Job.FilamentMM > 20 })
	d.do(`{"do":"pause"}`)
	red := d.reach(printer.Paused).Job.FilamentMM
	for _, by := range []string{`5`, `-100,"mm_s":10`, `50,"mm_s":5`, `50,"mm_s":5`, `20`} {
		d.do(`{"do":"extrude","by_mm":` + by + `}`)
	}
	d.do(`{"do":"save_spool","spool":{"name":"blue","material":"PLA","diameter_mm":1.75,"density_g_cm3":1.24,"weight_g":1000}}`)
	d.do(`{"do":"set_spool","spool_id":2}`)
	d.do(`{"do":"resume"}`)
	d.await("more filament in the journal", func() bool { return d.prints()[0].ID == second && d.prints()[0].FilamentMM > red+20 })
	d.stop(syscall.SIGKILL)

	d = startDaemon(t, data, port(m.link))
	row := d.row(second)
	used := map[string]float64{}
	for _, s := range get[spools.List](d, "/v1/spools").Spools {
		used[s.Name] = s.UsedMM
	}
	if row.Outcome != "interrupted" || math.Abs(used["red"]-12-red) > 0.02 || math.Abs(used["blue"]-(row.FilamentMM-red)) > 0.02 || used["blue"] < 20 {
		t.Errorf("the spools have lost %v mm; red had 12 + %v, and the history has %+v", used, red, row)
	}
	queue := get[server.QueueList](d, "/v1/queue").Entries
	if len(queue) != 1 || queue[0].Name != "ring.gcode" || queue[0].Copies != 2 || queue[0].Print != "" {
		t.Errorf("the queue is %+v, want the two copies that were not done", queue)
	}
	d.end(stopTime)
}

// With a Spoolman that is down a print starts and ends as always; Spoolman is told when it is back, after a kill too, and once.
func TestSpoolmanIsToldWhenItIsBack(t *testing.T) {
	t.Parallel()
	far := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {Name: "orange", WeightG: 1000}})
	m := switchOn(t, "--speed", "15", "--heat", "100")
	data := t.TempDir()
	env := port(m.link, "LAYERD_SPOOLMAN_URL="+far.URL)
	d := startDaemon(t, data, env)
	d.reach(printer.Idle)
	d.await("Spoolman's list", func() bool { return len(get[spools.List](d, "/v1/spools").Spools) == 1 })
	d.do(`{"do":"set_spool","spool_id":3}`)
	far.Go("GET", spoolmantest.Down)
	far.Go("PUT", spoolmantest.Down)
	job := d.start("ring.gcode", ring(t))
	d.await("filament in the journal", func() bool { return d.prints()[0].ID == job && d.prints()[0].FilamentMM > 20 })
	d.stop(syscall.SIGKILL)
	d = startDaemon(t, data, env)
	mm := d.row(job).FilamentMM
	d.await("its silence", func() bool { return get[spools.List](d, "/v1/spools").Problem != "It was not asked yet." })
	if l := get[spools.List](d, "/v1/spools"); len(l.Spools) != 1 || math.Abs(l.Spools[0].UsedMM-mm) > 0.01 || l.AtMS == 0 {
		t.Errorf("while it is down the list is %+v, want %v mm used", l, mm)
	}
	far.Go("GET", spoolmantest.Nothing)
	far.Go("PUT", spoolmantest.Nothing)
	d.await("its word that it knows", func() bool { return far.UsedMM(3) > 0 })
	if got := far.UsedMM(3); math.Abs(got-mm) > 0.1 {
		t.Errorf("Spoolman has %v mm, want %v", got, mm)
	}
	d.end(stopTime)
}
