package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/internal/people"
	"layerd/internal/store"
)

// The door with the real gate and the real store.

// house is a server with people, on a real port.
type house struct {
	t    *testing.T
	rig  *rig
	gate *access.Gate
	kept *store.Store
	host string
}

func newHouse(t *testing.T, change ...func(*access.Config)) *house {
	t.Helper()
	kept, err := store.Open(t.TempDir(), store.Limits{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	cfg := access.Config{Book: people.Book{Store: kept}, DefaultRole: func() access.Role { return access.Viewer }}
	for _, f := range change {
		f(&cfg)
	}
	h := &house{t: t, gate: access.NewGate(cfg), kept: kept}
	h.rig = newRig(t, func(c *Config) { c.Gate, c.People, c.Host = h.gate, kept, "voron" })
	h.host = h.rig.listen(t)
	return h
}

// browser is one that keeps its cookie.
type browser struct {
	h      *house
	cookie *http.Cookie
	key    string // shown as Bearer, when it is not ""
}

func (h *house) browser() *browser { return &browser{h: h} }

// ask sends a request as our page would, and keeps the cookie that comes back. change may make it another's.
func (b *browser) ask(method, path, body string, change ...func(*http.Request)) (int, http.Header, string) {
	b.h.t.Helper()
	q, err := http.NewRequest(method, "http://"+b.h.host+path, strings.NewReader(body))
	if err != nil {
		b.h.t.Fatal(err)
	}
	q.Header.Set("Origin", "http://"+b.h.host)
	q.Header.Set("User-Agent", "a browser")
	if b.cookie != nil {
		q.AddCookie(b.cookie)
	}
	if b.key != "" {
		q.Header.Set("Authorization", "Bearer "+b.key)
	}
	for _, f := range change {
		f(q)
	}
	w := httptest.NewRecorder()
	b.h.rig.ServeHTTP(w, withAddress(q))
	for _, c := range w.Result().Cookies() {
		if c.Name == access.CookieName {
			b.cookie = c
		}
	}
	return w.Code, w.Header(), w.Body.String()
}

func withAddress(q *http.Request) *http.Request {
	q.RemoteAddr = "192.168.1.7:4000"
	q.Host = q.URL.Host
	return q
}

// want is ask for what must come out so; code is that of an error, "" for none.
func (b *browser) want(status int, code, method, path, body string, change ...func(*http.Request)) map[string]any {
	b.h.t.Helper()
	got, _, text := b.ask(method, path, body, change...)
	var v map[string]any
	if text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			b.h.t.Fatalf("%s %s: got %d %q, want JSON", method, path, got, text)
		}
	}
	e, _ := v["error"].(map[string]any)
	if is, _ := e["code"].(string); got != status || is != code {
		b.h.t.Fatalf("%s %s %s: got %d %s, want %d %q", method, path, body, got, text, status, code)
	}
	return v
}

const (
	annas = `{"name":"Anna","password":"correct horse"}`
	oncem = `{"password":"correct horse"}`
)

// owned is a house with an owner, Anna, who is logged in.
func owned(t *testing.T) (*house, *browser) {
	t.Helper()
	h := newHouse(t)
	anna := h.browser()
	anna.want(200, "", "POST", "/v1/setup", fmt.Sprintf(`{"secret":%q,"name":"Anna","password":"correct horse"}`, h.gate.OpenSetup()))
	return h, anna
}

func TestSetUpOverHTTP(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	if door := b.want(200, "", "GET", "/v1/door", ""); door["setup"] != false || door["accounts"] != false || door["name"] != "voron" {
		t.Errorf("without a link: got %v", door)
	}
	secret := h.gate.OpenSetup()
	if door := b.want(200, "", "GET", "/v1/door", ""); door["setup"] != true {
		t.Errorf("with a link: got %v", door)
	}
	b.want(401, "key_needed", "GET", "/v1/state", "")
	form := func(secret, name, password string) string {
		return fmt.Sprintf(`{"secret":%q,"name":%q,"password":%q}`, secret, name, password)
	}
	b.want(401, "key_needed", "POST", "/v1/setup", form("wrong", "Anna", "correct horse"))
	b.want(422, "bad_password", "POST", "/v1/setup", form(secret, "Anna", "short"))
	b.want(400, "bad_name", "POST", "/v1/setup", form(secret, " ", "correct horse"))
	b.want(403, "cross_origin", "POST", "/v1/setup", form(secret, "Anna", "correct horse"), func(q *http.Request) { q.Header.Set("Origin", "http://evil.example") })
	if me := b.want(200, "", "POST", "/v1/setup", form(secret, "Anna", "correct horse")); me["role"] != "owner" || me["via"] != "session" || me["name"] != "Anna" {
		t.Errorf("got %v", me)
	}
	b.want(200, "", "GET", "/v1/state", "")
	h.browser().want(409, "setup_over", "POST", "/v1/setup", form(secret, "Eva", "correct horse"))
	h.browser().want(409, "setup_over", "POST", "/v1/setup", form(h.gate.OpenSetup(), "Eva", "correct horse"))
	if door := b.want(200, "", "GET", "/v1/door", ""); door["setup"] != false || door["accounts"] != true {
		t.Errorf("afterwards: got %v", door)
	}
}

