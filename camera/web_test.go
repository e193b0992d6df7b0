package camera

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// patiently is for servers that are real, on machines that may be busy.
var patiently = waits{time.Minute, time.Minute, time.Minute}

// seenOf runs the source for an address until it fails or has delivered n pictures.
func seenOf(t *testing.T, address string, n int) (pics [][]byte, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := open(Device{ID: address}, Settings{FPS: maxFPS}).(*web)
	w.waits = patiently
	err = w.Run(ctx, put(func(pic []byte, _ time.Time) {
		if pics = append(pics, bytes.Clone(pic)); len(pics) == n {
			cancel()
		}
	}))
	return pics, err
}

// served is the address of a server that answers like this, until the test ends.
func served(t *testing.T, answer http.HandlerFunc) string {
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// saying answers with these headers and this body.
func saying(body []byte, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		_, _ = w.Write(body)
	}
}

// endlessly answers with head, and then with body for ever.
func endlessly(contentType, head string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, err := io.WriteString(w, head)
		for err == nil && r.Context().Err() == nil {
			_, err = w.Write(body)
		}
	}
}

// The dialects of real cameras, and some that are worse.
func TestWebStreams(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	part := func(format string) []byte { return append([]byte(format), pic...) }
	for name, answer := range map[string]http.HandlerFunc{
		"ustreamer": endlessly("multipart/x-mixed-replace;boundary=boundarydonotcross", "--boundarydonotcross\r\n",
			append(part("Content-Type: image/jpeg\r\nContent-Length: "+fmt.Sprint(len(pic))+"\r\nX-Timestamp: 1.2\r\n\r\n"), "\r\n--boundarydonotcross\r\n"...)),
		"ESP32-CAM": endlessly("multipart/x-mixed-replace;boundary=123456789000000000000987654321", "",
			part("\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\nContent-Length: 12\r\n\r\n")),
		"boundary with dashes":  endlessly("multipart/x-mixed-replace; boundary=--frame", "", part("--frame\r\nContent-Type: image/jpeg\r\n\r\n")),
		"LF alone, no length":   endlessly(`multipart/x-mixed-replace; boundary="bad boundary`, "", part("\n--x\nContent-type:image/jpeg\n\n")),
		"a length of 1e99":      endlessly("multipart/x-mixed-replace", "", part("--x\r\nContent-Length: 1e99\r\n\r\n")),
		"glued":                 endlessly("video/x-motion-jpeg", "", pic),
		"octets":                endlessly("application/octet-stream", "", pic),
		"a picture without end": endlessly("image/jpeg", "", pic),
		"a snapshot":            saying(pic, "Content-Type", "image/jpeg; charset=utf-8"),
		"a snapshot that promises more": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(pic)
		},
		"a snapshot in HTTP/1.0": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "HTTP/1.0 200 OK\nContent-Type: image/jpeg\n\n%s", pic)
		},
	} {
		pics, err := seenOf(t, served(t, answer), 3)
		if err != nil || len(pics) != 3 {
			t.Errorf("%s: got %d pictures, %v, want 3", name, len(pics), err)
		}
		for _, p := range pics {
			if !bytes.Equal(p, pic) {
				t.Errorf("%s: got a picture of %d bytes, want %d", name, len(p), len(pic))
			}
		}
	}
}

