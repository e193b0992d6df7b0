package server

import (
	"context"
	"encoding/binary"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/internal/viewer"
)

// What flows here, for one page and one camera:
//
//	newest frame ─▶ the size that its link bears (viewer.Ladder) ─▶ pieces, as fast as they arrive (viewer.Flow) ─▶ page
//	page ─▶ "so many bytes are here", "frame n is painted" ─▶ watcher
//
// The page asks, the server never pushes: a frame that waits in a buffer is old when it is seen, and makes all else on the link wait. Other
// programs get the same frames by /webcam/.

// watcher is one page on the camera socket. One goroutine has it, and is the socket's only writer.
type watcher struct {
	s      *Server
	conn   *websocket.Conn
	id     int                          // of the camera
	frames *latest.Value[*camera.Frame] // as they were taken

	flow   viewer.Flow
	ladder viewer.Ladder
	asked  bool      // the page is there, and wants pictures
	since  time.Time // when it last said or was sent anything

	size  viewer.Size
	from  *latest.Value[*camera.Frame] // of that size; nil while nobody looks
	seen  uint64                       // in from
	wake  chan struct{}                // from has a newer one
	leave func()                       // ends looking

	head      []byte // of the frame that is being sent, before its first piece
	rest      []byte // of the frame that is being sent
	unpainted []sent
}

// hiddenAfter is how long a page may owe its word before nothing is taken or made smaller for it: a tab in the background may do so for days.
const hiddenAfter = 20 * time.Second

// sent is a frame that the page has not painted yet.
type sent struct {
	frame *camera.Frame
	end   int64     // how many bytes will have arrived with it
	here  time.Time // when they had; zero before
}

// serveCamera is the camera socket.
func (s *Server) serveCamera(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id, frames, err := s.cameraOf(r)
	if err != nil {
		return err
	}
	if err := s.cameraSockets.takeAs(me.Role); err != nil {
		return err
	}
	defer s.cameraSockets.free()
	conn, err := upgrade(w, r, &websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 1024})
	if conn == nil {
		return err
	}
	smallBuffer(conn.NetConn(), 256<<10) // the viewer's own window is far smaller on links where it counts
	ctx, end := context.WithCancel(s.life)
	acks := make(chan FrameAck, 16)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		defer end()
		hearAcks(ctx, conn, acks)
	}()
	k := &watcher{s: s, conn: conn, id: id, frames: frames, wake: make(chan struct{}, 1)}
	defer func() {
		end()
		conn.Close() // ends hearAcks
		<-heard
	}()
	k.write(ctx, s.stand(r, me), me, acks)
	return nil
}

// write sends pictures until ctx ends, the camera is no more, or the client takes nothing for writeMax.
func (k *watcher) write(ctx context.Context, still *standing, me access.Identity, acks <-chan FrameAck) {
	ping, minute, due := time.NewTicker(pingEvery), time.NewTicker(recheckEvery), time.NewTimer(time.Hour)
	defer ping.Stop()
	defer minute.Stop()
	defer due.Stop()
	k.since = time.Now()
	k.look(ctx, viewer.Small) // before it is asked for, since it has to be made
	defer func() { k.leave() }()
	for {
		wait, err := k.advance(ctx, time.Now())
		if err != nil {
			return
		}
		if due.Stop(); wait > 0 {
			due.Reset(wait)
		}
		select {
		case ack := <-acks:
			if !k.hear(ack, time.Now()) {
				bye(k.conn, websocket.ClosePolicyViolation, "more was acknowledged than was sent")
				return
			}
		case <-k.wake:
		case <-due.C:
		case <-ping.C:
			if k.s.cfg.Cameras.Frames(k.id) != k.frames {
				bye(k.conn, websocket.CloseGoingAway, "the camera was removed")
				return
			}
			k.lookAway(time.Now())
			err = k.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeMax))
		case <-minute.C:
			err = recheck(k.conn, still, me)
		case <-still.changed():
			err = recheck(k.conn, still, me)
		case <-ctx.Done():
			bye(k.conn, websocket.CloseGoingAway, "")
			return
		}
		if err != nil {
			return
		}
	}
}

// look takes pictures of this size from now on.
func (k *watcher) look(ctx context.Context, size viewer.Size) {
	if k.leave != nil {
		defer k.leave() // of the size before
	}
	ctx, stop := context.WithCancel(ctx)
	from, leave := k.s.smaller.Join(k.frames, size)
	done := k.s.cfg.Cameras.Look(k.id)
	following := make(chan struct{})
	k.size, k.from, k.seen = size, from, 0
	k.leave = func() { stop(); leave(); done(); <-following }
	go func() { defer close(following); follow(ctx, from, 0, k.wake) }()
}

// lookAway stops looking for a page that says nothing although it is its turn: it is hidden. It asks when it is looked at again.
func (k *watcher) lookAway(now time.Time) {
	itsTurn := !k.asked || len(k.unpainted) > 0 && len(k.rest) == 0
	if k.from == nil || !itsTurn || now.Sub(k.since) < hiddenAfter {
		return
	}
	k.leave()
	k.from, k.leave, k.asked = nil, func() {}, false
}