func TestLoginOverHTTP(t *testing.T) {
	h, anna := owned(t)
	b := h.browser()
	b.cookie = &http.Cookie{Name: access.CookieName, Value: "known-to-somebody-else"}
	b.want(200, "", "POST", "/v1/login", annas)
	if b.cookie.Value == "known-to-somebody-else" || !b.cookie.HttpOnly || b.cookie.SameSite != http.SameSiteStrictMode || b.cookie.Path != "/" {
		t.Errorf("got the cookie %v", b.cookie)
	}
	fixed := *anna.cookie // what somebody put into a browser ends when its person logs in there
	victim := h.browser()
	victim.cookie = &fixed
	victim.want(200, "", "POST", "/v1/login", annas)
	anna.want(401, "key_needed", "GET", "/v1/state", "")
	victim.want(200, "", "GET", "/v1/state", "")

	b.want(403, "cross_origin", "POST", "/v1/login", annas, func(q *http.Request) { q.Header.Set("Origin", "http://evil.example") })
	b.want(400, "bad_message", "POST", "/v1/login", `{"name":"Anna","pass":"x"}`)
	b.want(413, "bad_message", "POST", "/v1/login", `{"name":"`+strings.Repeat("x", maxForm)+`"}`)
	b.want(401, "wrong_password", "POST", "/v1/login", `{"name":"Anna","password":"wrong horse"}`)
	status, header, text := b.ask("POST", "/v1/login", annas)
	if status != 429 || header.Get("Retry-After") != "1" || !strings.Contains(text, "Wait 1 second, then") {
		t.Errorf("too early: got %d, Retry-After %q, %s", status, header.Get("Retry-After"), text)
	}
	b.want(204, "", "POST", "/v1/logout", "")
	b.want(401, "key_needed", "GET", "/v1/state", "")
	victim.want(200, "", "GET", "/v1/state", "")
}

