package server

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/access"
)

func (r *rig) ask(t *testing.T, app, from string) string {
	t.Helper()
	q := httptest.NewRequest("POST", "/", nil)
	q.RemoteAddr = from
	token, err := r.AskForKey(q, app)
	if err != nil {
		t.Fatalf("%s asks: %v", app, err)
	}
	return token
}

func codeOf(err error) string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.code
	}
	return ""
}

// answer has an owner answer the only request.
func (r *rig) answerApp(t *testing.T, do string) Answer {
	t.Helper()
	asking := r.State(access.Identity{Role: access.Owner}).Asking
	if len(asking) != 1 {
		t.Fatalf("%d programs ask, want one", len(asking))
	}
	return r.Do(t.Context(), access.Identity{Role: access.Owner, Confirmed: true}, Command{Do: do, App: asking[0].ID})
}

func TestAProgramGetsAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := r.ask(t, "  Cura\t<b>\n\u202e ", "192.168.1.5")
		if asking := r.State(access.Identity{Role: access.Operator}).Asking; len(asking) != 0 {
			t.Errorf("an operator is shown %v", asking)
		}
		asking := r.State(access.Identity{Role: access.Owner}).Asking
		if len(asking) != 1 || asking[0].App != "Cura <b>" || asking[0].From != "192.168.1.5" {
			t.Fatalf("an owner is shown %+v", asking)
		}
		if _, err := r.KeyFor(token); codeOf(err) != "app_waiting" {
			t.Errorf("before the answer: got %v", err)
		}
		for _, me := range []access.Identity{{Role: access.Operator, Confirmed: true}, {Role: access.Owner}} {
			if a := r.Do(t.Context(), me, Command{Do: "allow_app", App: asking[0].ID}); a.Error == nil {
				t.Errorf("%v allowed it, want it refused", me)
			}
		}
		if a := r.answerApp(t, "allow_app"); a.Error != nil {
			t.Fatal(a.Error)
		}
		if made := r.people.keys(); len(made) != 1 || made[0].Name != "Cura <b>" || made[0].Role != "operator" {
			t.Errorf("made %+v, want a key of an operator", made)
		}
		if key, err := r.KeyFor(token); key != "ld_secret" || err != nil {
			t.Errorf("got %q, %v, want the key", key, err)
		}
		if key, err := r.KeyFor(token); codeOf(err) != "no_app" {
			t.Errorf("for the second time: got %q, %v", key, err)
		}
		time.Sleep(time.Hour) // fetched: nothing ends it
		if made := r.people.keys(); len(made) != 1 {
			t.Errorf("the key that was fetched is gone: %v", made)
		}
	})
}

func TestAProgramIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := r.ask(t, "Cura", "192.168.1.5")
		if a := r.answerApp(t, "deny_app"); a.Error != nil {
			t.Fatal(a.Error)
		}
		if len(r.State(access.Identity{Role: access.Owner}).Asking) != 0 {
			t.Error("it is still asked")
		}
		for range 2 {
			if key, err := r.KeyFor(token); codeOf(err) != "no_app" {
				t.Errorf("got %q, %v", key, err)
			}
		}
		if made := r.people.keys(); len(made) != 0 {
			t.Errorf("made %v", made)
		}
	})
}

func TestRequestsOfProgramsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		gone := r.ask(t, "gone", "192.168.1.5")
		patient := r.ask(t, "patient", "192.168.1.6")
		for looked := 0; ; looked++ {
			time.Sleep(appPatience - time.Second)
			if _, err := r.KeyFor(patient); codeOf(err) == "no_app" {
				if most := int(appTime/appPatience) + 8; looked < most-10 || looked > most {
					t.Errorf("it was over after %d looks", looked)
				}
				break
			}
		}
		if _, err := r.KeyFor(gone); codeOf(err) != "no_app" {
			t.Errorf("of a program that is gone: got %v", err)
		}
		r.ask(t, "forgetful", "192.168.1.5")
		if a := r.answerApp(t, "allow_app"); a.Error != nil {
			t.Fatal(a.Error)
		}
		time.Sleep(2 * appPatience)
		if made := r.people.keys(); len(made) != 0 {
			t.Errorf("the key that nobody fetched is still there: %v", made)
		}
	})
}

func TestFewProgramsAskAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		first := r.ask(t, "a", "192.168.1.5")
		again := r.ask(t, "a", "192.168.1.5") // begun anew
		if _, err := r.KeyFor(first); codeOf(err) != "no_app" {
			t.Errorf("the first try: got %v", err)
		}
		if _, err := r.KeyFor(again); codeOf(err) != "app_waiting" {
			t.Errorf("the second: got %v", err)
		}
		r.ask(t, "b", "192.168.1.5")
		q := httptest.NewRequest("POST", "/", nil)
		q.RemoteAddr = "192.168.1.5"
		if _, err := r.AskForKey(q, "c"); codeOf(err) != "crowded" {
			t.Errorf("a third of one address: got %v", err)
		}
		for i := range appsMax - 2 {
			r.ask(t, "a", "10.0.0."+string(rune('1'+i)))
		}
		q.RemoteAddr = "10.0.1.1"
		if _, err := r.AskForKey(q, "c"); codeOf(err) != "crowded" {
			t.Errorf("one too many: got %v", err)
		}
		for _, name := range []string{"", " \n", "\x00\x1b"} {
			if _, err := r.AskForKey(q, name); codeOf(err) != "bad_command" {
				t.Errorf("called %q: got %v", name, err)
			}
		}
		if got := appName(strings.Repeat("é", 100)); got != strings.Repeat("é", maxAppName) {
			t.Errorf("a long name became %q", got)
		}
	})
}

func TestAKeyThatCannotBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := r.ask(t, "Cura", "192.168.1.5")
		r.people.fail = errors.New("the disk is full")
		if a := r.answerApp(t, "allow_app"); a.Error == nil {
			t.Error("no error")
		}
		r.people.fail = nil
		if _, err := r.KeyFor(token); codeOf(err) != "app_waiting" {
			t.Errorf("got %v, want it to wait for another try", err)
		}
		r.answerApp(t, "allow_app")
		if key, err := r.KeyFor(token); key == "" {
			t.Errorf("got %v, want the key", err)
		}
		if len(r.people.keys()) != 1 {
			t.Error("no key was made")
		}
	})
}