// hear takes what the page says. It reports false for what cannot be.
func (k *watcher) hear(ack FrameAck, now time.Time) bool {
	k.since = now
	k.ladder.Save = k.ladder.Save || ack.Save
	if ack.Got != nil {
		if !k.flow.Got(*ack.Got, now) {
			return false
		}
		for i := range k.unpainted {
			if f := &k.unpainted[i]; f.here.IsZero() && f.end <= *ack.Got {
				f.here = now
			}
		}
	}
	if ack.Ack == nil {
		return true
	}
	k.asked = true
	i := slices.IndexFunc(k.unpainted, func(f sent) bool { return f.frame.Seq == *ack.Ack })
	if i < 0 || k.unpainted[i].here.IsZero() {
		return true
	}
	f := k.unpainted[i]
	k.ladder.Painted(now.Sub(f.frame.Time)-k.flow.Base()/2, now.Sub(f.here), &k.flow, now)
	k.unpainted = slices.Delete(k.unpainted, 0, i+1)
	return true
}

// advance sends what may be sent now. wait is when a picture that has to wait is due, 0 when something else has to happen first.
func (k *watcher) advance(ctx context.Context, now time.Time) (wait time.Duration, err error) {
	for k.asked {
		if len(k.rest) == 0 {
			if size := k.ladder.Size(); size != k.size || k.from == nil {
				k.look(ctx, size)
			}
			wait, may := k.ladder.Wait(len(k.unpainted), &k.flow, now)
			if !may || wait > 0 {
				return wait, nil
			}
			if !k.begin(now) {
				return 0, nil
			}
		}
		room, wait := k.flow.Room(now)
		if room == 0 {
			return wait, nil
		}
		if err := k.piece(min(room, len(k.rest)), now); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// begin begins to send the newest picture, if it is another one than last time.
func (k *watcher) begin(now time.Time) bool {
	whole, _ := k.frames.Get()
	f, seq := k.from.Get()
	if whole == nil || f == nil || seq == k.seen || len(f.JPEG) == 0 { // without a whole one, the smaller one is of another device
		return false
	}
	k.seen = seq
	k.ladder.Saw(viewer.Full, len(whole.JPEG))
	k.ladder.Saw(k.size, len(f.JPEG))
	k.ladder.Began(now)
	header := frameHeader(k.id, f, !k.s.cameraStatus(k.id).Live, k.size, now)
	k.head, k.rest = header[:], f.JPEG
	k.unpainted = append(k.unpainted, sent{frame: f, end: k.flow.Total() + int64(len(header)+len(f.JPEG))})
	return true
}

// piece sends the next n bytes of the picture, without copying them.
func (k *watcher) piece(n int, now time.Time) error {
	k.conn.SetWriteDeadline(time.Now().Add(writeMax))
	jpeg := k.rest[:n]
	if len(k.head) == 0 {
		if err := k.conn.WriteMessage(websocket.BinaryMessage, jpeg); err != nil {
			return err
		}
	} else {
		w, err := k.conn.NextWriter(websocket.BinaryMessage)
		if err != nil {
			return err
		}
		if _, err := w.Write(k.head); err != nil {
			return err
		}
		if _, err := w.Write(jpeg); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	k.flow.Sent(len(k.head)+n, now)
	k.head, k.rest, k.since = nil, k.rest[n:], now
	return nil
}

// frameHeader is what goes before the JPEG; see FrameHeader in wire.go.
func frameHeader(id int, f *camera.Frame, stale bool, size viewer.Size, now time.Time) (h [FrameHeader]byte) {
	h[0], h[1] = 2, byte(id)
	flags := uint16(0)
	if stale {
		flags |= flagStale
	}
	if size != viewer.Full {
		flags |= flagSmaller
	}
	binary.BigEndian.PutUint16(h[2:], flags)
	binary.BigEndian.PutUint32(h[4:], f.Seq)
	binary.BigEndian.PutUint64(h[8:], uint64(f.Time.UnixMilli()))
	binary.BigEndian.PutUint16(h[16:], uint16(min(max(f.Width, 0), math.MaxUint16)))
	binary.BigEndian.PutUint16(h[18:], uint16(min(max(f.Height, 0), math.MaxUint16)))
	binary.BigEndian.PutUint32(h[20:], uint32(min(max(now.Sub(f.Time).Milliseconds(), 0), math.MaxUint32)))
	binary.BigEndian.PutUint32(h[24:], uint32(len(f.JPEG)))
	return h
}

// hearAcks hands on what the page says, until it is gone or says something else.
func hearAcks(ctx context.Context, conn *websocket.Conn, acks chan<- FrameAck) {
	listen(conn, 256)
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		conn.SetReadDeadline(time.Now().Add(quietMax))
		var ack FrameAck
		if kind != websocket.TextMessage || decode(text, &ack) != nil {
			bye(conn, websocket.CloseUnsupportedData, `only {"ack":n} and {"got":n} are understood here`)
			return
		}
		select {
		case acks <- ack:
		case <-ctx.Done():
			return
		}
	}
}
