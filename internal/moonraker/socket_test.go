package moonraker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/server/servertest"
	"layerd/printer"
)

// app is a client on a websocket.
type app struct {
	t    testing.TB
	conn *websocket.Conn
	next int
}

// dial connects to a path; headers are pairs. A refused handshake is its status.
func dial(t testing.TB, p *servertest.Pipes, path string, headers ...string) (*app, int) {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	d := websocket.Dialer{NetDialContext: p.Dial, HandshakeTimeout: time.Minute}
	conn, answer, err := d.Dial("ws://layerd.test"+path, h)
	if err != nil {
		if answer == nil {
			t.Fatal(err)
		}
		return nil, answer.StatusCode
	}
	t.Cleanup(func() { conn.Close() })
	return &app{t: t, conn: conn}, 101
}

func open(t testing.TB, p *servertest.Pipes, role string) *app {
	t.Helper()
	a, status := dial(t, p, "/websocket", "X-Api-Key", role)
	if a == nil {
		t.Fatalf("no socket: %d", status)
	}
	return a
}

func (a *app) say(text string) {
	a.t.Helper()
	if err := a.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		a.t.Fatalf("say %s: %v", text, err)
	}
}

func (a *app) hear() []byte {
	a.t.Helper()
	_, text, err := a.conn.ReadMessage()
	if err != nil {
		a.t.Fatalf("the app hears nothing: %v", err)
	}
	return text
}

// call calls a method and returns its answer; what is told meanwhile is passed over.
func (a *app) call(method, params string) []byte {
	a.t.Helper()
	a.next++
	a.say(fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":%s,"id":%d}`, method, params, a.next))
	for {
		if text := a.hear(); at(a.t, text, "id") == float64(a.next) {
			return text
		}
	}
}

// is compares what is at a path.
func (a *app) is(text []byte, path string, want any) {
	a.t.Helper()
	if got := at(a.t, text, path); fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%s: got %v, want %v in %.300s", path, got, want, text)
	}
}

// told passes over all but a notification.
func (a *app) told(method string) []byte {
	a.t.Helper()
	for {
		if text := a.hear(); at(a.t, text, "method") == method {
			return text
		}
	}
}

func (a *app) closed() int {
	a.t.Helper()
	for {
		_, _, err := a.conn.ReadMessage()
		if closed, ok := err.(*websocket.CloseError); ok {
			return closed.Code
		}
		if err != nil {
			a.t.Fatalf("the socket ended without a word: %v", err)
		}
	}
}

// What OrcaSlicer's device page hears from its handshake to the end of a print.
func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.Keep(t, "a.gcode", cube)
		g.ServeOn(t, p)
		a := open(t, p, "operator")
		a.is(a.call("server.connection.identify", `{"client_name":"OrcaSlicer","version":"1","type":"agent","url":"x"}`), "result/connection_id", 1)
		a.is(a.call("server.info", `{}`), "result/klippy_state", "ready")
		sub := a.call("printer.objects.subscribe", `{"objects":{"print_stats":null,"virtual_sdcard":["progress"],"extruder":null,"none":null}}`)
		a.is(sub, "result/status/print_stats/state", "standby")
		a.is(sub, "result/status/virtual_sdcard", "map[progress:0]")
		a.is(sub, "result/status/none", "map[]")

		began := time.Now()
		g.Change(func(s *printer.Snapshot) {
			s.State, s.Job = printer.Printing, &printer.JobStatus{ID: "0123456789", File: "a.gcode", Percent: 10, StartedMS: time.Now().UnixMilli()}
			s.Nozzles = []printer.Heater{{ActualC: 20.5, TargetC: 200}}
		})
		up := a.told("notify_status_update")
		if since := time.Since(began); since > time.Second {
			t.Errorf("the update came after %v", since)
		}
		a.is(up, "params/0/print_stats/state", "printing")
		a.is(up, "params/0/print_stats/message", "(missing)") // it has not changed
		a.is(up, "params/0/virtual_sdcard/progress", 0.1)
		a.is(up, "params/0/extruder/target", 200)

		// A hundred changes in a second are told at most four times.
		go func() {
			for i := range 100 {
				g.Change(func(s *printer.Snapshot) { s.Nozzles = []printer.Heater{{ActualC: 21 + float64(i), TargetC: 200}} })
				time.Sleep(10 * time.Millisecond)
			}
		}()
		began = time.Now()
		updates := 0
		for at(t, up, "params/0/extruder/temperature") != 120.0 {
			up, updates = a.told("notify_status_update"), updates+1
			a.is(up, "params/0/extruder/target", "(missing)")
			a.is(up, "params/0/print_stats/state", "(missing)")
		}
		if updates > 6 || updates < 2 {
			t.Errorf("%d updates in %v, want at most four a second", updates, time.Since(began))
		}

		a.is(a.call("printer.print.pause", `{}`), "result", "ok")
		a.is(a.call("printer.print.resume", `{}`), "result", "ok")
		if got := g.Printer.Told(); fmt.Sprint(got) != "[pause resume]" {
			t.Errorf("the printer was told %q", got)
		}
		g.Keep(t, "sub/b.gcode", cube)
		files := map[string]string{}
		for len(files) < 2 {
			text := a.told("notify_filelist_changed")
			files[at(t, text, "params/0/item/path").(string)] = at(t, text, "params/0/action").(string)
		}
		if files["sub"] != "create_dir" || files["sub/b.gcode"] != "create_file" {
			t.Errorf("got %v", files)
		}
		a.is(a.call("server.files.delete_file", `{"path":"gcodes/sub/b.gcode"}`), "result/item/path", "sub/b.gcode")
		a.is(a.told("notify_filelist_changed"), "params/0/action", "delete_file")
		a.is(a.call("server.files.delete_file", `{"path":"a.gcode"}`), "error/code", 404)

		g.Change(func(s *printer.Snapshot) { s.State, s.Halt = printer.Halting, &printer.Halt{} })
		a.told("notify_klippy_shutdown")
		g.Change(func(s *printer.Snapshot) { s.State, s.Halt, s.Job = printer.Disconnected, nil, nil })
		a.told("notify_klippy_disconnected")
		g.Change(func(s *printer.Snapshot) { s.State = printer.Connecting })
		g.Change(func(s *printer.Snapshot) { s.State = printer.Idle })
		a.told("notify_klippy_ready")

		a.is(a.call("printer.objects.subscribe", `{"objects":{}}`), "result/status", "map[]")
		g.Change(func(s *printer.Snapshot) { s.Nozzles = []printer.Heater{{ActualC: 99}} })
		time.Sleep(3 * time.Second)
		a.say(`{"jsonrpc":"2.0","method":"server.websocket.id","id":"last"}`)
		a.is(a.hear(), "id", "last") // nothing was told before
	})
}

