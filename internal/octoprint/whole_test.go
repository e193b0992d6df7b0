package octoprint

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"layerd/internal/access"
	"layerd/printer"
)

// A slicer uploads and prints, an app watches, pauses, goes on, restarts and cancels.
func TestAPrint(t *testing.T) {
	r := newRig(t, 30)
	r.until("a card", func(s *printer.Snapshot) bool { return s.Card != nil && s.Card.Present })
	r.get("/api/job").is(200).has(map[string]any{"state": "Operational", "job.file.name": nil, "progress.completion": nil})
	r.get("/api/printer").is(200).has(map[string]any{"state.text": "Operational", "state.flags.ready": true, "state.flags.printing": false, "state.error": "", "temperature.tool0.target": 0, "temperature.bed.offset": 0, "sd.ready": true})
	r.post("/api/job", `{"command":"start"}`).refused(409)

	up := r.upload(access.Operator, part(300), "print=true", "path=", "file=part.gcode").is(201).
		has(map[string]any{"done": true, "effectivePrint": true, "effectiveSelect": false, "files.local.name": "part.gcode", "files.local.path": "part.gcode", "files.local.origin": "local",
			"files.local.refs.resource": r.url + "/api/files/local/part.gcode", "files.local.refs.download": r.url + "/downloads/files/local/part.gcode"})
	if got := up.header.Get("Location"); got != r.url+"/api/files/local/part.gcode" {
		t.Errorf("Location: got %q", got)
	}
	r.until("layer 2", func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Layer >= 2 })
	job := r.get("/api/job").is(200).has(map[string]any{"state": "Printing", "job.file.name": "part.gcode", "job.file.path": "part.gcode", "job.file.origin": "local", "job.user": "operator", "progress.printTimeLeftOrigin": "analysis"})
	if done, _ := job.at("progress.completion").(float64); done <= 0 || done >= 100 {
		t.Errorf("completion: got %v, want per cent", done)
	}
	r.get("/api/printer").has(map[string]any{"state.text": "Printing", "state.flags.printing": true, "state.flags.ready": false, "state.flags.operational": true})
	if layer, _ := r.get("/plugin/DisplayLayerProgress/values").is(200).has(map[string]any{"layer.total": "300"}).at("layer.current").(string); layer < "2" {
		t.Errorf("the plugin's layer: got %q", layer)
	}
	for _, refused := range []reply{
		r.post("/api/job", `{"command":"start"}`), r.post("/api/job", `{"command":"restart"}`), r.post("/api/printer/printhead", `{"command":"jog","x":1}`),
		r.post("/api/printer/printhead", `{"command":"home","axes":["x"]}`), r.post("/api/printer/tool", `{"command":"extrude","amount":1}`), r.post("/api/printer/sd", `{"command":"refresh"}`),
		r.upload(access.Operator, part(1), "file=part.gcode"), r.send(access.Operator, "DELETE", "/api/files/local/part.gcode", "", nil),
		r.post("/api/files/local/part.gcode", `{"command":"move","destination":"b.gcode"}`), r.post("/api/files/local/part.gcode", `{"command":"select"}`), r.post("/api/files/local/part.gcode", `{"command":"unselect"}`),
	} {
		refused.refused(409)
	}
	r.upload(access.Operator, part(1), "file=part.gcode", "path=sub").is(201).has(map[string]any{"files.local.path": "sub/part.gcode"}) // the same name, elsewhere, as is said late
	r.upload(access.Operator, part(1), "print=true", "file=other.gcode").is(201).has(map[string]any{"effectivePrint": false})
	r.post("/api/printer/printhead", `{"command":"feedrate","factor":110}`).is(204)
	r.post("/api/job", `{"command":"pause","action":"resume"}`).is(204) // it does not stand still

	r.post("/api/job", `{"command":"pause"}`).is(204)
	r.becomes(printer.Paused)
	r.post("/api/job", `{"command":"pause","action":"pause"}`).is(204)
	r.get("/api/job").has(map[string]any{"state": "Paused"})
	r.get("/api/printer?exclude=temperature,sd").has(map[string]any{"state.flags.paused": true, "state.flags.printing": false, "temperature": "(missing)", "sd": "(missing)"})
	r.post("/api/job", `{"command":"pause","action":"toggle"}`).is(204)
	r.becomes(printer.Printing)
	r.post("/api/job", `{"command":"pause","action":"pause"}`).is(204)
	r.post("/api/job", `{"command":"pause","action":"resume"}`).is(204) // though it is still on its way to a stop
	r.becomes(printer.Printing)
	r.post("/api/job", `{"command":"pause","action":"pause"}`).is(204)
	before := r.becomes(printer.Paused).Job.ID
	r.post("/api/job", `{"command":"restart"}`).is(204)
	r.until("another print of the same", func(s *printer.Snapshot) bool {
		return s.State == printer.Printing && s.Job.ID != before && s.Job.File == "part.gcode"
	})
	r.post("/api/job", `{"command":"cancel"}`).is(204)
	r.becomes(printer.Idle)
	r.get("/api/job").has(map[string]any{"state": "Operational", "job.file.path": "part.gcode", "progress.completion": nil})
	r.post("/api/job", `{"command":"cancel"}`).refused(409)
	r.post("/api/job", `{"command":"pause"}`).refused(409)

	r.post("/api/files/local/other.gcode", `{"command":"select","print":true}`).is(204)
	r.until("the end of it", func(s *printer.Snapshot) bool { return s.LastJob != nil && s.LastJob.Outcome == "done" })
	r.becomes(printer.Idle)
	r.get("/api/job").has(map[string]any{"progress.completion": 100, "progress.printTimeLeft": 0, "job.file.path": "other.gcode"})
	waitRows(t, r)
	r.get("/api/files/local/other.gcode").has(map[string]any{"prints.success": 1, "prints.failure": 0, "prints.last.success": true})
	r.get("/api/files/local/part.gcode").has(map[string]any{"prints.success": 0, "prints.failure": 2, "prints.last.success": false, "prints.last.printTime": "(missing)"})
}

