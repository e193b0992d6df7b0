package access

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// keyTable is the keys of a memory.
type keyTable = func(ctx context.Context, secret string) (id, name string, role Role, err error)

// memory is a Book that forgets everything with the process.
type memory struct {
	keys keyTable

	mu       sync.Mutex // guards what follows
	accounts []Account
	byID     map[string]Key
	sessions map[string]Session // by secret
	begun    []Login
	seen     []string // names
}

func newMemory(keys keyTable, accounts ...Account) *memory {
	return &memory{keys: keys, accounts: accounts, sessions: map[string]Session{}}
}

func (m *memory) Key(ctx context.Context, secret string) (Key, error) {
	id, name, role, err := m.keys(ctx, secret)
	return Key{ID: id, Name: name, Role: role, Link: id == "link"}, err
}

func (m *memory) KeyOf(_ context.Context, id string) (Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.byID[id]
	if !ok {
		return k, ErrDenied
	}
	return k, nil
}

func (m *memory) find(is func(Account) bool) (*Account, error) {
	for i := range m.accounts {
		if is(m.accounts[i]) {
			return &m.accounts[i], nil
		}
	}
	return &Account{}, ErrDenied
}

func (m *memory) Account(_ context.Context, id string) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.find(func(a Account) bool { return a.ID == id })
	return *a, err
}

func (m *memory) AccountNamed(_ context.Context, name string) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.find(func(a Account) bool { return strings.EqualFold(a.Name, strings.TrimSpace(name)) })
	return *a, err
}

func (m *memory) Seen(_ context.Context, a Account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, a.Name)
}

func (m *memory) Session(_ context.Context, secret string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[secret]
	if !ok {
		return s, ErrDenied
	}
	if a, err := m.find(func(a Account) bool { return a.ID == s.Of }); err == nil {
		s.Name, s.Role = a.Name, a.Role
	}
	return s, nil
}

func (m *memory) Begin(_ context.Context, l Login) (string, Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun = append(m.begun, l)
	delete(m.sessions, l.Old)
	id := fmt.Sprint("s", len(m.begun))
	s := Session{ID: id, Of: l.Person + l.Key, Role: Viewer}
	if a, err := m.find(func(a Account) bool { return a.ID == s.Of }); err == nil {
		s.Name, s.Role = a.Name, a.Role
	}
	m.sessions["secret of "+id] = s
	return "secret of " + id, s, nil
}

func (m *memory) change(id string, f func(secret string, s Session)) {
	for secret, s := range m.sessions {
		if s.ID == id {
			f(secret, s)
		}
	}
}

func (m *memory) End(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(id, func(secret string, _ Session) { delete(m.sessions, secret) })
	return nil
}

func (m *memory) Confirm(_ context.Context, id string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(id, func(secret string, s Session) { s.Confirmed = until; m.sessions[secret] = s })
	return nil
}

func (m *memory) SetPassword(_ context.Context, id, hash, except string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.find(func(a Account) bool { return a.ID == id })
	a.Hash = hash
	for secret, s := range m.sessions {
		if s.Of == id && s.ID != except {
			delete(m.sessions, secret)
		}
	}
	return err
}

func (m *memory) SetHash(_ context.Context, id, old, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.find(func(a Account) bool { return a.ID == id && a.Hash == old })
	a.Hash = hash
	return err
}

func (m *memory) AddOwner(_ context.Context, name, hash string) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.find(func(a Account) bool { return a.Role == Owner && a.Hash != "" }); err == nil {
		return Account{}, fmt.Errorf("there is one")
	}
	m.accounts = append(m.accounts, Account{ID: "new", Name: name, Role: Owner, Hash: hash})
	return m.accounts[len(m.accounts)-1], nil
}

func (m *memory) Accounts(context.Context) (any, owner bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.accounts {
		any = any || a.Hash != ""
		owner = owner || a.Hash != "" && a.Role == Owner
	}
	return any, owner, nil
}

func (m *memory) Changed() <-chan struct{} { return nil }
