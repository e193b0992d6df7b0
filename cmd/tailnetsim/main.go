// Command tailnetsim is a tailnet for trying things and for tests of the page: a pretend control server on loopback, and a pretend
// phone that browsers use as their proxy. Nothing goes outside.
//
//	tailnetsim            # prints control=URL, proxy=URL and phone=LOGIN, each on a line
//	layerd …              # with the control server's URL; opening its login link logs in
//	chromium --proxy-server=PROXY http://layerd.tail-scale.ts.net/
//
// On its standard input it takes, a line each: approve LINK, expire NAME, renew NAME, down, up, quit. It answers each with ok or error.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"layerd/internal/tailnet/tailnettest"
)

func main() {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	if err := run(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tailnetsim:", err)
		os.Exit(1)
	}
}

// dialer opens connections on the tailnet.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	tailnettest.Isolate()
	control, err := tailnettest.New()
	if err != nil {
		return err
	}
	defer control.Close()
	control.Fake.RequireAuth = true
	dir, err := os.MkdirTemp("", "tailnetsim")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	joining, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	phone, login, err := control.Join(joining, dir, "phone")
	if err != nil {
		return err
	}
	defer phone.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy := &http.Server{Handler: proxyBy(phone.Dial), ReadHeaderTimeout: 10 * time.Second}
	defer proxy.Close()
	go proxy.Serve(listener)
	fmt.Fprintf(out, "control=%s\nproxy=http://%s\nphone=%s\n", control.URL, listener.Addr(), login)
	return obey(ctx, control, in, out)
}

// obey does what is typed until it ends.
func obey(ctx context.Context, control *tailnettest.Control, in io.Reader, out io.Writer) error {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			if !ok || word == "quit" {
				return nil
			}
			if err := do(control, word, rest); err != nil {
				fmt.Fprintln(out, "error:", err)
			} else {
				fmt.Fprintln(out, "ok")
			}
		}
	}
}

func do(control *tailnettest.Control, word, rest string) error {
	switch word {
	case "approve":
		return control.Approve(rest)
	case "expire":
		control.Expire(rest, time.Now().Add(-time.Minute))
	case "renew":
		control.Expire(rest, time.Time{})
	case "down":
		control.Down()
	case "up":
		return control.Up()
	default:
		return fmt.Errorf("%q is none of approve LINK, expire NAME, renew NAME, down, up, quit", word)
	}
	return nil
}

// proxyBy is an HTTP proxy that reaches the tailnet, for http by forwarding and for everything else by CONNECT.
func proxyBy(dial dialer) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: &http.Transport{DialContext: dial}, FlushInterval: -1,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			tunnel(w, r, dial)
		case r.URL.Host == "" || r.URL.Scheme != "http":
			http.Error(w, "this is a proxy", http.StatusBadRequest)
		default:
			forward.ServeHTTP(w, r)
		}
	})
}

func tunnel(w http.ResponseWriter, r *http.Request, dial dialer) {
	there, err := dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer here.Close()
	io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		io.Copy(there, buffered)
		there.Close()
	}()
	io.Copy(here, there)
}
