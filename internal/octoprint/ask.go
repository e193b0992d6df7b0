package octoprint

import (
	"encoding/json"
	"errors"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"

	"layerd/internal/server"
)

// What clients send: a JSON object, most often with the name of a command in it. Keys that nobody knows mean nothing, as to the original.

// maxAsk is the longest JSON, in bytes; the original takes as much.
const maxAsk = 100 << 10

// asked is a JSON object.
type asked map[string]json.RawMessage

// read reads a JSON object.
func read(w http.ResponseWriter, r *http.Request) (asked, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "This takes JSON: the Content-Type must be application/json.")
	}
	return readAny(w, r)
}

// readAny is read for a body that need not say what it is.
func readAny(w http.ResponseWriter, r *http.Request) (asked, error) {
	body, err := server.ReadSmall(w, r, maxAsk)
	if err != nil {
		return nil, err
	}
	server.Unhurried(w)
	var in asked
	if err := json.Unmarshal(body, &in); err != nil || in == nil {
		return nil, refuse(http.StatusBadRequest, "This is no JSON object.")
	}
	return in, nil
}

// readCommand reads a JSON object with a command that is one of those named, which must have these keys.
func readCommand(w http.ResponseWriter, r *http.Request, commands map[string][]string) (string, asked, error) {
	in, err := read(w, r)
	if err != nil {
		return "", nil, err
	}
	command, _ := in.text("command")
	needs, known := commands[command]
	if !known {
		return "", nil, refuse(http.StatusBadRequest, "There is no such command.")
	}
	for _, key := range needs {
		if !in.has(key) {
			return "", nil, refuse(http.StatusBadRequest, "The command lacks something that it needs.")
		}
	}
	return command, in, nil
}

func (in asked) has(key string) bool { return in[key] != nil }

var errKind = errors.New("of another kind")

// text is a string; "" with errKind when it is none.
func (in asked) text(key string) (v string, err error) {
	if in.has(key) && (json.Unmarshal(in[key], &v) != nil || string(in[key]) == "null") {
		return "", errKind
	}
	return v, nil
}

// number is a finite number; errKind when it is none.
func (in asked) number(key string) (v float64, err error) { return numberIn(in[key]) }

func numberIn(raw json.RawMessage) (v float64, err error) {
	if json.Unmarshal(raw, &v) != nil || string(raw) == "null" || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, errKind
	}
	return v, nil
}

// is reports whether a key is true, in any of the ways in which clients say so.
func (in asked) is(key string) bool { return truth(strings.Trim(string(in[key]), `"`)) }

// truth reports whether text means yes.
func truth(text string) bool {
	switch strings.ToLower(text) {
	case "true", "yes", "y", "1":
		return true
	}
	return false
}

// queried reports whether a request's query says yes to key.
func queried(r *http.Request, key string) bool { return truth(r.URL.Query().Get(key)) }

// cleaned is a path in the store as a client names it. The original refuses one that leads up, and so do we: what would be left of it is not what was meant.
func cleaned(name string) (string, error) {
	name = strings.ReplaceAll(name, "\\", "/")
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", refuse(http.StatusBadRequest, "A file cannot have this name.")
	}
	return server.CleanName(name)
}

func invalid(what string) error {
	return refuse(http.StatusBadRequest, "The value of "+what+" is none that can be.")
}
