package tailnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// What keeps a node from its control server. tsnet tries for ever and tells little of it, so we look ourselves.
var (
	errNoNetwork = errors.New("there is no network")
	errClock     = errors.New("the clock is wrong")
	errCertify   = errors.New("the certificate is not to be trusted")
	errUnheard   = errors.New("the control server does not answer")
)

// explain says it for people.
func explain(err error) (problem, next string) {
	switch {
	case errors.Is(err, errNoNetwork):
		return "This machine has no network: no cable and no Wi-Fi gave it an address.", "Connect it; the rest goes by itself."
	case errors.Is(err, errClock):
		return sentence("This machine's clock is wrong, and so it can trust no certificate: " + behind(err, errClock)), "It sets its clock itself when it reaches a time server (UDP port 123); then it goes on by itself."
	case errors.Is(err, errCertify):
		return sentence("The control server shows a certificate that is not to be trusted: " + behind(err, errCertify)), "Check the control server's address. Something on the way may read along: a proxy, or a Wi-Fi with a login page."
	default:
		return sentence("The control server does not answer: " + behind(err, errUnheard)), "Check the internet connection and the control server's address. It is tried again by itself."
	}
}

// behind is what an error says beyond the kind that it is of, which the sentence has said already.
func behind(err, kind error) string {
	return strings.TrimPrefix(err.Error(), kind.Error()+": ")
}

const probeTime = 5 * time.Second

// firstYear: layerd did not exist before, so a clock that says so has never been set.
const firstYear = 2025

// probe asks the control server for its public key, as a node does first. nil = it answers.
func probe(ctx context.Context, control string) error {
	if addrs, err := net.InterfaceAddrs(); err == nil && !anyNetwork(addrs) {
		return errNoNetwork
	}
	ctx, end := context.WithTimeout(ctx, probeTime)
	defer end()
	// Its own transport: a kept connection would say that a server answers that does no more.
	one := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	client := http.Client{Transport: one, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, control+"/key?v=100", nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnheard, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return sort(err, time.Now())
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: it says %d %s", errUnheard, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}

// sort finds out which trouble an error is, by a clock that may be the trouble.
func sort(err error, now time.Time) error {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case now.Year() < firstYear:
		return fmt.Errorf("%w: it says %s", errClock, now.UTC().Format("2 January 2006"))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore): // a clock that was not set stands in the past
		return fmt.Errorf("%w: it says %s", errClock, now.UTC().Format("2 January 2006, 15:04 MST"))
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &verification), errors.As(err, &invalid):
		return fmt.Errorf("%w: %w", errCertify, err)
	}
	return fmt.Errorf("%w: %w", errUnheard, err)
}

// anyNetwork reports whether an address can lead anywhere. A machine that found no DHCP server has only link-local ones, and a
// node does not start with these (net/netmon: AnyInterfaceUp).
func anyNetwork(addrs []net.Addr) bool {
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() && !p.Addr().IsUnspecified() {
			return true
		}
	}
	return false
}
