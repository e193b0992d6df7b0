package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"rsc.io/qr"

	"layerd/internal/server"
)

var setupLink = regexp.MustCompile(`(?m)^(http://\S+/)#setup=([A-Z2-7]{26})$`)

// The first owner: the link is printed and logged, works once, and is not there at the next start.
func TestFirstOwner(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := startDaemon(t, data, port(data+"/none"))
	var link []string
	d.await("the link", func() bool { link = setupLink.FindStringSubmatch(d.out.String()); return link != nil })
	if !strings.Contains(d.err.String(), link[0]) {
		t.Errorf("it is not in the log: %q", d.err.String())
	}
	if list := get[server.PeopleList](d, "/v1/people"); list.DefaultRole != "viewer" || len(list.People) != 0 {
		t.Errorf("got %+v", list)
	}
	if door := get[server.Door](d, "/v1/door"); !door.Setup || door.Accounts || door.Name == "" {
		t.Errorf("got %+v", door)
	}
	form := fmt.Sprintf(`{"secret":%q,"name":"Anna","password":"correct horse"}`, link[2])
	for i, want := range []int{http.StatusOK, http.StatusConflict} {
		if status, body := d.ask("POST", "/v1/setup", "", strings.NewReader(form)); status != want {
			t.Errorf("use %d of the link: status %d, %s", i+1, status, body)
		}
	}
	if status, body := d.ask("POST", "/v1/login", "", strings.NewReader(`{"name":"anna","password":"correct horse"}`)); status != http.StatusOK {
		t.Errorf("login: status %d, %s", status, body)
	}
	d.end(patience)
	again := startDaemon(t, data, port(data+"/none"))
	if link := setupLink.FindString(again.out.String()); link != "" {
		t.Errorf("with an owner: the link %s is printed", link)
	}
	if door := get[server.Door](again, "/v1/door"); door.Setup || !door.Accounts {
		t.Errorf("with an owner: got %+v", door)
	}
}

func TestTheDemoHasNoSetup(t *testing.T) {
	t.Parallel()
	d, _ := startDemo(t)
	if strings.Contains(d.out.String(), "#setup=") {
		t.Errorf("it printed %q", d.out.String())
	}
	if door := get[server.Door](d, "/v1/door"); door.Setup || door.Accounts {
		t.Errorf("got %+v", door)
	}
	if status, body := d.ask("POST", "/v1/login", d.token, nil); status != http.StatusOK {
		t.Errorf("login with its key: status %d, %s", status, body)
	}
}

// What is drawn is the code, with light around it.
func TestBlocks(t *testing.T) {
	code, err := qr.Encode("http://voron:8080/#setup=ABC", qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(blocks(code), "\n"), "\n")
	if len(lines) != (code.Size+5)/2 {
		t.Fatalf("%d lines for %d rows", len(lines), code.Size)
	}
	for y := -2; y < code.Size+2; y++ {
		for x := -2; x < code.Size+2; x++ {
			r := []rune(lines[(y+2)/2])[x+2]
			light := r == '█' || r == '▀' && y%2 == 0 || r == '▄' && y%2 != 0
			if light == code.Black(x, y) {
				t.Fatalf("at %d, %d there is %q", x, y, r)
			}
		}
	}
	if isTerminal(os.NewFile(^uintptr(0), "none")) || isTerminal(&strings.Builder{}) {
		t.Error("what is no terminal is taken for one")
	}
}
