package prusalink

import (
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"layerd/internal/server"
	"layerd/internal/server/servertest"
	"layerd/printer"
)

func newStage(t testing.TB) *servertest.Stage {
	g := servertest.New(t)
	g.Mount(New(g.Server))
	return g
}

func status(t *testing.T, w *httptest.ResponseRecorder, want int, what string) {
	t.Helper()
	if w.Code != want {
		t.Errorf("%s: got %d %s, want %d", what, w.Code, w.Body, want)
	}
}

func TestStates(t *testing.T) {
	job := &printer.JobStatus{ID: "0123456789"}
	ended := func(outcome string, at int64) *printer.JobOutcome {
		return &printer.JobOutcome{Outcome: outcome, EndedMS: at}
	}
	for want, snaps := range map[string][]printer.Snapshot{
		"IDLE":      {{State: printer.Idle}, {State: printer.Idle, LastJob: ended("done", 9)}},
		"FINISHED":  {{State: printer.Idle, LastJob: ended("done", 11)}},
		"STOPPED":   {{State: printer.Idle, LastJob: ended("cancelled", 11)}, {State: printer.Idle, LastJob: ended("failed", 11)}},
		"PRINTING":  {{State: printer.Starting, Job: job}, {State: printer.Printing, Job: job}, {State: printer.Resuming, Job: job}, {State: printer.Finishing, Job: job}},
		"PAUSED":    {{State: printer.Paused, Job: job}},
		"ATTENTION": {{State: printer.Paused, Job: job, Prompt: &printer.Prompt{}}, {State: printer.Paused, Job: job, Fault: &printer.Fault{}}},
		"BUSY":      {{State: printer.Pausing, Job: job}, {State: printer.Cancelling, Job: job}, {State: printer.Connecting}},
		"ERROR":     {{State: printer.Disconnected}, {State: printer.Faulted}, {State: printer.Halted}, {State: printer.Halting}},
	} {
		for _, snap := range snaps {
			snap.Connection.SinceMS = 10
			if got := stateOf(server.State{Snapshot: snap}); got != want {
				t.Errorf("%v with %+v: got %s, want %s", snap.State, snap.LastJob, got, want)
			}
		}
	}
}

// A job's number is its own, is a whole number for any client, and is none of the card's.
func TestNumbers(t *testing.T) {
	seen := map[int64]string{}
	for _, id := range []string{"0123456789", "0123456788", "zzzzzzzzzz", "1000000000", "0pc9amtma2"} {
		n := number(id)
		if n <= cardJob || n >= 1<<53 || seen[n] != "" {
			t.Errorf("%s: got %d, as %q", id, n, seen[n])
		}
		seen[n] = id
	}
	for _, id := range []string{"", "012345678", "01234567890", "012345678i", "012345678A", "0123\xff56789"} {
		if n := number(id); n != -1 {
			t.Errorf("%q: got %d, want -1", id, n)
		}
	}
}

func TestJobs(t *testing.T) {
	g := newStage(t)
	status(t, g.Ask("GET", "/api/v1/job", "viewer", ""), 204, "no job")
	g.Keep(t, "sub/a.gcode", "G28\nG1 X1 E1\n")
	g.Change(func(s *printer.Snapshot) {
		s.State, s.Job = printer.Printing, &printer.JobStatus{ID: "0123456789", File: "sub/a.gcode", Name: "a.gcode", Percent: 12.5, ElapsedS: 60.4, LeftS: -1}
	})
	w := g.Ask("GET", "/api/v1/job", "viewer", "")
	status(t, w, 200, "a job")
	var j Job
	if err := json.Unmarshal(w.Body.Bytes(), &j); err != nil || j.ID != number("0123456789") || j.State != "PRINTING" || j.Progress != 12.5 || j.TimePrinting != 60 || j.TimeRemaining != nil || j.File.Name != "a.gcode" || j.File.Path != "/local/sub" {
		t.Errorf("got %s, %v", w.Body, err)
	}
	for by, inaccurate := range map[string]bool{printer.LeftByPrint: false, printer.LeftByMoves: true, printer.LeftBySlicer: false, printer.LeftByPrinter: false} {
		g.Change(func(s *printer.Snapshot) {
			job := *s.Job
			job.LeftS, job.LeftBy = 89.6, by
			s.Job = &job
		})
		j = Job{}
		if err := json.Unmarshal(g.Ask("GET", "/api/v1/job", "viewer", "").Body.Bytes(), &j); err != nil || j.TimeRemaining == nil || *j.TimeRemaining != 90 || j.InaccurateEstimates != inaccurate {
			t.Errorf("by %q: got %+v, %v", by, j, err)
		}
	}
	id := strconv.FormatInt(j.ID, 10)
	for _, c := range []struct {
		role, method, path string
		want               int
		told               string
	}{
		{"viewer", "PUT", "/" + id + "/pause", 403, ""}, {"operator", "PUT", "/" + id + "/pause", 204, "pause 0123456789"}, {"operator", "PUT", "/" + id + "/resume", 204, "resume 0123456789"},
		{"operator", "PUT", "/" + id + "/continue", 204, "resume 0123456789"}, {"operator", "PUT", "/" + id + "/dance", 404, ""}, {"operator", "PUT", "/1/pause", 404, ""}, {"operator", "PUT", "/x/pause", 404, ""},
		{"operator", "DELETE", "/99999999999999999999", 404, ""}, {"viewer", "DELETE", "/" + id, 403, ""}, {"operator", "DELETE", "/" + id, 204, "cancel 0123456789"},
	} {
		status(t, g.Ask(c.method, "/api/v1/job"+c.path, c.role, ""), c.want, c.role+" "+c.method+" "+c.path)
		if got := strings.Join(g.Printer.Told(), ","); got != c.told {
			t.Errorf("%s %s: the printer was told %q, want %q", c.method, c.path, got, c.told)
		}
	}
}

