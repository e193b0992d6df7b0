package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// push serves what most programs do: each picture of layerd's camera is written to the viewer as it comes, whether the last one has arrived or
// not. It runs in the near namespace, beside layerd, and reads its stream.
func push(ctx context.Context, listen, layerd, token string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = eachPicture(r.Context(), layerd, token, func(jpeg []byte, takenMS int64) error {
			return conn.WriteMessage(websocket.BinaryMessage, append(binary.BigEndian.AppendUint64(nil, uint64(takenMS)), jpeg...))
		})
	})}
	defer context.AfterFunc(ctx, func() { h.Close() })()
	if err := h.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// eachPicture reads layerd's multipart stream.
func eachPicture(ctx context.Context, layerd, token string, visit func(jpeg []byte, takenMS int64) error) error {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+layerd+"/webcam/?action=stream", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %s", res.Status)
	}
	in := bufio.NewReaderSize(res.Body, 256<<10)
	length, taken := 0, int64(0)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case name == "Content-Length":
			length, _ = strconv.Atoi(value)
		case name == "X-Timestamp":
			seconds, _ := strconv.ParseFloat(value, 64)
			taken = time.UnixMilli(int64(seconds * 1000)).UnixMilli()
		case name == "" && length > 0:
			jpeg := make([]byte, length)
			if _, err := io.ReadFull(in, jpeg); err != nil {
				return err
			}
			if err := visit(jpeg, taken); err != nil {
				return err
			}
			length = 0
		}
	}
}
