package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Recorded pictures, played again and again:
//
//	names in a folder, in order ─▶ the next ─▶ read ─▶ Sink ─▶ wait until the one after it, as long as it took when they were recorded
//
// Names that Record gave say when that was. Others, and all if Settings.FPS is set, follow at a steady rate.

const (
	replayFPS   = 5
	maxFrames   = 200_000          // names that are kept: a day at two a second
	longestGap  = 10 * time.Second // of a recording that was interrupted, no more is waited
	frameLayout = "2006-01-02T15-04-05.000"
)

var errNoFrames = errors.New("no pictures in the folder")

type replay struct {
	device Device
	dir    string
	fps    int // 0 = as it was recorded
}

// newReplay is a Source for frames:DIR. It opens nothing yet.
func newReplay(d Device, s Settings) *replay {
	return &replay{device: d, dir: strings.TrimPrefix(d.ID, deviceFrames), fps: s.FPS}
}

// Name is the folder's.
func (r *replay) Name() string {
	return first(r.device.Name, "Recorded pictures "+filepath.Base(r.dir))
}

// Run plays until ctx ends or the folder cannot be read.
func (r *replay) Run(ctx context.Context, sink Sink) error {
	p := pace{sink: sink}
	for ctx.Err() == nil { // it may have become longer
		names, err := framesIn(r.dir)
		if err != nil {
			return err
		}
		for i, name := range names {
			pic, err := readFrame(filepath.Join(r.dir, name))
			if err != nil && !errors.Is(err, os.ErrNotExist) { // it may have become shorter
				return err
			}
			if err != nil {
				pic = nil
			}
			r.show(ctx, &p, pic, r.gap(names, i))
			if ctx.Err() != nil {
				break
			}
		}
	}
	return nil
}

// show puts one picture for this long: at least once a second, so that nobody takes the recording for a camera that has failed.
func (r *replay) show(ctx context.Context, p *pace, pic []byte, long time.Duration) {
	for long > 0 && ctx.Err() == nil {
		if pic != nil {
			p.put(pic, time.Now())
		}
		part := min(long, time.Second)
		pause(ctx, part)
		long -= part
	}
}

// gap is the time from a picture to the next. After the last it begins again.
func (r *replay) gap(names []string, i int) time.Duration {
	if r.fps != 0 {
		return intervalOf(r.fps)
	}
	if i+1 < len(names) {
		this, ok := frameTime(names[i])
		next, also := frameTime(names[i+1])
		if gap := next.Sub(this); ok && also && gap > 0 {
			return min(gap, longestGap)
		}
	}
	return intervalOf(replayFPS)
}

// framesIn lists the JPEGs of a folder by name.
func framesIn(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list recorded pictures: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(maxFrames + 1)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("list recorded pictures: %w", err)
	}
	if len(names) > maxFrames {
		return nil, fmt.Errorf("list recorded pictures: more than %d in %s", maxFrames, dir)
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		ext := strings.ToLower(filepath.Ext(n))
		return ext != ".jpg" && ext != ".jpeg" || strings.HasPrefix(n, ".")
	})
	if len(names) == 0 {
		return nil, fmt.Errorf("%w %s", errNoFrames, dir)
	}
	slices.Sort(names)
	return names, nil
}

// readFrame reads a file if it is one: a pipe would keep us waiting.
func readFrame(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err == nil && info.Size() > maxPicture {
		err = errTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return os.ReadFile(path)
}

// frameTime is when the picture of this name was taken, if Record gave it.
func frameTime(name string) (time.Time, bool) {
	t, err := time.Parse(frameLayout, strings.TrimSuffix(name, filepath.Ext(name)))
	return t, err == nil
}