// What each way to get in is worth.
func TestSocketRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		for name, c := range map[string]struct {
			path    string
			headers []string
			want    int
		}{
			"nothing": {"/websocket", nil, 401}, "wrong": {"/websocket", []string{"X-Api-Key", "wrong"}, 401}, "a wrong token": {"/websocket?token=x", nil, 401}, "a key in the address": {"/websocket?apikey=viewer", nil, 101},
			"bearer": {"/websocket", []string{"Authorization", "Bearer viewer"}, 101}, "our own page": {"/websocket", []string{"Cookie", "layerd_session=owner", "Origin", "http://layerd.test"}, 101},
			"another page": {"/websocket", []string{"Cookie", "layerd_session=owner", "Origin", "http://evil.example"}, 403},
		} {
			if _, got := dial(t, p, c.path, c.headers...); got != c.want {
				t.Errorf("%s: got %d, want %d", name, got, c.want)
			}
		}

		token := at(t, g.ask(200, "operator", "GET", "/access/oneshot_token", ""), "result").(string)
		a, status := dial(t, p, "/websocket?token="+token)
		if status != 101 {
			t.Fatalf("a token: got %d", status)
		}
		a.is(a.call("printer.gcode.script", `{"script":"M117"}`), "error/code", 403)
		if _, status := dial(t, p, "/websocket?token="+token); status != 401 {
			t.Errorf("a token that was used: got %d", status)
		}
		token = at(t, g.ask(200, "operator", "GET", "/access/oneshot_token", ""), "result").(string)
		time.Sleep(tokenGood + time.Second)
		if _, status := dial(t, p, "/websocket?token="+token); status != 401 {
			t.Errorf("an old token: got %d", status)
		}

		v := open(t, p, "viewer")
		for _, m := range methods {
			if m.least > 1 {
				v.is(v.call(m.name, `{}`), "error/code", 403)
			}
		}
		if got := g.Printer.Told(); got != nil {
			t.Errorf("the printer was told %q", got)
		}
		o := open(t, p, "owner")
		o.is(o.call("printer.gcode.script", `{"script":"M117 hi"}`), "result", "ok")
		o.is(o.call("printer.emergency_stop", `{}`), "result", "ok")
		g.Gate.Revoke("operator")
		if code := a.closed(); code != 4401 {
			t.Errorf("closed with %d, want 4401", code)
		}
		o.is(o.call("server.info", `{}`), "result/klippy_state", "ready") // others stay
	})
}