// waitRows waits for the ends of prints in the history, which are written after the printer is free.
func waitRows(t *testing.T, r *rig) {
	t.Helper()
	for {
		changed := r.store.Changed()
		prints, err := r.store.Prints(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(prints) > 0 && !slices.ContainsFunc(prints, func(p storePrint) bool { return p.Outcome == "" }) {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("no end in the history")
		}
	}
}

// Who asks for a print anew and does not wait for the answer gets it all the same: he wanted more than its end.
func TestRestartOfWhoLeaves(t *testing.T) {
	r := newRig(t, 20)
	r.upload(access.Operator, part(300), "print=true", "file=part.gcode").is(201)
	r.until("layer 1", func(s *printer.Snapshot) bool { return s.State == printer.Printing && s.Job.Layer >= 1 })
	r.post("/api/job", `{"command":"pause"}`).is(204)
	before := r.becomes(printer.Paused).Job.ID
	ctx, leave := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(ctx, "POST", r.url+"/api/job", strings.NewReader(`{"command":"restart"}`))
	if err != nil {
		t.Fatal(err)
	}
	q.Header = http.Header{"X-Api-Key": {r.keys[access.Operator]}, "Content-Type": {"application/json"}}
	var asking sync.WaitGroup
	asking.Go(func() {
		if a, err := http.DefaultClient.Do(q); err == nil {
			a.Body.Close()
		}
	})
	r.becomes(printer.Cancelling)
	leave()
	asking.Wait()
	r.until("another print of the same", func(s *printer.Snapshot) bool {
		return s.State == printer.Printing && s.Job.ID != before && s.Job.File == "part.gcode"
	})
}

// What people do to a printer that stands still, and how it looks.
func TestControl(t *testing.T) {
	r := newRig(t, 50)
	r.post("/api/printer/printhead", `{"command":"jog","x":10,"absolute":true}`).refused(409) // nobody knows where it is
	r.post("/api/printer/printhead", `{"command":"home","axes":["x","y","z"]}`).is(204)
	r.until("homed", func(s *printer.Snapshot) bool { return s.Homed && s.Position != nil })
	from := len(r.sim.Executed())
	for path, commands := range map[string][]string{
		"/api/printer/printhead": {`{"command":"jog","x":30,"y":40,"z":5,"absolute":true,"speed":3000}`, `{"command":"jog","x":0,"y":-5.5}`, `{"command":"feedrate","factor":0.5}`, `{"command":"feedrate","factor":105}`, `{"command":"home","axes":[]}`},
	} {
		for _, c := range commands {
			r.post(path, c).is(204)
		}
	}
	r.post("/api/printer/tool", `{"command":"target","targets":{"tool0":210.5}}`).is(204)
	r.post("/api/printer/bed", `{"command":"target","target":60}`).is(204)
	r.post("//api/printer/bed/", `{"command":"target","target":55}`).is(204)
	r.post("/api/printer/tool", `{"command":"flowrate","factor":95}`).is(204)
	r.post("/api/printer/tool", `{"command":"select","tool":"tool0"}`).is(204)
	r.post("/api/printer/tool", `{"command":"offset","offsets":{"tool0":0}}`).is(204)
	r.post("/api/printer/bed", `{"command":"offset","offset":0}`).is(204)
	r.until("heat", func(s *printer.Snapshot) bool { return s.Nozzles[0].ActualC > 200 })
	r.post("/api/printer/tool", `{"command":"extrude","amount":5,"speed":300}`).is(204)
	r.post("/api/printer/command", `{"commands":["M400","M117 all of it"]}`).is(204)
	r.post("/api/printer/command", `{"commands":["M117 %(who)s {x} %(n)d %(f).2f 100%%"],"parameters":{"who":"Otto","n":5,"f":0.125}}`).is(204)
	r.post("/api/printer/command", `{"command":"M118 done"}`).is(204)
	r.until("M118", func(*printer.Snapshot) bool {
		return slices.ContainsFunc(r.sim.Executed(), func(l string) bool { return strings.HasPrefix(l, "M118") })
	})
	got := strings.Join(r.sim.Executed()[from:], "\n")
	for _, want := range []string{"G0 X30 F", "G0 Y40 F", "G0 Z5 F", "G0 Y34.5 F", "M220 S50", "M220 S105", "M104 S210.5", "M140 S60", "M140 S55", "M221 S95", "G1 E5 F300", "G28", "M117 all of it", "M117 Otto {x} 5 0.12 100%"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q was not executed, but\n%s", want, got)
		}
	}
	r.get("/api/printer/tool?history=true&limit=2").has(map[string]any{"tool0.target": 210.5, "bed": "(missing)"})
	if past, _ := r.get("/api/printer?history=yes&limit=1").at("temperature.history").([]any); len(past) != 1 {
		t.Errorf("history: got %v, want one", past)
	}
	r.get("/api/printer/bed").has(map[string]any{"bed.target": 55, "tool0": "(missing)"})
	r.get("/api/printer/chamber").refused(409)
	r.get("/api/printer/sd").has(map[string]any{"ready": true})
	r.get("/api/printer/error").has(map[string]any{"error": "", "reason": ""})
	r.get("/api/printer/command/custom").is(200)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/api/printer/printhead", `{"command":"jog"}`, 400}, {"/api/printer/printhead", `{"command":"jog","x":"1"}`, 400}, {"/api/printer/printhead", `{"command":"jog","x":1e308}`, 400},
		{"/api/printer/printhead", `{"command":"home","axes":["q"]}`, 400}, {"/api/printer/printhead", `{"command":"home","axes":7}`, 400}, {"/api/printer/printhead", `{"command":"home"}`, 400},
		{"/api/printer/printhead", `{"command":"feedrate","factor":"fast"}`, 400}, {"/api/printer/printhead", `{"command":"feedrate","factor":1e9}`, 400}, {"/api/printer/printhead", `{"command":"fly"}`, 400},
		{"/api/printer/tool", `{"command":"target","targets":{"tool0":9999}}`, 400}, {"/api/printer/tool", `{"command":"target","targets":{"tool9":20}}`, 400}, {"/api/printer/tool", `{"command":"target","targets":{"bed":20}}`, 400},
		{"/api/printer/tool", `{"command":"target","targets":{"tool0":null}}`, 400}, {"/api/printer/tool", `{"command":"target","targets":5}`, 400}, {"/api/printer/tool", `{"command":"target"}`, 400},
		{"/api/printer/tool", `{"command":"offset","offsets":{"tool0":5}}`, 409}, {"/api/printer/tool", `{"command":"select","tool":"tool1"}`, 400}, {"/api/printer/tool", `{"command":"select","tool":"tool"}`, 400},
		{"/api/printer/tool", `{"command":"extrude","amount":"x"}`, 400}, {"/api/printer/tool", `{"command":"extrude","amount":99999}`, 400}, {"/api/printer/tool", `{"command":"extrude","amount":1,"speed":-1}`, 400},
		{"/api/printer/bed", `{"command":"target","target":"hot"}`, 400}, {"/api/printer/bed", `{"command":"target","target":999}`, 400}, {"/api/printer/chamber", `{"command":"target","target":40}`, 409},
		{"/api/printer/command", `{}`, 400}, {"/api/printer/command", `{"command":"M105","commands":[]}`, 400}, {"/api/printer/command", `{"command":"M105","script":"x"}`, 400}, {"/api/printer/command", `{"script":"x"}`, 404},
		{"/api/printer/command", `{"commands":"M105"}`, 400}, {"/api/printer/command", `{"commands":[5]}`, 400}, {"/api/printer/command", `{"command":"M117 %(x)s","parameters":{"y":"1"}}`, 400}, {"/api/printer/command", `{"command":"G1 X%(x)d","parameters":{"x":"1"}}`, 400}, {"/api/printer/command", `{"command":"G1","parameters":5}`, 400},
		{"/api/printer/sd", `{"command":"release"}`, 409}, {"/api/printer/sd", `{"command":"eat"}`, 400},
	} {
		r.post(c.path, c.body).refused(c.status)
	}
	r.post("/api/printer/sd", `{"command":"refresh"}`).is(204)
}

