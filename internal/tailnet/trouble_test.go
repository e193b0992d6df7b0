package tailnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tailscale.com/tailcfg"

	"layerd/internal/overlay"
	"layerd/internal/tailnet/tailnettest"
)

func TestANewMachineIsApproved(t *testing.T) {
	c := control(t)
	c.Fake.RequireMachineAuth = true
	d := start(t, c, t.TempDir(), nil)
	if s := d.until("a wait for approval", is(overlay.Approval)); !strings.Contains(s.Problem, "approved") || s.Next == "" {
		t.Errorf("got %+v", s)
	}
	key := c.Fake.AllNodes()[0].Key
	if !c.Fake.CompleteDeviceApproval(c.URL, c.URL+"/admin", &key) {
		t.Fatal("the control server does not know the machine")
	}
	d.until("running", is(overlay.Running))
}

func TestLoginAgainBeforeTheKeyEnds(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuth = true
	d := start(t, c, t.TempDir(), nil)
	if err := c.Approve(d.until("a link", is(overlay.Login)).LoginURL); err != nil {
		t.Fatal(err)
	}
	first := d.until("running", is(overlay.Running))
	c.Expire("voron", time.Now().Add(24*time.Hour))
	d.until("a warning", func(s overlay.Status) bool { return s.Problem != "" })
	if err := d.Login(patient(t), ""); err != nil {
		t.Fatal(err)
	}
	s := d.until("a link while it runs", func(s overlay.Status) bool { return s.LoginURL != "" })
	if s.State != overlay.Running || len(s.URLs) == 0 {
		t.Errorf("got %+v, want that it runs on", s)
	}
	c.Expire("voron", time.Time{}) // the fake gives a new key the old one's end
	if err := c.Approve(s.LoginURL); err != nil {
		t.Fatal(err)
	}
	s = d.until("no link any more", func(s overlay.Status) bool { return s.State == overlay.Running && s.LoginURL == "" })
	if s.Name != first.Name {
		t.Errorf("got %s, want the old name %s", s.Name, first.Name)
	}
}

func TestATailnetThatInsistsOnLogs(t *testing.T) {
	c := control(t)
	c.Fake.DefaultNodeCapabilities = &tailcfg.NodeCapMap{tailcfg.CapabilityDataPlaneAuditLogs: nil}
	dir := t.TempDir()
	d := start(t, c, dir, nil)
	if s := d.until("a refusal", is(overlay.Failed)); !strings.Contains(s.Problem, "send their logs") || !strings.Contains(s.Next, "Turn on") {
		t.Errorf("got %+v", s)
	}
	d.stop()
	start(t, c, dir, func(cfg *Config) { cfg.Settings.VendorLogs = true }).until("running", is(overlay.Running))
}

func TestTheTailnetIsToldWhetherLogsCome(t *testing.T) {
	for _, logs := range []bool{false, true} {
		t.Setenv("TS_NO_LOGS_NO_SUPPORT", strconv.FormatBool(logs)) // as somebody else had wanted
		c := control(t)
		start(t, c, t.TempDir(), func(cfg *Config) { cfg.Settings.VendorLogs = logs }).until("running", is(overlay.Running))
		if none := c.Fake.AllNodes()[0].Hostinfo.NoLogsNoSupport(); none == logs {
			t.Errorf("logs %v: the control server was told the contrary", logs)
		}
	}
}

// What is in layerd's environment for another program's sake must not let it into a network, nor send its logs elsewhere.
func TestTheEnvironmentDecidesNothing(t *testing.T) {
	c := control(t)
	c.Fake.RequireAuthKey = "tskey-auth-right"
	for _, name := range []string{"TS_AUTHKEY", "TS_AUTH_KEY"} {
		t.Setenv(name, "tskey-auth-right")
		if s := start(t, c, t.TempDir(), nil).until("a refusal", func(s overlay.Status) bool { return s.State == overlay.Failed || s.State == overlay.Running }); s.State != overlay.Failed {
			t.Errorf("%s: got %+v, want that it does not count", name, s)
		}
	}
}

// A key is for the control server that is set, whatever network the machine was in before.
func TestAnotherControlServer(t *testing.T) {
	one, two := control(t), control(t)
	two.Fake.RequireAuthKey = "tskey-auth-two"
	dir := t.TempDir()
	d := start(t, one, dir, nil)
	d.until("running", is(overlay.Running))
	d.stop()
	d = start(t, two, dir, func(cfg *Config) { cfg.AuthKey = "tskey-auth-two" })
	d.until("running", is(overlay.Running))
	if n := len(two.Fake.AllNodes()); n != 1 {
		t.Errorf("the second control server has %d machines, want ours", n)
	}
}

// secured puts TLS before a control server, with whatever certificate is current.
func secured(t *testing.T, c *tailnettest.Control, cert *atomic.Pointer[tls.Certificate]) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert.Load(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", strings.TrimPrefix(c.URL, "http://"))
				if err != nil {
					return
				}
				go func() {
					io.Copy(out, in)
					out.Close()
				}()
				io.Copy(in, out)
			}()
		}
	}()
	return "https://" + l.Addr().String()
}

