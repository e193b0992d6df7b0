package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"layerd/gcode"
)

// threeLayers is a file that the store has surveyed.
func threeLayers(t *testing.T, r *rig) (file string) {
	t.Helper()
	var b strings.Builder
	for layer := range 3 {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%d\n", layer, layer+1)
		for i := range 2000 {
			fmt.Fprintf(&b, "G1 X%d Y%d E%d\n", i%2*10, i, layer*2000+i)
		}
	}
	r.files.add("three.gcode", b.String())
	survey, err := gcode.SurveyFile(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	r.files.surveys["three.gcode"] = survey
	return b.String()
}

func TestToolpath(t *testing.T) {
	r := newRig(t)
	threeLayers(t, r)
	index := r.do("GET", "/v1/toolpaths/three.gcode", "viewer", nil)
	if index.Code != 200 || !bytes.HasPrefix(index.Body.Bytes(), []byte{gcode.ToolpathVersion, 'I'}) || index.Header().Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("got %d % x", index.Code, index.Body.Bytes()[:10])
	}
	all := r.do("GET", "/v1/toolpaths/three.gcode?from=0", "viewer", nil)
	if b := all.Body.Bytes(); all.Code != 200 || b[len(b)-1] != 3 || all.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("got %d, ending in % x", all.Code, b[len(b)-2:])
	}
	some := r.do("GET", "/v1/toolpaths/three.gcode?from=0&to=3&step=2", "viewer", nil)
	one := r.do("GET", "/v1/toolpaths/three.gcode?from=1&to=2", "viewer", nil)
	if got, want := some.Body.Len()+one.Body.Len(), all.Body.Len()+4; got != want {
		t.Errorf("every second and the one between are %d bytes, want %d", got, want)
	}
}

func TestToolpathIsKeptByItsContent(t *testing.T) {
	r := newRig(t)
	file := threeLayers(t, r)
	version := fmt.Sprintf("%x", file)[:12]
	target := "/v1/toolpaths/three.gcode?from=0&to=1&v=" + version
	first := r.do("GET", target, "viewer", nil)
	if first.Code != 200 || first.Header().Get("Cache-Control") != "private, max-age=86400, immutable" {
		t.Errorf("got %d, %q", first.Code, first.Header().Get("Cache-Control"))
	}
	with := func(etag string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set("If-None-Match", etag) }
	}
	if again := r.do("GET", target, "viewer", nil, with(first.Header().Get("ETag"))); again.Code != 304 {
		t.Errorf("the same again: got %d, want 304", again.Code)
	}
	if other := r.do("GET", "/v1/toolpaths/three.gcode?from=1&to=2", "viewer", nil, with(first.Header().Get("ETag"))); other.Code != 200 {
		t.Errorf("another layer: got %d, want 200", other.Code)
	}
	r.files.add("three.gcode", "G28\nG1 X1 E1\n")
	if w := r.do("GET", target, "viewer", nil); w.Code != 409 || errorCode(t, w.Body.Bytes()) != "other_file" {
		t.Errorf("after it was replaced: got %d %s, want 409 other_file", w.Code, w.Body)
	}
}

func TestToolpathErrors(t *testing.T) {
	r := newRig(t)
	threeLayers(t, r)
	for query, want := range map[string]string{
		"three.gcode?from=3": "400 bad_command", "three.gcode?from=x": "400 bad_command", "three.gcode?from=-1": "400 bad_command", "three.gcode?from=1&to=1": "400 bad_command",
		"three.gcode?from=0&step=0": "400 bad_command", "three.gcode?from=99999999999999999999": "400 bad_command", "none.gcode": "404 no_file", "three.gcode?v=00": "409 other_file", "a%5cb.gcode": "400 bad_name",
	} {
		w := r.do("GET", "/v1/toolpaths/"+query, "viewer", nil)
		if got := fmt.Sprint(w.Code, " ", errorCode(t, w.Body.Bytes())); got != want || w.Header().Get("ETag") != "" {
			t.Errorf("%s: got %s, ETag %q, want %s", query, got, w.Header().Get("ETag"), want)
		}
	}
}

// Who goes away does not keep the file from being read by others.
func TestToolpathEndsWithItsClient(t *testing.T) {
	r := newRig(t)
	threeLayers(t, r)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		w := r.do("GET", "/v1/toolpaths/three.gcode?from=0", "viewer", nil, func(q *http.Request) { *q = *q.WithContext(gone) })
		if w.Code != 503 {
			t.Errorf("got %d, want 503", w.Code)
		}
	}
	if w := r.do("GET", "/v1/toolpaths/three.gcode?from=0", "viewer", nil); w.Code != 200 || len(r.toolpaths.reading) != 0 {
		t.Errorf("got %d with %d reading, want 200 and none", w.Code, len(r.toolpaths.reading))
	}
	if _, err := (&whileWanted{gone, strings.NewReader("x")}).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestFewToolpathsAreKept(t *testing.T) {
	p := newToolpaths()
	path := func() *gcode.Toolpath { return gcode.NewToolpath(&gcode.Survey{}) }
	first := p.keep("first", path())
	for i := range 20 {
		p.keep(fmt.Sprint(i), path())
		if p.of("first") != first || p.keep("first", path()) != first {
			t.Fatalf("after %d others: the one that is looked at was dropped", i)
		}
	}
	if len(p.kept) != pathsKept || p.of("0") != nil {
		t.Errorf("got %d, want the %d newest", len(p.kept), pathsKept)
	}
}
