package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layerd/printer"
)

func TestCommandsReachThePrinter(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":1,"do":"pause","job":"j1"}`:                   "pause j1",
		`{"id":"2","do":"resume","job":"j1"}`:                "resume j1",
		`{"id":"2a","do":"resume","job":"j1","anyway":true}`: "resume as it is j1",
		`{"id":"3","do":"cancel"}`:                           "cancel",
		`{"do":"guard_check","job":"j1"}`:                    "guard_check j1 asked", `{"do":"rehome","job":"j1"}`: "rehome j1",
		`{"do":"set_stop","job":"j1","stop":{"layer":12,"change":true}}`: "set_stop j1 12 0 false true",
		`{"do":"set_stop","stop":{"z_mm":2.4,"note":"magnet"}}`:          "set_stop  0 2.4 false false magnet",
		`{"do":"set_stop","job":"j1","stop":{"this_layer":true}}`:        "set_stop j1 0 0 true false",
		`{"do":"remove_stop","job":"j1","stop":{"layer":12}}`:            "remove_stop j1 12",
		`{"do":"skip_object","job":"j1","object":0}`:                     "skip_object j1 0 true",
		`{"do":"keep_object","object":2}`:                                "skip_object  2 false",
		`{"do":"answer","prompt":1795348800000,"button":0}`:              "answer 1795348800000 0",
		`{"do":"answer","prompt":7,"button":-1}`:                         "answer 7 -1",
		`{"do":"emergency_stop"}`:                                        "emergency_stop",
		`{"do":"dismiss"}`:                                               "dismiss",
		`{"do":"home"}`:                                                  "home",
		`{"do":"home","axes":"XZ"}`:                                      "home xz",
		`{"do":"jog","axes":"z","by_mm":-0.1}`:                           "jog z -0.1",
		`{"do":"jog","axes":"Z","to_mm":0}`:                              "jog z to 0",
		`{"do":"extrude","by_mm":5}`:                                     "extrude 5",
		`{"do":"set_nozzle","tool":1,"target_c":0}`:                      "set_nozzle 1 0",
		`{"do":"set_bed","target_c":60}`:                                 "set_bed 60",
		`{"do":"set_chamber","target_c":40.5}`:                           "set_chamber 40.5",
		`{"do":"set_fan","percent":0}`:                                   "set_fan 0",
		`{"do":"set_speed","percent":120}`:                               "set_speed 120",
		`{"do":"set_flow","percent":97}`:                                 "set_flow 97",
		`{"do":"babystep","by_mm":-0.05}`:                                "babystep -0.05",
		`{"do":"set_advance","factor":0}`:                                "set_advance 0 0",
		`{"do":"set_advance","factor":0.08,"tool":1}`:                    "set_advance 1 0.08",
		`{"do":"set_acceleration","acceleration_mm_s2":800}`:             "set_acceleration 800",
		`{"do":"read_tuning"}`:                                           "read_tuning",
		`{"do":"save_babystep"}`:                                         "save_babystep",
		`{"do":"motors_off"}`:                                            "motors_off",
		`{"do":"send","line":" M503 \r\n\nM115"}`:                        "send M503|M115",
		`{"do":"connect"}`:                                               "connect  0",
		`{"do":"connect","port":"/dev/ttyACM0","baud":250000}`:           "connect /dev/ttyACM0 250000",
		`{"do":"start_card","file":"/TOYS/A.GCO"}`:                       "start_card /TOYS/A.GCO",
		`{"do":"disconnect"}`:                                            "disconnect",
		`{"do":"start","file":"cube.gcode"}`:                             "start cube.gcode cube.gcode the owner 13",
		" \n{\"do\":\"start\",\"file\":\"cube.gcode\",\"anyway\":true}":  "start cube.gcode cube.gcode the owner 13",
	} {
		r := newRig(t)
		code, a := r.command(t, "owner", text)
		if got := r.printer.called(); code != 200 || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %d %+v and calls %q, want %q", text, code, a.Error, got, want)
		}
		if now, _ := r.printer.snaps.Get(); a.Rev != now.Rev || a.Type != "answer" {
			t.Errorf("%s: got %+v, want an answer with revision %d", text, a, now.Rev)
		}
	}
}