// A clock that was never set and a certificate from the future are the same to a machine.
func TestCertificatesOfTheControlServer(t *testing.T) {
	c := control(t)
	authority, err := tls.LoadX509KeyPair(os.Getenv("SSL_CERT_FILE"), strings.TrimSuffix(os.Getenv("SSL_CERT_FILE"), ".crt")+".key")
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(from, until time.Duration, by *tls.Certificate) *tls.Certificate {
		own := &x509.Certificate{SerialNumber: big.NewInt(3), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until)}
		var parent *x509.Certificate
		var with *ecdsa.PrivateKey
		if by != nil {
			parent, with = by.Leaf, by.PrivateKey.(*ecdsa.PrivateKey)
		}
		cert, key, err := issue(own, parent, with)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
	}
	const day = 24 * time.Hour
	good := certificate(-day, day, &authority)
	type one struct {
		name, problem string
		cert          atomic.Pointer[tls.Certificate]
		d             *daemon
	}
	all := []*one{{name: "early", problem: "clock is wrong"}, {name: "late", problem: "has expired"}, {name: "stranger", problem: "not to be trusted"}}
	for i, first := range []*tls.Certificate{certificate(day, 2*day, &authority), certificate(-2*day, -day, &authority), certificate(-day, day, nil)} {
		all[i].cert.Store(first)
		url := secured(t, c, &all[i].cert)
		all[i].d = start(t, c, filepath.Join(t.TempDir(), "tailnet"), func(cfg *Config) { cfg.Settings.Name, cfg.Settings.ControlURL = all[i].name, url })
	}
	for _, o := range all {
		if s := o.d.until("a failure", is(overlay.Failed)); !strings.Contains(s.Problem, o.problem) || s.Next == "" {
			t.Errorf("%s: got %q, %q", o.name, s.Problem, s.Next)
		}
	}
	for _, o := range all {
		o.cert.Store(good)
		o.d.until("running", is(overlay.Running))
	}
}

// Other machines of the same household may be many, and answer nothing.
func TestNeighboursAmongTheSilent(t *testing.T) {
	c := control(t)
	as := func(name string) *daemon {
		d := start(t, c, t.TempDir(), func(cfg *Config) { cfg.Settings.Name, cfg.Settings.Tags = name, []string{"tag:printer"} })
		d.until("running", is(overlay.Running))
		return d
	}
	const silent = 45
	for range silent {
		c.Fake.AddFakeNode()
	}
	for i, n := range c.Fake.AllNodes() {
		if len(n.Tags) == 0 {
			n.Name, n.Tags, n.ID = fmt.Sprintf("a%d.%s.", i, tailnettest.Domain), []string{"tag:printer"}, tailcfg.NodeID(1000+i)
			n.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 9, byte(i)}), 32)}
			n.AllowedIPs = n.Addresses
			c.Fake.UpdateNode(n)
		}
	}
	one := as("one")
	as("two")
	for ctx := patient(t); ; {
		_, peers, err := one.kinfolk(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(peers) == silent+1 {
			break
		}
	}
	// As the page asks, again and again: on a busy machine the first question alone may take longer than a neighbour has, since the tunnel to it is dug by that.
	for ctx := patient(t); ; {
		ask, end := context.WithTimeout(ctx, 8*time.Second)
		found, err := one.Neighbours(ask)
		end()
		if err == nil && len(found) == 1 && found[0].Name == "two" {
			return
		}
		if err != nil || len(found) > 0 || ctx.Err() != nil {
			t.Fatalf("got %+v, %v, want two", found, err)
		}
	}
}

// A card that loses its power can leave anything behind.
func TestADamagedStateIsSetAside(t *testing.T) {
	c := control(t)
	dir := t.TempDir()
	for _, damage := range []string{"{\"_machinekey\": \"cHJ", "null", "", strings.Repeat(" ", maxState+1)} {
		if err := os.WriteFile(filepath.Join(dir, stateFile), []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		d := start(t, c, dir, nil)
		d.until("running", is(overlay.Running))
		d.stop()
	}
}

// Who changes the network over the network itself still hears that it was done.
func TestTheLastAnswerArrives(t *testing.T) {
	c := control(t)
	var d *daemon
	d = start(t, c, t.TempDir(), func(cfg *Config) {
		cfg.Serve = func(ctx context.Context, l net.Listener) error {
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					return
				}
				life, err := d.current()
				if err != nil {
					t.Error(err)
					return
				}
				go d.stop()
				<-ctx.Done()
				for range 50 { // so long that the end overtakes the answer, if it can
					if _, err := life.local.StatusWithoutPeers(context.WithoutCancel(r.Context())); err != nil {
						break
					}
				}
				io.WriteString(w, "done")
			})}
			closed := make(chan error, 1)
			context.AfterFunc(ctx, func() { closed <- srv.Shutdown(context.WithoutCancel(ctx)) })
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return <-closed
		}
	})
	s := d.until("running", is(overlay.Running))
	alice := join(t, c, "phone")
	alice.get(t, byIP(s))
	req, err := http.NewRequestWithContext(patient(t), http.MethodPost, byIP(s)+"end", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := alice.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "done" {
		t.Errorf("got %q, %v", body, err)
	}
}