func TestLoginByKeyOverHTTP(t *testing.T) {
	h := newHouse(t)
	secret, token, err := h.kept.CreateToken(t.Context(), store.Token{Name: "phone", Role: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	b.key = secret
	b.want(200, "", "POST", "/v1/login", "")
	b.key = ""
	if b.cookie == nil || strings.Contains(b.cookie.Value, secret[3:]) {
		t.Fatalf("got the cookie %v, want a session's", b.cookie)
	}
	if state := b.want(200, "", "GET", "/v1/state", ""); state["me"].(map[string]any)["via"] != "session" || state["me"].(map[string]any)["name"] != "phone" {
		t.Errorf("I am %v", state["me"])
	}
	old := h.browser() // a key in a cookie, as it once was
	old.cookie = &http.Cookie{Name: "layerd_key", Value: secret}
	old.want(401, "key_needed", "GET", "/v1/state", "")
	old.cookie = &http.Cookie{Name: access.CookieName, Value: secret}
	old.want(401, "key_needed", "GET", "/v1/state", "")
	b.want(409, "no_password", "POST", "/v1/password", `{"old":"","new":"correct horse"}`)
	if err := h.kept.DeleteToken(t.Context(), token.ID, true); err != nil {
		t.Fatal(err)
	}
	b.want(401, "key_needed", "GET", "/v1/state", "")
}

func TestConfirmOverHTTP(t *testing.T) {
	_, anna := owned(t)
	const bob = `{"name":"Bob","role":"operator","password":"battery staple"}`
	anna.want(403, "confirm", "POST", "/v1/people", bob)
	anna.want(403, "not_proven", "POST", "/v1/confirm", `{"password":"wrong"}`)
	anna.want(429, "too_many_tries", "POST", "/v1/confirm", oncem)
	_, anna = owned(t) // who waits for nothing
	anna.want(204, "", "POST", "/v1/confirm", oncem)
	anna.want(200, "", "POST", "/v1/people", bob)
	anna.want(409, "name_taken", "POST", "/v1/people", strings.Replace(bob, "Bob", "BOB", 1))
	anna.want(400, "bad_command", "POST", "/v1/people", `{"name":"x","role":"viewer"}`)
	anna.want(422, "bad_role", "POST", "/v1/people", `{"name":"x","role":"king","tailnet":true}`)
}

func TestAnOwnerByKeyManagesPeople(t *testing.T) {
	h, anna := owned(t)
	secret, _, err := h.kept.CreateToken(t.Context(), store.Token{Name: "rescue", Role: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	b.key = secret
	b.want(200, "", "POST", "/v1/login", "")
	b.key = ""
	list := b.want(200, "", "GET", "/v1/people", "")["people"].([]any)
	id := list[0].(map[string]any)["id"].(string)
	b.want(403, "confirm", "PUT", "/v1/people/"+id, `{"password":"battery staple"}`)
	b.want(204, "", "POST", "/v1/confirm", fmt.Sprintf(`{"key":%q}`, secret))
	b.want(200, "", "PUT", "/v1/people/"+id, `{"password":"battery staple"}`)
	anna.want(401, "key_needed", "GET", "/v1/state", "") // her session ended with her password
	h.browser().want(200, "", "POST", "/v1/login", `{"name":"anna","password":"battery staple"}`)
}

func TestLastOwnerOverHTTP(t *testing.T) {
	_, anna := owned(t)
	anna.want(204, "", "POST", "/v1/confirm", oncem)
	id := anna.want(200, "", "GET", "/v1/people", "")["people"].([]any)[0].(map[string]any)["id"].(string)
	anna.want(409, "last_owner", "DELETE", "/v1/people/"+id, "")
	anna.want(409, "last_owner", "PUT", "/v1/people/"+id, `{"role":"viewer"}`)
	anna.want(404, "no_person", "DELETE", "/v1/people/nobody", "")
	anna.want(200, "", "POST", "/v1/people", `{"name":"Eva","role":"owner","password":"battery staple"}`)
	anna.want(200, "", "PUT", "/v1/people/"+id, `{"role":"viewer"}`)
	anna.want(403, "role_too_low", "GET", "/v1/people", "") // at once
	anna.want(200, "", "GET", "/v1/state", "")
}

func TestLinksAndKeysOverHTTP(t *testing.T) {
	h, anna := owned(t)
	anna.want(204, "", "POST", "/v1/confirm", oncem)
	soon := time.Now().Add(time.Hour).UnixMilli()
	anna.want(400, "bad_command", "POST", "/v1/tokens", fmt.Sprintf(`{"name":"x","role":"operator","expires_ms":%d,"link":true}`, soon))
	anna.want(422, "bad_expiry", "POST", "/v1/tokens", `{"name":"x","role":"viewer","link":true}`)
	made := anna.want(200, "", "POST", "/v1/tokens", fmt.Sprintf(`{"name":"Grandma","role":"viewer","expires_ms":%d,"link":true}`, soon))
	if !strings.HasPrefix(made["qr"].(string), "data:image/png;base64,") {
		t.Errorf("got the QR code %.40s", made["qr"])
	}
	owner := h.browser() // who is in as an owner is not thrown out by a link that she opens
	owner.cookie, owner.key = anna.cookie, made["secret"].(string)
	owner.want(200, "", "POST", "/v1/login", "")
	owner.key = ""
	if me := owner.want(200, "", "GET", "/v1/state", "")["me"].(map[string]any); me["role"] != "owner" || owner.cookie.Value != anna.cookie.Value {
		t.Errorf("the owner who opened a link is %v now", me)
	}
	link := h.browser()
	link.key = made["secret"].(string)
	link.want(200, "", "POST", "/v1/login", "")
	link.key = ""
	sessions := anna.want(200, "", "GET", "/v1/sessions?all=1", "")["sessions"].([]any)
	found := false
	for _, one := range sessions {
		s := one.(map[string]any)
		if s["name"] == "Grandma" {
			found = true
			if s["via"] != "link" || s["expires_ms"] != float64(soon) || s["agent"] != "a browser" || s["from"] != "192.168.1.7" || s["current"] != false {
				t.Errorf("got %v", s)
			}
		}
	}
	if !found || len(sessions) != 2 {
		t.Errorf("got %v", sessions)
	}
	if own := link.want(200, "", "GET", "/v1/sessions", "")["sessions"].([]any); len(own) != 1 || own[0].(map[string]any)["current"] != true {
		t.Errorf("its own: got %v", own)
	}
	link.want(403, "role_too_low", "GET", "/v1/sessions?all=1", "")
	neighbour := h.browser() // who has the same link sees nothing of the others, and throws nobody out
	neighbour.key = made["secret"].(string)
	neighbour.want(200, "", "POST", "/v1/login", "")
	neighbour.key = ""
	grandmas := link.want(200, "", "GET", "/v1/sessions", "")["sessions"].([]any)
	if own := neighbour.want(200, "", "GET", "/v1/sessions", "")["sessions"].([]any); len(own) != 1 || own[0].(map[string]any)["current"] != true || len(grandmas) != 1 {
		t.Errorf("by the same link: got %v beside %v", own, grandmas)
	}
	neighbour.want(404, "no_session", "DELETE", "/v1/sessions/"+grandmas[0].(map[string]any)["id"].(string), "")
	annas := anna.want(200, "", "GET", "/v1/sessions", "")["sessions"].([]any)[0].(map[string]any)["id"].(string)
	link.want(404, "no_session", "DELETE", "/v1/sessions/"+annas, "")
	link.want(403, "role_too_low", "POST", "/v1/do", `{"do":"pause"}`)
	anna.want(204, "", "DELETE", "/v1/tokens/"+made["token"].(map[string]any)["id"].(string), "")
	link.want(401, "key_needed", "GET", "/v1/state", "")
	anna.want(204, "", "DELETE", "/v1/sessions/"+annas, "")
	anna.want(401, "key_needed", "GET", "/v1/state", "")
}

// A socket ends when what opened it does, at once, not at the next minute.
func TestRevocationEndsSockets(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(h *house, s store.Session) error
		code int
	}{
		"the session": {func(h *house, s store.Session) error { return h.kept.DeleteSession(h.t.Context(), s.ID) }, closeRevoked},
		"the person":  {func(h *house, s store.Session) error { return h.kept.DeletePerson(h.t.Context(), s.Person, true) }, closeRevoked},
		"the password": {func(h *house, s store.Session) error {
			other := "other"
			_, err := h.kept.ChangePerson(h.t.Context(), s.Person, store.PersonChange{Hash: &other}, "", true)
			return err
		}, closeRevoked},
		"the role": {func(h *house, s store.Session) error {
			role := "viewer"
			_, err := h.kept.ChangePerson(h.t.Context(), s.Person, store.PersonChange{Role: &role}, "", true)
			return err
		}, closeChanged},
	} {
		for _, path := range []string{"/v1/live", "/v1/camera"} {
			h, anna := owned(t)
			conn, _, err := websocket.DefaultDialer.Dial("ws://"+h.host+path, http.Header{"Cookie": {anna.cookie.Name + "=" + anna.cookie.Value}, "Origin": {"http://" + h.host}})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			sessions, err := h.kept.Sessions(t.Context(), "")
			if err != nil || len(sessions) != 1 {
				t.Fatal(sessions, err)
			}
			began := time.Now()
			if err := c.end(h, sessions[0]); err != nil {
				t.Fatal(err)
			}
			if got := (&phone{t: t, conn: conn}).closeCode(); got != c.code || time.Since(began) > recheckEvery/2 {
				t.Errorf("%s on %s: got code %d after %v, want %d", name, path, got, time.Since(began), c.code)
			}
		}
	}
}

// Everything that is done is written down, with who and from where, and without secrets.
func TestAudit(t *testing.T) {
	h, anna := owned(t)
	thief := h.browser()
	thief.want(401, "wrong_password", "POST", "/v1/login", `{"name":"anna","password":"a secret guess"}`)
	thief.ask("POST", "/v1/login", annas)                       // too early
	thief.want(401, "key_needed", "DELETE", "/v1/tokens/x", "") // who is nobody fills no log
	anna.want(403, "confirm", "POST", "/v1/people", "")
	anna.want(204, "", "POST", "/v1/confirm", oncem)
	anna.want(200, "", "POST", "/v1/people", `{"name":"Bob","role":"viewer","password":"battery staple"}`)
	anna.want(200, "", "POST", "/v1/do", `{"do":"send","line":"`+strings.Repeat("M117 x", 30)+`"}`)
	anna.want(200, "", "POST", "/v1/do", `{"do":"set_nozzle","target_c":210}`)
	anna.want(400, "bad_command", "POST", "/v1/do", `{"do":"jog","axes":"q","by_mm":1}`)
	anna.want(201, "", "PUT", "/v1/files/new.gcode", "G28\n")
	want := []string{"set_up ok", "login anna wrong_password", "add_person confirm", "confirm ok", "add_person Bob: viewer ok", "send line M117", "set_nozzle target_c 210 ok",
		"jog axes q, by_mm 1 bad_command", "upload new.gcode ok"}
	var got []string
	var text string
	for range 500 { // it is written later
		got = nil
		entries := anna.want(200, "", "GET", "/v1/audit?limit=500", "")["entries"].([]any)
		b, _ := json.Marshal(entries)
		text = string(b)
		for _, e := range entries {
			e := e.(map[string]any)
			got = append([]string{strings.Join(strings.Fields(fmt.Sprint(e["what"], " ", e["detail"], " ", e["outcome"])), " ")}, got...)
			if e["from"] != "192.168.1.7" || (e["name"] != "Anna") != (e["outcome"] == "wrong_password") {
				t.Fatalf("got %v", e)
			}
		}
		if len(got) >= len(want) {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	for _, secret := range []string{"horse", "staple", "guess", strings.Repeat("M117 x", 15)} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
