package zerotier

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/internal/zerotier/zerotiertest"
)

var _ overlay.Network = (*Member)(nil)

const (
	aNetwork = "8056c2e21c000001"
	aToken   = "k1b2c3d4e5f6g7h8i9j0k1l2"
)

// host is a machine with a zerotier-one: its folder and its port.
type host struct {
	t       *testing.T
	dir     string
	at      string // 127.0.0.1:port
	service net.Listener
	serve   chan net.Listener // to a goroutine outside of any bubble: nothing in one may wait for connections for ever
}

func newHost(t *testing.T, handler http.Handler) *host {
	h := &host{t: t, dir: t.TempDir(), at: "127.0.0.1:0", serve: make(chan net.Listener)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for l := range h.serve {
			http.Serve(l, handler) // until l is closed
		}
	}()
	h.start()
	h.at = h.service.Addr().String()
	_, port, _ := net.SplitHostPort(h.at)
	h.write("authtoken.secret", aToken)
	h.write("zerotier-one.port", port)
	t.Cleanup(func() { h.stop(); close(h.serve); <-ended })
	return h
}

func (h *host) start() {
	l, err := net.Listen("tcp", h.at)
	if err != nil {
		h.t.Fatal(err)
	}
	h.service = l
	h.serve <- l
}

func (h *host) stop() { h.service.Close() }

func (h *host) token() string { return filepath.Join(h.dir, "authtoken.secret") }

