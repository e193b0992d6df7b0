package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// pretend makes the test's own binary the program that plays rpicam-vid, in the manner of TestPretendProgram.
func pretend(manner string) []string {
	return []string{os.Args[0], "-test.run=^TestPretendProgram$", "--", manner}
}

// TestPretendProgram is no test but rpicam-vid, where pretend has called it.
func TestPretendProgram(t *testing.T) {
	at := slices.Index(os.Args, "--")
	if at < 0 {
		return
	}
	manner, args := os.Args[at+1], os.Args[at+2:]
	pic := picture(t, 160, 120, 1)
	say := func(s string) { fmt.Fprint(os.Stderr, s) }
	switch manner {
	case "well":
		rate, err := strconv.Atoi(args[slices.Index(args, "--framerate")+1])
		if err != nil {
			t.Fatal(err)
		}
		for { // the number of each tells the rate
			_, _ = os.Stdout.Write(picture(t, 160, 120, rate))
			time.Sleep(5 * time.Millisecond)
		}
	case "garbage":
		for range 5 {
			_, _ = os.Stdout.Write(slices.Concat([]byte("INFO \xff\xd8"), pic[:len(pic)/2], pic, []byte("\xff\xff")))
		}
	case "endless":
		for {
			_, _ = os.Stdout.Write(make([]byte, 1<<20))
		}
	case "dies":
		_, _ = os.Stdout.Write(pic)
		say("[0:05:00.1] [2946]  INFO Camera camera.cpp:839 Pipeline handler in use by another process\n" +
			"ERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/ov5647@36 ***\n[0:05:00.2] bye\n")
		syscall.Exit(255)
	case "none":
		say("ERROR: *** no cameras available ***\n")
		syscall.Exit(255)
	case "talks":
		say(strings.Repeat("#1 (30.00 fps) exp 33251.00\n", 5000) + "\x1b[31mthe last \xff line\n\n")
		syscall.Exit(1)
	case "ends":
		syscall.Exit(0)
	case "hangs", "deaf":
		if manner == "deaf" {
			signal.Ignore(syscall.SIGTERM)
		}
		_, _ = os.Stdout.Write(pic)
		time.Sleep(time.Hour)
	case "lists":
		if !slices.Equal(args, []string{"--list-cameras"}) || len(os.Environ()) > 5 {
			syscall.Exit(2)
		}
		say("[0:01] INFO Camera\n")
		fmt.Println("Available cameras\n-----------------\n0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)")
	}
	syscall.Exit(0) // without what the testing package would say, and the race detector's second of waiting
}

// moduleThat is a module whose program behaves like this.
func moduleThat(manner string) *module {
	m := newModule(Device{ID: "rpicam:0"}, Settings{})
	m.command = func() ([]string, error) { return pretend(manner), nil }
	return m
}

// watched is a Sink for which looking can be switched on and off.
type watched struct {
	idle atomic.Bool
	put  func(pic []byte, taken time.Time)
}

func (w *watched) Put(pic []byte, taken time.Time) { w.put(pic, taken) }
func (w *watched) Idle() bool                      { return w.idle.Load() }

func TestModuleDelivers(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	whole := 0
	err := moduleThat("garbage").Run(t.Context(), put(func(got []byte, _ time.Time) {
		if bytes.Equal(got, pic) {
			whole++
		}
	}))
	if whole != 5 || !errors.Is(err, errEnded) {
		t.Errorf("got %d whole pictures, %v, want 5, %v", whole, err, errEnded)
	}
}

