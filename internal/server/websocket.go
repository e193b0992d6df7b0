package server

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
)

// What both websockets share: how they open, how long either side may be silent, and how a key that was revoked ends them.

const (
	pingEvery = 10 * time.Second
	quietMax  = 30 * time.Second // a client that is not heard of for so long is gone
	writeMax  = 10 * time.Second // a client that takes nothing for so long is let go

	closeRevoked = 4401 // the key is no longer valid
	closeChanged = 4403 // the key's role is another one now: connect again
)

// upgrade makes a request a websocket. When it cannot, conn is nil, and err what is still to be answered.
func upgrade(w http.ResponseWriter, r *http.Request, u *websocket.Upgrader) (conn *websocket.Conn, err error) {
	if websocket.IsWebSocketUpgrade(r) && !sameOrigin(r) {
		return nil, errCrossOrigin
	}
	return upgradeAny(w, r, u)
}

// upgradeAny is upgrade for whoever has looked where the request comes from.
func upgradeAny(w http.ResponseWriter, r *http.Request, u *websocket.Upgrader) (conn *websocket.Conn, err error) {
	if !websocket.IsWebSocketUpgrade(r) {
		return nil, errWebsocket
	}
	u.CheckOrigin = func(*http.Request) bool { return true } // above
	u.Error = func(_ http.ResponseWriter, _ *http.Request, _ int, reason error) {
		err = &refusal{code: "websocket", message: sentence(reason.Error())}
	}
	u.HandshakeTimeout = writeMax
	conn, upgradeErr := u.Upgrade(w, r, nil)
	if upgradeErr != nil && err == nil {
		return nil, nil // the connection broke; nobody is there to be told
	}
	return conn, err
}

// sameOrigin: browsers send an Origin with every websocket, and cookies to whatever site opened it. Programs that show their
// key in a header need none.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return bearer(r) != ""
	}
	scheme, host, _ := strings.Cut(origin, "://")
	return (scheme == "http" || scheme == "https") && host != "" && strings.EqualFold(host, r.Host)
}

// listen bounds what a client may send, and how long it may be silent: browsers answer pings by themselves.
func listen(conn *websocket.Conn, limit int64) {
	conn.SetReadLimit(limit)
	conn.SetReadDeadline(time.Now().Add(quietMax))
	conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(quietMax)) })
}

// recheck looks at who opened a socket as me. It ends the socket with its reason when he may do something else now, and returns an error then.
func recheck(conn *websocket.Conn, still *standing, me access.Identity) error {
	now, err := still.look(writeMax)
	switch {
	case err != nil:
		bye(conn, closeRevoked, "the key is no longer valid")
	case now.Role != me.Role || now.ID != me.ID:
		bye(conn, closeChanged, "the key may do something else now")
		err = errors.New("the key's role has changed")
	}
	return err
}

// bye tells the client why its socket ends.
func bye(conn *websocket.Conn, code int, why string) {
	conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(time.Second)) // it may be gone already
}
