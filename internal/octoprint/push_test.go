package octoprint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/internal/server/servertest"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// app is a client on a websocket.
type app struct {
	t    testing.TB
	conn *websocket.Conn
}

// open connects to a path. headers are pairs.
func (g *stage) open(t testing.TB, p *servertest.Pipes, path string, headers ...string) *app {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	d := websocket.Dialer{NetDialContext: p.Dial, HandshakeTimeout: time.Minute}
	conn, answer, err := d.Dial("ws://layerd.test"+path, h)
	if err != nil {
		t.Fatalf("%s: %v, %v", path, err, answer)
	}
	t.Cleanup(func() { conn.Close() })
	return &app{t: t, conn: conn}
}

func (a *app) say(text string) {
	a.t.Helper()
	if err := a.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		a.t.Fatalf("say %s: %v", text, err)
	}
}

// text is the next message as it came.
func (a *app) text() string {
	a.t.Helper()
	_, text, err := a.conn.ReadMessage()
	if err != nil {
		a.t.Fatalf("the app hears nothing: %v", err)
	}
	return string(text)
}

// message is a pushed message: its one key, and what is there.
type message struct {
	kind    string
	payload map[string]any
}

func parse(t testing.TB, text string) message {
	t.Helper()
	var m map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil || len(m) != 1 {
		t.Fatalf("%.200s is not a message: %v", text, err)
	}
	for kind, payload := range m {
		return message{kind, payload}
	}
	return message{}
}

func (a *app) hear() message { a.t.Helper(); return parse(a.t, a.text()) }

// until skips what is of another kind.
func (a *app) until(kind string) map[string]any {
	a.t.Helper()
	for {
		if m := a.hear(); m.kind == kind {
			return m.payload
		}
	}
}

// event skips what is not that event.
func (a *app) event(kind string) any {
	a.t.Helper()
	for {
		if e := a.until("event"); e["type"] == kind {
			return e["payload"]
		}
	}
}

// closed reads until the socket ends, and returns the code, and the kinds of what still came.
func (a *app) closed() (code int, kinds []string) {
	a.t.Helper()
	for {
		_, text, err := a.conn.ReadMessage()
		if closed, ok := err.(*websocket.CloseError); ok {
			return closed.Code, kinds
		}
		if err != nil {
			a.t.Fatalf("the socket ended without a word: %v", err)
		}
		kinds = append(kinds, parse(a.t, string(text)).kind)
	}
}

func state(m map[string]any) string { return m["state"].(map[string]any)["text"].(string) }

// What a phone app hears from its handshake to the end of a print.
func TestPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.Keep(t, "sub/big.gcode", "G28\nG1 X1 E5 F600\n")
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket")
		if m := a.hear(); m.kind != "connected" || m.payload["version"] != "1.11.8" || len(m.payload["permissions"].([]any)) < 20 {
			t.Fatalf("got %v, want connected", m)
		}
		a.say(`{"auth":"kim:operator"}`)
		if m := a.hear(); m.kind != "history" || state(m.payload) != "Operational" || m.payload["busyFiles"] != nil {
			t.Fatalf("got %v, want the history", m)
		}
		if m := a.hear(); m.kind != "timelapse" || m.payload != nil {
			t.Fatalf("got %v, want no timelapse", m)
		}
		g.Change(func(s *printer.Snapshot) {
			s.State, s.TempsAtMS, s.Nozzles = printer.Printing, 1000, []printer.Heater{{ActualC: 200, TargetC: 210}}
			s.Job = &printer.JobStatus{ID: "1", File: "sub/big.gcode", By: "kim", Size: 22, LeftS: -1, StartedMS: time.Now().UnixMilli()}
		})
		started := a.event("PrintStarted").(map[string]any)
		if started["path"] != "sub/big.gcode" || started["owner"] != "kim" || started["size"] != 22.0 {
			t.Errorf("got %v", started)
		}
		m := a.until("current")
		if state(m) != "Printing" || fmt.Sprint(m["busyFiles"]) != "[map[origin:local path:sub/big.gcode]]" {
			t.Errorf("got %v", m)
		}
		if temps := m["temps"].([]any); len(temps) != 1 || fmt.Sprint(temps[0].(map[string]any)["tool0"]) != "map[actual:200 target:210]" {
			t.Errorf("got %v, want one point", temps)
		}
		g.Change(func(s *printer.Snapshot) { s.State = printer.Paused })
		if paused := a.event("PrintPaused").(map[string]any); paused["position"] == nil {
			t.Errorf("got %v, want a position", paused)
		}
		if m := a.until("current"); state(m) != "Paused" || len(m["temps"].([]any)) != 0 {
			t.Errorf("got %v, want no temperatures again", m)
		}
		g.Change(func(s *printer.Snapshot) {
			s.State, s.Job, s.LastJob = printer.Idle, nil, &printer.JobOutcome{ID: "1", File: "sub/big.gcode", Outcome: "done", ElapsedS: 12.5}
		})
		if done := a.event("PrintDone").(map[string]any); done["time"] != 12.5 {
			t.Errorf("got %v", done)
		}
		if m := a.until("current"); state(m) != "Operational" || m["progress"].(map[string]any)["completion"] != 100.0 {
			t.Errorf("got %v", m)
		}
	})
}

