package zerotier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What goes wrong on the way to the service. Everybody who reads a Status sees other words: words.go.
var (
	errNotInstalled = errors.New("there is no token: ZeroTier is not installed, or has never run")
	errNotAllowed   = errors.New("the token may not be read")
	errToken        = errors.New("the token makes no sense")
	errRefused      = errors.New("ZeroTier does not take the token")
	errDown         = errors.New("ZeroTier does not answer")
	errNonsense     = errors.New("what answers does not speak as ZeroTier does")
	errNotMember    = errors.New("this machine is not in the network")
)

const (
	home       = "/var/lib/zerotier-one" // of the service on Linux
	credential = "zt-token"              // by LoadCredential= of layerd's unit
	usualPort  = 9993
	maxAnswer  = 1 << 20 // bytes
	maxToken   = 256     // bytes; real ones have 24
	patience   = 5 * time.Second
)

// service asks the zerotier-one of this machine (docs.zerotier.com/api/service; service/README.md of its sources):
//
//	GET    /status      this node, and whether it reaches ZeroTier's roots
//	GET    /network/ID  a network that was joined; 404 when it was not
//	POST   /network/ID  joins it; the answer is the network, or {} while there is none yet
//	DELETE /network/ID  leaves it; 200 even when it was not joined
//	GET    /peer        other nodes
//
// Each request carries the token in X-ZT1-Auth, else the answer is 401.
type service struct {
	url       string // "" = at usual ports
	tokenFile string // "" = where it usually is
	http      *http.Client
}

// newService fails for an address that is not of this machine: the token is the key to all its networks.
func newService(address, tokenFile string) (*service, error) {
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || !loopback(u.Hostname()) {
			return nil, fmt.Errorf("%.100q is no address of a ZeroTier on this machine, such as http://127.0.0.1:%d", address, usualPort)
		}
		address = "http://" + u.Host
	}
	return &service{url: address, tokenFile: tokenFile, http: &http.Client{
		Timeout: patience,
		// A redirect could lead anywhere, with the token in its hands.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// One request in seconds is not worth an open connection, and a proxy has no business here.
		Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 32 << 10, DisableCompression: true},
	}}, nil
}

// loopback takes no names: what they mean is for others to say.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// ask returns the body of the answer. It waits for patience at most. send "" = no body.
func (s *service) ask(ctx context.Context, method, path, send string) ([]byte, error) {
	file := s.tokenPath()
	token, err := readToken(file)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.address(file)+path, strings.NewReader(send))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-ZT1-Auth", token)
	if send != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := s.http.Do(r)
	if err != nil {
		var refused *net.OpError
		if ctx.Err() != nil || errors.As(err, &refused) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %w", errDown, err)
		}
		return nil, fmt.Errorf("%w: %w", errNonsense, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, errRefused
	case http.StatusNotFound:
		return nil, errNotMember
	default:
		return nil, fmt.Errorf("%w: status %d to %s %s", errNonsense, response.StatusCode, method, path)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDown, err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: more than %d bytes", errNonsense, maxAnswer)
	}
	return body, nil
}

// tokenPath prefers the token that systemd hands over: a DynamicUser cannot read the service's own.
func (s *service) tokenPath() string {
	if s.tokenFile != "" {
		return s.tokenFile
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		given := filepath.Join(dir, credential)
		if _, err := os.Stat(given); err == nil {
			return given
		}
	}
	return filepath.Join(home, "authtoken.secret")
}

// readToken reads it anew each time: ZeroTier may be installed, or installed again, while layerd runs.
func readToken(path string) (string, error) {
	text, err := readShort(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errNotInstalled
	case errors.Is(err, fs.ErrPermission):
		return "", errNotAllowed
	case err != nil:
		return "", fmt.Errorf("%w: %w", errToken, err)
	}
	if text == "" || len(text) > maxToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errToken
	}
	return text, nil
}

// address is where the service listens: it writes its port beside its token.
func (s *service) address(tokenFile string) string {
	if s.url != "" {
		return s.url
	}
	port := usualPort
	if text, err := readShort(filepath.Join(filepath.Dir(tokenFile), "zerotier-one.port")); err == nil {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil && n > 0 {
			port = int(n)
		}
	}
	return "http://127.0.0.1:" + strconv.Itoa(port)
}

func readShort(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 2*maxToken))
	return strings.TrimSpace(string(text)), err
}
