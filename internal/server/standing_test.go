package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
)

// A client that takes nothing holds up the end of its socket, and gives no commands meanwhile. Only the emergency stop waits for no look.
func TestCommandsOfWhoMayNoLonger(t *testing.T) {
	for to, want := range map[access.Role][]string{access.Nobody: {"emergency_stop"}, access.Viewer: {"emergency_stop"}, access.Owner: {"emergency_stop", "pause"}} {
		bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
			p := dial("/v1/live", "operator") // it never reads, and a pipe holds nothing
			synctest.Wait()
			r.gate.set("operator", to)
			r.gate.tell()
			p.say(`{"id":"1","do":"pause"}`)
			p.say(`{"id":"2","do":"emergency_stop"}`)
			synctest.Wait()
			got := r.printer.called()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("as %s: the printer was told %q, want %q", to, got, want)
			}
		})
	}
}

// hasty is a Gate in which somebody loses his key just after he was let in by it.
type hasty struct{ *fakeGate }

func (g hasty) Identify(r *http.Request) (access.Identity, error) {
	me, err := g.fakeGate.Identify(r)
	g.set("operator", access.Nobody)
	g.tell()
	return me, err
}

func TestRevokedWhileASocketOpens(t *testing.T) {
	for _, path := range []string{"/v1/live", "/v1/camera"} {
		synctest.Test(t, func(t *testing.T) {
			r, l := newRig(t, func(c *Config) { c.Gate = hasty{newFakeGate()} }), newPipes()
			r.serveOn(t, l)
			dialer := websocket.Dialer{NetDial: func(_, _ string) (net.Conn, error) { return l.dial() }}
			began := time.Now()
			conn, _, err := dialer.Dial("ws://layerd"+path, http.Header{"Authorization": {"Bearer operator"}})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := (&phone{t: t, conn: conn}).closeCode(); got != closeRevoked || time.Since(began) >= recheckEvery {
				t.Errorf("%s: got code %d after %v, want %d at once", path, got, time.Since(began), closeRevoked)
			}
		})
	}
}

// Somebody who cannot be looked at stays what he was: who has no card and no network keeps the stop button.
func TestNobodyCanTell(t *testing.T) {
	for err, want := range map[error]string{errors.New("disk error"): "pause", errHang: "pause", access.ErrUnsure: "pause", access.ErrDenied: "", access.ErrNotInvited: ""} {
		bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
			p := dial("/v1/live", "operator")
			synctest.Wait()
			r.gate.mu.Lock()
			r.gate.fail = err
			r.gate.mu.Unlock()
			r.gate.tell()
			p.say(`{"id":"1","do":"pause"}`)
			time.Sleep(lookMost)
			synctest.Wait()
			if got := r.printer.called(); len(got) > 1 || len(got) == 1 && got[0] != want || len(got) == 0 && want != "" {
				t.Errorf("%v: the printer was told %q, want %q", err, got, want)
			}
		})
	}
}

// An upload ends with the right to send it, at once when that is said, else within a minute, and leaves nothing.
func TestUploadOfWhoMayNoLonger(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *rig)
		want   int
	}{
		"revoked":            {func(r *rig) { r.gate.set("operator", access.Nobody); r.gate.tell() }, 401},
		"only looks":         {func(r *rig) { r.gate.set("operator", access.Viewer); r.gate.tell() }, 403},
		"may more":           {func(r *rig) { r.gate.set("operator", access.Owner); r.gate.tell() }, 201},
		"ended by itself":    {func(r *rig) { r.gate.set("operator", access.Nobody); time.Sleep(recheckEvery) }, 401},
		"somebody else went": {func(r *rig) { r.gate.set("viewer", access.Nobody); r.gate.tell() }, 201},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			body, sender := io.Pipe()
			go func() {
				io.WriteString(sender, "G28\n")
				synctest.Wait()
				c.change(r)
				io.WriteString(sender, "G1 X1 E1\n")
				sender.Close()
			}()
			w := r.do("PUT", "/v1/files/late.gcode", "operator", body)
			body.Close()
			if w.Code != c.want {
				t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
			}
			if _, err := r.files.Stat(t.Context(), "late.gcode"); (err == nil) != (c.want == 201) {
				t.Errorf("%s: the file is there: %t", name, err == nil)
			}
		})
	}
}

// A stream ends too, also while its camera gives nothing.
func TestStreamOfWhoMayNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.cameras.take(1)
		l := newPipes()
		r.serveOn(t, l)
		conn, err := l.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go io.WriteString(conn, "GET /webcam/?action=stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, answer.Body)
		synctest.Wait()
		r.gate.set("viewer", access.Nobody)
		r.gate.tell()
		ctx, cancel := context.WithTimeout(t.Context(), 2*pingEvery)
		defer cancel()
		<-ctx.Done()
		if n := len(r.streams); n != 0 {
			t.Errorf("%d streams go on, want none", n)
		}
	})
}
