package camera

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// A picture's way out of a V4L2 device, on one goroutine that owns the device for its whole life:
//
//	wait (≤ 1 s) ─▶ take until there is no more, the newest stays ─▶ emit, which copies it ─▶ give the buffer back
//
// This file holds the thinking and compiles everywhere; v4l2_linux.go holds the device.

// device is what the loop needs of an open, streaming camera.
type device interface {
	// wait returns when there may be a picture, and errTimeout after a second without.
	wait() error
	// take fetches the oldest waiting picture, in the device's memory, with the number of its buffer. It does not block:
	// syscall.EAGAIN means that there is none.
	take() (picture []byte, buffer uint32, err error)
	// give hands a buffer back, to be filled again. The picture in it is gone then.
	give(buffer uint32) error
}

var errTimeout = errors.New("timeout")

// How much trouble the loop takes before it gives a device up.
const (
	maxEIO    = 3                     // in a row; a single one is a lost picture (V4L2, VIDIOC_DQBUF)
	maxEmpty  = 100                   // waits in a row that promise a picture when there is none
	emptyWait = 20 * time.Millisecond // after each of those: an unplugged device is "readable" at once, for ever
	buffers   = 4                     // of the device's memory; up to 4 MB each at 1080p

	idleInterval = time.Second // between pictures that nobody looks at
)

// deliver hands the newest picture to emit whenever there is one, but at most one per interval, which may change, until ctx ends (nil) or the
// device fails. The first one is left out: it is from before the controls were set, and v4l2loopback gives whoever opens it its last one, which
// may be hours old. between is called before the first picture, and then after each or after a second. A device that delivers nothing is left to
// the caller's watchdog: wait returns every second and ctx is looked at in between.
func deliver(ctx context.Context, d device, between func(context.Context), interval func() time.Duration, emit func(picture []byte, taken time.Time)) error {
	var p pace
	eio, empty, begun := 0, 0, false
	for ctx.Err() == nil {
		between(ctx)
		if err := d.wait(); errors.Is(err, errTimeout) {
			continue
		} else if err != nil {
			return fmt.Errorf("wait for a picture: %w", err)
		}
		picture, buffer, err := newest(d)
		switch {
		case err == nil:
			eio, empty = 0, 0
		case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
			if empty++; empty >= maxEmpty {
				return fmt.Errorf("take a picture: %w", errStalled)
			}
			pause(ctx, emptyWait)
			continue
		case errors.Is(err, syscall.EIO):
			if eio++; eio >= maxEIO {
				return fmt.Errorf("take a picture, %d times: %w", eio, err)
			}
			pause(ctx, emptyWait)
			continue
		default:
			return fmt.Errorf("take a picture: %w", err)
		}
		if now := time.Now(); begun && ctx.Err() == nil && p.due(now, interval()) {
			emit(picture, now)
		}
		begun = true
		if err := d.give(buffer); err != nil {
			return fmt.Errorf("give a buffer back: %w", err)
		}
	}
	return nil
}

// newest takes what waits and keeps the last. After a stall the kernel's queue holds old pictures; they go back unseen.
func newest(d device) (picture []byte, buffer uint32, err error) {
	picture, buffer, err = d.take()
	if err != nil {
		return nil, 0, err
	}
	for range buffers { // not for ever, should the device be faster than this
		newer, b, err := d.take()
		if err != nil {
			break // EAGAIN as a rule; a real failure comes again at the next take
		}
		if err := d.give(buffer); err != nil {
			return nil, 0, fmt.Errorf("give a buffer back: %w", err)
		}
		picture, buffer = newer, b
	}
	return picture, buffer, nil
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
