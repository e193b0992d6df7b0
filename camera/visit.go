package camera

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// One request to a camera on the network, and what it takes until there is an answer with pictures:
//
//	request ─▶ 200, of a type that may hold pictures
//	   ▲─ 30x: elsewhere on the same host
//	   └─ 401: again, with name and password (login.go)

const (
	maxHeaders = 16 << 10
	maxSteps   = 6 // redirects and logins
	maxLogins  = 2 // the second where what we knew had gone out of date
)

// visitor keeps what was learnt of one camera. Not for several goroutines.
type visitor struct {
	address   *url.URL // without name and password
	login     *login
	transport *http.Transport
}

func newVisitor(address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*visitor, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address cannot be read") // the error would show it
	}
	v := &visitor{login: newLogin(u.User), address: u}
	u.User = nil
	v.transport = &http.Transport{DialContext: dial, MaxResponseHeaderBytes: maxHeaders, DisableCompression: true, MaxConnsPerHost: 1,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: nearby(u.Hostname())}}
	return v, nil
}

// nearby tells whether a host can only be in the own network. There is nobody who could vouch for such a name, so cameras there have certificates
// of their own making, and those are taken: it is no worse than http, which most of them speak. All others are verified.
func nearby(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsUnspecified()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ends := []string{".local", ".lan", ".home.arpa", ".internal", ".localhost"} // RFC 6762, RFC 8375, and what ICANN gives to nobody
	return !strings.Contains(host, ".") || slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(host, e) })
}

// visit returns an answer that may hold pictures; its body is the caller's to close.
func (v *visitor) visit(ctx context.Context) (*http.Response, error) {
	logins := 0
	for range maxSteps {
		answer, err := v.ask(ctx)
		if err != nil {
			return nil, err
		}
		switch answer.StatusCode {
		case http.StatusOK:
			if what, ok := isType(answer.Header); !ok {
				err = &notPictures{what}
				break
			}
			return answer, nil
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			err = v.follow(answer.Header.Get("Location"))
		case http.StatusUnauthorized:
			if logins++; logins > maxLogins || !v.login.challenged(answer.Header) {
				err = &loginError{had: v.login.user != ""}
			}
		default:
			err = statusError(answer.StatusCode)
		}
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, errCircle
}

// ask makes one request, past any proxy of the environment.
func (v *visitor) ask(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "layerd")
	if a := v.login.answer(r.Method, v.address.RequestURI()); a != "" {
		r.Header.Set("Authorization", a)
	}
	answer, err := v.transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", v.address.Host, err)
	}
	return answer, nil
}

// follow goes where the camera sends us, if that is itself: whoever gave us its address, and maybe a password, meant no other host.
func (v *visitor) follow(location string) error {
	to, err := v.address.Parse(location)
	if err != nil || location == "" {
		return &elsewhere{"an address that cannot be read"} // nor shown: a password may be in it
	}
	from := v.address
	safer := from.Scheme == "http" && to.Scheme == "https"
	if !strings.EqualFold(to.Hostname(), from.Hostname()) || !safer && (to.Scheme != from.Scheme || port(to) != port(from)) {
		return &elsewhere{tidyLine(to.Scheme + "://" + to.Host)}
	}
	to.User, to.Fragment = nil, ""
	v.address = to
	return nil
}

// port is that of an address, also where its scheme says it.
func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// isType tells whether an answer that calls itself so may hold JPEGs, and what that is. A camera that does not say may.
func isType(h http.Header) (what string, ok bool) {
	if coding := h.Get("Content-Encoding"); coding != "" && coding != "identity" { // not asked for, and it may unpack into anything
		return tidyLine("something packed (" + coding + ")"), false
	}
	what, _, _ = strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	what = strings.TrimSpace(what)
	ok = strings.HasPrefix(what, "multipart/") || slices.Contains([]string{"", "image/jpeg", "image/jpg", "image/pjpeg", "application/octet-stream",
		"video/x-motion-jpeg", "video/x-mjpeg", "video/mjpeg", "video/x-jpeg", "video/jpeg"}, what)
	return tidyLine(what), ok
}

// What may be wrong with a camera on the network, beside the errors of net.
var errCircle = errors.New("redirects without end")

// webError marks errors of a camera on the network, which mean other things to people than those of a device.
type webError struct{ err error }

// Error is the same for the same failure, of which the log counts the repetitions: so it is without our port, and without what net/http quotes because it
// does not like it, where a password may be, too.
func (e *webError) Error() string {
	text, _, quotes := strings.Cut(e.err.Error(), `"`)
	if quotes {
		text += "…"
	}
	return tidyLine(ourEnd.ReplaceAllString(text, ""))
}

// ourEnd is the half of a connection that is ours, as errors of net and of its resolver name it.
var ourEnd = regexp.MustCompile(`[^ ]+->`)

func (e *webError) Unwrap() error { return e.err }

type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the answer is %d %s", int(e), http.StatusText(int(e)))
}

type loginError struct{ had bool } // a name and password

func (e *loginError) Error() string { return fmt.Sprintf("login refused; one was given: %v", e.had) }

type elsewhere struct{ to string }

func (e *elsewhere) Error() string { return "sent on to " + e.to }

type notPictures struct{ what string }

func (e *notPictures) Error() string { return "the answer is " + e.what }

// webProblem is what is wrong with the camera called name, in one sentence for people; "" where it is as with any camera.
func webProblem(name string, err error) string {
	is := func(target error) bool { return errors.Is(err, target) }
	var (
		status  statusError
		login   *loginError
		away    *elsewhere
		other   *notPictures
		noName  *net.DNSError
		trust   *tls.CertificateVerificationError
		network *net.OpError
		barred  *notHere
	)
	say := func(text string, a ...any) string { return "The camera " + name + " " + fmt.Sprintf(text, a...) }
	switch {
	case errors.As(err, &login) && login.had:
		return say("does not take the name and the password that are in its address")
	case errors.As(err, &login):
		return say("wants a name and a password: put them into its address, as in http://NAME:PASSWORD@…")
	case errors.As(err, &status) && status == http.StatusForbidden:
		return say("refuses to show its pictures to layerd (403)")
	case errors.As(err, &status) && status == http.StatusNotFound:
		return say("has nothing at this address (404): look for that of its stream or snapshot")
	case errors.As(err, &status):
		return say("answers with an error (%d)", int(status))
	case errors.As(err, &away):
		return say("sends us on to another host (%s): give that address, if it is the camera's", away.to)
	case is(errCircle):
		return say("sends us in circles")
	case errors.As(err, &other):
		return say("answers with %s, not with JPEG pictures: look for the address of its stream or snapshot", other.what)
	case is(errSlow):
		return say("sends its pictures too slowly: choose smaller ones, or look at its Wi-Fi")
	case is(errNoPicture), is(errTooLong), is(errStalled), is(errEnded):
		return ""
	case errors.As(err, &barred):
		return say("has an address that is no camera's (%s): give it one of the network at home", barred.address)
	case errors.As(err, &noName):
		return say("has a name that nobody here knows: give its address in numbers, as in http://192.168.1.20/")
	case errors.As(err, &trust):
		return say("has a certificate that nobody vouches for")
	case is(syscall.ECONNREFUSED):
		return say("refuses the connection: is its server running, and the port right?")
	case is(errSilent), errors.As(err, &network) && network.Op == "dial":
		return say("does not answer: is it switched on, and its address right?")
	case errors.As(err, &network), is(io.EOF), is(io.ErrUnexpectedEOF):
		return say("has broken the connection")
	}
	return say("answers with something that layerd does not understand: is its address right?")
}
