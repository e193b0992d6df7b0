package moonraker

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"layerd/camera"
	"layerd/internal/server/servertest"
	"layerd/internal/store"
	"layerd/printer"
)

// stage is a servertest.Stage with this API.
type stage struct {
	*servertest.Stage
	t testing.TB
}

func newStage(t testing.TB) *stage {
	g := &stage{servertest.New(t), t}
	g.Mount(New(g.Server))
	return g
}

// at is the value at a path of keys, "a.b", in JSON.
func at(t testing.TB, text []byte, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
	for _, key := range strings.Split(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			var there bool
			if v, there = in[key]; !there {
				return "(missing)"
			}
		case []any:
			if key != "0" || len(in) == 0 {
				return "(missing)"
			}
			v = in[0]
		default:
			return "(missing)"
		}
	}
	return v
}

// ask asks over HTTP, and compares what is at paths of the answer.
func (g *stage) ask(status int, role, method, target, body string, wants ...any) []byte {
	g.t.Helper()
	return g.check(g.Ask(method, target, role, body), status, role+" "+method+" "+target+" "+body, wants...)
}

func (g *stage) check(w *httptest.ResponseRecorder, status int, what string, wants ...any) []byte {
	g.t.Helper()
	if w.Code != status {
		g.t.Errorf("%s: got %d %s, want %d", what, w.Code, w.Body, status)
	}
	if status >= 400 {
		if got := at(g.t, w.Body.Bytes(), "error/code"); got != float64(status) {
			g.t.Errorf("%s: got the code %v, want %d", what, got, status)
		}
		if text, _ := at(g.t, w.Body.Bytes(), "error/message").(string); text == "" {
			g.t.Errorf("%s: no message in %s", what, w.Body)
		}
	}
	for i := 0; i < len(wants); i += 2 {
		if n, ok := wants[i+1].(int); ok {
			wants[i+1] = float64(n)
		}
		if got := at(g.t, w.Body.Bytes(), wants[i].(string)); !reflect.DeepEqual(got, wants[i+1]) {
			g.t.Errorf("%s: %s: got %#v, want %#v", what, wants[i], got, wants[i+1])
		}
	}
	return w.Body.Bytes()
}

// upload sends a form; "file=NAME" has a file with that text.
func (g *stage) upload(status int, role, text string, parts []string, wants ...any) {
	g.t.Helper()
	body := &bytes.Buffer{}
	form := multipart.NewWriter(body)
	for _, part := range parts {
		key, value, _ := strings.Cut(part, "=")
		if key != "file" {
			form.WriteField(key, value)
			continue
		}
		w, _ := form.CreateFormFile(key, value)
		w.Write([]byte(text))
	}
	form.Close()
	g.check(g.AskWith("POST", "/server/files/upload", body.String(), "X-Api-Key", role, "Content-Type", form.FormDataContentType()), status, strings.Join(parts, " "), wants...)
}

const cube = "G28\nG1 X10 Y10 E1 F600\n"

// What slicers check before and after they send a file.
func TestSlicers(t *testing.T) {
	g := newStage(t)
	body := g.ask(200, "viewer", "GET", "/server/info", "", "result/klippy_state", "ready", "result/klippy_connected", true, "result/api_version_string", "1.5.0")
	if !strings.HasPrefix(string(body), `{"result":`) {
		t.Errorf("got %s, and the first key is not result", body)
	}
	if v, _ := at(t, body, "result/moonraker_version").(string); !strings.HasPrefix(v, "v0.") {
		t.Errorf("got the version %q", v)
	}
	g.ask(200, "operator", "GET", "/server/files/roots", "", "result/0/name", "gcodes", "result/0/permissions", "rw")
	g.ask(200, "viewer", "GET", "/server/files/roots", "", "result/0/permissions", "r")

	g.upload(201, "operator", cube, []string{"root=gcodes", "print=false", "file=cube.gcode"}, "result/item/path", "cube.gcode", "result/item/root", "gcodes", "result/item/size", len(cube), "result/print_started", false,
		"result/print_queued", false, "result/action", "create_file")
	g.upload(201, "operator", cube, []string{"root=gcodes", "path=sub/in", "plateindex=2", "file=cube.gcode"}, "result/item/path", "sub/in/cube.gcode")
	g.upload(201, "operator", cube, []string{"file=late.gcode", "path=sub", "root=gcodes"}, "result/item/path", "sub/late.gcode")
	g.upload(201, "operator", cube, []string{"path=../../x/..", "file=../../up.gcode"}, "result/item/path", "up.gcode")
	sum := sha256.Sum256([]byte(cube))
	g.upload(201, "operator", cube, []string{"checksum=" + hex.EncodeToString(sum[:]), "file=sum.gcode"}, "result/item/path", "sum.gcode")
	g.upload(400, "operator", cube+"G1 X2\n", []string{"file=other.gcode", "checksum=" + hex.EncodeToString(sum[:])})
	g.ask(404, "operator", "GET", "/server/files/metadata?filename=other.gcode", "")
	g.upload(404, "operator", cube, []string{"root=config", "file=printer.gcode"})
	g.upload(400, "operator", cube, []string{"root=gcodes"})
	g.upload(403, "viewer", cube, []string{"file=v.gcode"})
	g.check(g.AskWith("POST", "/server/files/upload", "x", "X-Api-Key", "operator"), 400, "no form")

	g.Change(func(s *printer.Snapshot) { s.State = printer.Disconnected })
	g.upload(201, "operator", cube, []string{"print=true", "file=cube.gcode"}, "result/print_started", false, "result/print_queued", false) // OrcaSlicer asks for the print then, and hears why not
	g.ask(409, "operator", "POST", "/printer/print/start", `{"filename":"cube.gcode"}`)
	for body, status := range map[string]int{`{}`: 400, `{"filename":7}`: 400, `[`: 400, `"x"`: 400, `null`: 400, `{"filename":"none.gcode"}`: 409, `{"filename":"../../etc/passwd"}`: 409, ``: 400} {
		g.ask(status, "operator", "POST", "/printer/print/start", body)
	}
}

