// Command writebench measures what layerd writes to the card: idle, and for each hour that it prints.
//
//	writebench             tables on standard output; takes root and strace, needs no network and ends by itself
//
// layerd's data directory is on a file system of its own, ext4 as on a Pi, on a loop device, whose counters say what reached the disk: file content, the file
// system's own journal, and how often the disk was told to bring all it has to the card. strace says who wrote it: each transaction of the database is told by
// the tables that it changes. docs/PERFORMANCE.md says how to read it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

func main() { benchrun.Main("writebench", run) }

func run(ctx context.Context, args []string) (err error) {
	flags := pflag.NewFlagSet("writebench", pflag.ContinueOnError)
	span := flags.Duration("span", 10*time.Minute, "how long it prints")
	idle := flags.Duration("idle", 3*time.Minute, "how long each part is in which it does not")
	if err := flags.Parse(args); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := newCard()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	s, err := newStage(ctx, filepath.Dir(self), c)
	if err != nil {
		return err
	}
	defer s.close()
	var parts []*part
	for _, p := range []struct {
		name string
		span time.Duration
		do   func(ctx context.Context) error
	}{
		{"idle, nobody looks", *idle, wait},
		{"idle, two phones and two programs look", *idle, s.watched(wait)},
		{"the start of a print, its file included", 0, s.start},
		{"printing, two phones and two programs look", *span, s.watched(wait)},
		{"the end of a print", 0, s.stop},
	} {
		took, err := c.measure(ctx, p.name, p.span, p.do, s)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		parts = append(parts, took)
	}
	if err := s.close(); err != nil {
		return err
	}
	if err := c.tellCauses(ctx, s.trace, parts); err != nil {
		return err
	}
	for _, p := range parts {
		p.print()
	}
	printing, end := parts[3], parts[4]
	fmt.Printf("\na print of one hour: %.2f MB, its start and its file not counted, its end counted\n", printing.hourly(float64(printing.disk.bytes))/1e6+float64(end.disk.bytes)/1e6)
	return nil
}

// wait is a part in which nothing is done.
func wait(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
