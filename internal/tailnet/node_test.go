package tailnet

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"tailscale.com/tailcfg"

	"layerd/internal/access"
	"layerd/internal/overlay"
	"layerd/internal/tailnet/tailnettest"
)

func TestThePageOnTheTailnet(t *testing.T) {
	c := control(t)
	d := start(t, c, filepath.Join(t.TempDir(), "tailnet"), nil)
	s := d.until("running", is(overlay.Running))
	want := "http://voron." + tailnettest.Domain + "/"
	if s.Kind != overlay.Tailnet || s.Name != "voron."+tailnettest.Domain || s.URLs[0] != want || len(s.Addresses) != 2 || s.Problem != "" {
		t.Errorf("got %+v, want it running at %s", s, want)
	}
	if info, err := os.Stat(d.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want a directory for nobody else", info.Mode(), err)
	}
	alice := join(t, c, "phone")
	if who := alice.caller(t, byIP(s)); who != (access.Caller{Login: alice.login, Name: who.Name, Device: "phone"}) || who.Login == "" || who.Name == "" {
		t.Errorf("got %+v, want %s by phone, without a role", who, alice.login)
	}
	if who := alice.caller(t, want); who.Login != alice.login {
		t.Errorf("by name: got %+v", who)
	}
	if who := join(t, c, "camera", "tag:iot").caller(t, byIP(s)); who != (access.Caller{Device: "camera"}) {
		t.Errorf("tagged: got %+v, want nobody", who)
	}
	guest := join(t, c, "elsewhere")
	guest.known(t, byIP(s), "somebody of another tailnet", func(who access.Caller) bool {
		for _, n := range c.Fake.AllNodes() { // each time: what the node tells of itself replaces it
			if host := n.Hostinfo.AsStruct(); strings.HasPrefix(n.Name, "elsewhere.") && !host.ShareeNode {
				host.ShareeNode = true
				n.Hostinfo = host.View()
				c.Fake.UpdateNode(n)
			}
		}
		return who.Guest
	})
	c.Fake.SetGlobalAppCaps(tailcfg.PeerCapMap{CapAccess: {`{"role":"viewer"}`, `{"role":"operator"}`, `{"role":"emperor"}`, `7`}})
	alice.known(t, byIP(s), "an operator by the policy", func(who access.Caller) bool { return who.Role == access.Operator })
	d.until("a path", func(s overlay.Status) bool {
		return slices.ContainsFunc(s.Paths, func(p overlay.Path) bool { return p.Peer == "phone" })
	})
}

func TestLoginByLink(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuth = true
	d := start(t, c, t.TempDir(), nil)
	s := d.until("a login link", is(overlay.Login))
	if !strings.HasPrefix(s.LoginURL, c.URL+"/auth/") || s.Problem != "" {
		t.Errorf("got %+v", s)
	}
	resp, err := http.Get(s.LoginURL) // as a person opens it
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if s := d.until("running", is(overlay.Running)); s.LoginURL != "" {
		t.Errorf("got the link %s while running", s.LoginURL)
	}
}

func TestAuthKeys(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuthKey = "tskey-auth-right"
	dir := t.TempDir()
	d := start(t, c, dir, func(cfg *Config) { cfg.AuthKey = "tskey-auth-wrong" })
	s := d.until("a refusal", is(overlay.Failed))
	if !strings.Contains(s.Problem, "refuses this machine: invalid authkey") || s.Next == "" {
		t.Errorf("got %+v", s)
	}
	if err := d.Login(patient(t), "tskey-auth-right"); err != nil {
		t.Fatal(err)
	}
	first := d.until("running", is(overlay.Running))
	if d.mu.Lock(); d.enrolled != 1 {
		t.Errorf("told %d times that the key is used up, want once", d.enrolled)
	}
	d.mu.Unlock()
	d.stop()

	// The pretend server wants a key at each start, the real one does not. A stale key with a state does no harm, and the address stays.
	c.Fake.RequireAuthKey = ""
	again := start(t, c, dir, func(cfg *Config) { cfg.AuthKey = "tskey-auth-stale" })
	if s := again.until("running", is(overlay.Running)); !slices.Equal(s.Addresses, first.Addresses) || s.Name != first.Name {
		t.Errorf("after a restart: got %v as %s, want %v as %s", s.Addresses, s.Name, first.Addresses, first.Name)
	}
}

func TestTheKeyEnds(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuth = true
	d := start(t, c, t.TempDir(), nil)
	open := func() {
		if err := c.Approve(d.until("a link", is(overlay.Login)).LoginURL); err != nil {
			t.Error(err)
		}
	}
	open()
	first := d.until("running", is(overlay.Running))
	c.Expire("voron", time.Now().Add(24*time.Hour))
	if s := d.until("a warning", func(s overlay.Status) bool { return s.Problem != "" }); s.State != overlay.Running || s.ExpiresMS == 0 {
		t.Errorf("a day before: got %+v", s)
	}
	c.Expire("voron", time.Now().Add(-time.Minute))
	s := d.until("a login link", is(overlay.Login))
	if !strings.Contains(s.Problem, "key has ended") {
		t.Errorf("got %q", s.Problem)
	}
	open()
	if s := d.until("running", is(overlay.Running)); !slices.Equal(s.Addresses, first.Addresses) {
		t.Errorf("got %v, want the old addresses %v", s.Addresses, first.Addresses)
	}
}

