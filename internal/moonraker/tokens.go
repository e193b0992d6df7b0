package moonraker

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// Clients that cannot put a key into the head of a websocket's handshake ask for a token first, which counts once, and for five seconds. It stands for
// what the request that asked for it had shown, and is worth no more than that is at the time.

const (
	tokenGood = 5 * time.Second
	maxTokens = 64 // the oldest makes room
)

type tokens struct {
	mu    sync.Mutex // guards given
	given []token
}

type token struct {
	text  string
	until time.Time
	shown http.Header
}

// shows are the headers that say who somebody is.
var shows = []string{"Authorization", "Cookie"}

func (a *API) oneshot(c call) (any, error) {
	t := token{text: rand.Text(), until: time.Now().Add(tokenGood), shown: http.Header{}}
	for _, name := range shows {
		if v := c.r.Header.Values(name); len(v) > 0 {
			t.shown[name] = v
		}
	}
	a.tokens.mu.Lock()
	defer a.tokens.mu.Unlock()
	if len(a.tokens.given) >= maxTokens {
		a.tokens.given = a.tokens.given[1:]
	}
	a.tokens.given = append(a.tokens.given, t)
	return t.text, nil
}

// redeem is the request as if what its token stands for had been shown with it. Without a good token it is the request as it is.
func (a *API) redeem(r *http.Request) *http.Request {
	text := r.URL.Query().Get("token")
	if text == "" {
		return r
	}
	a.tokens.mu.Lock()
	defer a.tokens.mu.Unlock()
	for i, t := range a.tokens.given {
		if t.text != text {
			continue
		}
		a.tokens.given = append(a.tokens.given[:i:i], a.tokens.given[i+1:]...)
		if time.Now().After(t.until) {
			return r
		}
		with := r.WithContext(r.Context())
		with.Header = r.Header.Clone()
		for _, name := range shows {
			with.Header.Del(name)
			with.Header[name] = t.shown[name]
		}
		return with
	}
	return r
}