func TestWebFails(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(pic)
	_ = z.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	raw := func(text string, times int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for ; times > 0 && err == nil; times-- {
				_, err = io.WriteString(conn, text)
			}
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // of the sentence, behind "The camera C "
	}{
		"401":                    {status(401), "wants a name and a password"},
		"403":                    {status(403), "refuses to show its pictures to layerd (403)"},
		"404":                    {status(404), "has nothing at this address (404)"},
		"500":                    {status(500), "answers with an error (500)"},
		"nothing":                {status(200), "sends something that is no picture"},
		"a page":                 {saying([]byte("<html>"), "Content-Type", "Text/HTML; charset=utf-8"), "answers with text/html, not with JPEG pictures"},
		"a type that is hostile": {saying(pic, "Content-Type", strings.Repeat("<b>", 200)), "answers with <b>"},
		"packed":                 {saying(packed.Bytes(), "Content-Type", "image/jpeg", "Content-Encoding", "gzip"), "answers with something packed (gzip), not with JPEG"},
		"to another host":        {redirect("http://192.0.2.1/"), "sends us on to another host (http://192.0.2.1)"},
		"to another port":        {redirect("http://127.0.0.1:1/"), "sends us on to another host (http://127.0.0.1:1)"},
		"to a file":              {redirect("file:///etc/passwd"), "sends us on to another host (file://)"},
		"to a host of theirs":    {redirect("http:///x"), "sends us on to another host (http://)"},
		"to nowhere":             {redirect(""), "sends us on to another host"},
		"in circles":             {redirect("/again"), "sends us in circles"},
		"an endless part header": {endlessly("multipart/x-mixed-replace", "--x\r\n", bytes.Repeat([]byte("X-Header: on and on\r\n"), 10_000)), "sends something that is no picture"},
		"an endless picture":     {endlessly("image/jpeg", string(pic[:len(pic)-2]), make([]byte, 1<<20)), "sends pictures of more than 8 MB"},
		"a huge header":          {raw("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 20<<10)+"\r\n\r\n", 1), "answers with something that layerd does not understand"},
		"headers without end":    {raw("X-Header: on and on\r\n", 1<<20), "answers with something that layerd does not understand"},
		"no HTTP":                {raw("SSH-2.0-OpenSSH_9.2\r\n", 1), "answers with something that layerd does not understand"},
		"it hangs up":            {raw("", 1), "has broken the connection"},
		"a stream that ends":     {saying(bytes.Repeat(pic, 3), "Content-Type", "multipart/x-mixed-replace"), "stopped sending pictures"},
	} {
		_, err := seenOf(t, served(t, c.answer), 100)
		if got := problem("C", err); !strings.HasPrefix(got, "The camera C "+c.want) || len(got) > 300 || len(err.Error()) > 700 {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = seenOf(t, "http://"+l.Addr().String()+"/", 1)
	if got := problem("C", err); !strings.Contains(got, "refuses the connection") {
		t.Errorf("nobody listens: got %q (%v)", got, err)
	}
	unknown := newWeb(Device{ID: "http://cam.invalid/"}, Settings{})
	unknown.dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "cam.invalid", IsNotFound: true}}
	}
	if got := problem("C", unknown.Run(t.Context(), put(nil))); !strings.Contains(got, "has a name that nobody here knows") {
		t.Errorf("an unknown name: got %q", got)
	}
}

// Pictures that are whole as a stream has it and damaged for all that are counted where all are checked.
func TestWebDamagedPictures(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	for name, bad := range map[string][]byte{"cut off": pic[:len(pic)/2], "40 megapixels": withSize(t, pic, 8000, 5000)} {
		pics, err := seenOf(t, served(t, saying(bad, "Content-Type", "image/jpeg")), 2)
		if err != nil || len(pics) != 2 || !bytes.Equal(pics[0], bad) {
			t.Errorf("%s: got %d pictures, %v, want 2 to be handed on", name, len(pics), err)
		}
	}
}

func TestWebLogin(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	asked := 0
	basic := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="cam"`)
			w.WriteHeader(401)
			return
		}
		_, _ = w.Write(pic)
	})
	with := func(address, who string) string { return strings.Replace(address, "http://", "http://"+who+"@", 1) }
	if pics, err := seenOf(t, with(basic, "me:s3cret"), 3); err != nil || len(pics) != 3 || asked != 4 {
		t.Errorf("basic: got %d pictures, %v, with %d requests, want 4", len(pics), err, asked)
	}
	_, err := seenOf(t, with(basic, "me:s3cret2"), 1)
	if got := problem("C", err); got != "The camera C does not take the name and the password that are in its address" {
		t.Errorf("a wrong password: got %q", got)
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the password is in %v", err)
	}

	nonce, count := 0, ""
	digest := served(t, func(w http.ResponseWriter, r *http.Request) {
		l := newLogin(nil)
		l.user, l.password, l.asked = "me", "s3cret", &challenge{"digest", map[string]string{"realm": "cam", "nonce": fmt.Sprint(nonce), "qop": "auth"}}
		got := parseChallenges([]string{r.Header.Get("Authorization")})
		if len(got) == 1 {
			_, _ = fmt.Sscanf(got[0].params["nc"], "%x", &l.count)
			if want := l.digest("GET", "/snap?a=%20b&c", got[0].params["cnonce"]); want == r.Header.Get("Authorization") {
				count += got[0].params["nc"] + " "
				if len(count) == 18 {
					nonce++ // the old one has gone out of date
				}
				_, _ = w.Write(pic)
				return
			}
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="cam", nonce="%d", qop="auth"`, nonce))
		w.WriteHeader(401)
	})
	if pics, err := seenOf(t, with(digest, "me:s3cret")+"/snap?a=%20b&c", 3); err != nil || len(pics) != 3 || count != "00000001 00000002 00000001 " {
		t.Errorf("digest: got %d pictures, %v, counts %s", len(pics), err, count)
	}
}