func (h *host) write(name, text string) {
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

var everywhere = netip.MustParseAddrPort("[::]:8080")

// watched is a Member that runs, and what it has reported.
type watched struct {
	*Member
	t        *testing.T
	statuses *overlay.Statuses
	end      context.CancelFunc
	done     chan error
}

// watch starts a Member in the bubble of the test. The host is outside of it, so that time stands still while it answers and goes on when all wait.
func (h *host) watch(t *testing.T, change ...func(*Config)) *watched {
	w := &watched{t: t, statuses: latest.New(overlay.Status{}), done: make(chan error, 1)}
	cfg := Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, TokenFile: h.token(), Page: everywhere, Report: func(s overlay.Status) { w.statuses.Set(s) }}
	for _, f := range change {
		f(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Member = m
	ctx, end := context.WithCancel(t.Context())
	w.end = end
	go func() { w.done <- m.Run(ctx) }()
	return w
}

// after lets time go by, and returns what is reported then.
func (w *watched) after(d time.Duration) overlay.Status {
	w.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	s, _ := w.statuses.Get()
	return s
}

func (w *watched) stop() {
	w.end()
	if err := <-w.done; err != nil {
		w.t.Errorf("Run: got %v, want nil", err)
	}
}

func (w *watched) want(d time.Duration, state overlay.State, in ...string) overlay.Status {
	w.t.Helper()
	s := w.after(d)
	if s.State != state {
		w.t.Fatalf("got %+v, want the state %s", s, state)
	}
	for _, text := range in {
		if !strings.Contains(s.Problem+"\n"+s.Next, text) {
			w.t.Errorf("got %q, %q, want %q in it", s.Problem, s.Next, text)
		}
	}
	return s
}

func TestJoin(t *testing.T) {
	fake := zerotiertest.New(aToken)
	h := newHost(t, fake)
	synctest.Test(t, func(t *testing.T) {
		w := h.watch(t)
		w.want(0, overlay.Starting)
		allow, in := fake.Member(aNetwork)
		if want := map[string]bool{"allowManaged": true, "allowGlobal": false, "allowDefault": false, "allowDNS": false}; !in || !reflect.DeepEqual(allow, want) {
			t.Errorf("got %v, %v, want a member with %v", allow, in, want)
		}
		w.want(2*time.Second, overlay.Approval, "Waiting for authorisation", zerotiertest.Address, "https://my.zerotier.com/network/"+aNetwork)
		_, before := w.statuses.Get()
		w.after(time.Hour)
		if _, now := w.statuses.Get(); now != before {
			t.Errorf("an hour without news: got %d reports", now-before)
		}
		fake.Say("OK")
		got := w.want(2*time.Second, overlay.Running)
		want := overlay.Status{Kind: overlay.ZeroTier, State: overlay.Running, Name: zerotiertest.Address, Network: "workshop",
			Addresses: []string{"10.147.17.5", "fd80:56c2:e21c::1"}, URLs: []string{"http://10.147.17.5:8080/", "http://[fd80:56c2:e21c::1]:8080/"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		asked := len(fake.Asked())
		w.after(100 * time.Second)
		if n := len(fake.Asked()) - asked; n > 33 {
			t.Errorf("100 s of nothing: got %d requests, want three each 10 s", n)
		}
		fake.Say("ACCESS_DENIED") // somebody unticks the box
		w.want(21*time.Second, overlay.Approval)
		fake.Say("OK")
		w.want(3*time.Second, overlay.Running)
		w.stop()
		if _, in := fake.Member(aNetwork); !in {
			t.Error("the machine left the network with layerd")
		}
	})
}

// What each answer is called, and whether it goes on by itself when it is mended.
func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*zerotiertest.Service)
		want overlay.State
		in   []string
	}{
		{"there is no such network", func(s *zerotiertest.Service) { s.Say("NOT_FOUND") }, overlay.Failed, []string{"no ZeroTier network " + aNetwork}},
		{"no network device", func(s *zerotiertest.Service) { s.Say("PORT_ERROR") }, overlay.Failed, []string{"error -1", "modprobe tun"}},
		{"too old", func(s *zerotiertest.Service) { s.Say("CLIENT_TOO_OLD") }, overlay.Failed, []string{"1.14.2", "Update"}},
		{"unknown", func(s *zerotiertest.Service) { s.Say("BLUE\x1b[31m\u202eMOON" + strings.Repeat("x", 1000)) }, overlay.Failed, []string{`"BLUE[31mMOONxxx`}},
		{"a login without its link", func(s *zerotiertest.Service) { s.Login("") }, overlay.Login, []string{"log in", "not given a link"}},
		{"a login with a bad link", func(s *zerotiertest.Service) { s.Login("javascript:alert(1)") }, overlay.Login, []string{"not given a link"}},
		{"a login", func(s *zerotiertest.Service) { s.Login("https://sso.example.com/?state=1") }, overlay.Login, []string{"Open the link"}},
		{"a silent controller", func(s *zerotiertest.Service) { s.Say("") }, overlay.Starting, []string{"has not answered", aNetwork}},
		{"off line", func(s *zerotiertest.Service) { s.Online(false, false) }, overlay.Starting, []string{"does not reach ZeroTier's servers"}},
		{"no address", func(s *zerotiertest.Service) { s.Say("OK"); s.Assign() }, overlay.Starting, []string{"not given it an address", zerotiertest.Address}},
		{"no sensible address", func(s *zerotiertest.Service) {
			s.Say("OK")
			s.Assign("127.0.0.1/8", "what", "0.0.0.0/0", "ff02::1/8", "10.1.1.1")
		}, overlay.Starting, []string{"not given it an address"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := zerotiertest.New(aToken)
			c.set(fake)
			h := newHost(t, fake)
			synctest.Test(t, func(t *testing.T) {
				w := h.watch(t)
				s := w.want(time.Minute, c.want, c.in...)
				if len(s.Problem) > 200 || len(s.URLs) > 0 {
					t.Errorf("got %q and %q, want a short text and no address", s.Problem, s.URLs)
				}
				if want := "https://sso.example.com/?state=1"; c.name == "a login" && s.LoginURL != want || c.name != "a login" && s.LoginURL != "" {
					t.Errorf("got the link %q", s.LoginURL)
				}
				fake.Say("OK")
				fake.Online(true, true)
				fake.Assign("10.147.17.6/24")
				s = w.want(30*time.Second, overlay.Running)
				if s.Problem != "" || s.Next != "" || s.LoginURL != "" || len(s.Health) != 1 || !strings.Contains(s.Health[0], "TCP relay") {
					t.Errorf("got %+v, want no problem but that it is relayed", s)
				}
				w.stop()
			})
		})
	}
}

func TestOwnerOfTheMachine(t *testing.T) {
	fake := zerotiertest.New(aToken)
	fake.Say("OK")
	h := newHost(t, fake)
	mine := Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, TokenFile: h.token(), Page: netip.MustParseAddrPort("0.0.0.0:80")}
	m, err := New(mine)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody has joined it by hand, as he likes it.
	if _, err := m.service.ask(t.Context(), "POST", "/network/"+aNetwork, `{"allowManaged":false,"allowDNS":true}`); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := h.watch(t, func(c *Config) { c.TLS, c.Page = true, netip.MustParseAddrPort("0.0.0.0:443") })
		w.want(3*time.Second, overlay.Failed, "may not give this machine an address", "zerotier-cli set "+aNetwork+" allowManaged=1")
		if allow, _ := fake.Member(aNetwork); allow["allowManaged"] || !allow["allowDNS"] {
			t.Errorf("got %v: layerd changed what the owner had set", allow)
		}
		if _, err := w.service.ask(t.Context(), "POST", "/network/"+aNetwork, `{"allowManaged":true}`); err != nil {
			t.Fatal(err)
		}
		if s := w.want(20*time.Second, overlay.Running); s.URLs[0] != "https://10.147.17.5:443/" {
			t.Errorf("got %q", s.URLs)
		}
		if err := w.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want(0, overlay.Off, "has left")
		w.after(time.Hour)
		if _, in := fake.Member(aNetwork); in {
			t.Error("it joined again after it had left")
		}
		w.stop()
		w = h.watch(t) // the settings are saved again
		w.want(3*time.Second, overlay.Running)
		if err := w.Login(t.Context(), "key"); !errors.Is(err, overlay.ErrNotHere) {
			t.Errorf("Login: got %v", err)
		}
		if _, err := w.Neighbours(t.Context()); !errors.Is(err, overlay.ErrNotHere) {
			t.Errorf("Neighbours: got %v", err)
		}
		if _, err := w.NeighbourPicture(t.Context(), "x"); !errors.Is(err, overlay.ErrNotHere) {
			t.Errorf("NeighbourPicture: got %v", err)
		}
		w.stop()
	})
}

