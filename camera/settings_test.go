package camera

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := picture(t, 320, 240, 1), picture(t, 640, 480, 2)
		var opened []string
		c := running(t, nil, func(cfg *Config) {
			cfg.OpenSource = func(d Device, s Settings) Source {
				opened = append(opened, fmt.Sprintf("%s %d", d.ID, s.FPS))
				pic := a
				if d.ID == "/dev/video7" {
					pic = b
				}
				src := newScript(steadily(pic, 100*time.Millisecond, 0, nil))
				src.name = d.ID
				return src
			}
		})
		time.Sleep(time.Second)
		if f := frameOf(c); f.Width != 320 {
			t.Errorf("got width %d, want 320", f.Width)
		}
		set := func(s Settings) {
			t.Helper()
			if err := c.Set(t.Context(), Setup{Settings: s}); err != nil {
				t.Errorf("Set: %v", err)
			}
			if got := c.Setup().Settings; got != s {
				t.Errorf("Settings: got %+v, want %+v", got, s)
			}
		}
		set(Settings{FPS: 5}) // the same device: its last picture stays until the next
		set(Settings{FPS: 5}) // nothing to do
		if f := frameOf(c); f == nil || f.Width != 320 {
			t.Errorf("after another rate: got %v", f)
		}
		set(Settings{Device: "/dev/video7"})
		if f := frameOf(c); f == nil || f.Width != 640 || statusOf(c).Name != "/dev/video7" {
			t.Errorf("after another device: got frame %v, status %+v", f, statusOf(c))
		}
		set(Settings{Device: "none"})
		if s := statusOf(c); frameOf(c) != nil || s.Live || s.Problem != problemOff || s.Device != "none" {
			t.Errorf("switched off: got %+v, want no frame", s)
		}
		time.Sleep(time.Minute)
		set(Settings{})
		if s := statusOf(c); !s.Live || s.Device != "/dev/video0" {
			t.Errorf("switched on: got %+v", s)
		}
		want := "/dev/video0 0, /dev/video0 5, /dev/video7 0, /dev/video0 0"
		if got := strings.Join(opened, ", "); got != want {
			t.Errorf("opened %s, want %s", got, want)
		}
	})
}

func TestSetRefuses(t *testing.T) {
	c := New(Config{})
	for _, s := range []Settings{
		{Device: "video0"}, {Device: "/etc/passwd"}, {Device: "/dev/sda"}, {Device: "/dev/video"}, {Device: "/dev/video0/../sda"},
		{Device: "/dev/v4l/by-id/"}, {Device: "/dev/v4l/by-id/a\nb"}, {Device: "/dev/video" + strings.Repeat("1", 300)},
		{Device: "simulated"}, {Width: 640}, {Width: 9000, Height: 100}, {Width: -1, Height: -1}, {FPS: -1}, {FPS: 1000}, {Rotate: 45}, {Rotate: 360}, {Rotate: -90},
		{Device: "http://"}, {Device: "ftp://cam/"}, {Device: "file:///etc/passwd"}, {Device: "http://cam/#a"}, {Device: "rpicam:"}, {Device: "rpicam:-1"},
		{Device: "rpicam:0 --help"}, {Device: "frames:here"}, {Device: "frames:/a/../b"},
	} {
		if err := c.Set(t.Context(), Setup{Settings: s}); !errors.Is(err, ErrSettings) {
			t.Errorf("%+v: got %v, want %v", s, err, ErrSettings)
		}
	}
	good := []Settings{{}, {Device: "none"}, {Device: "/dev/video12"}, {Device: "/dev/v4l/by-id/usb-046d_C920_1-video-index0", Width: 1280, Height: 720, FPS: 30},
		{Device: "http://pi.local:8080/?action=stream", Rotate: 270, FlipH: true}, {Device: "https://me:secret@10.0.0.7/cam.jpg"}, {Device: "rpicam:0"}, {Device: "frames:/var/lib/frames"}}
	for _, s := range good {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: got %v, want nil", s, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Set(ctx, Setup{}); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody runs it: got %v, want %v", err, context.Canceled)
	}
}

func TestWrongSettingsAtStartAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t, nil, func(cfg *Config) { cfg.Settings.FPS = -3 })
		time.Sleep(time.Second)
		if s := statusOf(c); !strings.Contains(s.Problem, "fps -3") {
			t.Errorf("got %q, want it to name fps -3", s.Problem)
		}
	})
}
