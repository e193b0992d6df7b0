package main

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"layerd/internal/guard"
	"layerd/internal/server"
	"layerd/printer"
)

// The whole way in the demo: the set-up, a print, steps that are lost in it, the alarm with its pictures, homing anew, and the print's end.
func TestAShiftInTheDemo(t *testing.T) {
	t.Parallel()
	d, _ := startDemoWith(t, []string{"--demo-faults", "lose@x:8:1000000"})
	d.reach(printer.Idle)
	d.until("a picture", func(s server.State) bool { return s.Cameras[0].Live })
	if status, a := d.try(d.token, `{"do":"guard_setup"}`); status != http.StatusBadRequest {
		t.Errorf("a set-up above a bed that nobody has looked at: got %d, %+v", status, a)
	}
	d.do(`{"do":"set_guard","guard":{"mode":"pause","camera":0,"share_percent":20,"record":true,"record_mb":50}}`)
	d.do(`{"do":"guard_setup","empty":true}`)
	s := d.patiently("the end of the set-up", func(s server.State) bool {
		return s.Guard.Setup != nil && (s.Guard.Setup.Step == "done" || s.Guard.Setup.Step == "failed")
	})
	if c := s.Guard.Card; c == nil || c.CameraID != 0 || c.XMM <= 0 || !c.Endstops.X.Usable {
		t.Fatalf("got %+v, %+v", s.Guard.Setup, c)
	}
	text := demoTower(12)
	d.put("tower.gcode", []byte(text))
	job := d.do(`{"do":"start","file":"tower.gcode","anyway":true,"record":{"mode":"layer","every_s":10,"park":true}}`).Job
	d.patiently("layers that were looked at", func(s server.State) bool { return s.Guard.Job == job && len(s.Guard.Layers) >= 3 })
	if err := d.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	s = d.patiently("an alarm", func(s server.State) bool {
		return s.Guard.Alarm != nil && s.State == printer.Paused && s.Guard.Alarm.ID > 0
	})
	a := s.Guard.Alarm
	if !a.Confirmed || a.XMM < 1.4 || a.XMM > 1.8 || a.YMM != 0 || !strings.Contains(a.Sentence, "right of where it should be (8 motor steps)") || s.Pause == nil || s.Pause.By != "shift" {
		t.Errorf("got %+v, %+v", a, s.Pause)
	}
	for _, which := range []string{"before", "after"} {
		if status, jpeg := d.ask("GET", "/v1/guard/1/"+which, d.token, nil); status != http.StatusOK || !strings.HasPrefix(string(jpeg), "\xff\xd8") {
			t.Errorf("the picture of %s: got %d, %d bytes", which, status, len(jpeg))
		}
	}
	d.do(`{"do":"rehome","job":"` + job + `"}`)
	d.patiently("homed anew", func(s server.State) bool {
		return s.Job != nil && s.Job.Rehomed != nil && !s.Job.Rehomed.Running && s.Job.Rehomed.OK
	})
	d.do(`{"do":"resume","job":"` + job + `"}`)
	s = d.patiently("the end of the print", func(s server.State) bool {
		return s.LastJob != nil || s.State == printer.Paused && s.Guard.Alarm != nil && s.Guard.Alarm.ID > 1
	})
	if s.LastJob == nil || s.LastJob.Outcome != "done" {
		t.Fatalf("got %+v, alarm %+v", s.LastJob, s.Guard.Alarm)
	}
	if row := d.row(job); row.Alarms != 1 {
		t.Errorf("in the history: %+v", row)
	}
	d.await("what people said of it", func() bool {
		list := get[server.AlarmList](d, "/v1/alarms/"+job).Alarms
		return len(list) == 1 && list[0].Label == guard.LabelTrue && list[0].Sentence == a.Sentence
	})
	d.stop(syscall.SIGTERM)
}

// patiently is until for what takes the demo minutes, as it does a real printer.
func (d *daemon) patiently(what string, is func(server.State) bool) (s server.State) {
	d.t.Helper()
	for until := time.Now().Add(6 * time.Minute); ; {
		if s = d.state(); is(s) {
			return s
		}
		if time.Now().After(until) {
			d.t.Fatalf("waiting for %s: the printer is %v, job %+v, the guard %+v", what, s.State, s.Job, s.Guard)
		}
		time.Sleep(10 * lookEach)
	}
}

// demoTower is a print of layers of some eight seconds each.
func demoTower(layers int) string {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nG90\nM83\nG1 F1800\n")
	for l := range layers {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.1f\n", l, 0.3+0.2*float64(l))
		for i := range 6 {
			fmt.Fprintf(&b, "G1 X%d Y%d E0.5\n", []int{80, 110, 110, 80}[i%4], []int{80, 80, 110, 110}[i%4])
		}
	}
	return b.String()
}
