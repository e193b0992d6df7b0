package camera

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestMayLead(t *testing.T) {
	for _, c := range []struct {
		host, to string
		want     bool
	}{
		{"127.0.0.1", "127.0.0.1:8080", true}, {"localhost", "[::1]:8080", true}, {"0.0.0.0", "0.0.0.0:8080", true}, {"octopi.local", "127.0.1.1:80", true},
		{"192.168.1.20", "192.168.1.20:80", true}, {"cam.example.com", "192.168.1.20:80", true}, {"cam.example.com", "203.0.113.7:80", true}, {"cam", "[fd12:3456::7]:80", true},
		{"cam.tail1234.ts.net", "100.101.102.103:80", true}, {"cam.tail1234.ts.net", "[fd7a:115c:a1e0::7]:80", true},

		{"169.254.169.254", "169.254.169.254:80", false}, {"cam.lan", "169.254.1.1:80", false}, {"cam", "[fe80::1%eth0]:80", false}, {"cam", "[::ffff:169.254.169.254]:80", false},
		{"cam", "[fd00:ec2::254]:80", false}, {"cam", "100.100.100.200:80", false}, {"cam", "100.100.100.100:80", false}, {"cam", "168.63.129.16:80", false},
		{"cam.example.com", "127.0.0.1:80", false}, {"cam.example.com", "[::1]:80", false}, {"cam.example.com", "[::ffff:127.0.0.1]:80", false}, {"cam.example.com", "0.0.0.0:80", false},
		{"cam", "nonsense", false},
	} {
		if err := mayLead(c.host, c.to); (err == nil) != c.want {
			t.Errorf("%s at %s: got %v, want it allowed: %v", c.host, c.to, err, c.want)
		}
	}
}

// Addresses that stand in the setting itself, through the whole source: the connection is not even tried.
func TestWebGoesToCamerasOnly(t *testing.T) {
	for address, ip := range map[string]string{
		"http://169.254.169.254/latest/meta-data/": "169.254.169.254", "https://169.254.170.2/": "169.254.170.2", "http://[fe80::1%25lo]:8080/": "fe80::1",
		"http://[::ffff:a9fe:a9fe]/": "169.254.169.254", "http://100.100.100.200/latest": "100.100.100.200", "http://me:s3cret@[fd00:ec2::254]/": "fd00:ec2::254",
	} {
		_, err := seenOf(t, address, 1)
		var barred *notHere
		if !errors.As(err, &barred) || barred.address != netip.MustParseAddr(ip) {
			t.Errorf("%s: got %v, want it refused", address, err)
		}
		if got := problem("C", err); !strings.Contains(got, "no camera's ("+ip+")") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %q (%v)", address, got, err)
		}
	}
	for _, scheme := range []string{"file:///etc/passwd", "ftp://cam/", "gopher://127.0.0.1:9993/_GET", "unix:///run/docker.sock", "rtsp://cam/", "javascript:alert(1)", "//cam/", "http://", "http:cam", "http+unix://x/"} {
		if err := (Settings{Device: scheme}).Validate(); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: got %v, want it refused", scheme, err)
		}
	}
}

// A name may lead elsewhere the next time that it is asked for, and between that it is looked at and gone to.
func TestWebLooksWhereTheNameLeads(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	camera := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = w.Write(pic)
	})
	moving := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	})
	for name, c := range map[string]struct {
		host, at string
		answers  []string
		pictures int
	}{
		"a camera":           {"cam.lan.", camera, []string{"127.0.0.1", "127.0.0.1", "169.254.169.254"}, 2},
		"after a redirect":   {"cam.lan.", moving, []string{"127.0.0.1", "169.254.169.254"}, 0},
		"from the internet":  {"cam.example.com.", camera, []string{"127.0.0.1"}, 0},
		"one of two is well": {"cam.lan.", camera, []string{"169.254.169.254+127.0.0.1", "169.254.1.1"}, 1},
	} {
		_, port, _ := strings.Cut(strings.TrimPrefix(c.at, "http://"), ":")
		w := newWeb(Device{ID: "http://" + c.host + ":" + port + "/"}, Settings{FPS: maxFPS})
		w.waits, w.dial = patiently, dialCamera(namesOf(t, c.answers...))
		n := 0
		err := w.Run(t.Context(), put(func(got []byte, _ time.Time) {
			if n++; !bytes.Equal(got, pic) {
				t.Errorf("%s: another picture came", name)
			}
		}))
		var barred *notHere
		if !errors.As(err, &barred) || n != c.pictures {
			t.Errorf("%s: got %d pictures, then %v, want %d, then the address refused", name, n, err, c.pictures)
		}
	}
}