// Messages that are none.
func TestBadMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := open(t, p, "owner")
		for text, code := range map[string]int{
			`{`: -32700, ``: -32700, `5`: -32600, `[]`: -32600, `[1]`: -32600, `{"jsonrpc":"1.0","method":"server.info","id":1}`: -32600, `{"jsonrpc":"2.0","id":1}`: -32600, `{"jsonrpc":"2.0","method":"x","id":{}}`: -32600,
			`{"jsonrpc":"2.0","method":"server.database.list","id":1}`: -32601, `{"jsonrpc":"2.0","method":"server.info","params":[1],"id":1}`: -32602, `{"jsonrpc":"2.0","method":"printer.objects.query","id":1}`: -32602,
			`{"jsonrpc":"2.0","method":"printer.objects.subscribe","params":{"objects":7},"id":1}`: -32602, `[` + strings.Repeat(`{},`, maxBatch) + `{}]`: -32600,
			`{"jsonrpc":"2.0","method":"printer.print.start","id":1}`: 400, `{"jsonrpc":"2.0","method":"server.files.metadata","params":{"filename":"none.gcode"},"id":1}`: 404,
		} {
			a.say(text)
			a.is(a.hear(), "error/code", code)
		}
		a.say(`{"jsonrpc":"2.0","method":"server.info"}`) // a notification: nobody answers
		a.say(strings.Repeat(" ", maxHeard+1))
		if _, _, err := a.conn.ReadMessage(); err == nil {
			t.Error("a message that is too long was taken")
		}
	})
}

// Several calls in one message are answered in one: https://www.jsonrpc.org/specification#batch.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := open(t, p, "viewer")
		a.say(`[{"jsonrpc":"2.0","method":"server.info"},{"jsonrpc":"2.0","method":"printer.info"}]`) // nobody wants an answer
		a.say(`[{"jsonrpc":"2.0","method":"server.info","id":"slow"},{"jsonrpc":"2.0","method":"server.info"},{"jsonrpc":"2.0","method":"none","id":"none"},{"jsonrpc":"2.0","method":"server.websocket.id","id":"own"}]`)
		var answers []struct {
			ID     string
			Result object
			Error  Failure
		}
		if text := a.hear(); json.Unmarshal(text, &answers) != nil || len(answers) != 3 {
			t.Fatalf("got %.300s", text)
		}
		for _, one := range answers {
			if want := map[string]int{"none": -32601}[one.ID]; one.Error.Code != want || (one.Result == nil) != (want != 0) {
				t.Errorf("got %+v", one)
			}
		}
	})
}

// Apps ask for all that they show at once, when they start.
func TestManyCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := open(t, p, "viewer")
		const call = `{"jsonrpc":"2.0","method":"server.files.list","id":1}`
		a.say("[" + strings.Repeat(call+",", maxBatch-1) + call + "]")
		var answers []map[string]any
		if text := a.hear(); json.Unmarshal(text, &answers) != nil || len(answers) != maxBatch {
			t.Fatalf("got %.300s", text)
		}
		for i, one := range answers {
			if one["error"] != nil {
				t.Errorf("call %d: got %v", i, one)
			}
		}
	})
}

func FuzzCalls(f *testing.F) {
	for _, seed := range []string{`{"jsonrpc":"2.0","method":"printer.objects.subscribe","params":{"objects":{"a":null,"b":["c"]}},"id":1}`, `[{"jsonrpc":"2.0","method":"x","id":null}]`, `{"id":1e999}`, "\xff", `[]`, `{"method":5}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		calls, fault := callsIn(text)
		if (fault == nil) == (len(calls) == 0) || len(calls) > maxBatch {
			t.Fatalf("%d calls, and %v", len(calls), fault)
		}
		for _, m := range calls {
			id, ok := m.id()
			if in, named := m.params(); named {
				if s, err := selectionOf(in); err == nil && len(s.from(map[string]object{"a": {"b": 1}})) != len(s) {
					t.Errorf("an object is missing of %v", s)
				}
			}
			if ok && id != nil && !json.Valid(answer(id, nil, nil)) {
				t.Errorf("the answer to %s is no JSON", id)
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	g := newStage(f)
	f.Add("print_stats&extruder=temperature,target", "")
	f.Add("%zz&a;b", `{"objects":{"fan":["speed"]}}`)
	f.Add("", "objects=%7B%7D")
	f.Fuzz(func(t *testing.T, query, body string) {
		r, err := http.NewRequest("POST", "http://layerd/printer/objects/query", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = query
		r.Header.Set("X-Api-Key", "viewer")
		w := &recorder{header: http.Header{}}
		g.ServeHTTP(w, r)
		if w.status != 200 && w.status != 400 {
			t.Errorf("got %d %s", w.status, w.body)
		}
		if !json.Valid(w.body) {
			t.Errorf("got %q", w.body)
		}
	})
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { r.body = append(r.body, b...); return len(b), nil }
