package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"
)

// pemPair is a certificate for 127.0.0.1 with its key, as PEM.
func pemPair(t testing.TB, serial int64, from, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: from, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// pairFiles are the two files of a certificate in a folder of their own.
type pairFiles struct {
	t         testing.TB
	cert, key string
	writes    int
}

func newPairFiles(t testing.TB) *pairFiles {
	dir := t.TempDir()
	return &pairFiles{t: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
}

// write gives each file another time than before.
func (p *pairFiles) write(name string, text []byte) {
	p.t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.writes++
	at := time.Date(2026, 1, 1, 0, 0, p.writes, 0, time.UTC)
	if err := os.Chtimes(name, at, at); err != nil {
		p.t.Fatal(err)
	}
}

var (
	longAgo  = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	longAway = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
)

func TestCertificateIsRenewed(t *testing.T) {
	files := newPairFiles(t)
	cert1, key1 := pemPair(t, 1, longAgo, longAway)
	cert2, key2 := pemPair(t, 2, longAgo, longAway)
	files.write(files.cert, cert1)
	files.write(files.key, key1)
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		c, err := LoadCertificate(files.cert, files.key, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		want := func(after time.Duration, serial int64) {
			t.Helper()
			time.Sleep(after)
			got, err := c.Get(nil)
			if err != nil || got.Leaf.SerialNumber.Int64() != serial {
				t.Errorf("got number %v, %v, want %d", got.Leaf.SerialNumber, err, serial)
			}
		}
		want(0, 1)
		files.write(files.cert, cert2) // and its key comes a moment later
		want(59*time.Second, 1)
		want(time.Second, 1)
		for range 5 {
			want(time.Minute, 1)
		}
		if n := strings.Count(said.String(), "the old one stays"); n != 1 {
			t.Errorf("it was logged %d times, want once: %s", n, &said)
		}
		files.write(files.key, key2)
		want(0, 1)
		want(time.Minute, 2)
		os.Remove(files.key)
		want(time.Minute, 2)
		want(time.Minute, 2)
		if n := strings.Count(said.String(), "the old one stays"); n != 2 {
			t.Errorf("it was logged %d times, want twice: %s", n, &said)
		}
		if strings.Contains(said.String(), "not valid") {
			t.Errorf("got %s, want no warning of a valid one", &said)
		}
		cert3, key3 := pemPair(t, 3, longAgo, longAgo.Add(time.Hour)) // expired: better than none
		files.write(files.cert, cert3)
		files.write(files.key, key3)
		want(time.Minute, 3)
		if !strings.Contains(said.String(), "not valid today") {
			t.Errorf("got %s, want a warning", &said)
		}
	})
}

func TestCertificateThatCannotBe(t *testing.T) {
	cert1, key1 := pemPair(t, 1, longAgo, longAway)
	_, key2 := pemPair(t, 2, longAgo, longAway)
	for _, c := range []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"no certificate", nil, key1, "read the TLS certificate: open "},
		{"no key", cert1, nil, "read the key of the TLS certificate: open "},
		{"no pair", cert1, key2, "does not match"},
		{"the wrong way round", key1, cert1, "switched"},
		{"rubbish", []byte("hello"), key1, "PEM"},
		{"endless", bytes.Repeat([]byte("a"), maxPEM+1), key1, "PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := newPairFiles(t)
			for name, text := range map[string][]byte{files.cert: c.cert, files.key: c.key} {
				if text != nil {
					files.write(name, text)
				}
			}
			if _, err := TLSListener(nil, files.cert, files.key, nil); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

// secure serves a rig over TLS on a real port.
func secure(t *testing.T) (r *rig, host string, trust *tls.Config) {
	r = newRig(t)
	files := newPairFiles(t)
	cert, key := pemPair(t, 1, longAgo, longAway)
	files.write(files.cert, cert)
	files.write(files.key, key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	safe, err := TLSListener(l, files.cert, files.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.serveOn(t, safe)
	trust = &tls.Config{RootCAs: x509.NewCertPool()}
	trust.RootCAs.AppendCertsFromPEM(cert)
	return r, l.Addr().String(), trust
}

func TestOverTLS(t *testing.T) {
	r, host, trust := secure(t)
	ask := func(client *http.Client, method, path string) *http.Response {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), method, "https://"+host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer viewer")
		answer, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: h2}
		t.Cleanup(transport.CloseIdleConnections)
		client := &http.Client{Transport: transport}
		login := ask(client, "POST", "/v1/login")
		if cookies := login.Cookies(); (login.ProtoMajor == 2) != h2 || len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly {
			t.Errorf("got %s and %v, want HTTP/2 %v and one cookie for HTTPS alone", login.Proto, cookies, h2)
		}
		r.cameras.take(1)
		stream := ask(client, "GET", "/webcam/?action=stream")
		part, err := multipart.NewReader(stream.Body, "layerd-frame").NextPart()
		if err != nil {
			t.Fatalf("HTTP/2 %v: %v", h2, err)
		}
		picture := make([]byte, 5000)
		if _, err := io.ReadFull(part, picture); err != nil || !bytes.Equal(picture, bytes.Repeat([]byte{1}, 5000)) {
			t.Errorf("HTTP/2 %v: got %.20q…, %v, want the picture", h2, picture, err)
		}
		stream.Body.Close()
	}

	dialer := websocket.Dialer{TLSClientConfig: trust.Clone()}
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		conn, _, err := dialer.Dial("wss://"+host+path, http.Header{"Authorization": {"Bearer viewer"}, "Origin": {"https://" + host}})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer conn.Close()
		if path == "/v1/camera" {
			(&phone{t: t, conn: conn}).say(`{"ack":0}`)
		}
		if _, text, err := conn.ReadMessage(); err != nil || len(text) == 0 {
			t.Errorf("%s: got %q, %v, want a message", path, text, err)
		}
	}

	if _, err := tls.Dial("tcp", host, &tls.Config{RootCAs: trust.RootCAs, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("it speaks TLS 1.1")
	}
	plain, err := http.Get("http://" + host + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Body.Close()
	if text, _ := io.ReadAll(plain.Body); plain.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("plain HTTP: got %d %q, want 400 and a word of HTTPS", plain.StatusCode, text)
	}
}

// smallBuffer finds the socket below TLS.
func TestSmallBufferBelowTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	size := func() int { return sendBuffer(t, conn.(*net.TCPConn)) }
	before := size()
	smallBuffer(tls.Client(conn, &tls.Config{ServerName: "x"}), 16<<10)
	if now := size(); now >= before || now > 64<<10 {
		t.Errorf("got a buffer of %d bytes, was %d, want about 32 kB", now, before)
	}
}

func sendBuffer(t *testing.T, c *net.TCPConn) (bytes int) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { bytes, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF) })
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// One connection of HTTP/2 is many requests, each with its goroutine, and has buffers as large as it announces; connections are all that the crowd counts.
func TestOneConnectionIsBounded(t *testing.T) {
	_, host, trust := secure(t)
	trust.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", host, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00") // SETTINGS, of which there are none
	head := make([]byte, 9)
	if _, err := io.ReadFull(conn, head); err != nil || head[3] != 4 {
		t.Fatalf("got % x, %v, want SETTINGS", head, err)
	}
	settings := make([]byte, binary.BigEndian.Uint16(head[1:]))
	if _, err := io.ReadFull(conn, settings); err != nil {
		t.Fatal(err)
	}
	got := map[uint16]uint32{}
	for ; len(settings) >= 6; settings = settings[6:] {
		got[binary.BigEndian.Uint16(settings)] = binary.BigEndian.Uint32(settings[2:])
	}
	for what, c := range map[string]struct {
		id   uint16
		most uint32
	}{"requests at a time": {3, 8}, "bytes of headers": {6, 17 << 10}, "bytes of body that wait": {4, 256 << 10}, "bytes in a frame": {5, 16 << 10}} {
		if v, said := got[c.id]; !said || v > c.most {
			t.Errorf("%s: got %d, want at most %d", what, v, c.most)
		}
	}
}
