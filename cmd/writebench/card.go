package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cardBytes is how big the card is; its image takes only what was written.
const cardBytes = 1 << 30

// card is a file system on a loop device.
type card struct {
	dir, mount string
	device     string // "loop0"
}

// newCard makes the card as a Pi has it: ext4, noatime.
func newCard() (c *card, err error) {
	c = &card{}
	if c.dir, err = os.MkdirTemp("", "writebench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	image := filepath.Join(c.dir, "image")
	c.mount = filepath.Join(c.dir, "card")
	if err := errors.Join(os.Mkdir(c.mount, 0o700), os.WriteFile(image, nil, 0o600), os.Truncate(image, cardBytes)); err != nil {
		return nil, err
	}
	// Everything is written at once that mkfs would leave for later.
	for _, do := range [][]string{{"mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image}, {"mount", "-o", "loop,noatime", image, c.mount}} {
		if out, err := exec.Command(do[0], do[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make a card (this takes root, and loop devices): %s: %w: %s", do[0], err, out)
		}
	}
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, name := range devices {
		if text, err := os.ReadFile(name); err == nil && strings.TrimSpace(string(text)) == image {
			c.device = strings.Split(name, "/")[3]
		}
	}
	if c.device == "" {
		return nil, errors.Join(errors.New("the card's loop device is not found"), err)
	}
	return c, nil
}

func (c *card) close() error {
	if c.device != "" {
		if out, err := exec.Command("umount", c.mount).CombinedOutput(); err != nil {
			return fmt.Errorf("unmount %s: %w: %s", c.mount, err, out)
		}
	}
	return os.RemoveAll(c.dir)
}

// counts is what has reached the card.
type counts struct{ bytes, writes, flushes int64 }

// count brings everything to the card and reads the device's counters (Documentation/block/stat.rst of the kernel).
func (c *card) count() (n counts, err error) {
	dir, err := os.Open(c.mount)
	if err != nil {
		return n, err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return n, err
	}
	text, err := os.ReadFile("/sys/block/" + c.device + "/stat")
	if err != nil {
		return n, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 16 {
		return n, fmt.Errorf("the kernel does not count flushes of %s: %q", c.device, text)
	}
	for field, to := range map[int]*int64{4: &n.writes, 6: &n.bytes, 15: &n.flushes} {
		if *to, err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return n, err
		}
	}
	n.bytes *= 512
	return n, nil
}

// part is one part of the measurement.
type part struct {
	name     string
	from, to time.Time
	disk     counts
	process  int64 // bytes by /proc/PID/io
	log      int64 // bytes of layerd's log
	rows     map[string]*row
}

// row is what one cause has written.
type row struct{ times, bytes int64 }

func (p *part) hourly(n float64) float64 { return n * float64(time.Hour) / float64(p.to.Sub(p.from)) }

// measure measures what is done within span, or as long as it takes when that is 0.
func (c *card) measure(ctx context.Context, name string, span time.Duration, do func(context.Context) error, s *stage) (*part, error) {
	fmt.Fprintf(os.Stderr, "%s …\n", name)
	if span > 0 {
		within, end := context.WithTimeout(ctx, span)
		defer end()
		ctx = within
	}
	before, err := c.count()
	if err != nil {
		return nil, err
	}
	log, process := s.log.bytes.Load(), s.wrote()
	p := &part{name: name, from: time.Now(), rows: map[string]*row{}}
	if err := do(ctx); err != nil {
		return nil, err
	}
	p.to = time.Now()
	after, err := c.count()
	p.disk = counts{after.bytes - before.bytes, after.writes - before.writes, after.flushes - before.flushes}
	p.log, p.process = s.log.bytes.Load()-log, s.wrote()-process
	return p, err
}