// A printer that is not there is told by 409, everywhere.
func TestOffline(t *testing.T) {
	r := newRig(t, 50)
	r.get("/api/connection").has(map[string]any{"current.state": "Operational", "current.port": "/dev/sim", "current.baudrate": 115200, "current.printerProfile": "_default",
		"options.ports.0": "/dev/sim", "options.printerProfiles.0.id": "_default"})
	r.upload(access.Operator, part(1), "file=a.gcode").is(201)
	r.post("/api/connection", `{"command":"disconnect"}`).is(204)
	r.becomes(printer.Disconnected)
	r.post("/api/connection", `{"command":"disconnect"}`).is(204)
	r.get("/api/connection").has(map[string]any{"current.state": "Closed", "current.port": nil, "current.baudrate": nil,
		"options.ports.0": "/dev/sim", "options.ports.1": "(missing)", "options.portPreference": "/dev/sim", "options.baudratePreference": 115200})
	r.get("/api/settings").has(map[string]any{"serial.port": "/dev/sim", "serial.baudrate": 115200})
	r.get("/api/job").has(map[string]any{"state": "Offline", "error": "(missing)"})
	for _, path := range []string{"/api/printer", "/api/printer/tool", "/api/printer/bed", "/api/printer/chamber"} {
		r.get(path).refused(409).has(map[string]any{"error": "Printer is not operational"})
	}
	r.get("/api/printer/sd").has(map[string]any{"ready": false})
	for path, body := range map[string]string{"/api/job": `{"command":"start"}`, "/api/printer/tool": `{"command":"target","targets":{"tool0":0}}`, "/api/printer/bed": `{"command":"target","target":0}`,
		"/api/printer/printhead": `{"command":"home","axes":["x"]}`, "/api/printer/command": `{"command":"M105"}`, "/api/printer/sd": `{"command":"init"}`,
		"/api/files/local/a.gcode": `{"command":"select"}`, "/api/files/sdcard/CUBE20~1.GCO": `{"command":"select","print":true}`} {
		r.post(path, body).refused(409)
	}
	r.upload(access.Operator, part(1), "print=true", "select=true", "file=a.gcode").is(201).has(map[string]any{"effectivePrint": false, "effectiveSelect": false})
	r.get("/api/files/sdcard").is(200).has(map[string]any{"files.0": "(missing)"})
	for _, body := range []string{`{"command":"connect","port":"/dev/null"}`, `{"command":"connect","baudrate":"fast"}`, `{"command":"connect","baudrate":1.5}`, `{"command":"connect","printerProfile":"other"}`, `{"command":"dance"}`, `{}`} {
		r.post("/api/connection", body).refused(400)
	}
	r.post("/api/connection", `{"command":"connect","port":"AUTO","baudrate":0,"printerProfile":"_default","save":true,"autoconnect":true}`).is(204)
	r.becomes(printer.Idle)
	r.post("/api/connection", `{"command":"connect"}`).is(204) // as it is
	r.post("/api/connection", `{"command":"fake_ack"}`).is(204)
}

