package octoprint

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// taker is a line that keeps the last message.
type taker struct{ last []byte }

func (l *taker) send(message []byte) error { l.last = message; return nil }
func (l *taker) ping() error               { return nil }
func (l *taker) heard() <-chan []byte      { return nil }
func (l *taker) hangUp(int, string)        {}

// A regular expression is put to hundreds of lines at a time: one that takes long for each is none that we take.
func TestFilters(t *testing.T) {
	for pattern, want := range map[string]bool{`^(Send|Recv): .*T:\d+`: true, `(?i)echo|(error|warning):`: true, `\bM\d{1,3}\b`: true, ``: true,
		`(`: false, strings.Repeat("x", maxPattern+1): false, `(a{1,1000}){1000}`: false, strings.Repeat(`(.?){999}`, 20): false, `(((.?){9}){9}){9}~`: false} {
		raw, err := json.Marshal(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := filterOf(raw); ok != want {
			t.Errorf("%.40q: got %v, want %v", pattern, ok, want)
		}
	}
}

// Whatever a stranger says, he is nobody afterwards, unless he has shown a key; and what is sent to him is JSON.
func FuzzHear(f *testing.F) {
	for _, seed := range []string{`{"auth":"kim:viewer"}`, `{"auth":":"}`, `{"throttle":2}`, `{"throttle":"1e400"}`, `{"throttle":-1}`, `{"subscribe":{"state":{"logs":"a+","messages":true},"events":["Error"],"plugins":false}}`,
		`{"subscribe":{"state":true}}`, `{"subscribe":[]}`, `{"auth":1,"throttle":2}`, `[]`, `{"subscribe":{"state":{"logs":"(a{1,1000}){1000}"}}}`} {
		f.Add(seed)
	}
	g := newStage(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxHeard {
			return
		}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		l := &taker{}
		c := &client{a: g.api, line: l, r: httptest.NewRequest("GET", "/sockjs/websocket", nil), factor: 1, wants: everything(), free: func() {}}
		c.states = make(chan server.State, 1)
		if err := c.hear(ctx, []byte(text)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		defer func() { c.free() }()
		shows := strings.Contains(text, "viewer") || strings.Contains(text, "operator") || strings.Contains(text, "owner") || strings.Contains(text, `\u`)
		if c.shown != nil && !shows {
			t.Fatalf("%q let somebody in as %v", text, c.me)
		}
		if c.factor < 1 || c.pace() < baseEvery || c.pace() > slowest {
			t.Fatalf("%q made the throttle %d", text, c.factor)
		}
		if l.last != nil && !json.Valid(l.last) {
			t.Fatalf("%q was answered by %q", text, l.last)
		}
		c.me.Role = access.Operator
		g.Console.Lines.Set(nil)
		g.Console.Say("in", text)
		for _, m := range []any{c.current(), c.history()} {
			if _, err := json.Marshal(m); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

// What is taken apart is JSON, however a client frames it.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{`["{\"auth\":\"a:b\"}"]`, `"x"`, `{"a":1}`, `[[]]`, `[`, ` `, `[null,"",1]`, "\xff", `["\ud800"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		messages := split([]byte(text))
		if len(messages) > maxFrames {
			t.Fatalf("%d messages", len(messages))
		}
		if messages != nil && !json.Valid([]byte(text)) {
			t.Fatalf("%q was taken apart though it is no JSON", text)
		}
	})
}

// What is posted to a session, which is there or not, ends in an answer.
func FuzzSockPost(f *testing.F) {
	f.Add("1/2/xhr_send", `["{}"]`)
	f.Add("1/2/xhr_send", `[`)
	f.Add("1/2/../xhr_send", ``)
	f.Add("%2e%2e/2/xhr_send", `"a"`)
	g := newStage(f)
	l := &session{in: make(chan []byte, maxFrames), over: make(chan struct{})}
	g.api.sessions.by = map[string]*session{"1/2": l}
	f.Fuzz(func(t *testing.T, path, body string) {
		if strings.HasSuffix(path, "xhr") || strings.HasSuffix(path, "xhr_streaming") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return // these wait
		}
		began := time.Now()
		q := httptest.NewRequest("POST", "/sockjs/x", strings.NewReader(body))
		q.URL.Path = "/sockjs/" + path
		w := httptest.NewRecorder()
		g.ServeHTTP(w, q)
		for len(l.in) > 0 {
			<-l.in
		}
		if w.Code < 200 || time.Since(began) > 10*time.Second {
			t.Fatalf("%q %q: %d after %v", path, body, w.Code, time.Since(began))
		}
	})
}