// Who shows his key, and how; and what counts for a page of another site.
func TestPushAuth(t *testing.T) {
	cookie := access.CookieName + "=operator"
	for _, c := range []struct {
		name    string
		path    string
		headers []string
		say     string
		want    string // "history", "reauthRequired", "" nothing
		logs    bool
	}{
		{"nothing", "/sockjs/websocket", nil, "", "", false},
		{"a session", "/sockjs/websocket", nil, `{"auth":"kim:owner"}`, "history", true},
		{"a name with a colon", "/sockjs/websocket", nil, `{"auth":"k:im:owner"}`, "history", true},
		{"a viewer does not read the console", "/sockjs/websocket", nil, `{"auth":"kim:viewer"}`, "history", false},
		{"a wrong session", "/sockjs/websocket", nil, `{"auth":"kim:nonsense"}`, "reauthRequired", false},
		{"no session", "/sockjs/websocket", nil, `{"auth":"kim:"}`, "reauthRequired", false},
		{"no colon", "/sockjs/websocket", nil, `{"auth":"owner"}`, "", false},
		{"not a string", "/sockjs/websocket", nil, `{"auth":{"owner":1}}`, "", false},
		{"X-Api-Key", "/sockjs/websocket", []string{"X-Api-Key", "operator"}, "", "history", true},
		{"Bearer", "/sockjs/websocket", []string{"Authorization", "Bearer operator"}, "", "history", true},
		{"apikey", "//sockjs//websocket/?apikey=operator", nil, "", "history", true},
		{"a wrong key", "/sockjs/websocket", []string{"X-Api-Key", "nonsense"}, "", "reauthRequired", false},
		{"a wrong key, then the right session", "/sockjs/websocket", []string{"X-Api-Key", "nonsense"}, `{"auth":"kim:operator"}`, "reauthRequired history", true},
		{"a cookie alone", "/sockjs/websocket", []string{"Cookie", cookie}, "", "", false},
		{"a cookie that is meant", "/sockjs/websocket", []string{"Cookie", cookie}, `{"auth":":"}`, "history", true},
		{"a cookie from our page", "/sockjs/websocket", []string{"Cookie", cookie, "Origin", "http://layerd.test"}, `{"auth":":"}`, "history", true},
		{"a cookie from another page", "/sockjs/websocket", []string{"Cookie", cookie, "Origin", "http://evil.example"}, `{"auth":":"}`, "reauthRequired", false},
		{"a session from an app in a file", "/sockjs/websocket", []string{"Origin", "file://"}, `{"auth":"kim:operator"}`, "history", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, p := newStage(t), servertest.NewPipes()
				g.Console.Say("in", "ok")
				g.ServeOn(t, p)
				a := g.open(t, p, c.path, c.headers...)
				a.until("connected")
				for _, want := range strings.Fields(c.want) {
					if c.say != "" && want == lastWord(c.want) {
						a.say(c.say)
					}
					m := a.hear()
					if m.kind != want {
						t.Fatalf("got %v, want %s", m, want)
					}
					if _, logs := m.payload["logs"]; want == "history" && logs != c.logs {
						t.Errorf("got the console %v, want %v", logs, c.logs)
					}
				}
				if c.want == "" {
					if c.say != "" {
						a.say(c.say)
					}
					if code, heard := a.closed(); code != closeStranger || len(heard) > 0 {
						t.Errorf("got %d after %q, want nothing, and a goodbye to a stranger", code, heard)
					}
				}
			})
		})
	}
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// Clients that show no key cost little, and not for long.
func TestPushStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		known := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		go known.drain()
		began := time.Now()
		first := g.open(t, p, "/sockjs/websocket")
		first.until("connected")
		for range maxStrangers - 1 {
			a := g.open(t, p, "/sockjs/websocket")
			a.until("connected")
		}
		last := g.open(t, p, "/sockjs/websocket") // one too many
		if code, _ := first.closed(); code != closeGoing || time.Since(began) > time.Second {
			t.Errorf("got %d after %v, want the oldest to go at once", code, time.Since(began))
		}
		last.until("connected")
		last.say(`{"auth":"kim:viewer"}`)
		last.until("history")
		wrong := g.open(t, p, "/sockjs/websocket")
		wrong.until("connected")
		for range maxTries + 1 {
			wrong.say(`{"auth":"kim:nonsense"}`)
			wrong.until("reauthRequired")
		}
		if code, _ := wrong.closed(); code != closeRevoked {
			t.Errorf("got %d after many wrong keys, want %d", code, closeRevoked)
		}
		chatter := g.open(t, p, "/sockjs/websocket")
		chatter.until("connected")
		for range maxStrange + 1 {
			chatter.say(`{"throttle":2}`)
		}
		if code, _ := chatter.closed(); code != closeStranger {
			t.Errorf("got %d after many words, want %d", code, closeStranger)
		}
	})
}