func TestFiles(t *testing.T) {
	g := newStage(t)
	g.Keep(t, "sub/one.gcode", "; generated by PrusaSlicer 2.7.0\n"+cube)
	g.Keep(t, "two.gcode", cube)
	g.ask(200, "viewer", "GET", "/server/files/list?root=gcodes", "", "result/0/path", "sub/one.gcode", "result/0/permissions", "r")
	g.ask(200, "viewer", "GET", "/server/files/list", "", "result/0/path", "sub/one.gcode")
	g.ask(404, "viewer", "GET", "/server/files/list?root=config", "")
	g.ask(200, "viewer", "GET", "/server/files/metadata?filename=sub/one.gcode", "", "result/filename", "sub/one.gcode", "result/slicer", "PrusaSlicer 2.7.0", "result/gcode_start_byte", 33, "result/thumbnails", []any{})
	g.ask(200, "viewer", "GET", "/server/files/thumbnails?filename=two.gcode", "", "result", []any{})
	g.ask(404, "viewer", "GET", "/server/files/metadata?filename=sub", "")
	g.ask(400, "viewer", "GET", "/server/files/metadata", "")
	for _, path := range []string{"none.gcode", "sub", ".thumbs/two.gcode.png", "x.thumbs/two.gcode.png", ".thumbs/../two.gcode.png", ".thumbs/"} {
		g.ask(404, "owner", "GET", "/server/files/gcodes/"+path, "")
	}
	g.ask(403, "viewer", "DELETE", "/server/files/gcodes/two.gcode", "")
	g.ask(200, "operator", "DELETE", "/server/files/gcodes/two.gcode", "", "result/action", "delete_file", "result/item/path", "two.gcode", "result/item/root", "gcodes")
	g.ask(404, "operator", "DELETE", "/server/files/gcodes/two.gcode", "")
	g.ask(404, "operator", "DELETE", "/server/files/gcodes/sub", "")
}

