package people

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/access"
	"layerd/internal/store"
)

// open is a Book over a store of its own.
func open(t testing.TB) Book {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Limits{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return Book{s}
}

// owner makes the first owner.
func owner(t testing.TB, b Book) access.Account {
	t.Helper()
	a, err := b.AddOwner(t.Context(), "Anna", "hash of Anna's")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func madeKey(t testing.TB, b Book, of store.Token) (secret string, made store.Token) {
	t.Helper()
	secret, made, err := b.Store.CreateToken(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return secret, made
}

func begin(t testing.TB, b Book, l access.Login) (secret string, s access.Session) {
	t.Helper()
	secret, s, err := b.Begin(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return secret, s
}

func rang(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// refused fails the test unless an error says that nothing valid was shown.
func refused(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, access.ErrDenied) {
		t.Errorf("%s: got %v, want ErrDenied", what, err)
	}
}

func TestWhatIsFound(t *testing.T) {
	b, ctx := open(t), t.Context()
	if any, owned, err := b.Accounts(ctx); any || owned || err != nil {
		t.Errorf("of a new store: got %v, %v, %v", any, owned, err)
	}
	anna := owner(t, b)
	if want := (access.Account{ID: anna.ID, Name: "Anna", Role: access.Owner, Hash: "hash of Anna's"}); anna != want || anna.ID == "" {
		t.Errorf("got %+v, want %+v", anna, want)
	}
	for name, look := range map[string]func() (access.Account, error){
		"by ID":                      func() (access.Account, error) { return b.Account(ctx, anna.ID) },
		"by name, whatever the case": func() (access.Account, error) { return b.AccountNamed(ctx, " aNNA ") },
	} {
		if got, err := look(); err != nil || got != anna {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, anna)
		}
	}
	bob, err := b.Store.AddPerson(ctx, store.Person{Name: "bob@example.com", Role: "operator", Tailnet: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.AccountNamed(ctx, "BOB@example.com"); err != nil || got != (access.Account{ID: bob.ID, Name: "bob@example.com", Role: access.Operator, Tailnet: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for role := access.Viewer; role <= access.Owner; role++ {
		secret, made := madeKey(t, b, store.Token{Name: "k", Role: role.String()})
		if got, err := b.Key(ctx, secret); err != nil || got != (access.Key{ID: made.ID, Name: "k", Role: role}) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	secret, s := begin(t, b, access.Login{Person: anna.ID, Hash: anna.Hash, Via: "password", Agent: "Firefox", From: "192.168.1.7"})
	if got, err := b.Session(ctx, secret); err != nil || got != s || s.Of != anna.ID || s.Name != "Anna" || s.Role != access.Owner || s.Confirmed.After(time.Now()) {
		t.Errorf("got %+v, %v, want %+v", got, err, s)
	}
	until := time.UnixMilli(time.Now().Add(time.Minute).UnixMilli())
	if err := b.Confirm(ctx, s.ID, until); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Session(ctx, secret); err != nil || !got.Confirmed.Equal(until) {
		t.Errorf("got %+v, %v, want it confirmed until %v", got, err, until)
	}
}

// What is not there is ErrDenied, whatever it is that is not, and what it is called: what opens one thing opens no other.
func TestWhatIsNotThere(t *testing.T) {
	b, ctx := open(t), t.Context()
	anna := owner(t, b)
	of, made := madeKey(t, b, store.Token{Name: "laptop", Role: "owner"})
	cookie, s := begin(t, b, access.Login{Person: anna.ID, Hash: anna.Hash})
	for _, secret := range []string{"", "ld_", cookie, cookie + "x", of[:len(of)-1], made.ID, anna.ID, s.ID, "Anna", "%", "' OR 1=1 --", "\x00", anna.Hash} {
		_, err := b.Key(ctx, secret)
		refused(t, "key "+secret, err)
	}
	for _, secret := range []string{"", of, cookie[:len(cookie)-1], s.ID, anna.ID, "' OR 1=1 --", "\x00"} {
		_, err := b.Session(ctx, secret)
		refused(t, "session "+secret, err)
	}
	for _, name := range []string{"", "Eva", "Ann_", "%", anna.ID, "' OR 1=1 --"} {
		_, err := b.AccountNamed(ctx, name)
		refused(t, "account named "+name, err)
	}
	for _, id := range []string{"", "Anna", made.ID, s.ID} {
		_, err := b.Account(ctx, id)
		refused(t, "account "+id, err)
	}
	refused(t, "end", b.End(ctx, made.ID))
	refused(t, "password of nobody", b.SetPassword(ctx, made.ID, "x", "y", ""))
	for what, l := range map[string]access.Login{"nobody": {Person: "none", Hash: anna.Hash}, "no key": {Key: "none"}, "neither": {}, "a person as a key": {Key: anna.ID}, "a key as a person": {Person: made.ID},
		"without the hash": {Person: anna.ID}, "with another": {Person: anna.ID, Hash: "hash of another"}} {
		secret, _, err := b.Begin(ctx, l)
		refused(t, "begin of "+what, err)
		if secret != "" {
			t.Errorf("begin of %s: got a secret", what)
		}
	}
}

// A store that cannot answer is no reason to say that somebody may not come in.
func TestStoreThatFails(t *testing.T) {
	b := open(t)
	owner(t, b)
	b.Store.Close()
	_, keyErr := b.Key(t.Context(), "x")
	_, sessionErr := b.Session(t.Context(), "x")
	_, nameErr := b.AccountNamed(t.Context(), "Anna")
	_, _, beginErr := b.Begin(t.Context(), access.Login{Key: "x"})
	for what, err := range map[string]error{"key": keyErr, "session": sessionErr, "name": nameErr, "begin": beginErr, "end": b.End(t.Context(), "x")} {
		if err == nil || errors.Is(err, access.ErrDenied) {
			t.Errorf("%s: got %v, want an error that is no refusal", what, err)
		}
	}
}

// Of all that can be taken back, nothing opens any more, at once, and who listens is told.
func TestRevocations(t *testing.T) {
	b, ctx := open(t), t.Context()
	anna := owner(t, b)
	login := access.Login{Person: anna.ID, Hash: anna.Hash}
	session := func(l access.Login) (string, func() error) {
		secret, s := begin(t, b, l)
		return s.ID, func() error { _, err := b.Session(ctx, secret); return err }
	}
	ends := func(what string, opens func() error, revoke func() error) {
		t.Helper()
		if err := opens(); err != nil {
			t.Fatalf("%s: it opens nothing: %v", what, err)
		}
		changed := b.Changed()
		if err := revoke(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		refused(t, what, opens())
		if !rang(changed) {
			t.Errorf("%s: nobody was told", what)
		}
	}
	id, opens := session(login)
	ends("signed out", opens, func() error { return b.End(ctx, id) })

	secret, laptop := madeKey(t, b, store.Token{Name: "laptop", Role: "operator"})
	_, byKey := session(access.Login{Key: laptop.ID})
	ends("a key, and its session", func() error { _, err := b.Key(ctx, secret); return errors.Join(err, byKey()) }, func() error { return b.Store.DeleteToken(ctx, laptop.ID, true) })
	refused(t, "the session of a key that is gone", byKey())

	old, s := begin(t, b, login)
	ends("the session before another login", func() error { _, err := b.Session(ctx, old); return err }, func() (err error) {
		_, _, err = b.Begin(ctx, access.Login{Person: anna.ID, Hash: anna.Hash, Old: old})
		return err
	})
	refused(t, "what has ended is not confirmed", confirmed(ctx, b, s.ID, old))

	mine, stays := session(login)
	_, other := session(login)
	ends("another password", other, func() error { return b.SetPassword(ctx, anna.ID, anna.Hash, "another hash", mine) })
	if err := stays(); err != nil {
		t.Errorf("the session that changed it: got %v", err)
	}
	_, _, err := b.Begin(ctx, login)
	refused(t, "who had shown the old one", err)

	login.Hash = "another hash"
	if err := b.SetHash(ctx, anna.ID, "another hash", "the same at another cost"); err != nil || stays() != nil {
		t.Errorf("the same password: got %v, %v, want nobody logged out", err, stays())
	}
	if err := b.SetHash(ctx, anna.ID, "another hash", "too late"); err != nil {
		t.Error(err)
	}
	if a, err := b.Account(ctx, anna.ID); err != nil || a.Hash != "the same at another cost" {
		t.Errorf("got %+v, %v, want that of a password which was changed meanwhile to stay", a, err)
	}

	if _, err := b.Store.AddPerson(ctx, store.Person{Name: "Eva", Role: "owner", Hash: "x"}); err != nil {
		t.Fatal(err)
	}
	ends("the person", stays, func() error { return b.Store.DeletePerson(ctx, anna.ID, false) })
}

func confirmed(ctx context.Context, b Book, session, secret string) error {
	if err := b.Confirm(ctx, session, time.Now().Add(time.Hour)); err != nil {
		return err
	}
	_, err := b.Session(ctx, secret)
	return err
}

// A session may do what its person may now, not what he could when he logged in.
func TestRoleOfNow(t *testing.T) {
	b, ctx := open(t), t.Context()
	anna := owner(t, b)
	secret, _ := begin(t, b, access.Login{Person: anna.ID, Hash: anna.Hash})
	if _, err := b.Store.AddPerson(ctx, store.Person{Name: "Eva", Role: "owner", Hash: "x"}); err != nil {
		t.Fatal(err)
	}
	changed, viewer, name := b.Changed(), "viewer", "Ann"
	if _, err := b.Store.ChangePerson(ctx, anna.ID, store.PersonChange{Role: &viewer, Name: &name}, "", false); err != nil || !rang(changed) {
		t.Fatalf("got %v, told: %v", err, rang(changed))
	}
	if s, err := b.Session(ctx, secret); err != nil || s.Role != access.Viewer || s.Name != "Ann" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.TempDir(), store.Limits{MinFreeBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		b, ctx := Book{s}, t.Context()
		anna := owner(t, b)
		used, one := begin(t, b, access.Login{Person: anna.ID, Hash: anna.Hash})
		idle, _ := begin(t, b, access.Login{Person: anna.ID, Hash: anna.Hash})
		link, made := madeKey(t, b, store.Token{Name: "Grandma", Role: "viewer", Link: true, ExpiresMS: time.Now().Add(time.Hour).UnixMilli()})
		looking, _ := begin(t, b, access.Login{Key: made.ID, Via: "link"})
		if k, err := b.Key(ctx, link); err != nil || !k.Link || k.Role != access.Viewer {
			t.Fatalf("got %+v, %v", k, err)
		}
		if err := b.Confirm(ctx, one.ID, time.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Minute)
		if _, err := b.Session(ctx, looking); err != nil {
			t.Errorf("a minute before the link ends: %v", err)
		}
		if got, err := b.Session(ctx, used); err != nil || got.Confirmed.After(time.Now()) {
			t.Errorf("got %+v, %v, want it confirmed no more", got, err)
		}
		time.Sleep(time.Minute)
		_, keyErr := b.Key(ctx, link)
		refused(t, "a link that has ended", keyErr)
		_, sessionErr := b.Session(ctx, looking)
		refused(t, "its session", sessionErr)
		_, _, beginErr := b.Begin(ctx, access.Login{Key: made.ID, Via: "link"})
		refused(t, "another session of it", beginErr)

		const month = 30 * 24 * time.Hour
		for range 3 {
			time.Sleep(month)
			if _, err := b.Session(ctx, used); err != nil {
				t.Fatalf("one that is used: %v", err)
			}
		}
		_, err = b.Session(ctx, idle)
		refused(t, "not used for 90 days", err)
		for range 9 {
			time.Sleep(month)
			b.Session(ctx, used)
		}
		time.Sleep(month)
		_, err = b.Session(ctx, used)
		refused(t, "older than a year", err)
	})
}

// Of many who would be the first owner at the same moment, one is.
func TestOneFirstOwner(t *testing.T) {
	b := open(t)
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := b.AddOwner(t.Context(), fmt.Sprint("Owner", i), "x"); err == nil {
				made.Add(1)
			} else if !errors.Is(err, store.ErrTaken) {
				t.Errorf("got %v, want ErrTaken", err)
			}
		})
	}
	all.Wait()
	if people, err := b.Store.People(t.Context()); err != nil || made.Load() != 1 || len(people) != 1 {
		t.Errorf("%d were made, there are %v, %v, want one", made.Load(), people, err)
	}
}

// Owners who remove each other, or themselves, at the same moment: one stays.
func TestOneOwnerIsLeft(t *testing.T) {
	b, ctx := open(t), t.Context()
	ids := []string{owner(t, b).ID}
	for i := range 5 {
		p, err := b.Store.AddPerson(ctx, store.Person{Name: fmt.Sprint("Owner", i), Role: "owner", Hash: "x"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	var kept atomic.Int32
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			err := error(nil)
			if viewer := "viewer"; i%2 == 0 {
				_, err = b.Store.ChangePerson(ctx, id, store.PersonChange{Role: &viewer}, "", false)
			} else {
				err = b.Store.DeletePerson(ctx, id, false)
			}
			if errors.Is(err, store.ErrLastOwner) {
				kept.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, owned, err := b.Accounts(ctx); !owned || err != nil || kept.Load() != 1 {
		t.Errorf("owned: %v, %v; %d were refused, want one", owned, err, kept.Load())
	}
}

// Logins and a new password at the same moment: of who had shown the old one, nobody is in afterwards, and whoever comes with the new one is.
func TestLoginsBesideANewPassword(t *testing.T) {
	b, ctx := open(t), t.Context()
	anna := owner(t, b)
	var all sync.WaitGroup
	secrets := make([]string, 20)
	for i := range secrets {
		all.Go(func() {
			secret, _, err := b.Begin(ctx, access.Login{Person: anna.ID, Hash: anna.Hash})
			if err != nil && !errors.Is(err, access.ErrDenied) {
				t.Error(err)
			}
			secrets[i] = secret
			b.Session(ctx, secret) // whatever it is by now
		})
	}
	all.Go(func() {
		if err := b.SetPassword(ctx, anna.ID, anna.Hash, "another", ""); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	for _, secret := range secrets {
		_, err := b.Session(ctx, secret)
		refused(t, "who had shown the old password", err)
	}
	begin(t, b, access.Login{Person: anna.ID, Hash: "another"})
}

// slowly is a Book with something that happens between the moment that a password is right and that a session begins.
type slowly struct {
	Book
	meanwhile func()
}

func (s slowly) Begin(ctx context.Context, l access.Login) (string, access.Session, error) {
	s.meanwhile()
	return s.Book.Begin(ctx, l)
}

// The same through a Gate, with real passwords: it takes long to look at one, and it may be another by then.
func TestLoginThatWasRightAMomentAgo(t *testing.T) {
	b := open(t)
	plain := access.NewGate(access.Config{Book: b})
	r := func() *http.Request { return httptest.NewRequest("POST", "/v1/login", nil) }
	secret := plain.OpenSetup()
	anna, cookie, err := plain.SetUp(r(), secret, "Anna", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	me := r()
	me.AddCookie(cookie)
	late := access.NewGate(access.Config{Book: slowly{b, func() {
		if err := plain.SetPassword(me, anna, "correct horse", "battery staple"); err != nil {
			t.Error(err)
		}
	}}})
	if who, _, err := late.Login(r(), "Anna", "correct horse"); !errors.Is(err, access.ErrWrongPassword) {
		t.Errorf("got %+v, %v, want ErrWrongPassword", who, err)
	}
	if who, err := plain.Identify(me); err != nil || who.ID != anna.ID {
		t.Errorf("who changed it: got %+v, %v", who, err)
	}
	if who, _, err := plain.Login(r(), "anna", "battery staple"); err != nil || who.ID != anna.ID {
		t.Errorf("with the new one: got %+v, %v", who, err)
	}
}
