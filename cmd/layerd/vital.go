package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"time"

	"layerd/internal/vital"
	"layerd/printer"
)

// watch is what tells systemd that layerd is well. A restart ends a print, so parts have the time that passes by itself: a crowd at the door, and a memory
// card that tidies up, which holds up no print.
func (d *parts) watch() *vital.Watch {
	w := &vital.Watch{Status: d.inWords, Log: d.log, Parts: []vital.Part{
		{Name: "the conversation with the printer", Patience: 30 * time.Second, Ask: d.printer.Alive},
		{Name: "the page", Patience: 40 * time.Second, Ask: knock(d.page, d.cfg.TLS.Cert != "")},
		{Name: "the store", Patience: 2 * time.Minute, Ask: func(ctx context.Context) error {
			var port string
			d.store.Setting(ctx, "port", &port) // an error is an answer too: a new start mends no disk
			return ctx.Err()
		}},
	}}
	if err := w.FromSystemd(os.Getenv); err != nil {
		d.log.Error("systemd will not know how layerd is", "err", err)
	}
	return w
}

// knock asks for the page as a browser on this machine would. Whatever is answered, somebody did. A page at an address that this machine has lost, with its
// Wi-Fi or its lease, is asked nothing: a new start would not even get its listener back.
func knock(at netip.AddrPort, secure bool) func(context.Context) error {
	ip := at.Addr()
	if ip.IsUnspecified() { // 0.0.0.0 and :: stand for all, and a connection to them for one to this machine
		ip = netip.MustParseAddr("127.0.0.1")
		if at.Addr().Is6() {
			ip = netip.IPv6Loopback()
		}
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(ip, at.Port()).String()) // may have a zone, which has no place in a URL
	}
	client := &http.Client{
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // of ourselves nothing is believed
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, scheme+"://localhost/", nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(r)
		if err != nil && lost(ip) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ask for the page: %w", err)
		}
		return answer.Body.Close()
	}
}

// lost reports whether this machine certainly does not have an address.
func lost(ip netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	return err == nil && !ip.IsLoopback() && !slices.ContainsFunc(all, func(a net.Addr) bool {
		has, ok := a.(*net.IPNet)
		return ok && has.IP.Equal(ip.Unmap().AsSlice())
	})
}

// inWords is what layerd does, for systemctl status.
func (d *parts) inWords() string {
	s, _ := d.printer.Snapshots().Get()
	if s.Job != nil {
		return fmt.Sprintf("%s %s, %.0f %%", s.State, s.Job.Name, s.Job.Percent)
	}
	if s.Fault != nil {
		return fmt.Sprintf("%s: %s", s.State, s.Fault.Message)
	}
	if s.State == printer.Disconnected {
		return "no printer is connected"
	}
	return s.State.String()
}
