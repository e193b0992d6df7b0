package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"layerd/internal/access"
)

// How people come in: the door of the page, the first owner, logging in and out, showing again who one is.

// Gate says who asks, and lets people in; *access.Gate is one.
type Gate interface {
	Identify(r *http.Request) (access.Identity, error)
	IdentifyViewer(r *http.Request) (access.Identity, error) // as Identify, but that a ticket for pictures counts
	ViewTicket(me access.Identity) string
	IdentifyDigest(r *http.Request) (access.Identity, error)
	DigestChallenge(stale bool) string
	DigestPassword(id string) string
	Changed() <-chan struct{} // closed when it would say something else of somebody
	Source(r *http.Request) string
	Secure(r *http.Request) bool

	SetupOpen(ctx context.Context) (bool, error)
	HasAccounts(ctx context.Context) (bool, error)
	CheckSetup(r *http.Request, secret string) error
	SetUp(r *http.Request, secret, name, password string) (access.Identity, *http.Cookie, error)
	Login(r *http.Request, name, password string) (access.Identity, *http.Cookie, error)
	LoginByKey(r *http.Request) (access.Identity, *http.Cookie, error)
	Logout(r *http.Request) (access.Identity, []*http.Cookie, error)
	Confirm(r *http.Request, me access.Identity, password, key string) error
	SetPassword(r *http.Request, me access.Identity, old, password string) error
	Hash(ctx context.Context, password string) (string, error)

	Configured() map[string]access.Role
	HasConfiguredOwner() bool
	DefaultRole() access.Role
}

// Door is what the page needs to know before anybody is in.
type Door struct {
	Setup    bool   `json:"setup"`    // nobody owns this layerd yet, and the set-up link is open
	Accounts bool   `json:"accounts"` // somebody has a password
	Name     string `json:"name"`     // of the machine
}

// Credentials are what people type to come in. Which of them are needed depends on the request.
type Credentials struct {
	Secret   string `json:"secret,omitempty"` // of the set-up link
	Name     string `json:"name,omitempty"`
	Password string `json:"password,omitempty"`
	Key      string `json:"key,omitempty"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
}

const maxForm = 4 << 10 // bytes

// readForm reads a small JSON body.
func readForm(w http.ResponseWriter, r *http.Request, v any) error {
	readBy(w, 15*time.Second)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	readBy(w, 0)
	if err := decode(body, v); err != nil {
		return &refusal{code: "bad_message", message: sentence(err.Error())}
	}
	return nil
}

func (s *Server) serveDoor(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	d := Door{Name: s.cfg.Host}
	var err error
	if d.Setup, err = s.cfg.Gate.SetupOpen(r.Context()); err != nil {
		return err
	}
	if d.Accounts, err = s.cfg.Gate.HasAccounts(r.Context()); err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, d)
	return nil
}

// serveSetUp makes the first owner for who has the secret of the set-up link.
func (s *Server) serveSetUp(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	var c Credentials
	if err := readForm(w, r, &c); err != nil {
		return err
	}
	who, cookie, err := s.cfg.Gate.SetUp(r, c.Secret, c.Name, c.Password)
	return s.letIn(w, r, who, cookie, err)
}

// serveLogin takes a key as Bearer, or a name and a password.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if bearer(r) != "" {
		who, cookie, err := s.cfg.Gate.LoginByKey(r)
		return s.letIn(w, r, who, cookie, err)
	}
	var c Credentials
	if err := readForm(w, r, &c); err != nil {
		return err
	}
	noteOf(r).detail = c.Name
	who, cookie, err := s.cfg.Gate.Login(r, c.Name, c.Password)
	return s.letIn(w, r, who, cookie, err)
}

func (s *Server) letIn(w http.ResponseWriter, r *http.Request, who access.Identity, cookie *http.Cookie, err error) error {
	if err != nil {
		return err
	}
	noteOf(r).me = who
	http.SetCookie(w, cookie)
	s.writeJSON(w, http.StatusOK, who)
	return nil
}

// serveLogout ends the session whose cookie was sent.
func (s *Server) serveLogout(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	who, cookies, err := s.cfg.Gate.Logout(r)
	for _, c := range cookies {
		http.SetCookie(w, c)
	}
	noteOf(r).me = who
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) serveConfirm(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	var c Credentials
	if err := readForm(w, r, &c); err != nil {
		return err
	}
	if err := s.cfg.Gate.Confirm(r, me, c.Password, c.Key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) serveSetPassword(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	var c Credentials
	if err := readForm(w, r, &c); err != nil {
		return err
	}
	if err := s.cfg.Gate.SetPassword(r, me, c.Old, c.New); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
