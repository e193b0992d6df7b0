package octoprint

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/server/servertest"
	"layerd/printer"
)

// browser is a client that only has POST.
type browser struct {
	t      testing.TB
	client *http.Client
	path   string
	header http.Header
}

func newBrowser(t testing.TB, p *servertest.Pipes, session string, headers ...string) *browser {
	tr := &http.Transport{DialContext: p.Dial}
	t.Cleanup(tr.CloseIdleConnections)
	b := &browser{t: t, client: &http.Client{Transport: tr}, path: "http://layerd.test/sockjs/000/" + session + "/", header: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		b.header.Add(headers[i], headers[i+1])
	}
	return b
}

// post sends a request, whose body is still to be read.
func (b *browser) post(transport, body string) *http.Response {
	b.t.Helper()
	q, err := http.NewRequestWithContext(b.t.Context(), "POST", b.path+transport, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	q.Header = b.header
	answer, err := b.client.Do(q)
	if err != nil {
		b.t.Fatalf("%s: %v", transport, err)
	}
	return answer
}

// poll is one frame.
func (b *browser) poll() string {
	b.t.Helper()
	answer := b.post("xhr", "")
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		b.t.Fatalf("poll: %d, %v", answer.StatusCode, err)
	}
	frame, ok := strings.CutSuffix(string(text), "\n")
	if !ok || strings.Contains(frame, "\n") {
		b.t.Fatalf("poll: got %.200q, want one frame", text)
	}
	return frame
}

// send is a status and an answer's body.
func (b *browser) send(body string) (int, string) {
	b.t.Helper()
	answer := b.post("xhr_send", body)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// inFrame is the one message of a frame.
func inFrame(t testing.TB, frame string) message {
	t.Helper()
	var list []json.RawMessage
	if !strings.HasPrefix(frame, "a") || json.Unmarshal([]byte(frame[1:]), &list) != nil || len(list) != 1 {
		t.Fatalf("got %.200q, want a frame of one message", frame)
	}
	return parse(t, string(list[0]))
}

// The same conversation in frames: opened, said in every form that clients use, kept alive, closed.
func TestSockJSFrames(t *testing.T) {
	for _, auth := range []string{`["{\"auth\":\"kim:viewer\"}"]`, `"{\"auth\":\"kim:viewer\"}"`, `{"auth":"kim:viewer"}`, `[{"auth":"kim:viewer"}]`, ` [ "{}" , "{\"auth\":\"kim:viewer\"}" ]`} {
		synctest.Test(t, func(t *testing.T) {
			g, p := newStage(t), servertest.NewPipes()
			g.ServeOn(t, p)
			a := g.open(t, p, "/sockjs/123/abcdefgh/websocket")
			if open := a.text(); open != "o" {
				t.Fatalf("got %q, want o", open)
			}
			if m := inFrame(t, a.text()); m.kind != "connected" {
				t.Fatalf("got %v", m)
			}
			a.say("") // is nothing
			a.say(auth)
			if m := inFrame(t, a.text()); m.kind != "history" {
				t.Fatalf("%s: got %v", auth, m)
			}
			beats, began := 0, time.Now()
			for time.Since(began) < 2*time.Minute {
				if a.text() == "h" {
					beats++
				}
			}
			if beats < 4 {
				t.Errorf("got %d heartbeats in two minutes, want one each 25 s", beats)
			}
			g.Gate.Revoke("viewer")
			for text := ""; !strings.HasPrefix(text, "c"); {
				if text = a.text(); text[0] == 'c' && text != `c[4401,"the key is no longer valid"]` {
					t.Errorf("got %s", text)
				}
			}
		})
	}
}

// What is no frame ends the socket, and no more.
func TestSockJSNonsense(t *testing.T) {
	for _, text := range []string{`[`, `nonsense`, `["a"`, `{"auth":`, strings.Repeat("x", maxHeard+1), `[` + strings.Repeat(`"",`, maxFrames) + `""]`} {
		synctest.Test(t, func(t *testing.T) {
			g, p := newStage(t), servertest.NewPipes()
			g.ServeOn(t, p)
			a := g.open(t, p, "/sockjs/123/abcdefgh/websocket")
			a.text()
			a.text()
			a.conn.WriteMessage(1, []byte(text))
			began := time.Now()
			for {
				if _, _, err := a.conn.ReadMessage(); err != nil {
					break
				}
			}
			if time.Since(began) > time.Second {
				t.Errorf("%.20q: the socket lived on for %v", text, time.Since(began))
			}
		})
	}
}

// Where no websocket gets through: each poll brings one frame, and what is said goes its own way.
func TestSockJSPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		b := newBrowser(t, p, "abcdefgh")
		if status, _ := b.send(`["{}"]`); status != 404 {
			t.Errorf("to a session that is not there: got %d, want 404", status)
		}
		if frame := b.poll(); frame != "o" {
			t.Fatalf("got %q, want o", frame)
		}
		if m := inFrame(t, b.poll()); m.kind != "connected" {
			t.Fatalf("got %v", m)
		}
		for body, want := range map[string]int{"": 500, "[": 500, `["{\"throttle\":1}"]`: 204} {
			if status, _ := b.send(body); status != want {
				t.Errorf("%q: got %d, want %d", body, status, want)
			}
		}
		stranger := newBrowser(t, p, "abcdefgh", "From", "10.0.0.9")
		if status, _ := stranger.send(`["{\"auth\":\":viewer\"}"]`); status != 404 {
			t.Errorf("from another address: got %d, want 404", status)
		}
		if frame := stranger.poll(); !strings.HasPrefix(frame, "c[2010") {
			t.Errorf("from another address: got %q, want to be refused", frame)
		}
		if status, _ := b.send(`["{\"auth\":\"kim:viewer\"}"]`); status != 204 {
			t.Fatalf("got %d, want 204", status)
		}
		for _, want := range []string{"history", "timelapse", "current"} {
			if m := inFrame(t, b.poll()); m.kind != want {
				t.Fatalf("got %v, want %s", m.kind, want)
			}
		}
		began, waiting := time.Now(), make(chan string)
		go func() { waiting <- b.poll() }()
		synctest.Wait()
		second := newBrowser(t, p, "abcdefgh")
		if frame := second.poll(); frame != `c[2010,"Another connection still open"]` {
			t.Errorf("two polls at once: got %q", frame)
		}
		if m := inFrame(t, <-waiting); m.kind != "current" || time.Since(began) > slowest {
			t.Errorf("got %v after %v", m.kind, time.Since(began))
		}
		time.Sleep(time.Minute) // of fake time, in which nobody polls
		if frame := b.poll(); frame != "o" {
			t.Errorf("after a minute: got %q, want another session", frame)
		}
	})
}

