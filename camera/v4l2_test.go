package camera

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeDevice behaves as a V4L2 driver with a queue of buffers does, as seen through the webcam library: pictures go into
// free buffers while anybody or nobody looks, the oldest comes out first, and a buffer given back is filled again.
type fakeDevice struct {
	every    time.Duration // between pictures
	faults   []error       // returned by take, one each, before anything else
	goneAt   time.Duration // unplugged after this long; 0 = never
	wedgedAt time.Duration // makes no more pictures after this long; 0 = never

	began  time.Time
	made   int   // pictures so far
	queue  []int // filled, oldest first
	memory [buffers][]byte
	state  [buffers]byte // free, filled or taken
	takes  int
}

const (
	bufferFree byte = iota
	bufferFilled
	bufferTaken
)

// film fills buffers with the pictures that were due up to now. A picture is its number; without a free buffer it is lost.
func (d *fakeDevice) film() {
	if d.began.IsZero() {
		d.began = time.Now()
	}
	for {
		if due := time.Duration(d.made+1) * d.every; time.Since(d.began) < due || d.wedgedAt > 0 && due > d.wedgedAt {
			return
		}
		d.made++
		for i := range d.state {
			if d.state[i] == bufferFree {
				d.memory[i] = append(d.memory[i][:0], fmt.Sprint(d.made)...)
				d.state[i] = bufferFilled
				d.queue = append(d.queue, i)
				break
			}
		}
	}
}

func (d *fakeDevice) gone() bool { return d.goneAt > 0 && time.Since(d.began) >= d.goneAt }

func (d *fakeDevice) wait() error {
	d.film()
	for end := time.Now().Add(time.Second); !d.gone() && len(d.queue) == 0 && len(d.faults) == 0; d.film() {
		if !time.Now().Before(end) {
			return errTimeout
		}
		time.Sleep(time.Millisecond)
	}
	return nil // also when it is gone, and at once: poll reports the fault as readable
}

func (d *fakeDevice) take() ([]byte, uint32, error) {
	d.takes++
	d.film()
	switch {
	case len(d.faults) > 0:
		err := d.faults[0]
		d.faults = d.faults[1:]
		return nil, 0, err
	case d.gone():
		return nil, 0, syscall.ENODEV
	case len(d.queue) == 0:
		return nil, 0, syscall.EAGAIN
	}
	i := d.queue[0]
	d.queue = d.queue[1:]
	d.state[i] = bufferTaken
	return d.memory[i], uint32(i), nil
}

func (d *fakeDevice) give(buffer uint32) error {
	d.film() // what was due while the buffer was out had to do without it
	if d.gone() {
		return syscall.ENODEV
	}
	if d.state[buffer] != bufferTaken {
		return syscall.EINVAL
	}
	d.state[buffer] = bufferFree
	copy(d.memory[buffer], "torn") // whoever still reads it sees that
	return nil
}

func TestDeliverInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{every: 100 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer cancel()
		var got []string
		err := deliver(ctx, d, nothing, always(0), func(p []byte, taken time.Time) {
			got = append(got, string(p))
			if !taken.Equal(time.Now()) {
				t.Errorf("taken at %v, want now", taken)
			}
		})
		if want := "2 3 4 5 6 7 8 9 10"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
		for i, s := range d.state {
			if s == bufferTaken {
				t.Errorf("buffer %d was not given back", i)
			}
		}
	})
}

// After a stall of the reader the kernel holds old pictures. None of them may come out as if it were new.
func TestDeliverSkipsOldPicturesAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{every: 100 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 2250*time.Millisecond)
		defer cancel()
		var got []string
		err := deliver(ctx, d, nothing, always(0), func(p []byte, _ time.Time) {
			got = append(got, string(p))
			if string(p) == "2" {
				time.Sleep(1500 * time.Millisecond)
			}
		})
		// During the stall 3, 4 and 5 fill the free buffers, and 6 to 17 are lost. 18 is the first that is new.
		if want := "2 5 18 19 20 21 22"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	})
}

// A loopback device whose writer says nothing more gives old pictures to whoever opens it. They are not live.
func TestDeliverLeavesOutWhatWasThereBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{every: 100 * time.Millisecond, wedgedAt: 350 * time.Millisecond, began: time.Now().Add(-time.Hour)}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := deliver(ctx, d, nothing, always(0), func(p []byte, _ time.Time) { t.Errorf("got %s", p) }); err != nil || d.made != 3 {
			t.Errorf("got %v, and %d old pictures, want 3", err, d.made)
		}
	})
}

func TestDeliverKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{every: time.Second / 30}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		n := 0
		if err := deliver(ctx, d, nothing, always(time.Second/10), func([]byte, time.Time) { n++ }); err != nil {
			t.Fatal(err)
		}
		if n < 95 || n > 105 {
			t.Errorf("got %d pictures in 10 s, want about 100", n)
		}
	})
}

