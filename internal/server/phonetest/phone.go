// Package phonetest is a phone at layerd's camera socket, for benchmarks: it takes pictures and answers as the page does.
package phonetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/server"
)

// Picture is one that has arrived whole.
type Picture struct {
	Seq     uint32
	Taken   time.Time
	Smaller bool // made smaller for this link
	JPEG    []byte
}

// Watch connects to host and hands each picture to visit, which is told of it when it has arrived; it is acknowledged as painted after paint. It ends with nil
// when ctx does. bytes is what came over the socket.
func Watch(ctx context.Context, host, token string, paint time.Duration, visit func(p Picture)) (bytes int64, err error) {
	return WatchBy(ctx, websocket.DefaultDialer, host, token, paint, visit)
}

// WatchBy is Watch over connections of dialer, which may go by a proxy.
func WatchBy(ctx context.Context, dialer *websocket.Dialer, host, token string, paint time.Duration, visit func(p Picture)) (bytes int64, err error) {
	conn, _, err := dialer.DialContext(ctx, "ws://"+host+"/v1/camera", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return 0, fmt.Errorf("watch the camera: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var mu sync.Mutex // guards writing
	say := func(format string, n any) error {
		mu.Lock()
		defer mu.Unlock()
		return conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, n))
	}
	var painting sync.WaitGroup
	defer painting.Wait()
	err = say(`{"ack":%d}`, 0)
	for frame := []byte(nil); err == nil; {
		var m []byte
		if _, m, err = conn.ReadMessage(); err != nil {
			break
		}
		bytes += int64(len(m))
		if err = say(`{"got":%d}`, bytes); err != nil {
			break
		}
		if frame = append(frame, m...); len(frame) < server.FrameHeader {
			return bytes, fmt.Errorf("the camera sent %d bytes", len(frame))
		}
		if uint32(len(frame)-server.FrameHeader) < binary.BigEndian.Uint32(frame[24:]) {
			continue
		}
		p := Picture{Seq: binary.BigEndian.Uint32(frame[4:]), Taken: time.UnixMilli(int64(binary.BigEndian.Uint64(frame[8:]))),
			Smaller: binary.BigEndian.Uint16(frame[2:])&2 != 0, JPEG: frame[server.FrameHeader:]}
		frame = nil
		visit(p)
		painting.Go(func() {
			time.Sleep(paint)
			_ = say(`{"ack":%d}`, p.Seq) // the socket may be over
		})
	}
	if ctx.Err() != nil {
		return bytes, nil
	}
	return bytes, err
}