// A client that polls and speaks by turns: what it says waits until it has taken what it is told.
func TestSockJSByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		b := newBrowser(t, p, "abcdefgh")
		b.poll()
		began := time.Now()
		if status, _ := b.send(`["{\"throttle\":2}","{\"auth\":\"kim:viewer\"}"]`); status != 204 || time.Since(began) > time.Second {
			t.Fatalf("got %d after %v, want 204 at once", status, time.Since(began))
		}
		for _, want := range []string{"connected", "history", "timelapse"} {
			if m := inFrame(t, b.poll()); m.kind != want {
				t.Fatalf("got %v, want %s", m.kind, want)
			}
		}
	})
}

// A stream is one long answer, after its prelude; when it has grown long the next goes on.
func TestSockJSStreaming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		stop := g.ServeOn(t, p)
		b := newBrowser(t, p, "abcdefgh", "X-Api-Key", "operator")
		var frames *bufio.Scanner
		next := func() string {
			for frames == nil || !frames.Scan() {
				answer := b.post("xhr_streaming", "")
				t.Cleanup(func() { answer.Body.Close() })
				frames = bufio.NewScanner(answer.Body)
				frames.Buffer(nil, 1<<20)
				if !frames.Scan() || frames.Text() != strings.Repeat("h", 2048) {
					t.Fatalf("got %.20q, want the prelude", frames.Text())
				}
			}
			return frames.Text()
		}
		if frame := next(); frame != "o" {
			t.Fatalf("got %q, want o", frame)
		}
		for _, want := range []string{"connected", "history", "timelapse"} {
			if m := inFrame(t, next()); m.kind != want {
				t.Fatalf("got %v, want %s", m.kind, want)
			}
		}
		first := frames
		for i := 0; frames == first; i++ {
			if i > 300 {
				t.Fatal("the first answer has no end")
			}
			g.Change(func(s *printer.Snapshot) { s.SpeedPercent++ })
			frame := next()
			for frame == "h" {
				frame = next()
			}
			if m := inFrame(t, frame); m.kind != "current" {
				t.Fatalf("got %v", m.kind)
			}
		}
		go stop()
		if frame := next(); frame != `c[1001,""]` {
			t.Errorf("got %q, want a goodbye", frame)
		}
	})
}

