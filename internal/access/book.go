package access

import (
	"context"
	"time"
)

// Account is a person. A password opens it, or, with Tailnet, the network's word for somebody of that name.
type Account struct {
	ID, Name string
	Role     Role
	Tailnet  bool
	Hash     string // of the password, by Gate.Hash; "" = there is none
	UsedMS   int64
}

// Key is what a program or a link shows.
type Key struct {
	ID, Name string
	Role     Role
	Link     bool
}

// Session is a browser that is logged in, with what its person or key is now.
type Session struct {
	ID        string
	Of        string // ID of the person or key
	Name      string
	Role      Role
	Confirmed time.Time // until when the person counts as just asked
}

// Login is how a session began.
type Login struct {
	Person, Key string // one of them is the ID of whom it belongs to
	Via         string // "password", "key", "link"
	Agent, From string // what the browser calls itself, and its address: text of others
	Old         string // secret of a session that ends with it, "" = none
}

// Book is where people, keys and sessions are kept. What it does not find is ErrDenied.
type Book interface {
	Key(ctx context.Context, secret string) (Key, error)
	KeyOf(ctx context.Context, id string) (Key, error)
	Account(ctx context.Context, id string) (Account, error)
	AccountNamed(ctx context.Context, name string) (Account, error) // whatever the case
	Seen(ctx context.Context, a Account)                            // notes that he was here
	Session(ctx context.Context, secret string) (Session, error)
	Begin(ctx context.Context, l Login) (secret string, s Session, err error)
	End(ctx context.Context, session string) error
	Confirm(ctx context.Context, session string, until time.Time) error
	SetPassword(ctx context.Context, account, hash, except string) error // ends the account's sessions but the one with the ID except
	SetHash(ctx context.Context, account, old, hash string) error        // of the same password
	AddOwner(ctx context.Context, name, hash string) (Account, error)    // fails when an owner has a password already
	Accounts(ctx context.Context) (any, owner bool, err error)           // with a password
	Changed() <-chan struct{}                                            // closed when somebody may do something else, or can no longer come in
}
