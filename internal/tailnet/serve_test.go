package tailnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layerd/internal/overlay"
	"layerd/internal/tailnet/tailnettest"
)

// writeCertificate makes an authority, and a certificate of it for the node voron.
func writeCertificate(dir string) error {
	ca, caKey, err := issue(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	if err != nil {
		return err
	}
	own, ownKey, err := issue(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"voron." + tailnettest.Domain}, KeyUsage: x509.KeyUsageDigitalSignature}, ca, caKey)
	if err != nil {
		return err
	}
	for name, c := range map[string]*x509.Certificate{"ca": ca, "voron": own} {
		key := map[string]*ecdsa.PrivateKey{"ca": caKey, "voron": ownKey}[name]
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return err
		}
		for ext, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: c.Raw}, ".key": {Type: "EC PRIVATE KEY", Bytes: der}} {
			if err := os.WriteFile(filepath.Join(dir, name+ext), pem.EncodeToMemory(block), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// issue signs a certificate, which is valid now unless it says when. parent nil = by itself.
func issue(c, parent *x509.Certificate, with *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, with = c, own
	}
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(80*24*time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &own.PublicKey, with)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	return signed, own, err
}

// withCertificate is a state directory that has the certificate.
func withCertificate(t *testing.T) string {
	t.Helper()
	dir, from := t.TempDir(), filepath.Dir(os.Getenv("SSL_CERT_FILE"))
	if err := os.Mkdir(filepath.Join(dir, "certs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".crt", ".key"} {
		text, err := os.ReadFile(filepath.Join(from, "voron"+ext))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "certs", "voron."+tailnettest.Domain+ext), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHTTPS(t *testing.T) {
	c := control(t)
	c.WithCertificates()
	d := start(t, c, withCertificate(t), nil)
	s := d.until("https", func(s overlay.Status) bool { return len(s.URLs) > 0 && strings.HasPrefix(s.URLs[0], "https:") })
	name := "voron." + tailnettest.Domain
	if len(s.URLs) != 1 || s.URLs[0] != "https://"+name+"/" || len(s.Health) != 0 {
		t.Errorf("got %+v", s)
	}
	alice := join(t, c, "phone")
	tr := alice.Transport.(*http.Transport)
	tr.ForceAttemptHTTP2, tr.TLSClientConfig = true, &tls.Config{}
	if who := alice.caller(t, s.URLs[0]); who.Login != alice.login {
		t.Errorf("got %+v, want %s", who, alice.login)
	}
	resp, err := alice.Get(s.URLs[0])
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("got %+v, %v, want HTTP/2", resp, err)
	}
	resp.Body.Close()
	tr.CloseIdleConnections()
	tr.TLSClientConfig = &tls.Config{ServerName: "other." + tailnettest.Domain}
	if resp, err := alice.Get(s.URLs[0]); err == nil {
		t.Errorf("another name: got %s", resp.Status)
	}

	alice.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, ask := range []struct{ method, path, host, way string }{
		{"GET", "/print/1?a=b%2f", "evil.example.com", "https://" + name + "/print/1?a=b%2f"},
		{"HEAD", "//evil.example.com/x", name, "https://" + name + "//evil.example.com/x"},
		{"POST", "/v1/do", name, ""},
	} {
		req, err := http.NewRequestWithContext(patient(t), ask.method, strings.TrimSuffix(byIP(s), "/")+ask.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = ask.host
		resp, err := alice.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Location"); got != ask.way || (ask.way == "") != (resp.StatusCode == http.StatusMethodNotAllowed) {
			t.Errorf("%s %s: got %s to %q, want %q", ask.method, ask.path, resp.Status, got, ask.way)
		}
	}
}

func TestNoCertificate(t *testing.T) {
	c := control(t)
	c.WithCertificates()
	d := start(t, c, t.TempDir(), nil)
	s := d.until("a reason", func(s overlay.Status) bool {
		return len(s.Health) > 0 && strings.HasPrefix(s.Health[0], "The page is served without the tailnet's certificate: ")
	})
	if s.State != overlay.Running || !strings.HasPrefix(s.URLs[0], "http://") {
		t.Errorf("got %+v", s)
	}
	if who := join(t, c, "phone").caller(t, byIP(s)); who.Login == "" {
		t.Errorf("got %+v", who)
	}
}
