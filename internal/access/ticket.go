package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Apps that are given the address of a picture ask for it without their key. So the address carries a ticket: ID "." HMAC-SHA256 of it. It lets look, and
// no more than that, for as long as the person or key of that ID may; nothing is kept of it.

// ViewTicket is a ticket for me, for the query parameter "view" of an address that IdentifyViewer is asked about. "" for people whom a network
// introduces: it does so each time.
func (g *Gate) ViewTicket(me Identity) string {
	if me.ID == "" || me.Via == "tailnet" {
		return ""
	}
	return me.ID + "." + g.seal(me.ID)
}

func (g *Gate) seal(id string) string {
	mac := hmac.New(sha256.New, g.cfg.ViewSecret)
	mac.Write([]byte("view " + id)) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// IdentifyViewer is Identify where a ticket counts too, of who shows nothing else.
func (g *Gate) IdentifyViewer(r *http.Request) (Identity, error) {
	who, err := g.Identify(r)
	ticket := r.URL.Query().Get("view")
	if _, shown := bearer(r); shown || ticket == "" || err == nil {
		return who, err
	}
	if !errors.Is(err, ErrDenied) && !errors.Is(err, ErrTooMany) && !errors.Is(err, ErrNotInvited) {
		return who, err
	}
	return g.counted(r, ticket, func(ctx context.Context, _ hash) (Identity, error) { return g.byTicket(ctx, ticket) })
}

func (g *Gate) byTicket(ctx context.Context, ticket string) (Identity, error) {
	id, seal, _ := strings.Cut(ticket, ".")
	if id == "" || !hmac.Equal([]byte(seal), []byte(g.seal(id))) {
		return Identity{}, ErrDenied
	}
	who := Identity{ID: id, Via: "ticket"}
	if g.cfg.Demo != "" && id == demoOwner().ID {
		who.Name, who.Role = demoOwner().Name, Viewer
		return who, nil
	}
	role := Nobody
	if k, err := g.cfg.Book.KeyOf(ctx, id); err == nil {
		who.Name, role = k.Name, k.Role
	} else if !errors.Is(err, ErrDenied) {
		return Identity{}, err
	} else if a, err := g.cfg.Book.Account(ctx, id); err == nil {
		who.Name, role = a.Name, a.Role
	} else {
		return Identity{}, fmt.Errorf("look up whose ticket it is: %w", err)
	}
	who.Role = min(role, Viewer)
	return who, nil
}