func TestServiceComesAndGoes(t *testing.T) {
	fake := zerotiertest.New(aToken)
	fake.Say("OK")
	h := newHost(t, fake)
	h.stop()
	os.Remove(h.token())
	synctest.Test(t, func(t *testing.T) {
		w := h.watch(t)
		w.want(0, overlay.Failed, "not installed", "Install zerotier-one")
		h.write("authtoken.secret", " \n")
		w.want(11*time.Second, overlay.Failed, "something else in it")
		h.write("authtoken.secret", strings.Repeat("k", 1000))
		w.want(11*time.Second, overlay.Failed, "something else in it")
		h.write("authtoken.secret", "another\n")
		w.want(11*time.Second, overlay.Failed, "not running", "systemctl start zerotier-one")
		if err := w.Leave(t.Context()); !errors.Is(err, errDown) {
			t.Errorf("leave when it is down: got %v, want errDown", err)
		}
		h.start()
		w.want(11*time.Second, overlay.Failed, "does not take the token", "systemctl restart layerd")
		h.write("authtoken.secret", aToken+"\n")
		w.want(14*time.Second, overlay.Running)
		h.stop()
		w.want(11*time.Second, overlay.Failed, "not running")
		fake.Restart()
		h.start()
		w.want(11*time.Second, overlay.Running)
		joins := 0
		for _, asked := range fake.Asked() {
			if strings.HasPrefix(asked, "POST") {
				joins++
			}
		}
		if joins != 1 {
			t.Errorf("got %d joins, want 1: it stayed a member", joins)
		}
		w.stop()
	})
}

// The words for a token that may not be read are tried as whoever may read everything too.
func TestFailures(t *testing.T) {
	seen := map[string]error{}
	for _, err := range []error{errNotInstalled, errNotAllowed, errToken, errRefused, errDown, errNonsense} {
		s := failure(err)
		if s.State != overlay.Failed || s.Problem == "" || s.Next == "" {
			t.Errorf("%v: got %+v, want words", err, s)
		}
		if other := seen[s.Problem]; other != nil {
			t.Errorf("%v and %v: both are %q", err, other, s.Problem)
		}
		seen[s.Problem] = err
	}
	if s := failure(errNotAllowed); !strings.Contains(s.Next, "LoadCredential=zt-token:/var/lib/zerotier-one/authtoken.secret") {
		t.Errorf("got %q", s.Next)
	}
}