// The printer's own card is listed and printed from.
func TestCard(t *testing.T) {
	r := newRig(t, 50)
	r.until("a card", func(s *printer.Snapshot) bool { return s.Card != nil && s.Card.Present })
	r.get("/api/files/sdcard").is(200).has(map[string]any{"files.0.name": "CUBE20~1.GCO", "files.0.path": "CUBE20~1.GCO", "files.0.origin": "sdcard", "files.0.type": "machinecode", "files.0.refs.resource": r.url + "/api/files/sdcard/CUBE20~1.GCO"})
	r.send(access.Viewer, "GET", "/api/files/sdcard", "", nil).is(200).has(map[string]any{"files.0": "(missing)"})
	r.get("/api/files/sdcard/CUBE20~1.GCO").is(200).has(map[string]any{"origin": "sdcard"})
	r.get("/api/files/sdcard/NONE.GCO").refused(404)
	r.post("/api/files/sdcard/CUBE20~1.GCO", `{"command":"select"}`).refused(409)
	r.post("/api/files/sdcard/NONE.GCO", `{"command":"select","print":true}`).refused(404)
	r.post("/api/files/sdcard/CUBE20~1.GCO", `{"command":"copy","destination":"x"}`).refused(400)
	r.send(access.Owner, "DELETE", "/api/files/sdcard/CUBE20~1.GCO", "", nil).refused(409)
	body, kind := formWith(part(1), "file=a.gcode")
	r.send(access.Owner, "POST", "/api/files/sdcard", kind, body).refused(409)
	r.upload(access.Owner, part(1), "select=true", "file=a.gcode").is(201)
	r.post("/api/files/sdcard/CUBE20~1.GCO", `{"command":"select","print":true}`).is(204)
	first := r.until("the end of it", func(s *printer.Snapshot) bool { return s.LastJob != nil && s.LastJob.Card && s.State == printer.Idle })
	r.get("/api/job").has(map[string]any{"job.file.path": "CUBE20~1.GCO", "job.file.origin": "sdcard"}) // and no more what was selected before
	r.post("/api/job", `{"command":"start"}`).is(204)
	r.until("the end of the second", func(s *printer.Snapshot) bool {
		return s.LastJob.Card && s.LastJob.ID != first.LastJob.ID && s.State == printer.Idle
	})

	r.post("/api/files/sdcard/LONG.GCO", `{"command":"select","print":true}`).is(204)
	r.becomes(printer.Printing)
	r.post("/api/job", `{"command":"pause"}`).is(204)
	before := r.becomes(printer.Paused).Card.ID
	r.post("/api/job", `{"command":"restart"}`).is(204)
	r.until("another print of the same", func(s *printer.Snapshot) bool {
		return s.State == printer.Printing && s.Card.ID != before && s.Card.File == "LONG.GCO"
	})
	r.post("/api/job", `{"command":"cancel"}`).is(204)
	r.becomes(printer.Idle)
}

