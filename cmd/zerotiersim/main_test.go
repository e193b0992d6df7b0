package main

import (
	"bufio"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layerd/internal/overlay"
	"layerd/internal/zerotier"
)

func TestAMemberOfTheSim(t *testing.T) {
	token := filepath.Join(t.TempDir(), "authtoken.secret")
	in, words := io.Pipe()
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run([]string{"--token", token}, in, out) }()
	lines := bufio.NewScanner(said)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "http://127.0.0.1:") {
		t.Fatalf("got %q, want its address", lines.Text())
	}
	statuses := make(chan overlay.Status)
	m, err := zerotier.New(zerotier.Config{Settings: overlay.ZeroTierSettings{Network: "8056c2e21c000001"}, TokenFile: token, Page: netip.MustParseAddrPort("[::]:8080"),
		Report: func(s overlay.Status) {
			select {
			case statuses <- s:
			case <-t.Context().Done():
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	go m.Run(t.Context())
	until := func(want overlay.State) (s overlay.Status) {
		for s.State != want {
			s = <-statuses
		}
		return s
	}
	until(overlay.Approval)
	io.WriteString(words, "dance\n")
	if !lines.Scan() || !strings.Contains(lines.Text(), "dance") {
		t.Errorf("got %q, want that it does not know the word", lines.Text())
	}
	io.WriteString(words, "authorise\n")
	if s := until(overlay.Running); len(s.URLs) == 0 || s.URLs[0] != "http://10.147.17.5:8080/" {
		t.Errorf("got %q, want the page's address", s.URLs)
	}
	words.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"--token", filepath.Join(t.TempDir(), "none", "token")}, {"--token", os.DevNull, "more"}, {"--what"}} {
		if err := run(args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