// Something else listens there, and may want anything.
func TestHostileService(t *testing.T) {
	away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Errorf("the token went elsewhere: %v", r.Header) })
	elsewhere := newHost(t, away)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"a web page", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<html>It works!")) }, "does not speak"},
		{"other JSON", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"address":"../../etc"}`)) }, "does not speak"},
		{"a list", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`[]`)) }, "does not speak"},
		{"nothing found", http.NotFound, "does not speak"},
		{"no end", func(w http.ResponseWriter, r *http.Request) {
			for line := []byte(strings.Repeat(" ", 1<<16)); r.Context().Err() == nil; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, "does not speak"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+elsewhere.at+"/", http.StatusTemporaryRedirect)
		}, "does not speak"},
		{"it hangs up", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "not running, or does not answer"},
		{"403", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, "does not take the token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.answer)
			synctest.Test(t, func(t *testing.T) {
				w := h.watch(t)
				w.want(0, overlay.Failed, c.want)
				w.stop()
			})
		})
	}
	t.Run("it never answers", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the connection, nobody else
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		h := newHost(t, http.NotFoundHandler())
		m, err := New(Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, URL: "http://" + l.Addr().String(), TokenFile: h.token(), Page: everywhere})
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Leave(ctx) }()
		c, err := l.Accept() // it waits for an answer now
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		end()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want its context's end", err)
		}
	})
}

// A page that is served on one address alone may be out of reach for the network.
func TestWhereThePageIs(t *testing.T) {
	fake := zerotiertest.New(aToken)
	fake.Say("OK")
	h := newHost(t, fake)
	for at, want := range map[string]string{"127.0.0.1:8080": "", "10.147.17.5:8080": "http://10.147.17.5:8080/", "[::]:8080": "http://10.147.17.5:8080/"} {
		synctest.Test(t, func(t *testing.T) {
			w := h.watch(t, func(c *Config) { c.Page = netip.MustParseAddrPort(at) })
			s := w.want(time.Minute, overlay.Running)
			if got := strings.Join(s.URLs[:min(1, len(s.URLs))], ""); got != want || (want == "") != strings.Contains(s.Problem, "127.0.0.1 alone") || (want == "") != strings.Contains(s.Next, ":8080") {
				t.Errorf("%s: got %+v, want %q", at, s, want)
			}
			w.stop()
		})
	}
}

func TestNew(t *testing.T) {
	good := Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, Page: everywhere}
	for _, address := range []string{"", "http://127.0.0.1:9993", "http://127.0.0.1:9993/", "http://[::1]:9993"} {
		good.URL = address
		if _, err := New(good); err != nil {
			t.Errorf("%q: got %v", address, err)
		}
	}
	for _, address := range []string{"http://192.168.1.1:9993", "http://localhost:9993", "https://127.0.0.1:9993", "http://127.0.0.1.example.com", "http://u:p@127.0.0.1:9993", "http://127.0.0.1:9993/?auth=x", "127.0.0.1:9993", "http://127.0.0.1/sub"} {
		good.URL = address
		if _, err := New(good); err == nil {
			t.Errorf("%q: got no error", address)
		}
	}
	if _, err := New(Config{Settings: overlay.ZeroTierSettings{Network: "../status"}, Page: everywhere}); !errors.Is(err, overlay.ErrSettings) {
		t.Errorf("got %v, want ErrSettings", err)
	}
	if _, err := New(Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}}); err == nil {
		t.Error("no page: got no error")
	}
	if _, err := New(Config{Settings: overlay.ZeroTierSettings{Network: aNetwork}, Page: netip.MustParseAddrPort("[::]:0")}); err == nil {
		t.Error("no port: got no error")
	}
}

func TestWhereTheTokenIs(t *testing.T) {
	dir := t.TempDir()
	given := filepath.Join(dir, "zt-token")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	s, err := newService("", "")
	if err != nil {
		t.Fatal(err)
	}
	usual := "/var/lib/zerotier-one/authtoken.secret"
	if got := s.tokenPath(); got != usual {
		t.Errorf("systemd gave others: got %s, want %s", got, usual)
	}
	if err := os.WriteFile(given, []byte(aToken), 0o400); err != nil {
		t.Fatal(err)
	}
	if got := s.tokenPath(); got != given {
		t.Errorf("got %s, want %s", got, given)
	}
	port := filepath.Join(dir, "zerotier-one.port")
	for text, want := range map[string]string{"29993\n": ":29993", "0": ":9993", "70000": ":9993", "-1": ":9993", "1@evil.example": ":9993"} {
		if err := os.WriteFile(port, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := s.address(given); got != "http://127.0.0.1"+want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	fake := zerotiertest.New(aToken)
	fake.Say("OK")
	fake.Peers(`[{"address":"62f865ae71","role":"PLANET","versionMajor":1,"paths":[{"active":true}]},
		{"address":"8056c2e21c","role":"LEAF","versionMajor":1,"paths":[{"active":true}]},
		{"address":"ffffffff02","role":"LEAF","versionMajor":1,"paths":[]},
		{"address":"ffffffff01","role":"LEAF","versionMajor":1,"paths":[{"active":true,"expired":true},{"active":true,"expired":false}]},
		{"address":"ffffffff03","role":"LEAF","versionMajor":1,"tunneled":true,"paths":[{"active":true}]},
		{"address":"ffffffff04","role":"LEAF","versionMajor":-1,"paths":[]},
		{"address":"<script>","role":"LEAF","versionMajor":1,"paths":[]}]`)
	h := newHost(t, fake)
	synctest.Test(t, func(t *testing.T) {
		w := h.watch(t)
		want := []overlay.Path{{Peer: "ffffffff01", Direct: true}, {Peer: "ffffffff02"}, {Peer: "ffffffff03"}}
		if s := w.want(3*time.Second, overlay.Running); !slices.Equal(s.Paths, want) {
			t.Errorf("got %+v, want %+v", s.Paths, want)
		}
		fake.Peers(`{"no":"list"}`)
		if s := w.want(11*time.Second, overlay.Running); s.Paths != nil {
			t.Errorf("got %+v, want none", s.Paths)
		}
		w.stop()
	})
}
