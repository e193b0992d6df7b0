package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"layerd/camera"
)

// recordLimit is what a recording may take of the disk.
const recordLimit = 4 << 30

// recording is the command line of layerd record.
type recording struct {
	from, to string
	every    time.Duration
	frames   int
}

func (r *recording) flags(f *pflag.FlagSet) {
	f.StringVar(&r.from, "from", "", "`CAMERA` whose pictures are recorded, as in camera.device; none = the one that is found")
	f.StringVar(&r.to, "to", "", "`FOLDER` that gets the pictures")
	f.DurationVar(&r.every, "every", time.Second, "`TIME` from one picture to the next, such as 500ms; 0 = all that come")
	f.IntVar(&r.frames, "frames", 0, "`NUMBER` of pictures; 0 = until Ctrl+C")
}

// record writes a camera's pictures into a folder, until ctx ends or there are enough. No daemon may have the camera.
func (r *recording) record(ctx context.Context, a *invocation) error {
	if r.to == "" || r.every < 0 || r.frames < 0 {
		return usageError{errors.New("record needs --to FOLDER, and neither --every nor --frames below 0")}
	}
	dir, err := filepath.Abs(r.to)
	if err != nil {
		return err
	}
	settings := camera.Settings{Device: r.from}
	if err := settings.Validate(); err != nil {
		return usageError{err}
	}
	if r.from == "none" || r.from == "simulated" {
		return usageError{fmt.Errorf("record needs a camera; %q is none", r.from)}
	}
	c := camera.New(camera.Config{Setup: camera.Setup{Settings: settings}, Log: slog.New(slog.NewTextHandler(a.stderr, nil))})
	life, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(life) }()
	defer c.Look()()
	n, err := camera.Record(ctx, c.Frames(), camera.Recording{Dir: dir, Every: r.every, Frames: r.frames, Bytes: recordLimit})
	end()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	if n == 0 {
		return errors.New("no picture came")
	}
	fmt.Fprintf(a.stdout, "%d pictures are in %s. A camera that plays them: frames:%s\n", n, dir, dir)
	return nil
}
