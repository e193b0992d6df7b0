package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestToken(t *testing.T) {
	s := open1(t)
	before := time.Now()
	secret, made, err := s.CreateToken(t.Context(), Token{Name: " Anna's\u202e phone\x00 ", Role: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ld_[A-Za-z0-9_-]{43}$`).MatchString(secret) {
		t.Errorf("secret: got %s", secret)
	}
	if made.Name != "Anna's phone" || made.Role != "owner" || made.ID == "" || made.UsedMS != 0 || made.CreatedMS < before.UnixMilli() {
		t.Errorf("got %+v", made)
	}
	got, err := s.TokenBySecret(t.Context(), secret)
	if err != nil || got.ID != made.ID {
		t.Fatalf("got %+v, %v, want %+v", got, err, made)
	}
	if got.UsedMS%60000 != 0 || got.UsedMS < before.Truncate(time.Minute).UnixMilli() {
		t.Errorf("used: got %d, want this minute", got.UsedMS)
	}
	if all, err := s.Tokens(t.Context()); err != nil || len(all) != 1 || all[0] != got {
		t.Errorf("got %+v, %v, want %+v", all, err, got)
	}
	for _, wrong := range []string{"", "ld_", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret), made.ID, string(hashSecret(secret))} {
		if _, err := s.TokenBySecret(t.Context(), wrong); !errors.Is(err, ErrNoToken) {
			t.Errorf("%q: got %v, want ErrNoToken", wrong, err)
		}
	}
	if err := s.DeleteToken(t.Context(), made.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TokenBySecret(t.Context(), secret); !errors.Is(err, ErrNoToken) {
		t.Errorf("deleted: got %v, want ErrNoToken", err)
	}
	if err := s.DeleteToken(t.Context(), made.ID, true); !errors.Is(err, ErrNoToken) {
		t.Errorf("deleted twice: got %v, want ErrNoToken", err)
	}
}

func TestTokenRefused(t *testing.T) {
	s := open1(t)
	for _, c := range []struct{ name, role string }{
		{"a", ""}, {"a", "nobody"}, {"a", "Owner"}, {"a", "admin"},
		{"", "owner"}, {" \t", "owner"}, {"\u200b", "owner"}, {"\xff", "owner"}, {strings.Repeat("x", 65), "owner"},
	} {
		if _, _, err := s.CreateToken(t.Context(), Token{Name: c.name, Role: c.role}); err == nil {
			t.Errorf("name %q, role %q: made", c.name, c.role)
		}
	}
	if _, _, err := s.CreateToken(t.Context(), Token{Name: strings.Repeat("ü", 64), Role: "viewer"}); err != nil {
		t.Error(err)
	}
}

func TestSecretIsNotKept(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	secret, _, err := s.CreateToken(t.Context(), Token{Name: "a", Role: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TokenBySecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	s.Close()
	names, err := filepath.Glob(filepath.Join(dir, "layerd.db*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(secret[3:])) {
			t.Errorf("%s holds the secret", name)
		}
	}
}

// A key that has been shown is known without the database, until people change or its time is over.
func TestShownKeys(t *testing.T) {
	s := open1(t)
	secret, made, err := s.CreateToken(t.Context(), Token{Name: "app", Role: "operator", ExpiresMS: time.Now().Add(time.Hour).UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	look := func() error { _, err := s.TokenBySecret(t.Context(), secret); return err }
	if err := look(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(`UPDATE tokens SET hash = 'another'`); err != nil {
		t.Fatal(err)
	}
	if err := look(); err != nil {
		t.Errorf("shown before: got %v, want no search", err)
	}
	hash := sha256.Sum256([]byte(secret))
	s.keys.of[hash].ExpiresMS = time.Now().UnixMilli()
	if err := look(); !errors.Is(err, ErrNoToken) {
		t.Errorf("its time is over: got %v, want ErrNoToken", err)
	}
	s.keys.of[hash].ExpiresMS = 0
	before := s.people.heard()
	s.TellPeople()
	if err := look(); !errors.Is(err, ErrNoToken) {
		t.Errorf("people have changed, and it is another's: got %v, want ErrNoToken", err)
	}
	s.keys.keep(before, hash, made) // read before they did
	if err := look(); !errors.Is(err, ErrNoToken) {
		t.Errorf("what was read before people changed: got %v, want ErrNoToken", err)
	}
}

// That a key is used is written once a minute, however many show it at the same moment.
func TestUseIsNotedOnce(t *testing.T) {
	s := open1(t)
	secret, made, err := s.CreateToken(t.Context(), Token{Name: "app", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(`CREATE TABLE noted (n INT); CREATE TRIGGER note AFTER UPDATE OF used_ms ON tokens BEGIN INSERT INTO noted VALUES (1); END`); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got, err := s.TokenBySecret(t.Context(), secret); err != nil || got.ID != made.ID {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	var times int
	if err := s.db.QueryRow(`SELECT count(*) FROM noted`).Scan(&times); err != nil || times < 1 || times > 2 { // the minute may end meanwhile
		t.Errorf("noted %d times, %v; want once", times, err)
	}
}
