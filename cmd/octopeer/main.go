// Command octopeer puts layerd's OctoPrint-compatible API beside a real OctoPrint, field by field: what clients of OctoPrint ask, in the states of a print.
//
//	octopeer                          layerd and a pretend printer are started and compared with the recording of OctoPrint in the repository
//	octopeer --octoprint DIR          first OctoPrint itself, as cmd/streambench/peers/install has put it into DIR: is that recording still what it answers?
//	octopeer --url URL --key KEY      another server, whose printer is a pretended one: it heats, moves and prints
//
// It ends with status 1 where something is missing or differs, and no table of docs says why.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
	"layerd/internal/octoprint/peertest"
)

func main() { benchrun.Main("octopeer", run) }

func run(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("octopeer", pflag.ContinueOnError)
	octoprint := flags.String("octoprint", "", "`DIR` of an environment of Python that has OctoPrint")
	renew := flags.Bool("renew", false, "what OctoPrint answers becomes the recording of the repository")
	golden := flags.String("golden", "internal/octoprint/testdata/octoprint-1.11.8.json", "`FILE` of the recording of OctoPrint")
	explained := flags.String("explained", "docs/OCTOPRINT.md", "`FILE` of Markdown whose tables explain differences")
	bin := flags.String("bin", "", "`DIR` of layerd and printsim; default: where octopeer is")
	url := flags.String("url", "", "`URL` of a server to ask in layerd's place")
	key := flags.String("key", "", "API `KEY` of that server, for everything")
	save := flags.String("save", "", "`DIR` for the recordings that are made")
	all := flags.Bool("all", false, "tell of what is equal and more as well")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *bin == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		*bin = filepath.Dir(self)
	}
	if *octoprint != "" {
		recorded, err := record(ctx, "OctoPrint", *save, func(ctx context.Context) (*host, error) { return startOctoPrint(ctx, *octoprint) })
		if err != nil {
			return err
		}
		if *renew {
			err = recorded.Save(*golden)
		} else {
			err = compareGolden(*golden, recorded)
		}
		if err != nil {
			return err
		}
	}
	if *renew {
		return nil
	}
	start := func(ctx context.Context) (*host, error) { return startLayerd(ctx, *bin) }
	if *url != "" {
		start = func(context.Context) (*host, error) {
			return &host{peer: peertest.Peer{URL: *url, Key: *key}}, nil
		}
	}
	ours, err := record(ctx, "layerd", *save, start)
	if err != nil {
		return err
	}
	return compare(*golden, *explained, ours, *all)
}

// host is a server while it runs.
type host struct {
	peer peertest.Peer
	end  []func() // last first
}

func (h *host) close() {
	for i := len(h.end) - 1; i >= 0; i-- {
		h.end[i]()
	}
}

func record(ctx context.Context, name, save string, start func(context.Context) (*host, error)) (peertest.Recording, error) {
	h, err := start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer h.close()
	fmt.Fprintf(os.Stderr, "asking %s, which takes a few minutes\n", name)
	recorded, err := peertest.Play(ctx, h.peer)
	if err == nil && save != "" {
		err = recorded.Save(filepath.Join(save, name+".json"))
	}
	return recorded, err
}