func TestModuleFails(t *testing.T) {
	for manner, c := range map[string]struct {
		want error
		said string
	}{
		"dies":    {syscall.EBUSY, "The camera C is in use by another program: sudo fuser -v /dev/video* says which"},
		"none":    {errNoModule, "There is no camera at the Pi's ribbon cable for C: switch off, look at the cable, switch on"},
		"talks":   {nil, "The camera C failed; its program said: [31mthe last ? line"},
		"ends":    {errEnded, "The camera C stopped sending pictures"},
		"endless": {errNoPicture, "The camera C sends something that is no picture"},
	} {
		err := moduleThat(manner).Run(t.Context(), put(func([]byte, time.Time) {}))
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", manner, err, c.want)
		}
		if got := problem("C", err); got != c.said {
			t.Errorf("%s: got %q, want %q", manner, got, c.said)
		}
		if n := len(err.Error()); n > 400 {
			t.Errorf("%s: an error of %d bytes", manner, n)
		}
	}
	missing := moduleThat("")
	missing.command = func() ([]string, error) { return []string{filepath.Join(t.TempDir(), "rpicam-vid")}, nil }
	if err := missing.Run(t.Context(), put(nil)); err == nil {
		t.Error("a program that is not there: got no error")
	}
	missing.command = func() ([]string, error) { return nil, errNoProgram }
	if err := missing.Run(t.Context(), put(nil)); !strings.Contains(problem("C", err), "apt install rpicam-apps") {
		t.Errorf("no program: got %v", err)
	}
}

