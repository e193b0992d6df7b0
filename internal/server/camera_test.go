package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/viewer"
)

// piece reads one binary message of the camera socket, and says how much has arrived.
func (p *phone) piece() []byte {
	p.t.Helper()
	kind, m, err := p.conn.ReadMessage()
	if err != nil || kind != websocket.BinaryMessage {
		p.t.Fatalf("got message %d of %d bytes, %v, want a piece of a frame", kind, len(m), err)
	}
	p.got += int64(len(m))
	p.say(fmt.Sprintf(`{"got":%d}`, p.got))
	return m
}

// frame reads one frame of the camera socket.
func (p *phone) frame() (seq uint32, stale bool, age time.Duration, jpeg []byte) {
	p.t.Helper()
	m := p.piece()
	if len(m) < FrameHeader || m[0] != 2 {
		p.t.Fatalf("got a message of %d bytes, want the beginning of a frame", len(m))
	}
	for uint32(len(m)-FrameHeader) < binary.BigEndian.Uint32(m[24:]) {
		m = append(m, p.piece()...)
	}
	if w, h := binary.BigEndian.Uint16(m[16:]), binary.BigEndian.Uint16(m[18:]); w != 640 || h != 480 {
		p.t.Errorf("got a size of %d × %d", w, h)
	}
	return binary.BigEndian.Uint32(m[4:]), binary.BigEndian.Uint16(m[2:])&1 != 0, time.Duration(binary.BigEndian.Uint32(m[20:])) * time.Millisecond, m[FrameHeader:]
}

func (p *phone) nothing(d time.Duration) {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(d))
	if kind, m, err := p.conn.ReadMessage(); err == nil {
		p.t.Errorf("got message %d of %d bytes, want nothing", kind, len(m))
	}
}

func TestPhoneGetsTheNewestFrameAndNoBacklog(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		r.cameras.take(1)
		p := dial("/v1/camera", "viewer")
		p.say(`{"ack":0}`)
		if seq, stale, age, jpeg := p.frame(); seq != 1 || stale || age != 0 || !bytes.Equal(jpeg, bytes.Repeat([]byte{1}, 5000)) {
			t.Errorf("got frame %d, stale %v, age %v, %d bytes, want frame 1, fresh and whole", seq, stale, age, len(jpeg))
		}
		for n := range uint32(50) { // while the phone is busy painting
			r.cameras.take(n + 2)
			time.Sleep(66 * time.Millisecond)
		}
		p.say(`{"ack":1}`)
		if seq, _, age, _ := p.frame(); seq != 51 || age != 66*time.Millisecond {
			t.Errorf("got frame %d of age %v, want the newest, 51, of 66 ms", seq, age)
		}
		p.say(`{"ack":51}`)
		time.Sleep(time.Second)
		taken := make(chan uint32, 1)
		go func() { seq, _, _, _ := p.frame(); taken <- seq }()
		synctest.Wait()
		r.cameras.take(52)
		if seq := <-taken; seq != 52 {
			t.Errorf("got frame %d, want 52 as soon as it was taken", seq)
		}
	})
}

func TestAFrameIsSentOnceAndOnlyWhenAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/camera", "viewer")
		r.cameras.take(1)
		p.nothing(5 * time.Second)

		p = dial("/v1/camera", "viewer")
		for range 5 { // impatient: leave does not add up
			p.say(`{"ack":0}`)
		}
		p.frame()
		p.nothing(5 * time.Second)
	})
}

// What was made of another device's picture is not sent any more.
func TestAnotherDeviceWasChosen(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		r.cameras.take(1)
		p := dial("/v1/camera", "viewer")
		synctest.Wait()
		r.cameras.Frames(0).Set(nil)
		p.say(`{"ack":0}`)
		p.nothing(5 * time.Second)
	})
}

func TestOldFrameSaysThatItIsOld(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		r.cameras.take(1)
		r.cameras.status.Set([]camera.Status{{Problem: "unplugged"}})
		time.Sleep(time.Hour)
		p := dial("/v1/camera", "viewer")
		p.say(`{"ack":0}`)
		if _, stale, age, _ := p.frame(); !stale || age != time.Hour {
			t.Errorf("got stale %v and age %v, want stale for an hour", stale, age)
		}
	})
}

// A phone that asked and then reads nothing ends, and the frames go on for others.
func TestStuckPhoneIsLetGo(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		stuck := dial("/v1/camera", "viewer")
		stuck.say(`{"ack":0}`)
		synctest.Wait()
		r.cameras.take(1)
		p := dial("/v1/camera", "viewer")
		p.say(`{"ack":0}`)
		p.frame()
		time.Sleep(writeMax - time.Second)
		if n := len(r.cameraSockets); n != 2 {
			t.Errorf("%d sockets before the deadline, want 2", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(r.cameraSockets); n != 1 {
			t.Errorf("%d sockets after the deadline, want only the one that reads", n)
		}
	})
}

