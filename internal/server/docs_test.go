package server

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/PROTOCOL.md names every request, command and code, and its links lead somewhere.
func TestProtocolIsWrittenDown(t *testing.T) {
	text, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	for _, c := range commands {
		if !strings.Contains(doc, "`"+c.name+"`") {
			t.Errorf("the command %s is not described", c.name)
		}
	}
	for _, k := range kinds {
		if !strings.Contains(doc, "`"+k.code+"`") {
			t.Errorf("the code %s is not described", k.code)
		}
	}
	for _, route := range routes {
		path := strings.Replace(route.path, "*", "PATH", 1)
		if !strings.Contains(doc, "`"+route.method+" "+path) {
			t.Errorf("%s %s is not described", route.method, path)
		}
	}
	links := regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(doc, -1)
	for _, link := range links {
		if _, err := os.Stat(filepath.Join("../../docs", link[1])); err != nil {
			t.Errorf("the link %s leads nowhere: %v", link[1], err)
		}
	}
	if len(links) < 15 {
		t.Errorf("got %d links, want the golden files linked", len(links))
	}
}

func TestServeEndsWhenItsTimeIsOverBeforeItBegan(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newRig(t).Serve(ctx, l); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestServeSaysWhenItsListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := newRig(t).Serve(t.Context(), l); err == nil {
		t.Error("got nil, want the listener's error")
	}
}