func TestBadCommandsReachNobody(t *testing.T) {
	long := strings.Repeat("x", 70)
	for text, want := range map[string]string{
		``: "bad_message", `{`: "bad_message", `[]`: "bad_message", `"pause"`: "bad_message", `nul`: "bad_message",
		`{"do":"pause"} {"do":"cancel"}`: "bad_message", `{"do":"pause","jop":"j1"}`: "bad_message", `{"do":7}`: "bad_message",
		`{"id":"` + long + `","do":"pause"}`: "bad_message", `{"id":true,"do":"pause"}`: "bad_message", `{"do":"jog","axes":"x","by_mm":1e999}`: "bad_message",
		`{"do":"jog","axes":"x","by_mm":"1"}`: "bad_message", `{"do":"pause","beat":1}`: "bad_message",
		`null`: "bad_command", `{}`: "bad_command", `{"id":"1"}`: "bad_command",
		`{"do":"explode"}`: "unknown_command", `{"do":"PAUSE"}`: "unknown_command", `{"do":"<script>"}`: "unknown_command",
		`{"do":"jog","by_mm":1}`: "bad_command", `{"do":"jog","axes":"xy","by_mm":1}`: "bad_command", `{"do":"jog","axes":"x","by_mm":1,"to_mm":1}`: "bad_command", `{"do":"jog","axes":"e","by_mm":1}`: "bad_command",
		`{"do":"jog","axes":"x"}`: "bad_command", `{"do":"jog","axes":"x","by_mm":1e9}`: "bad_command", `{"do":"jog","axes":"ß","by_mm":1}`: "bad_command",
		`{"do":"home","axes":"q"}`: "bad_command", `{"do":"home","axes":"xx"}`: "bad_command",
		`{"do":"set_stop","job":"j1"}`: "bad_command", `{"do":"remove_stop","stop":{}}`: "bad_command", `{"do":"set_stop","stop":{"at":3}}`: "bad_message", `{"do":"set_stop","stop":{"layer":1.5}}`: "bad_message",
		`{"do":"start","file":"cube.gcode","stops":[{"layer":2}]}`: "bad_stop", `{"do":"start","file":"cube.gcode","stops":{}}`: "bad_message",
		`{"do":"answer","button":0}`: "bad_command", `{"do":"answer","prompt":7}`: "bad_command", `{"do":"answer","prompt":"7","button":0}`: "bad_message",
		`{"do":"set_bed"}`: "bad_command", `{"do":"skip_object"}`: "bad_command", `{"do":"skip_object","object":"x"}`: "bad_message", `{"do":"set_nozzle","percent":1}`: "bad_command", `{"do":"set_fan","target_c":1}`: "bad_command",
		`{"do":"send"}`: "bad_command", `{"do":"send","line":" \n "}`: "bad_command", `{"do":"send","line":"` + strings.Repeat(`M105\n`, 101) + `"}`: "bad_command",
		`{"do":"connect","baud":-1}`: "bad_command", `{"do":"start"}`: "bad_command",
		`{"do":"start","file":"none.gcode"}`: "no_file", `{"do":"delete_file","file":"none.gcode"}`: "no_file", `{"do":"rename_file","file":"none","to":"x"}`: "no_file",
		`{"do":"set_profile"}`: "bad_command", `{"do":"set_profile","profile":{"name":"x"}}`: "bad_profile", `{"do":"set_camera"}`: "bad_command",
		`{"do":"set_camera","camera":{"width":-1}}`: "bad_camera", `{"do":"set_camera","camera":{"device":"a\u0000b"}}`: "bad_camera",
	} {
		r := newRig(t)
		code, a := r.command(t, "owner", text)
		if a.Error == nil || a.Error.Code != want || code != statusOf(want) {
			t.Errorf("%s: got %d %+v, want %s", text, code, a.Error, want)
			continue
		}
		if !strings.HasSuffix(a.Error.Message, ".") || strings.ContainsAny(a.Error.Message, "\n\x00") {
			t.Errorf("%s: got message %q, want one sentence", text, a.Error.Message)
		}
		if got := r.printer.called(); len(got) != 0 {
			t.Errorf("%s: the printer was asked %q", text, got)
		}
	}
	if w := newRig(t).do("POST", "/v1/do", "owner", strings.NewReader(`{"do":"send","line":"`+strings.Repeat("x", maxCommand)+`"}`)); w.Code != 413 {
		t.Errorf("a body of more than 64 KiB: got %d, want 413", w.Code)
	}
}

