package peertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// host answers as little as Play needs to begin, and otherwise what a test says.
func host(t *testing.T, handle func(w http.ResponseWriter, r *http.Request)) *player {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/version":
			w.Write([]byte(`{}`))
		case "/api/connection":
			w.Write([]byte(`{"options":{"ports":["/dev/printer"]}}`))
		case "/api/login":
			w.Write([]byte(`{"name":"anna","session":"abc"}`))
		default:
			handle(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p := newPlayer(Peer{URL: server.URL, Key: "secret"})
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAsks: what is sent is what the script says, and what comes back is recorded under its name.
func TestAsks(t *testing.T) {
	var said string
	p := host(t, func(w http.ResponseWriter, r *http.Request) {
		said = fmt.Sprintf("%s %s %s key=%q", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Api-Key"))
		if err := r.ParseMultipartForm(1 << 20); err == nil {
			for name, values := range r.MultipartForm.Value {
				said += fmt.Sprintf(" %s=%q", name, values)
			}
			for name, files := range r.MultipartForm.File {
				said += fmt.Sprintf(" %s=%s of %d bytes", name, files[0].Filename, files[0].Size)
			}
		} else if text, _ := io.ReadAll(r.Body); len(text) > 0 {
			said += " " + r.Header.Get("Content-Type") + " " + string(text)
		}
		w.Header().Set("Location", "http://"+r.Host+"/there")
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte(`{"app_token":"0123"}`))
	})
	here := strings.TrimPrefix(p.peer.URL, "http://")
	for _, c := range []struct {
		ask        ask
		said, name string
	}{
		{ask{do: "GET /a"}, `GET /a HERE key="secret"`, "now: GET /a"},
		{ask{do: "GET /a"}, `GET /a HERE key="secret"`, "now: GET /a (2)"},
		{ask{do: "GET //a/b%2Fc?d"}, `GET //a/b%2Fc?d HERE key="secret"`, "now: GET //a/b%2Fc?d"},
		{ask{do: "GET /a/../b"}, `GET /a/../b HERE key="secret"`, "now: GET /a/../b"},
		{ask{do: "GET /a", as: nobody}, `GET /a HERE key=""`, "now: GET /a without a key"},
		{ask{do: "GET /a", as: stranger}, `GET /a HERE key="00000000000000000000000000000000"`, "now: GET /a with a wrong key"},
		{ask{do: "GET /a?apikey=$KEY"}, `GET /a?apikey=secret HERE key=""`, "now: GET /a?apikey=$KEY"},
		{ask{do: "GET /a", header: "Host: localhost:5000"}, `GET /a localhost:5000 key="secret"`, "now: GET /a Host: localhost:5000"},
		{ask{do: "POST /$ME", json: `{"p":"$PORT"}`}, `POST /anna HERE key="secret" application/json {"p":"/dev/printer"}`, `now: POST /$ME {"p":"$PORT"}`},
		{ask{do: "POST /a", text: "x", kind: "text/plain"}, `POST /a HERE key="secret" text/plain x`, "now: POST /a x"},
		{ask{do: "POST /a", form: "path= file=@peer-note.pdf"}, `POST /a HERE key="secret" path=[""] file=peer-note.pdf of 9 bytes`, "now: POST /a path= file=@peer-note.pdf"},
		{ask{do: "GET /app", take: "app_token"}, `GET /app HERE key="secret"`, "now: GET /app"},
		{ask{do: "GET /app/$APPTOKEN"}, `GET /app/0123 HERE key="secret"`, "now: GET /app/$APPTOKEN"},
	} {
		if err := p.play(t.Context(), "now", c.ask); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(said, here, "HERE"); got != c.said {
			t.Errorf("got  %s\nwant %s", got, c.said)
		}
		answer, there := p.got[c.name]
		where := "BASE/there"
		if c.ask.header != "" {
			where = "http://localhost:5000/there"
		}
		want := Answer{Status: 201, Headers: map[string]string{"Content-Type": "application/json", "Location": where}, Body: Shape{"": {"object"}, "app_token": {"string"}}}
		if !there || !reflect.DeepEqual(answer, want) {
			t.Errorf("%q: got %v, want %v", c.name, answer, want)
		}
	}
}

// TestScriptIsWhole: each request has a method and a path, its files are there, and no two rows of a phase are the same by a slip.
func TestScriptIsWhole(t *testing.T) {
	golden := loadGolden(t)
	for _, phase := range script {
		times := make(map[string]int)
		for _, a := range phase.asks {
			name := a.name(phase.name)
			if times[name]++; times[name] > 1 {
				name = fmt.Sprintf("%s (%d)", name, times[name])
			}
			if _, recorded := golden[name]; !recorded {
				t.Errorf("%q is not in the recording of OctoPrint: make it anew", name)
			}
			if method, path, _ := strings.Cut(a.do, " "); a.until == "" && (method == "" || !strings.HasPrefix(path, "/")) {
				t.Errorf("%q asks nothing", name)
			}
			for _, part := range strings.Fields(a.form) {
				if _, file, isFile := strings.Cut(part, "=@"); isFile && files()[file] == nil {
					t.Errorf("%q: there is no file %q", name, file)
				}
			}
		}
	}
}

// TestPushed: messages are recorded by their kind, whether framed or not, and passing states are not.
func TestPushed(t *testing.T) {
	messages := []string{
		`{"connected":{"version":"1"}}`, `{"history":{"state":{"text":"Offline"},"temps":[]}}`, `{"current":{"state":{"text":"Pausing"}}}`,
		`{"current":{"state":{"text":"Printing"},"progress":{"completion":1.5},"logs":["a"]}}`, `{"current":{"state":{"text":"Printing"},"progress":{"completion":null}}}`,
		`{"event":{"type":"Upload","payload":{"name":"peer-a.gcode"}}}`, `{"plugin":{"plugin":"unknown","data":{}}}`, `{"timelapse":null}`,
	}
	p := host(t, func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // the answer says so
		}
		defer conn.Close()
		framed := r.URL.Path != "/sockjs/websocket"
		if _, auth, err := conn.ReadMessage(); err != nil || !strings.Contains(string(auth), "anna:abc") {
			t.Errorf("got %q, %v, want who it is", auth, err)
		}
		for _, message := range messages {
			if framed {
				message = "a[" + message + "]"
			}
			conn.WriteMessage(websocket.TextMessage, []byte(message)) // a client that has left is no matter
		}
		conn.ReadMessage() // until it leaves
	})
	l := p.listen(t.Context())
	for !l.knows("timelapse") {
		select {
		case <-l.ended:
			t.Fatalf("it ended with %v", l.got)
		default:
		}
	}
	l.close()
	got, _ := json.Marshal(l.got)
	want := `{"push: connected":{"body":{"":"object","version":"string=1"}},` +
		`"push: current":{"body":{"logs[]":"string"}},` +
		`"push: current, Printing":{"body":{"":"object","logs":"array","progress":"object","progress.completion":"float | null","state":"object","state.text":"string=Printing"}},` +
		`"push: event Upload":{"body":{"":"object","payload":"object","payload.name":"string","type":"string=Upload"}},` +
		`"push: history":{"body":{"":"object","state":"object","state.text":"string=Offline","temps":"array"}},` +
		`"push: timelapse":{"body":{"":"null"}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	seen := make(Shape)
	if err := p.framedWebsocket(t.Context(), []string{"connected", "current"}, seen); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(seen); got != "map[connected:[object] current:[object] frame a:[string] frame a[]:[object] history:[object]]" {
		t.Errorf("got %s", got)
	}
}