func TestFiles(t *testing.T) {
	g := newStage(t)
	put := func(name, text string, headers ...string) *httptest.ResponseRecorder {
		return g.AskWith("PUT", "/api/v1/files/local/"+name, text, append([]string{"X-Api-Key", "operator"}, headers...)...)
	}
	const cube = "G28\nG1 X1 E1\n"
	status(t, put("sub/my%20part.gcode", cube), 201, "new")
	status(t, put("sub/my%20part.gcode", cube), 409, "there already")
	status(t, put("sub/my%20part.gcode", cube, "Overwrite", "?0"), 409, "not over it")
	status(t, put("sub/my%20part.gcode", cube+cube, "Overwrite", "?1"), 201, "over it")
	status(t, put("folder", "", "Create-Folder", "?1"), 201, "a folder")
	for _, name := range []string{"../x.gcode", "%2e%2e/%2e%2e/x.gcode", "x.exe"} {
		if w := put(name, cube); w.Code == 201 && !strings.Contains(w.Header().Get("Location"), "/api/v1/files/local/x.gcode") || name == "x.exe" && w.Code < 400 {
			t.Errorf("%s: got %d %s", name, w.Code, w.Header().Get("Location"))
		}
	}
	for method, want := range map[string]int{"GET": 200, "HEAD": 200} {
		w := g.Ask(method, "/api/v1/files/usb/sub/my%20part.gcode", "viewer", "")
		status(t, w, want, method)
		if w.Header().Get("Currently-Printed") != "false" || w.Header().Get("Read-Only") != "true" {
			t.Errorf("%s: got %v", method, w.Header())
		}
	}
	w := g.Ask("GET", "/api/v1/files/local", "operator", "")
	var top File
	if err := json.Unmarshal(w.Body.Bytes(), &top); err != nil || top.Type != "FOLDER" || top.Children == nil || len(*top.Children) < 2 {
		t.Errorf("got %s, %v", w.Body, err)
	}
	status(t, g.Ask("GET", "/api/v1/files/local/none.gcode", "viewer", ""), 404, "none")
	status(t, g.Ask("DELETE", "/api/v1/files/local/sub", "operator", ""), 409, "a folder that is not empty")
	status(t, g.AskWith("DELETE", "/api/v1/files/local/sub", "", "X-Api-Key", "operator", "Force", "?1"), 204, "by force")
	status(t, g.AskWith("PUT", "/api/v1/files/local/v.gcode", cube, "X-Api-Key", "viewer"), 403, "a viewer's")
}

// Who is not known is asked for a Digest, on every route; a Digest is as good as a key.
func TestDigest(t *testing.T) {
	g := newStage(t)
	for _, route := range New(g.Server).Routes() {
		w := g.Ask(route.Method, strings.Replace(route.Path, "*", "none", 1), "", "")
		status(t, w, 401, route.Method+" "+route.Path)
		if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Digest ") {
			t.Errorf("%s: got %q", route.Path, w.Header().Get("WWW-Authenticate"))
		}
	}
	status(t, g.AskWith("GET", "/api/v1/status", "", "Authorization", `Digest username="viewer"`), 200, "a viewer's")
	status(t, g.AskWith("GET", "/api/v1/status", "", "Authorization", `Digest username="nobody at all"`), 401, "nobody's")
	w := g.AskWith("GET", "/api/v1/files/local/none.gcode", "", "X-Api-Key", "viewer", "Accept", "application/json")
	var e Error
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != "no_file" || e.Title == "" {
		t.Errorf("got %s, %v", w.Body, err)
	}
}

func FuzzPath(f *testing.F) {
	g := newStage(f)
	f.Add("GET", "sub/../../x.gcode")
	f.Add("DELETE", "%2e%2e")
	f.Add("POST", "\x00")
	f.Fuzz(func(t *testing.T, method, path string) {
		if !strings.Contains(" GET HEAD POST DELETE ", " "+method+" ") {
			method = "GET"
		}
		r := httptest.NewRequest(method, "/api/v1/files/local/x", nil)
		r.URL.Path = "/api/v1/files/local/" + path
		r.Header.Set("X-Api-Key", "operator")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: got %d %s", method, path, w.Code, w.Body)
		}
	})
}