func (a *app) drain() {
	for {
		if _, _, err := a.conn.ReadMessage(); err != nil {
			return
		}
	}
}

// A key that is taken back ends what it opened, also one that a message showed.
func TestPushRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "operator") // the handshake's key stays good
		a.until("history")
		b := g.open(t, p, "/sockjs/websocket")
		b.say(`{"auth":"kim:viewer"}`)
		b.until("history")
		g.Gate.Revoke("viewer")
		if code, kinds := b.closed(); code != closeRevoked || !slices.Contains(kinds, "reauthRequired") {
			t.Errorf("got %d after %q, want %d after reauthRequired", code, kinds, closeRevoked)
		}
		g.Change(func(s *printer.Snapshot) { s.FanPercent = 5 })
		a.until("current")
	})
}

// Who is known and then shows something wrong is not known any more.
func TestPushForgetsWhoShowsSomethingWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		a.until("timelapse")
		a.say(`{"auth":"kim:viewer"}`) // the same again changes nothing
		a.say(`{"auth":"kim:nonsense"}`)
		if code, kinds := a.closed(); code != closeRevoked || !slices.Equal(kinds, []string{"reauthRequired"}) {
			t.Errorf("got %d after %q", code, kinds)
		}
	})
}

// How prints are recorded is told when it changes.
func TestPushTimelapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		a.until("timelapse")
		for mode, want := range map[timelapse.Mode]string{timelapse.ByTime: "timed", timelapse.ByLayer: "zchange"} {
			g.Films.Set(&timelapse.List{Settings: timelapse.Settings{Choice: timelapse.Choice{Mode: mode, EveryS: 5}}})
			if m := a.until("timelapse"); m["type"] != want {
				t.Errorf("%s: got %v, want %s", mode, m, want)
			}
		}
	})
}

