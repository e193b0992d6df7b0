package peertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Shape is what a JSON document looks like: the kinds of each field, by its path. Elements of an array are "[]", and "[folder]" or
// "[machinecode]" in a list of files. A name that is a secret is "*". The document itself is "".
type Shape map[string]Kinds

// Kinds are the types that a field was seen with, sorted: null, bool, int, float, string, array, object. "string=Printing" is a value that counts.
// What is no JSON is "nothing", "text", or "the file" that was asked for.
type Kinds []string

const between = " | "

// MarshalText writes all kinds in one line.
func (k Kinds) MarshalText() ([]byte, error) { return []byte(strings.Join(k, between)), nil }

// UnmarshalText reads what MarshalText has written.
func (k *Kinds) UnmarshalText(text []byte) error {
	*k = strings.Split(string(text), between)
	return nil
}

// shape of a body. What clients compare is kept of this document's values: see literal.
func (s Shape) add(body []byte, base string) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // 1.0 is no int
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	s.walk("", value, base)
	return nil
}

func (s Shape) walk(path string, value any, base string) {
	switch v := value.(type) {
	case map[string]any:
		s.see(path, "object")
		for name, field := range v {
			if len(name) >= aSecret {
				name = "*"
			}
			s.walk(join(path, name), field, base)
		}
	case []any:
		s.see(path, "array")
		for _, element := range v {
			s.walk(path+"["+typeOf(element)+"]", element, base)
		}
	case nil:
		s.see(path, "null")
	case bool:
		s.see(path, literal(path, "bool", fmt.Sprint(v), base))
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			s.see(path, literal(path, "float", strings.TrimSuffix(v.String(), ".0"), base))
		} else {
			s.see(path, literal(path, "int", v.String(), base))
		}
	case string:
		s.see(path, literal(path, "string", v, base))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// typeOf an element of a list of files, which has files and folders.
func typeOf(element any) string {
	object, _ := element.(map[string]any)
	if name, _ := object["type"].(string); slices.Contains([]string{"folder", "machinecode", "model"}, name) {
		return name
	}
	return ""
}

func (s Shape) see(path, kind string) {
	if at, seen := slices.BinarySearch(s[path], kind); !seen {
		s[path] = slices.Insert(s[path], at, kind)
	}
}

// Clients compare these. Names and paths are compared when they are of our own files, which all begin with
// "peer".
var (
	comparedStrings = []string{"state", "text", "error", "reason", "origin", "storage", "type", "typePath[]", "state_id", "state_string", "api", "action", "_login_mechanism", "version"}
	comparedBools   = []string{"done", "effectiveSelect", "effectivePrint", "success", "exists", "ready", "websocket", "result", "default", "current"}
	comparedNumbers = map[string][]string{"completion": {"100"}, "code": nil, "success": nil, "failure": nil}
)

const (
	longest = 60 // characters: more than that is a text for people
	aSecret = 32 // characters: no name of a field has so many
)

func literal(path, kind, value, base string) string {
	leaf := path[strings.LastIndexByte(path, '.')+1:]
	kept := false
	switch kind {
	case "string":
		value = strings.ReplaceAll(value, base, "BASE")
		if said, _, _ := strings.Cut(path, "["); slices.Contains([]string{"markings", "logs", "messages"}, said) { // which of them are there already is a matter of time
			break
		}
		kept = slices.Contains(comparedStrings, leaf) && len(value) <= longest || strings.Contains(value, ownName)
	case "bool":
		kept = slices.Contains(comparedBools, leaf) || strings.Contains(path, "flags.")
	default:
		values, compared := comparedNumbers[leaf]
		kept = compared && (values == nil || slices.Contains(values, value))
	}
	if !kept || strings.Contains(value, between) {
		return kind
	}
	return kind + "=" + value
}

// cut takes out some paths, and returns them.
func (s Shape) cut(which func(path string) bool) Shape {
	out := make(Shape)
	for path, kinds := range s {
		if which(path) {
			out[path] = kinds
			delete(s, path)
		}
	}
	return out
}

// forgetNames of files: which of them a message is about is a matter of time.
func (s Shape) forgetNames() {
	for path, kinds := range s {
		for i, kind := range kinds {
			if strings.HasPrefix(kind, "string="+ownName) {
				kinds[i] = "string"
			}
		}
		slices.Sort(kinds)
		s[path] = slices.Compact(kinds)
	}
}

func (s Shape) paths() []string { return slices.Sorted(maps.Keys(s)) }