// A program is gone when Run has returned, also one that does not want to.
func TestModuleEndsItsProgram(t *testing.T) {
	for manner, how := range map[string]string{"hangs": "signal: terminated", "deaf": "signal: killed"} {
		ctx, cancel := context.WithCancel(t.Context())
		m := moduleThat(manner)
		m.grace = 50 * time.Millisecond
		if err := m.Run(ctx, put(func([]byte, time.Time) { cancel() })); err != nil {
			t.Errorf("%s: got %v, want nil: it was told to end", manner, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		c, err := begin(ctx, pretend(manner), childEnv(), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newSplitter(c).next(); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := c.end(); err == nil || err.Error() != how {
			t.Errorf("%s: it ended with %v, want %s", manner, err, how)
		}
		if err := syscall.Kill(c.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: the program is still there: %v", manner, err)
		}
	}
}

func TestModuleSlowsDownWhileNobodyLooks(t *testing.T) {
	slow := picture(t, 160, 120, idleRate)
	fast := picture(t, 160, 120, 30)
	m := moduleThat("well")
	m.settings.FPS, m.idleAfter = 30, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []string
	w := &watched{}
	w.put = func(pic []byte, _ time.Time) {
		switch {
		case bytes.Equal(pic, fast) && !slices.Contains(seen, "fast"):
			seen = append(seen, "fast")
			w.idle.Store(true)
		case bytes.Equal(pic, slow) && len(seen) == 1:
			seen = append(seen, "slow")
			w.idle.Store(false)
		case bytes.Equal(pic, fast) && len(seen) == 2:
			seen = append(seen, "fast again")
			cancel()
		}
	}
	if err := m.Run(ctx, w); err != nil || len(seen) != 3 {
		t.Errorf("got %v, %v", seen, err)
	}
}

func TestGear(t *testing.T) {
	g := newGear(15, idleAfter)
	at := g.looked
	for _, c := range []struct {
		after time.Duration
		idle  bool
		rate  int
	}{
		{time.Second, false, 15}, {30 * time.Second, true, 15}, {31 * time.Second, true, 5}, {time.Hour, true, 5}, {time.Hour + 1, false, 15},
		{time.Hour + 2, true, 15}, {2 * time.Hour, true, 5},
	} {
		had := g.rate
		if shifted := g.shift(c.idle, at.Add(c.after)); g.rate != c.rate || shifted != (c.rate != had) {
			t.Errorf("after %v: got %d a second, shifted %v, want %d", c.after, g.rate, shifted, c.rate)
		}
	}
	if g := newGear(2, 0); g.shift(true, g.looked.Add(time.Hour)) {
		t.Error("what is slow already is run again")
	}
}

func TestModuleArguments(t *testing.T) {
	m := newModule(Device{ID: "rpicam:1"}, Settings{Width: 640, Height: 480, FPS: 7})
	want := "-t 0 --codec mjpeg --camera 1 --width 640 --height 480 --framerate 7 -q 80 -n --flush -v 0 -o -"
	if got := strings.Join(m.arguments(m.fps()), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m = newModule(Device{ID: "rpicam:0"}, Settings{})
	if got := strings.Join(m.arguments(m.fps()), " "); !strings.Contains(got, "--width 1280 --height 720") || m.fps() > 15 || m.fps() < 10 {
		t.Errorf("got %s", got)
	}
	if src, ok := open(Device{ID: "rpicam:1"}, Settings{}).(*module); !ok || src.Name() != "Raspberry Pi camera 1" {
		t.Errorf("open: got %T", src)
	}
}

func TestFindModules(t *testing.T) {
	root := t.TempDir()
	calls := 0
	list := func(ctx context.Context, command, env []string, limit int64) ([]byte, error) {
		calls++
		return outputOf(ctx, command, env, limit)
	}
	program := func() ([]string, error) { return pretend("lists"), nil }
	node := func(number, name string) {
		dir := filepath.Join(root, "sys/class/video4linux", "video"+number)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "name"), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	node("10", "bcm2835-codec-decode")
	if found, err := findModules(root, program, list); len(found) > 0 || err != nil || calls > 0 {
		t.Errorf("without a module: got %v, %v, the program was run %d times", found, err, calls)
	}
	node("0", "rp1-cfe-csi2_ch0")
	found, err := findModules(root, program, list)
	if want := []Device{{"rpicam:0", "Raspberry Pi Camera Module 3"}}; err != nil || !slices.Equal(found, want) {
		t.Errorf("got %v, %v, want %v", found, err, want)
	}
	if _, err := findModules(root, func() ([]string, error) { return nil, errNoProgram }, list); !errors.Is(err, errNoProgram) {
		t.Errorf("without the program: got %v", err)
	}
	for _, manner := range []string{"talks", "endless"} {
		if found, err := findModules(root, func() ([]string, error) { return pretend(manner), nil }, list); len(found) > 0 || err == nil {
			t.Errorf("%s: got %v, %v", manner, found, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	if _, err := outputOf(ctx, pretend("hangs"), childEnv(), 10); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a program that hangs: got %v", err)
	}
}

func TestParseModules(t *testing.T) {
	text := `Available cameras
-----------------
0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)
    Modes: 'SRGGB10_CSI2P' : 640x480 [103.33 fps - (1000, 752)/1280x960 crop]
                             3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]
1 : ov9281 [1280x800 10-bit MONO] (/base/soc/i2c0mux/i2c@0/ov9281@60)
2 : HD Webcam [1280x720] (/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.4:1.0-046d:0825)
3 : webcam [1280x720] (/base/axi/usb@200000-2:1.0-046d:0825)
12 : imx219 [] (/base/x)
4 : <script> [] (/base/x)
`
	want := []Device{{"rpicam:0", "Raspberry Pi Camera Module 2"}, {"rpicam:1", "Raspberry Pi camera (ov9281)"}}
	if got := parseModules(text); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := parseModules("No cameras available!\n"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

// What libcamera puts before its words is different each time, and the log would be full of it.
func TestLastWordsWithoutTheirTime(t *testing.T) {
	for said, want := range map[string]string{
		"[12:34:56.789012345] [2946] ERROR V4L2 v4l2_device.cpp:390 no such thing\n": "ERROR V4L2 v4l2_device.cpp:390 no such thing",
		"[0:05:00.2] bye\n":       "bye",
		"[all] is lost\n":         "[all] is lost",
		"ERROR: *** broken ***\n": "ERROR: *** broken ***",
		"[12\n":                   "[12",
	} {
		var w lastWords
		_, _ = w.Write([]byte(said))
		if got := w.last(); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}
