package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func rang(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestPeople(t *testing.T) {
	s, ctx := open1(t), t.Context()
	changed := s.PeopleChanged()
	anna, err := s.AddFirstOwner(ctx, " Anna\u202e ", "hash")
	if err != nil || anna.Name != "Anna" || anna.Role != "owner" || !rang(changed) {
		t.Fatalf("got %+v, %v", anna, err)
	}
	if _, err := s.AddFirstOwner(ctx, "Eva", "hash"); !errors.Is(err, ErrTaken) {
		t.Errorf("a second first owner: got %v", err)
	}
	bob, err := s.AddPerson(ctx, Person{Name: "bob@example.com", Role: "operator", Tailnet: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    Person
		want error
	}{{Person{Name: "ANNA", Role: "viewer"}, ErrTaken}, {Person{Name: " ", Role: "viewer"}, ErrName}, {Person{Name: "x", Role: "king"}, ErrRole}, {Person{Name: "x", Role: "nobody"}, ErrRole}} {
		if _, err := s.AddPerson(ctx, c.p); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.p, err, c.want)
		}
	}
	if p, err := s.PersonByName(ctx, " aNNa"); err != nil || p != anna {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := s.PersonByName(ctx, "Eva"); !errors.Is(err, ErrPerson) {
		t.Errorf("got %v, want ErrPerson", err)
	}
	if any, owner, err := s.HasAccounts(ctx); !any || !owner || err != nil {
		t.Errorf("got %v, %v, %v", any, owner, err)
	}

	operator, owner, name := "operator", "owner", "Bob@Example.com"
	if _, err := s.ChangePerson(ctx, anna.ID, PersonChange{Role: &operator}, "", false); !errors.Is(err, ErrLastOwner) {
		t.Errorf("demoted: got %v, want ErrLastOwner", err)
	}
	if err := s.DeletePerson(ctx, anna.ID, false); !errors.Is(err, ErrLastOwner) {
		t.Errorf("removed: got %v, want ErrLastOwner", err)
	}
	if _, err := s.ChangePerson(ctx, bob.ID, PersonChange{Role: &owner, Name: &name}, "", false); err != nil {
		t.Errorf("his own name in another case: got %v", err)
	}
	if err := s.DeletePerson(ctx, anna.ID, false); !errors.Is(err, ErrLastOwner) {
		t.Errorf("an owner of the tailnet is no owner when the tailnet is off: got %v", err)
	}
	if _, err := s.ChangePerson(ctx, bob.ID, PersonChange{Name: &anna.Name}, "", false); !errors.Is(err, ErrTaken) {
		t.Errorf("a name that is taken: got %v", err)
	}
	if _, _, err := s.CreateToken(ctx, Token{Name: "a while", Role: "owner", ExpiresMS: time.Now().Add(time.Hour).UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeletePerson(ctx, anna.ID, false); !errors.Is(err, ErrLastOwner) {
		t.Errorf("with a key that ends: got %v", err)
	}
	if _, _, err := s.CreateToken(ctx, Token{Name: "for good", Role: "owner"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangePerson(ctx, anna.ID, PersonChange{Role: &operator}, "", false); err != nil {
		t.Errorf("with a key of an owner: got %v", err)
	}
	if err := s.DeletePerson(ctx, anna.ID, true); err != nil {
		t.Errorf("with an owner elsewhere: got %v", err)
	}
	if err := s.DeletePerson(ctx, anna.ID, true); !errors.Is(err, ErrPerson) {
		t.Errorf("twice: got %v", err)
	}
	if all, err := s.People(ctx); err != nil || len(all) != 1 || all[0].Role != "owner" {
		t.Errorf("got %+v, %v", all, err)
	}
}

// Only who takes an owner away is asked whether another is left; whoever that other is, he can always show somebody else out.
func TestLastOwner(t *testing.T) {
	s, ctx := open1(t), t.Context()
	_, first, err := s.CreateToken(ctx, Token{Name: "first", Role: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteToken(ctx, first.ID, false); !errors.Is(err, ErrLastOwner) {
		t.Errorf("the last owner's key: got %v, want ErrLastOwner", err)
	}
	if err := s.DeleteToken(ctx, first.ID, true); err != nil {
		t.Errorf("with an owner elsewhere: got %v", err)
	}
	bob, err := s.AddPerson(ctx, Person{Name: "Bob", Role: "operator", Hash: "hash"}) // by an owner whom the tailnet alone knows, or whose key ends
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := s.CreateToken(ctx, Token{Name: "Bob's", Role: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangePerson(ctx, bob.ID, PersonChange{Role: new("viewer")}, "", false); err != nil {
		t.Errorf("an operator made a viewer: got %v", err)
	}
	if err := s.DeleteToken(ctx, key.ID, false); err != nil {
		t.Errorf("an operator's key taken back: got %v", err)
	}
	if err := s.DeletePerson(ctx, bob.ID, false); err != nil {
		t.Errorf("a viewer removed: got %v", err)
	}
}

func TestSessions(t *testing.T) {
	s, ctx := open1(t), t.Context()
	anna, err := s.AddFirstOwner(ctx, "Anna", "hash")
	if err != nil {
		t.Fatal(err)
	}
	hash := "hash"
	begin := func(v Session, old string) (string, Session) {
		t.Helper()
		v.Shown = hash
		secret, made, err := s.AddSession(ctx, v, old)
		if err != nil {
			t.Fatal(err)
		}
		return secret, made
	}
	first, one := begin(Session{Person: anna.ID, Shown: "hash", Via: "password", Agent: "Fire\u202efox\n" + strings.Repeat("x", 900), From: "192.168.1.7"}, "")
	if one.Name != "Anna" || one.Role != "owner" || !strings.HasPrefix(one.Agent, "Firefoxx") || len(one.Agent) > 200 || one.ExpiresMS-one.CreatedMS != sessionIdle.Milliseconds() {
		t.Errorf("got %+v", one)
	}
	changed := s.PeopleChanged()
	second, two := begin(Session{Person: anna.ID, Shown: "hash", Via: "password"}, first)
	if !rang(changed) {
		t.Error("one has ended, and nobody was told")
	}
	changed = s.PeopleChanged()
	_, third := begin(Session{Person: anna.ID, Shown: "hash", Via: "password"}, "")
	if rang(changed) {
		t.Error("somebody who logs in has everybody looked at again")
	}
	if err := s.DeleteSession(ctx, third.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SessionBySecret(ctx, first); !errors.Is(err, ErrSession) {
		t.Errorf("the one before: got %v, want it ended", err)
	}
	if got, err := s.SessionBySecret(ctx, second); err != nil || got.ID != two.ID || got.Person != anna.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	until := time.Now().Add(time.Minute)
	if err := s.ConfirmSession(ctx, two.ID, until); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.SessionBySecret(ctx, second); got.ConfirmedMS != until.UnixMilli() {
		t.Errorf("confirmed until %d, want %d", got.ConfirmedMS, until.UnixMilli())
	}

	// Times: what was not used for 90 days, what is older than a year, and what a link bounds.
	set := func(column string, at time.Time) {
		if _, err := s.db.Exec(`UPDATE sessions SET `+column+` = ?`, at.UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		column string
		at     time.Time
		want   error
	}{
		{"used_ms", time.Now().Add(-sessionIdle + time.Minute), nil}, // and now it was used
		{"used_ms", time.Now().Add(-sessionIdle - time.Minute), ErrSession},
		{"used_ms", time.Now(), nil},
		{"ends_ms", time.Now().Add(-time.Second), ErrSession},
	} {
		set(c.column, c.at)
		if _, err := s.SessionBySecret(ctx, second); !errors.Is(err, c.want) {
			t.Errorf("%s at %v: got %v, want %v", c.column, c.at, err, c.want)
		}
	}
	if all, err := s.Sessions(ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("got %+v, %v, want none that has ended", all, err)
	}

	ends := time.Now().Add(time.Hour).UnixMilli()
	_, link, err := s.CreateToken(ctx, Token{Name: "Grandma", Role: "viewer", Link: true, ExpiresMS: ends})
	if err != nil {
		t.Fatal(err)
	}
	secret, made := begin(Session{Token: link.ID, Via: "link"}, "")
	if made.ExpiresMS != ends || made.Role != "viewer" || made.Name != "Grandma" {
		t.Errorf("got %+v, want it to end with the link at %d", made, ends)
	}
	if _, err := s.db.Exec(`UPDATE tokens SET expires_ms = ?`, time.Now().Add(-time.Second).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SessionBySecret(ctx, secret); !errors.Is(err, ErrSession) {
		t.Errorf("the link has ended: got %v", err)
	}

	// Ends: of the person, of the token, of the password, of too many.
	_, token, err := s.CreateToken(ctx, Token{Name: "laptop", Role: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	secret, _ = begin(Session{Token: token.ID, Via: "key"}, "")
	changed = s.PeopleChanged()
	if err := s.DeleteToken(ctx, token.ID, true); err != nil || !rang(changed) {
		t.Fatal(err)
	}
	if _, err := s.SessionBySecret(ctx, secret); !errors.Is(err, ErrSession) {
		t.Errorf("its key is gone: got %v", err)
	}
	secret, keep := begin(Session{Person: anna.ID, Shown: "hash", Via: "password"}, "")
	other, _ := begin(Session{Person: anna.ID, Shown: "hash", Via: "password"}, "")
	hash = "another"
	changed = s.PeopleChanged()
	if _, err := s.ChangePerson(ctx, anna.ID, PersonChange{Hash: &hash}, keep.ID, true); err != nil || !rang(changed) {
		t.Fatal(err)
	}
	if _, err := s.SessionBySecret(ctx, secret); err != nil {
		t.Errorf("the one that is excepted: got %v", err)
	}
	if _, err := s.SessionBySecret(ctx, other); !errors.Is(err, ErrSession) {
		t.Errorf("another password: got %v", err)
	}
	if _, _, err := s.AddSession(ctx, Session{Person: anna.ID, Shown: "hash", Via: "password"}, ""); !errors.Is(err, ErrPassword) {
		t.Errorf("begun with the former password: got %v, want ErrPassword", err)
	}
	if _, err := s.ChangePerson(ctx, anna.ID, PersonChange{Hash: new("a third"), Old: new("hash")}, "", true); !errors.Is(err, ErrPassword) {
		t.Errorf("changed by who knew the former password: got %v, want ErrPassword", err)
	}
	if _, _, err := s.AddSession(ctx, Session{Token: token.ID, Via: "key"}, ""); !errors.Is(err, ErrNoToken) {
		t.Errorf("begun with a key that is gone: got %v, want ErrNoToken", err)
	}
	for range maxSessions + 3 {
		begin(Session{Person: anna.ID, Shown: "another", Via: "password"}, "")
	}
	all, err := s.Sessions(ctx, anna.ID)
	if err != nil || len(all) != maxSessions {
		t.Errorf("got %d sessions, %v, want %d", len(all), err, maxSessions)
	}
	if err := s.DeleteSession(ctx, all[0].ID); err != nil {
		t.Error(err)
	}
	if err := s.DeleteSession(ctx, all[0].ID); !errors.Is(err, ErrSession) {
		t.Errorf("twice: got %v", err)
	}
	if err := s.DeletePerson(ctx, anna.ID, true); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Sessions(ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("the person is gone: got %+v, %v", all, err)
	}
}

func TestTokensEnd(t *testing.T) {
	s, ctx := open1(t), t.Context()
	in := func(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }
	for _, c := range []struct {
		t    Token
		want error
	}{
		{Token{Role: "owner", ExpiresMS: in(-time.Hour)}, ErrExpiry},
		{Token{Role: "viewer", Link: true}, ErrExpiry},
		{Token{Role: "viewer", Link: true, ExpiresMS: in(91 * day)}, ErrExpiry},
		{Token{Role: "owner", ExpiresMS: 1 << 62}, ErrExpiry},
		{Token{Role: "viewer", Link: true, ExpiresMS: in(89 * day)}, nil},
		{Token{Role: "owner", ExpiresMS: in(365 * day)}, nil},
	} {
		c.t.Name = "x"
		if _, _, err := s.CreateToken(ctx, c.t); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.t, err, c.want)
		}
	}
	if _, _, err := s.CreateToken(ctx, Token{Name: "x", Role: "operator", Link: true, ExpiresMS: in(time.Hour)}); err == nil {
		t.Error("a link that may print was made")
	}
	secret, _, err := s.CreateToken(ctx, Token{Name: "x", Role: "owner", ExpiresMS: in(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ago  time.Duration
		want int
	}{{time.Second, 3}, {31 * day, 0}} {
		ago, want := c.ago, c.want
		if _, err := s.db.Exec(`UPDATE tokens SET expires_ms = ?`, in(-ago)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.TokenBySecret(ctx, secret); !errors.Is(err, ErrNoToken) {
			t.Errorf("ended: got %v, want ErrNoToken", err)
		}
		if all, err := s.Tokens(ctx); err != nil || len(all) != want {
			t.Errorf("%v after its end: got %d, %v, want %d listed", ago, len(all), err, want)
		}
	}
	if err := s.forgetEnded(); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.db.QueryRow(`SELECT count(*) FROM tokens`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d tokens are left, %v", left, err)
	}
}

func TestAuditLog(t *testing.T) {
	s, ctx := open1(t), t.Context()
	if err := s.Audit(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO audit (at_ms, who, name, role, via, address, what, detail, outcome) SELECT i, 'a', '', '', '', '', 'jog', '', 'ok' FROM n`, keepDeeds); err != nil {
		t.Fatal(err)
	}
	var more []Deed
	for i := range 5 {
		more = append(more, Deed{Who: "a", AtMS: int64(keepDeeds + i), What: "jog", Detail: "1\n\u202e" + strings.Repeat("x", 500), Outcome: "ok"})
	}
	if err := s.Audit(ctx, more); err != nil {
		t.Fatal(err)
	}
	newest, err := s.Deeds(ctx, 0, 3)
	if err != nil || len(newest) != 3 || newest[0].AtMS != keepDeeds+4 || strings.ContainsAny(newest[0].Detail, "\n\u202e") || len(newest[0].Detail) > maxDetail {
		t.Errorf("got %+v, %v", newest, err)
	}
	if older, err := s.Deeds(ctx, newest[2].Seq, 1); err != nil || len(older) != 1 || older[0].Seq != newest[2].Seq-1 {
		t.Errorf("got %+v, %v", older, err)
	}
	if all, err := s.Deeds(ctx, 0, 2*keepDeeds); err != nil || len(all) != keepDeeds {
		t.Errorf("%d are kept, %v, want %d", len(all), err, keepDeeds)
	}
}

// Wrong passwords from ever so many addresses leave room for what people did.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	s, ctx := open1(t), t.Context()
	if err := s.Audit(ctx, []Deed{{Who: "a", What: "add_key"}}); err != nil {
		t.Fatal(err)
	}
	guesses := make([]Deed, keepStrangers)
	for i := range guesses {
		guesses[i] = Deed{What: "login", AtMS: int64(i), Outcome: "wrong_password"}
	}
	for range keepDeeds/keepStrangers + 1 {
		if err := s.Audit(ctx, guesses); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Audit(ctx, []Deed{{Who: "a", What: "jog"}}); err != nil {
		t.Fatal(err)
	}
	all, err := s.Deeds(ctx, 0, 2*keepDeeds)
	if err != nil || len(all) != keepStrangers+2 || all[0].What != "jog" || all[1].AtMS != keepStrangers-1 || all[len(all)-1].What != "add_key" {
		t.Errorf("%d are kept, %v, the oldest %+v, want both of somebody's and the newest %d others", len(all), err, all[len(all)-1], keepStrangers)
	}
}

// Of what lets somebody in only hashes are on the disk.
func TestSessionSecretIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	anna, err := s.AddFirstOwner(t.Context(), "Anna", "hash")
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.AddSession(t.Context(), Session{Person: anna.ID, Shown: "hash", Via: "password"}, "")
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "layerd.db*"))
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 { // whatever the folder is
			t.Errorf("%s: got %v, %v, want it to be ours alone", name, info, err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(secret[3:])) {
			t.Errorf("%s holds the secret", name)
		}
	}
	if len(names) == 0 {
		t.Error("there is no database")
	}
}

// Keys from before they could end never do.
func TestMigrateTokens(t *testing.T) {
	dir := t.TempDir()
	old, err := openDatabase(filepath.Join(dir, "layerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(old, migrations[:9], false); err != nil {
		t.Fatal(err)
	}
	if _, err := old.Exec(`INSERT INTO tokens (id, name, role, hash, created_ms, used_ms) VALUES ('t1', 'phone', 'owner', ?, 1, 60000)`, hashSecret("ld_old")); err != nil {
		t.Fatal(err)
	}
	old.Close()
	s := openIn(t, dir)
	got, err := s.TokenBySecret(t.Context(), "ld_old")
	if err != nil || got.ID != "t1" || got.Role != "owner" || got.ExpiresMS != 0 || got.Link {
		t.Errorf("got %+v, %v", got, err)
	}
	if any, owner, err := s.HasAccounts(t.Context()); any || owner || err != nil {
		t.Errorf("got accounts %v, %v, %v, want none", any, owner, err)
	}
}

// FuzzTextOfOthers: whatever a name, a browser's name or a deed holds, what is kept of it can be seen, is one line, and not long.
func FuzzTextOfOthers(f *testing.F) {
	f.Add("Anna\u202e\r\n\x1b[2J", 20)
	f.Add("\xff\xfe\u2028"+strings.Repeat("ü", 70), 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(most&0xff, utf8.UTFMax)
		if got := plainText(text, most); !utf8.ValidString(got) || strings.ContainsFunc(got, invisible) || len(got) > most {
			t.Errorf("%q: got %q, want at most %d bytes that can be seen", text, got, most)
		}
		name, err := cleanName(text)
		if err != nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("%q: got %v", text, err)
			}
			return
		}
		again, err := cleanName(name)
		if n := utf8.RuneCountInString(name); err != nil || again != name || n < 1 || n > maxName || strings.ContainsFunc(name, invisible) || fold(name) == "" {
			t.Errorf("%q: got the name %q, and from that %q, %v", text, name, again, err)
		}
	})
}