// How often current comes: with changes as often as is wanted, without often enough.
func TestPushPace(t *testing.T) {
	for _, c := range []struct {
		say      string
		changing bool
		min, max time.Duration
	}{
		{`{"throttle":1}`, true, baseEvery, baseEvery + 100*time.Millisecond},
		{`{"throttle":"4"}`, true, 2 * time.Second, 2100 * time.Millisecond},
		{`{"throttle":0}`, true, baseEvery, baseEvery + 100*time.Millisecond},
		{`{"throttle":100000}`, true, 20 * time.Second, 20 * time.Second},
		{`{"throttle":1}`, false, 15 * time.Second, 15 * time.Second},
		{`{"throttle":100000}`, false, 20 * time.Second, 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, p := newStage(t), servertest.NewPipes()
			g.ServeOn(t, p)
			a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
			a.until("connected")
			a.say(c.say)
			a.until("timelapse")
			if c.changing {
				every := time.NewTicker(50 * time.Millisecond)
				defer every.Stop()
				done := make(chan struct{})
				defer close(done)
				go func() {
					for {
						select {
						case <-every.C:
							g.Change(func(s *printer.Snapshot) { s.SpeedPercent++ })
						case <-done:
							return
						}
					}
				}()
			}
			a.until("current")
			for range 3 {
				began := time.Now()
				a.until("current")
				if took := time.Since(began); took < c.min || took > c.max {
					t.Errorf("%s, changing %v: got %v between two, want %v to %v", c.say, c.changing, took, c.min, c.max)
				}
			}
		})
	}
}

// Who reads slowly finds the newest, holds up nobody, and goes when he reads nothing at all.
func TestPushToTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		slow := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer") // a pipe holds nothing: what is not read is not written
		quick := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		slow.until("timelapse")
		quick.until("timelapse")
		for i := range 40 {
			g.Change(func(s *printer.Snapshot) { s.State, s.Position = printer.Idle, &printer.Position{ZMM: float64(i)} })
			if z := quick.until("current")["currentZ"]; z != float64(i) && i > 0 {
				t.Fatalf("the quick one: got %v, want %d", z, i)
			}
			if i == 10 {
				slow.until("current") // what was on its way
				if z := slow.until("current")["currentZ"]; z != 10.0 {
					t.Errorf("the slow one: got %v, want the newest, 10", z)
				}
			}
		}
		if _, _, err := slow.conn.ReadMessage(); err == nil {
			t.Error("the one that took nothing for long is still there")
		}
	})
}

// What a client has asked for is what it gets.
func TestPushSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket")
		a.until("connected")
		a.say(`{"subscribe":{"events":["Error"]}}`) // before he is known
		a.say(`{"auth":"kim:operator"}`)
		synctest.Wait()
		g.Change(func(s *printer.Snapshot) {
			s.State, s.Fault = printer.Faulted, &printer.Fault{Code: "silent", Message: "Silence."}
		})
		if m := a.hear(); m.kind != "event" || m.payload["type"] != "Error" {
			t.Fatalf("got %v, want the one event, and no state", m)
		}
		g.Console.Say("in", "echo: one")
		g.Console.Say("out", "G28")
		g.Console.Say("in", "ok T:20")
		a.say(`{"subscribe":{"state":{"logs":"T:\\d+","messages":true},"plugins":["action_command_prompt"]}}`)
		m := a.until("history")
		if fmt.Sprint(m["logs"], m["messages"]) != "[Recv: ok T:20] [echo: one ok T:20]" {
			t.Errorf("got %v, %v", m["logs"], m["messages"])
		}
		g.Change(func(s *printer.Snapshot) {
			s.State, s.Fault, s.Notice = printer.Idle, nil, "hello"
			s.Prompt = &printer.Prompt{ID: 1, Text: "Ready?", Buttons: []string{"Yes", "No"}}
		})
		if m := a.until("plugin"); fmt.Sprint(m) != "map[data:map[action:show choices:[Yes No] text:Ready?] plugin:action_command_prompt]" {
			t.Errorf("got %v", m)
		}
		for _, ignored := range []string{`{"subscribe":{"state":{"logs":"("}}}`, `{"subscribe":{"state":3}}`, `{"subscribe":{"events":{}}}`, `{"subscribe":null}`, `nonsense`, `[]`, `"x"`} {
			a.say(ignored)
		}
		g.Change(func(s *printer.Snapshot) { s.FanPercent = 50 })
		if m := a.until("current"); len(m["logs"].([]any)) != 0 {
			t.Errorf("got %v, want nothing that was said before", m["logs"])
		}
	})
}

// When layerd ends, so do all sockets.
func TestPushEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		stop := g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		a.until("timelapse")
		go stop()
		if code, _ := a.closed(); code != closeGoing {
			t.Errorf("got %d, want %d", code, closeGoing)
		}
	})
}

