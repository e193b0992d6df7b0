package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"layerd/internal/overlay"
	"layerd/internal/server"
	"layerd/internal/tailnet/tailnettest"
	"layerd/internal/zerotier/zerotiertest"
)

func (d *daemon) away() overlay.Status {
	d.t.Helper()
	return get[server.OverlayAnswer](d, "/v1/overlay").Status
}

func (d *daemon) reaches(state overlay.State) (s overlay.Status) {
	d.t.Helper()
	d.await(string(state), func() bool { s = d.away(); return s.State == state })
	return s
}

func TestZeroTierKnowsAPortThatWasChosen(t *testing.T) {
	t.Parallel()
	fake := zerotiertest.New("secret")
	fake.Say("OK")
	service := httptest.NewServer(fake)
	t.Cleanup(service.Close)
	at, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "secret", "zerotier-one.port": at.Port()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, _ := startDemo(t, "LAYERD_OVERLAY=zerotier", "LAYERD_ZEROTIER_NETWORK=8056c2e21c000001", "LAYERD_ZEROTIER_TOKEN_FILE="+filepath.Join(dir, "token"))
	page, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	if s := d.reaches(overlay.Running); len(s.URLs) != 0 || !strings.Contains(s.Next, ":"+page.Port()) {
		t.Errorf("got %+v, want that 127.0.0.1:%s is out of reach", s, page.Port())
	}
}

// layerd starts a print whatever the configuration says of the network.
func TestANetworkThatCannotBeDoesNotKeepLayerdFromStarting(t *testing.T) {
	t.Parallel()
	d, _ := startDemo(t, "LAYERD_OVERLAY=zerotier")
	if s := d.reaches(overlay.Failed); !strings.Contains(s.Problem, "16 hexadecimal digits") {
		t.Errorf("got %+v", s)
	}
}

// asked is a proxy that lets nothing through, and remembers who somebody wanted to reach.
type asked struct {
	mu  sync.Mutex // guards who
	who map[string]bool
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.who[r.Host] = true
	http.Error(w, "nothing goes outside", http.StatusForbidden)
}

func (a *asked) wanted(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.who[host]
}

func TestLogsGoToTheVendorOnlyWhenTheyAreWanted(t *testing.T) {
	t.Parallel()
	control, err := tailnettest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(control.Close)
	join := func(name string, env ...string) (*daemon, *asked) {
		tried := &asked{who: map[string]bool{}}
		proxy := httptest.NewServer(tried)
		t.Cleanup(proxy.Close)
		d, _ := startDemo(t, append(env, "LAYERD_OVERLAY=tailnet", "LAYERD_TAILNET_NAME="+name, "LAYERD_TAILNET_CONTROL_URL="+control.URL, "HTTPS_PROXY="+proxy.URL,
			"TS_ASSUME_NETWORK_UP_FOR_TEST=true", "TS_PANIC_IF_HIT_MAIN_CONTROL=true", "TS_NO_LOGS_NO_SUPPORT=false")...)
		d.reaches(overlay.Running)
		return d, tried
	}
	const vendor = "log.tailscale.com:443"
	_, quiet := join("quiet")
	open, told := join("open", "LAYERD_TAILNET_VENDOR_LOGS=true")
	open.await("logs", func() bool { return told.wanted(vendor) })
	if quiet.wanted(vendor) { // which began before
		t.Error("logs went to the vendor though nobody wanted that")
	}
}
