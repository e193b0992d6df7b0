package server

import (
	"context"
	"encoding/binary"
	"math"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
)

// What flows here: "I have painted frame n" from a phone → the newest frame, once → that phone. It asks, we never push: a
// frame that waits in a buffer is old when it is seen. Other programs get the same frames by /webcam/.

// serveCamera is the camera socket: one frame for each acknowledgement.
func (s *Server) serveCamera(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id, frames, err := s.cameraOf(r)
	if err != nil {
		return err
	}
	if err := s.cameraSockets.take(); err != nil {
		return err
	}
	defer s.cameraSockets.free()
	defer s.cfg.Cameras.Look(id)()
	conn, err := upgrade(w, r, &websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 1024})
	if conn == nil {
		return err
	}
	smallBuffer(conn.NetConn())
	ctx, end := context.WithCancel(s.life)
	acks := make(chan struct{}, 1)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		defer end()
		hearAcks(conn, acks)
	}()
	s.sendFrames(ctx, conn, r, me, id, frames, acks)
	end()
	conn.Close() // ends hearAcks
	<-heard
	return nil
}

// sendFrames writes the newest frame whenever the client may have one, until ctx ends or the client takes none for writeMax.
func (s *Server) sendFrames(ctx context.Context, conn *websocket.Conn, r *http.Request, me access.Identity, id int, frames *latest.Value[*camera.Frame], acks <-chan struct{}) {
	wake := make(chan struct{}, 1)
	following := make(chan struct{})
	ctx, end := context.WithCancel(ctx)
	go func() { defer close(following); follow(ctx, frames, 0, wake) }()
	defer func() { end(); <-following }()
	ping, recheck := time.NewTicker(pingEvery), time.NewTicker(recheckEvery)
	defer ping.Stop()
	defer recheck.Stop()

	seen, asked := uint64(0), false
	for {
		var err error
		select {
		case <-acks:
			asked = true
		case <-wake:
		case <-ping.C:
			err = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeMax))
		case <-recheck.C:
			err = s.recheck(conn, r, me)
		case <-ctx.Done():
			bye(conn, websocket.CloseGoingAway, "")
			return
		}
		if frame, seq := frames.Get(); err == nil && asked && frame != nil && seq != seen {
			asked, seen = false, seq
			err = s.sendFrame(conn, id, frame)
		}
		if err != nil {
			return
		}
	}
}

// sendFrame writes one frame without copying it.
func (s *Server) sendFrame(conn *websocket.Conn, id int, f *camera.Frame) error {
	conn.SetWriteDeadline(time.Now().Add(writeMax))
	w, err := conn.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	header := frameHeader(id, f, !s.cameraStatus(id).Live, time.Now())
	if _, err := w.Write(header[:]); err != nil {
		return err
	}
	if _, err := w.Write(f.JPEG); err != nil {
		return err
	}
	return w.Close()
}

// frameHeader is what goes before the JPEG; see FrameHeader in wire.go.
func frameHeader(id int, f *camera.Frame, stale bool, now time.Time) (h [FrameHeader]byte) {
	h[0], h[1] = 1, byte(id)
	if stale {
		binary.BigEndian.PutUint16(h[2:], 1)
	}
	binary.BigEndian.PutUint32(h[4:], f.Seq)
	binary.BigEndian.PutUint64(h[8:], uint64(f.Time.UnixMilli()))
	binary.BigEndian.PutUint16(h[16:], uint16(min(max(f.Width, 0), math.MaxUint16)))
	binary.BigEndian.PutUint16(h[18:], uint16(min(max(f.Height, 0), math.MaxUint16)))
	binary.BigEndian.PutUint32(h[20:], uint32(min(max(now.Sub(f.Time).Milliseconds(), 0), math.MaxUint32)))
	return h
}

// hearAcks turns acknowledgements into leave for one more frame, until the client is gone or says something else. Leave does not add up.
func hearAcks(conn *websocket.Conn, acks chan<- struct{}) {
	listen(conn, 256)
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		conn.SetReadDeadline(time.Now().Add(quietMax))
		var ack FrameAck
		if kind != websocket.TextMessage || decode(text, &ack) != nil {
			bye(conn, websocket.CloseUnsupportedData, `only {"ack":n} is understood here`)
			return
		}
		select {
		case acks <- struct{}{}:
		default:
		}
	}
}