func TestTheControlServerIsAway(t *testing.T) {
	c := control(t)
	dir := t.TempDir()
	d := start(t, c, dir, nil)
	s := d.until("running", is(overlay.Running))
	alice := join(t, c, "phone")
	alice.caller(t, byIP(s))
	ws, _, err := (&websocket.Dialer{NetDialContext: alice.dial}).DialContext(patient(t), strings.Replace(byIP(s), "http", "ws", 1)+"ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	echo := func(when string) {
		t.Helper()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(when)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || string(got) != when {
			t.Fatalf("%s: got %q, %v", when, got, err)
		}
	}
	echo("before")
	c.Down()
	for range 50 {
		echo("while it is away")
	}
	alice.CloseIdleConnections()
	alice.caller(t, byIP(s)) // a new connection
	if err := c.Up(); err != nil {
		t.Fatal(err)
	}
	echo("after")
	d.stop()

	c.Down()
	late := start(t, c, dir, nil)
	if s := late.until("a failure", is(overlay.Failed)); !strings.Contains(s.Problem, "does not answer") || s.Next == "" {
		t.Errorf("got %+v", s)
	}
	if err := c.Up(); err != nil {
		t.Fatal(err)
	}
	late.until("running", is(overlay.Running))
}

func TestNeighbours(t *testing.T) {
	c := control(t)
	as := func(name string, tags ...string) *daemon {
		return start(t, c, t.TempDir(), func(cfg *Config) { cfg.Settings.Name, cfg.Settings.Tags = name, tags })
	}
	one, two, three := as("one", "tag:printer"), as("two", "tag:printer", "tag:blue"), as("three", "tag:other")
	for _, d := range []*daemon{one, two, three} {
		d.until("running", is(overlay.Running))
	}
	ctx := patient(t)
	var found []overlay.Neighbour
	for len(found) == 0 {
		var err error
		if found, err = one.Neighbours(ctx); err != nil {
			t.Fatal(err)
		}
	}
	want := overlay.Neighbour{Name: "two", URL: "http://two." + tailnettest.Domain + "/", Online: true, State: "printing", Job: "benchy.gcode",
		Percent: 42, LeftS: 60, Picture: true, CheckedMS: found[0].CheckedMS}
	if len(found) != 1 || found[0] != want {
		t.Errorf("got %+v, want %+v", found, want)
	}
	if got, err := one.NeighbourPicture(ctx, "two"); err != nil || string(got) != string(picture(t)) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := one.NeighbourPicture(ctx, "three"); !errors.Is(err, overlay.ErrNotHere) {
		t.Errorf("got %v, want that three is no neighbour", err)
	}
	s, _ := two.statuses.Get()
	if code, body := join(t, c, "stranger").get(t, strings.TrimSuffix(byIP(s), "/")+":7273/neighbour"); code != http.StatusForbidden {
		t.Errorf("a stranger got %d %s", code, body)
	}
}

func TestLeave(t *testing.T) {
	c := control(t)
	d := start(t, c, t.TempDir(), nil)
	d.until("running", is(overlay.Running))
	if here, err := enrolled(d.dir, c.URL); err != nil || !here {
		t.Fatalf("got %v, %v, want that the state knows the network while running", here, err)
	}
	if err := d.Leave(patient(t)); err != nil {
		t.Fatal(err)
	}
	d.until("off", is(overlay.Off))
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v, want an empty directory", entries, err)
	}
	if _, err := d.Neighbours(t.Context()); !errors.Is(err, overlay.ErrNotHere) {
		t.Errorf("got %v, want ErrNotHere", err)
	}
	if err := d.Login(patient(t), ""); err != nil {
		t.Fatal(err)
	}
	d.until("running", is(overlay.Running))
}

func TestLeaveUnheard(t *testing.T) {
	c := control(t)
	d := start(t, c, t.TempDir(), nil)
	d.until("running", is(overlay.Running))
	c.Down()
	if err := d.Leave(patient(t)); !errors.Is(err, overlay.ErrNotTold) {
		t.Errorf("got %v, want ErrNotTold", err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, stateFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no state left", err)
	}
}

func TestItEndsAtOnceWhereverItStands(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuth = true
	for range 3 {
		start(t, c, t.TempDir(), nil).stop()
	}
	d := start(t, c, t.TempDir(), nil)
	d.until("a link", is(overlay.Login))
	d.stop()
	ctx, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	if err := d.Login(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("to a node that has ended: got %v", err)
	}
}
