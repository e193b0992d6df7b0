package camera

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/blackjack/webcam"
	"golang.org/x/sys/unix"
)

// A V4L2 camera through github.com/blackjack/webcam v0.6.1, which is small and no longer maintained. What it gets wrong is
// kept inside this file:
//
//   - SetImageFormat returns the size that was asked for: pick asks for listed sizes only, and the true one is in the picture.
//   - It asks for 256 buffers, some 60 MB: SetBufferCount first.
//   - ReadFrame gives the buffer back before one can look at it: GetFrame, emit (which copies), ReleaseFrame.
//   - WaitForFrame returns nil, for ever, when the device is unplugged; GetFrame then says ENODEV.
//   - StopStreaming unmaps first and fails after an unplug; Close succeeds: its error is ignored, and Close always called.
//   - Close does not wake a poll, and the descriptor is a bare number that may be used again: one goroutine has it all.
//   - A StartStreaming that fails leaves its buffers mapped, 16 MB with each attempt: unmap.
//   - Open leaves the descriptor open in child processes, which would keep the camera busy: closeOnExec.
//   - Open succeeds on nodes that are no cameras: pick wants formats.

type v4l2 struct {
	device   Device
	settings Settings
}

// newV4L2 is a Source for one video node. It opens nothing yet.
func newV4L2(d Device, s Settings) Source {
	if d.Name == "" {
		d.Name = first(sysfsName("/", d.ID), d.ID)
	}
	return &v4l2{device: d, settings: s}
}

// findDevices lists the cameras of this machine. It opens each video node for a moment.
func findDevices() ([]Device, error) { return discover("/", inspectNode) }

func inspectNode(node string) (string, []fourcc, error) {
	w, err := openNode(node)
	if err != nil {
		return "", nil, err
	}
	defer w.Close()
	name, _ := w.GetName()
	var formats []fourcc
	for f := range w.GetSupportedFormats() {
		formats = append(formats, fourcc(f))
	}
	return tidyName(name), formats, nil
}

// Name is the driver's for the camera.
func (v *v4l2) Name() string { return v.device.Name }

// Run opens the camera and delivers its pictures, raw ones as JPEG, until ctx ends or the camera fails.
func (v *v4l2) Run(ctx context.Context, sink Sink) error {
	w, err := openNode(v.device.ID)
	if err != nil {
		return err
	}
	defer w.Close()
	m, err := start(w, v.settings)
	if err != nil {
		return fmt.Errorf("start %s: %w", v.device.ID, err)
	}
	defer w.StopStreaming()
	raw := &yuyv{width: m.width, height: m.height}
	interval := func() time.Duration {
		if sink.Idle() {
			return idleInterval
		}
		return m.interval()
	}
	return deliver(ctx, streaming{w}, interval, func(picture []byte, taken time.Time) {
		if m.format == formatYUYV {
			if picture, err = raw.encode(picture); err != nil {
				picture = nil // counted as damaged
			}
		}
		sink.Put(picture, taken)
	})
}

// start sets the camera going in the mode that fits the settings.
func start(w *webcam.Webcam, s Settings) (mode, error) {
	listed := map[fourcc][]sizeRange{}
	for f := range w.GetSupportedFormats() {
		if !usable(fourcc(f)) {
			continue
		}
		listed[fourcc(f)] = []sizeRange{}
		for _, r := range w.GetSupportedFrameSizes(f) {
			listed[fourcc(f)] = append(listed[fourcc(f)], sizeRange{
				minW: int(r.MinWidth), maxW: int(r.MaxWidth), stepW: int(r.StepWidth),
				minH: int(r.MinHeight), maxH: int(r.MaxHeight), stepH: int(r.StepHeight),
			})
		}
	}
	m, err := pick(listed, s)
	if err != nil {
		return m, err
	}
	got, _, _, err := w.SetImageFormat(webcam.PixelFormat(m.format), uint32(m.width), uint32(m.height))
	if err != nil {
		return m, fmt.Errorf("set %v %dx%d: %w", m.format, m.width, m.height, err)
	}
	if fourcc(got) != m.format {
		return m, fmt.Errorf("%w: %v instead of %v", errNoFormat, fourcc(got), m.format)
	}
	_ = w.SetFramerate(float32(m.fps)) // not all can; deliver skips what is too much
	if err := w.SetBufferCount(buffers); err != nil {
		return m, err
	}
	if err := w.StartStreaming(); err != nil {
		unmap(w)
		return m, startError(err)
	}
	return m, nil
}

// startError finds the system's error again, of which StartStreaming keeps only the text.
func startError(err error) error {
	for _, no := range []unix.Errno{unix.ENOSPC, unix.EBUSY, unix.ENODEV, unix.EIO, unix.ENOMEM, unix.EPROTO} {
		if text := err.Error(); len(text) > len(no.Error()) && text[len(text)-len(no.Error()):] == no.Error() {
			return fmt.Errorf("%w (%w)", err, no)
		}
	}
	return err
}

func openNode(node string) (*webcam.Webcam, error) {
	w, err := webcam.Open(node)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", node, err)
	}
	closeOnExec(w)
	return w, nil
}

// The two below reach for unexported fields of the library, whose being there is tested.

func closeOnExec(w *webcam.Webcam) {
	if fd := reflect.ValueOf(w).Elem().FieldByName("fd"); fd.CanUint() {
		unix.CloseOnExec(int(fd.Uint()))
	}
}

func unmap(w *webcam.Webcam) {
	mapped := reflect.ValueOf(w).Elem().FieldByName("buffers")
	if !mapped.IsValid() {
		return
	}
	for i := range mapped.Len() {
		if b := mapped.Index(i).Bytes(); len(b) > 0 {
			_ = unix.Munmap(b)
		}
	}
}

// streaming is a webcam that streams, as a device.
type streaming struct{ w *webcam.Webcam }

func (s streaming) wait() error {
	err := s.w.WaitForFrame(1)
	if late := (*webcam.Timeout)(nil); errors.As(err, &late) {
		return errTimeout
	}
	return err
}

func (s streaming) take() ([]byte, uint32, error) { return s.w.GetFrame() }

func (s streaming) give(buffer uint32) error { return s.w.ReleaseFrame(buffer) }
