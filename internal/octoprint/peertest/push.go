package peertest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// listener hears all that is pushed during the script, as an app does: by the raw websocket. Its messages are recorded by their kind. The states of
// current and of events are those that last: which of the passing ones are told is a matter of half seconds.
type listener struct {
	base  string
	end   context.CancelFunc
	ended chan struct{}

	mu    sync.Mutex
	state string    // what the printer does, as told last
	got   Recording // may be read without mu once the listener is closed
}

var (
	lasting   = []string{"Offline", "Operational", "Printing", "Paused"}
	toClients = []string{"appkeys", "action_command_prompt", "action_command_notification"} // plug-ins whose messages clients know
)

// listen begins at once. The owner of the listener closes it, and may read got then.
func (p *player) listen(ctx context.Context) *listener {
	ctx, end := context.WithCancel(ctx)
	l := &listener{got: make(Recording), base: p.peer.URL, end: end, ended: make(chan struct{})}
	conn, err := p.dial(ctx, "/sockjs/websocket", http.Header{"X-Api-Key": {p.peer.Key}}) // as OctoPod does
	if err != nil {
		l.got["push: connected"] = Answer{Body: Shape{"": {"nothing"}}}
		close(l.ended)
		return l
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	go func() {
		defer close(l.ended)
		defer conn.Close()
		if conn.WriteMessage(websocket.TextMessage, []byte(p.authMessage())) != nil {
			return
		}
		for {
			_, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			l.hear(message)
		}
	}()
	return l
}

func (l *listener) close() {
	l.end()
	<-l.ended
}

func (l *listener) hear(message []byte) {
	var kinds map[string]json.RawMessage
	if json.Unmarshal(message, &kinds) != nil {
		kinds = map[string]json.RawMessage{"no JSON": []byte(`{}`)}
	}
	for kind, content := range kinds {
		var known struct {
			State        struct{ Text string }
			Job          struct{ File struct{ Origin string } }
			Type, Plugin string
			Payload      struct {
				State string `json:"state_string"`
			}
			Data struct{ Action, Type string }
		}
		json.Unmarshal(content, &known) // timelapse is null
		switch kind {
		case "current":
			l.tell(known.State.Text)
			if !slices.Contains(lasting, known.State.Text) || known.Job.File.Origin == "sdcard" { // OctoPrint copies to its card, and may be seen between two states
				continue
			}
			kind += ", " + known.State.Text
		case "event":
			if strings.HasPrefix(known.Type, "plugin_") || known.Type == "PrinterStateChanged" && !slices.Contains(lasting, known.Payload.State) {
				continue
			}
			kind += " " + known.Type
		case "timelapse":
			kind = strings.TrimSpace(kind + " " + known.Type)
		case "plugin":
			if !slices.Contains(toClients, known.Plugin) || known.Data.Type == "end_request" { // when nobody asks any more: each has his own patience
				continue
			}
			kind = strings.TrimSpace(kind + " " + known.Plugin + " " + known.Data.Action + known.Data.Type)
		}
		shape := make(Shape)
		shape.add(content, l.base)
		shape.forgetNames()
		if kind == "history" {
			shape.cut(isListed)
		}
		if strings.HasPrefix(kind, "current") {
			l.merge("current", shape.cut(isFleeting))
		}
		switch known.Type { // OctoPrint's own races
		case "PrintCancelled":
			delete(shape, "payload.reason") // PrintFailed adds it, to what may be on its way yet
		case "PrintPaused": // it may not have heard yet where the head is
			shape.cut(func(path string) bool {
				return strings.HasPrefix(path, "payload.position.") && shape[path][0] == "null"
			})
		}
		l.merge(kind, shape)
	}
}

// isFleeting are the parts of current that come when there is something new, in whatever state.
func isFleeting(path string) bool {
	return isListed(path) || path == "currentZ" || path == "state.flags.sdReady" // a card is looked for once there is a connection
}

// isListed is what happened since the last message, or before the first: that is a matter of time.
func isListed(path string) bool {
	part, _, list := strings.Cut(path, "[")
	return list && slices.Contains([]string{"temps", "logs", "messages", "markings"}, part)
}

func (l *listener) merge(kind string, shape Shape) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind = "push: " + kind
	if _, heard := l.got[kind]; !heard {
		l.got[kind] = Answer{Body: make(Shape)}
	}
	for path, kinds := range shape {
		for _, k := range kinds {
			l.got[kind].Body.see(path, k)
		}
	}
}

func (l *listener) tell(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
}

// told is what the printer does, as was told last.
func (l *listener) told() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// knows reports whether a kind of message was heard yet.
func (l *listener) knows(kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, heard := l.got["push: "+kind]
	return heard
}

func (p *player) dial(ctx context.Context, path string, header http.Header) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: perAnswer}
	conn, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(p.peer.URL, "http")+path, header)
	return conn, err
}

// ways are the other transports of SockJS, and a client that does not say who it is. All should begin alike.
func (p *player) ways(ctx context.Context) {
	p.got["push: to who says nothing, by raw websocket"] = p.way(ctx, nil, p.rawWebsocket)
	for name, way := range map[string]func(context.Context, []string, Shape) error{
		"raw websocket": p.rawWebsocket, "framed websocket": p.framedWebsocket, "xhr": p.polling, "xhr_streaming": p.streaming,
	} {
		p.got["push: by "+name] = p.way(ctx, []string{"connected", "history", "current"}, way)
	}
}

// brief is how long a way may take to what is wanted, and how long it is watched where nothing is.
const brief = 3 * time.Second

func (p *player) way(ctx context.Context, wanted []string, way func(context.Context, []string, Shape) error) Answer {
	ctx, done := context.WithTimeout(ctx, brief+time.Duration(len(wanted))*2*time.Second)
	defer done()
	seen := make(Shape)
	if err := way(ctx, wanted, seen); err != nil && len(seen) == 0 {
		seen[""] = Kinds{"nothing"}
	}
	maps.DeleteFunc(seen, func(kind string, _ Kinds) bool { return kind == "timelapse" || kind == "plugin" || kind == "event" })
	return Answer{Body: seen}
}

func saw(wanted []string, seen Shape) bool {
	for _, kind := range wanted {
		if seen[kind] == nil {
			return false
		}
	}
	return len(wanted) > 0
}

func (p *player) authMessage() string {
	auth, _ := json.Marshal(map[string]string{"auth": p.auth}) // strings are always JSON
	return string(auth)
}

func note(message map[string]any, seen Shape) {
	for kind, content := range message {
		if _, isObject := content.(map[string]any); isObject {
			seen.see(kind, "object")
		} else {
			seen.see(kind, "other")
		}
	}
}

func (p *player) rawWebsocket(ctx context.Context, wanted []string, seen Shape) error {
	conn, err := p.dial(ctx, "/sockjs/websocket", nil)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	if wanted != nil {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(p.authMessage())); err != nil {
			return err
		}
	}
	for !saw(wanted, seen) {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		var kinds map[string]any
		json.Unmarshal(message, &kinds) // what is no object has no kinds
		note(kinds, seen)
		if history, is := kinds["history"]; is {
			shape := make(Shape)
			shape.walk("", history, p.peer.URL)
			p.got["push: history, after prints"] = Answer{Body: shape}
		}
	}
	return nil
}
