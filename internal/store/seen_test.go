package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// written is when a key was used last, as the database knows it.
func written(t *testing.T, s *Store, table, id string) time.Time {
	t.Helper()
	var ms int64
	if err := s.db.QueryRow(`SELECT used_ms FROM `+table+` WHERE id = ?`, id).Scan(&ms); err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(ms)
}

// A program asks each second: its first use is written, then one an hour, and whoever lists the keys has all of them exact.
func TestUsesAreWrittenSeldom(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(dir, Limits{MinFreeBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		secret, token, err := s.CreateToken(t.Context(), Token{Name: "program", Role: "viewer"})
		if err != nil {
			t.Fatal(err)
		}
		ask := func() {
			t.Helper()
			if got, err := s.TokenBySecret(t.Context(), secret); err != nil || got.UsedMS != time.Now().Truncate(time.Minute).UnixMilli() {
				t.Fatalf("got %+v, %v, want it used this minute", got, err)
			}
		}
		ask()
		if !written(t, s, "tokens", token.ID).Equal(began) {
			t.Errorf("its first use was not written")
		}
		changes := map[time.Time]bool{}
		for range 3 * 60 * 6 {
			time.Sleep(10 * time.Second)
			ask()
			changes[written(t, s, "tokens", token.ID)] = true
		}
		if len(changes) < 3 || len(changes) > 4 {
			t.Errorf("in three hours %d times were written, want one an hour", len(changes))
		}
		time.Sleep(2 * time.Minute)
		ask()
		if all, err := s.Tokens(t.Context()); err != nil || len(all) != 1 || all[0].UsedMS != time.Now().Truncate(time.Minute).UnixMilli() {
			t.Errorf("listed: got %+v, %v, want it used this minute", all, err)
		}
		time.Sleep(2 * time.Minute)
		ask()
		last := time.Now()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(dir, Limits{MinFreeBytes: 1}); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if !written(t, s, "tokens", token.ID).Equal(last.Truncate(time.Minute)) {
			t.Errorf("the last use was not written at the end")
		}
	})
}

// What the disk refuses is written another time.
func TestUsesAreKeptForLater(t *testing.T) {
	s := open1(t)
	_, token, err := s.CreateToken(t.Context(), Token{Name: "program", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	minute := time.Now().Truncate(time.Minute)
	s.seen.note(seenRow{"tokens", token.ID}, minute.UnixMilli(), time.Now())
	if _, err := s.db.Exec(`ALTER TABLE tokens RENAME TO away`); err != nil { // as a full disk does
		t.Fatal(err)
	}
	s.writeSeen(t.Context())
	if _, err := s.db.Exec(`ALTER TABLE away RENAME TO tokens`); err != nil {
		t.Fatal(err)
	}
	s.writeSeen(t.Context())
	if !written(t, s, "tokens", token.ID).Equal(minute) {
		t.Error("a use was lost when it could not be written")
	}
}
