package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"layerd/camera"
	"layerd/internal/access"
)

func TestUnknownPathsAreNotThePage(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/nothing", "/v1", "/v1/", "/v1/states", "/v1/files/", "/index.htm", "/assets/", "/assets/none.js", "/assets/.hidden", "//v1/state", "/webcam", "/api/version"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			for _, role := range []string{"", "owner"} {
				if w := r.do(method, target, role, nil, func(q *http.Request) { q.URL.Path = target }); w.Code != 404 || errorCode(t, w.Body.Bytes()) != "no_route" {
					t.Errorf("%s %s as %q: got %d %s, want 404", method, target, role, w.Code, w.Body)
				}
			}
		}
	}
}

func TestWrongMethod(t *testing.T) {
	r := newRig(t)
	for target, allow := range map[string]string{"/v1/state": "GET", "/v1/do": "POST", "/v1/files/a.gcode": "GET, PUT, DELETE", "/": "GET", "/healthz": "GET"} {
		w := r.do("PATCH", target, "owner", nil)
		if w.Code != 405 || w.Header().Get("Allow") != allow || errorCode(t, w.Body.Bytes()) != "method" {
			t.Errorf("PATCH %s: got %d, Allow %q, %s, want 405 and %q", target, w.Code, w.Header().Get("Allow"), w.Body, allow)
		}
	}
	if w := r.do("HEAD", "/v1/state", "viewer", nil); w.Code != 200 {
		t.Errorf("HEAD /v1/state: got %d, want 200", w.Code)
	}
}

// watchedBody fails the test when anybody reads it.
type watchedBody struct{ t *testing.T }

func (b watchedBody) Read([]byte) (int, error) {
	b.t.Error("the body was read before the key was checked")
	return 0, io.EOF
}

func TestBodyIsNotReadWithoutAKey(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"PUT /v1/files/a.gcode", "POST /v1/do"} {
		method, path, _ := strings.Cut(target, " ")
		for role, want := range map[string]int{"": 401, "wrong": 401, "viewer": 403} {
			if w := r.do(method, path, role, watchedBody{t}); w.Code != want || w.Header().Get("Connection") != "close" {
				t.Errorf("%s as %q: got %d, Connection %q, want %d and close", target, role, w.Code, w.Header().Get("Connection"), want)
			}
		}
	}
}

// A client that waits for leave to send its body gets the refusal instead, at once.
func TestBodyIsNotAskedForWithoutAKey(t *testing.T) {
	host := newRig(t).listen(t)
	for name, c := range map[string]struct{ key, path, want string }{
		"wrong key":   {"wrong", "new.gcode", "401"},
		"name taken":  {"operator", "cube.gcode?overwrite=0", "409"},
		"bad name":    {"operator", "a/../../b.gcode", "400"},
		"all is well": {"operator", "new.gcode", "100"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "PUT /v1/files/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n", c.path, c.key)
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(line, "HTTP/1.1 "+c.want) {
				t.Errorf("got %q, want status %s", line, c.want)
			}
		})
	}
}

func TestCookieCannotBeUsedByOtherSites(t *testing.T) {
	r := newRig(t)
	cookie := func(q *http.Request) { q.AddCookie(&http.Cookie{Name: access.CookieName, Value: "owner"}) }
	header := func(name, value string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		change []func(*http.Request)
		want   int
	}{
		"our page":                     {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "same-origin")}, 200},
		"another site":                 {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "cross-site")}, 403},
		"another port":                 {[]func(*http.Request){cookie, header("Sec-Fetch-Site", "same-site")}, 403},
		"old browser, our page":        {[]func(*http.Request){cookie, header("Origin", "http://example.com")}, 200},
		"old browser, other":           {[]func(*http.Request){cookie, header("Origin", "http://evil.example")}, 403},
		"another site with a password": {[]func(*http.Request){cookie, header("Origin", "http://evil.example"), header("Authorization", "Basic eDp5")}, -1},
		"form without an origin":       {[]func(*http.Request){cookie, header("Origin", "null")}, 403},
	} {
		w := r.do("POST", "/v1/do", "", strings.NewReader(`{"do":"pause"}`), c.change...)
		if w.Code != c.want && (c.want > 0 || w.Code < 400) { // -1: any refusal
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
		}
	}
	if n := len(r.printer.called()); n != 2 {
		t.Errorf("the printer was asked %d times, want 2", n)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Cameras = panicCameras{c.Cameras} })
	if w := r.do("GET", "/v1/choices", "owner", nil); w.Code != 500 || errorCode(t, w.Body.Bytes()) != "internal" || strings.Contains(w.Body.String(), "wires") {
		t.Errorf("got %d %s, want 500 that tells nothing", w.Code, w.Body)
	}
	if code, a := r.command(t, "owner", `{"id":"1","do":"set_camera","camera":{}}`); code != 500 || a.Error.Code != "internal" {
		t.Errorf("a command: got %d %+v, want 500", code, a)
	}
}

type panicCameras struct{ Cameras }

func (panicCameras) Devices() []camera.Device { panic("crossed wires") }
func (panicCameras) Setups() []camera.Setup   { panic(errors.New("crossed wires")) }
