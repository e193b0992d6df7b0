package camera

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"layerd/internal/latest"
)

// ErrRecordFull ends a recording that has become as large as it may.
var ErrRecordFull = errors.New("the recording is as large as it may become")

// Recording says how pictures are recorded.
type Recording struct {
	Dir    string        // made if it is not there
	Every  time.Duration // from one picture to the next; 0 = all that come
	Frames int           // that are enough; 0 = no limit
	Bytes  int64         // that it may have; 0 = no limit
}

// Record writes pictures into a folder as they come, from now on, until ctx ends or there are enough of them (nil), there are too many bytes
// (ErrRecordFull), or the disk is full. A file's name is the time in UTC at which the picture was taken, such as 2026-11-27T01-02-03.456.jpg, so
// that Settings.Device frames:DIR plays them as they were. No file is ever overwritten. n is how many were written.
func Record(ctx context.Context, frames *latest.Value[*Frame], r Recording) (n int, err error) {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return 0, fmt.Errorf("record pictures: %w", err)
	}
	_, seq := frames.Get()
	var due time.Time // a tenth of tolerance, since cameras do not keep time exactly
	var had string
	left := r.Bytes
	for r.Frames == 0 || n < r.Frames {
		f, newer, err := frames.Next(ctx, seq)
		if err != nil {
			return n, nil
		}
		if seq = newer; f == nil || f.Time.Before(due.Add(-r.Every/10)) {
			continue
		}
		name := f.Time.UTC().Format(frameLayout) + ".jpg"
		if name == had { // pictures that waited somewhere come all at once
			continue
		}
		if due = due.Add(r.Every); !due.After(f.Time) {
			due = f.Time.Add(r.Every)
		}
		if left -= int64(len(f.JPEG)); r.Bytes > 0 && left < 0 {
			return n, fmt.Errorf("record pictures into %s, after %d of them: %w", r.Dir, n, ErrRecordFull)
		}
		if err := writeNew(filepath.Join(r.Dir, name), f.JPEG); err != nil {
			return n, fmt.Errorf("record pictures, after %d of them: %w", n, err)
		}
		n, had = n+1, name
	}
	return n, nil
}

// writeNew leaves the whole file, or nothing.
func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
