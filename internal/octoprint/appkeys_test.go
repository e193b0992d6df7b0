package octoprint

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
	"layerd/internal/server"
)

// A program asks for a key, an owner allows it, and the key that the program finds prints.
func TestAppKeys(t *testing.T) {
	r := newRig(t, 50)
	ask := func(method, url, body, key string) (status int, location, text string) {
		t.Helper()
		q, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			q.Header.Set("X-Api-Key", key)
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Header.Get("Location"), string(said)
	}
	if status, _, _ := ask("GET", r.url+"/plugin/appkeys/probe", "", ""); status != 204 {
		t.Fatalf("probe: got %d", status)
	}
	for _, bad := range []string{"", "null", `{"app":""}`, `{"app":7}`, `[]`, strings.Repeat("x", maxAppBody+1)} {
		if status, _, _ := ask("POST", r.url+"/plugin/appkeys/request", bad, ""); status/100 != 4 {
			t.Errorf("%.20q: got %d", bad, status)
		}
	}
	status, at, text := ask("POST", r.url+"/plugin/appkeys/request", `{"app":"Cura","user":"anna"}`, "")
	var asked AppAsked
	if err := json.Unmarshal([]byte(text), &asked); err != nil || status != 201 || at != r.url+"/plugin/appkeys/request/"+asked.AppToken || asked.AuthDialog != r.url+"/" {
		t.Fatalf("request: got %d, %s, %s", status, at, text)
	}
	if status, _, text := ask("GET", at, "", ""); status != 202 || !strings.Contains(text, "message") {
		t.Errorf("before the answer: got %d %s", status, text)
	}
	owner := access.Identity{ID: "o", Name: "Anna", Role: access.Owner, Confirmed: true}
	asking := r.server.State(owner).Asking
	if len(asking) != 1 || asking[0].App != "Cura" || asking[0].From != "127.0.0.1" {
		t.Fatalf("an owner is shown %+v", asking)
	}
	pending := "pending." + asking[0].ID
	r.get("/api/plugin/appkeys").is(200).has(map[string]any{pending + ".app_id": "Cura", pending + ".user_id": nil, pending + ".user_token": asking[0].ID, pending + ".remote_address": "127.0.0.1",
		"keys.0.app_id": "operator", "keys.0.api_key": "(missing)", "keys.3": "(missing)"})
	r.send(access.Operator, "GET", "/api/plugin/appkeys", "", nil).refused(403)
	if a := r.server.Do(t.Context(), owner, server.Command{Do: "allow_app", App: asking[0].ID, Role: "operator"}); a.Error != nil {
		t.Fatal(a.Error)
	}
	status, _, text = ask("GET", at, "", "")
	var given struct {
		Key string `json:"api_key"`
	}
	if err := json.Unmarshal([]byte(text), &given); err != nil || status != 200 || given.Key == "" {
		t.Fatalf("after it: got %d %s", status, text)
	}
	if status, _, text := ask("GET", r.url+"/api/version", "", given.Key); status != 200 {
		t.Errorf("with the key: got %d %s", status, text)
	}
	if status, _, _ := ask("GET", at, "", ""); status != 404 {
		t.Errorf("for the second time: got %d", status)
	}
	if status, _, _ := ask("GET", r.url+"/plugin/appkeys/request/nonsense", "", ""); status != 404 {
		t.Errorf("of nobody: got %d", status)
	}
	// The page of an app may ask, and hear what is answered. A site's asks in nobody's name.
	for origin, want := range map[string]int{"http://evil.example": 403, "https://evil.example": 403, "null": 403, "": 201, "file://": 201, "app://.": 201} {
		q, err := http.NewRequest("POST", r.url+"/plugin/appkeys/request", strings.NewReader(`{"app":"OctoDash"}`))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Sec-Fetch-Site", "cross-site") // OctoDash, whose Electron lets it ask whomever it likes, sends this and no Origin
		if origin != "" {
			q.Header.Set("Origin", origin)
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		heard := answer.Header.Get("Access-Control-Allow-Origin") != ""
		if answer.StatusCode != want || heard != (want == 201) {
			t.Errorf("from %q: got %d, and it is heard: %v; want %d", origin, answer.StatusCode, heard, want)
		}
	}
}
