package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"layerd/camera"
)

const (
	loopNode     = "/dev/video20"
	toBeMissed   = 5 * time.Second  // 3 s without a picture, and what an emulated processor adds
	toBeListened = 12 * time.Second // the longest pause between attempts is 8 s
)

// feeder writes pictures of some kinds in turn into a loopback device, as a camera would.
type feeder struct {
	n      node
	kinds  atomic.Pointer[[]kind] // in turn; none = it keeps the device open and says nothing
	writes atomic.Int64
	end    chan struct{}
	done   chan error
}

func (f *fed) feed(from []byte, every time.Duration, kinds ...kind) (*feeder, error) {
	n, err := openFeed(loopNode, feedW, feedH)
	if err != nil {
		return nil, err
	}
	w := &feeder{n: n, end: make(chan struct{}), done: make(chan error, 1)}
	w.kinds.Store(&kinds)
	go func() { w.done <- w.run(f, from, every) }()
	return w, nil
}

func (w *feeder) run(f *fed, from []byte, every time.Duration) error {
	defer w.n.close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-w.end:
			return nil
		case <-tick.C:
		}
		kinds := *w.kinds.Load()
		if len(kinds) == 0 {
			continue
		}
		if err := w.n.write(f.make(from, kinds[i%len(kinds)])); err != nil {
			return err
		}
		w.writes.Add(1)
	}
}

func (w *feeder) send(kinds ...kind) { w.kinds.Store(&kinds) }

func (w *feeder) stop() error {
	close(w.end)
	return <-w.done
}

// loopback checks a camera that sends JPEGs: what it sends is passed on as it is, what is damaged is not, and its silence is noticed.
func (s *suite) loopback() {
	pictures := &fed{}
	from, err := base(feedW, feedH, 75, 1)
	var w *feeder
	s.check("loopback: a writer", func() (string, error) {
		if err == nil {
			w, err = pictures.feed(from, time.Second/15, good)
		}
		return fmt.Sprintf("pictures of %d bytes, 15 a second", len(from)), err
	})
	if err != nil {
		return
	}
	c := begin(camera.Settings{Device: loopNode, FPS: 30})
	s.check("loopback: live", func() (string, error) {
		took, err := c.untilLive(toBeLive)
		return fmt.Sprintf("after %v", took), err
	})
	s.check("loopback: passed on byte by byte", func() (string, error) { return passOn(c, pictures, w, good) })
	s.check("loopback: zeros behind the end go", func() (string, error) { return passOn(c, pictures, w, good, padded) })
	s.check("loopback: tables put in, damage refused", func() (string, error) {
		return passOn(c, pictures, w, good, cut, bare, headed)
	})
	s.check("loopback: damaged pictures only", func() (string, error) {
		w.send(cut)
		took, err := c.untilProblem(toBeMissed, "stopped sending")
		if err == nil {
			_, err = c.untilProblem(toBeListened, "only damaged")
		}
		return fmt.Sprintf("missed after %v, then said why", took), err
	})
	s.check("loopback: whole ones again", func() (string, error) { return again(c, pictures, func() error { w.send(good); return nil }) })
	s.check("loopback: a device that is stuck", func() (string, error) { return silence(c, func() error { w.send(); return nil }) })
	s.check("loopback: it goes on", func() (string, error) { return again(c, pictures, func() error { w.send(good); return nil }) })
	s.check("loopback: the writer is gone", func() (string, error) { return silence(c, w.stop) })
	s.check("loopback: another writer", func() (string, error) {
		return again(c, pictures, func() (err error) { w, err = pictures.feed(from, time.Second/15, good); return err })
	})
	s.check("loopback: let go", func() (string, error) {
		return "nothing open, nothing mapped", errors.Join(w.stop(), c.stop())
	})
}

// passOn sends pictures of these kinds, and checks each that arrives.
func passOn(c *subject, pictures *fed, w *feeder, kinds ...kind) (string, error) {
	w.send(kinds...)
	before, _ := c.Status().Get()
	wrote, arrived := w.writes.Load(), map[kind]int{}
	if err := c.frames(30, 30*time.Second, func(f *camera.Frame) error {
		k, err := pictures.check(f.JPEG)
		arrived[k]++
		return err
	}); err != nil {
		return "", err
	}
	wrote = w.writes.Load() - wrote
	for _, k := range kinds {
		if refused := k == cut || k == headed; !refused && arrived[k] == 0 {
			return "", fmt.Errorf("none of kind %d arrived", k)
		}
	}
	after, _ := c.Status().Get()
	dropped := after.Dropped - before.Dropped
	if damaging := len(kinds) > 2; damaging != (dropped > 0) {
		return "", fmt.Errorf("%d counted as damaged", dropped)
	}
	return fmt.Sprintf("30 of %d pictures the same, %d refused", wrote, dropped), nil
}

// silence makes a live camera say nothing more, and waits until that is noticed.
func silence(c *subject, stop func() error) (string, error) {
	if _, err := c.untilLive(toBeListened); err != nil {
		return "", err
	}
	if err := stop(); err != nil {
		return "", err
	}
	took, err := c.untilProblem(toBeMissed, "stopped sending")
	if err != nil {
		return "", err
	}
	busy := busyFor(watchCameras)
	if busy > idleAtMost {
		err = fmt.Errorf("%.0f %% of a processor without a picture", 100*busy)
	}
	status, _ := c.Status().Get()
	return fmt.Sprintf("said after %v; then %.1f %% of a processor, and %q", took, 100*busy, status.Problem), err
}

// again has the pictures come again. v4l2loopback gives its last picture to whoever opens it anew, so that one with an old number tells nothing.
func again(c *subject, pictures *fed, start func() error) (string, error) {
	old, began := pictures.last(), time.Now()
	if err := start(); err != nil {
		return "", err
	}
	for {
		if _, err := c.untilLive(toBeListened); err != nil {
			return "", err
		}
		fresh := false
		if err := c.frames(1, toBeListened, func(f *camera.Frame) error { fresh = number(f.JPEG) > old; return nil }); err != nil {
			return "", err
		}
		took := time.Since(began)
		if took > toBeListened {
			return "", fmt.Errorf("only old pictures for %v", took)
		}
		if fresh {
			return fmt.Sprintf("new pictures after %v", took), nil
		}
	}
}