// A file that no printer can take is kept out of it, and the client hears why.
func TestLimitsStand(t *testing.T) {
	r := newRig(t, 50)
	a := r.upload(access.Owner, "G28\nM104 S400\nG1 X10 Y10 E1\n", "print=true", "file=hot.gcode").refused(400)
	if text, _ := a.at("error").(string); !strings.Contains(text, "was uploaded") || !strings.Contains(text, "400") {
		t.Errorf("got %q", text)
	}
	r.get("/api/files/local/hot.gcode").is(200)
	r.post("/api/files/local/hot.gcode", `{"command":"select","print":true}`).refused(400)
	if s := r.becomes(printer.Idle); s.Job != nil {
		t.Errorf("it prints: %+v", s.Job)
	}
}

// Requests that nobody can read.
func TestBadRequests(t *testing.T) {
	r := newRig(t, 50)
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", `{`, 400}, {"application/json", `[]`, 400}, {"application/json", `null`, 400}, {"application/json", ``, 400}, {"application/json", `{"command":5}`, 400}, {"application/json", `{}`, 400},
		{"application/json", `{"command":"` + strings.Repeat("x", 200_000) + `"}`, 413}, {"text/plain", `{"command":"start"}`, 415}, {"", `{"command":"start"}`, 415}, {"application/x-www-form-urlencoded", `command=start`, 415},
	} {
		a := r.send(access.Owner, "POST", "/api/job", c.kind, strings.NewReader(c.body))
		a.what += " " + c.kind + c.body[:min(len(c.body), 40)]
		a.refused(c.status)
	}
	for _, path := range []string{"/api", "/api/nothing", "/api/files/other", "/api/files/local/none.gcode", "/api/files/local/..%2f..%2fetc%2fpasswd", "/api/plugin/octopod", "/plugin/none", "/downloads/logs/x", "/api/timelapse/x.mp4", "/downloads/files/local/none.gcode"} {
		r.get(path).refused(404)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		r.send(access.Owner, method, "/api/job", "", nil).refused(405)
	}
	r.send(access.Owner, http.MethodHead, "/api/version", "", nil).is(200)
}
