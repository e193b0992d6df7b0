package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"layerd/camera"
)

// suite runs checks and counts. A failed one does not keep the next from running.
type suite struct{ run, failed int }

// check runs one check, and tells what it found.
func (s *suite) check(name string, run func() (found string, err error)) {
	s.run++
	began := time.Now()
	found, err := run()
	took := time.Since(began).Round(10 * time.Millisecond)
	if err != nil {
		s.failed++
		fmt.Printf("vm: FAIL %s (%v): %v\n", name, took, err)
		return
	}
	fmt.Printf("vm: ok   %s (%v): %s\n", name, took, found)
}

func (s *suite) verdict() error {
	if s.failed > 0 {
		return fmt.Errorf("%d of %d checks", s.failed, s.run)
	}
	fmt.Printf("vm: all %d checks\n", s.run)
	return nil
}

// subject is a camera under test, looked at by somebody, so that it does not idle.
type subject struct {
	*camera.Camera
	end  context.CancelFunc
	done chan error
}

func begin(settings camera.Settings) *subject {
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	c := camera.New(camera.Config{Setup: camera.Setup{Settings: settings}, Log: log})
	ctx, end := context.WithCancel(context.Background())
	s := &subject{Camera: c, end: end, done: make(chan error, 1)}
	c.Look()
	go func() { s.done <- c.Run(ctx) }()
	return s
}

// stop ends the camera, which has to let go of all that it had open.
func (s *subject) stop() error {
	s.end()
	if err := <-s.done; err != nil {
		return err
	}
	return nothingOpen()
}

// nothingOpen is an error if this process has a video node open, or its memory mapped.
func nothingOpen() error {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, f := range files {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(to, "/dev/video") {
			return fmt.Errorf("%s is still open", to)
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err == nil && strings.Contains(string(maps), "/dev/video") {
		err = errors.New("memory of a camera is still mapped")
	}
	return err
}

// until waits for a status, and tells how long that took.
func (s *subject) until(within time.Duration, what string, is func(camera.Status) bool) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for seq := uint64(0); ; {
		status, n, err := s.Status().Next(ctx, seq)
		if err != nil {
			now, _ := s.Status().Get()
			return 0, fmt.Errorf("not %s within %v: live %v, problem %q", what, within, now.Live, now.Problem)
		}
		if seq = n; is(*status) {
			return time.Since(began), nil
		}
	}
}

func (s *subject) untilLive(within time.Duration) (time.Duration, error) {
	return s.until(within, "live", func(now camera.Status) bool { return now.Live })
}

// untilProblem waits until there is no picture, and the words about it are among these.
func (s *subject) untilProblem(within time.Duration, words string) (time.Duration, error) {
	return s.until(within, words, func(now camera.Status) bool { return !now.Live && strings.Contains(now.Problem, words) })
}

// frames takes n frames that come from now on, each of which look has to accept.
func (s *subject) frames(n int, within time.Duration, look func(*camera.Frame) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, seq := s.Frames().Get()
	for got := 0; got < n; got++ {
		f, next, err := s.Frames().Next(ctx, seq)
		if err != nil {
			return fmt.Errorf("%d frames within %v, want %d", got, within, n)
		}
		if seq = next; f == nil {
			return errors.New("the frame was taken away")
		}
		if err := look(f); err != nil {
			return fmt.Errorf("frame %d: %w", f.Seq, err)
		}
	}
	return nil
}

// busyFor is how much of one processor this process uses during d.
func busyFor(d time.Duration) float64 {
	before := processorTime()
	time.Sleep(d)
	return float64(processorTime()-before) / float64(d)
}

func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