// A number of pictures that divides badly into the device's must not become a higher or a lower one.
func TestPace(t *testing.T) {
	for _, tc := range []struct{ device, wanted, least, most int }{{30, 30, 300, 300}, {30, 15, 149, 151}, {30, 10, 99, 101}, {30, 8, 79, 81}, {25, 15, 124, 151}, {15, 1, 10, 11}, {5, 15, 50, 50}} {
		var p pace
		n, start := 0, time.Now()
		for i := range 10 * tc.device {
			jitter := time.Duration(i*i%7) * time.Millisecond
			if p.due(start.Add(time.Duration(i)*time.Second/time.Duration(tc.device)+jitter), time.Second/time.Duration(tc.wanted)) {
				n++
			}
		}
		if n < tc.least || n > tc.most {
			t.Errorf("%d of %d a second: got %d in 10 s, want %d to %d", tc.wanted, tc.device, n, tc.least, tc.most)
		}
	}
}

// While nobody looks there is one picture a second, and nothing is spent on others; whoever comes sees the next one.
func TestDeliverIdles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for came := 5 * time.Second; came < 6*time.Second; came += 70 * time.Millisecond { // at any moment between two pictures
			d := &fakeDevice{every: 100 * time.Millisecond}
			ctx, cancel := context.WithTimeout(t.Context(), came+time.Second)
			start := time.Now()
			interval := func() time.Duration {
				if time.Since(start) < came {
					return idleInterval
				}
				return 100 * time.Millisecond
			}
			var idle, awake int
			var woke time.Duration
			err := deliver(ctx, d, nothing, interval, func([]byte, time.Time) {
				if at := time.Since(start); at < came {
					idle++
				} else if awake++; awake == 1 {
					woke = at - came
				}
			})
			cancel()
			if err != nil || idle < 5 || idle > 7 { // the second may be a quarter early
				t.Errorf("%v without anybody: got %d pictures, %v, want one a second", came, idle, err)
			}
			if woke > 101*time.Millisecond || awake < 9 {
				t.Errorf("looked at after %v: the first picture came %v later, and %d in the first second", came, woke, awake)
			}
		}
	})
}

// What is to be done between pictures is done before the first, between any two, and each second when there are none.
func TestDeliverDoesOtherThingsBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{every: 100 * time.Millisecond, wedgedAt: time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var last time.Time
		pictures, times := 0, 0
		between := func(context.Context) {
			if times++; times == 1 && pictures > 0 {
				t.Error("a picture came first")
			}
			if !last.IsZero() && time.Since(last) > 1001*time.Millisecond {
				t.Errorf("%v went by", time.Since(last))
			}
			last = time.Now()
		}
		if err := deliver(ctx, d, between, always(0), func([]byte, time.Time) { pictures++ }); err != nil {
			t.Fatal(err)
		}
		if pictures != 9 || times < 14 {
			t.Errorf("got %d pictures and %d times between, want 9 and at least 14", pictures, times)
		}
	})
}

func TestDeliverOnFaults(t *testing.T) {
	many := func(err error, n int) (list []error) {
		for range n {
			list = append(list, err)
		}
		return list
	}
	for _, tc := range []struct {
		name   string
		device *fakeDevice
		want   error // nil = it goes on
		takes  int   // at most: nothing spins
	}{
		{"unplugged", &fakeDevice{every: 100 * time.Millisecond, goneAt: time.Second}, syscall.ENODEV, 30},
		{"unplugged before the first", &fakeDevice{every: time.Hour, goneAt: time.Nanosecond}, syscall.ENODEV, 2},
		{"two lost pictures", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EIO, 2)}, nil, 250},
		{"three lost pictures", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EIO, 3)}, syscall.EIO, 3},
		{"nothing after all", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EAGAIN, 50)}, nil, 250},
		{"nothing after all, for ever", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EAGAIN, 500)}, errStalled, 100},
		{"a signal", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EINTR, 2)}, nil, 250},
		{"unknown to the driver", &fakeDevice{every: 100 * time.Millisecond, faults: many(syscall.EINVAL, 1)}, syscall.EINVAL, 1},
		{"wedged", &fakeDevice{every: 100 * time.Millisecond, wedgedAt: time.Nanosecond}, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				pictures := 0
				err := deliver(ctx, tc.device, nothing, always(0), func([]byte, time.Time) { pictures++ })
				if !errors.Is(err, tc.want) {
					t.Errorf("got %v, want %v", err, tc.want)
				}
				if tc.want == nil && tc.device.wedgedAt == 0 && pictures < 80 {
					t.Errorf("got %d pictures in 10 s, want nearly 100", pictures)
				}
				if tc.device.takes > tc.takes {
					t.Errorf("took %d times, want at most %d", tc.device.takes, tc.takes)
				}
			})
		})
	}
}

