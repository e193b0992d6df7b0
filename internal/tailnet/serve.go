package tailnet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The page is on port 80, inside WireGuard, until the tailnet has given a certificate; then it is on 443, and 80 only shows the
// way there. Where there is no certificate (Headscale, or HTTPS turned off) it stays on 80.
const (
	retryServe = 5 * time.Second // after a listener was lost
	retryCert  = 5 * time.Minute // after there was no certificate
	checkCert  = time.Hour       // while there is one: it is renewed in time
	certTime   = 2 * time.Minute // for the authority to look and sign
)

// servePage serves until ctx ends.
func (l *life) servePage(ctx context.Context) {
	name, secure := "", ""
	stop := l.serving(ctx, map[string]serveFunc{":80": l.plain})
	defer func() { stop() }()
	var look <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case name = <-l.names:
		case <-look:
		}
		look = nil
		want, why := "", ""
		if name != "" {
			want, why, look = name, "", time.After(checkCert)
			if err := l.certificate(ctx, name); err != nil {
				want, why, look = "", clean(err.Error(), maxText), time.After(retryCert)
			}
		}
		if want != secure {
			stop()
			secure = want
			l.secure.Store(secure != "")
			if secure == "" {
				stop = l.serving(ctx, map[string]serveFunc{":80": l.plain})
			} else {
				stop = l.serving(ctx, map[string]serveFunc{":443": l.tls(name), ":80": showWay(name)})
			}
		}
		l.tell(ctx, func(v *view) { v.https, v.noCert = secure != "", why })
	}
}

// certificate makes sure that there is one.
func (l *life) certificate(ctx context.Context, name string) error {
	ctx, end := context.WithTimeout(ctx, certTime)
	defer end()
	cert, key, err := l.local.CertPair(ctx, name)
	if err == nil {
		_, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		return fmt.Errorf("get the certificate: %w", err)
	}
	return nil
}

// serveFunc serves a listener until ctx ends.
type serveFunc func(ctx context.Context, l net.Listener) error

// serving serves these ports of the tailnet, again after a failure, until ctx ends or stop is called, which waits.
func (l *life) serving(ctx context.Context, ports map[string]serveFunc) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	for port, serve := range ports {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := l.servePort(ctx, port, serve); err != nil && ctx.Err() == nil {
					l.node.log.Warn("serve on the tailnet", "port", port, "err", err)
				}
				select {
				case <-time.After(retryServe):
				case <-ctx.Done():
				}
			}
		})
	}
	return func() { end(); all.Wait() }
}

func (l *life) servePort(ctx context.Context, port string, serve serveFunc) error {
	listener, err := l.srv.Listen("tcp", port)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	defer listener.Close()
	return serve(ctx, introducing{listener, l.local})
}

func (l *life) plain(ctx context.Context, listener net.Listener) error {
	return l.node.cfg.Serve(ctx, listener)
}

// tls serves with the certificate for name, and for no other. http.Server finds a *tls.Conn, and in it the one that knows the caller.
func (l *life) tls(name string) serveFunc {
	own := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if !strings.EqualFold(strings.TrimSuffix(hello.ServerName, "."), name) {
			return nil, errors.New("that is not our name")
		}
		return l.local.GetCertificate(hello)
	}
	return func(ctx context.Context, listener net.Listener) error {
		return l.node.cfg.Serve(ctx, tls.NewListener(listener, &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: own,
		}))
	}
}

// showWay sends who looks for the page to the name that the certificate is for. The request has no say in where that is.
func showWay(name string) serveFunc {
	return func(ctx context.Context, listener net.Listener) error {
		return serveHTTP(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				http.Error(w, "use https://"+name+"/", http.StatusMethodNotAllowed) // its body has already come unencrypted by TLS
				return
			}
			way := *r.URL
			way.Scheme, way.Host, way.User = "https", name, nil
			http.Redirect(w, r, way.String(), http.StatusPermanentRedirect)
		}), nil)
	}
}

// serveHTTP serves small answers until ctx ends.
func serveHTTP(ctx context.Context, listener net.Listener, h http.Handler, known func(context.Context, net.Conn) context.Context) error {
	srv := &http.Server{
		Handler: h, ConnContext: known, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second,
	}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
