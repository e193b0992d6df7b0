package server

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
	"layerd/internal/store"
)

func TestBase(t *testing.T) {
	r := newRig(t)
	for host, want := range map[string]string{"printer.local:5000": "http://printer.local:5000", "[fd00::1]:80": "http://[fd00::1]:80", "": "http://",
		`a"><script>`: "http://", "a b": "http://", "a/b": "http://", "a@b": "http://", strings.Repeat("a", 300): "http://"} {
		if got := r.Base(&http.Request{Host: host}); got != want {
			t.Errorf("%.40q: got %q, want %q", host, got, want)
		}
	}
}

// A ticket opens the pictures of cameras, and nothing else; over other ways in it has no power.
func TestTicketsOpenPicturesOnly(t *testing.T) {
	for target, want := range map[string]int{"/webcam/?action=snapshot&view=owner": 200, "/webcam/0/?action=snapshot&view=owner": 200, "/webcam/?action=snapshot&view=nonsense": 401, "/webcam/?action=snapshot": 401,
		"/v1/state?view=owner": 401, "/v1/camera?view=owner": 401, "/v1/thumbnails/cube.gcode?view=owner": 401, "/v1/neighbours?view=owner": 401, "/metrics?view=owner": 401} {
		r := newRig(t)
		r.cameras.take(1)
		if w := r.do("GET", target, "", nil); w.Code != want {
			t.Errorf("%s: got %d %s, want %d", target, w.Code, w.Body, want)
		}
	}
}

func TestPutLate(t *testing.T) {
	r := newRig(t)
	put := func(late string, replace bool) (store.File, bool, error) {
		return r.PutLate(t.Context(), "first.gcode", strings.NewReader("G28\nG1 X1\n"), -1, true, func() (string, bool, error) { return late, replace, nil })
	}
	if f, existed, err := put("second.gcode", false); err != nil || existed || f.Path != "second.gcode" {
		t.Errorf("got %+v, %v, %v", f, existed, err)
	}
	if _, existed, err := put("second.gcode", true); err != nil || !existed {
		t.Errorf("again: got %v, %v", existed, err)
	}
	if _, _, err := put("cube.gcode", false); !errors.Is(err, store.ErrExists) {
		t.Errorf("not to be replaced: got %v", err)
	}
	late := errors.New("no such field")
	if _, _, err := r.PutLate(t.Context(), "third.gcode", strings.NewReader("G28\n"), -1, true, func() (string, bool, error) { return "", false, late }); !errors.Is(err, late) {
		t.Errorf("got %v", err)
	}
}

func TestRemoveAll(t *testing.T) {
	r := newRig(t)
	me := access.Identity{ID: "1", Name: "Otto", Role: access.Operator}
	for _, name := range []string{"a/b/1.gcode", "a/2.gcode", "a-b.gcode", "b.gcode"} {
		r.files.add(name, "G28\n")
	}
	r.files.MakeFolder(t.Context(), "a")
	r.files.MakeFolder(t.Context(), "a/b")
	if err := r.RemoveAll(t.Context(), access.Identity{Role: access.Viewer}, "a"); err == nil {
		t.Error("a viewer could")
	}
	if err := r.RemoveAll(t.Context(), me, "a"); err != nil {
		t.Fatal(err)
	}
	var left []string
	files, _ := r.files.Files(t.Context())
	for _, f := range files {
		left = append(left, f.Path)
	}
	for _, name := range []string{"a-b.gcode", "b.gcode", "cube.gcode"} {
		if !strings.Contains(strings.Join(left, " "), name) {
			t.Errorf("%s is gone", name)
		}
	}
	if len(left) != 3 {
		t.Errorf("left are %q", left)
	}
}

// door is an API that people log in to.
type apiDoor struct{ s *Server }

func (d apiDoor) Routes() []Route {
	return []Route{
		{Method: "POST", Path: "/api/login", Least: access.Nobody, Deed: "login", Serve: func(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
			me, err := d.s.LogIn(w, r, "a", r.URL.Query().Get("pass"))
			if err == nil {
				io.WriteString(w, me.Name)
			}
			return err
		}},
		{Method: "POST", Path: "/api/logout", Least: access.Nobody, Deed: "logout", Serve: func(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
			return d.s.LogOut(w, r)
		}},
	}
}

func (d apiDoor) Fail(w http.ResponseWriter, _ *http.Request, err error) {
	_, status := d.s.Explain(err)
	w.WriteHeader(status)
}

func TestLogInByAnotherAPI(t *testing.T) {
	r := newRig(t)
	r.Mount(apiDoor{r.Server})
	w := r.do("POST", "/api/login?pass=operator", "", nil)
	if w.Code != 200 || w.Body.String() != "the operator" || !strings.HasPrefix(w.Header().Get("Set-Cookie"), access.CookieName+"=operator") {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
	if w := r.do("POST", "/api/login?pass=nonsense", "", nil); w.Code != 401 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("wrong: got %d %v", w.Code, w.Header())
	}
	if w := r.do("POST", "/api/logout", "", nil); w.Code != 200 || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("out: got %d %v", w.Code, w.Header())
	}
	var deeds []string
	for len(r.deeds.waiting) > 0 {
		d := <-r.deeds.waiting
		deeds = append(deeds, d.What+" "+d.Name+" "+d.Outcome)
	}
	if got := strings.Join(deeds, ", "); got != "login the operator ok, login  wrong_password" {
		t.Errorf("noted: %q", got)
	}
}
