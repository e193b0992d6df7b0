package camera

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"layerd/internal/latest"

	"github.com/blackjack/webcam"
	"golang.org/x/sys/unix"
)

// A V4L2 camera through github.com/blackjack/webcam v0.6.1, which is small and no longer maintained. What it gets wrong is
// kept inside this file, v4l2.go and v4l2_mode.go:
//
//   - SetImageFormat returns the size that was asked for: pick asks for listed sizes only, and the true one is in the picture.
//   - It asks for 256 buffers, some 60 MB: SetBufferCount first.
//   - Pictures wait in the kernel while nobody takes them: newest keeps the last only, and nothing that deliver calls waits for others.
//   - ReadFrame gives the buffer back before one can look at it: GetFrame, emit (which copies), ReleaseFrame.
//   - WaitForFrame returns nil, for ever, when the device is unplugged; GetFrame then says ENODEV: deliver ends with that, and
//     counts what else may make it spin.
//   - StopStreaming unmaps first and fails after an unplug; Close succeeds: its error is ignored, and Close always called.
//     No picture is looked at after it, since its memory is gone: Sink.Put has copied.
//   - Close does not wake a poll, and the descriptor is a bare number that may be used again: one goroutine has it all.
//   - WaitForFrame waits whole seconds, and a wedged device never ends that: deliver looks at ctx each second, and the owner's
//     watchdog ends it.
//   - Open succeeds on nodes that are no cameras, since it looks at what the whole device can do: openNode looks at the node.
//   - It knows no defaults, menus and flags of controls, no time stamps and no damaged-flag: v4l2_ioctl_linux.go asks for the
//     controls itself, deliver takes the time when it takes the picture, and each picture is checked.
//   - Sizes "anything you like" come as zeroes, and intervals as an error: pick falls back to common sizes, and deliver keeps the rate.
//   - Its ioctls pass pointers as numbers through a function, which is safe only while the compiler inlines it: no build of ours
//     says -l, and ours do not do it.
//   - Each call makes some garbage: nothing at 30 pictures a second.
//   - A StartStreaming that fails leaves its buffers mapped, 16 MB with each attempt: unmap.
//   - Open leaves the descriptor open in child processes, which would keep the camera busy: openNode closes it there.

type v4l2 struct {
	device   Device
	settings Settings
	wishes   wishes
	controls *latest.Value[[]Control] // that the device has shown last
}

// newV4L2 is a Source for one video node. It opens nothing yet.
func newV4L2(d Device, s Settings) Source {
	if d.Name == "" {
		d.Name = first(sysfsName("/", d.ID), d.ID)
	}
	return &v4l2{device: d, settings: s, controls: latest.New([]Control{})}
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

// Controls are the Adjustable's. They may lag behind Adjust by a second.
func (v *v4l2) Controls() []Control {
	list, _ := v.controls.Get()
	return list
}

// Adjust is the Adjustable's. What was wanted in an earlier call and no longer is goes back to the device's default; what never was is left alone.
func (v *v4l2) Adjust(wanted map[string]int64) { v.wishes.put(wanted) }

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
	fd, err := descriptorOf(w)
	if err != nil {
		return err
	}
	controls := &adjuster{device: fd, wishes: &v.wishes, shown: v.controls, note: noteTo(sink, v.device.ID)}
	raw := &yuyv{width: m.width, height: m.height, swapped: m.format == formatUYVY}
	interval := func() time.Duration {
		if sink.Idle() {
			return idleInterval
		}
		return m.interval()
	}
	return deliver(ctx, streaming{w}, controls.obey, interval, func(picture []byte, taken time.Time) {
		if m.format.raw() {
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
		return nil, fmt.Errorf("open %s: %w", node, openError(err))
	}
	if err := ours(w); err != nil {
		w.Close()
		return nil, fmt.Errorf("open %s: %w", node, err)
	}
	return w, nil
}

// openError names what the library says in words of its own only: that a node has nothing to do with pictures.
func openError(err error) error {
	if no := unix.Errno(0); !errors.As(err, &no) {
		return fmt.Errorf("%w: %w", errNoFormat, err)
	}
	return err
}

// ours keeps an open node to this process, and to what takes pictures.
func ours(w *webcam.Webcam) error {
	fd, err := descriptorOf(w)
	if err != nil {
		return err
	}
	unix.CloseOnExec(int(fd))
	if is, err := fd.captures(); err != nil {
		return err
	} else if !is {
		return errNoFormat
	}
	return nil
}

// unmap reaches for an unexported field of the library, whose being there is tested.
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
