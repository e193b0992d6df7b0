package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// running runs a Camera on src, which is the only device, for the length of a test in a bubble.
func running(t *testing.T, src Source, more ...func(*Config)) *Camera {
	cfg := Config{
		Find:       func() ([]Device, error) { return []Device{{ID: "/dev/video0", Name: "Test Cam"}}, nil },
		OpenSource: func(Device, Settings) Source { return src },
	}
	for _, m := range more {
		m(&cfg)
	}
	c := New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

func statusOf(c *Camera) Status {
	synctest.Wait()
	s, _ := c.Status().Get()
	return *s
}

func frameOf(c *Camera) *Frame {
	synctest.Wait()
	f, _ := c.Frames().Get()
	return f
}

func TestFramesAreSharedAndMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		c := running(t, newScript(steadily(pic, 100*time.Millisecond, 0, nil)))
		f := frameOf(c)
		if f == nil || f.Seq != 1 || f.Width != 320 || f.Height != 240 || !f.Time.Equal(time.Now()) {
			t.Fatalf("first frame: got %+v", f)
		}
		if !bytes.Equal(f.JPEG, pic) {
			t.Error("the shared frame is not the picture of the device")
		}
		time.Sleep(5050 * time.Millisecond)
		s := statusOf(c)
		if !s.Live || s.Problem != "" || s.Name != "Test Cam" || s.Device != "/dev/video0" || s.Width != 320 || s.Dropped != 0 {
			t.Errorf("status: got %+v", s)
		}
		if s.FPS < 9.9 || s.FPS > 10.1 {
			t.Errorf("fps: got %v, want 10", s.FPS)
		}
		if f := frameOf(c); f.Seq != 51 {
			t.Errorf("seq after 5.05 s at 10 fps: got %d, want 51", f.Seq)
		}
		if !bytes.Equal(f.JPEG, pic) {
			t.Error("a shared frame was changed afterwards")
		}
	})
}

func TestFailuresHaveAProblemAndARecovery(t *testing.T) {
	pic := picture(t, 320, 240, 1)
	live := steadily(pic, 100*time.Millisecond, 0, nil)
	silent := func(ctx context.Context, _ func([]byte, time.Time)) error { <-ctx.Done(); return nil }
	for _, tc := range []struct {
		name   string
		before func(context.Context, func([]byte, time.Time)) error
		at     time.Duration // when the failure must have been noticed
		want   string
		back   time.Duration // when it must be live again
	}{
		{"unplugged", steadily(pic, 100*time.Millisecond, time.Second, fmt.Errorf("take: %w", syscall.ENODEV)), 1100 * time.Millisecond, "The camera Test Cam was unplugged", 2 * time.Second},
		{"busy", fails(fmt.Errorf("open: %w", syscall.EBUSY)), 100 * time.Millisecond, "The camera Test Cam is in use by another program: sudo fuser -v /dev/video* says which", time.Second},
		{"not allowed", fails(fmt.Errorf("open: %w", syscall.EACCES)), 100 * time.Millisecond, "layerd may not open the camera Test Cam: its user needs the group video", time.Second},
		{"plugged in before its driver was there", fails(fmt.Errorf("open: %w", syscall.EPERM)), 100 * time.Millisecond, "layerd's service may not open the camera Test Cam, because its driver was loaded later: sudo systemctl restart layerd", time.Second},
		{"bus full", fails(fmt.Errorf("start: %w", syscall.ENOSPC)), 100 * time.Millisecond, "The USB bus has no room for the camera Test Cam: choose a smaller picture or another socket", time.Second},
		{"stalled", func(ctx context.Context, emit func([]byte, time.Time)) error {
			emit(pic, time.Now())
			return silent(ctx, emit)
		}, 3200 * time.Millisecond, "The camera Test Cam stopped sending pictures", 5 * time.Second},
		{"never a picture", silent, 5200 * time.Millisecond, "The camera Test Cam stopped sending pictures", 7 * time.Second},
		{"only truncated", steadily(pic[:len(pic)/2], 100*time.Millisecond, 0, nil), 5200 * time.Millisecond, "The camera Test Cam sends only damaged pictures", 7 * time.Second},
		{"panics", func(context.Context, func([]byte, time.Time)) error { panic("oh") }, 100 * time.Millisecond, "The camera Test Cam failed", time.Second},
		{"ends for no reason", fails(nil), 100 * time.Millisecond, "The camera Test Cam stopped sending pictures", time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				c := running(t, newScript(tc.before, live))
				time.Sleep(tc.at)
				s := statusOf(c)
				if s.Live || s.Problem != tc.want {
					t.Errorf("at %v: got live %v, %q, want not live, %q", tc.at, s.Live, s.Problem, tc.want)
				}
				if s.SinceMS < began.UnixMilli() || s.SinceMS > time.Now().UnixMilli() || s.FPS != 0 {
					t.Errorf("got since %d fps %v", s.SinceMS, s.FPS)
				}
				time.Sleep(tc.back - tc.at)
				if s := statusOf(c); !s.Live || s.Problem != "" {
					t.Errorf("at %v: got %+v, want live", tc.back, s)
				}
			})
		})
	}
}

func TestUnplugIsRememberedAndReplugIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		plugged := make(chan bool, 1)
		plugged <- true
		is := func() bool { v := <-plugged; plugged <- v; return v }
		src := newScript(steadily(pic, 100*time.Millisecond, 2*time.Second, syscall.ENODEV), steadily(pic, 100*time.Millisecond, 0, nil))
		c := running(t, src, func(cfg *Config) {
			cfg.Find = func() ([]Device, error) {
				if !is() {
					return nil, nil
				}
				return []Device{{ID: "/dev/video0"}}, nil
			}
		})
		time.Sleep(time.Second)
		<-plugged
		plugged <- false
		time.Sleep(time.Hour)
		s := statusOf(c)
		if s.Live || s.Problem != "The camera Test Cam was unplugged" || s.Device != "" {
			t.Errorf("an hour later: got %+v", s)
		}
		if gone := time.Now().UnixMilli() - s.SinceMS; gone < 3598000 || gone > 3599500 {
			t.Errorf("not live for %d ms, want since the unplug", gone)
		}
		old := frameOf(c)
		<-plugged
		plugged <- true
		time.Sleep(2100 * time.Millisecond)
		if s := statusOf(c); !s.Live {
			t.Errorf("2.1 s after the replug: got %+v, want live", s)
		}
		if f := frameOf(c); f.Seq <= old.Seq || !f.Time.After(old.Time) {
			t.Errorf("got frame %d of %v after %d of %v", f.Seq, f.Time, old.Seq, old.Time)
		}
	})
}

func TestNoCamera(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		c := running(t, nil, func(cfg *Config) {
			cfg.Find = func() ([]Device, error) { looks++; return nil, nil }
		})
		time.Sleep(time.Minute)
		if s := statusOf(c); s.Live || s.Device != "" || s.Problem != "No camera was found" {
			t.Errorf("got %+v", s)
		}
		if looks < 25 || looks > 35 {
			t.Errorf("looked %d times in a minute, want one each 2 s", looks)
		}
		if f := frameOf(c); f != nil {
			t.Errorf("got frame %v, want none", f.Seq)
		}
	})
}

func TestBackoffGrowsToFourSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		src := &script{name: "x", runs: make(chan func(context.Context, func([]byte, time.Time)) error, 100)}
		for range 100 {
			src.runs <- func(context.Context, func([]byte, time.Time)) error {
				at = append(at, time.Since(began))
				return syscall.EBUSY
			}
		}
		running(t, src)
		time.Sleep(25 * time.Second)
		synctest.Wait()
		want := "[0s 500ms 1.5s 3.5s 7.5s 11.5s 15.5s 19.5s 23.5s]"
		if got := fmt.Sprint(at); got != want {
			t.Errorf("opened at %v, want %v", got, want)
		}
	})
}

func TestOldAndDamagedFramesAreNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic, other := picture(t, 320, 240, 1), picture(t, 160, 120, 2)
		c := running(t, newScript(func(ctx context.Context, emit func([]byte, time.Time)) error {
			step := func(p []byte, taken time.Time) { emit(p, taken); pause(ctx, 100*time.Millisecond) }
			began := time.Now()
			step(pic, began)
			step(pic, began)                                    // the same moment again
			step(pic, began.Add(-time.Second))                  // an older one
			step(pic, time.Now().Add(-10*time.Second))          // left over
			step(pic[:len(pic)-200], time.Now())                // cut off
			step(nil, time.Now())                               // nothing
			step(other, time.Now())                             // of another size
			step(append(pic, make([]byte, 500)...), time.Now()) // padded: good
			<-ctx.Done()
			return nil
		}))
		time.Sleep(1500 * time.Millisecond)
		f := frameOf(c)
		if f.Seq != 2 || !bytes.Equal(f.JPEG, pic) {
			t.Errorf("got frame %d with %d bytes, want 2 with %d", f.Seq, len(f.JPEG), len(pic))
		}
		if s := statusOf(c); s.Dropped != 6 || !s.Live {
			t.Errorf("got %+v, want 6 dropped and live", s)
		}
	})
}

// A source may be stuck inside the kernel. Nothing else may be opened beside it, late frames do not count, and Run ends.
func TestStuckSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		release := make(chan bool)
		runs := 0
		src := newScript()
		src.runs <- func(_ context.Context, emit func([]byte, time.Time)) error {
			runs++
			emit(pic, time.Now())
			<-release
			emit(pic, time.Now())
			return nil
		}
		src.runs <- func(ctx context.Context, emit func([]byte, time.Time)) error {
			runs++
			return steadily(pic, 100*time.Millisecond, 0, nil)(ctx, emit)
		}
		c := running(t, src)
		time.Sleep(time.Minute)
		s := statusOf(c)
		if s.Live || s.Problem != "The camera Test Cam does not answer: unplug it and plug it in again" || runs != 1 {
			t.Errorf("after a minute: got %+v, %d runs", s, runs)
		}
		if err := c.Set(t.Context(), Setup{Settings: Settings{FPS: 5}}); err != nil { // the owner still listens
			t.Error(err)
		}
		close(release)
		if f := frameOf(c); runs != 2 || f.Seq != 2 {
			t.Errorf("after it came back: got %d runs, frame %d, want 2, 2", runs, f.Seq)
		}
	})
}

func TestRunEndsBesideAStuckSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan bool)
		c := New(Config{
			Setup: Setup{Settings: Settings{Device: "/dev/video0"}},
			OpenSource: func(Device, Settings) Source {
				return newScript(func(context.Context, func([]byte, time.Time)) error { <-release; return nil })
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := c.Run(ctx)
		if took := time.Since(began); !errors.Is(err, errStuck) || took != time.Second+lastStop {
			t.Errorf("got %v after %v, want %v after 3 s", err, took, errStuck)
		}
		if err := c.Set(t.Context(), Setup{Settings: Settings{FPS: 1}}); !errors.Is(err, ErrStopped) {
			t.Errorf("Set after Run: got %v, want %v", err, ErrStopped)
		}
		close(release)
	})
}

func TestDemoUsesTheSimulatedSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newScript(steadily(picture(t, 320, 240, 1), 200*time.Millisecond, 0, nil))
		sim.name = "Pretend"
		c := running(t, nil, func(cfg *Config) { cfg.Simulated, cfg.Demo = func(Settings) Source { return sim }, true })
		time.Sleep(time.Second)
		if s := statusOf(c); !s.Live || s.Device != "simulated" || s.Name != "Pretend" {
			t.Errorf("got %+v", s)
		}
	})
}

// The sequence number 0 means "none yet" to a phone.
func TestSequenceSkipsZero(t *testing.T) {
	c := New(Config{})
	o := &owner{c: c, seq: 1<<32 - 1, now: &attempt{}}
	o.publish(&Frame{Time: time.Now()})
	if f, _ := c.Frames().Get(); f.Seq != 1 {
		t.Errorf("after the largest number: got %d, want 1", f.Seq)
	}
}

// Frames must be good for a decoder that fills nothing in.
func TestPublishedFramesDecode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bare := withoutTables(t, picture(t, 320, 240, 1))
		c := running(t, newScript(steadily(bare, 100*time.Millisecond, 0, nil)))
		if _, err := jpeg.Decode(bytes.NewReader(frameOf(c).JPEG)); err != nil {
			t.Error(err)
		}
	})
}
