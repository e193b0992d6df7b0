package power

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// pretend is a plug as its maker's documents say that it answers. With a password it wants one.
type pretend struct {
	*httptest.Server
	mu       sync.Mutex // guards what follows
	on       bool
	asked    []string // method and address
	password string
	stuck    bool // it answers, and does not switch
}

func newPretend(t *testing.T, kind Kind) *pretend {
	p := &pretend{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, r.Method+" "+r.URL.RequestURI())
		switch kind {
		case Tasmota:
			p.tasmota(w, r)
		case Shelly:
			p.shelly(w, r)
		case Shelly2:
			p.shelly2(w, r)
		case Web:
			p.web(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pretend) put(word string) {
	if !p.stuck {
		p.on = word == "on" || word == "true"
	}
}

func (p *pretend) tasmota(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	command, word, _ := strings.Cut(strings.ToLower(q.Get("cmnd")), " ")
	switch {
	case r.URL.Path != "/cm" || !strings.HasPrefix(command, "power"):
		http.NotFound(w, r)
	case p.password != "" && (q.Get("user") != "admin" || q.Get("password") != p.password):
		io.WriteString(w, `{"WARNING":"Need user=<username>&password=<password>"}`)
	default:
		if word != "" {
			p.put(word)
		}
		fmt.Fprintf(w, `{"%s":"%s"}`, strings.ToUpper(command), map[bool]string{true: "ON", false: "OFF"}[p.on])
	}
}

func (p *pretend) shelly(w http.ResponseWriter, r *http.Request) {
	if _, given, _ := r.BasicAuth(); given != p.password {
		w.Header().Set("WWW-Authenticate", `Basic realm="shellyplug-s"`)
		http.Error(w, "401 Unauthorized", http.StatusUnauthorized)
		return
	}
	if r.URL.Path != "/relay/1" {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	if turn := r.URL.Query().Get("turn"); turn != "" {
		p.put(turn)
	}
	fmt.Fprintf(w, `{"ison":%t,"has_timer":false,"timer_started":0,"timer_duration":0,"timer_remaining":0,"overpower":false,"source":"http"}`, p.on)
}

func (p *pretend) shelly2(w http.ResponseWriter, r *http.Request) {
	if p.password != "" && !p.digest(r) {
		w.Header().Set("WWW-Authenticate", `Digest qop="auth", realm="shellyplugsg3-84fce63c", nonce="60dc2a1f", algorithm=SHA-256`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case "/rpc/Switch.Set":
		was := p.on
		p.put(r.URL.Query().Get("on"))
		fmt.Fprintf(w, `{"was_on":%t}`, was)
	case "/rpc/Switch.GetStatus":
		fmt.Fprintf(w, `{"id":%s,"source":"HTTP_in","output":%t,"apower":8.9,"voltage":237.5,"temperature":{"tC":36.5,"tF":97.8}}`, r.URL.Query().Get("id"), p.on)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// digest reckons by RFC 7616 what the answer must be.
func (p *pretend) digest(r *http.Request) bool {
	shown := map[string]string{}
	for _, m := range regexp.MustCompile(`(\w+)="?([^",]*)`).FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		shown[m[1]] = m[2]
	}
	hash := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	one, two := hash("admin:shellyplugsg3-84fce63c:"+p.password), hash(r.Method+":"+r.URL.RequestURI())
	return shown["uri"] == r.URL.RequestURI() && shown["nonce"] == "60dc2a1f" && shown["response"] == hash(one+":60dc2a1f:"+shown["nc"]+":"+shown["cnonce"]+":auth:"+two)
}

func (p *pretend) web(w http.ResponseWriter, r *http.Request) {
	if _, given, _ := r.BasicAuth(); given != p.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path != "/state" {
		p.put(strings.TrimPrefix(r.URL.Path, "/"))
	}
	fmt.Fprintf(w, "<state>%t</state>", p.on)
}

// way is how p is reached.
func (p *pretend) way(kind Kind, password string) Way {
	if kind == Web {
		return Way{Kind: kind, OnURL: p.URL + "/on", OffURL: p.URL + "/off", StateURL: p.URL + "/state", OnText: "<state>true", Post: true, User: "me", Password: password}
	}
	w := Way{Kind: kind, Address: p.URL, Password: password}
	if kind != Shelly2 {
		w.Channel = 1
	}
	return w
}

func TestPlugsAreSwitchedAndAsked(t *testing.T) {
	for kind, want := range map[Kind][]string{
		Tasmota: {"GET /cm?cmnd=Power1", "GET /cm?cmnd=Power1%20on", "GET /cm?cmnd=Power1", "GET /cm?cmnd=Power1%20off", "GET /cm?cmnd=Power1"},
		Shelly:  {"GET /relay/1", "GET /relay/1?turn=on", "GET /relay/1", "GET /relay/1?turn=off", "GET /relay/1"},
		Shelly2: {"GET /rpc/Switch.GetStatus?id=0", "GET /rpc/Switch.Set?id=0&on=true", "GET /rpc/Switch.GetStatus?id=0", "GET /rpc/Switch.Set?id=0&on=false", "GET /rpc/Switch.GetStatus?id=0"},
		Web:     {"GET /state", "POST /on", "GET /state", "POST /off", "GET /state"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			p := newPretend(t, kind)
			r := p.way(kind, "").open(nil, nil)
			defer r.close()
			for i, want := range []State{Off, On, Off} {
				if i > 0 {
					if err := r.set(t.Context(), want == On); err != nil {
						t.Fatal(err)
					}
				}
				if now, said, err := r.get(t.Context()); now != want || said == "" || err != nil {
					t.Errorf("got %s %q, %v, want %s", now, said, err, want)
				}
			}
			if got := strings.Join(p.asked, "\n"); got != strings.Join(want, "\n") {
				t.Errorf("it was asked\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
}

func TestPlugsWithAPassword(t *testing.T) {
	const secret = "s3cret & more"
	for _, kind := range []Kind{Tasmota, Shelly, Shelly2, Web} {
		t.Run(string(kind), func(t *testing.T) {
			p := newPretend(t, kind)
			p.password = secret
			for password, right := range map[string]bool{"": false, "wr0ng-one": false, secret: true} {
				w := p.way(kind, password)
				r := w.open(nil, nil)
				err := r.set(t.Context(), true)
				now, said, err2 := r.get(t.Context())
				if right != (err == nil && err2 == nil && now == On) {
					t.Errorf("with %q: got %v, %s %v", password, err, now, err2)
				}
				if !right && (!errors.Is(err, errPassword) || !errors.Is(err2, errPassword) || now != Unknown) {
					t.Errorf("with %q: got %v, %s %v, want errPassword", password, err, now, err2)
				}
				for _, text := range []string{said, fmt.Sprint(err, err2)} {
					if password != "" && strings.Contains(text, password) {
						t.Errorf("%q tells the password", text)
					}
				}
				p.on = false
			}
		})
	}
}

// What a plug or somebody in its place may answer: nothing of it is believed, followed or read for ever.
func TestHostilePlugs(t *testing.T) {
	const secret = "s3cret-w0rd"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request)
		want  string
	}{
		"redirect":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 302) }, "another address"},
		"endless":    {func(w http.ResponseWriter, r *http.Request) { io.Copy(w, endless{}) }, "longer than 64 kB"},
		"no JSON":    {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, "does not say"},
		"nothing":    {func(w http.ResponseWriter, r *http.Request) {}, "does not say"},
		"other JSON": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"POWERFUL":"ON","POWER":true}`) }, "does not say"},
		"broken":     {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
		"repeats password": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			io.WriteString(w, "\x1b[2J"+r.URL.Query().Get("password"))
		}, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			p := httptest.NewServer(http.HandlerFunc(c.serve))
			defer p.Close()
			w := Way{Kind: Tasmota, Address: p.URL, Password: secret}
			now, said, err := w.open(nil, nil).get(t.Context())
			if now != Unknown || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %s, %v, want %q", now, err, c.want)
			}
			if text := said + err.Error(); strings.Contains(text, secret) || strings.Contains(text, "\x1b") {
				t.Errorf("got %q", text)
			}
		})
	}
	gone := Way{Kind: Tasmota, Address: elsewhere.URL, Password: secret}
	elsewhere.Close()
	if err := gone.open(nil, nil).set(t.Context(), true); err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "/cm") {
		t.Errorf("nobody there: got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, strings.Repeat(" ", len(p))), nil }

func TestAPlugThatHangsIsGivenUp(t *testing.T) {
	held := make(chan struct{})
	p := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-held }))
	defer p.Close()
	defer close(held)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newPlug(Way{Kind: Shelly, Address: p.URL})
	if _, _, err := r.get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it given up with its asker", err)
	}
	if r.http.Timeout != 5*time.Second {
		t.Errorf("got %v for one request, want 5 s", r.http.Timeout)
	}
}

func TestOtherDigestsAreNotAnswered(t *testing.T) {
	for _, challenge := range []string{"", "Basic realm=x", `Digest realm="x", nonce="y", qop="auth"`, `Digest realm="x", nonce="y", qop="auth", algorithm=MD5`,
		`Digest realm="x", qop="auth", algorithm=SHA-256`, `Digest realm="x\", nonce="y", qop="auth", algorithm=SHA-256`} {
		if got := answerDigest(challenge, "admin", "secret", "GET", "/"); got != "" {
			t.Errorf("%s: got %s", challenge, got)
		}
	}
}

func FuzzPlugAnswer(f *testing.F) {
	for _, s := range []string{`{"POWER":"ON"}`, `{"ison":true}`, `{"output":null}`, `{"WARNING":1}`, "[", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []Kind{Tasmota, Shelly, Shelly2, Web} {
			p := newPlug(Way{Kind: kind, OnText: "on", Password: "pa55"})
			if now, err := p.read([]byte(s)); err != nil && now != Unknown {
				t.Errorf("%s: got %s with %v", kind, now, err)
			}
			if said := p.clean([]byte(s)); len(said) > maxSaid+8 || strings.ContainsAny(said, "\n\x1b\x00") {
				t.Errorf("got %q", said)
			}
		}
		answerDigest(s, "admin", "secret", "GET", "/")
	})
}
