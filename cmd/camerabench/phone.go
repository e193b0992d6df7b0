package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/server/phonetest"
)

// A phone, run in the far namespace as a process of its own. It reads the clock of the machine that took the picture, so an age is an age.

// paintTime is what a phone needs to decode a picture and paint it.
const paintTime = 20 * time.Millisecond

// seen is what a phone tells the bench, in JSON.
type seen struct {
	AgesMS  []float64 `json:"ages_ms"` // of each picture, when it was on the screen
	Smaller int       `json:"smaller"` // of those, made smaller
	Bytes   int64     `json:"bytes"`
	TapsMS  []float64 `json:"taps_ms"` // from a tap on Pause or Resume to its answer
}

// look watches by layerd's own protocol for d.
func look(ctx context.Context, host, token string, d time.Duration) (s seen, err error) {
	ctx, end := context.WithTimeout(ctx, d)
	defer end()
	s.Bytes, err = phonetest.Watch(ctx, host, token, paintTime, func(p phonetest.Picture) {
		s.AgesMS = append(s.AgesMS, ms(time.Since(p.Taken)+paintTime))
		if p.Smaller {
			s.Smaller++
		}
	})
	return s, err
}

// stare watches what is pushed for d.
func stare(ctx context.Context, host string, d time.Duration) (s seen, err error) {
	conn, err := dial(ctx, host, "/push", "")
	if err != nil {
		return s, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetReadDeadline(time.Now().Add(d))
	for {
		_, m, err := conn.ReadMessage()
		if err != nil || len(m) < 8 {
			return s, nil
		}
		s.Bytes += int64(len(m))
		s.AgesMS = append(s.AgesMS, ms(time.Since(time.UnixMilli(int64(binary.BigEndian.Uint64(m))))+paintTime))
	}
}

// tap pauses and resumes the print, again and again for d, as soon as the printer has obeyed and another second has passed.
func tap(ctx context.Context, host, token string, d time.Duration) (s seen, err error) {
	conn, err := dial(ctx, host, "/v1/live", token)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	end := time.Now().Add(d)
	conn.SetReadDeadline(end)
	var tapped, settled time.Time
	id, run := 0, time.Now().UnixNano()
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return s, nil
		}
		var m struct {
			Type, State, ID string
			Error           *struct{ Message string }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return s, err
		}
		now := time.Now()
		switch {
		case m.Type == "answer" && m.Error != nil:
			return s, fmt.Errorf("tap: %s", m.Error.Message)
		case m.Type == "answer":
			s.TapsMS = append(s.TapsMS, ms(now.Sub(tapped)))
			tapped = time.Time{}
		}
		do := map[string]string{"printing": "pause", "paused": "resume"}[m.State]
		if do == "" {
			settled = time.Time{}
			continue
		}
		if settled.IsZero() {
			settled = now
		}
		if tapped.IsZero() && now.Sub(settled) > 300*time.Millisecond {
			id++
			tapped, settled = now, time.Time{}
			if err := conn.WriteJSON(map[string]string{"id": fmt.Sprint(run, "-", id), "do": do}); err != nil {
				return s, err
			}
		}
	}
}

func dial(ctx context.Context, host, path, token string) (*websocket.Conn, error) {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	dialer := websocket.Dialer{EnableCompression: true} // as browsers do
	conn, res, err := dialer.DialContext(ctx, "ws://"+host+path, header)
	if err != nil && res != nil {
		return nil, fmt.Errorf("connect to %s: %w: %s", path, err, res.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return conn, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile is the value that a share p of them does not exceed; 0 of none.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}
