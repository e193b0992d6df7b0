package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"layerd/camera"
)

// Emulated processors are ten times slower than real ones, and share those of the host with others.
const (
	toBeLive     = 10 * time.Second
	toBeGone     = 2 * time.Second // a promise of layerd, and so is the next
	toBeBack     = 5 * time.Second
	driver       = "/sys/bus/platform/drivers/vivid/"
	instance     = "vivid.0"
	idleAtMost   = 0.2 // of a processor, while there is no camera
	watchCameras = 3 * time.Second
)

// vivid checks a raw camera: found among its decoys, true pictures, taken by others, unplugged, plugged in.
func (s *suite) vivid() {
	var device string
	s.check("vivid: the camera is found, its decoys are not", func() (string, error) {
		nodes, err := filepath.Glob("/dev/video*")
		if err != nil {
			return "", err
		}
		for _, n := range nodes {
			name, _ := os.ReadFile("/sys/class/video4linux/" + filepath.Base(n) + "/name")
			fmt.Printf("vm:      %s is %s", n, name)
		}
		found := camera.NewRig(camera.RigConfig{}).Devices()
		if len(nodes) < 4 || len(found) != 1 || !strings.HasPrefix(found[0].Name, "vivid") {
			return "", fmt.Errorf("got %+v among %d nodes, want one vivid among at least 4", found, len(nodes))
		}
		device = found[0].ID
		return device + " among " + fmt.Sprint(len(nodes)) + " nodes", nil
	})
	if device == "" {
		return
	}
	c := begin(camera.Settings{})
	s.check("vivid: live", func() (string, error) {
		took, err := c.untilLive(toBeLive)
		return fmt.Sprintf("after %v", took), err
	})
	s.check("vivid: pictures are true", func() (string, error) { return truePictures(c, device, 0, 0) })
	s.check("vivid: another size", func() (string, error) {
		setup := c.Setup()
		setup.Width, setup.Height = 1280, 720
		if err := c.Set(context.Background(), setup); err != nil {
			return "", err
		}
		if _, err := c.untilLive(toBeLive); err != nil {
			return "", err
		}
		found, err := truePictures(c, device, 1280, 720)
		setup.Width, setup.Height = 640, 360
		return found, errors.Join(err, c.Set(context.Background(), setup))
	})
	s.check("vivid: busy", func() (string, error) {
		if _, err := c.untilLive(toBeLive); err != nil {
			return "", err
		}
		other := begin(camera.Settings{Device: device})
		took, err := other.untilProblem(toBeLive, "in use by another program")
		other.end()
		return fmt.Sprintf("said after %v", took), errors.Join(err, <-other.done)
	})
	s.check("vivid: not permitted", func() (string, error) { return withoutLeave(device) })
	s.check("vivid: a failed stream is begun again", func() (string, error) { return failStream(c, device) })
	s.check("vivid: controls are listed", func() (string, error) { return controlsListed(c, device) })
	s.check("vivid: controls are set", func() (string, error) { return adjust(c, device, true) })
	for range 3 {
		s.check("vivid: unplugged", func() (string, error) { return unplug(c) })
		s.check("vivid: plugged in again", func() (string, error) { return plugIn(c) })
		s.check("vivid: controls are set again", func() (string, error) { return "all", asWished(c, device) })
	}
	s.check("vivid: controls as they come", func() (string, error) { return adjust(c, device, false) })
	s.check("vivid: let go", func() (string, error) { return "nothing open, nothing mapped", c.stop() })
}

// truePictures takes some and compares them with what the driver says, and with themselves.
func truePictures(c *subject, device string, width, height int) (string, error) {
	n, err := openNode(device)
	if err != nil {
		return "", err
	}
	defer n.close()
	trueW, trueH, err := n.size()
	if err != nil {
		return "", err
	}
	if width > 0 && (trueW != width || trueH != height) {
		return "", fmt.Errorf("the driver sends %dx%d, want %dx%d", trueW, trueH, width, height)
	}
	last := []byte(nil)
	err = c.frames(6, 20*time.Second, func(f *camera.Frame) error {
		picture, err := jpeg.Decode(bytes.NewReader(f.JPEG))
		switch size := image.Pt(trueW, trueH); {
		case err != nil:
			return err
		case picture.Bounds().Size() != size || f.Width != trueW || f.Height != trueH:
			return fmt.Errorf("it is %v and said to be %dx%d, the driver says %v", picture.Bounds().Size(), f.Width, f.Height, size)
		case colours(picture) < 6:
			return fmt.Errorf("%d colours of vivid's eight bars", colours(picture))
		case bytes.Equal(f.JPEG, last):
			return errors.New("the same as before, but vivid moves the text in its pictures")
		}
		last = f.JPEG
		return nil
	})
	return fmt.Sprintf("6 pictures of %dx%d", trueW, trueH), err
}

