package camera

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// adjustable is a script with controls. It writes down what it is told and when it is run.
type adjustable struct {
	*script
	told chan string
}

func (a adjustable) Controls() []Control { return []Control{{ID: "brightness"}} }

func (a adjustable) Adjust(wanted map[string]int64) { a.told <- fmt.Sprint("adjust ", wanted) }

func (a adjustable) Run(ctx context.Context, sink Sink) error {
	a.told <- "run"
	return a.script.Run(ctx, sink)
}

// heard is all that was told since it was last asked.
func (a adjustable) heard() string {
	synctest.Wait()
	var all []string
	for len(a.told) > 0 {
		all = append(all, <-a.told)
	}
	return strings.Join(all, ", ")
}

// The wishes are there before a source runs, so that its first picture is as wished; and what was wished before a restart goes home after it.
func TestWishesComeBeforeTheFirstPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		live := steadily(pic, 100*time.Millisecond, 0, nil)
		src := adjustable{newScript(steadily(pic, 100*time.Millisecond, time.Second, syscall.ENODEV), live, live, live), make(chan string, 100)}
		c := running(t, src, func(cfg *Config) { cfg.Controls = map[string]int64{"focus": 5} })
		set := func(s Setup) {
			t.Helper()
			if err := c.Set(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		has := func(s string) string { return "adjust map[" + s + "]" }
		// began is what a source hears that begins: what was, what is wished, and, while it begins to run, what is wished from the owner too.
		began := func(when, was, is string) {
			t.Helper()
			before := has(was) + ", " + has(is) + ", "
			if got := src.heard(); got != before+"run, "+has(is) && got != before+has(is)+", run" {
				t.Errorf("%s: heard %q, want %q and then run", when, got, before)
			}
		}
		began("opened", "", "focus:5")
		time.Sleep(3 * time.Second)
		began("plugged in again", "", "focus:5")
		set(Setup{Controls: map[string]int64{"gain": 1}})
		if got := src.heard(); got != has("gain:1") {
			t.Errorf("another wish: heard %q, which disturbs, want %q", got, has("gain:1"))
		}
		if got := c.Controls(); len(got) != 1 {
			t.Errorf("got %v, want those of the source", got)
		}
		set(Setup{Settings: Settings{FPS: 5}})
		began("restarted", "focus:5 gain:1", "")
		set(Setup{Settings: Settings{Device: "/dev/video1"}, Controls: map[string]int64{"gain": 2}})
		began("another device", "", "gain:2")
	})
}

// A device that is plugged in appears, may not be opened until udev has said who may, and is then live. All of that within 5 s from its
// coming back, at whatever moment that is, and whatever was wrong with it before.
func TestReplugIsLiveWithinFiveSeconds(t *testing.T) {
	gone := func(err error) func(pic []byte) func(context.Context, func([]byte, time.Time)) error {
		return func(pic []byte) func(context.Context, func([]byte, time.Time)) error {
			return steadily(pic, 100*time.Millisecond, time.Second, err)
		}
	}
	const until, udev = 20 * time.Second, time.Second // of a small computer that is busy
	for _, tc := range []struct {
		name   string
		device string // of Settings
		before func(pic []byte) func(context.Context, func([]byte, time.Time)) error
		away   error // while it is away or broken
		within time.Duration
	}{
		{"found, and unplugged", "", gone(syscall.ENODEV), errNotFound, 4 * time.Second},
		{"named, and unplugged", "/dev/v4l/by-id/usb-C920-video-index0", gone(syscall.ENODEV), fs.ErrNotExist, 4 * time.Second},
		{"its node lingers", "/dev/video0", gone(syscall.ENODEV), syscall.ENODEV, 4 * time.Second},
		{"it failed, and a person plugs it in again", "/dev/video0", gone(syscall.EPROTO), syscall.EIO, 5 * time.Second},
		{"another program had it", "/dev/video0", gone(syscall.ENODEV), syscall.EBUSY, 5 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pic := picture(t, 320, 240, 1)
			for late := time.Duration(0); late < 5*time.Second; late += 90 * time.Millisecond {
				synctest.Test(t, func(t *testing.T) {
					back := time.Now().Add(until + late)
					src := newScript(tc.before(pic))
					for range 90 {
						src.runs <- func(ctx context.Context, emit func([]byte, time.Time)) error {
							switch since := time.Since(back); {
							case since < 0:
								return fmt.Errorf("open: %w", tc.away)
							case since < udev:
								return fmt.Errorf("open: %w", syscall.EACCES)
							}
							pause(ctx, 700*time.Millisecond) // a camera wakes up
							return steadily(pic, 100*time.Millisecond, 0, nil)(ctx, emit)
						}
					}
					began := time.Now()
					c := running(t, src, func(cfg *Config) {
						cfg.Device = tc.device
						cfg.Find = func() ([]Device, error) {
							if time.Since(began) > time.Second/2 && time.Until(back) > 0 {
								return nil, nil
							}
							return []Device{{ID: "/dev/video0", Name: "Test Cam"}}, nil
						}
					})
					time.Sleep(time.Until(back))
					if s := statusOf(c); s.Live {
						t.Errorf("live while it is away: %+v", s)
					}
					time.Sleep(tc.within)
					if s := statusOf(c); !s.Live {
						t.Errorf("%v after it came back: got %+v, want live", tc.within, s)
					}
				})
			}
		})
	}
}

// What a source notes is logged, and ends nothing.
func TestNotesAreLogged(t *testing.T) {
	var log strings.Builder
	a := &attempt{log: slog.New(slog.NewTextHandler(&log, nil))}
	noteTo(a, "/dev/video0")(errors.New("set focus to 5: input/output error"))
	if want := `level=WARN msg="camera not as wished" error="/dev/video0: set focus to 5: input/output error"`; !strings.Contains(log.String(), want) {
		t.Errorf("got %s, want %s", log.String(), want)
	}
	noteTo(put(nil), "/dev/video0")(errors.New("for nobody")) // a sink that does not care
}
