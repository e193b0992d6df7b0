package peertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Recording is what a server has answered, by what it was asked: "printing: GET /api/job". Messages that it pushed are named "push: " and their kind.
type Recording map[string]Answer

// Answer is one of them.
type Answer struct {
	By      string            `json:"by,omitempty"`      // the clients that ask this
	Status  int               `json:"status,omitempty"`  // of HTTP; 0 for a message
	Headers map[string]string `json:"headers,omitempty"` // those that clients read
	Body    Shape             `json:"body,omitempty"`
}

// Load reads a file that Save has written.
func Load(path string) (Recording, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var r Recording
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", path, err)
	}
	return r, nil
}

// Save writes a recording, sorted, so that two of them can be compared line by line as well.
func (r Recording) Save(path string) error {
	var text bytes.Buffer
	if err := r.write(&text); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

func (r Recording) write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}