// colours counts clearly different ones on a line across the lower half, where vivid draws no text.
func colours(m image.Image) int {
	found := map[[3]uint32]bool{}
	b := m.Bounds()
	for i := range 16 {
		r, g, bl, _ := m.At(b.Min.X+b.Dx()*(2*i+1)/32, b.Min.Y+b.Dy()*3/4).RGBA()
		found[[3]uint32{r >> 14, g >> 14, bl >> 14}] = true
	}
	return len(found)
}

// watch is another process that only says what the camera's problem is, for withoutLeave.
func watch(device string) int {
	c := begin(camera.Settings{Device: device})
	if _, err := c.untilProblem(toBeLive, "may not open"); err != nil {
		fmt.Println(err)
		return 1
	}
	status, _ := c.Status().Get()
	fmt.Println(status.Problem)
	return 0
}

// withoutLeave has a user without rights try to open the camera.
func withoutLeave(device string) (string, error) {
	if err := os.Chmod(device, 0o660); err != nil {
		return "", err
	}
	other := exec.Command("/proc/self/exe", "watch", device)
	other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	said, err := other.Output()
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return lines[len(lines)-1], err
}

// failStream lets the driver declare its queue broken, from which only opening it again helps.
func failStream(c *subject, device string) (string, error) {
	n, err := openNode(device)
	if err != nil {
		return "", err
	}
	id, err := n.control("Inject Fatal Streaming Error")
	if err == nil {
		err = n.set(id, 1)
	}
	n.close()
	if err != nil {
		return "", err
	}
	fails, err := c.untilProblem(toBeGone, "failed")
	if err != nil {
		return "", err
	}
	back, err := c.untilLive(toBeBack)
	return fmt.Sprintf("not live after %v, live %v later", fails, back), err
}

func unplug(c *subject) (string, error) {
	if _, err := c.untilLive(toBeLive); err != nil {
		return "", err
	}
	began := time.Now()
	if err := os.WriteFile(driver+"unbind", []byte(instance), 0); err != nil {
		return "", err
	}
	if _, err := c.untilProblem(toBeGone, "was unplugged"); err != nil {
		return "", err
	}
	took := time.Since(began)
	var err error
	busy := busyFor(watchCameras)
	if busy > idleAtMost {
		err = fmt.Errorf("%.0f %% of a processor without a camera", 100*busy)
	}
	if status, _ := c.Status().Get(); status.Live || !strings.Contains(status.Problem, "was unplugged") {
		err = errors.Join(err, fmt.Errorf("then it says %q, live %v", status.Problem, status.Live))
	}
	if err == nil && took > toBeGone {
		err = fmt.Errorf("said after %v, want %v", took, toBeGone)
	}
	return fmt.Sprintf("said after %v; then %.1f %% of a processor", took, 100*busy), err
}

func plugIn(c *subject) (string, error) {
	before, _ := c.Frames().Get()
	began := time.Now()
	if err := os.WriteFile(driver+"bind", []byte(instance), 0); err != nil {
		return "", err
	}
	if _, err := c.untilLive(toBeBack); err != nil {
		return "", err
	}
	if err := c.frames(1, toBeBack, func(f *camera.Frame) error {
		if f == before || f.Time.Before(began) {
			return errors.New("it is from before")
		}
		return nil
	}); err != nil {
		return "", err
	}
	took := time.Since(began)
	if took > toBeBack {
		return "", fmt.Errorf("pictures after %v, want %v", took, toBeBack)
	}
	return fmt.Sprintf("pictures after %v", took), nil
}
