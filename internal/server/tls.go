package server

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// TLS with a certificate of the user's own:
//
//	listener ─▶ TLSListener ─▶ handshake ─▶ Certificate, read anew when its files have changed ─▶ net/http
//
// net/http tells who speaks plain HTTP to it that this is HTTPS.

const (
	recheckCertificate = time.Minute
	maxPEM             = 1 << 20 // bytes; a chain and its key have a few thousand
)

// Certificate is the pair of PEM files that a renewal replaces while we run. It may be used from any goroutine.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex // guards what follows
	newest  *tls.Certificate
	seen    [2]stamp // of the files when they were last read, or tried
	checked time.Time
}

// stamp changes when a file does. The zero stamp is of no file.
type stamp struct {
	changed time.Time
	size    int64
}

// LoadCertificate reads both files. The error says which is missing, or why they are no pair; a certificate that is not valid today is only
// logged, since the machine's clock may be what is wrong. log may be nil.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	c.seen = c.stamps()
	pair, err := c.read()
	if err != nil {
		return nil, err
	}
	c.newest = pair
	return c, nil
}

// TLSListener speaks TLS, 1.2 at least, on the connections of l, with the certificate in two PEM files. The error is LoadCertificate's; l stays open then.
func TLSListener(l net.Listener, certFile, keyFile string, log *slog.Logger) (net.Listener, error) {
	c, err := LoadCertificate(certFile, keyFile, log)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{GetCertificate: c.Get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}

// Get is for tls.Config.GetCertificate. Once a minute at most, one handshake looks whether the files have changed; those beside it do not wait. What
// cannot be used is logged once, and the certificate from before goes on.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	newest, seen, due := c.look()
	if !due {
		return newest, nil
	}
	found := c.stamps() // before they are read: what is written meanwhile is seen the next time
	if found == seen {
		return newest, nil
	}
	pair, err := c.read()
	if err != nil {
		c.log.Error("the new TLS certificate cannot be used; the old one stays", "err", err)
		pair = newest
	} else {
		c.log.Info("new TLS certificate", "valid_until", pair.Leaf.NotAfter)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest, c.seen = pair, found
	return pair, nil
}

// look returns what is in use, and whether it is due that the caller looks for something newer.
func (c *Certificate) look() (newest *tls.Certificate, seen [2]stamp, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if due = time.Since(c.checked) >= recheckCertificate; due {
		c.checked = time.Now()
	}
	return c.newest, c.seen, due
}

func (c *Certificate) stamps() (s [2]stamp) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

func (c *Certificate) read() (*tls.Certificate, error) {
	cert, err := readPEM(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	key, err := readPEM(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key of the TLS certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("use the TLS certificate in %s with the key in %s: %w", c.certFile, c.keyFile, err)
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) || now.Before(pair.Leaf.NotBefore) {
		c.log.Warn("the TLS certificate is not valid today: browsers will warn of it", "file", c.certFile, "from", pair.Leaf.NotBefore, "until", pair.Leaf.NotAfter)
	}
	return &pair, nil
}

func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxPEM))
}