// Nothing is taken or made smaller for a page in the background, until it is looked at again.
func TestHiddenPage(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p, dumb := dial("/v1/camera", "viewer"), dial("/v1/camera", "viewer")
		frames := make(chan uint32)
		go func() {
			for range 4 {
				seq, _, _, _ := p.frame()
				frames <- seq
			}
		}()
		go dumb.closeCode() // it answers pings, and never asks
		expect := func(when string, lookers int) {
			t.Helper()
			if n := r.cameras.look(0); n != lookers {
				t.Errorf("%s: %d look, want %d", when, n, lookers)
			}
		}
		p.say(`{"ack":0}`)
		synctest.Wait()
		expect("at first", 2)
		r.cameras.take(1)
		for range 2 { // small, and then whole
			<-frames
			p.say(`{"ack":1}`)
		}
		time.Sleep(time.Minute)
		expect("while one waits for the camera", 1)
		r.cameras.take(2)
		<-frames
		time.Sleep(hiddenAfter - time.Second)
		expect("hidden just now", 1)
		time.Sleep(pingEvery + time.Second)
		expect("hidden", 0)
		r.cameras.take(3)
		time.Sleep(time.Minute)
		p.say(`{"ack":2}`)
		if seq := <-frames; seq != 3 {
			t.Errorf("looked at again: got frame %d, want the newest", seq)
		}
		expect("looked at again", 1)
	})
}

func TestRubbishEndsTheCameraSocket(t *testing.T) {
	for _, text := range []string{`x`, `{"ack":-1}`, `{"ack":99999999999}`, `{"do":"pause"}`, `{"got":"all"}`} {
		bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
			p := dial("/v1/camera", "viewer")
			p.say(text)
			if code := p.closeCode(); code != websocket.CloseUnsupportedData {
				t.Errorf("%s: got code %d, want %d", text, code, websocket.CloseUnsupportedData)
			}
		})
	}
}

func TestFrameHeaderAtItsLimits(t *testing.T) {
	now := time.UnixMilli(goldenMS)
	h := frameHeader(3, &camera.Frame{Seq: 0xfedcba98, Time: now.Add(time.Second), Width: 1 << 20, Height: -1}, true, viewer.Small, now)
	want := [FrameHeader]byte{2, 3, 0, 3, 0xfe, 0xdc, 0xba, 0x98, 8: 0, 16: 0xff, 17: 0xff}
	binary.BigEndian.PutUint64(want[8:], goldenMS+1000)
	if h != want {
		t.Errorf("a frame of the future: got % x, want % x", h, want)
	}
	if h := frameHeader(3, &camera.Frame{Time: now.AddDate(-1, 0, 0)}, false, viewer.Full, now); binary.BigEndian.Uint32(h[20:]) != 0xffffffff {
		t.Errorf("a frame of last year: got age % x, want the largest", h[20:])
	}
}

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if w := r.do("GET", "/webcam/?action=snapshot", "viewer", nil); w.Code != 503 || errorCode(t, w.Body.Bytes()) != "no_picture" {
			t.Errorf("before the first frame: got %d %s, want no_picture", w.Code, w.Body)
		}
		f := r.cameras.take(1)
		time.Sleep(120 * time.Millisecond)
		w := r.do("GET", "/webcam/?cacheBuster=1&action=snapshot&x=%00", "viewer", nil)
		if w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" || w.Header().Get("X-Frame-Age") != "120" || !bytes.Equal(w.Body.Bytes(), f.JPEG) {
			t.Errorf("got %d %v and %d bytes", w.Code, w.Header(), w.Body.Len())
		}
		r.cameras.status.Set([]camera.Status{{Problem: "unplugged"}})
		if w := r.do("GET", "/webcam/?action=snapshot", "viewer", nil); w.Code != 503 {
			t.Errorf("of a dead camera: got %d, want 503", w.Code)
		}
		if w := r.do("GET", "/webcam/?action=dance", "viewer", nil); w.Code != 400 {
			t.Errorf("another action: got %d, want 400", w.Code)
		}
	})
}

func TestStream(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ func(string, string) *phone, stop func()) {
		l := newPipes()
		stop2 := r.serveOn(t, l)
		conn, err := l.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		r.cameras.take(1)
		fmt.Fprint(conn, "GET /webcam/?action=stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(answer.Body, params["boundary"])
		picture := func() byte {
			t.Helper()
			part, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			jpeg, err := io.ReadAll(part)
			if err != nil || len(jpeg) != 5000 || part.Header.Get("Content-Type") != "image/jpeg" {
				t.Fatalf("got %d bytes of %v, %v", len(jpeg), part.Header, err)
			}
			return jpeg[0]
		}
		if n := picture(); n != 1 {
			t.Errorf("got picture %d, want 1", n)
		}
		for n := range uint32(20) { // the client is slow: what fits on the way is old, then comes the newest
			r.cameras.take(n + 2)
			synctest.Wait()
		}
		seen := 0
		for n := picture(); n != 21; n = picture() {
			if seen++; seen > 3 {
				t.Fatalf("got picture %d after %d others, want the newest, 21", n, seen)
			}
		}
		stop2()
		if _, err := parts.NextPart(); err == nil {
			t.Error("the stream goes on after the server's end")
		}
	})
}

func TestSmallBufferTakesAnyConnection(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	smallBuffer(a, 1000)
	smallBuffer(nil, 1000)
}
