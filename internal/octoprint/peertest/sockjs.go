package peertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"
)

// A frame of SockJS is o (open), h (heartbeat), a and an array of messages, or c and an array that says why it is closed. OctoPrint's messages are JSON
// objects in that array, not strings.

func noteFrame(frame string, seen Shape) {
	frame = strings.TrimSuffix(frame, "\n")
	if frame == "" || strings.Trim(frame, "h") == "" { // a heartbeat, or what xhr_streaming begins with
		return
	}
	seen.see("frame "+frame[:1], "string")
	if frame[0] != 'a' {
		return
	}
	var messages []any
	if json.Unmarshal([]byte(frame[1:]), &messages) != nil {
		seen.see("frame a", "no array")
	}
	for _, message := range messages {
		switch m := message.(type) {
		case map[string]any:
			seen.see("frame a[]", "object")
			note(m, seen)
		case string: // as most servers of SockJS have it
			seen.see("frame a[]", "string")
			var inside map[string]any
			json.Unmarshal([]byte(m), &inside) // what is no object has no kinds
			note(inside, seen)
		}
	}
}

func (p *player) framedWebsocket(ctx context.Context, wanted []string, seen Shape) error {
	conn, err := p.dial(ctx, "/sockjs/123/peer0001/websocket", nil)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	auth, _ := json.Marshal([]string{p.authMessage()}) // strings are always JSON
	if err := conn.WriteMessage(websocket.TextMessage, auth); err != nil {
		return err
	}
	for !saw(wanted, seen) {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		noteFrame(string(frame), seen)
	}
	return nil
}

// post is one request of a session of xhr. The first frame of a session is o.
func (p *player) post(ctx context.Context, path, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.peer.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/plain") // as sockjs-client does
	return p.client.Do(request)
}

func (p *player) sendAuth(ctx context.Context, session string, seen Shape) error {
	auth, _ := json.Marshal([]string{p.authMessage()}) // strings are always JSON
	response, err := p.post(ctx, session+"/xhr_send", string(auth))
	if err != nil {
		return err
	}
	response.Body.Close()
	seen.see("xhr_send", fmt.Sprint(response.StatusCode))
	return nil
}

func (p *player) polling(ctx context.Context, wanted []string, seen Shape) error {
	const session = "/sockjs/123/peer0002"
	for polls := 0; !saw(wanted, seen); polls++ {
		response, err := p.post(ctx, session+"/xhr", "")
		if err != nil {
			return err
		}
		seen.see("xhr", fmt.Sprint(response.StatusCode, " ", response.Header.Get("Content-Type")))
		err = readFrames(response, nil, seen)
		if err == nil && polls == 0 {
			err = p.sendAuth(ctx, session, seen)
		}
		if err != nil || response.StatusCode != http.StatusOK {
			return err
		}
	}
	return nil
}

func (p *player) streaming(ctx context.Context, wanted []string, seen Shape) error {
	const session = "/sockjs/123/peer0003"
	response, err := p.post(ctx, session+"/xhr_streaming", "")
	if err != nil {
		return err
	}
	seen.see("xhr_streaming", fmt.Sprint(response.StatusCode, " ", response.Header.Get("Content-Type")))
	if response.StatusCode != http.StatusOK {
		return response.Body.Close()
	}
	if err := p.sendAuth(ctx, session, seen); err != nil {
		return err
	}
	return readFrames(response, wanted, seen)
}

// readFrames reads to the end, or until all that is wanted was seen.
func readFrames(response *http.Response, wanted []string, seen Shape) error {
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, largest)
	for !saw(wanted, seen) && lines.Scan() {
		noteFrame(lines.Text(), seen)
	}
	return lines.Err()
}