// A camera may move us to https, whose certificate nobody vouches for where it stands at home.
func TestWebRedirectToItself(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	safe := httptest.NewUnstartedServer(saying(pic, "Content-Type", "image/jpeg"))
	safe.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	safe.StartTLS()
	defer safe.Close()
	plain := served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/snapshot", http.StatusMovedPermanently)
			return
		}
		http.Redirect(w, r, safe.URL+"/snapshot", http.StatusTemporaryRedirect)
	})
	if pics, err := seenOf(t, plain, 2); err != nil || len(pics) != 2 {
		t.Errorf("got %d pictures, %v", len(pics), err)
	}
	elsewhere := newWeb(Device{ID: "https://cam.example.com/"}, Settings{})
	elsewhere.waits = patiently
	elsewhere.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, safe.Listener.Addr().String())
	}
	err := elsewhere.Run(t.Context(), put(func([]byte, time.Time) { t.Error("a picture came from who knows where") }))
	if got := problem("C", err); !strings.Contains(got, "has a certificate that nobody vouches for") {
		t.Errorf("got %q (%v)", got, err)
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "192.168.1.2": true, "fd00::1": true, "0.0.0.0": true, "fe80::1": false, "espcam": true, "cam.local": true, "CAM.Lan.": true,
		"8.8.8.8": false, "cam.example.com": false, "2001:db8::1": false, "local.example": false} {
		if nearby(host) != want {
			t.Errorf("%s: got %v", host, !want)
		}
	}
}

func TestShownHidesPasswords(t *testing.T) {
	for device, want := range map[string]string{
		"http://cam/snap":                                "http://cam/snap",
		"http://me:s3cret@cam/snap?x=1":                  "http://me:xxxxx@cam/snap?x=1",
		"http://cam/s.cgi?user=a&pwd=s3cret&x=1&Token=s": "http://cam/s.cgi?user=a&pwd=xxxxx&x=1&Token=xxxxx",
		"/dev/video0":                                    "/dev/video0",
		"/dev/v4l/by-path/platform-1@2-video-index0":     "/dev/v4l/by-path/platform-1@2-video-index0",
		// Slips in the address, which the configuration may hold.
		"http://me:s3#cret@cam/snap":        "xxxxx@cam/snap",
		"http://me:s3cr?t%@cam/snap?k=s3":   "xxxxx@cam/snap?xxxxx",
		"rtsp://cam/live?password=s3cret":   "rtsp://cam/live?xxxxx",
		"http://c/v?user=me;pwd=geheim;n=1": "http://c/v?user=me;pwd=xxxxx;n=1",
		"http://c/v?a&psk=geheim=x&&b=":     "http://c/v?a&psk=xxxxx&&b=",
	} {
		if got := Shown(device); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		s := Settings{Device: Shown(device)}.WithSecret(Settings{Device: device})
		if s.Device != device {
			t.Errorf("back: got %s, want %s", s.Device, device)
		}
	}
	slip := Settings{Device: "http://me:s3#cret@cam/snap"}
	if err := slip.Validate(); err == nil || strings.Contains(err.Error(), "cret") || !strings.Contains(err.Error(), "@cam/snap") {
		t.Errorf("a slip: got %v", err)
	}
	twice := Settings{Device: "http://me:s3cret@cam/snap"}
	if err := NewRig(RigConfig{}).Check([]Setup{{ID: 0, Settings: twice}, {ID: 1, Settings: twice}}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("twice: got %v", err)
	}
	if w := newWeb(Device{ID: "http://me:s3cret@cam:81/snap"}, Settings{}); w.Name() != "cam:81" {
		t.Errorf("got the name %q", w.Name())
	}
	var marked *webError
	if err := newWeb(Device{ID: "http://me:s3cret@cam\x7f/"}, Settings{}).Run(t.Context(), put(nil)); !errors.As(err, &marked) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

// A camera that sends us on may have put our password into the address: it is shown to nobody.
func TestRedirectHidesPasswords(t *testing.T) {
	for _, to := range []string{"rtsp://admin:hunter2@10.0.0.9/stream", "http://admin:hunter2@10.0.0.9/stream", "http://admin:hunter2@[::1", "/x?pwd=hunter2\x7f", "//10.0.0.9/?pwd=hunter2"} {
		_, err := seenOf(t, served(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}), 1)
		said := problem("Cam", err)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(said, "hunter2") {
			t.Errorf("%q: got %v, shown as %q, want an error without the password", to, err, said)
		}
	}
}

// Failures of a kind have one text, so that their repetitions are counted, and do not fill the log: each connection has another port.
func TestWebErrorsRepeat(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 10))
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			conn.Close()
		}
	}()
	said := map[string]bool{}
	for range 3 {
		_, err := seenOf(t, "http://"+l.Addr().String()+"/", 1)
		said[fmt.Sprint(err)] = true
	}
	if len(said) != 1 {
		t.Errorf("got %q, want the same three times", slices.Collect(maps.Keys(said)))
	}
}

// The usual port is the same with and without its number.
func TestRedirectToTheUsualPort(t *testing.T) {
	for from, to := range map[string]string{"http://cam/": "http://cam:80/x", "https://cam:443/": "https://CAM/x", "http://cam:80/": "/x"} {
		v, err := newVisitor(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.follow(to); err != nil || v.address.Path != "/x" {
			t.Errorf("from %s to %s: got %v, %v", from, to, v.address, err)
		}
	}
}
