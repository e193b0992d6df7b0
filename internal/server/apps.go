package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"layerd/internal/access"
	"layerd/internal/store"
)

// Programs that ask for a key of their own, in place of a person who types one.
//
//	AskForKey ─▶ waiting, shown on every owner's page ─▶ allow_app or deny_app ─▶ the program fetches its key with KeyFor, once
//
// Nobody has shown who he is when he asks, so there are few places, and a program that no longer looks after its request loses it.

const (
	appsMax     = 8                // requests at a time
	appsOf      = 2                // of one address
	appPatience = 15 * time.Second // between two looks of the program
	appTime     = 10 * time.Minute // for a person to answer
	maxAppName  = 64               // characters
)

// AppRequest is a program that asks for a key.
type AppRequest struct {
	ID   string `json:"id"`
	App  string `json:"app"`  // as it calls itself: a stranger's text
	From string `json:"from"` // its address
	AtMS int64  `json:"at_ms"`
}

var (
	errNoApp            = &refusal{code: "no_app"}
	ErrAppWaiting error = &refusal{code: "app_waiting"} // KeyFor: nobody has answered yet
)

// apps are the requests that are not over yet.
type apps struct {
	mu      sync.Mutex // guards list and what it holds
	list    []*asking
	changed chan struct{} // holds one token when pages have to be told
}

type asking struct {
	AppRequest
	token  string    // by which the program looks after it
	until  time.Time // it is over
	stale  *time.Timer
	answer appAnswer
	key    string // once it is allowed
	made   string // the key's ID
}

type appAnswer uint8

const (
	appUnanswered appAnswer = iota
	appBeingAllowed
	appAllowed
	appDenied
)

func newApps() *apps { return &apps{changed: make(chan struct{}, 1)} }

func (a *apps) tell() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// AskForKey begins a program's request, and returns the token by which it looks after it. The error is of code crowded when too many ask.
func (s *Server) AskForKey(r *http.Request, app string) (token string, err error) {
	app = appName(app)
	if app == "" {
		return "", badCommand("app must be the program's name.")
	}
	a, from := s.apps, s.cfg.Gate.Source(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = slices.DeleteFunc(a.list, func(old *asking) bool { // it has begun anew
		return old.From == from && old.App == app && old.answer == appUnanswered && old.stale.Stop()
	})
	same := 0
	for _, other := range a.list {
		if other.From == from {
			same++
		}
	}
	if same >= appsOf || len(a.list) >= appsMax {
		return "", errCrowded
	}
	now := time.Now()
	q := &asking{AppRequest: AppRequest{ID: randomID(24), App: app, From: from, AtMS: now.UnixMilli()}, token: randomID(24), until: now.Add(appTime)}
	q.stale = time.AfterFunc(appPatience, func() { s.dropApp(q) })
	a.list = append(a.list, q)
	a.tell()
	return q.token, nil
}

func randomID(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// appName is a stranger's text as one line of at most maxAppName characters, without what is not shown.
func appName(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(text); len(runes) > maxAppName {
		text = strings.TrimSpace(string(runes[:maxAppName]))
	}
	return text
}

// dropApp ends a request.
func (s *Server) dropApp(q *asking) {
	a := s.apps
	a.mu.Lock()
	i := slices.Index(a.list, q)
	if i >= 0 {
		a.list = slices.Delete(a.list, i, i+1)
	}
	unfetched := i >= 0 && q.answer == appAllowed
	a.mu.Unlock()
	a.tell()
	if unfetched {
		s.dropKey(q)
	}
}

// dropKey deletes a key that nobody has fetched, and so is nobody's.
func (s *Server) dropKey(q *asking) {
	ctx, cancel := context.WithTimeout(s.life, 5*time.Second)
	defer cancel()
	if err := s.cfg.People.DeleteToken(ctx, q.made, true); err != nil {
		s.log.Warn("a key that its program did not fetch stays", "app", q.App, "err", err)
	}
}

// KeyFor looks after a request. The error is of code app_waiting while nobody has answered, and no_app when there is none: it was refused, fetched or is over.
func (s *Server) KeyFor(token string) (key string, err error) {
	a := s.apps
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, q := range a.list {
		if subtle.ConstantTimeCompare([]byte(q.token), []byte(token)) != 1 { // how long it takes says nothing of the token
			continue
		}
		if !q.stale.Stop() {
			return "", errNoApp // it is being dropped
		}
		if q.answer == appUnanswered || q.answer == appBeingAllowed {
			q.stale.Reset(max(min(appPatience, time.Until(q.until)), time.Millisecond))
			return "", ErrAppWaiting
		}
		a.list = slices.Delete(a.list, i, i+1)
		if q.answer == appDenied {
			return "", errNoApp
		}
		return q.key, nil
	}
	return "", errNoApp
}

// asked are the requests that wait for an answer.
func (a *apps) asked() []AppRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []AppRequest{}
	for _, q := range a.list {
		if q.answer == appUnanswered {
			list = append(list, q.AppRequest)
		}
	}
	return list
}

// answer notes what becomes of the request that an owner means.
func (a *apps) answer(id string, with appAnswer) (*asking, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.list {
		if q.ID == id && q.answer == appUnanswered {
			q.answer = with
			a.tell()
			return q, nil
		}
	}
	return nil, errNoApp
}

// doAllowApp makes the key while nothing is held: pages and other programs do not wait for a disk.
func (s *Server) doAllowApp(ctx context.Context, c *call) (uint64, error) {
	q, err := s.apps.answer(c.App, appBeingAllowed)
	if err != nil {
		return 0, err
	}
	role := c.Role
	if role == "" {
		role = access.Operator.String()
	}
	key, made, err := s.cfg.People.CreateToken(ctx, store.Token{Name: q.App, Role: role})
	if err != nil {
		s.apps.mu.Lock()
		q.answer = appUnanswered
		s.apps.mu.Unlock()
		s.apps.tell()
		return 0, fmt.Errorf("make the program's key: %w", err)
	}
	s.apps.mu.Lock()
	q.answer, q.key, q.made = appAllowed, key, made.ID
	over := !slices.Contains(s.apps.list, q)
	s.apps.mu.Unlock()
	if over {
		s.dropKey(q)
		return 0, errNoApp
	}
	return s.rev(), nil
}

func (s *Server) doDenyApp(ctx context.Context, c *call) (uint64, error) {
	if _, err := s.apps.answer(c.App, appDenied); err != nil {
		return 0, err
	}
	return s.rev(), nil
}