// A file's picture is found where the metadata say, from its folder, and where the list of thumbnails says, from the root.
func TestThumbnail(t *testing.T) {
	g := newStage(t)
	const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	g.Keep(t, "sub/pic.gcode", "; thumbnail begin 1x1 "+"96"+"\n; "+pixel+"\n; thumbnail end\n"+cube)
	body := g.ask(200, "viewer", "GET", "/server/files/metadata?filename=sub/pic.gcode", "", "result/thumbnails/0/relative_path", ".thumbs/pic.gcode.png", "result/thumbnails/0/width", 1)
	beside, _ := at(t, body, "result/thumbnails/0/relative_path").(string)
	body = g.ask(200, "viewer", "GET", "/server/files/thumbnails?filename=sub/pic.gcode", "", "result/0/thumbnail_path", "sub/.thumbs/pic.gcode.png", "result/0/relative_path", "(missing)")
	from, _ := at(t, body, "result/0/thumbnail_path").(string)
	for _, address := range []string{"/server/files/gcodes/sub/" + beside, "/server/files/gcodes/" + from} {
		if w := g.Ask("GET", address, "viewer", ""); w.Code != 200 || w.Header().Get("Content-Type") != "image/png" {
			t.Errorf("%s: got %d %s", address, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

// Each state in Klipper's words.
func TestStates(t *testing.T) {
	job := &printer.JobStatus{ID: "0123456789", File: "a.gcode", Name: "a.gcode", Size: 100, Offset: 50, Percent: 25, ElapsedS: 60, Layer: 2, Layers: 8, FilamentMM: 12}
	last := func(outcome string, ended int64) *printer.JobOutcome {
		return &printer.JobOutcome{File: "b.gcode", Outcome: outcome, Reason: "so", EndedMS: ended, ElapsedS: 5, Percent: 100}
	}
	for name, c := range map[string]struct {
		snap          printer.Snapshot
		klippy, print string
		file          any
		active        bool
	}{
		"new":                {printer.Snapshot{State: printer.Idle}, "ready", "standby", "", false},
		"done":               {printer.Snapshot{State: printer.Idle, LastJob: last("done", 20)}, "ready", "complete", "b.gcode", false},
		"done before":        {printer.Snapshot{State: printer.Idle, LastJob: last("done", 9)}, "ready", "standby", "", false},
		"cancelled":          {printer.Snapshot{State: printer.Idle, LastJob: last("cancelled", 20)}, "ready", "cancelled", "b.gcode", false},
		"failed":             {printer.Snapshot{State: printer.Idle, LastJob: last("failed", 20)}, "ready", "error", "b.gcode", false},
		"printing":           {printer.Snapshot{State: printer.Printing, Job: job, LastJob: last("done", 20)}, "ready", "printing", "a.gcode", true},
		"pausing":            {printer.Snapshot{State: printer.Pausing, Job: job}, "ready", "printing", "a.gcode", true},
		"paused":             {printer.Snapshot{State: printer.Paused, Job: job}, "ready", "paused", "a.gcode", false},
		"resuming":           {printer.Snapshot{State: printer.Resuming, Job: job}, "ready", "printing", "a.gcode", true},
		"cancelling":         {printer.Snapshot{State: printer.Cancelling, Job: job}, "ready", "printing", "a.gcode", true},
		"from its card":      {printer.Snapshot{State: printer.Printing, Card: &printer.CardStatus{Printing: true, Name: "c.gco"}}, "ready", "printing", "c.gco", true},
		"not there":          {printer.Snapshot{State: printer.Disconnected}, "disconnected", "standby", "", false},
		"connecting":         {printer.Snapshot{State: printer.Connecting}, "startup", "standby", "", false},
		"stopped":            {printer.Snapshot{State: printer.Halted, Halt: &printer.Halt{}}, "shutdown", "standby", "", false},
		"faulted in a print": {printer.Snapshot{State: printer.Faulted, Job: job, Fault: &printer.Fault{Message: "Gone."}}, "shutdown", "error", "a.gcode", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newStage(t)
			g.Change(func(s *printer.Snapshot) {
				s.State, s.Job, s.LastJob, s.Card, s.Fault, s.Halt = c.snap.State, c.snap.Job, c.snap.LastJob, c.snap.Card, c.snap.Fault, c.snap.Halt
				s.Connection.SinceMS = 10
			})
			g.ask(200, "viewer", "GET", "/server/info", "", "result/klippy_state", c.klippy)
			if c.klippy == "disconnected" {
				c.klippy = "error"
			}
			g.ask(200, "viewer", "GET", "/printer/info", "", "result/state", c.klippy)
			g.ask(200, "viewer", "GET", "/printer/objects/query?webhooks&print_stats&virtual_sdcard=is_active&pause_resume", "", "result/status/webhooks/state", c.klippy, "result/status/print_stats/state", c.print,
				"result/status/print_stats/filename", c.file, "result/status/virtual_sdcard/is_active", c.active, "result/status/pause_resume/is_paused", c.print == "paused", "result/status/virtual_sdcard/progress", "(missing)")
		})
	}
}

// What OrcaSlicer's device page and Home Assistant read, by type.
func TestObjects(t *testing.T) {
	g := newStage(t)
	g.ask(200, "viewer", "GET", "/printer/objects/query?extruder&toolhead=position,homed_axes&nothing", "", "result/status/extruder", map[string]any{}, "result/status/nothing", map[string]any{},
		"result/status/toolhead", map[string]any{"position": []any{nil, nil, nil, nil}, "homed_axes": ""})
	g.Change(func(s *printer.Snapshot) {
		s.Nozzles, s.Bed, s.Chamber = []printer.Heater{{ActualC: 200.5, TargetC: 210}, {ActualC: 20}}, &printer.Heater{ActualC: 60, TargetC: 60}, &printer.Heater{ActualC: 30}
		s.FanPercent, s.SpeedPercent, s.FlowPercent, s.Homed, s.Position = 50, 110, 95, true, &printer.Position{XMM: 1, YMM: 2, ZMM: 3, EMM: 4}
		s.State, s.Job = printer.Printing, &printer.JobStatus{File: "a.gcode", Size: 100, Offset: 50, Percent: 25, ElapsedS: 60, Layer: 2, Layers: 8, FilamentMM: 12}
	})
	g.ask(200, "viewer", "GET", "/printer/objects/query?print_stats&virtual_sdcard&extruder&heater_bed&fan", "", "result/status/extruder/temperature", 200.5, "result/status/extruder/target", 210, "result/status/heater_bed/temperature", 60,
		"result/status/fan/speed", 0.5, "result/status/virtual_sdcard/progress", 0.25, "result/status/virtual_sdcard/file_position", 50, "result/status/print_stats/info/current_layer", 2, "result/status/print_stats/info/total_layer", 8,
		"result/status/print_stats/print_duration", 60, "result/status/print_stats/filament_used", 12)
	g.ask(200, "viewer", "POST", "/printer/objects/query", `{"objects":{"toolhead":["position","nothing"],"gcode_move":null,"heater_generic chamber":["temperature"],"extruder1":["temperature"]}}`,
		"result/status/toolhead", map[string]any{"position": []any{1.0, 2.0, 3.0, 4.0}, "nothing": nil}, "result/status/gcode_move/speed_factor", 1.1, "result/status/gcode_move/extrude_factor", 0.95,
		"result/status/heater_generic chamber/temperature", 30, "result/status/extruder1/temperature", 20)
	g.ask(200, "viewer", "GET", "/printer/objects/query?configfile", "", "result/status/configfile/settings/extruder/nozzle_diameter", 0.4, "result/status/configfile/config/extruder/nozzle_diameter", "0.4")
	for _, body := range []string{`{}`, `{"objects":[]}`, `{"objects":{}}`, `{"objects":{"a":5}}`, `{"objects":null}`} {
		g.ask(400, "viewer", "POST", "/printer/objects/query", body)
	}
	g.ask(400, "viewer", "GET", "/printer/objects/query", "")
	list, _ := at(t, g.ask(200, "viewer", "GET", "/printer/objects/list", ""), "result/objects").([]any)
	for _, want := range []any{"print_stats", "virtual_sdcard", "extruder", "extruder1", "heater_bed", "heater_generic chamber", "fan", "toolhead", "webhooks", "display_status"} {
		found := false
		for _, name := range list {
			found = found || name == want
		}
		if !found {
			t.Errorf("no %v in %v", want, list)
		}
	}
}

func TestOrders(t *testing.T) {
	g := newStage(t)
	told := func(want ...string) {
		t.Helper()
		if got := g.Printer.Told(); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("the printer was told %q, want %q", got, want)
		}
	}
	g.Change(func(s *printer.Snapshot) { s.State, s.Job = printer.Printing, &printer.JobStatus{ID: "0123456789"} })
	for _, path := range []string{"/printer/print/pause", "/printer/print/resume", "/printer/print/cancel", "/printer/emergency_stop"} {
		g.ask(403, "viewer", "POST", path, "{}")
		g.ask(401, "", "POST", path, "{}")
		g.ask(200, "operator", "POST", path, "{}", "result", "ok")
	}
	told("pause", "resume", "cancel", "emergency stop")
	g.ask(200, "operator", "POST", "/printer/print/pause", "", "result", "ok")
	told("pause")
	g.Change(func(s *printer.Snapshot) { s.State = printer.Paused })
	g.ask(200, "operator", "POST", "/printer/print/pause", "{}", "result", "ok")
	g.Change(func(s *printer.Snapshot) { s.State = printer.Cancelling })
	g.ask(200, "operator", "POST", "/printer/print/cancel", "{}", "result", "ok")
	told() // it is so already
	g.ask(403, "operator", "POST", "/printer/gcode/script", `{"script":"M117 x"}`)
	g.ask(200, "owner", "POST", "/printer/gcode/script", `{"script":"M117 x"}`, "result", "ok")
	told("send M117 x")
	g.ask(400, "owner", "POST", "/printer/gcode/script", `{"script":""}`)
	if w := g.AskWith("POST", "/printer/emergency_stop", "{}", "Cookie", "layerd_session=owner", "Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example"); w.Code != 403 {
		t.Errorf("a page of another site: got %d", w.Code)
	}
	told()
}

func TestWebcamsAndTotals(t *testing.T) {
	g := newStage(t)
	g.ask(200, "viewer", "GET", "/server/webcams/list", "", "result/webcams", []any{})
	g.Cameras.Set([]camera.Status{{ID: 3, Device: "/dev/video0", Name: "Front", Width: 640, Height: 480, Live: true}, {ID: 4, Device: "none"}})
	g.ask(200, "viewer", "GET", "/server/webcams/list", "", "result/webcams/0/enabled", true, "result/webcams/0/name", "Front", "result/webcams/0/aspect_ratio", "4:3",
		"result/webcams/0/stream_url", "http://example.com/webcam/?action=stream&view=ticket-id-viewer", "result/webcams/0/snapshot_url", "http://example.com/webcam/?action=snapshot&view=ticket-id-viewer")
	g.ask(200, "viewer", "GET", "/server/history/totals", "", "result/job_totals/total_jobs", 0, "result/job_totals/total_time", 0)
	g.Keep(t, "a.gcode", cube)
	for id, s := range map[string]float64{"one": 30, "two": 70} {
		if err := g.Store.BeginPrint(t.Context(), store.Print{ID: id, File: "a.gcode", StartedMS: 1000}); err != nil {
			t.Fatal(err)
		}
		if err := g.Store.EndPrint(t.Context(), store.Print{ID: id, File: "a.gcode", StartedMS: 1000, EndedMS: 101_000, Outcome: "done", ElapsedS: s, FilamentMM: 5}); err != nil {
			t.Fatal(err)
		}
	}
	g.ask(200, "viewer", "GET", "/server/history/totals", "", "result/job_totals/total_jobs", 2, "result/job_totals/total_print_time", 100, "result/job_totals/longest_print", 70, "result/job_totals/longest_job", 100,
		"result/job_totals/total_filament_used", 10)
}

// A change of files is read from the disk once, however many clients are told of it.
func TestListingIsShared(t *testing.T) {
	g := newStage(t)
	for i := range 20 {
		g.Keep(t, fmt.Sprintf("%d.gcode", i), cube)
	}
	a := New(g.Server)
	for rev := range uint64(20) {
		found := make([]*listing, 50)
		begin := make(chan struct{})
		var clients sync.WaitGroup
		for i := range found {
			clients.Go(func() {
				<-begin
				found[i] = a.listingOf(7 + rev)
			})
		}
		close(begin)
		clients.Wait()
		for _, l := range found {
			if l == nil || l != found[0] || len(l.files) != 20 {
				t.Fatalf("got %p and %p of one revision", l, found[0])
			}
		}
	}
}

// Simple clients hear an answer only when they have sent everything.
func TestRefusedUploadIsHeardOut(t *testing.T) {
	g := newStage(t)
	conn, err := net.Dial("tcp", g.Listen(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model.stl\"\r\n\r\n" + strings.Repeat("x", 32<<20) + "\r\n--b--\r\n"
	fmt.Fprintf(conn, "POST /server/files/upload HTTP/1.1\r\nHost: x\r\nX-Api-Key: operator\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n", len(form))
	if _, err := io.WriteString(conn, form); err != nil {
		t.Fatalf("the file could not be sent: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != 400 || !strings.Contains(string(text), "sliced") {
		t.Errorf("got %d %s, %v", answer.StatusCode, text, err)
	}
}

// What Moonraker has and we have not is refused in its form, so that clients can read that.
func TestWhatIsNotHere(t *testing.T) {
	g := newStage(t)
	for _, c := range []string{"GET /server/database/item?namespace=fluidd", "GET /machine/update/status", "POST /machine/reboot", "POST /machine/shutdown", "DELETE /server/webcams/item", "GET /access/user", "GET /server/announcements/list"} {
		method, target, _ := strings.Cut(c, " ")
		g.ask(404, "owner", method, target, "")
		g.ask(401, "", method, target, "")
	}
	g.ask(405, "owner", "GET", "/printer/print/start", "")
}

func TestStrangers(t *testing.T) {
	g := newStage(t)
	for _, route := range New(g.Server).Routes() {
		target := strings.Replace(route.Path, "*", "none", 1)
		for _, key := range []string{"", "wrong"} {
			w := g.Ask(route.Method, target, key, "{}")
			g.check(w, 401, route.Method+" "+target+" with the key "+key)
			if route.Path != "/websocket" && w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: 401 asks for nothing", target)
			}
		}
	}
}
