package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// taps has the owner pause and resume n times by HTTP and n times over the live socket, and returns how long each Pause was until its answer.
func (s *stage) taps(job string, n int) (http, live []time.Duration, err error) {
	conn, err := s.dialLive(s.owner, websocket.DefaultDialer)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	heard := make(chan answer, 64)
	gone := make(chan error, 1)
	go func() { gone <- hear(conn, heard) }() // ends with conn
	for i := range 2 * n {
		command := fmt.Appendf(nil, `{"id":"%d","do":"pause","job":%q}`, i, job)
		began := time.Now()
		if i%2 == 0 {
			if err := s.ask("POST", "/v1/do", command, nil); err != nil {
				return nil, nil, err
			}
			http = append(http, time.Since(began))
		} else {
			if err := conn.WriteMessage(websocket.TextMessage, command); err != nil {
				return nil, nil, err
			}
			select {
			case a := <-heard:
				if a.Error != nil {
					return nil, nil, fmt.Errorf("pause over the live socket: %s", a.Error.Message)
				}
			case err := <-gone:
				return nil, nil, fmt.Errorf("the live socket: %w", err)
			}
			live = append(live, time.Since(began))
		}
		if err := s.until("paused"); err != nil {
			return nil, nil, err
		}
		if err := s.ask("POST", "/v1/do", fmt.Appendf(nil, `{"do":"resume","job":%q}`, job), nil); err != nil {
			return nil, nil, err
		}
		if err := s.until("printing"); err != nil {
			return nil, nil, err
		}
	}
	return http, live, nil
}

// answer is what we look at of an answer to a command.
type answer struct {
	Type  string
	Error *struct{ Message string }
}

// hear passes on the answers, and ends with the socket.
func hear(conn *websocket.Conn, heard chan<- answer) error {
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		var a answer
		if json.Unmarshal(text, &a) == nil && a.Type == "answer" {
			heard <- a
		}
	}
}

// dialLive opens a live socket.
func (s *stage) dialLive(key string, d *websocket.Dialer) (*websocket.Conn, error) {
	conn, _, err := d.DialContext(s.ctx, strings.Replace(s.url, "http", "ws", 1)+"/v1/live", http.Header{"Authorization": {"Bearer " + key}})
	if err != nil {
		return nil, fmt.Errorf("open a live socket: %w", err)
	}
	return conn, nil
}