func TestSettingsAreHandedOverAndKept(t *testing.T) {
	r := newRig(t)
	r.printer.failWith(fmt.Errorf("%w: printing", printer.ErrWrongState))
	profile := `{"do":"set_profile","profile":{"name":"x","width_mm":220,"depth_mm":220,"height_mm":250,"bed":"rectangle","origin":"corner","nozzles":1,"nozzle_mm":0.4,"max_nozzle_c":260,"max_bed_c":110,"travel_mm_s":100,"lift_mm_s":8,"extrude_mm_s":3}}`
	if code, _ := r.command(t, "owner", profile); code != 409 || r.files.settings["profiles"] != nil {
		t.Errorf("a profile that the printer refuses: got %d and kept %v, want 409 and nothing", code, r.files.settings["profiles"])
	}
	r.printer.failWith(nil)
	if code, _ := r.command(t, "owner", profile); code != 200 || r.files.settings["profiles"].(printer.Shelf).Used().Name != "x" {
		t.Errorf("a good profile: got %d and kept %v", code, r.files.settings["profiles"])
	}
}

func TestLockedSettings(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Locked = map[string]string{"printer.port": "environment", "printer.baud": "file", "camera.fps": "flag"}
	})
	at := []func(*printer.Connection){
		func(c *printer.Connection) { c.Port, c.Baud = "/dev/a", 115200 },
		func(c *printer.Connection) { c.Port, c.Baud, c.WantPort, c.WantBaud = "", 0, "/dev/a", 115200 }, // while there is no connection
	}
	for _, where := range at {
		r.printer.change(func(s *printer.Snapshot) { where(&s.Connection) })
		lockedSettings(t, r)
	}
}

func lockedSettings(t *testing.T, r *rig) {
	t.Helper()
	for text, want := range map[string]int{
		`{"do":"connect"}`: 200,
		`{"do":"connect","port":"/dev/a","baud":115200}`:          200,
		`{"do":"connect","port":"/dev/b"}`:                        409,
		`{"do":"connect","baud":9600}`:                            409,
		`{"do":"set_camera","camera":{"width":640,"height":480}}`: 200,
		`{"do":"set_camera","camera":{"width":640,"fps":5}}`:      409,
	} {
		code, a := r.command(t, "owner", text)
		if code != want || (want == 409 && a.Error.Code != "locked") {
			t.Errorf("%s: got %d %+v, want %d", text, code, a.Error, want)
		}
	}
}

func TestRepeatGetsTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ask := func(role, text string) Answer { t.Helper(); _, a := r.command(t, role, text); return a }
		first := ask("operator", `{"id":"7","do":"pause","job":"a"}`)
		time.Sleep(9 * time.Minute)
		if again := ask("operator", `{"do":"pause","id":7,"job":"a"}`); !reflect.DeepEqual(again, first) {
			t.Errorf("after 9 minutes: got %+v, want %+v", again, first)
		}
		if reused := ask("operator", `{"id":"7","do":"pause","job":"b"}`); reused.Error == nil || reused.Error.Code != "id_reused" {
			t.Errorf("the id for another job: got %+v, want id_reused", reused)
		}
		if other := ask("owner", `{"id":"7","do":"pause","job":"a"}`); other.Error != nil || other.Rev == first.Rev {
			t.Errorf("the id of somebody else: got %+v, want an answer of its own", other)
		}
		if stop := ask("operator", `{"id":"7","do":"emergency_stop"}`); stop.Error != nil {
			t.Errorf("an emergency stop under a used id: got %+v, want it done", stop)
		}
		time.Sleep(2 * time.Minute)
		if late := ask("operator", `{"id":"7","do":"pause","job":"a"}`); late.Rev == first.Rev {
			t.Errorf("after 11 minutes: got the first answer, want a new one")
		}
		want := []string{"pause a", "pause a", "emergency_stop", "pause a"}
		if got := r.printer.called(); !reflect.DeepEqual(got, want) {
			t.Errorf("the printer was asked %q, want %q", got, want)
		}

		r.printer.failWith(printer.ErrOtherJob)
		refused := ask("operator", `{"id":"8","do":"cancel"}`)
		r.printer.failWith(nil)
		if again := ask("operator", `{"id":"8","do":"cancel"}`); again.Error == nil || !reflect.DeepEqual(again, refused) {
			t.Errorf("the repeat of a refused command: got %+v, want %+v", again, refused)
		}
	})
}