// namesOf is a resolver whose server answers each question for an IPv4 address with the next of these, several of them with a + between.
func namesOf(t *testing.T, answers ...string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe() // no packets, so the questions come as over TCP, with their length before them
		t.Cleanup(func() { there.Close() })
		next := func() (list string) {
			if len(answers) == 0 {
				t.Error("the name was asked for once more")
				return ""
			}
			list, answers = answers[0], answers[1:]
			return list
		}
		go func() {
			defer there.Close()
			var size [2]byte
			for {
				if _, err := io.ReadFull(there, size[:]); err != nil {
					return
				}
				q := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(there, q); err != nil {
					return
				}
				if _, err := there.Write(reply(q, next)); err != nil {
					return
				}
			}
		}()
		return here, nil
	}}
}

// reply answers one question (RFC 1035, 4.1); what is no question for an IPv4 address has no answer.
func reply(q []byte, next func() string) []byte {
	end := 12 + bytes.IndexByte(q[12:], 0) + 1 + 4
	kind := binary.BigEndian.Uint16(q[end-4:])
	head := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
	if kind == 1 {
		for _, a := range strings.Split(next(), "+") {
			head[7]++
			ip := netip.MustParseAddr(a).As4()
			head = append(append(head, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
		}
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(head))), head...)
}

// FuzzFollow: wherever a camera sends us, it is itself, without a password in the address; and an error shows no more than a host.
func FuzzFollow(f *testing.F) {
	f.Add("http://cam/snap", "/x?y#z")
	f.Add("http://cam:8080/", "https://CAM/")
	f.Add("https://cam/", "//cam@evil.example/")
	f.Add("http://[fd00::1]/", "http://[fd00::1%25eth0]:80/")
	f.Add("http://cam/", "http://cam\\\\@evil.example\x00")
	f.Fuzz(func(t *testing.T, from, to string) {
		if !isWebAddress(from) {
			return
		}
		v, err := newVisitor(from, nil)
		if err != nil {
			t.Fatalf("%q is an address: %v", from, err)
		}
		was := *v.address
		if err := v.follow(to); err != nil {
			if *v.address != was || len(err.Error()) > 600 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q to %q: got %q, at %v", from, to, err, v.address)
			}
			return
		}
		is := v.address
		if !strings.EqualFold(is.Hostname(), was.Hostname()) || is.User != nil || is.Scheme != was.Scheme && is.Scheme != "https" || is.Scheme == was.Scheme && port(is) != port(&was) {
			t.Errorf("from %q to %q: got to %v", from, to, is)
		}
		if r, err := http.NewRequest("GET", is.String(), nil); err == nil && !strings.EqualFold(r.URL.Hostname(), was.Hostname()) {
			t.Errorf("from %q to %q: it is written as %v, and read as %v", from, to, is, r.URL)
		}
	})
}

// FuzzMayLead: of all addresses, however they are written, none leads to what is link-local.
func FuzzMayLead(f *testing.F) {
	f.Add("cam", []byte{169, 254, 169, 254}, "")
	f.Add("localhost", []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 169, 254, 1, 1}, "lo")
	f.Fuzz(func(t *testing.T, host string, address []byte, zone string) {
		ip, ok := netip.AddrFromSlice(address)
		if !ok {
			return
		}
		link := ip.Unmap().IsLinkLocalUnicast()
		if ip.Is6() {
			ip = ip.WithZone(zone)
		}
		if err := mayLead(host, netip.AddrPortFrom(ip, 80).String()); link && err == nil {
			t.Errorf("%s leads to %v", host, ip)
		}
	})
}
