// Command shifteval measures how well layer shifts are found, and how often one is suspected where there is none: by the camera in rendered scenes, and by the endstops with
// the pretend printer. It writes its tables into docs/LAYER_SHIFT.md.
//
//	shifteval                    the first half of the scenes, by which things are chosen
//	shifteval --held-out         the other half, once for each version of camera/register
//	shifteval --blender          those that are held out and rendered by Blender, likewise
//	shifteval --part endstops    the switches; no pictures
//
// Scenes are made of a slicer's real files, which are read and not kept, and rendered by POV-Ray or Blender; renderings are kept in --cache. What the lens, the sensor and the JPEG do to
// them, and what happens in the room, is done to them here, with dice that always fall the same way.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() {
	asTest(func(t *testing.T) {
		benchrun.Main("shifteval", func(ctx context.Context, args []string) error { return run(ctx, t, args) })
	})
}

const (
	firstHalf     = "the first half"
	heldOut       = "the half held out"
	otherRenderer = "the other renderer"
	switches      = "the endstops"
)

func run(ctx context.Context, t *testing.T, args []string) error {
	flags := pflag.NewFlagSet("shifteval", pflag.ContinueOnError)
	corpus := flags.String("corpus", "../shared/corpus", "the slicers' files")
	cache := flags.String("cache", ".cache/shifteval", "where renderings are kept, up to 1 GB")
	doc := flags.String("doc", "docs/LAYER_SHIFT.md", "where tables are written; \"\" = standard output")
	held := flags.Bool("held-out", false, "the scenes that are held out")
	other := flags.Bool("blender", false, "the scenes that Blender renders, which are held out, too")
	again := flags.Bool("again", false, "even though this version has seen them")
	hours := flags.Float64("hours", 100, "of prints that go well, by the camera")
	points := flags.Int("points", 4, "in each scene at which something is lost")
	one := flags.String("nuisance", "", "only those whose name has this in it, to standard output: no table is whole then")
	explain := flags.Bool("explain", false, "say the looks about each loss that was missed, and each false suspicion")
	place := flags.String("scene", "", "only those whose name has this in it, to standard output")
	only := flags.String("part", "camera", "camera, endstops, render: pictures and nothing else, so that they are there, cost: what a look takes here, or looks: nothing but looks at what cost has kept, for who counts instructions")
	looks := flags.Int("looks", 10, "of --part looks")
	losses := flags.Int("losses", 1000, "of the endstops' part")
	jobs := flags.Int("jobs", runtime.NumCPU(), "at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e := &evaluation{corpus: *corpus, renders: &renders{dir: *cache}, hours: *hours, points: *points, atOnce: *jobs, nuisance: *one, place: *place, explain: *explain, say: os.Stderr}
	defer e.renders.close()
	if *other {
		*held, e.drawn = true, byBlender
	}
	switch kept := filepath.Join(*cache, "cost"); *only {
	case "looks":
		return onlyLooks(kept, *looks)
	case "render":
		return e.render(ctx, *held)
	case "cost":
		return e.cost(ctx, kept, os.Stdout)
	}
	text, err := []byte{}, error(nil)
	if *doc != "" {
		if text, err = os.ReadFile(*doc); err != nil {
			return err
		}
	}
	write := func(part, tables string) error {
		tables += fmt.Sprintf("\nSHA-256 of these results: `%x`\n", sha256.Sum256([]byte(tables)))
		if *doc == "" || *one+*place != "" {
			_, err := fmt.Print(tables)
			return err
		}
		if text, err = put(text, part, tables); err != nil {
			return fmt.Errorf("write %s: %w", *doc, err)
		}
		return os.WriteFile(*doc, text, 0o644)
	}
	if *only == "endstops" {
		m, err := endstops(ctx, t, *hours, *losses, *jobs, os.Stderr)
		if err != nil {
			return err
		}
		return write(switches, m.tables())
	}
	part := firstHalf
	switch {
	case *other:
		part = otherRenderer
	case *held:
		part = heldOut
	}
	sources, err := e.allowed(*held && !*again, between(text, part))
	if err != nil {
		return err
	}
	return e.camera(ctx, *held, func(s *seen) error { return write(part, s.tables(sources)) })
}

// allowed names the version of camera/register, and refuses to show it a second time what is held out; before is what was written of the half that is held out.
func (e *evaluation) allowed(once bool, before string) (sources string, err error) {
	if err := os.MkdirAll(e.renders.dir, 0o755); err != nil {
		return "", err
	}
	if sources, err = sourcesHash("camera/register"); err == nil && once && strings.Contains(before, "`"+sources+"`") {
		err = errors.New("this version of camera/register has seen the scenes that are held out; what is chosen by them is not held out any more")
	}
	return sources, err
}