// only is somebody who wants one plugin's messages, and to hear of errors.
func (g *stage) only(t *testing.T, p *servertest.Pipes, who, plugin string) *app {
	t.Helper()
	a := g.open(t, p, "/sockjs/websocket")
	a.until("connected")
	a.say(`{"subscribe":{"plugins":["` + plugin + `"],"events":["Error"]}}`)
	a.say(`{"auth":"kim:` + who + `"}`)
	synctest.Wait()
	return a
}

// A file that is no longer selected is told at once, though the printer does nothing.
func TestPushSelection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.Keep(t, "a.gcode", "G28\n")
		g.ServeOn(t, p)
		a := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "viewer")
		a.until("timelapse")
		began := time.Now()
		g.Select("a.gcode")
		if e := a.event("FileSelected").(map[string]any); e["path"] != "a.gcode" || e["origin"] != "local" {
			t.Errorf("got %v", e)
		}
		g.Select("")
		if e := a.event("FileDeselected"); e != nil {
			t.Errorf("got %v, want null", e)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// What the firmware tells people is told once, and taken back when the printer goes. The one message has a text, the other has none.
func TestPushNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		a := g.only(t, p, "viewer", "action_command_notification")
		for _, step := range []struct {
			change func(*printer.Snapshot)
			want   string
		}{
			{func(s *printer.Snapshot) { s.Notice = "Filament is low" }, "map[message:Filament is low]"},
			{func(s *printer.Snapshot) { s.FanPercent++ }, ""},
			{func(s *printer.Snapshot) { s.Notice = "" }, "map[]"},
			{func(s *printer.Snapshot) { s.State = printer.Disconnected }, "map[]"},
			{func(s *printer.Snapshot) { s.State = printer.Idle }, ""},
			{func(s *printer.Snapshot) { s.Notice = "hello" }, "map[message:hello]"},
			{func(s *printer.Snapshot) { s.State, s.Notice = printer.Disconnected, "" }, "map[]"},
		} {
			if g.Change(step.change); step.want == "" {
				time.Sleep(time.Second) // of the bubble's
				continue
			}
			if m := a.hear(); m.kind != "plugin" || m.payload["plugin"] != "action_command_notification" || fmt.Sprint(m.payload["data"]) != step.want {
				t.Errorf("got %v, want %s", m, step.want)
			}
		}
	})
}

// An owner hears which program asks for a key, and when none does any more; nobody else does.
func TestPushAppKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		apps := map[string]*app{}
		for _, who := range []string{"owner", "operator"} {
			apps[who] = g.only(t, p, who, "appkeys")
		}
		from, err := http.NewRequest("POST", "http://layerd.test/plugin/appkeys/request", nil)
		if err != nil {
			t.Fatal(err)
		}
		from.RemoteAddr = "192.168.1.9:1234"
		if _, err := g.AskForKey(from, "Cura"); err != nil {
			t.Fatal(err)
		}
		asked := apps["owner"].until("plugin")
		data := asked["data"].(map[string]any)
		token := g.Shown().Asking[0].ID
		if user, there := data["user_id"]; asked["plugin"] != "appkeys" || data["type"] != "request_access" || data["app_name"] != "Cura" || data["user_token"] != token || !there || user != nil {
			t.Errorf("got %v", asked)
		}
		late := g.open(t, p, "/sockjs/websocket", "X-Api-Key", "owner")
		if m := late.until("plugin"); fmt.Sprint(m) != fmt.Sprint(asked) {
			t.Errorf("who comes later: got %v, want %v", m, asked)
		}
		late.conn.Close()
		if m := apps["owner"].until("plugin"); fmt.Sprint(m["data"]) != "map[type:end_request user_token:"+token+"]" {
			t.Errorf("got %v, want the end of the request that nobody looks after", m)
		}
		g.Change(func(s *printer.Snapshot) { s.State, s.Fault = printer.Faulted, &printer.Fault{Code: "silent"} })
		if m := apps["operator"].hear(); m.kind != "event" { // the first that comes
			t.Errorf("an operator got %v", m)
		}
	})
}