// A phone taps, loses its link, comes back and repeats, all before the printer has answered.
func TestRepeatWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.printer.holdUp("pause")
		me := mustIdentify(t, r, "operator")
		cmd := Command{ID: "7", Do: "pause"}
		var waiting sync.WaitGroup
		answers := make([]Answer, 3)
		for i := range answers {
			waiting.Go(func() { answers[i] = r.perform(t.Context(), me, cmd) })
			synctest.Wait()
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if a := r.perform(gone, me, cmd); a.Error == nil || a.Error.Code != "stopping" {
			t.Errorf("a repeat that gives up: got %+v", a)
		}
		// An emergency stop waits for none of them.
		if stop := r.perform(t.Context(), me, Command{ID: "8", Do: emergencyStop}); stop.Error != nil {
			t.Errorf("emergency stop meanwhile: got %+v", stop)
		}
		release()
		waiting.Wait()
		for _, a := range answers {
			if a.Error != nil || a != answers[0] {
				t.Errorf("got %+v, want %+v for all", a, answers[0])
			}
		}
		if got := r.printer.called(); len(got) != 2 {
			t.Errorf("the printer was asked %q, want pause once and emergency_stop", got)
		}
	})
}

func TestOnceIsBounded(t *testing.T) {
	var o once
	for i := range 3 * onceMax {
		cmd := Command{ID: ID(fmt.Sprint(i)), Do: "pause"}
		if _, err := o.do(t.Context(), "me", cmd, func() Answer { return Answer{ID: cmd.ID} }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.clients["me"].byID); n > onceMax {
		t.Errorf("%d answers are kept, want at most %d", n, onceMax)
	}
	newest := Command{ID: ID(fmt.Sprint(3*onceMax - 1)), Do: "pause"}
	if _, err := o.do(t.Context(), "me", newest, func() Answer { t.Error("the newest was forgotten"); return Answer{} }); err != nil {
		t.Error(err)
	}
}

// A command goes on when the phone that gave it is gone.
func TestCommandOutlivesItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.printer.holdUp("pause")
		ctx, cancel := context.WithCancel(t.Context())
		me := mustIdentify(t, r, "operator")
		done := make(chan Answer, 1)
		go func() { done <- r.perform(ctx, me, Command{ID: "1", Do: "pause"}) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		release()
		if a := <-done; a.Error != nil {
			t.Errorf("got %+v, want it done", a)
		}
	})
}

func TestCommandsEndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer r.printer.holdUp("pause")()
		done := make(chan Answer, 1)
		me := mustIdentify(t, r, "operator")
		go func() { done <- r.perform(t.Context(), me, Command{ID: "1", Do: "pause"}) }()
		synctest.Wait()
		r.endLife()
		if a := <-done; a.Error == nil || a.Error.Code != "stopping" {
			t.Errorf("got %+v, want stopping", a)
		}
	})
}

func TestErrorsAreExplained(t *testing.T) {
	for _, k := range kinds {
		if k.cause == nil {
			continue
		}
		e, status := explain(fmt.Errorf("doing something: %w: because", k.cause))
		if e.Code != k.code || status != k.status {
			t.Errorf("%v: got %s %d, want %s %d", k.cause, e.Code, status, k.code, k.status)
		}
		if e.Message == "" || !strings.HasSuffix(e.Message, ".") || e.Next == "" {
			t.Errorf("%v: got %+v, want a sentence and what to do", k.cause, e)
		}
	}
	for _, k := range kinds {
		if got := statusOf(k.code); got != k.status {
			t.Errorf("%s has the statuses %d and %d", k.code, got, k.status)
		}
	}
	fault := &printer.Fault{Code: printer.FaultPortBusy, Message: "Taken.", Next: "Close it.", Said: "EBUSY"}
	if e, status := explain(fmt.Errorf("connect: %w", fault)); e.Code != "port_busy" || e.Message != "Taken." || e.Next != "Close it." || status != 502 {
		t.Errorf("a fault: got %+v %d", e, status)
	}
	if e, status := explain(errors.New("open /secret/path: permission denied")); e.Code != "internal" || status != 500 || strings.Contains(e.Message, "secret") {
		t.Errorf("an unforeseen error: got %+v %d, want internal that tells nothing", e, status)
	}
	if got := sentence("bad\x1b[31m \xff" + strings.Repeat("é", 500)); strings.ContainsAny(got, "\x1b\xff") || len(got) > 410 || !strings.HasPrefix(got, "Bad [31m") {
		t.Errorf("got %q", got)
	}
}