// A client that hangs up in the middle takes its session along.
func TestSockJSHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		b := newBrowser(t, p, "abcdefgh", "X-Api-Key", "viewer")
		answer := b.post("xhr_streaming", "")
		synctest.Wait()
		answer.Body.Close()
		synctest.Wait()
		g.api.sessions.mu.Lock()
		defer g.api.sessions.mu.Unlock()
		if n := len(g.api.sessions.by); n != 0 {
			t.Errorf("got %d sessions, want none", n)
		}
	})
}

// Addresses that are none.
func TestSockJSAddresses(t *testing.T) {
	g := newStage(t)
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/sockjs", 200}, {"GET", "/sockjs/", 200}, {"GET", "/sockjs/info", 200}, {"GET", "//sockjs//info", 200},
		{"GET", "/sockjs/websocket", 400}, {"GET", "/sockjs/1/2/websocket", 400},
		{"GET", "/sockjs/1/2", 404}, {"GET", "/sockjs/1/2/xhr", 404}, {"GET", "/sockjs/1/2/3/websocket", 404}, {"GET", "/sockjs/1/a.b/websocket", 404},
		{"POST", "/sockjs/1/" + strings.Repeat("x", 65) + "/xhr", 404}, {"POST", "/sockjs/1/2/eventsource", 404}, {"POST", "/sockjs/1/%2f/xhr", 404},
		{"POST", "/sockjs/1/2/xhr_send", 404}, {"POST", "/sockjs/info", 404}, {"DELETE", "/sockjs/1/2/xhr", 405},
	} {
		if w := g.Ask(c.method, c.target, "", ""); w.Code != c.want {
			t.Errorf("%s %s: got %d %s, want %d", c.method, c.target, w.Code, w.Body, c.want)
		}
	}
	if w := g.Ask("POST", "/sockjs/1/2/xhr_send", "", strings.Repeat(" ", maxHeard+1)); w.Code != 413 {
		t.Errorf("more than a message may have: got %d, want 413", w.Code)
	}
	var info struct {
		Websocket    bool
		CookieNeeded *bool `json:"cookie_needed"`
		Origins      []string
		Entropy      *uint32
	}
	w := g.Ask("GET", "/sockjs/info", "", "")
	if err := json.Unmarshal(w.Body.Bytes(), &info); err != nil || !info.Websocket || info.CookieNeeded == nil || info.Entropy == nil {
		t.Errorf("got %s, %v", w.Body, err)
	}
}

// A page of another site can make a browser POST with its cookie, but that does not come through.
func TestSockJSFromAnotherSite(t *testing.T) {
	g := newStage(t)
	for _, transport := range []string{"xhr", "xhr_streaming", "xhr_send"} {
		if w := g.AskWith("POST", "/sockjs/1/2/"+transport, `["{\"auth\":\":\"}"]`, "Origin", "http://evil.example", "Cookie", "layerd_session=owner"); w.Code != 403 {
			t.Errorf("%s: got %d, want 403", transport, w.Code)
		}
	}
}

// Sessions cost memory for as long as they go on, without a connection that could be counted: who begins one after the other, and takes nothing, has no
// more of them than there are places for strangers.
func TestSockJSFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := newStage(t), servertest.NewPipes()
		g.ServeOn(t, p)
		for i := range 3 * maxStrangers {
			if frame := newBrowser(t, p, "flood"+strconv.Itoa(i)).poll(); frame != "o" {
				t.Fatalf("got %q, want o", frame)
			}
		}
		synctest.Wait()
		g.api.sessions.mu.Lock()
		defer g.api.sessions.mu.Unlock()
		if n := len(g.api.sessions.by); n > maxStrangers {
			t.Errorf("got %d sessions, want %d at most", n, maxStrangers)
		}
	})
}