// A wedged camera says nothing but timeouts. The whole chain: the watchdog stops it and opens it again.
func TestWedgedDeviceIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		play := func(d *fakeDevice) func(context.Context, func([]byte, time.Time)) error {
			return func(ctx context.Context, emit func([]byte, time.Time)) error {
				return deliver(ctx, d, nothing, always(0), func(_ []byte, taken time.Time) { emit(pic, taken) })
			}
		}
		dies := &fakeDevice{every: 100 * time.Millisecond, wedgedAt: 2 * time.Second}
		c := running(t, newScript(play(dies), play(&fakeDevice{every: 100 * time.Millisecond})))
		time.Sleep(1900 * time.Millisecond)
		if s := statusOf(c); !s.Live {
			t.Errorf("before: got %+v, want live", s)
		}
		time.Sleep(3400 * time.Millisecond)
		if s := statusOf(c); s.Live || s.Problem != "The camera Test Cam stopped sending pictures" {
			t.Errorf("3.3 s after the last picture: got %+v", s)
		}
		time.Sleep(2 * time.Second)
		if s := statusOf(c); !s.Live {
			t.Errorf("5.3 s after it: got %+v, want live", s)
		}
	})
}

func TestPick(t *testing.T) {
	one := func(w, h int) sizeRange { return sizeRange{minW: w, maxW: w, minH: h, maxH: h} }
	usual := []sizeRange{one(1920, 1080), one(640, 480), one(1280, 720), one(800, 600), one(320, 240)}
	vga := []sizeRange{one(640, 480), one(1280, 720)}
	stepped := []sizeRange{{minW: 64, maxW: 1296, stepW: 16, minH: 64, maxH: 976, stepH: 16}}
	for _, tc := range []struct {
		name   string
		listed map[fourcc][]sizeRange
		want   Settings
		mode   string
	}{
		{"compressed before raw", map[fourcc][]sizeRange{formatYUYV: usual, formatMJPG: usual}, Settings{}, "MJPG 1280x720 15"},
		{"JPEG is as good", map[fourcc][]sizeRange{formatYUYV: usual, formatJPEG: usual}, Settings{}, "JPEG 1280x720 15"},
		{"raw is small and slow", map[fourcc][]sizeRange{formatYUYV: vga}, Settings{}, "YUYV 640x480 8"},
		{"raw at most 10 a second", map[fourcc][]sizeRange{formatYUYV: vga}, Settings{Width: 1280, Height: 720, FPS: 30}, "YUYV 1280x720 10"},
		{"as wished", map[fourcc][]sizeRange{formatMJPG: usual}, Settings{Width: 800, Height: 600, FPS: 5}, "MJPG 800x600 5"},
		{"the next smaller", map[fourcc][]sizeRange{formatMJPG: usual}, Settings{Width: 1024, Height: 768}, "MJPG 800x600 15"},
		{"smaller than all", map[fourcc][]sizeRange{formatMJPG: usual}, Settings{Width: 160, Height: 120}, "MJPG 320x240 15"},
		{"only large ones", map[fourcc][]sizeRange{formatMJPG: {one(2592, 1944), one(1920, 1080)}}, Settings{}, "MJPG 1920x1080 15"},
		{"any size", map[fourcc][]sizeRange{formatYUYV: {{}}}, Settings{}, "YUYV 640x480 8"},
		{"no sizes listed", map[fourcc][]sizeRange{formatMJPG: nil}, Settings{}, "MJPG 1280x720 15"},
		{"stepwise", map[fourcc][]sizeRange{formatMJPG: stepped}, Settings{}, "MJPG 1280x720 15"},
		{"stepwise, as wished", map[fourcc][]sizeRange{formatMJPG: stepped}, Settings{Width: 1296, Height: 976}, "MJPG 1296x976 15"},
		{"stepwise, not a step", map[fourcc][]sizeRange{formatMJPG: stepped}, Settings{Width: 1290, Height: 970}, "MJPG 1280x960 15"},
		{"absurd sizes", map[fourcc][]sizeRange{formatMJPG: {one(70000, 50000), one(640, 480)}}, Settings{}, "MJPG 640x480 15"},
	} {
		m, err := pick(tc.listed, tc.want)
		if got := fmt.Sprintf("%v %dx%d %d", m.format, m.width, m.height, m.fps); err != nil || got != tc.mode {
			t.Errorf("%s: got %s, %v, want %s", tc.name, got, err, tc.mode)
		}
	}
	if m, err := pick(map[fourcc][]sizeRange{formatUYVY: vga}, Settings{FPS: 30}); err != nil || m.format != formatUYVY || m.fps != rawMaxFPS {
		t.Errorf("UYVY only: got %+v, %v", m, err)
	}
	if _, err := pick(map[fourcc][]sizeRange{fourcc(0x34363248): usual}, Settings{}); !errors.Is(err, errNoFormat) {
		t.Errorf("H264 only: got %v, want %v", err, errNoFormat)
	}
}
