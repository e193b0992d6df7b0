package server

import (
	"net/http"

	"layerd/internal/access"
	"layerd/internal/store"
)

// Keys for programs, and links that only look.

// TokenList is the answer to GET /v1/tokens.
type TokenList struct {
	Tokens []store.Token `json:"tokens"`
}

// TokenForm is a key to be made.
type TokenForm struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	ExpiresMS int64  `json:"expires_ms,omitempty"` // 0 never; a link ends within 90 days
	Link      bool   `json:"link,omitempty"`       // it is to be opened as a link, and only looks
}

// MadeToken is the answer to POST /v1/tokens: the only one that ever has the secret.
type MadeToken struct {
	Secret string      `json:"secret"`
	Token  store.Token `json:"token"`
	QR     string      `json:"qr"`     // data: URI of a picture of the link that opens the page with it; "" when that is too long
	Digest string      `json:"digest"` // password for programs that log in by HTTP Digest, whose user is the token's ID
}

func (s *Server) serveTokens(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	tokens, err := s.cfg.People.Tokens(r.Context())
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, TokenList{Tokens: tokens})
	return nil
}

func (s *Server) serveAddToken(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	var f TokenForm
	if err := readForm(w, r, &f); err != nil {
		return err
	}
	if f.Link && f.Role != access.Viewer.String() {
		return badCommand("A link only looks: its role must be viewer.")
	}
	noteOf(r).detail = f.Name + ": " + f.Role
	secret, made, err := s.cfg.People.CreateToken(r.Context(), store.Token{Name: f.Name, Role: f.Role, ExpiresMS: f.ExpiresMS, Link: f.Link})
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, MadeToken{Secret: secret, Token: made, QR: s.picture(r, secret), Digest: s.cfg.Gate.DigestPassword(made.ID)})
	return nil
}

// picture is the QR code of the page's address, as the one who asks has it, with a key behind it.
func (s *Server) picture(r *http.Request, secret string) string {
	if len(r.Host) > 255 {
		return ""
	}
	return qrPicture(s.Base(r) + "/#token=" + secret)
}

func (s *Server) serveRemoveToken(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id := r.PathValue("path")
	tokens, err := s.cfg.People.Tokens(r.Context())
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.ID == id {
			noteOf(r).detail = t.Name
		}
	}
	if err := s.cfg.People.DeleteToken(r.Context(), id, s.cfg.Gate.HasConfiguredOwner()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
