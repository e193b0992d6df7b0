// Package people hands the store's people, keys and sessions to access, which knows no store. It decides nothing.
package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"layerd/internal/access"
	"layerd/internal/store"
)

// Book is a store as an access.Book.
type Book struct{ Store *store.Store }

var _ access.Book = Book{}

func (b Book) Key(ctx context.Context, secret string) (access.Key, error) {
	return key(b.Store.TokenBySecret(ctx, secret))
}

func (b Book) KeyOf(ctx context.Context, id string) (access.Key, error) {
	return key(b.Store.Token(ctx, id))
}

func key(t store.Token, err error) (access.Key, error) {
	if err != nil {
		return access.Key{}, denied(err)
	}
	role, err := access.ParseRole(t.Role)
	return access.Key{ID: t.ID, Name: t.Name, Role: role, Link: t.Link}, err
}

func (b Book) Account(ctx context.Context, id string) (access.Account, error) {
	p, err := b.Store.Person(ctx, id)
	return account(p, err)
}

func (b Book) AccountNamed(ctx context.Context, name string) (access.Account, error) {
	p, err := b.Store.PersonByName(ctx, name)
	return account(p, err)
}

func (b Book) Seen(ctx context.Context, a access.Account) {
	b.Store.PersonSeen(ctx, store.Person{ID: a.ID, UsedMS: a.UsedMS})
}

func (b Book) Session(ctx context.Context, secret string) (access.Session, error) {
	return session(b.Store.SessionBySecret(ctx, secret))
}

func (b Book) Begin(ctx context.Context, l access.Login) (secret string, s access.Session, err error) {
	secret, made, err := b.Store.AddSession(ctx, store.Session{Person: l.Person, Token: l.Key, Via: l.Via, Agent: l.Agent, From: l.From}, l.Old)
	if err != nil {
		return "", access.Session{}, err
	}
	s, err = session(made, nil)
	return secret, s, err
}

func (b Book) End(ctx context.Context, session string) error {
	return denied(b.Store.DeleteSession(ctx, session))
}

func (b Book) Confirm(ctx context.Context, session string, until time.Time) error {
	return b.Store.ConfirmSession(ctx, session, until)
}

func (b Book) SetPassword(ctx context.Context, account, hash, except string) error {
	_, err := b.Store.ChangePerson(ctx, account, store.PersonChange{Hash: &hash}, except, true)
	return denied(err)
}

func (b Book) SetHash(ctx context.Context, account, old, hash string) error {
	return b.Store.SetHash(ctx, account, old, hash)
}

func (b Book) AddOwner(ctx context.Context, name, hash string) (access.Account, error) {
	p, err := b.Store.AddFirstOwner(ctx, name, hash)
	return account(p, err)
}

func (b Book) Accounts(ctx context.Context) (any, owner bool, err error) {
	return b.Store.HasAccounts(ctx)
}

func (b Book) Changed() <-chan struct{} { return b.Store.PeopleChanged() }

func account(p store.Person, err error) (access.Account, error) {
	if err != nil {
		return access.Account{}, denied(err)
	}
	role, err := access.ParseRole(p.Role)
	return access.Account{ID: p.ID, Name: p.Name, Role: role, Tailnet: p.Tailnet, Hash: p.Hash, UsedMS: p.UsedMS}, err
}

func session(s store.Session, err error) (access.Session, error) {
	if err != nil {
		return access.Session{}, denied(err)
	}
	role, err := access.ParseRole(s.Role)
	return access.Session{ID: s.ID, Of: s.Person + s.Token, Name: s.Name, Role: role, Confirmed: time.UnixMilli(s.ConfirmedMS)}, err
}

// denied: what is not there opens nothing.
func denied(err error) error {
	if errors.Is(err, store.ErrNoToken) || errors.Is(err, store.ErrSession) || errors.Is(err, store.ErrPerson) {
		return fmt.Errorf("%w: %w", access.ErrDenied, err)
	}
	return err
}
